"""Times: milliseconds inside, ISO 8601 outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.times import FIRST_MS, LAST_MS, now_ms, parse_iso, to_datetime, to_iso

any_ms = st.integers(FIRST_MS, LAST_MS)


@given(any_ms)
def test_what_is_written_reads_back_the_same(ms: int) -> None:
    text = to_iso(ms)
    assert parse_iso(text) == ms
    assert text.endswith("Z")
    assert len(text) == (20 if ms % 1000 == 0 else 24)


@given(st.lists(any_ms, min_size=2, max_size=5))
def test_texts_sort_as_times_do_to_the_second(times: list[int]) -> None:
    seconds = [ms // 1000 * 1000 for ms in times]
    assert sorted(map(to_iso, seconds)) == [to_iso(ms) for ms in sorted(seconds)]


naive = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31))  # noqa: DTZ001


@given(naive, st.integers(-14 * 60, 14 * 60))
def test_a_zone_moves_the_time_and_none_means_utc(moment: datetime, offset: int) -> None:
    there = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assert parse_iso(there.isoformat()) == parse_iso(moment.isoformat()) - offset * 60_000
    assert parse_iso(moment.isoformat()) == parse_iso(moment.replace(tzinfo=UTC).isoformat())


@given(st.integers(-(10**30), 10**30))
def test_any_number_can_be_written(ms: int) -> None:
    held = min(max(ms, FIRST_MS), LAST_MS)
    assert parse_iso(to_iso(ms)) == held
    assert to_datetime(ms).tzinfo is UTC


@given(st.text())
def test_anything_else_is_a_value_error_that_names_it(text: str) -> None:
    try:
        assert FIRST_MS <= parse_iso(text) <= LAST_MS
    except ValueError as error:
        assert repr(text[:40]) in str(error)  # noqa: PT017


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01"])
def test_a_zone_cannot_carry_a_time_out_of_the_calendar(text: str) -> None:
    with pytest.raises(ValueError, match="year 1 or after 9999"):
        parse_iso(text)


def test_now_is_now() -> None:
    assert abs(now_ms() - datetime.now(UTC).timestamp() * 1000) < 5_000
