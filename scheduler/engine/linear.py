"""The integer program of a formulation as sparse rows, for a solver that is not CP-SAT."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from typing import Any

from ortools.sat.python import cp_model

OPEN = 2**62
"""CP-SAT writes an open side of a range as a number at least this far from zero."""


@dataclass
class Rows:
    """lower <= A v <= upper, row by row; `starts` has one entry more than there are rows."""

    lower: array[float] = field(default_factory=lambda: array("d"))
    upper: array[float] = field(default_factory=lambda: array("d"))
    starts: array[int] = field(default_factory=lambda: array("i", [0]))
    columns: array[int] = field(default_factory=lambda: array("i"))
    coefficients: array[int] = field(default_factory=lambda: array("q"))

    def add(self, lower: float, upper: float, terms: dict[int, int]) -> None:
        """Add a row; `terms` maps columns to coefficients."""
        self.lower.append(lower)
        self.upper.append(upper)
        self.columns.extend(terms)
        self.coefficients.extend(terms.values())
        self.starts.append(len(self.columns))


def rows(model: cp_model.CpModel) -> Rows:
    """The constraints of the model as rows.

    Raises `ValueError` for a kind of constraint that formulations do not use.
    """
    found = Rows()
    for constraint in model.proto.constraints:
        if constraint.has_at_most_one():
            found.add(-math.inf, 1, dict.fromkeys(constraint.at_most_one.literals, 1))
        elif constraint.has_linear():
            linear = constraint.linear
            low, high = _ends(linear.domain)
            terms = dict(zip(linear.vars, linear.coeffs, strict=True))
            found.add(low, high, terms)
        elif constraint.has_bool_and():
            (cause,) = constraint.enforcement_literal
            for effect in constraint.bool_and.literals:
                found.add(0, math.inf, {effect: 1, cause: -1})
        else:
            raise ValueError(f"no row for {constraint}")
    return found


def upper_bounds(model: cp_model.CpModel) -> array[int]:
    """The largest value of every variable; the smallest is 0."""
    return array("q", [int(_ends(variable.domain)[1]) for variable in model.proto.variables])


def _ends(domain: Any) -> tuple[float, float]:
    ends = list(domain)
    low, high = ends[0], ends[-1]
    return (low if low > -OPEN else -math.inf, high if high < OPEN else math.inf)
