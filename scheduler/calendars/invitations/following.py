"""Keeping what doctors' calendars say true: whatever door a day went through, its invitations
follow.

The roster knows nothing of calendars; the worker looks at every open invitation whose day is no
longer what the last mail said.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from scheduler.calendars.invitations.telling import end, note, tell, tell_inviter
from scheduler.calendars.invitations.writing import said_of
from scheduler.calendars.models import Answer, CalendarInvitation, Ending
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork
from scheduler.core.permissions import SYSTEM
from scheduler.people.models import Practice, Room
from scheduler.roster import assignments
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentState, NeedState, ReleaseKind

BATCH: Final = 200


def keep_up(session: UnitOfWork) -> int:
    """Bring the invitations of one practice up to date with its days.

    Returns how many changed, 0 when every practice's are: the caller asks again until then. One
    practice a call: several would be locked in an order of their own.
    """
    due = _due(session)
    practice_id = session.scalar(
        sa.select(CalendarInvitation.practice_id).where(CalendarInvitation.id.in_(due)).limit(1)
    )
    if practice_id is None:
        return 0
    assignments.hold(session, practice_id, [])
    mine = CalendarInvitation.practice_id == practice_id
    found = _read(session, sa.and_(CalendarInvitation.id.in_(due), mine))
    for invitation in found:
        _bring_up(session, invitation)
    return len(found)


def follow_need(session: UnitOfWork, need_id: int) -> None:
    """The same at once for one day, whose practice the caller holds."""
    open_ones = CalendarInvitation.ended_at.is_(None)
    for invitation in _read(session, sa.and_(CalendarInvitation.need_id == need_id, open_ones)):
        _bring_up(session, invitation)


def _due(session: UnitOfWork) -> sa.Select[int]:
    """The open invitations whose day is not what they say, by number."""
    holder, own = aliased(Assignment), aliased(Assignment)
    # A date is over everywhere once it is two days old; sooner, its own clocks decide.
    return (
        sa.select(CalendarInvitation.id)
        .join(Need, Need.id == CalendarInvitation.need_id)
        .join(Room, Room.id == Need.room_id)
        .join(Practice, Practice.id == CalendarInvitation.practice_id)
        .outerjoin(
            holder,
            sa.and_(holder.need_id == Need.id, holder.state != AssignmentState.RELEASED),
        )
        .outerjoin(own, own.id == CalendarInvitation.assignment_id)
        .where(
            CalendarInvitation.ended_at.is_(None),
            sa.or_(
                Need.state == NeedState.WITHDRAWN,
                sa.and_(
                    holder.doctor_id != CalendarInvitation.doctor_id,
                    holder.tentative.is_(False),
                ),
                own.state == AssignmentState.RELEASED,
                Practice.version != CalendarInvitation.practice_version,
                Room.name != CalendarInvitation.room,
                *_over(session),
            ),
        )
        .order_by(CalendarInvitation.id)
        .limit(BATCH)
    )


def _over(session: UnitOfWork) -> list[sa.ColumnElement[bool]]:
    """The days that are over, where their practice is."""
    zones = session.scalars(sa.select(Practice.timezone).distinct()).all()
    return [
        sa.and_(Practice.timezone == zone, Need.date < local_date(session.now(), zone))
        for zone in zones
    ]


def _read(session: UnitOfWork, which: sa.ColumnElement[bool]) -> list[CalendarInvitation]:
    return list(
        session.scalars(
            sa.select(CalendarInvitation)
            .where(which)
            .options(
                joinedload(CalendarInvitation.need).joinedload(Need.room),
                joinedload(CalendarInvitation.need).joinedload(Need.practice),
            )
            .order_by(CalendarInvitation.id)
            .with_for_update(of=CalendarInvitation)
            .execution_options(populate_existing=True)
        )
    )


def _bring_up(session: UnitOfWork, invitation: CalendarInvitation) -> None:
    """Tell the doctor's calendar what has become of the day."""
    lost = _lost(session, invitation)
    if lost is not None and lost.release_kind is ReleaseKind.UNDONE:
        # Whoever heard of the yes hears that it is undone.
        tell_inviter(session, invitation, Answer.DECLINED.value, lost.id, given_back=True)
    ending = _ending(session, invitation, lost)
    if ending is not None:
        end(session, SYSTEM, invitation, ending)
        return
    need = invitation.need
    invitation.practice_version, invitation.room = need.practice.version, need.room.name
    said = said_of(need)
    if said != invitation.said:
        invitation.said = said
        invitation.sequence += 1
        session.flush()
        note(session, SYSTEM, "invitation.changed", invitation)
        if invitation.answer is not Answer.DECLINED:
            accepted = invitation.answer is Answer.ACCEPTED
            tell(session, "invitation.changed", invitation, invitation.sequence, accepted=accepted)
    session.flush()


def _ending(
    session: UnitOfWork, invitation: CalendarInvitation, lost: Assignment | None
) -> Ending | None:
    """Why an invitation is over; None while it can be answered."""
    need, found = invitation.need, None
    holder = assignments.holder_of(session, need.id)
    if need.date < _today(session, need.practice):
        found = Ending.PAST
    elif need.state is NeedState.WITHDRAWN:
        found = Ending.NEED_WITHDRAWN
    elif lost is not None:
        found = Ending.GIVEN_BACK
    elif holder is not None and holder.doctor_id != invitation.doctor_id and not holder.tentative:
        found = Ending.TAKEN
    return found


def _lost(session: UnitOfWork, invitation: CalendarInvitation) -> Assignment | None:
    """How the day was the doctor's by this invitation, where it is no longer. A tentative hold
    that is over leaves the invitation as it was."""
    if invitation.assignment_id is None:
        return None
    own = session.get_one(Assignment, invitation.assignment_id, populate_existing=True)
    if own.state is not AssignmentState.RELEASED:
        return None
    invitation.assignment_id = None
    return None if own.tentative else own


def _today(session: UnitOfWork, practice: Practice) -> dt.date:
    return local_date(session.now(), practice.timezone)
