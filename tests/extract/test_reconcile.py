"""The model proposes, code decides: the same again, something newer, a contradiction, or new."""

from __future__ import annotations

import pytest

from satchel.extract.dialogue.choices import Chosen
from satchel.extract.reconciling.reconcile import Decision, Ignore, New, Observe, Resolve, Supersede, decide, slot
from satchel.types import Draft, Kind, Memory, Source, Status

OLD, LATER = 1_000, 2_000


def source(message: str, conversation: str = "c1", start: int = 0, end: int = 9) -> Source:
    return Source(message_id=message, conversation_id=conversation, start=start, end=end, quote="x" * (end - start))


def memory(
    text: str,
    *,
    kind: Kind = "fact",
    status: Status = "active",
    since: int = OLD,
    pinned: bool = False,
    sources: tuple[Source, ...] = (source("m1"),),
) -> Memory:
    return Memory(
        id="old", profile="me", kind=kind, text=text, key="k", sources=sources, status=status, valid_from=since,
        pinned=pinned,
    )  # fmt: skip


def draft(
    text: str, *, kind: Kind = "fact", since: int = LATER, sources: tuple[Source, ...] = (source("m2", "c2"),)
) -> Draft:
    return Draft(kind=kind, text=text, key="k", tags=(), sources=sources, valid_from=since)


def against(new: Draft, old: Memory, cosine: float = 0.95) -> Decision:
    return decide(new, [(old, cosine)])


def test_what_is_like_nothing_known_is_new() -> None:
    assert decide(draft("The user is vegan."), []) == New()
    assert against(draft("The user is vegan."), memory("The user lives in Porto."), 0.1) == New()


@pytest.mark.parametrize(
    ("again", "known"),
    [
        ("The user is vegan.", "the user is vegan"),
        ("The user lives in Porto.", "The user is living in Porto."),
        ("The user hates phone calls.", "The user can't stand phone calls."),
        ("The user leaves next week [week of 2025-06-16].", "The user leaves next week."),
    ],
)
def test_the_same_again_is_one_more_observation(again: str, known: str) -> None:
    assert against(draft(again), memory(known)) == Observe("old")


def test_other_numbers_or_names_are_not_the_same() -> None:
    assert against(draft("The user has 3 dogs."), memory("The user has 2 dogs."), 0.99) == New()
    assert against(draft("The user's sister Ann sings."), memory("The user's sister Eva sings."), 0.99) == New()


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ("The user lives in Leeds.", "The user lives in Porto."),
        ("The user moved to Leeds last spring.", "The user lives in Porto and prefers trains to planes."),
        ("The user works at Acme.", "The user works at Initech as a cook."),
        ("The user's name is Ruben.", "The user's name is Robin."),
        ("The user is 35 years old.", "The user is 34."),
        ("The user is vegetarian.", "The user is a vegan."),
        ("The user is married to Lea.", "The user is engaged to Mia."),
        ("The user's favourite colour is blue.", "The user's favourite colour is red."),
        ("The user no longer eats meat.", "The user eats meat."),
    ],
)
def test_a_changed_value_supersedes_the_older_one(now: str, before: str) -> None:
    assert against(draft(now), memory(before), 0.6) == Supersede(("old",))


def test_an_older_statement_that_arrives_late_does_not_supersede_the_newer() -> None:
    late = draft("The user lives in Leeds.", since=OLD)
    assert against(late, memory("The user lives in Porto.", since=LATER)) == New("superseded", LATER)


def test_the_fuller_account_becomes_the_current_one_and_the_shorter_is_one_more_observation_of_it() -> None:
    fuller, shorter = "The user lives in Porto, Portugal.", "The user lives in Porto."
    assert against(draft(fuller), memory(shorter), 0.8) == Supersede(("old",))
    assert against(draft(shorter), memory(fuller), 0.8) == Observe("old")


