"""Invitations and their answers, as tests write them.

The replies under `replies/` have the shapes that Gmail, Apple, Outlook and Thunderbird send, of
our own making; `reply` fills in whom one comes from and what it says.
"""

from __future__ import annotations

import base64
import datetime as dt
import quopri
import re
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from icalendar import Calendar

from scheduler.calendars.invitations import addresses, following, letters, polling, sending
from scheduler.calendars.invitations.answering import Outcome
from scheduler.calendars.invitations.sending import Pair, Sent
from scheduler.calendars.models import CalendarInvitation
from scheduler.core.outbox import Letter, OutboxMessage
from scheduler.core.settings import Settings
from scheduler.notify.composing import composer
from scheduler.people.models import Practice, User
from scheduler.roster.models import Assignment, Need
from tests.factories import House

REPLIES = Path(__file__).parent / "replies"
MAILBOX = "relais@example.org"
CLIENTS = ("gmail", "apple", "outlook", "thunderbird")


@dataclass(frozen=True)
class Post:
    """The post office of a test: what leaves a house by mail, and what comes back."""

    house: House
    settings: Settings

    @property
    def secret(self) -> str:
        assert self.settings.secret_key is not None
        return self.settings.secret_key

    def invite(self, titular: User, practice: Practice, *pairs: tuple[Need, User]) -> Sent:
        wanted = [Pair(need.id, doctor.id) for need, doctor in pairs]
        with self.house.database.transaction() as session:
            return sending.invite(session, self.house.actor(titular), practice, wanted)

    def keep_up(self) -> None:
        changed = 1
        while changed:
            with self.house.database.transaction() as session:
                changed = following.keep_up(session)

    def invitation(self, need: Need, doctor: User) -> CalendarInvitation:
        """The latest one."""
        with self.house.database.session() as session:
            return session.scalars(
                sa.select(CalendarInvitation)
                .where(
                    CalendarInvitation.need_id == need.id,
                    CalendarInvitation.doctor_id == doctor.id,
                )
                .order_by(CalendarInvitation.id.desc())
            ).first() or self._missing(need)

    def _missing(self, need: Need) -> CalendarInvitation:
        raise AssertionError(f"nobody is invited to {need.date}")

    def address(self, invitation: CalendarInvitation) -> str:
        return addresses.reply_address(MAILBOX, self.secret, invitation.uid)

    def reply(
        self,
        invitation: CalendarInvitation,
        partstat: str = "ACCEPTED",
        *,
        client: str = "gmail",
        attendee: str | None = None,
        to: str | None = None,
        uid: str | None = None,
        sequence: int | None = None,
        after: dt.timedelta = dt.timedelta(0),
    ) -> bytes:
        """A mail that answers an invitation, written so long after now."""
        moment = self.house.database.clock.now() + after
        values = {
            "UID": uid or addresses.event_uid(MAILBOX, self.secret, invitation.uid),
            "TO": to or self.address(invitation),
            "ATTENDEE": attendee or invitation.address,
            "PARTSTAT": partstat,
            "SEQUENCE": str(invitation.sequence if sequence is None else sequence),
            "STAMP": f"{moment:%Y%m%dT%H%M%SZ}",
        }
        text = (REPLIES / f"{client}.eml").read_text()
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        text = re.sub(r"(?s)@BASE64@\n(.*?)@END@\n", _base64, text)
        return re.sub(r"(?s)@QP@\n(.*?)@END@\n", _quoted, text).encode()

    def receive(self, mail: bytes) -> Outcome:
        return polling.carry_out(self.house.database, self.settings, mail)

    def answer(
        self,
        invitation: CalendarInvitation,
        partstat: str = "ACCEPTED",
        *,
        client: str = "gmail",
        after: dt.timedelta = dt.timedelta(0),
    ) -> Outcome:
        return self.receive(self.reply(invitation, partstat, client=client, after=after))

    def told(self, user: User | None = None) -> list[str]:
        """The kinds of message that were posted, to somebody or to all, oldest first."""
        query = sa.select(OutboxMessage.kind).order_by(OutboxMessage.id)
        if user is not None:
            query = query.where(OutboxMessage.recipient_id == user.id)
        with self.house.database.session() as session:
            return list(session.scalars(query))

    def letters(self, user: User, kind: str | None = None) -> list[Letter]:
        """The letters to somebody, written as they would leave now."""
        write = composer(self.settings, for_calendar=letters.writer(self.settings))
        query = sa.select(OutboxMessage).where(OutboxMessage.recipient_id == user.id)
        if kind is not None:
            query = query.where(OutboxMessage.kind == kind)
        with self.house.database.session() as session:
            found = session.scalars(query.order_by(OutboxMessage.id)).all()
            return [write(session, message) for message in found]

    def holder(self, need: Need) -> Assignment | None:
        with self.house.database.session() as session:
            return session.scalars(
                sa.select(Assignment).where(
                    Assignment.need_id == need.id, Assignment.state != "released"
                )
            ).one_or_none()


def event_of(letter: Letter) -> tuple[str, Calendar]:
    """The method of a letter's calendar, and its one event."""
    assert letter.calendar is not None
    calendar = Calendar.from_ical(letter.calendar.content)
    (event,) = calendar.walk("VEVENT")
    return str(calendar["METHOD"]), event


def _base64(match: re.Match[str]) -> str:
    return base64.encodebytes(match[1].encode()).decode()


def _quoted(match: re.Match[str]) -> str:
    return quopri.encodestring(match[1].encode()).decode()
