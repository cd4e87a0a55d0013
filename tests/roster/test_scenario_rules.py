"""One thing changed in a problem, and what two rosters are compared by: pure functions."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

import pytest

from scheduler.core.errors import InvalidInput
from scheduler.engine import parse_problem, solve
from scheduler.roster.comparison import FIELDS, Verdict, measure, verdict
from scheduler.roster.rules import Period
from scheduler.roster.scenario_rules import (
    FURTHER_ROOM,
    NEWCOMER,
    Change,
    Frame,
    FurtherRoom,
    NoWeeklyCap,
    OneMoreDoctor,
    capped_doctors,
    changed,
    from_json,
)

# Monday 7 December 2026, and four weeks.
START, END = dt.date(2026, 12, 7), dt.date(2027, 1, 3)
FRAME = Frame("p1", START, END)
THURSDAY, SATURDAY = 3, 5


def need(number: int, day: dt.date, period: str = "day", **values: Any) -> dict[str, Any]:
    return {
        "id": f"n{number}",
        "practice": "p1",
        "room": "r1",
        "date": day.isoformat(),
        "period": period,
        "priority": 1,
        "roles": ["replacement", "assistant", "titular"],
    } | values


def doctor(number: int, **values: Any) -> dict[str, Any]:
    return {
        "id": f"d{number}",
        "role": "replacement",
        "practices": ["p1"],
        "gender": None,
        "max_days_per_week": None,
        "max_days_per_month": None,
        "max_days_total": None,
        "max_consecutive_days": None,
        "credit": 0,
    } | values


def free(number: int, day: dt.date, preference: str = "wanted") -> dict[str, Any]:
    return {
        "doctor": f"d{number}",
        "date": day.isoformat(),
        "period": "day",
        "preference": preference,
        "practice": "p1",
    }


def on(week: int, weekday: int) -> dt.date:
    return START + dt.timedelta(weeks=week, days=weekday)


@pytest.fixture
def problem() -> dict[str, Any]:
    """Mondays and Thursdays but Christmas week's; d1 comes twice a week at the most."""
    days = [on(week, weekday) for week in range(4) for weekday in (0, THURSDAY)]
    days.remove(on(2, THURSDAY))
    return {
        "format": "relais-roster/1",
        # Wider than what is planned.
        "start": "2026-11-30",
        "end": "2027-01-31",
        "practices": [
            {"id": "p1", "rooms": ["r1", "r2"], "weekly_minimum": 2},
            {"id": "p2", "rooms": ["r9"], "weekly_minimum": 0},
        ],
        "doctors": [
            doctor(1, max_days_per_week=1, credit=6),
            doctor(2, max_days_per_week=2.5, credit=10),
            doctor(3, credit=20),
            doctor(4, role="titular", credit=90),
            doctor(5, practices=[], credit=50),
        ],
        "needs": [
            need(1, dt.date(2026, 12, 3)),
            *(need(number, day) for number, day in enumerate(days, 2)),
            need(20, START, practice="p2", room="r9"),
        ],
        "availabilities": [free(1, day) for day in days],
        "fixed": [{"need": "n1", "doctor": "d1"}, {"need": "n20", "doctor": "d5"}],
        "previous": [],
    }


EVERY_CHANGE: list[Change] = [
    FurtherRoom(THURSDAY, Period.DAY),
    FurtherRoom(SATURDAY, Period.AM),
    OneMoreDoctor((0, THURSDAY)),
    OneMoreDoctor((SATURDAY,), 1.5),
    OneMoreDoctor((0,), 2),
    NoWeeklyCap(),
    NoWeeklyCap(2),
]


@pytest.mark.parametrize("change", EVERY_CHANGE, ids=str)
def test_a_changed_problem_is_a_problem_and_the_given_one_stays(
    problem: dict[str, Any], change: Change
) -> None:
    before = copy.deepcopy(problem)
    found = changed(problem, change, FRAME)
    assert problem == before
    assert found != problem
    parse_problem(found)
    assert from_json(change.to_json()) == change


