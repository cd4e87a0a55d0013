"""Addresses that calendar programmes read."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.core.database import Base, unique_where
from scheduler.people.models import Practice, User


class FeedKind(enum.StrEnum):
    """What a feed shows."""

    PERSONAL = "personal"
    ROSTER = "roster"


class Feed(Base):
    """One user's subscription to a calendar, at an unguessable address.

    Only the SHA-256 of the address's token is kept. A roster feed has a practice.
    """

    __tablename__ = "feed"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[FeedKind]
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    practice_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("practice.id", ondelete="CASCADE")
    )
    salt: Mapped[str] = mapped_column(sa.String(32))
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    last_fetched_at: Mapped[dt.datetime | None]
    last_fetched_by: Mapped[str | None] = mapped_column(sa.String(120))
    # What the feed was made of when it was last asked for, and since when.
    fingerprint: Mapped[str | None] = mapped_column(sa.String(64))
    changed_at: Mapped[dt.datetime | None]

    user: Mapped[User] = relationship(lazy="raise_on_sql")
    practice: Mapped[Practice | None] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        sa.CheckConstraint(
            "(kind = 'roster') = (practice_id IS NOT NULL)", name="practice_of_roster"
        ),
        # One address at a time for each thing that a user subscribes to.
        unique_where(
            "uq_feed_personal", "user_id", condition="kind = 'personal' AND revoked_at IS NULL"
        ),
        unique_where(
            "uq_feed_roster",
            "user_id",
            "practice_id",
            condition="kind = 'roster' AND revoked_at IS NULL",
        ),
    )
