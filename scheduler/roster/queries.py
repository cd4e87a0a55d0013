"""Named reads of the roster: what the week, the month and the panel of a day show."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from scheduler.core.errors import NotFound
from scheduler.core.permissions import DOCTOR_ROLES, Role
from scheduler.people.models import Member, Practice, Room, User
from scheduler.roster.models import Assignment, Need, WeekPattern
from scheduler.roster.rules import (
    AssignmentState,
    Half,
    NeedState,
    Period,
    add_months,
    month_bounds,
)

FURTHEST_MONTHS: Final = 24
DAY: Final = dt.timedelta(days=1)
WEEK: Final = 7 * DAY


@dataclass(frozen=True, slots=True)
class Entry:
    """A published need, and who is on it. Without a doctor it is uncovered."""

    need_id: int
    room_id: int
    room: str
    date: dt.date
    period: Period
    priority: int
    roles: tuple[Role, ...]
    assignment_id: int | None = None
    state: AssignmentState | None = None
    doctor_id: int | None = None
    doctor: str | None = None
    family_name: str | None = None
    role: Role | None = None
    # Held for its doctor, who has not said yes.
    tentative: bool = False

    @property
    def uncovered(self) -> bool:
        return self.state is None

    def missed(self, today: dt.date) -> bool:
        """Whether the day went by with nobody on it."""
        return self.uncovered and self.date < today

    @property
    def attended(self) -> bool:
        """Whether a doctor who answers alone is on it: an intern works under another's eyes."""
        return not self.uncovered and self.role is not Role.INTERN

    @property
    def half_days(self) -> int:
        return len(self.period.halves)


def halves_without_doctor(entries: Iterable[Entry], date: dt.date) -> tuple[Half, ...]:
    """The halves of a date on which no doctor is in the house; one with an intern alone is."""
    attended = {
        half
        for entry in entries
        if entry.date == date and entry.attended
        for half in entry.period.halves
    }
    return tuple(half for half in Half if half not in attended)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How well some days are filled; `minimum` is the practice's days a week with a doctor.

    Half-days of the past that nobody took are `missed`: neither filled nor to fill.
    """

    half_days: int
    filled: int
    missed: int
    days_with_doctor: int
    minimum: int

    @classmethod
    def of(cls, entries: Iterable[Entry], minimum: int, today: dt.date) -> Coverage:
        entries = list(entries)
        filled = [entry for entry in entries if not entry.uncovered]
        return cls(
            half_days=sum(entry.half_days for entry in entries),
            filled=sum(entry.half_days for entry in filled),
            missed=sum(entry.half_days for entry in entries if entry.missed(today)),
            days_with_doctor=len({entry.date for entry in filled}),
            minimum=minimum,
        )

    @property
    def to_fill(self) -> int:
        return self.half_days - self.filled - self.missed

    @property
    def minimum_reached(self) -> bool:
        return self.days_with_doctor >= self.minimum


def roster_between(session: Session, practice_id: int, start: dt.date, end: dt.date) -> list[Entry]:
    """The published needs of a practice, both dates included, by date, room and period."""
    rows = session.execute(
        sa.select(Need, Room.name, Assignment, User.given_name, User.family_name)
        .join(Room, Room.id == Need.room_id)
        .outerjoin(
            Assignment,
            sa.and_(Assignment.need_id == Need.id, Assignment.state != AssignmentState.RELEASED),
        )
        .outerjoin(User, User.id == Assignment.doctor_id)
        .where(
            Need.practice_id == practice_id,
            Need.state == NeedState.PUBLISHED,
            Need.date.between(start, end),
        )
        .order_by(Need.date, Room.position, Room.id, Need.period)
    ).all()
    doctors = {row.Assignment.doctor_id for row in rows if row.Assignment is not None}
    members = _members(session, practice_id, doctors)
    found: list[Entry] = []
    for need, room, assignment, given_name, family_name in rows:
        roles = tuple(Role(role) for role in need.roles)
        entry = Entry(need.id, need.room_id, room, need.date, need.period, need.priority, roles)
        if assignment is not None:
            entry = replace(
                entry,
                assignment_id=assignment.id,
                state=assignment.state,
                tentative=assignment.tentative,
                doctor_id=assignment.doctor_id,
                doctor=f"{given_name} {family_name}",
                family_name=family_name,
                role=role_on(members[assignment.doctor_id], need.date, roles),
            )
        found.append(entry)
    return found


def role_on(members: Iterable[Member], day: dt.date, wanted: Sequence[Role]) -> Role | None:
    """The role in which somebody works on a day: one that was asked for, else any doctor's."""
    roles = [member.role for member in members if member.active_on(day)]
    for role in roles:
        if role in wanted:
            return role
    return next((role for role in roles if role in DOCTOR_ROLES), None)


