"""Fixtures that every test may use: a clock that stands still, and both databases.

A test of tables or services takes `database` and so runs on SQLite and on PostgreSQL. Where no
PostgreSQL server answers, its half is skipped with a loud line, and fails when ``CI=true``.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache

from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.settings import Settings
from scheduler.people.models import User
from scheduler.schema import metadata
from tests.factories import House
from web import create_app
from web.extensions import limiter

# Monday 23 November 2026, ten in the morning in Paris.
NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
SECRET_KEY = "a key for tests, long enough to be accepted"
POSTGRESQL_URL = os.environ.get(
    "RELAIS_TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
)
IN_CI = os.environ.get("CI") == "true"


def missing(what: str) -> None:
    """Skip loudly on a laptop, fail in CI: an optional part is not there."""
    if IN_CI:
        pytest.fail(f"{what} is required when CI=true")
    pytest.skip(f"SKIPPED FOR WANT OF {what.upper()}")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "empty.db"
    database = Database(f"sqlite:///{path}")
    metadata.create_all(database.engine)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[sa.Engine]:
    engine = sa.create_engine(POSTGRESQL_URL, isolation_level="AUTOCOMMIT")
    try:
        engine.connect().close()
    except sa.exc.OperationalError:
        missing("a PostgreSQL server")
    yield engine
    engine.dispose()


def create_postgresql(server: sa.Engine) -> str:
    """Create an empty database and return its address."""
    name = f"relais_test_{uuid.uuid4().hex[:12]}"
    with server.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    return server.url.set(database=name).render_as_string(hide_password=False)


def drop_postgresql(server: sa.Engine, url: str) -> None:
    with server.connect() as connection:
        name = sa.make_url(url).database
        connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgresql_url(postgresql_server: sa.Engine) -> Iterator[str]:
    """One database with the schema for the whole run; tests empty its tables."""
    url = create_postgresql(postgresql_server)
    database = Database(url)
    metadata.create_all(database.engine)
    database.dispose()
    yield url
    drop_postgresql(postgresql_server, url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock
) -> Iterator[Database]:
    """An empty database with the schema, on either server."""
    if request.param == "sqlite":
        path = tmp_path / "relais.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        found = Database(f"sqlite:///{path}", clock)
        yield found
    else:
        found = Database(request.getfixturevalue("postgresql_url"), clock)
        yield found
        tables = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
        with found.engine.begin() as connection:
            connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    found.dispose()


@pytest.fixture
def house(database: Database) -> House:
    """A maker of people, places and days; see `tests.factories`."""
    return House(database)


@pytest.fixture
def settings(database: Database) -> Settings:
    url = database.url.render_as_string(hide_password=False)
    return Settings(database_url=url, secret_key=SECRET_KEY)


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Each test has an application of its own; compiling its templates anew would take seconds."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(
    settings: Settings, database: Database, compiled_templates: FileSystemBytecodeCache
) -> Flask:
    """The application without CSRF and rate limits; their own tests switch them on."""
    app = create_app(settings, database)
    app.jinja_env.bytecode_cache = compiled_templates
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    # The limiter reads its settings once, when it meets the application.
    limiter.enabled = False
    return app


@pytest.fixture
def client_for(app: Flask) -> Callable[[User | None], FlaskClient]:
    """A test client signed in as a user (None: not signed in)."""

    def make(user: User | None) -> FlaskClient:
        client = app.test_client()
        if user is not None:
            with client.session_transaction() as cookie:
                cookie["_user_id"] = f"{user.id}.{user.credentials_epoch}"
                cookie["_fresh"] = True
                cookie["number"] = uuid.uuid4().hex
        return client

    return make
