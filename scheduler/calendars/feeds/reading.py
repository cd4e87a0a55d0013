"""What there is for a feed to tell, read from the roster, and the marks of it.

Marks are a few values a row, read without the rows themselves: they change whenever what the
feed would tell does. What a feed of one part shows and what its marks are stand side by side.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from scheduler.calendars.models import Feed, FeedKind, Part
from scheduler.calendars.rules import Window
from scheduler.core.permissions import DOCTOR_ROLES, Action, Actor, Role, Subject, can
from scheduler.oncall.models import Duty
from scheduler.people.models import Member, Practice, User
from scheduler.roster.models import Ask, Assignment, Need, Proposal, ProposalLine
from scheduler.roster.rules import (
    AskState,
    AssignmentState,
    Half,
    LineState,
    NeedState,
    Period,
    ProposalState,
)

STATES_OF_PART = {
    Part.CONFIRMED: (AssignmentState.CONFIRMED, AssignmentState.DONE),
    Part.HELD: (AssignmentState.HELD,),
}


@dataclass(frozen=True, slots=True)
class View:
    """A feed as its owner may see it on a day."""

    feed: Feed
    owner: Actor
    window: Window
    today: dt.date
    now: dt.datetime

    @property
    def parts(self) -> frozenset[Part]:
        return frozenset(Part(part) for part in self.feed.parts)

    @property
    def personal(self) -> bool:
        return self.feed.kind is FeedKind.PERSONAL


@dataclass(frozen=True, slots=True)
class Proposed:
    """A day that somebody would give to a doctor; `ask_id` where they were asked for it."""

    need: Need
    ask_id: int | None
    since: dt.datetime


def marks(session: Session, view: View) -> Iterator[Sequence[Any]]:
    """A few values for each thing that the feed would tell; the same as long as it would not
    tell anything else."""
    if view.parts & STATES_OF_PART.keys():
        yield from session.execute(
            sa.select(Assignment.id, Assignment.version, User.version)
            .join(User, User.id == Assignment.doctor_id)
            .where(_assigned(view))
            .order_by(Assignment.id)
        )
    if Part.DUTIES in view.parts:
        yield from session.execute(
            sa.select(Duty.practice_id, Duty.date, Duty.doctor_id, Duty.version, User.version)
            .join(User, User.id == Duty.doctor_id)
            .where(_on_call(view))
            .order_by(Duty.id)
        )
    if Part.OPEN in view.parts:
        yield from _open(session, view)
    if Part.PROPOSED in view.parts:
        for kind, number, version, _since, _ask in _proposed(session, view):
            yield kind, number, version


def practices(session: Session, view: View) -> Sequence[Practice]:
    """The practices that a feed may speak of, with their rooms."""
    return session.scalars(
        sa.select(Practice)
        .where(_shown_practices(view))
        .options(selectinload(Practice.rooms))
        .order_by(Practice.id)
    ).all()


def assignments(session: Session, view: View) -> Sequence[Assignment]:
    """The assignments that a feed shows, with doctor, need, room and practice."""
    return session.scalars(
        sa.select(Assignment)
        .where(_assigned(view))
        .options(
            joinedload(Assignment.doctor),
            joinedload(Assignment.need).options(joinedload(Need.room), joinedload(Need.practice)),
        )
    ).all()


def duties(session: Session, view: View) -> Sequence[Duty]:
    """The duties that a feed shows and that count, with doctor and practice."""
    return session.scalars(
        sa.select(Duty)
        .where(_on_call(view))
        .options(joinedload(Duty.doctor), joinedload(Duty.practice))
    ).all()


def open_needs(session: Session, view: View) -> list[Need]:
    """The published needs that nobody has: those of a practice, or those that are open to the
    feed's owner. With room and practice."""
    return _needs(session, [need_id for need_id, _version in _open(session, view)])


def proposed(session: Session, view: View) -> list[Proposed]:
    """The days that the feed's owner is asked for, or that a proposal they may see would give
    them; each need once, a question before a line."""
    found: dict[int, tuple[dt.datetime, int | None]] = {}
    for _kind, need_id, _version, since, ask_id in _proposed(session, view):
        found.setdefault(need_id, (since, ask_id))
    return [Proposed(need, found[need.id][1], found[need.id][0]) for need in _needs(session, found)]


def _needs(session: Session, need_ids: Collection[int]) -> list[Need]:
    if not need_ids:
        return []
    return list(
        session.scalars(
            sa.select(Need)
            .join(Need.room)
            .where(Need.id.in_(need_ids))
            .options(contains_eager(Need.room), joinedload(Need.practice))
        )
    )


def _shown_practices(view: View) -> sa.ColumnElement[bool]:
    feed = view.feed
    if feed.practice_id is not None:
        return Practice.id == feed.practice_id
    mine = Practice.id.in_({member.practice_id for member in view.owner.memberships})
    if not view.personal:
        return mine
    # A day stays where it was worked, whoever has left the practice since.
    worked = sa.select(Assignment.practice_id).where(Assignment.doctor_id == feed.user_id)
    return sa.or_(mine, Practice.id.in_(worked))


