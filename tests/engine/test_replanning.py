"""Close to a roster that was shown before: as few changes as possible, and proved."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks.generate import withdraw
from scheduler.engine import Pair, Problem, evaluate, run, solve
from tests.engine.support import (
    EXPECTED,
    SLOW,
    faults,
    optimum,
    parsed,
    problems,
    raw_problem,
    rosters,
)


def movable(problem: Problem, roster: tuple[Pair, ...]) -> list[Pair]:
    """The pairs of a roster that are not fixed."""
    return [pair for pair in roster if pair not in problem.fixed_pairs]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", ["nieul-1", "quarter-2"])
def test_an_optimal_roster_shown_before_is_kept_as_it_is(name: str, workers: int) -> None:
    raw = raw_problem(name)
    first = solve(parsed(raw))
    shown = [{"need": need, "doctor": doctor} for need, doctor in first.pairs]
    again = {**raw, "previous": shown}
    solution = solve(parsed(again), workers=workers)
    assert solution.pairs == first.pairs
    assert solution.status == "optimal"
    assert solution.objective.to_json() == {**EXPECTED[name], "changes": 0}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("small", [run.SMALL, 0])
@pytest.mark.parametrize(("name", "which"), [("nieul-1", 3), ("tight-1", -2)])
def test_a_day_withdrawn_changes_as_little_as_possible(
    name: str, which: int, small: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = raw_problem(name)
    problem = parsed(raw)
    shown = solve(problem).pairs
    need, doctor = movable(problem, shown)[which]
    changed = withdraw(raw, shown, need, doctor)
    monkeypatch.setattr(run, "SMALL", small)
    solution = solve(parsed(changed), workers=workers)
    assert solution.status == "optimal"
    assert solution.bound["changes"] == solution.objective.changes >= 1
    assert (need, doctor) not in solution.pairs
    moved = [pair for pair in shown if pair not in solution.pairs]
    assert len(moved) == solution.objective.changes
    assert set(problem.fixed) <= set(solution.pairs)
    assert faults(changed, solution) == []


@settings(SLOW, max_examples=80)
@given(problems(), st.integers(1, 2), st.data())
def test_the_fewest_changes_that_brute_force_finds(
    raw: dict[str, Any], workers: int, data: st.DataObject
) -> None:
    problem = parsed(raw)
    shown = tuple(min(rosters(problem), key=lambda roster: evaluate(problem, roster)))
    assume(movable(problem, shown))
    need, doctor = data.draw(st.sampled_from(movable(problem, shown)))
    changed = withdraw(raw, shown, need, doctor)
    after = parsed(changed)
    solution = solve(after, workers=workers)
    assert solution.status == "optimal"
    assert solution.objective.vector() == optimum(after)
    assert (need, doctor) not in solution.pairs
    assert set(after.fixed) <= set(solution.pairs)
    assert faults(changed, solution) == []
