"""Roster problems of the kinds that Relais meets, made from a seed.

    python -m benchmarks.generate quarter --seed 3 > problem.json

Kinds: ``tiny`` (two weeks of one cabinet), ``tight`` (two months with too few doctors), ``nieul``
(a quarter of one room with an intern's fixed day), ``quarter`` (a quarter of two rooms),
``replan`` (a quarter whose proved roster has just lost one day) and ``territory-N`` (a quarter of
N cabinets that share a pool of doctors). The same kind and seed give the same problem.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import re
import sys
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

MON, TUE, WED, THU, FRI, SAT = range(6)
MONDAY = dt.date(2027, 1, 4)
PUBLIC_HOLIDAYS = {dt.date(2026, 12, 25), dt.date(2027, 1, 1), dt.date(2027, 3, 29)}
SCHOOL_HOLIDAYS = (
    (dt.date(2026, 12, 21), dt.date(2027, 1, 3)),
    (dt.date(2027, 2, 22), dt.date(2027, 3, 7)),
)
ON_HOLIDAY = 0.3
"""What is left of a doctor's availability in the school holidays."""

HABITUAL, OTHERWISE, ON_SATURDAY = 0.65, 0.1, 0.025
"""How often a doctor is available on a habitual weekday, another one, and a Saturday."""

POOL_PER_PRACTICE = 256 / 60


@dataclass(frozen=True)
class Kind:
    """Shape of a problem of one cabinet.

    `rooms`, `minimum` and `pool` (doctors who are neither titular nor intern) hold the values to
    draw from; `wednesday` and `saturday` the chance of being open; `presence` scales how often
    doctors are available.
    """

    start: dt.date = MONDAY
    weeks: int = 13
    rooms: tuple[int, ...] = (2,)
    minimum: tuple[int, ...] = (2, 3)
    pool: tuple[int, ...] = (25,)
    intern: bool = False
    wednesday: float = 0.3
    saturday: float = 0.5
    presence: float = 1.0


VILLAGES = {
    "tiny": Kind(weeks=2, rooms=(1, 2), minimum=(2,), pool=(2, 3, 3, 4)),
    "tight": Kind(dt.date(2027, 2, 1), 9, minimum=(2,), pool=(6,), presence=0.55),
    "nieul": Kind(dt.date(2026, 11, 30), rooms=(1,), minimum=(3,), pool=(12,), intern=True),
    "quarter": Kind(),
    "replan": Kind(minimum=(3,), pool=(18,), intern=True),
}
KINDS = (*VILLAGES, "territory-60", "territory-300")


def generate(kind: str, seed: int) -> Json:
    """A well formed raw problem.

    `kind` is one of `KINDS`, or ``territory-N`` with any N; raises `ValueError` for another.
    """
    rng = random.Random(f"{kind}-{seed}")
    if kind == "replan":
        return _withdrawn(rng, _village(rng, VILLAGES[kind]))
    if kind in VILLAGES:
        return _village(rng, VILLAGES[kind])
    if found := re.fullmatch(r"territory-([1-9]\d{0,3})", kind):
        return _territory(rng, int(found[1]))
    raise ValueError(f"no such kind: {kind}")


def _village(rng: random.Random, kind: Kind) -> Json:
    """One cabinet: four titular doctors, perhaps an intern, and a pool of its own."""
    practice = _practice("nieul", rng.choice(kind.rooms), rng.choice(kind.minimum))
    open_on = {MON, TUE, THU, FRI}
    open_on |= {WED} if rng.random() < kind.wednesday else set()
    open_on |= {SAT} if rng.random() < kind.saturday else set()
    days = _days(kind.start, kind.weeks)
    house = _house(rng, "nieul", 4, kind.intern)
    pool = [_replacement(rng, i + 1, ["nieul"]) for i in range(rng.choice(kind.pool))]
    needs = _needs(rng, practice, days, open_on, kind.intern)
    return _problem(rng, days, [practice], [*house, *pool], needs, kind.presence)


