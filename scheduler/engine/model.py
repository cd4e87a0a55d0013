"""The validated problem: plain frozen values, and what can be derived from them alone.

Nothing here knows the solver. A `Problem` comes from `scheduler.engine.parsing.parse_problem`;
all later code may rely on what that function has checked.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property

PROBLEM_FORMAT = "relais-roster/1"
SOLUTION_FORMAT = "relais-roster-solution/1"

ROLES = ("replacement", "assistant", "intern", "titular")
DEFAULT_ROLES = ("replacement", "assistant", "titular")
PERIODS: dict[str, tuple[str, ...]] = {"am": ("am",), "pm": ("pm",), "day": ("am", "pm")}
PREFERENCES = ("wanted", "possible", "last_resort")
WANTED, POSSIBLE, LAST_RESORT = range(3)
PRIORITY_WEIGHT = {1: 9, 2: 3, 3: 1}
LEVELS = ("below_minimum", "uncovered", "changes", "last_resort", "quality")

Pair = tuple[str, str]
"""An assignment: (need id, doctor id)."""

Week = tuple[int, int]
"""An ISO week: (ISO year, week number)."""

Month = tuple[int, int]
"""A calendar month: (year, month)."""


@dataclass(frozen=True)
class Practice:
    """A shared cabinet. `weekly_minimum` is in days with a doctor per ISO week."""

    id: str
    rooms: tuple[str, ...]
    weekly_minimum: int | float = 0


@dataclass(frozen=True)
class Doctor:
    """A doctor and their limits.

    The caps and `credit` are counted in half-days (the file gives caps in days);
    `max_consecutive_days` in calendar dates. None means no limit.
    """

    id: str
    role: str
    practices: tuple[str, ...]
    gender: str | None = None
    week_cap: int | None = None
    month_cap: int | None = None
    total_cap: int | None = None
    max_consecutive_days: int | None = None
    credit: int = 0


@dataclass(frozen=True)
class Need:
    """A practice, a room, a date and a period to be filled by one doctor."""

    id: str
    practice: str
    room: str
    date: dt.date
    period: str
    priority: int = 1
    roles: tuple[str, ...] = DEFAULT_ROLES

    @cached_property
    def halves(self) -> tuple[str, ...]:
        """The half-days it takes: ``("am",)``, ``("pm",)`` or both."""
        return PERIODS[self.period]

    @cached_property
    def size(self) -> int:
        """Number of half-days, 1 or 2."""
        return len(self.halves)

    @cached_property
    def day(self) -> int:
        """The date as a proleptic ordinal: neighbours differ by one, with no overflow."""
        return self.date.toordinal()

    @cached_property
    def week(self) -> Week:
        """ISO week; the ISO year counts."""
        iso = self.date.isocalendar()
        return (iso[0], iso[1])

    @cached_property
    def month(self) -> Month:
        """Calendar month."""
        return (self.date.year, self.date.month)

    @cached_property
    def weight(self) -> int:
        """What leaving it uncovered costs at level 2: half-days times 9, 3 or 1."""
        return PRIORITY_WEIGHT[self.priority] * self.size


@dataclass(frozen=True)
class Availability:
    """A doctor can come. `rank` is 0 wanted, 1 possible, 2 last resort; `practice` None is any."""

    doctor: str
    date: dt.date
    period: str
    rank: int
    practice: str | None = None


@dataclass(frozen=True)
class Weights:
    """Integer weights of the terms of level 5."""

    fairness: int = 1
    preference: int = 4
    alone: int = 3
    mix: int = 2
    affinity: int = 2


@dataclass(frozen=True)
class Problem:
    """A roster problem whose references all resolve.

    `practices`, `doctors` and `needs` keep the order of the file; everything the engine does
    iterates in that order, never in that of a set, so equal files give equal rosters.
    """

    start: dt.date
    end: dt.date
    practices: dict[str, Practice]
    doctors: dict[str, Doctor]
    needs: dict[str, Need]
    availabilities: tuple[Availability, ...] = ()
    fixed: tuple[Pair, ...] = ()
    previous: tuple[Pair, ...] = ()
    affinity: dict[Pair, int] = field(default_factory=dict)
    weights: Weights = field(default_factory=Weights)

    @cached_property
    def fixed_pairs(self) -> frozenset[Pair]:
        """The confirmed pairs, for membership tests."""
        return frozenset(self.fixed)

    @cached_property
    def fixed_doctor(self) -> dict[str, str]:
        """Doctor of each fixed need."""
        return dict(self.fixed)

    @cached_property
    def previous_pairs(self) -> tuple[Pair, ...]:
        """The roster last shown, each pair once."""
        return tuple(dict.fromkeys(self.previous))

    @cached_property
    def free(self) -> dict[tuple[str, str | None, dt.date, str], int]:
        """Best preference rank by (doctor, practice or None, date, half-day)."""
        best: dict[tuple[str, str | None, dt.date, str], int] = {}
        for item in self.availabilities:
            for half in PERIODS[item.period]:
                key = (item.doctor, item.practice, item.date, half)
                best[key] = min(item.rank, best.get(key, item.rank))
        return best

    @cached_property
    def with_availability(self) -> frozenset[str]:
        """Doctors with at least one availability."""
        return frozenset(item.doctor for item in self.availabilities)

    @cached_property
    def in_fairness(self) -> tuple[str, ...]:
        """Doctors whose squared load counts: neither titular nor intern, and available once."""
        return tuple(
            doctor.id
            for doctor in self.doctors.values()
            if doctor.role not in ("titular", "intern") and doctor.id in self.with_availability
        )

    def fits(self, need_id: str, doctor_id: str) -> bool:
        """Whether role and practice allow the doctor on the need, availability aside."""
        need, doctor = self.needs[need_id], self.doctors[doctor_id]
        return doctor.role in need.roles and need.practice in doctor.practices

    def rank(self, need_id: str, doctor_id: str) -> int | None:
        """Worst over the need's half-days of the best preference; None where not covered."""
        need, worst = self.needs[need_id], WANTED
        for half in need.halves:
            here = self.free.get((doctor_id, need.practice, need.date, half))
            anywhere = self.free.get((doctor_id, None, need.date, half))
            if here is None and anywhere is None:
                return None
            worst = max(worst, min(r for r in (here, anywhere) if r is not None))
        return worst

    @cached_property
    def offers(self) -> dict[str, dict[str, int]]:
        """For each need, the doctors who fit and are available, with their rank.

        Fixed needs are included (the mix term looks at them too). Shape: need id to
        {doctor id: rank}, both in the order of the file.
        """
        offers: dict[str, dict[str, int]] = {}
        for need in self.needs.values():
            offers[need.id] = {}
            for doctor in self.doctors_of_practice[need.practice]:
                if doctor.role in need.roles and (doctor.id, need.date) in self._available:
                    rank = self.rank(need.id, doctor.id)
                    if rank is not None:
                        offers[need.id][doctor.id] = rank
        return offers

    @cached_property
    def _available(self) -> frozenset[tuple[str, dt.date]]:
        return frozenset((item.doctor, item.date) for item in self.availabilities)

    @cached_property
    def doctors_of_practice(self) -> dict[str, tuple[Doctor, ...]]:
        """Doctors who may work in each practice, in the order of the file."""
        found: dict[str, list[Doctor]] = {practice: [] for practice in self.practices}
        for doctor in self.doctors.values():
            for practice in doctor.practices:
                found[practice].append(doctor)
        return {practice: tuple(doctors) for practice, doctors in found.items()}

    @cached_property
    def needs_by_week(self) -> dict[tuple[str, Week], tuple[Need, ...]]:
        """Needs of each practice and ISO week, keys in order of first appearance."""
        found: dict[tuple[str, Week], list[Need]] = defaultdict(list)
        for need in self.needs.values():
            found[need.practice, need.week].append(need)
        return {key: tuple(needs) for key, needs in found.items()}

    @cached_property
    def shared_slots(self) -> dict[tuple[str, int, str], tuple[Need, ...]]:
        """Needs of each (practice, ordinal date, half-day) in which two rooms or more have one."""
        found: dict[tuple[str, int, str], list[Need]] = defaultdict(list)
        for need in self.needs.values():
            for half in need.halves:
                found[need.practice, need.day, half].append(need)
        return {key: tuple(needs) for key, needs in found.items() if len(needs) >= 2}

    @cached_property
    def offered_genders(self) -> dict[tuple[str, Week], frozenset[str]]:
        """Known genders available for some need of each practice and ISO week."""
        found: dict[tuple[str, Week], set[str]] = {key: set() for key in self.needs_by_week}
        for need in self.needs.values():
            for doctor_id in self.offers[need.id]:
                gender = self.doctors[doctor_id].gender
                if gender is not None:
                    found[need.practice, need.week].add(gender)
        return {key: frozenset(genders) for key, genders in found.items()}
