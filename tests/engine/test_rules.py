"""Each hard rule by example: what breaks it, and what just does not."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.engine import Pair, broken_rules, conflicts, explain, parse_problem, solve
from tests.engine.support import doctor, free, need, small


def rules(raw: dict[str, Any], *pairs: Pair) -> list[str]:
    """Names of the rules that the roster breaks."""
    return [breach.rule for breach in broken_rules(parse_problem(raw), pairs)]


def week(**limits: Any) -> dict[str, Any]:
    """Lea, free every day, and whole-day needs n0 to n9 on the first ten dates."""
    return small(
        doctors=[doctor("lea", **limits)],
        needs=[need(f"n{i}", i) for i in range(10)],
        availabilities=[free("lea", i) for i in range(10)],
    )


def lea(*days: int) -> list[Pair]:
    """Lea on those dates."""
    return [(f"n{i}", "lea") for i in days]


def test_one_doctor_per_need() -> None:
    raw = small(
        doctors=[doctor("lea"), doctor("tom")],
        needs=[need("n")],
        availabilities=[free("lea"), free("tom")],
    )
    assert rules(raw, ("n", "lea")) == []
    assert rules(raw, ("n", "lea"), ("n", "tom")) == ["one_doctor"]


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"role": "intern"}, False),
        ({"practices": ["q"]}, False),
        ({"practices": []}, False),
    ],
)
def test_role_and_practice_must_fit(change: dict[str, Any], fits: bool) -> None:
    raw = small(doctors=[doctor("lea", **change)], needs=[need("n")], availabilities=[free("lea")])
    assert rules(raw, ("n", "lea")) == ([] if fits else ["availability"])


@pytest.mark.parametrize(
    ("offers", "rank"),
    [
        ([], None),
        ([free("lea", period="am")], None),
        ([free("lea", period="am"), free("lea", period="pm", preference="possible")], 1),
        ([free("lea", practice="q")], None),
        ([free("lea", practice="p", preference="last_resort")], 2),
        ([free("lea", preference="last_resort"), free("lea", practice="p")], 0),
        ([free("lea", 1)], None),
    ],
)
def test_availabilities_cover_every_half_day(offers: list[Any], rank: int | None) -> None:
    raw = small(doctors=[doctor("lea")], needs=[need("n")], availabilities=offers)
    assert parse_problem(raw).rank("n", "lea") == rank
    assert rules(raw, ("n", "lea")) == ([] if rank is not None else ["availability"])


@pytest.mark.parametrize(
    ("first", "second", "broken"),
    [
        ({"period": "am"}, {"period": "pm"}, []),
        ({"period": "am"}, {"period": "am", "room": "r2"}, ["one_place"]),
        ({"period": "am"}, {"period": "day", "room": "r2"}, ["one_place"]),
        ({"period": "am"}, {"period": "pm", "practice": "q"}, ["one_place"]),
        ({"period": "am"}, {"period": "pm", "practice": "q", "offset": 1}, []),
    ],
)
def test_one_place_at_a_time(
    first: dict[str, Any], second: dict[str, Any], broken: list[str]
) -> None:
    raw = small(
        doctors=[doctor("lea", practices=["p", "q"])],
        needs=[need("a", **first), need("b", **second)],
        availabilities=[free("lea"), free("lea", 1)],
    )
    assert rules(raw, ("a", "lea"), ("b", "lea")) == broken


def test_weekly_cap_counts_iso_weeks() -> None:
    raw = week(max_days_per_week=2)
    assert rules(raw, *lea(0, 2, 7, 9)) == []
    assert rules(raw, *lea(0, 2, 4)) == ["week_cap"]


def test_monthly_cap_counts_calendar_months() -> None:
    raw = week(max_days_per_month=2)
    assert rules(raw, *lea(0, 1, 4, 5)) == []
    assert rules(raw, *lea(0, 1, 3)) == ["month_cap"]


def test_total_cap_counts_the_horizon_in_halves() -> None:
    assert rules(week(max_days_total=3), *lea(0, 4, 8)) == []
    assert rules(week(max_days_total=2.5), *lea(0, 4, 8)) == ["total_cap"]


def test_consecutive_days() -> None:
    raw = week(max_consecutive_days=2)
    assert rules(raw, *lea(0, 1, 3, 4)) == []
    assert rules(raw, *lea(0, 1, 2)) == ["consecutive"]
    assert rules(raw, *lea(5, 6, 7)) == ["consecutive"]


def test_a_fixed_pair_must_be_kept_and_needs_no_availability() -> None:
    raw = small(
        doctors=[doctor("lea", role="intern", practices=[])],
        needs=[need("n")],
        fixed=[{"need": "n", "doctor": "lea"}],
    )
    assert rules(raw) == ["fixed_kept"]
    assert rules(raw, ("n", "lea")) == []
    solution = solve(parse_problem(raw), workers=1)
    assert solution.to_json()["assignments"] == [{"need": "n", "doctor": "lea", "origin": "fixed"}]


@pytest.mark.parametrize(
    ("limits", "extra", "rule"),
    [
        ({"max_days_per_week": 1}, {}, "week_cap"),
        ({"max_days_per_month": 1.5}, {}, "month_cap"),
        ({"max_days_total": 0}, {}, "total_cap"),
        ({"max_consecutive_days": 1}, {}, "consecutive"),
        ({}, {"offset": 0, "room": "r2", "period": "pm"}, "one_place"),
    ],
)
def test_conflicts_between_fixed_pairs_are_kept_and_reported(
    limits: dict[str, Any], extra: dict[str, Any], rule: str
) -> None:
    raw = week(**limits)
    raw["needs"][1] = need("n1", **{"offset": 1, **extra})
    raw["fixed"] = [{"need": n, "doctor": "lea"} for n in ("n0", "n1")]
    problem = parse_problem(raw)
    assert [breach.rule for breach in conflicts(problem)] == [rule]
    solution = solve(problem, workers=1)
    assert broken_rules(problem, solution.pairs) == []
    assert {("n0", "lea"), ("n1", "lea")} <= set(solution.pairs)
    assert solution.status == "optimal"
    written = solution.to_json()["conflicts"]
    assert isinstance(written, list)
    assert written[0]["rule"] == rule
    assert set(written[0]["needs"]) == {"n0", "n1"}


def test_no_breach_is_added_to_a_run_that_is_already_too_long() -> None:
    raw = week(max_consecutive_days=2)
    raw["needs"] += [need("half", 1, "pm", room="r2")]
    raw["needs"][1]["period"] = "am"
    raw["fixed"] = [{"need": n, "doctor": "lea"} for n in ("n0", "n1", "n2")]
    problem = parse_problem(raw)
    solution = solve(problem, workers=1)
    assert broken_rules(problem, solution.pairs) == []
    assert not {"half", "n3"} & dict(solution.pairs).keys()


def test_reasons_and_suggestions_name_the_one_obstacle() -> None:
    raw = small(
        doctors=[
            doctor("lea", max_days_per_week=1, credit=4),
            doctor("tom", max_consecutive_days=1),
            doctor("zoe", credit=9),
            doctor("max", credit=2),
            doctor("ines", role="intern"),
        ],
        needs=[need("a", 0), need("b", 0, room="r2"), need("c", 1)],
        availabilities=[free("lea", 0), free("lea", 1), free("tom", 0), free("tom", 1)],
        fixed=[{"need": "a", "doctor": "lea"}, {"need": "b", "doctor": "tom"}],
    )
    problem = parse_problem(raw)
    (item,) = explain(problem, problem.fixed)
    assert item.to_json() == {
        "need": "c",
        "reasons": [
            {"doctor": "lea", "code": "weekly_cap"},
            {"doctor": "tom", "code": "consecutive"},
            {"doctor": "zoe", "code": "no_availability"},
            {"doctor": "max", "code": "no_availability"},
        ],
        "suggestions": [
            {"code": "raise_weekly_cap", "doctor": "lea", "to": 2},
            {"code": "raise_consecutive", "doctor": "tom", "to": 2},
            {"code": "ask", "doctor": "max"},
            {"code": "ask", "doctor": "zoe"},
        ],
    }


def test_a_doctor_who_is_free_in_a_roster_left_open_is_traded_for_a_level() -> None:
    raw = small(
        doctors=[doctor("chef", role="titular")], needs=[need("n")], availabilities=[free("chef")]
    )
    (item,) = explain(parse_problem(raw), [])
    (reason,) = item.reasons
    assert reason.to_json() == {"doctor": "chef", "code": "traded", "level": "last_resort"}
