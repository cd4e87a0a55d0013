"""The outbox: what must leave the house, written with its cause and sent by the worker.

A message is `sending` before the channel is called. A worker that dies in between leaves it so,
and the next one marks it `uncertain` instead of sending it a second time.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from scheduler.core.database import Base, Database, UnitOfWork

log = structlog.get_logger(__name__)

FIRST_RETRY: Final = dt.timedelta(minutes=1)
LONGEST_RETRY: Final = dt.timedelta(hours=4)
MOST_ATTEMPTS: Final = 8
SENDING_LEASE: Final = dt.timedelta(minutes=5)


class MessageState(enum.StrEnum):
    """Where a message stands on its way out."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class OutboxMessage(Base):
    """One message to one person about one cause. `facts` hold identifiers, never patient data."""

    __tablename__ = "outbox_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    cause: Mapped[str] = mapped_column(sa.String(128))
    recipient_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(64))
    facts: Mapped[dict[str, Any]]
    state: Mapped[MessageState] = mapped_column(default=MessageState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    last_error: Mapped[str | None] = mapped_column(sa.String(500))

    __table_args__ = (
        sa.UniqueConstraint("cause", "recipient_id"),
        sa.Index("ix_outbox_message_state_due_at", "state", "due_at"),
    )


class DeliveryFailed(Exception):
    """A channel could not deliver; `permanent` when trying again would not help."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        self.permanent = permanent
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to leave: who it goes to and what it says."""

    to_name: str
    to_address: str
    subject: str
    text: str
    # The same for every attempt at one message, so that a receiver can recognise a repetition.
    reference: str


Compose = Callable[[UnitOfWork, OutboxMessage], Letter]
Send = Callable[[Letter], None]


def post(
    session: UnitOfWork,
    *,
    cause: str,
    recipient_ids: Iterable[int],
    kind: str,
    **facts: Any,
) -> None:
    """Put one message per recipient in the outbox; the same cause never reaches anybody twice."""
    now = session.now()
    rows = [
        {
            "cause": cause,
            "recipient_id": recipient_id,
            "kind": kind,
            "facts": facts,
            "state": MessageState.PENDING,
            "attempts": 0,
            "created_at": now,
            "due_at": now,
        }
        for recipient_id in sorted(set(recipient_ids))
    ]
    if not rows:
        return
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(insert(OutboxMessage).values(rows).on_conflict_do_nothing())


def send_due(database: Database, compose: Compose, send: Send, *, most: int = 100) -> int:
    """Send what is due, each message in transactions of its own; returns how many were sent.

    `compose` reads the database, `send` calls the outside world with no transaction open.
    Raises nothing for a channel's failure: it is recorded and retried with doubling delays from
    one minute to four hours, eight times at the most.
    """
    _give_up_interrupted(database)
    sent = 0
    for _ in range(most):
        message_id = _take_next(database)
        if message_id is None:
            break
        sent += _attempt(database, compose, send, message_id)
    return sent


def _give_up_interrupted(database: Database) -> None:
    """Mark as uncertain what a dead worker was sending: nobody knows whether it left."""
    with database.transaction() as session:
        session.execute(
            sa.update(OutboxMessage)
            .where(
                OutboxMessage.state == MessageState.SENDING,
                OutboxMessage.due_at <= session.now() - SENDING_LEASE,
            )
            .values(state=MessageState.UNCERTAIN, last_error="interrupted while sending")
        )


def _take_next(database: Database) -> int | None:
    with database.transaction() as session:
        message = session.scalars(
            sa.select(OutboxMessage)
            .where(
                OutboxMessage.state == MessageState.PENDING, OutboxMessage.due_at <= session.now()
            )
            .order_by(OutboxMessage.due_at, OutboxMessage.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if message is None:
            return None
        message.state = MessageState.SENDING
        message.attempts += 1
        # From here on the moment of the attempt, by which a dead worker is recognised.
        message.due_at = session.now()
        return message.id


def _attempt(database: Database, compose: Compose, send: Send, message_id: int) -> bool:
    failure: DeliveryFailed | None = None
    try:
        with database.session() as session:
            letter = compose(session, session.get_one(OutboxMessage, message_id))
        send(letter)
    except DeliveryFailed as error:
        failure = error
    with database.transaction() as session:
        message = session.get_one(OutboxMessage, message_id)
        if failure is None:
            message.state = MessageState.SENT
            message.sent_at = session.now()
            message.last_error = None
            return True
        message.last_error = str(failure)[:500]
        if failure.permanent or message.attempts >= MOST_ATTEMPTS:
            message.state = MessageState.FAILED
            log.error("outbox.failed", message=message.id, kind=message.kind)
        else:
            message.state = MessageState.PENDING
            message.due_at = session.now() + retry_delay(message.attempts)
            log.warning("outbox.retry", message=message.id, attempts=message.attempts)
        return False


def retry_delay(attempts: int) -> dt.timedelta:
    """How long to wait after so many failures: doubling, from one minute to four hours."""
    doublings: int = 2 ** (attempts - 1)
    return min(FIRST_RETRY * doublings, LONGEST_RETRY)


def waiting(session: Session) -> int:
    """How many messages have not left yet."""
    statement = sa.select(sa.func.count()).where(
        OutboxMessage.state.in_([MessageState.PENDING, MessageState.SENDING])
    )
    return session.scalar(statement) or 0
