"""The wordings in which people fill a single-valued slot: data for `slots`, a row a wording.

Each row is matched with the predicate of a clause ("lives in Porto"), adverbs such as "now" left out; `value` is the
group that holds the value."""

from __future__ import annotations

import re

A = r"(?:an? |the |the user's |his |her )?"
NEW = r"(?:(?:brand[- ]new|new|shiny|second-hand|used|main|primary|daily|work|own|first|little|small|lovely|big) )*"
PLACE = r"(?P<value>(?-i:[A-Z])(?!(?:mon|tues|wednes|thurs|fri|satur|sun)day)(?-i:[\w'.-]+).*)"
NAME = r"(?P<value>(?-i:(?:Mr|Mrs|Ms|Dr|Prof)\.? )?(?-i:[A-Z])[\w'-]+.*)"
OCCUPATION = (
    r"(?:nurse|doctor|teacher|engineer|developer|programmer|designer|manager|lawyer|accountant|chef|cook|baker|barista"
    r"|waiter|waitress|driver|electrician|plumber|carpenter|joiner|mechanic|architect|analyst|scientist|researcher"
    r"|professor|lecturer|librarian|writer|editor|journalist|translator|interpreter|photographer|musician|actor|actress"
    r"|dentist|vet|veterinarian|pharmacist|physio|physiotherapist|therapist|psychologist|paramedic|firefighter"
    r"|police officer|soldier|pilot|farmer|gardener|florist|hairdresser|consultant|administrator|assistant|secretary"
    r"|receptionist|clerk|cashier|salesperson|recruiter|marketer|director|team lead|tech lead|lead|head of [\w ]+"
    r"|ceo|cto"
    r"|founder|freelancer|intern|apprentice|tutor|coach|trainer|instructor|midwife|surgeon|welder|builder|technician"
    r"|student|postdoc|phd student|economist|statistician|biologist|chemist|physicist|geologist|bookkeeper|auditor"
    r"|courier|postman|bookseller|curator|illustrator|animator|potter|tailor|optician|radiographer|warden|ranger|guide"
    r"|social worker|project manager|product manager|supervisor|foreman|captain|partner|principal|headteacher)"
)
DIET = (r"(?P<value>vegan|vegetarian|veggie|pescatarian|pescetarian|omnivore|omnivorous|flexitarian|carnivore"
         r"|plant-based|meat[- ]eater)")  # fmt: skip
ROLE = (
    r"(?!(?:member|customer|visitor|user|patient|student|resident|never|ever|together|over|under)\b)"
    r"(?:[a-z]+(?:er|or|ist|ian|ant|man|woman)|lead|head|chief|clerk|nurse|cook|chef|vet|apprentice)"
)
"""The last word of what somebody is at work, whatever it is: without an article it is no mere description."""
REGIME = (
    r"(?:keto|paleo|low[- ]carb|low[- ]fodmap|low[- ]fat|low[- ]salt|mediterranean|atkins|whole30|carnivore|dash"
    r"|gluten[- ]free|dairy[- ]free|plant[- ]based)(?: diet)?"
)
BRANDS = {
    "phone": r"(?:iphone|pixel|galaxy|oneplus|xiaomi|fairphone|nokia|motorola|huawei|android phone|samsung)",
    "laptop": r"(?:macbook|thinkpad|dell xps|xps|surface|framework|zenbook|chromebook|lenovo|dell|asus)",
    "car": r"(?:golf|polo|toyota|corolla|yaris|prius|honda|civic|jazz|ford|fiesta|focus|tesla|model [3sxy]|bmw|audi"
           r"|skoda|škoda"
           r"|octavia|fabia|seat|ibiza|renault|clio|zoe|peugeot|citroën|citroen|fiat|panda|mini|volvo|mazda|nissan"
           r"|leaf|kia|hyundai"
           r"|opel|corsa|astra|vauxhall|dacia|sandero|subaru|mercedes|volkswagen|vw|jeep|suzuki|swift|lexus|id\.?3)",
    "os": r"(?:windows|macos|mac os|linux|ubuntu|fedora|debian|arch|mint|nixos|pop!?_?os|chromeos)",
    "editor": r"(?:vim|neovim|nvim|emacs|vs ?code|vscode|visual studio code|sublime(?: text)?|pycharm|intellij|zed"
              r"|helix|cursor|notepad\+\+)",
    "browser": r"(?:firefox|chrome|safari|edge|brave|vivaldi|opera|arc)",
    "programming language": r"(?:python|rust|golang|go|java|kotlin|javascript|typescript|ruby|c\+\+|c#|swift|scala"
                            r"|haskell|elixir|php|julia|stata|spss|matlab|sas|(?-i:R))",
}  # fmt: skip
USES = (
    r"(?:(?:mainly|mostly|primarily|usually) )?(?:uses?|is using|has been using|runs?|is running|codes? in|writes?"
    r" code in|programs? in|works? (?:in|on)"
    r"|develops? on|types? in|drives?|is driving|rides?|is on|owns?|has|has got"
    r"|does (?:everything|most things|all (?:of )?(?:the user's |the )?(?:work|analys[ei]s|coding|programming))"
    r" (?:in|on|with))"
)
SWITCHES = (
    r"(?:(?:has |have )?(?:switched|moved|went|gone|migrated|upgraded|downgraded|changed|converted)(?: back|"
    r" over)*(?: (?:from .+?))? to"
    r"|(?:has |have )?(?:replaced .+ with|traded .+ (?:in )?for|swapped .+ for|took delivery of))"
)
BUYS = r"(?:has |have )?(?:bought|got|picked up|ordered|leased)"
WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
MONTH = (r"(?:jan(?:uary)?|feb(?:ruary)?|march|april|may|june|july|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
          r"|nov(?:ember)?"
          r"|dec(?:ember)?)")  # fmt: skip
