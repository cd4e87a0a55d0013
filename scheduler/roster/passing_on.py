"""A day goes from one doctor to another in one step, so that it never stands empty in between.

What offers, exchanges and takeovers share; their callers have asked for permission and hold the
locks of `assignments.hold` for the practice and every doctor concerned.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import Conflict, RuleBroken
from scheduler.core.permissions import SYSTEM, Actor
from scheduler.people.models import Practice, User
from scheduler.roster import assignments
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentSource, AssignmentState, ReleaseKind
from scheduler.roster.swap_rules import UNTAKE, passed, untake_until


@dataclass(frozen=True, slots=True)
class Step:
    """A day and who gets it; `passing` are the codes of that doctor's own limits that they agree
    to pass for it."""

    day: Assignment
    doctor: User
    source: AssignmentSource
    passing: Collection[str] = ()


def pass_on(
    session: UnitOfWork,
    actor: Actor,
    steps: Sequence[Step],
    kind: ReleaseKind,
    reason: str | None = None,
) -> list[Assignment]:
    """End each day and put the doctor on it who gets it: all of them or none.

    All end first, so that two who exchange do not stand in each other's way. A held day stays
    held for as long as it was. When it raises (`Conflict` or `RuleBroken`), nothing was written.
    """
    held = [step.day.held_until for step in steps]
    made = []
    with session.begin_nested():
        for step in steps:
            assignments.end(session, actor, step.day, kind, reason)
        for step, until in zip(steps, held, strict=True):
            taken = assignments.place(
                session,
                actor,
                session.get_one(Need, step.day.need_id),
                step.doctor,
                source=step.source,
                passing=step.passing,
                predecessor=step.day,
                state=AssignmentState.CONFIRMED if until is None else AssignmentState.HELD,
                held_until=until,
            )
            made.append(taken)
    return made


def require_possible(session: UnitOfWork, steps: Sequence[Step]) -> None:
    """Try it and take it back: raises what would forbid it, in the words of the rule."""
    savepoint = session.begin_nested()
    try:
        pass_on(session, SYSTEM, steps, ReleaseKind.SWAPPED)
    finally:
        savepoint.rollback()


def give_back(session: UnitOfWork, actor: Actor, days: Sequence[Assignment]) -> list[Assignment]:
    """Put each day back to whoever had it before it was passed on: all of them or none.

    What a doctor agreed to pass for the day before holds for it again. Raises `Conflict` saying
    who is not free any more and why.
    """
    steps = []
    for day in days:
        before = session.get_one(Assignment, day.predecessor_id)
        doctor = session.get_one(User, before.doctor_id)
        steps.append(Step(day, doctor, before.source, passed(before)))
    who, date = steps[0].doctor.name, days[0].date
    try:
        return pass_on(session, actor, steps, ReleaseKind.UNTAKEN)
    except (Conflict, RuleBroken) as error:
        raise Conflict("untake_impossible", who=who, date=date, why=error) from error


def require_upcoming(session: UnitOfWork, day: Assignment) -> None:
    """A day that is still somebody's, today or later, and not only held for whom may come."""
    if day.state is AssignmentState.RELEASED:
        raise Conflict("already_released", date=day.date)
    if day.state is AssignmentState.DONE or day.date < today_in(session, day.practice_id):
        raise RuleBroken("swap_past", date=day.date)
    if day.tentative:
        raise Conflict("hold_tentative", date=day.date)


def require_untakable(
    session: UnitOfWork, days: Sequence[Assignment], since: dt.datetime | None
) -> None:
    """Days taken at `since` that can still go back."""
    for day in days:
        if day.state is AssignmentState.RELEASED:
            raise Conflict("already_released", date=day.date)
        practice = session.get_one(Practice, day.practice_id)
        if since is None or session.now() >= untake_until(practice, day, since):
            hours = UNTAKE // dt.timedelta(hours=1)
            raise Conflict("untake_too_late", date=day.date, hours=hours)


def today_in(session: UnitOfWork, practice_id: int) -> dt.date:
    """The local date in a practice."""
    return local_date(session.now(), session.get_one(Practice, practice_id).timezone)
