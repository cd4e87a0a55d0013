"""Calendars to read, and what was read, written so that a person can check it."""

from __future__ import annotations

import datetime as dt
import gc
import json
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.calendars.reading import Hours, Reading, wire
from scheduler.calendars.reading.process import CHILD
from scheduler.calendars.reading.whole import read_whole

CORPUS = Path(__file__).with_name("corpus")
PARIS = ZoneInfo("Europe/Paris")
START, END = dt.date(2027, 1, 1), dt.date(2027, 12, 31)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hypothesis counts the time of each collection; a deadline must not fall in its counting."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def read_here(content: bytes, own_uids: Collection[str] = ()) -> Reading:
    """Read in this process: without limits of memory, and quicker than in one of its own."""
    with undisturbed():
        return read_whole(
            content,
            start=START,
            end=END,
            timezone="Europe/Paris",
            hours=Hours(),
            own_uids=own_uids,
        )


def calendar(*parts: str, head: str = "") -> bytes:
    """A calendar of these parts, each given by its lines."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tests//EN", *head.split("\n"), *parts]
    text = "\n".join([*lines, "END:VCALENDAR", ""])
    return text.replace("\n", "\r\n").encode("utf-8", "surrogatepass")


def event(*lines: str, uid: str = "one") -> str:
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT"])


def day(number: int, *lines: str, uid: str = "one") -> str:
    """An event that lasts a whole day of January 2027."""
    return event(f"DTSTART;VALUE=DATE:202701{number:02}", *lines, uid=uid)


def as_text(reading: Reading) -> list[str]:
    """One line for each half-day, and one for each thing that was ignored."""
    said = [
        f"{each.date} {each.half} {'busy' if each.busy else 'free'}"
        f" {each.preference or 'none'} | {each.summary}".rstrip()
        for each in reading.half_days
    ]
    return said + [f"ignored {each.uid or '-'} {each.code}" for each in reading.ignored]


def dates(reading: Reading) -> list[str]:
    """The dates that a file speaks of, each once."""
    return sorted({each.date.isoformat() for each in reading.half_days})


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of the process that reads: its answer, and what it used."""

    status: int
    answer: dict[str, Any] | None
    cpu_seconds: float
    memory_kb: int


# Starts the reader and weighs it. A process that is forked from a large one, as from that of the
# tests, is weighed with what it was before it became the reader.
SCALES = """
import json, os, subprocess, sys
child = subprocess.Popen([sys.executable, "-I", "-X", "utf8", sys.argv[1]], env={},
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
output = child.stdout.read()
_, status, used = os.wait4(child.pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), output.decode(),
                  used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""


def measured(content: bytes) -> Measured:
    """Read in a process of its own, started as Relais starts it, and weigh that process alone."""
    asked = wire.question(START, END, "Europe/Paris", Hours(), ())
    scales = subprocess.run(
        [sys.executable, "-I", "-c", SCALES, str(CHILD)],
        input=json.dumps(asked).encode() + b"\n" + content,
        stdout=subprocess.PIPE,
        env={},
        check=True,
    )
    status, output, cpu_seconds, memory_kb = json.loads(scales.stdout)
    return Measured(
        status=status,
        answer=json.loads(output) if output else None,
        cpu_seconds=cpu_seconds,
        memory_kb=memory_kb,
    )
