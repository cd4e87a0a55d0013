"""From the database to the engine's problem: what is open, who can come, what already stands.

The horizon of the problem is wider than the period that is planned. A weekly limit, a monthly
limit and a run of days look past the period's ends, so the assignments around it come along as
fixed, and so do those that the doctors have in other practices.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import InvalidInput
from scheduler.core.permissions import DOCTOR_ROLES, Role
from scheduler.people.models import Doctor, Member, Practice, Room, User
from scheduler.roster import legality
from scheduler.roster.availability_queries import Said, availabilities_between
from scheduler.roster.availability_rules import HalfDay, expand
from scheduler.roster.models import Assignment, Need, Proposal, ProposalLine
from scheduler.roster.rules import (
    AssignmentState,
    Half,
    LineState,
    NeedState,
    Period,
    Preference,
    ProposalState,
    days_between,
    monday_of,
    month_bounds,
)

FORMAT: Final = "relais-roster/1"
ONE_DAY: Final = dt.timedelta(days=1)
SMALLEST_MARGIN: Final = 6
NO_ROOM: Final = "-"


def practice_key(practice_id: int) -> str:
    """The identifier of a practice in a problem."""
    return f"p{practice_id}"


def room_key(room_id: int) -> str:
    """The name of a room in a problem; names that people chose stay out of it."""
    return f"r{room_id}"


def doctor_key(user_id: int) -> str:
    """The identifier of a doctor in a problem."""
    return f"d{user_id}"


def need_key(need_id: int) -> str:
    """The identifier of a need in a problem."""
    return f"n{need_id}"


def row_id(key: str) -> int:
    """The database's number of whatever a key of a problem or a solution names."""
    return int(key[1:])


@dataclass(frozen=True, slots=True)
class Candidate:
    """A doctor of the practice in the planned period, with the role they are planned in."""

    user: User
    role: Role
    standing: legality.Standing

    def may_work(self, day: dt.date, practice_id: int) -> bool:
        """Whether role, membership and licence hold on the day."""
        opening = legality.Opening(practice_id, day, Period.DAY, frozenset({self.role}))
        rules = (legality.member_that_day, legality.role_accepted, legality.licence_valid)
        return all(rule(opening, self.standing) is None for rule in rules)


def first_plannable(session: UnitOfWork, practice: Practice) -> dt.date:
    """Tomorrow, where the practice is: today has begun, and the past is past."""
    return local_date(session.now(), practice.timezone) + ONE_DAY


def build_problem(
    session: UnitOfWork, practice: Practice, start: dt.date, end: dt.date
) -> dict[str, Any]:
    """The roster problem of a practice from `start` (tomorrow at the earliest) to `end`.

    Raises `InvalidInput` when nothing of the period lies ahead.
    """
    start = max(start, first_plannable(session, practice))
    if end < start:
        raise InvalidInput("proposal_past", field="end")
    return problem_between(session, practice, start, end)


def problem_between(
    session: UnitOfWork, practice: Practice, start: dt.date, end: dt.date
) -> dict[str, Any]:
    """The roster problem of a practice from `start` to `end`, whenever that is.

    The number of queries does not depend on how many rows there are.
    """
    candidates = candidates_of(session, practice, start, end)
    horizon = _horizon(candidates, start, end)
    fixed = _fixed(session, practice, candidates, horizon)
    needs = {need.id: need for need in _open_needs(session, practice, start, end)}
    needs |= {assignment.need.id: assignment.need for assignment in fixed}
    credit = _credit(session, practice, start, horizon[0])
    # The format's limits count days anywhere: the practice's own fit whoever works here only.
    elsewhere = {row.doctor_id for row in fixed if row.practice_id != practice.id}
    doctors = [
        _doctor(
            candidate,
            credit[candidate.user.id],
            [practice_key(practice.id)],
            None if candidate.user.id in elsewhere else practice,
        )
        for candidate in candidates.values()
    ]
    doctors += [
        # Somebody who has left keeps the days that stand, and is proposed for no other.
        _doctor(_stranger(user), credit[user.id], [], None)
        for user in _strangers(session, {row.doctor_id for row in fixed} - set(candidates))
    ]
    said = availabilities_between(session, candidates, start, end)
    taken = {assignment.need_id: assignment.doctor_id for assignment in fixed}
    return {
        "format": FORMAT,
        "start": horizon[0].isoformat(),
        "end": horizon[1].isoformat(),
        "practices": _practices(session, practice, needs.values()),
        "doctors": doctors,
        "needs": [
            _need(need) for need in sorted(needs.values(), key=lambda need: (need.date, need.id))
        ],
        "availabilities": [
            row
            for candidate in candidates.values()
            for row in _availabilities(candidate, said[candidate.user.id], practice, start, end)
        ],
        "fixed": [_pair(need_id, doctor_id) for need_id, doctor_id in sorted(taken.items())],
        "previous": [
            _pair(line.need_id, line.doctor_id)
            for line in _previous(session, practice, start, end)
            if line.need_id in needs and line.need_id not in taken and line.doctor_id in candidates
        ],
    }


