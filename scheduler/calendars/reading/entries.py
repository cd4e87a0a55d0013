"""One event as it stands in a file: its facts, checked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from scheduler.calendars.reading import limits
from scheduler.calendars.reading.faults import Reason, Refused
from scheduler.calendars.reading.lines import Part
from scheduler.calendars.reading.rules import Rule
from scheduler.calendars.reading.times import (
    DAY,
    Moment,
    day_of,
    duration_of,
    later,
    moment_of,
    moments_of,
    parse_moment,
)
from scheduler.calendars.reading.zones import Zones

LONGEST: Final = dt.timedelta(days=limits.LONGEST_DAYS)
NEVER: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
# A moment, or one with a length of its own (VALUE=PERIOD).
Extra = Moment | tuple[dt.datetime, dt.datetime]


@dataclass(slots=True)
class Entry:
    """An event, or one that stands for a repetition of another.

    `length` is there where the file gives a duration instead of an end.
    """

    uid: str
    title: str
    start: Moment
    end: Moment
    length: dt.timedelta | None = None
    cancelled: bool = False
    transparent: bool = False
    sequence: int = 0
    stamp: dt.datetime = NEVER
    instead_of: Moment | None = None
    # It stands for all that follow, too.
    onwards: bool = False
    rules: list[Rule] = field(default_factory=list)
    extra: list[Extra] = field(default_factory=list)
    except_for: list[Moment] = field(default_factory=list)

    @property
    def repeats(self) -> bool:
        return bool(self.rules or self.extra or self.except_for)


def entry_of(part: Part, zones: Zones, *, cancelled: bool) -> Entry:
    """The facts of a VEVENT or an AVAILABLE; raises `Refused`."""
    cancelled = cancelled or part.word("STATUS") in ("CANCELLED", "CANCELED")
    first = part.first("DTSTART")
    if first is None and cancelled:
        # RFC 5546: who cancels an event need not say once more when it was.
        first = part.first("RECURRENCE-ID") or part.first("DTSTAMP")
    if first is None or len(part.all("DTSTART")) > 1:
        raise Refused(Reason.NO_START)
    start = moment_of(first, zones)
    end, length = _end(part, start, zones)
    entry = Entry(
        uid=part.text("UID", limits.LONGEST_UID),
        title=part.text("SUMMARY"),
        start=start,
        end=end,
        length=length,
        cancelled=cancelled,
        transparent=_transparent(part),
        sequence=_sequence(part),
        stamp=_stamp(part, zones),
    )
    if again := part.first("RECURRENCE-ID"):
        entry.instead_of = moment_of(again, zones)
        entry.onwards = again.parameters.get("RANGE", "").upper() == "THISANDFUTURE"
    if not entry.cancelled:
        _read_repetitions(entry, part, zones)
    return entry


def _end(part: Part, start: Moment, zones: Zones) -> tuple[Moment, dt.timedelta | None]:
    """When an event ends, and its duration if it has one; raises `Refused`."""
    length = None
    if last := part.first("DTEND"):
        end = moment_of(last, zones)
    elif part.first("DURATION"):
        length = duration_of(part.text("DURATION"))
        if abs(length) > LONGEST:
            raise Refused(Reason.DURATION_ABSURD)
        end = later(start, length)
    else:
        end = start
    if isinstance(start, dt.datetime):
        if not isinstance(end, dt.datetime):
            end = dt.datetime.combine(end, dt.time(), start.tzinfo)
    elif isinstance(end, dt.datetime):
        # A day has no hours: the last one counts whole.
        end = end.date() + DAY if end.time() > dt.time() else end.date()
    # Some programmes end a day where it begins, and mean that day.
    if end == start and not isinstance(start, dt.datetime):
        end = start + DAY
    span = _span(start, end)
    if span < dt.timedelta():
        raise Refused(Reason.ENDS_FIRST)
    if span > LONGEST:
        raise Refused(Reason.DURATION_ABSURD)
    return end, length


def _span(start: Moment, end: Moment) -> dt.timedelta:
    if isinstance(start, dt.datetime) and isinstance(end, dt.datetime):
        return end.astimezone(dt.UTC) - start.astimezone(dt.UTC)
    return day_of(end) - day_of(start)


def _transparent(part: Part) -> bool:
    said = part.word("TRANSP")
    if said:
        return said == "TRANSPARENT"
    return part.word("X-MICROSOFT-CDO-BUSYSTATUS") == "FREE"


def _sequence(part: Part) -> int:
    text = part.text("SEQUENCE")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _stamp(part: Part, zones: Zones) -> dt.datetime:
    line = part.first("DTSTAMP")
    try:
        moment = parse_moment(line.value, None, zones) if line else NEVER
    except Refused:
        return NEVER
    return moment if isinstance(moment, dt.datetime) else NEVER


def _read_repetitions(entry: Entry, part: Part, zones: Zones) -> None:
    if part.first("EXRULE"):
        raise Refused(Reason.RULE_UNSUPPORTED)
    rules = part.all("RRULE")
    if len(rules) > limits.MOST_RULES:
        raise Refused(Reason.RULE_TOO_MANY)
    entry.rules = [Rule(line.value, entry.start, zones) for line in rules if line.value]
    for name, most in (("RDATE", limits.MOST_DATES), ("EXDATE", limits.MOST_EXCEPTIONS)):
        if sum(line.value.count(",") + 1 for line in part.all(name)) > most:
            raise Refused(Reason.TOO_MANY_DATES, most=most)
    entry.except_for = [
        moment for line in part.all("EXDATE") if line.value for moment in moments_of(line, zones)
    ]
    for line in part.all("RDATE"):
        if "/" in line.value:
            tzid = line.parameters.get("TZID")
            entry.extra += [period_of(each, tzid, zones) for each in line.value.split(",")]
        elif line.value:
            entry.extra += moments_of(line, zones)


def period_of(text: str, tzid: str | None, zones: Zones) -> tuple[dt.datetime, dt.datetime]:
    """The two ends of a PERIOD, the second given as a time or as a duration; raises `Refused`."""
    first, _, second = (side.strip() for side in text.partition("/"))
    start = parse_moment(first, tzid, zones)
    if second.upper().startswith(("P", "+P")):
        end = later(start, duration_of(second))
    else:
        end = parse_moment(second, tzid, zones)
    if not isinstance(start, dt.datetime) or not isinstance(end, dt.datetime):
        raise Refused(Reason.DATE_BROKEN)
    span = _span(start, end)
    if span < dt.timedelta():
        raise Refused(Reason.ENDS_FIRST)
    if span > LONGEST:
        raise Refused(Reason.DURATION_ABSURD)
    return start, end
