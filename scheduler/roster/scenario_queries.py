"""Named reads of scenarios: those of a proposal, measured beside the proposal as it is."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.core.errors import NotFound
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.people.models import Practice, User
from scheduler.roster.comparison import Measures, measure
from scheduler.roster.models import Proposal, Scenario
from scheduler.roster.problem import row_id
from scheduler.roster.rules import Period, ProposalState
from scheduler.roster.scenario_rules import (
    Change,
    NoWeeklyCap,
    capped_doctors,
    changed,
    from_json,
)
from scheduler.roster.scenario_work import frame_of
from scheduler.roster.work import WORKING


@dataclass(frozen=True, slots=True)
class Compared:
    """A scenario and, once it is computed, what it achieves.

    `doctor` is whose limit is lifted, where one doctor's is; `gained` and `lost` are the dates
    and periods at which it has more doctors than the proposal, or fewer, whatever the room.
    """

    scenario: Scenario
    change: Change
    doctor: str | None
    measures: Measures | None
    gained: tuple[tuple[dt.date, Period], ...] = ()
    lost: tuple[tuple[dt.date, Period], ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """A proposal as it is, its scenarios, and the doctors whose weekly limit could be lifted."""

    proposal: Proposal
    base: Measures
    scenarios: tuple[Compared, ...]
    capped: tuple[tuple[int, str], ...]

    @property
    def at_work(self) -> bool:
        """Whether a scenario is still to be computed."""
        return any(item.scenario.state in WORKING for item in self.scenarios)


def comparison_of(
    session: Session, actor: Actor, practice: Practice, proposal_id: int
) -> Comparison:
    """A proposal of the practice beside its scenarios, oldest first; three reads.

    Raises `NotFound` where there is no such proposal, or none with a roster to compare with.
    """
    require(actor, Action.PROPOSAL_VIEW, Subject(practice.id))
    proposal = session.scalars(
        sa.select(Proposal).where(Proposal.id == proposal_id, Proposal.practice_id == practice.id)
    ).one_or_none()
    if proposal is None or proposal.problem is None or proposal.solution is None:
        raise NotFound("proposal_not_found")
    problem, frame = proposal.problem, frame_of(proposal)
    base = measure(problem, proposal.solution, frame)
    rows = session.scalars(
        sa.select(Scenario).where(Scenario.proposal_id == proposal.id).order_by(Scenario.id)
    ).all()
    names = _names(session, capped_doctors(problem))
    found = []
    for row in rows:
        change = from_json(row.change)
        doctor = None
        if isinstance(change, NoWeeklyCap) and change.doctor_id is not None:
            doctor = names.get(change.doctor_id, "?")
        if row.state is not ProposalState.READY or row.solution is None:
            found.append(Compared(row, change, doctor, None))
            continue
        measures = measure(changed(problem, change, frame), row.solution, frame)
        found.append(
            Compared(
                row,
                change,
                doctor,
                measures,
                gained=_more(measures, base),
                lost=_more(base, measures),
            )
        )
    return Comparison(proposal, base, tuple(found), tuple(names.items()))


def scenario_of(session: Session, actor: Actor, practice: Practice, scenario_id: int) -> Scenario:
    """One scenario of a proposal of the practice; `NotFound` where there is none."""
    require(actor, Action.PROPOSAL_VIEW, Subject(practice.id))
    scenario = session.scalars(
        sa.select(Scenario)
        .join(Scenario.proposal)
        .where(Scenario.id == scenario_id, Proposal.practice_id == practice.id)
    ).one_or_none()
    if scenario is None:
        raise NotFound("scenario_not_found")
    return scenario


def count_of(session: Session, proposal_id: int) -> int:
    """How many scenarios a proposal has."""
    counted = session.scalar(sa.select(sa.func.count()).where(Scenario.proposal_id == proposal_id))
    return counted or 0


def _names(session: Session, doctors: list[str]) -> dict[int, str]:
    """The names of doctors by user id, by family name."""
    users = session.scalars(
        sa.select(User)
        .where(User.id.in_([row_id(doctor) for doctor in doctors]))
        .order_by(User.family_name, User.given_name, User.id)
    )
    return {user.id: user.name for user in users}


def _more(one: Measures, other: Measures) -> tuple[tuple[dt.date, Period], ...]:
    """When one has more doctors than the other, whatever the room: once for each of them."""
    more = Counter(one.filled_on) - Counter(other.filled_on)
    return tuple((date, Period(period)) for date, period in sorted(more.elements()))
