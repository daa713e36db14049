"""A turn as the gate reads it: every clause once, in order, with what stands around it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from satchel.extract.choosing import window
from satchel.extract.choosing.clauses import Clause, split
from satchel.models import Passage


def marked(passages: list[Passage]) -> list[str]:
    return [text for passage in passages for text, is_clause in passage.pieces if is_clause]


def test_a_short_turn_is_one_passage_with_all_that_was_said() -> None:
    text = "Hi! We keep bees. Which flowers do they like?"
    clauses = [clause for clause in split(text) if "bees" in clause.text]
    (passage,) = window.passages(text, clauses, "Tell me about your garden.")
    assert "".join(piece for piece, _ in passage.pieces) == text
    assert passage.before == "Tell me about your garden."
    assert marked([passage]) == ["We keep bees."]


def test_without_clauses_there_is_nothing_to_read() -> None:
    assert window.passages("Hello", [], "Hi") == []


def test_what_stands_before_a_window_is_read_as_its_context() -> None:
    text = " ".join(f"Sentence number {at} says something about the harbour." for at in range(40))
    found = window.passages(text, split(text))
    assert len(found) > 2
    for passage in found[1:]:
        lead, is_clause = passage.pieces[0]
        assert not is_clause
        assert 0 < len(lead) <= window.OVERLAP
        assert lead in text


@given(st.text(max_size=3000), st.text(max_size=500))
def test_every_clause_is_in_one_passage_and_they_stay_small(text: str, before: str) -> None:
    clauses = split(text)
    found = window.passages(text, clauses, before)
    assert marked(found) == [clause.text for clause in clauses]
    for passage in found:
        longest = max(len(piece) for piece, is_clause in passage.pieces if is_clause)
        size = sum(len(piece) for piece, _ in passage.pieces)
        assert size <= max(window.WINDOW, longest) + window.OVERLAP + window.AFTER
        assert passage.before == before


@given(st.lists(st.text("abc ,", min_size=1, max_size=300).filter(str.strip), min_size=1, max_size=12))
def test_the_pieces_of_a_passage_are_one_stretch_of_the_turn(sentences: list[str]) -> None:
    clauses, text = [], ""
    for sentence in sentences:
        clauses.append(Clause(len(text), len(text) + len(sentence), sentence))
        text += sentence + " "
    for passage in window.passages(text, clauses):
        assert "".join(piece for piece, _ in passage.pieces) in text


def test_what_was_heard_is_the_opening_and_the_end_of_the_answer() -> None:
    turns = [("user", "Let's play: you are a judge."), ("assistant", "x" * 500 + " Order!"), ("user", "I am guilty.")]
    assert window.heard(turns[:2]).startswith("Let's play: you are a judge.\n")
    assert window.heard(turns[:2]).endswith(" Order!")
    assert window.heard(turns) == "Let's play: you are a judge."
    assert window.heard([]) == ""


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "tool"]), st.text(max_size=400)), max_size=6))
def test_what_was_heard_stays_short(turns: list[tuple[str, str]]) -> None:
    assert len(window.heard(turns)) <= window.OPENING + window.BEFORE + 1
