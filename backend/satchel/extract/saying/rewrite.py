"""Rewriting by rule: what the user says of themselves, in the third person.

"I live in Porto and prefer trains to planes" becomes "The user lives in Porto and prefers trains to
planes." The rules change pronouns and the verbs that agree with them, and nothing else, so that nothing can
be added or lost. Where they are not sure of the verb or of who is meant, they give None, and the quote
itself is kept (`quoted`), which is always true."""

from __future__ import annotations

import itertools
import re
from typing import Literal

from satchel.extract.language import english
from satchel.extract.language.english import listed
from satchel.extract.language.words import plain, words

RULES_VERSION = "rules-2"
"""Stored, as `say.PROMPT_VERSION` is where the generator wrote, with every memory that a rule or the quote itself
worded; changed with any change to how they word it."""

_CJK = re.compile(r"[\u4e00-\u9fff]")
_KANA_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")

_LEADING = re.compile(
    r"""(?:[-*•>]\s+|\d{1,2}[.)]\s+|[*_]{1,3}(?=\w)
    |(?:oh|ah|um|uh|hmm|hi|hello|hey|yes|yeah|yep|ok|okay|right|sure|thanks|thank\ you|well|so|and|but|also|plus
      |anyway|btw|fyi|by\ the\ way|just\ so\ you\ know|so\ you\ know|as\ you\ know|for\ context|for\ background
      |for\ the\ record|for\ your\ information|for\ what\ it's\ worth|in\ case\ it\ (?:matters|helps)
      |one\ more\ thing|please\ note(?:\ that)?|note(?:\ that)?|please\ remember(?:\ that)?|remember(?:\ that)?
      |you\ should\ know(?:\ that)?|to\ be\ honest|tbh|honestly|frankly|actually|look|listen|sorry|i\ mean|you\ know
      |please|hi\ there|hello\ there|hey\ there|sounds\ good|great|good|perfect|nice|cool|no\ worries
      |lol|haha|ha|correct|exactly|that's\ right|spot\ on|of\ course|absolutely|definitely|indeed|true
      |as\ mentioned|as\ i\ said|good\ morning|good\ evening|good\ afternoon|cheers|wow|ugh|omg|wait
      |seriously(?:\ though)?|in\ real\ life|in\ plain\ words|fwiw|since|because|given\ that|considering(?:\ that)?
      |now\ that|seeing\ as|as|cause
      |对了|顺便说一下|另外|还有|嗯|好的|你好)
      (?:\s*[,;:!.…，：；！。-]+\s*|(?<=please)\s+|\s+(?=(?:i|i'm|i've|i'd|i'll|my|our|we|we're|we've|please|by|oh|and|also|btw)\b)))""",
    re.IGNORECASE | re.VERBOSE,
)
_TRAILING = re.compile(
    r"""(?:[*_]{1,3}
    |[\s,;.!，。！]*(?:,|\.|\s-|，)\s*(?:please|thanks|thank\ you|by\ the\ way|btw|though|fyi|lol|haha
      |you\ know|you\ see|if\ that\ (?:helps|matters)|just\ so\ you\ know|so\ you\ know|谢谢)
    |\s+(?:please|thanks|btw|lol|haha)
    |[\s,;:，；：]+)$""",
    re.IGNORECASE | re.VERBOSE,
)

