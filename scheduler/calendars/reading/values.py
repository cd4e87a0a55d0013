"""What a calendar says once it is read: half-days, and what of it was left aside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scheduler.core.errors import InvalidInput
from scheduler.roster.rules import Half, Preference


class Unreadable(InvalidInput):
    """A calendar that cannot be read; `code` says why, in one of the words of `Fault`."""

    default_code = "calendar_broken"


@dataclass(frozen=True, slots=True)
class Hours:
    """The opening hours of a day, as its clocks show them.

    The defaults are those of a new practice.
    """

    am_start: dt.time = dt.time(8, 30)
    am_end: dt.time = dt.time(12, 30)
    pm_start: dt.time = dt.time(14, 0)
    pm_end: dt.time = dt.time(18, 30)


@dataclass(frozen=True, slots=True)
class SaidHalf:
    """What a calendar says of one half-day.

    `busy`: something there takes the doctor's time. `preference`: how gladly the doctor comes,
    where the calendar is read as availabilities; None where nothing covers enough of it. `uid` is
    that of the first event that says so.
    """

    date: dt.date
    half: Half
    busy: bool
    preference: Preference | None
    summary: str
    uid: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event, or another part of the file, that says nothing here, and why.

    `title` and `date`, where they are known, are for the eyes of who gave the file: they are
    neither kept nor logged.
    """

    uid: str
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    date: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A calendar that was read: one `SaidHalf` per date and half, in order."""

    half_days: tuple[SaidHalf, ...]
    ignored: tuple[Ignored, ...]
    name: str | None
    product: str
