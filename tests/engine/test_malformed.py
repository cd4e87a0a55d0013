"""Files that are not what they say: the path, the reason, one line, exit status 2."""

from __future__ import annotations

import copy
import io
import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.core.errors import Malformed
from scheduler.engine import check_files, load_problem, parse_problem, solve_file
from scheduler.engine.solution_file import judge, parse_solution
from tests.engine.support import DATA, doctor, free, need, small

REMOVE = object()


def base() -> dict[str, Any]:
    """A well formed problem with something in every list."""
    return small(
        practices=[{"id": "p", "rooms": ["r1", "r2"], "weekly_minimum": 1}],
        doctors=[doctor("lea", gender="F", max_days_per_week=2.5, credit=1), doctor("tom")],
        needs=[need("a"), need("b", 1, "am", roles=["replacement"])],
        availabilities=[free("lea"), free("tom", 1, practice="p")],
        fixed=[{"need": "a", "doctor": "lea"}],
        previous=[{"need": "b", "doctor": "tom"}],
        affinity=[{"need": "b", "doctor": "tom", "value": 2}],
        weights={"fairness": 1},
    )


def changed(path: str, value: object, raw: dict[str, Any] | None = None) -> dict[str, Any]:
    """The base with one place of it replaced or removed; `path` is dotted."""
    raw = base() if raw is None else raw
    where: Any = raw
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        where = where[step]
    if value is REMOVE:
        del where[last]
    else:
        where[last] = value
    return raw


