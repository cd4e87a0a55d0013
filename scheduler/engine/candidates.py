"""Who could take one need now, and what it would cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scheduler.core.errors import Malformed
from scheduler.engine.fields import show
from scheduler.engine.model import LEVELS, PREFERENCES, Pair, Problem
from scheduler.engine.objective import evaluate
from scheduler.engine.occupancy import Occupancy
from scheduler.engine.solution import Number


@dataclass(frozen=True)
class Candidate:
    """A doctor who can take the need without breaking a rule.

    `cost` is the objective with them minus the objective now, level by level; a negative
    number is an improvement. `preference` is how they feel about it.
    """

    doctor: str
    preference: str
    cost: tuple[Number, ...]

    def to_json(self) -> dict[str, object]:
        """Plain values, levels by name."""
        return {
            "doctor": self.doctor,
            "preference": self.preference,
            "cost": dict(zip(LEVELS, self.cost, strict=True)),
        }


def candidates(problem: Problem, pairs: Iterable[Pair], need_id: str) -> list[Candidate]:
    """The available doctors who could take `need_id` in this roster, cheapest first.

    Whoever has the need in `pairs` is replaced, and is no candidate; a fixed need has none.
    Equal costs stand in the order of the file. Raises `Malformed` for an unknown need.
    """
    if need_id not in problem.needs:
        raise Malformed("need", f"no such need: {show(need_id)}")
    if need_id in problem.fixed_doctor:
        return []
    roster = list(pairs)
    holder = dict(roster).get(need_id)
    others = [pair for pair in roster if pair[0] != need_id]
    occupancy = Occupancy(problem, others)
    now = evaluate(problem, roster).vector()
    found = []
    for doctor, rank in problem.offers[need_id].items():
        if doctor == holder or occupancy.obstacles(need_id, doctor):
            continue
        then = evaluate(problem, [*others, (need_id, doctor)]).vector()
        cost = tuple(b - a for a, b in zip(now, then, strict=True))
        found.append(Candidate(doctor, PREFERENCES[rank], cost))
    return sorted(found, key=lambda candidate: candidate.cost)
