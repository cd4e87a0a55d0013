"""Named reads of people and practices."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from scheduler.core.errors import NotFound
from scheduler.core.permissions import Actor, Membership
from scheduler.people.models import EndedSession, Locale, Member, Practice, User
from scheduler.people.rules import session_digest


@dataclass(frozen=True, slots=True)
class PracticeRef:
    """A practice as its name in a menu."""

    id: int
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in user, detached: who acts, and what every page shows of them."""

    actor: Actor
    email: str
    locale: Locale
    credentials_epoch: int
    practices: tuple[PracticeRef, ...]


def identity(session: Session, user_id: int, today: dt.date) -> Identity | None:
    """The identity of an enabled user with the memberships valid on `today`, or None."""
    user = session.scalars(
        sa.select(User)
        .where(User.id == user_id, User.disabled_at.is_(None))
        .options(selectinload(User.members).joinedload(Member.practice))
    ).one_or_none()
    if user is None:
        return None
    members = [member for member in user.members if member.active_on(today)]
    practices = {member.practice.id: member.practice for member in members}
    return Identity(
        actor=Actor(
            user_id=user.id,
            name=user.name,
            memberships=tuple(
                Membership(member.practice_id, member.id, member.role)
                for member in sorted(members, key=lambda member: member.id)
            ),
        ),
        email=user.email,
        locale=user.locale,
        credentials_epoch=user.credentials_epoch,
        practices=tuple(
            PracticeRef(practice.id, practice.slug, practice.name)
            for practice in sorted(practices.values(), key=lambda practice: practice.name)
        ),
    )


def has_ended(session: Session, number: str) -> bool:
    """Whether somebody signed out of the session with this number."""
    return session.get(EndedSession, session_digest(number)) is not None


def practice_by_slug(session: Session, actor: Actor, slug: str) -> Practice:
    """The practice with its rooms; `NotFound` where there is none or the actor is no member."""
    practice = session.scalars(
        sa.select(Practice).where(Practice.slug == slug).options(selectinload(Practice.rooms))
    ).one_or_none()
    if practice is None or not (actor.is_system or actor.roles_in(practice.id)):
        raise NotFound("practice_not_found")
    return practice


def members_of(session: Session, practice_id: int, day: dt.date) -> list[Member]:
    """The members of a practice on a day, with their users and doctors' facts, by family name."""
    statement = (
        sa.select(Member)
        .join(Member.user)
        .where(
            Member.practice_id == practice_id,
            Member.since <= day,
            sa.or_(Member.until.is_(None), Member.until >= day),
            User.disabled_at.is_(None),
        )
        .options(joinedload(Member.user).joinedload(User.doctor))
        .order_by(User.family_name, User.given_name, Member.id)
    )
    return list(session.scalars(statement))
