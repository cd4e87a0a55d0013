"""Days that are held until a titular confirms them, or until the practice's hours are over."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from scheduler.core.database import UnitOfWork
from scheduler.core.errors import Conflict, InvalidInput
from scheduler.core.permissions import SYSTEM, Action, Actor, Subject, require
from scheduler.people.models import HoldOutcome, Practice
from scheduler.roster import assignments
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentState, ReleaseKind
from scheduler.roster.texts import reason_of

BATCH: Final = 200


def waiting_for(session: Session, practice_id: int) -> list[Assignment]:
    """The days of a practice that wait for a titular's word, the most urgent first, with doctor,
    need and room."""
    return list(
        session.scalars(
            sa.select(Assignment)
            .where(Assignment.practice_id == practice_id, Assignment.state == AssignmentState.HELD)
            .options(
                joinedload(Assignment.doctor), joinedload(Assignment.need).joinedload(Need.room)
            )
            .order_by(Assignment.held_until, Assignment.id)
        )
    )


def confirm(session: UnitOfWork, actor: Actor, assignment_id: int) -> Assignment:
    """Say yes to a held day; the doctor is told. Confirming twice changes nothing.

    Raises `Conflict` for a day that is no longer held.
    """
    assignment = _held(session, actor, assignment_id, AssignmentState.CONFIRMED)
    if assignment.state is AssignmentState.HELD:
        _confirm(session, actor, assignment)
    return assignment


def refuse(session: UnitOfWork, actor: Actor, assignment_id: int, reason: str) -> Assignment:
    """Say no to a held day, and why: it is to fill again, and the doctor is told."""
    reason = reason_of(reason)
    if not reason:
        raise InvalidInput("reason_required", field="reason")
    assignment = _held(session, actor, assignment_id, AssignmentState.RELEASED)
    if assignment.state is AssignmentState.HELD:
        assignments.end(session, actor, assignment, ReleaseKind.REFUSED, reason)
        assignments.tell(session, "assignment.refused", assignment, [assignment.doctor_id], actor)
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
        if practice.hold_outcome is HoldOutcome.CONFIRM:
            _confirm(session, SYSTEM, assignment)
            continue
        assignments.end(session, SYSTEM, assignment, ReleaseKind.EXPIRED)
        told = assignments.titulars_of(session, practice_id) | {assignment.doctor_id}
        assignments.tell(session, "assignment.freed", assignment, told, SYSTEM)
    return len(found)


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
