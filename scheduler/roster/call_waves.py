"""Calls on their way: preparing one, sending its waves, ending it.

The callers hold the practice (`assignments.hold`), so that there is one call at a time for a week
and every day is as it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from scheduler.core import audit, outbox
from scheduler.core.database import UnitOfWork
from scheduler.core.permissions import SYSTEM, Actor
from scheduler.people.models import Practice
from scheduler.roster import assignments, call_queries, legality
from scheduler.roster.call_rules import Invitee, merged, next_wave_at
from scheduler.roster.candidates import who_could_come
from scheduler.roster.models import Call, CallDay, Invitation, InvitationDay, Need
from scheduler.roster.rules import CallState, InvitationState, Wave, monday_of
from scheduler.roster.standing import openings, standings


def held(session: UnitOfWork, call: Call) -> Call:
    """The call, its practice and its row locked, with days and invitations as they stand now."""
    assignments.hold(session, call.practice_id, [])
    (found,) = call_queries.whole(session, sa.select(Call).where(Call.id == call.id), lock=True)
    return found


def ranked(session: UnitOfWork, practice: Practice, needs: Iterable[Need]) -> list[Invitee]:
    """Who could take these open needs, in the order in which a call asks them."""
    return merged({need.id: who_could_come(session, SYSTEM, practice, need) for need in needs})


def prepare(
    session: UnitOfWork,
    practice: Practice,
    needs: Sequence[Need],
    invitees: Sequence[Invitee],
    *,
    urgent: bool = False,
) -> Call:
    """A new call for open needs of one week. Who was asked about all they could take is left
    out."""
    call = Call(
        practice_id=practice.id,
        monday=monday_of(needs[0].date),
        urgent=urgent,
        prepared_at=session.now(),
        days=[CallDay(need_id=need.id) for need in needs],
        invitations=[],
    )
    session.add(call)
    session.flush()
    _invite(session, call, invitees)
    session.flush()
    note(session, SYSTEM, "call.prepared", call, needs=sorted(need.id for need in needs))
    return call


def refresh(
    session: UnitOfWork, call: Call, needs: Sequence[Need], invitees: Sequence[Invitee]
) -> bool:
    """Bring a call that is only prepared up to date; whether anything had changed."""
    asked = call_queries.asked_before(session, call)
    wanted = [_signature(one) for one in _unasked(invitees, asked)]
    known = [
        (
            row.doctor_id,
            row.wave,
            frozenset((day.need_id, day.preference) for day in row.days),
        )
        for row in call.invitations
    ]
    if wanted == known and {day.need_id for day in call.days} == {need.id for need in needs}:
        return False
    call.days.clear()
    call.invitations.clear()
    call.prepared_at = session.now()
    # The old rows go before the new ones come: a doctor and a need stand in a call once.
    session.flush()
    call.days.extend(CallDay(need_id=need.id) for need in needs)
    session.flush()
    _invite(session, call, invitees)
    session.flush()
    return True


def send_next(session: UnitOfWork, actor: Actor, call: Call) -> list[Invitation]:
    """Send the waves that are next until one reaches somebody; returns who is asked.

    Whoever can no longer come is not asked any more. A wave that reaches nobody takes no time:
    where it was the last one, there is nobody to wait for.
    """
    now, practice = session.now(), call.practice
    needs = _open_needs(session, call)
    able = {one.doctor_id: one.need_ids for one in ranked(session, practice, needs)}
    asked = call_queries.asked_before(session, call)
    reached: list[Invitation] = []
    while not reached and call.wave < Wave.TITULARS:
        call.wave += 1
        for invitation in call.invitations:
            if invitation.state is not InvitationState.WAITING or invitation.wave != call.wave:
                continue
            doctor_id = invitation.doctor_id
            could = able.get(doctor_id, frozenset()) & {day.need_id for day in invitation.days}
            free = [need for need in needs if need.id in could]
            if could <= asked.get(doctor_id, set()) or not _allowed(session, free, doctor_id):
                _end(session, invitation, InvitationState.OBSOLETE)
                continue
            invitation.state, invitation.sent_at = InvitationState.SENT, now
            reached.append(invitation)
    hours, timezone = practice.call_wave_hours, practice.timezone
    then = next_wave_at(now, timezone, hours, urgent=call.urgent)
    call.next_wave_at = then if reached else now
    session.flush()
    for invitation in reached:
        kind = "call.urgent" if call.urgent else "call.invited"
        _tell(session, kind, invitation)
    doctors = [invitation.doctor_id for invitation in reached]
    note(session, actor, "call.wave", call, wave=call.wave, doctors=doctors)
    return reached


def tell_unanswered(session: UnitOfWork, call: Call) -> None:
    """Tell the titulars, once, that everybody was asked and had their time, and days are open."""
    call.next_wave_at = None
    session.flush()
    kind = "call.urgent_unanswered" if call.urgent else "call.unanswered"
    outbox.post(
        session,
        cause=f"{kind}:{call.id}",
        recipient_ids=assignments.titulars_of(session, call.practice_id),
        kind=kind,
        call_id=call.id,
    )
    note(session, SYSTEM, "call.unanswered", call)


def finish(
    session: UnitOfWork, actor: Actor, call: Call, state: CallState, *, quietly: bool = False
) -> None:
    """End a call: nobody is asked any more, and who was and has not answered is told once,
    unless it ends `quietly`."""
    call.state, call.ended_at, call.next_wave_at = state, session.now(), None
    unanswered = []
    for invitation in call.invitations:
        if invitation.state is InvitationState.SENT:
            unanswered.append(invitation)
        if invitation.state in (InvitationState.SENT, InvitationState.WAITING):
            _end(session, invitation, InvitationState.OBSOLETE)
    session.flush()
    if not quietly:
        for invitation in unanswered:
            _tell(session, "call.filled", invitation)
    note(session, actor, f"call.{state.value}", call)


def note(session: UnitOfWork, actor: Actor, action: str, call: Call, **details: Any) -> None:
    """Record an audit event about a call. What people typed stays out of it."""
    audit.record(session, actor, action, "call", call.id, practice_id=call.practice_id, **details)


def _invite(session: UnitOfWork, call: Call, invitees: Sequence[Invitee]) -> None:
    """Write the invitations of a call that has none, in the order given."""
    for rank, one in enumerate(_unasked(invitees, call_queries.asked_before(session, call)), 1):
        call.invitations.append(
            Invitation(
                doctor_id=one.doctor_id,
                wave=int(one.wave),
                rank=rank,
                preference=one.preference,
                half_days=one.half_days,
                days=[
                    InvitationDay(need_id=need_id, preference=preference)
                    for need_id, preference in one.days
                ],
            )
        )


def _unasked(invitees: Iterable[Invitee], asked: dict[int, set[int]]) -> list[Invitee]:
    return [one for one in invitees if not one.need_ids <= asked.get(one.doctor_id, set())]


def _signature(one: Invitee) -> tuple[int, int, frozenset[tuple[int, Any]]]:
    return one.doctor_id, int(one.wave), frozenset(one.days)


def _open_needs(session: UnitOfWork, call: Call) -> list[Need]:
    return [day.need for day in call_queries.days_of(session, [call])[call.id] if day.is_open]


def _allowed(session: UnitOfWork, needs: Sequence[Need], doctor_id: int) -> bool:
    """Whether the law and the practice let a doctor take one of these needs."""
    if not needs:
        return False
    dates = [need.date for need in needs]
    practice_id = needs[0].practice_id
    found = openings(session, needs)
    known = standings(session, doctor_id, [practice_id], min(dates), max(dates))[practice_id]
    return any(
        all(refusal.own for refusal in legality.check(found[need.id], known)) for need in needs
    )


def _end(session: UnitOfWork, invitation: Invitation, state: InvitationState) -> None:
    invitation.state, invitation.ended_at = state, session.now()


def _tell(session: UnitOfWork, kind: str, invitation: Invitation) -> None:
    outbox.post(
        session,
        cause=f"{kind}:{invitation.id}",
        recipient_ids=[invitation.doctor_id],
        kind=kind,
        invitation_id=invitation.id,
    )
