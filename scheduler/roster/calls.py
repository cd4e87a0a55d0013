"""Calls for volunteers (« appels à compléter »), as the people of a practice decide on them.

The worker prepares a call; a titular sends it, to whom they choose of those who could come. The
waves then leave by themselves (`call_work`), and doctors answer by their own link
(`call_answers`).
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from scheduler.core.database import UnitOfWork
from scheduler.core.errors import Conflict, InvalidInput, NotFound
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.people.models import Practice
from scheduler.roster import assignments, call_queries, call_waves
from scheduler.roster.call_rules import LONGEST_MESSAGE, after_quiet, is_quiet
from scheduler.roster.models import Call, CallDay, Invitation, Need
from scheduler.roster.rules import CallState, InvitationState


def send(
    session: UnitOfWork,
    actor: Actor,
    call_id: int,
    doctor_ids: Collection[int],
    message: str = "",
) -> Call:
    """Send a prepared call to these of its doctors, with a few words that stand on its page.

    The first wave leaves at once, or in the morning after the quiet hours. Raises `InvalidInput`
    for nobody and for words too long, `Conflict` for a call that was sent or dismissed already,
    or whose days are filled.
    """
    message = message.replace("\r\n", "\n").strip()
    if len(message) > LONGEST_MESSAGE:
        raise InvalidInput("call_message_too_long", field="message", most=LONGEST_MESSAGE)
    call = _locked(session, actor, call_id, Action.CALL_SEND)
    if call.state is not CallState.PREPARED:
        raise Conflict("call_decided")
    if not any(day.is_open for day in call_queries.days_of(session, [call])[call.id]):
        raise Conflict("call_days_filled")
    chosen = [row for row in call.invitations if row.doctor_id in set(doctor_ids)]
    if not chosen:
        raise InvalidInput("call_nobody", field="doctor")
    now = session.now()
    for invitation in call.invitations:
        if invitation not in chosen:
            invitation.state, invitation.ended_at = InvitationState.OBSOLETE, now
    call.state, call.message = CallState.SENT, message
    call.sent_by, call.sent_at = actor.user_id, now
    session.flush()
    call_waves.note(
        session, actor, "call.sent", call, doctors=sorted(row.doctor_id for row in chosen)
    )
    _next_wave(session, actor, call)
    return call


def send_next_wave(
    session: UnitOfWork, actor: Actor, call_id: int, *, after: int | None = None
) -> Call:
    """Send the next wave now, or in the morning after the quiet hours.

    `after` is the last wave that the actor saw leave: where another has left since, somebody was
    first or the command is repeated, and nothing is sent. Raises `Conflict` for a call that is
    not under way, or has no other wave.
    """
    call = _locked(session, actor, call_id, Action.CALL_SEND)
    if after is not None and call.wave != after:
        return call
    if call.state is not CallState.SENT:
        raise Conflict("call_over")
    if not call.has_other_wave:
        raise Conflict("call_no_other_wave")
    _next_wave(session, actor, call)
    return call


def stop(session: UnitOfWork, actor: Actor, call_id: int) -> Call:
    """End a call under way: nobody else is asked, and who has not answered is told. What has
    ended stays as it is."""
    call = _locked(session, actor, call_id, Action.CALL_SEND)
    if call.state is CallState.SENT:
        call_waves.finish(session, actor, call, CallState.ENDED)
    return call


def dismiss(session: UnitOfWork, actor: Actor, call_id: int) -> Call:
    """Leave a prepared call unsent; doing so twice changes nothing.

    It is prepared again only when the week's days, or who could come, have changed.
    """
    call = _locked(session, actor, call_id, Action.CALL_SEND)
    if call.state is CallState.DISMISSED:
        return call
    if call.state is not CallState.PREPARED:
        raise Conflict("call_decided")
    call.state, call.ended_at = CallState.DISMISSED, session.now()
    session.flush()
    call_waves.note(session, actor, "call.dismissed", call)
    return call


def restore(session: UnitOfWork, actor: Actor, call_id: int) -> Call:
    """Take a dismissal back. Raises `Conflict` when the week has another call by now, or its days
    are filled or over."""
    call = _locked(session, actor, call_id, Action.CALL_SEND)
    if call.state is CallState.PREPARED:
        return call
    if call.state is not CallState.DISMISSED:
        raise Conflict("call_decided")
    another = session.scalar(
        sa.select(Call.id).where(
            Call.practice_id == call.practice_id,
            Call.monday == call.monday,
            Call.state.in_(call_queries.OPEN_STATES),
            ~Call.urgent,
        )
    )
    if another is not None:
        raise Conflict("call_replaced")
    if not any(day.is_open for day in call_queries.days_of(session, [call])[call.id]):
        raise Conflict("call_days_filled")
    call.state, call.ended_at = CallState.PREPARED, None
    session.flush()
    call_waves.note(session, actor, "call.restored", call)
    return call


def call_at_once(session: UnitOfWork, actor: Actor, practice: Practice, need: Need) -> Call:
    """Call for a day that has just lost its doctor: prepared and sent in one, at any hour.

    The first wave leaves now, each other a quarter of an hour after the one before it. Calling
    twice for one day is calling once. Raises `Conflict` for a withdrawn need or one that somebody
    has, `RuleBroken` for a past one.
    """
    require(actor, Action.ABSENCE_DECLARE, Subject(practice.id, actor.user_id))
    assignments.hold(session, practice.id, [])
    first = assignments.holder_of(session, need.id)
    if first is not None:
        raise assignments.taken_error(first)
    under_way = call_queries.whole(
        session,
        sa.select(Call)
        .join(Call.days)
        .where(CallDay.need_id == need.id, Call.urgent, Call.state == CallState.SENT),
    )
    if under_way:
        return under_way[0]
    invitees = call_waves.ranked(session, practice, [need])
    made = call_waves.prepare(session, practice, [need], invitees, urgent=True)
    call = call_waves.held(session, made)
    call.state = CallState.SENT
    call.sent_by, call.sent_at = actor.user_id, session.now()
    session.flush()
    call_waves.note(session, actor, "call.sent", call)
    call_waves.send_next(session, actor, call)
    return call


def _next_wave(session: UnitOfWork, actor: Actor, call: Call) -> list[Invitation]:
    now, timezone = session.now(), call.practice.timezone
    if is_quiet(now, timezone) and not call.urgent:
        call.next_wave_at = after_quiet(now, timezone)
        session.flush()
        return []
    return call_waves.send_next(session, actor, call)


def _locked(session: UnitOfWork, actor: Actor, call_id: int, action: Action) -> Call:
    """A call of a practice in which the actor may do this, locked, as it stands now."""
    call = session.get(Call, call_id)
    if call is None or not (actor.is_system or actor.roles_in(call.practice_id)):
        raise NotFound("call_not_found")
    require(actor, action, Subject(call.practice_id))
    return call_waves.held(session, call)
