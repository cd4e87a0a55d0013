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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from ortools.sat.python import cp_model

from scheduler.engine.model import LAST_RESORT, LEVELS, POSSIBLE, Need, Pair, Problem
from scheduler.engine.occupancy import Occupancy, clash

Values = dict[int, int]
Variable = cp_model.IntVar


@dataclass
class Linear:
    """A linear expression kept in the open: sum of coefficient * variable, plus a constant."""

    constant: int = 0
    terms: list[tuple[Variable, int]] = field(default_factory=list)

    def add(self, variable: Variable, coefficient: int) -> None:
        """Add a term."""
        self.terms.append((variable, coefficient))

    def of(self, values: Values) -> int:
        """Its value."""
        return self.constant + sum(c * values[v.index] for v, c in self.terms)

    def expression(self) -> cp_model.LinearExprT:
        """As CP-SAT wants it."""
        variables, coefficients = [v for v, _ in self.terms], [c for _, c in self.terms]
        return cp_model.LinearExpr.weighted_sum(variables, coefficients) + self.constant


class Formulation:
    """Rules and levels over some open pairs that share no rule and no term with the others.

    `offers` maps need id to {doctor id: rank}. `unit` is the integer that one day of
    `below_minimum` stands for, so that fractional minima stay exact.
    """

    def __init__(self, problem: Problem, offers: Mapping[str, Mapping[str, int]]) -> None:
        self.problem = problem
        self.offers = offers
        self.model = cp_model.CpModel()
        self.unit = minimum_unit(problem)
        self.fixed = Occupancy(problem, problem.fixed)
        self.x: dict[Pair, Variable] = {}
        self._auxiliary: list[tuple[Variable, Callable[[Values], int]]] = []
        self._dates: dict[str, dict[int, list[Need]]] = defaultdict(lambda: defaultdict(list))
        for need_id, ranks in offers.items():
            for doctor_id in ranks:
                self.x[need_id, doctor_id] = self.model.new_bool_var("")
                need = problem.needs[need_id]
                self._dates[doctor_id][need.day].append(need)
        self.one_doctor()
        self.one_place()
        self.week_cap()
        self.month_cap()
        self.total_cap()
        self.consecutive()

    def values(self, pairs: Iterable[Pair]) -> Values:
        """The value of every variable when the roster is `pairs`."""
        chosen = set(pairs)
        values = {variable.index: int(pair in chosen) for pair, variable in self.x.items()}
        for variable, compute in self._auxiliary:
            values[variable.index] = compute(values)
        return values

    def level(self, name: str) -> Linear:
        """The expression of one level; its own variables are added to the model."""
        if name not in LEVELS:
            raise KeyError(name)
        build: Callable[[], Linear] = getattr(self, name)
        return build()

    def one_doctor(self) -> None:
        """Rule 1: sum over d of x[n, d] <= 1."""
        for need_id in self.offers:
            self._at_most_one(self._takers(need_id))

    def one_place(self) -> None:
        """Rule 3: on one date, x of clashing needs exclude each other.

        Where all needs of a doctor and date clash pairwise one sum says it. Otherwise a
        variable y per practice says that the doctor is there: per half-day the x of that
        practice sum to at most y, and the y to at most one.
        """
        for doctor_id, dates in self._dates.items():
            for needs in dates.values():
                if _all_clash(needs):
                    self._at_most_one([self.x[need.id, doctor_id] for need in needs])
                    continue
                places = []
                for practice in dict.fromkeys(need.practice for need in needs):
                    here = [need for need in needs if need.practice == practice]
                    there = self._any([self.x[need.id, doctor_id] for need in here])
                    for half in ("am", "pm"):
                        covering = [self.x[n.id, doctor_id] for n in here if half in n.halves]
                        if covering:
                            self.model.add(sum(covering) <= there)
                    places.append(there)
                self._at_most_one(places)

    def week_cap(self) -> None:
        """Rule 4: sum of half-days in one ISO week <= cap - fixed half-days."""
        for doctor_id, needs in self._needs_of_doctors():
            cap = self.problem.doctors[doctor_id].week_cap
            for group in _groups(needs, lambda need: need.week):
                self._cap(doctor_id, group, cap, self.fixed.in_week(doctor_id, group[0]))

    def month_cap(self) -> None:
        """Rule 4: sum of half-days in one month <= cap - fixed half-days."""
        for doctor_id, needs in self._needs_of_doctors():
            cap = self.problem.doctors[doctor_id].month_cap
            for group in _groups(needs, lambda need: need.month):
                self._cap(doctor_id, group, cap, self.fixed.in_month(doctor_id, group[0]))

    def total_cap(self) -> None:
        """Rule 4: sum of half-days over the horizon <= cap - fixed half-days."""
        for doctor_id, needs in self._needs_of_doctors():
            cap = self.problem.doctors[doctor_id].total_cap
            self._cap(doctor_id, needs, cap, self.fixed.load(doctor_id))

    def consecutive(self) -> None:
        """Rule 5: in every window of limit + 1 dates at least one is free.

        A window whose dates are all fixed is skipped: that breach is the file's, and open pairs
        that would share its run have been removed.
        """
        for doctor_id, dates in self._dates.items():
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
                self.model.add(sum(work[day] for day in free) <= limit - fixed)

    def below_minimum(self) -> Linear:
        """Level 1: s >= wanted - fixed dates - sum of b, with b <= sum of x on the date."""
        level = Linear()
        for (practice, _), needs in self.problem.needs_by_week.items():
            dates: dict[int, list[Variable]] = {need.day: [] for need in needs}
            covered = {need.day for need in needs if need.id in self.problem.fixed_doctor}
            minimum = Fraction(repr(self.problem.practices[practice].weekly_minimum))
            missing = min(minimum, Fraction(len(dates))) - len(covered)
            if missing <= 0:
                continue
            for need in needs:
                if need.day not in covered:
                    dates[need.day] += self._takers(need.id)
            present = [self._any(takers) for takers in dates.values() if takers]
            if not present:
                continue
            scaled = int(missing * self.unit)
            short = self._derived(
                scaled, lambda v, p=present, s=scaled: max(0, s - self.unit * _sum(p, v))
            )
            self.model.add(short >= scaled - self.unit * sum(present))
            level.add(short, 1)
        return level

    def uncovered(self) -> Linear:
        """Level 2: sum of weight * (1 - sum over d of x[n, d])."""
        level = Linear()
        for need_id in self.offers:
            weight = self.problem.needs[need_id].weight
            level.constant += weight
            for taker in self._takers(need_id):
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
        """Level 5: F by unit steps of rising cost, P and V on x, A and M by one variable each."""
        level, weights = Linear(), self.problem.weights
        for (need, doctor), variable in self.x.items():
            cost = -weights.affinity * self.problem.affinity.get((need, doctor), 0)
            if self.offers[need][doctor] == POSSIBLE:
                cost += weights.preference * self.problem.needs[need].size
            if cost:
                level.add(variable, cost)
        if weights.fairness:
            self._fairness(level, weights.fairness)
        if weights.alone:
            self._alone(level, weights.alone)
        if weights.mix:
            self._mix(level, weights.mix)
        return level

    def _fairness(self, level: Linear, weight: int) -> None:
        """(base + load)^2 - base^2 as steps: the j-th half-day costs 2 * (base + j) - 1.

        The costs rise, so a minimum takes the steps in order and no constraint has to say so.
        Where all needs of a doctor are whole days one step is one day.
        """
        concerned = set(self.problem.in_fairness)
        for doctor_id, needs in self._needs_of_doctors():
            if doctor_id not in concerned:
                continue
            base = self.problem.doctors[doctor_id].credit + self.fixed.load(doctor_id)
            size = 2 if all(need.size == 2 for need in needs) else 1
            taken = [(self.x[need.id, doctor_id], need.size // size) for need in needs]
            steps = []
            for j in range(1, self._most(doctor_id, needs) // size + 1):
                step = self._derived(
                    1, lambda v, t=taken, j=j: int(sum(c * v[x.index] for x, c in t) >= j)
                )
                level.add(step, weight * size * (2 * base + size * (2 * j - 1)))
                steps.append(step)
            self.model.add(sum(c * x for x, c in taken) == sum(steps))

    def _alone(self, level: Linear, weight: int) -> None:
        """a >= c[i] - sum of the other c[j], with c[n] = sum over d of x[n, d] in shared slots."""
        for needs in self.problem.shared_slots.values():
            fixed = {self.problem.fixed_doctor.get(need.id) for need in needs} - {None}
            takers = [t for need in needs if (t := self._takers(need.id))]
            if len(fixed) > 1 or not takers:
                continue
            everyone = [x for some in takers for x in some]
            alone = self._derived(
                1, lambda v, e=everyone, f=len(fixed): int(_sum(e, v) + f == 1)
            )
            level.add(alone, weight)
            if fixed:
                self.model.add(alone + sum(everyone) >= 1)
                continue
            for some in takers:
                rest = [x for other in takers if other is not some for x in other]
                self.model.add(alone + sum(rest) >= sum(some))

    def _mix(self, level: Linear, weight: int) -> None:
        """m >= one[g] + two - 1 - sum of x of the other gender, for each gender g seen alone.

        one[g] >= x of gender g; (needs - 1) * two >= assignments - 1.
        """
        doctors = self.problem.doctors
        for key, needs in self.problem.needs_by_week.items():
            variables = [(doctors[d].gender, x) for n in needs for d, x in self._by_doctor(n.id)]
            if not variables:
                continue
            held = [self.problem.fixed_doctor[n.id] for n in needs if n.id in self.problem.fixed_doctor]
            seen = {doctors[d].gender for d in held} - {None}
            if len(seen) == 2 or len(needs) < 2:
                continue
            everyone, count = [x for _, x in variables], len(held)
            two: Variable | int = 1
            for gender, other in (("F", "M"), ("M", "F")):
                mine = [x for g, x in variables if g == gender]
                rest = [x for g, x in variables if g == other]
                offered = other in self.problem.offered_genders[key]
                if not offered or other in seen or not (mine or gender in seen):
                    continue
                if count < 2 and isinstance(two, int):
                    two = self._derived(
                        1, lambda v, e=everyone, c=count: int(_sum(e, v) + c >= 2)
                    )
                    self.model.add(sum(everyone) + count - 1 <= (len(needs) - 1) * two)
                one: Variable | int = 1 if gender in seen else self._one(mine)
                single = self._derived(
                    1,
                    lambda v, e=everyone, m=mine, r=rest, c=count, s=gender in seen: int(
                        _sum(e, v) + c >= 2 and not _sum(r, v) and (s or _sum(m, v) > 0)
                    ),
                )
                self.model.add(single + sum(rest) >= one + two - 1)
                level.add(single, weight)

    def _one(self, some: list[Variable]) -> Variable:
        """A variable that is 1 as soon as one of `some` is."""
        one = self._derived(1, lambda v: int(_sum(some, v) > 0))
        for variable in some:
            self.model.add_implication(variable, one)
        return one

    def _any(self, some: list[Variable]) -> Variable:
        """A variable that is 0 when all of `some` are; raising it costs nothing."""
        if len(some) == 1:
            return some[0]
        present = self._derived(1, lambda v: int(_sum(some, v) > 0))
        self.model.add(sum(some) >= present)
        return present

    def _works(self, doctor_id: str, needs: list[Need]) -> cp_model.LinearExprT:
        """0 or 1: whether the doctor works on the date of these needs."""
        takers = [self.x[need.id, doctor_id] for need in needs]
        return sum(takers) if _all_clash(needs) else self._one(takers)

    def _cap(self, doctor_id: str, needs: list[Need], cap: int | None, fixed: int) -> None:
        if cap is None or _most_by_date(needs) <= cap - fixed:
            return
        used = [need.size * self.x[need.id, doctor_id] for need in needs]
        self.model.add(sum(used) <= cap - fixed)

    def _most(self, doctor_id: str, needs: list[Need]) -> int:
        """An upper bound of the half-days that the doctor can be given."""
        doctor, fixed = self.problem.doctors[doctor_id], self.fixed
        most = [_most_by_date(needs)]
        if doctor.total_cap is not None:
            most.append(doctor.total_cap - fixed.load(doctor_id))
        if (cap := doctor.week_cap) is not None:
            weeks = _groups(needs, lambda need: need.week)
            most.append(
                sum(min(_most_by_date(g), cap - fixed.in_week(doctor_id, g[0])) for g in weeks)
            )
        if (cap := doctor.month_cap) is not None:
            months = _groups(needs, lambda need: need.month)
            most.append(
                sum(min(_most_by_date(g), cap - fixed.in_month(doctor_id, g[0])) for g in months)
            )
        return min(most)

    def _needs_of_doctors(self) -> Iterable[tuple[str, list[Need]]]:
        for doctor_id, dates in self._dates.items():
            yield doctor_id, [need for needs in dates.values() for need in needs]

    def _takers(self, need_id: str) -> list[Variable]:
        return [x for _, x in self._by_doctor(need_id)]

    def _by_doctor(self, need_id: str) -> list[tuple[str, Variable]]:
        return [(d, self.x[need_id, d]) for d in self.offers.get(need_id, ())]

    def _at_most_one(self, variables: list[Variable]) -> None:
        if len(variables) > 1:
            self.model.add_at_most_one(variables)

    def _derived(self, most: int, compute: Callable[[Values], int]) -> Variable:
        """A variable from 0 to `most` whose value follows from earlier ones."""
        variable = self.model.new_int_var(0, most, "")
        self._auxiliary.append((variable, compute))
        return variable


def minimum_unit(problem: Problem) -> int:
    """Least common denominator of the weekly minima."""
    minima = (Fraction(repr(p.weekly_minimum)) for p in problem.practices.values())
    return math.lcm(*(minimum.denominator for minimum in minima if minimum < 7))


def _all_clash(needs: list[Need]) -> bool:
    return all(clash(one, other) for i, one in enumerate(needs) for other in needs[:i])


def _sum(variables: Iterable[Variable], values: Values) -> int:
    return sum(values[variable.index] for variable in variables)


def _groups(needs: Iterable[Need], key: Callable[[Need], object]) -> list[list[Need]]:
    groups: dict[object, list[Need]] = defaultdict(list)
    for need in needs:
        groups[key(need)].append(need)
    return list(groups.values())


def _most_by_date(needs: list[Need]) -> int:
    """Half-days if the doctor worked as much as possible on every date of `needs`."""
    return sum(
        min(2, sum(need.size for need in group)) for group in _groups(needs, lambda n: n.day)
    )
