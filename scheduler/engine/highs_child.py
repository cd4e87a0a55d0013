"""The other end of `scheduler.engine.highs`: one mixed-integer program, solved by HiGHS.

This file is run by its path in a process of its own, because HiGHS and OR-Tools do not load
together, and because a process can be ended at any moment. It imports nothing of Relais.

It reads one pickled program from standard input, and writes pickled events to standard output:
``("solution", values)`` for each better one, ``("bound", number)``, and at last
``("end", proved)``. It ends with its parent: when standard input closes.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
from typing import Any, BinaryIO

import highspy
import numpy as np

BOUND_SECONDS = 0.2


def main() -> None:
    """Solve what comes in; what HiGHS itself prints must not get between the events."""
    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    program = pickle.load(sys.stdin.buffer)  # noqa: S301 - the parent's own words
    threading.Thread(target=_end_with_parent, daemon=True).start()
    highs = _load(program)
    _report(highs, events)
    start = program["start"]
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = list(start)
        highs.setSolution(solution)
    highs.run()
    info = highs.getInfo()
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        _send(events, "solution", _whole(highs.getSolution().col_value))
    _send(events, "bound", info.mip_dual_bound)
    _send(events, "end", highs.getModelStatus() == highspy.HighsModelStatus.kOptimal)


def _load(program: dict[str, Any]) -> Any:
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    model = highspy.HighsLp()
    highs.setOptionValue("output_flag", False)
    for name, value in program["options"].items():
        highs.setOptionValue(name, value)
    upper = np.frombuffer(program["upper"], dtype=np.int64).astype(float)
    model.num_col_, model.num_row_ = len(upper), program["rows"]
    model.col_cost_ = np.frombuffer(program["cost"], dtype=np.int64).astype(float)
    model.offset_ = float(program["offset"])
    model.col_lower_, model.col_upper_ = np.zeros(len(upper)), upper
    model.row_lower_ = np.frombuffer(program["row_lower"], dtype=float)
    model.row_upper_ = np.frombuffer(program["row_upper"], dtype=float)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.frombuffer(program["row_start"], dtype=np.int32)
    model.a_matrix_.index_ = np.frombuffer(program["columns"], dtype=np.int32)
    model.a_matrix_.value_ = np.frombuffer(program["coefficients"], dtype=np.int64).astype(float)
    model.integrality_ = [highspy.HighsVarType.kInteger] * len(upper)
    highs.passModel(model)
    return highs


def _report(highs: Any, events: BinaryIO) -> None:
    def solution(event: Any) -> None:
        _send(events, "solution", _whole(event.data_out.mip_solution))

    told, due = None, 0.0

    def bound(event: Any) -> None:
        # HiGHS asks many times a second whether to go on.
        nonlocal told, due
        now, value = time.monotonic(), event.data_out.mip_dual_bound
        if now >= due and value != told:
            told, due = value, now + BOUND_SECONDS
            _send(events, "bound", value)

    highs.cbMipImprovingSolution += solution
    highs.cbMipInterrupt += bound


def _whole(values: Any) -> bytes:
    return bytes(np.rint(np.asarray(values)).astype(np.int32).tobytes())


def _send(events: BinaryIO, kind: str, value: object) -> None:
    pickle.dump((kind, value), events)
    events.flush()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
