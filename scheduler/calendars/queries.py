"""Named reads of feeds, of what they show, and of a practice's own holidays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from scheduler.calendars.models import Feed, PracticeHoliday
from scheduler.calendars.rules import Window
from scheduler.people.models import Practice, User
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentState, NeedState


def feeds_of(session: Session, user_id: int) -> list[Feed]:
    """The feeds of a user that work, with their practices, the oldest first."""
    return list(
        session.scalars(
            sa.select(Feed)
            .where(Feed.user_id == user_id, Feed.revoked_at.is_(None))
            .options(joinedload(Feed.practice))
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


def shown_assignments(session: Session, feed: Feed, window: Window) -> Sequence[Assignment]:
    """The assignments that a feed shows, with doctor, need, room and practice."""
    return session.scalars(
        sa.select(Assignment)
        .where(_of_feed(feed, window), Assignment.state != AssignmentState.RELEASED)
        .options(
            joinedload(Assignment.doctor),
            joinedload(Assignment.need).options(joinedload(Need.room), joinedload(Need.practice)),
        )
        .order_by(Assignment.date, Assignment.id)
    ).all()


def uncovered_needs(
    session: Session, practice_id: int, start: dt.date, end: dt.date
) -> Sequence[Need]:
    """The published needs that nobody has taken, with room and practice."""
    return session.scalars(
        sa.select(Need)
        .join(Need.room)
        .where(_uncovered(practice_id, start, end))
        .options(contains_eager(Need.room), joinedload(Need.practice))
        .order_by(Need.date, Need.id)
    ).all()


def practices_shown(session: Session, feed: Feed, window: Window) -> Sequence[Practice]:
    """The practices that a feed speaks of, with their rooms."""
    wanted = (
        sa.select(Assignment.practice_id).where(_of_feed(feed, window))
        if feed.practice_id is None
        else [feed.practice_id]
    )
    return session.scalars(
        sa.select(Practice)
        .where(Practice.id.in_(wanted))
        .options(selectinload(Practice.rooms))
        .order_by(Practice.id)
    ).all()


def assignments_digest(session: Session, feed: Feed, window: Window) -> tuple[Any, ...]:
    """A few numbers that change whenever the assignments shown, or their doctors, do."""
    shown = Assignment.state != AssignmentState.RELEASED
    return tuple(
        session.execute(
            sa.select(
                sa.func.count().filter(shown),
                sa.func.sum(Assignment.id).filter(shown),
                sa.func.sum(Assignment.version).filter(shown),
                sa.func.sum(User.version).filter(shown),
                sa.func.max(Assignment.updated_at),
            )
            .join(User, User.id == Assignment.doctor_id)
            .where(_of_feed(feed, window))
        ).one()
    )


def needs_digest(
    session: Session, practice_id: int, start: dt.date, end: dt.date
) -> tuple[Any, ...]:
    """A few numbers that change whenever the uncovered needs do."""
    return tuple(
        session.execute(
            sa.select(
                sa.func.count(),
                sa.func.sum(Need.id),
                sa.func.sum(Need.version),
                sa.func.max(Need.published_at),
            ).where(_uncovered(practice_id, start, end))
        ).one()
    )


def _of_feed(feed: Feed, window: Window) -> sa.ColumnElement[bool]:
    mine = (
        Assignment.doctor_id == feed.user_id
        if feed.practice_id is None
        else Assignment.practice_id == feed.practice_id
    )
    return sa.and_(mine, Assignment.date.between(window.start, window.end))


def _uncovered(practice_id: int, start: dt.date, end: dt.date) -> sa.ColumnElement[bool]:
    taken = sa.exists().where(
        Assignment.need_id == Need.id, Assignment.state != AssignmentState.RELEASED
    )
    return sa.and_(
        Need.practice_id == practice_id,
        Need.state == NeedState.PUBLISHED,
        Need.date.between(start, end),
        ~taken,
    )
