"""Tables of notifications: how somebody wants to be told, and where they can be reached."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.core.database import Base
from scheduler.core.deliveries import Channel
from scheduler.notify.rules import DIGEST_AT, QUIET_END, QUIET_START, Group
from scheduler.people.models import User


class NotifyProfile(Base):
    """Somebody's hours: from `quiet_start` to `quiet_end` nothing rings, at `digest_at` the
    digest leaves. Without a row, the defaults hold. Hours are local, of Europe/Paris.

    `quiet_email` makes e-mail wait too; `urgent_sms` sends what is urgent to the phone as well.
    """

    __tablename__ = "notify_profile"

    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True
    )
    quiet_start: Mapped[dt.time | None] = mapped_column(default=QUIET_START)
    quiet_end: Mapped[dt.time | None] = mapped_column(default=QUIET_END)
    quiet_email: Mapped[bool] = mapped_column(default=False)
    urgent_sms: Mapped[bool] = mapped_column(default=True)
    digest_at: Mapped[dt.time] = mapped_column(default=DIGEST_AT)

    __table_args__ = (
        sa.CheckConstraint("(quiet_start IS NULL) = (quiet_end IS NULL)", name="both_quiet_hours"),
    )


class NotifyChoice(Base):
    """By which channels somebody is told of a group of events, and whether once a day."""

    __tablename__ = "notify_choice"

    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True
    )
    group: Mapped[Group] = mapped_column("event_group", primary_key=True)
    email: Mapped[bool]
    sms: Mapped[bool]
    push: Mapped[bool]
    digest: Mapped[bool]


class Phone(Base):
    """The number of somebody's phone (E.164), used once its owner has typed the code sent to it.

    `code` is kept until then: it proves nothing but the way to the phone, and soon runs out.
    """

    __tablename__ = "notify_phone"

    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[str] = mapped_column(sa.String(16))
    verified_at: Mapped[dt.datetime | None]
    code: Mapped[str | None] = mapped_column(sa.String(6))
    code_sent_at: Mapped[dt.datetime | None]


class Device(Base):
    """A browser that somebody allowed to show messages (RFC 8030): where to push, and its keys."""

    __tablename__ = "notify_device"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    endpoint: Mapped[str] = mapped_column(sa.String(1024), unique=True)
    p256dh: Mapped[str] = mapped_column(sa.String(128))
    auth: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[dt.datetime]


class KeptLetter(Base):
    """A letter of a demonstration: kept to be read there, since it leads nowhere else.

    `attachments` are names and texts.
    """

    __tablename__ = "kept_letter"

    id: Mapped[int] = mapped_column(primary_key=True)
    recipient_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    channel: Mapped[Channel]
    to_address: Mapped[str] = mapped_column(sa.String(254))
    subject: Mapped[str] = mapped_column(sa.String(250))
    text: Mapped[str] = mapped_column(sa.Text)
    language: Mapped[str] = mapped_column(sa.String(2))
    link: Mapped[str | None] = mapped_column(sa.String(500))
    stop: Mapped[str | None] = mapped_column(sa.String(500))
    attachments: Mapped[list[dict[str, Any]]]
    sent_at: Mapped[dt.datetime] = mapped_column(index=True)

    recipient: Mapped[User] = relationship(lazy="raise_on_sql")
