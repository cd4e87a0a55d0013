"""Named reads of proposals: the list, one of them, the lines that wait for a decision."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer, joinedload

from scheduler.core.errors import NotFound
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.people.models import Practice
from scheduler.roster.models import Need, Proposal, ProposalLine
from scheduler.roster.rules import LineState, ProposalState

MOST_LISTED: Final = 30

_FILES = (defer(Proposal.problem, raiseload=True), defer(Proposal.solution, raiseload=True))
_PEOPLE = (joinedload(Proposal.requester), joinedload(Proposal.decider))


@dataclass(frozen=True, slots=True)
class Listed:
    """A proposal as a line of the list, with how many of its days are in which state."""

    proposal: Proposal
    lines: Counter[LineState]


def proposals_of(session: Session, actor: Actor, practice: Practice) -> list[Listed]:
    """The practice's latest proposals, newest first."""
    require(actor, Action.PROPOSAL_VIEW, Subject(practice.id))
    found = session.scalars(
        sa.select(Proposal)
        .where(Proposal.practice_id == practice.id)
        .options(*_FILES, *_PEOPLE)
        .order_by(Proposal.id.desc())
        .limit(MOST_LISTED)
    ).all()
    counts: dict[int, Counter[LineState]] = defaultdict(Counter)
    rows = session.execute(
        sa.select(ProposalLine.proposal_id, ProposalLine.state, sa.func.count())
        .where(ProposalLine.proposal_id.in_([proposal.id for proposal in found]))
        .group_by(ProposalLine.proposal_id, ProposalLine.state)
    )
    for proposal_id, state, count in rows:
        counts[proposal_id][state] = count
    return [Listed(proposal, counts[proposal.id]) for proposal in found]


def proposal_of(session: Session, actor: Actor, practice: Practice, proposal_id: int) -> Proposal:
    """One proposal of the practice with its people, but not what was computed."""
    require(actor, Action.PROPOSAL_VIEW, Subject(practice.id))
    proposal = session.scalars(
        sa.select(Proposal)
        .where(Proposal.id == proposal_id, Proposal.practice_id == practice.id)
        .options(*_FILES, *_PEOPLE)
    ).one_or_none()
    if proposal is None:
        raise NotFound("proposal_not_found")
    return proposal


def open_lines_on(session: Session, proposal_id: int, dates: Iterable[dt.date]) -> list[int]:
    """The ids of the lines on these dates that nobody has decided on."""
    statement = (
        sa.select(ProposalLine.id)
        .join(ProposalLine.need)
        .where(
            ProposalLine.proposal_id == proposal_id,
            ProposalLine.state == LineState.PROPOSED,
            Need.date.in_(set(dates)),
        )
    )
    return list(session.scalars(statement))


def is_reviewable(proposal: Proposal) -> bool:
    """Whether there is a computed roster to look at."""
    return proposal.state in (ProposalState.READY, ProposalState.CLOSED)
