"""The engine against what else one could do: `make bench`.

    python -m benchmarks [--problems quarter-1 territory-300 …] [--time-limit 60] [--markdown]

For each problem the engine, (a) `agenda`: first come, first served, the median of 20 random
orders, (b) `weighted`: one plain CP-SAT model, and (c) `levels`: a MIP a level on HiGHS. Each runs
alone, in a process of its own. The columns: the vector, seconds to reach it and to prove it, how
many times the engine's seconds these are, the gap of the best level that is not proved, and the
most memory. Problems are files, names of shared ones, or generated: `benchmarks/generate.py`.
The pages of the week have a benchmark of their own: `python -m benchmarks.web`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks.baselines import Run
from benchmarks.measure import NAMES, SOLVERS, Measured, apart, raw_problem

HEAD = ("problem", "solver", "vector", "reached", "proved", "× reached", "× proved", "gap", "MB")
WIDTHS = (15, 9, 30, 8, 8, 9, 9, 22, 6)


def cells(measured: Measured, engine: Run | None) -> list[str]:
    """The columns of one run beside the engine's."""
    run = measured.run
    worse = engine is not None and run.objective > engine.objective
    better = engine is not None and run.objective < engine.objective
    vector = " ".join(f"{value:g}" for value in run.objective.vector())
    proved = f"{run.proved:.2f}" if run.proved is not None else f"> {run.seconds:.0f}"
    times = "-"
    if engine is not None and engine.proved:
        more = "> " if run.proved is None else ""
        times = f"{more}{(run.proved or run.seconds) / engine.proved:.1f}"
    found = "-"
    if engine is not None and not worse:
        found = f"{run.reached / engine.reached:.1f}"
    if run.name == "agenda":
        proved = times = found = "-"
    return [
        f"{vector} BETTER" if better else vector,
        f"{run.reached:.2f}",
        proved,
        found,
        times,
        "-" if run.name == "agenda" else run.gap(),
        f"{measured.memory:.0f}",
    ]


def line(columns: Sequence[str], markdown: bool) -> str:
    """One row of the table."""
    if markdown:
        return f"| {' | '.join(columns)} |"
    pairs = zip(columns, WIDTHS, strict=True)
    return " ".join(text.ljust(width) for text, width in pairs).rstrip()


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Compare solvers.")
    parser.add_argument("--problems", nargs="+", default=list(NAMES), metavar="PROBLEM")
    parser.add_argument("--solvers", nargs="+", default=list(SOLVERS), choices=list(SOLVERS))
    parser.add_argument("--time-limit", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--markdown", action="store_true", help="print the table for a page")
    arguments = parser.parse_args()
    print(line(HEAD, arguments.markdown))
    if arguments.markdown:
        print(line(["---"] * len(HEAD), markdown=True))
    for name in arguments.problems:
        try:
            raw = raw_problem(name)
        except ValueError as error:
            parser.error(str(error))
        engine = None
        for solver in sorted(arguments.solvers, key=list(SOLVERS).index):
            measured = apart(solver, raw, arguments.time_limit, arguments.workers)
            if measured is None:
                rest = [f"no answer {arguments.time_limit:g} s", *["-"] * 6]
            else:
                engine = measured.run if solver == "engine" else engine
                rest = cells(measured, engine)
            print(line([name, solver, *rest], arguments.markdown), flush=True)


if __name__ == "__main__":
    main()
