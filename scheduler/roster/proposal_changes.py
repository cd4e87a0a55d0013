"""What a computed proposal does otherwise than the one computed before it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.roster.models import Proposal
from scheduler.roster.problem import practice_key
from scheduler.roster.rules import ProposalState


@dataclass(frozen=True, slots=True)
class Change:
    """A need that has another doctor than before; keys as in the roster format, None: nobody."""

    need: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the proposal computed at `since`, over the days that both planned."""

    proposal_id: int
    since: dt.datetime
    gained: tuple[Change, ...]
    lost: tuple[Change, ...]
    moved: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost or self.moved)

    @property
    def doctors(self) -> set[str]:
        """Everybody the changes speak of."""
        every = (*self.gained, *self.lost, *self.moved)
        return {doctor for item in every for doctor in (item.before, item.after) if doctor}


def changes_since_last(
    session: Session, proposal: Proposal, problem: Mapping[str, Any], solution: Mapping[str, Any]
) -> Changes | None:
    """What changed since the roster computed last for some of the same days, if there is one."""
    earlier = sa.or_(
        Proposal.finished_at < proposal.finished_at,
        sa.and_(Proposal.finished_at == proposal.finished_at, Proposal.id < proposal.id),
    )
    last = session.execute(
        sa.select(
            Proposal.id,
            Proposal.start,
            Proposal.end,
            Proposal.finished_at,
            Proposal.problem,
            Proposal.solution,
        )
        .where(
            Proposal.practice_id == proposal.practice_id,
            Proposal.state.in_([ProposalState.READY, ProposalState.CLOSED]),
            Proposal.solution.is_not(None),
            Proposal.start <= proposal.end,
            Proposal.end >= proposal.start,
            earlier,
        )
        .order_by(Proposal.finished_at.desc(), Proposal.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return None
    here = practice_key(proposal.practice_id)
    before = _roster(last.solution["assignments"])
    after = _roster(solution["assignments"])
    known = {need["id"] for need in last.problem["needs"]}
    first, end = max(last.start, proposal.start), min(last.end, proposal.end)
    found = [
        Change(need["id"], before.get(need["id"]), after.get(need["id"]))
        for need in sorted(problem["needs"], key=lambda need: (need["date"], need["id"]))
        if need["practice"] == here
        and need["id"] in known
        and first.isoformat() <= need["date"] <= end.isoformat()
        and before.get(need["id"]) != after.get(need["id"])
    ]
    return Changes(
        proposal_id=last.id,
        since=last.finished_at,
        gained=tuple(item for item in found if item.before is None),
        lost=tuple(item for item in found if item.after is None),
        moved=tuple(item for item in found if item.before and item.after),
    )


def _roster(pairs: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {pair["need"]: pair["doctor"] for pair in pairs}
