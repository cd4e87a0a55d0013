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


def main() -> None:
    """Answer the one question on standard input."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    from scheduler.calendars.reading import limits, wire
    from scheduler.calendars.reading.faults import Fault
    from scheduler.calendars.reading.values import Unreadable

    _limit(
        cpu=limits.CPU_SECONDS,
        cpu_at_all=limits.CPU_SECONDS_AT_ALL,
        wall=limits.WALL_SECONDS,
        memory=limits.MEMORY_BYTES,
    )
    read = wire.reader_for(json.loads(sys.stdin.buffer.readline()))
    # Not before: Python keeps what it makes of a library's source when it is first imported.
    _set(resource.RLIMIT_FSIZE, 0)
    try:
        answer = read(sys.stdin.buffer.read())
    except Unreadable as fault:
        answer = wire.as_fault(fault)
    except MemoryError:
        answer = wire.as_fault(Unreadable(Fault.TOO_HEAVY))
    sys.stdout.write(json.dumps(answer))


def _limit(*, cpu: float, cpu_at_all: int, wall: int, memory: int) -> None:
    """What this process may use; it is ended by the system where it wants more."""
    _set(resource.RLIMIT_CPU, cpu_at_all)
    _set(resource.RLIMIT_AS, memory)
    _set(resource.RLIMIT_CORE, 0)
    # Both timers end the process, whatever its parent does with these signals. The limits above
    # are the net: they come in whole seconds.
    ends = (signal.SIGPROF, signal.SIGALRM, signal.SIGXCPU)
    for each in ends:
        signal.signal(each, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*ends, signal.SIGVTALRM))
    signal.setitimer(signal.ITIMER_PROF, cpu)
    signal.setitimer(signal.ITIMER_REAL, wall)


def _set(what: int, most: int) -> None:
    # macOS knows no limit of memory. One that is lower already stays.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