def added(problem: dict[str, Any], found: dict[str, Any]) -> list[dict[str, Any]]:
    known = {row["id"] for row in problem["needs"]}
    return [row for row in found["needs"] if row["id"] not in known]


def test_a_further_room_is_open_on_the_days_that_the_practice_is(problem: dict[str, Any]) -> None:
    found = changed(problem, FurtherRoom(THURSDAY, Period.DAY), FRAME)
    more = added(problem, found)
    # Neither Christmas week's Thursday nor the one before what is planned.
    assert [row["date"] for row in more] == ["2026-12-10", "2026-12-17", "2026-12-31"]
    assert {row["room"] for row in more} == {"r2"}
    assert found["practices"] == problem["practices"]


def test_a_day_of_the_week_without_needs_is_open_every_week(problem: dict[str, Any]) -> None:
    more = added(problem, changed(problem, FurtherRoom(SATURDAY, Period.AM), FRAME))
    assert [row["date"] for row in more] == [on(week, SATURDAY).isoformat() for week in range(4)]
    assert {(row["room"], row["period"], row["priority"]) for row in more} == {("r1", "am", 1)}


def test_where_every_room_is_taken_there_is_one_more(problem: dict[str, Any]) -> None:
    problem["needs"].append(need(30, on(1, THURSDAY), "am", room="r2", priority=3))
    found = changed(problem, FurtherRoom(THURSDAY, Period.DAY), FRAME)
    more = added(problem, found)
    assert {row["room"] for row in more} == {FURTHER_ROOM}
    assert found["practices"][0]["rooms"] == ["r1", "r2", FURTHER_ROOM]
    # As urgent as the least urgent of its day.
    assert [row["priority"] for row in more] == [1, 3, 1]
    # The afternoons of the second room are free.
    more = added(problem, changed(problem, FurtherRoom(THURSDAY, Period.PM), FRAME))
    assert {row["room"] for row in more} == {"r2"}


def test_one_more_doctor_is_like_the_others(problem: dict[str, Any]) -> None:
    found = changed(problem, OneMoreDoctor((0, THURSDAY), 1.5), FRAME)
    newcomer = found["doctors"][-1]
    assert newcomer["id"] == NEWCOMER
    assert newcomer["max_days_per_week"] == 1.5
    # The middle of 6, 10 and 20: titulars, interns and who has left do not count.
    assert newcomer["credit"] == 10
    said = [row for row in found["availabilities"] if row["doctor"] == NEWCOMER]
    assert [row["date"] for row in said] == [
        on(week, weekday).isoformat() for week in range(4) for weekday in (0, THURSDAY)
    ]
    assert {row["practice"] for row in said} == {"p1"}


def test_a_practice_without_doctors_can_have_a_first_one(problem: dict[str, Any]) -> None:
    problem["doctors"] = [doctor(1, role="titular"), doctor(5, practices=[])]
    found = changed(problem, OneMoreDoctor((0,)), FRAME)
    assert found["doctors"][-1]["credit"] == 0


