"""What the passing of time does to the roster."""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa

from scheduler.core import audit
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.permissions import SYSTEM
from scheduler.people.models import Practice
from scheduler.roster.models import Assignment
from scheduler.roster.rules import AssignmentState

BATCH: Final = 200


def finish_past_days(session: UnitOfWork) -> int:
    """Mark confirmed days that are over, where their practice is, as done.

    Returns how many; at most `BATCH`, so that a long backlog holds no long transaction.
    """
    ended: list[Assignment] = []
    for timezone in session.scalars(sa.select(Practice.timezone).distinct()):
        ended += _confirmed_before(session, local_date(session.now(), timezone), timezone)
    for assignment in ended[:BATCH]:
        assignment.state = AssignmentState.DONE
        assignment.updated_at = session.now()
        audit.record(
            session,
            SYSTEM,
            "assignment.done",
            "assignment",
            assignment.id,
            practice_id=assignment.practice_id,
            need_id=assignment.need_id,
            doctor_id=assignment.doctor_id,
            date=assignment.date,
            period=assignment.period.value,
        )
    session.flush()
    return len(ended[:BATCH])


def _confirmed_before(session: UnitOfWork, today: dt.date, timezone: str) -> list[Assignment]:
    there = sa.select(Practice.id).where(Practice.timezone == timezone)
    statement = (
        sa.select(Assignment)
        .where(
            Assignment.state == AssignmentState.CONFIRMED,
            Assignment.date < today,
            Assignment.practice_id.in_(there),
        )
        .order_by(Assignment.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(statement))
