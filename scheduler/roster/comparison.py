"""What a roster achieves, in numbers that two rosters can be compared by. Pure."""

from __future__ import annotations

import datetime as dt
import enum
from collections import defaultdict
from dataclasses import dataclass
from statistics import pstdev
from typing import Any, Final

from scheduler.engine import evaluate, parse_problem
from scheduler.engine.model import LAST_RESORT
from scheduler.roster.scenario_rules import Frame

# Halves of days that differ by less are the same to whoever reads one decimal.
_SAME: Final = 0.05


class Verdict(enum.StrEnum):
    """How a number stands to the same number of the proposal as it is."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    # Another number, which is neither good nor bad by itself.
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Measures:
    """What a roster achieves in a frame.

    `needs` and `filled` count needs; `uncovered` is level 2 of the objective, in weighted
    half-days; `short_weeks` the weeks below the practice's minimum. `last_resort` and `titular`
    are days (half a day is 0.5) that the engine gave: the first to doctors who called the day a
    last resort, the second to titular doctors. `spread` is the difference between the doctors
    with the most and the fewest days, credit from before included, `deviation` the standard
    deviation of the same; `quality` is level 5. `filled_on` tells dates and periods of the
    needs that are filled, once for each of them.
    """

    needs: int
    filled: int
    uncovered: float
    short_weeks: int
    last_resort: float
    titular: float
    spread: float
    deviation: float
    quality: float
    proved: bool
    filled_on: tuple[tuple[dt.date, str], ...]


Field = str
# Fields in the order of a comparison, and whether less is better; None where neither is.
FIELDS: Final[dict[Field, bool | None]] = {
    "filled": False,
    "uncovered": True,
    "short_weeks": True,
    "last_resort": True,
    "titular": True,
    "spread": True,
    "deviation": True,
    "quality": None,
}


def measure(problem: dict[str, Any], solution: dict[str, Any], frame: Frame) -> Measures:
    """What a solution achieves of a problem; both are files of the roster format."""
    parsed = parse_problem(problem)
    planned = {
        need["id"]: parsed.needs[need["id"]] for need in problem["needs"] if frame.holds(need)
    }
    pairs = [(pair["need"], pair["doctor"]) for pair in solution["assignments"]]
    filled = [planned[need] for need, _doctor in pairs if need in planned]
    last_resort = titular = 0
    load: defaultdict[str, int] = defaultdict(int)
    for need, doctor in pairs:
        size = parsed.needs[need].size
        load[doctor] += size
        if need not in planned or (need, doctor) in parsed.fixed_pairs:
            continue
        if parsed.doctors[doctor].role == "titular":
            titular += size
        elif parsed.rank(need, doctor) == LAST_RESORT:
            last_resort += size
    shares = [parsed.doctors[doctor].credit + load[doctor] for doctor in parsed.in_fairness]
    minimum = parsed.practices[frame.practice].weekly_minimum
    short_weeks = 0
    for (practice, week), needs in parsed.needs_by_week.items():
        if practice == frame.practice:
            present = {need.date for need in filled if need.week == week}
            present |= {need.date for need in needs if need.id in parsed.fixed_doctor}
            wanted = min(minimum, len({need.date for need in needs}))
            short_weeks += len(present) < wanted
    objective = evaluate(parsed, pairs)
    return Measures(
        needs=len(planned),
        filled=len(filled),
        uncovered=objective.uncovered,
        short_weeks=short_weeks,
        last_resort=last_resort / 2,
        titular=titular / 2,
        spread=(max(shares) - min(shares)) / 2 if shares else 0.0,
        deviation=pstdev(shares) / 2 if shares else 0.0,
        quality=objective.quality,
        proved=solution["status"] == "optimal",
        filled_on=tuple(sorted((need.date, need.period) for need in filled)),
    )


def verdict(field: Field, value: float, base: float) -> Verdict:
    """How a value of a field stands to the proposal's own."""
    if abs(value - base) < _SAME:
        return Verdict.SAME
    less_is_better = FIELDS[field]
    if less_is_better is None:
        return Verdict.OTHER
    return Verdict.BETTER if (value < base) == less_is_better else Verdict.WORSE
