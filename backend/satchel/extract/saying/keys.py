"""A memory's short key and its tags, by rule: the quote's own content words, verbs left out where nouns
remain."""

from __future__ import annotations

import re

from satchel.extract.language import english
from satchel.extract.language.english import listed
from satchel.extract.language.words import is_content, plain, same, words

KEY_WORDS = 5
TAGS = 5

_LIGHT = listed(
    "usually often really actually currently recently always never sometimes mostly mainly now then today "
    "thing things lot bit kind sort way much many more most less some any all every each one ones own "
    "good great better like likes liked want wants wanted get gets got getting going gone went make makes "
    "made making use uses used using go goes let say says said know knows think thinks can can't cannot "
    "could couldn't should must might may shall if when while because since than only about after before "
    "from into over under out up down off again still even not no nor neither either both without until "
    "between through don't dont longer anymore ago last next this am being having does doing done decided "
    "decide moved living working stand rather instead ve ll let's lets also however together around near "
    "via per what how why where me too yes no please user assistant always prefer prefers preferred first "
    "second new keep keeps kept you your yours but though because whenever year years month months week weeks "
    "thinking moving recommend suggest tell find show give help"
)
_WEEK = re.compile(r"^(?:mon|tues|wednes|thurs|fri|satur|sun)days?$|^(?:yester|to)day$|^tomorrow$")
_CJK_BREAK = re.compile("喜欢|讨厌|我们|[我的了是在和也都很就想要去到有住]")
"""Where a Chinese sentence may be cut without a dictionary: pronouns, particles, the commonest verbs."""
_CJK_RUN = re.compile(r"[\u4e00-\u9fff]{2,}")


def key(quote: str) -> str:
    """Two to five content words of `quote`, in their order, the first capitalised; one word if there is but
    one.

    "I've decided to go to Guangzhou for the summer vacation" gives "Guangzhou summer vacation". Never empty.
    """
    chosen = _telling(quote)[:KEY_WORDS]
    if not chosen:
        fallback = [word for word in words(quote) if is_content(word)] or words(quote) or quote.split()
        chosen = fallback[:KEY_WORDS]
    text = " ".join(chosen)[:80].strip() or "Note"
    return text[:1].upper() + text[1:]


def tags(quote: str) -> tuple[str, ...]:
    """Up to five of the quote's telling words, in lower case, names and numbers first, none twice."""
    telling = [word for word in _telling(quote) if not _WEEK.match(word.casefold())]
    found: dict[str, str] = {}
    for word in sorted(telling, key=lambda word: not (word[:1].isupper() or word[:1].isdigit())):
        found.setdefault(same(word), word.casefold()[:40])
    return tuple(found.values())[:TAGS]


def _telling(quote: str) -> list[str]:
    """The words of `quote` that tell it from others: nouns and names as far as rules can know."""
    runs = [part for run in _CJK_RUN.findall(quote) for part in _CJK_BREAK.split(run) if len(part) > 1]
    tokens = [word for word in words(quote) if not _CJK_RUN.match(word * 2)] + runs
    carrying = [
        word for word in tokens if is_content(word) and plain(word).casefold() not in _LIGHT and word.strip("0") != ""
    ]
    nouns = [word for word in carrying if not _is_verb(word)]
    return nouns if len(nouns) >= 2 or not carrying else carrying


def _is_verb(word: str) -> bool:
    lower = plain(word).casefold()
    if word[:1].isupper():
        return False
    return lower in english.VERBS or (english.is_past(lower) and lower not in {"left", "felt", "saw"})
