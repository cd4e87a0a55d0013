"""Bringing a database to the schema that this version of Relais expects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import alembic.command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from scheduler.core.database import Database

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def configuration(connection: Connection) -> Config:
    """Alembic's configuration, bound to a connection whose transaction the caller owns."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate up to a revision. Several processes may call it at once: one does the work."""
    with _migrating(database) as connection:
        if not database.is_sqlite:
            # Any number will do, as long as every Relais asks for the same lock.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7353254)")
        alembic.command.upgrade(configuration(connection), revision)


def downgrade(database: Database, revision: str) -> None:
    """Migrate down to a revision (``base`` for an empty database)."""
    with _migrating(database) as connection:
        alembic.command.downgrade(configuration(connection), revision)


@contextmanager
def _migrating(database: Database) -> Iterator[Connection]:
    """A transaction in which a table may be made anew while others refer to it.

    SQLite alters little of a table: a new one takes its place, and dropping the old one must not
    drag along what refers to it. So its foreign keys rest meanwhile, and are checked at the end
    (https://www.sqlite.org/lang_altertable.html, 7). Raises `IntegrityError` for what is broken.
    """
    if not database.is_sqlite:
        with database.engine.begin() as connection:
            yield connection
        return
    with database.engine.connect() as connection:
        # Inside a transaction the switch does nothing: it is thrown before SQLAlchemy begins one.
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - a connection just made has one
        driver.execute("PRAGMA foreign_keys = OFF")
        try:
            with connection.begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise IntegrityError("foreign_key_check", None, Exception(str(broken[0])))
        finally:
            driver.execute("PRAGMA foreign_keys = ON")


def revisions(database: Database) -> tuple[str | None, str | None]:
    """The database's revision and the newest one."""
    with database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        head = ScriptDirectory.from_config(configuration(connection)).get_current_head()
    return current, head
