"""(a) First come, first served: a shared agenda that fills as doctors look at it."""

from __future__ import annotations

import random

from benchmarks.baselines.run import Run, Watch
from scheduler.engine import Pair, Problem, evaluate, open_pairs
from scheduler.engine.occupancy import Occupancy


def agenda(problem: Problem, orders: int = 20, seed: int = 0) -> Run:
    """The median, by vector, of agendas filled in `orders` random orders.

    Whoever was shown on a day keeps it while they can. Then doctors claim the days they want, in
    random order; then those that are merely possible; at last those who must be asked, titular
    doctors after all others. Nobody ever gives a day back.
    """
    rng, offers = random.Random(seed), open_pairs(problem)
    waves: list[list[Pair]] = [[], [], [], []]
    for need, doctors in offers.items():
        for doctor, rank in doctors.items():
            titular = problem.doctors[doctor].role == "titular"
            waves[3 if titular else rank].append((need, doctor))
    runs = []
    for _ in range(orders):
        watch = Watch(problem, float("inf"))
        kept = [(n, d) for n, d in problem.previous_pairs if d in offers.get(n, {})]
        claims = [*kept, *(pair for wave in waves for pair in rng.sample(wave, len(wave)))]
        occupancy = Occupancy(problem, problem.fixed)
        for need, doctor in claims:
            if need not in occupancy.doctor_of and not occupancy.obstacles(need, doctor):
                occupancy.add(need, doctor)
        watch.saw(occupancy.pairs())
        runs.append(watch.finish("agenda", proved=False, bound={}))
    return sorted(runs, key=lambda run: evaluate(problem, run.pairs))[orders // 2]
