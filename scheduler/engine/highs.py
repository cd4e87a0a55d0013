"""A formulation solved by HiGHS, in a process of its own.

HiGHS is the stronger one on large parts, where the linear relaxation and its cuts do the work;
CP-SAT on small ones. It computes in floating point: where it says that a roster is optimal, its
branch and bound is closed up to a tolerance of 1e-6, while CP-SAT reasons in integers.
"""

from __future__ import annotations

import contextlib
import math
import pickle
import subprocess
import sys
import threading
from array import array
from pathlib import Path
from typing import Any

from scheduler.engine.formulation import Formulation
from scheduler.engine.linear import rows, upper_bounds
from scheduler.engine.search import Search
from scheduler.engine.variables import Linear, Values

CHILD = Path(__file__).with_name("highs_child.py")
SLACK, RELATIVE_SLACK = 0.05, 1e-8
"""How far a bound in floating point may be wrong: it is rounded up only beyond that."""


class HighsSearch(Search):
    """Minimise a level with HiGHS; ending it ends its process at once."""

    def __init__(
        self, formulation: Formulation, level: Linear, hint: Values | None, seed: int
    ) -> None:
        super().__init__(formulation, level)
        self._program = self._written(level, hint, seed)
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = threading.Lock()

    def _written(self, level: Linear, hint: Values | None, seed: int) -> dict[str, Any]:
        model = self.formulation.model
        written = rows(model)
        upper = upper_bounds(model)
        cost = array("q", bytes(8 * len(upper)))
        for variable, coefficient in level.terms:
            cost[variable.index] += coefficient
        start = None
        if hint is not None:
            start = [float(hint[index]) for index in range(len(upper))]
        return {
            "upper": upper.tobytes(),
            "cost": cost.tobytes(),
            "offset": level.constant,
            "rows": len(written.lower),
            "row_lower": written.lower.tobytes(),
            "row_upper": written.upper.tobytes(),
            "row_start": written.starts.tobytes(),
            "columns": written.columns.tobytes(),
            "coefficients": written.coefficients.tobytes(),
            "start": start,
            # All costs are integers: a gap below one proves the optimum.
            "options": {
                "mip_rel_gap": 0.0,
                "mip_abs_gap": 0.5,
                "random_seed": seed % 2**31,
                "threads": 1,
            },
        }

    def stop(self) -> None:
        """End the process; nothing more comes from it."""
        super().stop()
        with self._ended:
            if self._process is not None:
                self._process.kill()

    def _work(self) -> None:
        with self._ended:
            if self.stopped:
                return
            self._process = subprocess.Popen(  # noqa: S603 - a file of this package
                [sys.executable, "-I", str(CHILD)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        try:
            self._talk(self._process)
        finally:
            self._process.kill()
            # Of a program that was not read to its end, something may be left to write.
            with contextlib.suppress(OSError):
                self._process.communicate()

    def _talk(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the solver's process has no pipes")
        try:
            pickle.dump(self._program, process.stdin)
            process.stdin.flush()
            while self._read(*pickle.load(process.stdout)):  # noqa: S301 - its own child's
                pass
        except (OSError, EOFError, pickle.UnpicklingError):
            # Only a process that was ended from here may break off in the middle.
            if not self.stopped:
                raise RuntimeError("the solver's process ended by itself") from None

    def _read(self, kind: str, value: Any) -> bool:
        """Take in one event; False after the last."""
        if kind == "solution":
            values = array("i", value)
            chosen = (pair for pair, x in self.formulation.x.items() if values[x.index])
            self._found(tuple(chosen), self.level.of(values))
        elif kind == "bound" and math.isfinite(value):
            self._bounded(math.ceil(value - SLACK - RELATIVE_SLACK * abs(value)))
        elif kind == "end" and value:
            self._proved()
        return kind != "end"
