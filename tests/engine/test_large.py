"""Parts that are large: HiGHS and neighbourhoods, made to work on problems of every size."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from benchmarks.generate import generate
from scheduler.engine import (
    Objective,
    Pair,
    Progress,
    evaluate,
    greedy,
    large,
    open_pairs,
    run,
    solve,
)
from scheduler.engine.formulation import Formulation
from scheduler.engine.neighbourhoods import Neighbourhoods
from scheduler.engine.search import Search
from scheduler.engine.variables import Linear
from tests.engine.support import EXPECTED, SLOW, faults, optimum, parsed, problems, raw_problem

ENOUGH = 25
"""Neighbourhoods after which a run of nothing else is stopped."""


class Mute(Search):
    """A solver that finds nothing until it is stopped."""

    def __init__(self, formulation: Formulation, level: Linear, *_: object) -> None:
        super().__init__(formulation, level)
        self._over = threading.Event()

    def stop(self) -> None:
        super().stop()
        self._over.set()

    def _work(self) -> None:
        self._over.wait()


@pytest.fixture(scope="module")
def everything_is_large() -> Iterator[None]:
    """Nothing is left to CP-SAT."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "SMALL", 0)
        yield


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The neighbourhoods drawn in the test, in parts that are all huge."""
    monkeypatch.setattr(large, "HUGE", 0)
    monkeypatch.setattr(run, "SMALL", 500)
    found: list[list[str]] = []
    draw = Neighbourhoods.draw

    def noted(self: Neighbourhoods, pairs: Iterable[Pair]) -> list[str]:
        found.append(draw(self, pairs))
        return found[-1]

    monkeypatch.setattr(Neighbourhoods, "draw", noted)
    return found


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize(
    ("name", "workers"),
    [
        ("tiny-2", 2),
        ("tiny-5", 1),
        ("tight-1", 1),
        ("tight-1", 2),
        ("nieul-1", 1),
        ("quarter-1", 1),
        ("replan-1", 1),
    ],
)
def test_highs_alone_reaches_and_proves_the_known_optimum(name: str, workers: int) -> None:
    raw = raw_problem(name)
    solution = solve(parsed(raw), workers=workers)
    assert solution.objective.to_json() == EXPECTED[name]
    assert solution.status == "optimal"
    assert dict(solution.bound) == EXPECTED[name]
    assert faults(raw, solution) == []


@pytest.mark.usefixtures("everything_is_large")
@settings(SLOW, max_examples=10)
@given(problems())
def test_highs_alone_reaches_what_brute_force_finds(raw: dict[str, Any]) -> None:
    problem = parsed(raw)
    solution = solve(problem, workers=1)
    assert solution.objective.vector() == optimum(problem)
    assert solution.status == "optimal"
    assert faults(raw, solution) == []


def test_neighbourhoods_alone_better_the_first_roster(
    drawn: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a solver for the whole there is no bound to find: only the rosters get better."""
    monkeypatch.setattr(large, "HighsSearch", Mute)
    monkeypatch.setattr(run, "REPORT_SECONDS", 0.0)
    told: list[Progress] = []
    raw = generate("territory-3", 1)
    problem = parsed(raw)
    solution = solve(problem, progress=told.append, should_stop=lambda: len(drawn) >= ENOUGH)
    first = evaluate(problem, greedy(problem, open_pairs(problem)))
    steps = [item.best for item in told]
    assert len(drawn) == ENOUGH
    assert steps == sorted(steps, reverse=True)
    assert len(set(steps)) > 3
    assert solution.objective < first
    assert solution.status == "feasible"
    assert faults(raw, solution) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_huge_part_is_never_worse_than_its_first_roster(
    workers: int, drawn: list[list[str]]
) -> None:
    raw = generate("territory-3", 2)
    problem, best = parsed(raw), known_optimum()
    told: list[Progress] = []
    solution = solve(problem, workers=workers, time_limit=3, progress=told.append)
    first = evaluate(problem, greedy(problem, open_pairs(problem)))
    assert best <= solution.objective <= first
    for level, value in best.to_json().items():
        assert solution.bound[level] <= value
        if solution.objective.to_json()[level] != value:
            break
    steps = [item.best for item in told]
    assert steps == sorted(steps, reverse=True)
    assert faults(raw, solution) == []
    assert bool(drawn) == (workers > 1)


def known_optimum() -> Objective:
    """Of the second territory of three cabinets; proved by CP-SAT and by HiGHS."""
    return Objective(below_minimum=0, uncovered=384, changes=0, last_resort=40, quality=12733)
