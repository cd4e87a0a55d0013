"""When members who are no doctors are in the house, and the urgent advice of days without one.

A nurse says it of herself; titulars and secretaries say it of everybody.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from scheduler.core import audit
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import InvalidInput, NotFound
from scheduler.core.permissions import Action, Actor, Role, Subject, require
from scheduler.people.models import Member, Practice
from scheduler.roster.availability_rules import last_day_to_plan
from scheduler.roster.models import PresenceException, UrgentAdvice, WeeklyPresence
from scheduler.roster.rules import Period

MOST_REPETITIONS: Final = 20
LONGEST_ADVICE: Final = 300
# A viewer only reads; whoever works in the house with patients is a nurse by role, whatever the
# profession.
OTHER_ROLES: Final = (Role.NURSE, Role.SECRETARY)


def add_weekly(
    session: UnitOfWork,
    actor: Actor,
    member_id: int,
    weekday: int,
    period: Period,
    since: dt.date,
    until: dt.date | None = None,
    *,
    every: int = 1,
) -> WeeklyPresence:
    """Say that a member is there every (or every n-th) such weekday.

    Raises `InvalidInput` for dates that go backwards and for too many repetitions.
    """
    member = _editable(session, actor, member_id)
    if until is not None and until < since:
        raise InvalidInput("presence_dates", field="until")
    if not (0 <= weekday <= 6 and 1 <= every <= 8):
        raise InvalidInput("presence_weekday", field="weekday")
    lock_rows(session, session.get_one(Practice, member.practice_id))
    known = session.scalar(
        sa.select(sa.func.count())
        .select_from(WeeklyPresence)
        .where(WeeklyPresence.member_id == member.id)
    )
    if (known or 0) >= MOST_REPETITIONS:
        raise InvalidInput("presence_many", field="weekday", most=MOST_REPETITIONS)
    row = WeeklyPresence(
        practice_id=member.practice_id,
        member_id=member.id,
        weekday=weekday,
        period=period,
        interval_weeks=every,
        start=since,
        end=until,
    )
    session.add(row)
    session.flush()
    _note(
        session,
        actor,
        "presence.weekly_added",
        member,
        weekday=weekday,
        period=period.value,
        every=every,
        since=since,
        until=until,
    )
    return row


def remove_weekly(session: UnitOfWork, actor: Actor, presence_id: int) -> Member:
    """Take a weekly presence away; `NotFound` where it is gone already."""
    row = session.get(WeeklyPresence, presence_id)
    if row is None:
        raise NotFound("presence_not_found")
    member = _editable(session, actor, row.member_id)
    session.delete(row)
    session.flush()
    _note(
        session,
        actor,
        "presence.weekly_removed",
        member,
        weekday=row.weekday,
        period=row.period.value,
        since=row.start,
    )
    return member


def set_exception(
    session: UnitOfWork, actor: Actor, member_id: int, date: dt.date, period: Period | None
) -> None:
    """Say of one date that a member is there for `period`, or not at all (None), whatever the
    weeks say. Raises `InvalidInput` for a day that is over or too far away."""
    member = _editable(session, actor, member_id)
    practice = session.get_one(Practice, member.practice_id)
    today = local_date(session.now(), practice.timezone)
    if not today <= date <= last_day_to_plan(today):
        raise InvalidInput("presence_date", field="date", latest=last_day_to_plan(today))
    lock_rows(session, practice)
    row = _exception(session, member.id, date)
    if row is None:
        row = PresenceException(practice_id=practice.id, member_id=member.id, date=date)
        session.add(row)
    row.period = period
    session.flush()
    _note(
        session,
        actor,
        "presence.exception_set",
        member,
        date=date,
        period=period.value if period else None,
    )


def clear_exception(session: UnitOfWork, actor: Actor, member_id: int, date: dt.date) -> None:
    """Let the weeks decide of a date again; nothing happens where they do already."""
    member = _editable(session, actor, member_id)
    row = _exception(session, member.id, date)
    if row is None:
        return
    session.delete(row)
    session.flush()
    _note(session, actor, "presence.exception_cleared", member, date=date)


def set_advice(session: UnitOfWork, actor: Actor, practice_id: int, texts: dict[int, str]) -> None:
    """Write what the practice says to urgent patients, weekday by weekday (Monday is 0).

    An empty text takes the advice of its weekday away. Raises `InvalidInput` for a text too long.
    """
    require(actor, Action.ADVICE_EDIT, Subject(practice_id))
    wanted = {weekday: " ".join(text.split()) for weekday, text in texts.items()}
    for weekday, text in wanted.items():
        if len(text) > LONGEST_ADVICE:
            raise InvalidInput("advice_too_long", field=f"day_{weekday}", most=LONGEST_ADVICE)
    lock_rows(session, session.get_one(Practice, practice_id))
    known = {
        row.weekday: row
        for row in session.scalars(
            sa.select(UrgentAdvice).where(UrgentAdvice.practice_id == practice_id)
        )
    }
    changed = []
    for weekday, text in sorted(wanted.items()):
        row = known.get(weekday)
        if text == (row.text if row else ""):
            continue
        changed.append(weekday)
        if row is None:
            session.add(UrgentAdvice(practice_id=practice_id, weekday=weekday, text=text))
        elif text:
            row.text = text
        else:
            session.delete(row)
    session.flush()
    if changed:
        audit.record(
            session,
            actor,
            "advice.changed",
            "practice",
            practice_id,
            practice_id=practice_id,
            weekdays=changed,
        )


def _editable(session: UnitOfWork, actor: Actor, member_id: int) -> Member:
    """A member who is no doctor and whose presences the actor may edit."""
    member = session.scalars(
        sa.select(Member).where(Member.id == member_id).options(joinedload(Member.user))
    ).one_or_none()
    if member is None or not (actor.is_system or actor.roles_in(member.practice_id)):
        raise NotFound("member_not_found")
    require(actor, Action.PRESENCE_EDIT, Subject(member.practice_id, member.user_id))
    if member.role not in OTHER_ROLES:
        raise InvalidInput("presence_of_doctor", field="member")
    return member


def _exception(session: UnitOfWork, member_id: int, date: dt.date) -> PresenceException | None:
    return session.scalars(
        sa.select(PresenceException).where(
            PresenceException.member_id == member_id, PresenceException.date == date
        )
    ).one_or_none()


def _note(
    session: UnitOfWork, actor: Actor, action: str, member: Member, **details: object
) -> None:
    audit.record(
        session, actor, action, "member", member.id, practice_id=member.practice_id, **details
    )
