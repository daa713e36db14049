"""The marker lines around a block that Satchel inserted into a prompt: it must never come back as a memory.

A block is

    ⟦satchel⟧
    ... lines, none of them blank ...
    ⟦/satchel⟧

    what the user typed

The brackets (U+27E6, U+27E7) mean nothing to Markdown or HTML, have no compatibility form, are no quotes
that an editor would curl, and hardly anybody types them. `strip` is what every way into the log calls; it
takes the block out even where an editor or a site has quoted it, escaped it, joined its lines or doubled its
line breaks.
"""

from __future__ import annotations

import re

BEGIN = "⟦satchel⟧"
END = "⟦/satchel⟧"

_OPEN_BRACKET = r"(?:⟦|&(?:amp;)*(?:\#0*10214|\#x0*27e6|lobrk|LeftDoubleBracket);|\\u27e6)"
_CLOSE_BRACKET = r"(?:⟧|&(?:amp;)*(?:\#0*10215|\#x0*27e7|robrk|RightDoubleBracket);|\\u27e7)"
_SLASH = r"(?:\\?[/／∕⁄]|&(?:amp;)*(?:\#0*47|\#x0*2f|sol);)"

_INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
_BLANK = " \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000" + _INVISIBLE
# What may stand between the letters of a marker. Bounded, so that a search stays linear.
_GAP = rf"[{_BLANK}]{{0,4}}"
_NAME = _GAP.join("satchel")

_TOKEN = re.compile(rf"{_OPEN_BRACKET}{_GAP}(?P<slash>{_SLASH})?{_GAP}{_NAME}{_GAP}{_CLOSE_BRACKET}", re.IGNORECASE)
_ANY_OPEN = re.compile(_OPEN_BRACKET, re.IGNORECASE)
_ANY_CLOSE = re.compile(_CLOSE_BRACKET, re.IGNORECASE)

_NEWLINE = r"(?>\r\n|\r|\n)"
# Quote, list, emphasis and paragraph marks that an editor or a site may have put on a marker's line.
_DECORATION = (
    rf"(?:[{_BLANK}>*_~`+•|#\-]|\d{{1,3}}[.)]"
    r"|</?(?:p|b|i|em|strong|div|span|li|blockquote)>|<br ?/?>){0,40}+"
)
_BEFORE = re.compile(_DECORATION, re.IGNORECASE)
_BEFORE_LENGTH = 120
_AFTER = re.compile(rf"{_DECORATION}(?=\r|\n|\Z)", re.IGNORECASE)
_EMPTY = re.compile(rf"[{_BLANK}>]*")
_SPACES = re.compile(rf"[{_BLANK}]*")
_LINE_BREAK = re.compile(_NEWLINE)
_BLANK_LINE = re.compile(rf"[{_BLANK}>]*{_NEWLINE}")
_BLANK_LINES = re.compile(rf"(?:[{_BLANK}>]*{_NEWLINE})*")
_PARAGRAPH_END = re.compile(rf"{_NEWLINE}[{_BLANK}>]*(?=\r|\n)")
_WIDE_PARAGRAPH_END = re.compile(rf"{_NEWLINE}(?:[{_BLANK}>]*{_NEWLINE}){{2}}")
_LAST_LINE_BREAKS = re.compile(rf"{_NEWLINE}{{1,2}}\Z")


def wrap(body: str) -> str:
    """`body` between the marker lines, without a line break at the end.

    Blank lines in `body` are dropped and anything in it that could pass for a marker is escaped: `strip`
    relies on both.
    """
    lines = [line for line in _LINE_BREAK.split(escape(body)) if not _EMPTY.fullmatch(line)]
    return "\n".join([BEGIN, *lines, END])


def escape(text: str) -> str:
    """`text` with the markers' brackets, in every spelling that `strip` reads, turned into plain ones."""
    return _ANY_CLOSE.sub("]]", _ANY_OPEN.sub("[[", text)) if _may_hold_marker(text) else text


