"""How well a practice's days are filled: coverage, fairness, doors, delays and releases.

`read` loads small rows with three queries, whatever their number; everything else is pure. Claims
that were undone within minutes count nowhere. Amounts are half-days (a day is two).
"""

from __future__ import annotations

import datetime as dt
import enum
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from scheduler.core.clock import local_date
from scheduler.core.errors import InvalidInput
from scheduler.core.permissions import DOCTOR_ROLES, Role
from scheduler.people.models import Member, Practice, User
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import (
    CLAIM_SOURCES,
    AssignmentSource,
    AssignmentState,
    NeedState,
    ReleaseKind,
    add_months,
    monday_of,
)

DAY: Final = dt.timedelta(days=1)
WEEK: Final = dt.timedelta(weeks=1)
MOST_MONTHS: Final = 24
# Nobody means days beyond these, and no calendar knows them.
EARLIEST: Final = dt.date(2000, 1, 1)
LATEST: Final = dt.date(2099, 12, 31)
# Where the classes of the histograms begin, in days.
DELAY_CLASSES: Final = (0, 1, 3, 7, 14, 28, 56)
NOTICE_CLASSES: Final = (0, 1, 3, 7, 14, 30)
# Those whose days are compared: a titular steps in, an intern has a fixed day.
POOLED: Final = frozenset({Role.REPLACEMENT, Role.ASSISTANT})


class Span(enum.StrEnum):
    """The periods to choose from."""

    LAST_3 = "last3"
    LAST_6 = "last6"
    LAST_12 = "last12"
    NEXT_3 = "next3"
    DATES = "dates"


class Door(enum.StrEnum):
    """How a day was filled: the source of its assignment, or a titular who stepped in.

    Whatever came from a doctor's own calendar is one.
    """

    CLAIM = "claim"
    PROPOSAL = "proposal"
    ASK = "ask"
    CALL = "call"
    PHONE = "phone"
    SWAP = "swap"
    TAKEOVER = "takeover"
    CALENDAR = "calendar"
    TITULAR = "titular"


class Lateness(enum.StrEnum):
    """How late a day was given back."""

    BEFORE_LOCK = "before_lock"
    AFTER_LOCK = "after_lock"
    SAME_DAY = "same_day"
    ABSENCE = "absence"
    TAKEN_AWAY = "taken_away"


# What ends otherwise is no release: the day went on to a colleague, or was never confirmed.
LATENESS: Final = {
    ReleaseKind.EARLY: Lateness.BEFORE_LOCK,
    ReleaseKind.GRANTED: Lateness.AFTER_LOCK,
    ReleaseKind.EMERGENCY: Lateness.SAME_DAY,
    ReleaseKind.ABSENCE: Lateness.ABSENCE,
    ReleaseKind.TAKEN_AWAY: Lateness.TAKEN_AWAY,
}


@dataclass(frozen=True, slots=True)
class NeedRow:
    """A published need."""

    need_id: int
    date: dt.date
    half_days: int
    published_at: dt.datetime


@dataclass(frozen=True, slots=True)
class TurnRow:
    """A doctor's time on a need; `notice` is how many days before its date it ended.

    `titular` says that the doctor was a titular of the practice on that date.
    """

    need_id: int
    doctor_id: int
    half_days: int
    source: AssignmentSource
    created_at: dt.datetime
    titular: bool = False
    release: ReleaseKind | None = None
    notice: int | None = None

    @property
    def active(self) -> bool:
        return self.release is None


@dataclass(frozen=True, slots=True)
class Person:
    """A doctor; `pooled` are those whose days are compared."""

    doctor_id: int
    name: str
    pooled: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the figures of a period are made of."""

    needs: tuple[NeedRow, ...] = ()
    turns: tuple[TurnRow, ...] = ()
    people: tuple[Person, ...] = ()

    @property
    def filled(self) -> frozenset[int]:
        """The needs that somebody has."""
        return frozenset(turn.need_id for turn in self.turns if turn.active)


@dataclass(frozen=True, slots=True)
class Share:
    """So many half-days, and how many of them are filled."""

    half_days: int = 0
    filled: int = 0

    @property
    def percent(self) -> float | None:
        """None where there is nothing to fill."""
        return 100 * self.filled / self.half_days if self.half_days else None


@dataclass(frozen=True, slots=True)
class Quartiles:
    """A quarter of the values lies at or below `low`, half at or below `median`."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True)
class DoctorDays:
    """A doctor and the half-days they have in the period."""

    person: Person
    half_days: int


def bounds(span: Span, today: dt.date) -> tuple[dt.date, dt.date]:
    """The first and the last date of a period other than `DATES`."""
    if span is Span.NEXT_3:
        return today, add_months(today, 3) - DAY
    months = {Span.LAST_3: 3, Span.LAST_6: 6, Span.LAST_12: 12}[span]
    return add_months(today, -months) + DAY, today


def check_dates(start: dt.date, end: dt.date) -> None:
    """Raise `InvalidInput` with the field for dates that make no period to look at."""
    for name, day in (("start", start), ("end", end)):
        if not EARLIEST <= day <= LATEST:
            raise InvalidInput(field=name)
    if end < start:
        raise InvalidInput("period_reversed", field="end", start=start)
    if end > add_months(start, MOST_MONTHS):
        raise InvalidInput("period_too_long", field="end", most=MOST_MONTHS)


def coverage(facts: Facts, among: Callable[[dt.date], bool] = lambda _day: True) -> Share:
    """How much of the needs on the dates `among` which to look is filled."""
    return _share([need for need in facts.needs if among(need.date)], facts.filled)


