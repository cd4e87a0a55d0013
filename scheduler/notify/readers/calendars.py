"""Readers for the calendars that Relais reads for a doctor."""

from __future__ import annotations

from typing import Any

from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import OutboxMessage


def failing(_session: UnitOfWork, _message: OutboxMessage) -> dict[str, Any]:
    """Nothing of the calendar itself: its address is a secret, its name the doctor's own."""
    return {"path": "/calendars/imports/"}
