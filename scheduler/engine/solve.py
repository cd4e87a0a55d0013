"""From a problem to a proved roster: level by level, each start a complete hint.

Let f1, ..., f5 be the levels. Level k is solved as

    min fk(x)  subject to the rules and  f1(x) <= v1, ..., f(k-1)(x) <= v(k-1)

with v the values of the best roster so far. The bound of level k is therefore the least that
any roster can have whose better levels are as good, even when one of these is still open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from scheduler.engine.components import Offers, components
from scheduler.engine.explain import explain
from scheduler.engine.formulation import Formulation, minimum_unit
from scheduler.engine.greedy import complete, greedy, open_pairs
from scheduler.engine.model import LEVELS, Pair, Problem
from scheduler.engine.objective import Objective, below_minimum, evaluate, fairness
from scheduler.engine.rules import conflicts
from scheduler.engine.search import Clock, minimise
from scheduler.engine.solution import Number, Solution
from scheduler.engine.variables import Linear

SHARES = {
    "below_minimum": 0.2,
    "uncovered": 0.5,
    "changes": 0.3,
    "last_resort": 0.4,
    "quality": 1.0,
}
"""Of the time that is left, the part that a level may use before the next one has its turn."""

START, END = "start", "end"


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    `stage` is ``start``, one of the levels, or ``end``; `best` the objective of the best roster
    so far; `value` and `bound` belong to the level being solved and are None outside of one;
    `seconds` since the start; `fraction` an estimate from 0 to 1 that never falls.
    """

    stage: str
    best: Objective
    value: Number | None
    bound: Number | None
    seconds: float
    fraction: float


@dataclass
class _Part:
    """A component: its model, its share of the best roster, and the proved bound by level."""

    formulation: Formulation
    pairs: list[Pair] = field(default_factory=list)
    levels: dict[str, Linear] = field(default_factory=dict)
    bounds: dict[str, int] = field(default_factory=dict)

    def value(self, level: str) -> int:
        return self.levels[level].of(self.formulation.values(self.pairs))


