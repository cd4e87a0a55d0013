"""The hard rules, one pure function each, and what they say of a roster.

Each rule takes a problem and a roster and yields a `Breach` for every place where an
assignment that is not fixed breaks it. What fixed pairs break between themselves is no breach
of the roster: `conflicts` reports it. The formulation for the solver has one method per
function here, of the same name.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from scheduler.engine.model import Doctor, Need, Pair, Problem


@dataclass(frozen=True)
class Breach:
    """One broken rule: its name, whom and which needs it concerns, and a sentence."""

    rule: str
    doctor: str | None
    needs: tuple[str, ...]
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}"

    def to_json(self) -> dict[str, object]:
        """The object that stands under `conflicts` in a solution file."""
        return {
            "rule": self.rule,
            "doctor": self.doctor,
            "needs": list(self.needs),
            "detail": self.detail,
        }


K = TypeVar("K")
Rule = Callable[[Problem, Sequence[Pair]], Iterator[Breach]]


def fixed_kept(problem: Problem, pairs: Sequence[Pair]) -> Iterator[Breach]:
    """Every fixed pair stands in the roster."""
    present = set(pairs)
    for need, doctor in problem.fixed:
        if (need, doctor) not in present:
            yield Breach("fixed_kept", doctor, (need,), f"{doctor} on {need} is fixed")


def one_doctor(problem: Problem, pairs: Sequence[Pair]) -> Iterator[Breach]:
    """Rule 1: a need has at most one doctor."""
    doctors: dict[str, list[str]] = defaultdict(list)
    for need, doctor in pairs:
        doctors[need].append(doctor)
    for need in problem.needs:
        if len(doctors.get(need, ())) > 1:
            who = ", ".join(doctors[need])
            yield Breach("one_doctor", None, (need,), f"{need} has several doctors: {who}")


def availability(problem: Problem, pairs: Sequence[Pair]) -> Iterator[Breach]:
    """Rule 2: role and practice fit, and availabilities cover every half-day of the need."""
    for need, doctor in pairs:
        if (need, doctor) in problem.fixed_pairs:
            continue
        if not problem.fits(need, doctor):
            detail = f"role or practice of {doctor} does not fit {need}"
            yield Breach("availability", doctor, (need,), detail)
        elif problem.rank(need, doctor) is None:
            yield Breach("availability", doctor, (need,), f"{doctor} is not available for {need}")


def one_place(problem: Problem, pairs: Sequence[Pair]) -> Iterator[Breach]:
    """Rule 3: one assignment per doctor and half-day, one practice per doctor and date."""
    for doctor, needs in _by_doctor(problem, pairs):
        by_date = _group(needs, lambda need: need.date)
        for date, there in by_date.items():
            slots: dict[str, list[Need]] = defaultdict(list)
            for need in there:
                for half in need.halves:
                    slots[half].append(need)
            for half, clashing in slots.items():
                if len(clashing) > 1 and _movable(problem, doctor, clashing):
                    detail = f"{doctor.id} has {len(clashing)} assignments on {date} {half}"
                    yield _breach("one_place", doctor, clashing, detail)
            places = sorted({need.practice for need in there})
            if len(places) > 1 and _movable(problem, doctor, there):
                detail = f"{doctor.id} is in {len(places)} practices on {date}"
                yield _breach("one_place", doctor, there, detail)


def week_cap(problem: Problem, pairs: Sequence[Pair]) -> Iterator[Breach]:
    """Rule 4: half-days per ISO week within the doctor's limit."""
    for doctor, needs in _by_doctor(problem, pairs):
        for (year, week), group in _group(needs, lambda need: need.week).items():
            if _over(problem, doctor, group, doctor.week_cap):
                detail = f"{doctor.id} works {_days(group)} days in week {year}-W{week:02d}"
                yield _breach(
                    "week_cap", doctor, group, f"{detail}, limit {_half(doctor.week_cap)}"
                )


def month_cap(problem: Problem, pairs: Sequence[Pair]) -> Iterator[Breach]:
    """Rule 4: half-days per calendar month within the doctor's limit."""
    for doctor, needs in _by_doctor(problem, pairs):
        for (year, month), group in _group(needs, lambda need: need.month).items():
            if _over(problem, doctor, group, doctor.month_cap):
                detail = f"{doctor.id} works {_days(group)} days in {year}-{month:02d}"
                yield _breach(
                    "month_cap", doctor, group, f"{detail}, limit {_half(doctor.month_cap)}"
                )


