"""What a doctor has just taken: the days that can still be undone or wait for a titular's word."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.core.database import UnitOfWork
from scheduler.core.permissions import Actor, Role
from scheduler.people.models import Member, Practice, Room, User
from scheduler.people.queries import PracticeRef
from scheduler.roster import claiming
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentState, Period

_STANDING: Final = (AssignmentState.HELD, AssignmentState.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Recent:
    """A day that a doctor has taken and may undo (`undo_until`), or that still waits for a
    titular's word (`held_until`)."""

    assignment_id: int
    need_id: int
    practice: PracticeRef
    room: str
    date: dt.date
    period: Period
    held_until: dt.datetime | None
    undo_until: dt.datetime | None


def recent(session: UnitOfWork, actor: Actor, today: dt.date) -> list[Recent]:
    """The actor's own days that can still be undone or wait for a titular's word, by date."""
    rows = session.execute(
        sa.select(Assignment, Room.name, Practice)
        .join(Need, Need.id == Assignment.need_id)
        .join(Room, Room.id == Need.room_id)
        .join(Practice, Practice.id == Assignment.practice_id)
        .where(
            Assignment.doctor_id == actor.user_id,
            Assignment.state.in_(_STANDING),
            Assignment.date >= today,
            sa.or_(
                Assignment.state == AssignmentState.HELD,
                Assignment.created_at >= session.now() - claiming.UNDO,
            ),
        )
        .order_by(Assignment.date, Assignment.period, Assignment.id)
    )
    found = []
    for assignment, room, practice in rows:
        undoable = claiming.may_undo(session, actor, assignment)
        if not (undoable or assignment.held_until):
            continue
        found.append(
            Recent(
                assignment_id=assignment.id,
                need_id=assignment.need_id,
                practice=PracticeRef(practice.id, practice.slug, practice.name),
                room=room,
                date=assignment.date,
                period=assignment.period,
                held_until=assignment.held_until,
                undo_until=claiming.undo_until(assignment) if undoable else None,
            )
        )
    return found


def confirmers(session: Session, practice_id: int, today: dt.date) -> list[str]:
    """The names of the titulars who confirm held days of a practice."""
    rows = session.scalars(
        sa.select(User)
        .join(Member, Member.user_id == User.id)
        .where(
            Member.practice_id == practice_id,
            Member.role == Role.TITULAR,
            Member.since <= today,
            sa.or_(Member.until.is_(None), Member.until >= today),
            User.disabled_at.is_(None),
        )
        .order_by(User.family_name, User.given_name, User.id)
    )
    return list(dict.fromkeys(user.name for user in rows))
