"""What several readers share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import DeliveryFailed
from scheduler.people.models import Practice
from scheduler.roster.models import Assignment, Need


def week_path(practice: Practice, day: dt.date) -> str:
    """The address, below the installation's, of the week of a day."""
    return week_at(practice.slug, day)


def week_at(slug: str, day: dt.date) -> str:
    """The same, by the practice's name in addresses."""
    year, week, _weekday = day.isocalendar()
    return f"/p/{slug}/week/{year}-W{week:02d}"


def assignments_of(session: UnitOfWork, ids: Collection[int]) -> list[Assignment]:
    """Assignments with doctor, room and practice, by date; raises `DeliveryFailed` for none."""
    found = session.scalars(
        sa.select(Assignment)
        .where(Assignment.id.in_(ids))
        .options(
            joinedload(Assignment.doctor),
            joinedload(Assignment.need).joinedload(Need.room),
            joinedload(Assignment.need).joinedload(Need.practice),
        )
        .order_by(Assignment.date, Assignment.period)
    ).all()
    if not found:
        raise DeliveryFailed("the assignments are gone", permanent=True)
    return list(found)
