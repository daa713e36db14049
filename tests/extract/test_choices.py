"""A choice among what the assistant offered gives a fact and a hint; a question, a refusal, a mention give nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.extract import align, choices
from satchel.extract.words import content
from satchel.times import parse_iso
from satchel.types import Message, Role

DAY = parse_iso("2025-06-10T09:30:00Z")
PLAN = "I've decided to go to Guangzhou for the summer vacation. Which chain hotels could I stay at?"
OFFER = "You could consider 7 Days Inn, All Seasons, or Hilton."
DESCRIBED = (
    "Here are three:\n1. **7 Days Inn** – cheap and central\n2. **All Seasons**: calm\n3. **Hilton** - best service\n"
)


def conversation(*turns: tuple[Role, str]) -> list[Message]:
    return [
        Message(id=f"m{at}", conversation_id="c", role=role, content=content, time=DAY, position=at)
        for at, (role, content) in enumerate(turns)
    ]


def drafts(*turns: tuple[Role, str]) -> tuple[choices.Chosen, ...]:
    *before, turn = conversation(*turns)
    return choices.drafts(turn, before)


def test_the_hotel_is_a_fact_of_two_turns_and_a_hint_with_its_reason() -> None:
    fact, hint = drafts(("user", PLAN), ("assistant", OFFER), ("user", "I'll go with 7 Days Inn."))
    assert fact.text == "The user has decided to go to Guangzhou for the summer vacation, and chose 7 Days Inn."
    assert (fact.kind, fact.key) == ("fact", "Guangzhou summer vacation")
    assert fact.tags == ("guangzhou", "summer", "vacation", "7 days inn")
    assert [(source.message_id, source.quote) for source in fact.sources] == [
        ("m0", "I've decided to go to Guangzhou for the summer vacation."),
        ("m2", "I'll go with 7 Days Inn."),
    ]
    assert hint.kind == "implicit_preference"
    assert hint.text == "The user may prefer chain hotels like 7 Days Inn over All Seasons or Hilton."
    assert hint.reasoning == (
        "Offered 7 Days Inn, All Seasons and Hilton, the user chose 7 Days Inn (2025-06-10). "
        "One choice is a hint about the kind of chain hotels they like."
    )


def test_every_source_is_the_user_s_and_stands_in_its_turn() -> None:
    turns = conversation(("user", PLAN), ("assistant", DESCRIBED), ("user", "Great. The second one, please!"))
    by_id = {turn.id: turn for turn in turns}
    for draft in choices.drafts(turns[-1], turns[:-1]):
        assert all(by_id[source.message_id].role == "user" for source in draft.sources)
        assert all(align.stands(source, by_id[source.message_id]) for source in draft.sources)


def test_nothing_is_said_that_the_conversation_does_not_hold() -> None:
    turns = conversation(("user", PLAN), ("assistant", DESCRIBED), ("user", "I'll take the cheaper one"))
    spoken = {word for turn in turns for word in content(turn.content)}
    ours = set(content("The user may prefer like over or asked and chose"))
    found = choices.drafts(turns[-1], turns[:-1])
    assert len(found) == 2
    for draft in found:
        assert set(content(draft.text)) <= spoken | ours


def test_what_the_assistant_said_of_the_option_is_told_as_the_assistant_s() -> None:
    _, hint = drafts(("user", PLAN), ("assistant", DESCRIBED), ("user", "7 Days Inn please"))
    assert hint.reasoning is not None
    assert "The assistant had described it as “cheap and central”." in hint.reasoning
    assert "cheap" not in hint.text


@pytest.mark.parametrize(
    ("offer", "names"),
    [
        (OFFER, ["7 Days Inn", "All Seasons", "Hilton"]),
        (DESCRIBED, ["7 Days Inn", "All Seasons", "Hilton"]),
        ("- Anna Karenina (long)\n- The Idiot\n- Dead Souls", ["Anna Karenina", "The Idiot", "Dead Souls"]),
        ("I'd recommend either Lisbon or Porto for that.", ["Lisbon", "Porto"]),
        ("Take a look at **Ghent** or, further away, **Bruges**.", ["Ghent", "Bruges"]),
        ("你可以考虑七天酒店、全季酒店或希尔顿。", ["七天酒店", "全季酒店", "希尔顿"]),
        ("A) the red tent\nB) the blue tent", ["the red tent", "the blue tent"]),
        ("I like it and you do.", []),
        ("Guangzhou is warm in summer.", []),
        ("", []),
    ],
)
def test_an_offer_is_a_list_or_a_series(offer: str, names: list[str]) -> None:
    assert [option.name for option in choices.offers(offer)] == names


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("I'll go with 7 Days Inn.", "7 Days Inn"),
        ("7 days inn", "7 Days Inn"),
        ("Seasons sounds good", "All Seasons"),
        ("The second one, please", "All Seasons"),
        ("option C", "Hilton"),
        ("Let's go with the last one", "Hilton"),
        ("I'll take the cheaper one", "7 Days Inn"),
        ("I'd rather take Hilton than 7 Days Inn", "Hilton"),
        ("All Seasons instead of Hilton", "All Seasons"),
        ("No, I'll book Hilton", "Hilton"),
        ("How much is 7 Days Inn? I'll take Hilton.", "Hilton"),
    ],
)
def test_a_choice_is_made_by_name_part_place_or_quality(answer: str, name: str) -> None:
    taken = choices.chosen(answer, choices.offers(DESCRIBED))
    assert taken is not None
    assert taken[0].name == name


@pytest.mark.parametrize(
    "answer",
    [
        "not Hilton", "is Hilton far?", "Hilton?", "Hilton is too expensive", "I don't want Hilton", "Thanks!",
        "I like Hilton and All Seasons", "Tell me more about Hilton", "I stayed at Hilton once", "none of them",
        "I would go with 7 Days Inn if it had a pool", "What about breakfast at the Hilton", "",
    ],
)  # fmt: skip
def test_a_question_a_refusal_or_a_mention_is_no_choice(answer: str) -> None:
    assert choices.chosen(answer, choices.offers(DESCRIBED)) is None


@pytest.mark.parametrize(
    ("answer", "name"), [("我选七天", "七天酒店"), ("第二个", "全季酒店"), ("不要希尔顿", None), ("希尔顿远吗？", None)]
)
def test_a_choice_in_chinese(answer: str, name: str | None) -> None:
    taken = choices.chosen(answer, choices.offers("你可以考虑七天酒店、全季酒店或希尔顿。"))
    assert (taken and taken[0].name) == name


def test_an_offer_that_the_user_ignores_gives_nothing() -> None:
    assert drafts(("user", PLAN), ("assistant", OFFER), ("user", "How is the weather there in July?")) == ()


def test_an_offer_that_is_not_the_last_turn_gives_nothing() -> None:
    assert drafts(("assistant", OFFER), ("user", "Hm."), ("user", "I'll take Hilton")) == ()
    assert drafts(("user", "I'll take Hilton")) == ()


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_text_raises(offer: str, answer: str) -> None:
    choices.chosen(answer, choices.offers(offer))
    drafts(("user", answer), ("assistant", offer), ("user", answer))


@pytest.mark.parametrize("part", ["**", "(", "a", "我", "、a", '"', "like a, ", "\n- a", "I ", "consider x or "])
def test_the_time_to_read_an_offer_grows_no_faster_than_its_length(part: str) -> None:
    started = time.perf_counter()
    choices.offers(part * (choices.MAX_OFFER // len(part)))
    choices.chosen(part * (choices.MAX_ANSWER // len(part)), choices.offers(OFFER))
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        (OFFER, "please explain the risks of booking too late in all seasons"),
        (OFFER, "Please write a review of the Hilton for me."),
        (
            "Your mail provider collects:\n- Shared calendar details\n- Diagnostic data\n- Personalised ads",
            "please list it in detail",
        ),
        (
            "You could say:\n- Every house begins with one honest stone\n- No house is built on nothing but a dream\n",
            "I like to say that no house is built without a plan, so find other ways of putting it",
        ),
        ("The plants are in Lyon, Nantes, or Lille.", "please show the Lyon plant on a map"),
    ],
)
def test_a_next_task_that_names_an_option_is_no_choice(offer: str, answer: str) -> None:
    assert drafts(("user", "Tell me more."), ("assistant", offer), ("user", answer)) == ()
