"""Days that are somebody's, as the events of a calendar: in a feed, or in a file of a letter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Final

from scheduler.calendars import document, rules
from scheduler.calendars.document import Entry
from scheduler.people.models import Locale
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentState, Period

# The address of the page of a practice's week: its slug, and a day of it.
Link = Callable[[str, dt.date], str]

MEDIA_TYPE: Final = 'text/calendar; charset="utf-8"; method="PUBLISH"'
FILE_NAME: Final = {Locale.FRENCH: "journees.ics", Locale.ENGLISH: "days.ics"}


def days_file(days: Sequence[Assignment], locale: Locale, link: Link) -> bytes:
    """A calendar of one doctor's days, at least one, with need, room and practice loaded.

    The events are those of the personal feed: who has both sees each day once.
    """
    words = rules.WORDS[locale]
    entries = [day_entry(day, words, link, personal=True) for day in days]
    dates = [day.date for day in days]
    return document.write(
        words["my_days"],
        locale.value,
        days[0].need.practice.timezone,
        (min(dates).year, max(dates).year),
        entries,
        all_day=False,
    )


def day_entry(row: Assignment, words: rules.Words, link: Link, *, personal: bool) -> Entry:
    """A day as an event: named after the practice for its doctor, after the doctor for others."""
    need = row.need
    practice = need.practice
    held = row.state is AssignmentState.HELD
    start, end = rules.hours_of(practice, row.date, row.period)
    return Entry(
        uid=row.uid,
        sequence=row.version - 1 + practice.version - 1,
        changed_at=row.updated_at,
        start=start,
        end=end,
        summary=practice.name if personal else f"{row.doctor.name} · {need.room.name}",
        half=half_of(row.period, words),
        note=words["to_confirm"] if held else "",
        location=place_of(need),
        url=link(practice.slug, row.date),
        tentative=held,
    )


def titled(title: str, period: Period, words: rules.Words, *, all_day: bool, note: str = "") -> str:
    """The title, with what an all-day event cannot show and what is still open."""
    return document.with_remarks(title, half_of(period, words) if all_day else "", note)


def half_of(period: Period, words: rules.Words) -> str:
    """Which half of a day a period is, in words; nothing for a whole one."""
    return "" if period is Period.DAY else words[period.value]


def place_of(need: Need) -> str:
    parts = (need.room.name, need.practice.name, need.practice.address)
    return ", ".join(part for part in parts if part)
