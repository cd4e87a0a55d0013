"""The replaced doctor of each month, and the derogations that let them practise meanwhile.

A doctor who is replaced stops practising, unless the departmental council of the Ordre granted
a derogation that covers the days (code de la santé publique, R4127-65).
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from scheduler.core import audit
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import InvalidInput, NotFound
from scheduler.core.permissions import Action, Actor, Role, Subject, require
from scheduler.people.models import Derogation, Member, Practice, ReplacedDoctor, User

LONGEST_REFERENCE: Final = 80
# Councils grant a few months; longer than this is a slip of the finger.
LONGEST_DEROGATION: Final = dt.timedelta(days=3 * 366)
MONTHS_SHOWN: Final = 12
DAY: Final = dt.timedelta(days=1)

Span = tuple[dt.date, dt.date]


@dataclass(frozen=True, slots=True)
class MonthOfReplacement:
    """A month (its first), who is replaced in it, and from when to when no derogation covers it.

    The uncovered spans are those from today on, both dates included. `required` tells whether
    the practice's replaced doctors need a derogation.
    """

    month: dt.date
    doctor: User | None
    uncovered: tuple[Span, ...] = ()
    required: bool = False

    @property
    def unnamed(self) -> bool:
        """Whether somebody must be named before the law can be looked after."""
        return self.required and self.doctor is None


def choose_replaced(
    session: UnitOfWork,
    actor: Actor,
    practice: Practice,
    chosen: Mapping[dt.date, int | None],
) -> None:
    """Say in whose name the contracts of some months stand; None for nobody yet.

    `chosen` is by the first of the month; other months keep theirs. Raises `InvalidInput` with
    the month in `facts` (``field`` is ``doctor``) for a doctor who is no titular of the practice
    on any of its days.
    """
    require(actor, Action.REPLACEMENT_EDIT, Subject(practice.id))
    lock_rows(session, practice)
    there = {row.month: row for row in _replaced(session, practice.id, chosen)}
    titulars = _titulars(session, practice.id)
    for month, doctor_id in sorted(chosen.items()):
        row = there.get(month)
        before = row.doctor_id if row else None
        if doctor_id == before:
            continue
        if doctor_id is None:
            session.delete(row)
        elif not _serves(titulars, doctor_id, *_bounds(month)):
            raise InvalidInput("replaced_no_titular", field="doctor", month=month)
        elif row is None:
            session.add(ReplacedDoctor(practice_id=practice.id, month=month, doctor_id=doctor_id))
        else:
            row.doctor_id = doctor_id
        _record(
            session,
            actor,
            practice.id,
            "replaced.changed",
            ("practice", practice.id),
            month=month,
            before=before,
            doctor=doctor_id,
        )
    session.flush()


def add_derogation(
    session: UnitOfWork,
    actor: Actor,
    practice: Practice,
    doctor_id: int,
    since: dt.date,
    until: dt.date,
    reference: str = "",
) -> Derogation:
    """Note a derogation of a titular, both dates included; derogations may overlap.

    Raises `InvalidInput` with the field of what cannot be.
    """
    require(actor, Action.REPLACEMENT_EDIT, Subject(practice.id))
    reference = " ".join(reference.split())
    if until < since:
        raise InvalidInput("derogation_reversed", field="until", since=since)
    if until - since > LONGEST_DEROGATION:
        raise InvalidInput("derogation_too_long", field="until", years=3)
    if len(reference) > LONGEST_REFERENCE:
        raise InvalidInput("text_too_long", field="reference", longest=LONGEST_REFERENCE)
    lock_rows(session, practice)
    if not _serves(_titulars(session, practice.id), doctor_id, since, until):
        raise InvalidInput("derogation_no_titular", field="doctor")
    found = Derogation(
        practice_id=practice.id,
        doctor_id=doctor_id,
        since=since,
        until=until,
        reference=reference or None,
    )
    session.add(found)
    session.flush()
    _record_derogation(session, actor, "derogation.added", found)
    return found


def remove_derogation(
    session: UnitOfWork, actor: Actor, practice: Practice, derogation_id: int
) -> Derogation:
    """Remove a derogation; raises `NotFound` where the practice has no such one."""
    require(actor, Action.REPLACEMENT_EDIT, Subject(practice.id))
    lock_rows(session, practice)
    found = session.scalars(
        sa.select(Derogation)
        .where(Derogation.id == derogation_id, Derogation.practice_id == practice.id)
        .options(joinedload(Derogation.doctor))
    ).one_or_none()
    if found is None:
        raise NotFound("derogation_not_found")
    _record_derogation(session, actor, "derogation.removed", found)
    session.delete(found)
    session.flush()
    return found


def derogations_of(session: Session, practice_id: int, since: dt.date) -> list[Derogation]:
    """The derogations that end on `since` or later, with their doctors, the earliest first."""
    return list(
        session.scalars(
            sa.select(Derogation)
            .where(Derogation.practice_id == practice_id, Derogation.until >= since)
            .options(joinedload(Derogation.doctor))
            .order_by(Derogation.since, Derogation.id)
        )
    )


def months_of(
    session: Session, practice: Practice, today: dt.date, count: int = MONTHS_SHOWN
) -> list[MonthOfReplacement]:
    """So many months from that of `today` on, with who is replaced and what no derogation covers.

    Where the practice needs no derogations, nothing is uncovered.
    """
    months = list(first_of_months(today, count))
    doctors = {row.month: row.doctor for row in _replaced(session, practice.id, months)}
    granted = derogations_of(session, practice.id, today) if practice.derogation_required else []
    found = []
    for month in months:
        doctor = doctors.get(month)
        spans: tuple[Span, ...] = ()
        if doctor is not None and practice.derogation_required:
            first, last = _bounds(month)
            theirs = [(row.since, row.until) for row in granted if row.doctor_id == doctor.id]
            spans = tuple(uncovered(max(first, today), last, theirs))
        found.append(MonthOfReplacement(month, doctor, spans, practice.derogation_required))
    return found


def titulars_between(
    session: Session, practice_id: int, first: dt.date, last: dt.date
) -> list[User]:
    """Who is a titular of the practice on one of these dates at least, by family name."""
    serving = [
        member.user for member in _titulars(session, practice_id) if _overlaps(member, first, last)
    ]
    return list(dict.fromkeys(serving))


def first_of_months(day: dt.date, count: int) -> Iterable[dt.date]:
    """The firsts of `count` months, from that of `day` on."""
    for number in range(count):
        year, month = divmod(day.year * 12 + day.month - 1 + number, 12)
        yield dt.date(year, month + 1, 1)


def uncovered(first: dt.date, last: dt.date, spans: Iterable[Span]) -> Iterable[Span]:
    """What of `first` to `last` lies in none of `spans`; every span includes both its dates."""
    begin = first
    for since, until in sorted(spans):
        if until < begin:
            continue
        if since > last:
            break
        if since > begin:
            yield begin, since - DAY
        begin = until + DAY
    if begin <= last:
        yield begin, last


def _bounds(month: dt.date) -> Span:
    _weekday, length = calendar.monthrange(month.year, month.month)
    return month.replace(day=1), month.replace(day=length)


def _replaced(
    session: Session, practice_id: int, months: Collection[dt.date]
) -> Sequence[ReplacedDoctor]:
    return session.scalars(
        sa.select(ReplacedDoctor)
        .where(ReplacedDoctor.practice_id == practice_id, ReplacedDoctor.month.in_(months))
        .options(joinedload(ReplacedDoctor.doctor))
    ).all()


def _titulars(session: Session, practice_id: int) -> Sequence[Member]:
    return session.scalars(
        sa.select(Member)
        .join(Member.user)
        .where(Member.practice_id == practice_id, Member.role == Role.TITULAR)
        .options(joinedload(Member.user))
        .order_by(User.family_name, User.given_name, Member.id)
    ).all()


def _serves(titulars: Iterable[Member], user_id: int, first: dt.date, last: dt.date) -> bool:
    return any(member.user_id == user_id and _overlaps(member, first, last) for member in titulars)


def _overlaps(member: Member, first: dt.date, last: dt.date) -> bool:
    return member.since <= last and (member.until is None or first <= member.until)


def _record_derogation(
    session: UnitOfWork, actor: Actor, action: str, derogation: Derogation
) -> None:
    _record(
        session,
        actor,
        derogation.practice_id,
        action,
        ("derogation", derogation.id),
        doctor=derogation.doctor_id,
        since=derogation.since,
        until=derogation.until,
    )


def _record(
    session: UnitOfWork,
    actor: Actor,
    practice_id: int,
    action: str,
    subject: tuple[str, int],
    **details: Any,
) -> None:
    kind, number = subject
    audit.record(session, actor, action, kind, number, practice_id=practice_id, **details)
