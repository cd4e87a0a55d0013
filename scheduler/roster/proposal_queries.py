"""Named reads of proposals: the list, the progress, and the review beside what stands now."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer, joinedload

from scheduler.core.database import UnitOfWork
from scheduler.core.errors import NotFound
from scheduler.core.permissions import Action, Actor, Role, Subject, require
from scheduler.people.models import Practice, User
from scheduler.roster import legality
from scheduler.roster.models import Assignment, Need, Proposal, ProposalLine
from scheduler.roster.problem import (
    Candidate,
    candidates_of,
    doctor_key,
    need_key,
    practice_key,
    row_id,
)
from scheduler.roster.rules import (
    AssignmentState,
    Half,
    LineState,
    NeedState,
    Period,
    Preference,
    ProposalState,
)

MOST_LISTED: Final = 30
# Reasons of Relais's own: the engine was told nothing of these days, so it cannot know why.
LICENCE: Final = "licence"
NOT_MEMBER: Final = "not_member"

_FILES = (defer(Proposal.problem, raiseload=True), defer(Proposal.solution, raiseload=True))
_PEOPLE = (joinedload(Proposal.requester), joinedload(Proposal.decider))


@dataclass(frozen=True, slots=True)
class Listed:
    """A proposal as a line of the list, with how many of its days are in which state."""

    proposal: Proposal
    lines: Counter[LineState]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one doctor is not on a need that nobody takes; codes as in the roster format."""

    doctor: str
    code: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One change that would fill a need; codes as in the roster format."""

    doctor: str
    code: str
    to: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One need of the period, as proposed and as it stands now.

    `line` is what is proposed, if anything is; `holder` who has the need now; `shown` whom the
    roster shown before had on it, where that is somebody else.
    """

    need: Need
    line: ProposalLine | None = None
    doctor: str | None = None
    holder: str | None = None
    shown: str | None = None
    preference: Preference | None = None
    titular: bool = False
    reasons: tuple[Reason, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether there is still something to decide."""
        return self.line is not None and self.line.state is LineState.PROPOSED

    @property
    def withdrawn(self) -> bool:
        return self.need.state is NeedState.WITHDRAWN


@dataclass(frozen=True, slots=True)
class Load:
    """How many half-days a doctor has in the period, without and with the proposal."""

    doctor: str
    before: int
    after: int
    credit: int


@dataclass(frozen=True, slots=True)
class Review:
    """A computed proposal beside what stands."""

    days: tuple[tuple[dt.date, tuple[Row, ...]], ...]
    loads: tuple[Load, ...]
    needs: int
    covered_before: int
    covered_after: int
    last_resorts: int
    titulars: int
    objective: dict[str, float]
    bound: dict[str, float]
    proved: bool
    seconds: float
    fixed_conflicts: int

    @property
    def open_lines(self) -> list[ProposalLine]:
        """The lines that wait for a decision."""
        return [row.line for _day, rows in self.days for row in rows if row.is_open and row.line]


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


def review_of(session: UnitOfWork, practice: Practice, proposal: Proposal) -> Review:
    """What a computed proposal would change, need by need; queries do not grow with it."""
    problem, solution = session.execute(
        sa.select(Proposal.problem, Proposal.solution).where(Proposal.id == proposal.id)
    ).one()
    here = practice_key(practice.id)
    wanted = {
        row_id(need["id"]): need
        for need in problem["needs"]
        if need["practice"] == here
        and proposal.start.isoformat() <= need["date"] <= proposal.end.isoformat()
    }
    needs = _needs(session, wanted)
    lines = _lines(session, proposal.id)
    holders = _holders(session, wanted)
    candidates = candidates_of(session, practice, proposal.start, proposal.end)
    names = _names(session, problem["doctors"])
    facts = _Facts(practice.id, problem, solution, names, candidates)
    rows = [
        facts.row(needs[need_id], lines.get(need_id), holders.get(need_id))
        for need_id in wanted
        if need_id in needs
    ]
    rows.sort(key=lambda row: (row.need.date, row.need.room.position, row.need.period.value))
    fixed = {row_id(pair["need"]) for pair in problem.get("fixed", [])} & set(wanted)
    return Review(
        days=tuple(
            (day, tuple(group)) for day, group in groupby(rows, key=lambda row: row.need.date)
        ),
        loads=facts.loads(wanted),
        needs=len(wanted),
        covered_before=len(fixed),
        covered_after=len(fixed | set(lines)),
        last_resorts=sum(row.preference is Preference.LAST_RESORT for row in rows if row.line),
        titulars=sum(row.titular for row in rows if row.line),
        objective=solution["objective"],
        bound=solution["bound"],
        proved=solution["status"] == "optimal",
        seconds=solution["seconds"],
        fixed_conflicts=len(solution.get("conflicts", [])),
    )


def _needs(session: Session, ids: Iterable[int]) -> dict[int, Need]:
    statement = sa.select(Need).where(Need.id.in_(list(ids))).options(joinedload(Need.room))
    return {need.id: need for need in session.scalars(statement)}


def _lines(session: Session, proposal_id: int) -> dict[int, ProposalLine]:
    statement = sa.select(ProposalLine).where(ProposalLine.proposal_id == proposal_id)
    return {line.need_id: line for line in session.scalars(statement)}


def _holders(session: Session, need_ids: Iterable[int]) -> dict[int, str]:
    statement = (
        sa.select(Assignment)
        .where(
            Assignment.need_id.in_(list(need_ids)),
            Assignment.state != AssignmentState.RELEASED,
        )
        .options(joinedload(Assignment.doctor))
    )
    return {row.need_id: row.doctor.name for row in session.scalars(statement)}


def _names(session: Session, doctors: Iterable[dict[str, Any]]) -> dict[str, str]:
    ids = [row_id(doctor["id"]) for doctor in doctors]
    users = session.scalars(sa.select(User).where(User.id.in_(ids)))
    return {doctor_key(user.id): user.name for user in users}


class _Facts:
    """The problem and the solution, indexed for reading need by need."""

    def __init__(
        self,
        practice_id: int,
        problem: dict[str, Any],
        solution: dict[str, Any],
        names: dict[str, str],
        candidates: dict[int, Candidate],
    ) -> None:
        self._practice_id, self._names, self._candidates = practice_id, names, candidates
        self._doctors = {doctor["id"]: doctor for doctor in problem["doctors"]}
        self._needs = {need["id"]: need for need in problem["needs"]}
        self._shown = {pair["need"]: pair["doctor"] for pair in problem.get("previous", [])}
        self._pairs = solution["assignments"]
        self._uncovered = {item["need"]: item for item in solution["uncovered"]}
        self._said: dict[tuple[str, str, Half], Preference] = {}
        self._with_availability: set[str] = set()
        for item in problem.get("availabilities", []):
            self._with_availability.add(item["doctor"])
            for half in Period(item["period"]).halves:
                key = (item["doctor"], item["date"], half)
                self._said[key] = Preference(item["preference"])

    def row(self, need: Need, line: ProposalLine | None, holder: str | None) -> Row:
        if line is None:
            if holder is not None:
                return Row(need, holder=holder)
            item = self._uncovered.get(need_key(need.id), {})
            return Row(
                need,
                reasons=tuple(self._reason(need, entry) for entry in item.get("reasons", [])),
                suggestions=tuple(
                    Suggestion(self._name(entry["doctor"]), entry["code"], entry.get("to"))
                    for entry in item.get("suggestions", [])
                    if self._obstacle(need, entry["doctor"]) is None
                ),
            )
        doctor = doctor_key(line.doctor_id)
        shown = self._shown.get(need_key(need.id))
        return Row(
            need,
            line=line,
            doctor=self._name(doctor),
            holder=holder,
            shown=self._name(shown) if shown and shown != doctor else None,
            preference=self._preference(need, doctor),
            titular=self._doctors[doctor]["role"] == Role.TITULAR.value,
        )

    def loads(self, wanted: dict[int, dict[str, Any]]) -> tuple[Load, ...]:
        """Half-days per doctor in the period; those without any word or day are left out."""
        before: Counter[str] = Counter()
        after: Counter[str] = Counter()
        for pair in self._pairs:
            need = self._needs[pair["need"]]
            if row_id(pair["need"]) in wanted:
                size = len(Period(need["period"]).halves)
                after[pair["doctor"]] += size
                if pair["origin"] == "fixed":
                    before[pair["doctor"]] += size
        found = [
            Load(self._name(key), before[key], after[key], int(doctor["credit"]))
            for key, doctor in self._doctors.items()
            if key in self._with_availability or after[key]
        ]
        return tuple(sorted(found, key=lambda load: (-load.after, load.doctor)))

    def _name(self, doctor: str) -> str:
        return self._names.get(doctor, "?")

    def _preference(self, need: Need, doctor: str) -> Preference | None:
        """The worst of what was said of the need's half-days."""
        order = list(Preference)
        said = [
            self._said.get((doctor, need.date.isoformat(), half)) for half in need.period.halves
        ]
        known = [order.index(preference) for preference in said if preference is not None]
        return order[max(known)] if known else None

    def _reason(self, need: Need, entry: dict[str, Any]) -> Reason:
        code = entry["code"]
        if code == "no_availability":
            code = self._obstacle(need, entry["doctor"]) or code
        return Reason(self._name(entry["doctor"]), code)

    def _obstacle(self, need: Need, doctor: str) -> str | None:
        """What keeps a doctor from working here that day, whatever they say."""
        candidate = self._candidates.get(row_id(doctor))
        if candidate is None:
            return NOT_MEMBER
        if candidate.may_work(need.date, self._practice_id):
            return None
        opening = legality.Opening(
            self._practice_id, need.date, need.period, frozenset({candidate.role})
        )
        refused = legality.licence_valid(opening, candidate.standing)
        return LICENCE if refused is not None else NOT_MEMBER
