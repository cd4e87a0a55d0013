"""Named reads of availabilities and of what their page shows around them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.core.permissions import Membership, Role
from scheduler.people.models import Member, Practice, Room, User
from scheduler.roster.availability_rules import expand, fair_share
from scheduler.roster.models import (
    Assignment,
    Availability,
    AvailabilityAnswer,
    AvailabilityNote,
    ImportedHalf,
    Need,
    WeeklyAvailability,
)
from scheduler.roster.rules import AssignmentState, NeedState, Period, Preference, month_bounds

# Who is asked when they can come: titulars are the last resort, an intern's day is fixed.
ASKED_ROLES: Final = (Role.REPLACEMENT, Role.ASSISTANT)
SUITING: Final = frozenset({Preference.WANTED, Preference.POSSIBLE})


class Said(NamedTuple):
    """All that is known of when one doctor comes: what they said of half-days, what they said as
    repetitions, and what their calendars say."""

    explicit: list[Availability]
    weekly: list[WeeklyAvailability]
    imported: list[ImportedHalf]


def availabilities_between(
    session: Session, doctor_ids: Iterable[int], start: dt.date, end: dt.date
) -> dict[int, Said]:
    """What each doctor said of the days from `start` to `end`, both included; three queries.

    Rows are read anew even where the session knows them, since services write past it.
    """
    found = {doctor_id: Said([], [], []) for doctor_id in doctor_ids}
    explicit = session.scalars(
        sa.select(Availability)
        .where(Availability.doctor_id.in_(found), Availability.date.between(start, end))
        .order_by(Availability.id)
        .execution_options(populate_existing=True)
    )
    for row in explicit:
        found[row.doctor_id].explicit.append(row)
    weekly = session.scalars(
        sa.select(WeeklyAvailability)
        .where(
            WeeklyAvailability.doctor_id.in_(found),
            WeeklyAvailability.start <= end,
            sa.or_(WeeklyAvailability.end.is_(None), WeeklyAvailability.end >= start),
        )
        .order_by(WeeklyAvailability.id)
        .execution_options(populate_existing=True)
    )
    for repetition in weekly:
        found[repetition.doctor_id].weekly.append(repetition)
    imported = session.scalars(
        sa.select(ImportedHalf)
        .where(ImportedHalf.doctor_id.in_(found), ImportedHalf.date.between(start, end))
        .order_by(ImportedHalf.id)
        .execution_options(populate_existing=True)
    )
    for half in imported:
        found[half.doctor_id].imported.append(half)
    return found


@dataclass(frozen=True, slots=True)
class Repetition:
    """A weekly repetition, with the name of the practice that it is for, if it is for one."""

    row: WeeklyAvailability
    practice: str | None


def repetitions_of(session: Session, doctor_id: int, today: dt.date) -> list[Repetition]:
    """A doctor's repetitions that still count today or later, Mondays first."""
    rows = session.execute(
        sa.select(WeeklyAvailability, Practice.name)
        .outerjoin(Practice, Practice.id == WeeklyAvailability.practice_id)
        .where(
            WeeklyAvailability.doctor_id == doctor_id,
            sa.or_(WeeklyAvailability.end.is_(None), WeeklyAvailability.end >= today),
        )
        .order_by(WeeklyAvailability.weekday, WeeklyAvailability.start, WeeklyAvailability.id)
    )
    return [Repetition(row, name) for row, name in rows]


@dataclass(frozen=True, slots=True)
class OwnDay:
    """A day that is a doctor's already."""

    need_id: int
    date: dt.date
    period: Period
    state: AssignmentState
    room: str
    practice: str
    slug: str


