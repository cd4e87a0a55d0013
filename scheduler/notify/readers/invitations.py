"""Readers for invitations by mail.

The table of invitations is the calendars' own: a message brings the day, the doctor and what
happened.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import DeliveryFailed, OutboxMessage
from scheduler.notify.readers.common import assignments_of
from scheduler.people.models import User
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentState, Half, NeedState


def day(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    """The day of an invitation; `why` is how it ended, or the rule that stood against a yes."""
    need = session.scalars(
        sa.select(Need)
        .where(Need.id == message.facts["need_id"])
        .options(joinedload(Need.room), joinedload(Need.practice))
    ).one_or_none()
    if need is None:
        raise DeliveryFailed("the day is gone", permanent=True)
    return {
        "where": {"date": need.date, "period": need.period, "need": need},
        "practice": need.practice,
        "why": message.facts.get("why"),
        "opening": _opening(need),
        "path": f"/p/{need.practice.slug}/needs/{need.id}",
    }


def open_day(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    """The same, as long as there is a day to invite to; `accepted` where it is theirs already."""
    found = day(session, message)
    if found["where"]["need"].state is not NeedState.PUBLISHED:
        raise DeliveryFailed("the day was withdrawn", permanent=True)
    return {
        **found,
        "accepted": bool(message.facts.get("accepted")),
        "hours": found["practice"].hold_hours,
    }


def held(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    """A day that is held for whoever answered; `tentative` where it waits for their own yes."""
    assignment = assignments_of(session, [message.facts["assignment_id"]])[0]
    if assignment.state is not AssignmentState.HELD:
        raise DeliveryFailed("the day is not held any more", permanent=True)
    return {
        **day(session, message),
        "until": assignment.held_until,
        "tentative": assignment.tentative,
    }


def answered(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    """What a doctor said, for whoever invited them; `open_again` where the day they gave back
    is still to fill."""
    doctor = session.get(User, message.facts["doctor_id"])
    if doctor is None:
        raise DeliveryFailed("the doctor is gone", permanent=True)
    found = day(session, message)
    return {
        **found,
        "doctor": doctor,
        "answer": message.facts["answer"],
        "open_again": bool(message.facts.get("given_back")) and _is_open(session, found),
        "path": f"/p/{found['practice'].slug}/calendar-invitations/",
    }


def _opening(need: Need) -> list[tuple[dt.datetime, dt.datetime]]:
    """From when until when the practice is open on the day, a pair for each half."""
    practice = need.practice
    hours = {
        Half.AM: (practice.am_start, practice.am_end),
        Half.PM: (practice.pm_start, practice.pm_end),
    }
    return [
        (dt.datetime.combine(need.date, first), dt.datetime.combine(need.date, last))
        for first, last in (hours[half] for half in need.period.halves)
    ]


def _is_open(session: UnitOfWork, found: dict[str, Any]) -> bool:
    need = found["where"]["need"]
    holder = sa.select(Assignment.id).where(
        Assignment.need_id == need.id, Assignment.state != AssignmentState.RELEASED
    )
    return need.state is NeedState.PUBLISHED and session.scalar(holder) is None
