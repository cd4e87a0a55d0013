"""How somebody wants to be told: what people change of it, each for themselves."""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from scheduler.core import audit, outbox
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.deliveries import Channel
from scheduler.core.errors import InvalidInput, NotFound, NotSignedIn, TooMany
from scheduler.core.permissions import Actor
from scheduler.notify import routing, rules
from scheduler.notify.kinds import PHONE_CODE, TEST
from scheduler.notify.models import Device, NotifyChoice, NotifyProfile, Phone
from scheduler.notify.rules import CHOSEN_GROUPS, Choice, Group, Hours
from scheduler.people.models import Locale, User

LONGEST_NAME = 80
LONGEST_ENDPOINT = 1024


@dataclass(frozen=True, slots=True)
class Preferences:
    """How somebody wants to be told, and where they can be reached."""

    hours: Hours
    choices: dict[Group, Choice]
    phone: Phone | None
    devices: list[Device]


def preferences(session: UnitOfWork, actor: Actor) -> Preferences:
    """The actor's preferences; what was never chosen stands as the default."""
    user_id = _own(actor)
    rows = session.scalars(sa.select(NotifyChoice).where(NotifyChoice.user_id == user_id))
    chosen = {row.group: routing.as_choice(row) for row in rows}
    devices = session.scalars(
        sa.select(Device).where(Device.user_id == user_id).order_by(Device.id)
    )
    return Preferences(
        hours=routing.hours_of(session, user_id),
        choices={group: chosen.get(group, Choice()) for group in CHOSEN_GROUPS},
        phone=session.get(Phone, user_id),
        devices=list(devices),
    )


def save(session: UnitOfWork, actor: Actor, hours: Hours, choices: Mapping[Group, Choice]) -> None:
    """Remember the actor's hours, and the choice for each of the groups given."""
    user = _held(session, actor)
    profile = session.get(NotifyProfile, user.id) or NotifyProfile(user_id=user.id)
    profile.quiet_start, profile.quiet_end = hours.quiet or (None, None)
    profile.quiet_email = hours.quiet_email
    profile.urgent_sms = hours.urgent_sms
    profile.digest_at = hours.digest_at
    session.add(profile)
    for group, choice in choices.items():
        _choose(session, user.id, group, choice)
    audit.record(session, actor, "notifications.saved", "user", user.id, practice_id=None)
    session.flush()


def set_phone(session: UnitOfWork, actor: Actor, typed: str) -> Phone:
    """Note the actor's number and send it a code; a number that is proved already stays so.

    Raises `InvalidInput` for what is no number, and `TooMany` within a minute of the last code.
    """
    user = _held(session, actor)
    number = rules.phone_number(typed)
    if number is None:
        raise InvalidInput("phone_invalid", field="phone")
    now = session.now()
    phone = session.get(Phone, user.id)
    if phone is None:
        phone = Phone(user_id=user.id, number=number)
        session.add(phone)
    elif phone.number == number and phone.verified_at is not None:
        return phone
    elif phone.code_sent_at is not None and now - phone.code_sent_at < rules.CODE_PAUSE:
        raise TooMany("code_just_sent", field="phone")
    phone.number, phone.verified_at = number, None
    phone.code, phone.code_sent_at = f"{secrets.randbelow(10**6):06d}", now
    cause = f"phone-code:{user.id}:{now.isoformat()}"
    outbox.post(session, cause=cause, recipient_ids=[user.id], kind=PHONE_CODE)
    audit.record(session, actor, "phone.given", "user", user.id, practice_id=None)
    session.flush()
    return phone


def verify_phone(session: UnitOfWork, actor: Actor, code: str) -> Phone:
    """Prove the actor's number with the code sent to it.

    Raises `NotFound` without a number that waits for a code, `InvalidInput` for a wrong or an
    old one.
    """
    user = _held(session, actor)
    phone = session.get(Phone, user.id)
    if phone is None or phone.code is None or phone.code_sent_at is None:
        raise NotFound("phone_not_found")
    if session.now() - phone.code_sent_at > rules.CODE_LIFETIME:
        raise InvalidInput("code_expired", field="code")
    typed = "".join(code.split())
    if not hmac.compare_digest(typed.encode(), phone.code.encode()):
        raise InvalidInput("code_wrong", field="code")
    phone.verified_at, phone.code = session.now(), None
    audit.record(session, actor, "phone.verified", "user", user.id, practice_id=None)
    session.flush()
    return phone


def remove_phone(session: UnitOfWork, actor: Actor) -> None:
    """Forget the actor's number; raises `NotFound` without one."""
    user = _held(session, actor)
    phone = session.get(Phone, user.id)
    if phone is None:
        raise NotFound("phone_not_found")
    session.delete(phone)
    audit.record(session, actor, "phone.removed", "user", user.id, practice_id=None)
    session.flush()


