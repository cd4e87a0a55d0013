"""Named reads of a week beside its needs: the doctors' facts, what is open, the weeks to come."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.core.permissions import Role
from scheduler.people.models import Doctor, Member, User
from scheduler.roster.legality import LICENSED_ROLES
from scheduler.roster.models import Ask, Assignment, Need, ReleaseRequest
from scheduler.roster.queries import Entry
from scheduler.roster.rules import (
    AskState,
    AssignmentState,
    NeedState,
    Period,
    RequestState,
    monday_of,
)

WEEK = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class DoctorFacts:
    """What the week tells of a doctor; `qualified` as in `people.Doctor`."""

    user_id: int
    name: str
    phone: str | None
    qualified: bool
    licence_until: dt.date | None


@dataclass(frozen=True, slots=True)
class Supervision:
    """An intern on a date, and whom they can reach; None where nobody is named."""

    date: dt.date
    intern: str
    supervisor: DoctorFacts | None


@dataclass(frozen=True, slots=True)
class LicenceTrouble:
    """A doctor on a date whose licence is missing (`until` None) or ends before it."""

    date: dt.date
    name: str
    until: dt.date | None
    need_id: int


@dataclass(frozen=True, slots=True)
class OpenMatters:
    """What waits for an answer about one need."""

    date: dt.date
    need_id: int
    asks: int = 0
    requests: int = 0
    held: bool = False


@dataclass(frozen=True, slots=True)
class WeekAhead:
    """How a week stands: half-days published, those still to fill, days with a doctor."""

    monday: dt.date
    half_days: int
    to_fill: int
    days_with_doctor: int


def doctors_on(session: Session, entries: Iterable[Entry]) -> dict[int, DoctorFacts]:
    """The facts of every doctor on these entries, by user."""
    return _facts(session, {entry.doctor_id for entry in entries if entry.doctor_id is not None})


def _facts(session: Session, user_ids: Iterable[int]) -> dict[int, DoctorFacts]:
    rows = session.execute(
        sa.select(
            User.id,
            User.given_name,
            User.family_name,
            User.phone,
            Doctor.qualified,
            Doctor.licence_until,
        )
        .outerjoin(Doctor, Doctor.user_id == User.id)
        .where(User.id.in_(set(user_ids)))
    )
    return {
        user_id: DoctorFacts(user_id, f"{given} {family}", phone, bool(qualified), licence_until)
        for user_id, given, family, phone, qualified, licence_until in rows
    }


def supervisions(session: Session, practice_id: int, entries: Sequence[Entry]) -> list[Supervision]:
    """Who supervises the interns on these entries: named for the day, or as usual."""
    interns = [entry for entry in entries if entry.role is Role.INTERN]
    if not interns:
        return []
    usual: dict[int, list[Member]] = defaultdict(list)
    for member in session.scalars(
        sa.select(Member).where(
            Member.practice_id == practice_id,
            Member.role == Role.INTERN,
            Member.user_id.in_({entry.doctor_id for entry in interns}),
        )
    ):
        usual[member.user_id].append(member)
    named = dict(
        session.execute(
            sa.select(Assignment.id, Assignment.supervisor_id).where(
                Assignment.id.in_({entry.assignment_id for entry in interns})
            )
        ).all()
    )
    found: list[tuple[Entry, int | None]] = []
    for entry in interns:
        supervisor_id = named.get(entry.assignment_id or 0)
        if supervisor_id is None:
            terms = usual[entry.doctor_id or 0]
            supervisor_id = next(
                (term.supervisor_id for term in terms if term.active_on(entry.date)), None
            )
        found.append((entry, supervisor_id))
    facts = _facts(session, {number for _entry, number in found if number is not None})
    return [
        Supervision(entry.date, entry.doctor or "", facts.get(number) if number else None)
        for entry, number in found
    ]


def licence_troubles(
    entries: Iterable[Entry], doctors: Mapping[int, DoctorFacts]
) -> list[LicenceTrouble]:
    """The days whose doctor replaces or assists without a licence valid on them."""
    found = []
    for entry in entries:
        doctor = None if entry.doctor_id is None else doctors.get(entry.doctor_id)
        if entry.role not in LICENSED_ROLES or doctor is None:
            continue
        until = doctor.licence_until
        if not doctor.qualified and (until is None or until < entry.date):
            found.append(LicenceTrouble(entry.date, doctor.name, until, entry.need_id))
    return found


def open_matters(session: Session, entries: Iterable[Entry]) -> list[OpenMatters]:
    """What is open about these entries, by date: questions, requests to be released, held days."""
    entries = list(entries)
    asks = _counted(
        session,
        sa.select(Ask.need_id, sa.func.count())
        .where(
            Ask.need_id.in_({entry.need_id for entry in entries}),
            Ask.state == AskState.OPEN,
        )
        .group_by(Ask.need_id),
    )
    requests = _counted(
        session,
        sa.select(ReleaseRequest.assignment_id, sa.func.count())
        .where(
            ReleaseRequest.assignment_id.in_({entry.assignment_id for entry in entries} - {None}),
            ReleaseRequest.state == RequestState.OPEN,
        )
        .group_by(ReleaseRequest.assignment_id),
    )
    found = [
        OpenMatters(
            entry.date,
            entry.need_id,
            asks.get(entry.need_id, 0),
            requests.get(entry.assignment_id or 0, 0),
            entry.state is AssignmentState.HELD and not entry.tentative,
        )
        for entry in entries
    ]
    return [matter for matter in found if matter.asks or matter.requests or matter.held]


def _counted(session: Session, statement: sa.Select[int, int]) -> dict[int, int]:
    return dict(session.execute(statement).all())


def weeks_ahead(
    session: Session, practice_id: int, monday: dt.date, weeks: int, today: dt.date
) -> list[WeekAhead]:
    """How `weeks` weeks from `monday` on stand, in one query; days of the past are not to fill."""
    rows = session.execute(
        sa.select(
            Need.date,
            Need.period,
            sa.func.count(Need.id),
            sa.func.count(Assignment.id),
        )
        .outerjoin(
            Assignment,
            sa.and_(Assignment.need_id == Need.id, Assignment.state != AssignmentState.RELEASED),
        )
        .where(
            Need.practice_id == practice_id,
            Need.state == NeedState.PUBLISHED,
            Need.date >= monday,
            Need.date < monday + weeks * WEEK,
        )
        .group_by(Need.date, Need.period)
    )
    published: dict[dt.date, int] = defaultdict(int)
    to_fill: dict[dt.date, int] = defaultdict(int)
    with_doctor: dict[dt.date, set[dt.date]] = defaultdict(set)
    for date, period, needs, taken in rows:
        first, size = monday_of(date), len(Period(period).halves)
        published[first] += size * needs
        if date >= today:
            to_fill[first] += size * (needs - taken)
        if taken:
            with_doctor[first].add(date)
    mondays = [monday + number * WEEK for number in range(weeks)]
    return [
        WeekAhead(each, published[each], to_fill[each], len(with_doctor[each])) for each in mondays
    ]
