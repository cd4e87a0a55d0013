"""Each benchmark runs on a small problem and says what it found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import cells
from benchmarks.baselines import Run
from benchmarks.measure import Measured, apart, raw_problem, spread
from scheduler.engine import Objective
from tests.engine.support import DATA, EXPECTED

ROOT = Path(__file__).parents[2]


def told(*arguments: str) -> list[str]:
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_the_comparison_has_a_row_for_every_solver() -> None:
    path = str(DATA / "tiny-1.json")
    head, rule, *rows = told("benchmarks", "--problems", path, "--markdown", "--time-limit", "60")
    columns = [[text.strip() for text in row.strip("|").split("|")] for row in rows]
    assert [each[1] for each in columns] == ["engine", "agenda", "weighted", "levels"]
    best = " ".join(str(value) for value in EXPECTED["tiny-1"].values())
    assert [each[2] == best for each in columns] == [True, False, True, True]
    assert columns[0][5:8] == ["1.0", "1.0", "0"]
    assert len({row.count("|") for row in (head, rule, *rows)}) == 1


def test_an_unknown_problem_is_refused_in_one_line() -> None:
    command = [sys.executable, "-m", "benchmarks", "--problems", "village"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("no such kind: village")


def test_many_seeds_are_counted() -> None:
    lines = told(
        *("benchmarks.quarters", "--kind", "tiny", "--seeds", "3"),
        *("--against", "levels", "--on", "2"),
    )
    assert lines[0] == "tiny: 3 of 3 proved"
    assert lines[3].startswith("  levels: 2 of 2 proved, in ")


def test_replanning_tells_the_fewest_changes() -> None:
    path = str(DATA / "nieul-1.json")
    lines = told("benchmarks.replan", "--problems", path, "--withdrawals", "2", "--needs", "3")
    assert len(lines) == 4
    assert lines[0].endswith("gap 0")
    assert all("changed (proved), gap 0" in line for line in lines[1:3])
    assert not any("BROKEN" in line for line in lines)


def test_a_run_in_a_process_of_its_own_tells_its_memory() -> None:
    measured = apart("agenda", raw_problem(str(DATA / "tiny-1.json")), 60, 1)
    assert measured is not None
    assert measured.run.name == "agenda"
    assert 10 < measured.memory < 2000


def test_a_solver_that_dies_gives_no_answer() -> None:
    assert apart("no such solver", {}, 60, 1) is None


@pytest.mark.parametrize(
    ("name", "needs"), [("tiny-7", "nieul-2027-01-04-1"), ("territory-3", "cab000-2027-01-04-1")]
)
def test_a_problem_that_is_nowhere_is_generated(name: str, needs: str) -> None:
    assert raw_problem(name)["needs"][0]["id"].startswith(needs)


def test_rows_tell_ratios_of_the_same_run_and_who_is_better() -> None:
    engine = Run("engine", (), Objective(0, 5, 0, 0, 9), 0.1, 1.0, 2.0, 2.0, {})
    slow = Run("levels", (), Objective(0, 5, 0, 0, 9), 0.1, 3.0, None, 60.0, {"below_minimum": 0})
    worse = Run("weighted", (), Objective(0, 6, 0, 0, 9), 0.1, 3.0, 8.0, 8.0, {})
    better = Run("weighted", (), Objective(0, 4, 0, 0, 9), 0.1, 3.0, 8.0, 8.0, {})
    assert cells(Measured(slow, 99.6), engine) == [
        *("0 5 0 0 9", "3.00", "> 60", "3.0", "> 30.0", "uncovered: no bound", "100")
    ]
    assert cells(Measured(worse, 1), engine)[3:5] == ["-", "4.0"]
    assert cells(Measured(better, 1), engine)[0] == "0 4 0 0 9 BETTER"


def test_the_pages_of_the_week_are_told_beside_an_empty_one() -> None:
    head, *rows = told("benchmarks.web", "--rounds", "2")
    assert head.split() == ["page", "reader", "ms", "×", "empty", "queries"]
    names = [row[:22].strip() for row in rows]
    assert names == ["week", "week", "month", "sheet for the door", "public page"]
    for row in rows:
        milliseconds, ratio, queries = row[36:].split()
        assert 0 < float(milliseconds) < 60_000
        assert 0 < float(ratio) < 1000
        assert 0 < int(queries) < 40


def test_the_spread_of_seconds() -> None:
    assert spread([n / 100 for n in range(100, 0, -1)]) == (
        "median 0.510 s, 95 % within 0.950 s, at most 1.000 s"
    )
