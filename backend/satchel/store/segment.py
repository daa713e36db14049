"""Words for scripts that are written without spaces, so that full-text search can find them.

SQLite's unicode61 tokenizer keeps a run of Chinese or Japanese as one token. Text is therefore indexed
through `segment`, and queries are cut the same way (`satchel.recall.query`).
"""

from __future__ import annotations

import re

CJK = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Ranges, for a character class: Chinese characters, kana, Hangul syllables."""

_RUN = re.compile(f"[{CJK}]+")


def bigrams(run: str) -> list[str]:
    """`我喜欢` → `我喜`, `喜欢`; a single character is itself."""
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def segment(text: str) -> str:
    """`text` with every CJK run as overlapping pairs between spaces, then its last character again.

    "广州人" becomes "广州 州人 人": each character then begins a token, so that a prefix search finds it.
    Text without such characters is returned as it is.
    """
    if text.isascii() or _RUN.search(text) is None:
        return text
    return _RUN.sub(_pairs, text)


def _pairs(match: re.Match[str]) -> str:
    run = match[0]
    return f" {' '.join([*bigrams(run), run[-1]])} " if len(run) > 1 else f" {run} "
