"""Every kind of message: one line each, with the function that reads what it needs.

A kind is a line of `KINDS`, a reader in `scheduler.notify.readers`, and one template a language,
``templates/<language>/<name>.txt``: the subject on the first line, then the text, whose last
paragraph says why it came. What is urgent leaves at once, whatever the hour and the digest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import OutboxMessage
from scheduler.notify.readers import (
    account,
    asks,
    availabilities,
    calendars,
    calls,
    days,
    devices,
    duties,
    hands,
    invitations,
    proposals,
)
from scheduler.notify.rules import Group

PHONE_CODE: Final = "phone.code"
TEST: Final = "test.message"

Reader = Callable[[UnitOfWork, OutboxMessage], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message. `attaches` the days it speaks of as a calendar file; `for_calendar`
    speaks to the reader's calendar too, and so leaves as an e-mail of its own."""

    name: str
    group: Group
    urgent: bool
    reader: Reader
    attaches: bool = False
    for_calendar: bool = False

    @property
    def at_once(self) -> bool:
        """Whether it waits for no hour: it is urgent, or about the channels themselves."""
        return self.urgent or self.group is Group.ACCOUNT


_ALL: Final = (
    # Days given and given back.
    Kind("assignment.given", Group.DAYS, False, days.given, attaches=True),
    Kind("assignment.released", Group.DAYS, False, days.released),
    Kind("proposal.accepted", Group.DAYS, False, days.accepted, attaches=True),
    # Days held for a titular's word, and what became of them.
    Kind("assignment.held", Group.DECISIONS, False, hands.to_decide),
    Kind("assignment.confirmed", Group.DAYS, False, hands.day, attaches=True),
    Kind("assignment.refused", Group.DAYS, False, hands.day),
    Kind("assignment.freed", Group.DAYS, False, hands.day),
    # Held for a doctor who may come, and free again.
    Kind("hold.ended", Group.DAYS, False, hands.day),
    # Requests to be released from a day.
    Kind("release.requested", Group.DECISIONS, False, hands.request),
    Kind("release.granted", Group.DAYS, False, hands.request),
    Kind("release.refused", Group.DAYS, False, hands.request),
    # Days offered to colleagues.
    Kind("swap.offered", Group.OFFERS, False, hands.swap),
    Kind("swap.taken", Group.OFFERS, False, hands.swap),
    Kind("swap.declined", Group.OFFERS, False, hands.swap),
    Kind("swap.withdrawn", Group.OFFERS, False, hands.swap),
    Kind("swap.untaken", Group.OFFERS, False, hands.swap),
    # Somebody is missing.
    Kind("absence.declared", Group.ABSENCES, True, hands.absent),
    Kind("absence.ended", Group.ABSENCES, True, hands.day),
    Kind("absence.filled", Group.ABSENCES, True, hands.filled),
    Kind("assignment.emergency", Group.ABSENCES, True, hands.day),
    Kind("day.taken_over", Group.ABSENCES, True, hands.passed_on),
    Kind("day.returned", Group.ABSENCES, True, hands.passed_on),
    # Questions to doctors.
    Kind("ask.answered", Group.DECISIONS, False, asks.asked),
    Kind("ask.ended", Group.QUESTIONS, False, asks.asked),
    Kind("ask.sent", Group.QUESTIONS, False, asks.asked),
    # Calls for volunteers.
    Kind("call.prepared", Group.DECISIONS, False, calls.prepared),
    Kind("call.invited", Group.QUESTIONS, False, calls.still_invited),
    Kind("call.urgent", Group.QUESTIONS, True, calls.still_invited),
    Kind("call.answered", Group.DECISIONS, False, calls.answered),
    Kind("call.unanswered", Group.DECISIONS, False, calls.unanswered),
    Kind("call.urgent_unanswered", Group.ABSENCES, True, calls.unanswered),
    Kind("call.filled", Group.QUESTIONS, False, calls.invited),
    # Invitations by mail, which the doctor's calendar answers.
    Kind("invitation.sent", Group.QUESTIONS, False, invitations.open_day, for_calendar=True),
    Kind("invitation.changed", Group.QUESTIONS, False, invitations.open_day, for_calendar=True),
    Kind("invitation.ended", Group.QUESTIONS, False, invitations.day, for_calendar=True),
    Kind("invitation.refused", Group.QUESTIONS, False, invitations.day, for_calendar=True),
    Kind("invitation.countered", Group.QUESTIONS, False, invitations.day, for_calendar=True),
    Kind("invitation.held", Group.QUESTIONS, False, invitations.held),
    Kind("invitation.elsewhere", Group.QUESTIONS, False, invitations.day),
    Kind("invitation.answered", Group.DECISIONS, False, invitations.answered),
    # Proposals.
    Kind("proposal.failed", Group.DECISIONS, False, proposals.ended),
    Kind("proposal.ready", Group.DECISIONS, False, proposals.ended),
    # Duties on days without a doctor.
    Kind("duty.given", Group.DAYS, False, duties.duty),
    Kind("duty.ended", Group.DAYS, False, duties.duty),
    # Months that open.
    Kind("availability.opened", Group.OPENINGS, False, availabilities.asked),
    Kind("availability.reminder", Group.REMINDERS, False, availabilities.asked),
    # A subscription to a calendar that can no longer be read.
    Kind("calendar.failing", Group.REMINDERS, False, calendars.failing),
    # Something a doctor asked of their own calendar, which could not be.
    Kind("calendar.refused", Group.DAYS, True, devices.refused),
    # One's own account and its channels.
    Kind(PHONE_CODE, Group.ACCOUNT, True, account.phone_code),
    Kind(TEST, Group.ACCOUNT, False, account.test),
)
KINDS: Final = {kind.name: kind for kind in _ALL}
