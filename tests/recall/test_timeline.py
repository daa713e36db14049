"""Bars by day, week and month."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from satchel.recall.timeline import MOST_BARS, By, local_day, midnight, start_of, timeline
from satchel.store.pictures import SLOT_MS
from satchel.times import parse_iso
from satchel.types import KINDS, Kind

slots = st.integers(1_600_000_000_000 // SLOT_MS, 1_900_000_000_000 // SLOT_MS)
learned_ = st.lists(st.tuples(slots, st.sampled_from(KINDS), st.integers(1, 9)), max_size=30)
captured_ = st.lists(st.tuples(slots, st.integers(1, 9)), max_size=30)
TODAY = date(2026, 11, 20)


@settings(deadline=None)
@given(learned_, captured_, st.none() | st.sampled_from(["week", "month"]))
def test_bars_leave_out_nothing_and_no_day(
    learned: list[tuple[int, Kind, int]], captured: list[tuple[int, int]], by: By | None
) -> None:
    found = timeline(learned, captured, today=TODAY, by=by, day_of=local_day(UTC))
    assert sum(sum(bar.learned.values()) for bar in found.bars) == sum(count for _, _, count in learned)
    assert sum(bar.captured for bar in found.bars) == sum(count for _, count in captured)
    assert all(count > 0 for bar in found.bars for count in bar.learned.values())
    starts = [bar.start for bar in found.bars]
    assert starts[0] == found.first
    assert starts[-1] <= found.last
    assert found.last >= TODAY
    day = found.first
    expected = []
    while day <= found.last:
        if start_of(day, found.by) == day:
            expected.append(day)
        day += timedelta(days=1)
    assert starts == expected
    if by is None and found.by != "month":
        assert len(starts) <= MOST_BARS


def test_bars_are_as_narrow_as_leaves_them_apart() -> None:
    def by(days: int) -> tuple[By, int]:
        begun = int((parse_iso(TODAY.isoformat()) - days * 86_400_000) // SLOT_MS)
        found = timeline([(begun, "fact", 1)], [], today=TODAY, day_of=local_day(UTC))
        return found.by, len(found.bars)

    assert by(0) == ("day", 1)
    assert by(MOST_BARS - 1) == ("day", MOST_BARS)
    assert by(MOST_BARS) == ("week", 18)
    assert by(900) == ("month", 30)


def test_weeks_begin_on_monday() -> None:
    assert start_of(TODAY, "week") == date(2026, 11, 16)
    assert start_of(date(2026, 11, 16), "week") == date(2026, 11, 16)
    assert start_of(TODAY, "month") == date(2026, 11, 1)
    assert start_of(date.min, "week") <= date.min


def test_days_are_those_of_the_zone() -> None:
    late = parse_iso("2026-11-19T23:30:00Z")
    kathmandu = ZoneInfo("Asia/Kathmandu")
    assert local_day(UTC)(late) == date(2026, 11, 19)
    assert local_day(kathmandu)(late) == TODAY
    assert midnight(late, kathmandu) == parse_iso("2026-11-19T18:15:00Z")
    # The day on which clocks go back has 25 hours.
    assert midnight(parse_iso("2026-10-25T20:00:00Z"), ZoneInfo("Europe/Berlin")) == parse_iso("2026-10-24T22:00:00Z")


@settings(deadline=None)
@given(st.integers(-(10**14), 10**15))
def test_no_time_is_outside_the_calendar(ms: int) -> None:
    for zone in (None, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Niue")):
        assert date.min <= local_day(zone)(ms) <= date.max
