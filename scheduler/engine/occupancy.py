"""Who works where and how much: the hard rules for one more assignment, incrementally.

The rules are those of `scheduler.engine.rules`; here each is answered in about constant time,
for the greedy start, the explanations and the candidates.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from scheduler.engine.model import Need, Pair, Problem

ELSEWHERE, WEEKLY, MONTHLY, TOTAL, CONSECUTIVE = (
    "elsewhere",
    "weekly_cap",
    "monthly_cap",
    "total_cap",
    "consecutive",
)


class Occupancy:
    """A roster that assignments can be added to and taken from.

    It accepts any pair: `obstacles` tells beforehand whether one breaks a rule.
    """

    def __init__(self, problem: Problem, pairs: Iterable[Pair] = ()) -> None:
        self.problem = problem
        self.doctor_of: dict[str, str] = {}
        self._dates: dict[tuple[str, int], list[Need]] = defaultdict(list)
        self._used: Counter[tuple[str, object]] = Counter()
        for need, doctor in pairs:
            self.add(need, doctor)

    def add(self, need_id: str, doctor_id: str) -> None:
        """Put the doctor on the need."""
        need = self.problem.needs[need_id]
        self.doctor_of[need_id] = doctor_id
        self._dates[doctor_id, need.day].append(need)
        for span in (("week", need.week), ("month", need.month), "total"):
            self._used[doctor_id, span] += need.size

    def remove(self, need_id: str) -> str:
        """Leave the need without a doctor; returns who had it. Raises `KeyError` for nobody."""
        need = self.problem.needs[need_id]
        doctor_id = self.doctor_of.pop(need_id)
        there = self._dates[doctor_id, need.day]
        there.remove(need)
        if not there:
            del self._dates[doctor_id, need.day]
        for span in (("week", need.week), ("month", need.month), "total"):
            self._used[doctor_id, span] -= need.size
        return doctor_id

    def pairs(self) -> list[Pair]:
        """The roster, needs in the order of the file."""
        return [
            (need, self.doctor_of[need]) for need in self.problem.needs if need in self.doctor_of
        ]

    def at(self, doctor_id: str, day: int) -> list[Need]:
        """Needs of the doctor on one date (a proleptic ordinal)."""
        return self._dates.get((doctor_id, day), [])

    def load(self, doctor_id: str) -> int:
        """Half-days assigned over the horizon."""
        return self._used[doctor_id, "total"]

    def in_week(self, doctor_id: str, need: Need) -> int:
        """Half-days assigned in the need's ISO week."""
        return self._used[doctor_id, ("week", need.week)]

    def in_month(self, doctor_id: str, need: Need) -> int:
        """Half-days assigned in the need's calendar month."""
        return self._used[doctor_id, ("month", need.month)]

    def run_with(self, doctor_id: str, day: int) -> int:
        """Length of the run of worked dates that `day` is, or would be, part of."""
        first = last = day
        while (doctor_id, first - 1) in self._dates:
            first -= 1
        while (doctor_id, last + 1) in self._dates:
            last += 1
        return last - first + 1

    def obstacles(self, need_id: str, doctor_id: str) -> list[str]:
        """Codes of the rules 3 to 5 that adding this pair would break, in the format's order.

        Role, practice and availability are not looked at.
        """
        need, doctor = self.problem.needs[need_id], self.problem.doctors[doctor_id]
        found = []
        if any(clash(need, other) for other in self.at(doctor_id, need.day)):
            found.append(ELSEWHERE)
        if _full(self.in_week(doctor_id, need), need.size, doctor.week_cap):
            found.append(WEEKLY)
        if _full(self.in_month(doctor_id, need), need.size, doctor.month_cap):
            found.append(MONTHLY)
        if _full(self.load(doctor_id), need.size, doctor.total_cap):
            found.append(TOTAL)
        limit = doctor.max_consecutive_days
        if limit is not None and self.run_with(doctor_id, need.day) > limit:
            found.append(CONSECUTIVE)
        return found


def clash(one: Need, other: Need) -> bool:
    """Whether no doctor can take both: another practice on the date, or a common half-day."""
    return one.day == other.day and (
        one.practice != other.practice or not set(one.halves).isdisjoint(other.halves)
    )


def _full(used: int, more: int, cap: int | None) -> bool:
    return cap is not None and used + more > cap
