"""Why a calendar cannot be read, and why an event in it says nothing."""

from __future__ import annotations

import enum
from typing import Any


class Fault(enum.StrEnum):
    """The codes of `Unreadable`."""

    EMPTY = "calendar_empty"
    TOO_LARGE = "calendar_too_large"
    NOT_ONE = "calendar_not_one"
    CUT_OFF = "calendar_cut_off"
    BROKEN = "calendar_broken"
    TOO_MANY_PARTS = "calendar_too_many_parts"
    TOO_DEEP = "calendar_too_deep"
    NOT_GREGORIAN = "calendar_not_gregorian"
    TOO_FULL = "calendar_too_full"
    TOO_SLOW = "calendar_too_slow"
    TOO_HEAVY = "calendar_too_heavy"
    NOT_NOW = "calendar_not_now"
    WINDOW_REVERSED = "calendar_window_reversed"
    WINDOW_ABSURD = "calendar_window_absurd"
    WINDOW_TOO_LONG = "calendar_window_too_long"


class Reason(enum.StrEnum):
    """The codes of `Ignored`."""

    OWN = "event_own"
    CANCELLED = "event_cancelled"
    DECLINED = "event_declined"
    ANSWER = "event_answer"
    REPLACED = "event_replaced"
    OUTSIDE_DATES = "event_outside_dates"
    OUTSIDE_HOURS = "event_outside_hours"
    TOO_SHORT = "event_too_short"
    NO_DURATION = "event_no_duration"
    NO_START = "event_no_start"
    DATE_BROKEN = "event_date_broken"
    DATE_ABSURD = "event_date_absurd"
    ENDS_FIRST = "event_ends_first"
    DURATION_ABSURD = "event_duration_absurd"
    ZONE_UNKNOWN = "event_zone_unknown"
    RULE_BROKEN = "event_rule_broken"
    RULE_SUB_DAILY = "event_rule_sub_daily"
    RULE_INTERVAL = "event_rule_interval"
    RULE_COUNT = "event_rule_count"
    RULE_TOO_MANY = "event_rule_too_many"
    RULE_UNSUPPORTED = "event_rule_unsupported"
    TOO_MANY_DATES = "event_too_many_dates"
    TOO_SLOW = "event_too_slow"
    BROKEN = "event_broken"
    NOTHING_SAID = "part_says_nothing"
    NOT_AN_EVENT = "part_not_an_event"


class Refused(Exception):
    """One event cannot be read: it is ignored, and the others are not."""

    def __init__(self, reason: Reason, **facts: Any) -> None:
        self.reason = reason
        self.facts = facts
        super().__init__(reason)
