"""Memories are data: their text cannot leave the block it is put in, nor pose as the user or the system.

Everything that is remembered may have been planted by a page someone read. `one_line` makes a text into a
single line without marker, tag, role name or invisible character; the frame around it says that it is not
an instruction.
"""

from __future__ import annotations

import re
import unicodedata

from satchel import marker

ELLIPSIS = "…"

# Variation selectors and the blank letters: shown as nothing, and able to carry text that nobody sees.
# Joiners go with the other format characters (category Cf), so a family emoji comes apart; that harms
# nobody.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SPACES = re.compile(r"\s+")
_ROLE = re.compile(
    r"^[\s#*_>\[(\-]*(system|assistant|user|human|developer|tool|ai|model|系统|助手|用户)"
    r"[ \t]*[\])*_]*[ \t]*[:\uff1a][*_]*",
    re.IGNORECASE | re.MULTILINE,
)
_LINE_BREAKS = re.compile("[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_TAG_OPEN = re.compile(r"<(?=[</|!?A-Za-z])")
_TAG_CLOSE = re.compile(r"(?<=[|/A-Za-z\"'\]>])>")
_BRACKET_TAG = re.compile(r"\[(/?(?:INST|SYS|SYSTEM|USER|ASSISTANT))\]", re.IGNORECASE)


def one_line(text: str, *, limit: int | None = None) -> str:
    """`text` as one harmless line, in NFC, of at most `limit` characters (see `shorten`)."""
    text = _LINE_BREAKS.sub("\n", unicodedata.normalize("NFC", text))
    if not text.isascii() or not text.isprintable():
        text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in _DROPPED_CATEGORIES)
        text = _UNSEEN.sub("", text)
    text = _ROLE.sub(r"\1 –", text)
    text = _SPACES.sub(" ", text).strip()
    text = _BRACKET_TAG.sub(r"(\1)", text)
    text = _TAG_CLOSE.sub("›", _TAG_OPEN.sub("‹", text))
    text = _ROLE.sub(r"\1 –", marker.escape(text))
    # Taking characters out may have brought a letter and its accent together.
    text = unicodedata.normalize("NFC", text)
    return text if limit is None else shorten(text, limit)


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
