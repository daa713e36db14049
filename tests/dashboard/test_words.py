"""Every sentence of the dashboard stands there in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "backend" / "satchel" / "dashboard" / "static"
MODULES = sorted(path for path in STATIC.rglob("*.js") if "vendor" not in path.parts)


def keys(text: str, language: str) -> set[str]:
    """The keys that a module registers in a language."""
    found = re.search(rf"^  {language}: (\\{{.*?\\n  \\}}|\\{{[^\\n]*\\}}),$".replace("\\\\", "\\"), text, re.S | re.M)
    return set(re.findall(r'(?:^    |\{ |, )"([\w.-]+)":', found[1], re.M)) if found else set()


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(STATIC)))
def test_both_languages_have_the_same_words(module: Path) -> None:
    text = module.read_text("utf-8")
    assert keys(text, "en") == keys(text, "zh")
    assert ("register({" in text) == bool(keys(text, "en"))


def test_every_word_that_is_asked_for_is_there() -> None:
    texts = [module.read_text("utf-8") for module in MODULES]
    known = set().union(*(keys(text, "en") for text in texts))
    asked = set().union(*(re.findall(r'\bt\("([\w.-]+)"', text) for text in texts))
    assert asked <= known, asked - known
