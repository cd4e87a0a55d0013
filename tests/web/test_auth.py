"""Signing in and out: one answer to every failure, limits, where one is sent next."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.people import passwords
from scheduler.people.models import User
from tests.factories import House
from web import create_app
from web.redirects import local_target

PASSWORD = "cheval agrafe pile"
ClientFor = Callable[[User | None], FlaskClient]


@pytest.fixture
def user(house: House) -> User:
    return house.member(
        house.practice(slug="nieul"),
        Role.SECRETARY,
        email="anne@example.org",
        password_hash=passwords.hashed(PASSWORD),
    )


@pytest.fixture
def limited(settings: Settings, database: Database) -> Flask:
    """An application with its limits on."""
    app = create_app(settings, database)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    return app


def sign_in(
    client: FlaskClient, email: str = "anne@example.org", password: str = PASSWORD, **data: str
) -> TestResponse:
    return client.post("/sign-in", data={"email": email, "password": password, **data})


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def test_signing_in_and_out(client_for: ClientFor, user: User) -> None:
    client = client_for(None)
    assert b'name="password"' in client.get("/sign-in").data
    response = sign_in(client, email="ANNE@example.org ")
    assert (response.status_code, response.location) == (302, "/")
    assert is_signed_in(client)
    response = client.get("/sign-in", query_string={"next": "/account"})
    assert (response.status_code, response.location) == (302, "/account")
    response = client.post("/sign-out")
    assert (response.status_code, response.location) == (302, "/sign-in")
    assert not is_signed_in(client)
    assert client.post("/sign-out").status_code == 302


def test_every_failure_is_answered_alike(
    client_for: ClientFor, user: User, database: Database, house: House
) -> None:
    house.user(email="nopassword@example.org")
    client = client_for(None)

    def answer(email: str, password: str) -> str:
        response = sign_in(client, email=email, password=password)
        assert response.status_code == 401
        assert password not in response.text
        assert f'value="{email}"' in response.text
        # The token against forgery carries the time.
        return re.sub(r'(content|value)="[\w.-]{60,}"', "", response.text.replace(email, ""))

    wrong = answer("anne@example.org", "something else")
    assert answer("nobody@example.org", PASSWORD) == wrong
    assert answer("nopassword@example.org", PASSWORD) == wrong
    assert answer("not an address", PASSWORD) == wrong
    with database.transaction() as session:
        session.execute(sa.update(User).values(disabled_at=database.clock.now()))
    assert answer("anne@example.org", PASSWORD) == wrong
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    ("email", "password"),
    [("", PASSWORD), ("anne@example.org", ""), ("x" * 255, PASSWORD), ("a@b.fr", "x" * 1025)],
)
def test_an_incomplete_form_says_what_is_missing(
    client_for: ClientFor, email: str, password: str
) -> None:
    response = sign_in(client_for(None), email=email, password=password)
    assert response.status_code == 422
    assert "is-invalid" in response.text


def test_nul_characters_are_refused(client_for: ClientFor, user: User) -> None:
    assert sign_in(client_for(None), email="anne\x00@example.org").status_code == 400
    assert sign_in(client_for(None), password="\x00").status_code == 400


def test_signing_in_leaves_nothing_of_the_session_before(client_for: ClientFor, user: User) -> None:
    client = client_for(None)
    with client.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"
        cookie["_user_id"] = "999.1"
    sign_in(client)
    with client.session_transaction() as cookie:
        assert "planted" not in cookie
        assert cookie["_user_id"] == f"{user.id}.{user.credentials_epoch}"
        assert cookie.permanent


def test_one_is_sent_on_to_the_page_one_asked_for(client_for: ClientFor, user: User) -> None:
    client = client_for(None)
    response = client.get("/account?style=day")
    assert response.location == "/sign-in?next=/account?style%3Dday"
    page = client.get(response.location).text
    assert 'name="next" type="hidden" value="/account?style=day"' in page
    assert sign_in(client, next="/account?style=day").location == "/account?style=day"


EVIL = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    "/\xa0/evil.example",
    "javascript:alert(1)",
    "evil.example",
    "http:evil.example",
    "",
    "/" + "x" * 2000,
]


@pytest.mark.parametrize("target", EVIL)
def test_one_is_never_sent_to_another_site(client_for: ClientFor, user: User, target: str) -> None:
    assert local_target(target, "/home") == "/home"
    client = client_for(None)
    assert sign_in(client, next=target).location == "/"
    assert client.get("/sign-in", query_string={"next": target}).location == "/"


@pytest.mark.parametrize(
    "target", ["/", "/p/nieul/week/2026-W48", "/account?style=day#calendars", "/a//b", "/é"]
)
def test_pages_of_this_site_are_followed(target: str) -> None:
    assert local_target(target, "/home") == target


def test_a_changed_credential_ends_the_session(
    client_for: ClientFor, user: User, database: Database
) -> None:
    client = client_for(None)
    sign_in(client)
    with database.transaction() as session:
        session.get_one(User, user.id).credentials_epoch += 1
    assert not is_signed_in(client)


def test_a_copied_cookie_is_worth_nothing_after_signing_out(
    client_for: ClientFor, user: User
) -> None:
    client, thief, phone = client_for(None), client_for(None), client_for(None)
    sign_in(client)
    sign_in(phone)
    copied = client.get_cookie("relais")
    assert copied is not None
    thief.set_cookie("relais", copied.value)
    assert is_signed_in(thief)
    client.post("/sign-out")
    assert not is_signed_in(thief)
    # Only this session has ended: the same person's phone stays signed in.
    assert is_signed_in(phone)


@pytest.mark.parametrize("token", ["", "x", "1", "1.", ".1", "1.x", "²·1", "1.1.1", "-1.1"])
def test_a_nonsense_session_is_nobody(client_for: ClientFor, user: User, token: str) -> None:
    client = client_for(None)
    with client.session_transaction() as cookie:
        cookie["_user_id"] = token
        cookie["number"] = "any"
    assert client.get("/account").status_code == 302


def test_one_email_is_tried_five_times_a_minute(limited: Flask, user: User) -> None:
    client = limited.test_client()
    for number in range(5):
        address = f"198.51.100.{number}"
        response = client.post(
            "/sign-in",
            data={"email": "anne@example.org", "password": "wrong"},
            environ_base={"REMOTE_ADDR": address},
        )
        assert response.status_code == 401
    # Written otherwise and from elsewhere, even with the right password.
    response = client.post(
        "/sign-in",
        data={"email": " ANNE@example.org", "password": PASSWORD},
        environ_base={"REMOTE_ADDR": "203.0.113.9"},
    )
    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 60
    assert "<h1>" in response.text
    assert sign_in(client, email="bob@example.org", password="wrong").status_code == 401


def test_one_address_tries_ten_times_a_minute(limited: Flask, user: User) -> None:
    client = limited.test_client()
    for number in range(10):
        response = sign_in(client, email=f"user{number}@example.org", password="wrong")
        assert response.status_code == 401
    assert sign_in(client).status_code == 429
    assert client.get("/sign-in").status_code == 200


def test_success_costs_nothing(limited: Flask, user: User) -> None:
    for _time in range(12):
        assert sign_in(limited.test_client()).status_code == 302
