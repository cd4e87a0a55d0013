"""`app.py labs read`: what the readers understand of a file, without a database."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

from scheduler.oncall.readers import limits, read
from scheduler.oncall.readers.faults import Unreadable

OK, BAD_INPUT, QUARANTINED = 0, 2, 3


class _NoFile(Exception):
    """The path leads to nothing that can be read; the text says why."""


def read_file(path: Path) -> int:
    """Print a file's report as JSON.

    Returns 0; 3 where the file is to be quarantined, with the reason as JSON; 2 where the path
    leads to no file, with one line on standard error.
    """
    try:
        content = _content(path)
    except _NoFile as trouble:
        shown = " ".join(str(path).encode("utf-8", "replace").decode().split())
        sys.stderr.write(f"relais: {shown}: {trouble}\n")
        return BAD_INPUT
    try:
        return _print(read(content).as_json(), OK)
    except Unreadable as fault:
        return _print({"quarantined": fault.sentence}, QUARANTINED)


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


def _print(answer: dict[str, Any], status: int) -> int:
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1) + "\n")
    return status
