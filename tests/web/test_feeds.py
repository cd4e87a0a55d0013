"""Calendars over HTTP: conditional requests, one answer to wrong addresses, no cookie."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable

import icalendar
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.http import parse_date

from scheduler.calendars.feeds import subscribing
from scheduler.calendars.models import Feed, FeedKind
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.people.models import Practice, User
from tests.factories import House
from tests.support import count_queries

TUESDAY = dt.date(2026, 11, 24)
ClientFor = Callable[[User | None], FlaskClient]


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice(slug="nieul")


@pytest.fixture
def doctor(house: House, practice: Practice) -> User:
    user = house.member(practice, Role.REPLACEMENT)
    house.assignment(house.need(practice, TUESDAY), user)
    return user


@pytest.fixture
def path(database: Database, house: House, doctor: User, settings: Settings) -> str:
    secret = settings.secret_key or ""
    with database.transaction() as session:
        feed = subscribing.open_feed(session, house.actor(doctor), FeedKind.PERSONAL, secret=secret)
    return subscribing.feed_address(feed, secret=secret, base_url="") or ""


def test_a_feed_is_fetched_by_whoever_knows_its_address(client_for: ClientFor, path: str) -> None:
    response = client_for(None).get(path)
    assert response.status_code == 200
    assert response.content_type == "text/calendar; charset=utf-8"
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "Set-Cookie" not in response.headers
    assert parse_date(response.headers["Last-Modified"]) is not None
    (event,) = icalendar.Calendar.from_ical(response.data).events
    assert event["URL"] == "http://127.0.0.1:8000/p/nieul/week/2026-W48"
    assert isinstance(event["DTSTART"].dt, dt.datetime)


def test_the_choice_of_all_day_events(client_for: ClientFor, path: str) -> None:
    response = client_for(None).get(path + "?style=day")
    (event,) = icalendar.Calendar.from_ical(response.data).events
    assert event["DTSTART"].dt == TUESDAY
    assert response.headers["ETag"] != client_for(None).get(path).headers["ETag"]


def test_head_answers_as_get_without_a_body(client_for: ClientFor, path: str) -> None:
    client = client_for(None)
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.data) == (200, b"")
    for name in ("ETag", "Last-Modified", "Content-Type", "Content-Length"):
        assert head.headers[name] == got.headers[name]


def test_an_unchanged_feed_is_not_sent_again(
    client_for: ClientFor, path: str, clock: FixedClock
) -> None:
    client = client_for(None)
    first = client.get(path)
    clock.advance(dt.timedelta(days=2))
    for headers in (
        {"If-None-Match": first.headers["ETag"]},
        {"If-None-Match": first.headers["ETag"].removeprefix("W/")},
        {"If-None-Match": f'"other", {first.headers["ETag"]}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ):
        response = client.get(path, headers=headers)
        assert (response.status_code, response.data) == (304, b"")
        assert response.headers["ETag"] == first.headers["ETag"]
        assert response.headers["Cache-Control"] == "private, no-cache"
        assert client.head(path, headers=headers).status_code == 304
    for headers in (
        {"If-None-Match": '"other"', "If-Modified-Since": first.headers["Last-Modified"]},
        {"If-Modified-Since": "Sun, 22 Nov 2026 00:00:00 GMT"},
        {"If-Modified-Since": "nonsense"},
    ):
        response = client.get(path, headers=headers)
        assert (response.status_code, response.data) == (200, first.data)


def test_a_changed_feed_is_sent_again(
    client_for: ClientFor,
    path: str,
    house: House,
    practice: Practice,
    doctor: User,
    clock: FixedClock,
) -> None:
    client = client_for(None)
    first = client.get(path)
    clock.advance(dt.timedelta(minutes=5))
    house.assignment(house.need(practice, TUESDAY + dt.timedelta(days=1)), doctor)
    for headers in (
        {"If-None-Match": first.headers["ETag"]},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ):
        response = client.get(path, headers=headers)
        assert response.status_code == 200
        assert response.data.count(b"BEGIN:VEVENT") == 2
    assert parse_date(response.headers["Last-Modified"]) == clock.now()


def test_a_release_is_sent_too(
    client_for: ClientFor, path: str, database: Database, clock: FixedClock
) -> None:
    client = client_for(None)
    first = client.get(path)
    clock.advance(dt.timedelta(minutes=5))
    with database.transaction() as session:
        session.execute(
            sa.text(
                "UPDATE assignment SET state = 'released', released_at = updated_at,"
                " version = version + 1"
            )
        )
    response = client.get(path, headers={"If-Modified-Since": first.headers["Last-Modified"]})
    assert response.status_code == 200
    (event,) = icalendar.Calendar.from_ical(response.data).events
    assert event["STATUS"] == "CANCELLED"


def test_an_unchanged_feed_is_answered_without_reading_its_days(
    client_for: ClientFor, path: str, database: Database
) -> None:
    client = client_for(None)
    with count_queries(database) as built:
        first = client.get(path)
    with count_queries(database) as whole:
        assert client.get(path).data == first.data
    with count_queries(database) as unchanged:
        headers = {"If-None-Match": first.headers["ETag"]}
        assert client.get(path, headers=headers).status_code == 304
    assert len(unchanged) < len(whole) < len(built)
    # Neither the days nor what was told of them is read, and nothing is written, whether or not
    # the client asks for what changed only.
    for statement in whole + unchanged:
        assert "feed_event" not in statement
        assert "assignment.uid" not in statement
        assert statement.startswith(("SELECT", "BEGIN"))


def test_whoever_takes_gzip_gets_the_same_calendar_compressed(
    client_for: ClientFor, path: str
) -> None:
    client = client_for(None)
    plain = client.get(path)
    squeezed = client.get(path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert "Content-Encoding" not in plain.headers
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(squeezed.data) == plain.data
    assert int(squeezed.headers["Content-Length"]) == len(squeezed.data) < len(plain.data)
    for response in (plain, squeezed):
        assert "Accept-Encoding" in response.headers["Vary"]
    # One weak tag for both bodies: whoever has either need not be sent the other.
    assert plain.headers["ETag"] == squeezed.headers["ETag"]
    assert plain.headers["ETag"].startswith('W/"')
    for encoding in ("gzip", "identity"):
        headers = {"Accept-Encoding": encoding, "If-None-Match": plain.headers["ETag"]}
        response = client.get(path, headers=headers)
        assert (response.status_code, response.data) == (304, b"")
        assert "Accept-Encoding" in response.headers["Vary"]
    refused = client.get(path, headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert refused.data == plain.data


def test_wrong_addresses_are_answered_alike(
    client_for: ClientFor, path: str, database: Database
) -> None:
    client = client_for(None)

    def answer(address: str) -> tuple[int, bytes, dict[str, str]]:
        response = client.get(address)
        return response.status_code, response.data, dict(response.headers)

    unknown = answer("/feeds/" + "x" * 43 + ".ics")
    assert unknown[0] == 404
    assert "Set-Cookie" not in unknown[2]
    assert answer("/feeds/x.ics") == unknown
    assert answer(path.replace(".ics", "x.ics")) == unknown
    with database.transaction() as session:
        session.execute(sa.update(User).values(disabled_at=database.clock.now()))
    assert answer(path) == unknown
    with database.transaction() as session:
        session.execute(sa.update(User).values(disabled_at=None))
        session.execute(sa.update(Feed).values(revoked_at=database.clock.now()))
    assert answer(path) == unknown


def test_a_feed_is_only_read(client_for: ClientFor, path: str) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert client_for(None).open(path, method=method).status_code == 405
