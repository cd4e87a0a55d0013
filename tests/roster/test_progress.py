"""What a computation tells of itself: counted over the open needs, with a bounded chart."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from scheduler.roster import proposal_work
from scheduler.roster.progress import MOST_POINTS, Point, Recorder, points_of, thinned

PROBLEM: Final = Path(__file__).parents[1] / "engine/data/nieul-1.json"


@dataclass(frozen=True)
class News:
    """The engine's progress, as far as it is read."""

    stage: str = "uncovered"
    value: float | None = 9
    bound: float | None = None
    seconds: float = 0.0
    fraction: float = 0.25
    filled: int = 40
    needs: int = 50
    impossible: int = 3


def test_fixed_needs_are_left_out_of_the_counts() -> None:
    stored = Recorder(fixed=12).news(News())
    assert (stored["filled"], stored["needs"], stored["impossible"]) == (28, 38, 3)
    assert (stored["stage"], stored["fraction"]) == ("uncovered", 0.25)


def test_points_come_back_as_they_were_stored() -> None:
    recorder = Recorder(fixed=0)
    recorder.news(News(stage="start", value=None))
    recorder.news(News(seconds=0.123))
    stored = recorder.news(News(seconds=0.5, value=6, bound=2.5))
    assert points_of(stored) == [
        Point("uncovered", 0.12, 9, None),
        Point("uncovered", 0.5, 6, 2.5),
    ]
    assert points_of({}) == []


def test_what_stands_still_takes_two_points() -> None:
    recorder = Recorder(fixed=0)
    stored = {}
    for second in range(20):
        stored = recorder.news(News(seconds=second))
    assert [point.seconds for point in points_of(stored)] == [0, 19]
    stored = recorder.news(News(seconds=20, value=5))
    assert [(point.seconds, point.value) for point in points_of(stored)] == [
        (0, 9),
        (19, 9),
        (20, 5),
    ]


def test_a_long_run_keeps_its_ends_and_stays_small() -> None:
    recorder = Recorder(fixed=0)
    stored = {}
    for second in range(2000):
        stage = "uncovered" if second < 700 else "quality"
        news = News(stage=stage, seconds=second, value=5000 - second, bound=second)
        stored = recorder.news(news)
        assert len(stored["points"]) <= MOST_POINTS
    points = points_of(stored)
    assert (points[0].seconds, points[-1].seconds) == (0, 1999)
    assert {699, 700} <= {point.seconds for point in points}
    assert points == sorted(points, key=lambda point: point.seconds)


def test_what_was_stored_does_not_change_later() -> None:
    recorder = Recorder(fixed=0)
    first = recorder.news(News())
    kept = [list(row) for row in first["points"]]
    recorder.news(News(seconds=1, value=3))
    assert first["points"] == kept


@pytest.mark.parametrize(("bound", "proved"), [(None, False), (4, False), (5, True), (5.0, True)])
def test_a_value_that_meets_its_bound_is_proved(bound: float | None, proved: bool) -> None:
    assert Point("quality", 1, 5, bound).is_proved is proved


def test_thinning_keeps_first_and_last_of_every_stage() -> None:
    one = Point("a", 0, 1, None)
    points = [replace(one, stage=stage, seconds=n) for n, stage in enumerate("aaabbbbcaa")]
    assert [point.seconds for point in thinned(points)] == [0, 2, 3, 4, 6, 7, 8, 9]


def test_a_computation_tells_what_is_stored() -> None:
    told: list[dict[str, Any]] = []
    solution = proposal_work.compute(
        json.loads(PROBLEM.read_text("utf-8")),
        seconds=20,
        workers=1,
        progress=told.append,
        should_stop=lambda: False,
    )
    fixed = [pair for pair in solution["assignments"] if pair["origin"] == "fixed"]
    last = told[-1]
    assert last["stage"] == "end"
    assert last["filled"] == len(solution["assignments"]) - len(fixed)
    assert last["needs"] == last["filled"] + len(solution["uncovered"])
    assert 0 <= last["impossible"] <= len(solution["uncovered"])
    assert json.loads(json.dumps(last)) == last
