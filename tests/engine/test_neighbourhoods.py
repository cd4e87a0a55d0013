"""Small problems inside a large one: what is gained there is gained in the whole."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.generate import generate
from scheduler.engine import Objective, Pair, Problem, evaluate, greedy, open_pairs, solve
from scheduler.engine import neighbourhoods as module
from scheduler.engine.greedy import complete
from scheduler.engine.neighbourhoods import DAYS, Neighbourhoods
from tests.engine.support import (
    SLOW,
    breaches,
    doctor,
    free,
    need,
    parsed,
    problems,
    rosters,
    small,
)

TERRITORIES = [generate("territory-3", seed) for seed in (1, 2, 3)]


def gain(problem: Problem, before: list[Pair], after: list[Pair]) -> list[float]:
    """How much better a roster is than another, level by level."""
    old: Objective = evaluate(problem, before)
    new: Objective = evaluate(problem, after)
    return [b - a for a, b in zip(new.vector(), old.vector(), strict=True)]


def merged(part: Problem, whole: list[Pair], inside: list[Pair]) -> list[Pair]:
    """The whole roster with the needs of the small problem as `inside` has them."""
    return [*(pair for pair in whole if pair[0] not in part.needs), *inside]


@pytest.mark.parametrize("raw", TERRITORIES)
def test_the_gain_of_the_best_small_roster_is_the_gain_of_the_whole(raw: dict[str, Any]) -> None:
    problem = parsed(raw)
    offers = open_pairs(problem)
    roster = complete(problem, offers, greedy(problem, offers))
    around, gains = Neighbourhoods(problem, offers, seed=1), []
    for _ in range(6):
        part = around.problem(around.draw(roster), roster)
        solution = solve(part, workers=1)
        assert solution.status == "optimal"
        after = merged(part, roster, [*solution.pairs])
        assert breaches(raw, after) == []
        inside = [pair for pair in roster if pair[0] in part.needs]
        gains.append(gain(part, inside, [*solution.pairs]))
        assert gain(problem, roster, after) == gains[-1] >= [0] * 5
        roster = after
    assert any(any(levels) for levels in gains)


@settings(SLOW, max_examples=80)
@given(problems(most_needs=8), st.data())
def test_every_small_roster_is_valid_in_the_whole_and_counts_as_much(
    raw: dict[str, Any], data: st.DataObject
) -> None:
    """Whichever needs are free; all rosters of the small problem, by brute force."""
    problem = parsed(raw)
    offers = open_pairs(problem)
    roster = complete(problem, offers, [*problem.fixed])
    open_needs = [need for need, ranks in offers.items() if ranks] or list(offers)
    if not open_needs:
        return
    chosen = data.draw(st.lists(st.sampled_from(open_needs), min_size=1, max_size=2, unique=True))
    part = Neighbourhoods(problem, offers, 0).problem(chosen, roster)
    inside = [pair for pair in roster if pair[0] in part.needs]
    seen = 0
    for pairs in rosters(part):
        after = merged(part, roster, pairs)
        assert breaches(raw, after) == []
        assert gain(problem, roster, after) == pytest.approx(gain(part, inside, pairs), abs=1e-9)
        seen += set(pairs) == set(inside)
    assert seen == 1


def test_whoever_could_take_a_closed_need_of_the_week_is_inside() -> None:
    """The week counts as one of women only because a man could have come on its closed day."""
    raw = small(
        doctors=[doctor("f1", gender="F"), doctor("f2", gender="F"), doctor("m", gender="M")],
        needs=[need("open", 0), need("closed", 1)],
        availabilities=[free("f1", 0), free("f2", 1), free("m", 1)],
    )
    problem = parsed(raw)
    before: list[Pair] = [("closed", "f2")]
    after: list[Pair] = [*before, ("open", "f1")]
    inside = Neighbourhoods(problem, open_pairs(problem), 0).problem(["open"], before)
    assert evaluate(problem, after).quality - evaluate(problem, before).quality == 4 + 2
    assert gain(inside, before, after) == gain(problem, before, after)


def test_what_is_held_outside_does_not_move() -> None:
    problem = parsed(TERRITORIES[0])
    offers = open_pairs(problem)
    roster = greedy(problem, offers)
    around = Neighbourhoods(problem, offers, seed=2)
    free = around.draw(roster)
    part = around.problem(free, roster)
    held = {pair for pair in roster if pair[0] in part.needs and pair[0] not in free}
    assert set(part.fixed) == held
    assert set(problem.fixed) & {(n, d) for n, d in roster if n in part.needs} <= set(part.fixed)
    assert set(free) <= set(part.needs) < set(problem.needs)


def test_every_need_has_its_turn_first_the_lost_then_the_uncovered() -> None:
    raw = TERRITORIES[1]
    roster = greedy(parsed(raw), open_pairs(parsed(raw)))
    covered = dict(roster)
    shown = [{"need": need, "doctor": doctor} for need, doctor in roster]
    problem = parsed({**raw, "previous": shown})
    offers = open_pairs(problem)
    able = [need for need, ranks in offers.items() if ranks]
    lost = [need for need in able if need in covered][:7]
    missing = [need for need in able if need not in covered]
    kept = [pair for pair in roster if pair[0] not in lost]
    around = Neighbourhoods(problem, offers, seed=3)
    firsts = [around.draw(kept)[0] for _ in able]
    assert sorted(firsts) == sorted(able)
    assert len(missing) > 7 == len(lost)
    assert set(firsts[:7]) == set(lost)
    assert set(firsts[7 : 7 + len(missing)]) == set(missing)


def test_a_neighbourhood_stays_small_and_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAIRS", 60)
    problem = parsed(TERRITORIES[2])
    offers = open_pairs(problem)
    around = Neighbourhoods(problem, offers, seed=4)
    for _ in range(50):
        free = around.draw(())
        first = problem.needs[free[0]]
        assert len(free) == len(set(free))
        assert sum(len(offers[need]) for need in free[1:]) <= 60
        assert all(abs(problem.needs[need].day - first.day) <= DAYS for need in free)


def test_the_same_seed_draws_the_same_neighbourhoods() -> None:
    problem = parsed(TERRITORIES[0])
    offers = open_pairs(problem)
    state = random.getstate()
    draws = [[Neighbourhoods(problem, offers, seed).draw(())] for seed in (5, 5, 6)]
    assert draws[0] == draws[1] != draws[2]
    assert random.getstate() == state
