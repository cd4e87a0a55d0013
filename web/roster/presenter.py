"""From the roster's values to what the templates of the week and the month draw."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from flask import url_for
from flask_babel import format_date
from flask_babel import gettext as _

from scheduler.calendars.holidays import HolidayCalendar
from scheduler.people.models import Room
from scheduler.roster.queries import Entry
from scheduler.roster.rules import (
    AssignmentState,
    Period,
    days_between,
    monday_of,
    month_bounds,
)
from web.labels import PRIORITY_NAMES, ROLE_NAMES
from web.localisation import iso_week, written

WEEK = dt.timedelta(days=7)
SATURDAY = 5


def day_anchor(day: dt.date) -> str:
    """Where a day stands on the page of its week."""
    return f"day-{day.isoformat()}"


def state(day: dt.date, taken: AssignmentState | None, today: dt.date) -> str:
    """The state of a need in the templates: nobody can fill a day of the past any more."""
    if taken is not None:
        return taken.value
    return "missed" if day < today else "uncovered"


def week(
    entries: Sequence[Entry],
    rooms: Iterable[Room],
    holidays: HolidayCalendar,
    *,
    monday: dt.date,
    today: dt.date,
    reader_id: int | None,
    lines: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """The value of `components/week.html`; `lines` are those of `web.roster.lines`."""
    by_room: dict[int, dict[dt.date, dict[str, Any]]] = defaultdict(lambda: defaultdict(dict))
    for entry in entries:
        by_room[entry.room_id][entry.date][entry.period.value] = _slot(entry, today, reader_id)
    days = list(days_between(monday, monday + dt.timedelta(days=6)))
    needed = {entry.date for entry in entries}
    return {
        "days": [_week_day(day, holidays, today, needed) for day in days],
        "rooms": [
            {
                "name": room.name,
                "days": [_cell(by_room[room.id][day]) for day in days],
            }
            for room in rooms
        ],
        "lines": lines,
    }


def _week_day(
    day: dt.date, holidays: HolidayCalendar, today: dt.date, needed: set[dt.date]
) -> dict[str, Any]:
    closed = day.weekday() >= SATURDAY or day in holidays.closed
    return {
        "iso": day.isoformat(),
        "anchor": day_anchor(day),
        "weekday": format_date(day, "EEE"),
        "date": written(day, "d MMM"),
        "label": written(day, "EEEE d MMMM"),
        "today": day == today,
        "past": day < today,
        "closed": closed and day not in needed,
        "holiday": holidays.closed.get(day),
        "school_holiday": holidays.school.get(day),
        "href": None,
    }


def _cell(slots: dict[str, Any]) -> dict[str, Any]:
    return {period.value: slots.get(period.value) for period in Period}


def _slot(entry: Entry, today: dt.date, reader_id: int | None) -> dict[str, Any]:
    return {
        "state": state(entry.date, entry.state, today),
        "href": url_for("roster.need", need_id=entry.need_id),
        "who": entry.doctor or "",
        "note": _note(entry, today),
        "mine": entry.doctor_id is not None and entry.doctor_id == reader_id,
    }


def _note(entry: Entry, today: dt.date) -> str:
    """In which role somebody is there, or what is particular about a day to fill."""
    if not entry.uncovered:
        return str(ROLE_NAMES[entry.role]) if entry.role else ""
    if entry.missed(today):
        return ""
    if len(entry.roles) == 1:
        return str(ROLE_NAMES[entry.roles[0]])
    return str(PRIORITY_NAMES[entry.priority]) if entry.priority > 1 else ""


def month(
    entries: Sequence[Entry],
    rooms: Sequence[Room],
    holidays: HolidayCalendar,
    *,
    first: dt.date,
    today: dt.date,
) -> list[dict[str, Any]]:
    """The value of `components/month.html`: the weeks that touch the month."""
    names = {room.id: room_mark(room.name) if len(rooms) > 1 else "" for room in rooms}
    slots: dict[dt.date, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        text = _chip(names.get(entry.room_id, ""), entry, today)
        slots[entry.date].append({"state": state(entry.date, entry.state, today), "text": text})
    return [
        {
            "number": f"{monday.isocalendar().week:02d}",
            "href": url_for("roster.week", week=iso_week(monday)),
            "days": [
                _month_day(day, first, holidays, today, slots[day])
                for day in days_between(monday, monday + dt.timedelta(days=6))
            ],
        }
        for monday in mondays(first)
    ]


def mondays(first: dt.date) -> list[dt.date]:
    """The Mondays of the weeks that touch the month of `first`."""
    begin, end = month_bounds(first)
    monday, found = monday_of(begin), []
    while monday <= end:
        found.append(monday)
        monday += WEEK
    return found


def room_mark(name: str) -> str:
    """« S1 » for « Salle 1 »: what fits in a small cell."""
    words = name.split()
    return "".join(word[0].upper() for word in words) if len(words) > 1 else name[:3]


def _chip(room: str, entry: Entry, today: dt.date) -> str:
    half = {Period.AM: _("a.m."), Period.PM: _("p.m."), Period.DAY: ""}[entry.period]
    where = " ".join(part for part in (room, half) if part)
    empty = _("Not filled") if entry.missed(today) else _("To fill")
    who = entry.family_name or empty
    return f"{where} · {who}" if where else who


def _month_day(
    day: dt.date,
    first: dt.date,
    holidays: HolidayCalendar,
    today: dt.date,
    slots: list[dict[str, Any]],
) -> dict[str, Any]:
    closed = day.weekday() >= SATURDAY or day in holidays.closed
    return {
        "iso": day.isoformat(),
        "num": day.day,
        "label": written(day, "EEEE d MMMM"),
        "href": url_for("roster.week", week=iso_week(day), _anchor=day_anchor(day)),
        "today": day == today,
        "past": day < today,
        "closed": closed and not slots,
        "outside": day.month != first.month,
        "holiday": holidays.closed.get(day),
        "school_holiday": holidays.school.get(day),
        "slots": slots,
    }
