"""Putting a doctor on call for a day, and taking them off it; the doctor is told."""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa

from scheduler.core import audit, outbox
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import Conflict, InvalidInput, NotFound, RuleBroken
from scheduler.core.permissions import Action, Actor, Role, Subject, require
from scheduler.oncall.models import Duty
from scheduler.people.models import Doctor, Member, Practice, User
from scheduler.roster import legality
from scheduler.roster.availability_rules import last_day_to_plan
from scheduler.roster.queries import halves_without_doctor, roster_between

# Whoever answers for results alone: an intern works under somebody's eyes.
ON_CALL_ROLES: Final = (Role.TITULAR, Role.REPLACEMENT, Role.ASSISTANT)


def set_duty(
    session: UnitOfWork,
    actor: Actor,
    practice_id: int,
    date: dt.date,
    doctor_id: int,
    *,
    instead_of: int | None = None,
) -> Duty:
    """Put a doctor on call for a date, in place of `instead_of`, whom the actor saw there.

    Setting it again changes nothing. Raises `InvalidInput` for a day that is over or too far
    away, `NotFound` for who is no doctor of the practice on the day, `RuleBroken` for who has no
    licence on it or where a doctor is in the house all day, and `Conflict` saying who is on call
    meanwhile.
    """
    practice = _open_day(session, actor, practice_id, date)
    doctor = _doctor(session, practice_id, date, doctor_id)
    duty = _held(session, practice_id, date)
    if duty is not None and duty.doctor_id == doctor.id:
        return duty
    _require_unchanged(session, duty, instead_of)
    _require_licence(session, practice_id, date, doctor)
    _require_needed(session, practice_id, date)
    before = duty.doctor_id if duty is not None else None
    if duty is None:
        duty = Duty(practice_id=practice.id, date=date, doctor_id=doctor.id)
        session.add(duty)
    duty.doctor_id = doctor.id
    session.flush()
    _note(session, actor, "duty.set", duty, before=before)
    if before is not None:
        _tell(session, actor, "duty.ended", duty, before)
    _tell(session, actor, "duty.given", duty, doctor.id)
    return duty


def clear_duty(
    session: UnitOfWork,
    actor: Actor,
    practice_id: int,
    date: dt.date,
    *,
    instead_of: int | None = None,
) -> None:
    """Leave a date without anybody on call; nothing happens where nobody is.

    Raises `Conflict` where somebody else than `instead_of` is on call meanwhile.
    """
    _open_day(session, actor, practice_id, date)
    duty = _held(session, practice_id, date)
    if duty is None:
        return
    _require_unchanged(session, duty, instead_of)
    _note(session, actor, "duty.cleared", duty, before=duty.doctor_id)
    _tell(session, actor, "duty.ended", duty, duty.doctor_id)
    session.delete(duty)
    session.flush()


def _open_day(session: UnitOfWork, actor: Actor, practice_id: int, date: dt.date) -> Practice:
    """The practice, locked so that one hand at a time decides of its duties."""
    require(actor, Action.DUTY_EDIT, Subject(practice_id))
    practice = session.get_one(Practice, practice_id)
    today = local_date(session.now(), practice.timezone)
    if not today <= date <= last_day_to_plan(today):
        raise InvalidInput("duty_date", field="date", latest=last_day_to_plan(today))
    lock_rows(session, practice)
    return practice


def _held(session: UnitOfWork, practice_id: int, date: dt.date) -> Duty | None:
    return session.scalars(
        sa.select(Duty)
        .where(Duty.practice_id == practice_id, Duty.date == date)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _require_unchanged(session: UnitOfWork, duty: Duty | None, instead_of: int | None) -> None:
    current = duty.doctor_id if duty is not None else None
    if current != instead_of:
        if current is None:
            raise Conflict("duty_cleared")
        raise Conflict("duty_changed", who=session.get_one(User, current).name)


def _doctor(session: UnitOfWork, practice_id: int, date: dt.date, doctor_id: int) -> User:
    found = session.scalars(
        sa.select(User)
        .join(Member, Member.user_id == User.id)
        .where(
            User.id == doctor_id,
            User.disabled_at.is_(None),
            Member.practice_id == practice_id,
            Member.role.in_(ON_CALL_ROLES),
            Member.since <= date,
            sa.or_(Member.until.is_(None), Member.until >= date),
        )
        .distinct()
    ).one_or_none()
    if found is None:
        raise NotFound("doctor_not_found")
    return found


def _require_licence(session: UnitOfWork, practice_id: int, date: dt.date, user: User) -> None:
    """Whoever answers for results practises medicine: as a titular, qualified, or by a licence
    valid on the day (R4127-65)."""
    roles = set(
        session.scalars(
            sa.select(Member.role).where(
                Member.practice_id == practice_id,
                Member.user_id == user.id,
                Member.since <= date,
                sa.or_(Member.until.is_(None), Member.until >= date),
            )
        )
    )
    doctor = session.get(Doctor, user.id)
    if Role.TITULAR in roles or (doctor is not None and doctor.qualified):
        return
    refusal = legality.unlicensed(doctor.licence_until if doctor is not None else None, date)
    if refusal is not None:
        raise refusal.as_error()


def _require_needed(session: UnitOfWork, practice_id: int, date: dt.date) -> None:
    """Whoever is in the house reads the results: nobody is put on call for a day with doctors."""
    entries = roster_between(session, practice_id, date, date)
    if not halves_without_doctor(entries, date):
        there = dict.fromkeys(entry.doctor for entry in entries if entry.attended)
        raise RuleBroken("duty_doctor_there", who=", ".join(filter(None, there)), date=date)


def _note(session: UnitOfWork, actor: Actor, action: str, duty: Duty, **details: object) -> None:
    audit.record(
        session,
        actor,
        action,
        "duty",
        duty.id,
        practice_id=duty.practice_id,
        date=duty.date,
        doctor_id=duty.doctor_id,
        **details,
    )


def _tell(session: UnitOfWork, actor: Actor, kind: str, duty: Duty, doctor_id: int) -> None:
    """Tell a doctor of a date; each turn of it is a cause of its own, so that all are told."""
    if doctor_id == actor.user_id:
        return
    outbox.post(
        session,
        cause=f"{kind}:{duty.practice_id}:{duty.date}:{session.now().isoformat()}",
        recipient_ids=[doctor_id],
        kind=kind,
        practice_id=duty.practice_id,
        date=duty.date.isoformat(),
    )