BROKEN: list[tuple[str, object, str]] = [
    ("format", REMOVE, "format: missing"),
    ("format", "relais-roster/2", "format: expected relais-roster/1, got 'relais-roster/2'"),
    ("format", None, "format: expected relais-roster/1, got null"),
    ("extra", 1, "problem.extra: unknown key"),
    ("a b", 1, "problem.'a b': unknown key"),
    ("start", REMOVE, "start: missing"),
    ("start", "20261228", "start: not a date YYYY-MM-DD: '20261228'"),
    ("start", "2026-W53-1", "start: not a date YYYY-MM-DD: '2026-W53-1'"),
    ("start", "2026-02-30", "start: not a date YYYY-MM-DD: '2026-02-30'"),
    ("start", "٢٠٢٦-12-28", "start: not a date YYYY-MM-DD: '٢٠٢٦-12-28'"),
    ("start", 20261228, "start: not a date YYYY-MM-DD: 20261228"),
    ("end", "2020-01-01", "end: before start"),
    ("practices", REMOVE, "practices: missing"),
    ("practices", {}, "practices: not a list: an object"),
    ("practices", 3, "practices: not a list: 3"),
    ("practices.0", None, "practices[0]: not an object: null"),
    ("practices.0.id", "", "practices[0].id: not a non-empty string: ''"),
    ("practices.0.id", 7, "practices[0].id: not a non-empty string: 7"),
    ("practices.0.id", ["p"], "practices[0].id: not a non-empty string: a list"),
    ("practices.0.rooms", [], "practices[0].rooms: at least one room name is needed"),
    ("practices.0.rooms", "r1", "practices[0].rooms: not a list: 'r1'"),
    ("practices.0.rooms", ["r1", "r1"], "practices[0].rooms[1]: 'r1' stands twice"),
    ("practices.0.rooms", [{}], "practices[0].rooms[0]: not a non-empty string: an object"),
    ("practices.0.weekly_minimum", -1, "practices[0].weekly_minimum: not a number >= 0: -1"),
    ("practices.0.weekly_minimum", True, "practices[0].weekly_minimum: not a number >= 0: true"),
    ("practices.0.weekly_minimum", "2", "practices[0].weekly_minimum: not a number >= 0: '2'"),
    ("practices.0.weekly_minimum", math.nan, "practices[0].weekly_minimum: not a number >= 0: nan"),
    ("practices.0.weekly_minimum", 1e-9, "practices[0].weekly_minimum: more than six decimals"),
    ("doctors.1.id", "lea", "doctors[1].id: 'lea' stands twice"),
    ("doctors.0.role", "chef", "doctors[0].role: not a role: 'chef'"),
    ("doctors.0.role", [], "doctors[0].role: not a role: a list"),
    ("doctors.0.practices", ["zzz"], "doctors[0].practices[0]: no such practice: 'zzz'"),
    ("doctors.0.practices", REMOVE, "doctors[0].practices: missing"),
    ("doctors.0.gender", "X", "doctors[0].gender: not F, M or null: 'X'"),
    ("doctors.0.gender", ["F"], "doctors[0].gender: not F, M or null: a list"),
    (
        "doctors.0.max_days_per_week",
        0.3,
        "doctors[0].max_days_per_week: not a multiple of 0.5 or null: 0.3",
    ),
    ("doctors.0.max_days_per_month", "2", "doctors[0].max_days_per_month: not a number >= 0: '2'"),
    ("doctors.0.max_days_total", math.inf, "doctors[0].max_days_total: not a number >= 0: inf"),
    ("doctors.0.max_days_total", 10**400, "doctors[0].max_days_total: larger than 500000000"),
    (
        "doctors.0.max_consecutive_days",
        0,
        "doctors[0].max_consecutive_days: not an integer >= 1: 0",
    ),
    (
        "doctors.0.max_consecutive_days",
        1.0,
        "doctors[0].max_consecutive_days: not an integer >= 1: 1.0",
    ),
    ("doctors.0.credit", -1, "doctors[0].credit: not an integer >= 0: -1"),
    ("doctors.0.credit", True, "doctors[0].credit: not an integer >= 0: true"),
    ("doctors.0.credit", 10**30, "doctors[0].credit: larger than 1000000000"),
    ("needs.0.id", "b", "needs[1].id: 'b' stands twice"),
    ("needs.1.practice", "zzz", "needs[1].practice: no such practice: 'zzz'"),
    ("needs.1.practice", {}, "needs[1].practice: no such practice: an object"),
    ("needs.1.room", "X", "needs[1].room: no such room: 'X'"),
    ("needs.1.room", REMOVE, "needs[1].room: missing"),
    ("needs.1.date", "2027-02-01", "needs[1].date: 2027-02-01 is outside the horizon"),
    ("needs.1.date", "2026-12-28", "needs[1]: same room and half-day as need 'a'"),
    ("needs.1.period", "night", "needs[1].period: not a period: 'night'"),
    ("needs.1.priority", 4, "needs[1].priority: not 1, 2 or 3: 4"),
    ("needs.1.priority", True, "needs[1].priority: not an integer >= 1: true"),
    ("needs.1.roles", ["nurse"], "needs[1].roles[0]: not a role: 'nurse'"),
    ("needs.1.roles", None, "needs[1].roles: not a list: null"),
    ("availabilities", None, "availabilities: not a list: null"),
    ("availabilities.0.doctor", "zzz", "availabilities[0].doctor: no such doctor: 'zzz'"),
    ("availabilities.0.doctor", ["lea"], "availabilities[0].doctor: no such doctor: a list"),
    ("availabilities.0.practice", "zzz", "availabilities[0].practice: no such practice: 'zzz'"),
    ("availabilities.0.preference", "meh", "availabilities[0].preference: not a preference: 'meh'"),
    ("availabilities.0.date", REMOVE, "availabilities[0].date: missing"),
    ("fixed.0.need", "zzz", "fixed[0].need: no such need: 'zzz'"),
    ("fixed", [{"need": "a", "doctor": "lea"}] * 2, "fixed[1].need: 'a' is fixed twice"),
    ("previous.0.doctor", None, "previous[0].doctor: no such doctor: null"),
    ("affinity.0.value", 0, "affinity[0].value: not an integer >= 1: 0"),
    ("affinity.0.value", 10**10, "affinity[0].value: larger than 1000000000"),
    ("affinity.0.extra", 0, "affinity[0].extra: unknown key"),
    ("weights", [], "weights: not an object: a list"),
    ("weights.fairness", -1, "weights.fairness: not an integer >= 0: -1"),
    ("weights.speed", 1, "weights.speed: unknown key"),
]


