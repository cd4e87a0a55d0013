"""From a message of the outbox to a letter in its reader's language.

The kinds of message stand in `scheduler.notify.kinds`. No letter holds anything about a patient,
nor free text that somebody typed and that could.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import partial
from pathlib import Path
from typing import Final

from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import Compose, DeliveryFailed, Letter, OutboxMessage
from scheduler.core.settings import Settings
from scheduler.notify.kinds import KINDS
from scheduler.people.models import User

TEMPLATES: Final = Path(__file__).parent / "templates"


def composer(settings: Settings) -> Compose:
    """What writes an installation's letters: links lead to its address.

    The result raises `DeliveryFailed`, for good, for a message that cannot be written any more:
    its recipient has left, or what it speaks of is gone.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - plain text, never HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

    def compose(session: UnitOfWork, message: OutboxMessage) -> Letter:
        recipient = session.get(User, message.recipient_id)
        if recipient is None or recipient.disabled_at is not None:
            raise DeliveryFailed("the recipient has left", permanent=True)
        kind = KINDS.get(message.kind)
        if kind is None:
            raise DeliveryFailed(f"no such kind of message: {message.kind}", permanent=True)
        language = recipient.locale.value
        facts = kind.reader(session, message) | {"recipient": recipient, "base": settings.base_url}
        template = environment.get_template(f"{language}/{message.kind}.txt")
        text = template.render(
            facts,
            long_date=partial(_long_date, language=language),
            in_days=partial(_in_days, language=language),
        )
        subject, _, body = text.partition("\n")
        return Letter(
            to_name=recipient.name,
            to_address=recipient.email,
            subject=subject.strip(),
            text=body.strip("\n") + "\n",
            reference=_reference(message),
        )

    return compose


def _long_date(day: dt.date, language: str) -> str:
    text = format_date(day, "EEEE d MMMM y", locale=language)
    # Only the first of a month is an ordinal in French.
    return text.replace(" 1 ", " 1er ") if language == "fr" else text


def _in_days(number: float, language: str) -> str:
    written = format_decimal(number, locale=language)
    if language == "fr":
        return f"{written} jour{'s' if number >= 2 else ''}"
    return f"{written} day{'' if number == 1 else 's'}"


def _reference(message: OutboxMessage) -> str:
    # The number alone would be told apart from no other installation's.
    origin = f"{message.cause}|{message.recipient_id}|{message.created_at.isoformat()}"
    return f"{message.id}.{hashlib.sha256(origin.encode()).hexdigest()[:16]}"
