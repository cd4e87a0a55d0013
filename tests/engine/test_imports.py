"""What importing the engine brings along: the solver only for whoever solves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
CANDIDATES = """
import sys
import web
from scheduler.engine import candidates, parse_problem
problem = parse_problem({
    "format": "relais-roster/1", "start": "2026-11-23", "end": "2026-11-29",
    "practices": [{"id": "p", "rooms": ["1"]}],
    "doctors": [{"id": "d", "role": "replacement", "practices": ["p"]}],
    "needs": [
        {"id": "n", "practice": "p", "room": "1", "date": "2026-11-24", "period": "day"}
    ],
    "availabilities": [
        {"doctor": "d", "date": "2026-11-24", "period": "day", "preference": "wanted"}
    ],
})
assert [found.doctor for found in candidates(problem, [], "n")] == ["d"]
loaded = [name for name in sys.modules if name.partition(".")[0] == "ortools"]
assert not loaded, loaded
"""
# Whichever way the modules behind it were imported before, and in which order.
NAMES = """
import importlib
{before}
from scheduler.engine import Progress, check_files, solve, solve_file
import scheduler.engine.run
from scheduler.engine.run import solve as same
assert solve is same and scheduler.engine.solve is same
assert callable(check_files) and callable(solve_file) and isinstance(Progress, type)
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=False
    )


def test_the_web_finds_candidates_without_loading_the_solver() -> None:
    found = run(CANDIDATES)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(
    "before",
    [
        "",
        "import scheduler.engine.run",
        "importlib.import_module('scheduler.engine.commands')",
        "from scheduler.engine.run import START",
    ],
)
def test_the_solver_has_one_name_however_it_was_imported(before: str) -> None:
    found = run(NAMES.format(before=before))
    assert found.returncode == 0, found.stderr


def test_no_module_hides_what_is_loaded_late() -> None:
    """A module of the same name would take the place of the function once it is imported."""
    modules = {path.stem for path in (PROJECT / "scheduler" / "engine").glob("*.py")}
    found = run("import scheduler.engine\nprint(*scheduler.engine._SOLVING)")
    late = set(found.stdout.split())
    assert "solve" in late, found.stderr
    assert not late & modules


def test_an_unknown_name_is_refused_by_name() -> None:
    found = run("import scheduler.engine\nscheduler.engine.solv")
    assert "AttributeError: module 'scheduler.engine' has no attribute 'solv'" in found.stderr
