"""Why a need stays uncovered, and the smallest single change that would cover it."""

from __future__ import annotations

from collections.abc import Iterable

from scheduler.engine.model import LEVELS, Need, Pair, Problem
from scheduler.engine.objective import evaluate
from scheduler.engine.occupancy import CONSECUTIVE, MONTHLY, TOTAL, WEEKLY, Occupancy
from scheduler.engine.solution import Number, Reason, Suggestion, Uncovered

NO_AVAILABILITY, TRADED = "no_availability", "traded"
RAISE = {
    WEEKLY: "raise_weekly_cap",
    MONTHLY: "raise_monthly_cap",
    TOTAL: "raise_total_cap",
    CONSECUTIVE: "raise_consecutive",
}
ASK = "ask"


def explain(problem: Problem, pairs: Iterable[Pair]) -> tuple[Uncovered, ...]:
    """Reasons and suggestions for each need that the roster leaves uncovered.

    Every doctor of the practice whose role fits has one reason: the first rule that adding
    them to this roster would break, or ``traded`` where nothing forbids it. A suggestion is
    given only where it removes the one and only obstacle, so that applying it and adding the
    doctor breaks no rule and takes nobody away from another need.
    """
    roster = list(pairs)
    occupancy = Occupancy(problem, roster)
    return tuple(
        _explain_need(problem, roster, occupancy, need)
        for need in problem.needs.values()
        if need.id not in occupancy.doctor_of
    )


def _explain_need(
    problem: Problem, roster: list[Pair], occupancy: Occupancy, need: Need
) -> Uncovered:
    reasons: list[Reason] = []
    raises: list[Suggestion] = []
    asks: list[tuple[int, Suggestion]] = []
    for doctor in problem.doctors_of_practice[need.practice]:
        if doctor.role not in need.roles:
            continue
        obstacles = occupancy.obstacles(need.id, doctor.id)
        if doctor.id not in problem.offers[need.id]:
            reasons.append(Reason(doctor.id, NO_AVAILABILITY))
            if not obstacles:
                load = doctor.credit + occupancy.load(doctor.id)
                asks.append((load, Suggestion(ASK, doctor.id)))
        elif obstacles:
            reasons.append(Reason(doctor.id, obstacles[0]))
            if len(obstacles) == 1 and obstacles[0] in RAISE:
                to = _needed(occupancy, need, doctor.id, obstacles[0])
                raises.append(Suggestion(RAISE[obstacles[0]], doctor.id, to))
        else:
            reasons.append(
                Reason(doctor.id, TRADED, level=_worsened(problem, roster, need, doctor.id))
            )
    asks.sort(key=lambda item: item[0])
    return Uncovered(need.id, tuple(reasons), (*raises, *(ask for _, ask in asks)))


def _needed(occupancy: Occupancy, need: Need, doctor: str, code: str) -> Number:
    """The least limit, in days, under which the doctor may take the need too."""
    if code == CONSECUTIVE:
        return occupancy.run_with(doctor, need.day)
    used = {
        WEEKLY: occupancy.in_week(doctor, need),
        MONTHLY: occupancy.in_month(doctor, need),
        TOTAL: occupancy.load(doctor),
    }[code]
    days, half = divmod(used + need.size, 2)
    return days + 0.5 if half else days


def _worsened(problem: Problem, roster: list[Pair], need: Need, doctor: str) -> str | None:
    """The first level that gets worse when the doctor takes the need."""
    before = evaluate(problem, roster).vector()
    after = evaluate(problem, [*roster, (need.id, doctor)]).vector()
    worse = (name for name, b, a in zip(LEVELS, before, after, strict=True) if a > b)
    return next(worse, None)
