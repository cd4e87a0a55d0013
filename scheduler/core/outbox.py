"""The outbox: what must leave the house, written with its cause and sent by the worker.

A message says what happened to whom. The worker routes it, in one transaction, to deliveries:
one a channel, or a part of a daily digest. A delivery is `sending` before its channel is called.
A worker that dies in between leaves it so, and the next one marks it `uncertain` instead of
sending it a second time.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Mapped, Session, mapped_column

from scheduler.core.database import Base, Database, UnitOfWork
from scheduler.core.deliveries import (
    OPEN,
    Channel,
    Delivery,
    DeliveryPart,
    DeliveryState,
    Way,
    insert_new,
    put_on,
)

log = structlog.get_logger(__name__)

FIRST_RETRY: Final = dt.timedelta(minutes=1)
LONGEST_RETRY: Final = dt.timedelta(hours=4)
MOST_ATTEMPTS: Final = 8
SENDING_LEASE: Final = dt.timedelta(minutes=5)


class MessageState(enum.StrEnum):
    """Where a message stands on its way out.

    `sending` is a message whose deliveries have not all ended; then it is `sent` where one of
    them was. `silenced` is one that its recipient chose not to be told.
    """

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SILENCED = "silenced"


class OutboxMessage(Base):
    """One message to one person about one cause. `facts` hold identifiers, never patient data."""

    __tablename__ = "outbox_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    cause: Mapped[str] = mapped_column(sa.String(128))
    recipient_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(64))
    facts: Mapped[dict[str, Any]]
    state: Mapped[MessageState] = mapped_column(default=MessageState.PENDING)
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


class NotNow(Exception):
    """A letter may not leave before an instant, which is no failure."""

    def __init__(self, until: dt.datetime) -> None:
        self.until = until
        super().__init__(until.isoformat())


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a letter brings."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class CalendarPart:
    """What a letter says to its reader's calendar (RFC 6047), and where that one answers.

    Mail programmes take it beside the text, as one more way to say the same.
    """

    method: str
    content: bytes
    reply_to: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to leave: who it goes to, by which channel, and what it says.

    `to_address` is what the channel sends to: an e-mail address, a number, the id of a device.
    `link` is the page it leads to and `stop` the one that stops its like; both are whole.
    """

    to_name: str
    to_address: str
    subject: str
    text: str
    # The same for every attempt at one message, so that a receiver can recognise a repetition.
    reference: str
    language: str = "fr"
    channel: Channel = Channel.EMAIL
    recipient_id: int | None = None
    link: str | None = None
    stop: str | None = None
    attachments: tuple[Attachment, ...] = ()
    calendar: CalendarPart | None = None


Compose = Callable[[UnitOfWork, OutboxMessage], Letter]
Send = Callable[[Letter], None]
Route = Callable[[UnitOfWork, OutboxMessage], Collection[Way]]
# Makes of the letters of a delivery the one that leaves, addressed for its channel, or raises
# `NotNow`.
Wrap = Callable[[UnitOfWork, Delivery, list[Letter]], Letter]


def by_email(_session: UnitOfWork, _message: OutboxMessage) -> Collection[Way]:
    """The way of every message where nobody has a choice: e-mail, at once."""
    return (Way(Channel.EMAIL),)


def first_of(_session: UnitOfWork, _delivery: Delivery, letters: list[Letter]) -> Letter:
    """The letter of a delivery that carries one message."""
    return letters[0]


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
            "created_at": now,
            "due_at": now,
        }
        for recipient_id in sorted(set(recipient_ids))
    ]
    if rows:
        insert_new(session, OutboxMessage, rows)


def send_due(
    database: Database,
    compose: Compose,
    send: Send,
    *,
    route: Route = by_email,
    wrap: Wrap = first_of,
    most: int = 100,
) -> int:
    """Route and send what is due, each in transactions of its own; returns how many letters left.

    `route`, `compose` and `wrap` read the database, `send` calls the outside world with no
    transaction open. Raises nothing for a channel's failure: it is recorded and retried with
    doubling delays from one minute to four hours, eight times at the most.
    """
    _give_up_interrupted(database)
    sent = 0
    for _ in range(most):
        routed = _route_next(database, route)
        delivery_id = _take_next(database)
        if delivery_id is not None:
            sent += _attempt(database, compose, wrap, send, delivery_id)
        elif not routed:
            break
    return sent


