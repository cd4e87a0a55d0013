"""One run of a solver that goes on beside its caller: news while it works, and an end to it."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ortools.sat.python import cp_model

from scheduler.engine.formulation import Formulation
from scheduler.engine.model import Pair
from scheduler.engine.variables import Linear, Values

POLL_SECONDS = 0.05


class Clock:
    """The one time limit of a run, and the wish to stop it."""

    def __init__(self, limit: float | None, should_stop: Callable[[], bool] | None) -> None:
        self._start = time.perf_counter()
        self.limit = limit
        self.reserve = 0.0
        self._should_stop = should_stop
        self._stopped = False

    def seconds(self) -> float:
        """Wall-clock seconds since the start."""
        return time.perf_counter() - self._start

    def left(self) -> float:
        """Seconds until the limit, less what the end of the run needs; infinite without one."""
        return math.inf if self.limit is None else self.limit - self.reserve - self.seconds()

    def stopped(self) -> bool:
        """Whether the caller wants to stop; once true it stays true."""
        if not self._stopped and self._should_stop is not None:
            self._stopped = self._should_stop()
        return self._stopped

    def over(self) -> bool:
        """Whether no more work should be started."""
        return self.stopped() or self.left() <= 0


@dataclass(frozen=True)
class Found:
    """A roster that a search has come across, and what it had proved by then.

    `pairs` are those of the formulation's that are chosen, or None where only `bound`, on the
    whole weighted sum, is new.
    """

    pairs: tuple[Pair, ...] | None
    bound: int | None


class Search:
    """A thread that minimises one weighted sum over a formulation.

    Whoever starts it calls `news` now and then, which never blocks, and `stop` or waits until
    `running` is false. `bound` is the best proved one, `best` the least sum found; the search is
    closed when they meet.
    """

    def __init__(self, formulation: Formulation, level: Linear) -> None:
        self.formulation, self.level = formulation, level
        self.bound: int | None = None
        self.best: int | None = None
        self.stopped = False
        self._news: deque[Found] = deque()
        self._failures: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, name="roster-search", daemon=True)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @property
    def closed(self) -> bool:
        """Whether the least sum is found and proved."""
        return self.best is not None and self.bound is not None and self.best <= self.bound

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end soon; may be called more than once."""
        self.stopped = True

    def join(self, seconds: float) -> None:
        """Wait for the end, for that long at most."""
        self._thread.join(seconds)

    def check(self) -> None:
        """Raise here what went wrong inside."""
        if self._failures:
            raise self._failures[0]

    def news(self) -> list[Found]:
        """What has come since the last call, oldest first."""
        fresh = []
        while self._news:
            fresh.append(self._news.popleft())
        return fresh

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._failures.append(error)

    def _work(self) -> None:
        raise NotImplementedError

    def _found(self, pairs: tuple[Pair, ...], value: int) -> None:
        if self.best is None or value < self.best:
            self.best = value
            self._news.append(Found(pairs, None))

    def _bounded(self, bound: int) -> None:
        if self.bound is None or bound > self.bound:
            self.bound = bound
            self._news.append(Found(None, bound))

    def _proved(self) -> None:
        if self.best is not None:
            self._bounded(self.best)


class CpSearch(Search):
    """Minimise a weighted sum with one worker of CP-SAT, from a complete hint.

    The relaxation of this class is nearly integral, so the worker uses its full strength
    (`linearization_level=2`). One worker is quicker than a portfolio of two up to a thousand
    pairs, and always goes the same way. `presolve` costs more than it saves when there are
    many terms beside the pairs.
    """

    def __init__(
        self,
        formulation: Formulation,
        level: Linear,
        hint: Values,
        *,
        seed: int,
        presolve: bool,
        seconds: float = math.inf,
    ) -> None:
        super().__init__(formulation, level)
        model = formulation.model
        model.minimize(level.expression())
        model.clear_hints()  # type: ignore[no-untyped-call]
        known = model.proto.solution_hint
        known.vars.extend(hint.keys())
        known.values.extend(hint.values())
        self._solver = cp_model.CpSolver()
        parameters = self._solver.parameters
        parameters.num_workers = 1
        parameters.random_seed = seed
        parameters.linearization_level = 2
        parameters.cp_model_presolve = presolve
        if seconds < math.inf:
            parameters.max_time_in_seconds = max(0.0, seconds)

    def stop(self) -> None:
        """A stop sent before the search has begun is lost, so it is sent until it is heard."""
        super().stop()
        self._solver.stop_search()

    def _work(self) -> None:
        solver = self._solver
        status = solver.solve(self.formulation.model, _Listener(self._better))
        if status == cp_model.UNKNOWN:
            return
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            raise RuntimeError(f"the roster model is {solver.status_name(status)}")
        self._better(solver, solver.objective_value, solver.best_objective_bound)
        if status == cp_model.OPTIMAL:
            self._proved()

    def _better(self, source: _Valued, value: float, bound: float) -> None:
        # Both are integers that come as doubles.
        pairs = tuple(pair for pair, x in self.formulation.x.items() if source.boolean_value(x))
        self._found(pairs, round(value))
        if math.isfinite(bound):
            self._bounded(round(bound))


class _Valued(Protocol):
    def boolean_value(self, literal: Any) -> bool: ...


class _Listener(cp_model.CpSolverSolutionCallback):
    def __init__(self, better: Callable[[_Valued, float, float], None]) -> None:
        super().__init__()
        self._tell = better

    def on_solution_callback(self) -> None:
        self._tell(self, self.objective_value, self.best_objective_bound)
