"""From a message of the outbox to a letter in its reader's language.

The kinds of message stand in `scheduler.notify.kinds`. No letter holds anything about a patient,
nor free text that somebody typed and that could.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scheduler.core.database import UnitOfWork
from scheduler.core.deliveries import Channel, Delivery, DeliveryPart
from scheduler.core.outbox import (
    Attachment,
    CalendarPart,
    DeliveryFailed,
    Letter,
    NotNow,
    OutboxMessage,
)
from scheduler.core.settings import Settings
from scheduler.core.wording import french
from scheduler.notify.kinds import KINDS, Kind
from scheduler.notify.models import Device, Phone
from scheduler.notify.routing import hours_of
from scheduler.notify.rules import TIMEZONE, Group, not_before
from scheduler.notify.stopping import stop_address
from scheduler.people.models import User
from scheduler.roster.call_rules import answer_path
from scheduler.roster.models import Assignment

TEMPLATES: Final = Path(__file__).parent / "templates"
LONGEST_SUBJECT: Final = 200

# Makes files of days: for whom, which days.
Attach = Callable[[UnitOfWork, User, Sequence[Assignment]], Sequence[Attachment]]
# Makes what a message says to its reader's calendar. Raises `DeliveryFailed` for what is no
# longer so.
ForCalendar = Callable[[UnitOfWork, OutboxMessage], CalendarPart]
INVITATION_FILE: Final = "invitation.ics"


def no_files(_session: UnitOfWork, _to: User, _days: Sequence[Assignment]) -> list[Attachment]:
    """What is attached where nobody makes files."""
    return []


def no_calendar(_session: UnitOfWork, _message: OutboxMessage) -> CalendarPart:
    """What is said to calendars where nobody knows how."""
    raise DeliveryFailed("nobody writes to calendars here", permanent=True)


class Composer:
    """Writes an installation's letters: links lead to its address.

    Calling it and `wrap` raise `DeliveryFailed`, for good, for what cannot be written any more:
    the recipient has left, what the message speaks of is gone, the device or the number too.
    """

    def __init__(
        self,
        settings: Settings,
        attach: Attach = no_files,
        for_calendar: ForCalendar = no_calendar,
    ) -> None:
        self._settings = settings
        self._attach = attach
        self._for_calendar = for_calendar
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701 - plain text, never HTML
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def __call__(self, session: UnitOfWork, message: OutboxMessage) -> Letter:
        recipient = _recipient(session, message.recipient_id)
        kind = KINDS.get(message.kind)
        if kind is None:
            raise DeliveryFailed(f"no such kind of message: {message.kind}", permanent=True)
        facts = kind.reader(session, message)
        if "invitation_uid" in facts:
            # Signed here: readers do not know the installation's key.
            facts["path"] = answer_path(self._settings.secret_key, facts["invitation_uid"])
        path = facts.get("path")
        part = self._for_calendar(session, message) if kind.for_calendar else None
        files = self._files(session, recipient, kind, facts)
        if part is not None:
            # Some programmes offer an answer only where the file is attached as well.
            files = (*files, Attachment(INVITATION_FILE, "application/ics", part.content))
        subject, text = self._render(recipient, message.kind, facts)
        return Letter(
            to_name=recipient.name,
            to_address=recipient.email,
            subject=subject,
            text=text,
            reference=_reference(message),
            language=recipient.locale.value,
            recipient_id=recipient.id,
            link=self._settings.base_url + path if path else None,
            stop=self._stop(recipient, {kind.group}),
            attachments=files,
            calendar=part,
        )

    def wrap(self, session: UnitOfWork, delivery: Delivery, letters: list[Letter]) -> Letter:
        """The letter of a delivery: a digest of several, addressed for its channel.

        Raises `NotNow` in the recipient's quiet hours: a worker that was late, or that tries
        again, must not ring at night.
        """
        self._keep_quiet(session, delivery)
        letter = letters[0]
        if delivery.digest_for is not None and len(letters) > 1:
            letter = self._digest(session, delivery, letters)
        if delivery.channel is Channel.EMAIL:
            return letter
        return replace(
            letter, channel=delivery.channel, to_address=_address(session, delivery), stop=None
        )

    def _digest(self, session: UnitOfWork, delivery: Delivery, letters: list[Letter]) -> Letter:
        recipient = _recipient(session, delivery.recipient_id)
        subject, text = self._render(recipient, "_digest", {"letters": letters})
        # In the order of the messages, each file once.
        files = {file.name: file for letter in letters for file in letter.attachments}
        return Letter(
            to_name=recipient.name,
            to_address=recipient.email,
            subject=subject,
            text=text,
            reference=f"digest.{letters[0].reference}",
            language=recipient.locale.value,
            recipient_id=recipient.id,
            link=self._settings.base_url,
            stop=self._stop(recipient, {kind.group for kind in _kinds_of(session, delivery)}),
            attachments=tuple(files.values()),
        )

    def _keep_quiet(self, session: UnitOfWork, delivery: Delivery) -> None:
        # The hour of a digest is its reader's own choice.
        kinds = _kinds_of(session, delivery)
        if delivery.digest_for is not None or any(kind.at_once for kind in kinds):
            return
        hours = hours_of(session, delivery.recipient_id)
        then = not_before(session.now(), hours, delivery.channel)
        if then > session.now():
            raise NotNow(then)

    def _render(self, recipient: User, name: str, facts: dict[str, Any]) -> tuple[str, str]:
        """The subject and the text of a letter."""
        language = recipient.locale.value
        written = self._environment.get_template(f"{language}/{name}.txt").render(
            facts | {"recipient": recipient, "base": self._settings.base_url},
            long_date=partial(_long_date, language=language),
            in_days=partial(_in_days, language=language),
            moment=partial(_moment, language=language),
            hour=partial(_hour, language=language),
            week_of=partial(_week_of, language=language),
        )
        subject, _, body = written.lstrip("\n").partition("\n")
        return subject.strip()[:LONGEST_SUBJECT], body.strip("\n") + "\n"

    def _stop(self, recipient: User, groups: Set[Group]) -> str | None:
        if Group.ACCOUNT in groups or self._settings.secret_key is None:
            return None
        return stop_address(self._settings, recipient.id, groups)

    def _files(
        self, session: UnitOfWork, recipient: User, kind: Kind, facts: dict[str, Any]
    ) -> tuple[Attachment, ...]:
        if not kind.attaches:
            return ()
        days = facts.get("assignments") or [facts["assignment"]]
        own = [day for day in days if day.doctor_id == recipient.id]
        return tuple(self._attach(session, recipient, own)) if own else ()


def composer(
    settings: Settings, attach: Attach = no_files, for_calendar: ForCalendar = no_calendar
) -> Composer:
    """What writes an installation's letters; see `Composer`."""
    return Composer(settings, attach, for_calendar)


