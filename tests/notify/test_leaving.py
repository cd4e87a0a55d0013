"""From the outbox to the channels: by whose choice, at which hour, and never at night."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core import outbox
from scheduler.core.clock import FixedClock
from scheduler.core.deliveries import Channel, Delivery
from scheduler.core.outbox import DeliveryFailed, Letter, MessageState, OutboxMessage, send_due
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.notify import composer, router
from scheduler.notify.models import Device, NotifyChoice, NotifyProfile, Phone
from scheduler.notify.rules import TIMEZONE, Group
from scheduler.notify.stopping import read_stop
from scheduler.people.models import Practice, User
from tests.conftest import SECRET_KEY
from tests.factories import House

SETTINGS = Settings(
    base_url="https://relais.example", secret_key=SECRET_KEY, sms_url="json://localhost/{phone}"
)
DAY = dt.date(2026, 12, 7)


def paris(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=TIMEZONE).astimezone(dt.UTC)


class Post:
    """A way out that notes what leaves, and refuses what it is told to."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.broken: set[Channel] = set()

    def __call__(self, letter: Letter) -> None:
        if letter.channel in self.broken:
            raise DeliveryFailed("not now")
        self.letters.append(letter)

    def channels(self) -> list[Channel]:
        return [letter.channel for letter in self.letters]


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice(name="Cabinet de Nieul")


@pytest.fixture
def lea(house: House, practice: Practice, clock: FixedClock) -> User:
    """A doctor who is told of her days by e-mail and SMS, and has proved her number."""
    lea = house.member(practice, Role.REPLACEMENT)
    with house.database.transaction() as session:
        session.add(Phone(user_id=lea.id, number="+33639980011", verified_at=clock.now()))
        for group in (Group.DAYS, Group.OPENINGS):
            session.add(
                NotifyChoice(
                    user_id=lea.id, group=group, email=True, sms=True, push=False, digest=False
                )
            )
    return lea


def given(house: House, practice: Practice, user: User, kind: str = "assignment.given") -> None:
    day = house.assignment(house.need(practice, DAY), user)
    with house.database.transaction() as session:
        outbox.post(
            session,
            cause=f"{kind}:{day.id}",
            recipient_ids=[user.id],
            kind=kind,
            assignment_id=day.id,
        )


def leave(house: House, post: Post) -> None:
    compose = composer(SETTINGS)
    send_due(house.database, compose, post, route=router(SETTINGS), wrap=compose.wrap)


def only(house: House, table: Any) -> Any:
    with house.database.session() as session:
        return session.scalars(sa.select(table)).one()


def test_each_chosen_channel_is_used_once(
    house: House, practice: Practice, lea: User, post: Post
) -> None:
    given(house, practice, lea)
    for _ in range(2):
        leave(house, post)
    assert post.channels() == [Channel.EMAIL, Channel.SMS]
    assert post.letters[1].to_address == "+33639980011"
    assert only(house, OutboxMessage).state is MessageState.SENT


def test_at_night_the_phone_waits_for_the_morning(
    house: House, practice: Practice, lea: User, post: Post, clock: FixedClock
) -> None:
    clock.move_to(paris("2026-11-23T22:00"))
    given(house, practice, lea)
    leave(house, post)
    assert post.channels() == [Channel.EMAIL]
    clock.move_to(paris("2026-11-24T07:00"))
    leave(house, post)
    assert post.channels() == [Channel.EMAIL, Channel.SMS]


def test_what_failed_in_the_evening_is_not_tried_again_at_night(
    house: House, practice: Practice, lea: User, post: Post, clock: FixedClock
) -> None:
    clock.move_to(paris("2026-11-23T20:59"))
    post.broken = {Channel.SMS}
    given(house, practice, lea)
    leave(house, post)
    post.broken = set()
    clock.move_to(paris("2026-11-23T21:30"))
    leave(house, post)
    assert post.channels() == [Channel.EMAIL]
    with house.database.session() as session:
        waiting = session.scalars(sa.select(Delivery).where(Delivery.channel == Channel.SMS)).one()
    # Waiting for the morning is no attempt.
    assert (waiting.attempts, waiting.due_at) == (1, paris("2026-11-24T07:00"))
    clock.move_to(waiting.due_at)
    leave(house, post)
    assert post.channels() == [Channel.EMAIL, Channel.SMS]


def test_a_worker_that_was_away_does_not_ring_at_night(
    house: House, practice: Practice, lea: User, post: Post, clock: FixedClock
) -> None:
    given(house, practice, lea)
    send_due(
        house.database,
        composer(SETTINGS),
        post,
        route=router(SETTINGS),
        wrap=composer(SETTINGS).wrap,
        most=0,
    )
    clock.move_to(paris("2026-11-24T03:00"))
    leave(house, post)
    assert post.channels() == [Channel.EMAIL]


def test_what_is_urgent_rings_at_any_hour(
    house: House, practice: Practice, lea: User, post: Post, clock: FixedClock
) -> None:
    clock.move_to(paris("2026-11-24T05:30"))
    given(house, practice, lea, "assignment.emergency")
    leave(house, post)
    assert post.channels() == [Channel.EMAIL, Channel.SMS]


def test_a_device_that_is_another_s_by_now_shows_nothing(
    house: House, practice: Practice, lea: User, post: Post, clock: FixedClock
) -> None:
    device = Device(
        user_id=lea.id,
        endpoint="https://web.push.apple.com/1",
        p256dh="x",
        auth="x",
        name="x",
        created_at=clock.now(),
    )
    hugo = house.user()
    with house.database.transaction() as session:
        session.add(device)
        session.flush()
        delivery = Delivery(
            recipient_id=lea.id, channel=Channel.PUSH, target=str(device.id), due_at=clock.now()
        )
        session.add(delivery)
        session.flush()
        device.user_id = hugo.id
        with pytest.raises(DeliveryFailed) as caught:
            composer(SETTINGS).wrap(
                session, delivery, [Letter("A", "a@example.org", "s", "t", "r")]
            )
    assert caught.value.permanent


def test_a_digest_is_one_letter_that_one_click_stops(
    house: House, practice: Practice, lea: User, post: Post, clock: FixedClock
) -> None:
    with house.database.transaction() as session:
        for choice in session.scalars(sa.select(NotifyChoice)):
            choice.sms, choice.digest = False, True
        session.add(NotifyProfile(user_id=lea.id, digest_at=dt.time(22)))
    given(house, practice, lea)
    with house.database.transaction() as session:
        outbox.post(
            session,
            cause="opened",
            recipient_ids=[lea.id],
            kind="availability.opened",
            practice_id=practice.id,
            months=["2027-01"],
        )
    leave(house, post)
    assert post.letters == []
    # At the hour that was chosen, though it lies in the quiet ones.
    clock.move_to(paris("2026-11-23T22:00"))
    for _ in range(2):
        leave(house, post)
    (letter,) = post.letters
    assert letter.stop is not None
    user_id, groups = read_stop(SETTINGS, letter.stop.rpartition("/")[2])
    assert (user_id, set(groups)) == (lea.id, {Group.DAYS, Group.OPENINGS})