def total_cap(problem: Problem, pairs: Sequence[Pair]) -> Iterator[Breach]:
    """Rule 4: half-days over the horizon within the doctor's limit."""
    for doctor, needs in _by_doctor(problem, pairs):
        if _over(problem, doctor, needs, doctor.total_cap):
            detail = f"{doctor.id} works {_days(needs)} days, limit {_half(doctor.total_cap)}"
            yield _breach("total_cap", doctor, needs, detail)


def consecutive(problem: Problem, pairs: Sequence[Pair]) -> Iterator[Breach]:
    """Rule 5: no run of more than `max_consecutive_days` dates with work."""
    for doctor, needs in _by_doctor(problem, pairs):
        limit = doctor.max_consecutive_days
        if limit is None:
            continue
        for first, last in runs({need.day for need in needs}):
            inside = [need for need in needs if first <= need.day <= last]
            if last - first + 1 > limit and _movable(problem, doctor, inside):
                since = dt.date.fromordinal(first)
                detail = f"{doctor.id} works {last - first + 1} days in a row from {since}"
                yield _breach("consecutive", doctor, inside, f"{detail}, limit {limit}")


RULES: tuple[Rule, ...] = (
    fixed_kept,
    one_doctor,
    availability,
    one_place,
    week_cap,
    month_cap,
    total_cap,
    consecutive,
)


def broken_rules(problem: Problem, pairs: Iterable[Pair]) -> list[Breach]:
    """Every breach of the roster; an empty list means that it may be shown."""
    roster = list(pairs)
    return [breach for rule in RULES for breach in rule(problem, roster)]


def conflicts(problem: Problem) -> list[Breach]:
    """What the fixed pairs break between themselves (rules 3 to 5).

    Rules 1 and 2 cannot be broken: a need is fixed once at most, and a fixed pair needs no
    availability.
    """
    movable = replace(problem, fixed=())
    rules: tuple[Rule, ...] = (one_place, week_cap, month_cap, total_cap, consecutive)
    return [breach for rule in rules for breach in rule(movable, problem.fixed)]


def runs(days: Iterable[int]) -> list[tuple[int, int]]:
    """Maximal runs of neighbouring ordinals, as (first, last), ascending."""
    found: list[tuple[int, int]] = []
    for day in sorted(set(days)):
        if found and found[-1][1] == day - 1:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _by_doctor(problem: Problem, pairs: Sequence[Pair]) -> Iterator[tuple[Doctor, list[Need]]]:
    """Each doctor's needs, doctors in the order of the file, needs by date."""
    needs: dict[str, list[Need]] = defaultdict(list)
    for need_id, holder in pairs:
        needs[holder].append(problem.needs[need_id])
    for doctor_id, doctor in problem.doctors.items():
        if doctor_id in needs:
            yield doctor, sorted(needs[doctor_id], key=lambda need: (need.day, need.id))


def _group(needs: Iterable[Need], key: Callable[[Need], K]) -> dict[K, list[Need]]:
    groups: dict[K, list[Need]] = defaultdict(list)
    for need in needs:
        groups[key(need)].append(need)
    return groups


def _movable(problem: Problem, doctor: Doctor, needs: Iterable[Need]) -> bool:
    """Whether the engine put the doctor on one of these needs, so that the breach is its own."""
    return any((need.id, doctor.id) not in problem.fixed_pairs for need in needs)


def _over(problem: Problem, doctor: Doctor, needs: list[Need], cap: int | None) -> bool:
    used = sum(need.size for need in needs)
    return cap is not None and used > cap and _movable(problem, doctor, needs)


def _breach(rule: str, doctor: Doctor, needs: Iterable[Need], detail: str) -> Breach:
    return Breach(rule, doctor.id, tuple(need.id for need in needs), detail)


def _half(halves: int | None) -> str:
    return "none" if halves is None else f"{halves / 2:g}"


def _days(needs: Iterable[Need]) -> str:
    return _half(sum(need.size for need in needs))
