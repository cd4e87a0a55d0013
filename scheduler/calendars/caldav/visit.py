"""One request of a device: who it acts for, its transaction, and what it brought."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as QueueTimeout

from scheduler.calendars.caldav.words import WORDS, Words
from scheduler.calendars.devices import Caller
from scheduler.calendars.models import DavKind
from scheduler.calendars.reading import Reading
from scheduler.calendars.rules import HOUSE_TIMEZONE
from scheduler.core.clock import local_date
from scheduler.core.database import Database, UnitOfWork
from scheduler.core.errors import RelaisError
from scheduler.core.permissions import Actor
from scheduler.people.models import Locale


class Links(Protocol):
    """Whole addresses of pages of Relais, which the web knows."""

    def need(self, slug: str, need_id: int) -> str:
        """The page where a day is taken or given back."""

    def availabilities(self) -> str:
        """The page where a doctor says when they can come."""

    def devices(self) -> str:
        """The page that explains how to set up a device."""


@dataclass(slots=True)
class Visit:
    """What is known of the request under way; `session` is there while Radicale holds its lock.

    `readings` are what the event that is put says, one for each practice of the doctor, since
    opening hours differ.
    `body` is that event as it came.
    """

    links: Links
    client: str = ""
    caller: Caller | None = None
    session: UnitOfWork | None = None
    readings: Mapping[int, Reading] = field(default_factory=dict)
    body: str = ""
    # What the client is told although what it asked for was done in another way, and stands.
    answer: RelaisError | None = None
    # What the doctor is told, although what the client asked for was done.
    remark: RelaisError | None = None
    loaded: dict[DavKind, object] = field(default_factory=dict)
    # Whether the database had no time for it.
    busy: bool = False

    @property
    def unit(self) -> UnitOfWork:
        if self.session is None:
            raise LookupError("no transaction: outside of Radicale's lock")
        return self.session

    @property
    def who(self) -> Caller:
        """Who has signed in; Radicale's rights let nobody else on."""
        if self.caller is None:
            raise LookupError("nobody has signed in")
        return self.caller

    @property
    def actor(self) -> Actor:
        return self.who.actor

    @property
    def doctor_id(self) -> int:
        return self.who.user_id

    @property
    def locale(self) -> Locale:
        return Locale.FRENCH if self.caller is None else self.caller.identity.locale

    @property
    def words(self) -> Words:
        return WORDS[self.locale]

    @property
    def today(self) -> dt.date:
        return local_date(self.unit.now(), HOUSE_TIMEZONE)


class Visits:
    """The visits under way, one a thread."""

    def __init__(self, database: Database, links: Links) -> None:
        self.database = database
        self._links = links
        self._here = threading.local()

    def begin(self, client: str) -> Visit:
        """Forget the last request of this thread and begin another."""
        visit = Visit(self._links, client)
        self._here.visit = visit
        return visit

    @property
    def current(self) -> Visit:
        visit: Visit = self._here.visit
        return visit

    @contextmanager
    def transaction(self) -> Iterator[Visit]:
        """One transaction of this visit, with nothing remembered of the one before.

        It commits when the block ends, a reading one too: what clients were told is written down.
        A block inside another is a part of it.
        """
        visit = self.current
        if visit.session is not None:
            yield visit
            return
        try:
            with self.database.session() as session:
                visit.session, visit.loaded = session, {}
                yield visit
                session.commit()
        except (OperationalError, QueueTimeout):
            visit.busy = True
            raise
        finally:
            visit.session, visit.loaded = None, {}
