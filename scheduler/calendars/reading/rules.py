"""Recurrence rules: checked as text, before anything counts a single day of them."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Final

from scheduler.calendars.reading import limits
from scheduler.calendars.reading.faults import Reason, Refused
from scheduler.calendars.reading.times import Moment, parse_moment
from scheduler.calendars.reading.zones import Zones

FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
SUB_DAILY: Final = ("SECONDLY", "MINUTELY", "HOURLY")
TIMES_OF_DAY: Final = ("BYHOUR", "BYMINUTE", "BYSECOND")
# The smallest and largest number of each list of numbers; negative ones count from the end.
NUMBERS: Final = {
    "BYSECOND": (0, 59),
    "BYMINUTE": (0, 59),
    "BYHOUR": (0, 23),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYMONTH": (1, 12),
    "BYSETPOS": (-366, 366),
}
WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WEEKDAY: Final = re.compile(rf"([+-]?\d{{1,2}})?({'|'.join(WEEKDAYS)})")
WHOLE: Final = re.compile(r"[+-]?\d{1,9}")
END_OF_DAY: Final = dt.time(23, 59, 59)


class Rule:
    """A rule that is safe to expand: its parts by name, with an end that fits its start."""

    def __init__(self, text: str, start: Moment, zones: Zones) -> None:
        if len(text) > limits.LONGEST_RULE:
            raise Refused(Reason.RULE_TOO_MANY)
        self.parts = _parts(text)
        self.frequency = _frequency(self.parts)
        self.interval = _interval(self.parts)
        self.counted = _counted(self.parts)
        _check_lists(self.parts)
        self.until: Moment | None = None
        if "UNTIL" in self.parts:
            self.until = _until(self.parts["UNTIL"], start, zones)
            self.parts["UNTIL"] = _written(self.until)

    @property
    def text(self) -> str:
        return ";".join(f"{name}={value}" for name, value in self.parts.items())


def _parts(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for piece in text.upper().split(";"):
        name, _, value = (side.strip() for side in piece.partition("="))
        # RFC 7529 for other calendars than ours; programmes add parts of their own.
        harmless = name.startswith("X-") or (name, value) in (
            ("RSCALE", "GREGORIAN"),
            ("SKIP", "OMIT"),
            ("", ""),
        )
        if harmless:
            continue
        if name in ("RSCALE", "SKIP", "BYEASTER"):
            raise Refused(Reason.RULE_UNSUPPORTED)
        if not value or name in found:
            raise Refused(Reason.RULE_BROKEN)
        found["BYDAY" if name == "BYWEEKDAY" else name] = value.replace(" ", "")
    return found


def _frequency(parts: dict[str, str]) -> str:
    frequency = parts.get("FREQ", "")
    if frequency in SUB_DAILY:
        raise Refused(Reason.RULE_SUB_DAILY)
    if frequency not in FREQUENCIES:
        raise Refused(Reason.RULE_BROKEN)
    return frequency


def _interval(parts: dict[str, str]) -> int:
    interval = _number(parts.get("INTERVAL", "1"))
    if not 1 <= interval <= limits.MOST_INTERVAL:
        raise Refused(Reason.RULE_INTERVAL)
    return interval


def _counted(parts: dict[str, str]) -> bool:
    if "COUNT" not in parts:
        return False
    count = _number(parts["COUNT"])
    if count > limits.MOST_REPETITIONS:
        raise Refused(Reason.RULE_COUNT, most=limits.MOST_REPETITIONS)
    if count < 0:
        # How some programmes write that there is no end.
        del parts["COUNT"]
        return False
    # Both are not allowed together; the days are at most the counted ones.
    parts.pop("UNTIL", None)
    return True


def _check_lists(parts: dict[str, str]) -> None:
    times = []
    for name, value in parts.items():
        values = value.split(",")
        if name in NUMBERS:
            least, most = NUMBERS[name]
            numbers = {_number(each) for each in values}
            if not all(least <= number <= most for number in numbers) or (
                least != 0 and 0 in numbers
            ):
                raise Refused(Reason.RULE_BROKEN)
            if name in TIMES_OF_DAY:
                times.append(len(numbers))
        elif name == "BYDAY":
            if not all(WEEKDAY.fullmatch(each) for each in values):
                raise Refused(Reason.RULE_BROKEN)
        elif name == "WKST":
            if value not in WEEKDAYS:
                raise Refused(Reason.RULE_BROKEN)
        elif name not in ("FREQ", "INTERVAL", "COUNT", "UNTIL"):
            raise Refused(Reason.RULE_BROKEN)
    if math.prod(times) > limits.MOST_TIMES_A_DAY:
        raise Refused(Reason.RULE_TOO_MANY)


def _number(text: str) -> int:
    if not WHOLE.fullmatch(text):
        raise Refused(Reason.RULE_BROKEN)
    return int(text)


def _until(text: str, start: Moment, zones: Zones) -> Moment:
    """The end of a rule, of the same kind as its start; a day given as an end is included."""
    until = parse_moment(text, None, zones)
    if not isinstance(start, dt.datetime):
        if not isinstance(until, dt.datetime):
            return until
        if text.endswith("Z") and until.time() != END_OF_DAY:
            # Outlook: midnight of the last day here, told as Greenwich sees it.
            until = until.astimezone(zones.floating)
        return until.date()
    if not isinstance(until, dt.datetime):
        return dt.datetime.combine(until, END_OF_DAY, start.tzinfo)
    if not text.endswith("Z"):
        return until.replace(tzinfo=start.tzinfo)
    return until


def _written(until: Moment) -> str:
    if isinstance(until, dt.datetime):
        return until.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    return until.strftime("%Y%m%d")