def _kinds_of(session: UnitOfWork, delivery: Delivery) -> list[Kind]:
    """The kinds of what a delivery carries."""
    names = session.scalars(
        sa.select(OutboxMessage.kind)
        .join(DeliveryPart, DeliveryPart.message_id == OutboxMessage.id)
        .where(DeliveryPart.delivery_id == delivery.id)
    )
    return [KINDS[name] for name in names if name in KINDS]


def _recipient(session: UnitOfWork, user_id: int) -> User:
    recipient = session.get(User, user_id)
    if recipient is None or recipient.disabled_at is not None:
        raise DeliveryFailed("the recipient has left", permanent=True)
    return recipient


def _address(session: UnitOfWork, delivery: Delivery) -> str:
    """Where a delivery that is no e-mail goes, if its owner still has it."""
    if delivery.channel is Channel.SMS:
        phone = session.get(Phone, delivery.recipient_id)
        if phone is None or phone.number != delivery.target:
            raise DeliveryFailed("the number has changed", permanent=True)
        return phone.number
    device = session.get(Device, int(delivery.target))
    if device is None or device.user_id != delivery.recipient_id:
        raise DeliveryFailed("the device is gone", permanent=True)
    return delivery.target


def _long_date(day: dt.date, language: str) -> str:
    return _written(day, "EEEE d MMMM y", language)


def _week_of(monday: dt.date, language: str) -> str:
    """« 4 janvier », of the Monday that a week is named after."""
    return _written(monday, "d MMMM", language)


def _moment(instant: dt.datetime, language: str) -> str:
    """« jeudi 3 décembre à 14 h », in France."""
    pattern = "EEEE d MMMM, HH:mm"
    if language == "fr":
        pattern = french(pattern, instant.astimezone(TIMEZONE))
    return format_datetime(instant, pattern, tzinfo=TIMEZONE, locale=language)


def _hour(local: dt.datetime, language: str) -> str:
    """« 8 h 30 », in France."""
    pattern = french("HH:mm", local) if language == "fr" else "HH:mm"
    return format_datetime(local, pattern, locale=language)


def _written(day: dt.date, pattern: str, language: str) -> str:
    pattern = french(pattern, day) if language == "fr" else pattern
    return format_date(day, pattern, locale=language)


def _in_days(number: float, language: str) -> str:
    written = format_decimal(number, locale=language)
    if language == "fr":
        return f"{written} jour{'s' if number >= 2 else ''}"
    return f"{written} day{'' if number == 1 else 's'}"


def _reference(message: OutboxMessage) -> str:
    # The number alone would be told apart from no other installation's.
    origin = f"{message.cause}|{message.recipient_id}|{message.created_at.isoformat()}"
    return f"{message.id}.{hashlib.sha256(origin.encode()).hexdigest()[:16]}"