_FIRST_PERSON = re.compile(
    r"\b(?:i|i'm|i've|i'd|i'll|im|ive|me|my|mine|myself|we|we're|we've|we'd|we'll|us|our|ours|ourselves)\b", re.I
)
_SPEECH = re.compile(r"[\"“”„«»]")
_TOKEN = re.compile(r"[^\W_]+(?:['.\-][^\W_]+)*|\s+|[^\w\s]|_")
_NAMED_I = re.compile(r"\b(?:type|phase|war|part|chapter|grade|class|level|volume|stage|bipolar|figure|act)\s+$", re.I)
_YOU_ASKED = re.compile(
    r"\b(?:i|i'd|we|we'd)\s+(?:\w+\s+)?(?:want|need|like|prefer|ask|expect|love|appreciate it if)\s+(you)\b", re.I
)
_PAST_TIME = re.compile(
    r"\b(?:yesterday|ago|last|in (?:19|20)\d\d|when i was|as a (?:child|kid)|once|back then)\b", re.I
)
_HABIT = re.compile(r"\b(?:always|usually|often|never|every|each|sometimes|regularly|rarely|most|daily)\b", re.I)
_COMPOUND = re.compile(r"^(?:(?:my|our)\s+(?:\w+\s+)?([\w-]+)|((?-i:[A-Z])\w+))\s+and\s+$", re.I)
_MINE = re.compile(r"\b(?:my|our|me|us|mine|myself)\b", re.I)
_THEIRS = {"my": "their", "our": "their", "me": "them", "us": "them", "mine": "theirs", "myself": "themselves"}
_PARTICIPLES = listed(
    "retired married divorced based born raised allergic used self-employed employed interested tired "
    "addicted called named bored excited obsessed engaged separated widowed trained educated colour-blind"
)
"""Past in form, and a state: "Retired, three kids" and "Based in Lyon" need an "is"."""
_SUBJECTS = listed("i i'm i've i'd i'll you we he she they it it's there this that everyone nobody people")
_FOREIGN = listed(
    "de la el le les und der die das et que un una con para sin desde mit ist il di per em com os du des "
    "pas y ich een het och av med som para por uma nicht kein"
)
_BEFORE_NOUN = english.PREPOSITIONS | listed("a an the no my our one two three four five some any good bad big")
_FINITE = listed("is are was were am has have had do does did be it's that's there's he's she's they're")
_THIRD = frozenset(english.third_singular(verb) for verb in english.VERBS | english.EITHER_TENSE) - {
    "works", "plays", "walks", "names", "watches", "travels", "talks", "changes", "cooks", "trains", "plans",
}  # fmt: skip
"""Verb forms in -s, but for those that are as often plural nouns."""
_BARE_VERBS = listed("love hate prefer enjoy dislike adore detest loathe")

_US = "the user and others"

Mode = Literal["open", "agree", "after"]


def trim(text: str) -> tuple[int, int]:
    """Where the statement in `text` begins and ends, politeness, connectives and list marks left out.

    "By the way, I'm vegan, thanks" is trimmed to "I'm vegan". `(0, 0)` when nothing remains.
    """
    ascii_text = plain(text)
    start, end = 0, len(text)
    while start < end and (ascii_text[start].isspace() or ascii_text[start] in ",;:"):
        start += 1
    while match := _LEADING.match(ascii_text, start, end):
        start = match.end()
    while start < end and ascii_text[end - 1].isspace():
        end -= 1
    for _ in range(4):
        closing = ascii_text[start:end].rstrip(".!。！")
        match = _TRAILING.search(closing)
        if match is None or match.start() == 0:
            break
        end = start + match.start()
    return (start, end) if start < end else (0, 0)


def quoted(quote: str, *, asks: bool = False) -> str:
    """The last resort, true of any text: `The user said: “…”`, or `asks` for an instruction."""
    return f"The user {'asks' if asks else 'said'}: “{inside(quote)}”"


def inside(quote: str) -> str:
    """`quote` as it stands between quotation marks: on one line, its own marks single, without a final
    period."""
    inner = re.sub(r"\s+", " ", quote).strip().replace("“", "‘").replace("”", "’")
    return inner[:-1] if inner.endswith((".", ";")) and not inner.endswith("..") else inner


