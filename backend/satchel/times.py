"""Times: integer milliseconds since the epoch inside, ISO 8601 in UTC outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MS = (datetime.min.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
LAST_MS = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)


def now_ms() -> int:
    """The wall clock, in ms since the epoch."""
    return (datetime.now(UTC) - EPOCH) // timedelta(milliseconds=1)


def parse_iso(text: str) -> int:
    """Milliseconds for an ISO 8601 date or date-time; without a zone it is taken as UTC.

    Raises ValueError, naming the text, for anything else, a time before year 1 or after year 9999 included.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not an ISO 8601 time such as 2026-03-01T10:00:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    ms = (moment - EPOCH) // timedelta(milliseconds=1)
    if not FIRST_MS <= ms <= LAST_MS:  # its zone carries it out of the years that can be written back
        raise ValueError(f"{text[:40]!r} is before the year 1 or after 9999 in UTC")
    return ms


def to_datetime(ms: int) -> datetime:
    """An aware UTC datetime, held inside the years 1 to 9999."""
    try:
        return EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if ms > 0 else datetime.min.replace(tzinfo=UTC)


def to_iso(ms: int) -> str:
    """`2026-03-01T10:00:00Z`, with milliseconds only where there are some."""
    moment = to_datetime(ms)
    text = moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")
