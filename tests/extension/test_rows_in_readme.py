"""The table of evidence in the extension's README is that of its rows."""

from __future__ import annotations

import json
import re
from pathlib import Path

from extension.conftest import EXTENSION


def test_every_row_stands_in_the_readme_with_its_evidence(bundles: Path) -> None:
    readme = (EXTENSION / "README.md").read_text("utf-8")
    for row in json.loads((bundles / "sites.json").read_text()):
        (line,) = [line for line in readme.splitlines() if line.startswith(f"| {row['name']} |")]
        assert row["evidence"]["from"] in line
        assert f"| {row['evidence']['read']} |" in line
        assert all(host in line for host in row["hosts"])
        assert line.endswith("| experimental |" if row.get("experimental") else "| tested |")


def test_both_languages_have_the_same_texts_with_the_same_places() -> None:
    def texts(language: str) -> dict[str, set[str]]:
        found = json.loads((EXTENSION / "_locales" / language / "messages.json").read_text("utf-8"))
        return {name: {place for place in "123" if f"${place}" in each["message"]} for name, each in found.items()}

    assert texts("en") == texts("zh_CN")


def test_every_text_that_is_asked_for_by_name_is_there() -> None:
    known = json.loads((EXTENSION / "_locales" / "en" / "messages.json").read_text("utf-8"))
    source = "\n".join(file.read_text("utf-8") for file in (EXTENSION / "src").rglob("*.ts"))
    asked = set(re.findall(r'\b(?:text|getMessage)\("(\w+)"', source))
    assert asked <= set(known)
    assert len(asked) > 60
