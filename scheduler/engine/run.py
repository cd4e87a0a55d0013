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
from functools import partial
from typing import Final

from scheduler.engine.components import Offers, components
from scheduler.engine.explain import explain
from scheduler.engine.formulation import Formulation, minimum_unit
from scheduler.engine.greedy import complete, greedy, kept, open_pairs
from scheduler.engine.large import FIRMER, STEP_SECONDS, Large, Started
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
BIGGEST: Final = 2**60
"""What a weighted sum of CP-SAT must stay below."""
REPORT_SECONDS: Final = 0.25


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
    run = Run(problem, clock, workers, seed, progress)
    run.search()
    return run.solution()


class Run:
    """The best roster of a problem so far, and what is done to better it.

    A run that is given a roster to start from is an `inner` one: a neighbourhood of a larger
    problem, in which no further neighbourhoods are drawn.
    """

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
        self.inner = start is not None
        self.pairs = self._begun(start)
        self.best = evaluate(problem, self.pairs)
        self._position = {need: i for i, need in enumerate(problem.needs)}
        self._static = floor(problem, self.offers)
        self.parts: list[Part] = []
        self._split = False

    def _begun(self, start: Sequence[Pair] | None) -> list[Pair]:
        """The first roster: the one given, or the better of a greedy one and the one last shown."""
        problem, offers = self.problem, self.offers
        if start is not None:
            return complete(problem, offers, list(start))
        begun = [complete(problem, offers, greedy(problem, offers, self.clock.over))]
        if problem.previous_pairs:
            begun.append(complete(problem, offers, kept(problem, offers)))
        return min(begun, key=partial(evaluate, problem))

    def search(self) -> None:
        """Look for better rosters until everything is proved or the time is over."""
        self._report(START)
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
                Large(self, part).search()

    def solution(self) -> Solution:
        """The best roster so far, explained."""
        self.adopt(complete(self.problem, self.offers, self.pairs))
        bound = self._bounds()
        proved = all(bound[k] == v for k, v in self.best.to_json().items())
        uncovered = explain(self.problem, self.pairs)
        self._report(END, bounds=bound)
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
        """Both searches with CP-SAT; with two workers side by side, the longer one first.

        Close to a roster that was shown before, few changes are left to look at once the upper
        search has said how many there must be: then the whole search waits for it.
        """
        close = bool(self.problem.previous_pairs)
        beside = self.workers > 1 and not close
        if not beside:
            self._watch(part, [partial(self._upper_small, presolve=not close)])
            if self.clock.over():
                return
            part.go_on()
            if close:
                part.keep_close()
        firmness = FIRM
        while not self.proved(part) and not self.clock.over():
            weights = firm(part.full.ranges, firmness)
            if part.full.width(weights) > BIGGEST:
                self._search_apart(part)
                return
            begin: list[Callable[[Part], Started]] = [
                partial(self._small, part.full, weights, presolve=close)
            ]
            if beside and firmness == FIRM:
                begin.append(partial(self._upper_small, presolve=True))
            if not self._watch(part, begin):
                break
            firmness *= FIRMER

    def _search_apart(self, part: Part) -> None:
        """Where the numbers are too big for one sum: level 5 alone, among those best before it."""
        self._watch(part, [partial(self._upper_small, presolve=True)])
        if part.keep_best() and not self.clock.over():
            alone = (0, 0, 0, 0, 1)
            self._watch(part, [partial(self._small, part.full, alone, presolve=True)])

    def _upper_small(self, part: Part, *, presolve: bool) -> Started:
        return self._small(part.upper, dominating(part.upper.ranges), part, presolve=presolve)

    def _small(
        self, formulation: Formulation, weights: tuple[int, ...], part: Part, *, presolve: bool
    ) -> Started:
        hint = formulation.values(part.pairs)
        objective = formulation.weighted(weights)
        search = CpSearch(formulation, objective, hint, seed=self.seed, presolve=presolve)
        search.start()
        return search, weights

    def step(self, around: Neighbourhoods) -> None:
        """Solve one neighbourhood of the best roster anew."""
        small = around.problem(around.draw(self.pairs), self.pairs)
        inside = [pair for pair in self.pairs if pair[0] in small.needs]
        # One worker without a limit always does the same, however long that takes.
        unhurried = self.workers == 1 and self.clock.limit is None
        limit = None if unhurried else min(STEP_SECONDS, self.clock.left())
        clock = Clock(limit, self.clock.stopped)
        run = Run(small, clock, 1, self.seed, start=inside)
        before = run.best
        run.search()
        if run.best < before:
            kept = [pair for pair in self.pairs if pair[0] not in small.needs]
            self.adopt([*kept, *run.pairs])

    def _watch(self, part: Part, begin: Sequence[Callable[[Part], Started]]) -> bool:
        """Run searches beside each other until all have ended, or nothing is left to prove.

        Returns whether the first of them was closed.
        """
        searches: list[Started] = []
        try:
            # One works while the next is still being written down.
            searches.extend(start(part) for start in begin)
            while any(search.running for search, _ in searches):
                next(search for search, _ in searches if search.running).join(POLL_SECONDS)
                for item in searches:
                    self.take_news(part, *item)
                self.report_standing()
                if self.clock.over() or self.proved(part):
                    break
        finally:
            self.end([search for search, _ in searches])
        for item in searches:
            self.take_news(part, *item)
        return searches[0][0].closed

    def end(self, searches: list[Search]) -> None:
        """Stop searches and wait until they have; a stop may come before they can hear it."""
        for search in searches:
            while search.running:
                search.stop()
                search.join(POLL_SECONDS / 5)
        for search in searches:
            search.check()

    def take_news(self, part: Part, search: Search, weights: tuple[int, ...]) -> None:
        for found in search.news():
            if found.bound is not None:
                part.prove(weights, found.bound)
            if found.pairs is not None:
                others = [pair for pair in self.pairs if not part.holds(pair)]
                roster = [*others, *found.pairs]
                if weights[-1] == 0:
                    # What the upper levels do not count may be left open by their search.
                    roster = complete(self.problem, self.offers, roster)
                self.adopt(roster)

    def proved(self, part: Part) -> bool:
        values = part.values()
        return len(values) == len(LEVELS) and part.bounds(values) == values

    def _keep_time(self) -> None:
        """Leave as much time for the explanations as the start took, a quarter at the most.

        Both go through all open pairs once, so on a slow or busy machine both are slow.
        """
        if self.clock.limit is not None:
            self.clock.reserve = min(self.clock.seconds(), self.clock.limit / 4)

    def adopt(self, pairs: Sequence[Pair]) -> None:
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

    def report_standing(self) -> None:
        """Tell the level that is being proved, four times a second at the most."""
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
    ) -> None:
        if self._progress is None:
            return
        self._told = seconds = self.clock.seconds()
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
