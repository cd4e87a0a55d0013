"""The reader for what a doctor's own calendar could not have."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import DeliveryFailed, OutboxMessage
from scheduler.people.queries import identity
from scheduler.roster import board

_AROUND: Final = dt.timedelta(days=21)
_ZONE: Final = "Europe/Paris"


def refused(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    """`why` it could not be, as the calendar programme was told, or how it was `done` instead; the
    `date` it was about, if it was about one, and the open days nearest to it."""
    today = local_date(session.now(), _ZONE)
    doctor = identity(session, message.recipient_id, today)
    if doctor is None:
        raise DeliveryFailed("the doctor is gone", permanent=True)
    wished = message.facts["date"]
    date = None if wished is None else dt.date.fromisoformat(wished)
    near: list[board.OpenDay] = []
    done = message.facts.get("done", False)
    if date is not None and not done and message.facts["calendar"] == "my-days":
        start = max(today, date - _AROUND)
        days = board.board_between(session, doctor.actor, start, date + _AROUND).days
        near = board.nearest(days, date, 0)
    availabilities = message.facts["calendar"] == "availabilities"
    return {
        "why": message.facts["why"],
        "done": done,
        "date": date,
        "near": near,
        "path": "/availabilities/" if availabilities else "/board/",
    }