def test_a_plan_or_a_past_is_not_where_the_user_lives() -> None:
    for text in ("The user might move to Oslo.", "The user used to live in Oslo.", "The user wants to live in Oslo."):
        assert slot(text) is None
        assert against(draft(text), memory("The user lives in Porto."), 0.7) == New()


def test_two_events_are_never_one() -> None:
    swim = "The user swam in the lake."
    assert against(draft(swim, kind="event"), memory(swim, kind="event"), 1.0) == New()


def test_the_same_words_of_the_same_message_are_stored_once() -> None:
    same = (source("m1"),)
    assert isinstance(
        against(draft("The user swam.", kind="event", sources=same), memory("The user swam.", kind="event")), Ignore
    )


def test_a_contradiction_without_a_word_of_change_is_for_the_user_to_settle() -> None:
    assert against(draft("The user doesn't eat meat."), memory("The user eats meat.")) == Resolve(("old",))
    assert against(draft("The user likes liver."), memory("The user can't stand liver.")) == Resolve(("old",))
    turned = draft("The user prefers planes to trains.")
    assert against(turned, memory("The user prefers trains to planes.")) == Resolve(("old",))


@pytest.mark.parametrize("how", ["pinned", "own", "written"])
def test_what_the_user_wrote_edited_or_pinned_is_never_superseded(how: str) -> None:
    old = memory(
        "The user lives in Porto.", pinned=how == "pinned", sources=() if how == "written" else (source("m1"),)
    )
    decision = decide(draft("The user lives in Leeds."), [(old, 0.8)], users_own={"old"} if how == "own" else set())
    assert decision == Resolve(("old",))


def test_one_hint_is_a_candidate_and_one_in_another_conversation_makes_it_active() -> None:
    hint = draft("The user may prefer tea.", kind="implicit_preference")
    assert decide(hint, []) == New("candidate")
    known = memory("The user may prefer tea.", kind="implicit_preference", status="candidate")
    assert against(hint, known) == Observe("old", "active")
    again = draft("The user may prefer tea.", kind="implicit_preference", sources=(source("m3", "c1"),))
    assert against(again, known) == Observe("old")


def chosen(kind: Kind, text: str, *sources: Source) -> Chosen:
    return Chosen(kind=kind, text=text, key="k", tags=(), sources=sources, valid_from=LATER)


def test_a_choice_acted_on_is_active_at_once() -> None:
    assert decide(chosen("implicit_preference", "The user may prefer tea over milk.", source("m2")), []) == New(
        "active"
    )


def test_the_same_choice_from_another_offer_is_observed() -> None:
    known = memory("The user may prefer hotels like A over B.", kind="implicit_preference")
    again = chosen("implicit_preference", "The user may prefer hotels like A over C or D.", source("m2"))
    assert against(again, known) == Observe("old")


def test_a_fact_joined_with_its_choice_replaces_the_fact_alone() -> None:
    plan, choice = source("m1", start=0, end=56), source("m2")
    known = memory("The user has decided to go to Guangzhou.", sources=(source("m1", start=0, end=55),))
    joined = chosen("fact", "The user has decided to go to Guangzhou, and chose 7 Days Inn.", plan, choice)
    assert against(joined, known, 0.7) == Supersede(("old",))
    assert decide(joined, [(known, 0.7)], users_own={"old"}) == New()


def test_what_the_user_put_away_does_not_come_back() -> None:
    assert isinstance(against(draft("The user is vegan."), memory("The user is vegan.", status="archived")), Ignore)


def test_what_was_superseded_can_become_true_again() -> None:
    assert against(draft("The user lives in Porto."), memory("The user lives in Porto.", status="superseded")) == New()


def test_a_job_that_runs_again_does_not_bring_back_the_fact_without_its_choice() -> None:
    plan, choice = source("m1"), source("m2")
    joined = memory("The user goes to Rome, and chose Ibis.", sources=(plan, choice))
    again = draft("The user goes to Rome.", kind="event", sources=(plan,))
    assert isinstance(against(again, joined), Ignore)