def candidates_of(
    session: UnitOfWork, practice: Practice, start: dt.date, end: dt.date
) -> dict[int, Candidate]:
    """Doctors of the practice within the period, by user id.

    Whoever changes roles within it is planned in the role held on most of its days.
    """
    members = session.scalars(
        sa.select(Member)
        .join(Member.user)
        .where(
            Member.practice_id == practice.id,
            Member.role.in_(DOCTOR_ROLES),
            Member.since <= end,
            sa.or_(Member.until.is_(None), Member.until >= start),
            User.disabled_at.is_(None),
        )
        .options(contains_eager(Member.user).joinedload(User.doctor))
        .order_by(User.id, Member.id)
    )
    spans: dict[int, list[Member]] = defaultdict(list)
    for member in members:
        spans[member.user_id].append(member)

    def days(member: Member) -> int:
        return (min(end, member.until or end) - max(start, member.since)).days

    return {
        user_id: Candidate(
            user=rows[0].user,
            role=max(rows, key=days).role,
            standing=_standing(rows[0].user, rows),
        )
        for user_id, rows in spans.items()
    }


def _standing(user: User, members: Iterable[Member]) -> legality.Standing:
    facts = user.doctor or Doctor(user_id=user.id, qualified=True)
    return legality.Standing(
        doctor_id=user.id,
        spans=tuple(legality.RoleSpan(row.role, row.since, row.until) for row in members),
        qualified=facts.qualified,
        licence_until=facts.licence_until,
        max_half_days_per_week=facts.max_half_days_per_week,
        max_half_days_per_month=facts.max_half_days_per_month,
        max_consecutive_days=facts.max_consecutive_days,
    )


def _stranger(user: User) -> Candidate:
    return Candidate(user, Role.REPLACEMENT, _standing(user, ()))


def _horizon(
    candidates: dict[int, Candidate], start: dt.date, end: dt.date
) -> tuple[dt.date, dt.date]:
    """The period with its whole weeks and months, and the longest run that could cross an end."""
    runs = (row.standing.max_consecutive_days or 0 for row in candidates.values())
    margin = dt.timedelta(days=max(SMALLEST_MARGIN, *runs, 0))
    return (
        min(monday_of(start), month_bounds(start)[0], start - margin),
        max(monday_of(end) + 6 * ONE_DAY, month_bounds(end)[1], end + margin),
    )


def _fixed(
    session: UnitOfWork,
    practice: Practice,
    candidates: dict[int, Candidate],
    horizon: tuple[dt.date, dt.date],
) -> list[Assignment]:
    """What stands: the practice's assignments, and its doctors' in every other practice."""
    statement = (
        sa.select(Assignment)
        .join(Assignment.need)
        .where(
            Assignment.state != AssignmentState.RELEASED,
            Assignment.date.between(*horizon),
            Need.state == NeedState.PUBLISHED,
            sa.or_(Assignment.practice_id == practice.id, Assignment.doctor_id.in_(candidates)),
        )
        .options(contains_eager(Assignment.need))
        .order_by(Assignment.id)
    )
    return list(session.scalars(statement))


def _open_needs(
    session: UnitOfWork, practice: Practice, start: dt.date, end: dt.date
) -> list[Need]:
    statement = sa.select(Need).where(
        Need.practice_id == practice.id,
        Need.state == NeedState.PUBLISHED,
        Need.date.between(start, end),
    )
    return list(session.scalars(statement))


def _strangers(session: UnitOfWork, user_ids: set[int]) -> list[User]:
    statement = (
        sa.select(User)
        .where(User.id.in_(user_ids))
        .options(joinedload(User.doctor))
        .order_by(User.id)
    )
    return list(session.scalars(statement))


