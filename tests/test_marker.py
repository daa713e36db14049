"""What Satchel inserts never comes back: blocks are found and taken out however a site has bent them."""

import html
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel import marker
from satchel.marker import BEGIN, END, escape, strip, wrap

BLOCK = wrap("What the user told other assistants:\n- the user is a vet\n- the user lives in Turin")

pieces = st.sampled_from(
    [
        BEGIN, END, BLOCK, "⟦", "⟧", "⟦/", "satchel", "sat", "chel", "/", "\n", "\n\n", "\r\n", " ",
        "> ", "- ", "**", "\u200b", "\u00a0", "1. ", "#", "<p>", "hello",
        "&lobrk;", "&#10215;", "&amp;#x27e6;", "\\u27e6", "&",
    ]
)  # fmt: skip
any_text = st.text() | st.lists(pieces, max_size=14).map("".join)


def test_the_prompt_under_a_block_is_what_the_user_typed() -> None:
    assert strip(f"{BLOCK}\n\nWrite a greeting.\n\n  Please.\n") == ("Write a greeting.\n\n  Please.\n", 1)


@pytest.mark.parametrize(
    ("text", "rest", "removed"),
    [
        (f"Hi\n\n{BLOCK}", "Hi", 1),
        (f"Hi\n{BLOCK}\n\nthere", "Hi\nthere", 1),
        (f"{BLOCK}\n\n{BLOCK}\n\nHi", "Hi", 2),
        (f"{BLOCK}\n\nHi\n\n{BLOCK}\n\nthere", "Hi\n\nthere", 2),
        (f"{BEGIN}\na\n{BLOCK}\nb\n{END}\n\nHi", "Hi", 1),
        (f"{BEGIN}\nthe user is a\n\nHi\n\nthere", "Hi\n\nthere", 1),
        (f"{BEGIN}\nthe user is a", "", 1),
        (f"Hi\n{BEGIN}\ncut\n{BLOCK}\n\nthere", "Hi\nthere", 2),
        (f"Hi\n{END}\nthere", "Hi\nthere", 1),
        (f"the user is a vet {END} Hi", "the user is a vet Hi", 1),
        (f"{BEGIN}", "", 1),
        (f"{END}", "", 1),
        (f"say {BEGIN} x {END} now", "say now", 1),
    ],
)
def test_blocks_anywhere_are_removed(text: str, rest: str, removed: int) -> None:
    assert strip(text) == (rest, removed)


def doubled(text: str) -> str:
    return text.replace("\n", "\n\n")


BENDS = {
    "windows line ends": lambda t: t.replace("\n", "\r\n"),
    "old mac line ends": lambda t: t.replace("\n", "\r"),
    "quoted": lambda t: "\n".join("> " + line for line in t.split("\n")),
    "doubly quoted": lambda t: "\n".join(">> " + line for line in t.split("\n")),
    "bold": lambda t: t.replace(BEGIN, f"**{BEGIN}**").replace(END, f"**{END}**"),
    "a list": lambda t: t.replace(BEGIN, f"- {BEGIN}").replace(END, f"  12. {END}"),
    "a heading": lambda t: t.replace(BEGIN, f"### {BEGIN}").replace(END, f"### {END}"),
    "html": lambda t: t.replace(BEGIN, f"<p>{BEGIN}</p>").replace(END, f"<p>{END}<br></p>"),
    "indented": lambda t: t.replace(BEGIN, f"   {BEGIN}\u00a0 ").replace(END, f"\t{END} "),
    "zero width": lambda t: t.replace("⟦", "\u200b⟦\ufeff").replace("tch", "t\u200dc\u00adh"),
    "spaced": lambda t: t.replace("⟦", "⟦ ").replace("⟧", "\u00a0⟧"),
    "capitalised": lambda t: t.replace("satchel", "Satchel"),
    "html escaped": lambda t: t.replace("⟦", "&#10214;").replace("⟧", "&#x27E7;"),
    "named entities": lambda t: t.replace("⟦", "&lobrk;").replace("⟧", "&amp;robrk;"),
    "json escaped": lambda t: t.replace("⟦", "\\u27e6").replace("⟧", "\\u27e7").replace("/", "\\/"),
    "line breaks doubled": doubled,
    "line breaks tripled": lambda t: t.replace("\n", "\n\n\n"),
    "line breaks lost": lambda t: t.replace("\n", ""),
    "line breaks to spaces": lambda t: t.replace("\n", " "),
    "NFC": lambda t: unicodedata.normalize("NFC", t),
    "NFD": lambda t: unicodedata.normalize("NFD", t),
    "NFKC": lambda t: unicodedata.normalize("NFKC", t),
    "NFKD": lambda t: unicodedata.normalize("NFKD", t),
    "html.escape": html.escape,
}


