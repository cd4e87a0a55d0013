"""Devices that speak CalDAV, and what their calendars were told."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.core.database import Base
from scheduler.people.models import User, new_uid


class DavKind(enum.StrEnum):
    """The calendars of a doctor; the value is the collection's name in its address."""

    OPEN_DAYS = "open-days"
    MY_DAYS = "my-days"
    AVAILABILITIES = "availabilities"


class DevicePassword(Base):
    """A password for one device, which opens the doctor's calendars and nothing else.

    Only its SHA-256 is kept: it is random, and read on every request.
    """

    __tablename__ = "device_password"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(sa.String(60))
    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    last_used_at: Mapped[dt.datetime | None]
    last_used_by: Mapped[str | None] = mapped_column(sa.String(120))

    user: Mapped[User] = relationship(lazy="raise_on_sql")


class DavCollection(Base):
    """One calendar of one doctor, as clients follow it.

    `sequence` rises whenever something in it changes; with `uid`, which is new in every
    installation, it makes the token of a synchronisation. `properties` are what clients choose
    for themselves, such as a colour.
    """

    __tablename__ = "dav_collection"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(sa.String(36), unique=True, default=new_uid)
    doctor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"))
    kind: Mapped[DavKind]
    sequence: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[dt.datetime]
    properties: Mapped[dict[str, Any]] = mapped_column(default=dict)

    __table_args__ = (sa.UniqueConstraint("doctor_id", "kind"),)


class DavMember(Base):
    """What a client may have been told of one address in a calendar.

    `etag` None: there is nothing at it (any more). `sequence` is the collection's at the moment
    of the last change. `resets` counts the refusals after which clients must read it anew although
    it is the same: it is part of the entity tag.
    """

    __tablename__ = "dav_member"

    collection_id: Mapped[int] = mapped_column(
        sa.ForeignKey("dav_collection.id", ondelete="CASCADE"), primary_key=True
    )
    href: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    etag: Mapped[str | None] = mapped_column(sa.String(64))
    sequence: Mapped[int]
    resets: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        sa.Index("ix_dav_member_collection_id_sequence", "collection_id", "sequence"),
    )


class DavItem(Base):
    """An event that a client put into a calendar, under the address and UID of its choice.

    In the calendar of days, it is another name of the assignment `assignment_id`; when that is
    over, the row stays only to remember `round`, which rises each time the client gave the day
    back, so that the same event put there again is a new command. In the calendar of
    availabilities, `content` is what the client wrote, between the instants `starts` and `ends`
    (seconds since 1970), and `said` the half-days it meant.
    """

    __tablename__ = "dav_item"

    id: Mapped[int] = mapped_column(primary_key=True)
    collection_id: Mapped[int] = mapped_column(
        sa.ForeignKey("dav_collection.id", ondelete="CASCADE")
    )
    href: Mapped[str] = mapped_column(sa.String(255))
    uid: Mapped[str] = mapped_column(sa.String(255))
    assignment_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("assignment.id", ondelete="CASCADE"), index=True
    )
    round: Mapped[int] = mapped_column(default=1)
    content: Mapped[str | None] = mapped_column(sa.Text)
    said: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    starts: Mapped[int | None] = mapped_column(sa.BigInteger)
    ends: Mapped[int | None] = mapped_column(sa.BigInteger)
    updated_at: Mapped[dt.datetime]

    __table_args__ = (
        sa.UniqueConstraint("collection_id", "href"),
        sa.UniqueConstraint("collection_id", "uid"),
    )
