"""How fast, and how long still."""

from __future__ import annotations

from satchel.pace import RECENT, Pace


def test_nothing_is_told_before_the_first_turn_but_that_nothing_takes_no_time() -> None:
    pace = Pace()
    assert (pace.per_minute, pace.seconds_for(3), pace.seconds_for(0)) == (None, None, 0)


def test_the_rate_is_that_of_the_turns_read_and_the_time_left_follows() -> None:
    pace = Pace()
    for seconds in (1.0, 3.0):
        pace.add(seconds)
    assert (pace.per_minute, pace.seconds_for(3), pace.seconds_for(0)) == (30.0, 6, 0)


def test_only_the_recent_past_counts() -> None:
    pace = Pace()
    for seconds in (1000.0, *[0.5] * RECENT):
        pace.add(seconds)
    assert pace.per_minute == 120.0
