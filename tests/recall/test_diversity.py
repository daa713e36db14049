"""Nothing is said twice, and nothing that differs is lost."""

import pytest
from situations import candidate

from satchel.recall.diversity import drop_repeats


def kept(*found, answers=lambda text: 0.0) -> list[str]:
    return [c.id for c in drop_repeats(found, answers)]


def test_the_same_words_are_kept_once() -> None:
    assert kept(candidate("a", "The user is a vet."), candidate("b", "the user is a VET")) == ["a"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The user likes the jazz club in the old town of Turin.",
         "The user not likes the jazz club in the old town of Turin."),
        ("The user's flight to Berlin on Monday leaves from gate 8 in the morning.",
         "The user's flight to Berlin on Monday leaves from gate 9 in the morning."),
    ],
)  # fmt: skip
def test_a_number_or_a_not_makes_a_difference(one: str, other: str) -> None:
    assert kept(candidate("a", one), candidate("b", other)) == ["a", "b"]


def test_nearly_the_same_words_are_kept_once() -> None:
    text = "The user likes to go to the jazz club in the old town of Turin on Fridays"
    assert kept(candidate("a", text), candidate("b", text + " evening")) == ["a"]


def test_equal_events_of_different_days_stay() -> None:
    first = candidate("a", "The user went to the dentist.", kind="event", date="2026-01-02")
    again = candidate("b", "The user went to the dentist.", kind="event", date="2026-02-02")
    assert kept(first, again) == ["a", "b"]


def test_a_turn_that_a_memory_tells_is_dropped() -> None:
    turn = candidate("t", "I'm a vet in Turin.", kind="turn", score=0.9)
    memory = candidate("m", "The user is a vet.", quotes={"t": "I'm a vet in Turin"}, score=0.8)
    assert kept(turn, memory) == ["m"]
    assert kept(turn, candidate("m", "The user is a vet.", quotes={"t": "vet"}, score=0.2)) == ["t", "m"]


def test_a_long_turn_that_answers_more_stays() -> None:
    text = "I'm a vet. " + "And the congress in Bologna took place in the old town hall by the canal. " * 2
    turn = candidate("t", text, kind="turn", score=0.9)
    memory = candidate("m", "The user is a vet.", quotes={"t": "I'm a vet."}, score=0.8)
    assert kept(memory, turn, answers=lambda told: float("Bologna" in told)) == ["m", "t"]
    assert kept(memory, turn) == ["m"]


def test_a_flood_of_what_differs_in_numbers_alone_is_cut_where_that_is_asked() -> None:
    flood = [candidate(f"r{n}", f"The user weighed {n} kg.") for n in range(40)]
    other = candidate("other", "The user's scales are from Leeds.")
    few = [c.id for c in drop_repeats([*flood, other], lambda text: 0.0, most_alike=6)]
    assert few == [*(f"r{n}" for n in range(6)), "other"]
    assert len(drop_repeats(flood, lambda text: 0.0)) == 40
