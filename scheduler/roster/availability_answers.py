"""Named reads of who has answered: what each doctor of a practice has said of a month."""

from __future__ import annotations

import datetime as dt
import enum
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.core.permissions import DOCTOR_ROLES, Action, Actor, Role, Subject, require
from scheduler.people.models import Member, User
from scheduler.roster.availability_queries import ASKED_ROLES, Said, availabilities_between
from scheduler.roster.availability_rules import dates_of, expand
from scheduler.roster.models import (
    Assignment,
    AvailabilityAnswer,
    AvailabilityNote,
    AvailabilityPrompt,
)
from scheduler.roster.rules import AssignmentState, Preference, month_bounds


class AnswerState(enum.StrEnum):
    """How far a doctor has come with a month."""

    # Nothing was said, no day taken.
    SILENT = "silent"
    # Something was said, or a day taken, and more may come.
    SAID = "said"
    # All is said.
    ANSWERED = "answered"
    # All is said, and nothing of it is a day.
    CANNOT = "cannot"


ORDER: Final = {state: place for place, state in enumerate(AnswerState)}


@dataclass(frozen=True, slots=True)
class DoctorAnswer:
    """One doctor's line; half-days are those that count for the practice asked about."""

    doctor_id: int
    name: str
    phone: str | None
    role: Role
    state: AnswerState
    answered_at: dt.datetime | None
    half_days: dict[Preference, int]
    taken_half_days: int
    notes: list[tuple[dt.date, str]]
    opened_at: dt.datetime | None
    reminded_at: dt.datetime | None


def answers_of(
    session: Session, actor: Actor, practice_id: int, month: dt.date, today: dt.date
) -> list[DoctorAnswer]:
    """What the doctors of a practice said of the month that begins on `month`.

    Those who are asked always stand here, silent ones first; titulars and interns only where
    they said something. The number of queries does not depend on how many they are.
    """
    require(actor, Action.ANSWERS_VIEW, Subject(practice_id))
    first, last = month_bounds(month)
    members = doctors_in(session, practice_id, month, today, DOCTOR_ROLES)
    ids = list(members)
    said = availabilities_between(session, ids, first, last)
    answered = answers_at(session, ids, month)
    taken = taken_in(session, practice_id, ids, month)
    notes = _notes(session, ids, month)
    prompts = prompts_of(session, practice_id, month)
    found = []
    for doctor_id, (role, name, phone) in members.items():
        half_days = expand(*said[doctor_id], first, last, practice_id)
        prompt = prompts.get(doctor_id)
        state = _state(
            spoke=speaks(said[doctor_id], month, practice_id),
            answered=doctor_id in answered,
            comes=bool(half_days) or taken[doctor_id] > 0,
        )
        if role not in ASKED_ROLES and state is AnswerState.SILENT and not notes[doctor_id]:
            continue
        found.append(
            DoctorAnswer(
                doctor_id,
                name,
                phone,
                role,
                state,
                answered.get(doctor_id),
                Counter(half_days.values()),
                taken[doctor_id],
                notes[doctor_id],
                prompt.opened_at if prompt else None,
                prompt.reminded_at if prompt else None,
            )
        )
    return sorted(found, key=lambda each: (each.role not in ASKED_ROLES, ORDER[each.state]))


def doctors_in(
    session: Session,
    practice_id: int,
    month: dt.date,
    today: dt.date,
    roles: Collection[Role] = ASKED_ROLES,
) -> dict[int, tuple[Role, str, str | None]]:
    """Who can sign in today and is a doctor of the practice in a month, by family name: role
    (the one that is asked first), name, phone."""
    first, last = month_bounds(month)
    rows = session.execute(
        sa.select(User.id, Member.role, User.given_name, User.family_name, User.phone)
        .join(Member, Member.user_id == User.id)
        .where(
            Member.practice_id == practice_id,
            Member.role.in_(roles),
            Member.since <= min(last, today),
            sa.or_(Member.until.is_(None), Member.until >= max(first, today)),
            User.disabled_at.is_(None),
        )
        .order_by(User.family_name, User.given_name, User.id)
    )
    found: dict[int, tuple[Role, str, str | None]] = {}
    for doctor_id, role, given, family, phone in rows:
        if doctor_id not in found or role in ASKED_ROLES:
            found[doctor_id] = (role, f"{given} {family}", phone)
    return found


