"""What can be done with a practice's own holidays."""

from __future__ import annotations

import datetime as dt
from typing import Final

from scheduler.calendars.models import HolidayKind, PracticeHoliday
from scheduler.core import audit
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import InvalidInput, NotFound
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.people.models import Practice
from scheduler.roster.rules import add_months

LONGEST_HOLIDAY: Final = 120
FURTHEST_HOLIDAY_MONTHS: Final = 60


def add_holiday(
    session: UnitOfWork,
    actor: Actor,
    practice: Practice,
    start: dt.date,
    end: dt.date,
    name: str,
    kind: HolidayKind = HolidayKind.CLOSED,
) -> PracticeHoliday:
    """Add dates on which a practice is closed, or school holidays that the library lacks.

    From the first day of last year on, and at most `FURTHEST_HOLIDAY_MONTHS` ahead.
    """
    require(actor, Action.HOLIDAYS_EDIT, Subject(practice.id))
    name = " ".join(name.split())
    if not name or len(name) > 80 or not name.isprintable():
        raise InvalidInput("holiday_name", field="name")
    if end < start:
        raise InvalidInput("holiday_dates", field="end")
    today = local_date(session.now(), practice.timezone)
    earliest = dt.date(today.year - 1, 1, 1)
    latest = add_months(today, FURTHEST_HOLIDAY_MONTHS)
    for field, day in (("start", start), ("end", end)):
        if not earliest <= day <= latest:
            raise InvalidInput(
                "holiday_out_of_range", field=field, earliest=earliest, latest=latest
            )
    if (end - start).days >= LONGEST_HOLIDAY:
        raise InvalidInput("holiday_too_long", field="end", longest=LONGEST_HOLIDAY)
    holiday = PracticeHoliday(practice_id=practice.id, start=start, end=end, name=name, kind=kind)
    session.add(holiday)
    session.flush()
    _record_holiday(session, actor, "holiday.added", holiday)
    return holiday


def remove_holiday(
    session: UnitOfWork, actor: Actor, practice: Practice, holiday_id: int
) -> PracticeHoliday:
    """Remove dates that a practice added."""
    require(actor, Action.HOLIDAYS_EDIT, Subject(practice.id))
    holiday = session.get(PracticeHoliday, holiday_id)
    if holiday is None or holiday.practice_id != practice.id:
        raise NotFound("holiday_not_found")
    _record_holiday(session, actor, "holiday.removed", holiday)
    session.delete(holiday)
    session.flush()
    return holiday


def _record_holiday(
    session: UnitOfWork, actor: Actor, action: str, holiday: PracticeHoliday
) -> None:
    audit.record(
        session,
        actor,
        action,
        "practice_holiday",
        holiday.id,
        practice_id=holiday.practice_id,
        start=holiday.start,
        end=holiday.end,
        name=holiday.name,
        kind=holiday.kind.value,
    )
