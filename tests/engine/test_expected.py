"""The problem files with a known optimum: reached, proved, and the same again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scheduler.engine import Progress, evaluate, load_problem, parse_problem, solve
from scheduler.engine.solution_file import judge, parse_solution
from tests.engine.support import DATA, EXPECTED, checker

ROOT = Path(__file__).parents[2]
NAMES = sorted(EXPECTED)


@pytest.mark.parametrize("name", NAMES)
def test_the_known_optimum_is_reached_and_proved(name: str) -> None:
    problem = load_problem(DATA / f"{name}.json")
    solution = solve(problem)
    assert solution.objective.to_json() == EXPECTED[name]
    assert solution.status == "optimal"
    assert dict(solution.bound) == EXPECTED[name]
    assert evaluate(problem, solution.pairs) == solution.objective
    assert judge(problem, parse_solution(json.loads(solution.dumps()), problem))[0] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_independent_checker_agrees(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    solution = solve(load_problem(DATA / f"{name}.json"), time_limit=1)
    path = tmp_path / "solution.json"
    path.write_text(solution.dumps(), "utf-8")
    assert checker().main(["check", str(DATA / f"{name}.json"), str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["broken"] == []


def test_one_worker_gives_the_same_bytes_whatever_the_hash_seed() -> None:
    program = (
        "import sys; from scheduler.engine import solve_file;"
        "sys.exit(max(solve_file(path, workers=1, seed=3) for path in sys.argv[1:]))"
    )
    paths = [str(DATA / f"{name}.json") for name in ("tight-1", "nieul-1", "quarter-2")]
    texts = []
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program, *paths],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        )
        lines = done.stdout.decode().splitlines()
        texts.append([line for line in lines if not line.startswith(' "seconds"')])
    assert texts[0] == texts[1]
    assert texts[0].count(' "status": "optimal",') == len(paths)


def test_progress_tells_every_level_and_never_goes_back() -> None:
    told: list[Progress] = []
    problem = load_problem(DATA / "tight-1.json")
    solution = solve(problem, workers=1, progress=told.append)
    stages = list(dict.fromkeys(item.stage for item in told))
    levels = ["below_minimum", "uncovered", "changes", "last_resort", "quality"]
    assert stages == ["start", *levels, "end"]
    assert [item.fraction for item in told] == sorted(item.fraction for item in told)
    assert [item.best for item in told] == sorted((item.best for item in told), reverse=True)
    assert told[-1].fraction == 1
    assert told[-1].best == solution.objective
    assert any(item.value is not None and item.bound is not None for item in told)
    for item in told:
        if item.stage == "quality" and item.value is not None:
            assert item.bound is not None
            assert item.bound <= EXPECTED["tight-1"]["quality"] <= item.value


def test_a_run_that_is_stopped_returns_the_best_roster_so_far() -> None:
    problem = load_problem(DATA / "quarter-1.json")
    stopping = False

    def watch(progress: Progress) -> None:
        nonlocal stopping
        stopping = stopping or progress.stage == "quality"

    solution = solve(problem, progress=watch, should_stop=lambda: stopping)
    assert solution.status == "feasible"
    assert solution.objective.vector()[:4] == (0, 30, 0, 6)
    assert solution.bound["last_resort"] == 6
    assert solution.bound["quality"] < solution.objective.quality
    assert judge(problem, parse_solution(json.loads(solution.dumps()), problem))[0] == []


def test_no_time_at_all_still_gives_a_roster() -> None:
    problem = load_problem(DATA / "quarter-1.json")
    solution = solve(problem, time_limit=0)
    assert solution.status == "feasible"
    assert len(solution.pairs) > 90
    assert judge(problem, parse_solution(json.loads(solution.dumps()), problem))[0] == []


def test_what_the_callbacks_raise_passes_and_leaves_no_thread() -> None:
    problem = load_problem(DATA / "quarter-1.json")

    def fail(progress: Progress) -> None:
        if progress.value is not None:
            raise LookupError("the job was deleted")

    with pytest.raises(LookupError, match="deleted"):
        solve(problem, progress=fail)


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
