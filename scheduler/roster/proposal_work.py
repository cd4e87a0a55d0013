"""What a worker writes of a proposal while it computes one.

A worker takes a queued proposal with a conditional update, which makes it the one whose
`Ticket` counts; everything it writes later is written only while that ticket is the current
one, so that a worker believed dead cannot disturb its successor.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult

from scheduler.core import audit, outbox
from scheduler.core.database import UnitOfWork
from scheduler.core.permissions import SYSTEM, Actor
from scheduler.roster.models import Proposal, ProposalLine
from scheduler.roster.problem import practice_key, row_id
from scheduler.roster.rules import ProposalState

MOST_ATTEMPTS: Final = 3
LEASE: Final = dt.timedelta(seconds=30)

INTERRUPTED: Final = "interrupted"
UNEXPECTED: Final = "unexpected"


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right of one worker to compute one proposal; `run` is never given out twice."""

    proposal_id: int
    run: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker learns when it reports: whether its ticket still counts, and to stop."""

    current: bool
    cancel: bool


def take(session: UnitOfWork, proposal_id: int) -> Ticket | None:
    """Begin computing a queued proposal; None when it is no longer there to be taken."""
    now = session.now()
    taken = session.execute(
        sa.update(Proposal)
        .where(Proposal.id == proposal_id, Proposal.state == ProposalState.QUEUED)
        .values(
            state=ProposalState.RUNNING,
            attempt=Proposal.attempt + 1,
            run=Proposal.run + 1,
            started_at=now,
            heartbeat_at=now,
            progress={},
        )
        .returning(Proposal.run, Proposal.attempt)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return None if taken is None else Ticket(proposal_id, taken.run, taken.attempt)


def report(session: UnitOfWork, ticket: Ticket, progress: dict[str, Any]) -> Orders:
    """Give a sign of life with the progress so far, and learn whether to go on."""
    cancel_requested = session.scalar(
        sa.update(Proposal)
        .where(*_current(ticket))
        .values(heartbeat_at=session.now(), progress=progress)
        .returning(Proposal.cancel_requested)
        .execution_options(synchronize_session=False)
    )
    return Orders(current=cancel_requested is not None, cancel=bool(cancel_requested))


def compute(
    problem: dict[str, Any],
    *,
    seconds: float,
    workers: int,
    progress: Callable[[dict[str, Any]], None],
    should_stop: Callable[[], bool],
) -> dict[str, Any]:
    """Run the engine on a problem and return the solution, both as in the roster format.

    No database is involved: nothing is locked for as long as it takes.
    """
    # The solver is a large library that a web server has no use for.
    from scheduler.engine import Progress, parse_problem, solve

    parsed = parse_problem(problem)
    taken = parsed.fixed_doctor
    to_fill = sum(need.weight for need in parsed.needs.values() if need.id not in taken)

    def tell(state: Progress) -> None:
        progress(
            {
                "stage": state.stage,
                "fraction": state.fraction,
                "covered": 1 - state.best.uncovered / to_fill if to_fill else 1,
                "best": state.best.to_json(),
            }
        )

    solution = solve(
        parsed,
        time_limit=seconds,
        workers=workers,
        progress=tell,
        should_stop=should_stop,
    )
    return solution.to_json()


def finish(
    session: UnitOfWork, ticket: Ticket, problem: dict[str, Any], solution: dict[str, Any]
) -> bool:
    """Store what was computed, for review; the requester is told. False for an old ticket."""
    proposal = _taken(session, ticket)
    if proposal is None:
        return False
    proposal.finished_at = session.now()
    if proposal.cancel_requested:
        proposal.state = ProposalState.CANCELLED
        session.flush()
        return True
    proposal.state = ProposalState.READY
    proposal.problem, proposal.solution = problem, solution
    needs = {need["id"]: need for need in problem["needs"]}
    here = practice_key(proposal.practice_id)
    session.add_all(
        ProposalLine(
            proposal_id=proposal.id,
            need_id=row_id(pair["need"]),
            doctor_id=row_id(pair["doctor"]),
        )
        for pair in solution["assignments"]
        if pair["origin"] == "solver" and needs[pair["need"]]["practice"] == here
    )
    session.flush()
    note(session, SYSTEM, "proposal.ready", proposal, status=solution["status"])
    _tell_requester(session, proposal, "proposal.ready")
    return True


def give_back(session: UnitOfWork, ticket: Ticket) -> bool:
    """Queue a proposal again that its worker cannot finish because it is told to stop."""
    return _changed(
        session,
        sa.update(Proposal)
        .where(*_current(ticket))
        .values(
            state=ProposalState.QUEUED,
            attempt=Proposal.attempt - 1,
            started_at=None,
            heartbeat_at=None,
            progress={},
        ),
    )


def fail(session: UnitOfWork, ticket: Ticket, failure: str) -> bool:
    """Mark a proposal as failed, with the code of the reason. False for an old ticket."""
    proposal = _taken(session, ticket)
    if proposal is None:
        return False
    _set_failed(session, proposal, failure)
    return True


def recover(session: UnitOfWork, lease: dt.timedelta = LEASE) -> list[int]:
    """Take up what dead workers left, and return the ids of all proposals that are queued.

    A running proposal without a sign of life for as long as `lease` is queued again; after
    `MOST_ATTEMPTS` attempts it is failed, and one that was to be stopped is cancelled.
    """
    silent = session.scalars(
        sa.select(Proposal)
        .where(
            Proposal.state == ProposalState.RUNNING,
            Proposal.heartbeat_at <= session.now() - lease,
        )
        .order_by(Proposal.id)
        .with_for_update(skip_locked=True)
    ).all()
    for proposal in silent:
        if proposal.cancel_requested:
            proposal.state = ProposalState.CANCELLED
            proposal.finished_at = session.now()
        elif proposal.attempt >= MOST_ATTEMPTS:
            _set_failed(session, proposal, INTERRUPTED)
        else:
            proposal.state = ProposalState.QUEUED
            proposal.progress = {}
    session.flush()
    queued = sa.select(Proposal.id).where(Proposal.state == ProposalState.QUEUED)
    return list(session.scalars(queued.order_by(Proposal.requested_at, Proposal.id)))


def _current(ticket: Ticket) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Proposal.id == ticket.proposal_id,
        Proposal.state == ProposalState.RUNNING,
        Proposal.run == ticket.run,
    )


def _taken(session: UnitOfWork, ticket: Ticket) -> Proposal | None:
    """The proposal of a ticket that still counts, locked."""
    return session.scalars(
        sa.select(Proposal).where(*_current(ticket)).with_for_update()
    ).one_or_none()


def _changed(session: UnitOfWork, statement: sa.Update) -> bool:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", result).rowcount == 1


def _set_failed(session: UnitOfWork, proposal: Proposal, failure: str) -> None:
    proposal.state = ProposalState.FAILED
    proposal.failure = failure
    proposal.finished_at = session.now()
    session.flush()
    note(session, SYSTEM, "proposal.failed", proposal, failure=failure)
    _tell_requester(session, proposal, "proposal.failed")


def _tell_requester(session: UnitOfWork, proposal: Proposal, kind: str) -> None:
    # A proposal can end more than once, when it is tried again: each end is a cause of its own.
    ended = session.now().isoformat(timespec="milliseconds")
    outbox.post(
        session,
        cause=f"{kind}:{proposal.id}:{ended}",
        recipient_ids=[proposal.requested_by],
        kind=kind,
        proposal_id=proposal.id,
    )


def note(
    session: UnitOfWork, actor: Actor, action: str, proposal: Proposal, **details: Any
) -> None:
    """Record an audit event about a proposal."""
    audit.record(
        session,
        actor,
        action,
        "proposal",
        proposal.id,
        practice_id=proposal.practice_id,
        **details,
    )
