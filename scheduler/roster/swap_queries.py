"""Named reads of days that go from one doctor to another."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, contains_eager, joinedload

from scheduler.core.errors import NotFound
from scheduler.core.outbox import MessageState, OutboxMessage
from scheduler.core.permissions import Action, Actor, Subject, can, require
from scheduler.people.models import Member, Practice, Room, User
from scheduler.roster.models import Assignment, Need, Swap
from scheduler.roster.rules import AssignmentSource, AssignmentState, SwapState

MOST_LISTED: Final = 60
MOST_RETURNS: Final = 200
_WHOLE: Final = (
    joinedload(Swap.practice),
    joinedload(Swap.doctor),
    joinedload(Swap.to_doctor),
    joinedload(Swap.assignment).joinedload(Assignment.need).joinedload(Need.room),
    joinedload(Swap.in_return).joinedload(Assignment.need).joinedload(Need.room),
)


@dataclass(frozen=True, slots=True)
class OpenOffer:
    """A day that a colleague offers to one doctor, as a line of a notice; `in_return` is the
    doctor's own day that an exchange asks for."""

    swap_id: int
    slug: str
    giver: str
    date: dt.date
    in_return: dt.date | None


@dataclass(frozen=True, slots=True)
class Told:
    """Whom a message about a day went to, when, and what became of it."""

    who: str
    kind: str
    at: dt.datetime
    state: MessageState
    sent_at: dt.datetime | None


def state_on(swap: Swap, date: dt.date, today: dt.date) -> SwapState:
    """The state of an offer of a day, as people see it on `today`: nobody takes a day that is
    over."""
    over = swap.state is SwapState.OPEN and date < today
    return SwapState.LAPSED if over else swap.state


def offers_to(session: Session, user_id: int, today: dt.date) -> list[OpenOffer]:
    """What colleagues offer to a doctor by name, in every practice, by date."""
    back = aliased(Assignment)
    rows = session.execute(
        sa.select(
            Swap.id,
            Practice.slug,
            User.given_name,
            User.family_name,
            Assignment.date,
            back.date.label("in_return"),
        )
        .join(Swap.assignment)
        .outerjoin(back, back.id == Swap.return_id)
        .join(Swap.practice)
        .join(User, User.id == Swap.doctor_id)
        .where(Swap.to_doctor_id == user_id, Swap.state == SwapState.OPEN, Assignment.date >= today)
        .order_by(Assignment.date, Swap.id)
    )
    return [
        OpenOffer(swap_id, slug, f"{given} {family}", date, in_return)
        for swap_id, slug, given, family, date, in_return in rows
    ]


def swap_of(session: Session, actor: Actor, practice: Practice, swap_id: int) -> Swap:
    """One offer with days and people.

    For whoever made it or took it, for whom it was made, and for who acts for doctors; `NotFound`
    for anybody outside of the practice.
    """
    swap = session.scalars(
        sa.select(Swap).where(Swap.id == swap_id, Swap.practice_id == practice.id).options(*_WHOLE)
    ).one_or_none()
    if swap is None or not actor.roles_in(practice.id):
        raise NotFound("swap_not_found")
    if actor.user_id in (swap.doctor_id, swap.taken_by, swap.to_doctor_id):
        return swap
    if swap.to_doctor_id is None:
        if not can(actor, Action.ASSIGNMENT_GIVE, Subject(practice.id)):
            require(actor, Action.NEED_CLAIM, Subject(practice.id, actor.user_id))
    else:
        require(actor, Action.ASSIGNMENT_GIVE, Subject(practice.id))
    return swap


def swaps_of(session: Session, actor: Actor, practice: Practice, today: dt.date) -> list[Swap]:
    """The offers of a practice that concern the actor, open ones first, then the latest.

    Doctors see what is offered to them or to all, and what they gave or took; who acts for
    doctors sees every one.
    """
    statement = sa.select(Swap).join(Swap.assignment).where(Swap.practice_id == practice.id)
    if not can(actor, Action.ASSIGNMENT_GIVE, Subject(practice.id)):
        to_all = sa.and_(Swap.to_doctor_id.is_(None), Swap.state == SwapState.OPEN)
        mine = (Swap.doctor_id, Swap.to_doctor_id, Swap.taken_by)
        statement = statement.where(sa.or_(to_all, *(column == actor.user_id for column in mine)))
    still_open = sa.and_(Swap.state == SwapState.OPEN, Assignment.date >= today)
    return list(
        session.scalars(
            statement.options(*_WHOLE)
            .order_by(
                sa.case((still_open, 0), else_=1),
                sa.case((still_open, Assignment.date), else_=None),
                Swap.id.desc(),
            )
            .limit(MOST_LISTED)
        )
    )


