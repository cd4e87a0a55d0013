"""When events happen: their repetitions within a window, as recurring-ical-events sees them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from icalendar import Calendar, Event
from icalendar.prop import vDDDLists, vDDDTypes, vRecur
from recurring_ical_events import CalendarQuery, Occurrence
from recurring_ical_events.selection.name import ComponentsWithName

from scheduler.calendars.reading.entries import Entry
from scheduler.calendars.reading.times import DAY, Moment, day_of, later

WEEK: Final = 7
# Between a moved start and the window: the start itself must not be seen there.
WEEK_AND_MORE: Final = 10
YEAR_AND_MORE: Final = 400


@dataclass(frozen=True, slots=True)
class Window:
    """The days that are read, both included, in a zone."""

    start: dt.date
    end: dt.date
    zone: dt.tzinfo

    @property
    def first_instant(self) -> dt.datetime:
        return dt.datetime.combine(self.start, dt.time(), self.zone)

    @property
    def last_instant(self) -> dt.datetime:
        return dt.datetime.combine(self.end + DAY, dt.time(), self.zone)


@dataclass(frozen=True, slots=True)
class Happening:
    """An event, once."""

    entry: Entry
    start: Moment
    end: Moment


class _Component(Event):  # type: ignore[misc, unused-ignore]
    """An event of the library that knows the entry it was made of."""

    entry: Entry


class _Occurrence(Occurrence):  # type: ignore[misc, unused-ignore]
    """An occurrence that is asked for its times only: the library would copy the event."""

    def as_component(self, keep_recurrence_attributes: bool) -> Any:  # noqa: ARG002
        component: Any = self._adapter._component
        return Happening(component.entry, self.start, self.end)


def happenings(entries: Sequence[Entry], window: Window) -> Iterator[Happening]:
    """Each time that the events of one UID happen, near the window or within."""
    if len(entries) == 1 and not entries[0].repeats:
        yield Happening(entries[0], entries[0].start, entries[0].end)
        return
    calendar = Calendar()
    for entry in entries:
        calendar.add_component(_component(entry, entries, window))
    query = CalendarQuery(
        calendar, components=[ComponentsWithName("VEVENT", occurrence=_Occurrence)]
    )
    found: Sequence[Any] = query.between(window.first_instant - DAY, window.last_instant + DAY)
    for happening in found:
        yield _with_exact_end(happening)


def _with_exact_end(happening: Happening) -> Happening:
    length = happening.entry.length
    if length is None or happening.entry.extra:
        return happening
    return Happening(happening.entry, happening.start, later(happening.start, length))


def _component(entry: Entry, entries: Sequence[Entry], window: Window) -> _Component:
    component = _Component()
    component.entry = entry
    start, end = _nearer(entry, entries, window)
    component["UID"] = "one"
    component["SEQUENCE"] = entry.sequence
    component["DTSTART"] = vDDDTypes(start)
    component["DTEND"] = vDDDTypes(end)
    if entry.rules:
        component["RRULE"] = [vRecur.from_ical(rule.text) for rule in entry.rules]
    if entry.extra:
        component["RDATE"] = vDDDLists(list(entry.extra))
    if entry.except_for:
        component["EXDATE"] = vDDDLists(list(entry.except_for))
    if entry.instead_of is not None:
        component["RECURRENCE-ID"] = vDDDTypes(_aligned(entry, entries[0], window))
        if entry.onwards:
            component["RECURRENCE-ID"].params["RANGE"] = "THISANDFUTURE"
    return component


def _aligned(entry: Entry, series: Entry, window: Window) -> Moment:
    """What an entry stands for, a day or a time like the series: some programmes mix them."""
    moment = entry.instead_of or entry.start
    if isinstance(series.start, dt.datetime) and not isinstance(moment, dt.datetime):
        return dt.datetime.combine(moment, series.start.timetz())
    if isinstance(moment, dt.datetime) and not isinstance(series.start, dt.datetime):
        # Midnight is how a day is written where it must have a time.
        midnight = moment.time() == dt.time()
        return moment.date() if midnight else moment.astimezone(window.zone).date()
    return moment


def _nearer(entry: Entry, entries: Sequence[Entry], window: Window) -> tuple[Moment, Moment]:
    """Start and end of a series, moved on by whole periods to just before the window.

    A rule is counted from its start: one from long ago would be counted through all those years.
    """
    rule = entry.rules[0] if len(entry.rules) == 1 else None
    if (
        rule is None
        or rule.counted
        or any(other.onwards or (other.repeats and other is not entry) for other in entries)
    ):
        return entry.start, entry.end
    margin = (YEAR_AND_MORE if rule.frequency == "YEARLY" else WEEK_AND_MORE) * DAY
    first = window.start - (day_of(entry.end) - day_of(entry.start)) - margin
    if rule.until is not None:
        first = min(first, day_of(rule.until) - margin)
    behind = (first - day_of(entry.start)).days
    if behind <= 0:
        return entry.start, entry.end
    if rule.frequency in ("DAILY", "WEEKLY"):
        step = rule.interval * (WEEK if rule.frequency == "WEEKLY" else 1)
        moved = dt.timedelta(days=behind // step * step)
        return entry.start + moved, entry.end + moved
    leap_day = (entry.start.month, entry.start.day) == (2, 29)
    if rule.frequency == "YEARLY" and not leap_day:
        years = (first.year - entry.start.year) // rule.interval * rule.interval
        start = entry.start.replace(year=entry.start.year + years)
        return start, entry.end + (start - entry.start)
    return entry.start, entry.end
