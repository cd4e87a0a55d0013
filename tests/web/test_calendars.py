"""« Mes agendas »: subscriptions opened, changed, renewed and closed on their page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from scheduler.calendars.models import Feed, Part, Reminder
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from tests.factories import House
from tests.support import count_queries

ClientFor = Callable[[User | None], FlaskClient]

PERSONAL = "/calendars/new?kind=personal"
OPEN = "/calendars/new?kind=open"
ROSTER = "/calendars/new?kind=roster&practice=nieul"
CHOSEN = {"parts": ["confirmed", "duties"], "style": "hours", "reminder": "none"}
ADDRESS = re.compile(r'value="http://127.0.0.1:8000(/feeds/[\w-]{43}\.ics)"')


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice(slug="nieul", name="Cabinet de Nieul")


@pytest.fixture
def doctor(house: House, practice: Practice) -> User:
    return house.member(practice, Role.REPLACEMENT)


def feed(database: Database) -> Feed:
    with database.session() as session:
        return session.scalars(sa.select(Feed)).one()


def test_a_subscription_from_opening_to_closing(
    client_for: ClientFor, doctor: User, database: Database
) -> None:
    client = client_for(doctor)
    assert "kind=personal" in client.get("/calendars/").text
    assert client.get(PERSONAL).status_code == 200
    response = client.post(PERSONAL, data={**CHOSEN, "name": "Mon <planning>"})
    found = feed(database)
    assert response.location == f"/calendars/#calendar-{found.id}"
    page = client.get("/calendars/").text
    (address,) = set(ADDRESS.findall(page))
    assert f'href="webcal://127.0.0.1:8000{address}"' in page
    assert 'class="qr-code"' in page
    assert "Mon &lt;planning&gt;" in page
    assert (found.parts, found.all_day) == (["confirmed", "duties"], False)

    fetched = client_for(None).get(address, headers={"User-Agent": "Phone<b>/1"})
    assert fetched.status_code == 200
    assert "Mon <planning>" in fetched.text
    assert "Phone&lt;b&gt;/1" in client.get("/calendars/").text

    client.post(f"/calendars/{found.id}/renew")
    assert address not in client.get("/calendars/").text
    assert client_for(None).get(address).status_code == 404

    client.post(f"/calendars/{found.id}/revoke")
    assert "/feeds/" not in client.get("/calendars/").text


def test_a_subscription_is_changed_at_the_same_address(
    client_for: ClientFor, doctor: User, database: Database
) -> None:
    client = client_for(doctor)
    client.post(PERSONAL, data=CHOSEN)
    before = feed(database)
    page = client.get(f"/calendars/{before.id}").text
    ticked = re.findall(r'<input checked[^>]*value="(\w+)"', page)
    assert ticked == ["confirmed", "duties", "hours", "none"]
    data = {"name": "Garde", "parts": ["held"], "style": "day", "reminder": "evening"}
    assert client.post(f"/calendars/{before.id}", data=data).status_code == 302
    after = feed(database)
    assert (after.name, after.parts) == ("Garde", [Part.HELD])
    assert (after.all_day, after.reminder) == (True, Reminder.EVENING)
    assert after.token_hash == before.token_hash


def test_a_subscription_of_nothing_keeps_what_was_typed(
    client_for: ClientFor, doctor: User
) -> None:
    data = {**CHOSEN, "parts": [], "name": "Presque rien"}
    response = client_for(doctor).post(PERSONAL, data=data)
    assert response.status_code == 422
    assert "Presque rien" in response.text
    assert 'href="#parts"' in response.text


def test_open_days_and_rosters_need_no_choice_of_the_reader(
    client_for: ClientFor, doctor: User, database: Database
) -> None:
    client = client_for(doctor)
    assert client.post(OPEN, data={"style": "hours"}).status_code == 302
    assert client.post(ROSTER, data=CHOSEN).status_code == 302
    with database.session() as session:
        found = session.scalars(sa.select(Feed).order_by(Feed.id)).all()
    assert [feed.practice_id is None for feed in found] == [True, False]
    page = client.get("/calendars/").text
    assert "Relais – jours libres" in page
    assert "Relais – Cabinet de Nieul" in page


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/calendars/new", 404),
        ("/calendars/new?kind=everything", 404),
        ("/calendars/new?kind=roster", 404),
        ("/calendars/new?kind=roster&practice=elsewhere", 404),
        ("/calendars/new?kind=open&practice=elsewhere", 404),
        ("/calendars/new?kind=personal&practice=nieul", 404),
        ("/calendars/new?kind=open&practice=nieul", 302),
    ],
)
def test_a_subscription_that_cannot_be_is_refused(
    client_for: ClientFor, doctor: User, house: House, address: str, status: int
) -> None:
    house.practice(slug="elsewhere")
    assert client_for(doctor).post(address, data=CHOSEN).status_code == status


@pytest.mark.parametrize(
    "wrong",
    [{"style": "decimal"}, {"reminder": "never"}, {"parts": ["patients"]}, {"name": "x" * 61}],
)
def test_a_choice_that_there_is_not_is_refused(
    client_for: ClientFor, doctor: User, wrong: dict[str, str]
) -> None:
    assert client_for(doctor).post(PERSONAL, data={**CHOSEN, **wrong}).status_code == 422


def test_a_secretary_has_no_days_of_their_own(
    client_for: ClientFor, practice: Practice, house: House
) -> None:
    client = client_for(house.member(practice, Role.SECRETARY))
    page = client.get("/calendars/").text
    assert "kind=personal" not in page
    assert "kind=open" not in page
    assert "kind=roster" in page
    for address in (PERSONAL, OPEN):
        assert client.get(address).status_code == 403
        assert client.post(address, data=CHOSEN).status_code == 403


def test_anothers_subscription_cannot_be_touched(
    client_for: ClientFor, doctor: User, practice: Practice, house: House, database: Database
) -> None:
    client_for(doctor).post(PERSONAL, data=CHOSEN)
    found = feed(database)
    stranger = client_for(house.member(practice, Role.TITULAR))
    for act in ("/renew", "/revoke", ""):
        assert stranger.post(f"/calendars/{found.id}{act}", data=CHOSEN).status_code == 404
    assert feed(database).token_hash == found.token_hash


def test_a_changed_secret_key_is_told(
    client_for: ClientFor, doctor: User, database: Database
) -> None:
    client = client_for(doctor)
    client.post(PERSONAL, data=CHOSEN)
    with database.transaction() as session:
        session.execute(sa.update(Feed).values(salt="as if made with another key"))
    page = client.get("/calendars/")
    assert page.status_code == 200
    assert ".ics" not in page.text
    assert "/renew" in page.text


def test_the_other_ways_are_shown_to_doctors_where_they_are(
    client_for: ClientFor, doctor: User, practice: Practice, house: House, app: Flask
) -> None:
    page = client_for(doctor).get("/calendars/").text
    secretary = client_for(house.member(practice, Role.SECRETARY)).get("/calendars/").text
    for endpoint, address in (
        ("devices.index", "/calendars/devices/"),
        ("imports.index", "/calendars/imports/"),
    ):
        assert (f'href="{address}"' in page) == (endpoint in app.view_functions)
        assert f'href="{address}"' not in secretary


def test_queries_do_not_grow_with_subscriptions(
    client_for: ClientFor, doctor: User, house: House, database: Database
) -> None:
    client = client_for(doctor)
    counts = []
    for _time in range(2):
        for _number in range(3):
            place = house.practice()
            house.member(place, Role.REPLACEMENT, doctor)
            address = f"/calendars/new?kind=roster&practice={place.slug}"
            assert client.post(address, data=CHOSEN).status_code == 302
        with count_queries(database) as statements:
            assert client.get("/calendars/").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]
