"""Several at once: two phones want one day, and a reading costs the same however much there is."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from flask import Flask

from scheduler.core.database import Database
from scheduler.core.errors import Conflict
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster import claiming
from scheduler.roster.models import Assignment
from scheduler.roster.rules import AssignmentState
from tests.calendars.caldav.conftest import (
    AVAILABILITIES,
    MY_DAYS,
    OPEN_DAYS,
    Device,
    all_day,
    device_of,
)
from tests.factories import House
from tests.support import at_once, count_queries

TUESDAY = dt.date(2026, 12, 8)


def test_two_phones_and_the_web_want_one_day(
    app: Flask, house: House, practice: Practice, database: Database
) -> None:
    need = house.need(practice, TUESDAY)
    doctors = [house.member(practice, Role.REPLACEMENT) for _ in range(3)]
    phones = [device_of(app, database, house, doctor) for doctor in doctors[:2]]
    actor = house.actor(doctors[2])
    answers: dict[str, int] = {}

    def put(number: int) -> None:
        response = phones[number].put(MY_DAYS, "A.ics", all_day(f"A{number}", TUESDAY))
        answers[f"phone {number}"] = response.status_code

    def tap() -> None:
        try:
            with database.transaction() as session:
                claiming.claim(session, actor, need.id)
            answers["web"] = 201
        except Conflict:
            answers["web"] = 409

    assert at_once(lambda: put(0), lambda: put(1), tap) == [None] * 3
    assert sorted(answers.values()) == [201, 409, 409]
    with database.session() as session:
        (winner,) = session.scalars(
            sa.select(Assignment.doctor_id).where(Assignment.state != AssignmentState.RELEASED)
        )
    # The losers' calendars tell the truth at the next sync.
    for phone in phones:
        expected = {"A.ics"} if phone.user.id == winner else set()
        assert phone.names(MY_DAYS) == expected
        assert phone.names(OPEN_DAYS) == set()


def test_one_event_put_twice_at_once_takes_one_day(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.need(practice, TUESDAY)
    house.need(practice, TUESDAY, room=1)
    statuses: list[int] = []
    other = Device(phone.client.application.test_client(), phone.user, phone.password)

    def put(device: Device) -> None:
        response = device.put(MY_DAYS, "A.ics", all_day("A", TUESDAY))
        statuses.append(response.status_code)

    assert at_once(lambda: put(phone), lambda: put(other)) == [None] * 2
    assert set(statuses) <= {201, 204, 409}
    with database.session() as session:
        taken = session.scalars(sa.select(Assignment)).all()
    assert len(taken) == 1
    assert phone.names(MY_DAYS) == {"A.ics"}


def test_two_syncs_at_once_number_a_change_once(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    token = phone.sync(MY_DAYS).token
    house.assignment(house.need(practice, TUESDAY), doctor)
    other = Device(phone.client.application.test_client(), phone.user, phone.password)
    tokens: set[str] = set()
    at_once(
        lambda: tokens.add(phone.sync(MY_DAYS, token).token),
        lambda: tokens.add(other.sync(MY_DAYS, token).token),
    )
    assert len(tokens) == 1
    (last,) = tokens
    assert phone.sync(MY_DAYS, last).there == {}


@pytest.mark.parametrize("calendar", [OPEN_DAYS, MY_DAYS, AVAILABILITIES])
def test_a_reading_costs_the_same_however_much_there_is(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database, calendar: str
) -> None:
    def fill(start: dt.date, days: int) -> None:
        for number in range(days):
            day = start + dt.timedelta(days=number)
            house.need(practice, day)
            house.assignment(house.need(practice, day + dt.timedelta(days=40), room=1), doctor)
            house.available(doctor, day)
            phone.put(AVAILABILITIES, f"{day}.ics", all_day(f"{day}", day, "?"))

    def cost() -> int:
        with count_queries(database) as counted:
            phone.sync(calendar)
            phone.names(calendar)
        return len(counted)

    fill(TUESDAY, 1)
    cost()
    few = cost()
    fill(TUESDAY + dt.timedelta(days=1), 6)
    cost()
    assert cost() == few
