"""What the engine is measured against; none of them uses its formulation.

(a) `agenda`: first come, first served; (b) `weighted`: plain CP-SAT; (c) `levels`: the levels as
MIPs on HiGHS. Each returns a `Run`.
"""

from benchmarks.baselines.agenda import agenda
from benchmarks.baselines.levels import levels
from benchmarks.baselines.run import Run
from benchmarks.baselines.weighted import weighted

__all__ = ["Run", "agenda", "levels", "weighted"]
