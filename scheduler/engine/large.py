"""A large part: HiGHS proves it, and a worker that is free betters the roster meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scheduler.engine.formulation import Formulation
from scheduler.engine.highs import HighsSearch
from scheduler.engine.levels import dominating, firm
from scheduler.engine.neighbourhoods import Neighbourhoods
from scheduler.engine.part import Part
from scheduler.engine.search import POLL_SECONDS, Search

if TYPE_CHECKING:
    from scheduler.engine.run import Run

Started = tuple[Search, tuple[int, ...]]
"""A search under way and the weights of what it minimises."""

HUGE: Final = 40_000
"""Open pairs beyond which all five levels at once are not begun before the first four are done."""
FIRMNESS: Final = 2
"""How firm the weights of the whole search are at first: HiGHS wants small numbers."""
FIRMER: Final = 4
"""How much firmer the weights of the next attempt are."""
BIGGEST: Final = 10**11
"""Of sums wider than this, HiGHS's tolerances could hide one unit."""
STEP_SECONDS: Final = 2.0
"""What a neighbourhood may take."""


class Large:
    """The searches in one large part.

    The upper search comes in two steps: levels 1 and 2 with dominating weights, then 1 to 4 with
    firm ones. The whole search goes on beside them from the start, except in a huge part, and
    except close to a roster that was shown before: there it waits, because knowing how many
    changes there must be makes it quick.
    """

    def __init__(self, run: Run, part: Part) -> None:
        self.run, self.part = run, part
        self._upper = [dominating(part.upper.ranges[:2]), firm(part.upper.ranges)]
        self._close = bool(run.problem.previous_pairs)
        self._firmness = FIRMNESS
        self._running: list[Started] = []
        self._around = Neighbourhoods(run.problem, part.offers, run.seed)

    def search(self) -> None:
        """Go on until the part is proved or the time is over."""
        run = self.run
        try:
            if self._close and not run.inner:
                run.step(self._around)
            self._begin_upper()
            if run.workers > 1 and self._close:
                self._begin_upper()
            elif run.workers > 1 and self.part.size <= HUGE:
                self._begin_whole()
            while not run.proved(self.part) and not run.clock.over():
                for item in list(self._running):
                    run.take_news(self.part, *item)
                    if not item[0].running:
                        self._ended(item)
                if not self._running:
                    break
                if len(self._running) < run.workers and run.clock.left() > STEP_SECONDS:
                    run.step(self._around)
                else:
                    self._running[0][0].join(POLL_SECONDS)
                run.report_standing()
        finally:
            run.end([search for search, _ in self._running])
        for item in self._running:
            run.take_news(self.part, *item)

    def _ended(self, item: Started) -> None:
        """Take in the last of a search that has ended, and begin what comes after it.

        A search that ended without a proof has given up, and nothing comes after that; nor does
        anything that would need weights beyond what HiGHS can tell apart.
        """
        search, weights = item
        search.check()
        self.run.take_news(self.part, search, weights)
        self._running.remove(item)
        if not search.closed:
            return
        if weights[-1]:
            self._firmness *= FIRMER
        elif self._upper:
            self._begin_upper()
        if not self._running:
            self._begin_whole()

    def _begin_upper(self) -> None:
        self._begin(self.part.upper, self._upper.pop(0))

    def _begin_whole(self) -> None:
        part = self.part
        if self._close:
            part.keep_close()
        weights = firm(part.full.ranges, self._firmness)
        if part.full.width(weights) > BIGGEST and part.keep_best():
            weights = (0, 0, 0, 0, 1)
        self._begin(part.full, weights)

    def _begin(self, formulation: Formulation, weights: tuple[int, ...]) -> None:
        if formulation.width(weights) > BIGGEST:
            return
        # From a roster that is far from the best one HiGHS starts worse than from none.
        near = self._close or self._firmness > FIRMNESS
        hint = formulation.values(self.part.pairs) if near else None
        search = HighsSearch(formulation, formulation.weighted(weights), hint, self.run.seed)
        search.start()
        self._running.append((search, weights))
