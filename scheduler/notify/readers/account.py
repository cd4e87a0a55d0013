"""Readers for messages about one's own account and its channels."""

from __future__ import annotations

from typing import Any, Final

from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import DeliveryFailed, OutboxMessage
from scheduler.notify.models import Phone

PREFERENCES: Final = "/account/notifications"


def phone_code(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    phone = session.get(Phone, message.recipient_id)
    if phone is None or phone.code is None:
        raise DeliveryFailed("the code is not needed any more", permanent=True)
    return {"code": phone.code}


def test(_session: UnitOfWork, _message: OutboxMessage) -> dict[str, Any]:
    return {"path": PREFERENCES}
