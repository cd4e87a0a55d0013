"""A computed proposal beside what stands now: need by need, doctor by doctor.

The number of queries does not depend on how many rows there are.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from scheduler.core.database import UnitOfWork
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster import legality
from scheduler.roster.ask_queries import Asked, agreed_pairs, asks_on
from scheduler.roster.models import Assignment, Need, Proposal, ProposalLine
from scheduler.roster.problem import (
    Candidate,
    candidates_of,
    doctor_key,
    need_key,
    practice_key,
    row_id,
)
from scheduler.roster.proposal_changes import Change, Changes, changes_since_last
from scheduler.roster.rules import (
    AssignmentState,
    Half,
    LineState,
    NeedState,
    Period,
    Preference,
)

# Reasons of Relais's own: the engine was told nothing of these days, so it cannot know why.
LICENCE: Final = "licence"
NOT_MEMBER: Final = "not_member"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one doctor is not on a need that nobody takes; codes as in the roster format.

    For ``traded``, `instead` are the needs that would be lost, or `level` the objective level
    that would get worse.
    """

    doctor: str
    code: str
    instead: tuple[Need, ...] = ()
    level: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One change that would fill a need; codes as in the roster format."""

    doctor_id: int
    doctor: str
    code: str
    titular: bool
    to: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One need of the period, as proposed and as it stands now.

    `line` is what is proposed, if anything is; `holder` who has the need now; `shown` whom the
    roster shown before had on it, where that is somebody else; `asks` the questions that
    doctors were asked about it, newest first. `explained` is false for a need without a doctor
    of which the computation knew nothing: it had one at the time.
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
    asks: tuple[Asked, ...] = ()
    explained: bool = True

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
class Move:
    """A need that the proposal computed before gave to somebody else, or to nobody (None)."""

    need: Need
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed since the proposal that was computed before, at `since`."""

    proposal_id: int
    since: dt.datetime
    gained: tuple[Move, ...]
    lost: tuple[Move, ...]
    moved: tuple[Move, ...]

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost or self.moved)


@dataclass(frozen=True, slots=True)
class Review:
    """A computed proposal beside what stands.

    `fixed_conflicts` counts the limits that standing days pass without their doctor's own yes;
    `difference` is None where no proposal for these days was computed before.
    """

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
    difference: Difference | None

    @property
    def open_lines(self) -> list[ProposalLine]:
        """The lines that wait for a decision."""
        return [row.line for _day, rows in self.days for row in rows if row.is_open and row.line]


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
    changes = changes_since_last(session, proposal, problem, solution)
    doctors = {doctor["id"] for doctor in problem["doctors"]}
    names = _names(session, doctors | (changes.doctors if changes else set()))
    facts = _Facts(practice.id, problem, solution, names, candidates, needs)
    asks = asks_on(session, wanted)
    rows = [
        replace(
            facts.row(needs[need_id], lines.get(need_id), holders.get(need_id)),
            asks=tuple(asks.get(need_id, ())),
        )
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
        fixed_conflicts=_unagreed(session, solution.get("conflicts", [])),
        difference=None if changes is None else _difference(changes, needs, names),
    )


def _unagreed(session: Session, conflicts: Iterable[dict[str, Any]]) -> int:
    """How many limits are passed without a doctor's own yes to a day in question."""
    pairs = [
        {(row_id(need), row_id(found["doctor"])) for need in found["needs"]}
        for found in conflicts
        if found["doctor"]
    ]
    agreed = agreed_pairs(session, {need_id for group in pairs for need_id, _ in group})
    return sum(not group & agreed for group in pairs)


def _difference(changes: Changes, needs: dict[int, Need], names: dict[str, str]) -> Difference:
    def named(doctor: str | None) -> str | None:
        return None if doctor is None else names.get(doctor, "?")

    def moves(found: Iterable[Change]) -> tuple[Move, ...]:
        return tuple(
            Move(needs[row_id(item.need)], named(item.before), named(item.after))
            for item in found
            if row_id(item.need) in needs
        )

    return Difference(
        changes.proposal_id,
        changes.since,
        moves(changes.gained),
        moves(changes.lost),
        moves(changes.moved),
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


def _names(session: Session, doctors: Iterable[str]) -> dict[str, str]:
    ids = [row_id(doctor) for doctor in doctors]
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
        rows: dict[int, Need],
    ) -> None:
        self._practice_id, self._names, self._candidates = practice_id, names, candidates
        self._rows = rows
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
            item = self._uncovered.get(need_key(need.id))
            if item is None:
                return Row(need, explained=False)
            return Row(
                need,
                reasons=tuple(self._reason(need, entry) for entry in item.get("reasons", [])),
                suggestions=tuple(
                    Suggestion(
                        row_id(entry["doctor"]),
                        self._name(entry["doctor"]),
                        entry["code"],
                        self._is_titular(entry["doctor"]),
                        entry.get("to"),
                    )
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
            titular=self._is_titular(doctor),
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

    def _is_titular(self, doctor: str) -> bool:
        return bool(self._doctors[doctor]["role"] == Role.TITULAR.value)

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
        instead = (self._rows.get(row_id(key)) for key in entry.get("instead", ()))
        return Reason(
            self._name(entry["doctor"]),
            code,
            tuple(need for need in instead if need is not None),
            entry.get("level"),
        )

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
