"""Hints are counted, weighed against their opposite, and say so; what holds whatever the words are."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extract.test_reconcile import LATER, OLD, against, chosen, draft, memory, source
from satchel.extract.reconciling import evidence
from satchel.extract.reconciling.reconcile import Ignore, New, Observe, Resolve, Supersede, Weighed, decide
from satchel.types import Kind, Memory, Status

WINDOW = "The user may prefer window seats over aisle seats."
AISLE = "The user may prefer aisle seats over window seats."


def hint(text: str, status: Status = "active", observations: int = 1) -> Memory:
    known = memory(text, kind="implicit_preference", status=status)
    return msgspec.structs.replace(known, observations=observations)


def test_the_opposite_choice_makes_both_candidates() -> None:
    once = chosen("implicit_preference", AISLE, source("m2", "c2"))
    assert decide(once, [(hint(WINDOW), 0.9)]) == New("candidate", weighed=(Weighed("old", "candidate"),))


def test_a_hint_that_is_outweighed_is_superseded_and_comes_back_when_it_is_seen_again() -> None:
    known = hint(WINDOW, "superseded")
    rival = msgspec.structs.replace(known,
        id="rival", text=AISLE, status="active", observations=2,
        sources=(source("m8"), source("m9", "c9")))  # fmt: skip
    again = chosen("implicit_preference", WINDOW, source("m2", "c2"))
    assert decide(again, [(known, 0.99), (rival, 0.9)]) == Observe(
        "old", "candidate", weighed=(Weighed("rival", "candidate"),)
    )


def test_a_well_known_hint_stands_against_one_opposite() -> None:
    once = draft(AISLE, kind="implicit_preference")
    assert decide(once, [(hint(WINDOW, observations=3), 0.9)]) == New("candidate")


def test_what_is_said_outright_outranks_a_hint_whichever_comes_first() -> None:
    said = "The user prefers aisle seats over window seats."
    explicit = draft(said, kind="explicit_preference")
    assert decide(explicit, [(hint(WINDOW, observations=9), 0.9)]) == Supersede(("old",))
    known = memory(said, kind="explicit_preference")
    assert decide(chosen("implicit_preference", WINDOW, source("m2", "c2")), [(known, 0.9)]) == New("candidate")
    denied = draft("The user hates window seats.", kind="explicit_preference")
    assert decide(denied, [(hint(WINDOW), 0.9)]) == Supersede(("old",))


@pytest.mark.parametrize(
    ("one", "other", "same", "against"),
    [
        (
            "The user may prefer a tent over a hotel.",
            "The user may prefer a tent over a hostel or 2 other options.",
            True,
            False,
        ),
        (
            "The user may prefer to cook rather than eat out.",
            "The user may prefer to eat out rather than cook.",
            False,
            True,
        ),
        (
            "The user may prefer to avoid a hostel: “too loud”.",
            "The user may prefer to avoid a hostel: “no sleep”.",
            True,
            False,
        ),
        (
            "The user may prefer to avoid a hostel: “too loud”.",
            "The user may prefer a hostel over a hotel.",
            False,
            True,
        ),
        (
            "The user may prefer a tent over the other options.",
            "The user may prefer a boat over the other options.",
            False,
            False,
        ),
    ],
)
def test_which_hints_are_one_and_which_are_opposite(one: str, other: str, same: bool, against: bool) -> None:
    assert evidence.same_hint(one, other) is same
    assert evidence.speaks_against(one, other) is evidence.speaks_against(other, one) is against


@pytest.mark.parametrize(
    ("observations", "conversations", "opposite", "acted", "status"),
    [
        (1, 1, 0, False, "candidate"),
        (1, 1, 0, True, "active"),
        (2, 1, 0, False, "candidate"),
        (3, 1, 0, False, "active"),
        (2, 2, 0, False, "active"),
        (2, 2, 1, False, "active"),
        (2, 2, 2, True, "candidate"),
        (2, 2, 3, True, "superseded"),
    ],
)
def test_standing(observations: int, conversations: int, opposite: int, acted: bool, status: Status) -> None:
    assert evidence.standing(observations, conversations, opposite, acted=acted) == status


def test_the_reasoning_says_how_often_and_where_and_when_last() -> None:
    may = 1_777_723_200_000
    offered = "Offered tea and milk, the user chose tea (2026-01-02). One choice is a hint about what they like."
    once = evidence.told(offered, observations=1, conversations=1, last=may)
    assert once == offered
    often = evidence.told(once, observations=3, conversations=2, last=may)
    assert often == (
        "Seen 3 times in 2 conversations, last on 2026-05-02. Offered tea and milk, the user chose tea (2026-01-02)."
    )
    opposed = evidence.told(often, observations=4, conversations=2, last=may, against=1, overruled=True)
    assert opposed.startswith(
        "Seen 4 times in 2 conversations, last on 2026-05-02; the opposite once; the user says otherwise. Offered"
    )
    assert opposed.count("Seen") == 1
    assert evidence.told(None, observations=1, conversations=1, last=may) == "Seen once, on 2026-05-02."


# ------------------------------------------------------------------------------------- whatever the words are

KINDS: list[Kind] = ["fact", "event", "explicit_preference", "implicit_preference", "instruction"]
PLACES = st.sampled_from(["Porto", "Leeds", "Oslo", "Ghent", "Turin"])
SENTENCES = st.one_of(
    st.builds("The user lives in {}.".format, PLACES),
    st.builds("The user moved to {}.".format, PLACES),
    st.builds("The user no longer lives in {}.".format, PLACES),
    st.builds("The user might move to {}.".format, PLACES),
    st.sampled_from([WINDOW, AISLE, "The user hates liver.", "The user likes liver.", "The user quit coffee.",
                     "The user drinks coffee.", "The user is 34.", "The user is 35.", "Rex died.", "The user said: “”",
                     "The user has a dog called Rex.", "用户住在北京。", "The user switched from tea to coffee."]),
    st.text(max_size=60),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    SENTENCES,
    SENTENCES,
    st.sampled_from(KINDS),
    st.sampled_from(KINDS),
    st.floats(-1, 1),
    st.integers(0, 3),
    st.booleans(),
)
def test_what_is_the_users_own_is_never_changed(
    new: str, known: str, kind: Kind, other: Kind, cosine: float, since: int, correcting: bool
) -> None:
    told = draft(new, kind=kind, since=since)
    told = msgspec.structs.replace(told, correction=correcting)
    decided = decide(told, [(memory(known, kind=other, since=1, pinned=True), cosine)])
    assert not isinstance(decided, Supersede)
    assert not isinstance(decided, New) or (not decided.cut and not decided.weighed)
    assert not isinstance(decided, Observe) or (decided.status is None and not decided.ended)


@settings(max_examples=200, deadline=None)
@given(SENTENCES, st.sampled_from(KINDS))
def test_the_same_words_twice_never_make_a_second_memory(text: str, kind: Kind) -> None:
    told = draft(text, kind=kind, sources=(source("m1"),))
    assert isinstance(decide(told, [(memory(text, kind=kind), 1.0)]), Ignore)


@settings(max_examples=200, deadline=None)
@given(SENTENCES, SENTENCES, st.floats(-1, 1))
def test_events_never_merge(new: str, known: str, cosine: float) -> None:
    for kind, other in itertools.product(KINDS, KINDS):
        if "event" in (kind, other):
            decided = against(draft(new, kind=kind), memory(known, kind=other), cosine)
            assert not isinstance(decided, Observe)


@settings(max_examples=100, deadline=None)
@given(PLACES, PLACES, st.sampled_from(["The user lives in {}.", "The user moved to {}.", "The user is based in {}."]))
def test_the_order_of_arrival_does_not_matter_for_what_is_current(first: str, second: str, wording: str) -> None:
    if first == second:
        return
    older, newer = wording.format(first), wording.format(second)
    assert against(draft(newer, since=LATER), memory(older, since=OLD)) == Supersede(("old",))
    assert against(draft(older, since=OLD), memory(newer, since=LATER)) == New("superseded", LATER)


def test_what_arrives_between_two_cuts_the_first_one_short() -> None:
    first = memory("The user lives in Porto.", status="superseded", since=OLD)
    first = msgspec.structs.replace(first, valid_to=LATER, id="first")
    last = memory("The user lives in Oslo.", since=LATER)
    between = draft("The user lives in Leeds.", since=OLD + 10)
    assert decide(between, [(first, 0.9), (last, 0.9)]) == New("superseded", LATER, ("first",))


def test_a_contradiction_of_the_users_own_is_resolving() -> None:
    own = memory("The user lives in Porto.")
    assert decide(draft("The user moved to Leeds."), [(own, 0.8)], users_own={"old"}) == Resolve(("old",))
