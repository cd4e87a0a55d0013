"""Who could come on one day: from the database to the engine's candidates and back."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import Conflict, RuleBroken
from scheduler.core.permissions import Action, Actor, Role, Subject, require
from scheduler.engine import LEVELS, candidates, parse_problem
from scheduler.engine.model import Problem
from scheduler.people.models import Practice
from scheduler.roster import problem as problems
from scheduler.roster.availability_queries import Said, availabilities_between
from scheduler.roster.availability_rules import busy_halves
from scheduler.roster.models import Assignment, Need
from scheduler.roster.problem import doctor_key, need_key, practice_key, row_id
from scheduler.roster.rules import AssignmentState, NeedState, Preference, monday_of

_WEEK: Final = dt.timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Coming:
    """A doctor who could take a need without breaking a rule.

    `preference` is what they said of the day, None where they said nothing. `cost` tells by
    level of the objective what the roster loses with them, measured against leaving the need
    empty; less than nothing is a gain. `days` are those that sharing counts for them, as things
    stand; the need is not among them.
    """

    doctor_id: int
    name: str
    phone: str | None
    role: Role
    preference: Preference | None
    cost: Mapping[str, float]
    days: float


@dataclass(frozen=True, slots=True)
class WhoCould:
    """Who could take a need: those who said so, best for the roster first, and those who said
    nothing of that day, titular doctors last and else whoever has the fewest days first.

    `size` is the need's, in days.
    """

    size: float
    said: tuple[Coming, ...]
    silent: tuple[Coming, ...]


def who_could_come(session: UnitOfWork, actor: Actor, practice: Practice, need: Need) -> WhoCould:
    """Who could take a need of the practice today or later, every other day staying as it is.

    Whoever has the need, and whoever gave a day back on that date, is left out: they cannot
    come. So is whoever said so of any half-day. The number of queries does not depend on how
    many rows there are. Raises `Conflict` for a withdrawn need, `RuleBroken` for a past one.
    """
    require(actor, Action.CANDIDATES_VIEW, Subject(practice.id))
    if need.state is not NeedState.PUBLISHED:
        raise Conflict("need_withdrawn", date=need.date)
    if need.date < local_date(session.now(), practice.timezone):
        raise RuleBroken("need_past", date=need.date)
    # The whole week: its minimum and its mix of doctors are a part of what a day is worth.
    monday = monday_of(need.date)
    known = problems.candidates_of(session, practice, monday, monday + _WEEK)
    absent = _absent(session, need)
    raw = _without(
        problems.problem_between(session, practice, monday, monday + _WEEK), need, absent
    )
    said = _found(raw, need, known)
    spoken = availabilities_between(session, known, need.date, need.date)
    quiet = {
        user_id
        for user_id, candidate in known.items()
        if user_id not in absent
        and candidate.may_work(need.date, practice.id)
        and not _refuses(spoken[user_id], need)
    } - {coming.doctor_id for coming in said}
    asked = {**raw, "availabilities": [*raw["availabilities"], *_supposed(need, quiet)]}
    silent = [coming for coming in _found(asked, need, known) if coming.doctor_id in quiet]
    silent.sort(key=lambda coming: (coming.role is Role.TITULAR, coming.days, coming.name))
    return WhoCould(
        size=len(need.period.halves) / 2,
        said=tuple(said),
        silent=tuple(replace(coming, preference=None) for coming in silent),
    )


def _absent(session: UnitOfWork, need: Need) -> set[int]:
    """Who has the need, and who gave a day back on its date."""
    return set(
        session.scalars(
            sa.select(Assignment.doctor_id).where(
                sa.or_(
                    sa.and_(
                        Assignment.need_id == need.id,
                        Assignment.state != AssignmentState.RELEASED,
                    ),
                    sa.and_(
                        Assignment.date == need.date,
                        Assignment.practice_id == need.practice_id,
                        Assignment.state == AssignmentState.RELEASED,
                    ),
                )
            )
        )
    )


def _without(raw: dict[str, Any], need: Need, absent: Collection[int]) -> dict[str, Any]:
    """The problem with the need open, and without the absent on its date."""
    gone, date = {doctor_key(user_id) for user_id in absent}, need.date.isoformat()
    return {
        **raw,
        "fixed": [pair for pair in raw["fixed"] if pair["need"] != need_key(need.id)],
        "availabilities": [
            row for row in raw["availabilities"] if row["date"] != date or row["doctor"] not in gone
        ],
    }


def _refuses(said: Said, need: Need) -> bool:
    """Whether a doctor said of a half-day of the need that they cannot come, or their calendar
    does."""
    taken = busy_halves(said.explicit, said.imported)
    return any((need.date, half) in taken for half in need.period.halves) or any(
        row.preference is None
        and row.half in need.period.halves
        and row.practice_id in (None, need.practice_id)
        for row in said.explicit
    )


def _supposed(need: Need, doctors: Collection[int]) -> list[dict[str, Any]]:
    """As if these had said that they come if need be."""
    return [
        {
            "doctor": doctor_key(user_id),
            "date": need.date.isoformat(),
            "period": need.period.value,
            "preference": Preference.LAST_RESORT.value,
            "practice": practice_key(need.practice_id),
        }
        for user_id in sorted(doctors)
    ]


def _found(
    raw: dict[str, Any], need: Need, known: Mapping[int, problems.Candidate]
) -> list[Coming]:
    """The engine's candidates for the need beside all that stands, in its order."""
    parsed = parse_problem(raw)
    days = _days(parsed)
    found = []
    for candidate in candidates(parsed, parsed.fixed, need_key(need.id)):
        user = known[row_id(candidate.doctor)].user
        found.append(
            Coming(
                doctor_id=user.id,
                name=user.name,
                phone=user.phone,
                role=Role(parsed.doctors[candidate.doctor].role),
                preference=Preference(candidate.preference),
                cost=dict(zip(LEVELS, candidate.cost, strict=True)),
                days=days[candidate.doctor],
            )
        )
    return found


def _days(parsed: Problem) -> dict[str, float]:
    """What sharing counts for each doctor, in days: what stands, and the credit from before."""
    half_days = Counter({doctor.id: doctor.credit for doctor in parsed.doctors.values()})
    for need, doctor in parsed.fixed:
        half_days[doctor] += parsed.needs[need].size
    return {doctor: count / 2 for doctor, count in half_days.items()}
