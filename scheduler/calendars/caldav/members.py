"""What stands in a calendar: events as clients read them."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from icalendar import Event

from scheduler.calendars.document import PRODUCT
from scheduler.calendars.timezones import vtimezone

_HEAD: Final = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{PRODUCT}\r\nCALSCALE:GREGORIAN\r\n"


@dataclass(frozen=True, slots=True)
class Fact:
    """An event that Relais writes. Dates without a time are a whole day's, both included."""

    uid: str
    sequence: int
    changed_at: dt.datetime
    start: dt.datetime | dt.date
    end: dt.datetime | dt.date
    summary: str
    location: str = ""
    url: str = ""
    description: str = ""
    tentative: bool = False
    transparent: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """One member of a calendar: its name in the address, and what clients read there.

    `starts` and `ends` are seconds since 1970, for queries by time. `resets` counts how often
    clients had to read it anew although it was the same.
    """

    href: str
    uid: str
    text: str
    changed_at: dt.datetime
    starts: int
    ends: int
    resets: int = 0
    component: str = "VEVENT"

    @property
    def etag(self) -> str:
        """The entity tag, without its quotes."""
        return hashlib.sha256(f"{self.resets}\n{self.text}".encode()).hexdigest()[:32]


def shown(href: str, fact: Fact, resets: int) -> Shown:
    """The member of a calendar that says `fact`."""
    starts, ends = _moments(fact)
    return Shown(href, fact.uid, written(fact), fact.changed_at, starts, ends, resets)


def _moments(fact: Fact) -> tuple[int, int]:
    if isinstance(fact.start, dt.datetime) and isinstance(fact.end, dt.datetime):
        return int(fact.start.timestamp()), int(fact.end.timestamp())
    # Whole days float: Radicale takes them for those of UTC.
    first, last = (
        dt.datetime.combine(day, dt.time(), dt.UTC)
        for day in (fact.start, fact.end + dt.timedelta(days=1))
    )
    return int(first.timestamp()), int(last.timestamp())


@lru_cache(maxsize=8192)
def written(fact: Fact) -> str:
    """A calendar of one event; no line of it depends on the moment of writing."""
    event = Event()
    event.add("uid", fact.uid)
    event.add("sequence", fact.sequence)
    event.add("dtstamp", fact.changed_at)
    event.add("last-modified", fact.changed_at)
    event.add("dtstart", fact.start)
    timed = isinstance(fact.end, dt.datetime)
    event.add("dtend", fact.end if timed else fact.end + dt.timedelta(days=1))
    event.add("summary", fact.summary)
    for name in ("location", "description", "url"):
        value = getattr(fact, name)
        if value:
            event.add(name, value)
    event.add("status", "TENTATIVE" if fact.tentative else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if fact.transparent else "OPAQUE")
    zone = ""
    if isinstance(fact.start, dt.datetime):
        zone = _zone_text(str(fact.start.tzinfo), fact.start.year)
    return f"{_HEAD}{zone}{event.to_ical().decode()}END:VCALENDAR\r\n"


@lru_cache(maxsize=64)
def _zone_text(name: str, year: int) -> str:
    text: str = vtimezone(name, year, year).to_ical().decode()
    return text
