"""Whatever the bytes: half-days, or one refusal, and never anything else."""

from __future__ import annotations

import datetime as dt
import json

from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scheduler.calendars.reading import Hours, Reading, Unreadable, limits, wire
from scheduler.calendars.reading.deadline import allow_deadlines
from scheduler.calendars.reading.expanding import Window
from scheduler.calendars.reading.faults import Fault, Reason
from scheduler.calendars.reading.halves import HalfDays
from scheduler.calendars.reading.whole import Reader
from tests.calendars.reading.support import (
    CORPUS,
    END,
    PARIS,
    START,
    calendar,
    dates,
    read_here,
    undisturbed,
)

SEEDS = [file.read_bytes() for file in sorted(CORPUS.glob("*.ics"))]
WORDS = st.sampled_from(
    [
        *(b"BEGIN:VEVENT\n", b"END:VEVENT\n", b"BEGIN:VCALENDAR\n", b"END:VCALENDAR\n", b"\n "),
        *(b"RRULE:FREQ=DAILY\n", b"RRULE:FREQ=YEARLY;BYWEEKNO=53\n", b"DURATION:P1W\n", b"\r"),
        *(b"DTSTART:20270228T250000\n", b"DTEND;VALUE=DATE:20270105\n", b"99999999", b"-", b":"),
        *(b"EXDATE:20270105\n", b"RECURRENCE-ID;RANGE=THISANDFUTURE:20270105T080000Z\n", b";"),
        *(b"TZID=Europe/Paris", b"TZID=Mars", b"STATUS:CANCELLED\n", b"\0", b"\xff\xfe", b'"'),
        *(b"FREQ=SECONDLY", b"COUNT=0", b"INTERVAL=0", b"BYDAY=5MO,-5SU", b"\xed\xa0\x80", b"T"),
    ]
)
PLACES = st.floats(0, 1)
slow_is_fine = settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow]
)


def read_plainly(content: bytes) -> Reading | None:
    """Read without the net that catches what nobody has thought of; None where it is refused."""
    allow_deadlines()
    halves = HalfDays(Window(START, END, PARIS), Hours())
    try:
        with undisturbed():
            return Reader(halves, frozenset()).read(content)
    except Unreadable as refused:
        return Fault(refused.code) and None


