"""Values and pure functions of the roster: half-days, preferences, weeks."""

from __future__ import annotations

import datetime as dt
import enum
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


DEFAULT_NEED_ROLES: Final = (Role.REPLACEMENT, Role.ASSISTANT, Role.TITULAR)


def days_between(start: dt.date, end: dt.date) -> Iterator[dt.date]:
    """Every date from `start` to `end`, both included."""
    for offset in range((end - start).days + 1):
        yield start + dt.timedelta(days=offset)


def monday_of(day: dt.date) -> dt.date:
    """The Monday of the ISO week of `day`."""
    return day - dt.timedelta(days=day.weekday())
