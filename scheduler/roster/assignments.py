"""The one door to the table of assignments: putting a doctor on a need, and taking one off.

Use cases stand in `claiming`, `holding`, `releasing`, `swaps` and their like. They check
permission, lock with `hold`, and then call `place` and `end`, which write the row, its audit
event, and what has to end with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import joinedload

from scheduler.core import audit, outbox
from scheduler.core.clock import local_date, local_instant
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import Conflict, NotFound, RuleBroken
from scheduler.core.permissions import Actor, Role
from scheduler.people.models import ClaimPolicy, Member, Practice, User
from scheduler.roster import ask_endings, legality, lost_days
from scheduler.roster.ask_rules import lift_of
from scheduler.roster.legality import Lift, Refusal
from scheduler.roster.models import Ask, Assignment, Need, ReleaseRequest, Swap
from scheduler.roster.rules import (
    CLAIM_SOURCES,
    AssignmentSource,
    AssignmentState,
    NeedState,
    Period,
    ReleaseKind,
    RequestState,
    SwapState,
)
from scheduler.roster.standing import openings, standings

_ACCEPTED: Final = "assignment.accepted"
_CLAIMED: Final = "assignment.claimed"
# What a practice's policy may hold: in every other case a titular has spoken already, or somebody
# must be there at once.
_HOLDABLE: Final = CLAIM_SOURCES | {AssignmentSource.PHONE}


def visible(session: UnitOfWork, actor: Actor, assignment_id: int) -> Assignment:
    """An assignment of a practice that the actor belongs to; else `NotFound`."""
    assignment = session.get(Assignment, assignment_id)
    if assignment is None or not (actor.is_system or actor.roles_in(assignment.practice_id)):
        raise NotFound("assignment_not_found")
    return assignment


def holder_of(session: UnitOfWork, need_id: int) -> Assignment | None:
    """The active assignment of a need, with its doctor, as it stands now."""
    return session.scalars(
        sa.select(Assignment)
        .where(Assignment.need_id == need_id, Assignment.state != AssignmentState.RELEASED)
        .options(joinedload(Assignment.doctor))
        .execution_options(populate_existing=True)
    ).one_or_none()


def taken_error(first: Assignment) -> Conflict:
    """What is said to whoever comes second: who was first."""
    return Conflict("need_taken", who=first.doctor.name, date=first.date)


def hold(session: UnitOfWork, practice_ids: int | Iterable[int], doctor_ids: Iterable[int]) -> None:
    """Lock practices and then some doctors, in the order that everybody follows.

    What is read of their needs and assignments from here on stays true until the commit.
    """
    numbers = {practice_ids} if isinstance(practice_ids, int) else set(practice_ids)
    practices = sa.select(Practice).where(Practice.id.in_(numbers)).order_by(Practice.id)
    lock_rows(session, *session.scalars(practices))
    users = sa.select(User).where(User.id.in_(set(doctor_ids))).order_by(User.id)
    lock_rows(session, *session.scalars(users))


def place(
    session: UnitOfWork,
    actor: Actor,
    need: Need,
    doctor: User,
    *,
    source: AssignmentSource,
    passing: Collection[str] = (),
    answering: Ask | None = None,
    agreed: bool = False,
    predecessor: Assignment | None = None,
    state: AssignmentState | None = None,
    held_until: dt.datetime | None = None,
    tentative: bool = False,
    claim_key: str | None = None,
) -> Assignment:
    """Put a doctor on a need after every check, and return the assignment, flushed.

    The caller has checked permission and called `hold` for the practice and the doctor. A
    doctor who stands on the need already keeps the assignment there is; one that was held
    tentatively for them becomes theirs as if they took it now. `passing` are the codes
    of the doctor's own limits that they agree to pass for this day; `answering` is the question
    that the doctor says yes to, which lifts the limit it speaks of; `agreed` says that the
    doctor's yes was heard elsewhere, which lifts nothing. `predecessor` is the colleague's
    assignment that the day comes from. Without a `state`, the practice's policy decides whether
    the day is confirmed or held for a titular's word; a `state` of held says until when.
    `tentative` holds it for a doctor who may come. Every open question about the need ends, but
    for a tentative hold.
    When it raises (`Conflict` or `RuleBroken`), nothing was written and the session can be used
    further.
    """
    need = _current_need(session, need.id)
    practice = need.practice
    today = local_date(session.now(), practice.timezone)
    if need.state is not NeedState.PUBLISHED:
        raise Conflict("need_withdrawn", date=need.date)
    if need.date < today:
        raise RuleBroken("need_past", date=need.date)
    first = holder_of(session, need.id)
    if first is not None:
        if first.doctor_id != doctor.id:
            raise taken_error(first)
        if tentative or not first.tentative:
            if not tentative:
                ask_endings.end_on(session, actor, need, taken_by=doctor.id, agreed=agreed)
            return first
    asked = None if answering is None else lift_of(answering)
    lifts = _lifts_or_refuse(
        session, need, doctor.id, () if asked is None else (asked,), passing, apart_from=first
    )
    if state is None:
        held_until = _held_until(session, actor, need, doctor.id, source)
        state = AssignmentState.CONFIRMED if held_until is None else AssignmentState.HELD
    values: dict[str, Any] = {
        "state": state,
        "source": source,
        "created_by": actor.user_id,
        "held_until": held_until,
        "tentative": tentative,
        "lifts": [lift.to_json() for lift in lifts],
        "claim_key": claim_key,
        "predecessor_id": None if predecessor is None else predecessor.id,
    }
    if first is None:
        assignment = _insert(session, need, doctor.id, **values)
    else:
        assignment = _said_yes(session, first, values)
    if tentative:
        note(session, actor, "assignment.tentative", assignment, source=source.value)
        return assignment
    details: dict[str, Any] = {"source": source.value, "state": state.value}
    if answering is not None:
        details["ask_id"] = answering.id
    if lifts:
        details["lifts"] = [lift.to_json() for lift in lifts]
    if predecessor is not None:
        details["predecessor_id"] = predecessor.id
    action = _ACCEPTED if source is AssignmentSource.PROPOSAL else _CLAIMED
    note(session, actor, action, assignment, **details)
    if state is AssignmentState.HELD:
        tell(session, "assignment.held", assignment, titulars_of(session, practice.id), actor)
    tell(session, "absence.filled", assignment, waiting_for(session, assignment), actor)
    ask_endings.end_on(session, actor, need, taken_by=doctor.id, agreed=agreed)
    return assignment


def end(
    session: UnitOfWork,
    actor: Actor,
    assignment: Assignment,
    kind: ReleaseKind,
    reason: str | None = None,
) -> None:
    """Take the doctor off the need: the need is free again, the assignment stays as history.

    The caller has checked permission and state, and holds the locks of `hold`. Open requests and
    offers about the day end with it. Nobody is told: whom it concerns depends on the cause.
    """
    now = session.now()
    assignment.state = AssignmentState.RELEASED
    assignment.released_at = assignment.updated_at = now
    assignment.released_by = actor.user_id
    assignment.release_kind = kind
    assignment.release_reason = reason or None
    assignment.held_until = None
    session.flush()
    _lapse(session, assignment)
    practice = session.get_one(Practice, assignment.practice_id)
    ahead = (assignment.date - local_date(now, practice.timezone)).days
    note(session, actor, "assignment.released", assignment, kind=kind.value, days_before=ahead)


def refusals(
    session: UnitOfWork, need: Need, doctor_id: int | None, lifts: Collection[Lift] = ()
) -> list[Refusal]:
    """Every rule that would keep a doctor from a need, the gravest first.

    `lifts` are what the doctor agrees to for this one day.
    """
    if doctor_id is None:
        return [Refusal("not_member_that_day", {"date": need.date})]
    opening = openings(session, [need])[need.id]
    standing = standings(session, doctor_id, [need.practice_id], need.date, need.date)
    return legality.check(opening, replace(standing[need.practice_id], lifts=tuple(lifts)))


def warnings(session: UnitOfWork, need: Need, doctor_id: int) -> list[Refusal]:
    """What a doctor should know before taking a need, although nothing forbids it."""
    opening = openings(session, [need])[need.id]
    standing = standings(session, doctor_id, [need.practice_id], need.date, need.date)
    return legality.warn(opening, standing[need.practice_id])


def note(
    session: UnitOfWork, actor: Actor, action: str, assignment: Assignment, **details: Any
) -> None:
    """Record an audit event about an assignment. What people typed stays out of it."""
    audit.record(
        session,
        actor,
        action,
        "assignment",
        assignment.id,
        practice_id=assignment.practice_id,
        need_id=assignment.need_id,
        doctor_id=assignment.doctor_id,
        date=assignment.date,
        period=assignment.period.value,
        **details,
    )


def tell(
    session: UnitOfWork,
    kind: str,
    assignment: Assignment,
    recipient_ids: Iterable[int],
    actor: Actor,
    **facts: Any,
) -> None:
    """Tell people about an assignment, once for each kind; whoever acts knows already."""
    outbox.post(
        session,
        cause=f"{kind}:{assignment.id}",
        recipient_ids=[user_id for user_id in recipient_ids if user_id != actor.user_id],
        kind=kind,
        assignment_id=assignment.id,
        **facts,
    )


def titulars_of(session: UnitOfWork, practice_id: int) -> set[int]:
    """The numbers of the users who are titulars of a practice today."""
    return members_with(session, practice_id, {Role.TITULAR})


def waiting_for(session: UnitOfWork, filled: Assignment) -> set[int]:
    """Who looks for somebody to come in an absent doctor's place: whoever declared the absence,
    and the titulars and secretaries; nobody where the day was not lost to an absence."""
    absent = lost_days.absence_before(session, filled)
    if absent is None:
        return set()
    declared = set() if absent.released_by is None else {absent.released_by}
    practice_id = filled.practice_id
    looking = declared | titulars_of(session, practice_id) | secretaries_of(session, practice_id)
    # Who comes knows it.
    return looking - {filled.doctor_id}


def secretaries_of(session: UnitOfWork, practice_id: int) -> set[int]:
    """The numbers of the users who are secretaries of a practice today."""
    return members_with(session, practice_id, {Role.SECRETARY})


def members_with(session: UnitOfWork, practice_id: int, roles: Collection[Role]) -> set[int]:
    """The numbers of the enabled users who hold one of these roles in a practice today."""
    practice = session.get_one(Practice, practice_id)
    today = local_date(session.now(), practice.timezone)
    found = session.scalars(
        sa.select(Member.user_id)
        .join(User, User.id == Member.user_id)
        .where(
            Member.practice_id == practice_id,
            Member.role.in_(set(roles)),
            Member.since <= today,
            sa.or_(Member.until.is_(None), Member.until >= today),
            User.disabled_at.is_(None),
        )
    )
    return set(found)


def _lifts_or_refuse(
    session: UnitOfWork,
    need: Need,
    doctor_id: int,
    lifts: tuple[Lift, ...],
    passing: Collection[str],
    apart_from: Assignment | None = None,
) -> tuple[Lift, ...]:
    """The limits that the doctor passes with this need; raises the gravest rule that stands.

    `apart_from` is what holds the need for them already, and does not stand against itself.
    """
    opening = openings(session, [need])[need.id]
    known = standings(session, doctor_id, [need.practice_id], need.date, need.date)
    standing = known[need.practice_id]
    if apart_from is not None:
        own = (apart_from.practice_id, apart_from.date, apart_from.period)
        others = [
            stay for stay in standing.stays if (stay.practice_id, stay.date, stay.period) != own
        ]
        standing = replace(standing, stays=tuple(others))
    broken = legality.check(opening, replace(standing, lifts=lifts))
    if broken and passing:
        lifts = (*lifts, *legality.lifted(broken, passing))
        broken = legality.check(opening, replace(standing, lifts=lifts))
    if broken:
        raise broken[0].as_error()
    return lifts


def _held_until(
    session: UnitOfWork, actor: Actor, need: Need, doctor_id: int, source: AssignmentSource
) -> dt.datetime | None:
    """Until when a claim is held for a titular's word; None where it stands at once.

    Never beyond the opening of the day itself: from then on somebody has to be there.
    """
    practice = need.practice
    if practice.claim_policy is ClaimPolicy.AT_ONCE or source not in _HOLDABLE:
        return None
    if actor.is_system or Role.TITULAR in actor.roles_in(practice.id):
        return None
    members = session.scalars(
        sa.select(Member).where(Member.practice_id == practice.id, Member.user_id == doctor_id)
    )
    here = [member for member in members if member.active_on(need.date)]
    if any(member.role is Role.TITULAR for member in here):
        return None
    if practice.claim_policy is ClaimPolicy.TRUSTED and any(member.trusted for member in here):
        return None
    begins = practice.pm_start if need.period is Period.PM else practice.am_start
    until = min(
        session.now() + dt.timedelta(hours=practice.hold_hours),
        local_instant(need.date, begins, practice.timezone),
    )
    return until if until > session.now() else None


def _lapse(session: UnitOfWork, assignment: Assignment) -> None:
    """End what was still open about an assignment that is over."""
    now = session.now()
    session.execute(
        sa.update(ReleaseRequest)
        .where(
            ReleaseRequest.assignment_id == assignment.id,
            ReleaseRequest.state == RequestState.OPEN,
        )
        .values(state=RequestState.LAPSED, ended_at=now)
        .execution_options(synchronize_session="fetch")
    )
    session.execute(
        sa.update(Swap)
        .where(
            sa.or_(Swap.assignment_id == assignment.id, Swap.return_id == assignment.id),
            Swap.state == SwapState.OPEN,
        )
        .values(state=SwapState.LAPSED, ended_at=now)
        .execution_options(synchronize_session="fetch")
    )


def _current_need(session: UnitOfWork, need_id: int) -> Need:
    """The need as it stands now that the locks are held, not as it was read before."""
    return session.scalars(
        sa.select(Need)
        .where(Need.id == need_id)
        .options(joinedload(Need.practice))
        .execution_options(populate_existing=True)
    ).one()


def _said_yes(session: UnitOfWork, held: Assignment, values: Mapping[str, Any]) -> Assignment:
    """Make a tentative hold what its doctor has taken now."""
    for name, value in values.items():
        setattr(held, name, value)
    held.created_at = held.updated_at = session.now()
    session.flush()
    return held


def _insert(session: UnitOfWork, need: Need, doctor_id: int, **values: Any) -> Assignment:
    """Write the assignment; the unique indexes decide against whoever went round the locks."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    now = session.now()
    statement = (
        insert(Assignment)
        .values(
            need_id=need.id,
            practice_id=need.practice_id,
            doctor_id=doctor_id,
            date=need.date,
            period=need.period,
            created_at=now,
            updated_at=now,
            **values,
        )
        .on_conflict_do_nothing()
        .returning(Assignment)
    )
    made = session.scalars(statement).one_or_none()
    if made is not None:
        return made
    first = holder_of(session, need.id)
    if first is not None:
        raise taken_error(first)
    raise Conflict("doctor_taken", date=need.date)
