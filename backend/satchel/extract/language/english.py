"""The little English grammar that rewriting and checking need: verbs, auxiliaries, function words.

A closed list for what is closed (auxiliaries, irregular pasts, function words) and a sample for what is open
(verbs). The sample decides only where a word could be a noun or a verb ("and work in Lyon").
"""

from __future__ import annotations

import re


def listed(text: str) -> frozenset[str]:
    """The words of a text as a set: a word list that reads as one."""
    return frozenset(text.split())


MODALS = listed(
    "can could will would shall should may might must cannot can't couldn't won't wouldn't shan't "
    "shouldn't mightn't mustn't"
)
"""No ending in the third person: "I can", "the user can"."""

IRREGULAR = {
    "am": "is",
    "have": "has",
    "haven't": "hasn't",
    "do": "does",
    "don't": "doesn't",
    "go": "goes",
    "ain't": "isn't",
}

PASTS = listed(
    "was wasn't were weren't had hadn't did didn't went got made said took came saw knew thought found "
    "gave told became left felt brought began kept held wrote stood heard meant met ran paid sat spoke "
    "grew lost fell sent built understood drew broke spent rose drove bought wore chose taught caught ate "
    "drank sang swam flew forgot slept woke won fought sold threw hid rode shook stole struck swore tore "
    "led fed lit dealt dreamt learnt burnt lent bent stuck swung hung dug bit blew froze rang sank shot "
    "shrank sought stung swept wept bred fled bled crept knelt leapt outgrew overslept undertook withdrew "
    "overcame rebuilt mistook misunderstood quit hurt hit split upset burst redid undid"
)
"""Irregular pasts, with the words whose bare form is nearly always a past when a person reports it."""

EITHER_TENSE = listed("read put set let cut fit bet shut spread beat cost cast lay")
"""Present and past look alike, and either is common: only a time word can tell."""

NOT_PAST = listed("need feed speed breed bleed seed weed heed exceed succeed proceed embed shed wed bed indeed")
"""Words in -ed that are not a past."""

VERBS = listed(
    "accept add admire adopt adore agree aim allow apply appreciate argue arrive ask attend avoid babysit "
    "bake become begin believe belong bike bother break breed bring build buy call camp care carry catch "
    "celebrate change chat check choose clean climb coach code collect come commute compete complain "
    "compose consider consult contribute cook count crave create crochet cry cycle dance deal decide "
    "depend deserve design despise detest develop dislike dive do doubt draw dread dream dress drink "
    "drive drop earn eat edit enjoy exercise expect explain fall farm favor favour fear feed feel fight "
    "find finish fish fix fly follow forget freelance garden get give go grow guess hate have head hear "
    "help hike hold hope host hunt ignore imagine include intend invest jog join juggle jump keep knit "
    "know lack laugh lead learn leave lend lift like listen live loathe look lose love maintain make "
    "manage mean meditate meet mentor mind miss move mow need notice object offer operate order organise "
    "organize own paint pay perform photograph plan play practice practise praise pray prefer prepare "
    "produce promise provide publish raise react read realise realize rehearse relax rely remain remember "
    "rent repair report research resent respect rest restore ride run sail save say see seem sell send "
    "serve sew share shoot shop sing sit skate sketch ski skip sleep smell smoke snore speak spend stand "
    "start stay stop struggle study suffer supervise support suspect swear sweat swim switch take talk "
    "teach tell tend test think tolerate track trade train translate travel treat trust try turn type "
    "understand use value visit volunteer vote wait wake walk want wash watch wear weigh welcome wish "
    "wonder work worry write yearn take"
)

STATIVE = listed("have need want prefer hate love know think own live like dislike enjoy believe am don't")
"""Verbs that hardly ever stand in a chain of infinitives, so that after "to ... and" they begin a new
statement."""

ADVERBS = listed(
    "never always usually often really also still just only rarely seldom hardly barely actually "
    "currently recently sometimes mostly mainly typically generally normally absolutely truly definitely "
    "probably strongly simply both now then already even almost nearly ever quite rather kinda sorta "
    "honestly once twice much no-longer soon finally again here too"
)

LY_VERBS = listed("rely apply fly supply reply comply multiply bully rally tally imply ally")

NEGATIONS = listed(
    "not no never nothing nobody none nor neither cannot without hardly barely nowhere isn't aren't "
    "wasn't weren't don't doesn't didn't haven't hasn't hadn't can't couldn't won't wouldn't shouldn't "
    "mustn't mightn't shan't ain't dont doesnt didnt cant wont isnt"
)

PAST_AUXILIARIES = listed("was were had did wasn't weren't hadn't didn't been used")

FUNCTION_WORDS = listed(
    "a an the and of to in on at for by with as that which who whom whose this these those there here it "
    "its it's that's there's i me my mine myself i'm i've i'd i'll im ive we us our ours ourselves we're "
    "we've we'd we'll he him his she her hers they them their theirs themselves themself he's she's "
    "they're they've is are am be being been was were has have having had do does did will would 'd 's "
    "isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't won't wouldn't not dont "
    "doesnt didnt wont isnt so very really quite just also too actually honestly simply well please "
    "kindly oh"
)
"""Words that carry no fact of their own. Negation and tense are compared apart from these, see `check`.
Everything else counts as content: "if", "only", "more", "before", "might" change what is said."""

PREPOSITIONS = listed(
    "about above across after against along among around as at before behind below beside between by down "
    "during for from in inside into like near of off on onto out outside over since than through to "
    "toward towards under until up upon via with within without"
)

ENGLISH_MARKERS = listed(
    "the is are was were have has had to for with and of at my that this it not don't can't because when "
    "than but from about every never always am can will would should they she he his her your you too two "
    "three years old who which any all one make makes into been"
)
"""Words whose presence says that a text is English. "a", "me", "in", "no" are words of other languages as
well."""


def third_singular(verb: str) -> str:
    """The third person singular of a base form, in lower case: `carry` gives `carries`."""
    if verb in IRREGULAR:
        return IRREGULAR[verb]
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ies"
    if re.search(r"(?:s|x|z|ch|sh|[^aeiou]o)$", verb):
        return verb + ("zes" if re.search(r"[^z]iz$", verb) else "es")
    return verb + "s"


def is_past(word: str) -> bool:
    """Whether a word, in lower case, can only be a past form."""
    return word in PASTS or (word.endswith("ed") and len(word) > 3 and word not in NOT_PAST)


def is_adverb(word: str) -> bool:
    """Whether a word may stand between a subject and its verb."""
    return word in ADVERBS or (word.endswith("ly") and len(word) > 4 and word not in LY_VERBS)
