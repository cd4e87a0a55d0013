"""Level 5 as a linear expression: exact terms, with as few variables as they need."""

from __future__ import annotations

from functools import partial

from scheduler.engine.model import POSSIBLE, Need
from scheduler.engine.variables import (
    Linear,
    Values,
    Variable,
    Variables,
    added,
    groups,
    most_by_date,
    total,
)


def quality(variables: Variables) -> Linear:
    """fairness * F + preference * P + alone * A + mix * M - affinity * V, up to a constant."""
    level = Linear()
    preference_and_affinity(variables, level)
    fairness(variables, level)
    alone(variables, level)
    mix(variables, level)
    return level


def preference_and_affinity(variables: Variables, level: Linear) -> None:
    """P and V: coefficients of x."""
    problem = variables.problem
    for (need, doctor), x in variables.x.items():
        cost = -problem.weights.affinity * problem.affinity.get((need, doctor), 0)
        if variables.offers[need][doctor] == POSSIBLE:
            cost += problem.weights.preference * problem.needs[need].size
        if cost:
            level.add(x, cost)


def fairness(variables: Variables, level: Linear) -> None:
    """F: (base + load)^2 - base^2 as steps; the j-th half-day costs 2 * (base + j) - 1.

    The costs rise, so a minimum takes the steps in order and no constraint has to say so.
    Where all needs of a doctor are whole days one step is one day.
    """
    problem, weight = variables.problem, variables.problem.weights.fairness
    concerned = set(problem.in_fairness) if weight else set()
    for doctor_id, needs in variables.needs_of_doctors():
        if doctor_id not in concerned:
            continue
        base = problem.doctors[doctor_id].credit + variables.fixed.load(doctor_id)
        size = 2 if all(need.size == 2 for need in needs) else 1
        taken = [(variables.x[need.id, doctor_id], need.size // size) for need in needs]
        most = _most(variables, doctor_id, needs) // size
        steps = variables.steps(most, partial(_taken, taken))
        for j, step in enumerate(steps, start=1):
            level.add(step, weight * size * (2 * base + size * (2 * j - 1)))
        used = added([x for x, _ in taken], [c for _, c in taken])
        variables.model.add(used == added(steps))


def alone(variables: Variables, level: Linear) -> None:
    """A: a >= c[i] - sum of the other c[j], where c[n] is the sum over d of x[n, d].

    One a per half-day with needs in several rooms; n, i and j run over its needs.
    """
    problem, weight = variables.problem, variables.problem.weights.alone
    for needs in problem.shared_slots.values() if weight else ():
        fixed = {problem.fixed_doctor.get(need.id) for need in needs} - {None}
        takers = [x for need in needs if (x := variables.takers(need.id))]
        if len(fixed) > 1 or not takers:
            continue
        everyone = [x for some in takers for x in some]
        single = variables.derive(1, partial(_exactly, 1 - len(fixed), everyone))
        level.add(single, weight)
        if fixed:
            variables.model.add(single + added(everyone) >= 1)
            continue
        for some in takers:
            rest = [x for other in takers if other is not some for x in other]
            variables.model.add(single + added(rest) >= added(some))


def mix(variables: Variables, level: Linear) -> None:
    """M: m >= one[g] + two - 1 - sum of x of the other gender, for each gender g seen alone.

    one[g] >= x of gender g; (needs - 1) * two >= assignments - 1.
    """
    problem, weight = variables.problem, variables.problem.weights.mix
    for key, needs in problem.needs_by_week.items() if weight else ():
        held = [problem.fixed_doctor[n.id] for n in needs if n.id in problem.fixed_doctor]
        seen = {problem.doctors[d].gender for d in held} - {None}
        by_gender: dict[str | None, list[Variable]] = {"F": [], "M": [], None: []}
        for need in needs:
            for doctor_id, x in variables.by_doctor(need.id):
                by_gender[problem.doctors[doctor_id].gender].append(x)
        everyone = [x for some in by_gender.values() for x in some]
        if not everyone or len(needs) < 2:
            continue
        two: Variable | int | None = 1 if len(held) >= 2 else None
        for gender, other in (("F", "M"), ("M", "F")):
            mine, rest = by_gender[gender], by_gender[other]
            if other in seen or other not in problem.offered_genders[key]:
                continue
            if gender not in seen and not mine:
                continue
            if two is None:
                two = variables.derive(1, partial(_at_least, 2 - len(held), everyone))
                variables.model.add(added(everyone) + len(held) - 1 <= (len(needs) - 1) * two)
            one = 1 if gender in seen else variables.one(mine)
            single = variables.derive(
                1, partial(_only, gender in seen, 2 - len(held), mine, rest, everyone)
            )
            variables.model.add(single + added(rest) >= one + two - 1)
            level.add(single, weight)


def _most(variables: Variables, doctor_id: str, needs: list[Need]) -> int:
    """An upper bound of the half-days that the doctor can be given."""
    doctor, fixed = variables.problem.doctors[doctor_id], variables.fixed
    most = [most_by_date(needs)]
    if doctor.total_cap is not None:
        most.append(doctor.total_cap - fixed.load(doctor_id))
    if (cap := doctor.week_cap) is not None:
        weeks = groups(needs, lambda need: need.week)
        most.append(sum(min(most_by_date(g), cap - fixed.in_week(doctor_id, g[0])) for g in weeks))
    if (cap := doctor.month_cap) is not None:
        months = groups(needs, lambda need: need.month)
        most.append(
            sum(min(most_by_date(g), cap - fixed.in_month(doctor_id, g[0])) for g in months)
        )
    return min(most)


def _taken(taken: list[tuple[Variable, int]], values: Values) -> int:
    return sum(c for x, c in taken if values[x.index])


def _exactly(count: int, some: list[Variable], values: Values) -> int:
    return int(total(some, values) == count)


def _at_least(count: int, some: list[Variable], values: Values) -> int:
    return int(total(some, values) >= count)


def _only(
    seen: bool,
    count: int,
    mine: list[Variable],
    rest: list[Variable],
    everyone: list[Variable],
    values: Values,
) -> int:
    """Whether enough are assigned, some of one gender and none of the other."""
    some = seen or total(mine, values) > 0
    return int(some and total(everyone, values) >= count and not total(rest, values))
