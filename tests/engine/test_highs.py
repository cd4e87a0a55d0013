"""The second solver, in a process of its own: what it finds, and how it ends."""

from __future__ import annotations

import os
import pickle
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings

from benchmarks.generate import generate
from scheduler.engine import evaluate, greedy, load_problem, open_pairs, parse_problem, solve
from scheduler.engine import highs as module
from scheduler.engine.highs import HighsSearch
from scheduler.engine.levels import dominating, firm
from scheduler.engine.model import LEVELS, Problem
from scheduler.engine.part import Part
from scheduler.engine.search import CpSearch, Search
from tests.engine.support import DATA, SLOW, parsed, problems

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds after which a process that does not end has failed its test."""


def whole(problem: Problem) -> Part:
    """All open pairs as one part, with the greedy roster."""
    part = Part(problem, open_pairs(problem))
    part.pairs = [pair for pair in greedy(problem, part.offers) if part.holds(pair)]
    return part


def ended(search: Search) -> Search:
    """The search once it has run to its end by itself."""
    search.start()
    search.join(PATIENCE)
    search.check()
    assert not search.running
    assert search.closed
    return search


def both(problem: Problem) -> tuple[Search, Search]:
    """HiGHS and CP-SAT on all levels of the problem, run to the end."""
    part = whole(problem)
    formulation, hint = part.full, part.full.values(part.pairs)
    level = formulation.weighted(firm(formulation.ranges))
    return (
        ended(HighsSearch(formulation, level, hint, 0)),
        ended(CpSearch(formulation, level, hint, seed=0, presolve=False)),
    )


@pytest.mark.parametrize("name", ["tiny-4", "tight-1", "quarter-1"])
def test_both_solvers_reach_the_same_sum(name: str) -> None:
    problem = load_problem(DATA / f"{name}.json")
    one, other = both(problem)
    assert (one.best, one.bound) == (other.best, other.bound)
    found = [item.pairs for item in one.news() if item.pairs is not None]
    values = one.formulation.values(found[-1])
    assert one.level.of(values) == one.best


@settings(SLOW, max_examples=12)
@given(problems())
def test_both_solvers_reach_the_same_sum_on_any_problem(raw: dict[str, Any]) -> None:
    problem = parsed(raw)
    assume(any(open_pairs(problem).values()))
    one, other = both(problem)
    assert (one.best, one.bound) == (other.best, other.bound)


def test_each_roster_is_better_and_each_bound_higher() -> None:
    problem = load_problem(DATA / "tight-1.json")
    part = whole(problem)
    level = part.upper.weighted(dominating(part.upper.ranges))
    news = ended(HighsSearch(part.upper, level, None, 0)).news()
    bounds = [item.bound for item in news if item.bound is not None]
    sums = [level.of(part.upper.values(item.pairs)) for item in news if item.pairs is not None]
    assert sums == sorted(set(sums), reverse=True)
    assert bounds == sorted(set(bounds))
    assert bounds[-1] == sums[-1]
    # Dominating weights: the last roster has the upper levels that are known to be the best.
    rosters = [item.pairs for item in news if item.pairs is not None]
    best = evaluate(problem, [*problem.fixed, *rosters[-1]])
    assert best.vector()[: len(LEVELS) - 1] == (1, 291, 0, 20)


def test_a_stop_ends_the_process_in_the_middle(begun: list[subprocess.Popen[bytes]]) -> None:
    part = whole(parse_problem(generate("territory-6", 1)))
    level = part.full.weighted(firm(part.full.ranges))
    search = HighsSearch(part.full, level, part.full.values(part.pairs), 0)
    search.start()
    while search.running and not search.news():
        search.join(0.01)
    search.stop()
    search.join(PATIENCE)
    search.check()
    assert not search.running
    assert not search.closed
    assert [process.returncode for process in begun] == [-signal.SIGKILL]


@pytest.mark.parametrize("name", ["tiny-1", "tight-1", "quarter-1"])
def test_a_stop_while_the_program_is_still_being_sent(
    name: str,
    begun: list[subprocess.Popen[bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process that never reads leaves the program in the pipe, or before it."""
    deaf = tmp_path / "deaf.py"
    deaf.write_text("import time\ntime.sleep(3600)\n", "utf-8")
    monkeypatch.setattr(module, "CHILD", deaf)
    part = whole(load_problem(DATA / f"{name}.json"))
    search = HighsSearch(part.full, part.full.weighted(firm(part.full.ranges)), None, 0)
    search.start()
    while not begun:
        search.join(0.01)
    search.stop()
    search.join(PATIENCE)
    search.check()
    assert not search.running
    assert begun[0].returncode == -signal.SIGKILL


def test_a_stop_before_the_start_begins_no_process(begun: list[subprocess.Popen[bytes]]) -> None:
    part = whole(load_problem(DATA / "tiny-1.json"))
    search = HighsSearch(part.upper, part.upper.weighted(firm(part.upper.ranges)), None, 0)
    search.stop()
    search.start()
    search.join(PATIENCE)
    search.check()
    assert not search.running
    assert begun == []


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    "child",
    [
        pytest.param("", id="at once"),
        pytest.param("import pickle, sys; pickle.load(sys.stdin.buffer)", id="without a word"),
        pytest.param("print('not an event', flush=True)", id="after nonsense"),
    ],
)
def test_a_process_that_dies_is_an_error(
    child: str,
    workers: int,
    begun: list[subprocess.Popen[bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "child.py"
    path.write_text(child, "utf-8")
    monkeypatch.setattr(module, "CHILD", path)
    monkeypatch.setattr("scheduler.engine.run.SMALL", 0)
    with pytest.raises(RuntimeError, match="process ended by itself"):
        solve(load_problem(DATA / "quarter-1.json"), workers=workers)
    assert begun
    assert all(process.returncode is not None for process in begun)


def test_the_process_ends_when_nobody_writes_to_it_any_more() -> None:
    """Even where what it says is still read."""
    part = whole(parse_problem(generate("territory-6", 1)))
    search = HighsSearch(part.full, part.full.weighted(firm(part.full.ranges)), None, 0)
    with subprocess.Popen(
        [sys.executable, "-I", str(module.CHILD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        pickle.dump(search._program, child.stdin)
        child.stdin.close()
        child.stdout.read()
    assert child.returncode == 1


ORPHANS = """
import os, signal, sys
from benchmarks.generate import generate
from scheduler.engine import parse_problem
from tests.engine.test_highs import HighsSearch, firm, subprocess, whole
begun = []
class Noted(subprocess.Popen):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        begun.append(self.pid)
subprocess.Popen = Noted
part = whole(parse_problem(generate("territory-6", 1)))
level = part.full.weighted(firm(part.full.ranges))
searches = [HighsSearch(part.full, level, None, seed) for seed in (0, 1)]
for search in searches:
    search.start()
for search in searches:
    while search.running and not search.news():
        search.join(0.01)
print(*begun, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfd_open, which Linux has")
def test_the_processes_end_with_their_parent() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ORPHANS],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        orphans = [os.pidfd_open(int(pid)) for pid in parent.stdout.readline().split()]
        try:
            running, _, _ = select.select(orphans, [], [], 0)
            parent.kill()
            alive = {*orphans}
            while alive and (over := select.select([*alive], [], [], PATIENCE)[0]):
                alive -= {*over}
        finally:
            for orphan in orphans:
                os.close(orphan)
    assert len(orphans) == 2
    assert running == []
    assert not alive
