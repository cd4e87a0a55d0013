"""The life of a row that a worker computes, whatever kind of row it is.

A worker takes a queued row with a conditional update, which makes it the one whose `Ticket`
counts; everything it writes later is written only while that ticket is the current one, so that
a worker believed dead cannot disturb its successor.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult

from scheduler.core.database import UnitOfWork
from scheduler.roster.models import Computed
from scheduler.roster.rules import ProposalState

MOST_ATTEMPTS: Final = 3
LEASE: Final = dt.timedelta(seconds=30)
WORKING: Final = (ProposalState.QUEUED, ProposalState.RUNNING)

INTERRUPTED: Final = "interrupted"
UNEXPECTED: Final = "unexpected"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of work: its rows, and what is done with them where kinds differ.

    `problem` reads the roster problem of a row; `finish` stores what was computed for it and
    answers False for an old ticket; `failed` writes to the audit, and tells whom it concerns,
    that the row has failed.
    """

    name: str
    table: type[Computed]
    problem: Callable[[UnitOfWork, int], dict[str, Any]]
    finish: Callable[[UnitOfWork, Ticket, dict[str, Any], dict[str, Any]], bool]
    failed: Callable[[UnitOfWork, Any], None]


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right of one worker to compute one row; `run` is never given out twice."""

    row_id: int
    run: int
    attempt: int
    kind: Kind = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker learns when it reports: whether its ticket still counts, and to stop."""

    current: bool
    cancel: bool


def take(session: UnitOfWork, kind: Kind, row_id: int) -> Ticket | None:
    """Begin computing a queued row; None when it is no longer there to be taken."""
    now, table = session.now(), kind.table
    taken = session.execute(
        sa.update(table)
        .where(table.id == row_id, table.state == ProposalState.QUEUED)
        .values(
            state=ProposalState.RUNNING,
            attempt=table.attempt + 1,
            run=table.run + 1,
            started_at=now,
            heartbeat_at=now,
            progress={},
        )
        .returning(table.run, table.attempt)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return None if taken is None else Ticket(row_id, taken.run, taken.attempt, kind)


def report(session: UnitOfWork, ticket: Ticket, progress: dict[str, Any]) -> Orders:
    """Give a sign of life with the progress so far, and learn whether to go on."""
    table = ticket.kind.table
    cancel_requested = session.scalar(
        sa.update(table)
        .where(*_current(ticket))
        .values(heartbeat_at=session.now(), progress=progress)
        .returning(table.cancel_requested)
        .execution_options(synchronize_session=False)
    )
    return Orders(current=cancel_requested is not None, cancel=bool(cancel_requested))


def end(session: UnitOfWork, ticket: Ticket) -> Computed | None:
    """The row of a ticket that still counts, locked and marked as over.

    It is cancelled where that was asked for, else ready: what came of it is the caller's to
    store. None for an old ticket.
    """
    row = _taken(session, ticket)
    if row is not None:
        row.finished_at = session.now()
        row.state = ProposalState.CANCELLED if row.cancel_requested else ProposalState.READY
    return row


def give_back(session: UnitOfWork, ticket: Ticket) -> bool:
    """Queue a row again that its worker cannot finish because it is told to stop."""
    table = ticket.kind.table
    return _changed(
        session,
        sa.update(table)
        .where(*_current(ticket))
        .values(
            state=ProposalState.QUEUED,
            attempt=table.attempt - 1,
            started_at=None,
            heartbeat_at=None,
            progress={},
        ),
    )


def fail(session: UnitOfWork, ticket: Ticket, failure: str) -> bool:
    """Mark a row as failed, with the code of the reason. False for an old ticket."""
    row = _taken(session, ticket)
    if row is None:
        return False
    _set_failed(session, ticket.kind, row, failure)
    return True


def recover(session: UnitOfWork, kind: Kind, lease: dt.timedelta = LEASE) -> list[int]:
    """Take up what dead workers left, and return the ids of all rows that are queued.

    A running row without a sign of life for as long as `lease` is queued again; after
    `MOST_ATTEMPTS` attempts it is failed, and one that was to be stopped is cancelled.
    """
    table = kind.table
    silent = session.scalars(
        sa.select(table)
        .where(
            table.state == ProposalState.RUNNING,
            table.heartbeat_at <= session.now() - lease,
        )
        .order_by(table.id)
        .with_for_update(skip_locked=True)
    ).all()
    for row in silent:
        if row.cancel_requested:
            row.state = ProposalState.CANCELLED
            row.finished_at = session.now()
        elif row.attempt >= MOST_ATTEMPTS:
            _set_failed(session, kind, row, INTERRUPTED)
        else:
            row.state = ProposalState.QUEUED
            row.progress = {}
    session.flush()
    queued = sa.select(table.id).where(table.state == ProposalState.QUEUED)
    return list(session.scalars(queued.order_by(table.requested_at, table.id)))


def cancel(session: UnitOfWork, row: Computed) -> bool:
    """Ask that a row, locked by the caller, be computed no further; False where it is over."""
    if row.state not in WORKING or row.cancel_requested:
        return False
    row.cancel_requested = True
    if row.state is ProposalState.QUEUED:
        row.state = ProposalState.CANCELLED
        row.finished_at = session.now()
    session.flush()
    return True


def queue_again(session: UnitOfWork, row: Computed) -> None:
    """Queue a row, locked by the caller, as if it had just been asked for."""
    row.state = ProposalState.QUEUED
    row.requested_at = session.now()
    row.started_at = row.finished_at = row.heartbeat_at = None
    row.attempt = 0
    row.cancel_requested = False
    row.failure = None
    row.progress = {}
    session.flush()


def _current(ticket: Ticket) -> tuple[sa.ColumnElement[bool], ...]:
    table = ticket.kind.table
    return (
        table.id == ticket.row_id,
        table.state == ProposalState.RUNNING,
        table.run == ticket.run,
    )


def _taken(session: UnitOfWork, ticket: Ticket) -> Computed | None:
    """The row of a ticket that still counts, locked."""
    return session.scalars(
        sa.select(ticket.kind.table).where(*_current(ticket)).with_for_update()
    ).one_or_none()


def _changed(session: UnitOfWork, statement: sa.Update) -> bool:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", result).rowcount == 1


def _set_failed(session: UnitOfWork, kind: Kind, row: Computed, failure: str) -> None:
    row.state = ProposalState.FAILED
    row.failure = failure
    row.finished_at = session.now()
    session.flush()
    kind.failed(session, row)
