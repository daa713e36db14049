"""The wordings that tell which section of a portrait a statement belongs to: data for `portrait`.

Each is matched with a statement in lower case that speaks of "the user", adverbs such as "now" left out (`portrait`
brings it to that form), the Chinese ones with the text as it is. Nothing here is deep: extraction's slots know more,
but take ten times as long, and a portrait is made of a hundred thousand memories."""

from __future__ import annotations

import re

from satchel.extract.reconciling.slot_patterns import OCCUPATION
from satchel.extract.reconciling.statement import RELATIONS

_MORE_PEOPLE = """
    ex ex-husband ex-wife stepdad stepmum stepson stepdaughter sibling siblings triplets twins godfather godmother mate
    teammate classmate bandmate team-mate mentor nanny babysitter carer guest newborn teenager teen grandchild
    grandchildren grandparents grandparent greyhound labrador terrier poodle spaniel collie retriever dachshund pet pets
    goldfish budgie canary chinchilla gecko hen hens chicken chickens pony goat bees ferret snake lodger tenant
    mother-in-law father-in-law sister-in-law brother-in-law daughter-in-law son-in-law relatives household fiancé
    late-husband co-founder cofounder therapist hairdresser
"""
_NAMES = sorted({*RELATIONS, *_MORE_PEOPLE.split()}, key=len, reverse=True)
SOMEBODY = "|".join(re.escape(name) for name in _NAMES)
_BEFORE = (
    r"(?:(?!(?:is|was|are|has|had|and|or|in|on|at|for|with|of|to|from|who|that|does|works?|went|goes|lives?)\b)"
    r"[\w'-]+,? ){0,3}?"
)
_HAVE = (
    r"(?:has|have|had|got|keeps?|adopted|adopting|fosters?|fostering|raises|raising|lives? with|living with|expecting"
    r"|looks? after|cares? for|caring for|lost|father|mother|parent|mum|mom|dad|grandmother|grandfather|guardian|owns?"
    r"|shares? (?:an? )?(?:flat|house|home|apartment) with|co-parents?|walks?|married to|engaged to|is with|with)"
)

OF_OTHERS = re.compile(
    rf"(?:the user's|the user and the user's) {_BEFORE}(?:{SOMEBODY})(?:e?s)?(?!\w|-)"
    r"(?! (?:app|name tag|food|allergy|licence|photos?|club|business|tree|car|bed|sitter))"
    rf"|(?:(?:mr|mrs|ms|dr)\.? )?[a-zà-ž-]+(?: and [a-zà-ž-]+)? (?:is|are|was|were) (?:one of )?the user's {_BEFORE}"
    rf"(?:{SOMEBODY}|partner)s?\b"
)
"""Statements about somebody other than the user."""
HAS_SOMEBODY = re.compile(
    rf"\b{_HAVE} (?:(?:\w+, )?(?:an?|the|two|three|four|five|six|several|many|no|one|some|their|the user's|his|her)"
    rf" )?{_BEFORE}(?:{SOMEBODY})(?:e?s)?(?!\w|-)(?! (?:app|allergy|food|licence|of)\b)"
    r"|\bis (?:happily |newly |recently |an? )*(?:married|divorced|engaged"
    r"|single(?= (?:mum|mom|dad|parent|mother|father|and|$))|widow(?:ed|er)?|separated|only child"
    r"|in a relationship|twin|eldest of|youngest of|oldest of"
    rf"|(?:\w+ )?(?:father|mother|parent|mum|mom|dad|grandmother|grandfather|aunt|uncle)(?: of|$))\b"
    r"|\b(?:has been|is) with the user's\b|\b(?:married|dating|engaged)\b|\bno (?:kids|children|siblings)\b"
)

