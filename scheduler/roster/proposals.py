"""What people do with a proposal: ask for it, stop it, try again, accept it or not.

What the worker does with it between is in `scheduler.roster.proposal_work`.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from scheduler.core import outbox
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import Conflict, InvalidInput, NotFound, RelaisError
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.people.models import Practice, User
from scheduler.roster import assignments, work
from scheduler.roster.models import Assignment, Need, Proposal, ProposalLine
from scheduler.roster.needs import latest_day
from scheduler.roster.problem import first_plannable
from scheduler.roster.proposal_work import note
from scheduler.roster.rules import (
    AssignmentSource,
    AssignmentState,
    LineState,
    NeedState,
    ProposalState,
    add_months,
)

MOST_MONTHS: Final = 6


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What became of the lines that were accepted: ids of lines, refusals with their error."""

    accepted: tuple[int, ...] = ()
    refused: Mapping[int, RelaisError] = field(default_factory=dict)


def request_proposal(
    session: UnitOfWork, actor: Actor, practice: Practice, start: dt.date, end: dt.date
) -> Proposal:
    """Queue a proposal for the days from `start` (tomorrow at the earliest) to `end`.

    Raises `InvalidInput` for a period that is over, too far, too long or with nothing to fill, and
    `Conflict` while another proposal of the practice is being computed.
    """
    require(actor, Action.PROPOSAL_COMPUTE, Subject(practice.id))
    if end < start:
        raise InvalidInput("proposal_backwards", field="end")
    start = max(start, first_plannable(session, practice))
    if end < start:
        raise InvalidInput("proposal_past", field="end")
    latest = latest_day(local_date(session.now(), practice.timezone))
    if start > latest:
        raise InvalidInput("proposal_too_far", field="start", latest=latest)
    if end >= add_months(start, MOST_MONTHS):
        raise InvalidInput("proposal_too_long", field="end", months=MOST_MONTHS)
    _one_at_work(session, practice)
    if not _has_open_need(session, practice, start, end):
        raise InvalidInput("proposal_nothing_to_fill", field="start", start=start, end=end)
    proposal = Proposal(
        practice_id=practice.id,
        start=start,
        end=end,
        requested_by=actor.user_id,
        requested_at=session.now(),
    )
    session.add(proposal)
    session.flush()
    note(session, actor, "proposal.requested", proposal, start=start, end=end)
    return proposal


def cancel(session: UnitOfWork, actor: Actor, proposal_id: int) -> Proposal:
    """Stop a proposal that is queued or being computed; what is over stays as it is."""
    proposal = _locked(session, actor, proposal_id, Action.PROPOSAL_COMPUTE)
    if work.cancel(session, proposal):
        note(session, actor, "proposal.cancelled", proposal)
    return proposal


def retry(session: UnitOfWork, actor: Actor, proposal_id: int) -> Proposal:
    """Queue a failed or cancelled proposal again, as if it had just been asked for."""
    proposal = _locked(session, actor, proposal_id, Action.PROPOSAL_COMPUTE)
    if proposal.state not in (ProposalState.FAILED, ProposalState.CANCELLED):
        raise Conflict("proposal_not_failed")
    practice = session.get_one(Practice, proposal.practice_id)
    if proposal.end < first_plannable(session, practice):
        raise InvalidInput("proposal_past", field="end")
    _one_at_work(session, practice)
    work.queue_again(session, proposal)
    note(session, actor, "proposal.retried", proposal)
    return proposal


def discard(session: UnitOfWork, actor: Actor, proposal_id: int) -> Proposal:
    """Close a proposal; the lines that nobody accepted are declined."""
    proposal = _locked(session, actor, proposal_id, Action.PROPOSAL_ACCEPT)
    if proposal.state is not ProposalState.READY:
        raise _not_ready(session, proposal)
    session.execute(
        sa.update(ProposalLine)
        .where(ProposalLine.proposal_id == proposal.id, ProposalLine.state == LineState.PROPOSED)
        .values(state=LineState.DECLINED, decided_at=session.now())
    )
    proposal.state = ProposalState.CLOSED
    proposal.decided_by = actor.user_id
    session.flush()
    note(session, actor, "proposal.discarded", proposal)
    return proposal


