"""Readers for days that are given and given back."""

from __future__ import annotations

from typing import Any

from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import OutboxMessage
from scheduler.notify.readers.common import assignments_of, week_path


def given(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    assignment = assignments_of(session, [message.facts["assignment_id"]])[0]
    practice = assignment.need.practice
    return {
        "assignment": assignment,
        "practice": practice,
        "path": week_path(practice, assignment.date),
    }


def released(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    values = given(session, message)
    return {**values, "own": values["assignment"].doctor_id == message.recipient_id}


def accepted(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    found = assignments_of(session, message.facts["assignment_ids"])
    practice = found[0].need.practice
    return {
        "assignments": found,
        "practice": practice,
        "path": week_path(practice, found[0].date),
    }
