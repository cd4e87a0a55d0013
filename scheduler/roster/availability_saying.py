"""How words about half-days are checked and stored; the use cases of availabilities share it.

A whole doctor is locked while their words change, so that two taps at once, on the phone and on
the computer, follow each other and the last one counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scheduler.core import audit
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import InvalidInput
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.people.models import Member, Practice, User
from scheduler.roster.availability_queries import Said, availabilities_between
from scheduler.roster.availability_rules import HalfDay, expand, half_days_of, last_day_to_plan
from scheduler.roster.models import Availability
from scheduler.roster.rules import Period, Preference

MOST_DAYS_AT_ONCE: Final = 370


def begin(
    session: UnitOfWork, actor: Actor, doctor_id: int, practice_id: int | None = None
) -> None:
    """Let only the doctor on, and one change of their words at a time."""
    require(actor, Action.AVAILABILITY_EDIT, Subject(practice_id, doctor_id))
    lock_rows(session, session.get_one(User, doctor_id))


def today_of(session: UnitOfWork, doctor_id: int) -> dt.date:
    """The date where the doctor works; of several time zones, the one that is furthest behind."""
    zones = session.scalars(
        sa.select(Practice.timezone)
        .join(Member, Member.practice_id == Practice.id)
        .where(Member.user_id == doctor_id)
        .distinct()
    ).all()
    return min(local_date(session.now(), zone) for zone in zones or ["UTC"])


def check_days(session: UnitOfWork, doctor_id: int, days: Collection[dt.date]) -> None:
    if not days:
        raise InvalidInput("availability_no_day", field="day")
    if len(days) > MOST_DAYS_AT_ONCE:
        raise InvalidInput("availability_range_long", field="day", most=MOST_DAYS_AT_ONCE)
    check_first(session, doctor_id, min(days), "day")
    check_ahead(session, doctor_id, max(days), "day")


def check_first(session: UnitOfWork, doctor_id: int, day: dt.date, field: str) -> None:
    if day < today_of(session, doctor_id):
        raise InvalidInput("availability_past", field=field, day=day)


def check_ahead(session: UnitOfWork, doctor_id: int, day: dt.date, field: str) -> None:
    latest = last_day_to_plan(today_of(session, doctor_id))
    if day > latest:
        raise InvalidInput("availability_too_far", field=field, day=day, latest=latest)


def check_order(start: dt.date, end: dt.date) -> None:
    if end < start:
        raise InvalidInput("availability_range_order", field="end", start=start)


def half_days_on(days: Iterable[dt.date], period: Period) -> list[HalfDay]:
    return [(day, half) for day in sorted(set(days)) for half in period.halves]


def say(
    session: UnitOfWork,
    actor: Actor,
    doctor_id: int,
    half_days: list[HalfDay],
    preference: Preference | None,
    practice_id: int | None,
) -> None:
    """Say the same of half-days in their order; `preference` None takes them back."""
    first, last = half_days[0][0], half_days[-1][0]
    said = availabilities_between(session, [doctor_id], first, last)[doctor_id]
    named = set(half_days)
    standing = {
        (row.date, row.half): row for row in said.explicit if row.practice_id == practice_id
    }
    gone = [
        row.id
        for row in said.explicit
        if practice_id is None and row.practice_id is not None and (row.date, row.half) in named
    ]
    kept = half_days
    if preference is None:
        # A "no" is kept only where something else would say "yes": on any other day it would lie
        # in wait for a repetition added later.
        elsewhere = without_own_words(said, first, last, practice_id)
        kept = [half_day for half_day in half_days if half_day in elsewhere]
        gone += [standing[key].id for key in named - elsewhere if key in standing]
    new = [key for key in kept if key not in standing or standing[key].preference != preference]
    if gone:
        session.execute(sa.delete(Availability).where(Availability.id.in_(gone)))
    if new:
        _upsert(session, doctor_id, new, preference, practice_id)
    if gone or new:
        audit.record(
            session,
            actor,
            "availability.set",
            "doctor",
            doctor_id,
            practice_id=practice_id,
            preference=preference.value if preference else "none",
            first=first,
            last=last,
            half_days=len(half_days),
        )


def say_each(
    session: UnitOfWork,
    actor: Actor,
    doctor_id: int,
    words: Mapping[HalfDay, Preference | None],
) -> None:
    """Say something of each half-day, for all practices; None takes it back.

    For calendars, of which an event says many things at once. The caller has called `begin`.
    Raises `InvalidInput` for a half-day gone by or too far ahead.
    """
    if not words:
        return
    days = {date for date, _half in words}
    check_first(session, doctor_id, min(days), "day")
    check_ahead(session, doctor_id, max(days), "day")
    for preference in (*Preference, None):
        half_days = sorted(key for key, value in words.items() if value is preference)
        if half_days:
            say(session, actor, doctor_id, half_days, preference, None)


def without_own_words(
    said: Said, start: dt.date, end: dt.date, practice_id: int | None
) -> set[HalfDay]:
    """The half-days on which the doctor would come if nothing had been said of them in the same
    breadth (for this practice, or for all)."""
    if practice_id is None:
        repeated = {key for row in said.weekly for key in half_days_of(row, start, end)}
        return repeated | {(row.date, row.half) for row in said.imported if row.preference}
    general = [row for row in said.explicit if row.practice_id is None]
    return set(expand(general, said.weekly, said.imported, start, end, practice_id))


def _upsert(
    session: UnitOfWork,
    doctor_id: int,
    half_days: Iterable[HalfDay],
    preference: Preference | None,
    practice_id: int | None,
) -> None:
    rows = [
        {
            "doctor_id": doctor_id,
            "practice_id": practice_id,
            "date": day,
            "half": half,
            "preference": preference,
            "updated_at": session.now(),
        }
        for day, half in half_days
    ]
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if is_postgresql else sqlite.insert
    statement = insert(Availability).values(rows)
    keys = ["doctor_id", "date", "half"]
    session.execute(
        statement.on_conflict_do_update(
            index_elements=keys if practice_id is None else [*keys, "practice_id"],
            index_where=sa.text(f"practice_id IS {'' if practice_id is None else 'NOT '}NULL"),
            set_={
                "preference": statement.excluded.preference,
                "updated_at": statement.excluded.updated_at,
            },
        )
    )