def assert_whole(reading: Reading | None) -> None:
    if reading is None:
        return
    slots = [(said.date, said.half) for said in reading.half_days]
    assert slots == sorted(set(slots))
    assert all(START <= date <= END for date, _ in slots)
    assert all(said.busy or said.preference for said in reading.half_days)
    assert {each.code for each in reading.ignored} <= set(Reason)
    for said in reading.half_days:
        assert len(said.summary) <= limits.LONGEST_TITLE
        # No half of a character, nor anything else that a database would refuse.
        assert said.summary.isascii() or said.summary.encode()
        assert "\0" not in said.summary + said.uid


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A calendar of the corpus with bytes put in, taken out, doubled, or taken from another."""
    content = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        first, last = sorted(int(draw(PLACES) * len(content)) for _ in range(2))
        other = draw(st.sampled_from(SEEDS))
        piece = draw(
            st.one_of(
                WORDS,
                st.binary(max_size=8),
                st.just(content[first:last][:400] * 2),
                st.just(other[first:last][:400]),
            )
        )
        cut = first + draw(st.integers(0, 40))
        content = content[:first] + piece + content[cut:]
    return content


NUMBERS = st.integers(-400, 400).map(str) | st.sampled_from(["0", "1", "53", "x", "", "1e9"])
LISTS = st.lists(NUMBERS, min_size=1, max_size=4).map(",".join)
DAYS = st.dates(dt.date(2026, 12, 1), dt.date(2028, 2, 1)).map("{:%Y%m%d}".format)
MOMENTS = st.one_of(
    DAYS,
    st.builds("{}T{:%H%M%S}{}".format, DAYS, st.times(), st.sampled_from(["", "Z"])),
    st.sampled_from(["", "00000000", "20270101T", "20271332", "16010101T000000", "29991231"]),
)
ZONES = st.sampled_from(
    ["", ";TZID=Europe/Paris", ";TZID=America/New_York", ";VALUE=DATE", ";TZID=Own", ";TZID="]
)
DURATIONS = st.builds(
    "{}P{}DT{}H{}M".format,
    st.sampled_from(["", "-", "+"]),
    *[st.integers(0, 2000)] * 3,
) | st.sampled_from(["P", "PT", "P1W", "P1", "1D", "PT0S"])
WEEKDAYS = st.lists(
    st.builds(
        "{}{}".format,
        st.sampled_from(["", "", "1", "-1", "5", "+2"]),
        st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]),
    ),
    min_size=1,
    max_size=3,
).map(",".join)


@st.composite
def rules(draw: st.DrawFn) -> str:
    parts = ["FREQ=" + draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY", "HOURLY"]))]
    for name, values in (
        ("INTERVAL", NUMBERS),
        ("COUNT", NUMBERS),
        ("UNTIL", MOMENTS),
        ("BYDAY", WEEKDAYS),
        ("BYMONTH", LISTS),
        ("BYMONTHDAY", LISTS),
        ("BYYEARDAY", LISTS),
        ("BYWEEKNO", LISTS),
        ("BYHOUR", LISTS),
        ("BYMINUTE", LISTS),
        ("BYSETPOS", LISTS),
        ("WKST", WEEKDAYS),
    ):
        if draw(st.integers(0, 3)) == 0:
            parts.append(f"{name}={draw(values)}")
    return ";".join(parts)


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    found = []
    for name, values in (
        ("DTSTART", MOMENTS),
        ("DTEND", MOMENTS),
        ("RECURRENCE-ID", MOMENTS),
        ("RDATE", MOMENTS),
        ("EXDATE", MOMENTS),
    ):
        if name == "DTSTART" or draw(st.booleans()):
            found.append(f"{name}{draw(ZONES)}:{draw(values)}")
    for name, others in (
        ("DURATION", DURATIONS),
        ("RRULE", rules()),
        ("STATUS", st.sampled_from(["CANCELLED", "TENTATIVE", ""])),
        ("TRANSP", st.sampled_from(["TRANSPARENT", "OPAQUE", "x"])),
        ("SEQUENCE", NUMBERS),
        ("SUMMARY", st.text(max_size=12).map(lambda text: text.replace("\n", "\\n"))),
        ("FREEBUSY", st.builds("{}/{}".format, MOMENTS, MOMENTS | DURATIONS)),
        ("PRIORITY", NUMBERS),
    ):
        if draw(st.booleans()):
            found.append(f"{name}:{draw(others)}")
    return found


@st.composite
def parts(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["VEVENT", "VEVENT", "VEVENT", "VFREEBUSY", "VTODO"]))
    uid = f"UID:{draw(st.sampled_from('abc'))}"
    own = "\n".join([f"BEGIN:{kind}", uid, *draw(lines()), f"END:{kind}"])
    if draw(st.integers(0, 4)):
        return own
    inner = ["BEGIN:AVAILABLE", uid, *draw(lines()), "END:AVAILABLE"]
    return "\n".join(["BEGIN:VAVAILABILITY", uid, *draw(lines()), *inner, "END:VAVAILABILITY"])


OWN_ZONE = "\n".join(
    [
        *("BEGIN:VTIMEZONE", "TZID:Own", "BEGIN:STANDARD", "DTSTART:16011028T030000"),
        *("RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "TZOFFSETFROM:+0300", "TZOFFSETTO:+0200"),
        *("END:STANDARD", "BEGIN:DAYLIGHT", "DTSTART:16010325T020000"),
        *("RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0300"),
        *("END:DAYLIGHT", "END:VTIMEZONE"),
    ]
)
BUILT = st.lists(parts(), min_size=1, max_size=5).map(lambda each: calendar(OWN_ZONE, *each))


@slow_is_fine
@given(st.binary(max_size=300))
@example(b"BEGIN:VCALENDAR\nEND:VCALENDAR")
@example(b"\xff\xfeB")
def test_any_bytes(content: bytes) -> None:
    assert_whole(read_plainly(content))


@slow_is_fine
@given(damaged())
def test_calendars_that_were_damaged(content: bytes) -> None:
    assert_whole(read_plainly(content))


@slow_is_fine
@given(BUILT)
def test_calendars_of_every_combination(content: bytes) -> None:
    reading = read_plainly(content)
    assert_whole(reading)
    if reading is not None:
        assert wire.reading_of(json.loads(json.dumps(wire.as_answer(reading)))) == reading


@slow_is_fine
@given(
    start=st.dates(dt.date(1950, 1, 1), dt.date(2027, 12, 31)),
    frequency=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    interval=st.integers(1, 12),
    weekdays=st.none() | WEEKDAYS,
    end=st.none() | st.dates(dt.date(2000, 1, 1), dt.date(2028, 12, 31)),
)
def test_a_series_from_long_ago_falls_on_the_days_it_always_did(
    start: dt.date, frequency: str, interval: int, weekdays: str | None, end: dt.date | None
) -> None:
    rule = f"FREQ={frequency};INTERVAL={interval}"
    if weekdays:
        plain = frequency in ("DAILY", "WEEKLY")
        rule += ";BYDAY=" + (
            "".join(c for c in weekdays if c not in "+-125") if plain else weekdays
        )
    if end:
        rule += f";UNTIL={end:%Y%m%d}"
    content = calendar(f"BEGIN:VEVENT\nDTSTART;VALUE=DATE:{start:%Y%m%d}\nRRULE:{rule}\nEND:VEVENT")
    counted = rrulestr(rule, dtstart=dt.datetime.combine(start, dt.time())).between(
        dt.datetime.combine(START, dt.time()), dt.datetime.combine(END, dt.time()), inc=True
    )
    expected = {moment.date().isoformat() for moment in counted}
    if start >= START and (end is None or end >= start):
        # RFC 5545: the beginning belongs to the series even where the rule does not name it.
        expected.add(start.isoformat())
    assert set(dates(read_here(content))) == expected
