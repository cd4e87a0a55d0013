"""What the benchmarks share: problems by name, and runs that do not disturb each other."""

from __future__ import annotations

import json
import multiprocessing
import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.baselines import Run, agenda, levels, weighted
from benchmarks.generate import Json, generate
from scheduler.engine import Pair, Problem, Progress, parse_problem, solve

SHARED = Path(__file__).parents[2] / "shared" / "problems"
NAMES = (
    *(f"tiny-{i}" for i in range(1, 6)),
    *("tight-1", "nieul-1", "quarter-1", "quarter-2", "replan-1", "territory-60-1"),
)
"""The problems of a whole run."""

GRACE = 60
"""Seconds beyond its limit after which a solver that does not answer is ended."""

Solver = Callable[[Problem, float, int], Run]


def raw_problem(name: str) -> Json:
    """A problem file by its path or its name among the shared ones, or else a generated one.

    ``quarter-3`` is the kind quarter with seed 3, ``quarter`` and ``territory-300`` have seed 1.
    Raises `ValueError` for anything else.
    """
    for path in (Path(name), SHARED / f"{name}.json"):
        if path.is_file():
            raw: Json = json.loads(path.read_text("utf-8"))
            return raw
    kind, _, seed = name.rpartition("-")
    if seed.isdecimal() and kind not in ("", "territory"):
        return generate(kind, int(seed))
    return generate(name, 1)


def engine(problem: Problem, limit: float | None, workers: int = 2) -> Run:
    """The engine, its explanations included."""
    told: list[Progress] = []
    solution = solve(problem, time_limit=limit, workers=workers, progress=told.append)
    seconds, final = solution.seconds, solution.objective
    return Run(
        name="engine",
        pairs=solution.pairs,
        objective=final,
        first=min((item.seconds for item in told), default=seconds),
        reached=min((item.seconds for item in told if item.best == final), default=seconds),
        proved=seconds if solution.status == "optimal" else None,
        seconds=seconds,
        bound=solution.bound,
    )


SOLVERS: dict[str, Solver] = {
    "engine": engine,
    "agenda": lambda problem, _limit, _workers: agenda(problem),
    "weighted": weighted,
    "levels": lambda problem, limit, _workers: levels(problem, limit),
}


@dataclass(frozen=True)
class Measured:
    """A run in a process of its own, and the most memory that this took, in MB."""

    run: Run
    memory: float


def apart(name: str, raw: Json, limit: float, workers: int) -> Measured | None:
    """Run a solver in a fresh process; None when it gave no answer in time or died."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(there, name, raw, limit, workers))
    child.start()
    there.close()
    try:
        measured: Measured | None = here.recv() if here.poll(limit + GRACE) else None
    except EOFError:
        measured = None
    child.kill()
    child.join()
    return measured


def _child(pipe: Connection, name: str, raw: Json, limit: float, workers: int) -> None:
    run = SOLVERS[name](parse_problem(raw), limit, workers)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pipe.send(Measured(run, memory))


def movable(problem: Problem, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs of a roster from which somebody can withdraw."""
    return [pair for pair in pairs if pair not in problem.fixed_pairs]


def spread(values: Sequence[float]) -> str:
    """Median, 95th percentile and largest of some seconds."""
    ordered = sorted(values)
    middle, high = ordered[len(ordered) // 2], ordered[(len(ordered) * 95 - 1) // 100]
    return f"median {middle:.3f} s, 95 % within {high:.3f} s, at most {ordered[-1]:.3f} s"
