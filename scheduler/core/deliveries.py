"""Deliveries: each call of a channel is a row, made when a message of the outbox is routed."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.core.database import Base, UnitOfWork


class Channel(enum.StrEnum):
    """A way out of the house."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"


class DeliveryState(enum.StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


OPEN: Final = frozenset({DeliveryState.PENDING, DeliveryState.SENDING})


class Delivery(Base):
    """One call of one channel: of a message, or of those that a digest gathers.

    `target` tells apart what one person has several of (a device, a number). A digest is the one
    of its recipient, channel, target and hour (`digest_for`); others have no such hour.
    """

    __tablename__ = "outbox_delivery"

    id: Mapped[int] = mapped_column(primary_key=True)
    recipient_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    channel: Mapped[Channel]
    target: Mapped[str] = mapped_column(sa.String(64), default="")
    digest_for: Mapped[dt.datetime | None]
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    last_error: Mapped[str | None] = mapped_column(sa.String(500))

    __table_args__ = (
        sa.UniqueConstraint("recipient_id", "channel", "target", "digest_for"),
        sa.Index("ix_outbox_delivery_state_due_at", "state", "due_at"),
    )


class DeliveryPart(Base):
    """A message that a delivery carries."""

    __tablename__ = "outbox_delivery_part"

    delivery_id: Mapped[int] = mapped_column(
        sa.ForeignKey("outbox_delivery.id", ondelete="CASCADE"), primary_key=True
    )
    message_id: Mapped[int] = mapped_column(
        sa.ForeignKey("outbox_message.id", ondelete="CASCADE"), primary_key=True, index=True
    )


@dataclass(frozen=True, slots=True)
class Way:
    """One way that a message takes: not before an instant, or in the first digest still open.

    `digests` are the hours of coming digests, earliest first; the last must lie far enough ahead
    to be open for certain.
    """

    channel: Channel
    target: str = ""
    not_before: dt.datetime | None = None
    digests: tuple[dt.datetime, ...] = ()


def insert_new(session: UnitOfWork, table: type[Base], rows: list[dict[str, Any]]) -> None:
    """Insert the rows but those that a unique constraint knows already."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(insert(table).values(rows).on_conflict_do_nothing())


def put_on(session: UnitOfWork, message_id: int, recipient_id: int, way: Way) -> None:
    """Make a message of the outbox part of a delivery: of its own, or of an open digest."""
    for hour in way.digests:
        delivery = _digest(session, recipient_id, way, hour)
        if delivery.state is DeliveryState.PENDING:
            session.add(DeliveryPart(delivery_id=delivery.id, message_id=message_id))
            return
    delivery = Delivery(
        recipient_id=recipient_id,
        channel=way.channel,
        target=way.target,
        due_at=way.not_before or session.now(),
    )
    session.add(delivery)
    session.flush()
    session.add(DeliveryPart(delivery_id=delivery.id, message_id=message_id))


def _digest(session: UnitOfWork, recipient_id: int, way: Way, hour: dt.datetime) -> Delivery:
    """The recipient's digest of an hour, held until the transaction ends."""
    key = {
        "recipient_id": recipient_id,
        "channel": way.channel,
        "target": way.target,
        "digest_for": hour,
    }
    fresh = {**key, "state": DeliveryState.PENDING, "attempts": 0, "due_at": hour}
    insert_new(session, Delivery, [fresh])
    return session.scalars(
        sa.select(Delivery)
        .filter_by(**key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
