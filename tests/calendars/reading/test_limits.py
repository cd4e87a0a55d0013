"""Calendars that are made to do harm: each ends in one answer, within the limits promised."""

from __future__ import annotations

import datetime as dt

import pytest

from scheduler.calendars.reading import limits
from scheduler.calendars.reading.faults import Fault, Reason
from tests.calendars.reading.support import Measured, calendar, day, event, measured

CPU_SECONDS, MEMORY_KB = 2.0, 256 * 1024
HOUR = ("DTSTART:20270105T090000Z", "DURATION:PT1H")
LARGEST = limits.MOST_BYTES - 400


def _event_on(number: int, *lines: str) -> str:
    date = dt.date(2027, 1, 1) + dt.timedelta(days=number % 365)
    times = (f"DTSTART;TZID=Europe/Paris:{date:%Y%m%d}T090000", "DURATION:PT1H")
    return event(*times, *lines, uid=str(number))


def _zone(rule: str, dates: str = "") -> str:
    return "\n".join(
        [
            *("BEGIN:VTIMEZONE", "TZID:Bomb", "BEGIN:STANDARD", "DTSTART:16010101T000000"),
            *("TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", f"RRULE:{rule}", f"RDATE:{dates}"),
            *("END:STANDARD", "END:VTIMEZONE"),
            *("BEGIN:VEVENT", "UID:zoned", "DTSTART;TZID=Bomb:20270105T090000"),
            *("DURATION:PT1H", "END:VEVENT"),
        ]
    )


BOMBS: dict[str, tuple[bytes, Fault]] = {
    "nothing": (b"", Fault.EMPTY),
    "blanks": (b" \r\n\0" * 1000, Fault.EMPTY),
    "one byte too many": (b"x" * (limits.MOST_BYTES + 1), Fault.TOO_LARGE),
    "a page of a website": (b"<!DOCTYPE html><title>Sign in</title>", Fault.NOT_ONE),
    "an address book": (b"BEGIN:VCARD\r\nFN:A\r\nEND:VCARD\r\n", Fault.NOT_ONE),
    "an event alone": (event(*HOUR).encode(), Fault.NOT_ONE),
    "noise": (bytes(range(256)) * 4000, Fault.NOT_ONE),
    "a path": (b"/etc/passwd", Fault.NOT_ONE),
    "half of a file": (calendar(day(5))[:-16], Fault.CUT_OFF),
    "ends that do not match": (calendar("BEGIN:VEVENT"), Fault.BROKEN),
    "5,001 events": (calendar(*[_event_on(n) for n in range(5_001)]), Fault.TOO_MANY_PARTS),
    "calendars without end": (calendar() * 5_002, Fault.TOO_MANY_PARTS),
    "a well": (b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 4_000, Fault.TOO_DEEP),
    "another scale": (calendar(head="CALSCALE:HEBREW"), Fault.NOT_GREGORIAN),
    "years on end": (
        calendar(
            *[
                event("DTSTART;VALUE=DATE:20270101", "DURATION:P900D", uid=str(number))
                for number in range(1_000)
            ]
        ),
        Fault.TOO_FULL,
    ),
    "impossible days": (
        calendar(*[_event_on(n, "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30") for n in range(100)]),
        Fault.TOO_SLOW,
    ),
}

