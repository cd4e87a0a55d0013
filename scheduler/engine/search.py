"""One call of CP-SAT that reports, can be stopped, and keeps a time limit."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ortools.sat.python import cp_model

from scheduler.engine.formulation import Formulation
from scheduler.engine.variables import Linear, Values

POLL_SECONDS = 0.1


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
    """What one call of the solver found: values of x and a lower bound, or None for neither."""

    values: Values | None
    bound: int | None


class _Listener(cp_model.CpSolverSolutionCallback):
    def __init__(self, news: deque[tuple[float, float]]) -> None:
        super().__init__()
        self._news = news

    def on_solution_callback(self) -> None:
        self._news.append((self.objective_value, self.best_objective_bound))


def minimise(
    formulation: Formulation,
    level: Linear,
    hint: Values,
    *,
    clock: Clock,
    seconds: float,
    workers: int,
    seed: int,
    news: Callable[[float, float], None],
) -> Found:
    """Minimise `level` over the formulation from a complete hint.

    CP-SAT runs in a thread of its own; `news` (objective, bound) and the clock's `should_stop`
    are called in the caller's thread, every tenth of a second, so neither needs to be
    thread-safe, and what they raise passes through once the solver has stopped.

    The linear relaxation of this class is nearly integral: all workers but one use its full
    strength (`max_lp`), and a single one does too.
    """
    model = formulation.model
    model.minimize(level.expression())
    model.clear_hints()  # type: ignore[no-untyped-call]
    for index, value in hint.items():
        model.add_hint(model.get_int_var_from_proto_index(index), value)
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.num_workers = workers
    parameters.random_seed = seed
    if workers == 1:
        parameters.linearization_level = 2
    else:
        parameters.subsolvers.extend(["max_lp"])
    if seconds < math.inf:
        parameters.max_time_in_seconds = max(0.0, seconds)
    events: deque[tuple[float, float]] = deque()
    listener = _Listener(events)
    failures: list[BaseException] = []
    statuses: list[cp_model.CpSolverStatus] = []

    def work() -> None:
        try:
            statuses.append(solver.solve(model, listener))
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            failures.append(error)

    thread = threading.Thread(target=work, name="roster-solver", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(POLL_SECONDS)
            while events:
                news(*events.popleft())
            if clock.over():
                break
    finally:
        # A stop sent before the search has begun is lost, so it is sent until it is heard.
        while thread.is_alive():
            solver.stop_search()
            thread.join(POLL_SECONDS / 2)
    if failures:
        raise failures[0]
    status = statuses[0]
    if status == cp_model.UNKNOWN:
        return Found(None, None)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise RuntimeError(f"the roster model is {solver.status_name(status)}")
    if status == cp_model.OPTIMAL:
        bound = round(solver.objective_value)
    else:
        # The solver gives a double: rounding it up is allowed only where it is surely above.
        slack = 1e-6 * max(1.0, abs(solver.best_objective_bound))
        bound = math.ceil(solver.best_objective_bound - slack)
    values = {index: solver.value(variable) for index, variable in formulation.indexed()}
    return Found(values, bound)
