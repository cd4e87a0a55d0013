"""Days that are held: for a titular's word, or for a doctor who may come and has not said yes.

The practice's hours end both. What becomes of the first is the practice's choice; the second, a
tentative hold, is free again: nobody else can say yes for a doctor.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from scheduler.core.clock import local_instant
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import Conflict, InvalidInput, NotFound, RuleBroken
from scheduler.core.permissions import SYSTEM, Action, Actor, Subject, require
from scheduler.people.models import HoldOutcome, Practice, User
from scheduler.roster import assignments
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentSource, AssignmentState, Period, ReleaseKind
from scheduler.roster.texts import reason_of

BATCH: Final = 200


def waiting_for(session: Session, practice_id: int) -> list[Assignment]:
    """The days of a practice that wait for a titular's word, the most urgent first, with doctor,
    need and room."""
    return list(
        session.scalars(
            sa.select(Assignment)
            .where(
                Assignment.practice_id == practice_id,
                Assignment.state == AssignmentState.HELD,
                Assignment.tentative.is_(False),
            )
            .options(
                joinedload(Assignment.doctor), joinedload(Assignment.need).joinedload(Need.room)
            )
            .order_by(Assignment.held_until, Assignment.id)
        )
    )


def hold_tentatively(
    session: UnitOfWork, actor: Actor, need_id: int, *, source: AssignmentSource
) -> Assignment:
    """Hold a need for the actor, who may come, for the practice's hours.

    Never beyond the opening of the day itself, and once for a doctor and a need: a hold that
    has run out is not begun again. Holding again what is theirs already changes nothing. Raises
    `Conflict` when somebody was first or the need was withdrawn, and `RuleBroken` naming the rule
    that forbids it.
    """
    need = session.get(Need, need_id)
    if need is None or not actor.roles_in(need.practice_id):
        raise NotFound("need_not_found")
    require(actor, Action.NEED_CLAIM, Subject(need.practice_id, actor.user_id))
    doctor = session.get_one(User, actor.user_id)
    assignments.hold(session, need.practice_id, [doctor.id])
    practice = session.get_one(Practice, need.practice_id)
    begins = practice.pm_start if need.period is Period.PM else practice.am_start
    until = min(
        session.now() + dt.timedelta(hours=practice.hold_hours),
        local_instant(need.date, begins, practice.timezone),
    )
    if until <= session.now() or _ran_out(session, need.id, doctor.id):
        raise RuleBroken("hold_over", date=need.date)
    return assignments.place(
        session,
        actor,
        need,
        doctor,
        source=source,
        state=AssignmentState.HELD,
        held_until=until,
        tentative=True,
    )


def let_go(session: UnitOfWork, actor: Actor, assignment_id: int) -> Assignment:
    """End a tentative hold: its doctor does not come, or the practice takes it back. The need is
    free again, and nobody is told. What has ended stays as it is."""
    assignment = assignments.visible(session, actor, assignment_id)
    require(actor, Action.ASSIGNMENT_RELEASE, Subject(assignment.practice_id, assignment.doctor_id))
    assignments.hold(session, assignment.practice_id, [assignment.doctor_id])
    session.refresh(assignment)
    if assignment.tentative and assignment.state is AssignmentState.HELD:
        own = assignment.doctor_id == actor.user_id
        kind = ReleaseKind.UNDONE if own else ReleaseKind.TAKEN_AWAY
        assignments.end(session, actor, assignment, kind)
    return assignment


def confirm(session: UnitOfWork, actor: Actor, assignment_id: int) -> Assignment:
    """Say yes to a held day; the doctor is told. Confirming twice changes nothing.

    Raises `Conflict` for a day that is no longer held, or whose doctor has not said yes yet.
    """
    assignment = _held(session, actor, assignment_id, AssignmentState.CONFIRMED)
    if assignment.tentative:
        raise Conflict("hold_tentative", date=assignment.date)
    if assignment.state is AssignmentState.HELD:
        _confirm(session, actor, assignment)
    return assignment


def refuse(session: UnitOfWork, actor: Actor, assignment_id: int, reason: str) -> Assignment:
    """Say no to a held day, and why: it is to fill again, and the doctor is told.

    Saying it twice changes nothing; raises `Conflict` for another reason than the doctor has
    read, and for a day that is no longer held.
    """
    reason = reason_of(reason)
    if not reason:
        raise InvalidInput("reason_required", field="reason")
    assignment = _held(session, actor, assignment_id, AssignmentState.RELEASED)
    if assignment.state is AssignmentState.HELD:
        assignments.end(session, actor, assignment, ReleaseKind.REFUSED, reason)
        assignments.tell(session, "assignment.refused", assignment, [assignment.doctor_id], actor)
    elif assignment.release_reason != reason:
        raise Conflict("refused_already", date=assignment.date)
    return assignment


def expire_held(session: UnitOfWork) -> int:
    """Decide for the titulars of one practice, as it has chosen, where their time is over.

    Returns how many days that were, 0 when none is left in any practice. One practice a call:
    several would be locked in an order of their own.
    """
    due = sa.and_(Assignment.state == AssignmentState.HELD, Assignment.held_until <= session.now())
    practice_id = session.scalar(
        sa.select(Assignment.practice_id).where(due).order_by(Assignment.held_until).limit(1)
    )
    if practice_id is None:
        return 0
    query = sa.select(Assignment).where(due, Assignment.practice_id == practice_id)
    found = list(session.scalars(query.order_by(Assignment.id).limit(BATCH)))
    assignments.hold(session, practice_id, {row.doctor_id for row in found})
    practice = session.get_one(Practice, practice_id)
    for assignment in found:
        session.refresh(assignment)
        if assignment.state is not AssignmentState.HELD:
            continue
        if practice.hold_outcome is HoldOutcome.CONFIRM and not assignment.tentative:
            _confirm(session, SYSTEM, assignment)
            continue
        assignments.end(session, SYSTEM, assignment, ReleaseKind.EXPIRED)
        told = assignments.titulars_of(session, practice_id) | {assignment.doctor_id}
        kind = "hold.ended" if assignment.tentative else "assignment.freed"
        assignments.tell(session, kind, assignment, told, SYSTEM)
    return len(found)


def _ran_out(session: UnitOfWork, need_id: int, doctor_id: int) -> bool:
    """Whether a tentative hold of a doctor on a need has ended by itself before."""
    found = sa.select(Assignment.id).where(
        Assignment.need_id == need_id,
        Assignment.doctor_id == doctor_id,
        Assignment.tentative.is_(True),
        Assignment.release_kind == ReleaseKind.EXPIRED,
    )
    return session.scalar(found.limit(1)) is not None


def _confirm(session: UnitOfWork, actor: Actor, assignment: Assignment) -> None:
    assignment.state = AssignmentState.CONFIRMED
    assignment.held_until = None
    assignment.updated_at = session.now()
    session.flush()
    assignments.note(session, actor, "assignment.confirmed", assignment)
    assignments.tell(session, "assignment.confirmed", assignment, [assignment.doctor_id], actor)


def _held(
    session: UnitOfWork, actor: Actor, assignment_id: int, already: AssignmentState
) -> Assignment:
    """A held assignment that the actor may decide on, locked, or one that is `already` so."""
    assignment = assignments.visible(session, actor, assignment_id)
    require(actor, Action.ASSIGNMENT_CONFIRM, Subject(assignment.practice_id))
    assignments.hold(session, assignment.practice_id, [assignment.doctor_id])
    session.refresh(assignment)
    refused = assignment.release_kind is ReleaseKind.REFUSED
    if assignment.state is AssignmentState.HELD:
        return assignment
    if assignment.state is already and (already is AssignmentState.CONFIRMED or refused):
        return assignment
    raise Conflict("not_held", date=assignment.date)
