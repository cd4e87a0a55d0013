"""What a calendar means by the name of a time zone.

The machine's own data outranks what a file says of a zone that both know: it is newer, and it has
no end. Only what nothing else explains is built from the file's definition, after its rules were
checked: they are recurrences, and can be bombs like any other.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Final
from zoneinfo import ZoneInfo

from icalendar import Timezone
from icalendar.timezone import tzp
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON
from x_wr_timezone import UTCChangingWalker

from scheduler.calendars.reading import limits
from scheduler.calendars.reading.faults import Reason, Refused
from scheduler.calendars.reading.lines import Part

OFFSET: Final = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)
EXCHANGE: Final = re.compile(r"\((?:UTC|GMT)[^)]*\)\s*(.+)", re.IGNORECASE)
UTC_NAMES: Final = frozenset({"Z", "UTC", "GMT", "TZONE://MICROSOFT/UTC"})

ONSET: Final = re.compile(r"(\d{4})(\d{4})(T\d{6})?")
SHIFT: Final = re.compile(r"[+-]\d{4}(\d{2})?")
YEARLY: Final = re.compile(
    r"(?:(?:FREQ=YEARLY|INTERVAL=1|BYMONTH=\d{1,2}|BYDAY=[+-]?\d?[A-Z]{2}|WKST=[A-Z]{2}"
    # Lotus Notes gives the hour of the onset once more.
    r"|BYHOUR=\d{1,2}|BYMINUTE=\d{1,2}|BYSECOND=\d{1,2}"
    r"|BYMONTHDAY=-?\d{1,2}(?:,\d{1,2}){0,6}|UNTIL=\d{8}(?:T\d{6}Z?)?);?)+",
    re.IGNORECASE,
)
# Outlook begins its rules in 1601; the last moves that matter here are much younger.
EARLIEST_RULE: Final = 1970


class Zones:
    """The zones that one calendar may name."""

    def __init__(self, calendar: Part, default: dt.tzinfo) -> None:
        self._defined = {
            part.text("TZID"): part for part in calendar.parts if part.kind == "VTIMEZONE"
        }
        self._found: dict[str, dt.tzinfo | None] = {}
        stated = calendar.text("X-WR-TIMEZONE")
        self.stated = self._find(stated) if stated else None
        self.floating = self.stated or default
        self._walker = UTCChangingWalker(self.stated) if self.stated else None

    def named(self, name: str) -> dt.tzinfo:
        """The zone of a TZID; raises `Refused` where nobody knows it."""
        zone = self._find(name)
        if zone is None:
            raise Refused(Reason.ZONE_UNKNOWN, zone=name[:80])
        return zone

    def as_stated(self, moment: dt.datetime) -> dt.datetime:
        """A time as X-WR-TIMEZONE means it: Google writes in UTC what repeats by the clock here."""
        if self._walker is None:
            return moment
        stated: dt.datetime = self._walker.walk_value_datetime(moment)
        return stated

    def _find(self, name: str) -> dt.tzinfo | None:
        if name not in self._found:
            self._found[name] = self._look_up(name)
        return self._found[name]

    def _look_up(self, name: str) -> dt.tzinfo | None:
        for candidate in _candidates(name):
            if zone := _known(candidate):
                return zone
        if part := self._defined.get(name):
            if zone := _known(part.text("X-LIC-LOCATION")):
                return zone
            return _built(part)
        return _fixed(name)


class _FileZone(dt.tzinfo):
    """The zone of a VTIMEZONE, asked once for each day: it counts its rules at every question."""

    def __init__(self, described: dt.tzinfo) -> None:
        self._described = described
        # The offset all day long; None for a day on which the clocks change.
        self._days: dict[dt.date, dt.timedelta | None] = {}

    def utcoffset(self, moment: dt.datetime | None) -> dt.timedelta | None:
        if moment is None:
            return None
        day = moment.date()
        if day not in self._days:
            midnight = dt.datetime.combine(day, dt.time())
            first, last = self._asked(midnight), self._asked(midnight + dt.timedelta(days=1))
            self._days[day] = first if first == last else None
        offset = self._days[day]
        return self._asked(moment) if offset is None else offset

    def dst(self, moment: dt.datetime | None) -> dt.timedelta | None:  # noqa: ARG002
        return None

    def tzname(self, moment: dt.datetime | None) -> str:  # noqa: ARG002
        return "of the file"

    def fromutc(self, moment: dt.datetime) -> dt.datetime:
        return self._described.fromutc(moment.replace(tzinfo=self._described)).replace(tzinfo=self)

    def _asked(self, moment: dt.datetime) -> dt.timedelta | None:
        return moment.replace(tzinfo=self._described).utcoffset()


def _candidates(name: str) -> Iterator[str]:
    """The names that the machine may know a zone by, the likeliest first."""
    bare = name.strip(" \"'/")
    if bare.upper() in UTC_NAMES:
        yield "UTC"
    yield bare
    if bare in WINDOWS_TO_OLSON:
        yield WINDOWS_TO_OLSON[bare]
    if name.lstrip().startswith("/"):
        # /freeassociation.sourceforge.net/Europe/Paris, /mozilla.org/20050126_1/Europe/Paris.
        pieces = bare.split("/")
        yield from ("/".join(pieces[first:]) for first in range(1, min(len(pieces), 6)))
    # Exchange: (UTC+01:00) Brussels, Copenhagen, Madrid, Paris.
    if cities := EXCHANGE.fullmatch(bare):
        yield from (f"Europe/{city.strip()}" for city in cities[1].split(",")[:6])


def _known(name: str) -> dt.tzinfo | None:
    if not name or len(name) > 60:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _fixed(name: str) -> dt.tzinfo | None:
    """A zone that is called by its distance from Greenwich: UTC+01:00, GMT+0100."""
    match = OFFSET.fullmatch(name.strip())
    if match is None:
        return None
    distance = dt.timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    if distance >= dt.timedelta(hours=15):
        return None
    return dt.timezone(-distance if match[1] == "-" else distance)


def _built(part: Part) -> dt.tzinfo | None:
    """The zone that a VTIMEZONE describes; None where it describes none."""
    if not 1 <= len(part.parts) <= limits.MOST_OBSERVANCES:
        return None
    lines = ["BEGIN:VTIMEZONE", "TZID:of the file"]
    for observance in part.parts:
        onsets = _observance(observance)
        if onsets is None:
            return None
        lines += onsets
    lines.append("END:VTIMEZONE")
    try:
        # Bytes: a text that looks like a path would be opened.
        described = Timezone.from_ical("\r\n".join(lines).encode())
        return _FileZone(tzp.create_timezone(described))
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is no zone
        return None


def _observance(part: Part) -> list[str] | None:
    """The lines of a STANDARD or DAYLIGHT that can do no harm; None where one is missing."""
    start = part.first("DTSTART")
    onset = ONSET.fullmatch(start.value) if start else None
    shifts = [part.text(name) for name in ("TZOFFSETFROM", "TZOFFSETTO")]
    if (
        part.kind not in ("STANDARD", "DAYLIGHT")
        or onset is None
        or not all(SHIFT.fullmatch(shift) for shift in shifts)
    ):
        return None
    rules = [line.value for line in part.all("RRULE")]
    dates = [date for line in part.all("RDATE") for date in line.value.split(",")]
    if (
        len(rules) > 1
        or any(len(rule) > limits.LONGEST_RULE for rule in rules)
        or not all(YEARLY.fullmatch(rule) and "FREQ" in rule.upper() for rule in rules)
        or len(dates) > limits.MOST_ONSETS
        or not all(ONSET.fullmatch(date) for date in dates)
    ):
        return None
    year = max(int(onset[1]), EARLIEST_RULE) if rules else int(onset[1])
    return [
        f"BEGIN:{part.kind}",
        f"DTSTART:{year:04}{onset[2]}{onset[3] or 'T000000'}",
        f"TZOFFSETFROM:{shifts[0]}",
        f"TZOFFSETTO:{shifts[1]}",
        *(f"RRULE:{rule.rstrip(';')}" for rule in rules),
        *(f"RDATE:{date}" for date in dates),
        f"END:{part.kind}",
    ]
