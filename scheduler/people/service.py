"""What can be done with people: signing in, passwords, users, practices and their members."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from scheduler.core import audit
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import Conflict, Forbidden, InvalidInput, NotFound, NotSignedIn
from scheduler.core.permissions import DOCTOR_ROLES, Actor, Role
from scheduler.people import passwords, rules
from scheduler.people.models import (
    Doctor,
    EndedSession,
    Gender,
    Locale,
    Member,
    Practice,
    Room,
    SchoolZone,
    User,
)

log = structlog.get_logger(__name__)

# After so long a cookie is void by itself.
LONGEST_SESSION: Final = dt.timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """The four times of a consultation day."""

    am_start: dt.time = dt.time(8, 30)
    am_end: dt.time = dt.time(12, 30)
    pm_start: dt.time = dt.time(14, 0)
    pm_end: dt.time = dt.time(18, 30)

    @property
    def in_order(self) -> bool:
        return self.am_start < self.am_end <= self.pm_start < self.pm_end


def sign_in(session: UnitOfWork, email: str, password: str) -> User:
    """The user with this e-mail and password.

    Raises `NotSignedIn` with one code, after the same work, whatever the reason: no such user,
    another password, no password set, or a disabled account.
    """
    address = rules.typed_email(email)
    user = session.scalars(sa.select(User).where(User.email == (address or ""))).one_or_none()
    known = user is not None and user.disabled_at is None
    stored = user.password_hash if user is not None and known else None
    if not passwords.matches(stored, password) or user is None or stored is None:
        raise NotSignedIn("wrong_credentials")
    if passwords.is_outdated(stored):
        user.password_hash = passwords.hashed(password)
        session.flush()
    return user


def end_session(session: UnitOfWork, number: str) -> None:
    """Sign out of a session: its cookie, or a copy of it, opens nothing any more."""
    now = session.now()
    session.execute(sa.delete(EndedSession).where(EndedSession.ended_at < now - LONGEST_SESSION))
    session.merge(EndedSession(digest=rules.session_digest(number), ended_at=now))
    session.flush()


def change_password(session: UnitOfWork, actor: Actor, current: str, new: str) -> User:
    """Replace the actor's own password; every session signed in before ends.

    Raises `InvalidInput` for a wrong current password and for a new one that breaks a rule;
    `facts["field"]` is ``current`` or ``new``.
    """
    user = _self(session, actor)
    lock_rows(session, user)
    if not passwords.matches(user.password_hash, current):
        raise InvalidInput("password_wrong", field="current")
    passwords.check(new, (user.given_name, user.family_name, user.email), "new")
    if passwords.matches(user.password_hash, new):
        raise InvalidInput("password_unchanged", field="new")
    user.password_hash = passwords.hashed(new)
    user.credentials_epoch += 1
    audit.record(session, actor, "password.changed", "user", user.id, practice_id=None)
    session.flush()
    return user


def set_language(session: UnitOfWork, actor: Actor, language: str) -> None:
    """Remember the language in which the actor reads Relais."""
    if language not in list(Locale):
        raise InvalidInput("language_unknown", field="language", language=language)
    _self(session, actor).locale = Locale(language)
    session.flush()


def reset_password(session: UnitOfWork, actor: Actor, email: str) -> str:
    """Give a user a new random password, which is returned and kept nowhere.

    Every session of the user ends. Raises `NotFound` where nobody has this e-mail.
    """
    _require_system(actor, "user.reset")
    address = rules.normal_email(email)
    user = session.scalars(sa.select(User).where(User.email == address)).one_or_none()
    if user is None:
        raise NotFound("user_not_found", email=address)
    lock_rows(session, user)
    password = passwords.generated()
    user.password_hash = passwords.hashed(password)
    user.credentials_epoch += 1
    audit.record(session, actor, "password.reset", "user", user.id, practice_id=None)
    session.flush()
    return password


def add_user(
    session: UnitOfWork,
    actor: Actor,
    *,
    email: str,
    given_name: str,
    family_name: str,
    role: Role | str | None = None,
    practice_slug: str | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
    password: str | None = None,
    phone: str | None = None,
    locale: Locale = Locale.FRENCH,
    gender: Gender | None = None,
    rpps: str | None = None,
    qualified: bool = True,
    licence_until: dt.date | None = None,
    max_half_days_per_week: int | None = None,
    max_half_days_per_month: int | None = None,
    max_consecutive_days: int | None = None,
) -> tuple[User, str]:
    """Add a user, with a role in a practice where both are given; returns the password too.

    Without a password a random one is made. A doctor's role brings the facts of a doctor. Raises
    `InvalidInput` with the field, `NotFound` for the practice, `Conflict` for a known e-mail.
    """
    _require_system(actor, "user.add")
    if (role is None) != (practice_slug is None):
        missing = "practice" if practice_slug is None else "role"
        raise InvalidInput("role_and_practice", field=missing)
    chosen = None if role is None else _role(role)
    user = User(
        email=rules.normal_email(email),
        given_name=rules.required_text(given_name, "given_name", 80),
        family_name=rules.required_text(family_name, "family_name", 80),
        phone=rules.required_text(phone, "phone", 32) if phone else None,
        locale=locale,
        created_at=session.now(),
    )
    if password is None:
        password = passwords.generated()
    else:
        passwords.check(password, (user.given_name, user.family_name, user.email), "password")
    user.password_hash = passwords.hashed(password)
    practice = None if practice_slug is None else _practice(session, practice_slug)
    if session.scalar(sa.select(User.id).where(User.email == user.email)) is not None:
        raise Conflict("email_taken", field="email", email=user.email)
    session.add(user)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict("email_taken", field="email", email=user.email) from None
    audit.record(session, actor, "user.added", "user", user.id, practice_id=None)
    facts: dict[str, Any] = {
        "gender": gender,
        "rpps": _rpps(rpps),
        "licence_until": licence_until,
        "max_half_days_per_week": _limit(max_half_days_per_week, "max_half_days_per_week", 0),
        "max_half_days_per_month": _limit(max_half_days_per_month, "max_half_days_per_month", 0),
        "max_consecutive_days": _limit(max_consecutive_days, "max_consecutive_days", 1),
    }
    if chosen in DOCTOR_ROLES or any(value is not None for value in facts.values()):
        session.add(Doctor(user_id=user.id, qualified=qualified, **facts))
    if practice is not None and chosen is not None:
        add_member(session, actor, practice, user, chosen, since=since, until=until)
    session.flush()
    return user, password


def add_member(
    session: UnitOfWork,
    actor: Actor,
    practice: Practice,
    user: User,
    role: Role | str,
    *,
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> Member:
    """Give a user a role in a practice, from `since` (today) to `until` (open), both included.

    Raises `Conflict` where the user holds this role there on one of these dates already.
    """
    _require_system(actor, "member.add")
    role = _role(role)
    since = since or local_date(session.now(), practice.timezone)
    if until is not None and until < since:
        raise InvalidInput("dates_reversed", field="until", since=since, until=until)
    lock_rows(session, session.get_one(Practice, practice.id))
    held = sa.select(Member.id).where(
        Member.practice_id == practice.id,
        Member.user_id == user.id,
        Member.role == role,
        sa.or_(Member.until.is_(None), Member.until >= since),
    )
    if until is not None:
        held = held.where(Member.since <= until)
    if session.scalar(held.limit(1)) is not None:
        raise Conflict("already_member", name=user.name, practice=practice.name)
    member = Member(practice_id=practice.id, user_id=user.id, role=role, since=since, until=until)
    session.add(member)
    if role in DOCTOR_ROLES and session.get(Doctor, user.id) is None:
        session.add(Doctor(user_id=user.id))
    session.flush()
    audit.record(
        session,
        actor,
        "member.added",
        "member",
        member.id,
        practice_id=practice.id,
        user=user.id,
        role=role.value,
        since=since,
        until=until,
    )
    return member


def create_practice(
    session: UnitOfWork,
    actor: Actor,
    *,
    name: str,
    rooms: Sequence[str],
    slug: str | None = None,
    address: str | None = None,
    timezone: str = "Europe/Paris",
    school_zone: SchoolZone | None = None,
    holiday_subdivision: str | None = None,
    hours: OpeningHours | None = None,
    weekly_minimum: int = 0,
) -> Practice:
    """Open a practice with its rooms, in the order given. Without a slug the name makes one.

    Raises `InvalidInput` with the field of what cannot be, `Conflict` for a slug in use.
    """
    _require_system(actor, "practice.create")
    hours = hours or OpeningHours()
    name = rules.required_text(name, "name", 120)
    slug = rules.slug_of(name) if slug is None else slug
    if not rules.SLUG.fullmatch(slug) or len(slug) > rules.LONGEST_SLUG:
        raise InvalidInput("slug_malformed", field="slug", slug=slug)
    if not rules.is_timezone(timezone):
        raise InvalidInput("timezone_unknown", field="timezone", timezone=timezone)
    if holiday_subdivision is not None and not rules.is_subdivision(holiday_subdivision):
        raise InvalidInput(
            "subdivision_unknown", field="holiday_subdivision", subdivision=holiday_subdivision
        )
    if not hours.in_order:
        raise InvalidInput("hours_out_of_order", field="hours")
    if not 0 <= weekly_minimum <= 7:
        raise InvalidInput("number_out_of_range", field="weekly_minimum", lowest=0, highest=7)
    names = [rules.required_text(room, "rooms", 60) for room in rooms]
    if not names or len(set(names)) < len(names):
        raise InvalidInput("rooms_needed", field="rooms")
    if session.scalar(sa.select(Practice.id).where(Practice.slug == slug)) is not None:
        raise Conflict("slug_taken", field="slug", slug=slug)
    practice = Practice(
        slug=slug,
        name=name,
        address=rules.required_text(address, "address", 255) if address else None,
        timezone=timezone,
        school_zone=school_zone,
        holiday_subdivision=holiday_subdivision,
        am_start=hours.am_start,
        am_end=hours.am_end,
        pm_start=hours.pm_start,
        pm_end=hours.pm_end,
        weekly_minimum=weekly_minimum,
        created_at=session.now(),
    )
    practice.rooms = [Room(name=room, position=place) for place, room in enumerate(names)]
    session.add(practice)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict("slug_taken", field="slug", slug=slug) from None
    audit.record(
        session, actor, "practice.created", "practice", practice.id, practice_id=practice.id
    )
    return practice


def _require_system(actor: Actor, action: str) -> None:
    # Only the command line and the demonstration manage users for now; no role may.
    if not actor.is_system:
        raise Forbidden(action=action)


def _self(session: UnitOfWork, actor: Actor) -> User:
    user = None if actor.user_id is None else session.get(User, actor.user_id)
    if user is None:
        raise NotSignedIn
    return user


def _practice(session: UnitOfWork, slug: str) -> Practice:
    practice = session.scalars(
        sa.select(Practice).where(Practice.slug == slug).options(selectinload(Practice.rooms))
    ).one_or_none()
    if practice is None:
        raise NotFound("practice_not_found", practice=slug)
    return practice


def _role(role: Role | str) -> Role:
    if role not in list(Role):
        raise InvalidInput("role_unknown", field="role", role=str(role))
    return Role(role)


def _rpps(text: str | None) -> str | None:
    if text is None:
        return None
    digits = rules.normal_rpps(text)
    if not rules.passes_luhn(digits):
        log.warning("people.rpps_check_digit", hint="an RPPS number fails its Luhn check")
    return digits


def _limit(value: int | None, field: str, lowest: int) -> int | None:
    if value is not None and not lowest <= value <= 366:
        raise InvalidInput("number_out_of_range", field=field, lowest=lowest, highest=366)
    return value