PLAN = re.compile(
    r"the user (?:is |are |has been |was |has )?(?:seriously |half |kind of |hard )?"
    r"(?:planning|plans?\b|thinking (?:of|about)|considering|hoping|hopes?\b|wants? to|wish(?:es)? to|would (?:like"
    r"|love) to|intends?\b|intending|aims?\b|aiming|looking (?:for|to|into|at|forward)|looks? (?:for|forward)"
    r"|saving(?: up)?"
    r" (?:for|to)|going to|about to|preparing (?:for|to)|revising for|studying for|training for|will\b"
    r"|working towards?|trying to|needs? to|applying|applied|decided to|determined to|dream(?:s|ing) of"
    r"|getting married|due to"
    r"|(?:buying|selling|moving|relocating|switching|leaving|quitting|retiring|starting|joining|expecting|flying"
    r"|travelling|traveling|launching|opening|building|renovating) .*\b(?:next|tomorrow|soon|in (?:january|february"
    r"|march|april|may|june|july|august|september|october|november|december|the (?:spring|summer|autumn|fall|winter)"
    r"|20\d\d)|on (?:mon|tues|wednes|thurs|fri|satur|sun)day|this (?:spring|summer|autumn|fall|winter|weekend|year))\b"
    r"|(?:moving|relocating|flying) to\b|interviewing|booked|signed up for)"
    r"|the user's (?:[\w-]+ )?(?:goals?|plans?|aims?|ambition|dream|target|resolution|deadline|appointment|next"
    r" (?:step|trip|holiday))\b(?! manager)"
)
_CN_PLAN = r"打算|计划|准备|想要?(?![念起法])|希望|目标|即将|将要|要去|下周|下个?月|明年|决定"

HEALTH = re.compile(
    r"\b(?:diabet\w+|asthma\w*|migraines?|allerg\w+|intoleran\w+|c(?:o?e)liac|adhd|add|autis\w+|dyslexi\w+|dyspraxi\w+"
    r"|depress\w+|anxiety|insomnia|epilep\w+|hypertension|arthrit\w+|cancer|disease|syndrome|disorder|diagnosed"
    r"|suffers?"
    r"|surgery|injur\w+|sciatica|medication|tablets?|\d+ ?mg|pills?|antidepressants?|insulin|statins?|inhaler|hearing"
    r" aids?|deaf|(?:colou?r-?)?blind|wheelchair|pregnan\w+|eczema|psoriasis|tinnitus|vertigo|pacemaker|an(?:a)?emi\w+"
    r"|blood (?:pressure|type|group)|thyroid|cholesterol|short-?sighted|long-?sighted|near-?sighted|glasses|dentures"
    r"|back pain|chronic|slipped disc|hernia|gout|endometriosis|pcos|ibs|crohn\S*|hay ?fever|menopaus\w+"
    r"|panic attacks?"
    r"|bipolar|ocd|ptsd|bad (?:knees?|back|hips?|shoulders?|ankles?|eyes|hearing|teeth)|(?:knee|hip|ankle|wrist"
    r"|shoulder)"
    r" (?:hurts?|pain|replacement|problems?)|hurts|prosthe\w+|artificial|stammers?|stammered|blood thinners"
    r"|flat feet|meniscus|fracture\w*|since birth|gastritis|operation"
    r"|symptoms?|\w{2,}(?:pril|olol|vastatin|prazole|formin"
    r"|oxetine|traline|mycin|cillin|sartan|dipine|profen|azepam|opram|oxacin|idone))\b"
)
NATIONALITY = (
    r"american|british|english|scottish|welsh|irish|french|german|austrian|swiss|dutch|belgian|flemish|spanish|catalan"
    r"|galician|basque|portuguese|italian|greek|turkish|polish|czech|slovak|hungarian|romanian|bulgarian|serbian"
    r"|croatian"
    r"|slovenian|ukrainian|russian|belarusian|lithuanian|latvian|estonian|finnish|swedish|norwegian|danish|icelandic"
    r"|canadian|mexican|brazilian|argentin\w+|chilean|colombian|peruvian|cuban|australian|kiwi|indian|pakistani"
    r"|bangladeshi|sri lankan|nepali|chinese|taiwanese|cantonese|mandarin|japanese|korean|vietnamese|thai|filipin[oa]"
    r"|indonesian|malaysian|singaporean|iranian|persian|iraqi|syrian|lebanese|israeli|palestinian|egyptian|moroccan"
    r"|tunisian|algerian|nigerian|ghanaian|kenyan|ethiopian|south african|somali|arabic|hebrew|hindi|urdu|tamil"
    r"|bengali"
    r"|punjabi|swahili|latin|esperanto|farsi|tagalog|yoruba|gaelic|sign language"
)
IS_SOMEBODY = re.compile(
    r"the user(?:'s (?:(?:full|first|last|middle|preferred|real|given|legal|native|home|current|postal|blood|sleep"
    r"|family) )*(?:name|surname|nickname|birthday|age|height|weight|mother tongue|language|hometown|home town"
    r"|pronouns"
    r"|address|accent|nationality|citizenship|ethnicity|gender|star sign|blood|birthplace|origins?|roots|eyesight"
    r"|religion"
    r"|faith|health|doctor|gp|shoe size|time ?zone|skin|hair)\b"
    r"| (?:is |was |are )?(?:called|named|goes by|likes to be called)\b"
    r"| (?:is |turned |turns |turning |aged |has turned |is aged )+(?:\d{1,3}|eighteen|nineteen|(?:twenty|thirty|forty"
    r"|fifty|sixty|seventy|eighty|ninety)\S*)(?: years? old)?(?=$|[.,;]| and\b| next\b| in\b| this\b)"
    r"| (?:is|turned|turns) [\w-]+ years? old\b| (?:is |are )(?:originally )?from\b"
    rf"| (?:is |are |was )(?:an? |half |originally |part |ethnically |of )*(?:{NATIONALITY})\b"
    r"| (?:is |are )(?:an? )?(?:\w+ )?(?:man|woman|girl|boy|non-?binary|trans|gay|lesbian|bisexual|queer|straight"
    r"|introvert\w*|extrovert\w*|christian|catholic|protestant|muslim|jewish|hindu|buddhist|sikh|atheist|agnostic"
    r"|pensioner|teenager|widower|night owl|morning person)\b)"
)
"""How a statement begins that says who the user is."""
WHO = re.compile(
    r"\b(?:born\b|grew up\b|raised in\b|brought up\b|hails? from\b|comes from\b|calls? .+ home$|lives\b(?! (?:for"
    r"|off))"
    r"|(?:lives?|living|lived|based|resid\w+|settled|stays|staying) (?:alone|abroad|near|outside|just outside"
    r"|(?:[a-z]+ )?(?:in|at|on|by|between|north|south|east|west))\b"
    r"|(?:speaks?|speaking|fluent|bilingual|trilingual|native|learning|learns?|understands?|practi[sc]\w+|studying)"
    rf" .{{0,25}}?(?:{NATIONALITY})\b"
    r"|(?:native speaker|mother tongue|bilingual|citizen|passport|expat|immigrant|emigrated|dual national\w*"
    r"|residence permit|(?:left|right)-?handed|tall|weighs?)\b)"
)
"""What anywhere in a statement says so."""
MOVED = re.compile(r"\b(?:[Mm]oved|[Rr]elocated|[Ee]migrated)(?: back)? (?:to|from|into|in) (?:the )?[A-Z]")
"""In the statement as it is written: a place has a capital."""

