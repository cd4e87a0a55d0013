"""How questions to doctors end when the day is filled, taken back or over.

Filling a need and withdrawing it call `end_on`; it knows nothing of either.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import sqlalchemy as sa

from scheduler.core import audit, outbox
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.permissions import SYSTEM, Actor
from scheduler.people.models import Practice
from scheduler.roster.models import Ask, Need
from scheduler.roster.rules import AskState

BATCH: Final = 200


def end_on(
    session: UnitOfWork,
    actor: Actor,
    need: Need,
    *,
    taken_by: int | None = None,
    agreed: bool = False,
) -> None:
    """End the open questions about a need: somebody has it (`taken_by`), or it was withdrawn.

    Whoever takes a day that they were asked for, or `agreed` to it elsewhere, has said yes. The
    others were asked for nothing any more, and are told.
    """
    says_yes = agreed or taken_by == actor.user_id
    open_ones = session.scalars(
        sa.select(Ask)
        .where(Ask.need_id == need.id, Ask.state == AskState.OPEN)
        .order_by(Ask.id)
        .with_for_update()
    ).all()
    for ask in open_ones:
        if says_yes and ask.doctor_id == taken_by:
            end(session, actor, ask, AskState.ACCEPTED)
            if ask.asked_by != actor.user_id:
                tell_asker(session, ask)
        else:
            end(session, actor, ask, AskState.LAPSED)
            if ask.doctor_id != taken_by:
                tell_asked(session, ask, "ask.ended")


def lapse_past(session: UnitOfWork) -> int:
    """End the questions about days that are over, where their practice is; at most `BATCH`."""
    ended = 0
    for timezone in session.scalars(sa.select(Practice.timezone).distinct()).all():
        for ask in _open_before(session, local_date(session.now(), timezone), timezone):
            end(session, SYSTEM, ask, AskState.LAPSED)
            ended += 1
    return ended


def end(session: UnitOfWork, actor: Actor, ask: Ask, state: AskState) -> None:
    """Write that a question is no longer open."""
    ask.state, ask.ended_at = state, session.now()
    session.flush()
    note(session, actor, f"ask.{state.value}", ask)


def note(session: UnitOfWork, actor: Actor, action: str, ask: Ask, **details: Any) -> None:
    """Record an audit event about a question. What people typed stays out of it."""
    audit.record(
        session,
        actor,
        action,
        "ask",
        ask.id,
        practice_id=ask.practice_id,
        need_id=ask.need_id,
        doctor_id=ask.doctor_id,
        **details,
    )


def tell_asker(session: UnitOfWork, ask: Ask) -> None:
    """Tell whoever asked that the question is answered."""
    _tell(session, ask, "ask.answered", ask.asked_by)


def tell_asked(session: UnitOfWork, ask: Ask, kind: str) -> None:
    """Tell the doctor about the question, or about its end."""
    _tell(session, ask, kind, ask.doctor_id)


def _tell(session: UnitOfWork, ask: Ask, kind: str, recipient_id: int) -> None:
    outbox.post(
        session,
        cause=f"{kind}:{ask.id}",
        recipient_ids=[recipient_id],
        kind=kind,
        ask_id=ask.id,
    )


def _open_before(session: UnitOfWork, today: dt.date, timezone: str) -> list[Ask]:
    statement = (
        sa.select(Ask)
        .join(Ask.need)
        .join(Ask.practice)
        .where(Ask.state == AskState.OPEN, Need.date < today, Practice.timezone == timezone)
        .order_by(Ask.id)
        .limit(BATCH)
        .with_for_update(of=Ask, skip_locked=True)
    )
    return list(session.scalars(statement))
