"""Named reads of who is in the house beside the doctors, and of the urgent advice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from scheduler.core.permissions import Action, Actor, Role, Subject, can
from scheduler.people.models import Member, User
from scheduler.roster.availability_rules import dates_of
from scheduler.roster.models import PresenceException, UrgentAdvice, WeeklyPresence
from scheduler.roster.presences import OTHER_ROLES
from scheduler.roster.rules import Half, Period


@dataclass(frozen=True, slots=True)
class Present:
    """A member who is no doctor, there on a date."""

    member_id: int
    name: str
    role: Role
    profession: str | None
    date: dt.date
    period: Period


def advice_of(session: Session, practice_id: int) -> dict[int, str]:
    """The urgent advice of a practice by weekday; those without any are missing."""
    rows = session.execute(
        sa.select(UrgentAdvice.weekday, UrgentAdvice.text).where(
            UrgentAdvice.practice_id == practice_id
        )
    )
    return dict(rows.all())


def presences_between(
    session: Session, practice_id: int, start: dt.date, end: dt.date
) -> list[Present]:
    """Who is there beside the doctors from `start` to `end`, both included; by name and date."""
    weekly = session.scalars(
        sa.select(WeeklyPresence)
        .where(
            WeeklyPresence.practice_id == practice_id,
            WeeklyPresence.start <= end,
            sa.or_(WeeklyPresence.end.is_(None), WeeklyPresence.end >= start),
        )
        .options(joinedload(WeeklyPresence.member).joinedload(Member.user))
    ).all()
    exceptions = session.scalars(
        sa.select(PresenceException)
        .where(
            PresenceException.practice_id == practice_id,
            PresenceException.date.between(start, end),
        )
        .options(joinedload(PresenceException.member).joinedload(Member.user))
    ).all()
    members = {row.member_id: row.member for row in weekly}
    members |= {row.member_id: row.member for row in exceptions}
    there = expand(weekly, exceptions, start, end)
    found = [
        Present(
            member_id,
            members[member_id].user.name,
            members[member_id].role,
            members[member_id].profession,
            date,
            period,
        )
        for (member_id, date), period in there.items()
        if members[member_id].active_on(date) and members[member_id].user.disabled_at is None
    ]
    return sorted(found, key=lambda present: (present.name, present.member_id, present.date))


def expand(
    weekly: Iterable[WeeklyPresence],
    exceptions: Iterable[PresenceException],
    start: dt.date,
    end: dt.date,
) -> dict[tuple[int, dt.date], Period]:
    """For which part of which dates each member is there, both dates included.

    Two halves of one date make a whole day; what was said of the date itself outranks the weeks.
    """
    halves: dict[tuple[int, dt.date], set[Half]] = {}
    for row in weekly:
        for date in dates_of(row, start, end):
            halves.setdefault((row.member_id, date), set()).update(row.period.halves)
    for exception in exceptions:
        halves.pop((exception.member_id, exception.date), None)
        if exception.period is not None:
            halves[exception.member_id, exception.date] = set(exception.period.halves)
    return {
        key: Period.DAY if len(found) == 2 else Period(next(iter(found)).value)
        for key, found in halves.items()
    }


def others_of(session: Session, actor: Actor, practice_id: int, today: dt.date) -> list[Member]:
    """The members who are no doctors whose presences the actor may edit, by role and name."""
    rows = session.scalars(
        sa.select(Member)
        .join(Member.user)
        .where(
            Member.practice_id == practice_id,
            Member.role.in_(OTHER_ROLES),
            sa.or_(Member.until.is_(None), Member.until >= today),
            User.disabled_at.is_(None),
        )
        .options(joinedload(Member.user))
        .order_by(User.family_name, User.given_name, Member.id)
    )
    # Those whom patients see come first.
    return [
        row
        for row in sorted(rows, key=lambda row: OTHER_ROLES.index(row.role))
        if can(actor, Action.PRESENCE_EDIT, Subject(practice_id, row.user_id))
    ]


def rows_of(
    session: Session, member_ids: Iterable[int], today: dt.date
) -> tuple[dict[int, list[WeeklyPresence]], dict[int, list[PresenceException]]]:
    """The weekly presences and the exceptions from `today` on of each of these members."""
    ids = set(member_ids)
    weekly: dict[int, list[WeeklyPresence]] = {}
    for row in session.scalars(
        sa.select(WeeklyPresence)
        .where(
            WeeklyPresence.member_id.in_(ids),
            sa.or_(WeeklyPresence.end.is_(None), WeeklyPresence.end >= today),
        )
        .order_by(WeeklyPresence.weekday, WeeklyPresence.start, WeeklyPresence.id)
    ):
        weekly.setdefault(row.member_id, []).append(row)
    exceptions: dict[int, list[PresenceException]] = {}
    for exception in session.scalars(
        sa.select(PresenceException)
        .where(PresenceException.member_id.in_(ids), PresenceException.date >= today)
        .order_by(PresenceException.date)
    ):
        exceptions.setdefault(exception.member_id, []).append(exception)
    return weekly, exceptions
