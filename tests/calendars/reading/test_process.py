"""The process that reads: what it is given, what it may take, and that it goes away."""

from __future__ import annotations

import datetime as dt
import os
import resource
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest

from scheduler.calendars.reading import Hours, Ignored, Reading, Unreadable, limits, read, wire
from scheduler.calendars.reading.faults import Fault, Reason
from tests.calendars.reading.support import CORPUS, END, START, calendar, day, event, read_here

PROJECT = Path(__file__).resolve().parents[3]
SLOW = calendar(
    *[
        event(
            "DTSTART:20270105T090000Z",
            "DURATION:PT1H",
            "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
            uid=str(number),
        )
        for number in range(100)
    ]
)


def ask(content: bytes, **changes: object) -> Reading:
    asked: dict[str, object] = {
        "start": START,
        "end": END,
        "timezone": "Europe/Paris",
        "hours": Hours(),
    }
    return read(content, **(asked | changes))  # type: ignore[arg-type]


def fault_of(content: bytes, **changes: object) -> str:
    with pytest.raises(Unreadable) as refused:
        ask(content, **changes)
    return refused.value.code


@pytest.fixture
def others() -> set[int]:
    """The children that this process had before the test: a browser's driver, say."""
    return children()


def children() -> set[int]:
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        found.update(map(int, (task / "children").read_text().split()))
    return found


def test_it_answers_as_if_it_were_no_process_of_its_own() -> None:
    for file in ("google.ics", "availability.ics", "bad_events.ics"):
        content = (CORPUS / file).read_bytes()
        assert ask(content) == read_here(content)


def test_it_is_told_of_hours_zone_window_and_own_events() -> None:
    content = calendar(
        event("DTSTART:20270105T180000", "DURATION:PT2H", "SUMMARY:Concert", uid="evening"),
        event("DTSTART:20270107T180000", "DURATION:PT2H", uid="later"),
        event("DTSTART:20270105T180000", "DURATION:PT2H", uid="ours"),
    )
    hours = Hours(dt.time(9), dt.time(10), dt.time(20), dt.time(21))
    reading = ask(
        content,
        start=dt.date(2027, 1, 4),
        end=dt.date(2027, 1, 6),
        timezone="Europe/Moscow",
        hours=hours,
        own_uids={"ours"},
    )
    assert reading.half_days == ()
    assert reading.ignored == (
        Ignored("ours", Reason.OWN, date=dt.date(2027, 1, 5)),
        Ignored("evening", Reason.OUTSIDE_HOURS, {}, "Concert", dt.date(2027, 1, 5)),
        Ignored("later", Reason.OUTSIDE_DATES, date=dt.date(2027, 1, 7)),
    )


def test_an_event_that_asks_too_much_time_ends_with_one_word() -> None:
    assert fault_of(SLOW) == Fault.TOO_SLOW


def test_impossible_questions_are_refused_before_any_process_starts() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert fault_of(calendar(), start=END, end=START) == Fault.WINDOW_REVERSED
    assert fault_of(calendar(), start=dt.date(2020, 1, 1)) == Fault.WINDOW_TOO_LONG
    assert fault_of(calendar(), start=dt.date.min, end=dt.date.min) == Fault.WINDOW_ABSURD
    assert fault_of(calendar(), start=dt.date.max, end=dt.date.max) == Fault.WINDOW_ABSURD
    assert fault_of(b"x" * (limits.MOST_BYTES + 1)) == Fault.TOO_LARGE
    assert resource.getrusage(resource.RUSAGE_CHILDREN) == before


def test_a_zone_that_nobody_knows_is_no_crash() -> None:
    assert fault_of(calendar(day(5)), timezone="Nowhere/Atlantis") == Fault.BROKEN


@pytest.mark.parametrize(
    "answer", [{}, {"half_days": [["2027-01-05"]]}, {"fault": "no such word", "facts": {}}]
)
def test_an_answer_of_another_form_is_none(answer: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"not an answer|not a valid|not enough values"):
        wire.reading_of(answer)


def test_it_is_given_no_secret_no_handle_and_no_more_than_its_limits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RELAIS_SECRET_KEY", "a key that stays at home")
    before = children()
    with (tmp_path / "database").open("wb") as database:
        os.set_inheritable(database.fileno(), True)
        asking = Thread(target=fault_of, args=(SLOW,))
        asking.start()
        try:
            process = _limited_child(asking, before)
            environment = (process / "environ").read_bytes()
            handles = [os.readlink(link) for link in (process / "fd").iterdir()]
            allowed = (process / "limits").read_text()
        finally:
            asking.join()
    assert b"RELAIS" not in environment
    assert not any("database" in handle for handle in handles)
    assert _limit(allowed, "Max address space") == str(limits.MEMORY_BYTES)
    assert _limit(allowed, "Max cpu time") == str(limits.CPU_SECONDS_AT_ALL)
    assert _limit(allowed, "Max file size") == "0"
    assert children() <= before


def _limited_child(asking: Thread, before: set[int]) -> Path:
    """The process that reads for a thread, as soon as it has limited itself."""
    while asking.is_alive():
        for pid in children() - before:
            process = Path(f"/proc/{pid}")
            if _limit((process / "limits").read_text(), "Max file size") == "0":
                return process
    raise AssertionError("it was never seen")


def _limit(allowed: str, name: str) -> str:
    line = next(line for line in allowed.splitlines() if line.startswith(name))
    return line.removeprefix(name).split()[0]


def test_a_reader_that_is_not_done_in_time_is_ended(
    monkeypatch: pytest.MonkeyPatch, others: set[int]
) -> None:
    monkeypatch.setattr(limits, "WALL_SECONDS", 0.01)
    assert fault_of(SLOW) == Fault.TOO_SLOW
    assert children() <= others


@pytest.mark.parametrize(
    ("program", "fault"),
    [("/no/such/python", Fault.NOT_NOW), ("false", Fault.TOO_HEAVY), ("true", Fault.BROKEN)],
)
def test_a_reader_that_gives_no_answer_is_one_word_too(
    monkeypatch: pytest.MonkeyPatch, others: set[int], program: str, fault: Fault
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which(program) or program)
    assert fault_of(calendar(day(5))) == fault
    assert children() <= others


def test_many_threads_may_read_at_once(others: set[int]) -> None:
    with ThreadPoolExecutor(8) as pool:
        readings = list(pool.map(lambda number: ask(calendar(day(number))), range(1, 17)))
    assert [reading.half_days[0].date.day for reading in readings] == list(range(1, 17))
    assert children() <= others


def test_nothing_is_left_behind_where_the_parent_is_killed() -> None:
    program = (
        "import datetime as dt, sys\n"
        "from scheduler.calendars.reading import Hours, read\n"
        "content = sys.stdin.buffer.read()\n"
        "print('ready', flush=True)\n"
        "read(content, start=dt.date(2027, 1, 1), end=dt.date(2027, 12, 31),"
        " timezone='Europe/Paris', hours=Hours())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(SLOW)
        parent.stdin.close()
        parent.stdout.readline()
        listed = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        while not (pids := listed.read_text().split()):
            assert parent.poll() is None
        reader = os.pidfd_open(int(pids[0]))
        parent.send_signal(signal.SIGKILL)
    # Readable when the process has ended: its own limits see to that.
    with os.fdopen(reader) as ended:
        import select

        assert select.select([ended], [], [], 2 * limits.WALL_SECONDS)[0]
