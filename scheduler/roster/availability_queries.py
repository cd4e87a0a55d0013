"""Named reads of availabilities and of what their page shows around them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.core.permissions import Membership
from scheduler.people.models import Practice, Room
from scheduler.roster.models import Assignment, Availability, Need, WeeklyAvailability
from scheduler.roster.rules import AssignmentState, NeedState, Period


class Said(NamedTuple):
    """All that one doctor said of a period: of half-days, and as repetitions."""

    explicit: list[Availability]
    weekly: list[WeeklyAvailability]


def availabilities_between(
    session: Session, doctor_ids: Iterable[int], start: dt.date, end: dt.date
) -> dict[int, Said]:
    """What each doctor said of the days from `start` to `end`, both included; two queries.

    Rows are read anew even where the session knows them, since services write past it.
    """
    found = {doctor_id: Said([], []) for doctor_id in doctor_ids}
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


def needs_to_fill(
    session: Session, memberships: Collection[Membership], start: dt.date, end: dt.date
) -> dict[dt.date, int]:
    """How many needs nobody has taken yet, by date, among those open to these memberships."""
    rows = session.execute(
        sa.select(Need.date, Need.practice_id, Need.roles)
        .outerjoin(
            Assignment,
            sa.and_(Assignment.need_id == Need.id, Assignment.state != AssignmentState.RELEASED),
        )
        .where(
            Need.practice_id.in_({membership.practice_id for membership in memberships}),
            Need.state == NeedState.PUBLISHED,
            Need.date.between(start, end),
            Assignment.id.is_(None),
        )
        .order_by(Need.date)
    )
    found: defaultdict[dt.date, int] = defaultdict(int)
    for date, practice_id, roles in rows:
        if any(each.practice_id == practice_id and each.role in roles for each in memberships):
            found[date] += 1
    return dict(found)
