"""Every promise of SECURITY.md names the tests that keep it, and each of them is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = re.sub(r"<!--.*?-->", "", (ROOT / "SECURITY.md").read_text("utf-8"), flags=re.DOTALL)
NAMED = sorted(set(re.findall(r"`(tests/[\w/.-]+\.py)::(\w+)`", TEXT)))
CAMPAIGNS = sorted(set(re.findall(r"\./scripts/campaign ([\w-]+)", TEXT)))


def promises() -> list[list[str]]:
    """The rows of the table of promises: what is promised, and by what it is kept."""
    table = TEXT.split("| promise | kept by |")[1].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.strip().splitlines()[1:]]


@pytest.mark.parametrize(("promise", "kept_by"), promises())
def test_every_promise_is_kept_by_a_test(promise: str, kept_by: str) -> None:
    assert re.search(r"`tests/[\w/.-]+\.py::test_\w+`", kept_by), promise


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_test_that_is_named_is_there(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in found


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_every_campaign_that_is_named_is_there(name: str) -> None:
    assert (ROOT / "scripts" / "campaigns" / f"{name}.py").is_file()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([\w/.-]+)\)", TEXT))))
def test_every_file_that_is_linked_is_there(link: str) -> None:
    assert (ROOT / link).exists()
