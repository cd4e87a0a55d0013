"""The papers on the door: the week, and the notice on a day when a doctor is missing.

Neither holds a telephone number of anybody, nor anything about a patient.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from babel.dates import format_date

from scheduler.core.permissions import Role
from scheduler.documents import compiling
from scheduler.people.models import Practice
from scheduler.roster.rules import Half, Period
from scheduler.roster.sheet import Attendance, Consultation, SheetDay

PROFESSIONS: Final[Mapping[str, Mapping[Role, str]]] = {
    "fr": {Role.NURSE: "infirmière"},
    "en": {Role.NURSE: "nurse"},
}
HALF_NAMES: Final[Mapping[str, Mapping[Period, str | None]]] = {
    "fr": {Period.AM: "le matin", Period.PM: "l’après-midi", Period.DAY: None},
    "en": {Period.AM: "in the morning", Period.PM: "in the afternoon", Period.DAY: None},
}


def door_sheet(
    practice: Practice,
    days: Sequence[SheetDay],
    closed: Mapping[dt.date, str],
    language: str,
    public: str | None = None,
) -> bytes:
    """One week on one A4 page, as PDF.

    `closed` names the dates on which the practice is closed, `public` is the address at which
    patients may read the same.
    """
    return compiling.pdf("door", door_data(practice, days, closed, language, public))


def absence_notice(
    practice: Practice,
    day: SheetDay,
    following: SheetDay | None,
    language: str,
    public: str | None = None,
) -> bytes:
    """What is hung up on a day when a doctor is missing, as PDF.

    `following` is the next day with a doctor.
    """
    return compiling.pdf("absence", absence_data(practice, day, following, language, public))


def door_data(
    practice: Practice,
    days: Sequence[SheetDay],
    closed: Mapping[dt.date, str],
    language: str,
    public: str | None = None,
) -> dict[str, Any]:
    """What the template of the door sheet is given."""
    first, last = days[0].date, days[-1].date
    shown = [day for day in days if day.shown]
    rooms = {one.room for day in days for half in Half for one in day.consultations[half]}
    week = first.isocalendar().week
    return {
        "language": language,
        "practice": practice.name,
        "title": f"Semaine {week}" if language == "fr" else f"Week {week}",
        "dates": _range(first, last, language),
        "rooms": len(rooms),
        "hours": {
            "am": _hours(practice.am_start, practice.am_end, language),
            "pm": _hours(practice.pm_start, practice.pm_end, language),
        },
        "days": [_day(day, closed, language) for day in shown],
        "public": public,
    }


def absence_data(
    practice: Practice,
    day: SheetDay,
    following: SheetDay | None,
    language: str,
    public: str | None = None,
) -> dict[str, Any]:
    """What the template of the absence notice is given."""
    date = _long(day.date, language)
    title = f"Absence du {date}" if language == "fr" else f"Absence on {date}"
    return {
        "language": language,
        "practice": practice.name,
        "title": title,
        "date": _capital(_long(day.date, language)),
        "nobody": day.without_doctor,
        "am": [_person(one) for one in day.consultations[Half.AM]],
        "pm": [_person(one) for one in day.consultations[Half.PM]],
        "advice": day.advice,
        "others": [_other(one, language) for one in day.attendances],
        "following": _long(following.date, language) if following else None,
        "public": public,
    }


def _day(day: SheetDay, closed: Mapping[dt.date, str], language: str) -> dict[str, Any]:
    return {
        "weekday": _capital(format_date(day.date, "EEEE", locale=language)),
        "date": _day_and_month(day.date, language),
        "open": day.open and day.date not in closed,
        "holiday": closed.get(day.date),
        "without": day.without_doctor,
        "am": [_person(one) for one in day.consultations[Half.AM]],
        "pm": [_person(one) for one in day.consultations[Half.PM]],
        "advice": day.advice,
        "others": [_other(one, language) for one in day.attendances],
    }


def _person(one: Consultation) -> dict[str, Any]:
    return {"room": one.room, "name": called(one), "intern": one.intern}


def called(one: Consultation) -> str | None:
    """How patients know a doctor; None while it is not certain who comes."""
    if one.name is None:
        return None
    return f"Dr {one.name}" if one.titled else one.name


def _other(one: Attendance, language: str) -> dict[str, Any]:
    return {
        "name": one.name,
        "what": uncapitalised(one.profession or PROFESSIONS[language].get(one.role, "")),
        "when": HALF_NAMES[language][one.period],
    }


def next_with_doctor(days: Iterable[SheetDay]) -> SheetDay | None:
    """The first of some days on which a named doctor is there."""
    return next(
        (day for day in days if any(one.name for half in Half for one in day.consultations[half])),
        None,
    )


def _hours(start: dt.time, end: dt.time, language: str) -> str:
    return f"{_time(start, language)} – {_time(end, language)}"


def _time(at: dt.time, language: str) -> str:
    if language != "fr":
        return f"{at:%H:%M}"
    return f"{at.hour} h {at:%M}" if at.minute else f"{at.hour} h"


def _range(first: dt.date, last: dt.date, language: str) -> str:
    begin = "d MMMM" if first.year == last.year else "d MMMM y"
    if (first.year, first.month) == (last.year, last.month):
        begin = "d"
    start, end = _ordinal(first, begin, language), _ordinal(last, "d MMMM y", language)
    return f"du {start} au {end}" if language == "fr" else f"{start} to {end}"


def _day_and_month(day: dt.date, language: str) -> str:
    return _ordinal(day, "d MMMM", language)


def _long(day: dt.date, language: str) -> str:
    return _ordinal(day, "EEEE d MMMM", language)


def _ordinal(day: dt.date, pattern: str, language: str) -> str:
    """Only the first of a month is an ordinal in French: « 1er décembre »."""
    if language == "fr" and day.day == 1:
        pattern = pattern.replace("d", "d'er'")
    return format_date(day, pattern, locale=language)


def uncapitalised(text: str) -> str:
    """What goes on a sentence: « infirmière Asalée »; « IDE » keeps its capitals."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
