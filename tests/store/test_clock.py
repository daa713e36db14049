"""Ids and clocks order what was written, whatever the wall clock does."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storing import DAY, Clock, capture, turns

from satchel.store import Store
from satchel.store.clock import COUNTER_LIMIT, HybridClock, new_id

moments = st.integers(0, 9_999_999_000_000)  # to the year 2286, where the thirteen digits end


@given(st.lists(moments, min_size=2))
def test_every_tick_is_greater_than_the_last_one(times: list[int]) -> None:
    clock = HybridClock("d")
    ticks = [clock.tick(now) for now in times]
    assert all(a < b for a, b in pairwise(ticks))


@given(st.lists(moments, min_size=1), moments)
def test_a_clock_that_goes_on_from_a_value_never_falls_behind_it(times: list[int], now: int) -> None:
    first = HybridClock("d")
    last = [first.tick(t) for t in times][-1]
    assert HybridClock("d", last).tick(now) > last


@given(st.lists(st.tuples(moments, st.integers(0, COUNTER_LIMIT)), min_size=1), moments)
def test_values_seen_elsewhere_are_overtaken(seen: list[tuple[int, int]], now: int) -> None:
    clock = HybridClock("d")
    values = [f"{ms:013d}-{counter:04x}-e" for ms, counter in seen]
    for value in values:
        clock.observe(value)
    assert clock.tick(now)[:18] > max(values)[:18]


def test_a_full_counter_borrows_from_the_time() -> None:
    clock = HybridClock("d", f"{5:013d}-{COUNTER_LIMIT:04x}-d")
    assert clock.tick(3) == f"{6:013d}-0000-d"


def test_time_that_goes_on_resets_the_counter() -> None:
    clock = HybridClock("d")
    assert [clock.tick(now) for now in (7, 7, 8)] == [f"{7:013d}-0000-d", f"{7:013d}-0001-d", f"{8:013d}-0000-d"]


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [new_id() for _ in range(2_000)]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    assert all(i[14] == "7" for i in ids)


def test_a_store_opened_again_with_its_clock_set_back_goes_on_rising(data: Path) -> None:
    clock = Clock()
    first = Store(data, now=clock)
    capture(first, ["a"])
    device = first._tx.device
    first.close()
    clock.ms -= 400 * DAY
    again = Store(data, now=clock)
    capture(again, ["b"])
    assert again._tx.device == device
    clocks = again.read_now(lambda db: [r[0] for r in db.execute("SELECT clock FROM change ORDER BY seq")])
    assert all(a < b for a, b in pairwise(clocks))
    again.close()


@pytest.mark.parametrize(("ahead", "filed_at_arrival"), [(DAY - 1, False), (DAY + 1000, True), (3000 * DAY, True)])
def test_a_message_from_a_clock_far_ahead_is_filed_under_its_arrival(
    store: Store, clock: Clock, ahead: int, filed_at_arrival: bool
) -> None:
    from storing import said

    from satchel.times import to_iso

    sent = clock.ms + ahead
    kept = capture(store, [said("hello", sent_at=to_iso(sent))])
    (message,) = turns(store, kept.conversation_id)
    assert message.sent_at == sent
    assert message.time == (clock.ms if filed_at_arrival else sent)
