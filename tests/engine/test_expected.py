"""The problem files with a known optimum: reached, proved, and the same again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scheduler.engine import evaluate, load_problem, solve
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


@pytest.mark.parametrize(
    ("before", "names"),
    [
        pytest.param("", ["tight-1", "nieul-1", "quarter-2"], id="CP-SAT"),
        pytest.param("run.SMALL = 0;", ["tiny-3", "tight-1"], id="HiGHS"),
    ],
)
def test_one_worker_gives_the_same_bytes_whatever_the_hash_seed(
    before: str, names: list[str]
) -> None:
    program = (
        f"import sys; from scheduler.engine import run, solve_file; {before}"
        "sys.exit(max(solve_file(path, workers=1, seed=3) for path in sys.argv[1:]))"
    )
    paths = [str(DATA / f"{name}.json") for name in names]
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
