"""What is told of an invitation, written down, and how one ends.

The callers hold the practice (`assignments.hold`), so that every row is as it is read.
"""

from __future__ import annotations

from typing import Any

from scheduler.calendars.models import Answer, CalendarInvitation, Ending
from scheduler.core import audit, outbox
from scheduler.core.database import UnitOfWork
from scheduler.core.permissions import Actor


def tell(
    session: UnitOfWork, kind: str, invitation: CalendarInvitation, once: object, **facts: Any
) -> None:
    """Write to the doctor, one time for each value of `once`."""
    outbox.post(
        session,
        cause=f"{kind}:{invitation.id}:{once}",
        recipient_ids=[invitation.doctor_id],
        kind=kind,
        invitation_id=invitation.id,
        need_id=invitation.need_id,
        sequence=invitation.sequence,
        **facts,
    )


def tell_inviter(
    session: UnitOfWork,
    invitation: CalendarInvitation,
    answer: str,
    once: object,
    *,
    given_back: bool = False,
) -> None:
    """Tell whoever sent an invitation what was answered, and whether that frees the day."""
    outbox.post(
        session,
        cause=f"invitation.answered:{invitation.id}:{answer}:{once}",
        recipient_ids=[invitation.invited_by],
        kind="invitation.answered",
        need_id=invitation.need_id,
        doctor_id=invitation.doctor_id,
        answer=answer,
        given_back=given_back,
    )


def end(
    session: UnitOfWork,
    actor: Actor,
    invitation: CalendarInvitation,
    ending: Ending,
    *,
    quietly: bool = False,
) -> None:
    """End an invitation: its event is cancelled, by a sequence that is higher than any before.

    `quietly` where another letter says so. Who said no has nothing in their calendar to be
    cancelled, and nobody waits for a day that is over.
    """
    invitation.ended_at, invitation.ending = session.now(), ending
    invitation.sequence += 1
    session.flush()
    note(session, actor, f"invitation.{ending.value}", invitation)
    told = not quietly and ending is not Ending.PAST
    if told and invitation.answer is not Answer.DECLINED:
        tell(session, "invitation.ended", invitation, ending.value, why=ending.value)


def note(
    session: UnitOfWork, actor: Actor, action: str, invitation: CalendarInvitation, **details: Any
) -> None:
    """Record an audit event, beside the day that it is about."""
    audit.record(
        session,
        actor,
        action,
        "need",
        invitation.need_id,
        practice_id=invitation.practice_id,
        invitation_id=invitation.id,
        doctor_id=invitation.doctor_id,
        **details,
    )
