"""Time zones as calendars carry them: the rules of a few years, found in the machine's data.

The icalendar library writes the beginning of summer time as the clock shows it afterwards; RFC
5545 (3.6.5) wants it as the clock showed it before, an hour earlier.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Observance:
    """How a zone's clocks go from a moment on."""

    name: str
    before: dt.timedelta
    offset: dt.timedelta
    is_summer: bool


@cache
def vtimezone(name: str, first_year: int, last_year: int) -> Timezone:
    """The VTIMEZONE of an IANA zone for these years, both included."""
    zone = ZoneInfo(name)
    start = dt.datetime(first_year, 1, 1, tzinfo=zone)
    offset = start.utcoffset() or dt.timedelta()
    found: dict[Observance, list[dt.datetime]] = {
        Observance(start.tzname() or name, offset, offset, bool(start.dst())): [
            start.replace(tzinfo=None)
        ]
    }
    for instant, observance in _changes(zone, first_year, last_year):
        onset = (instant + observance.before).replace(tzinfo=None)
        found.setdefault(observance, []).append(onset)
    component = Timezone()
    component.add("tzid", name)
    for observance, onsets in found.items():
        part = TimezoneDaylight() if observance.is_summer else TimezoneStandard()
        part.add("tzname", observance.name)
        part.add("dtstart", onsets[0])
        part.add("tzoffsetfrom", observance.before)
        part.add("tzoffsetto", observance.offset)
        if onsets[1:]:
            part.add("rdate", onsets[1:])
        component.add_component(part)
    return component


def _changes(
    zone: ZoneInfo, first_year: int, last_year: int
) -> Iterator[tuple[dt.datetime, Observance]]:
    """Every change of the clocks in these years: when, in UTC, and what holds from then on."""
    early = dt.datetime(first_year, 1, 1, tzinfo=dt.UTC)
    end = dt.datetime(last_year + 1, 1, 1, tzinfo=dt.UTC)
    while early < end:
        late = early + DAY
        if _offset(zone, early) != _offset(zone, late):
            instant = _first_moment(zone, early, late)
            local = instant.astimezone(zone)
            yield (
                instant,
                Observance(
                    local.tzname() or str(zone),
                    _offset(zone, early),
                    _offset(zone, late),
                    bool(local.dst()),
                ),
            )
        early = late


def _first_moment(zone: ZoneInfo, early: dt.datetime, late: dt.datetime) -> dt.datetime:
    """The minute between two instants at which the clocks change."""
    before = _offset(zone, early)
    while late - early > dt.timedelta(minutes=1):
        middle = early + (late - early) // dt.timedelta(minutes=2) * dt.timedelta(minutes=1)
        if _offset(zone, middle) == before:
            early = middle
        else:
            late = middle
    return late


def _offset(zone: ZoneInfo, instant: dt.datetime) -> dt.timedelta:
    return instant.astimezone(zone).utcoffset() or dt.timedelta()
