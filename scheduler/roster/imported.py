"""Half-days as a doctor's own calendars have them: laid beside what the doctor said in Relais."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import sqlalchemy as sa

from scheduler.core.database import UnitOfWork
from scheduler.roster.availability_rules import HalfDay
from scheduler.roster.models import ImportedHalf
from scheduler.roster.rules import Preference

# What a calendar says of half-days: how gladly the doctor comes, None where the time is taken.
Said = Mapping[HalfDay, Preference | None]


def replace_halves(session: UnitOfWork, doctor_id: int, source_id: int, said: Said) -> bool:
    """Let a calendar say this and nothing else; returns whether that is anything new.

    The caller has checked whose calendar it is.
    """
    standing = halves_of(session, source_id)
    gone = [half_day for half_day in standing if half_day not in said]
    new = {
        half_day: preference
        for half_day, preference in said.items()
        if half_day not in standing or standing[half_day] != preference
    }
    changed = {day for day, _half in (*gone, *new)}
    if not changed:
        return False
    session.execute(
        sa.delete(ImportedHalf).where(
            ImportedHalf.source_id == source_id, ImportedHalf.date.in_(changed)
        )
    )
    rows = [
        {
            "doctor_id": doctor_id,
            "source_id": source_id,
            "date": day,
            "half": half,
            "busy": preference is None,
            "preference": preference,
        }
        for (day, half), preference in said.items()
        if day in changed
    ]
    if rows:
        session.execute(sa.insert(ImportedHalf), rows)
    return True


def forget_past(session: UnitOfWork, before: dt.date) -> int:
    """Drop what calendars said of days before a date: nobody asks for it any more."""
    result = session.execute(sa.delete(ImportedHalf).where(ImportedHalf.date < before))
    return int(getattr(result, "rowcount", 0))


def halves_of(session: UnitOfWork, source_id: int) -> dict[HalfDay, Preference | None]:
    """What a calendar says, as it was last read."""
    rows = session.execute(
        sa.select(ImportedHalf.date, ImportedHalf.half, ImportedHalf.preference).where(
            ImportedHalf.source_id == source_id
        )
    )
    return {(date, half): preference for date, half, preference in rows}
