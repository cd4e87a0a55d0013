"""Readers for questions to doctors."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import DeliveryFailed, OutboxMessage
from scheduler.roster.models import Ask, Need
from scheduler.roster.rules import AskState


def asked(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    ask = session.scalars(
        sa.select(Ask)
        .where(Ask.id == message.facts["ask_id"])
        .options(
            joinedload(Ask.need).joinedload(Need.room),
            joinedload(Ask.practice),
            joinedload(Ask.doctor),
            joinedload(Ask.asker),
        )
    ).one_or_none()
    if ask is None:
        raise DeliveryFailed("the question is gone", permanent=True)
    return {
        "ask": ask,
        "where": {"date": ask.need.date, "period": ask.need.period, "need": ask.need},
        "practice": ask.practice,
        "accepted": ask.state is AskState.ACCEPTED,
        "noted": ask.answer_note is not None,
        "path": f"/asks/{ask.id}",
    }
