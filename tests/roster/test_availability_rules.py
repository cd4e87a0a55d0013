"""What a doctor's words mean, half-day by half-day."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from scheduler.roster.availability_rules import busy_halves, dates_of, expand
from scheduler.roster.models import Availability, ImportedHalf, WeeklyAvailability
from scheduler.roster.rules import Half, Period, Preference

WANTED, POSSIBLE, LAST_RESORT = Preference
AM, PM = Half
HERE, THERE = 1, 2
# A Monday.
START = dt.date(2026, 11, 23)
END = dt.date(2026, 12, 20)


def day(offset: int) -> dt.date:
    return START + dt.timedelta(days=offset)


def word(
    offset: int, preference: Preference | None, half: Half = AM, practice_id: int | None = None
) -> Availability:
    return Availability(date=day(offset), half=half, preference=preference, practice_id=practice_id)


def repetition(weekday: int = 3, preference: Preference = POSSIBLE, **values: Any) -> Any:
    values = {"period": Period.AM, "interval_weeks": 1, "start": START, "end": None} | values
    return WeeklyAvailability(weekday=weekday, preference=preference, **values)


def test_nothing_said_is_nothing_available() -> None:
    assert expand([], [], [], START, END, HERE) == {}


def test_a_half_day_counts_only_itself() -> None:
    assert expand([word(0, WANTED, PM)], [], [], START, END, HERE) == {(START, PM): WANTED}


def imported(offset: int, preference: Preference | None, half: Half = AM) -> ImportedHalf:
    return ImportedHalf(date=day(offset), half=half, preference=preference, busy=preference is None)


def test_a_calendar_stands_between_a_word_and_a_repetition() -> None:
    weekly = [repetition(period=Period.DAY)]
    calendars = [imported(3, WANTED), imported(3, None, PM), imported(10, LAST_RESORT)]
    found = expand([word(10, POSSIBLE)], weekly, calendars, START, day(16), HERE)
    assert found == {
        (day(3), AM): WANTED,
        (day(10), AM): POSSIBLE,
        (day(10), PM): POSSIBLE,
    }


def test_of_two_calendars_the_one_that_is_taken_counts_and_else_the_more_willing() -> None:
    rows = [imported(0, None), imported(0, WANTED), imported(1, LAST_RESORT), imported(1, POSSIBLE)]
    assert expand([], [], rows, START, day(3), HERE) == {(day(1), AM): POSSIBLE}
    assert expand([], [], rows, day(2), day(3), HERE) == {}
    assert busy_halves([], rows) == {(START, AM)}
    # Whatever the doctor said in Relais itself is the last word.
    assert busy_halves([word(0, WANTED)], rows) == set()


def test_both_ends_are_included_and_nothing_beyond() -> None:
    words = [word(offset, WANTED) for offset in (-1, 0, 3, 4)]
    assert expand(words, [], [], START, day(3), HERE) == {(START, AM): WANTED, (day(3), AM): WANTED}


def test_a_whole_day_repetition_names_both_halves() -> None:
    found = expand([], [repetition(period=Period.DAY)], [], START, day(6), HERE)
    assert found == {(day(3), AM): POSSIBLE, (day(3), PM): POSSIBLE}


def test_a_word_outranks_a_better_repetition() -> None:
    found = expand([word(3, LAST_RESORT)], [repetition(preference=WANTED)], [], START, day(6), HERE)
    assert found == {(day(3), AM): LAST_RESORT}


def test_a_no_is_an_exception_to_a_repetition() -> None:
    found = expand([word(3, None)], [repetition()], [], START, day(13), HERE)
    assert found == {(day(10), AM): POSSIBLE}


def test_a_word_for_the_practice_outranks_one_for_any() -> None:
    words = [word(0, LAST_RESORT, practice_id=HERE), word(0, WANTED)]
    assert expand(words, [], [], START, END, HERE) == {(START, AM): LAST_RESORT}
    assert expand(words, [], [], START, END, THERE) == {(START, AM): WANTED}
    assert expand(words, [], [], START, END, None) == {(START, AM): WANTED}


def test_a_no_for_the_practice_leaves_the_others() -> None:
    words = [word(0, None, practice_id=HERE), word(0, WANTED)]
    assert expand(words, [], [], START, END, HERE) == {}
    assert expand(words, [], [], START, END, THERE) == {(START, AM): WANTED}


def test_a_repetition_for_the_practice_outranks_one_for_any() -> None:
    rows = [
        repetition(preference=LAST_RESORT, practice_id=HERE),
        repetition(preference=WANTED),
    ]
    assert expand([], rows, [], START, day(6), HERE) == {(day(3), AM): LAST_RESORT}
    assert expand([], rows, [], START, day(6), THERE) == {(day(3), AM): WANTED}


def test_the_best_of_several_repetitions_counts() -> None:
    rows = [repetition(preference=value) for value in (POSSIBLE, WANTED, LAST_RESORT)]
    assert expand([], rows, [], START, day(6), HERE) == {(day(3), AM): WANTED}


@pytest.mark.parametrize("preference", list(Preference))
def test_every_preference_survives(preference: Preference) -> None:
    assert expand([word(0, preference)], [], [], START, END, HERE) == {(START, AM): preference}


@pytest.mark.parametrize(
    ("values", "offsets"),
    [
        ({}, [3, 10, 17, 24]),
        ({"interval_weeks": 2}, [3, 17]),
        ({"interval_weeks": 3}, [3, 24]),
        # Begun on the Friday of its first week: that week counts, its Thursday is over.
        ({"interval_weeks": 2, "start": day(4)}, [17]),
        # Begun long before: the weeks are counted from its own first week.
        ({"interval_weeks": 2, "start": day(-14)}, [3, 17]),
        ({"interval_weeks": 2, "start": day(-7)}, [10, 24]),
        ({"interval_weeks": 8, "start": day(-53 * 7)}, [24]),
        ({"end": day(17)}, [3, 10, 17]),
        ({"end": day(16)}, [3, 10]),
        ({"start": day(10)}, [10, 17, 24]),
        ({"weekday": 0}, [0, 7, 14, 21]),
        ({"weekday": 6}, [6, 13, 20, 27]),
        ({"end": day(-1), "start": day(-30)}, []),
        ({"start": day(400)}, []),
    ],
)
def test_dates_of_a_repetition(values: dict[str, Any], offsets: list[int]) -> None:
    found = list(dates_of(repetition(**values), START, END))
    assert found == [day(offset) for offset in offsets]


def test_weeks_are_counted_across_the_turn_of_a_year_with_53_weeks() -> None:
    # ISO year 2026 has a week 53; counting numbers instead of weeks would lose the step.
    row = repetition(weekday=3, interval_weeks=2, start=dt.date(2026, 12, 17))
    found = list(dates_of(row, dt.date(2026, 12, 14), dt.date(2027, 1, 31)))
    assert found == [
        dt.date(2026, 12, 17),
        dt.date(2026, 12, 31),
        dt.date(2027, 1, 14),
        dt.date(2027, 1, 28),
    ]
