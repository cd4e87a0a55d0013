"""The outbox: written with its cause, sent by the worker, never twice because of a crash."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from scheduler.core import outbox
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database, UnitOfWork
from scheduler.core.deliveries import Channel, Delivery, DeliveryState, Way
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


def deliveries(database: Database) -> list[Delivery]:
    with database.session() as session:
        return list(session.scalars(sa.select(Delivery).order_by(Delivery.id)))


def only(database: Database) -> OutboxMessage:
    (message,) = messages(database)
    return message


def attempt(database: Database) -> Delivery:
    (delivery,) = deliveries(database)
    return delivery


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
    seen: list[DeliveryState] = []
    send_due(database, compose, lambda _letter: seen.append(attempt(database).state))
    assert seen == [DeliveryState.SENDING]


@pytest.mark.parametrize("heard", [True, False])
def test_a_crash_while_sending_is_never_followed_by_a_second_letter(
    database: Database, user: User, clock: FixedClock, heard: bool
) -> None:
    post(database, user)
    channel = Post(Crash() if heard else KeyboardInterrupt())
    with pytest.raises((Crash, KeyboardInterrupt)):
        send_due(database, compose, channel)
    before = list(channel.sent)
    assert attempt(database).state is DeliveryState.SENDING
    clock.advance(SENDING_LEASE - dt.timedelta(seconds=1))
    send_due(database, compose, channel)
    assert attempt(database).state is DeliveryState.SENDING
    clock.advance(dt.timedelta(seconds=1))
    send_due(database, compose, channel)
    assert attempt(database).state is DeliveryState.UNCERTAIN
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
    for number in range(1, MOST_ATTEMPTS + 1):
        send_due(database, compose, channel)
        delivery = attempt(database)
        assert delivery.attempts == number
        assert delivery.last_error == "451 later"
        if delivery.state is DeliveryState.PENDING:
            assert only(database).state is MessageState.SENDING
            waits.append(delivery.due_at - clock.now())
            clock.move_to(delivery.due_at - dt.timedelta(seconds=1))
            send_due(database, compose, channel)
            assert attempt(database).attempts == number
            clock.move_to(delivery.due_at)
    assert waits == [MINUTE * 2**number for number in range(MOST_ATTEMPTS - 1)]
    assert only(database).state is MessageState.FAILED
    assert only(database).last_error == "451 later"
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
    assert attempt(database).last_error is None
    assert only(database).state is MessageState.SENT
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


def by_two(_session: UnitOfWork, _message: OutboxMessage) -> list[Way]:
    return [Way(Channel.EMAIL), Way(Channel.SMS, "+33612345678")]


def named(_session: UnitOfWork, delivery: Delivery, letters: list[Letter]) -> Letter:
    return replace(letters[0], channel=delivery.channel, to_address=delivery.target or "a@b.org")


def test_a_message_takes_several_ways_and_has_left_when_one_has(
    database: Database, user: User, clock: FixedClock
) -> None:
    post(database, user)
    calls: list[tuple[Channel, str]] = []

    def send(letter: Letter) -> None:
        calls.append((letter.channel, letter.to_address))
        if letter.channel is Channel.SMS:
            raise DeliveryFailed("no such number", permanent=True)

    assert send_due(database, compose, send, route=by_two, wrap=named) == 1
    assert calls == [(Channel.EMAIL, "a@b.org"), (Channel.SMS, "+33612345678")]
    assert [delivery.state for delivery in deliveries(database)] == [
        DeliveryState.SENT,
        DeliveryState.FAILED,
    ]
    assert (only(database).state, only(database).last_error) == (MessageState.SENT, None)


def test_a_channel_that_fails_is_tried_again_without_the_others(
    database: Database, user: User, clock: FixedClock
) -> None:
    post(database, user)
    channel = Post(None, DeliveryFailed("later"))
    send_due(database, compose, channel, route=by_two, wrap=named)
    assert only(database).state is MessageState.SENDING
    clock.advance(MINUTE)
    assert send_due(database, compose, channel, route=by_two, wrap=named) == 1
    assert len(channel.sent) == 2
    assert only(database).state is MessageState.SENT


def test_what_nobody_wants_is_silenced(database: Database, user: User) -> None:
    post(database, user)
    channel = Post()
    assert send_due(database, compose, channel, route=lambda *_: []) == 0
    assert only(database).state is MessageState.SILENCED
    assert channel.sent == []


def test_a_way_may_wait(database: Database, user: User, clock: FixedClock) -> None:
    post(database, user)
    until = clock.now() + dt.timedelta(hours=3)

    def route(_session: UnitOfWork, _message: OutboxMessage) -> list[Way]:
        return [Way(Channel.EMAIL, not_before=until)]

    assert send_due(database, compose, Post(), route=route) == 0
    clock.move_to(until)
    assert send_due(database, compose, Post(), route=route) == 1


def test_one_message_that_cannot_be_routed_does_not_hold_up_the_others(
    database: Database, user: User
) -> None:
    post(database, user, cause="first")
    post(database, user, cause="second")

    def route(_session: UnitOfWork, message: OutboxMessage) -> list[Way]:
        if message.cause == "first":
            raise ZeroDivisionError
        return [Way(Channel.EMAIL)]

    channel = Post()
    assert send_due(database, compose, channel, route=route) == 1
    assert [message.state for message in messages(database)] == [
        MessageState.FAILED,
        MessageState.SENT,
    ]
    assert messages(database)[0].last_error == "ZeroDivisionError"


def test_a_message_that_cannot_be_written_fails_and_nothing_is_sent(
    database: Database, user: User
) -> None:
    post(database, user)

    def broken(_session: UnitOfWork, _message: OutboxMessage) -> Letter:
        raise KeyError("path")

    channel = Post()
    assert send_due(database, broken, channel) == 0
    assert only(database).state is MessageState.FAILED
    assert channel.sent == []


class Digest:
    """Every message waits for the digest of the coming hours."""

    def __init__(self, clock: FixedClock) -> None:
        self.hours = tuple(clock.now() + dt.timedelta(hours=hours) for hours in (1, 25))

    def __call__(self, session: UnitOfWork, _message: OutboxMessage) -> list[Way]:
        coming = tuple(hour for hour in self.hours if hour > session.now() - MINUTE)
        return [Way(Channel.EMAIL, digests=coming)]


def joined(_session: UnitOfWork, _delivery: Delivery, letters: list[Letter]) -> Letter:
    return replace(letters[0], reference="+".join(letter.reference for letter in letters))


def test_a_digest_gathers_what_came_before_its_hour(
    database: Database, user: User, house: House, clock: FixedClock
) -> None:
    route, other = Digest(clock), house.user()
    post(database, user, cause="first")
    post(database, user, other, cause="second")
    channel = Post()
    assert send_due(database, compose, channel, route=route, wrap=joined) == 0
    clock.move_to(route.hours[0])
    assert send_due(database, compose, channel, route=route, wrap=joined) == 2
    assert channel.sent == ["1+2", "3"]
    assert {message.state for message in messages(database)} == {MessageState.SENT}


def test_what_comes_after_a_digest_has_left_waits_for_the_next(
    database: Database, user: User, clock: FixedClock
) -> None:
    route, channel = Digest(clock), Post()
    post(database, user, cause="first")
    send_due(database, compose, channel, route=route, wrap=joined)
    clock.move_to(route.hours[0])
    send_due(database, compose, channel, route=route, wrap=joined)
    post(database, user, cause="second")
    send_due(database, compose, channel, route=route, wrap=joined)
    assert channel.sent == ["1"]
    clock.move_to(route.hours[1])
    send_due(database, compose, channel, route=route, wrap=joined)
    assert channel.sent == ["1", "2"]


def test_a_digest_leaves_out_what_can_no_longer_be_written(
    database: Database, user: User, clock: FixedClock
) -> None:
    def partly(session: UnitOfWork, message: OutboxMessage) -> Letter:
        if message.cause == "first":
            raise DeliveryFailed("gone", permanent=True)
        return compose(session, message)

    route, channel = Digest(clock), Post()
    post(database, user, cause="first")
    post(database, user, cause="second")
    send_due(database, partly, channel, route=route, wrap=joined)
    clock.move_to(route.hours[0])
    assert send_due(database, partly, channel, route=route, wrap=joined) == 1
    assert channel.sent == ["2"]


def test_a_digest_that_was_interrupted_is_not_sent_again(
    database: Database, user: User, clock: FixedClock
) -> None:
    route, channel = Digest(clock), Post(Crash())
    post(database, user, cause="first")
    post(database, user, cause="second")
    send_due(database, compose, channel, route=route, wrap=joined)
    clock.move_to(route.hours[0])
    with pytest.raises(Crash):
        send_due(database, compose, channel, route=route, wrap=joined)
    clock.advance(SENDING_LEASE)
    assert send_due(database, compose, channel, route=route, wrap=joined) == 0
    assert channel.sent == ["1+2"]
    assert {message.state for message in messages(database)} == {MessageState.UNCERTAIN}


def test_many_workers_route_each_message_into_one_digest(
    database: Database, user: User, clock: FixedClock
) -> None:
    route, channel = Digest(clock), Post()
    for number in range(20):
        post(database, user, cause=f"cause {number}")

    def work() -> None:
        send_due(database, compose, channel, route=route, wrap=joined)

    assert at_once(*[work] * 6) == [None] * 6
    assert len(deliveries(database)) == 1
    clock.move_to(route.hours[0])
    assert at_once(*[work] * 6) == [None] * 6
    (sent,) = channel.sent
    assert sorted(map(int, sent.split("+"))) == list(range(1, 21))


def test_two_deliveries_that_end_together_settle_their_message(
    database: Database, house: House, user: User
) -> None:
    post(database, user, *(house.user() for _ in range(20)))
    channel = Post()

    def work() -> None:
        send_due(database, compose, channel, route=by_two, wrap=named)

    assert at_once(*[work] * 6) == [None] * 6
    assert len(channel.sent) == 42
    assert {message.state for message in messages(database)} == {MessageState.SENT}
