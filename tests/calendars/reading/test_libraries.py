"""The reader takes calendars apart by itself, to be quick and safe: the libraries agree with it."""

from __future__ import annotations

import datetime as dt

import icalendar
import recurring_ical_events
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.calendars.reading import Hours
from scheduler.calendars.reading.expanding import Window
from scheduler.calendars.reading.halves import HalfDays, Slot
from tests.calendars.reading.support import END, PARIS, START, calendar, event, read_here

DAY = dt.timedelta(days=1)
ZONES = st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Tokyo", "UTC", ""])
STARTS = st.datetimes(
    dt.datetime(2026, 10, 1),  # noqa: DTZ001 - the zone is drawn beside it
    dt.datetime(2027, 11, 30),  # noqa: DTZ001
).map(lambda moment: moment.replace(second=0, microsecond=0))
LENGTHS = st.integers(1, 40 * 60).map(lambda minutes: dt.timedelta(minutes=minutes))
RULES = st.builds(
    "FREQ={};INTERVAL={}{}{}".format,
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 4),
    st.sampled_from(["", ";BYDAY=MO,TH", ";BYMONTHDAY=1,15,-1", ";BYMONTH=1,2,3,10,11,12"]),
    st.sampled_from(["", ";COUNT=7", ";UNTIL=20270601T120000Z"]),
)


def written(name: str, moment: dt.datetime, zone: str) -> str:
    text = f"{moment:%Y%m%dT%H%M%S}"
    if zone in ("UTC", ""):
        return f"{name}:{text}{'Z' if zone else ''}"
    return f"{name};TZID={zone}:{text}"


@st.composite
def events(draw: st.DrawFn, uid: str) -> list[str]:
    """An event, perhaps a series, with days taken out, put in and moved."""
    start, length = draw(STARTS), draw(LENGTHS)
    rule = draw(st.none() | RULES)
    if draw(st.integers(0, 3)) == 0:
        days = draw(st.integers(1, 20))
        lines = [
            f"DTSTART;VALUE=DATE:{start:%Y%m%d}",
            f"DTEND;VALUE=DATE:{start + days * DAY:%Y%m%d}",
        ]
        return [event(*lines, *([f"RRULE:{rule.split(';UNTIL')[0]}"] if rule else []), uid=uid)]
    zone = draw(ZONES)
    lines = [written("DTSTART", start, zone), written("DTEND", start + length, zone)]
    if rule is None:
        return [event(*lines, uid=uid)]
    # A rule that ends tells so in UTC, which a time without a zone cannot be compared with.
    lines.append("RRULE:" + (rule if zone else rule.split(";UNTIL")[0]))
    if draw(st.booleans()):
        lines.append(written("EXDATE", start + draw(st.integers(0, 9)) * DAY, zone))
    if draw(st.booleans()):
        lines.append(written("RDATE", start + draw(st.integers(1, 300)) * DAY, zone))
    found = [event(*lines, uid=uid)]
    if draw(st.booleans()):
        moved = draw(STARTS)
        found.append(
            event(
                written("RECURRENCE-ID", start + draw(st.integers(0, 9)) * 7 * DAY, zone),
                written("DTSTART", moved, zone),
                written("DTEND", moved + length, zone),
                uid=uid,
            )
        )
    return found


def by_the_libraries(content: bytes) -> set[Slot]:
    """The half-days that icalendar and recurring-ical-events see events in."""
    window = Window(START, END, PARIS)
    halves = HalfDays(window, Hours())
    parsed = icalendar.Calendar.from_ical(content)
    query = recurring_ical_events.of(parsed)
    return {
        touched.slot
        for each in query.between(window.first_instant - DAY, window.last_instant + DAY)
        for touched in halves.touched(_here(each["DTSTART"].dt), _here(each["DTEND"].dt))
    }


def _here(moment: dt.date) -> dt.date:
    if isinstance(moment, dt.datetime) and moment.tzinfo is None:
        return moment.replace(tzinfo=PARIS)
    return moment


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.tuples(events("a"), events("b")))
def test_the_libraries_see_the_same_half_days(drawn: tuple[list[str], list[str]]) -> None:
    content = calendar(*drawn[0], *drawn[1])
    said = read_here(content).half_days
    assert {(each.date, each.half) for each in said} == by_the_libraries(content)
