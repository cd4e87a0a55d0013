"""Addresses that calendar programmes read, and what each was told."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.core.database import Base
from scheduler.people.models import Practice, User


class FeedKind(enum.StrEnum):
    """Whose days a feed is about."""

    PERSONAL = "personal"
    # What a doctor could take, in all their practices or in one.
    OPEN = "open"
    ROSTER = "roster"


class Part(enum.StrEnum):
    """What a feed can have in it."""

    CONFIRMED = "confirmed"
    HELD = "held"
    DUTIES = "duties"
    PROPOSED = "proposed"
    OPEN = "open"


class Reminder(enum.StrEnum):
    """When a calendar programme reminds its owner of a day."""

    NONE = "none"
    MORNING = "morning"
    EVENING = "evening"
    WEEK = "week"


class Feed(Base):
    """One user's subscription to a calendar, at an unguessable address.

    Only the SHA-256 of the address's token is kept. Without a `name` it is called after what it
    shows. `parts` are values of `Part`. `fingerprint` tells what the feed was made of when its
    events were last gone through, `changed_at` since when; from `stale_at` on, something in it
    is too old to be shown.
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
    name: Mapped[str | None] = mapped_column(sa.String(60))
    parts: Mapped[list[str]]
    reminder: Mapped[Reminder] = mapped_column(default=Reminder.NONE)
    all_day: Mapped[bool] = mapped_column(default=False)
    salt: Mapped[str] = mapped_column(sa.String(32))
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    last_fetched_at: Mapped[dt.datetime | None]
    last_fetched_by: Mapped[str | None] = mapped_column(sa.String(120))
    fingerprint: Mapped[str | None] = mapped_column(sa.String(64))
    changed_at: Mapped[dt.datetime | None]
    stale_at: Mapped[dt.datetime | None]
    # The calendar as it was last written, compressed, and the tag it was sent with.
    written: Mapped[bytes | None] = mapped_column(sa.LargeBinary, deferred=True)
    written_etag: Mapped[str | None] = mapped_column(sa.String(32))

    user: Mapped[User] = relationship(lazy="raise_on_sql")
    practice: Mapped[Practice | None] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        sa.CheckConstraint(
            "kind = 'open' OR (kind = 'roster') = (practice_id IS NOT NULL)",
            name="practice_of_kind",
        ),
    )


class FeedEvent(Base):
    """An event as a feed told it last (`facts`, as `feeds.telling` writes them).

    It is remembered so that its sequence never falls, and so that whoever was told of a day is
    told that it is off (`cancelled_at`), whatever made it so.
    """

    __tablename__ = "feed_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    feed_id: Mapped[int] = mapped_column(sa.ForeignKey("feed.id", ondelete="CASCADE"))
    uid: Mapped[str] = mapped_column(sa.String(36))
    part: Mapped[Part]
    date: Mapped[dt.date]
    sequence: Mapped[int]
    changed_at: Mapped[dt.datetime]
    cancelled_at: Mapped[dt.datetime | None]
    facts: Mapped[dict[str, Any]]

    __table_args__ = (sa.UniqueConstraint("feed_id", "uid"),)
