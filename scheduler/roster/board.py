"""The open days board: every day that a doctor could take, in all of the doctor's practices, with
what matters for choosing one.

All of it is read at once: the number of queries does not depend on how many days, doctors or
practices there are.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from scheduler.core.database import UnitOfWork
from scheduler.core.permissions import DOCTOR_ROLES, Actor, Role
from scheduler.people.models import Doctor, Member, Practice, Room, User
from scheduler.people.queries import PracticeRef
from scheduler.roster import legality, standing
from scheduler.roster.availability_queries import Said, availabilities_between
from scheduler.roster.availability_rules import HalfDay, busy_halves, expand
from scheduler.roster.legality import Opening, Refusal
from scheduler.roster.models import Assignment, Need
from scheduler.roster.queries import role_on
from scheduler.roster.rules import AssignmentState, Half, NeedState, Period, Preference

MOST_NEAREST: Final = 3

Hours = tuple[dt.time, dt.time]


@dataclass(frozen=True, slots=True)
class Colleague:
    """A doctor who is there in another room at the same time; `role` is theirs on that day."""

    name: str
    role: Role | None
    room: str
    period: Period


@dataclass(frozen=True, slots=True)
class Contact:
    """The titular to reach about a day; `replaced` marks the replaced doctor of the month, and
    `unnamed` a month that needs one and has none."""

    name: str
    phone: str | None
    replaced: bool
    unnamed: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """Who a day is held for, and until when a titular may say a word about it."""

    doctor_id: int
    doctor: str
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class OpenDay:
    """A need that nobody has, or that is held for somebody (`held`).

    `hours` are local times of the practice, one pair a half-day. `last_doctor` is the
    last date before with a doctor in the practice, None where one is there that day or none ever
    was. `said` is
    what the doctor said of the day, the less willing of its halves; `declined` that they said no
    of one; `busy` that a calendar of theirs is taken then. `refusals` are the rules that stand
    against it, the gravest first; `warnings` stand against nothing.
    """

    need_id: int
    practice: PracticeRef
    room: str
    date: dt.date
    period: Period
    hours: tuple[Hours, ...]
    priority: int
    roles: tuple[Role, ...]
    colleagues: tuple[Colleague, ...]
    titular: Contact | None
    last_doctor: dt.date | None
    said: Preference | None
    declined: bool
    busy: bool
    refusals: tuple[Refusal, ...]
    warnings: tuple[Refusal, ...]
    held: Hold | None = None

    @property
    def may_take(self) -> bool:
        """Nobody has it, and no rule stands against it."""
        return self.held is None and not self.refusals

    @property
    def own_limits(self) -> tuple[str, ...]:
        """The codes of the doctor's own limits, where nothing else stands against the day."""
        if self.held is not None or not all(refusal.own for refusal in self.refusals):
            return ()
        return tuple(refusal.code for refusal in self.refusals)

    @property
    def barred(self) -> bool:
        """A rule forbids it that no yes of the doctor lifts."""
        return any(not refusal.own for refusal in self.refusals)


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when a need is, whether it can still be had or not."""

    practice_id: int
    room: str
    date: dt.date
    period: Period


@dataclass(frozen=True, slots=True)
class Licence:
    """What a doctor who needs a licence everywhere has: one until a date, or none."""

    until: dt.date | None


@dataclass(frozen=True, slots=True)
class Board:
    """The practices of a doctor, by name, and their days to fill, by date."""

    practices: tuple[Practice, ...]
    days: tuple[OpenDay, ...]


def licence_of(session: Session, actor: Actor) -> Licence | None:
    """The licence of who can take days by one only; None for whoever needs none somewhere."""
    roles = {each.role for each in actor.memberships} & DOCTOR_ROLES
    doctor = None if actor.user_id is None else session.get(Doctor, actor.user_id)
    if roles - legality.LICENSED_ROLES or (doctor is not None and doctor.qualified):
        return None
    return Licence(None if doctor is None else doctor.licence_until)


def practice_ids_of(actor: Actor) -> set[int]:
    """The practices in which the actor is a doctor."""
    return {each.practice_id for each in actor.memberships if each.role in DOCTOR_ROLES}


def board_between(session: UnitOfWork, actor: Actor, start: dt.date, end: dt.date) -> Board:
    """What is to fill from `start` to `end`, both included, as the actor finds it.

    Days that are held for somebody stand among them; those that are filled do not.
    """
    practices = list(
        session.scalars(
            sa.select(Practice)
            .where(Practice.id.in_(practice_ids_of(actor)))
            .order_by(Practice.name, Practice.id)
        )
    )
    if actor.user_id is None or not practices:
        return Board((), ())
    reading = _Reading(session, actor.user_id, practices, start, end)
    return Board(tuple(practices), tuple(reading.days()))


def nearest(
    days: Iterable[OpenDay], date: dt.date, practice_id: int, most: int = MOST_NEAREST
) -> list[OpenDay]:
    """The days that may be taken nearest to a date, its own practice first among equals."""
    free = [day for day in days if day.may_take]
    free.sort(
        key=lambda day: (
            abs((day.date - date).days),
            day.practice.id != practice_id,
            day.date,
            day.need_id,
        )
    )
    return free[:most]


def next_open(
    session: Session,
    actor: Actor,
    after: dt.date,
    practice_id: int | None = None,
    until: dt.date | None = None,
) -> dt.date | None:
    """The first date after `after`, and not after `until`, with a need that nobody has and that
    is open to one of the actor's roles, in one practice or in all."""
    places = practice_ids_of(actor)
    rows = session.execute(
        sa.select(Need.date, Need.practice_id, Need.roles)
        .outerjoin(Assignment, _active())
        .where(
            Need.practice_id.in_(places if practice_id is None else places & {practice_id}),
            Need.state == NeedState.PUBLISHED,
            Need.date > after,
            sa.true() if until is None else Need.date <= until,
            Assignment.id.is_(None),
        )
        .order_by(Need.date)
    )
    return next((date for date, place, roles in rows if actor.roles_in(place) & set(roles)), None)


