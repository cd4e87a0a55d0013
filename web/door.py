"""The sheet on the door as a page shows and prints it: what `components/door.html` draws."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for
from flask_babel import format_date, get_locale

from scheduler.documents.door import uncapitalised
from scheduler.people.models import Practice
from scheduler.roster.rules import Half, Period
from scheduler.roster.sheet import Attendance, Consultation, SheetDay
from web.database import settings
from web.labels import PERIOD_NAMES, ROLE_NAMES
from web.localisation import written


def door(
    practice: Practice, days: Sequence[SheetDay], closed: Mapping[dt.date, str], today: dt.date
) -> dict[str, Any]:
    """One week for patients; days off of which there is nothing to say are left out."""
    rooms = {one.room for day in days for half in Half for one in day.consultations[half]}
    return {
        "hours": {
            "am": f"{_clock(practice.am_start)} – {_clock(practice.am_end)}",
            "pm": f"{_clock(practice.pm_start)} – {_clock(practice.pm_end)}",
        },
        "rooms": len(rooms) > 1,
        "days": [_day(day, closed, today) for day in days if day.shown],
    }


def public_address(practice: Practice) -> str | None:
    """Where patients may read the same, without the scheme; None while it is switched off."""
    if not (practice.public_page and practice.public_address):
        return None
    address = settings().base_url + url_for("public.week", address=practice.public_address)
    return address.partition("://")[2]


def _day(day: SheetDay, closed: Mapping[dt.date, str], today: dt.date) -> dict[str, Any]:
    return {
        "iso": day.date.isoformat(),
        "weekday": format_date(day.date, "EEEE"),
        "date": written(day.date, "d MMMM"),
        "today": day.date == today,
        "past": day.date < today,
        "closed": day.without_doctor and (not day.open or day.date in closed),
        "holiday": closed.get(day.date),
        "without": day.without_doctor,
        "advice": day.advice,
        "am": [_person(one) for one in day.consultations[Half.AM]],
        "pm": [_person(one) for one in day.consultations[Half.PM]],
        "others": [_other(one) for one in day.attendances],
    }


def _clock(at: dt.time) -> str:
    """« 8 h 30 » in French, "8:30" in English."""
    if get_locale().language != "fr":
        return f"{at.hour}:{at:%M}"
    return f"{at.hour}\u00a0h\u00a0{at:%M}" if at.minute else f"{at.hour}\u00a0h"


def _person(one: Consultation) -> dict[str, Any]:
    name = f"Dr {one.name}" if one.titled else one.name
    return {"name": name, "room": one.room, "intern": one.intern}


def _other(one: Attendance) -> dict[str, str]:
    when = "" if one.period is Period.DAY else str(PERIOD_NAMES[one.period]).lower()
    what = uncapitalised(one.profession or str(ROLE_NAMES[one.role]))
    return {"name": one.name, "what": what, "when": when}
