"""Helpers that several tests share."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from scheduler.core import audit
from scheduler.core.database import Database


@contextmanager
def count_queries(database: Database) -> Iterator[list[str]]:
    """Collects every statement sent to `database` inside the block; count it with `len`."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def audited(database: Database) -> list[str]:
    """What the audit chain tells was done, oldest first, once it is found unbroken."""
    with database.session() as session:
        assert audit.verify(session).fault is None
        actions = sa.select(audit.AuditEvent.action).order_by(audit.AuditEvent.sequence)
        return list(session.scalars(actions))


def at_once(*acts: Callable[[], object]) -> list[BaseException | None]:
    """Do all of `acts` at the same moment, each in a thread; returns what each raised, in order."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        start.wait()
        act()

    with ThreadPoolExecutor(len(acts)) as pool:
        futures = [pool.submit(run, act) for act in acts]
    return [future.exception() for future in futures]


def free_port() -> int:
    """A port of the loopback interface that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def eventually(look: Callable[[], Any], *, within: float = 60.0, what: str = "it") -> Any:
    """The first true value of `look`, asked until there is one; fails after `within` seconds."""
    pause, deadline = threading.Event(), time.monotonic() + within
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        pause.wait(0.05)
    raise AssertionError(f"{what} did not happen within {within} seconds")