DUDS: dict[str, tuple[bytes, Reason]] = {
    "every second": (calendar(event(*HOUR, "RRULE:FREQ=SECONDLY")), Reason.RULE_SUB_DAILY),
    "every minute": (calendar(event(*HOUR, "RRULE:freq=minutely")), Reason.RULE_SUB_DAILY),
    "every 24 hours": (
        calendar(event(*HOUR, "RRULE:FREQ=HOURLY;INTERVAL=24")),
        Reason.RULE_SUB_DAILY,
    ),
    "no interval": (
        calendar(event(*HOUR, "RRULE:FREQ=DAILY;INTERVAL=0")),
        Reason.RULE_INTERVAL,
    ),
    "an interval of ages": (
        calendar(event(*HOUR, "RRULE:FREQ=DAILY;INTERVAL=999999999")),
        Reason.RULE_INTERVAL,
    ),
    "1,001 times": (calendar(event(*HOUR, "RRULE:FREQ=DAILY;COUNT=1001")), Reason.RULE_COUNT),
    "a number of 1,000 digits": (
        calendar(event(*HOUR, "RRULE:FREQ=DAILY;COUNT=" + "9" * 1_000)),
        Reason.RULE_BROKEN,
    ),
    "a rule of a megabyte": (
        calendar(event(*HOUR, "RRULE:FREQ=DAILY;BYDAY=" + "MO," * (LARGEST // 3))),
        Reason.RULE_TOO_MANY,
    ),
    "every hour of every day": (
        calendar(
            event(
                *HOUR,
                "RRULE:FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=0,30",
            )
        ),
        Reason.RULE_TOO_MANY,
    ),
    "many rules": (
        calendar(event(*HOUR, *["RRULE:FREQ=DAILY"] * 1_000)),
        Reason.RULE_TOO_MANY,
    ),
    "a flood of dates": (
        calendar(event(*HOUR, "RDATE:" + ",".join(["20270105T090000Z"] * 60_000))),
        Reason.TOO_MANY_DATES,
    ),
    "a flood of exceptions": (
        calendar(event(*HOUR, "RRULE:FREQ=DAILY", *["EXDATE:20270105T090000Z"] * 10_000)),
        Reason.TOO_MANY_DATES,
    ),
    "a flood of periods": (
        calendar(
            "BEGIN:VFREEBUSY\nUID:x\nFREEBUSY:"
            + ",".join(["20270105T090000Z/PT1H"] * 40_000)
            + "\nEND:VFREEBUSY"
        ),
        Reason.TOO_MANY_DATES,
    ),
    "a duration of ages": (
        calendar(event("DTSTART:20270105T090000Z", "DURATION:P99999W")),
        Reason.DURATION_ABSURD,
    ),
    "a duration beyond number": (
        calendar(event("DTSTART:20270105T090000Z", "DURATION:P" + "9" * 5_000 + "W")),
        Reason.DATE_BROKEN,
    ),
    "no such day, ever": (
        calendar(event(*HOUR, "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")),
        Reason.TOO_SLOW,
    ),
    "no such week": (
        calendar(event(*HOUR, "RRULE:FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=31")),
        Reason.TOO_SLOW,
    ),
    "clocks that change each second": (
        calendar(_zone("FREQ=SECONDLY")),
        Reason.ZONE_UNKNOWN,
    ),
    "clocks that change at each of many minutes": (
        calendar(_zone("FREQ=YEARLY;BYHOUR=1,2,3;BYMINUTE=" + ",".join(map(str, range(60))))),
        Reason.ZONE_UNKNOWN,
    ),
    "clocks that changed too often": (
        calendar(_zone("FREQ=YEARLY", ",".join(["20270105T090000"] * 50_000))),
        Reason.ZONE_UNKNOWN,
    ),
    "a zone that is a path": (
        calendar(event("DTSTART;TZID=../../../../etc/passwd:20270105T090000")),
        Reason.ZONE_UNKNOWN,
    ),
    "a zone that is a directory": (
        calendar(event("DTSTART;TZID=Europe:20270105T090000")),
        Reason.ZONE_UNKNOWN,
    ),
    "a zone with a name without end": (
        calendar(event("DTSTART;TZID=" + "Europe/" * 100_000 + ":20270105T090000")),
        Reason.ZONE_UNKNOWN,
    ),
}

HEAVY: dict[str, bytes] = {
    "5,000 events": calendar(*[_event_on(number) for number in range(5_000)]),
    "5,000 events each day": calendar(
        *[_event_on(number, "RRULE:FREQ=DAILY") for number in range(5_000)]
    ),
    "a title of a megabyte": calendar(day(5, "SUMMARY:" + "x" * LARGEST)),
    "a title of escapes": calendar(day(5, "SUMMARY:" + "\\" * LARGEST)),
    "quotes that never end": calendar(day(5, "SUMMARY;" + '"' * LARGEST + ":x")),
    "parameters without end": calendar(day(5, "SUMMARY" + ";A=" * (LARGEST // 3) + ":x")),
    "blanks without end": calendar(day(5, "SUMMARY" + " " * LARGEST + ":x")),
    "lines without end": calendar("\n" * (LARGEST // 2)),
    "folds without end": calendar(day(5, "SUMMARY:x" + "\n " * (LARGEST // 3))),
    "short lines": calendar(*["UID:"] * (LARGEST // 6)),
    "a number of zones": calendar(
        *[
            event(f"DTSTART;TZID=/a/b/c/d/{number}:20270105T090000", uid=str(number))
            for number in range(5_000)
        ]
    ),
    "all under one name": calendar(*[day(1 + number % 28) for number in range(5_000)]),
    "changes of one event": calendar(
        event(*HOUR, "RRULE:FREQ=DAILY"),
        *[
            event(*HOUR, f"RECURRENCE-ID:2027{1 + n % 12:02}{1 + n % 28:02}T0900{n % 60:02}Z")
            for n in range(4_000)
        ],
    ),
    "changes from each day on": calendar(
        event(*HOUR, "RRULE:FREQ=DAILY"),
        *[
            event(
                *HOUR,
                f"RECURRENCE-ID;RANGE=THISANDFUTURE:2027{1 + n % 12:02}{1 + n % 28:02}T090000Z",
            )
            for n in range(2_000)
        ],
    ),
    "free times": calendar(
        *[
            "\n".join(
                [
                    *("BEGIN:VAVAILABILITY", f"UID:{number}", "BEGIN:AVAILABLE", *HOUR),
                    *("RRULE:FREQ=DAILY", "END:AVAILABLE", "END:VAVAILABILITY"),
                ]
            )
            for number in range(2_000)
        ]
    ),
    "free times in one": calendar(
        "\n".join(
            [
                *("BEGIN:VAVAILABILITY", "UID:x"),
                *["\n".join(("BEGIN:AVAILABLE", *HOUR, "RRULE:FREQ=DAILY", "END:AVAILABLE"))]
                * 4_000,
                "END:VAVAILABILITY",
            ]
        )
    ),
}


def assert_within_limits(run: Measured) -> None:
    assert run.cpu_seconds <= CPU_SECONDS
    assert run.memory_kb <= MEMORY_KB


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_one_word(name: str) -> None:
    content, fault = BOMBS[name]
    run = measured(content)
    assert_within_limits(run)
    if run.answer is None:
        # Ended by the system before it could answer: `read` says the same for it.
        assert fault is Fault.TOO_SLOW
        assert run.status < 0
    else:
        assert run.answer["fault"] == fault


@pytest.mark.parametrize("name", DUDS)
def test_a_bad_event_is_ignored_and_its_neighbour_is_not(name: str) -> None:
    content, reason = DUDS[name]
    neighbour = day(7, uid="neighbour").replace("\n", "\r\n").encode()
    if len(content) + len(neighbour) < limits.MOST_BYTES:
        content = content.replace(b"END:VCALENDAR", neighbour + b"\r\nEND:VCALENDAR")
    run = measured(content)
    assert_within_limits(run)
    assert run.answer is not None
    assert [code for _, code, *_ in run.answer["ignored"]] == [reason]
    assert {uid for *_, uid in run.answer["half_days"]} == {"neighbour"}


@pytest.mark.parametrize("name", HEAVY)
def test_no_file_takes_more_than_its_share(name: str) -> None:
    content = HEAVY[name]
    assert len(content) <= limits.MOST_BYTES
    run = measured(content)
    assert_within_limits(run)
    assert run.answer is not None or run.status < 0


def test_five_thousand_events_are_read() -> None:
    answer = measured(HEAVY["5,000 events"]).answer
    assert answer is not None
    assert len(answer["half_days"]) == 365
    assert answer["ignored"] == []


def test_a_thousand_repetitions_are_read() -> None:
    answer = measured(calendar(day(1, "RRULE:FREQ=DAILY;COUNT=1000"))).answer
    assert answer is not None
    assert len(answer["half_days"]) == 2 * 365