OF_WORK = re.compile(
    rf"the user(?: (?:is|was|became|has become|has been)(?: now)? (?:an? |the )?(?:[\w-]+ ){{0,4}}?{OCCUPATION}\b"
    r"|'s (?:[\w-]+ ){0,2}?(?:app|team|thesis|field|research|paper|department|business|shop|bakery|practice|product"
    r"|employer|supervisor|contract|portfolio|cv|resume|lab|industry|role|title|course|dissertation|tutor)\b)"
)
"""How a statement begins that is about work and studies."""
OWN_WORK = re.compile(
    r"\b(?:works?\b(?! out\b| on the user's (?:garden|car|house|tan))"
    r"|working (?:as|at|for|in|from|on|with|part|full)\b|worked (?:as|at|for|in)\b"
    r"|(?:job|employ\w+|unemployed|laid off|made redundant|salary|earns?|promoted|career|profession\w*|occupation"
    r"|freelanc\w*|self-employed|apprentice\w*|intern|internship|trainee|retired|on call|shifts?|colleagues|coworkers"
    r"|clients?|customers?|startup|start-up|founder|founded|company|office|workplace|firm|payroll|notice period"
    r"|takes home|evening classes|for a living|by trade|maternity leave|paternity leave|parental leave|sabbatical"
    r"|thesis|dissertation|ph\.?d|master'?s|bachelor'?s|undergraduate|graduate|graduated|student|stud(?:ies|ied)"
    r"|studying|majors?|majoring|degree|university|college|semester|lectures?|codebase|deploys?|deployment|open source"
    r"|repo(?:sitory)?|backend|frontend|paying users|revenue|employees|invoices?|stakeholders?|sprints?|teach(?:es"
    r"|ing)"
    r"|taught|retrained|manages|codes)\b"
    r"|is an? (?:[\w-]+ ){0,3}?(?:\w{3,}(?:ologist|ician|wright|smith)|joiner|illustrator|actuary|surveyor|plasterer"
    r"|roofer|welder|tailor|butcher|translator|solicitor|barrister|judge|priest|vicar|midwife|optician|radiographer"
    r"|cashier|postman|courier|landscaper|tutor|principal|economist|statistician|mathematician|physicist|chemist"
    r"|biologist|composer|sculptor|painter|decorator|landlord|publican|sommelier|diplomat|civil servant|politician"
    r"|trader|broker|banker|auditor|recruiter|marketer|copywriter|novelist|poet|veteran|sailor|skipper|guide|coach"
    r"|referee)\b"
    r"|train(?:s|ing|ed) (?:to become|as|to be)\b|programs in\b"
    r"|runs (?:an? |the |the user's )(?:[\w-]+ ){0,3}?(?:business|shop|bakery|caf[eé]|restaurant|studio|agency|farm"
    r"|clinic|practice|company|b&b|hotel|salon|garage|gallery|school|nursery|charity|store|stall|pub)\b)"
)
PERHAPS_WORK = re.compile(
    r"\b(?:projects?|class(?:es)?|courses?|school|meetings?|interview|exams?|business|research|academic|coding|python"
    r"|rust|typescript|java(?:script)?|sql|kubernetes|api|software|website|tests|writing an? (?:book|novel|paper)"
    r"|manuscript)\b"
)
"""Work, unless it speaks of a pastime."""

