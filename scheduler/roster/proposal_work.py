"""What a worker makes of a proposal: its problem, the engine's run, the lines to decide on.

How a worker takes a proposal, reports and gives it back is the same for all that it computes:
`scheduler.roster.work`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from scheduler.core import audit, outbox
from scheduler.core.database import UnitOfWork
from scheduler.core.permissions import SYSTEM, Actor
from scheduler.people.models import Practice
from scheduler.roster import work
from scheduler.roster.models import Proposal, ProposalLine
from scheduler.roster.problem import build_problem, practice_key, row_id
from scheduler.roster.progress import Recorder
from scheduler.roster.rules import ProposalState
from scheduler.roster.work import Ticket


def take(session: UnitOfWork, proposal_id: int) -> Ticket | None:
    """Begin computing a queued proposal; None when it is no longer there to be taken."""
    return work.take(session, PROPOSALS, proposal_id)


def recover(session: UnitOfWork, lease: dt.timedelta = work.LEASE) -> list[int]:
    """Take up what dead workers left, and return the ids of all proposals that are queued."""
    return work.recover(session, PROPOSALS, lease)


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
    from scheduler.engine import parse_problem, solve

    parsed = parse_problem(problem)
    recorder = Recorder(fixed=len(parsed.fixed_doctor))
    solution = solve(
        parsed,
        time_limit=seconds,
        workers=workers,
        progress=lambda state: progress(recorder.news(state)),
        should_stop=should_stop,
    )
    return solution.to_json()


def finish(
    session: UnitOfWork, ticket: Ticket, problem: dict[str, Any], solution: dict[str, Any]
) -> bool:
    """Store what was computed, for review; the requester is told. False for an old ticket."""
    proposal = work.end(session, ticket)
    if not isinstance(proposal, Proposal):
        return False
    if proposal.state is ProposalState.CANCELLED:
        session.flush()
        return True
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


def problem_of(session: UnitOfWork, proposal_id: int) -> dict[str, Any]:
    """The roster problem of a proposal's period, as things stand now."""
    proposal = session.get_one(Proposal, proposal_id)
    practice = session.get_one(Practice, proposal.practice_id)
    return build_problem(session, practice, proposal.start, proposal.end)


def _failed(session: UnitOfWork, proposal: Proposal) -> None:
    note(session, SYSTEM, "proposal.failed", proposal, failure=proposal.failure)
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


PROPOSALS: Final = work.Kind("proposal", Proposal, problem_of, finish, _failed)
