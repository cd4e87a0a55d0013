"""What a worker makes of a scenario: its proposal's problem with one thing changed."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from scheduler.core import audit
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import Conflict
from scheduler.core.permissions import SYSTEM, Actor
from scheduler.roster import work
from scheduler.roster.models import Proposal, Scenario
from scheduler.roster.problem import practice_key
from scheduler.roster.rules import ProposalState
from scheduler.roster.scenario_rules import Frame, changed, from_json


def frame_of(proposal: Proposal) -> Frame:
    """What of a proposal's problem is planned."""
    return Frame(practice_key(proposal.practice_id), proposal.start, proposal.end)


def problem_of(session: UnitOfWork, scenario_id: int) -> dict[str, Any]:
    """The problem that the proposal solved, kept with it, with the one thing changed.

    What has happened since does not matter: only then do the two compare.
    """
    scenario, proposal = session.execute(
        sa.select(Scenario, Proposal)
        .join(Proposal, Proposal.id == Scenario.proposal_id)
        .where(Scenario.id == scenario_id)
    ).one()
    if proposal.problem is None:
        raise Conflict("scenario_nothing_to_compare")
    return changed(proposal.problem, from_json(scenario.change), frame_of(proposal))


def finish(
    session: UnitOfWork,
    ticket: work.Ticket,
    problem: dict[str, Any],  # noqa: ARG001 - it follows from the proposal's
    solution: dict[str, Any],
) -> bool:
    """Store what was computed. Nobody is written to: who compares is in front of the page."""
    scenario = work.end(session, ticket)
    if scenario is None:
        return False
    if scenario.state is ProposalState.READY:
        scenario.solution = solution
    session.flush()
    return True


def note(
    session: UnitOfWork, actor: Actor, action: str, scenario: Scenario, **details: Any
) -> None:
    """Record an audit event about a scenario, in the practice of its proposal."""
    practice_id = session.scalar(
        sa.select(Proposal.practice_id).where(Proposal.id == scenario.proposal_id)
    )
    audit.record(
        session,
        actor,
        action,
        "scenario",
        scenario.id,
        practice_id=practice_id,
        proposal_id=scenario.proposal_id,
        **details,
    )


def _failed(session: UnitOfWork, scenario: Scenario) -> None:
    note(session, SYSTEM, "scenario.failed", scenario, failure=scenario.failure)


SCENARIOS: Final = work.Kind("scenario", Scenario, problem_of, finish, _failed)
