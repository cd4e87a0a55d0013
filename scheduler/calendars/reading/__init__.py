"""Reading calendars that somebody else wrote: any bytes in, half-days or one refusal out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from scheduler.calendars.reading.values import Hours, Ignored, Reading, SaidHalf, Unreadable

__all__ = ["Hours", "Ignored", "Reading", "SaidHalf", "Unreadable", "read"]


def read(
    content: bytes,
    *,
    start: dt.date,
    end: dt.date,
    timezone: str,
    hours: Hours,
    own_uids: Collection[str] = (),
) -> Reading:
    """What a calendar says of the half-days from `start` to `end`, both included.

    Dates and times without a zone of their own are those of `timezone`. Events whose UID is among
    `own_uids` are Relais's own and are ignored. Raises `Unreadable`, and nothing else.
    """
    raise Unreadable("calendar_broken")
