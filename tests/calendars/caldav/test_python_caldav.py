"""A real client library against a running Relais: python-caldav."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import caldav
import pytest
import sqlalchemy as sa
from caldav.lib.error import AuthorizationError, DAVError, DeleteError, PutError
from flask import Flask

from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster import claiming
from scheduler.roster.models import Assignment
from scheduler.roster.rules import AssignmentState
from tests.calendars.caldav.conftest import Device, all_day
from tests.calendars.caldav.live import serving_app
from tests.factories import House

# A real programme over a real socket: one database of the two is enough.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

TUESDAY = dt.date(2026, 12, 8)
THURSDAY = dt.date(2026, 12, 10)


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    with serving_app(app) as url:
        yield url


@pytest.fixture
def principal(address: str, phone: Device) -> Iterator[caldav.Principal]:
    """What a programme finds that knows the name of the server, an e-mail and a password."""
    with caldav.DAVClient(
        url=f"{address}/.well-known/caldav",
        username=phone.user.email,
        password=phone.password,
        enable_rfc6764=False,
    ) as client:
        yield client.principal()


def calendar(principal: caldav.Principal, name: str) -> caldav.Calendar:
    found = {each.get_display_name(): each for each in principal.get_calendars()}
    return found[name]


def held(database: Database, doctor: User) -> list[dt.date]:
    with database.session() as session:
        return list(
            session.scalars(
                sa.select(Assignment.date)
                .where(
                    Assignment.doctor_id == doctor.id, Assignment.state != AssignmentState.RELEASED
                )
                .order_by(Assignment.date)
            )
        )


def test_discovering_and_listing(
    principal: caldav.Principal, house: House, practice: Practice, doctor: User
) -> None:
    house.need(practice, TUESDAY)
    day = house.assignment(house.need(practice, THURSDAY), doctor)
    names = {each.get_display_name() for each in principal.get_calendars()}
    assert names == {"Jours libres", "Mes remplacements", "Mes disponibilités"}
    (event,) = calendar(principal, "Jours libres").get_events()
    assert str(event.get_icalendar_component()["SUMMARY"]).startswith("À pourvoir")
    (own,) = calendar(principal, "Mes remplacements").get_events()
    assert own.get_icalendar_component()["UID"] == day.uid


def test_taking_moving_and_giving_back(
    principal: caldav.Principal,
    house: House,
    practice: Practice,
    doctor: User,
    database: Database,
) -> None:
    house.need(practice, TUESDAY)
    house.need(practice, THURSDAY)
    mine = calendar(principal, "Mes remplacements")
    mine.add_event(all_day("A1", TUESDAY).decode())
    assert held(database, doctor) == [TUESDAY]
    (event,) = mine.get_events()
    with event.edit_icalendar_instance() as instance:
        component = instance.events[0]
        for name, day in (("DTSTART", THURSDAY), ("DTEND", THURSDAY + dt.timedelta(days=1))):
            del component[name]
            component.add(name, day)
    event.save()
    assert held(database, doctor) == [THURSDAY]
    (event,) = mine.get_events()
    event.delete()
    assert held(database, doctor) == []
    assert mine.get_events() == []


def test_a_day_that_somebody_else_took(
    principal: caldav.Principal,
    house: House,
    practice: Practice,
    doctor: User,
    database: Database,
) -> None:
    house.assignment(house.need(practice, TUESDAY), house.member(practice, Role.REPLACEMENT))
    mine = calendar(principal, "Mes remplacements")
    with pytest.raises(DAVError):
        mine.add_event(all_day("A1", TUESDAY).decode())
    assert mine.get_events() == []


def test_what_may_not_be_written(
    principal: caldav.Principal, house: House, practice: Practice
) -> None:
    house.need(practice, TUESDAY)
    free = calendar(principal, "Jours libres")
    with pytest.raises((PutError, AuthorizationError)):
        free.add_event(all_day("A1", TUESDAY).decode())
    (event,) = free.get_events()
    with pytest.raises((DeleteError, AuthorizationError)):
        event.delete()


def test_following_changes(
    principal: caldav.Principal,
    house: House,
    practice: Practice,
    doctor: User,
    database: Database,
) -> None:
    need = house.need(practice, TUESDAY)
    mine = calendar(principal, "Mes remplacements")
    free = calendar(principal, "Jours libres")
    before, open_before = mine.get_objects_by_sync_token(), free.get_objects_by_sync_token()
    assert (len(list(before)), len(list(open_before))) == (0, 1)
    actor = house.actor(doctor)
    with database.transaction() as session:
        claiming.claim(session, actor, need.id)
    assert len(list(mine.get_objects_by_sync_token(sync_token=before.sync_token))) == 1
    changed = free.get_objects_by_sync_token(sync_token=open_before.sync_token)
    assert len(list(changed)) == 1
    assert free.get_events() == []


def test_searching_by_time(
    principal: caldav.Principal, house: House, practice: Practice, doctor: User
) -> None:
    house.available(doctor, TUESDAY, THURSDAY)
    house.assignment(house.need(practice, THURSDAY), doctor)
    for name in ("Mes disponibilités", "Mes remplacements"):
        found = calendar(principal, name).search(
            event=True, start=THURSDAY, end=THURSDAY + dt.timedelta(days=1)
        )
        assert len(found) == 1, name


def test_saying_when_one_can_come(
    principal: caldav.Principal, doctor: User, database: Database
) -> None:
    mine = calendar(principal, "Mes disponibilités")
    body = all_day("A1", TUESDAY, "Dispo ?", "RRULE:FREQ=WEEKLY;COUNT=2").decode()
    mine.add_event(body)
    (event,) = mine.get_events()
    assert "RRULE" in event.get_data()
    event.delete()
    assert mine.get_events() == []
