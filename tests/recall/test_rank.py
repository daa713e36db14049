"""What comes first, what may come at all."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from situations import candidate

from satchel.recall.query import stems
from satchel.recall.rank import coverage, rank, read_question
from satchel.recall.topics import topics
from satchel.times import parse_iso
from satchel.types import Candidate

NOW = parse_iso("2026-03-01")


def ids(candidates: list[Candidate], query: str, **options) -> list[str]:
    return [c.id for c in rank(candidates, query=query, now=NOW, limit=options.pop("limit", 10), **options)]


def old_and_new() -> list[Candidate]:
    return [
        candidate("porto", "The user lives in Porto.", similarity=0.5),
        candidate("turin", "The user lives in Turin.", similarity=0.5, status="superseded",
                  date="2025-01-01", valid_to=parse_iso("2025-12-01")),
    ]  # fmt: skip


def test_what_is_no_longer_true_answers_only_questions_about_the_past() -> None:
    assert ids(old_and_new(), "Where do I live?") == ["porto"]
    assert ids(old_and_new(), "Where did I live before?") == ["porto", "turin"]


def test_asking_as_of_a_date_sees_what_was_true_then() -> None:
    assert ids(old_and_new(), "Where do I live?", at=parse_iso("2025-06-01")) == ["turin"]


@given(
    st.sampled_from(["fact", "event", "explicit_preference", "instruction", "turn"]), st.floats(-1, 1), st.floats(0, 9)
)
def test_the_signs_of_a_hit_make_up_its_score(kind: str, similarity: float, lexical: float) -> None:
    text = "The user's talk about kidney disease was on Friday in Bologna."
    hit = candidate("a", text, kind=kind, similarity=similarity)
    hit.lexical = lexical
    (found,) = rank([hit], query="When was my talk about kidney disease?", now=NOW, limit=1)
    assert found.score == pytest.approx(1 / (1 + math.exp(-sum(amount for _, amount in found.signs))))
    assert {"its meaning", "its words"} <= {sign for sign, _ in found.signs}


def test_archived_memories_never_come() -> None:
    assert ids([candidate("a", "The user lives in Porto.", status="archived")], "Did I live in Porto?") == []


def test_a_single_hint_is_found_but_never_enters_a_prompt() -> None:
    hint = candidate("h", "The user may prefer quiet hotels over bars.", kind="implicit_preference", similarity=0.8,
                     status="candidate")  # fmt: skip
    assert ids([hint], "Which quiet hotels suit me?") == ["h"]
    assert ids([hint], "Which quiet hotels suit me?", threshold=0.3) == []
    active = candidate("h", "The user may prefer quiet hotels over bars.", kind="implicit_preference", similarity=0.8)
    assert ids([active], "Which quiet hotels suit me?", threshold=0.3) == ["h"]


def test_the_user_s_words_come_before_the_assistant_s() -> None:
    text = "The talk about kidney disease was on Friday in Bologna."
    own = candidate("own", text, kind="turn", similarity=0.6, date="2025-01-01")
    other = candidate("other", text + " Indeed.", kind="turn", similarity=0.6, said_by="assistant")
    assert ids([other, own], "When was my talk about kidney disease?")[0] == "own"


def test_an_assistant_s_words_enter_a_prompt_only_when_asked_about() -> None:
    said = candidate("a", "I suggest the Hotel Aurora in Bologna, near the station.", kind="turn",
                     said_by="assistant", similarity=0.7)  # fmt: skip
    assert ids([said], "hotel in Bologna near the station", threshold=0.5) == []
    assert ids([said], "Which hotel in Bologna did you suggest?", threshold=0.5) == ["a"]


def test_a_question_asked_before_is_no_answer() -> None:
    asked = candidate("q", "How do I clean a cast-iron pan?", kind="turn", similarity=0.95)
    assert ids([asked], "How do I clean my cast-iron pan?", threshold=0.5) == []
    assert ids([asked], "How do I clean my cast-iron pan?") == ["q"]


def test_a_turn_that_says_no_more_than_the_question_is_no_answer() -> None:
    """Even where it tells something on the way, as "my daughter" does."""
    question = "What should I cook for my daughter's birthday party?"
    asked = candidate("q", question, kind="turn", similarity=1.0)
    told = candidate("t", "My daughter's birthday party is on Saturday in the garden.", kind="turn", similarity=0.8)
    assert ids([asked, told], question, threshold=0.5) == ["t"]


@pytest.mark.parametrize("query", ["", "hi", "ok thanks", "and what about you?", "\0"])
def test_a_question_without_content_gets_no_context(query: str) -> None:
    assert ids([candidate("a", "hi", similarity=1.0)], query, threshold=0.5) == []


def test_how_to_answer_comes_along_but_not_alone() -> None:
    vet = candidate("vet", "The user is a vet.", similarity=0.6)
    style = candidate("style", "The user wants vet answers short.", kind="instruction", similarity=0.25)
    assert ids([vet, style], "my vet practice", threshold=0.5) == ["vet", "style"]
    assert ids([style], "Explain entropy", threshold=0.5) == []


def test_words_alone_find_what_has_no_vector_yet() -> None:
    found = [candidate("a", "My landlord Mr Ferrero raises the rent.", kind="turn", lexical=4.0),
             candidate("b", "My car is red.", kind="turn", lexical=0.5)]  # fmt: skip
    assert ids(found, "What did my landlord Ferrero say about the rent?", threshold=0.5) == ["a"]


def test_frequencies_decide_which_word_tells() -> None:
    question = read_question("rent Ferrero", {"rent": 1.0, "ferrero": 9.0})
    assert coverage(question, stems("Mr Ferrero")) == pytest.approx(0.9)


def test_fields_of_life() -> None:
    assert topics("The user is vegetarian.") & topics("plan a dinner menu") == {"food"}
    assert topics("我吃素") & topics("推荐一家餐厅") == {"food"}
    assert topics("The user has two colleagues in Lyon") == {"work"}


texts = st.text(max_size=60) | st.sampled_from(["my dog", "Where did I live before?", "我的猫", "hi"])


@given(st.lists(st.tuples(texts, st.none() | st.floats(-1, 1), st.floats(0, 50)), max_size=8), texts,
       st.none() | st.floats(0, 1))  # fmt: skip
def test_scores_are_in_range_and_order(found, query: str, threshold: float | None) -> None:
    made = [candidate(str(i), text, similarity=s, lexical=x) for i, (text, s, x) in enumerate(found)]
    ranked = rank(made, query=query, now=NOW, limit=5, threshold=threshold)
    assert len(ranked) <= 5
    assert all(0 <= c.score <= 1 for c in ranked)
    assert [c.score for c in ranked] == sorted((c.score for c in ranked), reverse=True)
    assert threshold is None or all(c.score >= threshold for c in ranked)
