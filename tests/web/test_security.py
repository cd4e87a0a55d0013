"""What holds on every page: signed in by default, no forged form, headers, no stack to read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError

from scheduler.core import errors
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.people import passwords
from scheduler.people.models import User
from tests.factories import House
from web import create_app
from web.database import session
from web.identity import public

ClientFor = Callable[[User | None], FlaskClient]
PASSWORD = "cheval agrafe pile"
POLICY = {
    "default-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
    "img-src 'self' data:",
}
# Nothing here depends on which database it is.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def user(house: House) -> User:
    return house.member(
        house.practice(slug="nieul"),
        Role.TITULAR,
        email="anne@example.org",
        password_hash=passwords.hashed(PASSWORD),
    )


@pytest.fixture
def guarded(settings: Settings, database: Database) -> Iterator[FlaskClient]:
    """A client of an application with everything on, as it is served."""
    app = create_app(settings, database)
    with app.test_client() as client:
        yield client


def token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_a_view_that_says_nothing_is_for_the_signed_in(
    app: Flask, client_for: ClientFor, user: User
) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "seen", methods=["GET", "POST"])
    app.add_url_rule("/open", "open", public(lambda: "seen"))
    stranger = client_for(None)
    response = stranger.get("/forgotten")
    assert (response.status_code, response.location) == (302, "/sign-in?next=/forgotten")
    assert stranger.post("/forgotten").status_code == 401
    response = stranger.get("/forgotten", headers={"Accept": "application/json"})
    assert response.status_code == 401
    assert response.json is not None
    assert response.json["error"]["code"] == "unauthorized"
    assert stranger.get("/open").text == "seen"
    assert client_for(user).get("/forgotten").text == "seen"


def test_a_form_without_its_token_is_refused(guarded: FlaskClient, user: User) -> None:
    data = {"email": "anne@example.org", "password": PASSWORD}
    assert guarded.post("/sign-in", data=data).status_code == 400
    assert guarded.post("/sign-in", data={**data, "csrf_token": "forged"}).status_code == 400
    assert guarded.get("/account").status_code == 302
    page = guarded.get("/sign-in").text
    response = guarded.post("/sign-in", data={**data, "csrf_token": token(page)})
    assert (response.status_code, response.location) == (302, "/")
    opening = "/calendars/new?kind=personal"
    for path in ("/sign-out", "/account/language", opening, "/account/password"):
        assert guarded.post(path, data={"language": "en"}).status_code == 400
    page = guarded.get("/account").text
    data = {"csrf_token": token(page), "parts": "confirmed"}
    assert guarded.post(opening, data=data).status_code == 302
    # The token came in a session that signing out ends.
    assert guarded.post("/sign-out", data=data).status_code == 302
    assert guarded.post("/account/language", data={**data, "language": "en"}).status_code == 400


@pytest.mark.parametrize(
    "path", ["/sign-in", "/account", "/", "/nowhere", "/healthz", "/static/css/base.css"]
)
def test_every_answer_carries_the_headers(client_for: ClientFor, user: User, path: str) -> None:
    for reader in (None, user):
        with client_for(reader).get(path) as response:
            headers = response.headers
        assert set(headers["Content-Security-Policy"].split("; ")) == POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert "Strict-Transport-Security" not in headers
        if not path.startswith("/static"):
            assert headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", ["/sign-in", "/account", "/calendars/", "/nowhere"])
def test_no_page_needs_what_the_policy_forbids(
    client_for: ClientFor, user: User, path: str
) -> None:
    client = client_for(user)
    client.post("/calendars/new?kind=personal", data={"parts": "confirmed"})
    page = client.get(path).text + client_for(None).get(path).text
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))


def test_the_session_cookie_is_for_this_site_only(guarded: FlaskClient) -> None:
    cookie = guarded.get("/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("relais=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_over_https_the_cookie_and_the_site_stay_there(database: Database) -> None:
    settings = Settings(
        database_url=database.url.render_as_string(hide_password=False),
        secret_key="a key for tests, long enough to be accepted",
        base_url="https://relais.example.org",
    )
    response = (
        create_app(settings, database)
        .test_client()
        .get("/sign-in", base_url="https://relais.example.org")
    )
    assert "Secure" in response.headers["Set-Cookie"]
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_signed_in_for_half_a_day(guarded: FlaskClient, user: User) -> None:
    data = {"email": "anne@example.org", "password": PASSWORD}
    data["csrf_token"] = token(guarded.get("/sign-in").text)
    cookie = guarded.post("/sign-in", data=data).headers["Set-Cookie"]
    assert "Expires=" in cookie


RAISED: list[tuple[Exception, int]] = [
    (errors.InvalidInput("invalid_input"), 422),
    (errors.NotSignedIn(), 401),
    (errors.Forbidden(), 403),
    (errors.NotFound(), 404),
    (errors.Conflict(), 409),
    (errors.RuleBroken("no such code"), 409),
    (errors.TooMany(), 429),
    (errors.Malformed("needs[0]", "secret detail"), 422),
    (StaleDataError("secret detail"), 409),
    (OperationalError("SELECT secret", {}, Exception("secret detail")), 503),
    (RuntimeError("secret detail"), 500),
]


@pytest.mark.parametrize(("error", "status"), RAISED)
@pytest.mark.parametrize("kind", ["page", "fragment", "json"])
def test_an_error_keeps_its_status_and_tells_no_secret(
    app: Flask, client_for: ClientFor, error: Exception, status: int, kind: str
) -> None:
    app.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)

    @app.get("/breaks")
    @public
    def breaks() -> str:
        raise error

    headers = {
        "page": {},
        "fragment": {"HX-Request": "true"},
        "json": {"Accept": "application/json"},
    }[kind]
    response = client_for(None).get("/breaks", headers=headers)
    assert response.status_code == status
    for secret in ("Traceback", "secret", "SELECT", 'File "'):
        assert secret not in response.text
    if kind == "json":
        assert response.json is not None
        assert set(response.json["error"]) == {"code", "message"}
    else:
        assert ("<html" in response.text) is (kind == "page")


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 429, 500])
def test_http_errors_are_pages(app: Flask, client_for: ClientFor, status: int) -> None:
    @app.get("/breaks")
    @public
    def breaks() -> str:
        abort(status)

    response = client_for(None).get("/breaks")
    assert response.status_code == status
    assert "<h1>" in response.text


def test_a_request_that_is_too_large_is_refused(client_for: ClientFor, user: User) -> None:
    data = {"email": "x" * (3 * 1024 * 1024), "password": "x"}
    assert client_for(None).post("/sign-in", data=data).status_code == 413
    assert client_for(user).get("/account").status_code == 200


def test_nothing_is_kept_of_a_request_that_failed(
    app: Flask, client_for: ClientFor, user: User, database: Database
) -> None:
    @app.get("/breaks")
    @public
    def breaks() -> str:
        session().get_one(User, user.id).family_name = "Changed"
        session().flush()
        raise errors.Conflict

    assert client_for(None).get("/breaks").status_code == 409
    with database.session() as unit:
        assert unit.get_one(User, user.id).family_name == user.family_name
