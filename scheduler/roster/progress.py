"""What a computation tells of itself while it runs: the latest news, and points for a chart.

Kept as JSON with the row that is computed: `stage` and `fraction`; `filled`, `needs` and
`impossible`, counted over the needs that are not fixed; `points`, each a list of stage, seconds,
value and bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any, Final, Protocol

MOST_POINTS: Final = 60


@dataclass(frozen=True, slots=True)
class Point:
    """The best value found at one level and its proved bound (None: none yet), so many seconds
    after the start."""

    stage: str
    seconds: float
    value: float
    bound: float | None

    @property
    def is_proved(self) -> bool:
        return self.bound is not None and self.bound >= self.value


def points_of(progress: Mapping[str, Any]) -> list[Point]:
    """The points of a progress that was stored."""
    return [Point(*row) for row in progress.get("points", ())]


class News(Protocol):
    """What is read of the engine's progress; see `scheduler.engine.Progress`."""

    @property
    def stage(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def bound(self) -> float | None: ...
    @property
    def seconds(self) -> float: ...
    @property
    def fraction(self) -> float: ...
    @property
    def filled(self) -> int: ...
    @property
    def needs(self) -> int: ...
    @property
    def impossible(self) -> int: ...


class Recorder:
    """Turns the engine's news into what is stored; `fixed` needs had a doctor from the start."""

    def __init__(self, fixed: int) -> None:
        self._fixed = fixed
        self._points: list[Point] = []

    def news(self, state: News) -> dict[str, Any]:
        """What to store now, all points so far included."""
        if state.value is not None:
            seconds = round(state.seconds, 2)
            self._add(Point(state.stage, seconds, state.value, state.bound))
        return {
            "stage": state.stage,
            "fraction": state.fraction,
            "filled": state.filled - self._fixed,
            "needs": state.needs - self._fixed,
            "impossible": state.impossible,
            "points": [list(astuple(point)) for point in self._points],
        }

    def _add(self, point: Point) -> None:
        """Keep a point; where nothing has moved, the last one only comes later."""
        if len(self._points) > 1 and all(_same(old, point) for old in self._points[-2:]):
            self._points.pop()
        self._points.append(point)
        if len(self._points) > MOST_POINTS:
            self._points = thinned(self._points)


def thinned(points: list[Point]) -> list[Point]:
    """About half of the points: every second one, and the first and last of each stage."""
    ends = {0, len(points) - 1}
    for index in range(1, len(points)):
        if points[index].stage != points[index - 1].stage:
            ends |= {index - 1, index}
    return [point for index, point in enumerate(points) if index in ends or index % 2 == 0]


def _same(one: Point, other: Point) -> bool:
    return (one.stage, one.value, one.bound) == (other.stage, other.value, other.bound)
