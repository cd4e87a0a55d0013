"""Readers for days that change hands, are held or asked back, and are lost to an absence."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import DeliveryFailed, OutboxMessage
from scheduler.notify.readers.common import assignments_of
from scheduler.people.models import Practice, User
from scheduler.roster import lost_days
from scheduler.roster.models import Assignment, Need, ReleaseRequest, Swap


def day(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    """One assignment; `own` where it is the recipient's, `given` where somebody else put the
    doctor on it, who had agreed."""
    assignment = assignments_of(session, [message.facts["assignment_id"]])[0]
    practice = assignment.need.practice
    return {
        "assignment": assignment,
        "practice": practice,
        "own": assignment.doctor_id == message.recipient_id,
        "given": assignment.created_by not in (None, assignment.doctor_id),
        "path": f"/p/{practice.slug}/needs/{assignment.need_id}",
    }


def to_decide(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    """A day that waits for a titular's word."""
    found = day(session, message)
    return {**found, "path": _decisions(found["practice"])}


def absent(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    """A day whose doctor does not come."""
    found = day(session, message)
    number = found["assignment"].id
    return {**found, "path": f"/p/{found['practice'].slug}/absences/{number}"}


def filled(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    """A day taken in an absent doctor's place (`absent`, `absent_own` where it is the
    recipient); `declarer` where the recipient said that the doctor does not come."""
    found = day(session, message)
    before = lost_days.absence_before(session, found["assignment"])
    if before is None:
        raise DeliveryFailed("the absence is over", permanent=True)
    return {
        **found,
        "absent": session.get_one(User, before.doctor_id),
        "absent_own": before.doctor_id == message.recipient_id,
        "declarer": before.released_by == message.recipient_id,
    }


def passed_on(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    """A day that went from a colleague (`former`) to another; `former_own` where it was the
    recipient's."""
    found = day(session, message)
    former = session.scalars(
        sa.select(Assignment)
        .where(Assignment.id == found["assignment"].predecessor_id)
        .options(joinedload(Assignment.doctor))
    ).one_or_none()
    if former is None:
        raise DeliveryFailed("the day before is gone", permanent=True)
    return {
        **found,
        "former": former.doctor,
        "former_own": former.doctor_id == message.recipient_id,
    }


def request(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    """A request to be released; the titular's page for who decides, the day for who asked.

    `asked_for` where not the doctor but the `asker` made it.
    """
    found = day(session, message)
    asked = session.get(ReleaseRequest, message.facts["request_id"])
    if asked is None:
        raise DeliveryFailed("the request is gone", permanent=True)
    path = _decisions(found["practice"]) if message.kind == "release.requested" else found["path"]
    return {
        **found,
        "noted": asked.answer_note is not None,
        "asker": session.get_one(User, asked.requested_by),
        "asked_for": asked.requested_by != asked.doctor_id,
        "path": path,
    }


def swap(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    """An offer with its days; `taker` who took it, None while nobody did."""
    found = session.scalars(
        sa.select(Swap)
        .where(Swap.id == message.facts["swap_id"])
        .options(
            joinedload(Swap.practice),
            joinedload(Swap.doctor),
            joinedload(Swap.to_doctor),
            joinedload(Swap.assignment).joinedload(Assignment.need).joinedload(Need.room),
            joinedload(Swap.in_return).joinedload(Assignment.need).joinedload(Need.room),
        )
    ).one_or_none()
    if found is None:
        raise DeliveryFailed("the offer is gone", permanent=True)
    return {
        "swap": found,
        "assignment": found.assignment,
        "in_return": found.in_return,
        "practice": found.practice,
        "taker": session.get(User, found.taken_by) if found.taken_by else None,
        "giver_own": found.doctor_id == message.recipient_id,
        "taker_own": found.taken_by == message.recipient_id,
        "offerer_own": found.offered_by == message.recipient_id,
        "path": f"/p/{found.practice.slug}/swaps/{found.id}",
    }


def _decisions(practice: Practice) -> str:
    return f"/p/{practice.slug}/decisions/"
