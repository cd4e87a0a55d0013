"""Dates and times as the formats write them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final
from zoneinfo import ZoneInfo

from scheduler.oncall.readers.faults import Fault, Unreadable

# An instant with its zone, or the day alone where a file gives no time.
Moment = dt.datetime | dt.date
PARIS: Final = ZoneInfo("Europe/Paris")
FIRST_YEAR: Final = 1850
LAST_YEAR: Final = 2100
OLDEST_YEARS: Final = 115
# Files of results are younger than this, so that `95` is 1995 and `13` is 2013.
FIRST_YEAR_OF_FILES: Final = 1990

_COMPACT: Final = re.compile(
    r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})?(\d{2})?(?:\.\d{1,6})?)?([+-]\d{4}|Z)?"
)
_FRENCH: Final = re.compile(
    r"(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4}|\d{2})"
    r"(?:\s*(?:à|a|-|T)?\s*(\d{1,2})(?:[:hH](\d{2}))(?::(\d{2}))?)?"
)
_ISO: Final = re.compile(r"(\d{4})[/.\-](\d{2})[/.\-](\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?)?")
_REVERSED: Final = re.compile(r"(\d{2})(\d{2})(\d{4})")
_UNKNOWN: Final = re.compile(r"[0\s/.\-]*")
# Born in a year, or in a month of it: no day.
_NO_DAY: Final = re.compile(r"\d{4}(?:\d{2}(?:00)?)?|00/(?:00|\d{2})/\d{4}")


class NoDate(ValueError):
    """What stands there is no date."""


def issued(text: str | None) -> Moment | None:
    """When a report was issued; raises `Unreadable`."""
    try:
        return moment(text)
    except NoDate as error:
        raise Unreadable(Fault.ISSUED_AT) from error


def born(text: str | None, seen: Moment | None) -> dt.date | None:
    """A patient's date of birth, in a report of the day `seen`; raises `Unreadable`."""
    try:
        return birth_date(text, seen)
    except NoDate as error:
        raise Unreadable(Fault.BIRTH_DATE) from error


def says_nothing(text: str | None) -> bool:
    """Whether a field holds no date on purpose: empty, a dot, or zeros alone."""
    return _UNKNOWN.fullmatch(text or "") is not None


def moment(text: str | None) -> Moment | None:
    """A date, or an instant with its zone, that of Paris where the file names none.

    An hour that the clocks pass twice is the first of the two. Raises `NoDate`.
    """
    if text is None or says_nothing(text):
        return None
    text = text.strip()
    try:
        return _moment(text)
    except ValueError as error:
        raise NoDate from error


def birth_date(text: str | None, seen: Moment | None) -> dt.date | None:
    """A date of birth, None where no day is told; raises `NoDate`.

    A year of two digits is taken only where one century is possible for somebody alive on the
    day of the report, `seen`.
    """
    if text is None or says_nothing(text):
        return None
    text = text.strip()
    if _NO_DAY.fullmatch(text):
        return None
    short = _FRENCH.fullmatch(text)
    if short and len(short[3]) == 2 and short[4] is None:
        return _of_one_century(int(short[3]), int(short[2]), int(short[1]), seen)
    found = moment(text)
    return found.date() if isinstance(found, dt.datetime) else found


def latest(moments: list[Moment]) -> Moment | None:
    """The last of several moments; a day alone comes before the times of that day."""
    return max(moments, key=_as_instant, default=None)


def has_time(moment: Moment) -> bool:
    """Whether a moment is more than a day."""
    return isinstance(moment, dt.datetime)


def day_of(moment: Moment) -> dt.date:
    """The local day of a moment."""
    return moment.date() if isinstance(moment, dt.datetime) else moment


def _as_instant(moment: Moment) -> dt.datetime:
    if isinstance(moment, dt.datetime):
        return moment
    return dt.datetime.combine(moment, dt.time(), tzinfo=PARIS)


def _moment(text: str) -> Moment:
    if found := _REVERSED.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
        if FIRST_YEAR <= year < LAST_YEAR and not FIRST_YEAR <= int(text[:4]) < LAST_YEAR:
            return _made(year, month, day)
    if found := _COMPACT.fullmatch(text):
        return _made(*_numbers(found.groups()[:6]), zone=found[7])
    if found := _ISO.fullmatch(text):
        return _made(*_numbers(found.groups()))
    if found := _FRENCH.fullmatch(text):
        day, month, year, *time = _numbers(found.groups())
        if len(found[3]) == 2:
            year = _full_year(year)
        return _made(year, month, day, *time)
    raise NoDate


def _numbers(groups: tuple[str | None, ...]) -> list[int]:
    return [int(group) for group in groups if group is not None]


def _made(year: int, month: int, day: int, *time: int, zone: str | None = None) -> Moment:
    if not FIRST_YEAR <= year < LAST_YEAR:
        raise NoDate
    if not time:
        return dt.date(year, month, day)
    hour, minute, second = (*time, 0, 0)[:3]
    return dt.datetime(
        year, month, day, hour, minute, second, tzinfo=_zone(zone) if zone else PARIS
    )


def _zone(text: str) -> dt.tzinfo:
    if text == "Z":
        return dt.UTC
    offset = dt.timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    return dt.timezone(-offset if text[0] == "-" else offset)


def _full_year(year: int) -> int:
    return year + (1900 if year >= FIRST_YEAR_OF_FILES % 100 else 2000)


def _of_one_century(year: int, month: int, day: int, seen: Moment | None) -> dt.date:
    if seen is None:
        raise NoDate
    until = day_of(seen)
    try:
        possible = [
            born
            for century in (1800, 1900, 2000)
            if (born := dt.date(century + year, month, day)) <= until
            and until.year - born.year <= OLDEST_YEARS
        ]
    except ValueError as error:
        raise NoDate from error
    if len(possible) != 1:
        raise NoDate
    return possible[0]
