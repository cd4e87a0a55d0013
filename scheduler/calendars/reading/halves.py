"""From what happens to half-days: which ones it takes, and which it offers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from scheduler.calendars.reading import limits
from scheduler.calendars.reading.expanding import Window
from scheduler.calendars.reading.faults import Fault
from scheduler.calendars.reading.times import DAY, Moment, day_of
from scheduler.calendars.reading.values import Hours, SaidHalf, Unreadable
from scheduler.roster.rules import Half, Preference

BEST_FIRST: Final = tuple(Preference)
BETWEEN_TITLES: Final = " · "

Slot = tuple[dt.date, Half]


@dataclass(frozen=True, slots=True)
class Touched:
    """A half-day that something overlaps; `enough`: at least half of its opening hours."""

    slot: Slot
    enough: bool


@dataclass(slots=True)
class _Told:
    uid: str
    busy: bool = False
    preference: Preference | None = None
    # In the order of the file, each once.
    titles: dict[str, None] = field(default_factory=dict)


def preference_in(title: str) -> Preference:
    """How gladly somebody comes who gives an event this title."""
    ends = title.strip()[:1] + title.strip()[-1:]
    if "?" in ends:
        return Preference.POSSIBLE
    return Preference.LAST_RESORT if "!" in ends else Preference.WANTED


class HalfDays:
    """The half-days of a window, filled with what events say of them."""

    def __init__(self, window: Window, hours: Hours) -> None:
        self.window = window
        self._hours = hours
        self._told: dict[Slot, _Told] = {}
        self._opens = window.first_instant.timestamp()
        self._closes = window.last_instant.timestamp()
        self._bounds: dict[dt.date, tuple[tuple[Half, float, float], ...]] = {}
        self._decided: set[Slot] = set()
        self._left = limits.MOST_TOUCHED

    def touched(self, start: Moment, end: Moment) -> Iterator[Touched]:
        """The half-days of the window whose opening hours a span of time overlaps."""
        first, last = self._instant(start), self._instant(end)
        day = max(self.date_of(start), self.window.start)
        last_day = min(self.date_of(end), self.window.end)
        while day <= last_day:
            for half, opens, closes in self.opening(day):
                seconds = min(last, closes) - max(first, opens)
                if seconds > 0:
                    self.count()
                    yield Touched((day, half), seconds * 2 >= closes - opens)
            day += DAY

    def reach(self, start: Moment, end: Moment) -> int:
        """How many days of the window a span of time touches, at the most; 1 for none."""
        first = max(day_of(start), self.window.start)
        return max(1, (min(day_of(end), self.window.end) - first).days + 1)

    def opening(self, day: dt.date) -> tuple[tuple[Half, float, float], ...]:
        """The two halves of a day, each with the instants at which it opens and closes."""
        if day not in self._bounds:
            hours = self._hours
            self._bounds[day] = tuple(
                (half, self._at(day, opens), self._at(day, closes))
                for half, opens, closes in (
                    (Half.AM, hours.am_start, hours.am_end),
                    (Half.PM, hours.pm_start, hours.pm_end),
                )
            )
        return self._bounds[day]

    def is_outside(self, start: Moment, end: Moment) -> bool:
        """Whether nothing of a span of time lies in the window."""
        return self._instant(start) >= self._closes or self._instant(end) <= self._opens

    def say(
        self, slot: Slot, uid: str, title: str, *, busy: bool, preference: Preference | None
    ) -> None:
        """One event's word on a half-day, laid upon what others said."""
        told = self._told.setdefault(slot, _Told(uid))
        told.busy = told.busy or busy
        if preference and (
            told.preference is None
            or BEST_FIRST.index(preference) < BEST_FIRST.index(told.preference)
        ):
            told.preference = preference
        if title:
            told.titles[title] = None

    def decide(self, slot: Slot) -> bool:
        """Take the word on a half-day's free time; False where one of a higher rank has it."""
        first = slot not in self._decided
        self._decided.add(slot)
        return first

    def as_said(self) -> tuple[SaidHalf, ...]:
        return tuple(
            SaidHalf(
                date=date,
                half=half,
                busy=told.busy,
                preference=told.preference,
                summary=BETWEEN_TITLES.join(told.titles)[: limits.LONGEST_TITLE].strip(),
                uid=told.uid,
            )
            for (date, half), told in sorted(self._told.items())
        )

    def count(self) -> None:
        """One more thing to look at: a file that has too many of them is refused."""
        self._left -= 1
        if self._left < 0:
            raise Unreadable(Fault.TOO_FULL)

    def _instant(self, moment: Moment) -> float:
        if isinstance(moment, dt.datetime):
            return moment.timestamp()
        return self._at(moment, dt.time())

    def date_of(self, moment: Moment) -> dt.date:
        """The date here of a moment."""
        if isinstance(moment, dt.datetime):
            return moment.astimezone(self.window.zone).date()
        return moment

    def _at(self, day: dt.date, time: dt.time) -> float:
        return dt.datetime.combine(day, time, self.window.zone).timestamp()