def own_days(session: Session, doctor_id: int, start: dt.date, end: dt.date) -> list[OwnDay]:
    """The days that stand for a doctor from `start` to `end`, in all practices, in order."""
    rows = session.execute(
        sa.select(
            Assignment.need_id,
            Assignment.date,
            Assignment.period,
            Assignment.state,
            Room.name,
            Practice.name,
            Practice.slug,
        )
        .join(Need, Need.id == Assignment.need_id)
        .join(Room, Room.id == Need.room_id)
        .join(Practice, Practice.id == Assignment.practice_id)
        .where(
            Assignment.doctor_id == doctor_id,
            Assignment.state != AssignmentState.RELEASED,
            Assignment.date.between(start, end),
        )
        .order_by(Assignment.date, Assignment.period)
    )
    return [OwnDay(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a month still needs, as an invitation: needs that nobody has taken, and how many of
    them fall on half-days that the doctor said suit them.

    `share` is what each doctor would take if all took the same, and `given` what the doctor has
    taken already, both in half-days. `generous`: that is at least an equal part of the month.
    """

    by_date: dict[dt.date, int]
    suiting: int
    share: int
    given: int
    generous: bool

    @property
    def open(self) -> int:
        return sum(self.by_date.values())


def outlook(
    session: Session,
    doctor_id: int,
    memberships: Collection[Membership],
    month: dt.date,
    today: dt.date,
    said: Said,
) -> Outlook:
    """What the month that begins on `month` needs of a doctor with these memberships."""
    first, last = month_bounds(month)
    places = _places(session, memberships, first, last)
    pools = _pools(session, memberships, today)
    by_date: defaultdict[dt.date, int] = defaultdict(int)
    open_halves: defaultdict[int, int] = defaultdict(int)
    all_halves: defaultdict[int, int] = defaultdict(int)
    given = suiting = 0
    suits = {
        practice_id: expand(*said, first, last, practice_id)
        for practice_id in {membership.practice_id for membership in memberships}
    }
    for date, period, practice_id, holder_id in places:
        halves = period.halves
        all_halves[practice_id] += len(halves)
        if holder_id == doctor_id:
            given += len(halves)
        if holder_id is None and date >= today:
            by_date[date] += 1
            open_halves[practice_id] += len(halves)
            suiting += all(suits[practice_id].get((date, half)) in SUITING for half in halves)
    pooled = [each.practice_id for each in memberships if each.role in ASKED_ROLES]
    fair = sum(fair_share(all_halves[each], pools.get(each, 0)) for each in pooled)
    return Outlook(
        by_date=dict(by_date),
        suiting=suiting,
        share=sum(fair_share(open_halves[each], pools.get(each, 0)) for each in pooled),
        given=given,
        generous=given > 0 and given >= fair,
    )


def needs_to_fill(
    session: Session, memberships: Collection[Membership], start: dt.date, end: dt.date
) -> dict[dt.date, int]:
    """How many needs nobody has taken yet, by date, among those open to these memberships."""
    found: defaultdict[dt.date, int] = defaultdict(int)
    for date, _period, _practice_id, holder_id in _places(session, memberships, start, end):
        if holder_id is None:
            found[date] += 1
    return dict(found)


def _places(
    session: Session, memberships: Collection[Membership], start: dt.date, end: dt.date
) -> list[tuple[dt.date, Period, int, int | None]]:
    """The needs open to these memberships, in order: date, period, practice, who has it."""
    rows = session.execute(
        sa.select(Need.date, Need.period, Need.practice_id, Assignment.doctor_id, Need.roles)
        .outerjoin(
            Assignment,
            sa.and_(Assignment.need_id == Need.id, Assignment.state != AssignmentState.RELEASED),
        )
        .where(
            Need.practice_id.in_({membership.practice_id for membership in memberships}),
            Need.state == NeedState.PUBLISHED,
            Need.date.between(start, end),
        )
        .order_by(Need.date)
    )
    return [
        (date, period, practice_id, holder_id)
        for date, period, practice_id, holder_id, roles in rows
        if any(each.practice_id == practice_id and each.role in roles for each in memberships)
    ]


def _pools(session: Session, memberships: Collection[Membership], today: dt.date) -> dict[int, int]:
    """How many doctors each of these practices can turn to for its days."""
    rows = session.execute(
        sa.select(Member.practice_id, sa.func.count(sa.distinct(Member.user_id)))
        .join(Member.user)
        .where(
            Member.practice_id.in_({membership.practice_id for membership in memberships}),
            Member.role.in_(ASKED_ROLES),
            Member.since <= today,
            sa.or_(Member.until.is_(None), Member.until >= today),
            User.disabled_at.is_(None),
        )
        .group_by(Member.practice_id)
    )
    return dict(rows.all())


def note_texts(
    session: Session, doctor_id: int, start: dt.date, end: dt.date
) -> dict[dt.date, str]:
    """A doctor's notes to days from `start` to `end`, both included."""
    rows = session.execute(
        sa.select(AvailabilityNote.date, AvailabilityNote.text)
        .where(AvailabilityNote.doctor_id == doctor_id, AvailabilityNote.date.between(start, end))
        .order_by(AvailabilityNote.date)
    )
    return dict(rows.all())


def answered_at(session: Session, doctor_id: int, month: dt.date) -> dt.datetime | None:
    """When a doctor said that all is said of the month that begins on `month`."""
    return session.scalar(
        sa.select(AvailabilityAnswer.answered_at).where(
            AvailabilityAnswer.doctor_id == doctor_id, AvailabilityAnswer.month == month
        )
    )
