"""How French writes dates and times, where the patterns of CLDR say it otherwise."""

from __future__ import annotations

import datetime as dt
from typing import Final

CLOCK: Final = "HH:mm"


def french(pattern: str, at: dt.date) -> str:
    """A date pattern for `at` as French readers write it: « mar. 1er déc. à 9 h 05 ».

    Only the first of a month is an ordinal. A clock time after a date (``, HH:mm``) is said with
    « à », and a full hour without its minutes; `at` must be local.
    """
    if at.day == 1:
        pattern = pattern.replace("d M", "d'er' M")
    if isinstance(at, dt.datetime):
        clock = "H\u00a0'h'\u00a0mm" if at.minute else "H\u00a0'h'"
        pattern = pattern.replace(f", {CLOCK}", f" 'à' {CLOCK}").replace(CLOCK, clock)
    return pattern