def places_of(session: Session, actor: Actor, need_ids: Iterable[int]) -> dict[int, Place]:
    """Where and when some needs of the actor's practices are, by their numbers, by date."""
    rows = session.execute(
        sa.select(Need.id, Need.practice_id, Room.name, Need.date, Need.period)
        .join(Room, Room.id == Need.room_id)
        .where(Need.id.in_(set(need_ids)), Need.practice_id.in_(practice_ids_of(actor)))
        .order_by(Need.date, Room.position, Need.period, Need.id)
    )
    return {
        number: Place(practice_id, room, date, period)
        for number, practice_id, room, date, period in rows
    }


def _active() -> sa.ColumnElement[bool]:
    return sa.and_(Assignment.need_id == Need.id, Assignment.state != AssignmentState.RELEASED)


def _reference(practice: Practice) -> PracticeRef:
    return PracticeRef(practice.id, practice.slug, practice.name)


@dataclass(frozen=True, slots=True)
class _Row:
    """A published need, its room, and the active assignment where there is one."""

    need: Need
    room: str
    assignment: Assignment | None
    doctor: str

    @property
    def open_or_held(self) -> bool:
        return self.assignment is None or self.assignment.state is AssignmentState.HELD

    @property
    def halves(self) -> frozenset[Half]:
        return frozenset(self.need.period.halves)


class _Reading:
    """All that the board of one doctor is made of, read once."""

    def __init__(
        self,
        session: UnitOfWork,
        doctor_id: int,
        practices: Sequence[Practice],
        start: dt.date,
        end: dt.date,
    ) -> None:
        self.doctor_id = doctor_id
        self.practices = {practice.id: practice for practice in practices}
        self.rows = _rows(session, self.practices, start, end)
        self.by_date: defaultdict[tuple[int, dt.date], list[_Row]] = defaultdict(list)
        for row in self.rows:
            self.by_date[row.need.practice_id, row.need.date].append(row)
        self.members = _members(session, self.practices, start, end)
        self.spans: defaultdict[tuple[int, int], list[Member]] = defaultdict(list)
        for members in self.members.values():
            for member in members:
                self.spans[member.practice_id, member.user_id].append(member)
        self.covered = _covered(session, self.practices, self.rows, start)
        self.openings: Mapping[int, Opening] = standing.openings(
            session, [row.need for row in self.rows if row.open_or_held]
        )
        self.standings = standing.standings(session, doctor_id, self.practices.keys(), start, end)
        said = availabilities_between(session, [doctor_id], start, end)[doctor_id]
        self.said: dict[int, dict[HalfDay, Preference]] = {
            practice_id: expand(*said, start, end, practice_id) for practice_id in self.practices
        }
        self.declined = _declined(said)
        self.busy = busy_halves(said.explicit, said.imported)

    def days(self) -> list[OpenDay]:
        """The days that nobody has or that are held, in the order of `_rows`."""
        return [self._day(row) for row in self.rows if row.open_or_held]

    def _day(self, row: _Row) -> OpenDay:
        need, practice = row.need, self.practices[row.need.practice_id]
        opening, stands = self.openings[need.id], self.standings[practice.id]
        hours = {
            Half.AM: (practice.am_start, practice.am_end),
            Half.PM: (practice.pm_start, practice.pm_end),
        }
        words = [self.said[practice.id].get((need.date, half)) for half in need.period.halves]
        spoken = [word for word in words if word is not None]
        return OpenDay(
            need_id=need.id,
            practice=_reference(practice),
            room=row.room,
            date=need.date,
            period=need.period,
            hours=tuple(hours[half] for half in need.period.halves),
            priority=need.priority,
            roles=tuple(Role(role) for role in need.roles),
            colleagues=self._colleagues(row),
            titular=self._titular(opening),
            last_doctor=self._last_doctor(practice.id, need.date),
            said=max(spoken, key=list(Preference).index) if len(spoken) == len(words) else None,
            declined=any(
                (need.date, half, place) in self.declined
                for half in need.period.halves
                for place in (None, practice.id)
            ),
            busy=any((need.date, half) in self.busy for half in need.period.halves),
            refusals=() if self._own(row) else tuple(legality.check(opening, stands)),
            warnings=tuple(legality.warn(opening, stands)),
            held=_hold(row),
        )

    def _own(self, row: _Row) -> bool:
        """Whether the day is held for the doctor: it does not stand in its own way."""
        return row.assignment is not None and row.assignment.doctor_id == self.doctor_id

    def _colleagues(self, row: _Row) -> tuple[Colleague, ...]:
        """Who works in the other rooms at the same time."""
        need, found = row.need, []
        for other in self.by_date[need.practice_id, need.date]:
            if other.assignment is None or other.assignment.doctor_id == self.doctor_id:
                continue
            if other.need.room_id == need.room_id or not other.halves & row.halves:
                continue
            spans = self.spans[need.practice_id, other.assignment.doctor_id]
            role = role_on(spans, need.date, [Role(role) for role in other.need.roles])
            found.append(Colleague(other.doctor, role, other.room, other.need.period))
        return tuple(found)

    def _titular(self, opening: Opening) -> Contact | None:
        """The replaced doctor of the month, else the first titular; never the reader."""
        members = self.members[opening.practice_id]
        if opening.replaced is not None:
            if opening.replaced.doctor_id == self.doctor_id:
                return None
            known = self.spans[opening.practice_id, opening.replaced.doctor_id]
            phone = known[0].user.phone if known else None
            return Contact(opening.replaced.name, phone, replaced=True)
        for member in members:
            titular = member.role is Role.TITULAR and member.active_on(opening.date)
            if titular and member.user_id != self.doctor_id:
                unnamed = self.practices[opening.practice_id].derogation_required
                return Contact(member.user.name, member.user.phone, False, unnamed)
        return None

    def _last_doctor(self, practice_id: int, date: dt.date) -> dt.date | None:
        """The last date with a doctor in the practice, where none is there on the date."""
        covered = self.covered[practice_id]
        at = bisect_left(covered, date)
        if at == 0 or (at < len(covered) and covered[at] == date):
            return None
        return covered[at - 1]


