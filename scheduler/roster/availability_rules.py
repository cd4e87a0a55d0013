"""Pure functions of availabilities: what a doctor's words mean, half-day by half-day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, TypeVar

from scheduler.roster.rules import Half, Preference, add_months, monday_of, month_bounds

if TYPE_CHECKING:
    from scheduler.roster.models import (
        Availability,
        ImportedHalf,
        WeeklyAvailability,
        WeeklyPresence,
    )

Row = TypeVar("Row", "Availability", "WeeklyAvailability")
HalfDay = tuple[dt.date, Half]

# Best first, as they stand in the enumeration.
RANK: Final = {preference: rank for rank, preference in enumerate(Preference)}

# What a tap makes of what stands there: wanted, possible, last resort, nothing, wanted again.
CYCLE: Final[dict[Preference | None, Preference | None]] = {
    None: Preference.WANTED,
    Preference.WANTED: Preference.POSSIBLE,
    Preference.POSSIBLE: Preference.LAST_RESORT,
    Preference.LAST_RESORT: None,
}

MOST_MONTHS_AHEAD: Final = 18


def expand(
    explicit: Iterable[Availability],
    weekly: Iterable[WeeklyAvailability],
    imported: Iterable[ImportedHalf],
    start: dt.date,
    end: dt.date,
    practice_id: int | None,
) -> dict[HalfDay, Preference]:
    """One doctor's half-days from `start` to `end`, both included, as they count for a practice.

    A half-day that is missing is one on which the doctor does not come. What was said of the
    half-day itself outranks every repetition, and `None` there takes it out. What the doctor's
    own calendars say stands between the two: a time that is taken in one of them takes the
    half-day out, else the best preference that one of them names counts. Among words of the
    same kind, those for this practice outrank those for any practice; of several repetitions
    left, the best preference counts. Rows for other practices do not count; `practice_id` None
    asks for what holds in every practice.
    """
    found = _repeated(weekly, start, end, practice_id)
    _lay_over(found, (row for row in imported if start <= row.date <= end))
    for row in _narrowest_last(explicit, practice_id):
        if not start <= row.date <= end:
            continue
        if row.preference is None:
            found.pop((row.date, row.half), None)
        else:
            found[row.date, row.half] = row.preference
    return found


def busy_halves(explicit: Iterable[Availability], imported: Iterable[ImportedHalf]) -> set[HalfDay]:
    """The half-days that are taken in a calendar of the doctor's, and of which they said nothing
    in Relais itself."""
    spoken = {(row.date, row.half) for row in explicit}
    return {(row.date, row.half) for row in imported if row.busy} - spoken


def _lay_over(found: dict[HalfDay, Preference], imported: Iterable[ImportedHalf]) -> None:
    """Let what calendars say take the place of what repetitions say."""
    best: dict[HalfDay, Preference] = {}
    busy: set[HalfDay] = set()
    for row in imported:
        half_day = row.date, row.half
        if row.preference is None:
            busy.add(half_day)
        elif half_day not in best or RANK[row.preference] < RANK[best[half_day]]:
            best[half_day] = row.preference
    found |= best
    for half_day in busy:
        found.pop(half_day, None)


def _repeated(
    weekly: Iterable[WeeklyAvailability],
    start: dt.date,
    end: dt.date,
    practice_id: int | None,
) -> dict[HalfDay, Preference]:
    general: dict[HalfDay, Preference] = {}
    particular: dict[HalfDay, Preference] = {}
    for row in _narrowest_last(weekly, practice_id):
        target = general if row.practice_id is None else particular
        for half_day in half_days_of(row, start, end):
            known = target.get(half_day)
            if known is None or RANK[row.preference] < RANK[known]:
                target[half_day] = row.preference
    return general | particular


def _narrowest_last(rows: Iterable[Row], practice_id: int | None) -> list[Row]:
    counting = [row for row in rows if row.practice_id in (None, practice_id)]
    return sorted(counting, key=lambda row: row.practice_id is not None)


def half_days_of(row: WeeklyAvailability, start: dt.date, end: dt.date) -> Iterator[HalfDay]:
    """The half-days that one repetition names from `start` to `end`, both included."""
    for day in dates_of(row, start, end):
        for half in row.period.halves:
            yield day, half


def dates_of(
    row: WeeklyAvailability | WeeklyPresence, start: dt.date, end: dt.date
) -> Iterator[dt.date]:
    """The dates that one repetition names from `start` to `end`, both included.

    Weeks are counted from the ISO week of its start.
    """
    first_week = monday_of(row.start)
    last = end if row.end is None else min(end, row.end)
    weeks = max(0, (monday_of(start) - first_week).days // 7)
    # Up to the next week that the repetition names.
    weeks += -weeks % row.interval_weeks
    day = first_week + dt.timedelta(weeks=weeks, days=row.weekday)
    while day <= last:
        if day >= start and day >= row.start:
            yield day
        day += dt.timedelta(weeks=row.interval_weeks)


def last_day_to_plan(today: dt.date) -> dt.date:
    """How far ahead availabilities can be said."""
    return add_months(today, MOST_MONTHS_AHEAD)


def same_place(day: dt.date, month: dt.date) -> dt.date | None:
    """The day of another month with the same place: its third Thursday for a third Thursday.

    None where that month has no fifth one.
    """
    nth = (day.day - 1) // 7
    first, last = month_bounds(month)
    found = first + dt.timedelta(days=(day.weekday() - first.weekday()) % 7 + 7 * nth)
    return found if found <= last else None


def fair_share(open_half_days: int, doctors: int) -> int:
    """Half-days that each of so many doctors would take, if all took the same; rounded up, at
    least to one while anything is open."""
    return -(-open_half_days // max(1, doctors))
