"""Named reads of feeds, and of a practice's own holidays."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from scheduler.calendars.models import Feed, PracticeHoliday


def feeds_of(session: Session, user_id: int) -> list[Feed]:
    """The feeds of a user that work, with user and practice, the oldest first."""
    return list(
        session.scalars(
            sa.select(Feed)
            .where(Feed.user_id == user_id, Feed.revoked_at.is_(None))
            .options(joinedload(Feed.user), joinedload(Feed.practice))
            .order_by(Feed.created_at, Feed.id)
        )
    )


def feed_by_hash(session: Session, token_hash: str) -> Feed | None:
    """The feed at an address that works, with its user and practice."""
    return session.scalars(
        sa.select(Feed)
        .where(Feed.token_hash == token_hash, Feed.revoked_at.is_(None))
        .options(joinedload(Feed.user), joinedload(Feed.practice))
    ).one_or_none()


def holidays_of(session: Session, practice_id: int, start: dt.date) -> list[PracticeHoliday]:
    """The dates that a practice added and that end on `start` or later, the earliest first."""
    return list(
        session.scalars(
            sa.select(PracticeHoliday)
            .where(PracticeHoliday.practice_id == practice_id, PracticeHoliday.end >= start)
            .order_by(PracticeHoliday.start, PracticeHoliday.id)
        )
    )
