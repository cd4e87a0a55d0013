"""From a message of the outbox to a letter in its reader's language.

A kind of message is a template per language, `templates/<language>/<kind>.txt`, whose first line
is the subject, and one function here that reads what the template needs. No letter holds
anything about a patient, nor free text that somebody typed and that could.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import joinedload

from scheduler.core.database import UnitOfWork
from scheduler.core.outbox import Compose, DeliveryFailed, Letter, OutboxMessage
from scheduler.core.settings import Settings
from scheduler.people.models import Practice, User
from scheduler.roster.models import Ask, Assignment, Need, Proposal
from scheduler.roster.rules import AskState, LineState

TEMPLATES: Final = Path(__file__).parent / "templates"

Reader = Callable[[UnitOfWork, OutboxMessage], dict[str, Any]]


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
        reader = READERS.get(message.kind)
        if reader is None:
            raise DeliveryFailed(f"no such kind of message: {message.kind}", permanent=True)
        language = recipient.locale.value
        facts = reader(session, message) | {"recipient": recipient, "base": settings.base_url}
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


def week_path(practice: Practice, day: dt.date) -> str:
    """The address, below the installation's, of the week of a day."""
    year, week, _weekday = day.isocalendar()
    return f"/p/{practice.slug}/week/{year}-W{week:02d}"


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


def _assignments(session: UnitOfWork, ids: list[int]) -> list[Assignment]:
    found = session.scalars(
        sa.select(Assignment)
        .where(Assignment.id.in_(ids))
        .options(
            joinedload(Assignment.doctor),
            joinedload(Assignment.need).joinedload(Need.room),
            joinedload(Assignment.need).joinedload(Need.practice),
        )
        .order_by(Assignment.date, Assignment.period)
    ).all()
    if not found:
        raise DeliveryFailed("the assignments are gone", permanent=True)
    return list(found)


def _given(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    assignment = _assignments(session, [message.facts["assignment_id"]])[0]
    practice = assignment.need.practice
    return {
        "assignment": assignment,
        "practice": practice,
        "path": week_path(practice, assignment.date),
    }


def _released(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    values = _given(session, message)
    return {**values, "own": values["assignment"].doctor_id == message.recipient_id}


def _accepted(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    found = _assignments(session, message.facts["assignment_ids"])
    practice = found[0].need.practice
    return {
        "assignments": found,
        "practice": practice,
        "path": week_path(practice, found[0].date),
    }


def _ended(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    proposal = (
        session.scalars(
            sa.select(Proposal)
            .where(Proposal.id == message.facts["proposal_id"])
            .options(joinedload(Proposal.practice), joinedload(Proposal.lines))
        )
        .unique()
        .one_or_none()
    )
    if proposal is None:
        raise DeliveryFailed("the proposal is gone", permanent=True)
    return {
        "proposal": proposal,
        "practice": proposal.practice,
        "days": sum(line.state is LineState.PROPOSED for line in proposal.lines),
        "path": f"/p/{proposal.practice.slug}/proposals/{proposal.id}",
    }


def _asked(session: UnitOfWork, message: OutboxMessage) -> dict[str, Any]:
    ask = session.scalars(
        sa.select(Ask)
        .where(Ask.id == message.facts["ask_id"])
        .options(
            joinedload(Ask.need).joinedload(Need.room),
            joinedload(Ask.practice),
            joinedload(Ask.doctor),
            joinedload(Ask.asker),
        )
    ).one_or_none()
    if ask is None:
        raise DeliveryFailed("the question is gone", permanent=True)
    return {
        "ask": ask,
        "where": {"date": ask.need.date, "period": ask.need.period, "need": ask.need},
        "practice": ask.practice,
        "accepted": ask.state is AskState.ACCEPTED,
        "noted": ask.answer_note is not None,
        "path": f"/asks/{ask.id}",
    }


READERS: Final[dict[str, Reader]] = {
    "ask.answered": _asked,
    "ask.ended": _asked,
    "ask.sent": _asked,
    "assignment.given": _given,
    "assignment.released": _released,
    "proposal.accepted": _accepted,
    "proposal.failed": _ended,
    "proposal.ready": _ended,
}
