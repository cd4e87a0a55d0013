"""The process that reads one calendar, and ends.

It is run by its path, by `process.py`. It reads one line of JSON (the question) and then the
calendar's bytes from standard input, and writes one JSON object to standard output. It limits
itself before it imports a library or reads a byte.
"""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Answer the one question on standard input."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    from scheduler.calendars.reading import limits

    _limit(
        cpu=limits.CPU_SECONDS,
        cpu_at_all=limits.CPU_SECONDS_AT_ALL,
        wall=limits.WALL_SECONDS,
        memory=limits.MEMORY_BYTES,
    )
    from scheduler.calendars.reading import wire

    question = json.loads(sys.stdin.buffer.readline())
    content = sys.stdin.buffer.read()
    answer: dict[str, Any]
    try:
        answer = wire.answer(question, content)
    except MemoryError:
        answer = wire.TOO_HEAVY
    sys.stdout.write(json.dumps(answer))


def _limit(*, cpu: float, cpu_at_all: int, wall: int, memory: int) -> None:
    """What this process may use; it is ended by the system where it wants more."""
    for what, most in (
        (resource.RLIMIT_CPU, cpu_at_all),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        # macOS knows no limit of memory. One that is lower already stays.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))
    # Both timers end the process, whatever its parent does with these signals. The limits above
    # are the net: they come in whole seconds.
    ends = (signal.SIGPROF, signal.SIGALRM, signal.SIGXCPU)
    for each in ends:
        signal.signal(each, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*ends, signal.SIGVTALRM))
    signal.setitimer(signal.ITIMER_PROF, cpu)
    signal.setitimer(signal.ITIMER_REAL, wall)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