CHINESE = re.compile(r"[\u4e00-\u9fff]")
CN_PLAN = re.compile(_CN_PLAN)
_CN_SOMEBODY = (
    "妻子|丈夫|老公|老婆|太太|先生|爱人|伴侣|女儿|儿子|孩子|宝宝|父母|父亲|母亲|爸爸?|妈妈?|哥哥?|姐姐?|弟弟?|妹妹?|朋友|闺蜜|同事|老板|领导|上司"
    "|男友|女友|邻居|室友|爷爷|奶奶|外公|外婆|叔叔|阿姨|舅舅|侄子|表[哥姐弟妹]|堂[哥姐弟妹]|岳[父母]|婆婆|公公|孙子|孙女|家人|房东"
    "|猫|狗|兔|仓鼠|鹦鹉|宠物|金毛|柯基|乌龟"
)
CN_OTHERS = re.compile(
    rf"用户的?(?:(?![是在有的]).){{0,3}}(?:{_CN_SOMEBODY})|(?:有|养|收养|领养|照顾|生)[^，。]{{0,8}}?(?:{_CN_SOMEBODY})"
    "|已婚|未婚|单身|离婚|结婚|独生"
)
CN_WHO = re.compile(
    r"名字|姓名|姓|叫(?!做饭|外卖)|岁|出生|生日|住在|住(?!院)|搬到|居住|来自|老家|籍贯|是[\u4e00-\u9fff]{1,4}人(?!员)|母语|会说|会讲|普通话|粤语|英语|日语"
    r"|方言|过敏|高血压|糖尿病|哮喘|患|得了|症|病|失眠|近视|怀孕|身高|体重|公斤|厘米|血型|左撇子|不耐受|吃.{0,3}药|信(?:佛|教|仰)|民族|性别"
)
CN_WORK = re.compile(
    "工作|上班|公司|职业|就职|任职|工程师|程序员|老师|教师|医生|护士|律师|会计|设计师|经理|厨师|司机|记者|教授|学生|大学|研究生|博士|硕士|本科|专业"
    "|高中|毕业|论文|项目|团队|客户|负责|创业|开店|工资|薪|退休|失业|实习|加班|编程|代码|开发"
)
