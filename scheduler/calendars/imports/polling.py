"""The worker's part of subscriptions: looking at each address when its time has come.

One address at a time, and no transaction is open while it is fetched and read. When an address
fails, what was read last stays; after `rules.PATIENCE` its doctor is told, once.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Protocol

import sqlalchemy as sa
import structlog

from scheduler.calendars.fetching import Fetched
from scheduler.calendars.imports import rules
from scheduler.calendars.imports.sources import Terms, terms_of
from scheduler.calendars.models import CalendarSource, SourceUse
from scheduler.calendars.reading import Reading
from scheduler.core import outbox
from scheduler.core.database import Database, UnitOfWork
from scheduler.core.errors import InvalidInput
from scheduler.roster.imported import replace_halves

log = structlog.get_logger(__name__)

FAILING: Final = "calendar.failing"
# For how long a look is one worker's alone; after that it was lost with its worker.
LEASE: Final = dt.timedelta(minutes=5)


class Fetches(Protocol):
    """What fetches an address, as `fetching.Fetcher` does."""

    def fetch(
        self, address: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> Fetched: ...


@dataclass(frozen=True, slots=True)
class Look:
    """A subscription whose time has come, detached from the database."""

    source_id: int
    address: str
    use: SourceUse
    etag: str | None
    last_modified: str | None
    terms: Terms


def poll_one(database: Database, fetcher: Fetches) -> bool:
    """Look at the subscription that has waited longest; False where none is due."""
    with database.transaction() as session:
        look = _take(session)
    if look is None:
        return False
    fetched, reading, failure = None, None, None
    try:
        fetched = fetcher.fetch(look.address, etag=look.etag, last_modified=look.last_modified)
        if fetched.content is not None:
            reading = look.terms.read(fetched.content)
    except InvalidInput as error:
        failure = error.code
    with database.transaction() as session:
        source = session.get(CalendarSource, look.source_id, with_for_update=True)
        # Its doctor may have let go of it, or turned to another address, meanwhile.
        if source is None or source.address != look.address:
            return True
        if failure is not None:
            _failed(session, source, failure)
        elif fetched is not None:
            _answered(session, source, fetched, reading)
    return True


def _take(session: UnitOfWork) -> Look | None:
    now = session.now()
    source = session.scalars(
        sa.select(CalendarSource)
        .where(CalendarSource.next_at <= now)
        .order_by(CalendarSource.next_at, CalendarSource.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if source is None or source.address is None:
        return None
    source.next_at = now + LEASE
    session.flush()
    anew = now - source.read_at >= rules.READ_ANEW or source.failing_since is not None
    return Look(
        source.id,
        source.address,
        source.use,
        None if anew else source.etag,
        None if anew else source.last_modified,
        terms_of(session, source.doctor_id),
    )


def _answered(
    session: UnitOfWork, source: CalendarSource, fetched: Fetched, reading: Reading | None
) -> None:
    now = session.now()
    source.answered_at, source.next_at = now, now + rules.EVERY
    source.failing_since = source.failure = source.told_at = None
    if reading is not None:
        source.read_at = now
        source.etag, source.last_modified = fetched.etag, fetched.last_modified
        said = rules.half_days(rules.words_of(reading, source.use))
        changed = replace_halves(session, source.doctor_id, source.id, said)
        log.info("calendar.read", source=source.id, half_days=len(said), changed=changed)
    session.flush()


def _failed(session: UnitOfWork, source: CalendarSource, failure: str) -> None:
    now = session.now()
    source.failure = failure
    source.failing_since = source.failing_since or now
    failing_for = now - source.failing_since
    source.next_at = now + rules.retry_after(failing_for)
    log.warning("calendar.failed", source=source.id, failure=failure)
    if failing_for >= rules.PATIENCE and source.told_at is None:
        source.told_at = now
        outbox.post(
            session,
            cause=f"{FAILING}:{source.id}:{source.failing_since.isoformat()}",
            recipient_ids=[source.doctor_id],
            kind=FAILING,
            source_id=source.id,
        )
    session.flush()
