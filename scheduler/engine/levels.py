"""Five levels in one objective, and what a bound on that objective proves of each level.

The levels f1, ..., f5 are compared one after the other. A solver minimises one number, so it is
given a weighted sum. Two kinds of weights are used:

- *dominating* ones: w[i] > sum over j > i of w[j] * (max f[j] - min f[j]). Bettering a level by
  one unit then outweighs everything that the later levels can lose, so a roster that minimises
  the sum is lexicographically best. They are exact, and large: they spoil the arithmetic of a
  solver when the ranges are wide.
- *firm* ones: each a few times what one assignment can gain in the next level. They are small
  and nearly always lead to the same roster, but nothing guarantees it beforehand.

What is proved does not depend on the kind. If every roster x satisfies

    sum over i of w[i] * f[i](x) >= D,

then for rosters with f[i](x) = a[i] at the levels before k, and f[i] <= max f[i] behind it,

    f[k](x) >= (D - sum over i < k of w[i] * a[i] - sum over i > k of w[i] * max f[i]) / w[k].

So whenever the better levels of a roster are proved, a bound on any weighted sum is a bound on
the next level, and with nothing behind k (w[i] = 0) no range enters at all. This is the
Lagrangian relaxation of the constraints f[i] = a[i].
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from scheduler.engine.model import LEVELS

FIRM: Final = 5
"""How many times the next level's largest step a firm weight is."""


@dataclass(frozen=True)
class Range:
    """The least and the greatest value that a level can have, from its coefficients alone.

    `step` is the largest change that one variable makes.
    """

    least: int
    most: int
    step: int

    @property
    def width(self) -> int:
        return self.most - self.least


@dataclass(frozen=True)
class Proof:
    """Every roster has sum of weight * level >= `bound`; one weight per level, 0 for none."""

    weights: tuple[int, ...]
    bound: int


def dominating(ranges: Sequence[Range]) -> tuple[int, ...]:
    """Weights under which the first levels, as many as there are ranges, are lexicographic."""
    weights: list[int] = []
    behind = 0
    for reach in reversed(ranges):
        weights.append(behind + 1)
        behind += weights[-1] * reach.width
    return _filled(reversed(weights))


def firm(ranges: Sequence[Range], firmness: int = FIRM) -> tuple[int, ...]:
    """Weights that each outweigh `firmness` of the largest steps of the next level that counts."""
    weights: list[int] = []
    behind = 0
    for reach in reversed(ranges):
        weights.append(max(1, firmness * behind))
        if reach.width:
            behind = weights[-1] * reach.step
    return _filled(reversed(weights))


def least_possible(
    proofs: Iterable[Proof], values: Sequence[int], ranges: Sequence[Range]
) -> list[int]:
    """For each level, the best proved bound of rosters with the same better levels.

    `values` are the levels of the best roster, which also bound what can be worse than it.
    """
    known = list(proofs)
    bounds = []
    for k, reach in enumerate(ranges):
        bound = reach.least
        for proof in known:
            if not proof.weights[k]:
                continue
            rest = proof.bound
            rest -= sum(w * a for w, a in zip(proof.weights[:k], values[:k], strict=True))
            # Levels that have no range are in no proof either: their weight is 0.
            later = zip(proof.weights[k + 1 :], ranges[k + 1 :], strict=False)
            rest -= sum(w * reach.most for w, reach in later)
            bound = max(bound, -(-rest // proof.weights[k]))
        bounds.append(min(bound, values[k]))
    return bounds


def _filled(weights: Iterable[int]) -> tuple[int, ...]:
    found = tuple(weights)
    return found + (0,) * (len(LEVELS) - len(found))