def silent_among(
    session: Session, practice_id: int, doctor_ids: Collection[int], month: dt.date
) -> set[int]:
    """Who of these doctors said nothing of a month and has taken no day in it."""
    if not doctor_ids:
        return set()
    said = availabilities_between(session, doctor_ids, *month_bounds(month))
    answered = answers_at(session, doctor_ids, month)
    taken = taken_in(session, practice_id, doctor_ids, month)
    return {
        doctor_id
        for doctor_id in doctor_ids
        if not speaks(said[doctor_id], month, practice_id)
        and doctor_id not in answered
        and not taken[doctor_id]
    }


def speaks(said: Said, month: dt.date, practice_id: int) -> bool:
    """Whether what a doctor said is about any day of a month, for a practice."""
    counting = (None, practice_id)
    return (
        any(row.preference is not None for row in said.imported)
        or any(row.practice_id in counting for row in said.explicit)
        or any(
            row.practice_id in counting and any(True for _ in dates_of(row, *month_bounds(month)))
            for row in said.weekly
        )
    )


def answers_at(
    session: Session, doctor_ids: Iterable[int], month: dt.date
) -> dict[int, dt.datetime]:
    """When each of these doctors said that all is said of a month."""
    rows = session.execute(
        sa.select(AvailabilityAnswer.doctor_id, AvailabilityAnswer.answered_at).where(
            AvailabilityAnswer.doctor_id.in_(doctor_ids), AvailabilityAnswer.month == month
        )
    )
    return dict(rows.all())


def taken_in(
    session: Session, practice_id: int, doctor_ids: Iterable[int], month: dt.date
) -> Counter[int]:
    """How many half-days of the practice each of these doctors has in a month."""
    rows = session.execute(
        sa.select(Assignment.doctor_id, Assignment.period).where(
            Assignment.practice_id == practice_id,
            Assignment.doctor_id.in_(doctor_ids),
            Assignment.state != AssignmentState.RELEASED,
            Assignment.date.between(*month_bounds(month)),
        )
    )
    found: Counter[int] = Counter()
    for doctor_id, period in rows:
        found[doctor_id] += len(period.halves)
    return found


def prompts_of(session: Session, practice_id: int, month: dt.date) -> dict[int, AvailabilityPrompt]:
    """Who was told that a practice opened a month, by doctor; read anew."""
    rows = session.scalars(
        sa.select(AvailabilityPrompt)
        .where(AvailabilityPrompt.practice_id == practice_id, AvailabilityPrompt.month == month)
        .execution_options(populate_existing=True)
    )
    return {row.doctor_id: row for row in rows}


def _notes(
    session: Session, doctor_ids: Iterable[int], month: dt.date
) -> defaultdict[int, list[tuple[dt.date, str]]]:
    rows = session.execute(
        sa.select(AvailabilityNote.doctor_id, AvailabilityNote.date, AvailabilityNote.text)
        .where(
            AvailabilityNote.doctor_id.in_(doctor_ids),
            AvailabilityNote.date.between(*month_bounds(month)),
        )
        .order_by(AvailabilityNote.date)
    )
    found: defaultdict[int, list[tuple[dt.date, str]]] = defaultdict(list)
    for doctor_id, date, text in rows:
        found[doctor_id].append((date, text))
    return found


def _state(*, spoke: bool, answered: bool, comes: bool) -> AnswerState:
    if answered:
        return AnswerState.ANSWERED if comes else AnswerState.CANNOT
    return AnswerState.SAID if spoke or comes else AnswerState.SILENT
