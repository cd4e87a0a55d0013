"""Weights that rank rosters level by level, and what a bound on their sum proves."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.engine import LEVELS, open_pairs
from scheduler.engine.formulation import Formulation
from scheduler.engine.levels import FIRM, Proof, Range, dominating, firm, least_possible
from tests.engine.support import SLOW, parsed, problems, rosters

RANGES = st.lists(
    st.builds(
        lambda least, width, step: Range(least, least + width, step),
        st.integers(-3, 3),
        st.integers(0, 3),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=5,
)


def box(ranges: list[Range]) -> list[tuple[int, ...]]:
    """Every vector inside the ranges, best first."""
    return list(itertools.product(*(range(reach.least, reach.most + 1) for reach in ranges)))


def weighed(weights: tuple[int, ...], vector: tuple[int, ...]) -> int:
    """Sum of weight * level over the levels that the vector has."""
    return sum(w * v for w, v in zip(weights, vector, strict=False))


@given(RANGES)
def test_dominating_weights_rank_all_vectors_as_their_levels_do(ranges: list[Range]) -> None:
    weights = dominating(ranges)
    sums = [weighed(weights, vector) for vector in box(ranges)]
    assert all(one < next_one for one, next_one in itertools.pairwise(sums))
    assert len(weights) == len(LEVELS)
    assert not any(weights[len(ranges) :])


@pytest.mark.parametrize(
    ("widths", "weights"),
    [
        ([4], (1, 0, 0, 0, 0)),
        ([9, 4], (5, 1, 0, 0, 0)),
        ([1, 0, 2, 3], (12, 12, 4, 1, 0)),
        ([2, 1, 0, 0, 6], (14, 7, 7, 7, 1)),
    ],
)
def test_dominating_weights_are_no_larger_than_needed(
    widths: list[int], weights: tuple[int, ...]
) -> None:
    assert dominating([Range(0, width, 1) for width in widths]) == weights


@given(RANGES, st.integers(1, 9))
def test_firm_weights_outweigh_the_largest_steps_behind_them(
    ranges: list[Range], firmness: int
) -> None:
    weights = firm(ranges, firmness)
    assert len(weights) == len(LEVELS)
    assert all(weight >= 1 for weight in weights[: len(ranges)])
    assert not any(weights[len(ranges) :])
    for k, weight in enumerate(weights[: len(ranges)]):
        behind = [i for i in range(k + 1, len(ranges)) if ranges[i].width]
        if behind:
            assert weight >= firmness * weights[behind[0]] * ranges[behind[0]].step


def test_firm_weights_pass_over_levels_that_cannot_change() -> None:
    ranges = [Range(0, 1, 1), Range(0, 90, 18), Range(0, 0, 0), Range(0, 8, 2), Range(0, 99, 7)]
    assert firm(ranges) == (FIRM * 350 * 18, FIRM * 35 * 2, FIRM * 35 * 2, 35, 1)


@given(RANGES, st.data())
def test_no_roster_is_below_what_is_said_to_be_proved(
    ranges: list[Range], data: st.DataObject
) -> None:
    vectors = box(ranges)
    reached = data.draw(st.lists(st.sampled_from(vectors), min_size=1, max_size=8))
    weight = st.integers(0, 30)
    drawn = [tuple(data.draw(weight) for _ in LEVELS) for _ in range(3)]
    proofs = [
        Proof(weights, min(weighed(weights, vector) for vector in reached) - data.draw(weight))
        for weights in [*drawn, dominating(ranges), firm(ranges)]
    ]
    for values in reached:
        bounds = least_possible(proofs, values, ranges)
        for k, bound in enumerate(bounds):
            as_good = [vector[k] for vector in reached if vector[:k] == values[:k]]
            assert bound <= min(as_good)
            assert bound >= ranges[k].least


@given(RANGES, st.data())
def test_dominating_weights_prove_every_level_of_the_best_roster(
    ranges: list[Range], data: st.DataObject
) -> None:
    reached = data.draw(st.lists(st.sampled_from(box(ranges)), min_size=1, max_size=8))
    best, weights = min(reached), dominating(ranges)
    assert least_possible([Proof(weights, weighed(weights, best))], best, ranges) == list(best)


def test_a_bound_one_short_leaves_only_the_last_level_open() -> None:
    ranges = [Range(0, 3, 1), Range(0, 5, 1)]
    weights = dominating(ranges)
    assert weights[:2] == (6, 1)
    proof = Proof(weights, 6 * 2 + 4 - 1)
    assert least_possible([proof], [2, 4], ranges) == [2, 3]
    # With level 1 one too high, what the sum proves of level 2 is worth nothing.
    assert least_possible([proof], [3, 4], ranges) == [2, 0]


def test_of_several_proofs_the_best_one_counts_level_by_level() -> None:
    ranges = [Range(0, 9, 1), Range(0, 9, 1)]
    first, both = Proof((1, 0, 0, 0, 0), 4), Proof((2, 1, 0, 0, 0), 2 * 4 + 5)
    assert least_possible([], [4, 5], ranges) == [0, 0]
    assert least_possible([first], [4, 5], ranges) == [4, 0]
    assert least_possible([both], [4, 5], ranges) == [2, 5]
    assert least_possible([first, both], [4, 5], ranges) == [4, 5]


@settings(SLOW, max_examples=60)
@given(problems())
def test_the_levels_of_every_roster_are_inside_the_ranges(raw: dict[str, Any]) -> None:
    problem = parsed(raw)
    formulation = Formulation(problem, open_pairs(problem))
    for roster in rosters(problem):
        values = formulation.values([pair for pair in roster if pair in formulation.x])
        for level, reach in zip(formulation.levels, formulation.ranges, strict=True):
            assert reach.least <= level.of(values) <= reach.most
