"""Feeds as curl fetches them from a running Relais: conditional requests, HEAD and gzip."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import Message
from email.parser import Parser
from pathlib import Path
from threading import Thread

import icalendar
import pytest
import sqlalchemy as sa
from werkzeug.serving import make_server

from scheduler.calendars.feeds import subscribing
from scheduler.calendars.models import FeedKind
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.people.models import Room
from tests.conftest import NOW, SECRET_KEY, missing
from tests.factories import House
from web import create_app

TUESDAY = dt.date(2026, 11, 24)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Running:
    """A doctor's feed at a server of this test's own."""

    address: str
    folder: Path
    house: House
    clock: FixedClock

    def curl(self, *options: str) -> Answer:
        """What curl is answered; it says itself where it gives up."""
        head, body = self.folder / "head", self.folder / "body"
        body.unlink(missing_ok=True)
        command = ["curl", "--silent", "--show-error", "--max-time", "30"]
        command += ["--dump-header", str(head), "--output", str(body), *options, self.address]
        subprocess.run(command, check=True)
        status, _, headers = head.read_text("latin-1").partition("\n")
        content = body.read_bytes() if body.exists() else b""
        return Answer(int(status.split()[1]), Parser().parsestr(headers), content)


@pytest.fixture
def running(sqlite_template: Path, tmp_path: Path) -> Iterator[Running]:
    if shutil.which("curl") is None:
        missing("curl")
    shutil.copy(sqlite_template, tmp_path / "relais.db")
    clock = FixedClock(NOW)
    database = Database(f"sqlite:///{tmp_path}/relais.db", clock)
    house = House(database)
    practice = house.practice("Salle 1", "Salle 2", slug="nieul")
    doctor = house.member(practice, Role.REPLACEMENT)
    house.assignment(house.need(practice, TUESDAY), doctor)
    house.need(practice, TUESDAY, room=1)
    with database.transaction() as session:
        feed = subscribing.open_feed(
            session, house.actor(doctor), FeedKind.ROSTER, practice.id, secret=SECRET_KEY
        )
    server = make_server(
        "127.0.0.1", 0, create_app(Settings(secret_key=SECRET_KEY), database), threaded=True
    )
    thread = Thread(target=server.serve_forever)
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}"
    address = subscribing.feed_address(feed, secret=SECRET_KEY, base_url=base) or ""
    yield Running(address, tmp_path, house, clock)
    server.shutdown()
    thread.join()
    server.server_close()
    database.dispose()


def test_curl_saves_an_unchanged_feed_once(running: Running) -> None:
    """The two ways in which curl itself remembers: by tag and by date."""
    tag, kept = running.folder / "tag", running.folder / "kept.ics"
    first = running.curl("--etag-save", str(tag))
    assert first.status == 200
    assert first.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert len(icalendar.Calendar.from_ical(first.body).events) == 2
    again = running.curl("--etag-compare", str(tag))
    assert (again.status, again.body) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]

    # The file that curl writes gets the date of the feed.
    running.curl("--remote-time")
    (running.folder / "body").replace(kept)
    by_date = running.curl("--time-cond", str(kept))
    assert (by_date.status, by_date.body) == (304, b"")

    running.clock.advance(dt.timedelta(hours=1))
    practice = running.house.practice(slug="elsewhere")
    running.house.need(practice, TUESDAY)
    assert running.curl("--etag-compare", str(tag)).status == 304


def test_curl_is_sent_what_changed(running: Running) -> None:
    tag = running.folder / "tag"
    first = running.curl("--etag-save", str(tag))
    running.clock.advance(dt.timedelta(minutes=1))
    with running.house.database.transaction() as session:
        session.execute(sa.update(Room).where(Room.position == 0).values(name="Salle bleue"))
    for condition in (
        ("--etag-compare", str(tag)),
        ("--time-cond", first.headers["Last-Modified"]),
    ):
        changed = running.curl(*condition)
        assert changed.status == 200
        assert "Salle bleue" in changed.body.decode()
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_curl_asks_for_the_head_alone(running: Running) -> None:
    whole, head = running.curl(), running.curl("--head")
    assert head.status == 200
    for name in ("ETag", "Last-Modified", "Content-Type", "Content-Length", "Vary"):
        assert head.headers[name] == whole.headers[name]
    assert int(head.headers["Content-Length"]) == len(whole.body)


def test_curl_unpacks_a_compressed_feed(running: Running) -> None:
    plain, squeezed = running.curl(), running.curl("--compressed")
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert squeezed.body == plain.body
    assert int(squeezed.headers["Content-Length"]) < len(plain.body)
    assert squeezed.headers["ETag"] == plain.headers["ETag"]


def test_curl_finds_nothing_at_another_address(running: Running) -> None:
    other = replace(running, address=running.address.replace("feeds/", "feeds/x"))
    answer = other.curl()
    assert (answer.status, answer.headers["Set-Cookie"]) == (404, None)
