"""`app.py calendars preview`: what an import of a file would do, without a database."""

from __future__ import annotations

import datetime as dt
import json
import stat
import sys
from pathlib import Path
from typing import Any, Final

from scheduler.calendars.reading import Hours, Reading, Unreadable, limits, read
from scheduler.calendars.reading.faults import Fault
from scheduler.calendars.reading.sentences import fault_sentence, reason_sentence
from scheduler.core.clock import SystemClock, local_date
from scheduler.roster.rules import add_months, month_bounds

OK, BAD_INPUT = 0, 2
TIMEZONE: Final = "Europe/Paris"
# As an import does. `calendars.rules` says so too, and brings the whole database along.
MONTHS_AHEAD: Final = 18


class _NoFile(Exception):
    """The path leads to nothing that can be read; the text says why."""


def preview_file(path: Path, start: dt.date | None, end: dt.date | None) -> int:
    """Print what the file says of the days from `start` to `end`, as JSON.

    Without dates: from today, and until eighteen months after the first day. The hours and the
    time zone are those of a new practice. Returns 0, or 2 with one line on standard error for a
    file that cannot be read.
    """
    try:
        first, last = _window(start, end)
        reading = read(_content(path), start=first, end=last, timezone=TIMEZONE, hours=Hours())
    except Unreadable as fault:
        return _refuse(path, fault_sentence(fault.code, fault.facts))
    except _NoFile as trouble:
        return _refuse(path, str(trouble))
    sys.stdout.write(json.dumps(_as_json(reading), ensure_ascii=False, indent=1) + "\n")
    return OK


def _window(start: dt.date | None, end: dt.date | None) -> tuple[dt.date, dt.date]:
    first = start or local_date(SystemClock().now(), TIMEZONE)
    if end is not None:
        return first, end
    if first.year >= limits.LAST_YEAR:
        raise Unreadable(Fault.WINDOW_ABSURD)
    return first, month_bounds(add_months(first, MONTHS_AHEAD))[1]


def _content(path: Path) -> bytes:
    """The file's bytes, or one more than can be read of a larger one; raises `_NoFile`."""
    try:
        # A pipe would be waited for, and a device has no end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise _NoFile("not a file")
        with path.open("rb") as file:
            return file.read(limits.MOST_BYTES + 1)
    except OSError as error:
        raise _NoFile(f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise _NoFile("no name of a file") from error


def _as_json(reading: Reading) -> dict[str, Any]:
    return {
        "half_days": [
            {
                "date": said.date.isoformat(),
                "period": said.half.value,
                "busy": said.busy,
                "preference": said.preference.value if said.preference else None,
                "summary": said.summary,
            }
            for said in reading.half_days
        ],
        "ignored": [
            {"uid": each.uid, "reason": reason_sentence(each.code, each.facts)}
            for each in reading.ignored
        ],
    }


def _refuse(path: Path, sentence: str) -> int:
    shown = " ".join(str(path).encode("utf-8", "replace").decode().split())
    sys.stderr.write(f"relais: {shown}: {sentence}\n")
    return BAD_INPUT