def _route_next(database: Database, route: Route) -> bool:
    """Turn the next pending message into deliveries; False when there is none."""
    message_id: int | None = None
    try:
        with database.transaction() as session:
            message = session.scalars(
                sa.select(OutboxMessage)
                .where(
                    OutboxMessage.state == MessageState.PENDING,
                    OutboxMessage.due_at <= session.now(),
                )
                .order_by(OutboxMessage.due_at, OutboxMessage.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if message is None:
                return False
            message_id = message.id
            ways = route(session, message)
            for way in ways:
                put_on(session, message.id, message.recipient_id, way)
            message.state = MessageState.SENDING if ways else MessageState.SILENCED
    except Exception as error:
        if message_id is None:
            raise
        # One message that cannot be routed must not hold up those behind it.
        if not isinstance(error, DeliveryFailed):
            log.exception("outbox.unroutable", message=message_id)
        with database.transaction() as session:
            message = session.get_one(OutboxMessage, message_id)
            message.state = MessageState.FAILED
            message.last_error = _reason(error)
    return True


def _give_up_interrupted(database: Database) -> None:
    """Mark as uncertain what a dead worker was sending: nobody knows whether it left."""
    with database.transaction() as session:
        found = session.scalars(
            sa.select(Delivery)
            .where(
                Delivery.state == DeliveryState.SENDING,
                Delivery.due_at <= session.now() - SENDING_LEASE,
            )
            .order_by(Delivery.id)
            .with_for_update(skip_locked=True)
        ).all()
        for delivery in found:
            delivery.state = DeliveryState.UNCERTAIN
            delivery.last_error = "interrupted while sending"
            _settle(session, delivery)


def _take_next(database: Database) -> int | None:
    with database.transaction() as session:
        delivery = session.scalars(
            sa.select(Delivery)
            .where(Delivery.state == DeliveryState.PENDING, Delivery.due_at <= session.now())
            .order_by(Delivery.due_at, Delivery.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if delivery is None:
            return None
        delivery.state = DeliveryState.SENDING
        delivery.attempts += 1
        # From here on the moment of the attempt, by which a dead worker is recognised.
        delivery.due_at = session.now()
        return delivery.id


def _attempt(
    database: Database, compose: Compose, wrap: Wrap, send: Send, delivery_id: int
) -> bool:
    failure: DeliveryFailed | None = None
    try:
        with database.session() as session:
            letter = _written(session, compose, wrap, delivery_id)
        send(letter)
    except NotNow as error:
        _put_off(database, delivery_id, error.until)
        return False
    except DeliveryFailed as error:
        failure = error
    with database.transaction() as session:
        delivery = session.get_one(Delivery, delivery_id)
        if failure is None:
            delivery.state = DeliveryState.SENT
            delivery.sent_at = session.now()
            delivery.last_error = None
        else:
            delivery.last_error = _reason(failure)
            if failure.permanent or delivery.attempts >= MOST_ATTEMPTS:
                delivery.state = DeliveryState.FAILED
                log.error("outbox.failed", delivery=delivery.id, channel=delivery.channel.value)
            else:
                delivery.state = DeliveryState.PENDING
                delivery.due_at = session.now() + retry_delay(delivery.attempts)
                log.warning("outbox.retry", delivery=delivery.id, attempts=delivery.attempts)
        _settle(session, delivery)
        return failure is None


def _put_off(database: Database, delivery_id: int, until: dt.datetime) -> None:
    """Give a delivery back as if it had not been taken, to be taken at `until`."""
    with database.transaction() as session:
        delivery = session.get_one(Delivery, delivery_id)
        delivery.state, delivery.due_at = DeliveryState.PENDING, until
        delivery.attempts -= 1


def _written(session: UnitOfWork, compose: Compose, wrap: Wrap, delivery_id: int) -> Letter:
    """The letter of a delivery. What can no longer be written is left out of a digest."""
    delivery = session.get_one(Delivery, delivery_id)
    messages = session.scalars(
        sa.select(OutboxMessage)
        .join(DeliveryPart, DeliveryPart.message_id == OutboxMessage.id)
        .where(DeliveryPart.delivery_id == delivery_id)
        .order_by(OutboxMessage.id)
    ).all()
    letters: list[Letter] = []
    failure = DeliveryFailed("nothing to say", permanent=True)
    for message in messages:
        try:
            letters.append(compose(session, message))
        except DeliveryFailed as error:
            failure = error
        except Exception as error:
            # Nothing has left yet, and asking again would end the same way.
            log.exception("outbox.unwritable", message=message.id, kind=message.kind)
            failure = DeliveryFailed(_reason(error), permanent=True)
    if not letters:
        raise failure
    return wrap(session, delivery, letters)


def _settle(session: UnitOfWork, delivery: Delivery) -> None:
    """Tell the messages of a delivery how they ended, once none of their deliveries is open."""
    if delivery.state in OPEN:
        return
    session.flush()
    # Held first: two deliveries of one message that end together then see each other.
    messages = session.scalars(
        sa.select(OutboxMessage)
        .join(DeliveryPart, DeliveryPart.message_id == OutboxMessage.id)
        .where(DeliveryPart.delivery_id == delivery.id)
        .order_by(OutboxMessage.id)
        .with_for_update(of=OutboxMessage)
    ).all()
    states: dict[int, set[DeliveryState]] = {message.id: set() for message in messages}
    for message_id, state in session.execute(
        sa.select(DeliveryPart.message_id, Delivery.state)
        .join(Delivery, Delivery.id == DeliveryPart.delivery_id)
        .where(DeliveryPart.message_id.in_(states))
    ):
        states[message_id].add(state)
    for message in messages:
        _end(message, states[message.id], delivery)


def _end(message: OutboxMessage, states: set[DeliveryState], last: Delivery) -> None:
    if states.intersection(OPEN):
        return
    message.last_error = last.last_error
    if DeliveryState.SENT in states:
        message.state, message.last_error = MessageState.SENT, None
        message.sent_at = message.sent_at or last.sent_at
    elif DeliveryState.UNCERTAIN in states:
        message.state = MessageState.UNCERTAIN
    else:
        message.state = MessageState.FAILED


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:500]


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
