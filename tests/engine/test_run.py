"""A run from outside: what it tells while it works, and how it is ended."""

from __future__ import annotations

import itertools
import subprocess
from typing import Any

import pytest

from benchmarks.generate import generate
from scheduler.engine import (
    LEVELS,
    Problem,
    Progress,
    evaluate,
    greedy,
    load_problem,
    open_pairs,
    parse_problem,
    run,
    solve,
)
from tests.engine.support import DATA, EXPECTED, faults, parsed, raw_problem

STAGES = ["start", *LEVELS, "end"]


@pytest.fixture(scope="module")
def lasting() -> dict[str, Any]:
    """A problem of one large part: it takes seconds, and its first solver's start alone a while."""
    return generate("territory-6", 1)


def first_vector(problem: Problem) -> tuple[float, ...]:
    """What the greedy roster is worth."""
    return evaluate(problem, greedy(problem, open_pairs(problem))).vector()


@pytest.mark.parametrize("small", [run.SMALL, 0])
def test_progress_never_goes_back(monkeypatch: pytest.MonkeyPatch, small: int) -> None:
    """Told at every poll, which is oftener than outside of tests."""
    monkeypatch.setattr(run, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(run, "SMALL", small)
    told: list[Progress] = []
    problem, known = load_problem(DATA / "quarter-1.json"), EXPECTED["quarter-1"]
    solution = solve(problem, workers=1, progress=told.append)
    assert (told[0].stage, told[0].fraction) == ("start", 0)
    assert (told[-1].stage, told[-1].fraction) == ("end", 1)
    assert told[-1].best == solution.objective
    assert len(told) > 3
    order = [STAGES.index(item.stage) for item in told]
    assert order == sorted(order)
    assert [item.seconds for item in told] == sorted(item.seconds for item in told)
    assert [item.fraction for item in told] == sorted(item.fraction for item in told)
    assert [item.best for item in told] == sorted((item.best for item in told), reverse=True)
    for item in told[1:-1]:
        assert item.value is not None
        assert item.bound is not None
        assert item.value == getattr(item.best, item.stage)
        assert item.bound <= known[item.stage] <= item.value


def test_progress_counts_the_needs() -> None:
    told: list[Progress] = []
    problem = load_problem(DATA / "tight-1.json")
    solution = solve(problem, workers=1, progress=told.append)
    first, last = told[0], told[-1]
    started = greedy(problem, open_pairs(problem))
    hopeless = sum(not ranks for ranks in open_pairs(problem).values())
    assert (first.needs, first.filled) == (len(problem.needs), len(started))
    assert first.impossible == hopeless
    assert (last.needs, last.filled) == (len(problem.needs), len(solution.pairs))
    assert last.impossible == len(solution.uncovered) > hopeless


def test_progress_is_told_five_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the first and the last word each keeps its distance, four of which are a second."""
    monkeypatch.setattr(run, "SMALL", 0)
    assert 4 * run.REPORT_SECONDS >= 1
    told: list[Progress] = []
    solve(load_problem(DATA / "quarter-1.json"), workers=1, progress=told.append)
    assert len(told) > 3
    for one, other in itertools.pairwise(told[:-1]):
        assert other.seconds - one.seconds >= run.REPORT_SECONDS


def test_a_run_that_is_stopped_at_once_keeps_its_first_roster() -> None:
    raw, known = raw_problem("quarter-1"), EXPECTED["quarter-1"]
    solution = solve(parsed(raw), should_stop=lambda: True)
    assert solution.status == "feasible"
    assert solution.objective.vector() > tuple(known.values())
    assert all(solution.bound[level] <= value for level, value in known.items())
    assert solution.bound["quality"] < known["quality"]
    assert len(solution.pairs) > 90
    assert faults(raw, solution) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_large_run_that_is_stopped_ends_with_the_best_roster_so_far(
    workers: int,
    lasting: dict[str, Any],
    begun: list[subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "REPORT_SECONDS", 0.0)
    told: list[Progress] = []
    problem = parsed(lasting)
    better = first_vector(problem)

    def enough() -> bool:
        return bool(told) and told[-1].best.vector() < better

    solution = solve(problem, workers=workers, progress=told.append, should_stop=enough)
    assert solution.status == "feasible"
    assert solution.objective.vector() < better
    assert solution.objective <= told[-2].best
    assert faults(lasting, solution) == []
    assert len(begun) >= workers
    assert all(process.returncode is not None for process in begun)


def test_after_a_stop_nothing_is_asked_again(lasting: dict[str, Any]) -> None:
    answers = iter([False] * 20 + [True])
    solution = solve(parse_problem(lasting), should_stop=lambda: next(answers))
    assert solution.status == "feasible"
    assert next(answers, None) is None


def test_no_time_at_all_still_gives_a_roster() -> None:
    raw = raw_problem("quarter-1")
    solution = solve(parsed(raw), time_limit=0)
    assert solution.status == "feasible"
    assert len(solution.pairs) > 90
    assert faults(raw, solution) == []


@pytest.mark.parametrize("name", ["quarter-1", "territory-6"])
@pytest.mark.parametrize("workers", [1, 2])
def test_what_the_callbacks_raise_passes_and_leaves_nothing_behind(
    name: str,
    workers: int,
    lasting: dict[str, Any],
    begun: list[subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "REPORT_SECONDS", 0.0)
    problem = parsed(lasting) if name == "territory-6" else load_problem(DATA / f"{name}.json")

    def fail(progress: Progress) -> None:
        if progress.value is not None:
            raise LookupError("the job was deleted")

    with pytest.raises(LookupError, match="deleted"):
        solve(problem, workers=workers, progress=fail)
    if name == "quarter-1":
        assert begun == []
    else:  # One for each worker; a search begun again with firmer weights is one more.
        assert len(begun) >= workers
    assert all(process.returncode is not None for process in begun)


def test_what_the_wish_to_stop_raises_passes_and_leaves_nothing_behind(
    lasting: dict[str, Any], begun: list[subprocess.Popen[bytes]]
) -> None:
    polls = iter(range(20))

    def lost() -> bool:
        if next(polls, None) is None:
            raise ConnectionError("no database")
        return False

    with pytest.raises(ConnectionError, match="no database"):
        solve(parse_problem(lasting), should_stop=lost)
    assert begun
    assert all(process.returncode is not None for process in begun)


def test_no_worker_is_an_error() -> None:
    problem = load_problem(DATA / "tiny-1.json")
    with pytest.raises(ValueError, match="workers"):
        solve(problem, workers=0)


def test_nothing_to_fill_is_optimal() -> None:
    raw = {
        "format": "relais-roster/1",
        "start": "2027-01-04",
        "end": "2027-01-04",
        "practices": [],
        "doctors": [],
        "needs": [],
    }
    solution = solve(parse_problem(raw), workers=1)
    assert (solution.status, solution.pairs, solution.uncovered) == ("optimal", (), ())
