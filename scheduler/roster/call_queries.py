"""Named reads of calls for volunteers."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.errors import NotFound
from scheduler.core.permissions import Actor
from scheduler.people.models import Practice, User
from scheduler.roster import claiming, legality
from scheduler.roster.legality import Refusal
from scheduler.roster.models import Assignment, Call, CallDay, Invitation, Need
from scheduler.roster.rules import (
    AssignmentState,
    CallState,
    NeedState,
    ReleaseKind,
    monday_of,
)
from scheduler.roster.standing import openings, standings

MOST_LISTED: Final = 40
OPEN_STATES: Final = (CallState.PREPARED, CallState.SENT)
_WEEK: Final = dt.timedelta(days=7)
_ACTIVE: Final = Assignment.state != AssignmentState.RELEASED
_WHOLE: Final = (
    joinedload(Call.practice),
    selectinload(Call.days).joinedload(CallDay.need).joinedload(Need.room),
    selectinload(Call.invitations).selectinload(Invitation.days),
)


@dataclass(frozen=True, slots=True)
class Week:
    """The days to fill of one week, `with_doctor` those of its dates that somebody comes on and
    `open_needs` what nobody is on yet, today or later."""

    monday: dt.date
    wanted: set[dt.date] = field(default_factory=set)
    with_doctor: set[dt.date] = field(default_factory=set)
    open_needs: list[Need] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a call as it stands now: who has it, or whether somebody still can."""

    need: Need
    holder: User | None
    assignment: Assignment | None
    over: bool

    @property
    def is_open(self) -> bool:
        return self.holder is None and not self.over


@dataclass(frozen=True, slots=True)
class Detail:
    """A call with its days by date and its invitations, doctors loaded, by wave and rank."""

    call: Call
    days: list[Day]
    invitations: list[Invitation]
    sender: User | None

    @property
    def open_days(self) -> list[Day]:
        return [day for day in self.days if day.is_open]


