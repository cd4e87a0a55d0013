"""Use cases of availabilities: a doctor says when they can come. Nobody says it for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa

from scheduler.core import audit
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import InvalidInput, NotFound
from scheduler.core.permissions import Action, Actor, Subject, can
from scheduler.people.models import User
from scheduler.roster.availability_queries import availabilities_between
from scheduler.roster.availability_rules import CYCLE, expand, half_days_of
from scheduler.roster.availability_saying import (
    MOST_DAYS_AT_ONCE,
    begin,
    check_ahead,
    check_days,
    check_first,
    check_order,
    half_days_on,
    say,
    today_of,
    without_own_words,
)
from scheduler.roster.models import Availability, WeeklyAvailability
from scheduler.roster.rules import Period, Preference, days_between

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
    begin(session, actor, doctor_id, practice_id)
    check_days(session, doctor_id, days)
    say(session, actor, doctor_id, half_days_on(days, period), preference, practice_id)


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
    begin(session, actor, doctor_id, practice_id)
    check_days(session, doctor_id, days)
    half_days = half_days_on(days, period)
    first = half_days[0]
    said = availabilities_between(session, [doctor_id], first[0], first[0])[doctor_id]
    preference = CYCLE[expand(*said, first[0], first[0], practice_id).get(first)]
    say(session, actor, doctor_id, half_days, preference, practice_id)
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
    *,
    without: Collection[dt.date] = (),
) -> list[dt.date]:
    """Say the same of every such weekday from `start` to `end`, both included.

    The dates of `without` are left as they are. Returns the days. Raises `InvalidInput` besides
    what `set_days` raises, for an end before the start.
    """
    begin(session, actor, doctor_id, practice_id)
    check_order(start, end)
    if (end - start).days >= MOST_DAYS_AT_ONCE:
        raise InvalidInput("availability_range_long", field="end", most=MOST_DAYS_AT_ONCE)
    check_first(session, doctor_id, start, "start")
    check_ahead(session, doctor_id, end, "end")
    days = [
        day for day in days_between(start, end) if day.weekday() in weekdays and day not in without
    ]
    if not days:
        raise InvalidInput("availability_no_day", field="weekdays")
    say(session, actor, doctor_id, half_days_on(days, period), preference, practice_id)
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
    begin(session, actor, doctor_id, practice_id)
    check_first(session, doctor_id, start, "start")
    check_ahead(session, doctor_id, start, "start")
    if end is not None:
        check_order(start, end)
        check_ahead(session, doctor_id, end, "end")
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
    today = today_of(session, doctor_id)
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
    check_first(session, row.doctor_id, last, "end")
    check_order(row.start, last)
    check_ahead(session, row.doctor_id, last, "end")
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
    today = today_of(session, row.doctor_id)
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
        practice_id: without_own_words(said, start, until, practice_id)
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
