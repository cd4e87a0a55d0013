"""The roster engine: who staffs which day, proved.

Given needs N (a practice, a room, a date, a period), doctors D with availabilities and limits,
and confirmed pairs F, the engine chooses x[n, d] in {0, 1} for the other possible pairs and
minimises, lexicographically,

    f1  below_minimum  sum over (practice, week) of max(0, wanted - dates with a doctor)
    f2  uncovered      sum over needs without a doctor of half-days * 9, 3 or 1
    f3  changes        pairs of the roster last shown that are not kept
    f4  last_resort    half-days that rest on a last resort or on a titular
    f5  quality        fairness * F + preference * P + alone * A + mix * M - affinity * V

subject to: one doctor per need; role, practice and availability; one place at a time; caps per
ISO week, calendar month and horizon; runs of consecutive dates. F is the sum over doctors of
(credit + half-days)^2, P counts half-days merely possible, A half-days where one of several
rooms is staffed, M weeks of one gender only, V the value of doctors whom patients know.

The package is pure: values in, values out, no clock but the stopwatch of a run, no database,
and the only place of Relais that imports ortools. The objective that it reports is recomputed
from these definitions and never taken from the solver.

    problem = load_problem("problem.json")
    solution = solve(problem, time_limit=60)
    print(solution.dumps())

Whatever needs the solver is imported when it is first asked for: judging a roster, or finding
who could take a day, does not load ortools.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from scheduler.engine.candidates import Candidate, candidates
from scheduler.engine.explain import explain
from scheduler.engine.greedy import greedy, open_pairs
from scheduler.engine.model import (
    LEVELS,
    PERIODS,
    PREFERENCES,
    ROLES,
    Availability,
    Doctor,
    Need,
    Pair,
    Practice,
    Problem,
    Weights,
)
from scheduler.engine.objective import Objective, evaluate
from scheduler.engine.parsing import load_problem, parse_problem
from scheduler.engine.rules import Breach, broken_rules, conflicts
from scheduler.engine.solution import Reason, Solution, Suggestion, Uncovered

if TYPE_CHECKING:
    from scheduler.engine.commands import check_files, solve_file
    from scheduler.engine.run import Progress, solve

__all__ = [
    "LEVELS",
    "PERIODS",
    "PREFERENCES",
    "ROLES",
    "Availability",
    "Breach",
    "Candidate",
    "Doctor",
    "Need",
    "Objective",
    "Pair",
    "Practice",
    "Problem",
    "Progress",
    "Reason",
    "Solution",
    "Suggestion",
    "Uncovered",
    "Weights",
    "broken_rules",
    "candidates",
    "check_files",
    "conflicts",
    "evaluate",
    "explain",
    "greedy",
    "load_problem",
    "open_pairs",
    "parse_problem",
    "solve",
    "solve_file",
]

_SOLVING: Final = {
    "Progress": "run",
    "check_files": "commands",
    "solve": "run",
    "solve_file": "commands",
}
"""What stands behind ortools: public name to the module that has it."""


def __getattr__(name: str) -> Any:
    if name not in _SOLVING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_SOLVING[name]}"), name)