def _territory(rng: random.Random, size: int) -> Json:
    """Cabinets on a plane; each doctor of the pool works in the few that are nearest to home."""
    days, places = _days(MONDAY, 13), [(rng.random(), rng.random()) for _ in range(size)]
    practices, doctors, needs = [], [], []
    for i in range(size):
        practice = _practice(f"cab{i:03}", 1 + (rng.random() < 0.3), rng.choice([2, 2, 2, 3]))
        likely = {WED: 0.33, FRI: 0.77, SAT: 0.15}
        open_on = {MON, TUE, THU} | {day for day, p in likely.items() if rng.random() < p}
        intern = rng.random() < 0.4
        practices.append(practice)
        doctors += _house(rng, practice["id"], 2, intern)
        needs += _needs(rng, practice, days, open_on, intern)
    for i in range(round(POOL_PER_PRACTICE * size)):
        x, y = rng.random(), rng.random()
        near = sorted(range(size), key=lambda p: (places[p][0] - x) ** 2 + (places[p][1] - y) ** 2)
        where = [practices[p]["id"] for p in near[: rng.randint(2, 6)]]
        doctors.append(_replacement(rng, i + 1, where))
    return _problem(rng, days, practices, doctors, needs, 1.0)


def _withdrawn(rng: random.Random, raw: Json) -> Json:
    """The problem after one doctor of its proved roster has withdrawn from one day."""
    from scheduler.engine import parse_problem, solve

    problem = parse_problem(raw)
    roster = solve(problem, workers=1).pairs
    movable = [
        (need, doctor)
        for need, doctor in roster
        if (need, doctor) not in problem.fixed_pairs and problem.doctors[doctor].role != "titular"
    ]
    need, doctor = rng.choice(movable)
    return withdraw(raw, roster, need, doctor)


def withdraw(raw: Json, roster: tuple[tuple[str, str], ...], need: str, doctor: str) -> Json:
    """`raw` with `roster` as the one last shown and `doctor` no longer available on that date."""
    (date,) = (item["date"] for item in raw["needs"] if item["id"] == need)
    kept = [a for a in raw["availabilities"] if (a["doctor"], a["date"]) != (doctor, date)]
    previous = [{"need": n, "doctor": d} for n, d in roster]
    return {**raw, "availabilities": kept, "previous": previous}


def _problem(
    rng: random.Random,
    days: list[dt.date],
    practices: list[Json],
    doctors: list[Json],
    needs: list[Json],
    presence: float,
) -> Json:
    interns = {d["practices"][0]: d["id"] for d in doctors if d["role"] == "intern"}
    kept = [need for need in needs if need.get("roles") == ["intern"]]
    pool = [d["id"] for d in doctors if d["role"] in ("replacement", "assistant")]
    return {
        "format": "relais-roster/1",
        "start": days[0].isoformat(),
        "end": days[-1].isoformat(),
        "practices": practices,
        "doctors": doctors,
        "needs": needs,
        "availabilities": [a for d in doctors for a in _availabilities(rng, d, days, presence)],
        "fixed": [{"need": need["id"], "doctor": interns[need["practice"]]} for need in kept],
        "affinity": [
            {"need": need["id"], "doctor": rng.choice(pool), "value": value}
            for need in needs
            if "roles" not in need and rng.random() < 0.2
            for value in rng.choices([1, 2, 3], [3, 3, 4])
        ],
    }


def _days(start: dt.date, weeks: int) -> list[dt.date]:
    return [start + dt.timedelta(days=i) for i in range(7 * weeks)]


def _practice(ident: str, rooms: int, minimum: int) -> Json:
    names = [f"salle {i + 1}" for i in range(rooms)]
    return {"id": ident, "rooms": names, "weekly_minimum": minimum}


def _house(rng: random.Random, practice: str, titulars: int, intern: bool) -> list[Json]:
    """The doctors of one cabinet alone: its titulars, who rarely come, and perhaps an intern."""
    house = [
        {
            "id": f"{practice}-titulaire-{i + 1}",
            "role": "titular",
            "practices": [practice],
            "gender": rng.choice("FM"),
            "max_days_per_month": rng.choice([1, 2]),
        }
        for i in range(titulars)
    ]
    if intern:
        here: Json = {"id": f"{practice}-interne", "role": "intern", "practices": [practice]}
        house.append({**here, "gender": rng.choice("FM"), "max_days_per_week": 1})
    return house


