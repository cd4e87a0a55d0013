"""The roster problem as linear rows over whole numbers: what a modeller would write down.

With x[n, d] in {0, 1} for the pairs given, all rows read  sum of factor * variable <= bound.
Fixed pairs are constants. Each level is a `Line` to minimise; the squares of `quality` are left
to the solver's own means: `loads` holds credit + half-days of every doctor they concern.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from scheduler.engine import Need, Pair, Problem
from scheduler.engine.model import LAST_RESORT, POSSIBLE

Offers = Mapping[str, Mapping[str, int | None]]
"""Need id to {doctor id: preference rank}; rank None is a pair that must stay out."""


@dataclass
class Line:
    """constant + sum of factor * variable."""

    terms: dict[int, int] = field(default_factory=dict)
    constant: int = 0

    def add(self, variable: int, factor: int = 1) -> None:
        """Add factor * variable."""
        self.terms[variable] = self.terms.get(variable, 0) + factor

    def take(self, other: Line, factor: int = 1) -> None:
        """Add factor * the other line."""
        self.constant += factor * other.constant
        for variable, times in other.terms.items():
            self.add(variable, factor * times)

    def plus(self, other: Line, factor: int = 1) -> Line:
        """This line + factor * the other, as a new one."""
        total = Line(dict(self.terms), self.constant)
        total.take(other, factor)
        return total


@dataclass(frozen=True)
class Load:
    """credit + fixed half-days + assigned half-days of one doctor, the last at most `most`."""

    line: Line
    most: int


class Rows:
    """All rows of one problem."""

    def __init__(self, problem: Problem, offers: Offers) -> None:
        self.problem, self.offers = problem, offers
        self.upper: list[int] = []
        self.rows: list[tuple[Line, int]] = []
        self.x: dict[Pair, int] = {}
        self.unit = math.lcm(
            *(Fraction(str(p.weekly_minimum)).denominator for p in problem.practices.values())
        )
        for need, doctors in offers.items():
            for doctor, rank in doctors.items():
                self.x[need, doctor] = self.variable()
                if rank is None:
                    self.at_most(Line({self.x[need, doctor]: 1}), 0)
        self.by_doctor: dict[str, list[Need]] = defaultdict(list)
        for need, doctor in self.x:
            self.by_doctor[doctor].append(problem.needs[need])
        self.fixed_of: dict[str, list[Need]] = defaultdict(list)
        for need, doctor in problem.fixed:
            self.fixed_of[doctor].append(problem.needs[need])
        self._one_doctor()
        self._places_and_runs()
        self._caps()
        self.levels = {
            "below_minimum": self._below_minimum(),
            "uncovered": self._uncovered(),
            "changes": self._changes(),
            "last_resort": self._last_resort(),
            "quality": self._quality(),
        }
        self.loads = self._loads()

    def variable(self, upper: int = 1) -> int:
        """A new variable, a whole number from 0 to `upper`."""
        self.upper.append(upper)
        return len(self.upper) - 1

    def at_most(self, line: Line, bound: int) -> None:
        """The row line <= bound."""
        self.rows.append((line, bound))

    def exceeds(self, line: Line, other: Line) -> None:
        """The row line >= other."""
        self.at_most(other.plus(line, -1), 0)

    def total(self, needs: Iterable[Need], doctor: str, sized: bool = False) -> Line:
        """Number (or half-days) of these needs that the doctor takes, fixed ones aside."""
        return Line({self.x[n.id, doctor]: n.size if sized else 1 for n in needs})

    def cover(self, need: Need, gender: str | None = None) -> Line:
        """1 where the need has a doctor (of that gender), else 0."""
        doctors = self.problem.doctors
        if need.id in self.problem.fixed_doctor:
            fixed = doctors[self.problem.fixed_doctor[need.id]]
            return Line({}, int(gender is None or fixed.gender == gender))
        return Line(
            {
                self.x[need.id, doctor]: 1
                for doctor in self.offers[need.id]
                if gender is None or doctors[doctor].gender == gender
            }
        )

    def either(self, lines: list[Line]) -> Line:
        """At most 1, and at most the sum of the lines, each of which is 0 or 1."""
        if any(line.constant for line in lines):
            return Line({}, 1)
        total = _sum(lines)
        if len(lines) == 1 or not total.terms:
            return total
        found = Line({self.variable(): 1})
        self.exceeds(total, found)
        return found

    def _one_doctor(self) -> None:
        for need in self.offers:
            self.at_most(self.cover(self.problem.needs[need]), 1)

    def _places_and_runs(self) -> None:
        """One place at a time, and the days of a doctor in a row."""
        for ident, needs in self.by_doctor.items():
            here: dict[int, dict[str, list[Need]]] = defaultdict(lambda: defaultdict(list))
            for need in needs:
                here[need.day][need.practice].append(need)
            works = {
                day: _sum([self._present(ident, group) for group in places.values()])
                for day, places in here.items()
            }
            fixed = {need.day for need in self.fixed_of[ident]}
            for day, line in works.items():
                self.at_most(line, 1)
                if day in fixed:
                    works[day] = Line({}, 1)
            works |= {day: Line({}, 1) for day in fixed}
            longest = self.problem.doctors[ident].max_consecutive_days
            if longest is None:
                continue
            for first in works:
                window = [works[day] for day in range(first, first + longest + 1) if day in works]
                run = _sum(window)
                if len(window) > longest and run.terms:
                    self.at_most(run, longest)

    def _present(self, doctor: str, needs: list[Need]) -> Line:
        """1 when the doctor takes any of these needs of one practice and date."""
        halves = [[n for n in needs if half in n.halves] for half in ("am", "pm")]
        whole = next((group for group in halves if len(group) == len(needs)), None)
        if whole is not None:
            return self.total(whole, doctor)
        present = Line({self.variable(): 1})
        for group in halves:
            self.exceeds(present, self.total(group, doctor))
        return present

    def _caps(self) -> None:
        for ident, needs in self.by_doctor.items():
            doctor = self.problem.doctors[ident]
            spans: list[tuple[int | None, Callable[[Need], Hashable]]] = [
                (doctor.week_cap, lambda need: need.week),
                (doctor.month_cap, lambda need: need.month),
                (doctor.total_cap, lambda _: None),
            ]
            for cap, span in spans:
                if cap is None:
                    continue
                used: Counter[Hashable] = Counter()
                for need in self.fixed_of[ident]:
                    used[span(need)] += need.size
                for key, group in _group(needs, span).items():
                    free = max(0, cap - used[key])
                    self.at_most(self.total(group, ident, sized=True), free)

    def _below_minimum(self) -> Line:
        level = Line()
        for (practice, _), needs in self.problem.needs_by_week.items():
            dates = _group(needs, lambda need: need.day)
            minimum = Fraction(str(self.problem.practices[practice].weekly_minimum))
            wanted = min(int(self.unit * minimum), self.unit * len(dates))
            if wanted:
                days = [self.either([self.cover(n) for n in group]) for group in dates.values()]
                short = Line({self.variable(wanted): 1})
                self.exceeds(short.plus(_sum(days), self.unit), Line({}, wanted))
                level.take(short)
        return level

    def _uncovered(self) -> Line:
        level = Line()
        for ident in self.offers:
            need = self.problem.needs[ident]
            empty = self.variable()
            self.exceeds(self.cover(need).plus(Line({empty: 1})), Line({}, 1))
            level.add(empty, need.weight)
        return level

    def _changes(self) -> Line:
        level = Line()
        for pair in self.problem.previous_pairs:
            if pair not in self.problem.fixed_pairs:
                level.constant += 1
                if pair in self.x:
                    level.add(self.x[pair], -1)
        return level

    def _last_resort(self) -> Line:
        level = Line()
        for (need, doctor), variable in self.x.items():
            titular = self.problem.doctors[doctor].role == "titular"
            if titular or self.offers[need][doctor] == LAST_RESORT:
                level.add(variable, self.problem.needs[need].size)
        return level

    def _quality(self) -> Line:
        """All of level 5 but fairness."""
        problem, weights, level = self.problem, self.problem.weights, Line()
        for (need, doctor), variable in self.x.items():
            if self.offers[need][doctor] == POSSIBLE:
                level.add(variable, weights.preference * problem.needs[need].size)
        for pair, value in problem.affinity.items():
            if pair in self.x:
                level.add(self.x[pair], -weights.affinity * value)
            elif pair in problem.fixed_pairs:
                level.constant -= weights.affinity * value
        for needs in problem.shared_slots.values():
            level.take(self._alone(needs), weights.alone)
        for key, group in problem.needs_by_week.items():
            level.take(self._mix(group, problem.offered_genders[key]), weights.mix)
        return level

    def _alone(self, needs: Iterable[Need]) -> Line:
        """1 when exactly one doctor is there in a half-day, else 0 is possible."""
        fixed = {self.problem.fixed_doctor.get(need.id) for need in needs} - {None}
        seats = [Line({}, 1) for _ in fixed]
        seats += [self.cover(n) for n in needs if n.id not in self.problem.fixed_doctor]
        alone, company = self.variable(), self.variable()
        self.at_most(Line({company: 2}).plus(_sum(seats), -1), 0)
        for seat in seats:
            self.at_most(seat.plus(Line({alone: -1, company: -1})), 0)
            if len(seats) == 2:
                self.at_most(Line({company: 1}).plus(seat, -1), 0)
        return Line({alone: 1})

    def _mix(self, needs: tuple[Need, ...], offered: frozenset[str]) -> Line:
        """1 when two or more assignments of a week are all of one gender for no good reason."""
        if offered != {"F", "M"} and not (offered and self.problem.fixed):
            return Line()
        mixed, few = self.variable(), self.variable()
        covers = [self.cover(need) for need in needs]
        spare = len(needs) - 1
        self.at_most(_sum(covers).plus(Line({few: spare})), 1 + spare)
        for gender, other in (("F", "M"), ("M", "F")):
            if other not in offered:
                continue
            there = self.either([self.cover(need, other) for need in needs])
            for need in needs:
                slack = there.plus(Line({mixed: 1, few: 1}))
                self.exceeds(slack, self.cover(need, gender))
        return Line({mixed: 1})

    def _loads(self) -> list[Load]:
        loads = []
        for ident in self.problem.in_fairness:
            doctor, needs = self.problem.doctors[ident], self.by_doctor.get(ident, [])
            dates = _group(needs, lambda need: need.day)
            most = sum(min(2, sum(need.size for need in group)) for group in dates.values())
            fixed = sum(need.size for need in self.fixed_of[ident])
            if doctor.total_cap is not None:
                most = min(most, max(0, doctor.total_cap - fixed))
            line = self.total(needs, ident, sized=True)
            line.constant = doctor.credit + fixed
            loads.append(Load(line, most))
        return loads

    def roster(self, chosen: Iterable[Pair]) -> tuple[Pair, ...]:
        """The fixed pairs and those chosen."""
        return (*self.problem.fixed, *chosen)


def _sum(lines: Iterable[Line]) -> Line:
    total = Line()
    for line in lines:
        total.take(line)
    return total


def _group(needs: Iterable[Need], key: Callable[[Need], Hashable]) -> dict[Hashable, list[Need]]:
    groups: dict[Hashable, list[Need]] = defaultdict(list)
    for need in needs:
        groups[key(need)].append(need)
    return dict(groups)
