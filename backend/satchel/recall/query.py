"""What a question asks for, read from its words alone."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from satchel.recall.stopwords import STOP_WORDS
from satchel.store.segment import CJK, bigrams

MAX_QUERY_CHARACTERS = 8000
"""A longer question is read by its first and last half of this: what is asked stands at one of the ends."""

# Combining signs and the Indic and Thai blocks: `\w` alone would cut such words at every vowel sign.
_LETTER = r"[\w\u0300-\u036f\u0900-\u0dff\u0e00-\u0e4e]"
_WORD = re.compile(rf"[{CJK}]+|(?:(?![{CJK}]){_LETTER})+(?:[-./@:+#'’](?:(?![{CJK}]){_LETTER})+)*[+#]{{0,2}}")
_PART = re.compile(rf"{_LETTER}+")
_IDENTIFIER = re.compile(rf"{_LETTER}+(?:[-./@:+#'’]{_LETTER}+)+|\b\w{{1,3}}[+#]{{1,2}}")
_IS_CJK = re.compile(f"[{CJK}]")

# Characters of Chinese and Japanese that carry grammar rather than content; a run is cut at them.
_GRAMMAR = re.compile(
    "什么|怎么|怎样|如何|哪里|哪儿|哪些|哪个|为什么|多少|可以|请问|帮我|告诉|应该|现在|一下|一个|一些|这个|那个|这些|"
    "那些|我们|你们|他们|她们|自己|没有|还是|但是|因为|所以|如果|以前|之前|です|ます|した|して|する|ください|何|"
    "[的了吗呢吧啊呀嘛么是我你您他她它们在有和与或也都就不没这那哪被把给从到对为以及很太更最还要会能想请让着过个"
    "はがをにのともへでだ]"
)

_PAST = re.compile(
    r"\b(?:used? to|previous(?:ly)?|former(?:ly)?|in the past|back then|at the time|earlier|"
    r"originally|"
    r"once (?:lived|worked|had|owned|was)|no longer|any ?more|(?:did|was|were|had) (?:i|my|we|our)\b|"
    r"i (?:had|was|were|lived|worked|went)|have i ever|ex-|"
    r"old(?:er)? (?:job|address|flat|house|home|car|phone)|"
    r"before(?= (?:i|we|my|that|this|the (?:move|change|switch))\b|\s*\W*$)|how (?:has|have) .* changed|"
    r"history of my|over the years|when i was|last (?:year|summer|winter|spring|autumn|fall)|years ago|"
    r"antes|anteriormente|solía|früher|damals|vorher|zuvor|avant|autrefois|auparavant|anteriores?|costumava)\b"
    r"|以前|之前|从前|过去|原来|曾经|当时|那时|以往|前に|かつて|昔|예전|이전|과거",
    re.IGNORECASE,
)

_ASKS_ASSISTANT = re.compile(
    r"\b(?:did you|you (?:said|told|suggested|recommended|gave|mentioned|wrote|explained|proposed)|"
    r"we (?:discussed|talked|spoke|decided)|"
    r"your (?:suggestion|recommendation|advice|answer|idea)|last time|our (?:last )?"
    r"(?:chat|conversation|discussion))\b|你(?:说|推荐|建议|告诉|提到)过?|上次|我们聊",
    re.IGNORECASE,
)


class Term(NamedTuple):
    """A content word of a question. `text` is lower-case; `weight` is larger the rarer the word looks."""

    text: str
    weight: float
    prefix: bool = False
    """A single CJK character, which can only be found as the beginning of a pair."""


def terms(text: str) -> list[Term]:
    """The content words of `text`, each once, in order; stop words of five languages and grammar left out."""
    found: dict[str, Term] = {}
    for match in _WORD.finditer(_clip(unicodedata.normalize("NFC", text))):
        for term in _terms_of(match[0], sentence_start=_begins_sentence(match)):
            found.setdefault(term.text, term)
    return list(found.values())


def content_words(text: str) -> list[str]:
    """The texts of `terms`."""
    return [term.text for term in terms(text)]


def fts_terms(text: str, max_terms: int = 24) -> list[str]:
    """The content words of `text`, each as an FTS5 expression; of more than `max_terms` the rarest-looking.

    Each is valid whatever `text` holds: it stands in double quotes, where FTS5 knows no operators.
    """
    wanted = terms(text)
    if len(wanted) > max_terms:
        kept = sorted(range(len(wanted)), key=lambda i: (-wanted[i].weight, i))[:max_terms]
        wanted = [wanted[i] for i in sorted(kept)]
    return [_quote(term) for term in wanted]


def fts_query(text: str, max_terms: int = 24) -> str | None:
    """An FTS5 MATCH expression for any of the content words of `text`; None without any."""
    return " OR ".join(fts_terms(text, max_terms)) or None


def asks_about_past(query: str) -> bool:
    """Whether what is no longer true may answer `query` ("where did I live before?")."""
    return _PAST.search(_clip(query)) is not None


def asks_assistant(query: str) -> bool:
    """Whether `query` asks for what the assistant said, or what was talked of."""
    return _ASKS_ASSISTANT.search(_clip(query)) is not None


def is_foreign(text: str) -> bool:
    """Whether there is Chinese, Japanese or Korean in it, which the default embedding model hardly reads."""
    return _IS_CJK.search(text) is not None


def is_chinese(text: str) -> bool:
    """Whether `text` is mostly Chinese: more Chinese characters than other words, and no kana."""
    if re.search(r"[\u3040-\u30ff]", text):
        return False
    return len(re.findall(r"[\u4e00-\u9fff]", text)) > len(re.findall(r"[^\W\d_\u4e00-\u9fff]+", text))


@functools.lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """An English word without its commonest endings. Words that are not English survive well enough."""
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    endings = (("ies", "y"), ("ied", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"))
    for ending, put in endings:
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + put
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ingly", "edly", "ing", "ed", "ly"):
        base = word[: -len(ending)]
        if word.endswith(ending) and len(base) >= 3 and re.search("[aeiouy]", base):
            word = _restore(base)
            break
    # "plane" stays apart from "plan".
    return word[:-1] if len(word) > 5 and word.endswith("e") else word


def _restore(base: str) -> str:
    """The word that lost an ending: "runn" → "run", "lov" → "love", "hik" → "hike"."""
    if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz":
        return base[:-1]
    if base[-1] in "cuv" or re.fullmatch("[^aeiou][aeiou][^aeiouwxy]", base):
        return base + "e"
    return base


def stems(text: str) -> set[str]:
    """Every content word of `text`, stemmed; of an identifier the whole and its parts.

    This runs over every candidate, so it takes a short way where there is no CJK text.
    """
    if _IS_CJK.search(text):
        return {stem(word) for word in content_words(text)}
    folded = unicodedata.normalize("NFC", text).casefold()
    found = {stem(word) for word in set(_PART.findall(folded)) - STOP_WORDS if len(word) > 1 or word.isdigit()}
    found.update(word for word in _IDENTIFIER.findall(folded) if not word.isalpha())
    return found


def similar_stems(a: str, b: str) -> bool:
    """Whether two stems are one word: the same, or one the beginning of the other ("veget", "vegetarian")."""
    if a == b:
        return True
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    return len(short) >= 5 and len(long) - len(short) <= 5 and long.startswith(short)


def _clip(text: str) -> str:
    half = MAX_QUERY_CHARACTERS // 2
    return text if len(text) <= 2 * half else f"{text[:half]} {text[-half:]}"


def _begins_sentence(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 3) : match.start()].rstrip()
    return not before or before[-1] in ".!?:;\"“'(-*"


def _terms_of(word: str, *, sentence_start: bool) -> Iterable[Term]:
    if _IS_CJK.match(word):
        for run in filter(None, _GRAMMAR.split(word)):
            if len(run) > 1:
                yield from (Term(pair, 1.2) for pair in bigrams(run))
            else:
                yield Term(run, 0.8, prefix=True)
        return
    if word[-1] in "+#" and len(word) <= 4:
        yield Term(word.lower(), 1.5)
        return
    parts = _PART.findall(word)
    if len(parts) > 1 and any(c.isdigit() or c in "@/" for c in word):
        # An identifier, address, date or path: one phrase for the full text, and its parts would be noise.
        yield Term(word.rstrip("+#").lower(), 2.0)
        return
    for part in parts:
        lower = part.casefold() if part != "I" else "i"
        if lower in STOP_WORDS or (len(lower) == 1 and not lower.isdigit()):
            continue
        yield Term(lower, _weight(part, sentence_start=sentence_start))


def _weight(word: str, *, sentence_start: bool) -> float:
    """Names, numbers and long words tell more than short common ones: a stand-in for the document frequency,
    which means nothing in a small store."""
    if any(c.isdigit() for c in word):
        return 1.5
    if word[0].isupper() and not sentence_start:
        return 1.5
    return 0.8 if len(word) <= 3 else 1.0 if len(word) <= 6 else 1.2


def _quote(term: Term) -> str:
    quoted = '"' + term.text.replace('"', '""') + '"'
    return f"{quoted} *" if term.prefix else quoted
