"""Many generated problems of one kind: how many are proved, and how soon.

    python -m benchmarks.quarters [--seeds 100] [--against levels weighted --on 10]

`--against` runs other solvers on the first problems too and prints how many times the engine's
seconds they take to prove theirs.
"""

from __future__ import annotations

import argparse

from benchmarks.baselines import Run
from benchmarks.generate import generate
from benchmarks.measure import SOLVERS, engine, spread
from scheduler.engine import parse_problem


def main() -> None:
    """Run the benchmark and print what it found."""
    parser = argparse.ArgumentParser(description="Solve many generated problems.")
    parser.add_argument("--kind", default="quarter")
    parser.add_argument("--seeds", type=int, default=100, help="how many, from 1")
    parser.add_argument("--time-limit", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--against", nargs="*", default=[], choices=["weighted", "levels"])
    parser.add_argument("--on", type=int, default=10, help="how many the others solve")
    arguments = parser.parse_args()
    limit, workers = arguments.time_limit, arguments.workers
    runs: list[Run] = []
    ratios: dict[str, list[tuple[float, bool]]] = {name: [] for name in arguments.against}
    for seed in range(1, arguments.seeds + 1):
        problem = parse_problem(generate(arguments.kind, seed))
        run = engine(problem, limit, workers)
        runs.append(run)
        if run.proved is None:
            print(f"seed {seed}: {run.gap()} not proved in {run.seconds:.1f} s", flush=True)
        for name in arguments.against if seed <= arguments.on else []:
            other = SOLVERS[name](parse_problem(generate(arguments.kind, seed)), limit, workers)
            ratio = (other.proved or other.seconds) / run.seconds
            ratios[name].append((ratio, other.proved is not None))
            if other.objective < run.objective:
                print(f"seed {seed}: {name} is BETTER, {other.objective.vector()}", flush=True)
    print(f"{arguments.kind}: {sum(run.proved is not None for run in runs)} of {len(runs)} proved")
    print(f"  whole run:    {spread([run.seconds for run in runs])}")
    print(f"  first roster: {spread([run.first for run in runs])}")
    for name, found in ratios.items():
        ordered = sorted(ratio for ratio, _ in found)
        print(
            f"  {name}: {sum(proved for _, proved in found)} of {len(found)} proved, "
            f"in {ordered[0]:.1f} to {ordered[-1]:.1f} times the engine's seconds, "
            f"median {ordered[len(ordered) // 2]:.1f} (unproved: at least)"
        )


if __name__ == "__main__":
    main()
