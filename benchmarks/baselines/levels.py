"""(c) The five levels, one after another, as a MIP on HiGHS.

Squares of loads are unit steps with increasing costs. Each level starts from the roster of the
one before, which becomes a row. HiGHS stands in the ortools package; it takes as many threads as
it likes, and tells of new rosters in its log alone.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import math
import os
import re
from collections.abc import Iterator, Sequence

from ortools.math_opt.python import mathopt

from benchmarks.baselines.rows import Line, Rows
from benchmarks.baselines.run import Number, Run, Watch
from scheduler.engine import LEVELS, Pair, Problem, evaluate, open_pairs

INCUMBENT = re.compile(r"^ [A-Za-z] +\d")
"""How a line of the log begins that tells of a better roster."""


def levels(problem: Problem, limit: float) -> Run:
    """The best roster of one MIP a level within `limit` seconds."""
    watch = Watch(problem, limit)
    rows = Rows(problem, open_pairs(problem))
    quality, fairness = rows.levels["quality"], problem.weights.fairness
    for load in rows.loads:
        base = load.line.constant
        steps = Line({rows.variable(): 1 for _ in range(load.most)})
        rows.exceeds(Line(steps.terms, base), load.line)
        quality.constant += fairness * base * base
        for k, step in enumerate(steps.terms, 1):
            quality.add(step, fairness * (2 * (base + k) - 1))
    model = mathopt.Model()
    variables = [model.add_integer_variable(lb=0, ub=upper) for upper in rows.upper]

    def row(line: Line, bound: int) -> None:
        constraint = model.add_linear_constraint(ub=bound - line.constant)
        for variable, factor in line.terms.items():
            constraint.set_coefficient(variables[variable], factor)

    for line, bound in rows.rows:
        row(line, bound)
    bounds: dict[str, Number] = {}
    hint: dict[mathopt.Variable, float] = {}
    pairs: tuple[Pair, ...] = problem.fixed
    before = None
    for level in LEVELS:
        line = rows.levels[level]
        result, found = _minimise(model, variables, line, hint, watch)
        if result.has_primal_feasible_solution():
            hint = result.variable_values()
            values = [hint[variable] for variable in variables]
            pairs = rows.roster(pair for pair, x in rows.x.items() if values[x] > 0.5)
            now = evaluate(problem, pairs)
            if now != before:
                watch.saw(pairs, found)
            before = now
        value = _value(line, hint, variables)
        scale = rows.unit if level == "below_minimum" else 1
        least = result.dual_bound()
        if math.isfinite(least):
            bounds[level] = min(value, math.ceil(least - 1e-6)) / scale
        if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
            return watch.finish("levels", False, bounds)
        row(line, value)
    return watch.finish("levels", True, bounds)


def _value(
    line: Line, hint: dict[mathopt.Variable, float], variables: list[mathopt.Variable]
) -> int:
    return line.constant + sum(
        factor * round(hint.get(variables[i], 0)) for i, factor in line.terms.items()
    )


def _minimise(
    model: mathopt.Model,
    variables: list[mathopt.Variable],
    line: Line,
    hint: dict[mathopt.Variable, float],
    watch: Watch,
) -> tuple[mathopt.SolveResult, float]:
    """Solve for one level; the second value is when its last better roster was found."""
    model.minimize(mathopt.LinearSum([]))
    model.objective.offset = line.constant
    for variable, factor in line.terms.items():
        model.objective.set_linear_coefficient(variables[variable], factor)
    found = None

    def note(messages: Sequence[str]) -> None:
        nonlocal found
        if any(INCUMBENT.match(message) for message in messages):
            found = watch.seconds()

    with _silence():
        result = mathopt.solve(
            model,
            mathopt.SolverType.HIGHS,
            params=mathopt.SolveParameters(
                time_limit=dt.timedelta(seconds=watch.left()),
                relative_gap_tolerance=0.0,
                absolute_gap_tolerance=0.99,
            ),
            model_params=mathopt.ModelSolveParameters(
                solution_hints=[mathopt.SolutionHint(variable_values=hint)] if hint else []
            ),
            msg_cb=note,
        )
    return result, watch.seconds() if found is None else found


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep what HiGHS prints past every setting away from standard output."""
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
