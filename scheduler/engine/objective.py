"""The objective: one pure function per term, and the vector that compares two rosters.

With pairs R, smaller is better, position by position:

1. below_minimum = sum over (practice, ISO week) of
   max(0, min(weekly_minimum, dates with a need) - dates with a doctor);
2. uncovered = sum over needs without a doctor of half-days * (9, 3 or 1 by priority);
3. changes = pairs of `previous` that R does not keep;
4. last_resort = half-days, not fixed, on a last-resort availability or taken by a titular;
5. quality = fairness*F + preference*P + alone*A + mix*M - affinity*V.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

from scheduler.engine.model import LAST_RESORT, LEVELS, POSSIBLE, Pair, Problem, Week


@dataclass(frozen=True, order=True)
class Objective:
    """The five levels; comparison is lexicographic, smaller is better.

    `below_minimum` is an int unless a `weekly_minimum` is not; the others are ints.
    """

    below_minimum: int | float
    uncovered: int
    changes: int
    last_resort: int
    quality: int

    def vector(self) -> tuple[int | float, ...]:
        """The levels as a tuple, best first."""
        return astuple(self)

    def to_json(self) -> dict[str, int | float]:
        """The levels by name, in order."""
        return dict(zip(LEVELS, self.vector(), strict=True))


def below_minimum(problem: Problem, pairs: Sequence[Pair]) -> int | float:
    """Level 1, in days, summed in the order of the file so that equal rosters give equal floats."""
    present: dict[tuple[str, Week], set[int]] = defaultdict(set)
    for need_id, _ in pairs:
        need = problem.needs[need_id]
        present[need.practice, need.week].add(need.day)
    total: int | float = 0
    for key, needs in problem.needs_by_week.items():
        wanted = min(problem.practices[key[0]].weekly_minimum, len({need.day for need in needs}))
        total += max(0, wanted - len(present.get(key, ())))
    return total


def uncovered(problem: Problem, pairs: Sequence[Pair]) -> int:
    """Level 2, in weighted half-days."""
    covered = {need for need, _ in pairs}
    return sum(need.weight for need in problem.needs.values() if need.id not in covered)


def changes(problem: Problem, pairs: Sequence[Pair]) -> int:
    """Level 3: pairs of the roster last shown that are not kept."""
    doctor_of = dict(pairs)
    return sum(doctor_of.get(need) != doctor for need, doctor in problem.previous_pairs)


def last_resort(problem: Problem, pairs: Sequence[Pair]) -> int:
    """Level 4, in half-days that are not fixed."""
    return sum(
        problem.needs[need].size
        for need, doctor in pairs
        if (need, doctor) not in problem.fixed_pairs
        and (problem.doctors[doctor].role == "titular" or problem.rank(need, doctor) == LAST_RESORT)
    )


def fairness(problem: Problem, pairs: Sequence[Pair]) -> int:
    """F: sum of squared loads, credit included, of the doctors whom fairness concerns."""
    load: dict[str, int] = defaultdict(int)
    for need, doctor in pairs:
        load[doctor] += problem.needs[need].size
    return sum((problem.doctors[d].credit + load[d]) ** 2 for d in problem.in_fairness)


def preference(problem: Problem, pairs: Sequence[Pair]) -> int:
    """P: half-days, not fixed, on a `possible` availability."""
    return sum(
        problem.needs[need].size
        for need, doctor in pairs
        if (need, doctor) not in problem.fixed_pairs and problem.rank(need, doctor) == POSSIBLE
    )


def alone(problem: Problem, pairs: Sequence[Pair]) -> int:
    """A: half-days of a practice with needs in several rooms and exactly one doctor present."""
    doctor_of = dict(pairs)
    return sum(
        len({doctor_of[need.id] for need in needs if need.id in doctor_of}) == 1
        for needs in problem.shared_slots.values()
    )


def mix(problem: Problem, pairs: Sequence[Pair]) -> int:
    """M: weeks of a practice served by one gender only although the other was available."""
    count: dict[tuple[str, Week], int] = defaultdict(int)
    genders: dict[tuple[str, Week], set[str]] = defaultdict(set)
    for need_id, doctor in pairs:
        need, gender = problem.needs[need_id], problem.doctors[doctor].gender
        count[need.practice, need.week] += 1
        if gender is not None:
            genders[need.practice, need.week].add(gender)
    return sum(
        count[key] >= 2 and len(seen) == 1 and bool(problem.offered_genders[key] - seen)
        for key, seen in genders.items()
    )


def affinity(problem: Problem, pairs: Sequence[Pair]) -> int:
    """V: value of the affinity pairs that are assigned."""
    doctor_of = dict(pairs)
    return sum(v for (need, doctor), v in problem.affinity.items() if doctor_of.get(need) == doctor)


def quality(problem: Problem, pairs: Sequence[Pair]) -> int:
    """Level 5: the weighted sum of its five terms."""
    weights = problem.weights
    return (
        weights.fairness * fairness(problem, pairs)
        + weights.preference * preference(problem, pairs)
        + weights.alone * alone(problem, pairs)
        + weights.mix * mix(problem, pairs)
        - weights.affinity * affinity(problem, pairs)
    )


def evaluate(problem: Problem, pairs: Iterable[Pair]) -> Objective:
    """The objective vector of a roster, computed from the file's definitions alone."""
    roster = list(pairs)
    return Objective(
        below_minimum(problem, roster),
        uncovered(problem, roster),
        changes(problem, roster),
        last_resort(problem, roster),
        quality(problem, roster),
    )