def accept(
    session: UnitOfWork,
    actor: Actor,
    proposal_id: int,
    line_ids: Collection[int] | None = None,
) -> Acceptance:
    """Turn the proposed days, all of them or the chosen lines, into assignments.

    Every rule is asked again for every line. A line that can no longer be is reported and keeps
    its refusal; what stands is never overwritten. Each doctor is told once. Raises `Conflict`
    when nothing of what was chosen is open any more.
    """
    proposal = _visible(session, actor, proposal_id)
    require(actor, Action.PROPOSAL_ACCEPT, Subject(proposal.practice_id))
    doctors = session.scalars(
        sa.select(ProposalLine.doctor_id).where(ProposalLine.proposal_id == proposal.id).distinct()
    ).all()
    assignments.hold(session, proposal.practice_id, doctors)
    session.refresh(proposal)
    if proposal.state is not ProposalState.READY:
        raise _not_ready(session, proposal)
    lines = _open_lines(session, proposal.id)
    chosen = lines if line_ids is None else [line for line in lines if line.id in set(line_ids)]
    if not chosen:
        raise _nothing_chosen(session, proposal, line_ids)
    before = _standing(session, chosen)
    accepted: list[int] = []
    refused: dict[int, RelaisError] = {}
    told: dict[int, list[int]] = defaultdict(list)
    for line in chosen:
        line.decided_at = session.now()
        try:
            assignment = assignments.place(
                session, actor, line.need, line.doctor, source=AssignmentSource.PROPOSAL
            )
        except RelaisError as error:
            line.state = LineState.REFUSED
            line.refusal, line.refusal_facts = error.code, _plain(error.facts)
            refused[line.id] = error
            continue
        line.state = LineState.ACCEPTED
        accepted.append(line.id)
        if line.need_id not in before:
            told[line.doctor_id].append(assignment.id)
    if len(chosen) == len(lines):
        proposal.state = ProposalState.CLOSED
    proposal.decided_by = actor.user_id
    session.flush()
    for doctor_id, assignment_ids in sorted(told.items()):
        outbox.post(
            session,
            cause=f"proposal.accepted:{proposal.id}:{min(assignment_ids)}",
            recipient_ids=[doctor_id],
            kind="proposal.accepted",
            proposal_id=proposal.id,
            assignment_ids=assignment_ids,
        )
    note(
        session,
        actor,
        "proposal.accepted",
        proposal,
        accepted=len(accepted),
        refused={str(line_id): error.code for line_id, error in refused.items()},
    )
    return Acceptance(tuple(accepted), refused)


def _one_at_work(session: UnitOfWork, practice: Practice) -> None:
    lock_rows(session, practice)
    other = session.scalar(
        sa.select(Proposal.id).where(
            Proposal.practice_id == practice.id, Proposal.state.in_(work.WORKING)
        )
    )
    if other is not None:
        raise Conflict("proposal_at_work", proposal_id=other)


def _has_open_need(session: UnitOfWork, practice: Practice, start: dt.date, end: dt.date) -> bool:
    taken = sa.exists().where(
        Assignment.need_id == Need.id, Assignment.state != AssignmentState.RELEASED
    )
    found = session.scalar(
        sa.select(Need.id)
        .where(
            Need.practice_id == practice.id,
            Need.state == NeedState.PUBLISHED,
            Need.date.between(start, end),
            ~taken,
        )
        .limit(1)
    )
    return found is not None


def _visible(session: UnitOfWork, actor: Actor, proposal_id: int) -> Proposal:
    proposal = session.get(Proposal, proposal_id)
    if proposal is None or not (actor.is_system or actor.roles_in(proposal.practice_id)):
        raise NotFound("proposal_not_found")
    return proposal


def _locked(session: UnitOfWork, actor: Actor, proposal_id: int, action: Action) -> Proposal:
    """The proposal, locked in the order of everybody: its practice first."""
    proposal = _visible(session, actor, proposal_id)
    require(actor, action, Subject(proposal.practice_id))
    lock_rows(session, session.get_one(Practice, proposal.practice_id))
    session.refresh(proposal, with_for_update=True)
    return proposal


def _open_lines(session: UnitOfWork, proposal_id: int) -> list[ProposalLine]:
    """The lines that nobody has decided on, by date, as they stand now."""
    return list(
        session.scalars(
            sa.select(ProposalLine)
            .join(ProposalLine.need)
            .where(
                ProposalLine.proposal_id == proposal_id, ProposalLine.state == LineState.PROPOSED
            )
            .options(joinedload(ProposalLine.need), joinedload(ProposalLine.doctor))
            .order_by(Need.date, Need.period, ProposalLine.id)
            .execution_options(populate_existing=True)
        )
    )


def _standing(session: UnitOfWork, lines: list[ProposalLine]) -> set[int]:
    """Which of the lines' needs are filled already."""
    return set(
        session.scalars(
            sa.select(Assignment.need_id).where(
                Assignment.need_id.in_([line.need_id for line in lines]),
                Assignment.state != AssignmentState.RELEASED,
            )
        )
    )


def _not_ready(session: UnitOfWork, proposal: Proposal) -> Conflict:
    """Why a proposal cannot be decided on: it is not finished, or somebody has done so."""
    if proposal.state is not ProposalState.CLOSED:
        return Conflict("proposal_not_ready")
    decider = session.get(User, proposal.decided_by) if proposal.decided_by else None
    return Conflict("proposal_decided", who=decider.name if decider else "Relais")


def _nothing_chosen(
    session: UnitOfWork, proposal: Proposal, line_ids: Collection[int] | None
) -> RelaisError:
    if line_ids is not None and not line_ids:
        return InvalidInput("proposal_no_day_chosen", field="line")
    if line_ids is None:
        return Conflict("proposal_nothing_proposed")
    decider = session.get(User, proposal.decided_by) if proposal.decided_by else None
    return Conflict("proposal_days_decided", who=decider.name if decider else "Relais")


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in facts.items()
    }
