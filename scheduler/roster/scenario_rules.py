"""What a scenario changes: one thing, as a pure function of a roster problem.

A problem is a file of the roster format, as `scheduler.roster.problem` builds it. None of these
functions changes the one that it is given.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from scheduler.core.errors import InvalidInput
from scheduler.core.permissions import Role
from scheduler.roster.problem import doctor_key
from scheduler.roster.rules import DEFAULT_NEED_ROLES, Period, Preference, days_between

FURTHER_ROOM: Final = "further-room"
# No user has this number, so no doctor of a practice has this key.
NEWCOMER: Final = doctor_key(0)
NOT_IN_FAIRNESS: Final = frozenset({Role.TITULAR, Role.INTERN})
LONGEST_WEEK: Final = 7.0

Problem = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """What of a problem is planned: the needs of one practice on some days, both included."""

    practice: str
    start: dt.date
    end: dt.date

    def holds(self, need: dict[str, Any]) -> bool:
        """Whether a need of the problem is planned, or only stands around."""
        day = dt.date.fromisoformat(need["date"])
        return need["practice"] == self.practice and self.start <= day <= self.end


@dataclass(frozen=True, slots=True)
class FurtherRoom:
    """One room more on a day of the week (Monday is 0)."""

    weekday: int
    period: Period

    def to_json(self) -> dict[str, Any]:
        return {"kind": "room", "weekday": self.weekday, "period": self.period.value}


@dataclass(frozen=True, slots=True)
class OneMoreDoctor:
    """One replacement more, who wants to come on some days of the week, up to a limit."""

    weekdays: tuple[int, ...]
    max_days_per_week: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "doctor",
            "weekdays": list(self.weekdays),
            "max_days_per_week": self.max_days_per_week,
        }


@dataclass(frozen=True, slots=True)
class NoWeeklyCap:
    """No limit of days a week, for one doctor or, where `doctor_id` is None, for all."""

    doctor_id: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {"kind": "no_weekly_cap", "doctor_id": self.doctor_id}


Change = FurtherRoom | OneMoreDoctor | NoWeeklyCap


def from_json(written: dict[str, Any]) -> Change:
    """The change that `to_json` wrote."""
    match written["kind"]:
        case "room":
            return FurtherRoom(written["weekday"], Period(written["period"]))
        case "doctor":
            return OneMoreDoctor(tuple(written["weekdays"]), written["max_days_per_week"])
        case "no_weekly_cap":
            return NoWeeklyCap(written["doctor_id"])
    raise ValueError(written["kind"])


def changed(problem: Problem, change: Change, frame: Frame) -> Problem:
    """The problem with the one thing changed.

    Raises `InvalidInput`, naming the field, for a change that cannot be or that changes nothing.
    """
    match change:
        case FurtherRoom():
            return _with_room(problem, change, frame)
        case OneMoreDoctor():
            return _with_doctor(problem, change, frame)
        case NoWeeklyCap():
            return _without_cap(problem, change)


def capped_doctors(problem: Problem) -> list[str]:
    """The keys of the doctors who have a limit of days a week, in the order of the file."""
    return [row["id"] for row in problem["doctors"] if row["max_days_per_week"] is not None]


def _with_room(problem: Problem, change: FurtherRoom, frame: Frame) -> Problem:
    """The days are those on which the practice has a need; where it has none on that day of the
    week at all, every one of them: a practice that opens on a further day."""
    if change.weekday not in range(7):
        raise InvalidInput("scenario_weekday", field="weekday")
    here = [need for need in problem["needs"] if frame.holds(need)]
    days = [day for day in _days(frame) if day.weekday() == change.weekday]
    worked = {need["date"] for need in here}
    open_days = [day for day in days if day.isoformat() in worked] or days
    if not open_days:
        raise InvalidInput("scenario_no_such_day", field="weekday")
    dates = {day.isoformat() for day in open_days}
    room, practices = _free_room(problem, change.period, frame, dates)
    # As urgent as the least urgent need of its day: what stands there is not worth less for it.
    urgent = {
        date: max((need["priority"] for need in here if need["date"] == date), default=1)
        for date in dates
    }
    more = [
        {
            "id": f"s{number}",
            "practice": frame.practice,
            "room": room,
            "date": day.isoformat(),
            "period": change.period.value,
            "priority": urgent[day.isoformat()],
            "roles": [role.value for role in DEFAULT_NEED_ROLES],
        }
        for number, day in enumerate(open_days, 1)
    ]
    return {**problem, "practices": practices, "needs": [*problem["needs"], *more]}


def _free_room(
    problem: Problem, period: Period, frame: Frame, dates: set[str]
) -> tuple[str, list[dict[str, Any]]]:
    """A room of the practice that is empty on these dates, or one more, and the practices."""
    taken = {
        need["room"]
        for need in problem["needs"]
        if need["practice"] == frame.practice
        and need["date"] in dates
        and set(Period(need["period"]).halves) & set(period.halves)
    }
    practices = []
    found = FURTHER_ROOM
    for practice in problem["practices"]:
        rooms = practice["rooms"]
        if practice["id"] == frame.practice:
            found = next((room for room in rooms if room not in taken), FURTHER_ROOM)
            if found not in rooms:
                rooms = [*rooms, found]
        practices.append({**practice, "rooms": rooms})
    return found, practices


def _with_doctor(problem: Problem, change: OneMoreDoctor, frame: Frame) -> Problem:
    """The newcomer is worth as much as a doctor in the middle of the others: the credit from
    before is theirs, so that sharing does not owe a stranger all the days first."""
    if not change.weekdays or not set(change.weekdays) <= set(range(7)):
        raise InvalidInput("scenario_weekdays", field="weekdays")
    cap = change.max_days_per_week
    if cap is not None and not (0 < cap <= LONGEST_WEEK and float(2 * cap).is_integer()):
        raise InvalidInput("scenario_limit", field="half_days", most=int(LONGEST_WEEK))
    days = [day for day in _days(frame) if day.weekday() in change.weekdays]
    if not days:
        raise InvalidInput("scenario_no_such_day", field="weekdays")
    credits_before = [
        doctor["credit"]
        for doctor in problem["doctors"]
        if frame.practice in doctor["practices"] and Role(doctor["role"]) not in NOT_IN_FAIRNESS
    ]
    newcomer = {
        "id": NEWCOMER,
        "role": Role.REPLACEMENT.value,
        "practices": [frame.practice],
        "gender": None,
        "max_days_per_week": cap,
        "max_days_per_month": None,
        "max_days_total": None,
        "max_consecutive_days": None,
        "credit": int(median(credits_before)) if credits_before else 0,
    }
    free = [
        {
            "doctor": NEWCOMER,
            "date": day.isoformat(),
            "period": Period.DAY.value,
            "preference": Preference.WANTED.value,
            "practice": frame.practice,
        }
        for day in days
    ]
    return {
        **problem,
        "doctors": [*problem["doctors"], newcomer],
        "availabilities": [*problem["availabilities"], *free],
    }


def _without_cap(problem: Problem, change: NoWeeklyCap) -> Problem:
    capped = capped_doctors(problem)
    chosen = (
        set(capped)
        if change.doctor_id is None
        else {doctor_key(change.doctor_id)}.intersection(capped)
    )
    if not chosen:
        raise InvalidInput("scenario_no_limit", field="doctor")
    return {
        **problem,
        "doctors": [
            {**doctor, "max_days_per_week": None} if doctor["id"] in chosen else doctor
            for doctor in problem["doctors"]
        ],
    }


def _days(frame: Frame) -> Iterable[dt.date]:
    return days_between(frame.start, frame.end)
