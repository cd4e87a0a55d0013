"""Time comes from a clock that is handed in, so that tests and the demonstration can move it."""

from __future__ import annotations

import datetime as dt
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Anything that tells the present instant."""

    def now(self) -> dt.datetime:
        """The present instant, timezone-aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)


class FixedClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, instant: dt.datetime) -> None:
        self._instant = as_utc(instant)

    def now(self) -> dt.datetime:
        return self._instant

    def advance(self, delta: dt.timedelta) -> None:
        self._instant += delta

    def move_to(self, instant: dt.datetime) -> None:
        self._instant = as_utc(instant)


def as_utc(instant: dt.datetime) -> dt.datetime:
    """`instant` in UTC; raises `ValueError` for a naive one, since nobody knows what it means."""
    if instant.tzinfo is None:
        raise ValueError(f"naive datetime refused: {instant!r}")
    return instant.astimezone(dt.UTC)


def local_date(instant: dt.datetime, timezone: str) -> dt.date:
    """The calendar date on which `instant` falls in `timezone` (an IANA name)."""
    return as_utc(instant).astimezone(ZoneInfo(timezone)).date()


def local_instant(day: dt.date, time: dt.time, timezone: str) -> dt.datetime:
    """The instant, in UTC, of a wall-clock time on a date in `timezone` (an IANA name).

    Of a time that happens twice, the first; of one that the spring skips, the hour after it.
    """
    return dt.datetime.combine(day, time, ZoneInfo(timezone)).astimezone(dt.UTC)
