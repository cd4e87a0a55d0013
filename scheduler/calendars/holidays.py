"""The French calendar of a practice: public holidays, school holidays, and its own dates.

The library of school holidays ends on a date and answers "no" beyond it without a word. Here
what lies outside its data is unknown, which is neither yes nor no.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import sqlalchemy as sa
from holidays import country_holidays
from sqlalchemy.orm import Session
from vacances_scolaires_france import SchoolHolidayDates

from scheduler.calendars.models import HolidayKind, PracticeHoliday
from scheduler.people.models import Practice, SchoolZone
from scheduler.people.rules import is_subdivision
from scheduler.roster.rules import days_between

LANGUAGES: Final[Mapping[str, str]] = {"fr": "fr", "en": "en_US"}
ENGLISH_SCHOOL_NAMES: Final[Mapping[str, str]] = {
    "Vacances de la Toussaint": "All Saints’ school holidays",
    "Vacances de Noël": "Christmas school holidays",
    "Vacances d’hiver": "Winter school holidays",
    "Vacances de printemps": "Spring school holidays",
    "Pont de l’Ascension": "Ascension school holidays",
    "Vacances d’été": "Summer school holidays",
}


@dataclass(frozen=True, slots=True)
class HolidayCalendar:
    """What is known of the dates from `start` to `end`, both included; names by date.

    `public` are the public holidays, `own` the other dates on which the practice says it is
    closed, `school` the school holidays of its zone and those it added itself. School holidays
    are known up to `school_known_until` (None: the practice has no zone, nothing is known).
    """

    start: dt.date
    end: dt.date
    public: Mapping[dt.date, str]
    school: Mapping[dt.date, str]
    own: Mapping[dt.date, str]
    school_known_until: dt.date | None
    school_known_from: dt.date | None = None

    @property
    def closed(self) -> Mapping[dt.date, str]:
        """The dates on which nobody is expected to work: public holidays and own dates."""
        return {**self.own, **self.public}

    def is_school_holiday(self, day: dt.date) -> bool | None:
        """Whether `day` is a school holiday, or None where nobody can know."""
        if day in self.school:
            return True
        if self.school_known_from is None or self.school_known_until is None:
            return None
        return False if self.school_known_from <= day <= self.school_known_until else None

    @property
    def school_unknown_from(self) -> dt.date | None:
        """The first date of the range after which school holidays are unknown, if there is one."""
        if self.school_known_until is None or self.end <= self.school_known_until:
            return None
        return max(self.start, self.school_known_until + dt.timedelta(days=1))


def holiday_calendar(
    session: Session, practice: Practice, start: dt.date, end: dt.date, locale: str
) -> HolidayCalendar:
    """The holidays of a practice from `start` to `end`, both included, named in a language."""
    return holiday_calendars(session, [practice], start, end, locale)[practice.id]


def holiday_calendars(
    session: Session, practices: Sequence[Practice], start: dt.date, end: dt.date, locale: str
) -> dict[int, HolidayCalendar]:
    """The holidays of each practice, by its number; one query however many there are."""
    added: dict[int, list[PracticeHoliday]] = {practice.id: [] for practice in practices}
    for holiday in session.scalars(
        sa.select(PracticeHoliday)
        .where(
            PracticeHoliday.practice_id.in_(added),
            PracticeHoliday.start <= end,
            PracticeHoliday.end >= start,
        )
        .order_by(PracticeHoliday.start, PracticeHoliday.id)
    ):
        added[holiday.practice_id].append(holiday)
    return {
        practice.id: _calendar(practice, added[practice.id], start, end, locale)
        for practice in practices
    }


def _calendar(
    practice: Practice,
    added: Iterable[PracticeHoliday],
    start: dt.date,
    end: dt.date,
    locale: str,
) -> HolidayCalendar:
    own: dict[dt.date, str] = {}
    school: dict[dt.date, str] = {}
    for holiday in added:
        names = school if holiday.kind is HolidayKind.SCHOOL else own
        for day in days_between(max(start, holiday.start), min(end, holiday.end)):
            names.setdefault(day, holiday.name)
    zone = practice.school_zone
    if zone is not None:
        school |= school_holidays(zone, start, end, locale)
    known = school_data_range() if zone is not None else (None, None)
    return HolidayCalendar(
        start=start,
        end=end,
        public=public_holidays(practice.holiday_subdivision, start, end, locale),
        school=dict(sorted(school.items())),
        own=dict(sorted(own.items())),
        school_known_from=known[0],
        school_known_until=known[1],
    )


def public_holidays(
    subdivision: str | None, start: dt.date, end: dt.date, locale: str
) -> dict[dt.date, str]:
    """The public holidays of France, and of a subdivision of it, in order of date."""
    return {
        day: name
        for year in range(start.year, end.year + 1)
        for day, name in _public_of_year(subdivision, year, LANGUAGES.get(locale, "fr"))
        if start <= day <= end
    }


def school_holidays(
    zone: SchoolZone, start: dt.date, end: dt.date, locale: str
) -> dict[dt.date, str]:
    """The known school holidays of a zone; `school_data_range` says how far they are known."""
    first, last = school_data_range()
    names = _school_names(zone)
    found = {
        day: names[day] for day in days_between(max(start, first), min(end, last)) if day in names
    }
    if locale == "en":
        return {day: ENGLISH_SCHOOL_NAMES.get(name, name) for day, name in found.items()}
    return found


@cache
def school_data_range() -> tuple[dt.date, dt.date]:
    """The first and the last date that the library of school holidays speaks of.

    Its last row is the last day of a summer holiday, so that the covered time ends with it.
    """
    days = _school_data().data.keys()
    return min(days), max(days)


@cache
def _public_of_year(
    subdivision: str | None, year: int, language: str
) -> tuple[tuple[dt.date, str], ...]:
    # What the library no longer knows must not take the roster down with it.
    if subdivision is not None and not is_subdivision(subdivision):
        subdivision = None
    found = country_holidays("FR", subdiv=subdivision, years=year, language=language)
    return tuple((day, _printed(name)) for day, name in sorted(found.items()))


@cache
def _school_data() -> SchoolHolidayDates:
    return SchoolHolidayDates()


@cache
def _school_names(zone: SchoolZone) -> dict[dt.date, str]:
    column = f"vacances_zone_{zone.value.lower()}"
    return {
        day: _printed(row["nom_vacances"])
        for day, row in _school_data().data.items()
        if row[column]
    }


def _printed(name: str) -> str:
    """A name with the apostrophe of printed text; the libraries write that of a typewriter."""
    return name.replace("'", "’")
