"""Named reads of questions to doctors."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from scheduler.core.errors import NotFound
from scheduler.core.permissions import Action, Actor, Subject, can, require
from scheduler.people.models import User
from scheduler.roster.models import Ask, Assignment, Need
from scheduler.roster.rules import AskState, AssignmentState

MOST_LISTED: Final = 30
_PLACE = (
    joinedload(Ask.need).joinedload(Need.room),
    joinedload(Ask.practice),
    joinedload(Ask.asker),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a need, with the names of who was asked and who asked."""

    ask: Ask
    doctor: str
    asker: str


@dataclass(frozen=True, slots=True)
class OpenAsk:
    """A question that waits for an answer, as a line of a notice."""

    ask_id: int
    asker: str
    date: dt.date


def state_on(ask: Ask, date: dt.date, today: dt.date) -> AskState:
    """The state of a question about a day, as people see it on `today`: nobody answers about a
    day that is over."""
    over = ask.state is AskState.OPEN and date < today
    return AskState.LAPSED if over else ask.state


def asks_on(session: Session, need_ids: Iterable[int]) -> dict[int, list[Asked]]:
    """The questions about each of these needs, newest first; one query."""
    rows = session.scalars(
        sa.select(Ask)
        .where(Ask.need_id.in_(set(need_ids)))
        .options(joinedload(Ask.doctor), joinedload(Ask.asker))
        .order_by(Ask.id.desc())
    )
    found: dict[int, list[Asked]] = defaultdict(list)
    for row in rows:
        found[row.need_id].append(Asked(row, row.doctor.name, row.asker.name))
    return found


def open_asks_of(session: Session, user_id: int, today: dt.date) -> list[OpenAsk]:
    """The questions that wait for a doctor's answer, in every practice, by date."""
    rows = session.execute(
        sa.select(Ask.id, User.given_name, User.family_name, Need.date)
        .join(Ask.need)
        .join(User, User.id == Ask.asked_by)
        .where(Ask.doctor_id == user_id, Ask.state == AskState.OPEN, Need.date >= today)
        .order_by(Need.date, Ask.id)
    )
    return [OpenAsk(ask_id, f"{given} {family}", date) for ask_id, given, family, date in rows]


def asks_of(session: Session, actor: Actor) -> list[Ask]:
    """The latest questions to a doctor with place, day and asker, the open ones first."""
    open_first = sa.case((Ask.state == AskState.OPEN, 0), else_=1)
    statement = (
        sa.select(Ask)
        .join(Ask.need)
        .where(Ask.doctor_id == actor.user_id)
        .options(*_PLACE)
        .order_by(open_first, Need.date, Ask.id)
        .limit(MOST_LISTED)
    )
    return list(session.scalars(statement))


def ask_of(session: Session, actor: Actor, ask_id: int) -> Ask:
    """One question with place, day and people, for the doctor asked and for who may ask."""
    ask = session.scalars(
        sa.select(Ask).where(Ask.id == ask_id).options(*_PLACE, joinedload(Ask.doctor))
    ).one_or_none()
    if ask is None or not actor.roles_in(ask.practice_id):
        raise NotFound("ask_not_found")
    if not can(actor, Action.NEED_CLAIM, Subject(ask.practice_id, ask.doctor_id)):
        require(actor, Action.NEED_ASK, Subject(ask.practice_id))
    return ask


def holder_name(session: Session, need_id: int) -> str | None:
    """Who has the need now."""
    row = session.execute(
        sa.select(User.given_name, User.family_name)
        .join(Assignment, Assignment.doctor_id == User.id)
        .where(Assignment.need_id == need_id, Assignment.state != AssignmentState.RELEASED)
    ).one_or_none()
    return None if row is None else f"{row.given_name} {row.family_name}"


def agreed_pairs(session: Session, need_ids: Iterable[int]) -> set[tuple[int, int]]:
    """Which (need, doctor) pairs stand by the doctor's own yes beyond a limit."""
    rows = session.execute(
        sa.select(Ask.need_id, Ask.doctor_id)
        .join(Assignment, Assignment.id == Ask.assignment_id)
        .where(
            Ask.need_id.in_(set(need_ids)),
            Ask.limit_half_days.is_not(None),
            Assignment.state != AssignmentState.RELEASED,
        )
    )
    return {(need_id, doctor_id) for need_id, doctor_id in rows}
