"""Each term of the objective by example."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.core.errors import Malformed
from scheduler.engine import candidates, evaluate, objective, parse_problem, solve
from tests.engine.support import doctor, free, need, small


def two_rooms(**parts: Any) -> dict[str, Any]:
    """Needs a and b in two rooms on one day; Lea and Tom are free for both."""
    return small(
        **{
            "doctors": [doctor("lea", gender="F"), doctor("tom", gender="M")],
            "needs": [need("a"), need("b", room="r2")],
            "availabilities": [free("lea"), free("tom", preference="possible")],
            **parts,
        }
    )


@pytest.mark.parametrize(
    ("minimum", "present", "below"),
    [(0, 0, 0), (2, 0, 2), (2, 1, 1), (2, 3, 0), (9, 1, 2), (2.5, 1, 1.5), (2.5, 0, 2.5)],
)
def test_below_minimum(minimum: float, present: int, below: float) -> None:
    raw = small(
        practices=[{"id": "p", "rooms": ["r1"], "weekly_minimum": minimum}],
        doctors=[doctor("lea")],
        needs=[need(f"n{i}", i) for i in range(3)],
    )
    pairs = [(f"n{i}", "lea") for i in range(present)]
    assert objective.below_minimum(parse_problem(raw), pairs) == below


def test_below_minimum_counts_dates_and_not_needs() -> None:
    raw = two_rooms(practices=[{"id": "p", "rooms": ["r1", "r2"], "weekly_minimum": 2}])
    assert objective.below_minimum(parse_problem(raw), []) == 1


def test_fractional_minima_are_exact() -> None:
    practices = [
        {"id": "p", "rooms": ["r1"], "weekly_minimum": 0.1},
        {"id": "q", "rooms": ["r1"], "weekly_minimum": 0.3},
    ]
    raw = small(
        practices=practices,
        doctors=[doctor("lea", practices=["p", "q"])],
        needs=[need("a"), need("b", practice="q")],
        availabilities=[free("lea")],
    )
    solution = solve(parse_problem(raw), workers=1)
    assert solution.pairs == (("b", "lea"),)
    assert solution.objective.below_minimum == 0.1
    assert solution.bound["below_minimum"] == 0.1
    assert solution.status == "optimal"


def test_uncovered_weighs_priority_and_half_days() -> None:
    needs = [need("a"), need("b", 1, "am", priority=2), need("c", 2, "pm", priority=3)]
    problem = parse_problem(small(doctors=[doctor("lea")], needs=needs))
    assert objective.uncovered(problem, []) == 18 + 3 + 1
    assert objective.uncovered(problem, [("b", "lea")]) == 18 + 1


def test_changes_counts_each_previous_pair_once() -> None:
    previous = [
        {"need": "a", "doctor": "lea"},
        {"need": "a", "doctor": "lea"},
        {"need": "b", "doctor": "tom"},
    ]
    problem = parse_problem(two_rooms(previous=previous))
    assert objective.changes(problem, []) == 2
    assert objective.changes(problem, [("a", "lea"), ("b", "lea")]) == 1


def test_last_resort_and_preference_leave_fixed_pairs_out() -> None:
    raw = small(
        doctors=[doctor("lea"), doctor("chef", role="titular")],
        needs=[need("a"), need("b", 1), need("c", 2, "am")],
        availabilities=[
            free("lea", preference="last_resort"),
            free("chef", 1, preference="possible"),
            free("chef", 2),
        ],
    )
    pairs = [("a", "lea"), ("b", "chef"), ("c", "chef")]
    problem = parse_problem(raw)
    assert objective.last_resort(problem, pairs) == 5
    assert objective.preference(problem, pairs) == 2
    raw["fixed"] = [{"need": "b", "doctor": "chef"}]
    problem = parse_problem(raw)
    assert objective.last_resort(problem, pairs) == 3
    assert objective.preference(problem, pairs) == 0


def test_fairness_squares_credit_and_load_of_those_it_concerns() -> None:
    raw = small(
        doctors=[
            doctor("lea", credit=3),
            doctor("tom", credit=5),
            doctor("chef", role="titular"),
            doctor("ines", role="intern"),
        ],
        needs=[need("a")],
        availabilities=[free(who) for who in ("lea", "chef", "ines")],
    )
    problem = parse_problem(raw)
    assert objective.fairness(problem, []) == 9
    assert objective.fairness(problem, [("a", "lea")]) == 25


@pytest.mark.parametrize(
    ("pairs", "alone"),
    [([], 0), ([("a", "lea")], 2), ([("a", "lea"), ("b", "tom")], 0)],
)
def test_alone(pairs: list[tuple[str, str]], alone: int) -> None:
    assert objective.alone(parse_problem(two_rooms()), pairs) == alone


def test_alone_wants_two_rooms_in_the_same_half_day() -> None:
    problem = parse_problem(two_rooms(needs=[need("a", period="am"), need("b", period="pm")]))
    assert objective.alone(problem, [("a", "lea")]) == 0


def test_mix() -> None:
    needs = [need("a"), need("b", 1), need("c", 2)]
    offers = [free("lea"), free("lea", 1), free("tom", 2)]
    problem = parse_problem(two_rooms(needs=needs, availabilities=offers))
    assert objective.mix(problem, [("a", "lea")]) == 0
    assert objective.mix(problem, [("a", "lea"), ("b", "lea")]) == 1
    assert objective.mix(problem, [("a", "lea"), ("c", "tom")]) == 0
    lonely = parse_problem(two_rooms(needs=needs, availabilities=offers[:2]))
    assert objective.mix(lonely, [("a", "lea"), ("b", "lea")]) == 0


def test_mix_does_not_count_weeks_without_a_known_gender() -> None:
    problem = parse_problem(two_rooms(doctors=[doctor("lea"), doctor("tom", gender="M")]))
    assert objective.mix(problem, [("a", "lea"), ("b", "lea")]) == 0


def test_affinity_adds_up() -> None:
    rows = [{"need": "a", "doctor": "lea", "value": value} for value in (2, 3)]
    problem = parse_problem(two_rooms(affinity=rows))
    assert objective.affinity(problem, [("a", "lea")]) == 5
    assert objective.affinity(problem, [("a", "tom")]) == 0


def test_quality_weighs_its_terms() -> None:
    weights = {"fairness": 2, "preference": 5, "alone": 7, "mix": 0, "affinity": 11}
    rows = [{"need": "a", "doctor": "tom", "value": 1}]
    problem = parse_problem(two_rooms(weights=weights, affinity=rows))
    assert objective.quality(problem, [("a", "tom")]) == 2 * 4 + 5 * 2 + 7 * 2 - 11


def test_objectives_compare_position_by_position() -> None:
    problem = parse_problem(two_rooms())
    none, one = evaluate(problem, []), evaluate(problem, [("a", "lea")])
    assert one < none
    assert one.quality > none.quality


def test_candidates_are_ranked_by_what_they_cost() -> None:
    doctors = [
        doctor("lea", credit=6),
        doctor("tom"),
        doctor("chef", role="titular"),
        doctor("zoe", max_days_total=0),
        doctor("max"),
    ]
    raw = two_rooms(doctors=doctors, availabilities=[free(d["id"]) for d in doctors])
    problem = parse_problem(raw)
    found = candidates(problem, [("a", "lea"), ("b", "max")], "a")
    assert [candidate.doctor for candidate in found] == ["tom", "chef"]
    assert found[0].cost == (0, 0, 0, 0, 4 + 36 - 64)
    assert found[1].to_json() == {
        "doctor": "chef",
        "preference": "wanted",
        "cost": {
            "below_minimum": 0,
            "uncovered": 0,
            "changes": 0,
            "last_resort": 2,
            "quality": 36 - 64,
        },
    }


def test_candidates_of_a_fixed_or_unknown_need() -> None:
    problem = parse_problem(two_rooms(fixed=[{"need": "a", "doctor": "lea"}]))
    assert candidates(problem, problem.fixed, "a") == []
    with pytest.raises(Malformed, match="no such need"):
        candidates(problem, [], "zzz")
