"""Asking doctors when they can come: once when a month opens, once more when nothing was said.

Who has said anything of a month, or taken a day in it, is left in peace.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from scheduler.core import audit, outbox
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import InvalidInput
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.people.models import Practice
from scheduler.roster.availability_answers import doctors_in, prompts_of, silent_among
from scheduler.roster.models import AvailabilityPrompt
from scheduler.roster.rules import month_bounds

# How long a doctor is given before the one reminder that comes by itself.
PATIENCE: Final = dt.timedelta(days=7)
# How long a titular waits before reminding the same doctor again.
PAUSE: Final = dt.timedelta(days=3)
BATCH: Final = 200

Told = Mapping[int, list[dt.date]]


def tell_opened(session: UnitOfWork, practice: Practice, days: Iterable[dt.date]) -> None:
    """Tell doctors of whom nothing is known that days were published; once a doctor and month.

    Several months published at once make one message.
    """
    today = local_date(session.now(), practice.timezone)
    told: defaultdict[int, list[dt.date]] = defaultdict(list)
    for month in sorted({day.replace(day=1) for day in days}):
        doctors = set(doctors_in(session, practice.id, month, today))
        doctors -= set(prompts_of(session, practice.id, month))
        for doctor_id in _note(
            session, practice.id, silent_among(session, practice.id, doctors, month), month
        ):
            told[doctor_id].append(month)
    _post(session, practice.id, told, "availability.opened")


def remind_unanswered(session: UnitOfWork) -> int:
    """Remind whoever has still said nothing a week after a month opened, once.

    Returns how many messages were written. Two workers never take the same doctor.
    """
    due = session.scalars(
        sa.select(AvailabilityPrompt)
        .where(AvailabilityPrompt.due_at <= session.now())
        .order_by(AvailabilityPrompt.due_at, AvailabilityPrompt.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    by_month: defaultdict[tuple[int, dt.date], list[AvailabilityPrompt]] = defaultdict(list)
    for prompt in due:
        prompt.due_at = None
        by_month[prompt.practice_id, prompt.month].append(prompt)
    told: defaultdict[int, defaultdict[int, list[dt.date]]] = defaultdict(lambda: defaultdict(list))
    for (practice_id, month), prompts in sorted(by_month.items()):
        practice = session.get_one(Practice, practice_id)
        silent = _still_silent(session, practice, [each.doctor_id for each in prompts], month)
        for prompt in prompts:
            if prompt.doctor_id in silent:
                prompt.reminded_at = session.now()
                told[practice_id][prompt.doctor_id].append(month)
    session.flush()
    for practice_id, doctors in told.items():
        _post(session, practice_id, doctors, "availability.reminder")
    return sum(len(doctors) for doctors in told.values())


def remind(session: UnitOfWork, actor: Actor, practice: Practice, month: dt.date) -> int:
    """Remind at once whoever has said nothing of a month; returns how many are reminded.

    Who was reminded of it in the last three days is left out. Raises `Forbidden`, and
    `InvalidInput` for a month that is over.
    """
    require(actor, Action.NEED_ASK, Subject(practice.id))
    today = local_date(session.now(), practice.timezone)
    if month_bounds(month)[1] < today:
        raise InvalidInput("availability_past", field="month", day=month_bounds(month)[1])
    # Two titulars who press at once remind once, and the worker keeps away meanwhile.
    lock_rows(session, session.get_one(Practice, practice.id))
    session.execute(
        sa.select(AvailabilityPrompt.id)
        .where(AvailabilityPrompt.practice_id == practice.id, AvailabilityPrompt.month == month)
        .with_for_update()
    )
    doctors = _remindable(session, practice, month)
    if not doctors:
        return 0
    _note(session, practice.id, doctors, month)
    prompts = prompts_of(session, practice.id, month)
    for doctor_id in doctors:
        prompts[doctor_id].reminded_at = session.now()
        prompts[doctor_id].due_at = None
    session.flush()
    _post(
        session,
        practice.id,
        {doctor_id: [month] for doctor_id in doctors},
        "availability.reminder",
        f":{today}",
    )
    audit.record(
        session,
        actor,
        "availability.reminded",
        "practice",
        practice.id,
        practice_id=practice.id,
        month=month,
        doctors=sorted(doctors),
    )
    return len(doctors)


def _remindable(session: UnitOfWork, practice: Practice, month: dt.date) -> set[int]:
    """Who said nothing of a month and was not reminded of it in the last three days."""
    today = local_date(session.now(), practice.timezone)
    doctors = set(doctors_in(session, practice.id, month, today))
    left_in_peace = {
        doctor_id
        for doctor_id, prompt in prompts_of(session, practice.id, month).items()
        if is_recent(prompt.reminded_at, session.now())
    }
    return silent_among(session, practice.id, doctors - left_in_peace, month)


def is_recent(reminded_at: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether a reminder is too fresh for another one."""
    return reminded_at is not None and reminded_at > now - PAUSE


def _still_silent(
    session: UnitOfWork, practice: Practice, doctor_ids: Collection[int], month: dt.date
) -> set[int]:
    today = local_date(session.now(), practice.timezone)
    if month_bounds(month)[1] < today:
        return set()
    here = doctors_in(session, practice.id, month, today)
    return silent_among(session, practice.id, [each for each in doctor_ids if each in here], month)


def _note(
    session: UnitOfWork, practice_id: int, doctor_ids: Iterable[int], month: dt.date
) -> list[int]:
    """Remember that these doctors are told of a month; returns those who were not before."""
    now = session.now()
    rows = [
        {
            "practice_id": practice_id,
            "doctor_id": doctor_id,
            "month": month,
            "opened_at": now,
            "due_at": now + PATIENCE,
        }
        for doctor_id in sorted(doctor_ids)
    ]
    if not rows:
        return []
    insert = postgresql.insert if _is_postgresql(session) else sqlite.insert
    statement = insert(AvailabilityPrompt).values(rows).on_conflict_do_nothing()
    return sorted(session.scalars(statement.returning(AvailabilityPrompt.doctor_id)))


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _post(session: UnitOfWork, practice_id: int, told: Told, kind: str, occasion: str = "") -> None:
    """One message a doctor, whatever the number of months: the first of them names its cause."""
    readers: defaultdict[tuple[dt.date, ...], list[int]] = defaultdict(list)
    for doctor_id, months in told.items():
        readers[tuple(months)].append(doctor_id)
    for named, doctor_ids in sorted(readers.items()):
        outbox.post(
            session,
            cause=f"{kind}:{practice_id}:{named[0]:%Y-%m}{occasion}",
            recipient_ids=doctor_ids,
            kind=kind,
            practice_id=practice_id,
            months=[f"{month:%Y-%m}" for month in named],
        )
