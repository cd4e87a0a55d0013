"""Use cases of availabilities: a doctor says when they can come. Nobody says it for them.

A whole doctor is locked while their words change, so that two taps at once, on the phone and on
the computer, follow each other and the last one counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scheduler.core import audit
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import InvalidInput, NotFound
from scheduler.core.permissions import Action, Actor, Subject, can, require
from scheduler.people.models import Member, Practice, User
from scheduler.roster.availability_queries import Said, availabilities_between
from scheduler.roster.availability_rules import (
    CYCLE,
    HalfDay,
    expand,
    half_days_of,
    last_day_to_plan,
)
from scheduler.roster.models import Availability, WeeklyAvailability
from scheduler.roster.rules import Period, Preference, days_between

MOST_DAYS_AT_ONCE: Final = 370
MOST_REPETITIONS: Final = 50


def set_days(
    session: UnitOfWork,
    actor: Actor,
    doctor_id: int,
    days: Collection[dt.date],
    period: Period,
    preference: Preference | None,
    practice_id: int | None = None,
) -> None:
    """Say the same of several days; `preference` None takes them back.

    Without a practice it holds for all of the doctor's practices and replaces what was said for
    one of them. Days already given to the doctor stay theirs. Raises `Forbidden`; `InvalidInput`
    for no day, too many, one gone by or too far ahead.
    """
    _begin(session, actor, doctor_id, practice_id)
    _check_days(session, doctor_id, days)
    _say(session, actor, doctor_id, _half_days(days, period), preference, practice_id)


def cycle_days(
    session: UnitOfWork,
    actor: Actor,
    doctor_id: int,
    days: Collection[dt.date],
    period: Period,
    practice_id: int | None = None,
) -> Preference | None:
    """Move days one step on: wanted, possible, last resort, nothing, wanted again.

    All of them get what follows on the first half-day among them, as a finger drawn over them
    does. Returns what they are now; raises as `set_days`.
    """
    _begin(session, actor, doctor_id, practice_id)
    _check_days(session, doctor_id, days)
    half_days = _half_days(days, period)
    first = half_days[0]
    said = availabilities_between(session, [doctor_id], first[0], first[0])[doctor_id]
    preference = CYCLE[expand(*said, first[0], first[0], practice_id).get(first)]
    _say(session, actor, doctor_id, half_days, preference, practice_id)
    return preference


def set_range(
    session: UnitOfWork,
    actor: Actor,
    doctor_id: int,
    start: dt.date,
    end: dt.date,
    weekdays: Collection[int],
    period: Period,
    preference: Preference | None,
    practice_id: int | None = None,
) -> list[dt.date]:
    """Say the same of every such weekday from `start` to `end`, both included.

    Returns the days. Raises `InvalidInput` besides what `set_days` raises, for an end before the
    start.
    """
    _begin(session, actor, doctor_id, practice_id)
    _check_order(start, end)
    if (end - start).days >= MOST_DAYS_AT_ONCE:
        raise InvalidInput("availability_range_long", field="end", most=MOST_DAYS_AT_ONCE)
    _check_first(session, doctor_id, start, "start")
    _check_ahead(session, doctor_id, end, "end")
    days = [day for day in days_between(start, end) if day.weekday() in weekdays]
    if not days:
        raise InvalidInput("availability_no_day", field="weekdays")
    _say(session, actor, doctor_id, _half_days(days, period), preference, practice_id)
    return days


def add_weekly(
    session: UnitOfWork,
    actor: Actor,
    doctor_id: int,
    weekday: int,
    period: Period,
    preference: Preference,
    start: dt.date,
    end: dt.date | None = None,
    interval_weeks: int = 1,
    practice_id: int | None = None,
) -> WeeklyAvailability:
    """Add a repetition on a weekday (0 is Monday); the same one is not added twice.

    Raises `InvalidInput` for dates gone by, too far ahead or in the wrong order, for a repetition
    that names no day, and for too many of them.
    """
    _begin(session, actor, doctor_id, practice_id)
    if end is not None:
        _check_order(start, end)
    _check_first(session, doctor_id, start, "start")
    _check_ahead(session, doctor_id, start, "start")
    values: dict[str, Any] = {
        "doctor_id": doctor_id,
        "practice_id": practice_id,
        "weekday": weekday,
        "period": period,
        "preference": preference,
        "interval_weeks": interval_weeks,
        "start": start,
        "end": end,
    }
    row = WeeklyAvailability(**values, updated_at=session.now())
    if end is not None and next(iter(half_days_of(row, start, end)), None) is None:
        raise InvalidInput("availability_no_day", field="end")
    standing = session.scalars(
        sa.select(WeeklyAvailability).where(WeeklyAvailability.doctor_id == doctor_id)
    ).all()
    for other in standing:
        if all(getattr(other, name) == value for name, value in values.items()):
            return other
    today = _today(session, doctor_id)
    if sum(other.end is None or other.end >= today for other in standing) >= MOST_REPETITIONS:
        raise InvalidInput("availability_many_repetitions", field="weekday", most=MOST_REPETITIONS)
    session.add(row)
    session.flush()
    _record_weekly(session, actor, "availability.repetition_added", row)
    return row


def end_weekly(session: UnitOfWork, actor: Actor, weekly_id: int, last: dt.date) -> None:
    """Let a repetition end with `last`, which is today or later.

    Raises `NotFound` unless it is the actor's own, `InvalidInput` for a date gone by or before
    the repetition begins.
    """
    row = _own_repetition(session, actor, weekly_id)
    _check_first(session, row.doctor_id, last, "end")
    _check_order(row.start, last)
    if row.end == last:
        return
    row.end = last
    row.updated_at = session.now()
    session.flush()
    _forget_exceptions(session, row, last)
    _record_weekly(session, actor, "availability.repetition_ended", row)


def remove_weekly(session: UnitOfWork, actor: Actor, weekly_id: int) -> None:
    """Let a repetition count no more from today on; what it said of the past is kept.

    Raises `NotFound` unless it is the actor's own.
    """
    row = _own_repetition(session, actor, weekly_id)
    today = _today(session, row.doctor_id)
    yesterday = today - dt.timedelta(days=1)
    if row.end is not None and row.end <= yesterday:
        return
    _record_weekly(session, actor, "availability.repetition_removed", row)
    if row.start >= today:
        session.delete(row)
    else:
        row.end = yesterday
        row.updated_at = session.now()
    session.flush()
    _forget_exceptions(session, row, yesterday)


def _begin(session: UnitOfWork, actor: Actor, doctor_id: int, practice_id: int | None) -> None:
    require(actor, Action.AVAILABILITY_EDIT, Subject(practice_id, doctor_id))
    lock_rows(session, session.get_one(User, doctor_id))


def _own_repetition(session: UnitOfWork, actor: Actor, weekly_id: int) -> WeeklyAvailability:
    row = session.get(WeeklyAvailability, weekly_id)
    if row is None or not can(actor, Action.AVAILABILITY_EDIT, Subject(None, row.doctor_id)):
        raise NotFound("repetition_not_found")
    lock_rows(session, session.get_one(User, row.doctor_id))
    # Once more under the lock: another tap may have removed it meanwhile.
    row = session.get(WeeklyAvailability, weekly_id, populate_existing=True)
    if row is None:
        raise NotFound("repetition_not_found")
    return row


def _today(session: UnitOfWork, doctor_id: int) -> dt.date:
    """The date where the doctor works; of several time zones, the one that is furthest behind."""
    zones = session.scalars(
        sa.select(Practice.timezone)
        .join(Member, Member.practice_id == Practice.id)
        .where(Member.user_id == doctor_id)
        .distinct()
    ).all()
    return min(local_date(session.now(), zone) for zone in zones or ["UTC"])


def _check_days(session: UnitOfWork, doctor_id: int, days: Collection[dt.date]) -> None:
    if not days:
        raise InvalidInput("availability_no_day", field="day")
    if len(days) > MOST_DAYS_AT_ONCE:
        raise InvalidInput("availability_range_long", field="day", most=MOST_DAYS_AT_ONCE)
    _check_first(session, doctor_id, min(days), "day")
    _check_ahead(session, doctor_id, max(days), "day")


def _check_first(session: UnitOfWork, doctor_id: int, day: dt.date, field: str) -> None:
    if day < _today(session, doctor_id):
        raise InvalidInput("availability_past", field=field, day=day)


def _check_ahead(session: UnitOfWork, doctor_id: int, day: dt.date, field: str) -> None:
    latest = last_day_to_plan(_today(session, doctor_id))
    if day > latest:
        raise InvalidInput("availability_too_far", field=field, day=day, latest=latest)


def _check_order(start: dt.date, end: dt.date) -> None:
    if end < start:
        raise InvalidInput("availability_range_order", field="end", start=start)


def _half_days(days: Iterable[dt.date], period: Period) -> list[HalfDay]:
    return [(day, half) for day in sorted(set(days)) for half in period.halves]


def _say(
    session: UnitOfWork,
    actor: Actor,
    doctor_id: int,
    half_days: list[HalfDay],
    preference: Preference | None,
    practice_id: int | None,
) -> None:
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
        elsewhere = _without_own_words(said, first, last, practice_id)
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


def _without_own_words(
    said: Said, start: dt.date, end: dt.date, practice_id: int | None
) -> set[HalfDay]:
    """The half-days on which the doctor would come if nothing had been said of them in the same
    breadth (for this practice, or for all)."""
    if practice_id is None:
        return {key for row in said.weekly for key in half_days_of(row, start, end)}
    general = [row for row in said.explicit if row.practice_id is None]
    return set(expand(general, said.weekly, start, end, practice_id))


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


def _forget_exceptions(session: UnitOfWork, row: WeeklyAvailability, after: dt.date) -> None:
    """Drop each "no" to a repetition that no longer names the day."""
    until = session.scalar(
        sa.select(sa.func.max(Availability.date)).where(
            Availability.doctor_id == row.doctor_id,
            Availability.date > after,
            Availability.preference.is_(None),
        )
    )
    if until is None:
        return
    start = after + dt.timedelta(days=1)
    said = availabilities_between(session, [row.doctor_id], start, until)[row.doctor_id]
    wanted = {
        practice_id: _without_own_words(said, start, until, practice_id)
        for practice_id in {no.practice_id for no in said.explicit}
    }
    gone = [
        no.id
        for no in said.explicit
        if no.preference is None and (no.date, no.half) not in wanted[no.practice_id]
    ]
    session.execute(sa.delete(Availability).where(Availability.id.in_(gone)))


def _record_weekly(session: UnitOfWork, actor: Actor, action: str, row: WeeklyAvailability) -> None:
    audit.record(
        session,
        actor,
        action,
        "weekly_availability",
        row.id,
        practice_id=row.practice_id,
        weekday=row.weekday,
        period=row.period.value,
        preference=row.preference.value,
        interval_weeks=row.interval_weeks,
        start=row.start,
        end=row.end,
    )
