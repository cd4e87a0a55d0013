"""A doctor does not come: the day is marked absent, everybody concerned is alerted, and whoever
could come instead is called at once.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from scheduler.core.database import UnitOfWork
from scheduler.core.errors import Conflict, RuleBroken
from scheduler.core.permissions import Action, Actor, Role, Subject, require
from scheduler.people.models import Member, Practice, User
from scheduler.roster import assignments, calls
from scheduler.roster.lost_days import ABSENT
from scheduler.roster.models import Ask, Assignment, Call, CallDay, Invitation, Need, Swap
from scheduler.roster.passing_on import require_upcoming, today_in
from scheduler.roster.rules import (
    AskState,
    AssignmentState,
    ReleaseKind,
    SwapState,
)
from scheduler.roster.swap_rules import in_reach, passed
from scheduler.roster.texts import reason_of


class HangingKind(enum.StrEnum):
    """What can hang on a day whose doctor does not come."""

    # An intern who is left without the titular to reach.
    INTERN = "intern"
    # The day, or one wanted for it, had been offered to colleagues.
    OFFER = "offer"
    # Somebody is asked whether they could come on it.
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Hanging:
    """One thing that hangs on the day: about whom it is, and the number of its row."""

    kind: HangingKind
    who: str
    row_id: int


def declare(
    session: UnitOfWork,
    actor: Actor,
    assignment_id: int,
    reason: str = "",
    *,
    on_behalf: bool = False,
) -> Assignment:
    """Mark a doctor absent on a day of theirs, today or tomorrow, and call others at once.

    `on_behalf` says that the doctor was on the telephone and said so. Titulars, secretaries and
    the doctor are told; colleagues who could come get the call. Raises `Conflict` for a day that
    is nobody's any more, and `RuleBroken` for one that is over or further away.
    """
    day = assignments.visible(session, actor, assignment_id)
    require(actor, Action.ABSENCE_DECLARE, Subject(day.practice_id, day.doctor_id))
    reason = reason_of(reason)
    assignments.hold(session, day.practice_id, [day.doctor_id])
    session.refresh(day)
    require_upcoming(session, day)
    today = today_in(session, day.practice_id)
    if not in_reach(day.date, today):
        raise RuleBroken("absence_too_early", date=day.date)
    said = on_behalf or day.doctor_id == actor.user_id
    kind = ReleaseKind.EMERGENCY if said and day.date == today else ReleaseKind.ABSENCE
    assignments.end(session, actor, day, kind, reason)
    assignments.note(session, actor, "absence.declared", day, on_behalf=on_behalf)
    _tell(session, actor, "absence.declared", day)
    practice = session.get_one(Practice, day.practice_id)
    calls.call_at_once(session, actor, practice, session.get_one(Need, day.need_id))
    return day


def end(session: UnitOfWork, actor: Actor, assignment_id: int) -> Assignment:
    """The doctor comes after all: the day is theirs again, where nobody has taken it.

    Saying it twice changes nothing. Raises `Conflict` naming who has it by now, and `RuleBroken`
    for a rule that forbids it.
    """
    absent = assignments.visible(session, actor, assignment_id)
    require(actor, Action.ABSENCE_DECLARE, Subject(absent.practice_id, absent.doctor_id))
    assignments.hold(session, absent.practice_id, [absent.doctor_id])
    session.refresh(absent)
    if absent.state is not AssignmentState.RELEASED or absent.release_kind not in ABSENT:
        raise Conflict("not_absent", date=absent.date)
    standing = assignments.holder_of(session, absent.need_id)
    if standing is not None and standing.doctor_id == absent.doctor_id:
        return standing
    back = assignments.place(
        session,
        actor,
        session.get_one(Need, absent.need_id),
        session.get_one(User, absent.doctor_id),
        source=absent.source,
        passing=passed(absent),
        predecessor=absent,
        state=AssignmentState.CONFIRMED,
    )
    assignments.note(session, actor, "absence.ended", back)
    _tell(session, actor, "absence.ended", back)
    return back


def absence_of(session: Session, practice_id: int, assignment_id: int) -> Assignment | None:
    """A day of the practice whose doctor was marked absent, with doctor, need and room."""
    return session.scalars(
        sa.select(Assignment)
        .where(
            Assignment.id == assignment_id,
            Assignment.practice_id == practice_id,
            Assignment.state == AssignmentState.RELEASED,
            Assignment.release_kind.in_(ABSENT),
        )
        .options(
            joinedload(Assignment.doctor),
            joinedload(Assignment.need).joinedload(Need.room),
            joinedload(Assignment.need).joinedload(Need.practice),
        )
    ).one_or_none()


def call_for(session: Session, need_id: int) -> tuple[Call | None, list[Invitation]]:
    """The latest urgent call for a day, and whom it asks, in its order; two queries."""
    call = session.scalars(
        sa.select(Call)
        .join(Call.days)
        .where(CallDay.need_id == need_id, Call.urgent)
        .order_by(Call.id.desc())
        .limit(1)
    ).one_or_none()
    if call is None:
        return None, []
    invitations = session.scalars(
        sa.select(Invitation)
        .where(Invitation.call_id == call.id)
        .options(joinedload(Invitation.doctor))
        .order_by(Invitation.wave, Invitation.rank)
    )
    return call, list(invitations)


def hanging_on(session: Session, absent: Assignment) -> list[Hanging]:
    """What hangs on a day whose doctor does not come; three queries."""
    return [*_interns(session, absent), *_offers(session, absent), *_asks(session, absent)]


def _interns(session: Session, absent: Assignment) -> list[Hanging]:
    """Interns of that day who would have reached the absent doctor."""
    usual = sa.exists().where(
        Member.practice_id == absent.practice_id,
        Member.user_id == Assignment.doctor_id,
        Member.role == Role.INTERN,
        Member.supervisor_id == absent.doctor_id,
        Member.since <= absent.date,
        sa.or_(Member.until.is_(None), Member.until >= absent.date),
    )
    rows = session.scalars(
        sa.select(Assignment)
        .where(
            Assignment.practice_id == absent.practice_id,
            Assignment.date == absent.date,
            Assignment.state != AssignmentState.RELEASED,
            Assignment.doctor_id != absent.doctor_id,
            sa.or_(
                Assignment.supervisor_id == absent.doctor_id,
                sa.and_(Assignment.supervisor_id.is_(None), usual),
            ),
        )
        .options(joinedload(Assignment.doctor))
        .order_by(Assignment.id)
    )
    return [Hanging(HangingKind.INTERN, row.doctor.name, row.need_id) for row in rows]


def _offers(session: Session, absent: Assignment) -> list[Hanging]:
    """Offers of the day, and of days wanted in return for it, that ended with it."""
    rows = session.scalars(
        sa.select(Swap)
        .where(
            sa.or_(Swap.assignment_id == absent.id, Swap.return_id == absent.id),
            Swap.state == SwapState.LAPSED,
            Swap.ended_at == absent.released_at,
        )
        .options(joinedload(Swap.doctor), joinedload(Swap.to_doctor))
        .order_by(Swap.id)
    )
    found = []
    for row in rows:
        other = row.to_doctor if row.doctor_id == absent.doctor_id else row.doctor
        found.append(Hanging(HangingKind.OFFER, other.name if other else "", row.id))
    return found


def _asks(session: Session, absent: Assignment) -> list[Hanging]:
    """Open questions to others about the day."""
    rows = session.scalars(
        sa.select(Ask)
        .where(Ask.need_id == absent.need_id, Ask.state == AskState.OPEN)
        .options(joinedload(Ask.doctor))
        .order_by(Ask.id)
    )
    return [Hanging(HangingKind.ASK, row.doctor.name, row.id) for row in rows]


def _tell(session: UnitOfWork, actor: Actor, kind: str, day: Assignment) -> None:
    everybody = assignments.titulars_of(session, day.practice_id)
    everybody |= assignments.secretaries_of(session, day.practice_id)
    assignments.tell(session, kind, day, everybody | {day.doctor_id}, actor)