def strip(text: str) -> tuple[str, int]:
    """`text` without the blocks inserted into it, and how many were removed (0: it is the very same string).

    With a block goes the one blank line that sets it off from the prompt. A block whose end is missing goes
    up to the first blank line; an end without a beginning goes alone.
    """
    if not _may_hold_marker(text):
        return text, 0
    tokens = list(_TOKEN.finditer(text))
    if not tokens:
        return text, 0
    cuts = _cuts(text, tokens)
    kept: list[str] = []
    at = 0
    for start, end in cuts:
        kept.append(text[at:start])
        at = end
    kept.append(text[at:])
    rest = "".join(kept)
    if _TOKEN.search(rest):
        # Two halves of a marker met where a block stood between them.
        rest = "\n".join(kept)
    return rest, len(cuts)


def _may_hold_marker(text: str) -> bool:
    return "⟦" in text or "⟧" in text or "&" in text or "\\u27" in text or "\\U27" in text


def _cuts(text: str, tokens: list[re.Match[str]]) -> list[tuple[int, int]]:
    """The spans to take out, in order and apart from one another: matched pairs (the outermost), and the rest
    of the markers each with what belongs to it."""
    partner: dict[int, int] = {}
    opened: list[int] = []
    for index, token in enumerate(tokens):
        if token["slash"] is None:
            opened.append(index)
        elif opened:
            partner[opened.pop()] = index
    cuts: list[tuple[int, int]] = []
    index = 0
    while index < len(tokens):
        floor = cuts[-1][1] if cuts else 0
        token = tokens[index]
        last = partner.get(index)
        if last is not None:
            cuts.append(_block(text, token, tokens[last], floor))
            index = last + 1
            continue
        limit = tokens[index + 1].start() if index + 1 < len(tokens) else len(text)
        if token["slash"] is None:
            cuts.append(_unfinished(text, token, floor, limit))
        else:
            start, end = _line(text, token.start(), token.end(), floor)
            cuts.append((start, min(end, limit)))
        index += 1
    return cuts


def _line_start(text: str, start: int, floor: int) -> int | None:
    """Where the line of a marker begins, when nothing but decoration stands before the marker."""
    far = max(floor, start - _BEFORE_LENGTH)
    begin = max(text.rfind("\n", far, start), text.rfind("\r", far, start)) + 1
    if not begin:
        if far != floor:
            return None
        begin = floor
    return begin if _BEFORE.fullmatch(text, begin, start) else None


def _line(text: str, start: int, end: int, floor: int) -> tuple[int, int]:
    """The whole line from `start` to `end` with its line break; where other words share it, just the span."""
    line_start = _line_start(text, start, floor)
    after = _AFTER.match(text, end)
    if after is not None and line_start is not None:
        newline = _LINE_BREAK.match(text, after.end())
        return line_start, newline.end() if newline else after.end()
    spaces = _SPACES.match(text, end)
    assert spaces is not None
    return start if line_start is None else line_start, spaces.end()


def _is_loose(text: str, begin: re.Match[str]) -> bool:
    """Whether the line breaks were doubled, as when a rich editor's paragraphs are read as text."""
    after = _AFTER.match(text, begin.end())
    newline = after and _LINE_BREAK.match(text, after.end())
    return bool(newline and _BLANK_LINE.match(text, newline.end()))


def _block(text: str, begin: re.Match[str], end: re.Match[str], floor: int) -> tuple[int, int]:
    start, stop = _line(text, begin.start(), end.end(), floor)
    if stop < len(text) and text[stop - 1] in "\r\n":
        blank = (_BLANK_LINES if _is_loose(text, begin) else _BLANK_LINE).match(text, stop)
        stop = blank.end() if blank else stop
    if stop == len(text) and start > floor:
        before = _LAST_LINE_BREAKS.search(text, max(floor, start - 4), start)
        start = before.start() if before else start
    return start, stop


def _unfinished(text: str, begin: re.Match[str], floor: int, limit: int) -> tuple[int, int]:
    line_start = _line_start(text, begin.start(), floor)
    start = begin.start() if line_start is None else line_start
    if _is_loose(text, begin):
        first = _BLANK_LINES.match(text, begin.end(), limit)
        assert first is not None
        found = _WIDE_PARAGRAPH_END.search(text, first.end(), limit)
    else:
        found = _PARAGRAPH_END.search(text, begin.end(), limit)
    if found is None:
        return start, limit
    newline = _LINE_BREAK.match(text, found.end(), limit)
    return start, newline.end() if newline else found.end()
