"""From the database to what the rules of legality look at: openings, and where doctors stand."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from scheduler.core.database import UnitOfWork
from scheduler.core.permissions import Role
from scheduler.people.models import Derogation, Member, Practice, ReplacedDoctor, User
from scheduler.roster import legality
from scheduler.roster.legality import Lift, Opening, Replaced, RoleSpan, Standing, Stay
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentState

# A day counts towards the three months once, whoever held its half-days.
_COUNTED: Final = (AssignmentState.HELD, AssignmentState.CONFIRMED, AssignmentState.DONE)


def openings(session: UnitOfWork, needs: Iterable[Need]) -> dict[int, Opening]:
    """The opening of each need, by the need's number; three queries however many there are."""
    needs = list(needs)
    practices = {
        practice.id: practice
        for practice in session.scalars(
            sa.select(Practice).where(Practice.id.in_({need.practice_id for need in needs}))
        )
    }
    replaced = _replaced_doctors(session, needs)
    covering = _derogations(session, {row.doctor_id for row in replaced.values()})
    found: dict[int, Opening] = {}
    for need in needs:
        practice = practices[need.practice_id]
        named = replaced.get((need.practice_id, need.date.replace(day=1)))
        found[need.id] = Opening(
            practice_id=need.practice_id,
            date=need.date,
            period=need.period,
            roles=frozenset(Role(role) for role in need.roles),
            local_half_days_per_week=practice.local_half_days_per_week,
            local_half_days_per_month=practice.local_half_days_per_month,
            replaced=None if named is None else _replaced(practice, named, need.date, covering),
        )
    return found


def standings(
    session: UnitOfWork,
    doctor_id: int,
    practice_ids: Collection[int],
    first: dt.date,
    last: dt.date,
) -> dict[int, Standing]:
    """Where a doctor stands in each practice, as the rules need it for openings from `first` to
    `last`, both included; five queries however many there are."""
    user = session.scalars(
        sa.select(User)
        .where(User.id == doctor_id)
        .options(joinedload(User.doctor))
        .execution_options(populate_existing=True)
    ).one()
    facts = user.doctor
    if facts is None:
        # Without a doctor's facts nothing says that the user may treat anybody.
        return dict.fromkeys(practice_ids, Standing(doctor_id, qualified=False))
    spans = _spans(session, doctor_id, practice_ids) if user.disabled_at is None else {}
    begin, _ = legality.reach(first, facts.max_consecutive_days)
    _, end = legality.reach(last, facts.max_consecutive_days)
    stays = _stays(session, doctor_id, begin, end)
    replacing = _replacing(session, doctor_id)
    return {
        practice_id: Standing(
            doctor_id=doctor_id,
            spans=tuple(spans.get(practice_id, ())),
            qualified=facts.qualified,
            licence_until=facts.licence_until,
            max_half_days_per_week=facts.max_half_days_per_week,
            max_half_days_per_month=facts.max_half_days_per_month,
            max_consecutive_days=facts.max_consecutive_days,
            stays=stays,
            replacing=replacing,
        )
        for practice_id in practice_ids
    }


def _spans(
    session: UnitOfWork, doctor_id: int, practice_ids: Collection[int]
) -> Mapping[int, list[RoleSpan]]:
    found: defaultdict[int, list[RoleSpan]] = defaultdict(list)
    for member in session.scalars(
        sa.select(Member).where(
            Member.user_id == doctor_id, Member.practice_id.in_(set(practice_ids))
        )
    ):
        found[member.practice_id].append(RoleSpan(member.role, member.since, member.until))
    return found


def _stays(session: UnitOfWork, doctor_id: int, first: dt.date, last: dt.date) -> tuple[Stay, ...]:
    rows = session.execute(
        sa.select(
            Assignment.practice_id,
            Practice.name,
            Assignment.date,
            Assignment.period,
            Assignment.lifts,
        )
        .join(Practice, Practice.id == Assignment.practice_id)
        .where(
            Assignment.doctor_id == doctor_id,
            Assignment.state != AssignmentState.RELEASED,
            Assignment.date.between(first, last),
        )
        .order_by(Assignment.date, Assignment.period)
    )
    return tuple(
        Stay(practice_id, place, date, period, tuple(map(Lift.from_json, lifts)))
        for practice_id, place, date, period, lifts in rows
    )


def _replacing(session: UnitOfWork, doctor_id: int) -> dict[int, int]:
    """On how many dates the doctor replaced, or is to replace, each replaced doctor."""
    dates: defaultdict[tuple[int, dt.date], set[dt.date]] = defaultdict(set)
    for practice_id, date in session.execute(
        sa.select(Assignment.practice_id, Assignment.date).where(
            Assignment.doctor_id == doctor_id, Assignment.state.in_(_COUNTED)
        )
    ):
        dates[practice_id, date.replace(day=1)].add(date)
    named = session.execute(
        sa.select(ReplacedDoctor.practice_id, ReplacedDoctor.month, ReplacedDoctor.doctor_id).where(
            ReplacedDoctor.practice_id.in_({practice_id for practice_id, _month in dates})
        )
    )
    worked: defaultdict[int, set[dt.date]] = defaultdict(set)
    for practice_id, month, replaced_id in named:
        worked[replaced_id] |= dates.get((practice_id, month), set())
    return {replaced_id: len(days) for replaced_id, days in worked.items() if days}


def _replaced_doctors(
    session: UnitOfWork, needs: list[Need]
) -> dict[tuple[int, dt.date], ReplacedDoctor]:
    rows = session.scalars(
        sa.select(ReplacedDoctor)
        .where(
            ReplacedDoctor.practice_id.in_({need.practice_id for need in needs}),
            ReplacedDoctor.month.in_({need.date.replace(day=1) for need in needs}),
        )
        .options(joinedload(ReplacedDoctor.doctor))
    )
    return {(row.practice_id, row.month): row for row in rows}


def _derogations(session: UnitOfWork, doctor_ids: Collection[int]) -> list[Derogation]:
    if not doctor_ids:
        return []
    return list(
        session.scalars(sa.select(Derogation).where(Derogation.doctor_id.in_(set(doctor_ids))))
    )


def _replaced(
    practice: Practice, named: ReplacedDoctor, date: dt.date, derogations: list[Derogation]
) -> Replaced:
    covered = not practice.derogation_required or any(
        row.practice_id == practice.id
        and row.doctor_id == named.doctor_id
        and row.since <= date <= row.until
        for row in derogations
    )
    return Replaced(named.doctor_id, named.doctor.name, covered)
