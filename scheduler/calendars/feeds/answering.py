"""A feed asked for: whether it changed, found without writing it, and the calendar itself."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
from dataclasses import dataclass
from typing import Final

from scheduler.calendars import document, queries, rules
from scheduler.calendars.feeds import reading, remembering
from scheduler.calendars.feeds.reading import View
from scheduler.calendars.feeds.subscribing import may_have
from scheduler.calendars.feeds.telling import Links, title_of, told
from scheduler.calendars.models import Feed
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import NotFound
from scheduler.people.queries import identity

# Rises when the same facts are written differently, so that no client keeps the old writing.
WRITING: Final = 2
# What a client may tell the age of what it has by.
SMALLEST_AGE: Final = dt.timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Fetch:
    """A feed asked for, and what tells its client whether it changed; not yet written."""

    feed: Feed
    window: rules.Window
    all_day: bool
    etag: str
    changed_at: dt.datetime


def fetch(session: UnitOfWork, token: str, *, all_day: bool, client: str, links: Links) -> Fetch:
    """The feed at an address, noted as fetched by `client`, with the marks of its content.

    `all_day` asks for days without hours, whatever the feed is set to. Raises the same
    `NotFound` for an address that never was, a revoked one, and one whose user is disabled or
    may no longer see what it shows.
    """
    feed = queries.feed_by_hash(session, rules.hash_of(token))
    if feed is None:
        raise NotFound("feed_not_found")
    view = _view(session, feed)
    fingerprint = _fingerprint(session, view, links)
    if not _is_current(view, fingerprint):
        _go_through(session, view, links, fingerprint)
    _note_fetch(session, feed, rules.client_name(client))
    all_day = all_day or feed.all_day
    changed_at = feed.changed_at or view.now
    made_of = f"{feed.fingerprint}.{changed_at.isoformat()}.{all_day}"
    etag = hashlib.sha256(made_of.encode()).hexdigest()[:32]
    return Fetch(feed, view.window, all_day, etag, changed_at)


def packed(session: UnitOfWork, fetched: Fetch) -> bytes:
    """The calendar that was asked for, compressed (gzip); written once as long as it is the same.

    Many programmes ask for the whole again and again, and never whether it changed.
    """
    feed = fetched.feed
    if feed.written_etag == fetched.etag and feed.written is not None:
        return feed.written
    # Without a date in it, the same calendar gives the same bytes.
    found = gzip.compress(_written(session, fetched), mtime=0)
    if fetched.all_day == feed.all_day:
        feed.written, feed.written_etag = found, fetched.etag
        session.flush()
    return found


def content(session: UnitOfWork, fetched: Fetch) -> bytes:
    """The calendar that was asked for."""
    return gzip.decompress(packed(session, fetched))


def _written(session: UnitOfWork, fetched: Fetch) -> bytes:
    feed, window = fetched.feed, fetched.window
    return document.write(
        title_of(feed),
        feed.user.locale.value,
        feed.practice.timezone if feed.practice else rules.HOUSE_TIMEZONE,
        (window.start.year, window.end.year),
        remembering.entries(session, feed, session.now()),
        all_day=fetched.all_day,
    )


def _view(session: UnitOfWork, feed: Feed) -> View:
    timezone = feed.practice.timezone if feed.practice else rules.HOUSE_TIMEZONE
    today = local_date(session.now(), timezone)
    owner = identity(session, feed.user_id, today)
    if owner is None or not may_have(owner.actor, feed.kind, feed.practice_id):
        raise NotFound("feed_not_found")
    return View(feed, owner.actor, rules.window_around(today), today, session.now())


def _fingerprint(session: UnitOfWork, view: View, links: Links) -> str:
    """A hash that changes whenever the calendar would, found without writing it."""
    feed = view.feed
    facts: list[object] = [
        WRITING,
        feed.user.locale.value,
        feed.name,
        feed.parts,
        feed.reminder.value,
        feed.all_day,
        view.window.start,
    ]
    for practice in reading.practices(session, view):
        rooms = [(room.id, room.name) for room in practice.rooms]
        facts += [
            practice.id,
            practice.version,
            rooms,
            links.week(practice.slug, view.window.start),
        ]
    facts += (tuple(mark) for mark in reading.marks(session, view))
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _is_current(view: View, fingerprint: str) -> bool:
    feed = view.feed
    is_fresh = feed.stale_at is None or view.now < feed.stale_at
    return feed.changed_at is not None and feed.fingerprint == fingerprint and is_fresh


def _go_through(session: UnitOfWork, view: View, links: Links, fingerprint: str) -> None:
    """Compare all that the feed tells with what it told, one request at a time."""
    feed = view.feed
    lock_rows(session, feed)
    if _is_current(view, fingerprint):
        return
    remembering.remember(session, view, told(session, view, links))
    # Clients that compare dates see seconds: two changes within one must not look like one.
    earliest = (feed.changed_at or view.now).replace(microsecond=0) + SMALLEST_AGE
    feed.changed_at = view.now if feed.changed_at is None else max(view.now, earliest)
    feed.fingerprint = fingerprint
    feed.stale_at = remembering.stale_from(session, view)
    session.flush()


def _note_fetch(session: UnitOfWork, feed: Feed, client: str) -> None:
    now = session.now()
    due = feed.last_fetched_at is None or now - feed.last_fetched_at >= rules.FETCH_NOTED_EVERY
    if due or feed.last_fetched_by != client:
        feed.last_fetched_at, feed.last_fetched_by = now, client
    session.flush()
