"""Which clauses of a user's turn are worth remembering, and of which kind.

The embedding model reads the turn with an adapter of its own in the upper layers, so that the vector of each clause
has seen what stands around it and what the assistant had said: "I can't stand the sea" in a poem, in somebody's mail
and in an answer are three things. A linear layer over the vector gives the kinds. The adapter (`models/gate.gguf`) and
the layer (`models/gate.json`) are trained by `scripts/train_gate.py` on `models/corpus`; figures in `models/gate.md`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from satchel.extract.head import Head
from satchel.types import Kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CLASSES = ("none", "fact", "event", "explicit_preference", "instruction", "implicit_preference")

MAX_CLAUSE = 700
"""Code points. A longer clause is no longer a statement somebody typed about themselves."""


class Verdict(msgspec.Struct, frozen=True):
    """`kind` is None when the clause holds nothing to remember; `probability` in [0, 1] is that it holds something."""

    kind: Kind | None
    probability: float
    likeliest: Kind = "fact"
    """Of the memorable kinds, whether it holds something or not."""


_CHITCHAT = re.compile(
    r"\W*(?:thanks?(?: you)?|thx|ty|ok(?:ay)?|great|perfect|cool|nice|good|hello|hi|hey"
    r"|bye|lol|continue|go on|next|more|again"
    r"|why|what|how|please|sorry|wow|hmm+|danke|merci|gracias|obrigado|obrigada|grazie|bedankt|dank je|dzięki|dziękuję"
    r"|teşekkürler|teşekkür ederim|tack|takk|谢谢|你好|好的|继续|ありがとう(?:ございます)?|감사합니다)"
    r"(?:[ ,]+(?:so much|very much|a lot|you|please|that works|again|there|on|it|beaucoup|schön|sehr|mille|wel"
    r"|bardzo|çok güzel \w+|(?:muito|muchas|très) \w+))?\W*$",
    re.I,
)


_WORD_WANTED = re.compile(
    r"\W*(?:(?:an)?other|better|different|more|nicer) (?:ways?|words?|terms?|expressions?) (?:to|for|of)\b"
    r"|\W*(?:synonyms?|antonyms?|definition|meaning) (?:of|for)\b",
    re.I,
)

_PERSONAL = re.compile(
    r"\b(?:i|i['’](?:m|ve|d|ll)|im|ive|my|mine|me|we|we['’](?:re|ve|d|ll)|our|us|ich|wir|mein\w{0,2}|unser\w{0,2}|je"
    r"|nous|mon|ma|mes|notre|nos|yo|mis?|nuestr[oa]s?|eu|meus?|minhas?|noss[oa]s?|mio|mia|miei|ik|mijn|ons|onze)\b"
    r"|\b[jm]['’]\w|我|咱",
    re.I,
)

_ASIDE = re.compile(
    r"\W*i (?:do |really |just )?(?:think|find|guess|suppose|believe|know|see|mean it|mean|hope|reckon|understand|agree"
    r"|wish|bet|swear|promise|said|wonder)\W*$|\W*(?:so |but )?(?:please )?bear with me\W*$",
    re.I,
)


_SUPPOSES = re.compile(
    r"\W*(?:(?:ok(?:ay)?|so|now|and|then|just|please|well|right)\b[ ,]*){0,3}"
    r"(?:(?:let['’]?s |let us )?(?:imagine|suppose|pretend|assume)(?: that)?|(?:let['’]?s )?say(?: that)?"
    r"|what if|picture this:?)"
    r"[ ,]+(?:i|i['’](?:m|ve|d)|we|we['’](?:re|ve)|my|our|the|you)\b"
    r"|\W*(?:mettiamo che|poniamo che|immagina|supongamos|imagina que|imaginons|supposons|mettons que|stell dir vor"
    r"|angenommen|nehmen wir an|suponhamos|imagine que|stel(?: je voor)?,? dat)\b",
    re.I,
)
"""A case that is supposed: "say I had two houses"."""

_OPINION = re.compile(
    r"\W*(?:(?:and|but|so|well|honestly|personally|still)[ ,]+){0,2}i (?:really |honestly |firmly |still )?"
    r"(?:think|believe|feel|reckon|suspect|guess|find|would say)(?: that)? "
    r"(?:the|it|it['’]?s|this|these|those|they|people|most|all|some|every\w*|no|there) "
    r"|\W*(?:i (?:read|heard|saw|learned|learnt|noticed)(?: somewhere| recently| once)?,? (?:that|how|about)\b)",
    re.I,
)
"""What is thought of the world, or was read of it: no fact about the one who says it."""

_IN_MY_VIEW = re.compile(
    r"(?P<what>[^,.]*), (?:in my (?:view|opinion|book)|if you ask me|imo"
    r"|as far as i (?:can (?:see|tell)|know)[^,.]*)\W*$",
    re.I,
)

_ASKS_LAST = re.compile(
    r"\b(?:how (?:long|many|much|far|often|old|big|late|early|come|so)|why|which (?:one|ones|is it)|what then|where to"
    r"|when exactly)\W*$",
    re.I,
)
_SEEKS = re.compile(
    r"\W*(?:looking for|searching for|in search of|after) (?:an?|the|some|any|ideas?|something|good|tips)\b", re.I
)


_BARE_ANSWER = re.compile(
    r"\W*(?:(?:no|nope|nah|yes|yeah|yep|correct|right)\b\W*)?(?:i|we)(?:['’](?:m|re|ve|d)| am| are| do| did| have| was"
    r"| were| would| can)?(?: not|n['’]t)?\W*$",
    re.I,
)
"""Says something only with what it answers: "No I'm not"."""

_TOYS_WITH = re.compile(
    r"\W*(?:(?:so|and|but|well|also|maybe|lately|honestly|currently)[ ,]+)*"
    r"(?:(?:i|we)(?:['’](?:m|re|ve)| am| are| have)? )?"
    r"(?:(?:been|still|just|kind of|kinda|sort of|half|vaguely|also|actually|seriously) )*"
    r"(?:considering|thinking (?:of|about|maybe)|toying with|(?:a bit |rather )?tempted (?:to|by)|mulling|contemplating"
    r"|flirting with|playing with the idea|wondering (?:about|whether|if))\b",
    re.I,
)
"""What is turned over in the mind is no plan yet."""

_IRONY = re.compile(
    r"\b(?:just|simply|absolutely) (?-i:LOVE|ADORE|LIVE FOR)\b"
    r"|\bwho (?:doesn['’]t|wouldn['’]t) (?:love|want|enjoy|like)\b"
    r"|\b(?:i|we)(?:['’]d| would) (?:sooner|rather) (?:eat|chew|swallow|drink|lick|poke|gouge|stick|walk|die"
    r"|have (?:a root|my teeth|teeth)|watch paint|listen to paint|sit through|wrestle|fight|hug|kiss)\b.*\bthan\b"
    r"|^\W*oh,? (?:great|wonderful|joy|lovely|fantastic|brilliant|perfect|yay)\b"
    r"|\bpractically an? [a-z]+\W*$|\b(?:g?azillions?|zillions?|bajillions?|bazillions?)\b"
    r"|\b[mb]illions? (?:unread|open|of (?:unread|tabs|things|times)|e-?mails|mails|messages|tabs|things|times)\b"
    r"|^\W*oh,? (?:yes|sure),? (?:more|another|because|let|please)\b",
    re.I,
)
"""The opposite is meant, or nothing that is so."""

_STRANGER = (
    r"(?:boss|manager|supervisor|colleagues?|co-?workers?|clients?|customer|landlord|landlady|neighbou?rs?|teacher"
    r"|professor|tutor|lecturer|students?|pupils?|patients?|tenants?)"
)
_FRIEND = r"(?:old |good |close )?(?:friend|mate|buddy|colleague|co-?worker|neighbou?r)(?: of (?:mine|ours))?"
_STRANGER_ABROAD = (
    r"(?:jef[ea]|chef(?:in)?|patron(?:ne)?|capo|chefe|baas|kolleg\w+|collègue|colleghi?"
    r"|compañer\w(?! de (?:piso|casa)))"
)
_IS_OR_DOES = (
    r"(?:who|is|are|was|were|has|have|had|just|also|always|never|really|keeps?|wants?|likes?|loves?|hates?|says?|said"
    r"|told|thinks?|thought|needs?|can|can['’]t|cannot|could|will|won['’]t|would|does|doesn['’]t|did|didn['’]t|flies"
    r"|flew|lives?|works?|goes|went|gets?|got|comes?|came|moves?|moved|bought|sold|starts?|started|left|takes?|took"
    r"|plays?|runs?|ran|owns?|drives?|speaks?|prefers?|refuses?|insists?|asks?|asked|gave|made)"
)
"""What follows a subject: "my student has", not "my student flat"."""

_OTHERS_SUBJECT = re.compile(
    r"\W*(?:(?:so|and|but|ok(?:ay)?|well|hi|hey|now)[ ,]+)*"
    rf"(?:(?:(?:my|our|one of (?:my|our))\b (?:[\w'’-]+ ){{0,2}}?{_STRANGER}|(?:an?|some|one) {_FRIEND})"
    rf"(?=,|\W*$|(?: (?-i:[A-Z])[\w-]+)?,? {_IS_OR_DOES}\b)"
    rf"|(?:mi|mein\w*|mon|ma|il mio|la mia|meu|minha|mijn)\b (?:[\w'’-]+ )?{_STRANGER_ABROAD})\b"
    r"(?!['’]s \w)(?P<rest>.*)",
    re.I | re.S,
)
"""What is true of a boss, a client, a neighbour, a friend is theirs, unless the user stands in it."""

_NAMES_THEM = re.compile(
    r"\b(?:is|are|was|['’]s) (?:called|named)\b|\bname\b|\bheißt\b|\bse llama\b|\bs['’]appelle\b", re.I
)

_FOR_WHOM = re.compile(
    r"\W*(?:it|this|that)(?:['’]s| is| was| will be) (?:all |just |only )?(?:for|to) (?:my|our|an?) [^,.;]{1,40}\W*$",
    re.I,
)
"""Whom the answer is for."""

_ONLY_AFTER = re.compile(r"\W*(?:i['’]?m |i am |we['’]?re )(?:really )?(?:only|just) after (?:the|an?|some)\b", re.I)

_LISTED = re.compile(
    r"\W*(?:\d+|two|three|four|five|six|seven|eight|nine|ten|a dozen|a few|a couple of|some|more|any)"
    r" (?:[\w'’-]+ ){0,2}"
    r"(?:films|movies|books|podcasts|recipes|ideas|options|examples|questions|titles|suggestions|tips|bullets|versions"
    r"|jokes|steps|headings|slots|bullet points|synonyms|subject lines|captions|paragraphs)\b",
    re.I,
)
"""What is wanted of the answer: "Five films from the seventies, two hours at most"."""


def says_nothing_of_me(clause: str) -> bool:
    """Whether a clause supposes, opines, seeks, asks, jokes or speaks of others' affairs, by its form alone."""
    if any(form.match(clause) for form in (_SUPPOSES, _SEEKS, _BARE_ANSWER, _TOYS_WITH, _FOR_WHOM, _ONLY_AFTER)):
        return True
    if _ASKS_LAST.search(clause) or _IRONY.search(clause):
        return True
    if _LISTED.match(clause) and not is_personal(clause):
        return True
    others = _OTHERS_SUBJECT.match(clause)
    if others and not is_personal(others["rest"]) and not _NAMES_THEM.search(clause):
        return True
    if view := _IN_MY_VIEW.match(clause):
        return not is_personal(view["what"])
    opinion = _OPINION.match(clause)
    return opinion is not None and not is_personal(clause[opinion.end() :])


