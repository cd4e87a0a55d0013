"""Dates and times as calendars write them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from scheduler.calendars.reading import limits
from scheduler.calendars.reading.faults import Reason, Refused
from scheduler.calendars.reading.lines import Line
from scheduler.calendars.reading.zones import Zones

# A whole day, or an instant of a day with its zone.
Moment = dt.date | dt.datetime

WRITTEN: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z)?)?", re.ASCII)
DURATION: Final = re.compile(
    r"([+-])?P(?:(\d{1,6})W)?(?:(\d{1,6})D)?"
    r"(?:T(?:(\d{1,8})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?",
    re.ASCII,
)
DAY: Final = dt.timedelta(days=1)
LEAP_SECOND: Final = 60


def day_of(moment: Moment) -> dt.date:
    """The date of a moment, as the clocks of its own zone show it."""
    return moment.date() if isinstance(moment, dt.datetime) else moment


def moment_of(line: Line, zones: Zones) -> Moment:
    """The one date or time of a property, in the zone that it names."""
    return parse_moment(line.value, line.parameters.get("TZID"), zones, _whole_day(line))


def moments_of(line: Line, zones: Zones) -> list[Moment]:
    """The dates and times of a list, such as EXDATE."""
    zone, whole = line.parameters.get("TZID"), _whole_day(line)
    return [parse_moment(each.strip(), zone, zones, whole) for each in line.value.split(",")]


def _whole_day(line: Line) -> bool:
    return line.parameters.get("VALUE", "").upper() == "DATE"


def parse_moment(text: str, tzid: str | None, zones: Zones, whole_day: bool = False) -> Moment:
    """A date or a time; what has no zone is in that of the calendar. Raises `Refused`."""
    match = WRITTEN.fullmatch(text.upper())
    if match is None:
        raise Refused(Reason.DATE_BROKEN)
    year, month, day, hour, minute = (int(part or 0) for part in match.groups()[:5])
    if not limits.FIRST_YEAR <= year <= limits.LAST_YEAR:
        raise Refused(Reason.DATE_ABSURD)
    try:
        if whole_day or match[4] is None:
            return dt.date(year, month, day)
        second = min(int(match[6] or 0), LEAP_SECOND - 1)
        zone = _zone(tzid, bool(match[7]), zones)
        return zones.as_stated(dt.datetime(year, month, day, hour, minute, second, tzinfo=zone))
    except ValueError:
        raise Refused(Reason.DATE_BROKEN) from None


def _zone(tzid: str | None, utc: bool, zones: Zones) -> dt.tzinfo:
    if utc:
        return dt.UTC
    return zones.named(tzid) if tzid else zones.floating


def duration_of(text: str) -> dt.timedelta:
    """A DURATION; raises `Refused`."""
    match = DURATION.fullmatch(text.strip().upper())
    if match is None or not any(match.groups()[1:]):
        raise Refused(Reason.DATE_BROKEN)
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    length = dt.timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if match[1] == "-" else length


def later(start: Moment, length: dt.timedelta) -> Moment:
    """The end of what begins at `start`: days as the calendar counts them, hours as they pass."""
    if not isinstance(start, dt.datetime):
        return start - (-length // DAY) * DAY
    after_days = start + length // DAY * DAY
    return (after_days.astimezone(dt.UTC) + length % DAY).astimezone(start.tzinfo)
