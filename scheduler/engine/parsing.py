"""From JSON to a validated `Problem`; whatever is wrong is a `Malformed` naming path and reason.

The format is described by the roster problem page, version 1. Two limits are the engine's own,
so that no arithmetic of the solver can overflow: integers stay within `fields.BIGGEST`, and
the whole of level 5 below 2**53.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable
from fractions import Fraction
from typing import TypeVar

from scheduler.core.errors import Malformed
from scheduler.engine.fields import BIGGEST, Fields, as_date, read_json, reference, show
from scheduler.engine.model import (
    DEFAULT_ROLES,
    PERIODS,
    PREFERENCES,
    PROBLEM_FORMAT,
    ROLES,
    Availability,
    Doctor,
    Need,
    Pair,
    Practice,
    Problem,
    Weights,
)

_SAFE_OBJECTIVE = 2**53
MINIMUM_UNIT = 10**6
"""`weekly_minimum` is a multiple of one millionth: fractions stay exact as scaled integers."""

_DOCTOR_KEYS = (
    "id role practices gender max_days_per_week max_days_per_month max_days_total"
    " max_consecutive_days credit"
)
_NEED_KEYS = "id practice room date period priority roles"
_Item = TypeVar("_Item", Practice, Doctor, Need)
Horizon = tuple[dt.date, dt.date]


def load_problem(path: str | os.PathLike[str]) -> Problem:
    """Read and validate a problem file; raises `Malformed`."""
    return parse_problem(read_json(path))


def parse_problem(raw: object) -> Problem:
    """Validate a decoded problem.

    Raises `Malformed` with the path of the first thing that is wrong, reading the file in the
    order start, end, practices, doctors, needs, availabilities, fixed, previous, affinity,
    weights.
    """
    top = Fields(
        raw,
        "problem",
        "format start end practices doctors needs availabilities fixed previous affinity weights",
        root=True,
    )
    written = top.get("format")
    if written != PROBLEM_FORMAT:
        raise Malformed("format", f"expected {PROBLEM_FORMAT}, got {show(written)}")
    start, end = as_date(top.get("start"), "start"), as_date(top.get("end"), "end")
    if end < start:
        raise Malformed("end", "before start")
    practices = _unique(
        (_practice(f) for f in top.objects("practices", "id rooms weekly_minimum")), "practices"
    )
    doctors = _unique(
        (_doctor(fields, practices) for fields in top.objects("doctors", _DOCTOR_KEYS)), "doctors"
    )
    horizon = (start, end)
    needs = _unique(
        (_need(fields, practices, horizon) for fields in top.objects("needs", _NEED_KEYS)), "needs"
    )
    _one_need_per_room(needs)
    availabilities = tuple(
        _availability(fields, practices, doctors, horizon)
        for fields in top.objects(
            "availabilities", "doctor date period preference practice", optional=True
        )
    )
    fixed = _pairs(top, "fixed", needs, doctors)
    seen: set[str] = set()
    for i, (need, _) in enumerate(fixed):
        if need in seen:
            raise Malformed(f"fixed[{i}].need", f"{show(need)} is fixed twice")
        seen.add(need)
    previous = _pairs(top, "previous", needs, doctors)
    affinity: dict[Pair, int] = {}
    for fields in top.objects("affinity", "need doctor value", optional=True):
        pair = _pair(fields, needs, doctors)
        affinity[pair] = affinity.get(pair, 0) + fields.integer("value", 1)
    weights = Weights()
    if "weights" in top.value:
        names = list(Weights.__dataclass_fields__)
        given = Fields(top.value["weights"], "weights", " ".join(names))
        weights = Weights(**{n: given.integer(n, 0, getattr(weights, n)) for n in names})
    problem = Problem(
        start=start,
        end=end,
        practices=practices,
        doctors=doctors,
        needs=needs,
        availabilities=availabilities,
        fixed=fixed,
        previous=previous,
        affinity=affinity,
        weights=weights,
    )
    _refuse_overflow(problem)
    return problem


def _unique(items: Iterable[_Item], key: str) -> dict[str, _Item]:
    found: dict[str, _Item] = {}
    for i, item in enumerate(items):
        if item.id in found:
            raise Malformed(f"{key}[{i}].id", f"{show(item.id)} stands twice")
        found[item.id] = item
    return found


def _practice(fields: Fields) -> Practice:
    rooms = fields.texts("rooms")
    if not rooms:
        raise Malformed(fields.at("rooms"), "at least one room name is needed")
    ident, minimum = fields.text("id"), fields.number("weekly_minimum", 0)
    if minimum < 7 and (Fraction(repr(minimum)) * MINIMUM_UNIT).denominator != 1:
        raise Malformed(fields.at("weekly_minimum"), "more than six decimals")
    return Practice(ident, rooms, minimum)


def _doctor(fields: Fields, practices: dict[str, Practice]) -> Doctor:
    ident, role = fields.text("id"), fields.choice("role", ROLES, "role")
    where = fields.texts("practices")
    for i, practice in enumerate(where):
        reference(practice, practices, f"{fields.at('practices')}[{i}]", "practice")
    gender = fields.get("gender", None)
    if gender is not None and gender not in ("F", "M"):
        raise Malformed(fields.at("gender"), f"not F, M or null: {show(gender)}")
    run = fields.get("max_consecutive_days", None)
    return Doctor(
        id=ident,
        role=role,
        practices=where,
        gender=gender if isinstance(gender, str) else None,
        week_cap=_cap(fields, "max_days_per_week"),
        month_cap=_cap(fields, "max_days_per_month"),
        total_cap=_cap(fields, "max_days_total"),
        max_consecutive_days=None if run is None else fields.integer("max_consecutive_days", 1),
        credit=fields.integer("credit", 0, 0),
    )


def _cap(fields: Fields, key: str) -> int | None:
    """A cap in half-days; the file gives days, multiples of 0.5."""
    if fields.get(key, None) is None:
        return None
    halves = Fraction(fields.number(key)) * 2
    if halves.denominator != 1:
        raise Malformed(fields.at(key), f"not a multiple of 0.5 or null: {show(fields.get(key))}")
    if halves > BIGGEST:
        raise Malformed(fields.at(key), f"larger than {BIGGEST // 2}")
    return int(halves)


def _need(fields: Fields, practices: dict[str, Practice], horizon: Horizon) -> Need:
    ident = fields.text("id")
    practice = reference(fields.get("practice"), practices, fields.at("practice"), "practice")
    room = fields.get("room")
    if not isinstance(room, str) or room not in practices[practice].rooms:
        raise Malformed(fields.at("room"), f"no such room: {show(room)}")
    date = _inside(fields, horizon)
    period = fields.choice("period", PERIODS, "period")
    priority = fields.integer("priority", 1, 1)
    if priority > 3:
        raise Malformed(fields.at("priority"), f"not 1, 2 or 3: {show(priority)}")
    roles: tuple[str, ...] = DEFAULT_ROLES
    if "roles" in fields.value:
        roles = fields.texts("roles")
        for i, role in enumerate(roles):
            if role not in ROLES:
                raise Malformed(f"{fields.at('roles')}[{i}]", f"not a role: {show(role)}")
    return Need(ident, practice, room, date, period, priority, roles)


def _availability(
    fields: Fields,
    practices: dict[str, Practice],
    doctors: dict[str, Doctor],
    horizon: Horizon,
) -> Availability:
    doctor = reference(fields.get("doctor"), doctors, fields.at("doctor"), "doctor")
    practice = fields.get("practice", None)
    if practice is not None:
        practice = reference(practice, practices, fields.at("practice"), "practice")
    return Availability(
        doctor=doctor,
        date=_inside(fields, horizon),
        period=fields.choice("period", PERIODS, "period"),
        rank=PREFERENCES.index(fields.choice("preference", PREFERENCES, "preference")),
        practice=practice,
    )


def _inside(fields: Fields, horizon: Horizon) -> dt.date:
    date = as_date(fields.get("date"), fields.at("date"))
    if not horizon[0] <= date <= horizon[1]:
        raise Malformed(fields.at("date"), f"{date} is outside the horizon")
    return date


def _pair(fields: Fields, needs: dict[str, Need], doctors: dict[str, Doctor]) -> Pair:
    need = reference(fields.get("need"), needs, fields.at("need"), "need")
    return need, reference(fields.get("doctor"), doctors, fields.at("doctor"), "doctor")


def _pairs(
    top: Fields, key: str, needs: dict[str, Need], doctors: dict[str, Doctor]
) -> tuple[Pair, ...]:
    objects = top.objects(key, "need doctor", optional=True)
    return tuple(_pair(fields, needs, doctors) for fields in objects)


def _one_need_per_room(needs: dict[str, Need]) -> None:
    taken: dict[tuple[str, str, dt.date, str], str] = {}
    for i, need in enumerate(needs.values()):
        for half in need.halves:
            other = taken.setdefault((need.practice, need.room, need.date, half), need.id)
            if other != need.id:
                raise Malformed(f"needs[{i}]", f"same room and half-day as need {show(other)}")


def _refuse_overflow(problem: Problem) -> None:
    """Keep every value of level 5 exact in the solver's 64-bit integers and in a double."""
    weights, halves = problem.weights, sum(need.size for need in problem.needs.values())
    fairness = sum(
        (2 * problem.doctors[doctor].credit + halves) * halves for doctor in problem.in_fairness
    )
    terms = {
        "fairness": weights.fairness * fairness,
        "preference": weights.preference * halves,
        "alone": weights.alone * halves,
        "mix": weights.mix * len(problem.needs),
        "affinity": weights.affinity * sum(problem.affinity.values()),
    }
    if sum(terms.values()) >= _SAFE_OBJECTIVE:
        worst = max(terms, key=terms.__getitem__)
        raise Malformed(f"weights.{worst}", "with these values level 5 could exceed 2^53")
