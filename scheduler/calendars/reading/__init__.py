"""Reading calendars that somebody else wrote: any bytes in, half-days or one refusal out."""

from __future__ import annotations

from scheduler.calendars.reading.process import read
from scheduler.calendars.reading.values import Hours, Ignored, Reading, SaidHalf, Unreadable

__all__ = ["Hours", "Ignored", "Reading", "SaidHalf", "Unreadable", "read"]