def open_on(session: Session, assignment_id: int) -> Swap | None:
    """The open offer of a day, with the colleague it is made to."""
    return session.scalars(
        sa.select(Swap)
        .where(Swap.assignment_id == assignment_id, Swap.state == SwapState.OPEN)
        .options(joinedload(Swap.doctor), joinedload(Swap.to_doctor))
    ).one_or_none()


def taken_as(session: Session, assignment: Assignment) -> Swap | None:
    """The swap that made an assignment: as the day taken, or as the one that came in return."""
    if assignment.source is not AssignmentSource.SWAP or assignment.predecessor_id is None:
        return None
    return session.scalars(
        sa.select(Swap)
        .where(
            Swap.state == SwapState.TAKEN,
            sa.or_(Swap.taken_id == assignment.id, Swap.return_id == assignment.predecessor_id),
        )
        .options(joinedload(Swap.doctor))
    ).one_or_none()


def day_of(session: Session, practice: Practice, assignment_id: int) -> Assignment:
    """A day of a practice with doctor, room and practice; `NotFound` where there is none."""
    found = session.scalars(
        sa.select(Assignment)
        .where(Assignment.id == assignment_id, Assignment.practice_id == practice.id)
        .options(
            joinedload(Assignment.doctor),
            joinedload(Assignment.need).joinedload(Need.room),
            joinedload(Assignment.need).joinedload(Need.practice),
        )
    ).one_or_none()
    if found is None:
        raise NotFound("assignment_not_found")
    return found


def doctor_of(session: Session, practice: Practice, assignment_id: int) -> int | None:
    """Whose day an assignment of a practice is, None where there is none."""
    return session.scalar(
        sa.select(Assignment.doctor_id).where(
            Assignment.id == assignment_id, Assignment.practice_id == practice.id
        )
    )


def chain_of(session: Session, day: Assignment) -> list[Assignment]:
    """A day's assignments to one doctor after the other, the latest first, that lead to `day`.

    At most the need's own, which are read at once.
    """
    rows = session.scalars(sa.select(Assignment).where(Assignment.need_id == day.need_id))
    by_id = {row.id: row for row in rows}
    found: list[Assignment] = []
    number: int | None = day.id
    while number is not None and number in by_id:
        row = by_id.pop(number)
        found.append(row)
        number = row.predecessor_id
    return found


def days_of_colleagues(
    session: Session, practice: Practice, day: Assignment, today: dt.date
) -> list[Assignment]:
    """The coming days of the other doctors of a practice, by date, half-day and room: what an
    exchange for `day` can ask for in return; at most `MOST_RETURNS`.

    Days that are only held, and those that the roles of either of the two keep from the other,
    are left out.
    """
    rows = session.scalars(
        sa.select(Assignment)
        .join(Assignment.need)
        .join(Need.room)
        .where(
            Assignment.practice_id == practice.id,
            Assignment.doctor_id != day.doctor_id,
            Assignment.state == AssignmentState.CONFIRMED,
            Assignment.date > today,
        )
        .options(
            joinedload(Assignment.doctor),
            contains_eager(Assignment.need).contains_eager(Need.room),
        )
        .order_by(Assignment.date, Assignment.period, Room.position, Assignment.id)
    ).all()
    members = session.scalars(
        sa.select(Member).where(
            Member.practice_id == practice.id,
            Member.user_id.in_({day.doctor_id, *(row.doctor_id for row in rows)}),
        )
    )
    by_doctor: defaultdict[int, list[Member]] = defaultdict(list)
    for member in members:
        by_doctor[member.user_id].append(member)

    def admits(need: Need, doctor_id: int) -> bool:
        return any(
            member.role in need.roles and member.active_on(need.date)
            for member in by_doctor[doctor_id]
        )

    found = [
        row for row in rows if admits(row.need, day.doctor_id) and admits(day.need, row.doctor_id)
    ]
    return found[:MOST_RETURNS]


def told_of(
    session: Session, assignment_ids: Collection[int], kinds: Collection[str]
) -> list[Told]:
    """The chain of who was told what about some days, oldest first, delivered or not."""
    causes = [f"{kind}:{assignment_id}" for kind in kinds for assignment_id in assignment_ids]
    rows = session.execute(
        sa.select(OutboxMessage, User.given_name, User.family_name)
        .join(User, User.id == OutboxMessage.recipient_id)
        .where(OutboxMessage.cause.in_(causes))
        .order_by(OutboxMessage.id)
    )
    return [
        Told(f"{given} {family}", row.kind, row.created_at, row.state, row.sent_at)
        for row, given, family in rows
    ]
