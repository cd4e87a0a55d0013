"""Calendars from outside that doctors let Relais read."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.core.database import Base


class SourceUse(enum.StrEnum):
    """What a calendar's events are read as."""

    AVAILABILITY = "availability"
    BUSY = "busy"


class CalendarSource(Base):
    """A calendar of a doctor's: a subscription to an `address`, or a file read once (no address).

    `answered_at` is when the address last answered, `read_at` when it last gave something new to
    read; `failing_since` when it began to fail and `failure` the code of what is wrong now,
    `told_at` when the doctor was told of it. The marks of the last answer (`etag`,
    `last_modified`) let the next one be short. `next_at` is when the worker looks again, None for
    a file.
    """

    __tablename__ = "calendar_source"

    id: Mapped[int] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    use: Mapped[SourceUse]
    name: Mapped[str] = mapped_column(sa.String(80))
    address: Mapped[str | None] = mapped_column(sa.String(2000))
    created_at: Mapped[dt.datetime]
    answered_at: Mapped[dt.datetime]
    read_at: Mapped[dt.datetime]
    etag: Mapped[str | None] = mapped_column(sa.String(255))
    last_modified: Mapped[str | None] = mapped_column(sa.String(64))
    failing_since: Mapped[dt.datetime | None]
    failure: Mapped[str | None] = mapped_column(sa.String(64))
    told_at: Mapped[dt.datetime | None]
    next_at: Mapped[dt.datetime | None] = mapped_column(index=True)

    __table_args__ = (sa.CheckConstraint("(address IS NULL) = (next_at IS NULL)", name="polled"),)
