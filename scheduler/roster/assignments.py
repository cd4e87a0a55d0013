"""Taking a day and giving it back: the one door to the table of assignments.

`claim` and `release` are whole use cases. `place` is the check and the insert that every way of
filling a need goes through; its caller has asked for permission and holds the locks of `hold`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import joinedload

from scheduler.core import audit, outbox
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import Conflict, InvalidInput, NotFound, RuleBroken
from scheduler.core.permissions import Action, Actor, Role, Subject, require
from scheduler.people.models import Member, Practice, User
from scheduler.roster import ask_endings, legality
from scheduler.roster.ask_rules import lift_of
from scheduler.roster.legality import Lift, Opening, Refusal, RoleSpan, Standing, Stay
from scheduler.roster.models import Ask, Assignment, Need
from scheduler.roster.rules import AssignmentSource, AssignmentState, NeedState

LONGEST_REASON: Final = 255
_AUDITED: Final = {
    AssignmentSource.CLAIM: "assignment.claimed",
    AssignmentSource.PROPOSAL: "assignment.accepted",
}


def claim(
    session: UnitOfWork, actor: Actor, need_id: int, *, doctor_id: int | None = None
) -> Assignment:
    """Take a need for a doctor (the actor, unless `doctor_id` says who).

    Taking again what one has already changes nothing. Raises `Conflict` when somebody was first
    or the need was withdrawn, and `RuleBroken` naming the rule that forbids it.
    """
    need = session.get(Need, need_id)
    if need is None or not (actor.is_system or actor.roles_in(need.practice_id)):
        raise NotFound("need_not_found")
    doctor_id = doctor_id if doctor_id is not None else actor.user_id
    require(actor, Action.NEED_CLAIM, Subject(need.practice_id, doctor_id))
    doctor = session.get(User, doctor_id)
    if doctor is None:
        raise NotFound("doctor_not_found")
    hold(session, need.practice_id, [doctor.id])
    return place(session, actor, need, doctor, source=AssignmentSource.CLAIM)


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


def hold(session: UnitOfWork, practice_id: int, doctor_ids: Iterable[int]) -> None:
    """Lock a practice and then some doctors, in the order that everybody follows.

    What is read of their needs and assignments from here on stays true until the commit.
    """
    lock_rows(session, session.get_one(Practice, practice_id))
    users = sa.select(User).where(User.id.in_(set(doctor_ids))).order_by(User.id)
    lock_rows(session, *session.scalars(users))


def place(
    session: UnitOfWork,
    actor: Actor,
    need: Need,
    doctor: User,
    *,
    source: AssignmentSource,
    state: AssignmentState = AssignmentState.CONFIRMED,
    answering: Ask | None = None,
    agreed: bool = False,
) -> Assignment:
    """Put a doctor on a need after every check, and return the assignment, flushed.

    The caller has checked permission and called `hold` for the practice and the doctor. A
    doctor who stands on the need already keeps the assignment there is. `answering` is the
    question that the doctor says yes to: the limit it speaks of is lifted for this day; `agreed`
    says that the doctor's yes was heard elsewhere, which lifts nothing. Every open question about
    the need ends with it. When it raises (`Conflict` or `RuleBroken`), nothing was written and
    the session can be used further.
    """
    need = _current_need(session, need.id)
    today = local_date(session.now(), need.practice.timezone)
    if need.state is not NeedState.PUBLISHED:
        raise Conflict("need_withdrawn", date=need.date)
    if need.date < today:
        raise RuleBroken("need_past", date=need.date)
    first = holder_of(session, need.id)
    if first is not None:
        if first.doctor_id == doctor.id:
            ask_endings.end_on(session, actor, need, taken_by=doctor.id, agreed=agreed)
            return first
        raise taken_error(first)
    lift = None if answering is None else lift_of(answering)
    broken = refusals(session, need, doctor.id, lift)
    if broken:
        raise broken[0].as_error()
    assignment = _insert(session, need, doctor.id, state, source)
    yes: dict[str, Any] = {} if answering is None else {"ask_id": answering.id}
    if lift is not None:
        yes |= {"lifted": lift.code, "to": lift.to}
    audit.record(
        session,
        actor,
        _AUDITED[source],
        "assignment",
        assignment.id,
        practice_id=need.practice_id,
        need_id=need.id,
        doctor_id=doctor.id,
        date=need.date,
        period=need.period.value,
        **yes,
    )
    ask_endings.end_on(session, actor, need, taken_by=doctor.id, agreed=agreed)
    return assignment


def release(session: UnitOfWork, actor: Actor, assignment_id: int, reason: str = "") -> Assignment:
    """Give a day back: the need is free again, and the assignment stays as history.

    Doctors release their own days, a titular anybody's, and then says why. The other side is
    told: the doctor, or the titulars of the practice.
    """
    assignment = session.get(Assignment, assignment_id)
    if assignment is None or not (actor.is_system or actor.roles_in(assignment.practice_id)):
        raise NotFound("assignment_not_found")
    require(actor, Action.ASSIGNMENT_RELEASE, Subject(assignment.practice_id, assignment.doctor_id))
    reason = " ".join(reason.split())
    if len(reason) > LONGEST_REASON:
        raise InvalidInput("reason_too_long", field="reason", most=LONGEST_REASON)
    own = assignment.doctor_id == actor.user_id
    if not own and not reason:
        raise InvalidInput("reason_required", field="reason")
    hold(session, assignment.practice_id, [assignment.doctor_id])
    session.refresh(assignment)
    practice = session.get_one(Practice, assignment.practice_id)
    today = local_date(session.now(), practice.timezone)
    if assignment.state is AssignmentState.RELEASED:
        raise Conflict("already_released", date=assignment.date)
    if assignment.date < today or assignment.state is AssignmentState.DONE:
        raise RuleBroken("assignment_past", date=assignment.date)
    now = session.now()
    assignment.state = AssignmentState.RELEASED
    assignment.released_at = assignment.updated_at = now
    assignment.release_reason = reason or None
    session.flush()
    audit.record(
        session,
        actor,
        "assignment.released",
        "assignment",
        assignment.id,
        practice_id=assignment.practice_id,
        need_id=assignment.need_id,
        doctor_id=assignment.doctor_id,
        date=assignment.date,
        period=assignment.period.value,
    )
    told = _titulars(session, practice.id, today) if own else {assignment.doctor_id}
    outbox.post(
        session,
        cause=f"assignment.released:{assignment.id}",
        recipient_ids=[user_id for user_id in told if user_id != actor.user_id],
        kind="assignment.released",
        assignment_id=assignment.id,
    )
    return assignment


def refusals(
    session: UnitOfWork, need: Need, doctor_id: int | None, lift: Lift | None = None
) -> list[Refusal]:
    """Every rule that would keep a doctor from a need, the gravest first.

    `lift` is what the doctor agrees to for this one day.
    """
    if doctor_id is None:
        return [Refusal("not_member_that_day", {"date": need.date})]
    opening = Opening.of(need)
    standing = standing_of(session, doctor_id, opening)
    return legality.check(opening, replace(standing, lift=lift))


def standing_of(session: UnitOfWork, doctor_id: int, opening: Opening) -> Standing:
    """What the rules must know of a doctor to judge an opening; three reads."""
    user = session.scalars(
        sa.select(User).where(User.id == doctor_id).options(joinedload(User.doctor))
    ).one()
    facts = user.doctor
    spans: tuple[RoleSpan, ...] = ()
    if user.disabled_at is None:
        members = session.scalars(
            sa.select(Member).where(
                Member.user_id == doctor_id, Member.practice_id == opening.practice_id
            )
        )
        spans = tuple(RoleSpan(member.role, member.since, member.until) for member in members)
    if facts is None:
        # Without a doctor's facts nothing says that the user may treat anybody.
        return Standing(doctor_id, qualified=False)
    first, last = legality.reach(opening.date, facts.max_consecutive_days)
    return Standing(
        doctor_id=doctor_id,
        spans=spans,
        qualified=facts.qualified,
        licence_until=facts.licence_until,
        max_half_days_per_week=facts.max_half_days_per_week,
        max_half_days_per_month=facts.max_half_days_per_month,
        max_consecutive_days=facts.max_consecutive_days,
        stays=_stays(session, doctor_id, first, last),
    )


def _stays(session: UnitOfWork, doctor_id: int, first: dt.date, last: dt.date) -> tuple[Stay, ...]:
    rows = session.execute(
        sa.select(Assignment.practice_id, Practice.name, Assignment.date, Assignment.period, Ask)
        .join(Practice, Practice.id == Assignment.practice_id)
        .outerjoin(Ask, Ask.assignment_id == Assignment.id)
        .where(
            Assignment.doctor_id == doctor_id,
            Assignment.state != AssignmentState.RELEASED,
            Assignment.date.between(first, last),
        )
        .order_by(Assignment.date, Assignment.period)
    )
    return tuple(
        Stay(practice_id, place, date, period, lift_of(yes) if yes else None)
        for practice_id, place, date, period, yes in rows
    )


def _current_need(session: UnitOfWork, need_id: int) -> Need:
    """The need as it stands now that the locks are held, not as it was read before."""
    return session.scalars(
        sa.select(Need)
        .where(Need.id == need_id)
        .options(joinedload(Need.practice))
        .execution_options(populate_existing=True)
    ).one()


def _insert(
    session: UnitOfWork,
    need: Need,
    doctor_id: int,
    state: AssignmentState,
    source: AssignmentSource,
) -> Assignment:
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
            state=state,
            source=source,
            created_at=now,
            updated_at=now,
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


def _titulars(session: UnitOfWork, practice_id: int, today: dt.date) -> set[int]:
    found = session.scalars(
        sa.select(Member.user_id)
        .join(User, User.id == Member.user_id)
        .where(
            Member.practice_id == practice_id,
            Member.role == Role.TITULAR,
            Member.since <= today,
            sa.or_(Member.until.is_(None), Member.until >= today),
            User.disabled_at.is_(None),
        )
    )
    return set(found)
