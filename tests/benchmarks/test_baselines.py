"""The baselines are right: what they prove is what the engine and brute force find."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from benchmarks.baselines import Run, agenda, levels, weighted
from benchmarks.baselines.weighted import _bounds, _weights
from benchmarks.generate import generate
from scheduler.engine import (
    LEVELS,
    Objective,
    broken_rules,
    evaluate,
    load_problem,
    parse_problem,
    solve,
)
from tests.engine.support import DATA, EXPECTED, doctor, free, need, optimum, parsed, problems

QUICK = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
EXACT = {"weighted": weighted, "levels": levels}
LIMIT = 60


def small(**more: Any) -> dict[str, Any]:
    """A week of one room, by default with one need that nobody can take."""
    return {
        "format": "relais-roster/1",
        "start": need("n")["date"],
        "end": need("n", 6)["date"],
        "practices": [{"id": "p", "rooms": ["r1"]}],
        "doctors": [doctor("ann"), doctor("bob"), doctor("tim", role="titular")],
        "needs": [need("n")],
        **more,
    }


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("seed", range(1, 6))
def test_on_tiny_problems_they_reach_the_engines_vector(name: str, seed: int) -> None:
    problem = parse_problem(generate("tiny", seed))
    run = EXACT[name](problem, LIMIT)
    assert run.objective == solve(problem, workers=1).objective
    assert evaluate(problem, run.pairs) == run.objective
    assert broken_rules(problem, run.pairs) == []
    assert run.gap() == "0"
    assert run.proved is not None
    assert run.first <= run.reached <= run.proved <= run.seconds


@QUICK
@given(problems())
def test_on_any_small_problem_they_reach_what_brute_force_finds(raw: dict[str, Any]) -> None:
    problem = parsed(raw)
    best = pytest.approx(optimum(problem))
    for solver in EXACT.values():
        run = solver(problem, LIMIT)
        assert run.objective.vector() == best
        assert run.proved is not None
        assert run.gap() == "0"
        assert broken_rules(problem, run.pairs) == []


WITH_FIXED: dict[str, dict[str, Any]] = {
    "a cap counts fixed days": {
        "doctors": [doctor("ann", max_days_per_week=2)],
        "needs": [need("fixed"), need("n1", 1), need("n2", 3)],
        "availabilities": [free("ann", 1), free("ann", 3)],
        "fixed": [{"need": "fixed", "doctor": "ann"}],
    },
    "a run counts fixed days": {
        "doctors": [doctor("ann", max_consecutive_days=2)],
        "needs": [need("fixed"), need("n1", 1), need("n2", 2)],
        "availabilities": [free("ann", 1), free("ann", 2)],
        "fixed": [{"need": "fixed", "doctor": "ann"}],
    },
    "the mix counts who is fixed": {
        "doctors": [
            doctor("ann", gender="F"),
            doctor("cat", gender="F"),
            doctor("bob", gender="M"),
        ],
        "needs": [need("fixed"), need("n1", 1)],
        "availabilities": [free("cat", 1), free("bob", 1)],
        "fixed": [{"need": "fixed", "doctor": "ann"}],
        "affinity": [{"need": "n1", "doctor": "cat", "value": 1}],
        "weights": {"fairness": 0, "mix": 5},
    },
    "a gender that nobody offers is not missed": {
        "doctors": [doctor("ann"), doctor("cat", gender="F"), doctor("una")],
        "needs": [need("fixed"), need("n1", 1)],
        "availabilities": [free("cat", 1), free("una", 1)],
        "fixed": [{"need": "fixed", "doctor": "ann"}],
        "affinity": [{"need": "n1", "doctor": "cat", "value": 1}],
        "weights": {"fairness": 0, "mix": 5},
    },
}


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("case", WITH_FIXED)
def test_fixed_pairs_count(name: str, case: str) -> None:
    problem = parse_problem(small(**WITH_FIXED[case]))
    run = EXACT[name](problem, LIMIT)
    assert run.objective.vector() == optimum(problem)
    assert broken_rules(problem, run.pairs) == []


@pytest.mark.parametrize("name", ["tight-1", "nieul-1", "replan-1"])
def test_levels_reach_the_expected_vectors(name: str) -> None:
    run = levels(load_problem(DATA / f"{name}.json"), LIMIT)
    assert run.objective.to_json() == EXPECTED[name]
    assert run.proved is not None


@pytest.mark.parametrize("name", EXACT)
def test_without_time_they_keep_what_is_fixed_and_prove_nothing_wrong(name: str) -> None:
    problem = load_problem(DATA / "replan-1.json")
    run = EXACT[name](problem, 0)
    assert set(problem.fixed) <= set(run.pairs)
    assert broken_rules(problem, run.pairs) == []
    assert run.proved is None
    for level, bound in run.bound.items():
        if run.objective.to_json()[level] == EXPECTED["replan-1"][level]:
            assert bound <= EXPECTED["replan-1"][level]
        else:
            assert bound <= run.objective.to_json()[level]
            break


@QUICK
@given(problems(most_needs=8))
def test_an_agenda_keeps_the_rules(raw: dict[str, Any]) -> None:
    problem = parsed(raw)
    run = agenda(problem)
    assert broken_rules(problem, run.pairs) == []
    assert evaluate(problem, run.pairs) == run.objective
    assert run.proved is None


@pytest.mark.parametrize(
    ("offers", "taken_by"),
    [
        ([free("ann", preference="possible"), free("bob")], "bob"),
        ([free("ann", preference="last_resort"), free("bob", preference="possible")], "bob"),
        ([free("ann", preference="last_resort"), free("tim")], "ann"),
    ],
)
def test_in_an_agenda_those_who_want_a_day_come_first(
    offers: list[dict[str, Any]], taken_by: str
) -> None:
    problem = parse_problem(small(availabilities=offers))
    assert agenda(problem).pairs == (("n", taken_by),)


def test_in_an_agenda_a_day_stays_with_whom_it_was_promised_to() -> None:
    both = [free("ann"), free("bob")]
    for who in ("ann", "bob"):
        raw = small(availabilities=both, previous=[{"need": "n", "doctor": who}])
        assert agenda(parse_problem(raw)).pairs == (("n", who),)


def test_an_agenda_is_the_median_of_many() -> None:
    problem = load_problem(DATA / "tight-1.json")
    single = [agenda(problem, orders=1, seed=seed).objective for seed in range(30)]
    assert min(single) < agenda(problem).objective < max(single)


def spans(**steps: int) -> dict[str, tuple[int, int]]:
    return {level: (0, steps.get(level, 1)) for level in LEVELS}


def test_each_weight_outweighs_all_that_follows() -> None:
    weights, dominant = _weights(spans(below_minimum=9, uncovered=500, quality=70_000))
    assert dominant
    assert weights["quality"] == 1
    assert weights["last_resort"] > 70_000
    assert weights["uncovered"] > 70_000 + 2 * weights["changes"] - weights["last_resort"]
    assert weights["below_minimum"] > 500 * weights["uncovered"] + weights["changes"]


def test_weights_that_do_not_fit_are_said_not_to_dominate() -> None:
    wide = spans(**dict.fromkeys(LEVELS, 10**6))
    weights, dominant = _weights(wide)
    assert not dominant
    assert sum(weights[level] * 10**6 for level in LEVELS) < 2**63


def test_a_bound_on_the_sum_is_read_level_by_level() -> None:
    here = spans(uncovered=9, last_resort=9, quality=99)
    weights, _ = _weights(here)
    objective = Objective(0, 5, 0, 2, 40)
    total = sum(weights[level] * value for level, value in objective.to_json().items())
    assert _bounds(objective, total, here, weights, 1) == objective.to_json()
    less = {"below_minimum": 0, "uncovered": 5, "changes": 0, "last_resort": 1}
    assert _bounds(objective, total - weights["last_resort"], here, weights, 1) == less


def test_a_gap_names_the_first_level_that_is_open() -> None:
    def gap(**bound: int) -> str:
        objective = Objective(0, 20, 0, 4, -10)
        return Run("x", (), objective, 0, 0, None, 1, bound).gap()

    assert gap() == "below_minimum: no bound"
    assert gap(below_minimum=0, uncovered=15) == "uncovered: 25.0%"
    closed = {"below_minimum": 0, "uncovered": 20, "changes": 0, "last_resort": 4}
    assert gap(**closed, quality=-11) == "quality: 10.0%"
    assert gap(**closed, quality=-10) == "0"
