"""Days that lost their doctor at short notice: which they are, and what they lost."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.roster.models import Assignment
from scheduler.roster.rules import AssignmentState, ReleaseKind

# How a day ends whose doctor does not come: found by others, or said by the doctor that day.
ABSENT: Final = frozenset({ReleaseKind.ABSENCE, ReleaseKind.EMERGENCY})


def absence_before(session: Session, filled: Assignment) -> Assignment | None:
    """The absence that somebody's day makes good; None where the day was not lost that way, or
    is the absent doctor's own again.

    Whoever took it and undid that within minutes has never been there.
    """
    before = session.scalars(
        sa.select(Assignment)
        .where(
            Assignment.need_id == filled.need_id,
            Assignment.id != filled.id,
            Assignment.state == AssignmentState.RELEASED,
            Assignment.release_kind != ReleaseKind.UNDONE,
        )
        .order_by(Assignment.released_at.desc(), Assignment.id.desc())
        .limit(1)
    ).one_or_none()
    if before is None or before.release_kind not in ABSENT:
        return None
    return None if before.doctor_id == filled.doctor_id else before