def solve(
    problem: Problem,
    *,
    time_limit: float | None = None,
    workers: int = 2,
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Solution:
    """The lexicographically best roster, or the best one found in time.

    `time_limit` is in seconds and counts for the whole run, explanations included; None runs
    until everything is proved. Some roster is returned however short it is. `progress` and
    `should_stop` are called in this thread; after `should_stop()` turns true the run ends within
    about a second with the best roster so far. What either raises ends the run and passes.

    With ``workers=1``, equal problems and seeds give equal solutions (`seconds` aside) as long
    as no time limit is hit. Raises `ValueError` for a number of workers below one.
    """
    if workers < 1:
        raise ValueError("workers must be at least 1")
    clock = Clock(time_limit, should_stop)
    return _Run(problem, clock, workers, seed, progress).solution()


class _Run:
    def __init__(
        self,
        problem: Problem,
        clock: Clock,
        workers: int,
        seed: int,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.problem, self.clock = problem, clock
        self.workers, self.seed = workers, seed
        self._progress, self._fraction = progress, 0.0
        self.unit = minimum_unit(problem)
        self.offers: Offers = open_pairs(problem)
        start = greedy(problem, self.offers, clock.over)
        self.pairs = complete(problem, self.offers, start)
        self.best = evaluate(problem, self.pairs)
        self.parts: list[_Part] = []
        self._split = False

    def solution(self) -> Solution:
        self._report(START)
        if not self.clock.over():
            began = self.clock.seconds()
            split = components(self.problem, self.offers)
            self.parts = [_Part(Formulation(self.problem, offers)) for offers in split]
            self._split = True
            self._share_out()
            self._keep_time(began)
            for level in LEVELS:
                self._solve_level(level)
        self._adopt(complete(self.problem, self.offers, self.pairs))
        bound = self._bounds()
        proved = all(bound[k] == v for k, v in self.best.to_json().items())
        uncovered = explain(self.problem, self.pairs)
        self._report(END)
        return Solution(
            status="optimal" if proved else "feasible",
            pairs=tuple(self.pairs),
            fixed=self.problem.fixed_pairs,
            uncovered=uncovered,
            objective=self.best,
            bound=bound,
            conflicts=tuple(conflicts(self.problem)),
            seconds=self.clock.seconds(),
        )

    def _keep_time(self, began: float) -> None:
        """Leave as much time for the explanations as the model took, a quarter at the most.

        Both go through all open pairs once, so on a slow or busy machine both are slow. A level
        that could not even be written down and presolved in what is left is not begun.
        """
        if self.clock.limit is not None:
            took = self.clock.seconds() - began
            self.clock.reserve = min(took, self.clock.limit / 4)

    def _solve_level(self, level: str) -> None:
        """Solve one level in every part, smallest part first so that a big one gets the rest."""
        self._report(level)
        parts = sorted(self.parts, key=lambda part: len(part.formulation.x))
        for part in parts:
            if self.clock.over() or self.clock.left() < 6 * self.clock.reserve:
                return
            linear = part.levels[level] = part.formulation.level(level)
            value = part.value(level)
            least = linear.least() if level == "quality" else max(0, linear.least())
            if value == least:
                part.bounds[level] = value
            else:
                self._search(part, level)
            part.formulation.model.add(linear.expression() <= part.value(level))
        self._report(level, *self._standing(level))

    def _search(self, part: _Part, level: str) -> None:
        linear = part.levels[level]
        unit = self.unit if level == "below_minimum" else 1
        others = getattr(self.best, level) - part.value(level) / unit

        def news(value: float, bound: float) -> None:
            self._report(level, _plain(others + value / unit), _plain(others + bound / unit))

        found = minimise(
            part.formulation,
            linear,
            part.formulation.values(part.pairs),
            clock=self.clock,
            seconds=self.clock.left() * SHARES[level],
            workers=self.workers,
            seed=self.seed,
            news=news,
        )
        if found.values is not None:
            here = part.formulation.x
            pairs = [pair for pair, x in here.items() if found.values[x.index]]
            roster = [*(pair for pair in self.pairs if pair not in here), *pairs]
            if level in ("below_minimum", "uncovered"):
                # Level 1 leaves aside what it does not count, level 2 what it had no time for.
                roster = complete(self.problem, self.offers, roster)
            self._adopt(roster)
        if found.bound is not None:
            part.bounds[level] = min(found.bound, part.value(level))

    def _adopt(self, pairs: list[Pair]) -> None:
        """Keep a roster if its own recomputed objective is better than the best so far."""
        objective = evaluate(self.problem, pairs)
        if objective < self.best:
            position = {need: i for i, need in enumerate(self.problem.needs)}
            self.pairs = sorted(pairs, key=lambda pair: position[pair[0]])
            self.best = objective
            self._share_out()

    def _share_out(self) -> None:
        for part in self.parts:
            part.pairs = [pair for pair in self.pairs if pair in part.formulation.x]

    def _bounds(self) -> dict[str, Number]:
        """The proved bound of each level.

        A level counts as proved only once every part is. The bounds of several parts add up
        only while the better levels are proved: otherwise one part could pay for another.
        """
        static = floor(self.problem, self.offers)
        bounds: dict[str, Number] = {}
        closed = True
        for level in LEVELS:
            value: Number = getattr(self.best, level)
            bounds[level] = min(value, getattr(static, level))
            known = all(level in part.bounds for part in self.parts)
            if self._split and known and (closed or len(self.parts) <= 1):
                gap = sum(part.value(level) - part.bounds[level] for part in self.parts)
                if level == "below_minimum" and gap % self.unit:
                    bounds[level] = max(bounds[level], value - gap / self.unit)
                else:
                    whole = gap // self.unit if level == "below_minimum" else gap
                    bounds[level] = max(bounds[level], value - whole)
            closed = closed and bounds[level] == value
        return bounds

    def _standing(self, level: str) -> tuple[Number, Number]:
        return getattr(self.best, level), self._bounds()[level]

    def _report(self, stage: str, value: Number | None = None, bound: Number | None = None) -> None:
        if self._progress is None:
            return
        seconds = self.clock.seconds()
        stages = (START, *LEVELS, END)
        done = stages.index(stage) / (len(stages) - 1)
        if self.clock.limit:
            done = max(done, min(0.99, seconds / self.clock.limit))
        self._fraction = max(self._fraction, done)
        self._progress(Progress(stage, self.best, value, bound, seconds, self._fraction))


def floor(problem: Problem, offers: Offers) -> Objective:
    """A vector that no roster is below at any level, whatever its other levels.

    Everybody who can come comes everywhere at once, and nobody's load grows.
    """
    taken = [(need, doctor) for need, ranks in offers.items() for doctor in ranks]
    possible = [*problem.fixed, *taken]
    kept = set(possible)
    base = evaluate(problem, problem.fixed)
    everywhere = {need for need, _ in possible}
    weights = problem.weights
    value = sum(value for pair, value in problem.affinity.items() if pair in kept)
    return Objective(
        below_minimum=below_minimum(problem, possible),
        uncovered=sum(n.weight for n in problem.needs.values() if n.id not in everywhere),
        changes=sum(pair not in kept for pair in problem.previous_pairs),
        last_resort=base.last_resort,
        quality=weights.fairness * fairness(problem, problem.fixed) - weights.affinity * value,
    )


def _plain(number: Number) -> Number:
    return int(number) if number == int(number) else number
