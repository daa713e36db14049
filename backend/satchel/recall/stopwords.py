"""Words that carry grammar rather than content, in the five languages that people most often ask in.

A word that means something in English (French "car", German "die") is left out of the other lists.
"""

from __future__ import annotations

_ENGLISH = """
a about above after again against ago all almost along already also although always am among an and
another any anybody anyone anything are aren around as ask at away back be became because been
before being below between both but by came can cannot cant come could couldn d did didn didnt do
does doesn doesnt doing don done dont down during each either else etc even ever every everyone
everything few first for from further gave get gets getting give given go goes going gone got had
hadn has hasn have haven having he hello help her here hers herself hey hi him himself his how
however i id if im in into is isn isnt it its itself ive just keep kind know last least let lets
like ll look lot m made make makes many may maybe me mean might mine more most much must my myself
need neither never no nobody none nor not nothing now of off often ok okay on once one only onto or
other ought our ours ourselves out over own per perhaps please put quite rather re really right s
said same say says see seem seems several shall she should shouldn show since so some somebody
someone something sometimes soon still such suggest sure t take tell than thank thanks that thats
the their theirs them themselves then there these they thing things think this those though through
thus till to today together told too toward towards try trying two under until up upon us use used
user using ve very want wants was wasn way we well went were weren what whatever whats when where
whether which while who whoever whole whom whose why will with within without won wont would wouldn
yeah yes yet you your yours yourself yourselves
"""

_SPANISH = """
al algo alguna algún antes aquí como con cual cuando cuál cuándo cómo de del desde donde dónde el
ella ellas ellos en entre eres es esa ese eso esta estar este esto estoy está están fue ha hace
hacer hay hola la las le les lo los mi mis mucho muy más nada ni nos nosotros nuestra nuestro o otra
otro para pero poco por porque puede puedes puedo que quien quiero quién qué se ser si sin sobre soy
su sus sí también te tengo ti tiene todo tu tus tú un una unas unos usted y ya yo él
"""

_GERMAN = """
aber alle alles als auch auf aus bei beim bis bist bitte da dann das dass dein deine dem der des
dich dies diese dieser dieses doch dort du durch ein eine einem einen einer eines er etwas euch euer
für gibt habe haben hallo hast hatte hin ich ihm ihn ihr ihre ist ja jede jeder kann kannst kein
keine können könnte mein meine meinem meinen meiner mich mir muss nach nein nicht noch nun nur oder
ohne sehr sein seine sich sie sind soll sollte um und uns unser vom von vor wann waren warum weil
welche welcher wenn wer werde werden wie wieder wir wird wo wurde zu zum zur über
"""

_FRENCH = """
ai ainsi alors au aucun aussi autre aux avec avez avoir avons bien bonjour ce cela ces cet cette
ceux chez comme dans donc elle elles et eu faire fais fait il ils j jamais je l leur leurs lui ma
mais mes moi mon même ne notre nous ont ou où par pas pendant peu peut peux pourquoi qu quand quel
quelle quelles quels qui quoi sa sans ses sont suis sur ta tes toi tous tout toute très une vais
vers veux vos votre vous ça était être
"""

_PORTUGUESE = """
agora ainda ao aos apenas aquele aquilo até com dela dele depois e ela elas ele eles em então essa
esse estou estão fazer foi há isso isto já lhe mas mesmo meu meus minha minhas muito na nas nem num
numa não nós oi olá onde pela pelo pode posso pra qual quando quanto quem quero sem seu seus sua
suas são só também tem tenho teu tua uma você vocês é
"""

STOP_WORDS = frozenset(" ".join([_ENGLISH, _SPANISH, _GERMAN, _FRENCH, _PORTUGUESE]).split())
