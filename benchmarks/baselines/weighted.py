"""(b) Plain CP-SAT, as in OR-Tools' shift-scheduling example.

A boolean for every need and every doctor of its practice, all rules as constraints, and one sum
of the five levels under weights that make each outweigh all that follow; no hints, no levels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from ortools.sat.python import cp_model

from benchmarks.baselines.rows import Line, Rows
from benchmarks.baselines.run import Number, Run, Watch
from scheduler.engine import LEVELS, Objective, Problem, open_pairs

LARGEST = 2**61
"""What the weighted sum may add up to; CP-SAT counts in 64 bits."""


def weighted(problem: Problem, limit: float, workers: int = 2) -> Run:
    """The best roster by the weighted sum within `limit` seconds."""
    watch = Watch(problem, limit)
    free = open_pairs(problem)
    rows = Rows(
        problem,
        {
            need: {
                doctor.id: offers.get(doctor.id)
                for doctor in problem.doctors_of_practice[problem.needs[need].practice]
            }
            for need, offers in free.items()
        },
    )
    model = cp_model.CpModel()
    variables = [model.new_int_var(0, upper, "") for upper in rows.upper]

    def expression(line: Line) -> cp_model.LinearExpr:
        return cp_model.LinearExpr.weighted_sum(
            [variables[i] for i in line.terms], list(line.terms.values())
        )

    for line, bound in rows.rows:
        model.add(expression(line) <= bound - line.constant)
    quality = rows.levels["quality"]
    for load in rows.loads:
        base, top = load.line.constant, load.line.constant + load.most
        square = model.new_int_var(base * base, top * top, "")
        total = model.new_int_var(base, top, "")
        model.add(total == expression(load.line) + base)
        model.add_multiplication_equality(square, [total, total])
        variables.append(square)
        rows.upper.append(top * top)
        quality.add(len(variables) - 1, problem.weights.fairness)
    spans = {level: _span(rows, line) for level, line in rows.levels.items()}
    weights, dominant = _weights(spans)
    goal = Line()
    for level, line in rows.levels.items():
        goal.take(line, weights[level])
    model.minimize(expression(goal) + goal.constant)

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = workers
    solver.parameters.max_time_in_seconds = watch.left()
    status = solver.solve(model, _Note(watch, rows, free, variables))
    proved = dominant and status == cp_model.OPTIMAL
    run = watch.finish("weighted", proved, {})
    if proved or not dominant:
        return replace(run, bound=run.objective.to_json() if proved else {})
    told = solver.best_objective_bound
    least = math.ceil(told - max(1e-6, math.ulp(told)))
    return replace(run, bound=_bounds(run.objective, least, spans, weights, rows.unit))


class _Note(cp_model.CpSolverSolutionCallback):
    """Writes down every roster that the solver finds."""

    def __init__(
        self,
        watch: Watch,
        rows: Rows,
        free: Mapping[str, Mapping[str, int]],
        variables: list[cp_model.IntVar],
    ) -> None:
        super().__init__()
        self._watch, self._rows = watch, rows
        self._open = {(n, d): variables[rows.x[n, d]] for n in free for d in free[n]}

    def on_solution_callback(self) -> None:
        at = self._watch.seconds()
        chosen = [pair for pair, variable in self._open.items() if self.value(variable)]
        self._watch.saw(self._rows.roster(chosen), at)


def _span(rows: Rows, line: Line) -> tuple[int, int]:
    """The least and most that a line could be, each variable for itself."""
    least = most = line.constant
    for variable, factor in line.terms.items():
        least += min(0, factor * rows.upper[variable])
        most += max(0, factor * rows.upper[variable])
    return least, most


def _weights(spans: Mapping[str, tuple[int, int]]) -> tuple[dict[str, int], bool]:
    """Weights of the levels, and whether each outweighs all that follow.

    Where 64 bits are too few for that they are as far apart as fits.
    """
    steps = {level: most - least + 1 for level, (least, most) in spans.items()}
    product = 1
    for step in steps.values():
        product *= step
    shrink = min(1.0, (LARGEST / product) ** (1 / (len(steps) - 1)))
    weights, weight = {}, 1
    for level in reversed(LEVELS):
        weights[level] = weight
        weight = max(weight, int(weight * steps[level] * shrink))
    return weights, shrink == 1.0


def _bounds(
    objective: Objective,
    bound: int,
    spans: Mapping[str, tuple[int, int]],
    weights: Mapping[str, int],
    unit: int,
) -> dict[str, Number]:
    """What a bound on the weighted sum says of the levels, up to the first that stays open."""
    bounds: dict[str, Number] = {}
    rest = bound - sum(weights[level] * spans[level][0] for level in LEVELS)
    for level, value in objective.to_json().items():
        least = spans[level][0] + max(0, rest) // weights[level]
        bounds[level] = min(value, least / unit if level == "below_minimum" else least)
        if bounds[level] < value:
            break
        rest -= (least - spans[level][0]) * weights[level]
    return bounds
