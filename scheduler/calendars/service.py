"""What can be done with calendars: feeds opened, renewed, revoked and read; own holidays."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import uuid
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from scheduler.calendars import document, queries, rules
from scheduler.calendars.days import Link, day_entry, place_of, titled
from scheduler.calendars.document import Entry
from scheduler.calendars.models import Feed, FeedKind, HolidayKind, PracticeHoliday
from scheduler.core import audit
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import InvalidInput, NotFound
from scheduler.core.permissions import Action, Actor, Subject, can, require
from scheduler.people.models import Practice, User
from scheduler.people.queries import identity
from scheduler.roster.models import Need
from scheduler.roster.rules import add_months

FEED_PATH: Final = "/feeds/{token}.ics"
# Rises when the same facts are written differently, so that no client keeps the old writing.
WRITING: Final = 1
LONGEST_HOLIDAY: Final = 120
FURTHEST_HOLIDAY_MONTHS: Final = 60


def open_feed(
    session: UnitOfWork,
    actor: Actor,
    kind: FeedKind,
    practice_id: int | None = None,
    *,
    secret: str,
) -> Feed:
    """The actor's feed of a kind (and practice): the one there is, or a new one."""
    if (kind is FeedKind.ROSTER) != (practice_id is not None):
        raise InvalidInput(field="practice")
    user = _owner(session, actor, kind, practice_id)
    lock_rows(session, user)
    feed = session.scalars(
        sa.select(Feed).where(
            Feed.user_id == user.id,
            Feed.kind == kind,
            Feed.practice_id.is_not_distinct_from(practice_id),
            Feed.revoked_at.is_(None),
        )
    ).one_or_none()
    if feed is not None:
        return feed
    feed = Feed(kind=kind, user_id=user.id, practice_id=practice_id)
    _give_token(session, feed, secret)
    session.add(feed)
    session.flush()
    _record(session, actor, "feed.opened", feed)
    return feed


def renew_feed(session: UnitOfWork, actor: Actor, feed_id: int, *, secret: str) -> Feed:
    """Give a feed a new address; the old one answers as if it had never been."""
    feed = _own_feed(session, actor, feed_id)
    _owner(session, actor, feed.kind, feed.practice_id)
    _give_token(session, feed, secret)
    feed.last_fetched_at = feed.last_fetched_by = None
    session.flush()
    _record(session, actor, "feed.renewed", feed)
    return feed


def revoke_feed(session: UnitOfWork, actor: Actor, feed_id: int) -> None:
    """Shut a feed. Its address never works again."""
    feed = _own_feed(session, actor, feed_id)
    feed.revoked_at = session.now()
    session.flush()
    _record(session, actor, "feed.revoked", feed)


def feed_address(feed: Feed, *, secret: str, base_url: str) -> str | None:
    """The https address of a feed; None where the secret key has changed since it was made."""
    token = rules.token_of(secret, feed.user_id, feed.salt)
    if not hmac.compare_digest(rules.hash_of(token), feed.token_hash):
        return None
    return base_url + FEED_PATH.format(token=token)


@dataclass(frozen=True, slots=True)
class Fetch:
    """A feed asked for, and what tells its client whether it changed; not yet written."""

    feed: Feed
    window: rules.Window
    today: dt.date
    all_day: bool
    link: Link
    etag: str
    changed_at: dt.datetime


def fetch(session: UnitOfWork, token: str, *, all_day: bool, client: str, link: Link) -> Fetch:
    """The feed at an address, noted as fetched by `client`, with the marks of its content.

    Raises the same `NotFound` for an address that never was, a revoked one, and one whose user
    is disabled or may no longer see what it shows.
    """
    feed = queries.feed_by_hash(session, rules.hash_of(token))
    if feed is None:
        raise NotFound("feed_not_found")
    timezone = feed.practice.timezone if feed.practice else rules.HOUSE_TIMEZONE
    today = local_date(session.now(), timezone)
    owner = identity(session, feed.user_id, today)
    if owner is None or not can(owner.actor, *_asked(feed.kind, feed.user_id, feed.practice_id)):
        raise NotFound("feed_not_found")
    window = rules.window_around(today)
    fingerprint = _fingerprint(session, feed, window, today, link)
    if feed.fingerprint != fingerprint or feed.changed_at is None:
        feed.fingerprint, feed.changed_at = fingerprint, session.now()
    _note_fetch(session, feed, rules.client_name(client))
    style = "day" if all_day else "hours"
    etag = hashlib.sha256(f"{fingerprint}.{style}".encode()).hexdigest()[:32]
    return Fetch(feed, window, today, all_day, link, etag, feed.changed_at)


def content(session: UnitOfWork, fetched: Fetch) -> bytes:
    """The calendar that was asked for."""
    feed, window = fetched.feed, fetched.window
    words = rules.WORDS[feed.user.locale]
    personal = feed.practice is None
    entries = [
        day_entry(row, words, fetched.link, all_day=fetched.all_day, personal=personal)
        for row in queries.shown_assignments(session, feed, window)
    ]
    if feed.practice is None:
        name = words["my_days"]
    else:
        name = words["roster_of"].format(practice=feed.practice.name)
        open_days = queries.uncovered_needs(session, feed.practice.id, fetched.today, window.end)
        entries += [_need_entry(need, words, fetched) for need in open_days]
    timezone = feed.practice.timezone if feed.practice else rules.HOUSE_TIMEZONE
    years = (window.start.year, window.end.year)
    return document.write(
        name, feed.user.locale.value, timezone, years, entries, all_day=fetched.all_day
    )


