"""Giving days back: freely, with a titular's consent, or in an emergency.

How late it is decides: before the practice's lock date the doctor is free; after it a titular is
asked; on the day itself everybody is alerted.
"""

from __future__ import annotations

import datetime as dt
import enum
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from scheduler.core import audit, outbox
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import Conflict, InvalidInput, NotFound, RuleBroken
from scheduler.core.permissions import SYSTEM, Action, Actor, Role, Subject, require
from scheduler.people.models import Practice
from scheduler.roster import assignments
from scheduler.roster.models import Assignment, Need, ReleaseRequest
from scheduler.roster.rules import AssignmentState, ReleaseKind, RequestState
from scheduler.roster.texts import reason_of

BATCH: Final = 200


class Notice(enum.StrEnum):
    """How late a day is given back."""

    EARLY = "early"
    LATE = "late"
    SAME_DAY = "same_day"


def notice_of(practice: Practice, date: dt.date, today: dt.date) -> Notice:
    """How late it is today to give back a day: late from `lock_days` before it on."""
    ahead = (date - today).days
    if ahead <= 0:
        return Notice.SAME_DAY
    return Notice.LATE if ahead < practice.lock_days else Notice.EARLY


def release(
    session: UnitOfWork,
    actor: Actor,
    assignment_id: int,
    reason: str = "",
    *,
    on_behalf: bool = False,
) -> Assignment:
    """Give a day back: the need is free again, and the assignment stays as history.

    Doctors release their own days; a titular frees anybody's and says why; a secretary or
    titular acts `on_behalf` of a doctor on the telephone. After the lock date a doctor needs a
    titular: `RuleBroken` says so, and `request_release` asks. On the day itself it is an
    emergency, of which everybody in the practice is told. Whom it concerns is told: the doctor,
    or the titulars of the practice.
    """
    assignment = assignments.visible(session, actor, assignment_id)
    require(actor, Action.ASSIGNMENT_RELEASE, Subject(assignment.practice_id, assignment.doctor_id))
    reason = reason_of(reason)
    own = assignment.doctor_id == actor.user_id
    titular = actor.is_system or Role.TITULAR in actor.roles_in(assignment.practice_id)
    if not (own or titular):
        # Whoever is no titular only ever passes on what a doctor asked for.
        on_behalf = True
    if not (own or on_behalf or reason):
        raise InvalidInput("reason_required", field="reason")
    practice, notice = _standing(session, assignment)
    freely = notice is Notice.EARLY or assignment.state is AssignmentState.HELD
    if own or on_behalf:
        if notice is Notice.SAME_DAY:
            kind = ReleaseKind.EMERGENCY
        elif freely or titular:
            kind = ReleaseKind.EARLY if freely else ReleaseKind.GRANTED
        else:
            raise RuleBroken("release_needs_titular", date=assignment.date, days=practice.lock_days)
    else:
        kind = ReleaseKind.TAKEN_AWAY
    assignments.end(session, actor, assignment, kind, reason)
    told = {assignment.doctor_id} if not own else set()
    if own or on_behalf:
        told |= assignments.titulars_of(session, practice.id)
    if kind is ReleaseKind.EMERGENCY:
        everybody = assignments.members_with(session, practice.id, set(Role) - {Role.VIEWER})
        assignments.tell(
            session,
            "assignment.emergency",
            assignment,
            everybody - {assignment.doctor_id},
            actor,
        )
        told &= {assignment.doctor_id}
    assignments.tell(session, "assignment.released", assignment, told, actor)
    return assignment


def request_release(
    session: UnitOfWork,
    actor: Actor,
    assignment_id: int,
    reason: str,
    *,
    on_behalf: bool = False,
) -> ReleaseRequest:
    """Ask the titulars to be released from a day after its lock date, and say why.

    Doctors ask for their own days, a secretary or titular `on_behalf` of a doctor on the
    telephone. The titulars are told. Raises `Conflict` while a request about the day is open,
    and `RuleBroken` where none is needed.
    """
    assignment = assignments.visible(session, actor, assignment_id)
    require(actor, Action.ASSIGNMENT_RELEASE, Subject(assignment.practice_id, assignment.doctor_id))
    if assignment.doctor_id != actor.user_id and not on_behalf:
        raise InvalidInput("on_behalf_required", field="on_behalf")
    reason = reason_of(reason)
    if not reason:
        raise InvalidInput("release_reason_required", field="reason")
    _practice, notice = _standing(session, assignment)
    if notice is not Notice.LATE or assignment.state is AssignmentState.HELD:
        raise RuleBroken("release_needs_nobody", date=assignment.date)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    request = session.scalars(
        insert(ReleaseRequest)
        .values(
            practice_id=assignment.practice_id,
            assignment_id=assignment.id,
            doctor_id=assignment.doctor_id,
            reason=reason,
            state=RequestState.OPEN,
            requested_by=actor.user_id,
            requested_at=session.now(),
        )
        .on_conflict_do_nothing()
        .returning(ReleaseRequest)
    ).one_or_none()
    if request is None:
        raise Conflict("release_requested_already", date=assignment.date)
    _note(session, actor, "release.requested", request)
    told = assignments.titulars_of(session, request.practice_id)
    _tell(session, "release.requested", request, told, actor)
    return request


def grant(session: UnitOfWork, actor: Actor, request_id: int) -> Assignment:
    """Release the doctor, who is told. Granting twice changes nothing."""
    request, assignment = _decidable(session, actor, request_id, RequestState.GRANTED)
    if request.state is RequestState.OPEN:
        _finish(session, actor, request, RequestState.GRANTED)
        assignments.end(session, actor, assignment, ReleaseKind.GRANTED, request.reason)
        _tell(session, "release.granted", request, _askers(request), actor)
    return assignment


