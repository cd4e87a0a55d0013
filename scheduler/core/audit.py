"""The audit chain: what was changed, by whom and when, so that tampering shows.

Each event carries the SHA-256 of its own canonical content together with the hash of the event
before it; `audit_head` keeps the number and hash of the last one, so that rows removed from the
end are missed too.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from scheduler.core.clock import as_utc
from scheduler.core.database import Base, UnitOfWork
from scheduler.core.permissions import Actor

GENESIS: Final = "0" * 64
_PENDING: Final = "audit_pending"
_MARKS: Final = "audit_savepoints"


class AuditEvent(Base):
    """One link of the chain. Written once, never changed."""

    __tablename__ = "audit_event"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime]
    # Plain numbers, not foreign keys: the chain outlives the rows it speaks of.
    practice_id: Mapped[int | None] = mapped_column(index=True)
    actor_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(sa.String(64))
    subject: Mapped[str] = mapped_column(sa.String(64))
    subject_id: Mapped[int | None]
    details: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64))

    __table_args__ = (sa.Index("ix_audit_event_subject_subject_id", "subject", "subject_id"),)


class AuditHead(Base):
    """The one row that says where the chain ends."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sequence: Mapped[int]
    hash: Mapped[str] = mapped_column(sa.String(64))

    __table_args__ = (sa.CheckConstraint("id = 1", name="single_row"),)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event that waits for its transaction's end to find its place in the chain."""

    at: dt.datetime
    practice_id: int | None
    actor_id: int | None
    action: str
    subject: str
    subject_id: int | None
    details: dict[str, Any]

    def digest(self, sequence: int, previous: str) -> str:
        """SHA-256, in hexadecimal, of the event's canonical JSON and its predecessor's hash."""
        content = [
            sequence,
            as_utc(self.at).isoformat(timespec="microseconds"),
            self.practice_id,
            self.actor_id,
            self.action,
            self.subject,
            self.subject_id,
            self.details,
            previous,
        ]
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def record(
    session: UnitOfWork,
    actor: Actor,
    action: str,
    subject: str,
    subject_id: int | None,
    *,
    practice_id: int | None,
    **details: Any,
) -> None:
    """Note that `actor` did `action` to a row; written with the transaction, or not at all.

    `details` must be plain JSON values and hold no patient data.
    """
    # An event belongs to a transaction from the start, so that a rollback takes it along.
    session.connection()
    plain = json.loads(json.dumps(details, default=_plain))
    session.info.setdefault(_PENDING, []).append(
        Entry(session.now(), practice_id, actor.user_id, action, subject, subject_id, plain)
    )


def _plain(value: object) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"not a plain value: {value!r}")


@event.listens_for(UnitOfWork, "before_commit")
def _append(session: Session) -> None:
    """Chain the pending events as the transaction's last act.

    The head is locked last, after every other row, so that it is held for a moment only and
    two transactions cannot wait for each other around it.
    """
    pending: list[Entry] = session.info.get(_PENDING, [])
    if not pending or session.in_nested_transaction():
        return
    session.flush()
    connection = session.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(
        insert(AuditHead).values(id=1, sequence=0, hash=GENESIS).on_conflict_do_nothing()
    )
    head = connection.execute(
        sa.select(AuditHead.sequence, AuditHead.hash).where(AuditHead.id == 1).with_for_update()
    ).one()
    sequence, previous = head.sequence, head.hash
    rows: list[dict[str, Any]] = []
    for entry in pending:
        sequence += 1
        digest = entry.digest(sequence, previous)
        rows.append(
            {
                "sequence": sequence,
                "at": entry.at,
                "practice_id": entry.practice_id,
                "actor_id": entry.actor_id,
                "action": entry.action,
                "subject": entry.subject,
                "subject_id": entry.subject_id,
                "details": entry.details,
                "previous_hash": previous,
                "hash": digest,
            }
        )
        previous = digest
    connection.execute(sa.insert(AuditEvent), rows)
    connection.execute(sa.update(AuditHead).values(sequence=sequence, hash=previous))
    pending.clear()


@event.listens_for(UnitOfWork, "after_transaction_create")
def _mark(session: Session, transaction: SessionTransaction) -> None:
    """Remember how many events stood when a savepoint was set."""
    if transaction.nested:
        marks = session.info.setdefault(_MARKS, WeakKeyDictionary())
        marks[transaction] = len(session.info.get(_PENDING, []))


@event.listens_for(UnitOfWork, "after_soft_rollback")
def _forget(session: Session, ended: SessionTransaction) -> None:
    """Drop the events of what was rolled back: all of them, or those since the savepoint."""
    mark = session.info.get(_MARKS, {}).get(ended, 0)
    del session.info.get(_PENDING, [])[mark:]


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What `verify` found: how many events, the last hash, and what is wrong, if anything."""

    events: int
    head: str
    fault: str | None = None


def _events(session: Session, batch: int = 500) -> Iterator[AuditEvent]:
    first_batch = sa.select(AuditEvent).order_by(AuditEvent.sequence).limit(batch)
    statement = first_batch
    while rows := session.scalars(statement).all():
        yield from rows
        statement = first_batch.where(AuditEvent.sequence > rows[-1].sequence)
        session.expunge_all()


def verify(session: Session) -> ChainReport:
    """Walk the whole chain and recompute it; the first fault found is reported."""
    previous, expected = GENESIS, 1
    for row in _events(session):
        if row.sequence != expected:
            return ChainReport(expected - 1, previous, f"event {expected} is missing")
        if row.previous_hash != previous:
            return ChainReport(
                expected - 1, previous, f"event {expected} does not follow the one before it"
            )
        entry = Entry(
            row.at,
            row.practice_id,
            row.actor_id,
            row.action,
            row.subject,
            row.subject_id,
            row.details,
        )
        if entry.digest(row.sequence, previous) != row.hash:
            return ChainReport(expected - 1, previous, f"event {expected} was changed")
        previous, expected = row.hash, expected + 1
    head = session.get(AuditHead, 1)
    recorded = (head.sequence, head.hash) if head else (0, GENESIS)
    if recorded != (expected - 1, previous):
        fault = f"the chain ends at event {expected - 1}, the head says {recorded[0]}"
        return ChainReport(expected - 1, previous, fault)
    return ChainReport(expected - 1, previous)
