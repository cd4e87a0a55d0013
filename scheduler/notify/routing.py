"""Which ways a message takes: by its recipient's choice, its urgency and the hour."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.core.database import UnitOfWork
from scheduler.core.deliveries import Channel, Way
from scheduler.core.outbox import DeliveryFailed, OutboxMessage, Route
from scheduler.core.settings import Settings
from scheduler.notify.channels import offered
from scheduler.notify.kinds import KINDS, PHONE_CODE
from scheduler.notify.models import Device, NotifyChoice, NotifyProfile, Phone
from scheduler.notify.rules import (
    Choice,
    Group,
    Hours,
    channels_for,
    next_digests,
    not_before,
)


def router(settings: Settings) -> Route:
    """What routes an installation's messages, by the channels it offers."""

    def route(session: UnitOfWork, message: OutboxMessage) -> Collection[Way]:
        kind = KINDS.get(message.kind)
        if kind is None:
            raise DeliveryFailed(f"no such kind of message: {message.kind}", permanent=True)
        targets = targets_of(session, message.recipient_id, offered(session, settings))
        if message.kind == PHONE_CODE:
            return _to_new_phone(session, message)
        hours = hours_of(session, message.recipient_id)
        choice = choice_for(session, message.recipient_id, kind.group)
        if kind.group is Group.ACCOUNT:
            # The test message, which tries every way there is.
            choice = Choice(frozenset(Channel))
        now = session.now()
        if kind.for_calendar:
            # Who stopped such e-mails is not invited; what was sent must be told of its end.
            wanted = Channel.EMAIL in choice.channels or message.kind != "invitation.sent"
            then = not_before(now, hours, Channel.EMAIL)
            return [Way(Channel.EMAIL, not_before=then)] if wanted else []
        return [
            Way(channel, target)
            if kind.at_once
            else Way(
                channel,
                target,
                not_before=not_before(now, hours, channel),
                digests=next_digests(now, hours) if choice.digest else (),
            )
            for channel in channels_for(choice, hours, targets, urgent=kind.urgent)
            for target in targets[channel]
        ]

    return route


def targets_of(
    session: Session, user_id: int, channels: Collection[Channel]
) -> dict[Channel, list[str]]:
    """Where somebody can be reached, by channel: the address, the verified number, the devices."""
    found: dict[Channel, list[str]] = {Channel.EMAIL: [""]}
    if Channel.SMS in channels:
        phone = session.get(Phone, user_id)
        if phone is not None and phone.verified_at is not None:
            found[Channel.SMS] = [phone.number]
    if Channel.PUSH in channels:
        devices = session.scalars(
            sa.select(Device.id).where(Device.user_id == user_id).order_by(Device.id)
        ).all()
        if devices:
            found[Channel.PUSH] = [str(device_id) for device_id in devices]
    return found


def hours_of(session: Session, user_id: int) -> Hours:
    """Somebody's hours, or the defaults."""
    row = session.get(NotifyProfile, user_id)
    if row is None:
        return Hours()
    quiet = None
    if row.quiet_start is not None and row.quiet_end is not None:
        quiet = (row.quiet_start, row.quiet_end)
    return Hours(quiet, row.quiet_email, row.urgent_sms, row.digest_at)


def choice_for(session: Session, user_id: int, group: Group) -> Choice:
    """Somebody's choice for a group, or the default."""
    row = session.get(NotifyChoice, (user_id, group))
    return Choice() if row is None else as_choice(row)


def as_choice(row: NotifyChoice) -> Choice:
    chosen = {Channel.EMAIL: row.email, Channel.SMS: row.sms, Channel.PUSH: row.push}
    return Choice(frozenset(channel for channel, on in chosen.items() if on), row.digest)


def _to_new_phone(session: Session, message: OutboxMessage) -> Collection[Way]:
    """A code goes to the number that is to be proved, and nowhere else."""
    phone = session.get(Phone, message.recipient_id)
    if phone is None or phone.code is None:
        raise DeliveryFailed("the code is not needed any more", permanent=True)
    return [Way(Channel.SMS, phone.number)]