def refuse_request(
    session: UnitOfWork, actor: Actor, request_id: int, note: str = ""
) -> ReleaseRequest:
    """Leave the day with the doctor, who is told, with a word of the titular or without."""
    note = reason_of(note, "note")
    request, _assignment = _decidable(session, actor, request_id, RequestState.REFUSED)
    if request.state is RequestState.OPEN:
        request.answer_note = note or None
        _finish(session, actor, request, RequestState.REFUSED)
        _tell(session, "release.refused", request, _askers(request), actor)
    return request


def withdraw_request(session: UnitOfWork, actor: Actor, request_id: int) -> ReleaseRequest:
    """Take back an open request: the doctor comes after all. What has ended stays as it is."""
    request = _request(session, actor, request_id)
    require(actor, Action.ASSIGNMENT_RELEASE, Subject(request.practice_id, request.doctor_id))
    assignments.hold(session, request.practice_id, [request.doctor_id])
    session.refresh(request)
    if request.state is RequestState.OPEN:
        _finish(session, actor, request, RequestState.WITHDRAWN)
    return request


def open_requests(session: Session, practice_id: int) -> list[ReleaseRequest]:
    """The requests of a practice that wait for a titular, the nearest day first, with doctor,
    need and room."""
    return list(
        session.scalars(
            sa.select(ReleaseRequest)
            .join(ReleaseRequest.assignment)
            .where(
                ReleaseRequest.practice_id == practice_id,
                ReleaseRequest.state == RequestState.OPEN,
            )
            .options(
                joinedload(ReleaseRequest.doctor),
                joinedload(ReleaseRequest.assignment)
                .joinedload(Assignment.need)
                .joinedload(Need.room),
            )
            .order_by(Assignment.date, ReleaseRequest.id)
        )
    )


def open_request_on(session: Session, assignment_id: int) -> ReleaseRequest | None:
    """The open request about an assignment, if there is one."""
    return session.scalars(
        sa.select(ReleaseRequest).where(
            ReleaseRequest.assignment_id == assignment_id,
            ReleaseRequest.state == RequestState.OPEN,
        )
    ).one_or_none()


def lapse_past(session: UnitOfWork) -> int:
    """End the requests about days that are over, where their practice is; at most `BATCH`."""
    ended = 0
    for timezone in session.scalars(sa.select(Practice.timezone).distinct()).all():
        today = local_date(session.now(), timezone)
        past = session.scalars(
            sa.select(ReleaseRequest)
            .join(ReleaseRequest.assignment)
            .join(ReleaseRequest.practice)
            .where(
                ReleaseRequest.state == RequestState.OPEN,
                Assignment.date < today,
                Practice.timezone == timezone,
            )
            .order_by(ReleaseRequest.id)
            .limit(BATCH)
            .with_for_update(of=ReleaseRequest, skip_locked=True)
        ).all()
        for request in past:
            _finish(session, SYSTEM, request, RequestState.LAPSED)
        ended += len(past)
    return ended


def _standing(session: UnitOfWork, assignment: Assignment) -> tuple[Practice, Notice]:
    """Lock an assignment that is still to come, and tell how late it is for it."""
    assignments.hold(session, assignment.practice_id, [assignment.doctor_id])
    session.refresh(assignment)
    practice = session.get_one(Practice, assignment.practice_id)
    today = local_date(session.now(), practice.timezone)
    if assignment.state is AssignmentState.RELEASED:
        raise Conflict("already_released", date=assignment.date)
    if assignment.date < today or assignment.state is AssignmentState.DONE:
        raise RuleBroken("assignment_past", date=assignment.date)
    return practice, notice_of(practice, assignment.date, today)


def _request(session: UnitOfWork, actor: Actor, request_id: int) -> ReleaseRequest:
    request = session.get(ReleaseRequest, request_id)
    if request is None or not (actor.is_system or actor.roles_in(request.practice_id)):
        raise NotFound("release_request_not_found")
    return request


def _decidable(
    session: UnitOfWork, actor: Actor, request_id: int, already: RequestState
) -> tuple[ReleaseRequest, Assignment]:
    """A request that the actor may decide on, locked: an open one, or one that is `already` so."""
    request = _request(session, actor, request_id)
    require(actor, Action.RELEASE_DECIDE, Subject(request.practice_id))
    assignments.hold(session, request.practice_id, [request.doctor_id])
    session.refresh(request)
    assignment = session.get_one(Assignment, request.assignment_id, populate_existing=True)
    if request.state not in (RequestState.OPEN, already):
        raise Conflict("release_request_ended", date=assignment.date)
    return request, assignment


def _askers(request: ReleaseRequest) -> set[int]:
    return {request.doctor_id, request.requested_by}


def _finish(
    session: UnitOfWork, actor: Actor, request: ReleaseRequest, state: RequestState
) -> None:
    request.state, request.ended_at, request.ended_by = state, session.now(), actor.user_id
    session.flush()
    _note(session, actor, f"release.{state.value}", request)


def _note(session: UnitOfWork, actor: Actor, action: str, request: ReleaseRequest) -> None:
    audit.record(
        session,
        actor,
        action,
        "release_request",
        request.id,
        practice_id=request.practice_id,
        assignment_id=request.assignment_id,
        doctor_id=request.doctor_id,
    )


def _tell(
    session: UnitOfWork, kind: str, request: ReleaseRequest, told: set[int], actor: Actor
) -> None:
    outbox.post(
        session,
        cause=f"{kind}:{request.id}",
        recipient_ids=[user_id for user_id in told if user_id != actor.user_id],
        kind=kind,
        assignment_id=request.assignment_id,
        request_id=request.id,
    )
