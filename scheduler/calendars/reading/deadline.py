"""A limit of processor time for a piece of work inside this process, which has one thread."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Overrun(BaseException):
    """The time is over. No `Exception`: the libraries at work catch those."""


def allow_deadlines() -> None:
    """To be called once, before the first deadline."""
    signal.signal(signal.SIGVTALRM, _overrun)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise `Overrun` in what takes more processor time than this."""
    # Again and again: Python drops an exception that meets it in the end of an object.
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds / 4)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _overrun(_signal: int, _frame: FrameType | None) -> None:
    raise Overrun
