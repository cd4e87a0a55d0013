"""One withdrawal from a solved roster: how quickly there is a new one, and how little it changes.

    python -m benchmarks.replan [--problems quarter-1 …] [--withdrawals 3] [--time-limit 60]

The roster becomes the one last shown, and somebody on it cannot come on one of their days. Also
how long `candidates` takes to rank who could take a need.
"""

from __future__ import annotations

import argparse
import random
import time

from benchmarks.generate import withdraw
from benchmarks.measure import engine, movable, raw_problem, spread
from scheduler.engine import broken_rules, candidates, parse_problem


def main() -> None:
    """Run the benchmark and print what it found."""
    parser = argparse.ArgumentParser(description="Replan after a withdrawal.")
    default = [f"quarter-{seed}" for seed in range(1, 6)]
    parser.add_argument("--problems", nargs="+", default=default, metavar="PROBLEM")
    parser.add_argument("--withdrawals", type=int, default=3, help="how many, each on its own")
    parser.add_argument("--needs", type=int, default=50, help="how many to rank candidates for")
    parser.add_argument("--time-limit", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    limit, workers = arguments.time_limit, arguments.workers
    for name in arguments.problems:
        rng, raw = random.Random(name), raw_problem(name)
        problem = parse_problem(raw)
        first = engine(problem, limit, workers)
        print(f"{name}: solved in {first.seconds:.2f} s, gap {first.gap()}")
        if broken := broken_rules(problem, first.pairs):
            print(f"  BROKEN: {broken[0]}")
        able = movable(problem, first.pairs)
        for need, doctor in rng.sample(able, min(len(able), arguments.withdrawals)):
            again = parse_problem(withdraw(raw, first.pairs, need, doctor))
            run = engine(again, limit, workers)
            changes = run.objective.changes
            proved = "proved" if run.bound["changes"] == changes else "NOT PROVED"
            # A locked pair that moved is a broken rule.
            broken = broken_rules(again, run.pairs)
            print(
                f"  {doctor} leaves {need}: {run.seconds:.2f} s, "
                f"{run.seconds / first.seconds:.2f} of the first, {changes} changed ({proved}), "
                f"gap {run.gap()}{f', BROKEN: {broken[0]}' if broken else ''}",
                flush=True,
            )
        seconds = []
        for need in rng.sample(list(problem.needs), min(len(problem.needs), arguments.needs)):
            began = time.perf_counter()
            candidates(problem, first.pairs, need)
            seconds.append(time.perf_counter() - began)
        print(f"  candidates of a need: {spread(seconds)}", flush=True)


if __name__ == "__main__":
    main()
