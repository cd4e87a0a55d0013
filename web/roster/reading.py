"""All that the page of a week is drawn from: each read once, whatever the number of doctors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from scheduler.calendars.holidays import HolidayCalendar, holiday_calendar
from scheduler.core.permissions import DOCTOR_ROLES, Action, Actor, Subject, can
from scheduler.oncall.queries import OnCall, duties_between
from scheduler.people.models import Practice
from scheduler.roster import presence_queries, queries, week_queries
from scheduler.roster.presence_queries import Present
from scheduler.roster.queries import Entry
from scheduler.roster.rules import Half, monday_of
from scheduler.roster.week_queries import DoctorFacts, OpenMatters, Supervision, WeekAhead

WEEK: Final = dt.timedelta(days=7)
WEEKS_AHEAD: Final = 10


@dataclass(frozen=True, slots=True)
class Rights:
    """What the reader of a week may see and do beside its rooms.

    The front desk (titulars, secretaries) sees telephone numbers, licences and what is open;
    doctors see the number of an intern's supervisor.
    """

    front_desk: bool
    supervisor_phone: bool
    set_duty: bool
    write_advice: bool

    @classmethod
    def of(cls, actor: Actor, practice_id: int) -> Rights:
        here = Subject(practice_id)
        front_desk = can(actor, Action.CANDIDATES_VIEW, here)
        return cls(
            front_desk=front_desk,
            supervisor_phone=front_desk or bool(actor.roles_in(practice_id) & DOCTOR_ROLES),
            set_duty=can(actor, Action.DUTY_EDIT, here),
            write_advice=can(actor, Action.ADVICE_EDIT, here),
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """A week as it stands in the database; `matters` is empty for who may not see it."""

    monday: dt.date
    entries: Sequence[Entry]
    doctors: Mapping[int, DoctorFacts]
    presences: Sequence[Present]
    advice: Mapping[int, str]
    duties: Mapping[dt.date, OnCall]
    supervisions: Sequence[Supervision]
    matters: Sequence[OpenMatters]
    ahead: Sequence[WeekAhead]
    holidays: HolidayCalendar

    def without_doctor(self, day: dt.date) -> bool:
        """Whether nobody is there on a day who answers for results and urgent patients."""
        return len(self.halves_without_doctor(day)) == len(Half)

    def halves_without_doctor(self, day: dt.date) -> tuple[Half, ...]:
        return queries.halves_without_doctor(self.entries, day)

    def is_open(self, day: dt.date) -> bool:
        """Whether the house would have a doctor on a day: one is needed, or it is a working day."""
        if any(entry.date == day for entry in self.entries):
            return True
        return day.isoweekday() < 6 and day not in self.holidays.closed


def read(
    session: Session,
    practice: Practice,
    monday: dt.date,
    today: dt.date,
    rights: Rights,
    locale: str,
) -> Reading:
    """Read the week of `monday` for somebody with these rights."""
    sunday = monday + WEEK - dt.timedelta(days=1)
    entries = queries.roster_between(session, practice.id, monday, sunday)
    return Reading(
        monday=monday,
        entries=entries,
        doctors=week_queries.doctors_on(session, entries),
        presences=presence_queries.presences_between(session, practice.id, monday, sunday),
        advice=presence_queries.advice_of(session, practice.id),
        duties=duties_between(session, practice.id, monday, sunday),
        supervisions=week_queries.supervisions(session, practice.id, entries),
        matters=week_queries.open_matters(session, entries) if rights.front_desk else (),
        ahead=week_queries.weeks_ahead(
            session, practice.id, _strip_start(monday, today), WEEKS_AHEAD, today
        ),
        holidays=holiday_calendar(session, practice, monday, sunday, locale),
    )


def _strip_start(monday: dt.date, today: dt.date) -> dt.date:
    """The strip of weeks begins with this one, but where the reader is far from it."""
    this = monday_of(today)
    if this <= monday < this + WEEKS_AHEAD * WEEK:
        return this
    return monday - WEEK
