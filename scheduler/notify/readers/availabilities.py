"""Readers for months that open, and for reminders of them."""

from __future__ import annotations

from typing import Any

from babel.dates import format_date
from babel.lists import format_list

from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import DeliveryFailed, OutboxMessage
from scheduler.people.models import Practice, User
from scheduler.roster.rules import parse_month


def asked(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    practice = session.get(Practice, message.facts["practice_id"])
    if practice is None:
        raise DeliveryFailed("the practice is gone", permanent=True)
    language = session.get_one(User, message.recipient_id).locale.value
    months = message.facts["months"]
    names = [format_date(parse_month(month), "MMMM y", locale=language) for month in months]
    return {
        "practice": practice,
        "months": format_list(names, locale=language),
        "path": f"/availabilities/{months[0]}",
    }
