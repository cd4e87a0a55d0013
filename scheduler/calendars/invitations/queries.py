"""Named reads of invitations: who was invited to which day, and who answered what."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from scheduler.calendars.invitations.sending import Pair
from scheduler.calendars.models import CalendarInvitation
from scheduler.core.errors import NotFound
from scheduler.roster.models import Assignment, Need, Proposal, ProposalLine
from scheduler.roster.rules import AssignmentState, LineState, NeedState

MOST_DAYS: Final = 200


@dataclass(frozen=True, slots=True)
class InvitedDay:
    """A day that doctors were invited to, who has it now, and the invitations, oldest first."""

    need: Need
    holder: Assignment | None
    invitations: tuple[CalendarInvitation, ...]


def invited_days(session: Session, practice_id: int, since: dt.date) -> list[InvitedDay]:
    """The days of a practice from a date on that somebody was invited to, by date."""
    needs = session.scalars(
        sa.select(Need)
        .where(
            Need.date >= since,
            Need.id.in_(
                sa.select(CalendarInvitation.need_id).where(
                    CalendarInvitation.practice_id == practice_id
                )
            ),
        )
        .options(joinedload(Need.room))
        .order_by(Need.date, Need.period, Need.id)
        .limit(MOST_DAYS)
    ).all()
    ids = {need.id for need in needs}
    invitations: defaultdict[int, list[CalendarInvitation]] = defaultdict(list)
    for row in session.scalars(
        sa.select(CalendarInvitation)
        .where(CalendarInvitation.need_id.in_(ids))
        .options(
            joinedload(CalendarInvitation.doctor),
            joinedload(CalendarInvitation.inviter),
            joinedload(CalendarInvitation.assignment),
        )
        .order_by(CalendarInvitation.id)
    ):
        invitations[row.need_id].append(row)
    holders = _holders(session, ids)
    return [InvitedDay(need, holders.get(need.id), tuple(invitations[need.id])) for need in needs]


def open_pairs(session: Session, need_ids: Collection[int]) -> set[Pair]:
    """Who is invited to which of these days and can still answer."""
    rows = session.execute(
        sa.select(CalendarInvitation.need_id, CalendarInvitation.doctor_id).where(
            CalendarInvitation.need_id.in_(need_ids), CalendarInvitation.ended_at.is_(None)
        )
    )
    return {Pair(need_id, doctor_id) for need_id, doctor_id in rows}


def proposed_pairs(session: Session, practice_id: int, proposal_id: int) -> list[Pair]:
    """The days of a proposal that nobody has decided on or taken; raises `NotFound`."""
    proposal = session.get(Proposal, proposal_id)
    if proposal is None or proposal.practice_id != practice_id:
        raise NotFound("proposal_not_found")
    taken = sa.select(Assignment.need_id).where(Assignment.state != AssignmentState.RELEASED)
    rows = session.execute(
        sa.select(ProposalLine.need_id, ProposalLine.doctor_id)
        .join(Need, Need.id == ProposalLine.need_id)
        .where(
            ProposalLine.proposal_id == proposal_id,
            ProposalLine.state == LineState.PROPOSED,
            Need.state == NeedState.PUBLISHED,
            Need.id.not_in(taken),
        )
        .order_by(Need.date, Need.period, Need.id)
    )
    return [Pair(need_id, doctor_id) for need_id, doctor_id in rows]


def open_needs(
    session: Session, practice_id: int, ids: Collection[int], today: dt.date
) -> list[Need]:
    """Those of these days that somebody can be invited to, with room and practice, by date."""
    taken = sa.select(Assignment.need_id).where(Assignment.state != AssignmentState.RELEASED)
    return list(
        session.scalars(
            sa.select(Need)
            .where(
                Need.id.in_(ids),
                Need.practice_id == practice_id,
                Need.state == NeedState.PUBLISHED,
                Need.date >= today,
                Need.id.not_in(taken),
            )
            .options(joinedload(Need.room), joinedload(Need.practice))
            .order_by(Need.date, Need.period, Need.id)
        )
    )


def require_in(session: Session, practice_id: int, invitation_id: int) -> CalendarInvitation:
    """An invitation of a practice; raises `NotFound`."""
    found = session.get(CalendarInvitation, invitation_id)
    if found is None or found.practice_id != practice_id:
        raise NotFound("calendar_invitation_not_found")
    return found


def _holders(session: Session, need_ids: Collection[int]) -> dict[int, Assignment]:
    rows = session.scalars(
        sa.select(Assignment)
        .where(Assignment.need_id.in_(need_ids), Assignment.state != AssignmentState.RELEASED)
        .options(joinedload(Assignment.doctor))
    )
    return {row.need_id: row for row in rows}
