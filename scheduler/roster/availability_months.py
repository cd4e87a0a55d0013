"""Use cases about a whole month: copying the one before, saying that all is said, notes.

An answer is for all of the doctor's practices: it says that no more is to come, not when.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scheduler.core import audit
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import InvalidInput
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.roster.availability_queries import Said, availabilities_between
from scheduler.roster.availability_rules import HalfDay, expand, same_place
from scheduler.roster.availability_saying import (
    begin,
    check_ahead,
    check_first,
    half_days_on,
    say,
    today_of,
)
from scheduler.roster.models import AvailabilityAnswer, AvailabilityNote
from scheduler.roster.rules import Period, Preference, add_months, days_between, month_bounds

LONGEST_NOTE: Final = 200


@dataclass(frozen=True, slots=True)
class Change:
    """A half-day of which a copy would say something else than the doctor did.

    `was` None is a day on which the doctor cannot come. `elsewhere`: something was said of it
    for one practice only, and a copy for all of them would take its place.
    """

    was: Preference | None
    becomes: Preference
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class MonthCopy:
    """What copying the month before would do: half-days to add, and those to decide on."""

    source: dt.date
    added: dict[HalfDay, Preference]
    changed: dict[HalfDay, Change]
    same: int

    @property
    def changed_days(self) -> list[dt.date]:
        return sorted({day for day, _half in self.changed})


def preview_copy(
    session: UnitOfWork,
    actor: Actor,
    doctor_id: int,
    month: dt.date,
    practice_id: int | None = None,
    *,
    skip: Collection[dt.date] = (),
) -> MonthCopy:
    """What `copy_month` would do to the month that begins on `month`, with nothing written.

    What counts in the month before is copied, wherever it came from, each day to the day with
    the same place: the second Thursday to the second Thursday. Days gone by and those to `skip`
    are left out; a "no" is not copied.
    """
    require(actor, Action.AVAILABILITY_EDIT, Subject(practice_id, doctor_id))
    _check_month(session, doctor_id, month)
    source = add_months(month, -1)
    today = today_of(session, doctor_id)
    before = _said(session, doctor_id, source)
    there = _said(session, doctor_id, month)
    copied = expand(*before, *month_bounds(source), practice_id)
    standing = expand(*there, *month_bounds(month), practice_id)
    # What was said of one practice counts there whatever is said in general.
    elsewhere = {
        (row.date, row.half)
        for row in there.explicit
        if practice_id is None and row.practice_id is not None
    }
    spoken = {
        (row.date, row.half) for row in there.explicit if row.practice_id in (None, practice_id)
    }
    added: dict[HalfDay, Preference] = {}
    changed: dict[HalfDay, Change] = {}
    same = 0
    for (day, half), preference in sorted(copied.items()):
        target = same_place(day, month)
        if target is None or target < today or target in skip:
            continue
        key = (target, half)
        was = standing.get(key)
        if key in elsewhere:
            changed[key] = Change(was, preference, elsewhere=True)
        elif was == preference:
            same += 1
        elif was is not None or key in spoken:
            changed[key] = Change(was, preference)
        else:
            added[key] = preference
    return MonthCopy(source, added, changed, same)


def copy_month(
    session: UnitOfWork,
    actor: Actor,
    doctor_id: int,
    month: dt.date,
    practice_id: int | None = None,
    *,
    changing: Collection[dt.date] = (),
    skip: Collection[dt.date] = (),
) -> list[dt.date]:
    """Say of a month what was said of the one before; returns the days it was said of.

    A day of which something else was said already keeps it, unless it is among `changing`.
    Raises as `preview_copy`.
    """
    begin(session, actor, doctor_id, practice_id)
    plan = preview_copy(session, actor, doctor_id, month, practice_id, skip=skip)
    said = dict(plan.added)
    said |= {key: change.becomes for key, change in plan.changed.items() if key[0] in changing}
    for preference in Preference:
        half_days = sorted(key for key, chosen in said.items() if chosen is preference)
        if half_days:
            say(session, actor, doctor_id, half_days, preference, practice_id)
    return sorted({day for day, _half in said})


def answer_month(session: UnitOfWork, actor: Actor, doctor_id: int, month: dt.date) -> None:
    """Say that all is said of the month that begins on `month`; again, to say it anew.

    Raises `InvalidInput` for a month gone by or too far ahead.
    """
    begin(session, actor, doctor_id)
    _check_month(session, doctor_id, month)
    _answer(session, actor, doctor_id, month)


def decline_month(session: UnitOfWork, actor: Actor, doctor_id: int, month: dt.date) -> None:
    """Say that one cannot come at all in a month; whatever was said of it is taken back.

    Days already given to the doctor stay theirs. Raises as `answer_month`.
    """
    begin(session, actor, doctor_id)
    _check_month(session, doctor_id, month)
    today = today_of(session, doctor_id)
    first, last = month_bounds(month)
    days = list(days_between(max(first, today), last))
    say(session, actor, doctor_id, half_days_on(days, Period.DAY), None, None)
    _answer(session, actor, doctor_id, month)


def reopen_month(session: UnitOfWork, actor: Actor, doctor_id: int, month: dt.date) -> None:
    """Take an answer back; what was said of the days stays."""
    begin(session, actor, doctor_id)
    row = _answer_of(session, doctor_id, month)
    if row is None:
        return
    session.delete(row)
    session.flush()
    _record(session, actor, "availability.answer_withdrawn", doctor_id, month=month)


def set_note(
    session: UnitOfWork, actor: Actor, doctor_id: int, day: dt.date, text: str
) -> AvailabilityNote | None:
    """Put a note to a day for those who plan; without words, take it away.

    Raises `InvalidInput` for a day gone by or too far ahead, and for too many words.
    """
    begin(session, actor, doctor_id)
    check_first(session, doctor_id, day, "day")
    check_ahead(session, doctor_id, day, "day")
    text = " ".join(text.split())
    if len(text) > LONGEST_NOTE:
        raise InvalidInput("availability_note_too_long", field="text", most=LONGEST_NOTE)
    row = session.scalars(
        sa.select(AvailabilityNote).where(
            AvailabilityNote.doctor_id == doctor_id, AvailabilityNote.date == day
        )
    ).one_or_none()
    if text == (row.text if row else ""):
        return row
    if not text:
        session.delete(row)
        session.flush()
        _record(session, actor, "availability.note_removed", doctor_id, date=day)
        return None
    if row is None:
        row = AvailabilityNote(doctor_id=doctor_id, date=day)
        session.add(row)
    row.text, row.updated_at = text, session.now()
    session.flush()
    # The words are the doctor's own: the chain keeps that they were said, not what they were.
    _record(session, actor, "availability.noted", doctor_id, date=day)
    return row


def _check_month(session: UnitOfWork, doctor_id: int, month: dt.date) -> None:
    first, last = month_bounds(month)
    check_first(session, doctor_id, last, "month")
    check_ahead(session, doctor_id, first, "month")


def _said(session: UnitOfWork, doctor_id: int, month: dt.date) -> Said:
    return availabilities_between(session, [doctor_id], *month_bounds(month))[doctor_id]


def _answer_of(session: UnitOfWork, doctor_id: int, month: dt.date) -> AvailabilityAnswer | None:
    return session.scalars(
        sa.select(AvailabilityAnswer).where(
            AvailabilityAnswer.doctor_id == doctor_id,
            AvailabilityAnswer.month == month.replace(day=1),
        )
    ).one_or_none()


def _answer(session: UnitOfWork, actor: Actor, doctor_id: int, month: dt.date) -> None:
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if is_postgresql else sqlite.insert
    statement = insert(AvailabilityAnswer).values(
        doctor_id=doctor_id, month=month.replace(day=1), answered_at=session.now()
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["doctor_id", "month"],
            set_={"answered_at": statement.excluded.answered_at},
        )
    )
    _record(session, actor, "availability.answered", doctor_id, month=month)


def _record(
    session: UnitOfWork, actor: Actor, action: str, doctor_id: int, **facts: dt.date
) -> None:
    audit.record(session, actor, action, "doctor", doctor_id, practice_id=None, **facts)
