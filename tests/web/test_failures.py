"""When things go wrong: the reader gets a sentence, the log gets no secret."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from scheduler.calendars.feeds.subscribing import feed_address, open_feed
from scheduler.calendars.models import FeedKind
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import User
from tests.conftest import SECRET_KEY
from tests.factories import House

Clients = Callable[[User | None], FlaskClient]


@pytest.mark.parametrize("path", ["/p/cabinet-1/week/", "/account"])
def test_a_database_that_fails_is_told_in_a_sentence(
    app: Flask, client_for: Clients, database: Database, house: House, path: str
) -> None:
    client = client_for(house.member(house.practice(slug="cabinet-1"), Role.TITULAR))
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with database.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE user_account RENAME TO gone"))
    try:
        answer = client.get(path)
    finally:
        with database.engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE gone RENAME TO user_account"))
    assert answer.status_code in (500, 503)
    assert "Relais" in answer.text
    assert "Traceback" not in answer.text
    assert client.get(path).status_code == 200


def test_a_failing_feed_does_not_tell_its_address_to_the_log(
    app: Flask,
    client_for: Clients,
    database: Database,
    house: House,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    doctor = house.member(house.practice(), Role.REPLACEMENT)
    actor = house.actor(doctor)
    with database.transaction() as session:
        feed = open_feed(session, actor, FeedKind.PERSONAL, secret=SECRET_KEY)
        address = feed_address(feed, secret=SECRET_KEY, base_url="")
    assert address is not None
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with database.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE feed RENAME TO gone"))
    try:
        answer = client_for(doctor).get(address)
    finally:
        with database.engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE gone RENAME TO feed"))
    assert answer.status_code in (500, 503)
    token = address.rpartition("/")[2].partition(".")[0]
    written = caplog.text + "".join(capsys.readouterr())
    assert "request.failed" in written or "database.unavailable" in written
    assert token not in written


def test_an_error_carries_no_parameter_into_the_log(database: Database) -> None:
    with (
        pytest.raises(sa.exc.DBAPIError) as caught,
        database.engine.begin() as connection,
    ):
        connection.execute(sa.text("SELECT nothing FROM nowhere WHERE a = :a"), {"a": "typed"})
    assert "typed" not in str(caught.value)


@pytest.mark.parametrize("number", [2**31, 2**63, 10**40])
@pytest.mark.parametrize("place", ["needs", "proposals", "patterns"])
def test_a_number_no_row_has_is_a_page_that_is_not_there(
    client_for: Clients, house: House, place: str, number: int
) -> None:
    practice = house.practice()
    client = client_for(house.member(practice, Role.TITULAR))
    assert client.get(f"/p/{practice.slug}/{place}/{number}").status_code == 404


@pytest.mark.parametrize("number", [str(2**31), str(2**63), "9" * 5000, "-1", "x", "²", "٣"])
@pytest.mark.parametrize(
    ("place", "field"),
    [
        ("/board/claim", "need"),
        ("/board/claim-several", "need"),
        ("/asks/", "need_id"),
        ("/p/{slug}/needs/{need}/give", "doctor"),
        ("/p/{slug}/days/{day}/duty", "doctor_id"),
        ("/p/{slug}/days/{day}/duty", "instead_of"),
        ("/p/{slug}/assignments/{taken}/offer", "to"),
        ("/p/{slug}/assignments/{taken}/offer", "in_return"),
        ("/p/{slug}/calls/1/send", "doctor"),
    ],
)
def test_a_forged_number_in_a_form_is_refused_with_words(
    client_for: Clients, house: House, place: str, field: str, number: str
) -> None:
    practice = house.practice()
    titular = house.member(practice, Role.TITULAR)
    need = house.need(practice, house.today)
    taken = house.assignment(house.need(practice, house.today + dt.timedelta(days=1)), titular)
    day = house.today.isoformat()
    address = place.format(slug=practice.slug, need=need.id, taken=taken.id, day=day)
    sent = {field: number} | ({"to": "exchange"} if field == "in_return" else {})
    answer = client_for(titular).post(address, data=sent)
    assert 400 <= answer.status_code < 500


def test_a_nul_is_refused_wherever_it_stands(client_for: Clients, house: House) -> None:
    practice = house.practice()
    client = client_for(house.member(practice, Role.TITULAR))
    assert client.get("/p/a%00b/week/").status_code == 404
    assert client.get(f"/p/{practice.slug}/week/?x=%00").status_code == 404
    answer = client.post(f"/p/{practice.slug}/assignments/1/release", data={"reason": "a\0b"})
    assert answer.status_code == 400
    assert "Bad Request" not in answer.text


def test_a_refusal_leads_back_to_the_page_before(client_for: Clients, house: House) -> None:
    practice = house.practice()
    client = client_for(house.member(practice, Role.SECRETARY))
    week = f"/p/{practice.slug}/week/2026-W48"
    origin = "http://localhost"
    refused = client.get("/availabilities/", headers={"Referer": origin + week})
    assert refused.status_code == 403
    assert f'href="{week}"' in refused.text
    elsewhere = client.get("/availabilities/", headers={"Referer": "https://evil.example/x"})
    assert "evil.example" not in elsewhere.text
