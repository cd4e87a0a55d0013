"""What an event must be before anything of it is stored: text, readable, and of some length."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Final

from radicale.item import Item

from scheduler.calendars.reading import Reading, Unreadable
from scheduler.core.errors import InvalidInput, RelaisError

# One stretch of availability; a repeated event says more. A single slip of the finger in the
# length of an event would otherwise make a doctor available for a year.
LONGEST_STRETCH: Final = dt.timedelta(days=62)
# What RFC 5545 (3.1) keeps out of text, and what no database and no XML takes.
_NO_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_DATE: Final = re.compile(
    r"^BEGIN:VEVENT\s.*?^DTSTART(?:;[^:\r\n]*)?:(\d{8})", re.DOTALL | re.MULTILINE | re.IGNORECASE
)
# Why an event may say nothing of when its doctor can come, and be kept all the same; of some of
# them the doctor is told, who may have meant something.
MISTAKEN: Final = frozenset({"event_outside_hours", "event_too_short", "event_no_duration"})
ELSEWHEN: Final = "event_outside_dates"
HARMLESS: Final = MISTAKEN | {
    ELSEWHEN,
    "event_cancelled",
    "event_declined",
    "event_answer",
    "event_replaced",
    "part_not_an_event",
}
# Radicale cannot count with these, whatever stands beside them.
_BEYOND_COUNTING: Final = frozenset({"event_duration_absurd", "event_date_absurd"})
# Faults that are told of files in the words of files.
_OF_FILES: Final = frozenset(
    {"calendar_empty", "calendar_not_one", "calendar_cut_off", "calendar_broken"}
)


def check_text(*texts: str) -> None:
    """Refuse control characters: not every database can store them, no calendar shows them."""
    if any(_NO_TEXT.search(text) for text in texts):
        raise InvalidInput("calendar_control_characters", field="event")


def check_readable(readings: Iterable[Reading]) -> None:
    """Refuse an event of which nothing can be read, with the reason why."""
    several = list(readings)
    says = any(said.preference is not None for one in several for said in one.half_days)
    for ignored in (ignored for one in several for ignored in one.ignored):
        if ignored.code in _BEYOND_COUNTING or not (says or ignored.code in HARMLESS):
            facts = {name: value for name, value in ignored.facts.items() if name != "date"}
            raise InvalidInput(ignored.code, field="event", **facts)


def check_stretch(item: Item) -> None:
    """Refuse an event that lasts for months without a break."""
    # A task or a note has none.
    for event in getattr(item.vobject_item, "vevent_list", ()):
        if hasattr(event, "dtend"):
            length = event.dtend.value - event.dtstart.value
        elif hasattr(event, "duration"):
            length = event.duration.value
        else:
            continue
        if length > LONGEST_STRETCH:
            raise InvalidInput("calendar_event_long", field="event", most=LONGEST_STRETCH.days)


def of_an_event(error: Unreadable) -> RelaisError:
    """What is said of one event that cannot be read, instead of what is said of a file."""
    return (
        InvalidInput("calendar_event_broken", field="event") if error.code in _OF_FILES else error
    )


def first_date(body: str) -> dt.date | None:
    """The date on which an event seems to begin, however broken it is otherwise."""
    found = _DATE.search(body)
    try:
        return None if found is None else dt.datetime.strptime(found[1], "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        return None
