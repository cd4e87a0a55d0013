"""Roster problems of the kinds that Relais meets, made from a seed.

    python -m benchmarks.generate quarter --seed 3 > problem.json

Kinds: ``week`` (two weeks of one cabinet), ``quarter`` (three months of one cabinet), ``tight``
(two months with too few doctors), ``territory`` (three months of many cabinets that share a
pool of doctors). The same kind and seed give the same problem.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import sys
from dataclasses import dataclass
from typing import Any

START = dt.date(2027, 1, 4)


@dataclass(frozen=True)
class Kind:
    """Size of a problem: `practices` cabinets, `pool` doctors shared, `presence` per open day."""

    practices: int
    weeks: int
    pool: int
    presence: float


KINDS = {
    "week": Kind(practices=1, weeks=2, pool=6, presence=0.15),
    "quarter": Kind(practices=1, weeks=13, pool=20, presence=0.2),
    "tight": Kind(practices=1, weeks=9, pool=5, presence=0.15),
    "territory": Kind(practices=20, weeks=13, pool=90, presence=0.25),
}


def generate(kind: str, seed: int) -> dict[str, Any]:
    """A well formed raw problem."""
    size, rng = KINDS[kind], random.Random(f"{kind}-{seed}")
    practices = [
        {"id": f"cab{i:03}", "rooms": rooms, "weekly_minimum": rng.choice([2, 3])}
        for i in range(size.practices)
        for rooms in [[f"salle {r}" for r in range(1, rng.choice([2, 3]))]]
    ]
    days = [START + dt.timedelta(days=i) for i in range(7 * size.weeks)]
    needs = [
        {
            "id": f"{practice['id']}-{day}-{room[-1]}",
            "practice": practice["id"],
            "room": room,
            "date": day.isoformat(),
            "period": rng.choice(["day", "day", "day", "am", "pm"]),
            "priority": rng.choice([1, 1, 1, 2, 3]),
        }
        for practice in practices
        for room in practice["rooms"]
        for day in days
        if day.weekday() < 5 and rng.random() < 0.8
    ]
    doctors = [_titular(rng, practice["id"], i) for practice in practices for i in (1, 2)]
    doctors += [_replacement(rng, i, practices) for i in range(size.pool)]
    availabilities = [
        {
            "doctor": doctor["id"],
            "date": day.isoformat(),
            "period": rng.choice(["day", "day", "day", "am", "pm"]),
            "preference": rng.choice(["wanted", "wanted", "possible", "last_resort"]),
        }
        for doctor in doctors
        for day in days
        if day.weekday() < 5
        and rng.random() < (0.05 if doctor["role"] == "titular" else size.presence)
    ]
    affinity = [
        {"need": need["id"], "doctor": doctor["id"], "value": rng.randint(1, 5)}
        for need in needs
        if rng.random() < 0.15
        for doctor in [rng.choice(doctors)]
    ]
    return {
        "format": "relais-roster/1",
        "start": days[0].isoformat(),
        "end": days[-1].isoformat(),
        "practices": practices,
        "doctors": doctors,
        "needs": needs,
        "availabilities": availabilities,
        "affinity": affinity,
    }


def _titular(rng: random.Random, practice: str, number: int) -> dict[str, Any]:
    return {
        "id": f"{practice}-titulaire-{number}",
        "role": "titular",
        "practices": [practice],
        "gender": rng.choice("FM"),
        "max_days_per_month": rng.choice([1, 2]),
    }


def _replacement(
    rng: random.Random, number: int, practices: list[dict[str, Any]]
) -> dict[str, Any]:
    where = rng.sample(practices, min(len(practices), rng.randint(1, 5)))
    return {
        "id": f"medecin-{number:03}",
        "role": rng.choice(["replacement", "replacement", "replacement", "assistant"]),
        "practices": [practice["id"] for practice in where],
        "gender": rng.choice(["F", "M", None]),
        "max_days_per_week": rng.choice([None, 1, 1.5, 2, 3]),
        "max_days_per_month": rng.choice([None, 6, 8, 10]),
        "max_consecutive_days": rng.choice([None, None, 2, 3]),
        "credit": rng.randint(0, 20),
    }


def main() -> None:
    """Write one problem to standard output."""
    parser = argparse.ArgumentParser(description="Make a roster problem from a seed.")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    json.dump(generate(arguments.kind, arguments.seed), sys.stdout, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    main()
