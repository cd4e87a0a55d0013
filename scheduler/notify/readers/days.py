"""Readers for days that are given and given back."""

from __future__ import annotations

from typing import Any

from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import OutboxMessage
from scheduler.notify.readers.common import assignments_of, week_path
from scheduler.people.models import User
from scheduler.roster import assignments
from scheduler.roster.models import Assignment
from scheduler.roster.rules import AssignmentState


def given(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    assignment = assignments_of(session, [message.facts["assignment_id"]])[0]
    practice = assignment.need.practice
    return {
        "assignment": assignment,
        "practice": practice,
        "giver": _giver(session, assignment),
        "held": assignment.state is AssignmentState.HELD,
        "path": week_path(practice, assignment.date),
    }


def released(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    values = given(session, message)
    titulars = assignments.titulars_of(session, values["practice"].id)
    return {
        **values,
        "own": values["assignment"].doctor_id == message.recipient_id,
        "titular": message.recipient_id in titulars,
    }


def accepted(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    found = assignments_of(session, message.facts["assignment_ids"])
    practice = found[0].need.practice
    return {
        "assignments": found,
        "practice": practice,
        "path": week_path(practice, found[0].date),
    }


def _giver(session: UnitOfWork, assignment: Assignment) -> User | None:
    """Who gave a day to its doctor: a titular or a secretary; None where nobody else did."""
    if assignment.created_by in (None, assignment.doctor_id):
        return None
    return session.get(User, assignment.created_by)
