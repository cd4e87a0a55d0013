"""Giving a day to a doctor who agreed to it outside of Relais, on the telephone for example."""

from __future__ import annotations

from scheduler.core import outbox
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import NotFound
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.people.models import User
from scheduler.roster import assignments
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentSource


def give(session: UnitOfWork, actor: Actor, need_id: int, doctor_id: int) -> Assignment:
    """Put a doctor on a need, as if they had claimed it; the audit names who did it for them.

    The doctor is told, and can give the day back like any other; an open question to the doctor
    about it is answered with yes. Giving a day to whoever has it
    already changes nothing. Raises `Conflict` when somebody else was first or the need was
    withdrawn, and `RuleBroken` naming the rule that forbids it.
    """
    need = session.get(Need, need_id)
    if need is None or not (actor.is_system or actor.roles_in(need.practice_id)):
        raise NotFound("need_not_found")
    require(actor, Action.ASSIGNMENT_GIVE, Subject(need.practice_id))
    doctor = session.get(User, doctor_id)
    if doctor is None:
        raise NotFound("doctor_not_found")
    assignments.hold(session, need.practice_id, [doctor.id])
    before = assignments.holder_of(session, need.id)
    given = assignments.place(
        session, actor, need, doctor, source=AssignmentSource.CLAIM, agreed=True
    )
    if before is None and doctor.id != actor.user_id:
        outbox.post(
            session,
            cause=f"assignment.given:{given.id}",
            recipient_ids=[doctor.id],
            kind="assignment.given",
            assignment_id=given.id,
        )
    return given
