"""What the month of availabilities shows: the grid, and what stands around it."""

from __future__ import annotations

import datetime as dt
from calendar import Calendar
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from flask_babel import gettext as _
from flask_babel import ngettext

from scheduler.calendars.holidays import HolidayCalendar
from scheduler.roster.availability_months import Change
from scheduler.roster.availability_queries import Outlook, OwnDay, Repetition, Said
from scheduler.roster.availability_rules import HalfDay, expand, last_day_to_plan
from scheduler.roster.rules import Half, Preference, days_between
from web.availabilities.forms import weekday_name
from web.labels import day_count
from web.localisation import written, written_moment

Value = TypeVar("Value")


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
    note: str | None
    busy: bool


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


@dataclass(frozen=True, slots=True)
class Month:
    """What a doctor said of a month, and what is known of it."""

    first: dt.date
    today: dt.date
    half_days: Mapping[HalfDay, Preference]
    own: list[OwnDay]
    needed: Mapping[dt.date, int]
    notes: Mapping[dt.date, str]
    busy: Collection[HalfDay]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a preview: a day, and what is said of it, each with its state."""

    day: dt.date
    label: str
    parts: list[tuple[str, str, str | None]]


def weeks_of(month: Month, holidays: HolidayCalendar, closed: Mapping[dt.date, str]) -> list[Week]:
    """The weeks of a month, Mondays first."""
    first, today, half_days, needed = month.first, month.today, month.half_days, month.needed
    mine = {date: list(days) for date, days in groupby(month.own, key=lambda day: day.date)}
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
            note=month.notes.get(day),
            busy=any((day, half) in month.busy for half in Half),
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


def invitation(outlook: Outlook, month: dt.date, *, answered: bool) -> list[str]:
    """What a month still needs, in sentences: kindly, or not at all where nothing is open.

    An equal part is only mentioned while the doctor has not said that all is said.
    """
    if not outlook.open:
        return []
    name = written(month, "MMMM")
    found = [
        ngettext(
            "In %(month)s one day is still to fill.",
            "In %(month)s %(num)d days are still to fill.",
            outlook.open,
            month=name,
        )
    ]
    if outlook.suiting:
        found.append(
            ngettext(
                "One of them falls on a day that suits you.",
                "%(num)d of them fall on a day that suits you.",
                outlook.suiting,
            )
        )
    if outlook.generous:
        found.append(_("You give %(days)s already: thank you.", days=day_count(outlook.given)))
    elif outlook.share and not answered:
        share = day_count(outlook.share)
        found.append(_("Shared out, that would be %(days)s each, if it suits you.", days=share))
    return found


def answer_line(
    answered_at: dt.datetime | None, half_days: Mapping[HalfDay, Preference], own: list[OwnDay]
) -> str | None:
    """What a doctor answered for a month as a whole, and when."""
    if answered_at is None:
        return None
    when = written_moment(answered_at, "d MMMM, HH:mm")
    if half_days or own:
        return _("You said on %(when)s that this is all for the month. Thank you.", when=when)
    return _("You said on %(when)s that you cannot come this month. Thank you.", when=when)


def added_lines(added: Mapping[HalfDay, Preference]) -> list[Line]:
    """The days that a copy would add, each with its halves: of (half or "day", state, None)."""
    return [
        Line(
            day,
            written(day, "EEEE d MMMM"),
            _parts({half: (None, state) for half, state in halves}),
        )
        for day, halves in _by_day(added)
    ]


def changed_lines(changed: Mapping[HalfDay, Change]) -> list[Line]:
    """The days that a copy would change: of (half or "day", new state, old state)."""
    return [
        Line(
            day,
            written(day, "EEEE d MMMM"),
            _parts({half: (change.was or "none", change.becomes) for half, change in halves}),
        )
        for day, halves in _by_day(changed)
    ]


def _by_day(half_days: Mapping[HalfDay, Value]) -> list[tuple[dt.date, list[tuple[Half, Value]]]]:
    found: defaultdict[dt.date, list[tuple[Half, Value]]] = defaultdict(list)
    for (day, half), value in sorted(half_days.items(), key=lambda item: item[0]):
        found[day].append((half, value))
    return sorted(found.items())


def _parts(
    halves: Mapping[Half, tuple[str | None, Preference]],
) -> list[tuple[str, str, str | None]]:
    """Both halves as one where they say the same."""
    if len(halves) == len(Half) and len(set(halves.values())) == 1:
        was, becomes = next(iter(halves.values()))
        return [("day", becomes.value, was)]
    return [(half.value, becomes.value, was) for half, (was, becomes) in halves.items()]
