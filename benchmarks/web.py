"""How long the pages of the week take beside an empty page.

    python -m benchmarks.web [--rounds 200]

The demonstration cabinet is loaded into a database of its own. Each page is asked for in turn with
an empty page for the same reader (the frame, the menu and nothing in it), so that what slows the
machine slows both. The columns: the median milliseconds, how many times the empty page's these
are, and how many statements were sent to the database.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from flask import Flask, render_template_string
from flask.testing import FlaskClient

from scheduler import demonstration
from scheduler.core.clock import local_date
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.people.models import Member, Practice, User
from scheduler.schema import metadata
from web import create_app
from web.extensions import limiter
from web.identity import HOUSE_TIMEZONE
from web.localisation import iso_week

WIDTHS: Final = (22, 12, 10, 10, 10)
HEAD: Final = ("page", "reader", "ms", "× empty", "queries")
EMPTY: Final = "/empty"
PUBLIC: Final = "/qui/benchmark"
EMPTY_PAGE: Final = '{% extends "layouts/base.html" %}'
KEY: Final = "a key for benchmarks, long enough to be accepted"


@dataclass(frozen=True)
class House:
    """The application on the demonstration, and where its practice is."""

    app: Flask
    database: Database
    slug: str

    @property
    def today(self) -> dt.date:
        return local_date(self.database.clock.now(), HOUSE_TIMEZONE)

    def client(self, role: Role) -> FlaskClient:
        """A browser in which somebody with this role is signed in."""
        with self.database.session() as session:
            user = session.scalars(
                sa.select(User)
                .join(Member, Member.user_id == User.id)
                .where(Member.role == role)
                .order_by(User.id)
            ).first()
        if user is None:
            raise LookupError(role)
        client = self.app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = f"{user.id}.{user.credentials_epoch}"
            cookie["_fresh"] = True
            cookie["number"] = f"benchmark of {role.value}"
        return client


@contextmanager
def furnished() -> Iterator[House]:
    """The demonstration in a database that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'relais.db'}"
        database = Database(url)
        metadata.create_all(database.engine)
        demonstration.load(database)
        with database.transaction() as session:
            practice = session.scalars(sa.select(Practice).order_by(Practice.id)).first()
            if practice is None:
                raise LookupError("the demonstration has no practice")
            practice.public_address, practice.public_page = PUBLIC.rpartition("/")[2], True
            slug = practice.slug
        app = create_app(Settings(database_url=url, secret_key=KEY), database)
        app.add_url_rule(EMPTY, "benchmark", lambda: render_template_string(EMPTY_PAGE))
        # One reader asks more often than the public page allows.
        limiter.enabled = False
        try:
            yield House(app, database, slug)
        finally:
            limiter.enabled = True
            database.dispose()


def pages(slug: str, today: dt.date) -> list[tuple[str, Role, str]]:
    """What is measured: its name, who reads it, its address."""
    return [
        ("week", Role.SECRETARY, f"/p/{slug}/week/"),
        ("week", Role.REPLACEMENT, f"/p/{slug}/week/"),
        ("month", Role.SECRETARY, f"/p/{slug}/month/"),
        ("sheet for the door", Role.SECRETARY, f"/p/{slug}/week/{iso_week(today)}/door.pdf"),
        ("public page", Role.SECRETARY, PUBLIC),
    ]


def seconds(client: FlaskClient, path: str) -> float:
    """How long one answer takes."""
    start = time.perf_counter()
    response = client.get(path)
    taken = time.perf_counter() - start
    if response.status_code != 200:
        raise LookupError(f"{path} is answered {response.status_code}")
    return taken


def statements(database: Database, client: FlaskClient, path: str) -> int:
    """How many statements one answer sends to the database."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        client.get(path)
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)
    return len(sent)


def line(columns: Sequence[str]) -> str:
    """One row of the table."""
    pairs = zip(columns, WIDTHS, strict=True)
    return " ".join(text.ljust(width) for text, width in pairs).rstrip()


def measured(house: House, name: str, role: Role, path: str, rounds: int) -> str:
    """The row of one page."""
    client = house.client(role)
    queries = statements(house.database, client, path)
    statements(house.database, client, EMPTY)
    empty, full = [], []
    for _round in range(rounds):
        empty.append(seconds(client, EMPTY))
        full.append(seconds(client, path))
    taken = statistics.median(full)
    ratio = taken / statistics.median(empty)
    return line([name, role.value, f"{1000 * taken:.1f}", f"{ratio:.2f}", str(queries)])


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description="Time the pages of the week.")
    parser.add_argument("--rounds", type=int, default=200, help="how often each page is read")
    arguments = parser.parse_args()
    with furnished() as house:
        print(line(HEAD))
        for name, role, path in pages(house.slug, house.today):
            print(measured(house, name, role, path, arguments.rounds), flush=True)


if __name__ == "__main__":
    main()
