"""The generated problems: well formed, always the same, and shaped like the real ones."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.generate import KINDS, generate
from scheduler.engine import evaluate, open_pairs, parse_problem, solve
from tests.engine.support import checker, raw_problem

ROOT = Path(__file__).parents[2]
SMALL = [*(kind for kind in KINDS if not kind.startswith("territory")), "territory-4"]


@pytest.mark.parametrize("kind", SMALL)
def test_every_kind_is_well_formed(kind: str) -> None:
    for seed in range(1, 4):
        raw = generate(kind, seed)
        assert len(parse_problem(raw).needs) == len(raw["needs"]) > 0
        checker().Problem(raw)


@pytest.mark.parametrize("kind", ["tiny", "replan", "territory-4"])
def test_a_seed_gives_the_same_bytes_whatever_the_hash_seed(kind: str) -> None:
    def text(seed: int, hash_seed: str) -> bytes:
        command = [sys.executable, "-m", "benchmarks.generate", kind, "--seed", str(seed)]
        env = {**os.environ, "PYTHONHASHSEED": hash_seed}
        return subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True).stdout

    assert text(2, "1") == text(2, "2")
    assert text(2, "1") != text(3, "1")


def shape(raw: dict[str, Any]) -> dict[str, int]:
    problem = parse_problem(raw)
    return {
        "doctors": len(problem.doctors),
        "needs": len(problem.needs),
        "half-days": sum(need.size for need in problem.needs.values()),
        "availabilities": len(problem.availabilities),
        "open pairs": sum(len(doctors) for doctors in open_pairs(problem).values()),
        "affinity": len(problem.affinity),
        "fixed": len(problem.fixed),
    }


@pytest.mark.parametrize("kind", ["tight", "nieul", "quarter"])
def test_a_kind_has_the_shape_of_the_real_problem(kind: str) -> None:
    real = shape(raw_problem(f"{kind}-1"))
    made = [shape(generate(kind, seed)) for seed in range(1, 21)]
    for part, value in real.items():
        mean = statistics.mean(each[part] for each in made)
        assert value / 1.4 <= mean <= value * 1.4, (part, value, mean)
    assert {each["doctors"] for each in made} == {real["doctors"]}


def test_a_territory_shares_its_pool_between_neighbours() -> None:
    raw = generate("territory-60", 1)
    pool = [d["practices"] for d in raw["doctors"] if d["role"] in ("replacement", "assistant")]
    assert len(pool) == 256
    assert {len(where) for where in pool} == {2, 3, 4, 5, 6}
    together = Counter(frozenset(where[:2]) for where in pool)
    # Strangers at random would meet in one of 1770 couples and hardly ever twice.
    assert len(together) < 128


def test_a_replanning_loses_one_day_of_a_proved_roster() -> None:
    problem = parse_problem(generate("replan", 1))
    offers = open_pairs(problem)
    gone = [(n, d) for n, d in problem.previous if d not in offers.get(n, {d})]
    assert len({(problem.needs[n].date, d) for n, d in gone}) == 1
    before, best = evaluate(problem, problem.previous), solve(problem, workers=1).objective
    assert before.changes == 0
    assert best.changes >= len(gone)
    assert before.vector()[:2] <= best.vector()[:2]


@pytest.mark.parametrize("kind", ["village", "territory-", "territory-0", "tiny-1"])
def test_another_kind_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=f"no such kind: {kind}"):
        generate(kind, 1)
