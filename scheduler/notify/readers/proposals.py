"""Readers for proposals that were asked for."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import DeliveryFailed, OutboxMessage
from scheduler.roster.models import Proposal
from scheduler.roster.rules import LineState


def ended(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    proposal = (
        session.scalars(
            sa.select(Proposal)
            .where(Proposal.id == message.facts["proposal_id"])
            .options(joinedload(Proposal.practice), joinedload(Proposal.lines))
        )
        .unique()
        .one_or_none()
    )
    if proposal is None:
        raise DeliveryFailed("the proposal is gone", permanent=True)
    return {
        "proposal": proposal,
        "practice": proposal.practice,
        "days": sum(line.state is LineState.PROPOSED for line in proposal.lines),
        "path": f"/p/{proposal.practice.slug}/proposals/{proposal.id}",
    }
