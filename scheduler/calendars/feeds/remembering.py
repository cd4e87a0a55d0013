"""What a feed told before, and what is new about what it tells now.

An event whose facts changed gets a higher sequence, whatever changed them: the day, its room, the
practice's hours, the feed's own choice. One that is no more is told as cancelled for a while.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.calendars import rules
from scheduler.calendars.document import Entry
from scheduler.calendars.feeds.reading import View
from scheduler.calendars.feeds.telling import Told, from_facts, to_facts
from scheduler.calendars.models import Feed, FeedEvent, Part


def remember(session: Session, view: View, told: Iterable[Told]) -> None:
    """Keep what the feed tells from now on, in place of what it told before."""
    feed, now = view.feed, view.now
    known = {
        event.uid: event
        for event in session.scalars(sa.select(FeedEvent).where(FeedEvent.feed_id == feed.id))
    }
    for one in told:
        event = known.pop(one.entry.uid, None)
        if event is None:
            session.add(_new(feed, one))
        else:
            _update(event, one, now, all_day=feed.all_day)
    for event in known.values():
        if not view.window.start <= event.date <= view.window.end:
            session.delete(event)
        elif event.cancelled_at is not None:
            continue
        elif event.part in rules.PASSING_PARTS and event.date < view.today:
            session.delete(event)
        elif event.part in view.parts:
            event.cancelled_at = event.changed_at = now
            event.sequence += 1
    session.flush()


def entries(session: Session, feed: Feed, now: dt.datetime) -> list[Entry]:
    """The events of a feed as it tells them now, those that are off among them."""
    words = rules.WORDS[feed.user.locale]
    return [_entry(event, words) for event in _shown(session, feed, now)]


def stale_from(session: Session, view: View) -> dt.datetime | None:
    """When the first of the events that are off has been told for long enough."""
    shown = _shown(session, view.feed, view.now)
    off = [event.cancelled_at for event in shown if event.cancelled_at]
    return min(off) + rules.CANCELLED_SHOWN if off else None


def _shown(session: Session, feed: Feed, now: dt.datetime) -> Sequence[FeedEvent]:
    return session.scalars(
        sa.select(FeedEvent).where(
            FeedEvent.feed_id == feed.id,
            FeedEvent.part.in_([Part(part) for part in feed.parts]),
            sa.or_(
                FeedEvent.cancelled_at.is_(None),
                FeedEvent.cancelled_at > now - rules.CANCELLED_SHOWN,
            ),
        )
    ).all()


def _new(feed: Feed, one: Told) -> FeedEvent:
    return FeedEvent(
        feed_id=feed.id,
        uid=one.entry.uid,
        part=one.part,
        date=one.entry.start.date(),
        sequence=one.entry.sequence,
        changed_at=one.entry.changed_at,
        facts=to_facts(one.entry, all_day=feed.all_day),
    )


def _update(event: FeedEvent, one: Told, now: dt.datetime, *, all_day: bool) -> None:
    facts = to_facts(one.entry, all_day=all_day)
    event.part, event.date = one.part, one.entry.start.date()
    if event.cancelled_at is None and event.facts == facts:
        return
    # What only the practice knows of has no date of its own: it counts from when it is seen.
    newer = one.entry.changed_at > event.changed_at
    event.changed_at = one.entry.changed_at if newer else now
    # Feeds of before the first of these events counted the versions of the rows.
    event.sequence = max(event.sequence + 1, one.entry.sequence)
    event.facts, event.cancelled_at = facts, None


def _entry(event: FeedEvent, words: rules.Words) -> Entry:
    entry = from_facts(event.uid, event.sequence, event.changed_at, event.facts)
    if event.cancelled_at is None:
        return entry
    # Said in the title too: not every programme shows the state of an event.
    return replace(
        entry, summary=f"{words['cancelled']} · {entry.summary}", note="", cancelled=True
    )
