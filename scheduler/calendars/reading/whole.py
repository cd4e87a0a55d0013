"""A whole calendar, read: from bytes to half-days, in the process that has limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from scheduler.calendars.reading import availability, limits
from scheduler.calendars.reading.deadline import Overrun, allow_deadlines, deadline
from scheduler.calendars.reading.entries import Entry, entry_of
from scheduler.calendars.reading.expanding import Happening, Window, happenings
from scheduler.calendars.reading.faults import Fault, Reason, Refused
from scheduler.calendars.reading.halves import HalfDays, preference_in
from scheduler.calendars.reading.lines import Part, calendars_in
from scheduler.calendars.reading.times import day_of
from scheduler.calendars.reading.values import Hours, Ignored, Reading, Unreadable
from scheduler.calendars.reading.zones import Zones

# Words between people about an event: it stands in the calendar of who sent them, not in this one.
ANSWERS: Final = frozenset({"REPLY", "REFRESH", "COUNTER", "DECLINECOUNTER"})
UNSAID: Final = frozenset({"VTIMEZONE"})


@dataclass(frozen=True, slots=True)
class About:
    """What a part of the file is known by: to programmes, and to whoever wrote it."""

    uid: str
    title: str = ""
    date: dt.date | None = None


@dataclass(slots=True)
class Reader:
    """Reads one file; `read` is all there is to call."""

    halves: HalfDays
    own_uids: Collection[str]
    ignored: list[Ignored] = field(default_factory=list)
    entries: dict[str, list[Entry]] = field(default_factory=dict)

    def read(self, content: bytes) -> Reading:
        """Raises `Unreadable`, and what nobody has thought of."""
        calendars = calendars_in(content)
        for calendar in calendars:
            self._collect(calendar, Zones(calendar, self.halves.window.zone))
        for entries in self.entries.values():
            self._say_all(entries)
        first = calendars[0]
        return Reading(
            half_days=self.halves.as_said(),
            ignored=tuple(self.ignored),
            name=first.text("X-WR-CALNAME") or first.text("NAME") or None,
            product=first.text("PRODID"),
        )

    def _collect(self, calendar: Part, zones: Zones) -> None:
        """Take the events of a calendar, and at once what is no event."""
        method = calendar.word("METHOD")
        # Google names a calendar after the address of its owner.
        owner = calendar.text("X-WR-CALNAME")
        free_times = []
        for part in calendar.parts:
            uid = part.text("UID", limits.LONGEST_UID)
            if part.kind in UNSAID:
                continue
            with self._or_ignored(About(uid, part.text("SUMMARY"), part.written_on)):
                # Busy times are asked for, and told in a reply.
                if method in ANSWERS and part.kind != "VFREEBUSY":
                    raise Refused(Reason.ANSWER)
                if uid and uid in self.own_uids:
                    raise Refused(Reason.OWN)
                if part.kind == "VEVENT":
                    if "@" in owner and part.declined_by(owner):
                        raise Refused(Reason.DECLINED)
                    entry = entry_of(part, zones, cancelled=method == "CANCEL")
                    # An event that has no UID is like no other.
                    key = part.text("UID", limits.MOST_BYTES) or f"\0{len(self.entries)}"
                    self.entries.setdefault(key, []).append(entry)
                elif part.kind == "VFREEBUSY":
                    availability.say_free_busy(part, uid, zones, self.halves)
                elif part.kind == "VAVAILABILITY":
                    if method == "CANCEL":
                        raise Refused(Reason.CANCELLED)
                    free_times.append(availability.Offered(part, uid, zones))
                else:
                    raise Refused(Reason.NOT_AN_EVENT, kind=part.kind)
        for offered in sorted(free_times, key=lambda each: each.rank):
            with self._or_ignored(About(offered.uid)):
                self.ignored += offered.say(self.halves)

    @contextmanager
    def _or_ignored(self, about: About) -> Iterator[None]:
        """One bad event does not spoil the file."""
        try:
            with deadline(limits.EVENT_SECONDS):
                yield
        except Refused as refused:
            self._ignore(about, refused.reason, **refused.facts)
        except Overrun:
            self._ignore(about, Reason.TOO_SLOW)
        except (Unreadable, MemoryError):
            raise
        except Exception:  # noqa: BLE001 - a library may raise anything on what it cannot read
            self._ignore(about, Reason.BROKEN)

    def _ignore(self, about: About, reason: Reason, **facts: Any) -> None:
        self.ignored.append(Ignored(about.uid, reason.value, facts, about.title, about.date))

    def _say_all(self, entries: list[Entry]) -> None:
        """What the events of one UID say: a series and what stands in its place, now and then."""
        series = [entry for entry in entries if entry.instead_of is None]
        changed = [entry for entry in entries if entry.instead_of is not None]
        newest = max(((entry.sequence, entry.stamp) for entry in series), default=None)
        current = [entry for entry in series if (entry.sequence, entry.stamp) == newest]
        for entry in series:
            if (entry.sequence, entry.stamp) != newest:
                self._ignore(_about(entry), Reason.REPLACED)
        cancelled = next((entry for entry in current if entry.cancelled), None)
        if cancelled is not None:
            self._ignore(_about(cancelled), Reason.CANCELLED)
            return
        # Programmes that give all their events one UID mean each of them; one that stands in a
        # file twice is meant once.
        distinct = list({entry.start: entry for entry in current}.values())
        first = _about((distinct or entries)[0])
        with self._or_ignored(first):
            self._say_series(first, [*distinct[:1], *changed])
        for entry in distinct[1:]:
            about = _about(entry)
            with self._or_ignored(about):
                self._say_series(about, [entry])

    def _say_series(self, about: About, entries: list[Entry]) -> None:
        cancelled: dict[dt.date, None] = {}
        outcomes: set[Reason | None] = set()
        # All of it, before a word is said: a series is read whole or not at all.
        found = list(happenings(entries, self.halves.window))
        reach = sum(self.halves.reach(each.start, each.end) for each in found)
        if reach > limits.MOST_DAYS_OF_EVENT:
            raise Refused(Reason.RULE_TOO_MANY)
        for happening in found:
            self.halves.count()
            if happening.entry.cancelled:
                cancelled[self.halves.date_of(happening.start)] = None
            else:
                outcomes.add(self._say(happening))
        window = self.halves.window
        for date in cancelled:
            if window.start <= date <= window.end:
                self._ignore(replace(about, date=date), Reason.CANCELLED, date=date.isoformat())
        if None not in outcomes and not cancelled:
            self._ignore(about, _clearest(outcomes))

    def _say(self, happening: Happening) -> Reason | None:
        """Say what an event says once; the reason where that is nothing."""
        entry, halves = happening.entry, self.halves
        if halves.is_outside(happening.start, happening.end):
            return Reason.OUTSIDE_DATES
        if happening.start == happening.end:
            return Reason.NO_DURATION
        outcome: Reason | None = Reason.OUTSIDE_HOURS
        for touched in halves.touched(happening.start, happening.end):
            preference = preference_in(entry.title) if touched.enough else None
            busy = not entry.transparent
            if busy or preference:
                halves.say(touched.slot, entry.uid, entry.title, busy=busy, preference=preference)
                outcome = None
            elif outcome is not None:
                outcome = Reason.TOO_SHORT
        return outcome


def _about(entry: Entry) -> About:
    return About(entry.uid, entry.title, day_of(entry.start))


def _clearest(outcomes: set[Reason | None]) -> Reason:
    """Of several reasons the one that came nearest to saying something."""
    ranked = (Reason.TOO_SHORT, Reason.NO_DURATION, Reason.OUTSIDE_HOURS)
    return next((reason for reason in ranked if reason in outcomes), Reason.OUTSIDE_DATES)


def read_whole(
    content: bytes,
    *,
    start: dt.date,
    end: dt.date,
    timezone: str,
    hours: Hours,
    own_uids: Collection[str],
) -> Reading:
    """What a file says of the days from `start` to `end`. Raises `Unreadable`."""
    allow_deadlines()
    try:
        window = Window(start, end, ZoneInfo(timezone))
        return Reader(HalfDays(window, hours), frozenset(own_uids)).read(content)
    except Unreadable:
        raise
    except MemoryError:
        raise Unreadable(Fault.TOO_HEAVY) from None
    except Exception as error:
        raise Unreadable(Fault.BROKEN) from error