def coverage_by_week(facts: Facts) -> dict[dt.date, Share]:
    """The coverage of each ISO week, by its Monday, from the first with needs to the last."""
    weeks: defaultdict[dt.date, list[NeedRow]] = defaultdict(list)
    for need in facts.needs:
        weeks[monday_of(need.date)].append(need)
    if not weeks:
        return {}
    monday, last = min(weeks), max(weeks)
    found: dict[dt.date, Share] = {}
    while monday <= last:
        found[monday] = _share(weeks.get(monday, []), facts.filled)
        monday += WEEK
    return found


def days_per_doctor(facts: Facts) -> list[DoctorDays]:
    """Every doctor with their half-days, most first; who is pooled stands there without any."""
    worked: Counter[int] = Counter()
    for turn in _standing(facts):
        worked[turn.doctor_id] += turn.half_days
    found = [
        DoctorDays(person, worked[person.doctor_id])
        for person in facts.people
        if person.pooled or worked[person.doctor_id]
    ]
    return sorted(found, key=lambda row: (-row.half_days, row.person.name, row.person.doctor_id))


def doors(facts: Facts) -> dict[Door, int]:
    """The half-days that came in through each door; every door is there."""
    found = dict.fromkeys(Door, 0)
    for turn in _standing(facts):
        found[_door_of(turn)] += turn.half_days
    return found


def _door_of(turn: TurnRow) -> Door:
    if turn.titular:
        return Door.TITULAR
    if turn.source in CLAIM_SOURCES - {AssignmentSource.CLAIM}:
        return Door.CALENDAR
    return Door(turn.source.value)


def delays(facts: Facts) -> list[float]:
    """The days from publishing to the first doctor, for each need that had one, in order."""
    first: dict[int, dt.datetime] = {}
    for turn in facts.turns:
        known = first.get(turn.need_id)
        first[turn.need_id] = turn.created_at if known is None else min(known, turn.created_at)
    return sorted(
        max(first[need.need_id] - need.published_at, dt.timedelta()) / DAY
        for need in facts.needs
        if need.need_id in first
    )


def releases(facts: Facts) -> dict[Lateness, int]:
    """How many days were given back how late; every lateness is there."""
    found = dict.fromkeys(Lateness, 0)
    for turn in facts.turns:
        lateness = None if turn.release is None else LATENESS.get(turn.release)
        if lateness is not None:
            found[lateness] += 1
    return found


def notices(facts: Facts) -> list[int]:
    """How many days before its date each day was given back or its doctor absent, in order."""
    return sorted(
        max(turn.notice, 0)
        for turn in facts.turns
        if turn.release in LATENESS
        and turn.release is not ReleaseKind.TAKEN_AWAY
        and turn.notice is not None
    )


def quartiles(values: Sequence[float]) -> Quartiles | None:
    """The quartiles of values in ascending order, between two of them by proportion."""
    if not values:
        return None
    return Quartiles(*(_quantile(values, share) for share in (0.25, 0.5, 0.75)))


def histogram(values: Iterable[float], classes: Sequence[float]) -> list[int]:
    """How many values lie in each class: from its beginning to before the next one's."""
    found = [0] * len(classes)
    for value in values:
        found[bisect_right(classes, value) - 1] += 1
    return found


def read(session: Session, practice: Practice, start: dt.date, end: dt.date) -> Facts:
    """What the figures of the days from `start` to `end`, both included, are made of."""
    members = session.scalars(
        sa.select(Member)
        .where(
            Member.practice_id == practice.id,
            Member.role.in_(DOCTOR_ROLES),
            Member.since <= end,
            sa.or_(Member.until.is_(None), Member.until >= start),
        )
        .options(joinedload(Member.user))
    ).all()
    needs = session.execute(
        sa.select(Need.id, Need.date, Need.period, Need.published_at).where(
            Need.practice_id == practice.id,
            Need.state == NeedState.PUBLISHED,
            Need.date.between(start, end),
        )
    ).all()
    rows = session.execute(
        sa.select(Assignment, User.given_name, User.family_name)
        .join(User, User.id == Assignment.doctor_id)
        .where(
            Assignment.practice_id == practice.id,
            Assignment.date.between(start, end),
            Assignment.release_kind.is_distinct_from(ReleaseKind.UNDONE),
            # Nobody has said yes.
            Assignment.tentative.is_(False),
        )
    ).all()
    spans: defaultdict[int, list[Member]] = defaultdict(list)
    for member in members:
        spans[member.user_id].append(member)
    names = {row.doctor_id: f"{given} {family}" for row, given, family in rows}
    names |= {member.user_id: member.user.name for member in members}
    return Facts(
        tuple(
            NeedRow(need_id, date, len(period.halves), published_at)
            for need_id, date, period, published_at in needs
        ),
        tuple(_turn(row, spans[row.doctor_id], practice.timezone) for row, *_name in rows),
        tuple(
            Person(number, name, any(member.role in POOLED for member in spans[number]))
            for number, name in names.items()
        ),
    )


def _turn(row: Assignment, spans: Iterable[Member], timezone: str) -> TurnRow:
    ended = row.released_at if row.state is AssignmentState.RELEASED else None
    return TurnRow(
        row.need_id,
        row.doctor_id,
        len(row.period.halves),
        row.source,
        row.created_at,
        any(span.role is Role.TITULAR and span.active_on(row.date) for span in spans),
        row.release_kind,
        None if ended is None else (row.date - local_date(ended, timezone)).days,
    )


def _standing(facts: Facts) -> Iterable[TurnRow]:
    return (turn for turn in facts.turns if turn.active)


def _share(needs: Iterable[NeedRow], filled: frozenset[int]) -> Share:
    whole = taken = 0
    for need in needs:
        whole += need.half_days
        taken += need.half_days if need.need_id in filled else 0
    return Share(whole, taken)


def _quantile(values: Sequence[float], share: float) -> float:
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)
