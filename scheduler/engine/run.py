"""From a problem to a proved roster.

Independent parts are solved one after the other, each with two searches that go on side by side
where there are two workers (see `scheduler.engine.levels` for the weights and for what a bound
proves):

- the *upper* search minimises levels 1 to 4 and proves them;
- the *whole* search minimises all five with firm weights, which nearly always leads to the same
  upper levels; where it does not, it is begun again with firmer ones.

Small parts are CP-SAT's, large ones HiGHS's. In a very large part the whole search would not
end; there, and whenever a worker has nothing else to do, neighbourhoods of the best roster are
solved anew, each as a small problem of its own, and kept when that makes it better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from scheduler.engine.components import Offers, components
from scheduler.engine.explain import explain
from scheduler.engine.formulation import minimum_unit
from scheduler.engine.greedy import complete, greedy, open_pairs
from scheduler.engine.highs import HighsSearch
from scheduler.engine.levels import FIRM, dominating, firm
from scheduler.engine.model import LEVELS, Pair, Problem
from scheduler.engine.neighbourhoods import Neighbourhoods
from scheduler.engine.objective import Objective, below_minimum, evaluate, fairness
from scheduler.engine.part import Part
from scheduler.engine.rules import conflicts
from scheduler.engine.search import POLL_SECONDS, Clock, CpSearch, Search
from scheduler.engine.solution import Number, Solution

START, END = "start", "end"

SMALL: Final = 1_200
"""Open pairs up to which CP-SAT is the quicker one."""
HUGE: Final = 40_000
"""Open pairs beyond which all five levels at once are out of reach."""
FIRMER: Final = 4
"""How much firmer the weights of the next attempt are."""
BIGGEST: Final = 2**60
"""What a weighted sum of CP-SAT must stay below."""
REPORT_SECONDS: Final = 0.25
STEP_SECONDS: Final = 2.0
"""What a neighbourhood may take."""


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    `stage` is ``start``, the first level that is not proved yet, or ``end``; `best` the objective
    of the best roster so far; `value` and `bound` are that level's, and None outside of one;
    `seconds` since the start; `fraction` an estimate from 0 to 1 that never falls. Of `needs`
    needs, `filled` have a doctor; of the others, `impossible` are proved to have no better
    roster: nobody at all could take them, or the better levels are proved.
    """

    stage: str
    best: Objective
    value: Number | None
    bound: Number | None
    seconds: float
    fraction: float
    filled: int
    needs: int
    impossible: int


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
    until everything is proved. Some roster is returned however short it is. `progress`, at most
    five times a second, and `should_stop` are called in this thread; after `should_stop()` turns
    true the run ends within about a second with the best roster so far. What either raises ends
    the run and passes.

    With ``workers=1``, equal problems and seeds give equal solutions (`seconds` aside) as long
    as no time limit is hit. Raises `ValueError` for a number of workers below one.
    """
    if workers < 1:
        raise ValueError("workers must be at least 1")
    clock = Clock(time_limit, should_stop)
    run = _Run(problem, clock, workers, seed, progress)
    run.search()
    return run.solution()


class _Run:
    def __init__(
        self,
        problem: Problem,
        clock: Clock,
        workers: int,
        seed: int,
        progress: Callable[[Progress], None] | None = None,
        start: Sequence[Pair] | None = None,
    ) -> None:
        self.problem, self.clock = problem, clock
        self.workers, self.seed = workers, seed
        self._progress, self._fraction, self._told = progress, 0.0, -REPORT_SECONDS
        self.unit = minimum_unit(problem)
        self.offers: Offers = open_pairs(problem)
        begun = list(start) if start is not None else greedy(problem, self.offers, clock.over)
        self.pairs = complete(problem, self.offers, begun)
        self.best = evaluate(problem, self.pairs)
        self._position = {need: i for i, need in enumerate(problem.needs)}
        self._static = floor(problem, self.offers)
        self.parts: list[Part] = []
        self._split = False

    def search(self) -> None:
        """Look for better rosters until everything is proved or the time is over."""
        self._report(START, final=True)
        if self.clock.over():
            return
        self._keep_time()
        self.parts = [
            Part(self.problem, offers) for offers in components(self.problem, self.offers)
        ]
        self._split = True
        self._share_out()
        for part in sorted(self.parts, key=lambda part: part.size):
            if self.clock.over():
                break
            if part.size <= SMALL:
                self._search_small(part)
            else:
                self._search_large(part)

    def solution(self) -> Solution:
        """The best roster so far, explained."""
        self._adopt(complete(self.problem, self.offers, self.pairs))
        bound = self._bounds()
        proved = all(bound[k] == v for k, v in self.best.to_json().items())
        uncovered = explain(self.problem, self.pairs)
        self._report(END, bounds=bound, final=True)
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

    def _search_small(self, part: Part) -> None:
        upper, whole = self._upper_small(part), None
        if self.workers == 1:
            self._watch(part, [upper])
        firmness = FIRM
        while not self._proved(part) and not self.clock.over():
            weights = firm(part.full.ranges, firmness)
            if sum(w * r.width for w, r in zip(weights, part.full.ranges, strict=True)) > BIGGEST:
                break
            whole = self._small(part, weights, presolve=False)
            beside = [upper] if self.workers > 1 and firmness == FIRM else []
            self._watch(part, [whole, *beside])
            if not whole[0].closed:
                break
            firmness *= FIRMER

    def _upper_small(self, part: Part) -> tuple[Search, tuple[int, ...]]:
        weights = dominating(part.upper.ranges)
        formulation = part.upper
        hint = formulation.values(part.pairs)
        search = CpSearch(
            formulation, formulation.weighted(weights), hint, seed=self.seed, presolve=True
        )
        return search, weights

    def _small(
        self, part: Part, weights: tuple[int, ...], *, presolve: bool
    ) -> tuple[Search, tuple[int, ...]]:
        formulation = part.full
        hint = formulation.values(part.pairs)
        objective = formulation.weighted(weights)
        search = CpSearch(formulation, objective, hint, seed=self.seed, presolve=presolve)
        return search, weights

    def _search_large(self, part: Part) -> None:
        """Prove levels 1 and 2, then 1 to 4, and beside it minimise all five."""
        chain = [dominating(part.upper.ranges[:2]), firm(part.upper.ranges)]
        huge = part.size > HUGE
        firmness = 2
        running: list[tuple[Search, tuple[int, ...]]] = []
        ended: set[tuple[int, ...]] = set()

        def next_upper() -> None:
            if chain:
                weights = chain.pop(0)
                running.append(self._large(part, weights, levels=4))

        def next_whole() -> None:
            running.append(self._large(part, firm(part.full.ranges, firmness), levels=5))

        next_upper()
        if self.workers > 1 and not huge:
            next_whole()
        around = Neighbourhoods(self.problem, part.offers, self.seed)
        try:
            for search, _ in running:
                search.start()
            while not self._proved(part) and not self.clock.over():
                for item in list(running):
                    self._take_news(part, *item)
                    if item[0].running:
                        continue
                    item[0].join(0)
                    self._take_news(part, *item)
                    running.remove(item)
                    ended.add(item[1])
                    fresh = len(running)
                    if item[1][-1] == 0:
                        next_upper()
                    elif item[0].closed:
                        firmness *= FIRMER
                        next_whole()
                    if not running and not huge:
                        next_whole()
                    for search, _ in running[fresh:]:
                        search.start()
                if len(running) < self.workers and self.clock.left() > STEP_SECONDS:
                    self._step(part, around)
                elif running:
                    running[0][0].join(POLL_SECONDS)
                else:
                    break
                self._report_standing()
        finally:
            self._end([search for search, _ in running])
        for item in running:
            self._take_news(part, *item)

    def _large(
        self, part: Part, weights: tuple[int, ...], *, levels: int
    ) -> tuple[Search, tuple[int, ...]]:
        formulation = part.full if levels == len(LEVELS) else part.upper
        hint = formulation.values(part.pairs)
        return HighsSearch(formulation, formulation.weighted(weights), hint, self.seed), weights

    def _step(self, part: Part, around: Neighbourhoods) -> None:
        """Solve one neighbourhood of the best roster anew."""
        free = around.draw({need for need, _ in part.pairs})
        small = around.problem(free, self.pairs)
        inside = [pair for pair in self.pairs if pair[0] in small.needs]
        clock = Clock(min(STEP_SECONDS, self.clock.left()), self.clock.stopped)
        run = _Run(small, clock, 1, self.seed, start=inside)
        before = run.best
        run.search()
        if run.best < before:
            kept = [pair for pair in self.pairs if pair[0] not in small.needs]
            self._adopt([*kept, *run.pairs])

    def _watch(self, part: Part, searches: list[tuple[Search, tuple[int, ...]]]) -> None:
        """Run searches beside each other until all have ended, or nothing is left to prove."""
        try:
            for search, _ in searches:
                search.start()
            while any(search.running for search, _ in searches):
                next(search for search, _ in searches if search.running).join(POLL_SECONDS)
                for item in searches:
                    self._take_news(part, *item)
                self._report_standing()
                if self.clock.over() or self._proved(part):
                    break
        finally:
            self._end([search for search, _ in searches])
        for item in searches:
            self._take_news(part, *item)

    def _end(self, searches: list[Search]) -> None:
        """Stop searches and wait until they have; a stop may come before they can hear it."""
        for search in searches:
            while search.running:
                search.stop()
                search.join(POLL_SECONDS / 5)
        for search in searches:
            search.join(0)

    def _take_news(self, part: Part, search: Search, weights: tuple[int, ...]) -> None:
        for found in search.news():
            if found.bound is not None:
                part.prove(weights, found.bound)
            if found.pairs is not None:
                others = [pair for pair in self.pairs if not part.holds(pair)]
                roster = [*others, *found.pairs]
                if weights[-1] == 0:
                    # What the upper levels do not count may be left open by their search.
                    roster = complete(self.problem, self.offers, roster)
                self._adopt(roster)

    def _proved(self, part: Part) -> bool:
        values = part.values()
        return len(values) == len(LEVELS) and part.bounds(values) == values

    def _keep_time(self) -> None:
        """Leave as much time for the explanations as the start took, a quarter at the most.

        Both go through all open pairs once, so on a slow or busy machine both are slow.
        """
        if self.clock.limit is not None:
            self.clock.reserve = min(self.clock.seconds(), self.clock.limit / 4)

    def _adopt(self, pairs: Sequence[Pair]) -> None:
        """Keep a roster if its own recomputed objective is better than the best so far."""
        objective = evaluate(self.problem, pairs)
        if objective < self.best:
            self.pairs = sorted(pairs, key=lambda pair: self._position[pair[0]])
            self.best = objective
            self._share_out()

    def _share_out(self) -> None:
        for part in self.parts:
            part.pairs = [pair for pair in self.pairs if part.holds(pair)]

    def _bounds(self) -> dict[str, Number]:
        """The proved bound of each level.

        A level counts as proved only once every part is. The bounds of several parts add up
        only while the better levels are proved: otherwise one part could pay for another.
        """
        values = [part.values() for part in self.parts]
        least = [part.bounds(v) for part, v in zip(self.parts, values, strict=True)]
        bounds: dict[str, Number] = {}
        closed = True
        for k, level in enumerate(LEVELS):
            value: Number = getattr(self.best, level)
            bounds[level] = min(value, getattr(self._static, level))
            known = self._split and all(len(v) > k for v in values)
            if known and (closed or len(self.parts) <= 1):
                gap = sum(v[k] - b[k] for v, b in zip(values, least, strict=True))
                unit = self.unit if level == "below_minimum" else 1
                bounds[level] = max(
                    bounds[level], _plain(value - gap / unit) if gap % unit else value - gap // unit
                )
            closed = closed and bounds[level] == value
        return bounds

    def _report_standing(self) -> None:
        if self._progress is None or self.clock.seconds() - self._told < REPORT_SECONDS:
            return
        bounds = self._bounds()
        values = self.best.to_json()
        stage = next((level for level in LEVELS if bounds[level] != values[level]), LEVELS[-1])
        self._report(stage, values[stage], bounds[stage], bounds)

    def _report(
        self,
        stage: str,
        value: Number | None = None,
        bound: Number | None = None,
        bounds: dict[str, Number] | None = None,
        *,
        final: bool = False,
    ) -> None:
        seconds = self.clock.seconds()
        if self._progress is None or (not final and seconds - self._told < REPORT_SECONDS):
            return
        self._told = seconds
        stages = (START, *LEVELS, END)
        done = stages.index(stage) / (len(stages) - 1)
        if self.clock.limit:
            done = max(done, min(0.99, seconds / self.clock.limit))
        self._fraction = max(self._fraction, done)
        covered = {need for need, _ in self.pairs}
        missing = [need for need in self.problem.needs if need not in covered]
        values = self.best.to_json()
        proved = bounds is not None and all(bounds[k] == values[k] for k in LEVELS[:2])
        impossible = sum(proved or not self.offers.get(need) for need in missing)
        self._progress(
            Progress(
                stage,
                self.best,
                value,
                bound,
                seconds,
                self._fraction,
                len(covered),
                len(self.problem.needs),
                impossible,
            )
        )


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
