"""Readers for duties."""

from __future__ import annotations

import datetime as dt
from typing import Any

from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import DeliveryFailed, OutboxMessage
from scheduler.notify.readers.common import week_path
from scheduler.people.models import Practice


def duty(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    practice = session.get(Practice, message.facts["practice_id"])
    if practice is None:
        raise DeliveryFailed("the practice is gone", permanent=True)
    date = dt.date.fromisoformat(message.facts["date"])
    return {"practice": practice, "date": date, "path": week_path(practice, date)}