def third_person(clause: str) -> str | None:
    """`clause`, in which a user speaks of themselves, as a statement about "the user"; None when unsure.

    The clause is one sentence or part of one, without leading politeness (see `trim`). English, and plain
    Chinese with 我.
    """
    text = re.sub(r"\s+", " ", plain_marks(clause)).strip()
    bare = plain(text).rstrip(" .!;,:…。！；，").strip()
    if not bare or "?" in bare or "？" in bare or text.rstrip().endswith("?"):
        return None
    if _CJK.search(bare):
        return _chinese(bare)
    if _SPEECH.search(bare):
        return None
    if not _FIRST_PERSON.search(bare):
        return _without_subject(bare)
    if words(bare)[0].casefold() in english.PREPOSITIONS and is_fragment(bare):
        return None
    if not _is_english(bare):
        return None
    fragment = re.fullmatch(r"([\w' -]{1,40}?)\s+for me", bare, re.I)
    if (
        fragment
        and not _FIRST_PERSON.search(fragment[1])
        and not any(_has_verb(word.casefold()) for word in words(fragment[1]))
    ):
        return f"For the user, {_lower_first(fragment[1])}."
    first = words(bare)[0].casefold()
    if first in {"is", "are", "was", "were"}:
        return None  # the end of a sentence whose subject was cut off
    if first in _BARE_VERBS or _is_past_start([*words(bare), ""]):
        return _without_subject(bare)
    if first in english.VERBS or first in {"let", "don't", "never", "always"}:
        # "Call me Sam" asks for something; only the quote says so without turning it around.
        return None
    changed = _Rewriter(bare).run()
    return None if changed is None else f"{changed[0].upper()}{changed[1:]}."


def speaks_of_me(text: str) -> bool:
    """Whether a first person stands in `text`, so that it says whom it is about."""
    return _FIRST_PERSON.search(plain(text)) is not None


def plain_marks(text: str) -> str:
    """`text` without Markdown emphasis."""
    return re.sub(r"(?<!\w)[*_`]{1,3}(?=\w)|(?<=[\w.!])[*_`]{1,3}(?!\w)", "", text)


def _chinese(text: str) -> str | None:
    """我 becomes 用户 where it stands for the speaker alone; Japanese and Korean share the characters, not the
    word."""
    if _KANA_HANGUL.search(text) or _SPEECH.search(text) or re.search("我们|咱|自我|你|您|忘我|我国", text):
        return None
    return text.replace("我", "用户") + "。" if "我" in text else None


def _is_english(text: str) -> bool:
    lower = [word.casefold() for word in words(text)]
    return any(
        word in english.ENGLISH_MARKERS
        or word in english.VERBS
        or word in english.MODALS
        or "'" in word
        or english.is_past(word)
        for word in lower
    )


def _without_subject(text: str) -> str | None:
    """ "Can't eat gluten" and "Moved to Leeds": the subject that is left out is the user."""
    tokens = words(text)
    first = tokens[0].casefold() if tokens else ""
    rest = pronouns(text[len(first) :])
    if len(tokens) < 2 or not text.casefold().startswith(first):
        return None
    if first in _BARE_VERBS:
        return f"The user {english.third_singular(first)}{rest}."
    if first in {"can't", "cannot"} or _is_past_start(tokens):
        return f"The user {first}{rest}."
    named = re.match(r"(?:the )?name(?:'s| is) (?=[A-Z])", text, re.I)
    return f"The user's name is {text[named.end() :]}." if named else None


def _is_past_start(tokens: list[str]) -> bool:
    """ "Moved to ..." and "Grew up ...", not "Retired nurse" or "Used cars are cheap"."""
    first, second = tokens[0].casefold(), tokens[1].casefold()
    if first == "retired" and second in {"last", "in", "after", "from", "at", "early", "two", "three"}:
        return True
    if not english.is_past(first) or first in english.PAST_AUXILIARIES or first in _PARTICIPLES:
        return False
    return (
        second in english.PREPOSITIONS
        or second in {"a", "an", "the", "my", "our", "back", "away"}
        or (second[:1].isdigit())
    )


MAX_FRAGMENT = 16
"""Words. What is longer is no fragment, but something these rules do not understand."""

_IS_SOMETHING = re.compile(r"^not (?:the|this|that)\b|\w's (?:an?|the|not|my|our|\d|\w+(?:ed|ing)\b)", re.I)
"""A verb behind a noun: "the car's a Fabia", where a genitive would have a noun of its own."""

_NO_FRAGMENT = listed("as and or but so nor the this that these those")


def is_fragment(clause: str) -> bool:
    """Whether `clause` has neither a subject nor a verb of its own: "Mother of three", "Been vegan since
    2019"."""
    tokens = [word.casefold() for word in words(plain_marks(clause))]
    if not 2 <= len(tokens) <= MAX_FRAGMENT or not clause.isascii() or "?" in clause or _SPEECH.search(clause):
        return False
    if (
        _IS_SOMETHING.search(plain(clause))
        or tokens[0] in english.VERBS | _NO_FRAGMENT | _FINITE | _THIRD
        or set(tokens) & (_FOREIGN | _SUBJECTS)
    ):
        return False
    return not any(_has_verb(word, before) for before, word in itertools.pairwise(tokens))


