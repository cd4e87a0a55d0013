"""Named reads of duties."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.core.permissions import Role
from scheduler.oncall.models import Duty
from scheduler.oncall.service import ON_CALL_ROLES
from scheduler.people.models import Doctor, Member, User


@dataclass(frozen=True, slots=True)
class OnCall:
    """Who is on call on a date."""

    date: dt.date
    doctor_id: int
    name: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A doctor who can be put on call, with how many duties they have around the date."""

    doctor_id: int
    name: str
    role: Role
    duties: int


def duties_between(
    session: Session, practice_id: int, start: dt.date, end: dt.date
) -> dict[dt.date, OnCall]:
    """The duties of a practice by date, both dates included."""
    rows = session.execute(
        sa.select(Duty.date, User.id, User.given_name, User.family_name, User.phone)
        .join(User, User.id == Duty.doctor_id)
        .where(Duty.practice_id == practice_id, Duty.date.between(start, end))
    )
    return {
        date: OnCall(date, user_id, f"{given} {family}", phone)
        for date, user_id, given, family, phone in rows
    }


def choices(
    session: Session, practice_id: int, date: dt.date, around: dt.timedelta
) -> list[Choice]:
    """The doctors who can be on call on a date, with a licence where they need one: titulars
    first, then whoever has the fewest duties from `around` before the date to `around` after
    it."""
    duties = (
        sa.select(Duty.doctor_id, sa.func.count().label("number"))
        .where(
            Duty.practice_id == practice_id,
            Duty.date.between(date - around, date + around),
        )
        .group_by(Duty.doctor_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(
            User.id,
            User.given_name,
            User.family_name,
            Member.role,
            sa.func.coalesce(duties.c.number, 0),
        )
        .join(Member, Member.user_id == User.id)
        .outerjoin(Doctor, Doctor.user_id == User.id)
        .outerjoin(duties, duties.c.doctor_id == User.id)
        .where(
            User.disabled_at.is_(None),
            Member.practice_id == practice_id,
            Member.role.in_(ON_CALL_ROLES),
            Member.since <= date,
            sa.or_(Member.until.is_(None), Member.until >= date),
            sa.or_(
                Member.role == Role.TITULAR,
                Doctor.qualified,
                Doctor.licence_until >= date,
            ),
        )
        .order_by(User.family_name, User.given_name, User.id)
    )
    found: dict[int, Choice] = {}
    for user_id, given, family, role, number in rows:
        known = found.get(user_id)
        if known is None or role is Role.TITULAR:
            found[user_id] = Choice(user_id, f"{given} {family}", role, number)
    return sorted(
        found.values(), key=lambda choice: (choice.role is not Role.TITULAR, choice.duties)
    )