def _members(
    session: Session, practice_id: int, user_ids: Iterable[int]
) -> defaultdict[int, list[Member]]:
    found: defaultdict[int, list[Member]] = defaultdict(list)
    statement = sa.select(Member).where(
        Member.practice_id == practice_id, Member.user_id.in_(set(user_ids))
    )
    for member in session.scalars(statement.order_by(Member.id)):
        found[member.user_id].append(member)
    return found


@dataclass(frozen=True, slots=True)
class Turn:
    """One doctor's time on a need."""

    assignment: Assignment
    doctor: str


@dataclass(frozen=True, slots=True)
class NeedDetail:
    """A need with all that its panel tells; `turns` are its assignments, oldest first."""

    need: Need
    turns: tuple[Turn, ...]
    role: Role | None

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that may take it."""
        return tuple(Role(role) for role in self.need.roles)

    @property
    def is_open(self) -> bool:
        """Published, and nobody is on it."""
        return self.need.state is NeedState.PUBLISHED and self.holder is None

    @property
    def holder(self) -> Turn | None:
        """Who is on the need now."""
        for turn in self.turns:
            if turn.assignment.state is not AssignmentState.RELEASED:
                return turn
        return None


def need_detail(session: Session, practice: Practice, need_id: int) -> NeedDetail:
    """A need of a practice with its room and doctors; `NotFound` where there is none."""
    need = session.scalars(
        sa.select(Need)
        .where(Need.id == need_id, Need.practice_id == practice.id)
        .options(
            joinedload(Need.room),
            joinedload(Need.practice),
            selectinload(Need.assignments).joinedload(Assignment.doctor),
        )
    ).one_or_none()
    if need is None:
        raise NotFound("need_not_found")
    turns = tuple(Turn(assignment, assignment.doctor.name) for assignment in need.assignments)
    detail = NeedDetail(need, turns, None)
    if detail.holder is None:
        return detail
    doctor_id = detail.holder.assignment.doctor_id
    members = _members(session, practice.id, [doctor_id])[doctor_id]
    return replace(detail, role=role_on(members, need.date, detail.roles))


def need_of_assignment(session: Session, practice_id: int, assignment_id: int) -> int:
    """The number of the need that an assignment of a practice is on."""
    need_id = session.scalar(
        sa.select(Assignment.need_id).where(
            Assignment.id == assignment_id, Assignment.practice_id == practice_id
        )
    )
    if need_id is None:
        raise NotFound("assignment_not_found")
    return need_id


def patterns_of(session: Session, practice_id: int) -> list[WeekPattern]:
    """The week patterns of a practice with their slots, by name."""
    return list(
        session.scalars(
            sa.select(WeekPattern)
            .where(WeekPattern.practice_id == practice_id)
            .options(selectinload(WeekPattern.slots))
            .order_by(WeekPattern.name)
        )
    )


def next_published(session: Session, practice_id: int, after: dt.date) -> dt.date | None:
    """The first date after `after` with a published need."""
    return session.scalar(
        sa.select(sa.func.min(Need.date)).where(
            Need.practice_id == practice_id,
            Need.state == NeedState.PUBLISHED,
            Need.date > after,
        )
    )


def next_unpublished(session: Session, practice_id: int, today: dt.date) -> tuple[dt.date, dt.date]:
    """The days to publish next: from the one after the last that is published to the end of its
    month, or of the next one where little is left of it; else the whole month after this one."""
    last = session.scalar(
        sa.select(sa.func.max(Need.date)).where(
            Need.practice_id == practice_id,
            Need.state == NeedState.PUBLISHED,
            Need.date > today,
        )
    )
    if last is None:
        return month_bounds(add_months(today.replace(day=1), 1))
    start = min(last + DAY, add_months(today, FURTHEST_MONTHS))
    end = month_bounds(start)[1]
    return start, end if end - start >= WEEK else month_bounds(end + DAY)[1]


def published_months(session: Session, practice_id: int, today: dt.date) -> set[dt.date]:
    """The months (their firsts) with a published need today or later."""
    dates = session.scalars(
        sa.select(Need.date)
        .where(
            Need.practice_id == practice_id,
            Need.state == NeedState.PUBLISHED,
            Need.date >= today,
        )
        .distinct()
    )
    return {day.replace(day=1) for day in dates}
