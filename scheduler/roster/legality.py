"""What the law, the practice and the doctor's own limits say of a doctor on a day.

Pure: each rule is a function of the opening and of what stands about the doctor, and answers
with a `Refusal` or None. `check` asks them all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from scheduler.core.errors import RuleBroken
from scheduler.core.permissions import DOCTOR_ROLES, Role
from scheduler.roster.rules import Period, monday_of, month_bounds

# A licence is what a doctor replaces or assists with; a titular is registered with the Ordre,
# and an intern works under the supervision of one.
LICENSED_ROLES: Final = frozenset({Role.REPLACEMENT, Role.ASSISTANT})

WEEK_LIMIT: Final = "week_limit"
MONTH_LIMIT: Final = "month_limit"
CONSECUTIVE_LIMIT: Final = "consecutive_limit"
# The limits that doctors set for themselves and may pass by their own yes.
OWN_LIMITS: Final = frozenset({WEEK_LIMIT, MONTH_LIMIT, CONSECUTIVE_LIMIT})
# Three months of replacement of one doctor, consecutive or not, bar the replacement from settling
# nearby for two years (R4127-86). Counted in days of replacement; the warning comes before.
THREE_MONTHS_DAYS: Final = 90
WARNED_FROM_DAYS: Final = 75
# How far around an opening, in days, a run is looked at, whatever the doctor's usual limit.
LONGEST_RUN: Final = 31


@dataclass(frozen=True, slots=True)
class Replaced:
    """The doctor in whose name a day's contract stands (« médecin remplacé du mois »).

    `covered` tells whether a derogation of theirs covers the day, or none is required.
    """

    doctor_id: int
    name: str
    covered: bool = True


@dataclass(frozen=True, slots=True)
class Opening:
    """What is to be filled, and what its practice says of it.

    The local limits are the most half-days that one doctor works in the practice in a week and
    in a month, None for no limit.
    """

    practice_id: int
    date: dt.date
    period: Period
    roles: frozenset[Role]
    local_half_days_per_week: int | None = None
    local_half_days_per_month: int | None = None
    replaced: Replaced | None = None


@dataclass(frozen=True, slots=True)
class Lift:
    """A doctor's own yes to a day beyond a limit: which refusal it lifts, and up to how many days.

    It belongs to one day. As long as that day stands, the week, the month or the run of days
    around it may reach `to`, so that it takes no other day's place.
    """

    code: str
    to: float

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Lift:
        return cls(value["code"], value["to"])

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "to": self.to}


@dataclass(frozen=True, slots=True)
class Stay:
    """Where a doctor already is: one active assignment. `place` is the practice's name."""

    practice_id: int
    place: str
    date: dt.date
    period: Period
    lifts: tuple[Lift, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleSpan:
    """A role in the practice from `since` to `until`, both included."""

    role: Role
    since: dt.date
    until: dt.date | None

    def covers(self, day: dt.date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rules must know of a doctor in one practice; limits as in `people.Doctor`.

    `stays` are the active assignments in every practice, as far around the opening as the
    limits look; `lifts` are what the doctor agrees to for the opening itself. `replacing` counts
    the days on which the doctor replaced, or is to replace, each doctor, by that one's number.
    """

    doctor_id: int
    spans: tuple[RoleSpan, ...] = ()
    qualified: bool = True
    licence_until: dt.date | None = None
    max_half_days_per_week: int | None = None
    max_half_days_per_month: int | None = None
    max_consecutive_days: int | None = None
    stays: tuple[Stay, ...] = ()
    lifts: tuple[Lift, ...] = ()
    replacing: Mapping[int, int] = field(default_factory=dict)

    def roles_on(self, day: dt.date) -> frozenset[Role]:
        return frozenset(span.role for span in self.spans if span.covers(day))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule that stands against it: the code of its sentence, and the facts of that sentence.

    `own` marks a limit that doctors set for themselves, which they may also lift themselves;
    `needed` is the least limit, in days, under which it would not refuse.
    """

    code: str
    facts: dict[str, Any] = field(default_factory=dict)
    own: bool = False
    needed: float | None = field(default=None, compare=False)

    def as_error(self) -> RuleBroken:
        return RuleBroken(self.code, **self.facts)


Rule = Callable[[Opening, Standing], Refusal | None]


def member_that_day(opening: Opening, standing: Standing) -> Refusal | None:
    """The doctor is a doctor of this practice on the day."""
    if standing.roles_on(opening.date) & DOCTOR_ROLES:
        return None
    return Refusal("not_member_that_day", {"date": opening.date})


def role_accepted(opening: Opening, standing: Standing) -> Refusal | None:
    """One of the doctor's roles on the day is among those that the need is open to."""
    if standing.roles_on(opening.date) & opening.roles:
        return None
    return Refusal("role_not_accepted", {"date": opening.date})


def licence_valid(opening: Opening, standing: Standing) -> Refusal | None:
    """A doctor who replaces or assists is qualified or holds a licence on the day (R4127-65)."""
    if standing.qualified or (standing.roles_on(opening.date) & opening.roles) - LICENSED_ROLES:
        return None
    return unlicensed(standing.licence_until, opening.date)


def unlicensed(until: dt.date | None, date: dt.date) -> Refusal | None:
    """What stands against who needs a licence on a date and has one `until` then, or none."""
    if until is None:
        return Refusal("licence_missing", {"date": date})
    if until < date:
        return Refusal("licence_ended", {"date": date, "until": until})
    return None


def one_place(opening: Opening, standing: Standing) -> Refusal | None:
    """One assignment per half-day, and one practice per date."""
    for stay in standing.stays:
        if stay.date != opening.date:
            continue
        if set(stay.period.halves) & set(opening.period.halves):
            return Refusal("already_working", {"date": stay.date, "place": stay.place})
        if stay.practice_id != opening.practice_id:
            return Refusal("elsewhere_that_day", {"date": stay.date, "place": stay.place})
    return None


def derogation_covers(opening: Opening, standing: Standing) -> Refusal | None:
    """The doctor who is replaced stops practising, or holds a derogation for the day (R4127-65).

    It concerns those who replace or assist; a practice may switch the rule off.
    """
    replaced = opening.replaced
    if replaced is None or replaced.covered or not _replaces(opening, standing):
        return None
    return Refusal("derogation_missing", {"date": opening.date, "who": replaced.name})


def local_week_limit(opening: Opening, standing: Standing) -> Refusal | None:
    """The half-days of the ISO week in this practice stay within its own limit per doctor."""
    return _local(
        "local_week_limit",
        opening.local_half_days_per_week,
        week_of(opening.date),
        opening,
        standing,
    )


def local_month_limit(opening: Opening, standing: Standing) -> Refusal | None:
    """The half-days of the calendar month in this practice stay within its limit per doctor."""
    bounds = month_bounds(opening.date)
    return _local("local_month_limit", opening.local_half_days_per_month, bounds, opening, standing)


def week_limit(opening: Opening, standing: Standing) -> Refusal | None:
    """The half-days of the ISO week stay within the doctor's limit."""
    bounds = week_of(opening.date)
    return _limit(WEEK_LIMIT, standing.max_half_days_per_week, bounds, opening, standing)


def month_limit(opening: Opening, standing: Standing) -> Refusal | None:
    """The half-days of the calendar month stay within the doctor's limit."""
    bounds = month_bounds(opening.date)
    return _limit(MONTH_LIMIT, standing.max_half_days_per_month, bounds, opening, standing)


def consecutive_limit(opening: Opening, standing: Standing) -> Refusal | None:
    """No longer run of dates with work than the doctor accepts."""
    limit = standing.max_consecutive_days
    if limit is None:
        return None
    first, last = run_bounds(opening.date, (stay.date for stay in standing.stays))
    length = (last - first).days + 1
    within = [stay for stay in standing.stays if first <= stay.date <= last]
    if length <= _agreed(CONSECUTIVE_LIMIT, limit, within, standing):
        return None
    facts = {"date": opening.date, "limit": limit}
    return Refusal(CONSECUTIVE_LIMIT, facts, own=True, needed=length)


RULES: Final[tuple[Rule, ...]] = (
    member_that_day,
    role_accepted,
    licence_valid,
    derogation_covers,
    one_place,
    local_week_limit,
    local_month_limit,
    week_limit,
    month_limit,
    consecutive_limit,
)


def near_three_months(opening: Opening, standing: Standing) -> Refusal | None:
    """Warn before the days of replacement of one doctor reach three months (R4127-86).

    A warning and no refusal: the days are counted with the opening's own.
    """
    replaced = opening.replaced
    if replaced is None or not _replaces(opening, standing):
        return None
    days = standing.replacing.get(replaced.doctor_id, 0) + 1
    if days < WARNED_FROM_DAYS:
        return None
    reached = days >= THREE_MONTHS_DAYS
    code = "replacement_reached_three_months" if reached else "replacement_near_three_months"
    return Refusal(code, {"who": replaced.name, "days": days, "most": THREE_MONTHS_DAYS})


WARNINGS: Final[tuple[Rule, ...]] = (near_three_months,)


def warn(opening: Opening, standing: Standing) -> list[Refusal]:
    """What the doctor should know before taking the opening, although nothing forbids it."""
    return [found for rule in WARNINGS if (found := rule(opening, standing)) is not None]


def lifted(refusals: Iterable[Refusal], passing: Collection[str]) -> tuple[Lift, ...]:
    """What a doctor's yes to passing these limits (codes of `OWN_LIMITS`) lifts."""
    return tuple(
        Lift(refusal.code, refusal.needed)
        for refusal in refusals
        if refusal.own and refusal.code in passing and refusal.needed is not None
    )


def check(opening: Opening, standing: Standing) -> list[Refusal]:
    """Every rule that forbids the doctor the opening, the gravest first; empty when none does."""
    return [refusal for rule in RULES if (refusal := rule(opening, standing)) is not None]


def reach(day: dt.date, max_consecutive_days: int | None) -> tuple[dt.date, dt.date]:
    """The first and last date whose stays any rule may look at for an opening on `day`."""
    longest = 0 if max_consecutive_days is None else max(max_consecutive_days, LONGEST_RUN)
    around = dt.timedelta(days=max(longest, 6))
    first, last = month_bounds(day)
    return min(first, day - around), max(last, day + around)


def run_bounds(day: dt.date, days: Iterable[dt.date]) -> tuple[dt.date, dt.date]:
    """The first and last of the dates of `days` that follow one another around `day`, itself
    counted."""
    found, bounds = set(days), []
    for step in (dt.timedelta(days=-1), dt.timedelta(days=1)):
        end = day
        while end + step in found:
            end += step
        bounds.append(end)
    return bounds[0], bounds[1]


def week_of(day: dt.date) -> tuple[dt.date, dt.date]:
    """The Monday and the Sunday of the ISO week of a day."""
    monday = monday_of(day)
    return monday, monday + dt.timedelta(days=6)


def _replaces(opening: Opening, standing: Standing) -> bool:
    """Whether the doctor would come as somebody who replaces or assists."""
    roles = standing.roles_on(opening.date) & opening.roles
    return bool(roles) and roles <= LICENSED_ROLES


def _local(
    code: str,
    limit: int | None,
    bounds: tuple[dt.date, dt.date],
    opening: Opening,
    standing: Standing,
) -> Refusal | None:
    """Refuse when the half-days in the opening's practice pass its limit; titulars are free."""
    if limit is None or not _replaces(opening, standing):
        return None
    first, last = bounds
    here = [stay for stay in standing.stays if stay.practice_id == opening.practice_id]
    worked = sum(len(stay.period.halves) for stay in here if first <= stay.date <= last)
    if worked + len(opening.period.halves) <= limit:
        return None
    return Refusal(code, {"date": opening.date, "limit": limit / 2})


def _limit(
    code: str,
    limit: int | None,
    bounds: tuple[dt.date, dt.date],
    opening: Opening,
    standing: Standing,
) -> Refusal | None:
    """Refuse when the half-days between `bounds`, the opening's included, pass the limit."""
    if limit is None:
        return None
    first, last = bounds
    within = [stay for stay in standing.stays if first <= stay.date <= last]
    half_days = sum(len(stay.period.halves) for stay in within) + len(opening.period.halves)
    if half_days / 2 <= _agreed(code, limit / 2, within, standing):
        return None
    facts = {"date": opening.date, "limit": limit / 2}
    return Refusal(code, facts, own=True, needed=half_days / 2)


def _agreed(code: str, limit: float, within: Iterable[Stay], standing: Standing) -> float:
    """The limit in days, or the greater one that the doctor agreed to for a day in question."""
    lifts = [*standing.lifts, *(lift for stay in within for lift in stay.lifts)]
    return max([limit, *(lift.to for lift in lifts if lift.code == code)])
