"""From a planned publication to what the template of its preview draws."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from scheduler.calendars.holidays import HolidayCalendar
from scheduler.people.models import Room
from scheduler.roster.models import WeekPattern
from scheduler.roster.needs import PlannedNeed, Publication
from scheduler.roster.rules import Period, add_months, days_between, monday_of, month_bounds
from web.localisation import iso_week, written


def months(
    publication: Publication,
    rooms: Sequence[Room],
    holidays: HolidayCalendar,
    *,
    start: dt.date,
    end: dt.date,
) -> list[dict[str, Any]]:
    """Each month of the period with the weeks of `components/month.html`."""
    planned: dict[dt.date, list[PlannedNeed]] = defaultdict(list)
    for need in publication.planned:
        planned[need.date].append(need)
    names = {room.id: room.name if len(rooms) > 1 else "" for room in rooms}
    found = []
    first = start.replace(day=1)
    while first <= end:
        within = max(start, first), min(end, month_bounds(first)[1])
        found.append(
            {
                "first": first,
                "new": sum(need.is_new for day in days_between(*within) for need in planned[day]),
                "weeks": [
                    {
                        "number": f"{monday.isocalendar().week:02d}",
                        "href": url_for("roster.week", week=iso_week(monday)),
                        "days": [
                            _day(day, within, planned[day], names, holidays)
                            for day in days_between(monday, monday + dt.timedelta(days=6))
                        ],
                    }
                    for monday in _mondays(*within)
                ],
            }
        )
        first = add_months(first, 1)
    return found


def _mondays(start: dt.date, end: dt.date) -> list[dt.date]:
    return [day for day in days_between(monday_of(start), end) if day.weekday() == 0]


def _day(
    day: dt.date,
    within: tuple[dt.date, dt.date],
    planned: Iterable[PlannedNeed],
    rooms: Mapping[int, str],
    holidays: HolidayCalendar,
) -> dict[str, Any]:
    inside = within[0] <= day <= within[1]
    return {
        "iso": day.isoformat(),
        "num": day.day,
        "label": written(day, "EEEE d MMMM"),
        "href": None,
        "today": False,
        "past": False,
        "closed": False,
        "outside": not inside,
        "holiday": holidays.closed.get(day) if inside else None,
        "school_holiday": holidays.school.get(day) if inside else None,
        "slots": [_chip(need, rooms) for need in planned] if inside else [],
    }


def _chip(need: PlannedNeed, rooms: Mapping[int, str]) -> dict[str, str]:
    half = {Period.AM: _("morning"), Period.PM: _("afternoon"), Period.DAY: _("day")}
    where = " · ".join(part for part in (rooms[need.slot.room_id], half[need.slot.period]) if part)
    return {"state": "uncovered" if need.is_new else "done", "text": where}


def half_days_a_week(pattern: WeekPattern) -> int:
    return sum(len(slot.period.halves) for slot in pattern.slots)


def stretches(named: Mapping[dt.date, str]) -> list[tuple[dt.date, dt.date, str]]:
    """Dates of one name that follow each other, as first, last and name."""
    found: list[tuple[dt.date, dt.date, str]] = []
    for _key, run in groupby(
        enumerate(sorted(named)), key=lambda pair: (named[pair[1]], pair[1].toordinal() - pair[0])
    ):
        days = [day for _number, day in run]
        found.append((days[0], days[-1], named[days[0]]))
    return found