def _has_verb(word: str, before: str = "") -> bool:
    """Whether `word` is a verb with a subject of its own, rather than a noun or a state."""
    if word in _PARTICIPLES or before in _BEFORE_NOUN:
        return False
    return (
        word in _FINITE
        or word in english.MODALS
        or word.endswith(("n't", "'s", "'re"))
        or word in english.VERBS
        or word in english.EITHER_TENSE
        or english.is_past(word)
        or word in _THIRD
    )


def pronouns(rest: str) -> str:
    """`rest`, which follows "The user" and a verb, with "my" and "me" in the third person."""
    return _MINE.sub(lambda found: _THEIRS[found[0].casefold()], rest)


def _lower_first(text: str) -> str:
    first = words(text)[:1]
    keep = bool(first) and (first[0].isupper() or first[0][:1].isdigit())
    return text if keep else text[:1].lower() + text[1:]


def _is_compound(before: str) -> bool:
    """Whether `before`, up to the word "I", is "my wife and", and not "my wife works and"."""
    match = _COMPOUND.match(before)
    if match is None:
        return False
    last = (match[1] or "").casefold()
    return not english.is_past(last) and last not in {english.third_singular(verb) for verb in english.VERBS}


class _Rewriter:
    """One pass over the tokens of a clause. `mode` says what the next word must do:

    agree  a subject "the user" has just been written: the next verb takes its ending;
    after  such a verb has been written: a verb joined to it by "and" or a comma takes one as well;
    open   neither.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = _TOKEN.findall(text)
        self.out: list[str] = []
        self.mode: Mode = "open"
        self.named = False
        """The user has been the subject: "my" can be "their"."""
        self.infinitive = False
        self.joined = False
        self.verb_at = -1
        lower = {token.casefold() for token in self.tokens}
        self.others = bool(lower & {"they", "them", "their", "he", "she", "her", "his", "him"})
        self.asked = {match.start(1) for match in _YOU_ASKED.finditer(text)}

    def run(self) -> str | None:
        position = 0
        for index, token in enumerate(self.tokens):
            lower = token.casefold()
            start, position = position, position + len(token)
            if not token.strip():
                self.out.append(token)
                continue
            if lower in {"you", "your", "yours", "you're", "you'll", "you'd", "yourself"}:
                if start not in self.asked:
                    return None
                self.out.append("the assistant")
                continue
            written = self._pronoun(lower, token, start)
            if written is None and self.mode == "agree":
                written = self._verb(lower, index)
                if written is None:
                    return None
            elif written is None and self.mode == "after":
                written = self._joined_verb(lower, index)
                if written is None:
                    return None
            self.out.append(token if written is None else written)
        return "".join(self.out) if self.mode != "agree" else None

    def _pronoun(self, lower: str, token: str, start: int) -> str | None:
        before = self.text[:start]
        if lower in {"i", "i'm", "i've", "i'd", "i'll", "im", "ive"}:
            if lower == "i" and _NAMED_I.search(before):
                return token
            return self._subject(lower, before, start)
        if lower in {"we", "we're", "we've", "we'd", "we'll"}:
            # A plural subject: the verbs stay as they are.
            self.named = True
            self.mode = "open"
            return _US + {"we're": " are", "we've": " have", "we'd": " would", "we'll": " will"}.get(lower, "")
        if lower == "me":
            if not before and re.match(r"me and my\b", self.text, re.I):
                self.named = True
                return "the user"
            return "them" if self.named and not self.others else "the user"
        if lower in {"my", "our"}:
            if re.search(r"\b(?:oh|omg)\s+$", before, re.I):
                return token
            return "their" if self.named and not self.others else "the user's"
        if lower in {"mine", "ours"}:
            return (
                token if re.search(r"\b(?:a|the|an|coal|gold|data|salt|this|that)\s+$", before, re.I) else "the user's"
            )
        if lower in {"myself", "ourselves"}:
            return "themselves"
        return {"us": _US}.get(lower)

    def _subject(self, lower: str, before: str, start: int) -> str:
        name = "the user"
        self.named = True
        self.infinitive = False
        rest = self.text[start + len(lower) :].split()
        following = next((w.casefold() for w in rest if not english.is_adverb(w.casefold())), "")
        if lower in {"i'm", "im"}:
            self.mode = "after"
            return f"{name} is"
        if lower in {"i've", "ive"}:
            self.mode = "after"
            self.infinitive = True
            return f"{name} has"
        if lower.endswith("'ll"):
            self.mode = "open"
            return f"{name} will"
        if lower.endswith("'d"):
            self.mode = "open"
            had = following in {"better", "been", "gone", "had"} or (english.is_past(following) and following != "had")
            return f"{name} {'had' if had else 'would'}"
        self.mode = "open" if _is_compound(before) and following != "am" else "agree"
        return name

    def _verb(self, lower: str, index: int) -> str | None:
        """The word after a subject: an adverb passes, a verb takes its ending, anything else is unsafe."""
        if lower == "no" and self._next(index) == "longer":
            return lower
        if (english.is_adverb(lower) or lower == "longer") and not (
            lower == "still" and self._next(index) in {"", ","}
        ):
            return self.tokens[index]
        if not re.fullmatch(r"[a-z]+(?:'[a-z]+)?(?:-[a-z]+)?", lower):
            return None
        self.mode = "after"
        self.infinitive = False
        if lower in english.IRREGULAR:
            self.infinitive = lower in {"don't", "haven't"} or (
                lower == "do" and self._next(index) in english.VERBS | {"not"}
            )
            return english.IRREGULAR[lower]
        if lower in english.MODALS:
            self.mode = "open"
            return lower
        if lower in {"dont", "doesnt"}:
            self.infinitive = True
            return "doesn't"
        if lower in english.EITHER_TENSE:
            if _PAST_TIME.search(self.text):
                self.mode = "open"
                return lower
            return english.third_singular(lower) if _HABIT.search(self.text) else None
        if english.is_past(lower):
            self.mode = "open"
            return lower
        if lower not in english.VERBS and (
            lower in english.FUNCTION_WORDS
            or lower in english.PREPOSITIONS
            or lower in {"or", "but"}
            or (lower.endswith("s") and not lower.endswith("ss"))
        ):
            return None
        self.verb_at = index
        return english.third_singular(lower)

    def _joined_verb(self, lower: str, index: int) -> str | None:
        """A verb joined to the last one: "... and prefer trains". None when noun or verb cannot be told."""
        if lower == "to" and self._next(index) in english.VERBS | {"be", "eat"}:
            self.infinitive = True
        was_joined = self.joined
        self.joined = lower in {"and", "or", "but", "then", ","} or (self.joined and english.is_adverb(lower))
        token = self.tokens[index]
        if not was_joined:
            return token
        following = self._next(index)
        if lower in {"am", "don't", "haven't", "have", "do"}:
            if self.infinitive and lower in {"have", "do"}:
                return None
            return english.IRREGULAR[lower] if following else token
        if lower in english.MODALS:
            self.mode = "open"
            return token
        if lower not in english.VERBS:
            return token
        if self.infinitive:
            return None if lower in english.STATIVE and following else token
        # "I like music and dance" keeps "dance": either reading is the user's own words.
        between = {word.strip().casefold() for word in self.tokens[self.verb_at + 1 : index]}
        beside = self.verb_at >= 0 and between <= {"", ",", "and", "or", "then"}
        if not (beside or self._takes_object(following, lower)):
            return token
        self.verb_at = index
        return english.third_singular(lower)

    def _takes_object(self, following: str, verb: str) -> bool:
        """Whether what follows shows that `verb` is one, not a noun of the same spelling."""
        if verb in english.STATIVE:
            return True
        return (
            following in english.PREPOSITIONS
            or following in {"a", "an", "the", "my", "our", "it", "them", "to", "that", "as", "every", "all", "no"}
            or english.is_adverb(following)
        )

    def _next(self, index: int) -> str:
        return next((token.casefold() for token in self.tokens[index + 1 :] if token.strip()), "")
