"""Device passwords: one for each calendar programme, never the password of signing in.

A phone keeps it, and whoever has it reads and moves the doctor's days; so it opens the calendars
only, is shown once, and is revoked by itself.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import itertools
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from scheduler.calendars.models import DevicePassword
from scheduler.calendars.rules import FETCH_NOTED_EVERY, HOUSE_TIMEZONE, client_name
from scheduler.core import audit
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import InvalidInput, NotFound
from scheduler.core.permissions import Action, Actor, Subject, can, require
from scheduler.people.models import User
from scheduler.people.queries import Identity, identity

LONGEST_NAME: Final = 60
MOST_DEVICES: Final = 20
# How long after it was made a password may go into a profile to install.
FRESH: Final = dt.timedelta(minutes=15)
_BYTES: Final = 16
_GROUP: Final = 4


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a device acts for."""

    identity: Identity
    user_id: int
    device_id: int

    @property
    def actor(self) -> Actor:
        return self.identity.actor


def devices_of(session: Session, user_id: int) -> list[DevicePassword]:
    """The devices of a user that have not been revoked, the oldest first."""
    return list(
        session.scalars(
            sa.select(DevicePassword)
            .where(DevicePassword.user_id == user_id, DevicePassword.revoked_at.is_(None))
            .order_by(DevicePassword.created_at, DevicePassword.id)
        )
    )


def add(session: UnitOfWork, actor: Actor, name: str) -> tuple[DevicePassword, str]:
    """Make a password for a device of the actor's; it is shown now and never again. The second
    of a name is numbered.

    Raises `InvalidInput` for a name that is empty, too long or unprintable, and for too many
    devices.
    """
    require(actor, Action.CALENDAR_DEVICE, Subject(None, actor.user_id))
    user = None if actor.user_id is None else session.get(User, actor.user_id)
    if user is None:
        raise NotFound("device_not_found")
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput("device_name", field="name", most=LONGEST_NAME)
    lock_rows(session, user)
    others = devices_of(session, user.id)
    if len(others) >= MOST_DEVICES:
        raise InvalidInput("device_too_many", field="name", most=MOST_DEVICES)
    password = _new_password()
    device = DevicePassword(
        user_id=user.id,
        name=_unlike(name, {other.name.casefold() for other in others}),
        secret_hash=secret_hash(password),
        created_at=session.now(),
    )
    session.add(device)
    session.flush()
    audit.record(session, actor, "device.added", "device_password", device.id, practice_id=None)
    return device, password


def revoke(session: UnitOfWork, actor: Actor, device_id: int) -> DevicePassword:
    """Shut out a device of the actor's; its password never works again."""
    device = _own(session, actor, device_id)
    device.revoked_at = session.now()
    session.flush()
    audit.record(session, actor, "device.revoked", "device_password", device.id, practice_id=None)
    return device


def fresh(session: UnitOfWork, actor: Actor, device_id: int, password: str) -> DevicePassword:
    """The actor's device of a password made a moment ago; raises `NotFound` for any other."""
    device = _own(session, actor, device_id)
    if device.secret_hash != secret_hash(password) or session.now() - device.created_at > FRESH:
        raise NotFound("device_not_found")
    return device


def authenticate(session: UnitOfWork, email: str, password: str, client: str) -> Caller | None:
    """Who a device that gives an e-mail and a device password acts for, or None.

    Notes when and by which programme it was used. A disabled user, a user who is no doctor of any
    practice any more, and a revoked device are refused like a wrong password.
    """
    device = session.scalars(
        sa.select(DevicePassword)
        .where(
            DevicePassword.secret_hash == secret_hash(password), DevicePassword.revoked_at.is_(None)
        )
        .options(joinedload(DevicePassword.user))
    ).one_or_none()
    if device is None or device.user.email != email.strip().lower():
        return None
    found = identity(session, device.user_id, local_date(session.now(), HOUSE_TIMEZONE))
    if found is None or not can(found.actor, Action.CALENDAR_DEVICE, Subject(None, device.user_id)):
        return None
    _note_use(session, device, client_name(client))
    return Caller(found, device.user_id, device.id)


def _note_use(session: UnitOfWork, device: DevicePassword, client: str) -> None:
    now = session.now()
    due = device.last_used_at is None or now - device.last_used_at >= FETCH_NOTED_EVERY
    if due or device.last_used_by != client:
        device.last_used_at, device.last_used_by = now, client
        session.flush()


def _unlike(name: str, others: Collection[str]) -> str:
    """The name, with a number where another device has it: one has to know which to shut out."""
    numbers = itertools.chain([""], (f" {number}" for number in itertools.count(2)))
    names = (name[: LONGEST_NAME - len(number)].rstrip() + number for number in numbers)
    return next(each for each in names if each.casefold() not in others)


def _own(session: UnitOfWork, actor: Actor, device_id: int) -> DevicePassword:
    device = session.get(DevicePassword, device_id, with_for_update=True)
    if device is None or device.user_id != actor.user_id or device.revoked_at is not None:
        raise NotFound("device_not_found")
    return device


def _new_password() -> str:
    """128 random bits in groups of four letters and digits, to be typed on a phone."""
    text = base64.b32encode(secrets.token_bytes(_BYTES)).rstrip(b"=").decode().lower()
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def secret_hash(password: str) -> str:
    """What is kept of a password, however its groups were typed."""
    typed = "".join(letter for letter in password.lower() if letter.isalnum())
    return hashlib.sha256(typed.encode()).hexdigest()
