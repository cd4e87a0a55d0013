"""Pure rules of imports: what is taken from a calendar, and when it is looked at again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scheduler.calendars.models import SourceUse
from scheduler.calendars.reading import Reading
from scheduler.roster.availability_rules import HalfDay
from scheduler.roster.rules import Half, Preference

MOST_SOURCES: Final = 10
LONGEST_NAME: Final = 80
EVERY: Final = dt.timedelta(hours=1)
# What fails is tried again soon, then less and less often.
FIRST_RETRY: Final = dt.timedelta(minutes=15)
LONGEST_RETRY: Final = dt.timedelta(hours=6)
# How long an address may fail before its doctor is told.
PATIENCE: Final = dt.timedelta(days=2)
# Repetitions reach further as time goes by, although their calendar stays the same.
READ_ANEW: Final = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Word:
    """What an import would say of a half-day, with the titles that it comes from."""

    date: dt.date
    half: Half
    preference: Preference | None
    summary: str


def words_of(reading: Reading, use: SourceUse) -> list[Word]:
    """What a calendar says in the use that its doctor chose, in order of date.

    Read as busy times every half-day that is touched counts, read as availabilities every one
    that is covered, unless another event takes the time.
    """
    if use is SourceUse.BUSY:
        return [
            Word(one.date, one.half, None, one.summary) for one in reading.half_days if one.busy
        ]
    return [
        Word(one.date, one.half, one.preference, one.summary)
        for one in reading.half_days
        if one.preference is not None
    ]


def half_days(words: list[Word]) -> dict[HalfDay, Preference | None]:
    """The words without their titles, which are nobody's business but the doctor's."""
    return {(word.date, word.half): word.preference for word in words}


def retry_after(failing_for: dt.timedelta) -> dt.timedelta:
    """How long to wait before the next try of an address that has failed for so long."""
    return min(max(FIRST_RETRY, failing_for), LONGEST_RETRY)


@dataclass(frozen=True, slots=True)
class Effect:
    """What an import would change: half-days by what they would become.

    `outranked` are those of which the doctor said something else in Relais, which stands.
    """

    new: Mapping[HalfDay, Preference | None]
    changed: Mapping[HalfDay, Preference | None]
    outranked: frozenset[HalfDay]
    same: int


def effect(
    said: Mapping[HalfDay, Preference | None],
    before: Mapping[HalfDay, Preference | None],
    spoken: frozenset[HalfDay],
) -> Effect:
    """Compare what an import says with what counts now.

    `before` is what counts now (None: taken in a calendar; missing: the doctor does not come),
    `spoken` the half-days of which the doctor said something in Relais itself.
    """
    new: dict[HalfDay, Preference | None] = {}
    changed: dict[HalfDay, Preference | None] = {}
    same = 0
    outranked = set()
    for half_day, preference in said.items():
        if half_day in before and before[half_day] == preference:
            same += 1
        elif half_day in spoken:
            outranked.add(half_day)
        elif half_day in before:
            changed[half_day] = preference
        else:
            new[half_day] = preference
    return Effect(new, changed, frozenset(outranked), same)
