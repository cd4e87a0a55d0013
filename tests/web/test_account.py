"""One's own account: who one is, language, password, calendars."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from scheduler.calendars.models import Feed
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.people import passwords
from scheduler.people.models import Locale, Practice, User
from tests.factories import House
from tests.support import count_queries
from web import create_app

PASSWORD = "cheval agrafe pile"
ANOTHER = "huître marée basse"
ClientFor = Callable[[User | None], FlaskClient]


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice(slug="nieul", name="Cabinet de Nieul")


@pytest.fixture
def doctor(house: House, practice: Practice) -> User:
    return house.member(
        practice,
        Role.REPLACEMENT,
        email="anne@example.org",
        password_hash=passwords.hashed(PASSWORD),
    )


def change(client: FlaskClient, current: str, new: str, repeated: str | None = None) -> int:
    data = {"current": current, "new": new, "repeated": new if repeated is None else repeated}
    return client.post("/account/password", data=data).status_code


def feed(database: Database) -> Feed:
    with database.session() as session:
        return session.scalars(sa.select(Feed)).one()


def test_the_page_tells_who_one_is(client_for: ClientFor, doctor: User, house: House) -> None:
    house.member(house.practice(name="Maison de Talmont"), Role.TITULAR, doctor)
    page = client_for(doctor).get("/account").text
    for text in (doctor.name, doctor.email, "Cabinet de Nieul", "Maison de Talmont"):
        assert text in page


def test_somebody_without_a_practice_has_an_account(client_for: ClientFor, house: House) -> None:
    client = client_for(house.user())
    page = client.get("/account")
    assert page.status_code == 200
    assert "/account/feeds" not in page.text
    assert client.get("/").status_code == 200


def test_changing_the_password(client_for: ClientFor, doctor: User) -> None:
    client, elsewhere = client_for(doctor), client_for(doctor)
    assert change(client, PASSWORD, ANOTHER) == 302
    assert client.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302
    data = {"email": doctor.email, "password": ANOTHER}
    assert client_for(None).post("/sign-in", data=data).location == "/"


@pytest.mark.parametrize(
    ("current", "new", "repeated", "field"),
    [
        ("", ANOTHER, ANOTHER, "current"),
        ("wrong", ANOTHER, ANOTHER, "current"),
        (PASSWORD, "", "", "new"),
        (PASSWORD, "short", "short", "new"),
        (PASSWORD, PASSWORD, PASSWORD, "new"),
        (PASSWORD, "x" * 2000, "x" * 2000, "new"),
        (PASSWORD, ANOTHER, "something else", "repeated"),
    ],
)
def test_a_refused_password_says_where(
    client_for: ClientFor, doctor: User, current: str, new: str, repeated: str, field: str
) -> None:
    client = client_for(doctor)
    data = {"current": current, "new": new, "repeated": repeated}
    response = client.post("/account/password", data=data)
    assert response.status_code == 422
    assert f'id="{field}-error"' in response.text
    assert client.get("/account").status_code == 200


def test_guessing_the_current_password_is_limited(
    settings: Settings, database: Database, doctor: User, house: House
) -> None:
    app: Flask = create_app(settings, database)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = f"{doctor.id}.1"
        cookie["number"] = "any"
    assert [change(client, "wrong", ANOTHER) for _ in range(6)] == [422] * 5 + [429]


def test_the_language_is_kept_with_the_user(
    client_for: ClientFor, doctor: User, database: Database
) -> None:
    client = client_for(doctor)
    assert '<html lang="fr"' in client.get("/account").text
    response = client.post("/account/language", data={"language": "en", "next": "/account"})
    assert response.location == "/account"
    assert '<html lang="en"' in client_for(doctor).get("/account").text
    with database.session() as session:
        assert session.get_one(User, doctor.id).locale is Locale.ENGLISH


def test_a_visitors_language_is_kept_with_the_browser(client_for: ClientFor) -> None:
    client = client_for(None)
    assert '<html lang="fr"' in client.get("/sign-in").text
    data = {"language": "en", "next": "//evil.example"}
    assert client.post("/account/language", data=data).location == "/"
    assert '<html lang="en"' in client.get("/sign-in").text


@pytest.mark.parametrize("language", ["", "tlh", "../en"])
def test_an_unknown_language_is_refused(client_for: ClientFor, doctor: User, language: str) -> None:
    for user in (doctor, None):
        response = client_for(user).post("/account/language", data={"language": language})
        assert response.status_code == 422


def test_a_calendar_from_opening_to_closing(
    client_for: ClientFor, doctor: User, database: Database
) -> None:
    client = client_for(doctor)
    response = client.post("/account/feeds", data={"kind": "personal"})
    assert response.location == "/account#calendars"
    page = client.get("/account").text
    (address,) = set(re.findall(r'value="http://127.0.0.1:8000(/feeds/[\w-]{43}\.ics)"', page))
    assert f'href="webcal://127.0.0.1:8000{address}"' in page
    assert 'class="qr-code"' in page
    assert f"{address}?style=day" in client.get("/account?style=day").text

    fetched = client_for(None).get(address, headers={"User-Agent": "Phone<b>/1"})
    assert fetched.status_code == 200
    assert "Phone&lt;b&gt;/1" in client.get("/account").text

    client.post(f"/account/feeds/{feed(database).id}/renew")
    assert address not in client.get("/account").text
    assert client_for(None).get(address).status_code == 404

    client.post(f"/account/feeds/{feed(database).id}/revoke")
    assert "/feeds/" not in re.sub(r"/account/feeds", "", client.get("/account").text)


def test_a_roster_calendar(client_for: ClientFor, doctor: User, database: Database) -> None:
    client = client_for(doctor)
    data = {"kind": "roster", "practice": "nieul"}
    assert client.post("/account/feeds", data=data).status_code == 302
    assert feed(database).practice_id is not None
    assert "Cabinet de Nieul" in client.get("/account").text


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({}, 400),
        ({"kind": "everything"}, 400),
        ({"kind": "roster"}, 422),
        ({"kind": "roster", "practice": "elsewhere"}, 404),
        ({"kind": "personal", "practice": "nieul"}, 422),
    ],
)
def test_a_calendar_that_cannot_be_is_refused(
    client_for: ClientFor, doctor: User, house: House, data: dict[str, str], status: int
) -> None:
    house.practice(slug="elsewhere")
    assert client_for(doctor).post("/account/feeds", data=data).status_code == status


def test_a_secretary_has_no_days_of_their_own(
    client_for: ClientFor, practice: Practice, house: House
) -> None:
    client = client_for(house.member(practice, Role.SECRETARY))
    assert 'value="personal"' not in client.get("/account").text
    assert client.post("/account/feeds", data={"kind": "personal"}).status_code == 403


def test_anothers_calendar_cannot_be_touched(
    client_for: ClientFor, doctor: User, practice: Practice, house: House, database: Database
) -> None:
    client_for(doctor).post("/account/feeds", data={"kind": "personal"})
    found = feed(database)
    stranger = client_for(house.member(practice, Role.TITULAR))
    for act in ("renew", "revoke"):
        assert stranger.post(f"/account/feeds/{found.id}/{act}").status_code == 404
    assert feed(database).token_hash == found.token_hash


def test_a_changed_secret_key_is_told(
    client_for: ClientFor, doctor: User, database: Database, settings: Settings
) -> None:
    client = client_for(doctor)
    client.post("/account/feeds", data={"kind": "personal"})
    with database.transaction() as session:
        session.execute(sa.update(Feed).values(salt="as if made with another key"))
    page = client.get("/account")
    assert page.status_code == 200
    assert ".ics" not in page.text
    assert "/renew" in page.text


def test_queries_do_not_grow_with_practices(
    client_for: ClientFor, doctor: User, house: House, database: Database
) -> None:
    client = client_for(doctor)
    counts = []
    for _time in range(2):
        for _number in range(3):
            place = house.practice()
            house.member(place, Role.REPLACEMENT, doctor)
            client.post("/account/feeds", data={"kind": "roster", "practice": place.slug})
        with count_queries(database) as statements:
            assert client.get("/account").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]
