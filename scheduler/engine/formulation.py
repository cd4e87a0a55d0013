"""The problem as an integer program for CP-SAT, on open pairs only.

Variables: x[n, d] in {0, 1} for every open pair (see `greedy.open_pairs`), that is 1 when
doctor d takes need n. One method per hard rule carries the name of its checker in
`scheduler.engine.rules`; one method per level that of its term in `scheduler.engine.objective`.
What fixed pairs use is subtracted beforehand, so they need no variables.

Every other variable is a function of x once the objective is minimised; `values` computes
them all, which makes each known roster a complete hint.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial

from ortools.sat.python import cp_model

from scheduler.engine.levels import Range
from scheduler.engine.model import LAST_RESORT, LEVELS, Need, Practice, Problem
from scheduler.engine.occupancy import clash
from scheduler.engine.quality import quality
from scheduler.engine.variables import (
    Linear,
    Values,
    Variable,
    Variables,
    added,
    groups,
    most_by_date,
    total,
)


class Formulation(Variables):
    """Rules and levels over some open pairs that share no rule and no term with the others.

    `offers` maps need id to {doctor id: rank}; of the levels only the first ones, those of
    `names`, are written down. `unit` is the integer that one day of `below_minimum` stands for,
    so that fractional minima stay exact.
    """

    def __init__(
        self,
        problem: Problem,
        offers: Mapping[str, Mapping[str, int]],
        names: Sequence[str] = LEVELS,
    ) -> None:
        super().__init__(problem, offers)
        self.unit = minimum_unit(problem)
        self.one_doctor()
        self.one_place()
        self.week_cap()
        self.month_cap()
        self.total_cap()
        self.consecutive()
        self.levels: list[Linear] = []
        self.ranges: list[Range] = []
        self.write(names)

    def write(self, names: Sequence[str]) -> None:
        """Add the levels that come next."""
        build: dict[str, Callable[[], Linear]] = {
            "below_minimum": self.below_minimum,
            "uncovered": self.uncovered,
            "changes": self.changes,
            "last_resort": self.last_resort,
            "quality": self.quality,
        }
        for name in names:
            self.levels.append(build[name]())
            self.ranges.append(self.reach(self.levels[-1]))

    def weighted(self, weights: Sequence[int]) -> Linear:
        """The sum of weight * level, each variable once."""
        coefficients: dict[int, int] = defaultdict(int)
        variables: dict[int, Variable] = {}
        constant = 0
        for weight, level in zip(weights, self.levels, strict=False):
            constant += weight * level.constant
            for variable, coefficient in level.terms if weight else ():
                variables[variable.index] = variable
                coefficients[variable.index] += weight * coefficient
        return Linear(constant, [(variables[i], c) for i, c in coefficients.items() if c])

    def width(self, weights: Sequence[int]) -> int:
        """How far apart two values of a weighted sum can be."""
        return sum(w * reach.width for w, reach in zip(weights, self.ranges, strict=False))

    def at_most(self, level: int, value: int) -> None:
        """Allow only rosters whose level, counted from 0, is no worse than `value`."""
        self.model.add(self.levels[level].expression() <= value)

    def one_doctor(self) -> None:
        """Rule 1: sum over d of x[n, d] <= 1."""
        for need_id in self.offers:
            self.at_most_one(self.takers(need_id))

    def one_place(self) -> None:
        """Rule 3: on one date, x of clashing needs exclude each other.

        Where all needs of a doctor and date clash pairwise one sum says it. Otherwise a
        variable y per practice says that the doctor is there: per half-day the x of that
        practice sum to at most y, and the y to at most one.
        """
        for doctor_id, dates in self.dates.items():
            for needs in dates.values():
                if _all_clash(needs):
                    self.at_most_one([self.x[need.id, doctor_id] for need in needs])
                    continue
                places = []
                for practice in dict.fromkeys(need.practice for need in needs):
                    here = [need for need in needs if need.practice == practice]
                    there = self.any([self.x[need.id, doctor_id] for need in here])
                    for half in ("am", "pm"):
                        covering = [self.x[n.id, doctor_id] for n in here if half in n.halves]
                        if covering:
                            self.model.add(added(covering) <= there)
                    places.append(there)
                self.at_most_one(places)

    def week_cap(self) -> None:
        """Rule 4: sum of half-days in one ISO week <= cap - fixed half-days."""
        for doctor_id, needs in self.needs_of_doctors():
            cap = self.problem.doctors[doctor_id].week_cap
            for group in groups(needs, lambda need: need.week):
                self._cap(doctor_id, group, cap, self.fixed.in_week(doctor_id, group[0]))

    def month_cap(self) -> None:
        """Rule 4: sum of half-days in one month <= cap - fixed half-days."""
        for doctor_id, needs in self.needs_of_doctors():
            cap = self.problem.doctors[doctor_id].month_cap
            for group in groups(needs, lambda need: need.month):
                self._cap(doctor_id, group, cap, self.fixed.in_month(doctor_id, group[0]))

    def total_cap(self) -> None:
        """Rule 4: sum of half-days over the horizon <= cap - fixed half-days."""
        for doctor_id, needs in self.needs_of_doctors():
            cap = self.problem.doctors[doctor_id].total_cap
            self._cap(doctor_id, needs, cap, self.fixed.load(doctor_id))

    def consecutive(self) -> None:
        """Rule 5: in every window of limit + 1 dates at least one is free.

        A window whose dates are all fixed is skipped: that breach is the file's, and open pairs
        that would share its run have been removed.
        """
        for doctor_id, dates in self.dates.items():
            limit = self.problem.doctors[doctor_id].max_consecutive_days
            if limit is None or limit >= len(self.problem.needs):
                continue
            work: dict[int, cp_model.LinearExprT] = {}
            starts = {first for day in dates for first in range(day - limit, day + 1)}
            for first in sorted(starts):
                window = range(first, first + limit + 1)
                fixed = sum(bool(self.fixed.at(doctor_id, day)) for day in window)
                free = [d for d in window if d in dates and not self.fixed.at(doctor_id, d)]
                if fixed + len(free) <= limit:
                    continue
                for day in free:
                    if day not in work:
                        work[day] = self._works(doctor_id, dates[day])
                self.model.add(added([work[day] for day in free]) <= limit - fixed)

    def below_minimum(self) -> Linear:
        """Level 1: s >= wanted - fixed dates - sum of b, with b <= sum of x on the date."""
        level = Linear()
        for (practice, _), needs in self.problem.needs_by_week.items():
            dates: dict[int, list[Variable]] = {need.day: [] for need in needs}
            covered = {need.day for need in needs if need.id in self.problem.fixed_doctor}
            minimum = exact_minimum(self.problem.practices[practice])
            missing = min(minimum, Fraction(len(dates))) - len(covered)
            if missing <= 0:
                continue
            for need in needs:
                if need.day not in covered:
                    dates[need.day] += self.takers(need.id)
            present = [self.any(takers) for takers in dates.values() if takers]
            if not present:
                continue
            scaled = int(missing * self.unit)
            short = self.derive(scaled, partial(_shortfall, scaled, self.unit, present))
            self.model.add(short + self.unit * added(present) >= scaled)
            level.add(short, 1)
        return level

    def uncovered(self) -> Linear:
        """Level 2: sum of weight * (1 - sum over d of x[n, d])."""
        level = Linear()
        for need_id in self.offers:
            weight = self.problem.needs[need_id].weight
            level.constant += weight
            for taker in self.takers(need_id):
                level.add(taker, -weight)
        return level

    def changes(self) -> Linear:
        """Level 3: sum over previous pairs of (1 - x)."""
        level = Linear()
        for pair in self.problem.previous_pairs:
            if pair in self.x:
                level.constant += 1
                level.add(self.x[pair], -1)
        return level

    def last_resort(self) -> Linear:
        """Level 4: half-days of the x that are a last resort."""
        level = Linear()
        for (need, doctor), variable in self.x.items():
            titular = self.problem.doctors[doctor].role == "titular"
            if titular or self.offers[need][doctor] == LAST_RESORT:
                level.add(variable, self.problem.needs[need].size)
        return level

    def quality(self) -> Linear:
        """Level 5: see `scheduler.engine.quality`."""
        return quality(self)

    def _works(self, doctor_id: str, needs: list[Need]) -> cp_model.LinearExprT:
        """0 or 1: whether the doctor works on the date of these needs."""
        takers = [self.x[need.id, doctor_id] for need in needs]
        return added(takers) if _all_clash(needs) else self.one(takers)

    def _cap(self, doctor_id: str, needs: list[Need], cap: int | None, fixed: int) -> None:
        if cap is None or most_by_date(needs) <= cap - fixed:
            return
        room = cap - fixed
        used = [self.x[need.id, doctor_id] for need in needs]
        self.model.add(added(used, [need.size for need in needs]) <= room)
        whole = [need for need in needs if need.size == 2]
        if room % 2 and most_by_date(whole) > room:
            # Of an odd number of half-days the relaxation would fill the last with half a day.
            self.model.add(added([self.x[need.id, doctor_id] for need in whole]) <= room // 2)


def minimum_unit(problem: Problem) -> int:
    """Least common denominator of the weekly minima."""
    return math.lcm(*(exact_minimum(p).denominator for p in problem.practices.values()))


def exact_minimum(practice: Practice) -> Fraction:
    """The weekly minimum as written (0.1 is a tenth); more than seven dates make no week."""
    return Fraction(repr(min(practice.weekly_minimum, 7)))


def _all_clash(needs: list[Need]) -> bool:
    return all(clash(one, other) for i, one in enumerate(needs) for other in needs[:i])


def _shortfall(wanted: int, unit: int, present: list[Variable], values: Values) -> int:
    return max(0, wanted - unit * total(present, values))
