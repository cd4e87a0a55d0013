"""The engine against first come, first served, on generated problems.

    python -m benchmarks.engine [--kinds week,quarter,tight] [--seeds 3] [--time-limit 60]

First come, first served is what a shared sheet does: needs by date, each to the first doctor of
the list who is free. The table gives both objectives, level by level, whether the engine's is
proved, and how much less of it stays uncovered and how much evener the load is.
"""

from __future__ import annotations

import argparse

from benchmarks.generate import KINDS, generate
from scheduler.engine import Objective, Problem, evaluate, open_pairs, parse_problem, solve
from scheduler.engine.occupancy import Occupancy


def first_come_first_served(problem: Problem) -> Objective:
    """The objective of a sheet that fills from the top."""
    occupancy, offers = Occupancy(problem, problem.fixed), open_pairs(problem)
    for need in sorted(offers, key=lambda ident: problem.needs[ident].day):
        for doctor in offers[need]:
            if not occupancy.obstacles(need, doctor):
                occupancy.add(need, doctor)
                break
    return evaluate(problem, occupancy.pairs())


def ratio(engine: float, sheet: float) -> str:
    """The engine's value over the sheet's."""
    return f"{engine / sheet:.2f}" if sheet else "-"


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description="Measure the roster engine.")
    parser.add_argument("--kinds", default="week,quarter,tight")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--time-limit", type=float, default=60)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    kinds = arguments.kinds.split(",")
    if unknown := sorted(set(kinds) - set(KINDS)):
        parser.error(f"no such kind: {', '.join(unknown)}")
    print(
        f"{'problem':<14}{'needs':>6}{'seconds':>9} {'status':<9}"
        f"{'engine':<32}{'first come, first served':<32}{'uncovered':>10}{'quality':>9}"
    )
    for kind in kinds:
        for seed in range(1, arguments.seeds + 1):
            problem = parse_problem(generate(kind, seed))
            sheet = first_come_first_served(problem)
            solution = solve(problem, time_limit=arguments.time_limit, workers=arguments.workers)
            engine = solution.objective
            print(
                f"{f'{kind}-{seed}':<14}{len(problem.needs):>6}{solution.seconds:>9.2f}"
                f" {solution.status:<9}{list(engine.vector())!s:<32}{list(sheet.vector())!s:<32}"
                f"{ratio(engine.uncovered, sheet.uncovered):>10}"
                f"{ratio(engine.quality, sheet.quality):>9}",
                flush=True,
            )


if __name__ == "__main__":
    main()
