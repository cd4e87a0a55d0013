"""The audit chain: what is recorded, and that tampering shows."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from scheduler.core import audit
from scheduler.core.audit import AuditEvent, AuditHead
from scheduler.core.database import Database
from scheduler.core.permissions import SYSTEM


def write(database: Database, count: int = 1) -> None:
    with database.transaction() as session:
        for number in range(count):
            audit.record(session, SYSTEM, "tried", "thing", number, practice_id=1, number=number)


def report(database: Database) -> audit.ChainReport:
    with database.session() as session:
        return audit.verify(session)


def test_an_empty_chain_holds(database: Database) -> None:
    assert report(database) == audit.ChainReport(0, audit.GENESIS)


def test_events_are_chained_across_transactions(database: Database) -> None:
    write(database, 2)
    write(database, 3)
    found = report(database)
    assert (found.events, found.fault) == (5, None)
    assert found.head != audit.GENESIS


def test_nothing_is_written_when_the_transaction_fails(database: Database) -> None:
    with pytest.raises(RuntimeError, match="no"), database.transaction() as session:
        audit.record(session, SYSTEM, "tried", "thing", 1, practice_id=None)
        raise RuntimeError("no")
    with database.session() as session:
        audit.record(session, SYSTEM, "tried", "thing", 2, practice_id=None)
        session.rollback()
        session.commit()
    assert report(database).events == 0


def test_a_savepoint_takes_only_its_own_events_along(database: Database) -> None:
    with database.transaction() as session:
        audit.record(session, SYSTEM, "before", "thing", 1, practice_id=None)
        with pytest.raises(RuntimeError, match="no"), session.begin_nested():
            audit.record(session, SYSTEM, "inside", "thing", 2, practice_id=None)
            raise RuntimeError("no")
        with session.begin_nested():
            audit.record(session, SYSTEM, "kept", "thing", 3, practice_id=None)
        audit.record(session, SYSTEM, "after", "thing", 4, practice_id=None)
    with database.session() as session:
        actions = session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.sequence)).all()
    assert actions == ["before", "kept", "after"]
    assert report(database).fault is None


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (sa.update(AuditEvent).where(AuditEvent.sequence == 2).values(action="x"), "2 was changed"),
        (sa.delete(AuditEvent).where(AuditEvent.sequence == 2), "event 2 is missing"),
        (sa.delete(AuditEvent).where(AuditEvent.sequence == 4), "chain ends at event 3"),
        (sa.delete(AuditEvent), "chain ends at event 0"),
        (sa.update(AuditHead).values(hash="f" * 64), "head says"),
        (
            sa.update(AuditEvent).where(AuditEvent.sequence == 3).values(previous_hash="0" * 64),
            "3 does not follow",
        ),
    ],
)
def test_tampering_is_found(database: Database, tamper: sa.Update | sa.Delete, fault: str) -> None:
    write(database, 4)
    with database.engine.begin() as connection:
        connection.execute(tamper)
    assert fault in (report(database).fault or "")


def test_an_inserted_event_is_found(database: Database) -> None:
    write(database, 2)
    with database.transaction() as session:
        last = session.get_one(AuditEvent, 2)
        values = {column.name: getattr(last, column.name) for column in sa.inspect(AuditEvent).c}
        session.execute(sa.insert(AuditEvent).values(values | {"sequence": 3}))
    assert "event 3" in (report(database).fault or "")


def test_many_writers_make_one_chain(database: Database) -> None:
    start = threading.Barrier(12)

    def run() -> None:
        start.wait()
        write(database, 2)

    threads = [threading.Thread(target=run) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = report(database)
    assert (found.events, found.fault) == (24, None)
