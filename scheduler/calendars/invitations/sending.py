"""Inviting doctors to days by mail, and taking an invitation back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import joinedload

from scheduler.calendars.invitations.telling import end, note, tell
from scheduler.calendars.invitations.writing import said_of
from scheduler.calendars.models import Answer, CalendarInvitation, Ending
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import Conflict, InvalidInput, NotFound, RelaisError, RuleBroken
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.people.models import Practice, User
from scheduler.people.queries import members_of
from scheduler.roster import assignments, holding
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentState, NeedState

MOST_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Pair:
    """A doctor for a day."""

    need_id: int
    doctor_id: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Who was not invited to which day, and why."""

    need: Need
    doctor: User
    error: RelaisError


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of inviting doctors to days."""

    invited: list[CalendarInvitation] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def invite(session: UnitOfWork, actor: Actor, practice: Practice, pairs: Collection[Pair]) -> Sent:
    """Invite each doctor to their day, by a mail that their calendar answers.

    A doctor who is invited to a day already is left alone. Who could not take a day, or has
    it, is not invited to it, and told apart. Raises `InvalidInput` for nobody and for too many,
    `NotFound` for a day or a doctor that is not the practice's.
    """
    require(actor, Action.INVITATION_SEND, Subject(practice.id))
    if not pairs:
        raise InvalidInput("invitation_nobody", field="pair")
    if len(set(pairs)) > MOST_AT_ONCE:
        raise InvalidInput("invitation_too_many", field="pair", most=MOST_AT_ONCE)
    assignments.hold(session, practice.id, [])
    needs = _needs(session, practice, {pair.need_id for pair in pairs})
    doctors = _doctors(session, practice, {pair.doctor_id for pair in pairs})
    sent = Sent()
    wanted = [(needs[pair.need_id], doctors[pair.doctor_id]) for pair in set(pairs)]
    for need, doctor in sorted(wanted, key=lambda one: (one[0].date, one[0].id, one[1].id)):
        try:
            _require_possible(session, actor, need, doctor)
        except RelaisError as error:
            sent.refused.append(Refused(need, doctor, error))
            continue
        made = _insert(session, actor, need, doctor)
        if made is not None:
            note(session, actor, "invitation.sent", made, date=need.date)
            tell(session, "invitation.sent", made, made.sequence)
            sent.invited.append(made)
    return sent


def withdraw(session: UnitOfWork, actor: Actor, invitation_id: int) -> CalendarInvitation:
    """Take an invitation back: the doctor's event is cancelled, and a day held for them is free.

    What has ended stays as it is. Raises `Conflict` for a day that the doctor has by it.
    """
    invitation = session.get(CalendarInvitation, invitation_id)
    if invitation is None or not (actor.is_system or actor.roles_in(invitation.practice_id)):
        raise NotFound("calendar_invitation_not_found")
    require(actor, Action.INVITATION_SEND, Subject(invitation.practice_id))
    assignments.hold(session, invitation.practice_id, [invitation.doctor_id])
    session.refresh(invitation)
    if invitation.ended_at is not None:
        return invitation
    standing = None
    if invitation.assignment_id is not None:
        standing = session.get_one(Assignment, invitation.assignment_id, populate_existing=True)
    if standing is not None and standing.state is not AssignmentState.RELEASED:
        if not standing.tentative:
            raise Conflict("invitation_accepted", date=standing.date)
        holding.let_go(session, actor, standing.id)
    end(session, actor, invitation, Ending.WITHDRAWN)
    return invitation


def _needs(session: UnitOfWork, practice: Practice, ids: Collection[int]) -> Mapping[int, Need]:
    found = {
        need.id: need
        for need in session.scalars(
            sa.select(Need)
            .where(Need.id.in_(ids), Need.practice_id == practice.id)
            .options(joinedload(Need.practice), joinedload(Need.room))
            .execution_options(populate_existing=True)
        )
    }
    if set(ids) - set(found):
        raise NotFound("need_not_found")
    return found


def _doctors(session: UnitOfWork, practice: Practice, ids: Collection[int]) -> Mapping[int, User]:
    today = local_date(session.now(), practice.timezone)
    found = {
        member.user_id: member.user
        for member in members_of(session, practice.id, today)
        if member.user_id in ids and member.user.doctor is not None
    }
    if set(ids) - set(found):
        raise NotFound("doctor_not_found")
    return found


def _require_possible(session: UnitOfWork, actor: Actor, need: Need, doctor: User) -> None:
    if doctor.id == actor.user_id:
        raise InvalidInput("invitation_oneself", field="pair")
    if need.state is not NeedState.PUBLISHED:
        raise Conflict("need_withdrawn", date=need.date)
    if need.date < local_date(session.now(), need.practice.timezone):
        raise RuleBroken("need_past", date=need.date)
    first = assignments.holder_of(session, need.id)
    if first is not None:
        raise assignments.taken_error(first)
    refusals = assignments.refusals(session, need, doctor.id)
    if refusals:
        raise refusals[0].as_error()


def _insert(
    session: UnitOfWork, actor: Actor, need: Need, doctor: User
) -> CalendarInvitation | None:
    """Write the invitation; None where the doctor is invited to the day already."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return session.scalars(
        insert(CalendarInvitation)
        .values(
            practice_id=need.practice_id,
            need_id=need.id,
            doctor_id=doctor.id,
            address=doctor.email,
            invited_by=actor.user_id,
            invited_at=session.now(),
            sequence=0,
            said=said_of(need),
            practice_version=need.practice.version,
            room=need.room.name,
            answer=Answer.NONE,
        )
        .on_conflict_do_nothing()
        .returning(CalendarInvitation)
    ).one_or_none()
