"""What a feed says: an event for each day, duty, open day and proposed day."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from scheduler.calendars import rules
from scheduler.calendars.days import Link, day_entry, half_of, place_of
from scheduler.calendars.document import Entry
from scheduler.calendars.feeds import reading
from scheduler.calendars.feeds.reading import Proposed, View
from scheduler.calendars.models import Feed, FeedKind, Part, Reminder
from scheduler.oncall.models import Duty
from scheduler.people.models import Locale, Practice
from scheduler.roster.models import Need
from scheduler.roster.rules import AssignmentState, Period


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of pages: of a practice's week, of a need, of a question to a doctor."""

    week: Link
    need: Callable[[str, int], str]
    ask: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and which part of the feed it belongs to."""

    part: Part
    entry: Entry


def title_of(feed: Feed) -> str:
    """What a feed is called: the name it was given, else what it shows."""
    practice = feed.practice.name if feed.practice else None
    return feed.name or own_title(feed.kind, practice, feed.user.locale)


def own_title(kind: FeedKind, practice: str | None, locale: Locale) -> str:
    """What a feed without a name is called, after its kind and its practice."""
    words = rules.WORDS[locale]
    if kind is FeedKind.PERSONAL:
        return words["my_days"]
    if practice is None:
        return words["open_days"]
    return words["open_days_of" if kind is FeedKind.OPEN else "roster_of"].format(practice=practice)


def told(session: Session, view: View, links: Links) -> list[Told]:
    """Everything that the feed tells now."""
    found: list[Told] = []
    if view.parts & reading.STATES_OF_PART.keys():
        found += _days(session, view, links)
    if Part.DUTIES in view.parts:
        found += (_duty(duty, view, links) for duty in reading.duties(session, view))
    if Part.OPEN in view.parts:
        found += (_open(need, view, links) for need in reading.open_needs(session, view))
    if Part.PROPOSED in view.parts:
        found += (_proposed(day, view, links) for day in reading.proposed(session, view))
    return found


def to_facts(entry: Entry, *, all_day: bool) -> dict[str, Any]:
    """All that an event says, but when and how often that changed, to be kept and compared."""
    return {
        "start": entry.start.replace(tzinfo=None).isoformat(),
        "end": entry.end.replace(tzinfo=None).isoformat(),
        "timezone": str(entry.start.tzinfo),
        "summary": entry.summary,
        "half": entry.half,
        "note": entry.note,
        "description": entry.description,
        "location": entry.location,
        "url": entry.url,
        "tentative": entry.tentative,
        "transparent": entry.transparent,
        "whole_day": entry.whole_day,
        "reminder": entry.reminder.value,
        # Of the feed, but it changes how the event stands in a calendar.
        "all_day": all_day,
    }


def from_facts(uid: str, sequence: int, changed_at: dt.datetime, facts: dict[str, Any]) -> Entry:
    """The event that was kept."""
    zone = ZoneInfo(facts["timezone"])
    said = {name: value for name, value in facts.items() if name not in {"timezone", "all_day"}} | {
        "start": dt.datetime.fromisoformat(facts["start"]).replace(tzinfo=zone),
        "end": dt.datetime.fromisoformat(facts["end"]).replace(tzinfo=zone),
        "reminder": Reminder(facts["reminder"]),
    }
    return Entry(uid=uid, sequence=sequence, changed_at=changed_at, **said)


def _words(view: View) -> rules.Words:
    return rules.WORDS[view.feed.user.locale]


def _days(session: Session, view: View, links: Links) -> Iterator[Told]:
    for row in reading.assignments(session, view):
        part = Part.HELD if row.state is AssignmentState.HELD else Part.CONFIRMED
        entry = day_entry(row, _words(view), links.week, personal=view.personal)
        yield Told(part, replace(entry, reminder=view.feed.reminder))


def _duty(duty: Duty, view: View, links: Links) -> Told:
    practice = duty.practice
    start, end = rules.hours_of(practice, duty.date, Period.DAY)
    whose = practice.name if view.personal else duty.doctor.name
    return Told(
        Part.DUTIES,
        Entry(
            uid=_uid(practice, "duty", duty.date.isoformat()),
            sequence=duty.version - 1,
            # When it was given is not known: it counts from when it is seen.
            changed_at=view.now,
            start=start,
            end=end,
            summary=f"{_words(view)['on_call']} · {whose}",
            location="",
            url=links.week(practice.slug, duty.date),
            transparent=True,
            whole_day=True,
            reminder=view.feed.reminder,
        ),
    )


def _open(need: Need, view: View, links: Links) -> Told:
    url = links.need(need.practice.slug, need.id)
    words = _words(view)
    entry = _need_entry(need, words, url, words["to_fill"], view)
    # The address in the text too: many programmes show no other.
    description = words["take_it"].format(url=url)
    return Told(
        Part.OPEN,
        replace(
            entry,
            uid=_uid(need.practice, "need", str(need.id)),
            description=description if view.feed.kind is FeedKind.OPEN else "",
        ),
    )


def _proposed(day: Proposed, view: View, links: Links) -> Told:
    need, words = day.need, _words(view)
    url = (
        links.ask(day.ask_id) if day.ask_id is not None else links.need(need.practice.slug, need.id)
    )
    entry = _need_entry(need, words, url, words["proposed"], view)
    return Told(
        Part.PROPOSED,
        replace(
            entry,
            uid=_uid(need.practice, "proposed", f"{need.id}.{view.feed.user_id}"),
            changed_at=day.since,
            description=words["answer_it"].format(url=url) if day.ask_id is not None else "",
        ),
    )


def _need_entry(need: Need, words: rules.Words, url: str, title: str, view: View) -> Entry:
    practice = need.practice
    start, end = rules.hours_of(practice, need.date, need.period)
    where = need.room.name if view.feed.kind is FeedKind.ROSTER else practice.name
    return Entry(
        uid="",
        sequence=need.version - 1 + practice.version - 1,
        changed_at=need.published_at,
        start=start,
        end=end,
        summary=f"{title} · {where}",
        half=half_of(need.period, words),
        location=place_of(need),
        url=url,
        tentative=True,
        transparent=True,
    )


def _uid(practice: Practice, kind: str, name: str) -> str:
    """A name for what has none outside; the moment its practice began makes it unlike others."""
    origin = f"relais:{practice.slug}:{practice.created_at.isoformat()}:{kind}:{name}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, origin))
