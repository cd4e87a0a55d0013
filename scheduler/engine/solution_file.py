"""Reading a solution file back, and judging it with the engine's own rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scheduler.core.errors import Malformed
from scheduler.engine.fields import Fields, as_text, reference, show
from scheduler.engine.model import LEVELS, SOLUTION_FORMAT, Pair, Problem
from scheduler.engine.objective import Objective, evaluate
from scheduler.engine.rules import broken_rules, conflicts
from scheduler.engine.solution import Number

STATUSES = ("optimal", "feasible", "infeasible_input")
ORIGINS = ("fixed", "solver")
REASONS = (
    "no_availability",
    "elsewhere",
    "weekly_cap",
    "monthly_cap",
    "total_cap",
    "consecutive",
    "traded",
)
SUGGESTIONS = (
    "raise_weekly_cap",
    "raise_monthly_cap",
    "raise_total_cap",
    "raise_consecutive",
    "ask",
)


@dataclass(frozen=True)
class Written:
    """What a solution file says; `origins` runs beside `pairs`."""

    status: str
    pairs: tuple[Pair, ...]
    origins: tuple[str, ...]
    uncovered: tuple[str, ...]
    objective: Mapping[str, Number]
    bound: Mapping[str, Number]
    conflicts: int


def parse_solution(raw: object, problem: Problem) -> Written:
    """Validate the shape and the references of a decoded solution; raises `Malformed`."""
    top = Fields(
        raw,
        "solution",
        "format status assignments uncovered objective bound conflicts seconds",
        root=True,
    )
    written = top.get("format")
    if written != SOLUTION_FORMAT:
        raise Malformed("format", f"expected {SOLUTION_FORMAT}, got {show(written)}")
    status = top.choice("status", STATUSES, "status")
    pairs, origins = [], []
    for fields in top.objects("assignments", "need doctor origin"):
        pairs.append((_need(fields, problem), _doctor(fields, problem)))
        origins.append(fields.choice("origin", ORIGINS, "origin"))
    uncovered = []
    for fields in top.objects("uncovered", "need reasons suggestions"):
        uncovered.append(_need(fields, problem))
        for reason in fields.objects("reasons", "doctor code instead level"):
            _reason(reason, problem)
        for suggestion in fields.objects("suggestions", "code doctor to"):
            _doctor(suggestion, problem)
            code = suggestion.choice("code", SUGGESTIONS, "suggestion")
            if code != "ask":
                suggestion.number("to")
            elif "to" in suggestion.value:
                raise Malformed(suggestion.at("to"), "belongs to a limit, not to ask")
    objective, bound = _vector(top, "objective"), _vector(top, "bound")
    found = top.list("conflicts")
    for i, conflict in enumerate(found):
        if not isinstance(conflict, dict | str):
            raise Malformed(f"conflicts[{i}]", f"not an object or a string: {show(conflict)}")
    top.number("seconds")
    return Written(
        status, tuple(pairs), tuple(origins), tuple(uncovered), objective, bound, len(found)
    )


def judge(problem: Problem, written: Written) -> tuple[list[str], Objective]:
    """What is wrong with a roster, as sentences, and its recomputed objective."""
    pairs = list(written.pairs)
    broken = [str(breach) for breach in broken_rules(problem, pairs)]
    for i, (pair, origin) in enumerate(zip(pairs, written.origins, strict=True)):
        if (origin == "fixed") != (pair in problem.fixed_pairs):
            broken.append(f"assignments[{i}].origin is {origin}, the problem says otherwise")
    objective = evaluate(problem, pairs)
    computed = objective.to_json()
    if written.objective != computed:
        broken.append(f"objective reported {dict(written.objective)}, recomputed {computed}")
    covered = {need for need, _ in pairs}
    missing = [need for need in problem.needs if need not in covered]
    if sorted(written.uncovered) != sorted(missing):
        wrong = sorted(set(written.uncovered) ^ set(missing)) or ["one stands twice"]
        broken.append(f"uncovered needs listed wrongly: {wrong[:5]}")
    proved = True
    for level in LEVELS:
        if proved and written.bound[level] > computed[level]:
            broken.append(
                f"bound of {level} is {written.bound[level]}, above the value {computed[level]}"
            )
        proved = proved and written.bound[level] == computed[level]
    if written.status == "optimal" and not proved:
        broken.append("status is optimal but a bound is open")
    if bool(written.conflicts) != bool(conflicts(problem)):
        broken.append("conflicts between fixed pairs are reported wrongly")
    return broken, objective


def _need(fields: Fields, problem: Problem) -> str:
    return reference(fields.get("need"), problem.needs, fields.at("need"), "need")


def _doctor(fields: Fields, problem: Problem) -> str:
    return reference(fields.get("doctor"), problem.doctors, fields.at("doctor"), "doctor")


def _reason(fields: Fields, problem: Problem) -> None:
    _doctor(fields, problem)
    code = fields.choice("code", REASONS, "reason")
    for key in ("instead", "level"):
        if key in fields.value and code != "traded":
            raise Malformed(fields.at(key), "belongs to traded")
    if "instead" in fields.value:
        for i, need in enumerate(fields.list("instead")):
            path = f"{fields.at('instead')}[{i}]"
            reference(as_text(need, path), problem.needs, path, "need")
    if "level" in fields.value:
        fields.choice("level", LEVELS, "level")


def _vector(top: Fields, key: str) -> dict[str, Number]:
    fields = Fields(top.get(key), key, " ".join(LEVELS))
    vector: dict[str, Number] = {}
    for level in LEVELS:
        value = fields.get(level)
        finite = isinstance(value, int | float) and abs(value) <= 2**63
        if isinstance(value, bool) or not isinstance(value, int | float) or not finite:
            raise Malformed(fields.at(level), f"not a number: {show(value)}")
        vector[level] = value
    return vector
