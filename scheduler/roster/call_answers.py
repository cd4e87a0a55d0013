"""Answering a call by one's own link.

Whoever holds the link acts as the doctor it was sent to, and only towards that call: they take
one of its days, say that they cannot, or undo it. The same rules and the same locks hold as for
every other door, and the audit names the invitation.
"""

from __future__ import annotations

from collections.abc import Collection

from scheduler.core import outbox
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import Conflict, NotFound
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.people.models import Practice, User
from scheduler.people.queries import identity
from scheduler.roster import assignments, call_queries, call_waves, claiming
from scheduler.roster.call_rules import after_quiet
from scheduler.roster.models import Assignment, Call, Invitation, Need
from scheduler.roster.rules import AssignmentSource, CallState, InvitationState


def doctor_of(session: UnitOfWork, uid: str) -> Actor:
    """The doctor of a sent invitation, as who acts by its link.

    Raises `NotFound` where there is none, and when the doctor has left.
    """
    invitation = call_queries.invitation_of(session, uid)
    call = session.get_one(Call, invitation.call_id)
    practice = session.get_one(Practice, call.practice_id)
    today = local_date(session.now(), practice.timezone)
    found = identity(session, invitation.doctor_id, today)
    if found is None or not found.actor.roles_in(practice.id):
        raise NotFound("invitation_not_found")
    return found.actor


def take(
    session: UnitOfWork, uid: str, need_id: int, *, passing: Collection[str] = ()
) -> Assignment:
    """Take a day of the call. Taking what one has already changes nothing.

    `passing` are the codes of the doctor's own limits that they agree to pass. Raises `Conflict`
    when somebody was first or the call is over, and `RuleBroken` naming the rule that forbids it.
    """
    actor = doctor_of(session, uid)
    invitation, call = _locked(session, actor, uid)
    need = _need_of(session, call, need_id)
    before = assignments.holder_of(session, need.id)
    if before is not None and before.doctor_id == invitation.doctor_id:
        return before
    _require_open(call)
    doctor = session.get_one(User, invitation.doctor_id)
    taken = assignments.place(
        session, actor, need, doctor, source=AssignmentSource.CALL, passing=passing
    )
    invitation.state, invitation.ended_at = InvitationState.ACCEPTED, session.now()
    session.flush()
    _note(session, actor, "call.accepted", call, invitation, need_id=need.id)
    if not call.urgent:
        # Of a day lost to an absence everybody who looks for somebody is told at once.
        _tell(session, actor, call, taken)
    return taken


def decline(session: UnitOfWork, uid: str, need_id: int | None = None) -> Invitation:
    """Say that one cannot come on a day of the call, or on any of them.

    When everybody who was asked has answered, the next wave does not wait. Raises `Conflict` when
    the call is over.
    """
    actor = doctor_of(session, uid)
    invitation, call = _locked(session, actor, uid)
    _require_open(call)
    if need_id is not None:
        _need_of(session, call, need_id)
    now = session.now()
    for day in invitation.days:
        if need_id in (None, day.need_id) and day.declined_at is None:
            day.declined_at = now
    still = {day.need_id for day in invitation.days if day.declined_at is None}
    days = call_queries.days_of(session, [call])[call.id]
    if invitation.state is InvitationState.SENT and not any(
        day.is_open and day.need.id in still for day in days
    ):
        invitation.state, invitation.ended_at = InvitationState.DECLINED, now
        if call.next_wave_at is not None and not any(
            row.state is InvitationState.SENT for row in call.invitations
        ):
            call.next_wave_at = min(call.next_wave_at, after_quiet(now, call.practice.timezone))
    session.flush()
    _note(session, actor, "call.declined", call, invitation, need_id=need_id)
    return invitation


def undo(session: UnitOfWork, uid: str, need_id: int) -> Assignment:
    """Undo, within minutes, that a day of the call was taken; the titulars were told, and are
    told again.

    Raises `Conflict` for a day that the doctor does not have, `RuleBroken` when it is too late.
    """
    actor = doctor_of(session, uid)
    invitation, call = _locked(session, actor, uid)
    need = _need_of(session, call, need_id)
    standing = assignments.holder_of(session, need.id)
    if standing is None or standing.doctor_id != invitation.doctor_id:
        raise Conflict("already_released", date=need.date)
    undone = claiming.undo(session, actor, standing.id)
    _note(session, actor, "call.undone", call, invitation, need_id=need.id)
    return undone


def _locked(session: UnitOfWork, actor: Actor, uid: str) -> tuple[Invitation, Call]:
    """The invitation and its call, practice and doctor locked, as they stand now."""
    invitation = call_queries.invitation_of(session, uid)
    known = session.get_one(Call, invitation.call_id)
    require(actor, Action.NEED_CLAIM, Subject(known.practice_id, invitation.doctor_id))
    assignments.hold(session, known.practice_id, [invitation.doctor_id])
    call = call_waves.held(session, known)
    return next(row for row in call.invitations if row.id == invitation.id), call


def _require_open(call: Call) -> None:
    if call.state is not CallState.SENT:
        raise Conflict("call_over")


def _need_of(session: UnitOfWork, call: Call, need_id: int) -> Need:
    if need_id not in {day.need_id for day in call.days}:
        raise NotFound("need_not_found")
    return session.get_one(Need, need_id)


def _tell(session: UnitOfWork, actor: Actor, call: Call, taken: Assignment) -> None:
    outbox.post(
        session,
        cause=f"call.answered:{taken.id}",
        recipient_ids=assignments.titulars_of(session, call.practice_id) - {actor.user_id},
        kind="call.answered",
        call_id=call.id,
        assignment_id=taken.id,
    )


def _note(
    session: UnitOfWork,
    actor: Actor,
    action: str,
    call: Call,
    invitation: Invitation,
    *,
    need_id: int | None,
) -> None:
    call_waves.note(
        session,
        actor,
        action,
        call,
        invitation_id=invitation.id,
        need_id=need_id,
        via="call link",
    )
