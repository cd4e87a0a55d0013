"""The outbox: written with its cause, sent by the worker, never twice because of a crash."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
import sqlalchemy as sa

from scheduler.core import outbox
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database, UnitOfWork
from scheduler.core.outbox import (
    MOST_ATTEMPTS,
    SENDING_LEASE,
    DeliveryFailed,
    Letter,
    MessageState,
    OutboxMessage,
    retry_delay,
    send_due,
)
from scheduler.people.models import User
from tests.factories import House
from tests.support import at_once

MINUTE = dt.timedelta(minutes=1)


class Crash(BaseException):
    """The process ends here."""


def compose(_session: UnitOfWork, message: OutboxMessage) -> Letter:
    return Letter("A", "a@example.org", message.kind, "text", str(message.id))


class Post:
    """A channel that notes what it is given, and fails as it is told to."""

    def __init__(self, *failures: BaseException | None) -> None:
        self.sent: list[str] = []
        self._failures = list(failures)
        self._lock = threading.Lock()

    def __call__(self, letter: Letter) -> None:
        with self._lock:
            failure = self._failures.pop(0) if self._failures else None
            if failure is None or isinstance(failure, Crash):
                self.sent.append(letter.reference)
        if failure is not None:
            raise failure


@pytest.fixture
def user(house: House) -> User:
    return house.user()


def post(database: Database, *users: User, cause: str = "cause") -> None:
    with database.transaction() as session:
        outbox.post(
            session,
            cause=cause,
            recipient_ids=[user.id for user in users],
            kind="kind",
            number=1,
        )


def messages(database: Database) -> list[OutboxMessage]:
    with database.session() as session:
        return list(session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.id)))


def only(database: Database) -> OutboxMessage:
    (message,) = messages(database)
    return message


def test_once_per_cause_and_recipient(database: Database, house: House, user: User) -> None:
    other = house.user()
    post(database, user, user)
    post(database, user, other)
    post(database, user, cause="another")
    post(database)
    assert [(message.cause, message.recipient_id) for message in messages(database)] == [
        ("cause", user.id),
        ("cause", other.id),
        ("another", user.id),
    ]
    assert only_facts(database) == {"number": 1}


def only_facts(database: Database) -> dict[str, object]:
    return messages(database)[0].facts


def test_nothing_is_written_without_its_cause(database: Database, user: User) -> None:
    with pytest.raises(RuntimeError), database.transaction() as session:
        outbox.post(session, cause="c", recipient_ids=[user.id], kind="k")
        raise RuntimeError
    assert messages(database) == []


def test_what_is_due_is_sent_once(database: Database, user: User, clock: FixedClock) -> None:
    post(database, user)
    channel = Post()
    with database.session() as session:
        assert outbox.waiting(session) == 1
    assert send_due(database, compose, channel) == 1
    assert send_due(database, compose, channel) == 0
    assert channel.sent == [str(only(database).id)]
    assert (only(database).state, only(database).sent_at) == (MessageState.SENT, clock.now())
    with database.session() as session:
        assert outbox.waiting(session) == 0


def test_it_is_marked_before_the_channel_is_called(database: Database, user: User) -> None:
    post(database, user)
    seen: list[MessageState] = []
    send_due(database, compose, lambda _letter: seen.append(only(database).state))
    assert seen == [MessageState.SENDING]


@pytest.mark.parametrize("heard", [True, False])
def test_a_crash_while_sending_is_never_followed_by_a_second_letter(
    database: Database, user: User, clock: FixedClock, heard: bool
) -> None:
    post(database, user)
    channel = Post(Crash() if heard else KeyboardInterrupt())
    with pytest.raises((Crash, KeyboardInterrupt)):
        send_due(database, compose, channel)
    before = list(channel.sent)
    assert only(database).state is MessageState.SENDING
    clock.advance(SENDING_LEASE - dt.timedelta(seconds=1))
    send_due(database, compose, channel)
    assert only(database).state is MessageState.SENDING
    clock.advance(dt.timedelta(seconds=1))
    send_due(database, compose, channel)
    assert only(database).state is MessageState.UNCERTAIN
    clock.advance(dt.timedelta(days=1))
    send_due(database, compose, channel)
    assert channel.sent == before


def test_failures_are_tried_again_later_and_later(
    database: Database, user: User, clock: FixedClock
) -> None:
    post(database, user)
    channel = Post(*[DeliveryFailed("451 later")] * MOST_ATTEMPTS)
    waits = []
    for attempt in range(1, MOST_ATTEMPTS + 1):
        send_due(database, compose, channel)
        message = only(database)
        assert message.attempts == attempt
        assert message.last_error == "451 later"
        if message.state is MessageState.PENDING:
            waits.append(message.due_at - clock.now())
            clock.move_to(message.due_at - dt.timedelta(seconds=1))
            send_due(database, compose, channel)
            assert only(database).attempts == attempt
            clock.move_to(message.due_at)
    assert waits == [MINUTE * 2**number for number in range(MOST_ATTEMPTS - 1)]
    assert only(database).state is MessageState.FAILED
    assert channel.sent == []


def test_delays_double_up_to_four_hours() -> None:
    assert [retry_delay(attempts) for attempts in (1, 2, 3, 8, 9, 20)] == [
        MINUTE,
        2 * MINUTE,
        4 * MINUTE,
        128 * MINUTE,
        240 * MINUTE,
        240 * MINUTE,
    ]


def test_a_passing_failure_is_forgotten(database: Database, user: User, clock: FixedClock) -> None:
    post(database, user)
    channel = Post(DeliveryFailed("451 later"))
    send_due(database, compose, channel)
    clock.advance(MINUTE)
    assert send_due(database, compose, channel) == 1
    assert only(database).last_error is None
    assert len(channel.sent) == 1


def test_what_can_never_arrive_is_not_tried_again(
    database: Database, user: User, clock: FixedClock
) -> None:
    post(database, user)
    send_due(database, compose, Post(DeliveryFailed("550 nobody", permanent=True)))
    assert only(database).state is MessageState.FAILED
    clock.advance(dt.timedelta(days=1))
    assert send_due(database, compose, Post()) == 0


def test_one_failure_does_not_hold_up_the_others(
    database: Database, house: House, user: User
) -> None:
    post(database, user, house.user(), house.user())
    channel = Post(None, DeliveryFailed("550", permanent=True))
    assert send_due(database, compose, channel) == 2


def test_many_workers_send_each_letter_once(database: Database, house: House, user: User) -> None:
    post(database, *(house.user() for _ in range(20)))
    channel = Post()
    assert at_once(*[lambda: send_due(database, compose, channel)] * 6) == [None] * 6
    assert sorted(channel.sent, key=int) == [str(message.id) for message in messages(database)]