def test_limits_are_lifted_for_all_or_for_one(problem: dict[str, Any]) -> None:
    assert capped_doctors(problem) == ["d1", "d2"]
    limits = {
        change: [row["max_days_per_week"] for row in changed(problem, change, FRAME)["doctors"]]
        for change in (NoWeeklyCap(), NoWeeklyCap(2))
    }
    assert limits[NoWeeklyCap()] == [None] * 5
    assert limits[NoWeeklyCap(2)] == [1, None, None, None, None]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        (FurtherRoom(7, Period.DAY), "scenario_weekday", "weekday"),
        (OneMoreDoctor(()), "scenario_weekdays", "weekdays"),
        (OneMoreDoctor((0, 9)), "scenario_weekdays", "weekdays"),
        (OneMoreDoctor((0,), 0.0), "scenario_limit", "half_days"),
        (OneMoreDoctor((0,), 1.25), "scenario_limit", "half_days"),
        (OneMoreDoctor((0,), 7.5), "scenario_limit", "half_days"),
        (OneMoreDoctor((0,), float("nan")), "scenario_limit", "half_days"),
        (NoWeeklyCap(3), "scenario_no_limit", "doctor"),
        (NoWeeklyCap(99), "scenario_no_limit", "doctor"),
    ],
    ids=str,
)
def test_what_changes_nothing_is_refused(
    problem: dict[str, Any], change: Change, code: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        changed(problem, change, FRAME)
    assert (refused.value.code, refused.value.facts["field"]) == (code, field)


def test_a_short_period_may_lack_the_day(problem: dict[str, Any]) -> None:
    monday = Frame("p1", START, START)
    for change in (FurtherRoom(SATURDAY, Period.DAY), OneMoreDoctor((SATURDAY,))):
        with pytest.raises(InvalidInput) as refused:
            changed(problem, change, monday)
        assert refused.value.code == "scenario_no_such_day"


def test_a_change_that_nobody_wrote_is_refused() -> None:
    with pytest.raises(ValueError, match="weather"):
        from_json({"kind": "weather"})


def solved(problem: dict[str, Any]) -> dict[str, Any]:
    return solve(parse_problem(problem), workers=1).to_json()


def test_measures_count_what_is_planned(problem: dict[str, Any]) -> None:
    problem["availabilities"] += [
        free(2, on(0, THURSDAY), "last_resort"),
        free(3, on(2, 0), "possible"),
        free(4, on(1, THURSDAY)),
    ]
    found = measure(problem, solved(problem), FRAME)
    # d1 one day a week for four weeks; d2, as a last resort, and the titular d4 fill two more.
    assert (found.needs, found.filled) == (7, 6)
    assert found.uncovered == 18
    assert (found.last_resort, found.titular) == (1, 1)
    # Only the last week's second day is missing; Christmas week has no more than one.
    assert found.short_weeks == 1
    assert found.proved
    last_week = {on(3, 0), on(3, THURSDAY)}
    filled = {day for day, _period in found.filled_on}
    assert filled - last_week == {
        on(week, weekday) for week in range(3) for weekday in (0, THURSDAY)
    } - {on(2, THURSDAY)}
    assert len(filled & last_week) == 1


def test_sharing_is_measured_with_the_credit_from_before(problem: dict[str, Any]) -> None:
    problem["availabilities"].append(free(3, on(3, 0)))
    problem["availabilities"].append(free(3, on(3, THURSDAY)))
    found = measure(problem, solved(problem), FRAME)
    # Half-days: d1 has 6, 2 on the day before, and 2 a week in four; d3 20 and 2.
    assert found.spread == (22 - 16) / 2
    assert found.deviation == 1.5


def test_nobody_to_share_with_is_no_spread(problem: dict[str, Any]) -> None:
    problem["availabilities"] = []
    found = measure(problem, solved(problem), FRAME)
    assert (found.spread, found.deviation, found.filled) == (0, 0, 0)
    assert found.short_weeks == 4


def test_lifting_every_limit_fills_more(problem: dict[str, Any]) -> None:
    lifted = changed(problem, NoWeeklyCap(), FRAME)
    base, found = (measure(each, solved(each), FRAME) for each in (problem, lifted))
    assert (base.filled, found.filled) == (4, 7)
    assert set(found.filled_on) > set(base.filled_on)
    assert found.short_weeks == 0


@pytest.mark.parametrize(
    ("field", "value", "base", "expected"),
    [
        ("filled", 9, 8, Verdict.BETTER),
        ("filled", 7, 8, Verdict.WORSE),
        ("uncovered", 9, 8, Verdict.WORSE),
        ("last_resort", 0.5, 1, Verdict.BETTER),
        ("spread", 1.51, 1.5, Verdict.SAME),
        ("quality", 7, 8, Verdict.OTHER),
        ("quality", 8, 8, Verdict.SAME),
    ],
)
def test_which_is_better(field: str, value: float, base: float, expected: Verdict) -> None:
    assert field in FIELDS
    assert verdict(field, value, base) is expected
