"""Values and pure functions of the roster: half-days, preferences, weeks."""

from __future__ import annotations

import calendar
import datetime as dt
import enum
import re
from collections.abc import Iterator
from typing import Final

from scheduler.core.permissions import Role


class Half(enum.StrEnum):
    """Half a consultation day."""

    AM = "am"
    PM = "pm"


class Period(enum.StrEnum):
    """A half-day or a whole day."""

    AM = "am"
    PM = "pm"
    DAY = "day"

    @property
    def halves(self) -> tuple[Half, ...]:
        return HALVES[self]


HALVES: Final[dict[Period, tuple[Half, ...]]] = {
    Period.AM: (Half.AM,),
    Period.PM: (Half.PM,),
    Period.DAY: (Half.AM, Half.PM),
}


class Preference(enum.StrEnum):
    """How gladly a doctor comes; best first."""

    WANTED = "wanted"
    POSSIBLE = "possible"
    LAST_RESORT = "last_resort"


class NeedState(enum.StrEnum):
    """A need is there to be filled until somebody withdraws it."""

    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class AssignmentState(enum.StrEnum):
    """Every state but `released` keeps the need and the doctor's half-days taken."""

    HELD = "held"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    DONE = "done"


class AssignmentSource(enum.StrEnum):
    """Which door an assignment came through."""

    CLAIM = "claim"
    PROPOSAL = "proposal"
    ASK = "ask"
    CALL = "call"
    # Somebody of the practice acted for the doctor, who had agreed on the telephone.
    PHONE = "phone"
    SWAP = "swap"
    TAKEOVER = "takeover"
    # The doctor's own calendar: an event put into it, a file read, an invitation accepted.
    CALDAV = "caldav"
    FILE = "file"
    INVITATION = "invitation"


# The doors through which a doctor takes a day by their own will.
CLAIM_SOURCES: Final = frozenset(
    {
        AssignmentSource.CLAIM,
        AssignmentSource.CALDAV,
        AssignmentSource.FILE,
        AssignmentSource.INVITATION,
    }
)


class ReleaseKind(enum.StrEnum):
    """How an assignment ended before its day was over."""

    # Within minutes of the claim: it counts nowhere.
    UNDONE = "undone"
    # Before the practice's lock date, by the doctor.
    EARLY = "early"
    # After it, with a titular's consent.
    GRANTED = "granted"
    # On the day itself.
    EMERGENCY = "emergency"
    # Somebody of the practice found that the doctor does not come.
    ABSENCE = "absence"
    # A titular freed it of their own accord.
    TAKEN_AWAY = "taken_away"
    # Held, and no titular confirmed it in time.
    EXPIRED = "expired"
    # Held, and a titular said no.
    REFUSED = "refused"
    # The day went on to a colleague.
    SWAPPED = "swapped"
    TAKEN_OVER = "taken_over"
    # A swap that was taken back.
    UNTAKEN = "untaken"


class RequestState(enum.StrEnum):
    """A request to be released is open until a titular, the doctor or the day ends it."""

    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class SwapState(enum.StrEnum):
    """A day on offer to colleagues is open until somebody takes it or it is no longer offered."""

    OPEN = "open"
    TAKEN = "taken"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    UNTAKEN = "untaken"


class CallState(enum.StrEnum):
    """A call for volunteers is prepared by the worker and sent by people."""

    PREPARED = "prepared"
    SENT = "sent"
    FILLED = "filled"
    ENDED = "ended"
    DISMISSED = "dismissed"


class Wave(enum.IntEnum):
    """In which order a call reaches people."""

    POSSIBLE = 1
    LAST_RESORT = 2
    TITULARS = 3


class InvitationState(enum.StrEnum):
    """What became of one doctor's part in a call."""

    WAITING = "waiting"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    OBSOLETE = "obsolete"


class ProposalState(enum.StrEnum):
    """A proposal is computed by the worker, then reviewed by people."""

    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class LineState(enum.StrEnum):
    """What became of one proposed day."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REFUSED = "refused"


class AskCode(enum.StrEnum):
    """What a doctor is asked: to come, or to come and pass a limit of their own for it."""

    ASK = "ask"
    RAISE_WEEKLY_CAP = "raise_weekly_cap"
    RAISE_MONTHLY_CAP = "raise_monthly_cap"
    RAISE_CONSECUTIVE = "raise_consecutive"


class AskState(enum.StrEnum):
    """A question is open until it is answered, taken back, or no longer of any use."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


DEFAULT_NEED_ROLES: Final = (Role.REPLACEMENT, Role.ASSISTANT, Role.TITULAR)


def days_between(start: dt.date, end: dt.date) -> Iterator[dt.date]:
    """Every date from `start` to `end`, both included."""
    for offset in range((end - start).days + 1):
        yield start + dt.timedelta(days=offset)


def monday_of(day: dt.date) -> dt.date:
    """The Monday of the ISO week of `day`."""
    return day - dt.timedelta(days=day.weekday())


def month_bounds(day: dt.date) -> tuple[dt.date, dt.date]:
    """The first and the last date of the calendar month of `day`."""
    _weekday, length = calendar.monthrange(day.year, day.month)
    return day.replace(day=1), day.replace(day=length)


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day of the month so many months later, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    _first, last = month_bounds(dt.date(year, month + 1, 1))
    return last.replace(day=min(day.day, last.day))


def parse_week(text: str) -> dt.date:
    """The Monday of a week written like ``2026-W48``; `ValueError` where there is no such week."""
    if not re.fullmatch(r"20[0-9]{2}-W[0-9]{2}", text):
        raise ValueError(text)
    return dt.date.fromisocalendar(int(text[:4]), int(text[6:]), 1)


def parse_month(text: str) -> dt.date:
    """The first of a month written like ``2026-11``; `ValueError` where there is no such month."""
    if not re.fullmatch(r"20[0-9]{2}-[0-9]{2}", text):
        raise ValueError(text)
    return dt.date(int(text[:4]), int(text[5:]), 1)
