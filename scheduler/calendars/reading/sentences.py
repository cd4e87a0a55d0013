"""What the command line says of codes: one English sentence each, filled with the facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scheduler.calendars.reading.faults import Fault, Reason

FAULTS: Final[Mapping[Fault, str]] = {
    Fault.EMPTY: "the file is empty",
    Fault.TOO_LARGE: "the file is larger than {most} KB",
    Fault.NOT_ONE: "the file is no calendar: nothing in it begins with BEGIN:VCALENDAR",
    Fault.CUT_OFF: "the file breaks off before its calendar ends",
    Fault.BROKEN: "the calendar is broken: what begins and what ends in it do not match",
    Fault.TOO_MANY_PARTS: "the calendar has more than {most} components",
    Fault.TOO_DEEP: "the calendar has components within components, more than {most} deep",
    Fault.NOT_GREGORIAN: "only calendars of the Gregorian scale can be read",
    Fault.TOO_FULL: "the events of this calendar repeat too often to be read",
    Fault.TOO_SLOW: "reading this calendar takes too long",
    Fault.TOO_HEAVY: "reading this calendar takes too much memory",
    Fault.NOT_NOW: "calendars cannot be read just now; try again later",
    Fault.WINDOW_REVERSED: "the last day comes before the first",
    Fault.WINDOW_ABSURD: "these days are centuries away",
    Fault.WINDOW_TOO_LONG: "at most {most} days can be read at once",
}

REASONS: Final[Mapping[Reason, str]] = {
    Reason.OWN: "this event comes from Relais itself",
    Reason.CANCELLED: "cancelled",
    Reason.DECLINED: "declined by the owner of the calendar",
    Reason.ANSWER: "an answer to an invitation is no event of a calendar",
    Reason.REPLACED: "replaced by a newer version of the same event",
    Reason.OUTSIDE_DATES: "outside the days that are read",
    Reason.OUTSIDE_HOURS: "outside the opening hours",
    Reason.TOO_SHORT: "takes no time, and covers less than half of the opening hours",
    Reason.NO_DURATION: "ends when it begins",
    Reason.NO_START: "has no beginning, or more than one",
    Reason.DATE_BROKEN: "one of its dates cannot be read",
    Reason.DATE_ABSURD: "one of its dates is centuries away",
    Reason.ENDS_FIRST: "ends before it begins",
    Reason.DURATION_ABSURD: "lasts for years",
    Reason.ZONE_UNKNOWN: "the time zone “{zone}” is not known, and the file does not define it",
    Reason.RULE_BROKEN: "its rule of repetition cannot be read",
    Reason.RULE_SUB_DAILY: "repeats more often than daily",
    Reason.RULE_INTERVAL: "its rule of repetition has an impossible interval",
    Reason.RULE_COUNT: "repeats more than {most} times",
    Reason.RULE_TOO_MANY: "its rule of repetition asks for too many times",
    Reason.RULE_UNSUPPORTED: "its rule of repetition is of a kind that is not supported",
    Reason.TOO_MANY_DATES: "has more than {most} dates of its own",
    Reason.TOO_SLOW: "working out when it repeats takes too long",
    Reason.BROKEN: "cannot be read",
    Reason.NOTHING_SAID: "says nothing of the opening hours of these days",
    Reason.NOT_AN_EVENT: "{kind} is no event",
}


def fault_sentence(code: str, facts: Mapping[str, Any]) -> str:
    """Why a file cannot be read."""
    return FAULTS[Fault(code)].format(**facts)


def reason_sentence(code: str, facts: Mapping[str, Any]) -> str:
    """Why an event says nothing, and on which day where that is a day's matter only."""
    sentence = REASONS[Reason(code)].format(**facts)
    return f"{sentence} on {facts['date']}" if "date" in facts else sentence
