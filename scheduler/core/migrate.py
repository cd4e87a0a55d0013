"""Bringing a database to the schema that this version of Relais expects."""

from __future__ import annotations

from pathlib import Path

import alembic.command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

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
    with database.engine.begin() as connection:
        if not database.is_sqlite:
            # Any number will do, as long as every Relais asks for the same lock.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7353254)")
        alembic.command.upgrade(configuration(connection), revision)


def downgrade(database: Database, revision: str) -> None:
    """Migrate down to a revision (``base`` for an empty database)."""
    with database.engine.begin() as connection:
        alembic.command.downgrade(configuration(connection), revision)


def revisions(database: Database) -> tuple[str | None, str | None]:
    """The database's revision and the newest one."""
    with database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        head = ScriptDirectory.from_config(configuration(connection)).get_current_head()
    return current, head
