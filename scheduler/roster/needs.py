"""The days to fill: published from a week pattern, withdrawn one by one.

What is closed on which date is handed in: the roster knows nothing of calendars.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import joinedload

from scheduler.core import audit
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import Conflict, InvalidInput, NotFound, RuleBroken
from scheduler.core.permissions import Action, Actor, Role, Subject, require
from scheduler.people.models import Practice
from scheduler.roster import ask_endings, availability_reminders
from scheduler.roster.models import Assignment, Need, WeekPattern
from scheduler.roster.patterns import Slot, load_pattern, require_version
from scheduler.roster.rules import (
    AssignmentState,
    Half,
    NeedState,
    Period,
    add_months,
    days_between,
)

LONGEST_NAME: Final = 80
MOST_MONTHS: Final = 12
FURTHEST_MONTHS: Final = 24
_ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class PlannedNeed:
    """A need that a publication makes, or finds there already (`is_new` false)."""

    date: dt.date
    slot: Slot
    is_new: bool


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing makes of a pattern in a period; `skipped` are closed dates by name."""

    planned: tuple[PlannedNeed, ...]
    skipped: Mapping[dt.date, str]

    @property
    def created(self) -> int:
        return sum(need.is_new for need in self.planned)

    @property
    def existing(self) -> int:
        return len(self.planned) - self.created


def preview_needs(
    session: UnitOfWork,
    actor: Actor,
    practice: Practice,
    *,
    pattern_id: int,
    start: dt.date,
    end: dt.date,
    skip: Mapping[dt.date, str],
) -> Publication:
    """What `publish_needs` would do now, with nothing written."""
    require(actor, Action.NEED_PUBLISH, Subject(practice.id))
    check_period(local_date(session.now(), practice.timezone), start, end)
    pattern = load_pattern(session, practice, pattern_id)
    return _plan(session, practice, pattern, start, end, skip)


def publish_needs(
    session: UnitOfWork,
    actor: Actor,
    practice: Practice,
    *,
    pattern_id: int,
    start: dt.date,
    end: dt.date,
    skip: Mapping[dt.date, str],
    version: int | None = None,
) -> Publication:
    """Publish a pattern's days from `start` to `end`, both included, but for the dates to skip.

    A half-day that a need holds already in that room is left as it is, so that publishing
    twice changes nothing. `version` is that of the pattern in the preview that was confirmed.
    """
    require(actor, Action.NEED_PUBLISH, Subject(practice.id))
    check_period(local_date(session.now(), practice.timezone), start, end)
    lock_rows(session, session.get_one(Practice, practice.id))
    pattern = load_pattern(session, practice, pattern_id)
    require_version(pattern, version)
    publication = _plan(session, practice, pattern, start, end, skip)
    if publication.created:
        publication = _write(session, actor, practice, publication)
        audit.record(
            session,
            actor,
            "needs.published",
            "week_pattern",
            pattern.id,
            practice_id=practice.id,
            start=start,
            end=end,
            created=publication.created,
            existing=publication.existing,
            skipped=[day.isoformat() for day in sorted(publication.skipped)],
        )
        availability_reminders.tell_opened(
            session, practice, {need.date for need in publication.planned if need.is_new}
        )
    return publication


def withdraw_need(session: UnitOfWork, actor: Actor, need_id: int) -> Need:
    """Take back a published day that nobody has; `Conflict` when somebody does."""
    need = session.scalars(
        sa.select(Need).where(Need.id == need_id).options(joinedload(Need.practice))
    ).one_or_none()
    if need is None or not (actor.is_system or actor.roles_in(need.practice_id)):
        raise NotFound("need_not_found")
    require(actor, Action.NEED_WITHDRAW, Subject(need.practice_id))
    lock_rows(session, need.practice)
    session.refresh(need, ["state", "version"])
    if need.state is NeedState.WITHDRAWN:
        raise Conflict("need_withdrawn", date=need.date)
    holder = session.scalars(
        sa.select(Assignment)
        .where(Assignment.need_id == need.id, Assignment.state != AssignmentState.RELEASED)
        .options(joinedload(Assignment.doctor))
    ).one_or_none()
    if holder is not None:
        raise Conflict("need_assigned", who=holder.doctor.name, date=need.date)
    if need.date < local_date(session.now(), need.practice.timezone):
        raise RuleBroken("need_past", date=need.date)
    need.state = NeedState.WITHDRAWN
    session.flush()
    audit.record(
        session,
        actor,
        "need.withdrawn",
        "need",
        need.id,
        practice_id=need.practice_id,
        date=need.date,
        period=need.period.value,
    )
    ask_endings.end_on(session, actor, need)
    return need


