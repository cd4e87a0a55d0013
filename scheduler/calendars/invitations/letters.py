"""What the letters of invitations say to calendars: the outbox's messages made into iTIP."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from scheduler.calendars.invitations import addresses
from scheduler.calendars.invitations.writing import Method, Sender, write
from scheduler.calendars.models import CalendarInvitation
from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import CalendarPart, DeliveryFailed, OutboxMessage
from scheduler.core.settings import Settings
from scheduler.roster.models import Need

_METHODS = {
    "invitation.sent": Method.REQUEST,
    "invitation.changed": Method.REQUEST,
    "invitation.ended": Method.CANCEL,
    "invitation.refused": Method.CANCEL,
    "invitation.countered": Method.DECLINE_COUNTER,
}


def writer(settings: Settings) -> Callable[[UnitOfWork, OutboxMessage], CalendarPart]:
    """What makes the calendar part of an installation's letters.

    Raises `DeliveryFailed`, for good, for an invitation that has changed or ended since, which
    another letter tells, and where invitations are no longer set up.
    """

    def part(session: UnitOfWork, message: OutboxMessage) -> CalendarPart:
        invitation = _invitation(session, message.facts["invitation_id"])
        method = _METHODS[message.kind]
        outdated = invitation.sequence != message.facts["sequence"]
        if method is Method.REQUEST and (outdated or invitation.ended_at is not None):
            raise DeliveryFailed("the invitation has changed since", permanent=True)
        mailbox = addresses.mailbox(session, settings)
        secret = settings.secret_key
        if mailbox is None or secret is None:
            raise DeliveryFailed("no address to answer invitations at", permanent=True)
        sender = Sender(
            addresses.event_uid(mailbox, secret, invitation.uid),
            addresses.reply_address(mailbox, secret, invitation.uid),
        )
        need = invitation.need
        link = f"{settings.base_url}/p/{need.practice.slug}/needs/{need.id}"
        content = write(method, invitation, sender, stamp=message.created_at, link=link)
        return CalendarPart(method.value, content, sender.address)

    return part


def _invitation(session: UnitOfWork, invitation_id: int) -> CalendarInvitation:
    found = session.scalars(
        sa.select(CalendarInvitation)
        .where(CalendarInvitation.id == invitation_id)
        .options(
            joinedload(CalendarInvitation.doctor),
            joinedload(CalendarInvitation.need).joinedload(Need.room),
            joinedload(CalendarInvitation.need).joinedload(Need.practice),
        )
    ).one_or_none()
    if found is None:
        raise DeliveryFailed("the invitation is gone", permanent=True)
    return found