WHEN = (
    rf"(?:(?:every |each |next |the following )?{WEEKDAY}(?:,? (?:and|&) {WEEKDAY})*(?: (?:morning|evening"
    rf"|afternoon|night)s?)?(?: at \d[\d:.]*(?: ?[ap]m)?)?"
    rf"|(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {MONTH}(?:,? \d{{4}})?|{MONTH}(?: the)? \d{{1,2}}(?:st|nd|rd"
    rf"|th)?(?:,? \d{{4}})?"
    rf"|\d{{4}}-\d\d-\d\d|(?-i:January|February|March|April|May|June|July|August|September|October|November|December)"
    rf"|\d{{1,2}}(?:[:.]\d\d)? ?(?:[ap]m)?(?: o'clock)?|noon|midnight|the \d{{1,2}}(?:st|nd|rd|th))"
)
SHIFTED = (
    r"(?:(?:is|was|got|gets|has been|been) )?(?:moved|postponed|pushed|rescheduled|shifted|changed|switched|delayed"
    r"|brought|put)"
    r"(?: back| forward| up| out)?(?: from .+?)?"
)

ANSWERS = r"(?:answers?|versions?|repl(?:y|ies)|responses?|explanations?|explain|answering)"
SHORT = ("short", "shorter", "brief", "briefly", "concise", "terse", "to the point", "compact")
LONG = ("long", "longer", "detailed", "detail", "in detail", "thorough", "in depth", "full", "fuller", "extensive")
FORM = (
    r"(?:plain |short |full |normal |ordinary |regular )?(?:paragraphs|prose|full sentences|bullets|bullet points"
    r"|numbered (?:steps|lists?|points)|checklists?)"
)
LENGTH = "|".join((*SHORT, *LONG))

