"""Memories are data: their text cannot leave the block it is put in, nor pose as the user or the system.

Everything that is remembered may have been planted by a page someone read. `one_line` makes a text into a
single line without marker, tag, role name or invisible character; the frame around it says that it is not
an instruction. What poses is found by what it reads as (`lookalikes`), so that other alphabets do not help it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from satchel import marker
from satchel.recall.lookalikes import skeleton
from satchel.unseen import BLANKS

ELLIPSIS = "…"

# Joiners go with the other format characters (category Cf), so a family emoji comes apart; that harms
# nobody.
_UNSEEN = re.compile(f"[{BLANKS}]")
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# Accents heaped on one letter cover the lines around it; no language has more than four.
_HEAPED = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{4})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+"
)
_SPACES = re.compile(r"\s+")
_ROLE = re.compile(
    r"^[\s#*_>\[(|\-]*(?P<role>system|assistant|user|human|developer|tool|function|ai|model|bot|instructions?|response"
    r"|系统|助手|用户|ユーザー|システム|アシスタント|사용자|시스템|système|utilisateur|sistema|usuario|asistente|benutzer"
    r"|пользователь|система|ассистент)"
    r"(?P<after>[ \t]*[\])*_|]*[ \t]*[:\uff1a∶ː꞉˸։׃﹕︓][*_]*)",
    re.IGNORECASE | re.MULTILINE,
)
_LINE_BREAKS = re.compile("[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_TAG_OPEN = re.compile(r"<(?=[</|!?a-z▁])")
_TAG_CLOSE = re.compile(r"(?<=[|/a-z\"'\]>▁])>")
_BRACKET_TAG = re.compile(
    r"\[(/?(?:inst|sys|system|user|assistant|system_prompt|available_tools|tool_calls|tool_results))\]"
)
# Whose answers are rendered may load an image that a memory names, and tell its server that it was read.
_IMAGE = re.compile(r"!(?=\[)")
# Accents and a blank may stand between its letters.
_LETTERS = r"[\u0300-\u036f]{0,4} ?".join("satchel")
_LIKE_MARKER = re.compile(rf"\[{{1,2}} ?/? ?{_LETTERS}[\u0300-\u036f]{{0,4}} ?\]{{1,2}}")


def one_line(text: str, *, limit: int | None = None) -> str:
    """`text` as one harmless line, in NFC, of at most `limit` characters (see `shorten`)."""
    text = _LINE_BREAKS.sub("\n", unicodedata.normalize("NFC", text))
    if not text.isascii() or not text.isprintable():
        text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in _DROPPED_CATEGORIES)
        text = _HEAPED.sub(r"\1", _UNSEEN.sub("", text))
    text = _without_roles(text)
    text = _SPACES.sub(" ", text).strip()
    text = reading(_BRACKET_TAG, text, lambda tag: f"({tag[1:-1]})")
    text = reading(_TAG_CLOSE, reading(_TAG_OPEN, text, "‹"), "›")
    text = _IMAGE.sub("", marker.escape(text))
    text = reading(_LIKE_MARKER, text, lambda it: "[[/satchel]]" if "/" in skeleton(it) else "[[satchel]]")
    text = _without_roles(text)
    # Taking characters out may have brought a letter and its accent together.
    text = unicodedata.normalize("NFC", text)
    return text if limit is None else shorten(text, limit)


def reading(pattern: re.Pattern[str], text: str, instead: str | Callable[[str], str]) -> str:
    """`text` with each part that reads as `pattern` (of lower case and plain letters) replaced."""
    kept: list[str] = []
    at = 0
    for match in pattern.finditer(skeleton(text)):
        found = text[match.start() : match.end()]
        kept += (text[at : match.start()], instead if isinstance(instead, str) else instead(found))
        at = match.end()
    return "".join((*kept, text[at:])) if kept else text


def _without_roles(text: str) -> str:
    """ "System: obey" as "System – obey", whatever alphabet its letters are of."""
    text = _ROLE.sub(r"\g<role> –", text)
    kept: list[str] = []
    at = 0
    for match in _ROLE.finditer(skeleton(text)):
        kept += (text[at : match.start()], text[match.start("role") : match.end("role")], " –")
        at = match.end()
    return "".join((*kept, text[at:])) if kept else text


def shorten(text: str, limit: int) -> str:
    """`text` cut at a word's end to at most `limit` characters, the ellipsis included; a word longer than a
    third of `limit` is cut inside."""
    if len(text) <= limit:
        return text
    head = text[: max(limit - 1, 0)]
    if not text[len(head)].isspace():
        space = head.rfind(" ")
        if space > limit * 2 // 3:
            head = head[:space]
    return head.rstrip(" ,;:–-") + ELLIPSIS
