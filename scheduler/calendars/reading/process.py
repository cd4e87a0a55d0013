"""Reading in a process of its own, which cannot take much and knows nothing worth taking."""

from __future__ import annotations

import datetime as dt
import json
import signal
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from scheduler.calendars.reading import limits, wire
from scheduler.calendars.reading.faults import Fault
from scheduler.calendars.reading.values import Hours, Reading, Unreadable

CHILD: Final = Path(__file__).with_name("child.py")
Answered = TypeVar("Answered")
# However many want something read, the machine has other work as well.
_PLACES: Final = threading.BoundedSemaphore(limits.AT_ONCE)
OVERRUNS: Final = (-signal.SIGPROF, -signal.SIGXCPU, -signal.SIGALRM, -signal.SIGKILL)


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
    if start > end:
        raise Unreadable(Fault.WINDOW_REVERSED)
    if start.year <= limits.FIRST_YEAR or end.year >= limits.LAST_YEAR:
        raise Unreadable(Fault.WINDOW_ABSURD)
    if (end - start).days > limits.LONGEST_WINDOW_DAYS:
        raise Unreadable(Fault.WINDOW_TOO_LONG, most=limits.LONGEST_WINDOW_DAYS)
    asked = wire.question(start, end, timezone, hours, own_uids)
    return answered(asked, content, wire.reading_of)


def answered(
    asked: Mapping[str, Any], content: bytes, understood: Callable[[Mapping[str, Any]], Answered]
) -> Answered:
    """What a reader answers about some bytes, as values; raises `Unreadable`, and nothing else.

    `understood` makes the values of its answer, or raises `ValueError`.
    """
    if len(content) > limits.MOST_BYTES:
        raise Unreadable(Fault.TOO_LARGE, most=limits.MOST_BYTES // 1024)
    status, output = _ask(json.dumps(asked).encode() + b"\n" + content)
    if status in OVERRUNS:
        raise Unreadable(Fault.TOO_SLOW)
    try:
        return understood(wire.told(json.loads(output)))
    except ValueError:
        _note("the reader of calendars ended without an answer", status=status)
        raise Unreadable(Fault.TOO_HEAVY if status else Fault.BROKEN) from None


def _ask(message: bytes) -> tuple[int, bytes]:
    """The exit status of a reader and what it answered; it has ended when this returns."""
    if not _PLACES.acquire(timeout=limits.PATIENCE_SECONDS):
        _note("too many calendars wait to be read")
        raise Unreadable(Fault.NOT_NOW)
    try:
        return _run(message)
    finally:
        _PLACES.release()


def _run(message: bytes) -> tuple[int, bytes]:
    # Here, because the reader itself imports this package and has no time to lose.
    import subprocess

    try:
        child = subprocess.Popen(  # noqa: S603 - our own file
            # Isolated: it sees neither the environment's Python nor the directory it runs in.
            [sys.executable, "-I", "-X", "utf8", str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
        )
    except OSError as error:
        _note("no reader of calendars can be started", error=str(error))
        raise Unreadable(Fault.NOT_NOW) from error
    with child:
        try:
            output, _ = child.communicate(message, timeout=limits.WALL_SECONDS)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL, b""
        finally:
            child.kill()
    return child.returncode, output


def _note(event: str, **facts: object) -> None:
    import logging

    # A command has not set up logs: it says one line, and that is its own.
    if logging.getLogger().hasHandlers():
        import structlog

        structlog.get_logger(__name__).error(event, **facts)