def _rows(
    session: Session, practice_ids: Collection[int], start: dt.date, end: dt.date
) -> list[_Row]:
    rows = session.execute(
        sa.select(Need, Room.name, Assignment, User.given_name, User.family_name)
        .join(Room, Room.id == Need.room_id)
        .join(Practice, Practice.id == Need.practice_id)
        .outerjoin(Assignment, _active())
        .outerjoin(User, User.id == Assignment.doctor_id)
        .where(
            Need.practice_id.in_(practice_ids),
            Need.state == NeedState.PUBLISHED,
            Need.date.between(start, end),
        )
        .order_by(Need.date, Practice.name, Need.practice_id, Room.position, Room.id, Need.period)
        # A claim that failed in this very session may have read them before somebody was first.
        .execution_options(populate_existing=True)
    )
    return [
        _Row(need, room, assignment, f"{given} {family}" if assignment is not None else "")
        for need, room, assignment, given, family in rows
    ]


def _members(
    session: Session, practice_ids: Collection[int], start: dt.date, end: dt.date
) -> defaultdict[int, list[Member]]:
    """The doctors of each practice between two dates, whoever came first at the head."""
    found: defaultdict[int, list[Member]] = defaultdict(list)
    rows = session.scalars(
        sa.select(Member)
        .join(Member.user)
        .where(
            Member.practice_id.in_(practice_ids),
            Member.role.in_(DOCTOR_ROLES),
            Member.since <= end,
            sa.or_(Member.until.is_(None), Member.until >= start),
            User.disabled_at.is_(None),
        )
        .options(joinedload(Member.user))
        .order_by(Member.id)
    )
    for member in rows:
        found[member.practice_id].append(member)
    return found


def _covered(
    session: Session, practice_ids: Collection[int], rows: Iterable[_Row], start: dt.date
) -> dict[int, list[dt.date]]:
    """The dates with a doctor in each practice, in order: the last before `start`, and then all."""
    found: dict[int, set[dt.date]] = {practice_id: set() for practice_id in practice_ids}
    for practice_id, last in session.execute(
        sa.select(Assignment.practice_id, sa.func.max(Assignment.date))
        .where(
            Assignment.practice_id.in_(practice_ids),
            Assignment.state != AssignmentState.RELEASED,
            Assignment.date < start,
        )
        .group_by(Assignment.practice_id)
    ):
        found[practice_id].add(last)
    for row in rows:
        if row.assignment is not None:
            found[row.need.practice_id].add(row.need.date)
    return {practice_id: sorted(dates) for practice_id, dates in found.items()}


def _declined(said: Said) -> set[tuple[dt.date, Half, int | None]]:
    """The half-days of which a doctor said no, each with the practice meant (None: any)."""
    return {
        (row.date, row.half, row.practice_id) for row in said.explicit if row.preference is None
    }


def _hold(row: _Row) -> Hold | None:
    if row.assignment is None or row.assignment.held_until is None:
        return None
    return Hold(row.assignment.doctor_id, row.doctor, row.assignment.held_until)