@pytest.mark.parametrize("bend", BENDS.values(), ids=BENDS)
def test_a_block_bent_by_an_editor_or_a_site_is_still_removed(bend) -> None:
    rest, removed = strip(bend(f"{BLOCK}\n\nHi there"))
    assert rest.lstrip("> ") == "Hi there"
    assert removed == 1


@pytest.mark.parametrize("bend", [lambda t: t, doubled], ids=["plain", "doubled"])
def test_a_cut_off_block_goes_with_its_lines(bend) -> None:
    assert strip(bend(f"{BEGIN}\nthe user is a vet\nthe user li\n\nHi")) == ("Hi", 1)


@given(st.text())
def test_text_without_a_marker_is_the_very_same_object(text: str) -> None:
    text = text.replace("⟦", "").replace("⟧", "")
    rest, removed = strip(text)
    assert rest is text
    assert removed == 0


@given(any_text, any_text)
def test_whatever_a_memory_says_only_the_prompt_remains(body: str, prompt: str) -> None:
    prompt = escape(prompt)
    assert strip(f"{wrap(body)}\n\n{prompt}") == (prompt, 1)


def test_two_halves_that_meet_where_a_block_stood_make_no_marker() -> None:
    rest, removed = strip(f"⟦sat{BEGIN}x{END}chel⟧ Hi")
    assert (rest, removed) == ("⟦sat\nchel⟧ Hi", 1)


@given(any_text)
def test_strip_leaves_no_marker_and_is_idempotent(text: str) -> None:
    rest, removed = strip(text)
    assert strip(rest) == (rest, 0)
    assert (removed == 0) == (rest == text)
    assert len(rest) <= len(text) or rest.count("\n") > text.count("\n")


@given(any_text)
def test_escaped_text_holds_no_marker_even_after_normalising(text: str) -> None:
    for form in ("NFC", "NFKC"):
        assert BEGIN not in unicodedata.normalize(form, escape(text))
        assert END not in unicodedata.normalize(form, escape(text))
    assert strip(escape(text)) == (escape(text), 0)
    assert escape(escape(text)) == escape(text)


@pytest.mark.parametrize(
    "unit",
    ["plain words & such\n", "⟦", "⟦   ", BEGIN, END, BEGIN + "\n", BEGIN + " " * 60, "> " * 50 + END,
     "\n" * 9 + END, "⟦sat", "\n   ", "&amp;", "&amp;amp;", f"x\n\n{BEGIN}\r\n", "#" * 50 + BEGIN,
     BEGIN + "\n\n"],
)  # fmt: skip
def test_stripping_takes_linear_time(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        began = time.process_time()
        strip(text)
        return time.process_time() - began

    # Eight times the text: linear is 8, quadratic 64; between them lie the caches.
    assert seconds(4_000_000) < 40 * max(seconds(500_000), 0.02)


def test_plain_text_of_nine_megabytes_passes_at_once() -> None:
    text = "plain words & more\n" * 480_000
    began = time.process_time()
    assert strip(text)[0] is text
    assert time.process_time() - began < 1


def test_the_markers_survive_markdown_and_html() -> None:
    for line in (BEGIN, END):
        assert "\n" not in line
        assert not set(line) & set("#*_<>`-\"'.&")
        assert html.escape(line) == line
        assert unicodedata.normalize("NFKC", line) == line
    assert marker.strip(BEGIN) == ("", 1)
