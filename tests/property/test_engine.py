"""The engine against brute force and against the independent checker, on random problems."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scheduler.engine import (
    LEVELS,
    broken_rules,
    candidates,
    conflicts,
    evaluate,
    explain,
    greedy,
    open_pairs,
    solve,
)
from scheduler.engine.solution_file import judge, parse_solution
from tests.engine.support import SLOW, breaches, checker, optimum, parsed, problems, rosters


@settings(SLOW, max_examples=60)
@given(problems(), st.integers(1, 2))
def test_the_solver_reaches_what_brute_force_finds(raw: dict[str, Any], workers: int) -> None:
    problem = parsed(raw)
    solution = solve(problem, workers=workers)
    assert solution.objective.vector() == optimum(problem)
    assert solution.status == "optimal"
    assert dict(solution.bound) == solution.objective.to_json()
    assert judge(problem, parse_solution(json.loads(solution.dumps()), problem))[0] == []


@settings(SLOW, max_examples=60)
@given(problems(most_needs=8))
def test_every_roster_passes_the_independent_checker(raw: dict[str, Any]) -> None:
    problem, other = parsed(raw), checker().Problem(copy.deepcopy(raw))
    solution = solve(problem, workers=1)
    for pairs in (list(solution.pairs), [*greedy(problem, open_pairs(problem))]):
        assert checker().check(other, pairs) == []
        assert checker().objective(other, pairs) == evaluate(problem, pairs).to_json()


@settings(SLOW, max_examples=150)
@given(problems(most_needs=8), st.data())
def test_both_checkers_agree_on_any_roster(raw: dict[str, Any], data: st.DataObject) -> None:
    problem, other = parsed(raw), checker().Problem(copy.deepcopy(raw))
    pair = st.tuples(st.sampled_from(list(problem.needs)), st.sampled_from(list(problem.doctors)))
    pairs = [*problem.fixed, *data.draw(st.lists(pair, max_size=8))]
    if data.draw(st.booleans()):
        pairs = list(dict.fromkeys(pairs))
    said = checker().check(other, pairs)
    assert len(broken_rules(problem, pairs)) == len(said), said
    assert evaluate(problem, pairs).to_json() == checker().objective(other, pairs)


@settings(SLOW, max_examples=60)
@given(problems(most_needs=8))
def test_conflicts_of_fixed_pairs_are_reported_and_nothing_is_added(raw: dict[str, Any]) -> None:
    problem = parsed(raw)
    solution = solve(problem, workers=1)
    assert list(solution.conflicts) == conflicts(problem)
    assert broken_rules(problem, solution.pairs) == []
    assert set(problem.fixed) <= set(solution.pairs)


@settings(SLOW, max_examples=60)
@given(problems(most_needs=8), st.integers(0, 3))
def test_a_stopped_run_gives_a_valid_roster_and_honest_bounds(
    raw: dict[str, Any], polls: int
) -> None:
    problem = parsed(raw)
    left = iter([False] * polls)
    solution = solve(problem, workers=1, should_stop=lambda: next(left, True))
    best = solve(problem, workers=1).objective
    assert broken_rules(problem, solution.pairs) == []
    assert solution.objective == evaluate(problem, solution.pairs)
    assert solution.objective >= best
    assert judge(problem, parse_solution(json.loads(solution.dumps()), problem))[0] == []
    for level in LEVELS:
        value, bound = getattr(best, level), solution.bound[level]
        assert bound <= value + 1e-9
        if getattr(solution.objective, level) != value:
            break


def relaxed(raw: dict[str, Any], need: str, suggestion: dict[str, Any]) -> dict[str, Any]:
    """The problem after a suggestion has been followed."""
    changed = copy.deepcopy(raw)
    doctor = next(d for d in changed["doctors"] if d["id"] == suggestion["doctor"])
    day = next(n for n in changed["needs"] if n["id"] == need)
    match suggestion["code"]:
        case "ask":
            changed["availabilities"].append(
                {
                    "doctor": doctor["id"],
                    "date": day["date"],
                    "period": day["period"],
                    "preference": "possible",
                }
            )
        case "raise_weekly_cap":
            doctor["max_days_per_week"] = suggestion["to"]
        case "raise_monthly_cap":
            doctor["max_days_per_month"] = suggestion["to"]
        case "raise_total_cap":
            doctor["max_days_total"] = suggestion["to"]
        case "raise_consecutive":
            doctor["max_consecutive_days"] = suggestion["to"]
    return changed


@settings(SLOW, max_examples=80)
@given(problems(most_needs=8))
def test_a_suggestion_that_is_followed_covers_the_need(raw: dict[str, Any]) -> None:
    problem = parsed(raw)
    solution = solve(problem, workers=1)
    assert {item.need for item in solution.uncovered} == set(problem.needs) - dict(
        solution.pairs
    ).keys()
    for item in solution.uncovered:
        fitting = [d.id for d in problem.doctors.values() if problem.fits(item.need, d.id)]
        assert [reason.doctor for reason in item.reasons] == fitting
        for suggestion in item.suggestions:
            changed = relaxed(raw, item.need, suggestion.to_json())
            pairs = [*solution.pairs, (item.need, suggestion.doctor)]
            assert breaches(changed, pairs) == []
            if suggestion.to is not None:
                step = 1 if suggestion.code == "raise_consecutive" else 0.5
                less = {**suggestion.to_json(), "to": suggestion.to - step}
                if less["to"] > 0 or step == 0.5:
                    almost = parsed(relaxed(raw, item.need, less))
                    assert broken_rules(almost, pairs) != []


@settings(SLOW, max_examples=40)
@given(problems(most_needs=8))
def test_a_suggestion_that_is_followed_betters_the_next_roster(raw: dict[str, Any]) -> None:
    """The roster itself with the need covered is one of the next: no level 1, less level 2.

    So the next best roster leaves less uncovered, unless it even comes nearer to a minimum.
    """
    solution = solve(parsed(raw), workers=1)
    assume(any(item.suggestions for item in solution.uncovered))
    before = solution.objective
    for item in solution.uncovered:
        for suggestion in item.suggestions:
            changed = parsed(relaxed(raw, item.need, suggestion.to_json()))
            after = solve(changed, workers=1).objective
            assert after.below_minimum <= before.below_minimum
            assert after.uncovered < before.uncovered or after.below_minimum < before.below_minimum


@settings(SLOW, max_examples=60)
@given(problems(most_needs=8), st.integers(0, 3))
def test_no_roster_of_the_engine_has_anything_to_trade(raw: dict[str, Any], polls: int) -> None:
    """Covering one more need never worsens level 1 and always betters level 2.

    So whoever is free for a need that nobody has is on it, in a proved roster and in one of a
    run that was stopped; each doctor left over has a rule against them, or no availability.
    """
    problem, left = parsed(raw), iter([False] * polls)
    for solution in (
        solve(problem, workers=1),
        solve(problem, workers=1, should_stop=lambda: next(left, True)),
    ):
        for item in solution.uncovered:
            assert "traded" not in {reason.code for reason in item.reasons}
            for doctor in problem.doctors:
                assert broken_rules(problem, [*solution.pairs, (item.need, doctor)])


@settings(SLOW, max_examples=60)
@given(problems(), st.data())
def test_reasons_are_true_of_any_valid_roster(raw: dict[str, Any], data: st.DataObject) -> None:
    problem = parsed(raw)
    roster = data.draw(st.sampled_from(list(rosters(problem))))
    before = evaluate(problem, roster)
    for item in explain(problem, roster):
        for reason in item.reasons:
            pair = (item.need, reason.doctor)
            rules = {breach.rule for breach in broken_rules(problem, [*roster, pair])}
            expected = {
                "no_availability": "availability",
                "elsewhere": "one_place",
                "weekly_cap": "week_cap",
                "monthly_cap": "month_cap",
                "total_cap": "total_cap",
                "consecutive": "consecutive",
            }
            if reason.code == "traded":
                assert rules == set()
                after = evaluate(problem, [*roster, pair])
                worse = [x for x in LEVELS if getattr(after, x) > getattr(before, x)]
                assert reason.level == next(iter(worse), None)
                assert after < before
            else:
                assert expected[reason.code] in rules


@settings(SLOW, max_examples=60)
@given(problems(), st.data())
def test_candidates_are_all_who_can_and_cost_what_they_say(
    raw: dict[str, Any], data: st.DataObject
) -> None:
    problem = parsed(raw)
    roster = data.draw(st.sampled_from(list(rosters(problem))))
    need = data.draw(st.sampled_from(list(problem.needs)))
    assume(need not in problem.fixed_doctor)
    now = evaluate(problem, roster).vector()
    others = [pair for pair in roster if pair[0] != need]
    able = {}
    for doctor in problem.doctors:
        pairs = [*others, (need, doctor)]
        if doctor != dict(roster).get(need) and not broken_rules(problem, pairs):
            then = evaluate(problem, pairs).vector()
            able[doctor] = tuple(b - a for a, b in zip(now, then, strict=True))
    found = candidates(problem, roster, need)
    assert {candidate.doctor: candidate.cost for candidate in found} == able
    assert [c.cost for c in found] == sorted(c.cost for c in found)
    for candidate in found:
        assert breaches(raw, [*others, (need, candidate.doctor)]) == []
