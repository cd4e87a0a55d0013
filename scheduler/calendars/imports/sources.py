"""Use cases of a doctor's own calendars: looking at one, keeping it, letting go of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from scheduler.calendars.fetching import Fetched
from scheduler.calendars.imports import rules
from scheduler.calendars.imports.rules import Effect, Word
from scheduler.calendars.models import CalendarSource, SourceUse
from scheduler.calendars.reading import Hours, Reading, read
from scheduler.calendars.rules import HOUSE_TIMEZONE, window_around
from scheduler.core import audit
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import InvalidInput, NotFound
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.people.models import Member, Practice
from scheduler.roster.availability_queries import availabilities_between
from scheduler.roster.availability_rules import HalfDay, busy_halves, expand
from scheduler.roster.availability_saying import begin, today_of
from scheduler.roster.imported import replace_halves
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import Preference

_RECORDED: Final = "calendar_source"


@dataclass(frozen=True, slots=True)
class Terms:
    """What has to be known of a doctor to read a calendar of theirs: dates, clock, own events."""

    start: dt.date
    end: dt.date
    timezone: str
    hours: Hours
    own_uids: frozenset[str]

    def read(self, content: bytes) -> Reading:
        """Read a calendar; no transaction should be open meanwhile. Raises `Unreadable`."""
        return read(
            content,
            start=self.start,
            end=self.end,
            timezone=self.timezone,
            hours=self.hours,
            own_uids=self.own_uids,
        )


def terms_of(session: UnitOfWork, doctor_id: int) -> Terms:
    """How a doctor's calendars are read: from today to the end of what can be planned, by the
    hours of the practice that they joined first."""
    today = today_of(session, doctor_id)
    practice = session.scalars(
        sa.select(Practice)
        .join(Member, Member.practice_id == Practice.id)
        .where(Member.user_id == doctor_id)
        .order_by(Member.since, Member.id)
        .limit(1)
    ).one_or_none()
    hours = Hours()
    if practice is not None:
        hours = Hours(practice.am_start, practice.am_end, practice.pm_start, practice.pm_end)
    own = session.scalars(
        sa.select(Assignment.uid).where(Assignment.doctor_id == doctor_id, Assignment.date >= today)
    )
    return Terms(
        start=today,
        end=window_around(today).end,
        timezone=practice.timezone if practice else HOUSE_TIMEZONE,
        hours=hours,
        own_uids=frozenset(own),
    )


def require_doctor(actor: Actor) -> int:
    """The doctor who imports for themselves; nobody does it for them."""
    require(actor, Action.AVAILABILITY_EDIT, Subject(None, actor.user_id))
    if actor.user_id is None:
        raise NotFound("doctor_not_found")
    return actor.user_id


def preview(session: UnitOfWork, actor: Actor, words: Sequence[Word]) -> Effect:
    """What an import would change, with nothing written."""
    doctor_id = require_doctor(actor)
    said = rules.half_days(list(words))
    if not said:
        return Effect({}, {}, frozenset(), 0)
    days = [day for day, _half in said]
    known = availabilities_between(session, [doctor_id], min(days), max(days))[doctor_id]
    before: dict[HalfDay, Preference | None] = {
        **expand(*known, min(days), max(days), None),
        **dict.fromkeys(busy_halves(known.explicit, known.imported)),
    }
    spoken = frozenset((row.date, row.half) for row in known.explicit)
    return rules.effect(said, before, spoken)


def keep(
    session: UnitOfWork,
    actor: Actor,
    use: SourceUse,
    name: str,
    said: Mapping[HalfDay, Preference | None],
    *,
    address: str | None = None,
    marks: Fetched | None = None,
) -> CalendarSource:
    """Keep a calendar that was looked at: a file (no `address`), or a subscription to one.

    The same address, or a file of the same name, in the same use is one calendar, which is
    renewed. Raises `InvalidInput`
    for a calendar that says nothing, one too many, or a name too long.
    """
    doctor_id = require_doctor(actor)
    begin(session, actor, doctor_id)
    name = " ".join(name.split())
    if len(name) > rules.LONGEST_NAME or not name.isprintable():
        raise InvalidInput("calendar_name", field="name", most=rules.LONGEST_NAME)
    if not said and address is None:
        raise InvalidInput("calendar_says_nothing", field="file")
    now = session.now()
    source = _same(session, doctor_id, use, name, address)
    if source is None:
        count = session.scalar(
            sa.select(sa.func.count()).where(CalendarSource.doctor_id == doctor_id)
        )
        if (count or 0) >= rules.MOST_SOURCES:
            raise InvalidInput("calendar_sources_many", field="address", most=rules.MOST_SOURCES)
        source = CalendarSource(doctor_id=doctor_id, use=use, address=address, created_at=now)
        session.add(source)
    source.name = name
    source.answered_at = source.read_at = now
    source.next_at = None if address is None else now + rules.EVERY
    if marks is not None:
        source.etag, source.last_modified = marks.etag, marks.last_modified
    source.failing_since = source.failure = source.told_at = None
    session.flush()
    replace_halves(session, doctor_id, source.id, said)
    _record(session, actor, "calendar_source.kept", source)
    return source


def sources_of(session: Session, doctor_id: int) -> list[CalendarSource]:
    """The calendars of a doctor that Relais reads, the oldest first."""
    return list(
        session.scalars(
            sa.select(CalendarSource)
            .where(CalendarSource.doctor_id == doctor_id)
            .order_by(CalendarSource.created_at, CalendarSource.id)
        )
    )


def days_of(session: Session, need_ids: Collection[int]) -> list[Need]:
    """The days that were to be taken, with room and practice, by date."""
    return list(
        session.scalars(
            sa.select(Need)
            .where(Need.id.in_(need_ids))
            .options(joinedload(Need.room), joinedload(Need.practice))
            .order_by(Need.date, Need.period, Need.id)
        )
    )


def read_again(session: UnitOfWork, actor: Actor, source_id: int) -> CalendarSource:
    """Have a subscription looked at as soon as the worker comes by."""
    source = _own(session, actor, source_id)
    if source.address is None:
        raise InvalidInput("calendar_is_a_file", field="source")
    source.next_at = session.now()
    session.flush()
    return source


def remove(session: UnitOfWork, actor: Actor, source_id: int) -> CalendarSource:
    """Let go of a calendar, and of all that it said."""
    source = _own(session, actor, source_id)
    begin(session, actor, source.doctor_id)
    replace_halves(session, source.doctor_id, source.id, {})
    _record(session, actor, "calendar_source.removed", source)
    session.delete(source)
    session.flush()
    return source


def _same(
    session: UnitOfWork, doctor_id: int, use: SourceUse, name: str, address: str | None
) -> CalendarSource | None:
    """What is kept already under this address or, of a file, under this name."""
    known = CalendarSource.name == name if address is None else CalendarSource.address == address
    return session.scalars(
        sa.select(CalendarSource)
        .where(
            CalendarSource.doctor_id == doctor_id,
            CalendarSource.use == use,
            CalendarSource.address.is_not_distinct_from(address),
            known,
        )
        .limit(1)
    ).one_or_none()


def _own(session: UnitOfWork, actor: Actor, source_id: int) -> CalendarSource:
    doctor_id = require_doctor(actor)
    source = session.get(CalendarSource, source_id)
    if source is None or source.doctor_id != doctor_id:
        raise NotFound("calendar_source_not_found")
    return source


def _record(session: UnitOfWork, actor: Actor, action: str, source: CalendarSource) -> None:
    # The address is a secret of the doctor's: the chain keeps that there was one.
    audit.record(
        session,
        actor,
        action,
        _RECORDED,
        source.id,
        practice_id=None,
        doctor_id=source.doctor_id,
        use=source.use.value,
        subscription=source.address is not None,
    )