PATTERNS: tuple[tuple[str, re.Pattern[str], bool], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE), weak)
    for name, pattern, weak in (
        ("home", rf"(?:lives?|resides?|is living|is residing|is based|has been living|is staying long-term|is"
                 rf" settled|settled"
                 rf"|is settling)(?: down| alone| together)? (?:over )?(?:in|at|near)"
                 rf" (?:{A}{NEW}(?:flat|apartment|house|studio|room|place|cottage) (?:in|near) )?(?P<value>.+)", False),
        ("home", rf"rents? {A}{NEW}(?:[\w-]+ )?(?:flat|apartment|house|studio|room|place) in {PLACE}", False),
        ("home", rf"(?:has |have )?(?:moved|relocated)(?: back| house| home| flat| over| out| in| permanently| for"
                 rf" good)*"
                 rf"(?: from .+?)? (?:to|into) (?:{A}{NEW}(?:flat|apartment|house|studio|place|cottage) in )?"
                 rf"(?!{'|'.join(BRANDS.values())}\b){PLACE}", False),
        ("home", r"(?:has |have )?(?:moved|relocated|moved in)(?: back| out)? to (?P<value>the (?:countryside|coast"
                 r"|suburbs"
                 r"|city|seaside|mountains).*)", False),
        ("home", rf"(?:has |have )?(?:got|found|bought|rented|signed (?:a|the) lease (?:on|for)|is in|has|moved"
                 rf" into) {A}{NEW}"
                 rf"(?:[\w-]+ )?(?:flat|apartment|house|studio|room|place|home|cottage) in {PLACE}", False),
        ("home", rf"calls? {PLACE} home", False),
        ("home", r"(?:moved|is moving|has moved) in with (?P<value>.+?)(?: from .+)?$", False),
        ("employer", r"(?:(?:works?|is working|has been working|is employed|is interning)(?: now)?"
                     r"(?: (?:as|in) (?:an? |the )?[\w' -]+?)?(?: (?:full|part)[- ]time| remotely)?) (?:at|for)"
                     r" (?!home\b|night|least|weekends?\b|\d)(?P<value>.+)", False),
        ("employer", rf"(?:has )?(?:joined|(?:starts?|is starting) (?:work |working |a new job )?(?:at|with)|started"
                     rf" (?:work |working |a job |a new job |{A}{NEW}(?:job|role|position) )?(?:at|with)"
                     rf"|got {A}{NEW}(?:job|role|position)(?: as .+?)? (?:at|with)|landed {A}{NEW}(?:job|role"
                     rf"|position)(?: as .+?)?"
                     rf" (?:at|with)|began (?:work(?:ing)? )?at|was hired (?:by|at)|got hired (?:by|at)|accepted an"
                     rf" offer from"
                     rf"|has {A}{NEW}(?:job|role|position)(?: as .+?)? (?:at|with)|switched jobs to|changed jobs to"
                     rf"|(?:took|started) {A}{NEW}(?:job|role|position)(?: as .+?)? (?:at|with)|is at) {PLACE}", False),
        ("employer", rf"(?:(?:was|got|has been|is)(?: being)? )?promoted to .+? (?:at|with) {PLACE}", False),
        ("employer", rf"is {A}(?:[\w-]+ ){{0,3}}?{OCCUPATION} (?:at|for|with) {PLACE}", False),
        ("employer", rf"is {A}(?:[\w-]+ ){{0,3}}?(?:{OCCUPATION}|{ROLE}) (?:on|in) [^,]{{3,40}},"
                     rf" (?:at|for|with) {PLACE}", False),
        ("employer", rf"is (?:[a-z][\w-]* ){{0,3}}?{ROLE} (?:at|for) {PLACE}", False),
        ("employer", rf"(?:has )?signed with {PLACE}", False),
        ("employer", rf"is (?:\w+ ){{1,2}}(?:days?|weeks?|months?) into {A}(?:their )?{NEW}(?:job|role|position)"
                     rf" (?:at|with) {PLACE}", False),
        ("job", rf"is (?P<value>(?!(?:an?|the) )(?:[a-z][\w-]* ){{0,3}}?{ROLE}) (?:at|for) (?-i:[A-Z])[\w-]+.*", False),
        ("employer", rf"(?:has|has had|is on) (?:{A}|their )first (?:day|week|month)(?: of work)?"
                     rf" (?:at|with) {PLACE}", False),
        ("job", r"(?:works?|is working|has been working|is employed|is training)(?: (?:full|part)[- ]time)? as"
                r" (?:an? |the )?(?P<value>.+)", False),
        ("job", rf"(?:is|became|has become|has been|was made|got made) (?:an? |the )?(?P<value>(?:(?!in\b|of\b|at\b"
                rf"|with\b)[\w-]+ ){{0,3}}?"
                rf"{OCCUPATION}\b.*)", False),
        ("job", r"(?:(?:was|got|has been|is)(?: being)? )?(?:promoted|moved up) to (?:the )?(?:position of |role of"
                r" )?(?:an? )?(?P<value>.+)", False),
        ("job", r"(?:has )?(?:started|got|landed|took|has|retrained|switched careers?|started work(?:ing)?) (?:a"
                r" (?:new )?(?:job|role|position) )?"
                r"(?:as|to become) (?:an? |the )?(?P<value>.+)", False),
        ("job", r"(?:has |is )?(?P<value>retired)\b(?! from (?:running|football|playing|sport)).*", False),
        ("name", r"(?:is called|goes by|prefers to be called|likes to be called|is named)"
                 r" (?P<value>(?-i:[A-Z]).+)", False),
        ("age", r"(?:is|turned|has turned|turns)(?: turning| aged)? (?P<value>\d{1,3})(?: years? old|yo)?(?: (?:in"
                r"|on|yesterday|today|last|this|since|next|and)\b.*)?[.!,]?$",
         False),
        ("diet", rf"(?:is|went|goes|has gone|became|has become|has been|have been|turned|is back to being|is eating"
                 rf"|eats?|keeps?|follows?"
                 rf"|is on|is a lifelong|has gone back to being|went back to being)(?: back to)? (?:an? )?"
                 rf"(?:[\w-]+ly |lifelong |committed |proud |ethical )?{DIET}\b.*", False),
        ("diet", r"(?:eats?|is eating|(?:has )?started eating|(?:has )?began eating|went back to eating|has gone"
                 r" back to eating) "
                 r"(?P<value>meat|everything)\b(?= again|$).*", False),
        ("regime", rf"(?:is|went|has gone|is doing|is on|follows?|does|started|doing|eats?|eating)(?: (?:an?|the))?"
                   rf" (?P<value>{REGIME})\b.*", False),
        ("partner", rf"(?:is|got|has been|is getting|became)(?: (?:married|engaged) to| dating| seeing| going out"
                    rf" with| in a relationship with"
                    rf"| together with| with) {NAME}", False),
        ("marital", r"(?:is|got|has been|became|is getting)(?: (?:back|happily|officially|newly))? (?P<value>single"
                    r"|married|divorced|engaged|widowed"
                    r"|separated|in a relationship)\b.*", False),
        ("commute", r"commutes? (?:to work )?(?:by|on|via|with) (?:an? |the |the user's )?(?P<value>.+)", False),
        ("commute", r"(?:gets? to (?:work|the office) (?:by|on)|goes to (?:work|the office) by|takes? (?:the|an?)) "
                    r"(?P<value>[\w ]+?)(?: to (?:work|the office)\b.*)?$", True),
        ("commute", r"(?P<value>cycles?|walks?|drives?|bikes?) to (?:work|the office|school|uni\w*)\b.*", False),
        ("school", r"(?:goes to|attends?|started (?:at|school at)|starts? at|is at|is a pupil at|moved to|changed"
                   r" schools? to|switched to) "
                   r"(?P<value>(?-i:[A-Z]).*(?:school|academy|primary|college|high|kindergarten|montessori|nursery"
                   r"|university|uni)\b.*)", False),
        ("grade", r"(?:is|started|is starting|goes into|is going into|moved up to|is in) (?:in )?(?:the )?"
                  r"(?P<value>(?:year|grade|class) \w+|(?:\w+) (?:grade|year|form)|reception|kindergarten|nursery"
                  r"|preschool)\b.*", False),
        ("studies", r"(?:studies|study|is studying|has been studying|majors? in|is majoring in|is doing (?:an?"
                    r" )?(?:degree|phd|master'?s?|bachelor'?s?|ma|msc|bsc) in"
                    r"|started (?:studying|an? (?:degree|phd|master'?s?|course) in)|changed (?:the user's )?(?:major"
                    r"|degree|course)(?: from .+?)? to"
                    r"|switched (?:the user's )?(?:major|degree|course|studies)(?: from .+?)? to)"
                    r" (?P<value>.+)", False),
        ("weight", r"weighs? (?P<value>\d+.*)", False),
        ("rent", r"pays? (?P<value>[\d€$£][\d.,]*.*?) (?:in|for|of) rent.*", False),
        ("bank", r"(?:banks? with|is with|moved (?:the user's )?(?:account|bank) to|switched banks? to)"
                 r" (?P<value>(?-i:[A-Z]).+)", False),
        ("gym", r"(?:(?:is a member of|goes to|joined|trains at|works out at|switched (?:gyms? )?to))"
                r" (?P<value>.*\b(?:gym|fitness|crossfit)\b.*)", False),
    )
)  # fmt: skip
TOOLS: tuple[tuple[str, re.Pattern[str], bool], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE), weak)
    for name, brand in BRANDS.items()
    for pattern, weak in (
        (rf"{SWITCHES} {A}{NEW}(?:[\w-]+ )?(?P<value>{brand}\b.*)", False),
        (rf"(?:{USES}|{BUYS}) {A}{NEW}(?:[\w-]+ )??(?P<value>{brand}\b.*)", True),
    )
)
_MACHINES = {name: BRANDS[name] for name in ("phone", "laptop", "car")}
TEXT = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("diet", rf"\bas an? (?:[\w-]+ )?{DIET}\b"),
        ("diet", rf"\bso (?:(?:now|an?) )?{DIET}\b"),
        ("home", rf"^(?:here )?in {PLACE}(?:, )? where the user lives?"),
        ("home", r"\b(?:here )?in (?P<value>(?-i:[A-Z])[\w-]+),? where the user lives?"),
        ("name", r"^(?:please )?(?:just )?call the user (?P<value>(?-i:[A-Z])[\w-]+)"),
        ("name", r"^the user's (?:(?:first|preferred|real|full|last|given) )?name is (?P<value>.+)"),
        ("job", r"^the user's (?:new |current |day |main )*(?:job|occupation|profession|role|job title|position"
                r"|title) is (?:that of )?(?:being )?"
                r"(?:an? |the )?(?P<value>.+)"),
        ("employer", r"^the user's (?:new |current )?(?:employer|company|workplace) is (?:called )?(?P<value>.+)"),
        ("home", rf"^the user's (?:new |current )?(?:flat|apartment|house|home|place|hometown now) is in {PLACE}"),
        ("diet", rf"^the user's diet is (?:an? |entirely |fully |mostly )?{DIET}\b"),
        ("studies", r"^the user's (?:major|degree|field of study) is (?:in )?(?P<value>.+)"),
        ("language of answers", r"^(?:please )?(?:always |from now on,? )?(?:answer|reply|respond|write|speak"
                                r"|talk)(?: to)?(?: the user)? "
                                r"(?:only |back )?in (?P<value>english|german|french|spanish|portuguese|italian"
                                r"|dutch|chinese|japanese|korean|polish"
                                r"|russian|swedish|norwegian|danish|finnish|greek|turkish|catalan|galician"
                                r"|ukrainian)\b"),
        ("length of answers", rf"\b{ANSWERS}\b.{{0,40}}?\b(?P<value>{LENGTH})\b"),
        ("length of answers", rf"\b(?P<value>{LENGTH})\b.{{0,20}}?\b{ANSWERS}\b"),
        ("length of answers", rf"^(?:please )?(?:always |from now on,? )?(?:be|keep (?:it|things)|go|answer|explain)"
                              rf"(?: more)? (?P<value>{LENGTH})\b"),
        ("form of answers", rf"\b(?:as|in|use|using|with|user|only) (?P<value>{FORM})\b"),
        ("form of answers", rf"^(?:just |only |please |plain )*(?P<value>{FORM})\b"
                            r".{0,30}\b(?:from (?:now )?on|always|in general)"),
        ("tone of answers", rf"\b{ANSWERS}\b.{{0,30}}?\b(?P<value>formal|informal|casual|friendly)\b"),
        *(
            (name, rf"^(?:the user's |the )?{NEW}{name} is {A}{NEW}(?:(?:19|20)\d\d )?(?P<value>{brand}\b.*)")
            for name, brand in _MACHINES.items()
        ),
        *(
            (name, rf"^(?:{A}{NEW}|the user is |is )(?:(?:19|20)\d\d )?(?P<value>{brand}\b.{{0,30}})$")
            for name, brand in _MACHINES.items()
        ),
        ("regime", rf"^(?:so )?(?:it is|it's) (?:the |a )?(?P<value>{REGIME})\b"),
        ("units of answers", r"\b(?:in|use|using) (?P<value>metric|imperial|celsius|fahrenheit|kilomet\w+|miles)\b"),
    )
)  # fmt: skip
TEXT_OF_OTHERS = (
    (
        "home",
        re.compile(r"\b(?:from|to|in) (?P<value>(?-i:[A-Z])[\w-]+),? where (?:he|she|they) lives?\b", re.IGNORECASE),
    ),
)
"""The same of whoever the clause is about."""
FAVOURITE = re.compile(
    r"^the user's favou?rite (?P<thing>.+?) (?:is|became|has become)(?: now)? (?P<value>.+)"
    r"|^(?P<value2>.+?) (?:is|became|has become) (?:now )?the user's (?:new )?favou?rite (?P<thing2>.+)",
    re.IGNORECASE,
)
PARTNER_NAME = re.compile(
    r"^(?:(?:'s )?name is|is (?:called|named)|is) (?P<value>(?-i:(?:(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.?"
    r" )?[A-Z])[\w'-]+(?-i: [A-Z][\w'-]+)*)$",
    re.IGNORECASE,
)
ONE = frozenset({"boss", "landlord", "landlady", "partner"})
"""Relations of which one has one at a time; a second sister is no new name of the first."""
MAIN = re.compile(
    rf"^(?:{USES}|{BUYS}|{SWITCHES}|{SWITCHES} using) {A}(?P<value>.+?) as (?:the user's|an?|the)"
    r" (?:(?:main|primary|daily|default|new|go-to|everyday) )*(?P<thing>[\w -]{2,30})",
    re.IGNORECASE,
)
OWNED = re.compile(
    r"^the user's (?P<thing>(?:(?!(?:is|was|are|has|had|who|that|and)\b)[\w'/-]+ ){1,4}?)"
    r"(?:is|has become|became|will be|(?:went|is|has gone|was) (?:up|down|back)(?: to)?|(?:rose|increased|dropped"
    r"|fell|jumped|changed|shrank|grew) to"
    r"|(?:was|got|has been) (?:changed|raised|lowered|increased|reduced|set|switched) to)(?: called| named)?"
    r" (?P<value>.+)$",
    re.IGNORECASE,
)
OWNED_LIGHT = frozenset(
    ["new", "main", "primary", "daily", "current", "own", "usual", "go-to", "default", "work", "old"]
)
WHEN_IS = re.compile(
    rf"^(?:the user's |the |an? )?(?P<thing>(?:(?!(?:is|was|are|has|had|got|who|that|and|in|on|at)\b)[\w'&-]+"
    rf" ){{1,5}}?)"
    rf"(?:(?:is|are|will be|takes place|happens|falls|starts?|begins?|meets?|opens?|was|has been|runs?)(?:"
    rf" (?:scheduled|set|booked|due|planned|confirmed))?"
    rf"(?: (?:on|for|at|by|until))?|{SHIFTED} (?:to|until|for|on)) (?P<value>{WHEN}\b.*)$",
    re.IGNORECASE,
)
WHEN_MOVED = re.compile(
    rf"^(?:has |have )?(?:moved|switched|changed|shifted|rescheduled|pushed|postponed|swapped)"
    rf" (?P<thing>(?:[\w'&-]+ ){{1,5}}?)(?:back |forward |up )?(?:from .+? )?(?:to|until|for) (?P<value>{WHEN}\b.*)$",
    re.IGNORECASE,
)
WHEN_DOES = re.compile(
    rf"^(?P<thing>(?:[\w'&-]+ ){{1,6}}?)(?:on |at |every |each |due )(?P<value>{WHEN}\b.*)$", re.IGNORECASE
)
WHEN_SAID_IN_PASSING = re.compile(
    rf"\b(?:before|after|for|from|between) (?P<thing>[a-z]{{3,}}ing(?: (?:class|practice|lesson)s?)?) (?:on|every)"
    rf" (?P<value>{WEEKDAY})\b",
    re.IGNORECASE,
)
WHEN_LIGHT = frozenset(
    [
        "go",
        "do",
        "have",
        "hav",
        "attend",
        "play",
        "take",
        "get",
        "is",
        "be",
        "user",
        "session",
        "class",
        "lesson",
        "practic",
        "meet",
        "start",
        "train",
        "to",
        "new",
        "up",
        "move",
        "next",
        "usual",
        "always",
        "usually",
        "weekly",
        "everi",
        "week",
        "hous",
        "hom",
    ]
)
VALUE_END = re.compile(
    r"[,;.(\[]\s|[,;.(\[]$|\s+(?:and|but|with|since|because|for|as|now|these|right|at the|until|who|which|where"
    r"|instead|anymore"
    r"|last|next|so|after|before|by now|rather|from|not|in (?:19|20)\d\d|in (?:january|february|march|april|may|june"
    r"|july"
    r"|august|september|october|november|december)|on (?:mon|tues|wednes|thurs|fri|satur|sun)day|this (?:week|month"
    r"|year)"
    r"|\d+ (?:years?|months?|weeks?|days?) ago|(?:a|an|two|three|four|five|six) (?:years?|months?|weeks?|days?) ago"
    r"|yesterday|today|full[- ]time|part[- ]time|again|already|any ?more|to be)\b",
    re.IGNORECASE,
)
AT = re.compile(r"\s+(?:at|in)\s+.+$", re.IGNORECASE)
VALUE_LIGHT = frozenset({"user", "new", "call", "nam", "name"})

PROBES: dict[str, str] = {
    "home": "live lives moved relocated flat based resides",
    "employer": "works job joined employer working hired",
    "job": "works job promoted role retired",
    "diet": "vegan vegetarian pescatarian diet meat omnivore",
    "partner": "married engaged wife husband partner girlfriend boyfriend dating",
    "marital": "married engaged single divorced wife husband",
    "age": "years old turned",
    "name": "name called call",
    "commute": "commutes cycles work train bus",
}
"""Words by which the other statements about a slot are found, whatever their value."""
