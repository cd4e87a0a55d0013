"""The integer program: it admits the valid rosters and no others, and counts as the rules do."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model

from scheduler.engine import LEVELS, Pair, Problem, broken_rules, evaluate, open_pairs
from scheduler.engine.formulation import Formulation
from scheduler.engine.linear import rows, upper_bounds
from tests.engine.support import SLOW, doctor, free, need, parsed, problems, small

MOST_VECTORS = 4096


def admits(model: cp_model.CpModel, values: Sequence[float]) -> bool:
    """Whether values satisfy every row and every bound, up to rounding."""
    written = rows(model)
    for i, (low, high) in enumerate(zip(written.lower, written.upper, strict=True)):
        inside = slice(written.starts[i], written.starts[i + 1])
        terms = zip(written.columns[inside], written.coefficients[inside], strict=True)
        if not low - 1e-9 <= sum(c * values[column] for column, c in terms) <= high + 1e-9:
            return False
    return all(0 <= v <= most for v, most in zip(values, upper_bounds(model), strict=True))


class Solutions(cp_model.CpSolverSolutionCallback):
    """Every solution that CP-SAT finds."""

    def __init__(self, model: cp_model.CpModel) -> None:
        super().__init__()
        self.found: set[tuple[int, ...]] = set()
        self._variables = [
            model.get_int_var_from_proto_index(i) for i in range(len(model.proto.variables))
        ]

    def on_solution_callback(self) -> None:
        self.found.add(tuple(self.value(variable) for variable in self._variables))


def solutions(model: cp_model.CpModel) -> set[tuple[int, ...]]:
    """All of them."""
    solver, found = cp_model.CpSolver(), Solutions(model)
    solver.parameters.num_workers = 1
    solver.parameters.enumerate_all_solutions = True
    solver.solve(model, found)
    return found.found


def vectors(model: cp_model.CpModel) -> list[tuple[int, ...]]:
    """All integer vectors within the bounds."""
    return list(itertools.product(*(range(most + 1) for most in upper_bounds(model))))


def choices(problem: Problem) -> list[list[Pair]]:
    """At most one doctor on each open need, whatever rule that breaks."""
    offers = open_pairs(problem)
    return [
        [(n, d) for n, d in zip(offers, picked, strict=True) if d is not None]
        for picked in itertools.product(*([None, *ranks] for ranks in offers.values()))
    ]


@settings(SLOW, max_examples=40)
@given(problems(most_needs=3), st.sampled_from([LEVELS[:2], LEVELS]))
def test_rows_admit_exactly_what_cp_sat_admits(raw: dict[str, Any], names: Sequence[str]) -> None:
    problem = parsed(raw)
    model = Formulation(problem, open_pairs(problem), names).model
    assume(math.prod(most + 1 for most in upper_bounds(model)) <= MOST_VECTORS)
    assert {v for v in vectors(model) if admits(model, v)} == solutions(model)


def test_rows_of_every_kind_of_constraint() -> None:
    model = cp_model.CpModel()
    a, b, c = (model.new_bool_var("") for _ in range(3))
    load = model.new_int_var(0, 3, "")
    model.add_at_most_one([a, b])
    model.add_implication(a, c)
    model.add(a + 2 * b + c == load)
    model.add(load >= 1)
    model.add(load - c <= 2)
    found = {v for v in vectors(model) if admits(model, v)}
    assert found == solutions(model) == {(0, 0, 1, 1), (0, 1, 0, 2), (0, 1, 1, 3), (1, 0, 1, 2)}


def test_another_kind_of_constraint_is_refused() -> None:
    model = cp_model.CpModel()
    model.add_all_different([model.new_int_var(0, 3, "") for _ in range(3)])
    with pytest.raises(ValueError, match="no row for"):
        rows(model)


@settings(SLOW, max_examples=120)
@given(problems())
def test_the_program_admits_the_valid_rosters_and_no_others(raw: dict[str, Any]) -> None:
    problem = parsed(raw)
    formulation = Formulation(problem, open_pairs(problem))
    for pairs in choices(problem):
        valid = not broken_rules(problem, [*problem.fixed, *pairs])
        values = formulation.values(pairs)
        assert admits(formulation.model, [values[i] for i in range(len(values))]) == valid, pairs


@settings(SLOW, max_examples=60)
@given(problems())
def test_the_levels_of_the_program_differ_as_the_objectives_do(raw: dict[str, Any]) -> None:
    problem = parsed(raw)
    formulation = Formulation(problem, open_pairs(problem))
    empty = [level.of(formulation.values([])) for level in formulation.levels]
    base = evaluate(problem, problem.fixed).vector()
    for pairs in choices(problem):
        roster = [*problem.fixed, *pairs]
        if broken_rules(problem, roster):
            continue
        values = formulation.values(pairs)
        after = [level.of(values) for level in formulation.levels]
        gained = [a - b for a, b in zip(after, empty, strict=True)]
        gained[0] = gained[0] / formulation.unit
        truly = [a - b for a, b in zip(evaluate(problem, roster).vector(), base, strict=True)]
        assert gained == pytest.approx(truly, abs=1e-9)


def test_a_fixed_day_counts_in_the_runs_around_it() -> None:
    """Either neighbour of the fixed day is allowed, both are a run of three."""
    raw = small(
        doctors=[doctor("lea", max_consecutive_days=2)],
        needs=[need("a", 0), need("held", 1), need("b", 2)],
        availabilities=[free("lea", 0), free("lea", 2)],
        fixed=[{"need": "held", "doctor": "lea"}],
    )
    problem = parsed(raw)
    formulation = Formulation(problem, open_pairs(problem))
    allowed = []
    for pairs in choices(problem):
        values = formulation.values(pairs)
        if admits(formulation.model, [values[i] for i in range(len(values))]):
            allowed.append(len(pairs))
    assert allowed == [0, 1, 1]


CAPPED = ["max_days_per_week", "max_days_per_month", "max_days_total"]


@pytest.mark.parametrize("cap", CAPPED)
def test_an_odd_cap_does_not_fill_its_last_half_day_with_half_a_day(cap: str) -> None:
    """Three quarters of either day use a day and a half; no roster is like that."""
    raw = small(
        doctors=[doctor("lea", **{cap: 1.5})],
        needs=[need("a", 0), need("b", 1)],
        availabilities=[free("lea", 0), free("lea", 1)],
    )
    problem = parsed(raw)
    formulation = Formulation(problem, open_pairs(problem), LEVELS[:2])
    columns = [formulation.x[pair].index for pair in (("a", "lea"), ("b", "lea"))]

    def point(*shares: float) -> list[float]:
        values: list[float] = [0.0] * len(formulation.model.proto.variables)
        for column, share in zip(columns, shares, strict=True):
            values[column] = share
        return values

    assert admits(formulation.model, point(0, 1))
    assert admits(formulation.model, point(0.5, 0.5))
    assert not admits(formulation.model, point(0.75, 0.75))
    assert not admits(formulation.model, point(1, 1))


@settings(SLOW, max_examples=60)
@given(
    st.lists(st.sampled_from(["am", "pm", "day", "both"]), min_size=2, max_size=5),
    st.sampled_from(CAPPED),
    st.sampled_from([0.5, 1.5, 2.5, 3.5]),
    st.booleans(),
)
def test_an_odd_cap_cuts_off_no_roster_of_days_and_half_days(
    periods: list[str], cap: str, days: float, held: bool
) -> None:
    needs = [
        need(f"n{i}{half}", i, half)
        for i, period in enumerate(periods)
        for half in (["am", "pm"] if period == "both" else [period])
    ]
    raw = small(
        doctors=[doctor("lea", **{cap: days})],
        needs=needs,
        availabilities=[free("lea", i) for i in range(len(periods))],
        fixed=[{"need": needs[0]["id"], "doctor": "lea"}] if held else [],
    )
    problem = parsed(raw)
    formulation = Formulation(problem, open_pairs(problem), LEVELS[:2])
    for pairs in choices(problem):
        values = formulation.values(pairs)
        valid = not broken_rules(problem, [*problem.fixed, *pairs])
        assert admits(formulation.model, [values[i] for i in range(len(values))]) == valid