def is_personal(clause: str) -> bool:
    """Whether the user stands in it by a pronoun of the first person."""
    return _PERSONAL.search(clause) is not None


def worth_reading(clause: str, *, answers: bool = False) -> bool:
    """Whether a clause could hold something, by a rule that costs microseconds.

    It turns away what is not two words (one is enough where it `answers` a question), what is too long to have been
    typed as a statement, greetings, thanks, asides, a word looked for, what is supposed, thought or sought, and a
    question in which nobody speaks of themselves.
    """
    if len(clause) > MAX_CLAUSE or _CHITCHAT.match(clause) or _ASIDE.match(clause):
        return False
    if _WORD_WANTED.match(clause) or says_nothing_of_me(clause):
        return False
    if clause.rstrip().endswith(("?", "？")) and not is_personal(clause):
        return False
    return _TWO_WORDS.search(clause) is not None or (answers and any(map(str.isalnum, clause)))


_TWO_WORDS = re.compile(
    r"[^\W\d_][^\s]*\s+[\w(\"'“]|[\d][^\s]*\s+[^\W\d_]|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{3}"
)
"""Of which one has a letter; or three characters of Chinese, Japanese or Korean."""


class Gate:
    """The trained judge. Immutable, safe to share between threads."""

    def __init__(self, head: Head) -> None:
        self.threshold = head.threshold
        self.fingerprint = head.fingerprint
        """Another one judges otherwise."""
        self._head = head

    @classmethod
    def load(cls, path: Path | None = None) -> Gate:
        """The gate shipped with Satchel, or the one in `path`. ModelError when it is missing or damaged."""
        return cls(Head.load("gate", CLASSES, path))

    def judge(self, vectors: NDArray[np.float32]) -> list[Verdict]:
        """One verdict for each row of `vectors`, (clauses, width) as `Reader.read` gives them.

        The kind is the likeliest of the memorable ones. ValueError when the width is not the gate's.
        """
        kinds = CLASSES[1:]
        verdicts = []
        for row in self.probabilities(vectors):
            worth = float(1.0 - row[0])
            likeliest = cast("Kind", kinds[int(row[1:].argmax())])
            verdicts.append(Verdict(likeliest if worth >= self.threshold else None, worth, likeliest))
        return verdicts

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """(clauses, classes) rows that sum to 1, in the order of `CLASSES`."""
        return self._head.probabilities(vectors)
