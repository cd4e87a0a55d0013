"""Writing a calendar: RFC 5545 and 7986, the same bytes for the same facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from icalendar import Alarm, Calendar, Event, vText

from scheduler.calendars import rules
from scheduler.calendars.models import Reminder
from scheduler.calendars.timezones import vtimezone

PRODUCT: Final = "-//Relais//Relais//FR"
REFRESH: Final = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. `start` and `end` are local instants; `changed_at` is in UTC.

    `half` and `note` stand in brackets after `summary`; the first only in an all-day event,
    which has no hours to tell it.
    """

    uid: str
    sequence: int
    changed_at: dt.datetime
    start: dt.datetime
    end: dt.datetime
    summary: str
    location: str
    url: str
    description: str = ""
    half: str = ""
    note: str = ""
    # A day that waits for somebody's yes.
    tentative: bool = False
    # A day that takes nobody's time.
    transparent: bool = False
    cancelled: bool = False
    # All day, whatever the calendar is written like.
    whole_day: bool = False
    reminder: Reminder = Reminder.NONE


def write(
    name: str,
    language: str,
    timezone: str,
    years: tuple[int, int],
    entries: Sequence[Entry],
    *,
    all_day: bool,
) -> bytes:
    """The calendar as it is sent; `years` are the first and last that it may speak of.

    No line of it depends on the moment of writing.
    """
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    # Typed by hand: the library does not know that these two are texts, to be escaped.
    calendar.add("name", vText(name, params={"LANGUAGE": language}))
    calendar.add("x-wr-calname", vText(name))
    calendar.add("x-wr-timezone", timezone)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    ordered = sorted(entries, key=lambda entry: (entry.start, entry.end, entry.uid))
    # One is there even without an event: a calendar of no component at all is not valid.
    for zone in sorted({timezone, *(str(entry.start.tzinfo) for entry in ordered)}):
        calendar.add_component(vtimezone(zone, *years))
    for entry in ordered:
        calendar.add_component(_event(entry, all_day=all_day or entry.whole_day))
    return bytes(calendar.to_ical())


def with_remarks(title: str, *remarks: str) -> str:
    """A title, and in brackets after it what there is to remark."""
    found = ", ".join(remark for remark in remarks if remark)
    return f"{title} ({found})" if found else title


def _event(entry: Entry, *, all_day: bool) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    # When the facts changed, not when they were sent: an unchanged event stays the same.
    event.add("dtstamp", entry.changed_at)
    event.add("last-modified", entry.changed_at)
    if all_day:
        event.add("dtstart", entry.start.date())
        event.add("dtend", entry.end.date() + dt.timedelta(days=1))
    else:
        event.add("dtstart", entry.start)
        event.add("dtend", entry.end)
    event.add("summary", _summary(entry, all_day=all_day))
    for name, text in (
        ("description", entry.description),
        ("location", entry.location),
        ("url", entry.url),
    ):
        if text:
            event.add(name, text)
    event.add("status", _status(entry))
    event.add("transp", "TRANSPARENT" if entry.transparent or entry.cancelled else "OPAQUE")
    start = dt.datetime.combine(entry.start, dt.time(), entry.start.tzinfo)
    trigger = rules.reminder_before(entry.reminder, start if all_day else entry.start)
    if trigger is not None and not entry.cancelled:
        event.add_component(_alarm(trigger, entry.summary))
    return event


def _status(entry: Entry) -> str:
    if entry.cancelled:
        return "CANCELLED"
    return "TENTATIVE" if entry.tentative else "CONFIRMED"


def _summary(entry: Entry, *, all_day: bool) -> str:
    """The title, with what an all-day event cannot show and what is still open."""
    return with_remarks(entry.summary, entry.half if all_day else "", entry.note)


def _alarm(trigger: dt.timedelta, text: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", text)
    alarm.add("trigger", trigger)
    return alarm