def _assigned(view: View) -> sa.ColumnElement[bool]:
    feed = view.feed
    states = [state for part in view.parts for state in STATES_OF_PART.get(part, ())]
    whose = (
        Assignment.doctor_id == feed.user_id
        if view.personal
        else Assignment.practice_id == feed.practice_id
    )
    return sa.and_(
        whose,
        Assignment.state.in_(states),
        Assignment.date.between(view.window.start, view.window.end),
    )


def _on_call(view: View) -> sa.ColumnElement[bool]:
    """Duties count on days of which a half has no doctor in the house."""
    feed = view.feed
    mine = Duty.doctor_id == feed.user_id
    return sa.and_(
        mine if view.personal else Duty.practice_id == feed.practice_id,
        Duty.date.between(view.window.start, view.window.end),
        ~sa.and_(*(_attended(half) for half in Half)),
    )


def _attended(half: Half) -> sa.ColumnElement[bool]:
    """Whether a doctor is in the house on a half of a duty's date; an intern alone is none."""
    is_intern = sa.exists().where(
        Member.practice_id == Assignment.practice_id,
        Member.user_id == Assignment.doctor_id,
        Member.role == Role.INTERN,
        Member.since <= Assignment.date,
        sa.or_(Member.until.is_(None), Member.until >= Assignment.date),
    )
    return sa.exists().where(
        Assignment.practice_id == Duty.practice_id,
        Assignment.date == Duty.date,
        Assignment.period.in_([period for period in Period if half in period.halves]),
        Assignment.state != AssignmentState.RELEASED,
        ~is_intern,
    )


def _uncovered(view: View) -> sa.ColumnElement[bool]:
    taken = sa.exists().where(
        Assignment.need_id == Need.id, Assignment.state != AssignmentState.RELEASED
    )
    return sa.and_(
        Need.state == NeedState.PUBLISHED, Need.date.between(view.today, view.window.end), ~taken
    )


def _open(session: Session, view: View) -> list[tuple[int, int]]:
    """The open needs of a feed, each with its version."""
    feed, owner = view.feed, view.owner
    own = {each.practice_id for each in owner.memberships if each.role in DOCTOR_ROLES}
    rows = session.execute(
        sa.select(Need.id, Need.version, Need.practice_id, Need.date, Need.period, Need.roles)
        .where(Need.practice_id.in_({feed.practice_id} if feed.practice_id else own))
        .where(_uncovered(view))
        .order_by(Need.id)
    ).all()
    if feed.kind is FeedKind.ROSTER:
        return [(row.id, row.version) for row in rows]
    members = _own_members(session, view)
    busy = _own_half_days(session, view)
    return [
        (row.id, row.version)
        for row in rows
        if any(
            member.practice_id == row.practice_id
            and member.role.value in row.roles
            and member.active_on(row.date)
            for member in members
        )
        and not any((row.date, half) in busy for half in row.period.halves)
    ]


def _own_members(session: Session, view: View) -> Sequence[Member]:
    return session.scalars(
        sa.select(Member).where(Member.user_id == view.feed.user_id, Member.role.in_(DOCTOR_ROLES))
    ).all()


def _own_half_days(session: Session, view: View) -> set[tuple[dt.date, Half]]:
    """The half-days on which the feed's owner works, anywhere."""
    rows = session.execute(
        sa.select(Assignment.date, Assignment.period).where(
            Assignment.doctor_id == view.feed.user_id,
            Assignment.state != AssignmentState.RELEASED,
            Assignment.date.between(view.today, view.window.end),
        )
    )
    return {(date, half) for date, period in rows for half in period.halves}


def _proposed(session: Session, view: View) -> list[tuple[str, int, int, dt.datetime, int | None]]:
    """What is proposed to the feed's owner: what it is, the need, the need's version, since when,
    and the question, first the questions."""
    user_id = view.feed.user_id
    asked = session.execute(
        sa.select(Need.id, Need.version, Ask.asked_at, Ask.id)
        .join(Need, Need.id == Ask.need_id)
        .where(Ask.doctor_id == user_id, Ask.state == AskState.OPEN, _uncovered(view))
        .order_by(Ask.id)
    )
    found: list[tuple[str, int, int, dt.datetime, int | None]] = [
        ("ask", need_id, version, at, ask_id) for need_id, version, at, ask_id in asked
    ]
    readable = {
        member.practice_id
        for member in view.owner.memberships
        if can(view.owner, Action.PROPOSAL_VIEW, Subject(member.practice_id))
    }
    if not readable:
        return found
    lines = session.execute(
        sa.select(Need.id, Need.version, Proposal.finished_at, Proposal.requested_at)
        .select_from(ProposalLine)
        .join(Proposal, Proposal.id == ProposalLine.proposal_id)
        .join(Need, Need.id == ProposalLine.need_id)
        .where(
            ProposalLine.doctor_id == user_id,
            ProposalLine.state == LineState.PROPOSED,
            Proposal.state == ProposalState.READY,
            Proposal.practice_id.in_(readable),
            _uncovered(view),
        )
        .order_by(ProposalLine.id)
    )
    return found + [
        ("line", need_id, version, finished or requested, None)
        for need_id, version, finished, requested in lines
    ]
