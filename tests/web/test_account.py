"""One's own account: who one is, language, password."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.people import passwords
from scheduler.people.models import Locale, Practice, User
from tests.factories import House
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


def test_the_page_tells_who_one_is(client_for: ClientFor, doctor: User, house: House) -> None:
    house.member(house.practice(name="Maison de Talmont"), Role.TITULAR, doctor)
    page = client_for(doctor).get("/account").text
    for text in (doctor.name, doctor.email, "Cabinet de Nieul", "Maison de Talmont"):
        assert text in page


def test_somebody_without_a_practice_has_an_account(client_for: ClientFor, house: House) -> None:
    client = client_for(house.user())
    page = client.get("/account")
    assert page.status_code == 200
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


def test_the_account_leads_to_the_calendars(client_for: ClientFor, doctor: User) -> None:
    assert 'href="/calendars/"' in client_for(doctor).get("/account").text
