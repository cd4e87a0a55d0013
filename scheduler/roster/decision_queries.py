"""Named reads of what waits for the titulars of a practice."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.core.errors import NotFound
from scheduler.roster.models import Assignment, ReleaseRequest
from scheduler.roster.rules import AssignmentState, RequestState


def waiting_count(session: Session, practice_id: int, today: dt.date) -> int:
    """How many decisions wait: held days, and requests to be released from a day to come."""
    held = (
        sa.select(sa.func.count())
        .select_from(Assignment)
        .where(
            Assignment.practice_id == practice_id,
            Assignment.state == AssignmentState.HELD,
            # For its doctor's word, not for a titular's.
            Assignment.tentative.is_(False),
        )
    )
    asked = (
        sa.select(sa.func.count())
        .select_from(ReleaseRequest)
        .join(ReleaseRequest.assignment)
        .where(
            ReleaseRequest.practice_id == practice_id,
            ReleaseRequest.state == RequestState.OPEN,
            Assignment.date >= today,
        )
    )
    return session.scalar(sa.select(held.scalar_subquery() + asked.scalar_subquery())) or 0


def request_in(session: Session, practice_id: int, request_id: int) -> ReleaseRequest:
    """A request of a practice to be released from a day; `NotFound` where there is none."""
    found = session.get(ReleaseRequest, request_id)
    if found is None or found.practice_id != practice_id:
        raise NotFound("release_request_not_found")
    return found
