"""The expansion of availabilities, against a slow reading of its rules."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from scheduler.roster.availability_rules import RANK, expand, fair_share, same_place
from scheduler.roster.models import Availability, WeeklyAvailability
from scheduler.roster.rules import Half, Period, Preference, days_between, month_bounds

DAYS = st.dates(dt.date(2026, 11, 1), dt.date(2027, 2, 28))
PRACTICES = st.sampled_from([None, 1, 2])
PREFERENCES = st.sampled_from(list(Preference))

WORDS = st.lists(
    st.builds(
        Availability,
        date=DAYS,
        half=st.sampled_from(list(Half)),
        preference=st.none() | PREFERENCES,
        practice_id=PRACTICES,
    ),
    max_size=12,
    unique_by=lambda row: (row.date, row.half, row.practice_id),
)
REPETITIONS = st.lists(
    st.builds(
        WeeklyAvailability,
        weekday=st.integers(0, 6),
        period=st.sampled_from(list(Period)),
        preference=PREFERENCES,
        interval_weeks=st.integers(1, 8),
        start=DAYS,
        end=st.none() | DAYS,
        practice_id=PRACTICES,
    ).filter(lambda row: row.end is None or row.end >= row.start),
    max_size=6,
)


def read_slowly(
    words: list[Availability],
    repetitions: list[WeeklyAvailability],
    day: dt.date,
    half: Half,
    practice_id: int | None,
) -> Preference | None:
    scopes = [practice_id, None] if practice_id is not None else [None]
    for scope in scopes:
        for word in words:
            if (word.date, word.half, word.practice_id) == (day, half, scope):
                return word.preference
    for scope in scopes:
        named = [
            row.preference
            for row in repetitions
            if row.practice_id == scope
            and row.weekday == day.weekday()
            and half in row.period.halves
            and row.start <= day
            and (row.end is None or day <= row.end)
            and weeks_apart(row.start, day) % row.interval_weeks == 0
        ]
        if named:
            return min(named, key=RANK.__getitem__)
    return None


def weeks_apart(first: dt.date, second: dt.date) -> int:
    mondays = [dt.date.fromisocalendar(*day.isocalendar()[:2], 1) for day in (first, second)]
    return (mondays[1] - mondays[0]).days // 7


@given(WORDS, REPETITIONS, DAYS, st.integers(0, 60), PRACTICES)
def test_expansion_agrees_with_a_slow_reading(
    words: list[Availability],
    repetitions: list[WeeklyAvailability],
    start: dt.date,
    length: int,
    practice_id: int | None,
) -> None:
    end = start + dt.timedelta(days=length)
    expected = {
        (day, half): preference
        for day in days_between(start, end)
        for half in Half
        if (preference := read_slowly(words, repetitions, day, half, practice_id)) is not None
    }
    assert expand(words, repetitions, [], start, end, practice_id) == expected


@given(DAYS, DAYS)
def test_a_day_keeps_its_place_in_another_month(day: dt.date, month: dt.date) -> None:
    first, last = month_bounds(month)
    same = [each for each in days_between(first, last) if each.weekday() == day.weekday()]
    place = sum(each.weekday() == day.weekday() for each in days_between(day.replace(day=1), day))
    assert same_place(day, month) == (same[place - 1] if place <= len(same) else None)


@given(st.integers(0, 200), st.integers(1, 40))
def test_equal_parts_are_enough_and_no_more(open_half_days: int, doctors: int) -> None:
    share = fair_share(open_half_days, doctors)
    assert share * doctors >= open_half_days
    assert share == 0 or (share - 1) * doctors < open_half_days