def add_device(
    session: UnitOfWork, actor: Actor, *, endpoint: str, p256dh: str, auth: str, name: str
) -> Device:
    """Let a browser show the actor's messages; it belongs to whoever allowed it last.

    Beyond ten devices the oldest is forgotten. Raises `InvalidInput` for an address that is no
    push service's, or keys that are none.
    """
    user = _held(session, actor)
    if len(endpoint) > LONGEST_ENDPOINT or not rules.is_push_service(endpoint):
        raise InvalidInput("push_unknown", field="endpoint")
    if not rules.are_push_keys(p256dh, auth):
        raise InvalidInput("push_unknown", field="keys")
    device = session.scalars(sa.select(Device).where(Device.endpoint == endpoint)).one_or_none()
    if device is None:
        device = Device(endpoint=endpoint)
        session.add(device)
    device.user_id, device.name = user.id, name[:LONGEST_NAME]
    device.p256dh, device.auth, device.created_at = p256dh, auth, session.now()
    session.flush()
    for old in session.scalars(
        sa.select(Device)
        .where(Device.user_id == user.id)
        .order_by(Device.created_at.desc(), Device.id.desc())
        .offset(rules.MOST_DEVICES)
    ):
        session.delete(old)
    audit.record(session, actor, "device.added", "user", user.id, practice_id=None)
    session.flush()
    return device


def remove_device(session: UnitOfWork, actor: Actor, device_id: int) -> None:
    """Forget one of the actor's devices; raises `NotFound`."""
    user = _held(session, actor)
    device = session.get(Device, device_id)
    if device is None or device.user_id != user.id:
        raise NotFound("device_not_found")
    session.delete(device)
    audit.record(session, actor, "device.removed", "user", user.id, practice_id=None)
    session.flush()


def send_test(session: UnitOfWork, actor: Actor) -> None:
    """Send the actor a message by every channel there is for them."""
    user_id = _own(actor)
    cause = f"test:{user_id}:{session.now().isoformat()}"
    outbox.post(session, cause=cause, recipient_ids=[user_id], kind=TEST)


@dataclass(frozen=True, slots=True)
class Stopping:
    """What a stop address speaks of: whose e-mails, whether they are stopped already, and the
    language of whom it was sent to."""

    email: str
    groups: tuple[Group, ...]
    stopped: bool
    locale: Locale


def stopping(session: UnitOfWork, user_id: int, groups: Sequence[Group]) -> Stopping:
    """What a stop address speaks of; raises `NotFound` for somebody who has left."""
    user = _addressee(session, user_id)
    choices = [routing.choice_for(session, user_id, group) for group in groups]
    stopped = all(Channel.EMAIL not in choice.channels for choice in choices)
    return Stopping(user.email, tuple(groups), stopped, user.locale)


def stop_emails(session: UnitOfWork, user_id: int, groups: Sequence[Group]) -> None:
    """Stop the e-mails of groups for whoever holds the signed address; again does no harm."""
    user = _addressee(session, user_id)
    lock_rows(session, user)
    owner = Actor(user.id, user.name)
    for group in groups:
        choice = routing.choice_for(session, user_id, group)
        if Channel.EMAIL not in choice.channels:
            continue
        _choose(session, user_id, group, Choice(choice.channels - {Channel.EMAIL}, choice.digest))
        audit.record(
            session, owner, "emails.stopped", "user", user.id, practice_id=None, group=group.value
        )
    session.flush()


def _addressee(session: UnitOfWork, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None or user.disabled_at is not None:
        raise NotFound("stop_address_unknown")
    return user


def code_runs_out(phone: Phone) -> dt.datetime | None:
    """Until when the code sent to a number may be typed; None where none waits."""
    if phone.code is None or phone.code_sent_at is None:
        return None
    return phone.code_sent_at + rules.CODE_LIFETIME


def _choose(session: UnitOfWork, user_id: int, group: Group, choice: Choice) -> None:
    row = session.get(NotifyChoice, (user_id, group))
    if row is None:
        row = NotifyChoice(user_id=user_id, group=group)
        session.add(row)
    row.email = Channel.EMAIL in choice.channels
    row.sms = Channel.SMS in choice.channels
    row.push = Channel.PUSH in choice.channels
    row.digest = choice.digest


def _own(actor: Actor) -> int:
    if actor.user_id is None:
        raise NotSignedIn
    return actor.user_id


def _held(session: UnitOfWork, actor: Actor) -> User:
    """The actor's own account, held: two requests at once do not both make the first row."""
    user = session.get_one(User, _own(actor))
    lock_rows(session, user)
    return user
