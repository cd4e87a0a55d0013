"""What undoing a day means for the call by which it was taken, through whatever door it is undone.

Undoing calls this; it knows nothing of that.
"""

from __future__ import annotations

import sqlalchemy as sa

from scheduler.core.database import UnitOfWork
from scheduler.roster.models import Assignment, Call, CallDay, Invitation
from scheduler.roster.rules import AssignmentState, CallState, InvitationState


def reopen(session: UnitOfWork, undone: Assignment) -> None:
    """Let a doctor's invitation wait for an answer again, unless they have another of its days.

    The caller holds the practice, so that no wave leaves meanwhile.
    """
    asked_for = sa.select(CallDay.call_id).where(CallDay.need_id == undone.need_id)
    invitations = session.scalars(
        sa.select(Invitation)
        .join(Invitation.call)
        .where(
            Call.id.in_(asked_for),
            Call.state == CallState.SENT,
            Invitation.doctor_id == undone.doctor_id,
            Invitation.state == InvitationState.ACCEPTED,
        )
        .order_by(Invitation.id)
    ).all()
    for invitation in invitations:
        if not _has_a_day(session, invitation):
            invitation.state, invitation.ended_at = InvitationState.SENT, None
    session.flush()


def _has_a_day(session: UnitOfWork, invitation: Invitation) -> bool:
    found = (
        sa.select(Assignment.id)
        .join(CallDay, CallDay.need_id == Assignment.need_id)
        .where(
            CallDay.call_id == invitation.call_id,
            Assignment.doctor_id == invitation.doctor_id,
            Assignment.state != AssignmentState.RELEASED,
        )
        .limit(1)
    )
    return session.scalar(found) is not None
