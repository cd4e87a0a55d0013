"""Doctors are asked when they can come: once a month, once more, and no more than that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.errors import Forbidden, InvalidInput
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster import availabilities, availability_months, needs
from scheduler.roster.availability_reminders import (
    PATIENCE,
    PAUSE,
    remind,
    remind_unanswered,
    tell_opened,
)
from scheduler.roster.models import AvailabilityPrompt
from scheduler.roster.rules import Period, Preference
from tests.factories import House
from tests.support import at_once, audited, count_queries

DECEMBER, JANUARY = dt.date(2026, 12, 1), dt.date(2027, 1, 1)
IN_DECEMBER, IN_JANUARY = dt.date(2026, 12, 8), dt.date(2027, 1, 12)


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice()


@pytest.fixture
def doctor(house: House, practice: Practice) -> User:
    return house.member(practice, Role.REPLACEMENT)


def letters(database: Database, kind: str | None = None) -> list[tuple[str, int, list[str]]]:
    """Kind, reader and months of each message of the outbox, in order."""
    with database.session() as session:
        rows = session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.id)).all()
    found = [(row.kind, row.recipient_id, row.facts["months"]) for row in rows]
    return [each for each in found if kind in (None, each[0])]


def open_month(house: House, practice: Practice, *days: dt.date) -> None:
    with house.database.transaction() as session:
        tell_opened(session, practice, days or [IN_DECEMBER])


def look_again(house: House) -> int:
    with house.database.transaction() as session:
        return remind_unanswered(session)


def say(house: House, user: User, act: Callable[..., Any], *values: Any) -> None:
    actor = house.actor(user)
    with house.database.transaction() as session:
        act(session, actor, user.id, *values)


def test_publishing_asks_those_who_said_nothing(house: House, practice: Practice) -> None:
    titular = house.actor(house.member(practice, Role.TITULAR))
    silent = [house.member(practice, role) for role in (Role.REPLACEMENT, Role.ASSISTANT)]
    for role in (Role.INTERN, Role.SECRETARY, Role.NURSE, Role.VIEWER):
        house.member(practice, role)
    house.member(house.practice(), Role.REPLACEMENT)
    spoken = house.member(practice, Role.REPLACEMENT)
    house.available(spoken, IN_DECEMBER)
    pattern = house.pattern(practice, (1, Period.DAY))
    for _ in range(2):
        with house.database.transaction() as session:
            needs.publish_needs(
                session,
                titular,
                practice,
                pattern_id=pattern.id,
                start=DECEMBER,
                end=dt.date(2026, 12, 31),
                skip={},
            )
    assert letters(house.database) == [
        ("availability.opened", user.id, ["2026-12"]) for user in silent
    ]


def test_several_months_make_one_message(house: House, practice: Practice, doctor: User) -> None:
    open_month(house, practice, IN_JANUARY, IN_DECEMBER, IN_DECEMBER + dt.timedelta(7))
    open_month(house, practice, IN_JANUARY, dt.date(2027, 2, 2))
    assert letters(house.database) == [
        ("availability.opened", doctor.id, ["2026-12", "2027-01"]),
        ("availability.opened", doctor.id, ["2027-02"]),
    ]


@pytest.mark.parametrize("how", ["day", "no", "repetition", "answer", "assignment"])
def test_whoever_spoke_is_left_in_peace(
    house: House, practice: Practice, doctor: User, how: str
) -> None:
    if how == "day":
        house.available(doctor, IN_DECEMBER)
    elif how == "no":
        house.available(doctor, IN_DECEMBER, preference=None)
    elif how == "repetition":
        preference = Preference.POSSIBLE
        say(house, doctor, availabilities.add_weekly, 3, Period.DAY, preference, house.today)
    elif how == "answer":
        say(house, doctor, availability_months.answer_month, DECEMBER)
    else:
        house.assignment(house.need(practice, IN_DECEMBER), doctor)
    open_month(house, practice)
    assert letters(house.database) == []


def test_words_for_another_practice_or_month_say_nothing_here(
    house: House, practice: Practice, doctor: User
) -> None:
    other = house.practice()
    house.member(other, Role.REPLACEMENT, doctor)
    house.available(doctor, IN_DECEMBER, practice=other)
    house.available(doctor, IN_JANUARY)
    house.assignment(house.need(other, IN_DECEMBER), doctor)
    open_month(house, practice)
    assert letters(house.database) == [("availability.opened", doctor.id, ["2026-12"])]


def test_a_member_who_left_or_has_not_begun_is_not_asked(house: House, practice: Practice) -> None:
    house.member(practice, Role.REPLACEMENT, until=dt.date(2026, 11, 30))
    house.member(practice, Role.REPLACEMENT, since=dt.date(2026, 11, 24))
    house.member(practice, Role.REPLACEMENT, disabled_at=house.database.clock.now())
    open_month(house, practice)
    assert letters(house.database) == []


def test_one_reminder_a_week_later_and_no_more(
    house: House, practice: Practice, doctor: User, clock: FixedClock
) -> None:
    open_month(house, practice, IN_DECEMBER, IN_JANUARY)
    clock.advance(PATIENCE - dt.timedelta(seconds=1))
    assert look_again(house) == 0
    clock.advance(dt.timedelta(seconds=1))
    assert look_again(house) == 1
    assert letters(house.database, "availability.reminder") == [
        ("availability.reminder", doctor.id, ["2026-12", "2027-01"])
    ]
    clock.advance(dt.timedelta(days=10))
    assert look_again(house) == 0


def test_whoever_answered_meanwhile_is_not_reminded(
    house: House, practice: Practice, doctor: User, clock: FixedClock
) -> None:
    quiet = house.member(practice, Role.ASSISTANT)
    open_month(house, practice)
    say(house, doctor, availability_months.decline_month, DECEMBER)
    clock.advance(PATIENCE)
    assert look_again(house) == 1
    assert letters(house.database, "availability.reminder") == [
        ("availability.reminder", quiet.id, ["2026-12"])
    ]


def test_a_month_that_is_over_is_let_go(
    house: House, practice: Practice, doctor: User, clock: FixedClock
) -> None:
    open_month(house, practice, dt.date(2026, 11, 26))
    clock.advance(dt.timedelta(days=8))
    assert look_again(house) == 0
    with house.database.session() as session:
        assert session.scalars(sa.select(AvailabilityPrompt.due_at)).all() == [None]
    assert letters(house.database, "availability.reminder") == []


def test_workers_at_once_remind_once(
    house: House, practice: Practice, doctor: User, clock: FixedClock
) -> None:
    open_month(house, practice)
    clock.advance(PATIENCE)
    assert at_once(*[lambda: look_again(house)] * 4) == [None] * 4
    assert len(letters(house.database, "availability.reminder")) == 1


def test_a_titular_reminds_at_once_and_not_again_for_three_days(
    house: House, practice: Practice, doctor: User, clock: FixedClock
) -> None:
    titular = house.actor(house.member(practice, Role.TITULAR))

    def press() -> int:
        with house.database.transaction() as session:
            return remind(session, titular, practice, DECEMBER)

    assert [press(), press()] == [1, 0]
    clock.advance(PAUSE)
    assert press() == 1
    assert letters(house.database) == [
        ("availability.reminder", doctor.id, ["2026-12"]),
        ("availability.reminder", doctor.id, ["2026-12"]),
    ]
    assert audited(house.database) == ["availability.reminded", "availability.reminded"]
    # The worker's own reminder is not wanted any more.
    clock.advance(PATIENCE)
    assert look_again(house) == 0


def test_titulars_who_press_at_once_remind_once(
    house: House, practice: Practice, doctor: User
) -> None:
    titular = house.actor(house.member(practice, Role.TITULAR))

    def press() -> None:
        with house.database.transaction() as session:
            remind(session, titular, practice, DECEMBER)

    assert at_once(*[press] * 4) == [None] * 4
    assert len(letters(house.database)) == 1


def test_only_titulars_remind_and_only_of_what_is_to_come(
    house: House, practice: Practice, doctor: User
) -> None:
    secretary = house.actor(house.member(practice, Role.SECRETARY))
    titular = house.actor(house.member(practice, Role.TITULAR))
    with house.database.session() as session:
        with pytest.raises(Forbidden):
            remind(session, secretary, practice, DECEMBER)
        with pytest.raises(InvalidInput) as caught:
            remind(session, titular, practice, dt.date(2026, 10, 1))
    assert caught.value.code == "availability_past"


def test_queries_do_not_grow_with_doctors(
    house: House, practice: Practice, database: Database, clock: FixedClock
) -> None:
    counts = []
    for month, size in ((DECEMBER, 10), (JANUARY, 50)):
        for _ in range(size):
            house.member(practice, Role.REPLACEMENT)
        with count_queries(database) as statements:
            open_month(house, practice, month)
        opening = len(statements)
        clock.advance(PATIENCE)
        with count_queries(database) as statements:
            assert look_again(house) >= size
        counts.append((opening, len(statements)))
    assert counts[0] == counts[1]
