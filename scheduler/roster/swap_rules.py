"""Values and pure functions of days that go from one doctor to another."""

from __future__ import annotations

import datetime as dt
from typing import Final

from scheduler.core.clock import local_instant
from scheduler.core.errors import InvalidInput
from scheduler.people.models import Practice
from scheduler.roster.models import Assignment
from scheduler.roster.rules import AssignmentSource, Period

LONGEST_MESSAGE: Final = 255
# How long a day that was taken by mistake can be given back to who had it.
UNTAKE: Final = dt.timedelta(hours=24)
# Taking over without being asked, and declaring somebody absent, is for today and tomorrow.
REACH: Final = dt.timedelta(days=1)


def message_of(text: str) -> str:
    """What somebody typed, without the space around it; `InvalidInput` where it is too long."""
    text = text.replace("\r\n", "\n").strip()
    if len(text) > LONGEST_MESSAGE:
        raise InvalidInput("swap_message_too_long", field="message", most=LONGEST_MESSAGE)
    return text


def in_reach(date: dt.date, today: dt.date) -> bool:
    """Whether a day is so near that an emergency may be met without asking first."""
    return today <= date <= today + REACH


def begins_at(practice: Practice, day: Assignment) -> dt.datetime:
    """When the doors open for a day."""
    start = practice.pm_start if day.period is Period.PM else practice.am_start
    return local_instant(day.date, start, practice.timezone)


def ends_at(practice: Practice, day: Assignment) -> dt.datetime:
    """When the doors close after a day."""
    end = practice.am_end if day.period is Period.AM else practice.pm_end
    return local_instant(day.date, end, practice.timezone)


def untake_until(practice: Practice, day: Assignment, since: dt.datetime) -> dt.datetime:
    """Until when a day taken at `since` can be given back: for 24 hours, and before it begins.

    Whoever takes over in an emergency often does so when the day has begun: then until it ends.
    """
    over = ends_at if day.source is AssignmentSource.TAKEOVER else begins_at
    return min(since + UNTAKE, over(practice, day))


def passed(day: Assignment) -> tuple[str, ...]:
    """Codes of the doctor's own limits that they agreed to pass for a day."""
    return tuple(str(lift["code"]) for lift in day.lifts)
