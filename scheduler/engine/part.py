"""One independent part of a problem: its integer programs, its roster, what is proved of it."""

from __future__ import annotations

from functools import cached_property

from scheduler.engine.components import Offers
from scheduler.engine.formulation import Formulation
from scheduler.engine.levels import Proof, least_possible
from scheduler.engine.model import LEVELS, Pair, Problem


class Part:
    """Open pairs that share no rule and no term with others, and the best roster on them.

    The values of level 5 leave out what no roster changes, so only differences mean something.
    """

    def __init__(self, problem: Problem, offers: Offers) -> None:
        self.problem, self.offers = problem, offers
        self.size = sum(map(len, offers.values()))
        self._pairs: list[Pair] = []
        self._values: list[int] = []
        self._proofs: dict[tuple[int, ...], int] = {}

    @cached_property
    def upper(self) -> Formulation:
        """Rules and levels 1 to 4."""
        return Formulation(self.problem, self.offers, LEVELS[:-1])

    @cached_property
    def full(self) -> Formulation:
        """Rules and all levels, with the variables of level 5."""
        return Formulation(self.problem, self.offers)

    @property
    def formulation(self) -> Formulation:
        """The fullest one that has been written down."""
        return self.full if "full" in self.__dict__ else self.upper

    @property
    def pairs(self) -> list[Pair]:
        """The roster of this part."""
        return self._pairs

    @pairs.setter
    def pairs(self, pairs: list[Pair]) -> None:
        self._pairs, self._values = pairs, []

    def holds(self, pair: Pair) -> bool:
        """Whether the pair is this part's to decide."""
        return pair[1] in self.offers.get(pair[0], ())

    def prove(self, weights: tuple[int, ...], bound: int) -> None:
        """Keep that no roster has a weighted sum below `bound`."""
        self._proofs[weights] = max(bound, self._proofs.get(weights, bound))

    def go_on(self) -> None:
        """Make the full formulation of the upper one, whose search is over, instead of anew."""
        self.upper.write(LEVELS[-1:])
        self.full = self.upper

    def keep_close(self) -> None:
        """Allow the full formulation no more changes than are proved to be needed.

        What is proved from then on is about rosters whose first three levels are the best ones.
        Does nothing while these are open.
        """
        values = self.values()
        if values[:3] == self.bounds(values)[:3]:
            self.full.at_most(2, values[2])

    def keep_best(self) -> bool:
        """Allow the full formulation only rosters that are best in levels 1 to 4.

        Returns False, and does nothing, while these are open.
        """
        values = self.values()
        if values[:4] != self.bounds(values)[:4]:
            return False
        for level, value in enumerate(values[:4]):
            self.full.at_most(level, value)
        return True

    def values(self) -> list[int]:
        """The levels of the roster, as many as are written down."""
        formulation = self.formulation
        if len(self._values) < len(formulation.levels):
            values = formulation.values(self.pairs)
            self._values = [level.of(values) for level in formulation.levels]
        return self._values

    def bounds(self, values: list[int]) -> list[int]:
        """For each of those levels, what is proved of rosters with the same better levels."""
        proofs = [Proof(weights, bound) for weights, bound in self._proofs.items()]
        return least_possible(proofs, values, self.formulation.ranges)
