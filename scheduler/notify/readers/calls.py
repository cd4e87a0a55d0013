"""Readers for calls for volunteers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import DeliveryFailed, OutboxMessage
from scheduler.notify.readers.common import assignments_of
from scheduler.roster import call_queries
from scheduler.roster.models import Call, Invitation
from scheduler.roster.rules import CallState


def prepared(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    call = _call(session, message.facts["call_id"])
    return {**_facts(session, call), "path": f"/p/{call.practice.slug}/calls/{call.id}"}


def answered(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    values = prepared(session, message)
    return {**values, "assignment": assignments_of(session, [message.facts["assignment_id"]])[0]}


def unanswered(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    """A call whose last wave has passed; `asked` is how many doctors it reached."""
    values = prepared(session, message)
    if not values["open_days"]:
        raise DeliveryFailed("the days are filled", permanent=True)
    asked = [row for row in values["call"].invitations if row.sent_at is not None]
    return {**values, "asked": len(asked)}


def invited(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    """`invitation_uid` is what the composer signs: the letter leads to the doctor's own page."""
    invitation = session.get(Invitation, message.facts["invitation_id"])
    if invitation is None:
        raise DeliveryFailed("the invitation is gone", permanent=True)
    call = _call(session, invitation.call_id)
    facts = _facts(session, call)
    # A call asks each doctor about those of its days only that they could take.
    theirs = {day.need_id for day in invitation.days}
    open_days = [day for day in facts["open_days"] if day["need"].id in theirs]
    return {**facts, "open_days": open_days, "invitation_uid": invitation.uid}


def still_invited(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    """The same, as long as there is a day to ask for."""
    values = invited(session, message)
    if not values["open_days"] or values["call"].state is not CallState.SENT:
        raise DeliveryFailed("the call is over", permanent=True)
    return values


def _call(session: UnitOfWork, call_id: int) -> Call:
    found = call_queries.whole(session, sa.select(Call).where(Call.id == call_id))
    if not found:
        raise DeliveryFailed("the call is gone", permanent=True)
    return found[0]


def _facts(session: UnitOfWork, call: Call) -> dict[str, Any]:
    days = call_queries.days_of(session, [call])[call.id]
    return {
        "call": call,
        "practice": call.practice,
        "worded": bool(call.message),
        "filled": call.state is CallState.FILLED and not any(day.is_open for day in days),
        # The week has its minimum, although a day is open.
        "enough": call.state is CallState.FILLED and any(day.is_open for day in days),
        "candidates": len(call.invitations),
        "open_days": [
            {"date": day.need.date, "period": day.need.period, "need": day.need}
            for day in days
            if day.is_open
        ],
    }
