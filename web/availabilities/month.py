"""What the month of availabilities shows: the grid, and what stands around it."""

from __future__ import annotations

import datetime as dt
from calendar import Calendar
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from flask_babel import gettext as _
from flask_babel import ngettext

from scheduler.calendars.holidays import HolidayCalendar
from scheduler.roster.availability_queries import OwnDay, Repetition, Said
from scheduler.roster.availability_rules import HalfDay, expand, last_day_to_plan
from scheduler.roster.rules import Half, Preference, days_between
from web.availabilities.forms import weekday_name
from web.localisation import written


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the grid, as the component wants it."""

    iso: str
    num: int
    label: str
    outside: bool
    past: bool
    closed: bool
    today: bool
    holiday: str | None
    school_holiday: str | None
    am: Preference | None
    pm: Preference | None
    needed: int
    assigned: str | None
    assigned_half: Half | None


@dataclass(frozen=True, slots=True)
class Week:
    """A row of the grid."""

    number: int
    days: list[Day]


@dataclass(frozen=True, slots=True)
class Stretch:
    """School holidays: a name and the dates that the month shows of it."""

    name: str
    start: dt.date
    end: dt.date


def weeks_of(
    first: dt.date,
    today: dt.date,
    half_days: Mapping[HalfDay, Preference],
    own: list[OwnDay],
    needed: Mapping[dt.date, int],
    holidays: HolidayCalendar,
    closed: Mapping[dt.date, str],
) -> list[Week]:
    """The weeks of the month that begins on `first`, Mondays first."""
    mine = {date: list(days) for date, days in groupby(own, key=lambda day: day.date)}
    last = last_day_to_plan(today)

    def cell(day: dt.date) -> Day:
        # A day on which the practice opens after all can be answered like any other.
        shut = day in closed and day not in needed
        return Day(
            iso=day.isoformat(),
            num=day.day,
            label=written(day, "EEEE d MMMM"),
            outside=day.month != first.month,
            past=day < today or day > last,
            closed=shut,
            today=day == today,
            holiday=closed[day] if shut else None,
            school_holiday=holidays.school.get(day),
            am=half_days.get((day, Half.AM)),
            pm=half_days.get((day, Half.PM)),
            needed=needed.get(day, 0),
            assigned=places(mine.get(day, [])),
            assigned_half=only_half(mine.get(day, [])),
        )

    return [
        Week(week[0].isocalendar().week, [cell(day) for day in week])
        for week in Calendar().monthdatescalendar(first.year, first.month)
    ]


def places(days: list[OwnDay]) -> str | None:
    """Where somebody is on a date: the rooms, each once."""
    return ", ".join(dict.fromkeys(day.room for day in days)) or None


def only_half(days: list[OwnDay]) -> Half | None:
    """The half-day that is somebody's where the other half of the date is not."""
    halves = {half for day in days for half in day.period.halves}
    return halves.pop() if len(halves) == 1 else None


def stretches(names: Mapping[dt.date, str]) -> list[Stretch]:
    """Names of days put together to stretches."""
    found: list[Stretch] = []
    for day, name in sorted(names.items()):
        last = found[-1] if found else None
        if last and last.name == name and last.end == day - dt.timedelta(days=1):
            found[-1] = Stretch(name, last.start, day)
        else:
            found.append(Stretch(name, day, day))
    return found


def answer(
    said: Said, days: list[dt.date], practice_id: int | None
) -> dict[str, dict[str, str | None]]:
    """What some days say now, for the page that has just changed them."""
    first, last = min(days), max(days)
    half_days = expand(*said, first, last, practice_id)
    wanted = set(days)
    return {
        day.isoformat(): {half.value: half_days.get((day, half)) for half in Half}
        for day in days_between(first, last)
        if day in wanted
    }


def rhythm(repetition: Repetition) -> str:
    """« un jeudi sur deux »"""
    name = weekday_name(repetition.row.weekday)
    if repetition.row.interval_weeks == 1:
        return _("Every %(weekday)s", weekday=name)
    if repetition.row.interval_weeks == 2:
        return _("Every second %(weekday)s", weekday=name)
    return _(
        "Every %(weeks)d weeks, on %(weekday)s",
        weeks=repetition.row.interval_weeks,
        weekday=name,
    )


def to_fill_sentence(count: int) -> str | None:
    """How many days still look for a doctor; said kindly, or not at all where there is none."""
    if not count:
        return None
    return ngettext(
        "One day of this month is still looking for a doctor.",
        "%(num)d days of this month are still looking for a doctor.",
        count,
    )