def check_period(today: dt.date, start: dt.date, end: dt.date) -> None:
    """Raise `InvalidInput` for a period that cannot be published."""
    if start < today:
        raise InvalidInput("period_past", field="start")
    latest = _latest_start(today)
    if start > latest:
        raise InvalidInput("period_too_far", field="start", latest=latest)
    if end < start:
        raise InvalidInput("period_reversed", field="end")
    if end > _longest_end(start):
        raise InvalidInput("period_too_long", field="end", most=MOST_MONTHS)


def latest_day(today: dt.date) -> dt.date:
    """The last date that can be published at all."""
    return _longest_end(_latest_start(today))


def _latest_start(today: dt.date) -> dt.date:
    return add_months(today, FURTHEST_MONTHS)


def _longest_end(start: dt.date) -> dt.date:
    return add_months(start, MOST_MONTHS) - dt.timedelta(days=1)


def _plan(
    session: UnitOfWork,
    practice: Practice,
    pattern: WeekPattern,
    start: dt.date,
    end: dt.date,
    skip: Mapping[dt.date, str],
) -> Publication:
    taken = _taken_halves(session, practice, start, end)
    by_weekday: dict[int, list[Slot]] = defaultdict(list)
    for row in pattern.slots:
        roles = tuple(Role(role) for role in row.roles)
        slot = Slot(row.room_id, row.weekday, row.period, row.priority, roles)
        by_weekday[slot.weekday].append(slot)
    planned: list[PlannedNeed] = []
    skipped: dict[dt.date, str] = {}
    for day in days_between(start, end):
        slots = by_weekday.get(day.weekday(), [])
        if slots and day in skip:
            skipped[day] = skip[day]
            continue
        for slot in slots:
            halves = {(slot.room_id, day, half) for half in slot.period.halves}
            planned.append(PlannedNeed(day, slot, is_new=not halves & taken))
    return Publication(tuple(planned), skipped)


def _taken_halves(
    session: UnitOfWork, practice: Practice, start: dt.date, end: dt.date
) -> set[tuple[int, dt.date, Half]]:
    rows = session.execute(
        sa.select(Need.room_id, Need.date, Need.period).where(
            Need.practice_id == practice.id,
            Need.state == NeedState.PUBLISHED,
            Need.date.between(start, end),
        )
    )
    return {(room_id, date, half) for room_id, date, period in rows for half in period.halves}


def _write(
    session: UnitOfWork, actor: Actor, practice: Practice, publication: Publication
) -> Publication:
    """Insert the new needs; the unique indexes have the last word on what is new."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = (
        insert(Need).on_conflict_do_nothing().returning(Need.room_id, Need.date, Need.period)
    )
    now = session.now()
    rows = [
        {
            "practice_id": practice.id,
            "room_id": need.slot.room_id,
            "date": need.date,
            "period": need.slot.period,
            "priority": need.slot.priority,
            "roles": [role.value for role in need.slot.roles],
            "state": NeedState.PUBLISHED,
            "published_at": now,
            "published_by": actor.user_id,
            "version": 1,
        }
        for need in publication.planned
        if need.is_new
    ]
    written: set[tuple[int, dt.date, Period]] = set()
    for begin in range(0, len(rows), _ROWS_AT_ONCE):
        batch = statement.values(rows[begin : begin + _ROWS_AT_ONCE])
        written.update((room_id, date, period) for room_id, date, period in session.execute(batch))
    return Publication(
        tuple(
            PlannedNeed(
                need.date,
                need.slot,
                is_new=(need.slot.room_id, need.date, need.slot.period) in written,
            )
            for need in publication.planned
        ),
        publication.skipped,
    )
