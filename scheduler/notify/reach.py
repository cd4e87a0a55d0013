"""How many people at once can be reached, for whoever is about to send them something."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.core.deliveries import Channel
from scheduler.core.settings import Settings
from scheduler.notify.channels import offered
from scheduler.notify.models import Device, NotifyChoice, NotifyProfile, Phone
from scheduler.notify.routing import as_choice
from scheduler.notify.rules import Choice, Group, Hours, channels_for


def channels_of(
    session: Session,
    settings: Settings,
    user_ids: Collection[int],
    group: Group,
    *,
    urgent: bool = False,
) -> dict[int, list[Channel]]:
    """The channels on which a message of a group would reach each of these users now; the number
    of queries does not depend on how many they are."""
    numbers = set(user_ids)
    able = offered(session, settings)
    reachable: defaultdict[int, set[Channel]] = defaultdict(lambda: {Channel.EMAIL})
    phones = sa.select(Phone.user_id).where(
        Phone.user_id.in_(numbers), Phone.verified_at.is_not(None)
    )
    devices = sa.select(Device.user_id).where(Device.user_id.in_(numbers))
    for channel, statement in ((Channel.SMS, phones), (Channel.PUSH, devices)):
        if channel in able:
            for user_id in session.scalars(statement):
                reachable[user_id].add(channel)
    choices = {
        row.user_id: as_choice(row)
        for row in session.scalars(
            sa.select(NotifyChoice).where(
                NotifyChoice.user_id.in_(numbers), NotifyChoice.group == group
            )
        )
    }
    rings = {
        row.user_id: row.urgent_sms
        for row in session.scalars(
            sa.select(NotifyProfile).where(NotifyProfile.user_id.in_(numbers))
        )
    }
    return {
        user_id: channels_for(
            choices.get(user_id, Choice()),
            Hours(urgent_sms=rings.get(user_id, Hours().urgent_sms)),
            reachable[user_id],
            urgent=urgent,
        )
        for user_id in numbers
    }
