"""Small problems inside a large one: some needs are free, all that touches them is fixed."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from scheduler.engine.components import Offers
from scheduler.engine.model import Availability, Need, Pair, Problem, Week

PAIRS = 450
"""Open pairs of a neighbourhood: as many as are solved in a fraction of a second."""
DAYS = 10
"""How far its needs are from the first one, at the most."""


class Neighbourhoods:
    """Draws neighbourhoods of a problem, from a seed, and writes each down as a problem.

    A neighbourhood grows from one need over the doctors who could take it to the other needs
    around that date that these could take, and so on. Every term of the objective that the free
    needs enter is wholly inside, so a better roster of the small problem makes a better one of
    the large problem.
    """

    def __init__(self, problem: Problem, offers: Offers, seed: int) -> None:
        self._problem, self._offers = problem, offers
        self._random = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._of_doctor: dict[str, list[Need]] = defaultdict(list)
        self._open = [need for need, ranks in offers.items() if ranks]
        for need in self._open:
            for doctor in offers[need]:
                self._of_doctor[doctor].append(problem.needs[need])
        self._said: dict[str, list[Availability]] = defaultdict(list)
        for item in problem.availabilities:
            self._said[item.doctor].append(item)
        self._week: dict[tuple[str, Week], tuple[Need, ...]] = problem.needs_by_week
        self._coming: list[str] = []

    def draw(self, pairs: Iterable[Pair]) -> list[str]:
        """The needs of the next neighbourhood of a roster.

        One after the other, in random order, it begins with those that have lost the doctor who
        was last shown there, those that nobody has, and all others.
        """
        if not self._coming:
            doctor_of = dict(pairs)
            shown = dict(self._problem.previous)
            groups: tuple[list[str], ...] = ([], [], [])
            for key in self._open:
                lost = key in shown and doctor_of.get(key) != shown[key]
                groups[0 if lost else 2 if key in doctor_of else 1].append(key)
            for group in groups:
                self._random.shuffle(group)
            self._coming = [key for group in groups for key in group][::-1]
        first = self._problem.needs[self._coming.pop()]
        chosen: dict[str, None] = {first.id: None}
        doctors: dict[str, None] = {}
        size = 0
        for need_id in (queue := [first.id]):
            for doctor in self._offers[need_id]:
                if doctor in doctors:
                    continue
                doctors[doctor] = None
                for need in self._of_doctor[doctor]:
                    if need.id not in chosen and abs(need.day - first.day) <= DAYS:
                        size += len(self._offers[need.id])
                        if size > PAIRS:
                            return list(chosen)
                        chosen[need.id] = None
                        queue.append(need.id)
        return list(chosen)

    def problem(self, free: Iterable[str], pairs: Iterable[Pair]) -> Problem:
        """The small problem in which, of the roster `pairs`, only the `free` needs are open."""
        whole, open_needs = self._problem, set(free)
        held: dict[str, list[Pair]] = defaultdict(list)
        doctor_of = dict(pairs)
        for pair in doctor_of.items():
            held[pair[1]].append(pair)
        needs = {need: whole.needs[need] for need in open_needs}
        for need_id in open_needs:
            need = whole.needs[need_id]
            for other in self._week[need.practice, need.week]:
                needs[other.id] = other
        involved = {doctor_of[need] for need in needs if need in doctor_of}
        involved.update(doctor for need in needs for doctor in whole.offers[need])
        for doctor in involved:
            for need_id, _ in held[doctor]:
                needs[need_id] = whole.needs[need_id]
        inside = {need: item for need, item in whole.needs.items() if need in needs}
        return replace(
            whole,
            doctors={key: doctor for key, doctor in whole.doctors.items() if key in involved},
            needs=inside,
            availabilities=tuple(
                item for key in whole.doctors if key in involved for item in self._said[key]
            ),
            fixed=tuple(
                (need, doctor_of[need])
                for need in inside
                if need in doctor_of and need not in open_needs
            ),
            previous=tuple(
                pair for pair in whole.previous if pair[0] in inside and pair[1] in involved
            ),
            affinity={
                pair: value
                for pair, value in whole.affinity.items()
                if pair[0] in inside and pair[1] in involved
            },
        )
