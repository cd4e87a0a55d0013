"""What Relais writes into a calendar, Relais reads back: the same half-days."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from scheduler.calendars import document
from scheduler.calendars.document import Entry
from scheduler.calendars.reading import Hours, SaidHalf
from scheduler.calendars.rules import hours_of
from scheduler.people.models import Practice
from scheduler.roster.rules import Half, Period, Preference
from tests.calendars.reading.support import END, START, dates, read_here

HOURS = Hours()
PRACTICE = Practice(
    timezone="Europe/Paris",
    am_start=HOURS.am_start,
    am_end=HOURS.am_end,
    pm_start=HOURS.pm_start,
    pm_end=HOURS.pm_end,
)
# Both nights of the clocks, and both ends of week 53 of 2026.
SPRING, AUTUMN = dt.date(2027, 3, 28), dt.date(2027, 10, 31)
DATES = st.dates(START, END) | st.sampled_from(
    [START, dt.date(2027, 1, 3), SPRING, SPRING + dt.timedelta(1), AUTUMN, END]
)
DAYS = st.dictionaries(
    DATES, st.tuples(st.sampled_from(Period), st.booleans(), st.booleans()), max_size=12
)
HALVES = {Period.AM: (Half.AM,), Period.PM: (Half.PM,), Period.DAY: (Half.AM, Half.PM)}


def entry(date: dt.date, period: Period, *, tentative: bool, transparent: bool) -> Entry:
    start, end = hours_of(PRACTICE, date, period)
    return Entry(
        uid=f"{date}@relais",
        sequence=0,
        changed_at=dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC),
        start=start,
        end=end,
        summary=f"Nieul, « {date} »; matin\\soir",
        location="Salle 1",
        url="https://relais.example/",
        tentative=tentative,
        transparent=transparent,
    )


def written(entries: list[Entry], *, all_day: bool) -> bytes:
    return document.write(
        "Relais – mes journées", "fr", "Europe/Paris", (2026, 2028), entries, all_day=all_day
    )


@given(days=DAYS)
@example({SPRING: (Period.AM, False, False), AUTUMN: (Period.AM, False, False)})
@example({dt.date(2027, 1, 3): (Period.DAY, True, False), END: (Period.PM, False, True)})
def test_days_with_hours_are_read_back(days: dict[dt.date, tuple[Period, bool, bool]]) -> None:
    entries = [
        entry(date, period, tentative=tentative, transparent=transparent)
        for date, (period, tentative, transparent) in days.items()
    ]
    reading = read_here(written(entries, all_day=False))
    assert reading.ignored == ()
    assert reading.half_days == tuple(
        SaidHalf(
            date=date,
            half=half,
            busy=not transparent,
            preference=Preference.WANTED,
            summary=f"Nieul, « {date} »; matin\\soir",
            uid=f"{date}@relais",
        )
        for date, (period, _, transparent) in sorted(days.items())
        for half in HALVES[period]
    )


@given(days=st.sets(DATES, max_size=12))
def test_whole_days_are_read_back(days: set[dt.date]) -> None:
    entries = [entry(date, Period.DAY, tentative=False, transparent=False) for date in sorted(days)]
    reading = read_here(written(entries, all_day=True))
    assert dates(reading) == sorted(date.isoformat() for date in days)
    assert len(reading.half_days) == 2 * len(days)


def test_a_cancelled_day_is_not_read_back() -> None:
    gone = replace(entry(SPRING, Period.DAY, tentative=False, transparent=False), cancelled=True)
    reading = read_here(written([gone], all_day=False))
    assert reading.half_days == ()
    assert [each.code for each in reading.ignored] == ["event_cancelled"]


def test_days_of_ones_own_feed_are_not_read_back() -> None:
    ours = entry(SPRING, Period.DAY, tentative=False, transparent=False)
    reading = read_here(written([ours], all_day=False), own_uids=[ours.uid])
    assert reading.half_days == ()
    assert [each.code for each in reading.ignored] == ["event_own"]