def add_holiday(
    session: UnitOfWork,
    actor: Actor,
    practice: Practice,
    start: dt.date,
    end: dt.date,
    name: str,
    kind: HolidayKind = HolidayKind.CLOSED,
) -> PracticeHoliday:
    """Add dates on which a practice is closed, or school holidays that the library lacks.

    From the first day of last year on, and at most `FURTHEST_HOLIDAY_MONTHS` ahead.
    """
    require(actor, Action.HOLIDAYS_EDIT, Subject(practice.id))
    name = " ".join(name.split())
    if not name or len(name) > 80 or not name.isprintable():
        raise InvalidInput("holiday_name", field="name")
    if end < start:
        raise InvalidInput("holiday_dates", field="end")
    today = local_date(session.now(), practice.timezone)
    earliest = dt.date(today.year - 1, 1, 1)
    latest = add_months(today, FURTHEST_HOLIDAY_MONTHS)
    for field, day in (("start", start), ("end", end)):
        if not earliest <= day <= latest:
            raise InvalidInput(
                "holiday_out_of_range", field=field, earliest=earliest, latest=latest
            )
    if (end - start).days >= LONGEST_HOLIDAY:
        raise InvalidInput("holiday_too_long", field="end", longest=LONGEST_HOLIDAY)
    holiday = PracticeHoliday(practice_id=practice.id, start=start, end=end, name=name, kind=kind)
    session.add(holiday)
    session.flush()
    _record_holiday(session, actor, "holiday.added", holiday)
    return holiday


def remove_holiday(
    session: UnitOfWork, actor: Actor, practice: Practice, holiday_id: int
) -> PracticeHoliday:
    """Remove dates that a practice added."""
    require(actor, Action.HOLIDAYS_EDIT, Subject(practice.id))
    holiday = session.get(PracticeHoliday, holiday_id)
    if holiday is None or holiday.practice_id != practice.id:
        raise NotFound("holiday_not_found")
    _record_holiday(session, actor, "holiday.removed", holiday)
    session.delete(holiday)
    session.flush()
    return holiday


def _asked(kind: FeedKind, user_id: int | None, practice_id: int | None) -> tuple[Action, Subject]:
    if kind is FeedKind.PERSONAL:
        return Action.PERSONAL_FEED, Subject(None, user_id)
    return Action.ROSTER_FEED, Subject(practice_id)


def _owner(session: UnitOfWork, actor: Actor, kind: FeedKind, practice_id: int | None) -> User:
    """The actor as a user, who may have such a feed."""
    require(actor, *_asked(kind, actor.user_id, practice_id))
    user = None if actor.user_id is None else session.get(User, actor.user_id)
    if user is None:
        raise NotFound("feed_not_found")
    return user


def _own_feed(session: UnitOfWork, actor: Actor, feed_id: int) -> Feed:
    feed = session.get(Feed, feed_id, with_for_update=True)
    if feed is None or feed.user_id != actor.user_id or feed.revoked_at is not None:
        raise NotFound("feed_not_found")
    return feed


def _give_token(session: UnitOfWork, feed: Feed, secret: str) -> None:
    feed.salt = rules.new_salt()
    feed.token_hash = rules.hash_of(rules.token_of(secret, feed.user_id, feed.salt))
    feed.created_at = session.now()


def _record(session: UnitOfWork, actor: Actor, action: str, feed: Feed) -> None:
    audit.record(
        session,
        actor,
        action,
        "feed",
        feed.id,
        practice_id=feed.practice_id,
        kind=feed.kind.value,
    )


def _record_holiday(
    session: UnitOfWork, actor: Actor, action: str, holiday: PracticeHoliday
) -> None:
    audit.record(
        session,
        actor,
        action,
        "practice_holiday",
        holiday.id,
        practice_id=holiday.practice_id,
        start=holiday.start,
        end=holiday.end,
        name=holiday.name,
        kind=holiday.kind.value,
    )


def _note_fetch(session: UnitOfWork, feed: Feed, client: str) -> None:
    now = session.now()
    due = feed.last_fetched_at is None or now - feed.last_fetched_at >= rules.FETCH_NOTED_EVERY
    if due or feed.last_fetched_by != client:
        feed.last_fetched_at, feed.last_fetched_by = now, client
    session.flush()


def _fingerprint(
    session: UnitOfWork, feed: Feed, window: rules.Window, today: dt.date, link: Link
) -> str:
    """A hash that changes whenever the calendar would, found without writing it."""
    facts: list[object] = [
        WRITING,
        feed.kind.value,
        feed.user.locale.value,
        window.start,
        queries.assignments_digest(session, feed, window),
    ]
    if feed.practice_id is not None:
        facts.append(queries.needs_digest(session, feed.practice_id, today, window.end))
    for practice in queries.practices_shown(session, feed, window):
        rooms = [(room.id, room.name) for room in practice.rooms]
        facts += [practice.version, link(practice.slug, window.start), rooms]
    return hashlib.sha256(repr([str(fact) for fact in facts]).encode()).hexdigest()


def _need_entry(need: Need, words: rules.Words, fetched: Fetch) -> Entry:
    practice = need.practice
    start, end = rules.hours_of(practice, need.date, need.period)
    # A need has no name of its own outside; the moment its practice began makes it unlike others.
    origin = f"relais:{practice.slug}:{practice.created_at.isoformat()}:need:{need.id}"
    return Entry(
        uid=str(uuid.uuid5(uuid.NAMESPACE_URL, origin)),
        sequence=need.version - 1 + practice.version - 1,
        changed_at=need.published_at,
        start=start,
        end=end,
        summary=titled(
            f"{words['to_fill']} · {need.room.name}", need.period, words, all_day=fetched.all_day
        ),
        location=place_of(need),
        url=fetched.link(practice.slug, need.date),
        transparent=True,
    )
