"""The engine on files: what the `solve` and `check` commands run, and their exit statuses."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import TextIO

from scheduler.core.errors import Malformed
from scheduler.engine.fields import read_json
from scheduler.engine.parsing import load_problem
from scheduler.engine.run import Progress, solve
from scheduler.engine.solution import check_destination, write_text
from scheduler.engine.solution_file import judge, parse_solution

OK, BROKEN, BAD_INPUT = 0, 1, 2


def solve_file(
    problem_path: str | os.PathLike[str],
    out_path: str | os.PathLike[str] | None = None,
    time_limit: float | None = None,
    workers: int = 2,
    seed: int = 0,
    progress: TextIO | None = None,
    output: TextIO | None = None,
) -> int:
    """Solve a problem file and write the solution file.

    The solution goes to `out_path`, whole or not at all, or to `output` (standard output);
    progress and errors go to `progress` (standard error), one line each. Returns 0, or 2 for a
    file that is malformed, cannot be read or cannot be written.
    """
    lines = progress or sys.stderr
    try:
        problem = load_problem(problem_path)
        if out_path is not None:
            check_destination(out_path, problem_path)
        solution = solve(
            problem, time_limit=time_limit, workers=workers, seed=seed, progress=_printer(lines)
        )
        if out_path is None:
            (output or sys.stdout).write(solution.dumps())
        else:
            write_text(out_path, solution.dumps())
    except Malformed as error:
        print(error, file=lines)
        return BAD_INPUT
    except OSError as error:
        print(f"{_printable(out_path)}: cannot be written: {error.strerror}", file=lines)
        return BAD_INPUT
    return OK


def check_files(
    problem_path: str | os.PathLike[str],
    solution_path: str | os.PathLike[str],
    stream: TextIO | None = None,
    errors: TextIO | None = None,
) -> int:
    """Judge a solution file with the engine's own rules.

    Prints one JSON object with `broken` (a list of sentences), `objective` and `status` to
    `stream` (standard output). Returns 0 when all holds, 1 when something is broken, 2 with one
    line on `errors` (standard error) when a file is not what it says it is.
    """
    try:
        problem = load_problem(problem_path)
        written = parse_solution(read_json(solution_path), problem)
    except Malformed as error:
        print(error, file=errors or sys.stderr)
        return BAD_INPUT
    broken, objective = judge(problem, written)
    verdict = {"broken": broken, "objective": objective.to_json(), "status": written.status}
    print(json.dumps(verdict, ensure_ascii=False), file=stream or sys.stdout)
    return BROKEN if broken else OK


def _printer(stream: TextIO) -> Callable[[Progress], None]:
    """Prints one line whenever what it says has changed."""
    last = ""

    def show(progress: Progress) -> None:
        nonlocal last
        parts = [f"{progress.stage:<13}", f"best {list(progress.best.vector())}"]
        if progress.value is not None:
            parts.append(f"value {progress.value:g}" + f" bound {progress.bound:g}")
        line = " ".join(parts)
        if line != last:
            last = line
            share = f"{progress.fraction:4.0%}"
            print(f"{progress.seconds:8.2f} s {share} {line}", file=stream, flush=True)

    return show


def _printable(path: str | os.PathLike[str] | None) -> str:
    return ascii(os.fspath(path))[1:-1] if path is not None else "standard output"
