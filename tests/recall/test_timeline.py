"""Bars by day, week and month."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from satchel.recall.timeline import BOUND, MOST_BARS, By, local_day, midnight, start_of, timeline
from satchel.store.pictures import SLOT_MS
from satchel.times import FIRST_MS, LAST_MS, parse_iso
from satchel.types import KINDS, Kind

slots = st.integers(1_600_000_000_000 // SLOT_MS, 1_900_000_000_000 // SLOT_MS)
learned_ = st.lists(st.tuples(slots, st.sampled_from(KINDS), st.integers(1, 9)), max_size=30)
captured_ = st.lists(st.tuples(slots, st.integers(1, 9)), max_size=30)
TODAY = date(2026, 11, 20)
UTC_DAY = local_day(UTC)


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


anywhen = st.integers(FIRST_MS // SLOT_MS, LAST_MS // SLOT_MS)


@settings(deadline=None, max_examples=40)
@given(st.lists(anywhen | slots, max_size=5), st.sampled_from(["day", "week", "month", None]))
@example([FIRST_MS // SLOT_MS], "day")
@example([LAST_MS // SLOT_MS], "week")
@example([FIRST_MS // SLOT_MS, LAST_MS // SLOT_MS], "month")
def test_no_date_gives_more_bars_than_the_bound_and_none_is_left_out(times: list[int], by: By | None) -> None:
    found = timeline(
        [(slot, "fact", 1) for slot in times], [(slot, 1) for slot in times], today=TODAY, by=by, day_of=UTC_DAY
    )
    assert len(found.bars) <= BOUND
    assert (
        sum(bar.captured for bar in found.bars) == sum(bar.learned.get("fact", 0) for bar in found.bars) == len(times)
    )
    assert found.bars[0].start == found.first <= TODAY <= found.last
    assert found.bars[-1].start == start_of(found.last, found.by)


def test_what_is_too_far_away_counts_into_the_outermost_bars() -> None:
    far = [(parse_iso(text) // SLOT_MS, 1) for text in ("0030-01-01", "2026-11-19", "2300-01-01")]
    found = timeline([], far, today=TODAY, by="day", day_of=UTC_DAY)
    assert (len(found.bars), found.last) == (BOUND, TODAY)
    assert [bar.captured for bar in found.bars if bar.captured] == [1, 1, 1]
    assert found.bars[0].captured == found.bars[-1].captured == 1
    ahead = timeline([], far[1:], today=TODAY, by="day", day_of=UTC_DAY)
    assert (len(ahead.bars), ahead.first, ahead.bars[-1].captured) == (BOUND, date(2026, 11, 19), 1)


class Narrow(tzinfo):
    """A zone that is known for some years only, as Windows knows its own."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        if moment is None or not 1970 <= moment.year < 3000:
            raise OSError(22, "Invalid argument")
        return timedelta(0)

    def dst(self, moment: datetime | None) -> timedelta:
        return timedelta(0)

    def fromutc(self, moment: datetime) -> datetime:
        return moment + self.utcoffset(moment)


def test_a_time_for_which_the_zone_is_not_known_lies_at_an_end_of_the_calendar() -> None:
    day = local_day(Narrow())
    assert day(parse_iso("0030-01-01")) == date.min
    assert day(parse_iso("3200-01-01")) == date.max
    assert day(parse_iso("2026-11-20")) == TODAY


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
