"""Taking days: one, several at once, and undoing it within minutes.

Every door (board, panel, call, calendar) ends in `assignments.place`; this is the one that a
doctor walks through by their own will.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from scheduler.core.database import UnitOfWork
from scheduler.core.errors import Conflict, NotFound, RelaisError, RuleBroken
from scheduler.core.permissions import Action, Actor, Subject, require
from scheduler.people.models import User
from scheduler.roster import assignments, call_undone
from scheduler.roster.models import Ask, Assignment, Need
from scheduler.roster.rules import (
    CLAIM_SOURCES,
    AssignmentSource,
    AssignmentState,
    ReleaseKind,
)

UNDO: Final = dt.timedelta(minutes=10)
# What was taken by a swap is given back as one, to whom it came from.
_UNDOABLE: Final = frozenset(
    {
        *CLAIM_SOURCES,
        AssignmentSource.CALL,
        AssignmentSource.ASK,
        AssignmentSource.PHONE,
    }
)


@dataclass(frozen=True, slots=True)
class Several:
    """What came of claiming several days: those taken, and why each of the others was not."""

    taken: list[Assignment] = field(default_factory=list)
    refused: dict[int, RelaisError] = field(default_factory=dict)


def claim(
    session: UnitOfWork,
    actor: Actor,
    need_id: int,
    *,
    doctor_id: int | None = None,
    passing: Collection[str] = (),
    source: AssignmentSource = AssignmentSource.CLAIM,
    key: str | None = None,
) -> Assignment:
    """Take a need for a doctor: the actor, or `doctor_id` who agreed on the telephone.

    Acting for somebody else is recorded as such, and the doctor is told. Taking again what the
    doctor has already changes nothing. `passing` are the codes of the doctor's own limits that
    they agree to pass. `source` is the doctor's own door, one of `CLAIM_SOURCES`. `key` names
    this command among all of the doctor's: the same key for the same need is carried out once,
    even when the day has been given back since. Raises `Conflict` when somebody was first, the
    need was withdrawn, or the command is an old one repeated, and `RuleBroken` naming the rule
    that forbids it.
    """
    need = session.get(Need, need_id)
    if need is None or not (actor.is_system or actor.roles_in(need.practice_id)):
        raise NotFound("need_not_found")
    doctor_id = doctor_id if doctor_id is not None else actor.user_id
    own = doctor_id == actor.user_id
    if own:
        require(actor, Action.NEED_CLAIM, Subject(need.practice_id, doctor_id))
    else:
        require(actor, Action.ASSIGNMENT_GIVE, Subject(need.practice_id))
    doctor = session.get(User, doctor_id)
    if doctor is None:
        raise NotFound("doctor_not_found")
    assignments.hold(session, need.practice_id, [doctor.id])
    claim_key = None if key is None else _claim_key(doctor.id, need.id, key)
    repeated = _claimed_with(session, claim_key)
    if repeated is not None:
        return repeated
    before = assignments.holder_of(session, need.id)
    is_new = before is None or before.tentative
    taken = assignments.place(
        session,
        actor,
        need,
        doctor,
        source=source if own else AssignmentSource.PHONE,
        passing=passing,
        agreed=not own,
        claim_key=claim_key,
    )
    if is_new and not own:
        assignments.tell(session, "assignment.given", taken, [doctor.id], actor)
    return taken


def claim_several(
    session: UnitOfWork,
    actor: Actor,
    need_ids: Iterable[int],
    *,
    passing: Collection[str] = (),
    source: AssignmentSource = AssignmentSource.CLAIM,
    key: str | None = None,
) -> Several:
    """Take every one of these needs that is free, in order of date; the others are told apart.

    `passing`, `source` and `key` are those of `claim`.

    Raises `NotFound` where one is not there, or not the actor's to see; every other error stands
    in the result beside the need it concerns.
    """
    doctor = None if actor.user_id is None else session.get(User, actor.user_id)
    if doctor is None:
        raise NotFound("doctor_not_found")
    wanted = set(need_ids)
    needs = list(
        session.scalars(
            sa.select(Need).where(Need.id.in_(wanted)).order_by(Need.date, Need.period, Need.id)
        )
    )
    if len(needs) < len(wanted) or any(not actor.roles_in(need.practice_id) for need in needs):
        raise NotFound("need_not_found")
    several = Several()
    allowed: list[Need] = []
    for need in needs:
        try:
            require(actor, Action.NEED_CLAIM, Subject(need.practice_id, doctor.id))
        except RelaisError as error:
            several.refused[need.id] = error
        else:
            allowed.append(need)
    assignments.hold(session, {need.practice_id for need in allowed}, [doctor.id])
    for need in allowed:
        try:
            claim_key = None if key is None else _claim_key(doctor.id, need.id, key)
            taken = _claimed_with(session, claim_key) or assignments.place(
                session,
                actor,
                need,
                doctor,
                source=source,
                passing=passing,
                claim_key=claim_key,
            )
        except RelaisError as error:
            several.refused[need.id] = error
        else:
            several.taken.append(taken)
    return several


def _claim_key(doctor_id: int, need_id: int, key: str) -> str:
    return hashlib.sha256(f"{doctor_id}\n{need_id}\n{key}".encode()).hexdigest()


def _claimed_with(session: UnitOfWork, claim_key: str | None) -> Assignment | None:
    """What a command did when it first came; `Conflict` where that has been undone since."""
    if claim_key is None:
        return None
    done = session.scalars(
        sa.select(Assignment)
        .where(Assignment.claim_key == claim_key)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if done is not None and done.state is AssignmentState.RELEASED:
        raise Conflict("claim_repeated", date=done.date)
    return done


def undo_until(assignment: Assignment) -> dt.datetime:
    """The last moment at which taking the day can be undone."""
    return assignment.created_at + UNDO


def may_undo(session: UnitOfWork, actor: Actor, assignment: Assignment) -> bool:
    """Whether the actor may still undo that the day was taken.

    A day that came back to its doctor was taken long before: undoing it would go round the lock
    date.
    """
    return (
        actor.user_id is not None
        and assignment.predecessor_id is None
        and actor.user_id in (assignment.doctor_id, assignment.created_by)
        and assignment.source in _UNDOABLE
        and not assignment.tentative
        and assignment.state in (AssignmentState.HELD, AssignmentState.CONFIRMED)
        and session.now() <= undo_until(assignment)
    )


def undo(session: UnitOfWork, actor: Actor, assignment_id: int) -> Assignment:
    """Undo that a day was taken, within `UNDO`, as if it had never been; undoing twice is once.

    The doctor undoes it, or whoever took it for them. It counts in no statistics. Who was told
    that the day was taken is told that it is not. Raises
    `Conflict` for a day that is no longer theirs, `RuleBroken` when it is too late.
    """
    assignment = assignments.visible(session, actor, assignment_id)
    if actor.user_id != assignment.created_by:
        require(actor, Action.NEED_CLAIM, Subject(assignment.practice_id, assignment.doctor_id))
    assignments.hold(session, assignment.practice_id, [assignment.doctor_id])
    session.refresh(assignment)
    if assignment.state is AssignmentState.RELEASED:
        if assignment.release_kind is ReleaseKind.UNDONE:
            return assignment
        raise Conflict("already_released", date=assignment.date)
    if not may_undo(session, actor, assignment):
        raise RuleBroken("undo_too_late", date=assignment.date)
    assignments.end(session, actor, assignment, ReleaseKind.UNDONE)
    if assignment.source is AssignmentSource.CALL:
        call_undone.reopen(session, assignment)
    told = _heard_of(session, assignment)
    assignments.tell(session, "assignment.released", assignment, told, actor)
    return assignment


def _heard_of(session: UnitOfWork, assignment: Assignment) -> set[int]:
    """Who was told that a day was taken, or acted in it, and so is told that it was undone."""
    return assignments.waiting_for(session, assignment) | _party_to(session, assignment)


def _party_to(session: UnitOfWork, assignment: Assignment) -> set[int]:
    if assignment.source is AssignmentSource.CALL:
        return assignments.titulars_of(session, assignment.practice_id)
    if assignment.source is AssignmentSource.ASK:
        return set(
            session.scalars(sa.select(Ask.asked_by).where(Ask.assignment_id == assignment.id))
        )
    if assignment.source is AssignmentSource.PHONE:
        both = (assignment.doctor_id, assignment.created_by)
        return {user_id for user_id in both if user_id is not None}
    return set()
