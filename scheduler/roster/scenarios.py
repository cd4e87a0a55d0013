"""What people do with the scenarios of a proposal: ask for one, stop it, try again, delete it."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import Conflict, NotFound
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.people.models import Practice
from scheduler.roster import work
from scheduler.roster.models import Proposal, Scenario
from scheduler.roster.rules import ProposalState
from scheduler.roster.scenario_rules import Change, changed
from scheduler.roster.scenario_work import frame_of, note

MOST: Final = 6


def request_scenario(
    session: UnitOfWork, actor: Actor, proposal_id: int, change: Change
) -> Scenario:
    """Queue a scenario of a proposal that is computed.

    Raises `Conflict` where there is no roster to compare with, there are `MOST` already or the
    same one is there, and `InvalidInput` for a change that cannot be or that changes nothing.
    """
    proposal = session.get(Proposal, proposal_id)
    if proposal is None or not (actor.is_system or actor.roles_in(proposal.practice_id)):
        raise NotFound("proposal_not_found")
    require(actor, Action.PROPOSAL_COMPUTE, Subject(proposal.practice_id))
    _lock(session, proposal)
    if proposal.problem is None or proposal.solution is None:
        raise Conflict("scenario_nothing_to_compare")
    changed(proposal.problem, change, frame_of(proposal))
    others = session.scalars(
        sa.select(Scenario.change).where(Scenario.proposal_id == proposal.id)
    ).all()
    if change.to_json() in others:
        raise Conflict("scenario_there_already")
    if len(others) >= MOST:
        raise Conflict("scenario_too_many", most=MOST)
    scenario = Scenario(
        proposal_id=proposal.id,
        change=change.to_json(),
        requested_by=actor.user_id,
        requested_at=session.now(),
    )
    session.add(scenario)
    session.flush()
    note(session, actor, "scenario.requested", scenario, change=change.to_json())
    return scenario


def cancel(session: UnitOfWork, actor: Actor, scenario_id: int) -> Scenario:
    """Stop a scenario that is queued or being computed; what is over stays as it is."""
    scenario = _locked(session, actor, scenario_id)
    if work.cancel(session, scenario):
        note(session, actor, "scenario.cancelled", scenario)
    return scenario


def retry(session: UnitOfWork, actor: Actor, scenario_id: int) -> Scenario:
    """Queue a failed or cancelled scenario again, as if it had just been asked for."""
    scenario = _locked(session, actor, scenario_id)
    if scenario.state not in (ProposalState.FAILED, ProposalState.CANCELLED):
        raise Conflict("scenario_not_failed")
    work.queue_again(session, scenario)
    note(session, actor, "scenario.retried", scenario)
    return scenario


def delete(session: UnitOfWork, actor: Actor, scenario_id: int) -> None:
    """Delete a scenario; a worker that still computes it finds nothing to write to."""
    scenario = _locked(session, actor, scenario_id)
    note(session, actor, "scenario.deleted", scenario, change=scenario.change)
    session.delete(scenario)
    session.flush()


def _locked(session: UnitOfWork, actor: Actor, scenario_id: int) -> Scenario:
    scenario = session.get(Scenario, scenario_id)
    if scenario is None:
        raise NotFound("scenario_not_found")
    proposal = session.get_one(Proposal, scenario.proposal_id)
    if not (actor.is_system or actor.roles_in(proposal.practice_id)):
        raise NotFound("scenario_not_found")
    require(actor, Action.PROPOSAL_COMPUTE, Subject(proposal.practice_id))
    _lock(session, proposal)
    # It may have been deleted while the lock was waited for.
    found = session.scalars(
        sa.select(Scenario)
        .where(Scenario.id == scenario_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound("scenario_not_found")
    return found


def _lock(session: UnitOfWork, proposal: Proposal) -> None:
    """Lock the practice first, as everybody does who decides about its proposals."""
    lock_rows(session, session.get_one(Practice, proposal.practice_id))
