"""The database: declarative base, column types, engines for SQLite and PostgreSQL, sessions."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from scheduler.core.clock import Clock, SystemClock, as_utc

SQLITE_BUSY_MILLISECONDS: Final = 30_000
# How long somebody waits for a connection: late is better than not at all.
QUEUE_SECONDS: Final = 120


class Instant(TypeDecorator[dt.datetime]):
    """A point in time: aware in Python, UTC in the database.

    A naive datetime raises `ValueError` before it reaches the database.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: dt.datetime | None, dialect: sa.Dialect
    ) -> dt.datetime | None:
        if value is None:
            return None
        utc = as_utc(value)
        # SQLite keeps no offset: every value in it is UTC by this very rule.
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(
        self,
        value: dt.datetime | None,
        dialect: sa.Dialect,  # noqa: ARG002 - the signature is SQLAlchemy's
    ) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def _values(enumeration: type[enum.Enum]) -> list[str]:
    return [str(member.value) for member in enumeration]


class Base(DeclarativeBase):
    """Base of every table. Constraints have predictable names; enums are stored by value."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        dt.datetime: Instant,
        dict[str, Any]: sa.JSON,
        list[str]: sa.JSON,
        list[dict[str, Any]]: sa.JSON,
        enum.Enum: sa.Enum(
            enum.Enum,
            native_enum=False,
            create_constraint=True,
            validate_strings=True,
            length=32,
            values_callable=_values,
        ),
    }


class UnitOfWork(Session):
    """A session that knows the clock. Services flush; only the edge commits."""

    def __init__(self, bind: Engine, clock: Clock) -> None:
        super().__init__(bind, expire_on_commit=False)
        self.clock = clock

    def now(self) -> dt.datetime:
        return self.clock.now()


class Database:
    """One database and the clock that its sessions live by."""

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self.url = make_url(url)
        self.clock: Clock = clock or SystemClock()
        self.engine = _engine(self.url)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    def session(self) -> UnitOfWork:
        return UnitOfWork(self.engine, self.clock)

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        """A unit of work that commits when the block ends and rolls back when it raises."""
        with self.session() as session:
            yield session
            session.commit()

    def dispose(self) -> None:
        self.engine.dispose()


def _engine(url: sa.URL) -> Engine:
    # What people typed stands in parameters: an error must not carry it into a log.
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(
            url,
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=30,
            pool_timeout=QUEUE_SECONDS,
            hide_parameters=True,
        )
    if url.database and url.database != ":memory:":
        Path(url.database).resolve().parent.mkdir(parents=True, exist_ok=True)
    # Every transaction writes, or might, and SQLite lets one write: threads of a process queue for
    # its one connection in the order they came, instead of asking again and again for the lock.
    queue = {"pool_size": 1, "max_overflow": 0, "pool_timeout": QUEUE_SECONDS}
    in_memory = not url.database or url.database == ":memory:"
    engine = sa.create_engine(
        url,
        connect_args={"timeout": SQLITE_BUSY_MILLISECONDS / 1000, "check_same_thread": False},
        hide_parameters=True,
        **({} if in_memory else queue),
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        # The driver must not begin transactions of its own: `begin` below does.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MILLISECONDS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # Taking the write lock at the start leaves no transaction that reads, decides and then
        # finds that it may not write.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def unique_where(name: str, *columns: str, condition: str) -> sa.Index:
    """A unique index over the rows that fulfil a condition (SQL), the same on both servers."""
    where = sa.text(condition)
    return sa.Index(name, *columns, unique=True, sqlite_where=where, postgresql_where=where)


def lock_rows(session: Session, *entities: Any) -> None:
    """Hold the rows of `entities` until the transaction ends, so that what is read stays true.

    PostgreSQL locks each row against other writers (foreign keys may still point at it); SQLite
    already holds the whole database. Callers lock practices before users, each in order of id,
    so that two transactions never wait for each other.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    for entity in entities:
        # The columns only: PostgreSQL locks nothing that an outer join brings along.
        columns = [column.key for column in sa.inspect(entity).mapper.column_attrs]
        session.refresh(entity, columns, with_for_update={"key_share": True})