@pytest.mark.parametrize(("path", "value", "line"), BROKEN, ids=[line for *_, line in BROKEN])
def test_the_path_and_the_reason(path: str, value: object, line: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_problem(changed(path, value))
    assert str(caught.value) == line


def test_the_base_is_well_formed_and_optional_lists_may_be_left_out() -> None:
    assert parse_problem(base()).weights.fairness == 1
    raw = base()
    for key in ("availabilities", "fixed", "previous", "affinity", "weights"):
        del raw[key]
    problem = parse_problem(raw)
    assert (problem.fixed, problem.previous, problem.affinity) == ((), (), {})
    assert problem.weights.preference == 4


def test_values_that_are_too_large_together_are_refused() -> None:
    raw = changed("weights.fairness", 10**9)
    raw["doctors"][0]["credit"] = 10**9
    with pytest.raises(Malformed, match=r"^weights\.fairness: "):
        parse_problem(raw)


@pytest.mark.parametrize("raw", [None, [], 1, "x", True, {1: 2}])
def test_something_else_than_a_problem(raw: object) -> None:
    with pytest.raises(Malformed):
        parse_problem(raw)


def text(raw: object) -> bytes:
    """A file's bytes."""
    return json.dumps(raw).encode()


NOISE = random.Random(7).randbytes(5 * 1024 * 1024)
FILES: dict[str, bytes] = {
    "empty": b"",
    "spaces": b" \n ",
    "truncated": text(base())[:-40],
    "noise": NOISE,
    "ascii noise": bytes(32 + byte % 90 for byte in NOISE),
    "not UTF-8": b'{"format": "\xff"}',
    "UTF-16": json.dumps(base()).encode("utf-16"),
    "NaN": b'{"format": NaN}',
    "Infinity": text(changed("practices.0.weekly_minimum", math.inf)),
    "a number beyond floats": text(base()).replace(b"2.5", b"1e999"),
    "a number of 5000 digits": text(base()).replace(b"2.5", b"9" * 5000),
    "deep": b"[" * 200_000,
    "a key twice": b'{"format": "relais-roster/1", "format": "relais-roster/1"}',
    "a lone surrogate": text(base()).replace(b'"r2"', b'"\\ud800"'),
    "a long identifier": text(changed("needs.0.practice", "x" * 10_000_000)),
    "a line break in a key": text(changed("a\nb", 1)),
    "two values": text(base()) + b"{}",
}


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_is_one_line_and_exit_status_2(name: str, tmp_path: Path) -> None:
    path = tmp_path / "problem.json"
    path.write_bytes(FILES[name])
    errors, output = io.StringIO(), io.StringIO()
    assert solve_file(path, progress=errors, output=output) == 2
    assert check_files(path, path, stream=output, errors=errors) == 2
    assert output.getvalue() == ""
    first, second = errors.getvalue().splitlines()
    assert first == second
    assert ": " in first
    assert len(first) < 400


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "problem.json"
    path.write_bytes(b"\xef\xbb\xbf" + text(base()))
    assert list(load_problem(path).needs) == ["a", "b"]


@pytest.mark.parametrize("where", ["missing.json", ".", "nul\0.json", "missing/problem.json"])
def test_a_file_that_cannot_be_read(where: str, tmp_path: Path) -> None:
    errors = io.StringIO()
    assert solve_file(f"{tmp_path}/{where}", progress=errors) == 2
    (line,) = errors.getvalue().splitlines()
    assert "cannot be read" in line


@pytest.mark.parametrize("where", ["missing/out.json", "."])
def test_a_destination_that_cannot_be_written(where: str, tmp_path: Path) -> None:
    errors = io.StringIO()
    assert solve_file(DATA / "tiny-1.json", f"{tmp_path}/{where}", progress=errors) == 2
    (line,) = errors.getvalue().splitlines()
    assert "cannot be written" in line
    assert list(tmp_path.iterdir()) == []


def test_the_problem_file_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "problem.json"
    path.write_bytes(text(base()))
    errors = io.StringIO()
    assert solve_file(path, path, progress=errors) == 2
    assert path.read_bytes() == text(base())


def test_solve_then_check(tmp_path: Path) -> None:
    out, errors, verdict = tmp_path / "out.json", io.StringIO(), io.StringIO()
    out.write_text("old", "utf-8")
    assert solve_file(DATA / "tiny-1.json", out, workers=1, progress=errors) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    lines = errors.getvalue().splitlines()
    assert "0% start" in lines[0]
    assert "100% end" in lines[-1]
    assert check_files(DATA / "tiny-1.json", out, stream=verdict) == 0
    said = json.loads(verdict.getvalue())
    assert (said["broken"], said["status"]) == ([], "optimal")
    keys = "format status assignments uncovered objective bound conflicts seconds"
    assert list(json.loads(out.read_text("utf-8"))) == keys.split()


@pytest.fixture(scope="module")
def solved() -> dict[str, Any]:
    """The solution of `tiny-1`, decoded."""
    output = io.StringIO()
    assert solve_file(DATA / "tiny-1.json", workers=1, progress=io.StringIO(), output=output) == 0
    result: dict[str, Any] = json.loads(output.getvalue())
    return result


def drop(raw: dict[str, Any]) -> None:
    """Take an assignment away without saying so."""
    raw["assignments"].pop()


def lie(raw: dict[str, Any]) -> None:
    """Report a better objective."""
    raw["objective"]["quality"] -= 1


def boast(raw: dict[str, Any]) -> None:
    """Claim a bound above the value."""
    raw["bound"]["uncovered"] += 1


def open_bound(raw: dict[str, Any]) -> None:
    """Claim optimality with an open bound."""
    raw["bound"]["quality"] -= 1


def fix(raw: dict[str, Any]) -> None:
    """Claim that an assignment was fixed."""
    raw["assignments"][0]["origin"] = "fixed"


def invent(raw: dict[str, Any]) -> None:
    """Report a conflict that is none."""
    raw["conflicts"].append({})


def twice(raw: dict[str, Any]) -> None:
    """List an assignment twice."""
    raw["assignments"].append(raw["assignments"][0])


@pytest.mark.parametrize("spoil", [drop, lie, boast, open_bound, fix, invent, twice])
def test_a_false_solution_is_found_out(
    spoil: Callable[[dict[str, Any]], None], solved: dict[str, Any], tmp_path: Path
) -> None:
    raw = copy.deepcopy(solved)
    spoil(raw)
    path, stream = tmp_path / "solution.json", io.StringIO()
    path.write_bytes(text(raw))
    assert check_files(DATA / "tiny-1.json", path, stream=stream) == 1
    assert json.loads(stream.getvalue())["broken"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((key, REMOVE) for key in ("format", "status", "assignments", "uncovered", "bound")),
        ("extra", 1),
        ("format", "relais-roster/1"),
        ("status", "great"),
        ("status", []),
        ("assignments", {}),
        ("assignments.0", "lea"),
        ("assignments.0.need", "zzz"),
        ("assignments.0.doctor", None),
        ("assignments.0.origin", "me"),
        ("assignments.0.extra", 1),
        ("objective.quality", "706"),
        ("objective.quality", REMOVE),
        ("objective.speed", 1),
        ("objective.quality", True),
        ("bound", None),
        ("uncovered.0", None),
        ("uncovered.0.need", 3),
        ("uncovered.0.reasons.0.code", "lazy"),
        ("uncovered.0.reasons.0.level", "quality"),
        ("uncovered.0.suggestions.0.doctor", "zzz"),
        ("conflicts", None),
        ("conflicts", [1]),
        ("seconds", "0.1"),
        ("seconds", -1),
    ],
)
def test_a_malformed_solution(
    path: str, value: object, solved: dict[str, Any], tmp_path: Path
) -> None:
    raw = changed(path, value, copy.deepcopy(solved))
    target, errors = tmp_path / "solution.json", io.StringIO()
    target.write_bytes(text(raw))
    assert check_files(DATA / "tiny-1.json", target, errors=errors) == 2
    (line,) = errors.getvalue().splitlines()
    assert ": " in line


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of everything inside a decoded file."""
    found = [path] if path else []
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(inner, (*path, key))
    return found


def refusal(act: Callable[[], object]) -> str:
    """What the refusal says; nothing when there is none."""
    try:
        act()
    except Malformed as error:
        return str(error)
    return ""


@settings(deadline=None, max_examples=200)
@given(st.data(), JUNK)
def test_junk_anywhere_is_accepted_or_refused_with_a_path(data: st.DataObject, junk: Any) -> None:
    raw = base()
    where: Any = raw
    *steps, last = data.draw(st.sampled_from(places(raw)))
    for step in steps:
        where = where[step]
    where[last] = junk
    assert refusal(lambda: parse_problem(raw)).isprintable()


@settings(deadline=None, max_examples=200)
@given(st.data(), JUNK)
def test_junk_in_a_solution_is_judged_or_refused(data: st.DataObject, junk: Any) -> None:
    problem = parse_problem(base())
    raw: dict[str, Any] = {
        "format": "relais-roster-solution/1",
        "status": "feasible",
        "assignments": [{"need": "a", "doctor": "lea", "origin": "fixed"}],
        "uncovered": [
            {
                "need": "b",
                "reasons": [{"doctor": "lea", "code": "traded", "instead": ["a"]}],
                "suggestions": [{"code": "raise_weekly_cap", "doctor": "lea", "to": 3}],
            }
        ],
        "objective": dict.fromkeys(
            ["below_minimum", "uncovered", "changes", "last_resort", "quality"], 0
        ),
        "bound": dict.fromkeys(
            ["below_minimum", "uncovered", "changes", "last_resort", "quality"], 0
        ),
        "conflicts": [],
        "seconds": 1,
    }
    where: Any = raw
    *steps, last = data.draw(st.sampled_from(places(raw)))
    for step in steps:
        where = where[step]
    where[last] = junk
    assert refusal(lambda: judge(problem, parse_solution(raw, problem))).isprintable()