@dataclass(frozen=True, slots=True)
class AnswerDay:
    """A day of a call for one invited doctor. `refusals` are the rules that stand against it,
    `declined` that the doctor said no to it already."""

    day: Day
    own: bool
    declined: bool
    refusals: tuple[Refusal, ...]
    may_undo: bool

    @property
    def takeable(self) -> bool:
        """Whether only limits of the doctor's own, if anything, stand against it."""
        return self.day.is_open and all(refusal.own for refusal in self.refusals)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an invited doctor sees of a call."""

    invitation: Invitation
    call: Call
    doctor: User
    days: list[AnswerDay]

    @property
    def is_open(self) -> bool:
        return self.call.state is CallState.SENT and any(day.day.is_open for day in self.days)


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """A call under way in which a doctor was asked, and its open days."""

    invitation: Invitation
    call: Call
    days: list[Day]


def weeks_between(
    session: UnitOfWork, practice: Practice, first: dt.date, last: dt.date
) -> dict[dt.date, Week]:
    """The weeks of a practice between two dates by their Monday; one query."""
    today = local_date(session.now(), practice.timezone)
    rows = session.execute(
        sa.select(Need, Assignment.id.is_not(None))
        .outerjoin(Assignment, sa.and_(Assignment.need_id == Need.id, _ACTIVE))
        .where(
            Need.practice_id == practice.id,
            Need.state == NeedState.PUBLISHED,
            Need.date.between(first, last),
        )
        .order_by(Need.date, Need.period, Need.id)
    )
    weeks: dict[dt.date, Week] = {}
    for need, taken in rows:
        monday = monday_of(need.date)
        week = weeks.setdefault(monday, Week(monday))
        week.wanted.add(need.date)
        if taken:
            week.with_doctor.add(need.date)
        elif need.date >= today:
            week.open_needs.append(need)
    return weeks


def whole(session: Session, statement: sa.Select[Call], *, lock: bool = False) -> list[Call]:
    """Calls with practice, days and invitations, as they stand now; `lock` holds their rows."""
    statement = statement.options(*_WHOLE).execution_options(populate_existing=True)
    if lock:
        statement = statement.with_for_update(of=Call)
    return list(session.scalars(statement).unique())


def asked_before(session: Session, call: Call) -> dict[int, set[int]]:
    """The needs that each doctor was asked about by another call for the same week (by number of
    doctor and need), those aside that were taken and freed again since."""
    need_ids = [day.need_id for day in call.days]
    freed = freed_at(session, need_ids)
    rows = session.execute(
        sa.select(Invitation.doctor_id, CallDay.need_id, Invitation.sent_at)
        .join(Call, Call.id == Invitation.call_id)
        .join(CallDay, CallDay.call_id == Call.id)
        .where(
            Call.practice_id == call.practice_id,
            Call.monday == call.monday,
            Call.id != call.id,
            CallDay.need_id.in_(need_ids),
            Invitation.sent_at.is_not(None),
        )
    )
    asked: defaultdict[int, set[int]] = defaultdict(set)
    for doctor_id, need_id, sent_at in rows:
        if sent_at is not None and freed.get(need_id, sent_at) <= sent_at:
            asked[doctor_id].add(need_id)
    return asked


def freed_at(session: Session, need_ids: Iterable[int]) -> dict[int, dt.datetime]:
    """When each need was last given back; what was undone within minutes does not count."""
    rows = session.execute(
        sa.select(Assignment.need_id, sa.func.max(Assignment.released_at))
        .where(
            Assignment.need_id.in_(set(need_ids)),
            Assignment.state == AssignmentState.RELEASED,
            Assignment.release_kind != ReleaseKind.UNDONE,
            Assignment.tentative.is_(False),
        )
        .group_by(Assignment.need_id)
    )
    return {need_id: instant for need_id, instant in rows if instant is not None}


def days_of(session: UnitOfWork, calls: Sequence[Call]) -> dict[int, list[Day]]:
    """The days of calls as they stand now, by date, by number of the call; one query."""
    need_ids = {day.need_id for call in calls for day in call.days}
    held = {
        row.need_id: row
        for row in session.scalars(
            sa.select(Assignment)
            .where(Assignment.need_id.in_(need_ids), _ACTIVE)
            .options(joinedload(Assignment.doctor))
            .execution_options(populate_existing=True)
        )
    }
    return {
        call.id: [_day(session, call, day.need, held) for day in _sorted(call)] for call in calls
    }


def _sorted(call: Call) -> list[CallDay]:
    return sorted(call.days, key=lambda day: (day.need.date, day.need.period, day.need_id))


def _day(session: UnitOfWork, call: Call, need: Need, held: dict[int, Assignment]) -> Day:
    assignment = held.get(need.id)
    today = local_date(session.now(), call.practice.timezone)
    over = need.state is not NeedState.PUBLISHED or need.date < today
    holder = None if assignment is None else assignment.doctor
    return Day(need, holder, assignment, over)


def calls_of(session: UnitOfWork, practice_id: int) -> list[Detail]:
    """The latest calls of a practice, those to decide on first, then those under way."""
    order = sa.case(
        (Call.state == CallState.PREPARED, 0), (Call.state == CallState.SENT, 1), else_=2
    )
    found = whole(
        session,
        sa.select(Call)
        .where(Call.practice_id == practice_id)
        .order_by(order, sa.case((order < 2, Call.monday)), Call.id.desc())
        .limit(MOST_LISTED),
    )
    days = days_of(session, found)
    return [Detail(call, days[call.id], list(call.invitations), None) for call in found]


def call_detail(session: UnitOfWork, practice_id: int, call_id: int) -> Detail:
    """A call of a practice with all that its page shows; `NotFound` where there is none."""
    found = whole(
        session,
        sa.select(Call)
        .where(Call.id == call_id, Call.practice_id == practice_id)
        .options(selectinload(Call.invitations).joinedload(Invitation.doctor)),
    )
    if not found:
        raise NotFound("call_not_found")
    (call,) = found
    sender = session.get(User, call.sent_by) if call.sent_by else None
    return Detail(call, days_of(session, [call])[call.id], list(call.invitations), sender)


def answer_of(session: UnitOfWork, actor: Actor, uid: str) -> Answer:
    """What the doctor of an invitation (who is the actor) sees; `NotFound` before it was sent.

    The number of queries does not depend on how many days there are.
    """
    invitation = invitation_of(session, uid)
    doctor = invitation.doctor
    (call,) = whole(session, sa.select(Call).where(Call.id == invitation.call_id))
    days = days_of(session, [call])[call.id]
    refusals = _refusals(session, call, invitation.doctor_id, days)
    declined = {day.need_id for day in invitation.days if day.declined_at is not None}
    asked = {day.need_id for day in invitation.days}
    found = [
        AnswerDay(
            day=day,
            own=day.holder is not None and day.holder.id == invitation.doctor_id,
            declined=day.need.id in declined,
            refusals=refusals.get(day.need.id, ()),
            may_undo=day.assignment is not None
            and day.assignment.doctor_id == invitation.doctor_id
            and claiming.may_undo(session, actor, day.assignment),
        )
        for day in days
    ]
    return Answer(
        invitation,
        call,
        doctor,
        # What the doctor could never take, being asked of others, is none of the question.
        [day for day in found if day.own or day.takeable or day.day.need.id in asked],
    )


def invitation_of(session: Session, uid: str) -> Invitation:
    """A sent invitation with its doctor and days; `NotFound` where there is none."""
    invitation = session.scalars(
        sa.select(Invitation)
        .where(Invitation.uid == uid, Invitation.sent_at.is_not(None))
        .options(joinedload(Invitation.doctor), selectinload(Invitation.days))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if invitation is None:
        raise NotFound("invitation_not_found")
    return invitation


def _refusals(
    session: UnitOfWork, call: Call, doctor_id: int, days: list[Day]
) -> dict[int, tuple[Refusal, ...]]:
    needs = [day.need for day in days if day.is_open]
    if not needs or call.state is not CallState.SENT:
        return {}
    dates = [need.date for need in needs]
    found = openings(session, needs)
    known = standings(session, doctor_id, [call.practice_id], min(dates), max(dates))
    standing = known[call.practice_id]
    return {need.id: tuple(legality.check(found[need.id], standing)) for need in needs}


def open_invitations_of(session: UnitOfWork, doctor_id: int) -> list[OpenInvitation]:
    """The calls under way in which a doctor was asked, in every practice, and their open days."""
    calls = whole(
        session,
        sa.select(Call)
        .join(Call.invitations)
        .where(
            Call.state == CallState.SENT,
            Invitation.doctor_id == doctor_id,
            Invitation.sent_at.is_not(None),
        )
        .order_by(Call.monday, Call.id),
    )
    days = days_of(session, calls)
    found = [
        OpenInvitation(invitation, call, _asked_of(invitation, days[call.id]))
        for call in calls
        for invitation in call.invitations
        if invitation.doctor_id == doctor_id
    ]
    return [one for one in found if one.days]


def _asked_of(invitation: Invitation, days: Iterable[Day]) -> list[Day]:
    """The open days of a call that one doctor was asked about."""
    asked = {day.need_id for day in invitation.days}
    return [day for day in days if day.is_open and day.need.id in asked]


def belongs(session: Session, practice_id: int, call_id: int) -> bool:
    """Whether there is such a call in a practice."""
    found = sa.select(Call.id).where(Call.id == call_id, Call.practice_id == practice_id)
    return session.scalar(found) is not None