def _replacement(rng: random.Random, number: int, practices: list[str]) -> Json:
    return {
        "id": f"medecin-{number:03}",
        "role": "replacement" if rng.random() < 0.8 else "assistant",
        "practices": practices,
        "gender": rng.choice(["F", "F", "M", None]),
        "max_days_per_week": rng.choice([1, 1.5, 2, 2, 3, None]),
        "max_days_per_month": rng.choice([6, 8, 10, None]),
        "max_days_total": rng.choice([20, None, None]),
        "max_consecutive_days": rng.choice([2, 3, None]),
        "credit": rng.randint(0, 20),
    }


def _needs(
    rng: random.Random, practice: Json, days: list[dt.date], open_on: set[int], intern: bool
) -> list[Json]:
    """The first room on every open day, a second on a little more than half of them.

    One day in seven is published as two half-days. On Saturdays only the morning is open, and on
    Tuesdays the first room is the intern's, where there is one.
    """
    needs: list[Json] = []
    for day in days:
        if day.weekday() not in open_on or day in PUBLIC_HOLIDAYS:
            continue
        for number, room in enumerate(practice["rooms"], 1):
            ident = f"{practice['id']}-{day}-{number}"
            base = {"practice": practice["id"], "room": room, "date": day.isoformat()}
            if number > 1 and rng.random() >= 0.55:
                continue
            if number == 1 and intern and day.weekday() == TUE:
                kept = {"period": "day", "priority": 1, "roles": ["intern"]}
                needs.append({"id": ident, **base, **kept})
            elif day.weekday() == SAT:
                needs.append({"id": ident, **base, "period": "am", "priority": 3})
            elif rng.random() < 0.15:
                for half in ("am", "pm"):
                    cut = {"period": half, "priority": rng.choice([1, 2])}
                    needs.append({"id": f"{ident}-{half}", **base, **cut})
            else:
                needs.append({"id": ident, **base, "period": "day", "priority": number})
    return needs


def _availabilities(
    rng: random.Random, doctor: Json, days: list[dt.date], presence: float
) -> list[Json]:
    """When one doctor can come.

    Titulars say now and then that they could as a last resort, interns come on Tuesdays, and
    everybody else has one to three habitual weekdays.
    """
    habits = set(rng.sample(range(5), rng.randint(1, 3)))

    def chance(day: dt.date) -> float:
        if doctor["role"] == "intern":
            return float(day.weekday() == TUE)
        if day.weekday() > SAT or day in PUBLIC_HOLIDAYS:
            return 0.0
        if doctor["role"] == "titular":
            return 0.1 if day.weekday() < SAT else 0.0
        away = ON_HOLIDAY if any(a <= day <= b for a, b in SCHOOL_HOLIDAYS) else 1.0
        usual = HABITUAL if day.weekday() in habits else OTHERWISE
        return away * presence * (usual if day.weekday() < SAT else ON_SATURDAY)

    found = []
    for day in days:
        if rng.random() >= chance(day):
            continue
        period = preference = ""
        if doctor["role"] == "titular":
            period, preference = "day", "last_resort"
        elif doctor["role"] == "intern":
            period, preference = "day", "wanted"
        else:
            (period,) = rng.choices(["day", "am", "pm"], [8, 1, 1])
            (preference,) = rng.choices(["wanted", "possible", "last_resort"], [5, 3, 1])
        here = {"doctor": doctor["id"], "date": day.isoformat()}
        found.append({**here, "period": period, "preference": preference})
    return found


def main() -> None:
    """Write one problem to standard output."""
    parser = argparse.ArgumentParser(description="Make a roster problem from a seed.")
    parser.add_argument("kind", help=", ".join(KINDS))
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    try:
        raw = generate(arguments.kind, arguments.seed)
    except ValueError as error:
        parser.error(str(error))
    json.dump(raw, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
