"""What one solver made of one problem."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from scheduler.engine import Objective, Pair, Problem, evaluate

Number = int | float
Roster = tuple[Pair, ...]


@dataclass(frozen=True)
class Run:
    """A roster and how it came about.

    `first` is when the first roster stood, `reached` when the final vector was found, `proved`
    when all of it was proved (None: not in time), `seconds` when the run ended; all from the
    start of the run, model included.
    `bound` holds what was proved of each level; a level that is missing is open altogether.
    """

    name: str
    pairs: Roster
    objective: Objective
    first: float
    reached: float
    proved: float | None
    seconds: float
    bound: Mapping[str, Number] = field(default_factory=dict)

    def gap(self) -> str:
        """The best level that is not proved and how far its value is above its bound."""
        for level, value in self.objective.to_json().items():
            bound = self.bound.get(level)
            if bound is None:
                return f"{level}: no bound"
            if bound < value - 1e-9:  # a weekly minimum of 0.1 days sums to floats
                share = f"{(value - bound) / abs(value):.1%}" if value else f"{value - bound}"
                return f"{level}: {share}"
        return "0"


class Watch:
    """The stopwatch of one run, and the rosters found on the way."""

    def __init__(self, problem: Problem, limit: float) -> None:
        self.problem, self.limit = problem, limit
        self._began = time.perf_counter()
        self._found: list[tuple[float, Roster]] = []

    def seconds(self) -> float:
        """Since the start of the run."""
        return time.perf_counter() - self._began

    def left(self) -> float:
        """Seconds until the limit, 0 when it is over."""
        return max(0.0, self.limit - self.seconds())

    def saw(self, pairs: Iterable[Pair], at: float | None = None) -> None:
        """Note a roster, found now or `at` an earlier moment."""
        self._found.append((self.seconds() if at is None else at, tuple(pairs)))

    def finish(self, name: str, proved: bool, bound: Mapping[str, Number]) -> Run:
        """The run, with the best of the rosters seen; nobody but the fixed where there is none."""
        seconds = self.seconds()
        found = self._found or [(seconds, self.problem.fixed)]
        vectors = [evaluate(self.problem, pairs) for _, pairs in found]
        best = vectors.index(min(vectors))
        reached, pairs = found[best]
        end = seconds if proved else None
        return Run(name, pairs, vectors[best], found[0][0], reached, end, seconds, bound)
