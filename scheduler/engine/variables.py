"""Decision variables, their derived companions, and expressions kept in the open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ortools.sat.python import cp_model

from scheduler.engine.levels import Range
from scheduler.engine.model import Need, Pair, Problem
from scheduler.engine.occupancy import Occupancy

Values = dict[int, int]
"""Value of each variable, by its index in the model."""

Variable = cp_model.IntVar


@dataclass
class Linear:
    """A linear expression kept in the open: sum of coefficient * variable, plus a constant."""

    constant: int = 0
    terms: list[tuple[Variable, int]] = field(default_factory=list)

    def add(self, variable: Variable, coefficient: int) -> None:
        """Add a term."""
        self.terms.append((variable, coefficient))

    def of(self, values: Values | Sequence[int]) -> int:
        """Its value."""
        return self.constant + sum(c * values[v.index] for v, c in self.terms)

    def expression(self) -> cp_model.LinearExprT:
        """As CP-SAT wants it."""
        variables, coefficients = [v for v, _ in self.terms], [c for _, c in self.terms]
        return cp_model.LinearExpr.weighted_sum(variables, coefficients) + self.constant


class Variables:
    """One boolean x[n, d] per open pair, and variables whose value follows from them.

    `offers` maps need id to {doctor id: preference rank}; `most` has the greatest value of every
    other variable, by index.
    """

    def __init__(self, problem: Problem, offers: Mapping[str, Mapping[str, int]]) -> None:
        self.problem = problem
        self.offers = offers
        self.model = cp_model.CpModel()
        self.fixed = Occupancy(problem, problem.fixed)
        self.x: dict[Pair, Variable] = {}
        self.dates: dict[str, dict[int, list[Need]]] = defaultdict(lambda: defaultdict(list))
        self.most: dict[int, int] = {}
        self._derived: list[tuple[int, Callable[[Values], int]]] = []
        self._steps: list[tuple[range, Callable[[Values], int]]] = []
        for need_id, ranks in offers.items():
            need = problem.needs[need_id]
            for doctor_id in ranks:
                self.x[need_id, doctor_id] = self.model.new_bool_var("")
                self.dates[doctor_id][need.day].append(need)

    def values(self, pairs: Iterable[Pair]) -> Values:
        """The value of every variable when the roster is `pairs`."""
        values = dict.fromkeys(range(len(self.model.proto.variables)), 0)
        for pair in pairs:
            values[self.x[pair].index] = 1
        for index, compute in self._derived:
            values[index] = compute(values)
        for indices, compute in self._steps:
            for index in indices[: compute(values)]:
                values[index] = 1
        return values

    def reach(self, level: Linear) -> Range:
        """What values a level can have: of the x of one need, at most one is 1."""
        need_of = {x.index: need for (need, _), x in self.x.items()}
        ends: dict[object, tuple[int, int]] = {}
        step = 0
        for variable, coefficient in level.terms:
            need = need_of.get(variable.index)
            low, high = ends.get(need, (0, 0)) if need is not None else (0, 0)
            most = coefficient * (1 if need is not None else self.most[variable.index])
            key = need if need is not None else variable.index
            ends[key] = (min(low, most), max(high, most))
            step = max(step, abs(coefficient))
        least, most = (level.constant + sum(e[i] for e in ends.values()) for i in (0, 1))
        return Range(least, most, step)

    def needs_of_doctors(self) -> Iterable[tuple[str, list[Need]]]:
        """Each doctor with the needs that they could take, dates together."""
        for doctor_id, dates in self.dates.items():
            yield doctor_id, [need for needs in dates.values() for need in needs]

    def takers(self, need_id: str) -> list[Variable]:
        """The x of one need."""
        return [x for _, x in self.by_doctor(need_id)]

    def by_doctor(self, need_id: str) -> list[tuple[str, Variable]]:
        """The x of one need, each with its doctor."""
        return [(d, self.x[need_id, d]) for d in self.offers.get(need_id, ())]

    def at_most_one(self, variables: list[Variable]) -> None:
        """At most one of them is 1."""
        if len(variables) > 1:
            self.model.add_at_most_one(variables)

    def derive(self, most: int, compute: Callable[[Values], int]) -> Variable:
        """A variable from 0 to `most` whose value follows from earlier ones."""
        variable = self.model.new_int_var(0, most, "")
        self.most[variable.index] = most
        self._derived.append((variable.index, compute))
        return variable

    def steps(self, count: int, compute: Callable[[Values], int]) -> list[Variable]:
        """Booleans of which the first are 1, as many as `compute` says."""
        found = [self.model.new_bool_var("") for _ in range(count)]
        self.most.update((step.index, 1) for step in found)
        if found:
            first = found[0].index
            self._steps.append((range(first, first + count), compute))
        return found

    def one(self, some: list[Variable]) -> Variable:
        """A variable that is 1 as soon as one of `some` is."""
        one = self.derive(1, partial(_any_of, some))
        for variable in some:
            self.model.add_implication(variable, one)
        return one

    def any(self, some: list[Variable]) -> Variable:
        """A variable that is 0 when all of `some` are; raising it costs nothing."""
        if len(some) == 1:
            return some[0]
        present = self.derive(1, partial(_any_of, some))
        self.model.add(added(some) >= present)
        return present


def added(
    terms: Sequence[cp_model.LinearExprT], coefficients: Sequence[int] | None = None
) -> cp_model.LinearExpr:
    """Their sum, each times its coefficient: one expression, where `sum` would nest them."""
    if coefficients is None:
        return cp_model.LinearExpr.sum(terms)
    return cp_model.LinearExpr.weighted_sum(terms, coefficients)


def total(variables: Iterable[Variable], values: Values) -> int:
    """Sum of the values of some variables."""
    return sum(values[variable.index] for variable in variables)


def groups(needs: Iterable[Need], key: Callable[[Need], object]) -> list[list[Need]]:
    """The needs by what `key` gives, in order of first appearance."""
    found: dict[object, list[Need]] = defaultdict(list)
    for need in needs:
        found[key(need)].append(need)
    return list(found.values())


def most_by_date(needs: list[Need]) -> int:
    """Half-days if the doctor worked as much as possible on every date of `needs`."""
    return sum(min(2, sum(need.size for need in group)) for group in groups(needs, lambda n: n.day))


def _any_of(variables: list[Variable], values: Values) -> int:
    return int(total(variables, values) > 0)
