"""What the engine's tests share: problem files, small builders, and the independent checker."""

from __future__ import annotations

import copy
import datetime as dt
import importlib.util
import itertools
import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from scheduler.engine import (
    Pair,
    Problem,
    Solution,
    broken_rules,
    evaluate,
    open_pairs,
    parse_problem,
)
from scheduler.engine.solution_file import judge, parse_solution

DATA = Path(__file__).parent / "data"
CHECKER = Path(__file__).parents[2].parent / "shared" / "tools" / "check_roster.py"
EXPECTED: dict[str, dict[str, int]] = json.loads((DATA / "expected.json").read_text("utf-8"))

SLOW = settings(
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)
"""Of properties that run a solver or go through many rosters."""

MONDAY = dt.date(2026, 12, 28)
"""Monday of ISO week 53 of 2026; the horizon of the small problems runs into 2027."""


def raw_problem(name: str) -> dict[str, Any]:
    """One of the problem files, decoded."""
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))


@lru_cache
def checker() -> ModuleType:
    """The independent checker, or a skip that says what is not checked."""
    if not CHECKER.exists():
        pytest.skip(f"NOT CHECKED against the independent checker: no {CHECKER}")
    spec = importlib.util.spec_from_file_location("check_roster", CHECKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def breaches(raw: dict[str, Any], pairs: Iterable[Pair]) -> list[str]:
    """What both checkers have against a roster; the independent one where it is there."""
    problem, roster = parsed(raw), list(pairs)
    said = [str(breach) for breach in broken_rules(problem, roster)]
    if CHECKER.exists():
        other = checker().Problem(copy.deepcopy(raw))
        said += [str(breach) for breach in checker().check(other, roster)]
        if checker().objective(other, roster) != evaluate(problem, roster).to_json():
            said.append("the checkers disagree about the objective")
    return said


def faults(raw: dict[str, Any], solution: Solution) -> list[str]:
    """What both checkers have against a solution as it is written to a file."""
    problem = parsed(raw)
    said = judge(problem, parse_solution(json.loads(solution.dumps()), problem))[0]
    return [*map(str, said), *breaches(raw, solution.pairs)]


def day(offset: int) -> str:
    """The date `offset` days after the first Monday."""
    return (MONDAY + dt.timedelta(days=offset)).isoformat()


def need(ident: str, offset: int = 0, period: str = "day", **more: Any) -> dict[str, Any]:
    """A need of practice p, room r1."""
    return {
        "id": ident,
        "practice": "p",
        "room": "r1",
        "date": day(offset),
        "period": period,
        **more,
    }


def doctor(ident: str, **more: Any) -> dict[str, Any]:
    """A replacement of practice p."""
    return {"id": ident, "role": "replacement", "practices": ["p"], **more}


def free(
    who: str, offset: int = 0, period: str = "day", preference: str = "wanted", **more: Any
) -> dict[str, Any]:
    """An availability."""
    return {
        "doctor": who,
        "date": day(offset),
        "period": period,
        "preference": preference,
        **more,
    }


def small(**parts: Any) -> dict[str, Any]:
    """A raw problem over two weeks with practices p (rooms r1, r2, r3) and q (room r1)."""
    return {
        "format": "relais-roster/1",
        "start": day(0),
        "end": day(13),
        "practices": [{"id": "p", "rooms": ["r1", "r2", "r3"]}, {"id": "q", "rooms": ["r1"]}],
        "doctors": [],
        "needs": [],
        **parts,
    }


def rosters(problem: Problem) -> Iterator[list[Pair]]:
    """Every valid roster of a small problem, by brute force."""
    offers = open_pairs(problem)
    choices = [[None, *problem.offers[need]] for need in offers]
    for picked in itertools.product(*choices):
        chosen = [(n, d) for n, d in zip(offers, picked, strict=True) if d is not None]
        roster = [*problem.fixed, *chosen]
        if not broken_rules(problem, roster):
            yield roster


def optimum(problem: Problem) -> tuple[float, ...]:
    """The best objective vector, by brute force."""
    return min(evaluate(problem, roster).vector() for roster in rosters(problem))


PERIOD = st.sampled_from(["am", "pm", "day"])
HALF_CAP = st.sampled_from([None, None, None, None, 0, 0.5, 1, 1.5, 2, 3.0])
OFFERS = st.sampled_from(
    [
        [],
        [("day", "wanted", None)],
        [("day", "possible", None)],
        [("day", "last_resort", "p")],
        [("am", "wanted", None), ("pm", "possible", "p"), ("pm", "last_resort", None)],
        [("pm", "wanted", "q"), ("day", "last_resort", None)],
        [("am", "possible", None)],
    ]
)
MINIMUM = st.sampled_from([0, 1, 2, 2.5, 0.1, 1.25, 9])


@st.composite
def problems(draw: st.DrawFn, most_needs: int = 5) -> dict[str, Any]:
    """Small raw problems that are well formed and use every part of the format."""
    practices = draw(st.sampled_from([["p"], ["p", "q"]]))
    names = [f"d{i}" for i in range(draw(st.integers(2, 4)))]
    doctors = [
        {
            "id": name,
            "role": draw(
                st.sampled_from(["replacement", "replacement", "assistant", "titular", "intern"])
            ),
            "practices": draw(
                st.sampled_from([practices, practices, practices, practices[:1], []])
            ),
            "gender": draw(st.sampled_from(["F", "M", None])),
            "max_days_per_week": draw(HALF_CAP),
            "max_days_per_month": draw(HALF_CAP),
            "max_days_total": draw(HALF_CAP),
            "max_consecutive_days": draw(st.sampled_from([None, None, 1, 2])),
            "credit": draw(st.integers(0, 5)),
        }
        for name in names
    ]
    needs: list[dict[str, Any]] = []
    taken: set[tuple[object, ...]] = set()
    for i in range(draw(st.integers(2, most_needs))):
        item = {
            "id": f"n{i}",
            "practice": draw(st.sampled_from(practices)),
            "room": draw(st.sampled_from(["r1", "r2", "r3"])),
            "date": day(draw(st.integers(2, 5))),
            "period": draw(PERIOD),
            "priority": draw(st.sampled_from([1, 2, 3])),
        }
        if draw(st.booleans()):
            item["roles"] = ["replacement", "intern", "assistant", "titular"][
                : draw(st.integers(2, 4))
            ]
        halves = ("am", "pm") if item["period"] == "day" else (item["period"],)
        slots = {(item["practice"], item["room"], item["date"], half) for half in halves}
        if not slots & taken:
            taken |= slots
            needs.append(item)
    who, what = st.sampled_from(names), st.sampled_from([n["id"] for n in needs])
    pair = st.fixed_dictionaries({"need": what, "doctor": who})
    availabilities = [
        {"doctor": name, "date": date, "period": period, "preference": preference, "practice": at}
        for name in names
        for date in dict.fromkeys(n["date"] for n in needs)
        for period, preference, at in draw(OFFERS)
        if at is None or at in practices
    ]
    return {
        "format": "relais-roster/1",
        "start": day(0),
        "end": day(13),
        "practices": [
            {"id": p, "rooms": ["r1", "r2", "r3"], "weekly_minimum": draw(MINIMUM)}
            for p in practices
        ],
        "doctors": doctors,
        "needs": needs,
        "availabilities": availabilities,
        "fixed": draw(st.lists(pair, max_size=2, unique_by=lambda item: item["need"])),
        "previous": draw(st.lists(pair, max_size=3)),
        "affinity": draw(
            st.lists(
                st.fixed_dictionaries({"need": what, "doctor": who, "value": st.integers(1, 9)}),
                max_size=3,
            )
        ),
        "weights": draw(
            st.dictionaries(
                st.sampled_from(["fairness", "preference", "alone", "mix", "affinity"]),
                st.integers(0, 20),
            )
        ),
    }


def parsed(raw: dict[str, Any]) -> Problem:
    """Parse a copy, so that the raw problem stays as it is."""
    return parse_problem(copy.deepcopy(raw))