def _credit(
    session: UnitOfWork, practice: Practice, start: dt.date, horizon_start: dt.date
) -> Counter[int]:
    """Half-days of each doctor in the practice's fairness window, those in the horizon aside."""
    since = start - dt.timedelta(days=practice.fairness_window_days)
    rows = session.execute(
        sa.select(Assignment.doctor_id, Assignment.period, sa.func.count())
        .where(
            Assignment.practice_id == practice.id,
            Assignment.state != AssignmentState.RELEASED,
            Assignment.date >= since,
            Assignment.date < horizon_start,
        )
        .group_by(Assignment.doctor_id, Assignment.period)
    )
    credit: Counter[int] = Counter()
    for doctor_id, period, count in rows:
        credit[doctor_id] += len(period.halves) * count
    return credit


def _previous(
    session: UnitOfWork, practice: Practice, start: dt.date, end: dt.date
) -> Iterable[ProposalLine]:
    """The lines, still open, of the roster that people were last shown for these dates."""
    shown = (
        sa.select(Proposal.id)
        .where(
            Proposal.practice_id == practice.id,
            Proposal.state == ProposalState.READY,
            Proposal.start <= end,
            Proposal.end >= start,
        )
        .order_by(Proposal.finished_at.desc(), Proposal.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return session.scalars(
        sa.select(ProposalLine)
        .where(ProposalLine.proposal_id == shown, ProposalLine.state == LineState.PROPOSED)
        .order_by(ProposalLine.id)
    )


def _practices(
    session: UnitOfWork, practice: Practice, needs: Iterable[Need]
) -> list[dict[str, Any]]:
    """The practice, and with no minimum the others in which its doctors have days."""
    rooms: dict[int, dict[str, None]] = {practice.id: {}}
    for room_id in session.scalars(
        sa.select(Room.id).where(Room.practice_id == practice.id).order_by(Room.position, Room.id)
    ):
        rooms[practice.id][room_key(room_id)] = None
    for need in needs:
        rooms.setdefault(need.practice_id, {})[room_key(need.room_id)] = None
    return [
        {
            "id": practice_key(practice_id),
            "rooms": list(names) or [NO_ROOM],
            "weekly_minimum": practice.weekly_minimum if practice_id == practice.id else 0,
        }
        for practice_id, names in rooms.items()
    ]


def _doctor(
    candidate: Candidate, credit: int, practices: list[str], limiting: Practice | None
) -> dict[str, Any]:
    """A doctor of the problem, `limiting` being the practice whose own limits count, if any."""
    standing, facts = candidate.standing, candidate.user.doctor
    week, month = standing.max_half_days_per_week, standing.max_half_days_per_month
    if limiting is not None and candidate.role in legality.LICENSED_ROLES:
        week = _least(week, limiting.local_half_days_per_week)
        month = _least(month, limiting.local_half_days_per_month)
    return {
        "id": doctor_key(candidate.user.id),
        "role": candidate.role.value,
        "practices": practices,
        "gender": facts.gender.value if facts and facts.gender else None,
        "max_days_per_week": _days(week),
        "max_days_per_month": _days(month),
        "max_days_total": None,
        "max_consecutive_days": standing.max_consecutive_days,
        "credit": credit,
    }


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


def _days(half_days: int | None) -> float | None:
    return None if half_days is None else half_days / 2


def _need(need: Need) -> dict[str, Any]:
    return {
        "id": need_key(need.id),
        "practice": practice_key(need.practice_id),
        "room": room_key(need.room_id),
        "date": need.date.isoformat(),
        "period": need.period.value,
        "priority": need.priority,
        "roles": [role for role in dict.fromkeys(need.roles) if Role(role) in DOCTOR_ROLES],
    }


def _pair(need_id: int, doctor_id: int) -> dict[str, str]:
    return {"need": need_key(need_id), "doctor": doctor_key(doctor_id)}


def _availabilities(
    candidate: Candidate, said: Said, practice: Practice, start: dt.date, end: dt.date
) -> Iterator[dict[str, Any]]:
    """What a doctor said, on the days when they may work here; equal halves make one day."""
    free = expand(*said, start, end, practice.id)
    for day in days_between(start, end):
        spoken = _spoken(free, day)
        if not spoken or not candidate.may_work(day, practice.id):
            continue
        for period, preference in spoken:
            yield {
                "doctor": doctor_key(candidate.user.id),
                "date": day.isoformat(),
                "period": period.value,
                "preference": preference.value,
                "practice": practice_key(practice.id),
            }


def _spoken(free: dict[HalfDay, Preference], day: dt.date) -> list[tuple[Period, Preference]]:
    morning, afternoon = free.get((day, Half.AM)), free.get((day, Half.PM))
    if morning is not None and morning == afternoon:
        return [(Period.DAY, morning)]
    halves = ((Period.AM, morning), (Period.PM, afternoon))
    return [(period, preference) for period, preference in halves if preference is not None]
