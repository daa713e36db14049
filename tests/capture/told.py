"""Texts with their secrets between guillemets, as the tests of what is masked write them."""

from __future__ import annotations

import re

from satchel.capture.redact import redact

_MARKED = re.compile("‹([^›]*)›")


def said(text: str) -> str:
    """The text as it was written."""
    return _MARKED.sub(r"\1", text)


def check_masked(text: str, name: str) -> None:
    """Exactly what stands between the guillemets is masked, under `name`, and counted."""
    expected, count = _MARKED.subn(f"[{name} masked by Satchel]", text)
    assert redact(said(text)) == (expected, count)
    assert redact(expected) == (expected, 0), "what is masked is masked once"


def check_left_alone(text: str) -> None:
    assert redact(text) == (text, 0)
