"""The first roster: quick, valid, and the hint that the solver starts from."""

from __future__ import annotations

from collections.abc import Callable

from scheduler.engine.model import LAST_RESORT, Need, Pair, Problem
from scheduler.engine.occupancy import Occupancy


def open_pairs(problem: Problem) -> dict[str, dict[str, int]]:
    """The pairs that a roster may hold besides the fixed ones.

    Shape: need id to {doctor id: preference rank}, both in the order of the file. A pair that
    breaks a rule together with the fixed pairs alone is left out; fixed needs are not keys.
    """
    occupancy = Occupancy(problem, problem.fixed)
    return {
        need: {d: rank for d, rank in offered.items() if not occupancy.obstacles(need, d)}
        for need, offered in problem.offers.items()
        if need not in problem.fixed_doctor
    }


def greedy(
    problem: Problem,
    offers: dict[str, dict[str, int]],
    should_stop: Callable[[], bool] = lambda: False,
) -> list[Pair]:
    """A valid roster, built need by need and never revised.

    First one need on as many dates as each practice's weekly minimum asks for, then the rest,
    dearest first; among equals those that fewest doctors can take. The doctor is the one last
    shown, else one who need not be asked as a last resort, else the one with the lowest load.
    `offers` is what `open_pairs` returns. Stops early, still valid, when `should_stop()`.
    """
    occupancy = Occupancy(problem, problem.fixed)
    previous = dict(problem.previous_pairs)
    present: dict[tuple[str, object], set[int]] = {
        key: {need.day for need in needs if need.id in problem.fixed_doctor}
        for key, needs in problem.needs_by_week.items()
    }

    def fill(need: Need) -> None:
        candidates = [d for d in offers[need.id] if not occupancy.obstacles(need.id, d)]
        if not candidates:
            return

        def cost(doctor_id: str) -> tuple[int, ...]:
            doctor, rank = problem.doctors[doctor_id], offers[need.id][doctor_id]
            return (
                previous.get(need.id) != doctor_id,
                rank == LAST_RESORT or doctor.role == "titular",
                doctor.credit + occupancy.load(doctor_id),
                rank,
                -problem.affinity.get((need.id, doctor_id), 0),
            )

        occupancy.add(need.id, min(candidates, key=cost))
        present[need.practice, need.week].add(need.day)

    order = sorted(
        (problem.needs[need] for need in offers),
        key=lambda need: (-need.weight, len(offers[need.id]), need.day),
    )
    for need in order:
        dates = present[need.practice, need.week]
        if len(dates) < problem.practices[need.practice].weekly_minimum and need.day not in dates:
            fill(need)
    for i, need in enumerate(order):
        if i % 64 == 0 and should_stop():
            break
        if need.id not in occupancy.doctor_of:
            fill(need)
    return occupancy.pairs()


def kept(problem: Problem, offers: dict[str, dict[str, int]]) -> list[Pair]:
    """What still holds of the roster last shown, beside the fixed pairs."""
    occupancy = Occupancy(problem, problem.fixed)
    for need, doctor in problem.previous_pairs:
        free = need not in occupancy.doctor_of and doctor in offers.get(need, ())
        if free and not occupancy.obstacles(need, doctor):
            occupancy.add(need, doctor)
    return occupancy.pairs()


def complete(problem: Problem, offers: dict[str, dict[str, int]], pairs: list[Pair]) -> list[Pair]:
    """The roster with every uncovered need filled that somebody free could take.

    Covering one more need never worsens level 1 and always betters level 2.
    """
    occupancy = Occupancy(problem, pairs)
    for need, ranks in offers.items():
        if need in occupancy.doctor_of:
            continue
        free = [d for d in ranks if not occupancy.obstacles(need, d)]
        if free:
            titular = {d: problem.doctors[d].role == "titular" for d in free}
            occupancy.add(need, min(free, key=lambda d: (titular[d], ranks[d], occupancy.load(d))))
    return occupancy.pairs()
