"""Counts by day, week or month, as bars without gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Literal

import msgspec

from satchel.store.pictures import SLOT_MS
from satchel.times import FIRST_MS, LAST_MS, to_datetime
from satchel.types import Kind

By = Literal["day", "week", "month"]

MOST_BARS = 120
"""As many as one can tell apart; when nobody says how wide bars shall be, they are as narrow as that allows."""

BOUND = 5_000
"""More bars than these are not given, whatever their width: a single wrong date gave one for every day since then."""


class Bar(msgspec.Struct, frozen=True):
    """`start` is its first day. `learned`: memories by kind, those of which there are any; `captured`: turns."""

    start: date
    learned: dict[Kind, int]
    captured: int


class Timeline(msgspec.Struct, frozen=True):
    """`first` is the first bar's first day, `last` the last bar's last day that is not ahead, or of which something is
    told. What lies further away than `BOUND` bars reach counts into the first bar, or the last."""

    by: By
    first: date
    last: date
    bars: list[Bar]


def local_day(zone: tzinfo | None = None) -> Callable[[int], date]:
    """From ms to the day there: in the computer's own zone, or another."""

    def day(ms: int) -> date:
        try:
            return to_datetime(min(max(ms, FIRST_MS), LAST_MS)).astimezone(zone).date()
        except (OverflowError, OSError):  # the zone carries it out of the years there are, or is not known there
            return date.max if ms > 0 else date.min

    return day


def midnight(ms: int, zone: tzinfo | None = None) -> int:
    """When the local day of a moment began, in ms."""
    begins = datetime.combine(local_day(zone)(ms), time.min, zone)
    return int(begins.timestamp() * 1000)  # a time without a zone is taken as the computer's own


def timeline(
    learned: Iterable[tuple[int, Kind, int]],
    captured: Iterable[tuple[int, int]],
    *,
    today: date,
    by: By | None = None,
    day_of: Callable[[int], date],
) -> Timeline:
    """Bars from the first day of which something is told until today, `BOUND` at most: from (time, kind, how many) of
    memories and (time, how many) of turns, times counted in `SLOT_MS`. `day_of` gives the local day of a time in ms."""
    memories: dict[date, Counter[Kind]] = {}
    for slot, kind, count in learned:
        memories.setdefault(day_of(slot * SLOT_MS), Counter())[kind] += count
    turns: Counter[date] = Counter()
    for slot, count in captured:
        turns[day_of(slot * SLOT_MS)] += count
    days = memories.keys() | turns.keys() | {today}
    first, last = min(days), max(days)
    by = by or _narrow(first, last)
    first, last = _within(first, last, today, by)
    bars: dict[date, tuple[Counter[Kind], int]] = {}
    for day in days:
        begins = start_of(min(max(day, first), last), by)
        kinds, count = bars.get(begins, (Counter(), 0))
        bars[begins] = kinds + memories.get(day, Counter()), count + turns[day]
    begins = start_of(first, by)
    found = []
    while begins <= last:
        kinds, count = bars.get(begins, (Counter(), 0))
        found.append(Bar(begins, dict(kinds), count))
        if (following := _after(begins, by)) is None:
            break
        begins = following
    return Timeline(by, start_of(first, by), last, found)


_WIDTHS: tuple[By, ...] = ("day", "week", "month")


def _narrow(first: date, last: date) -> By:
    return next((one for one in _WIDTHS if _number(first, last, one) <= MOST_BARS), "month")


def _within(first: date, last: date, today: date, by: By) -> tuple[date, date]:
    """The days from `first` to `last` that `BOUND` bars reach, those nearest to today: the past ones first."""
    number = _number(first, last, by)
    if number <= BOUND:
        return first, last
    first = max(first, _further(today, 1 - BOUND, by))
    return first, max(today, min(last, _further(first, BOUND - 1, by)))


def _further(day: date, number: int, by: By) -> date:
    """The first day of the bar that is so many after that of `day`, or before it; the calendar's end where it ends."""
    begins = start_of(day, by)
    try:
        if by == "month":
            months = begins.year * 12 + begins.month - 1 + number
            return date(months // 12, months % 12 + 1, 1)
        return begins + timedelta(days=number * (7 if by == "week" else 1))
    except (OverflowError, ValueError):
        return date.max if number > 0 else date.min


def start_of(day: date, by: By) -> date:
    """The first day of the day, week (from Monday) or month that `day` is in."""
    if by == "week":
        return day - timedelta(days=min(day.weekday(), (day - date.min).days))
    return day.replace(day=1) if by == "month" else day


def _after(day: date, by: By) -> date | None:
    """The start of the next bar; None at the end of the calendar."""
    try:
        if by == "month":
            return date(day.year + day.month // 12, day.month % 12 + 1, 1)
        return day + timedelta(days=7 if by == "week" else 1)
    except (OverflowError, ValueError):
        return None


def _number(first: date, last: date, by: By) -> int:
    if by == "month":
        return (last.year - first.year) * 12 + last.month - first.month + 1
    return (last - start_of(first, by)).days // (7 if by == "week" else 1) + 1
