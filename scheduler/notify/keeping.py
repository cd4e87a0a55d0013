"""The mailbox of a demonstration: what would have left is kept there, to be read."""

from __future__ import annotations

import re
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from scheduler.core.database import Database, UnitOfWork
from scheduler.core.errors import NotFound
from scheduler.core.installation import demonstration_key
from scheduler.core.outbox import Attachment, Letter, Send
from scheduler.core.settings import Settings
from scheduler.notify.models import KeptLetter
from scheduler.people.models import Member

PAGE: Final = 50
INSTALLATION: Final = re.compile(r"https?://[^/\s]+")


def keeps_letters(session: Session, settings: Settings) -> bool:
    """Whether letters are kept: in a demonstration that has no mail server."""
    return settings.smtp_url is None and demonstration_key(session) is not None


def keep(database: Database, letter: Letter) -> bool:
    """Keep a letter where this is a demonstration; False where it is a real installation."""
    with database.transaction() as session:
        if demonstration_key(session) is None:
            return False
        put_by(session, letter)
        return True


def keeper(database: Database) -> Send:
    """A channel that only keeps: what a demonstration tells while it is being made."""

    def send(letter: Letter) -> None:
        keep(database, letter)

    return send


def put_by(session: UnitOfWork, letter: Letter) -> None:
    """Put a letter into the mailbox of the demonstration."""
    if letter.recipient_id is None:
        return
    session.add(
        KeptLetter(
            recipient_id=letter.recipient_id,
            channel=letter.channel,
            to_address=letter.to_address,
            subject=letter.subject,
            text=letter.text,
            language=letter.language,
            link=letter.link,
            stop=letter.stop,
            attachments=[
                {"name": file.name, "text": file.content.decode("utf-8", "replace")}
                for file in letter.attachments
            ],
            sent_at=session.now(),
        )
    )


def page_of_letters(session: Session, practice_id: int, page: int) -> tuple[list[KeptLetter], int]:
    """A page (from 1) of the letters to members of a practice, newest first, and how many pages
    there are."""
    where = KeptLetter.recipient_id.in_(_members(practice_id))
    total = session.scalar(sa.select(sa.func.count()).select_from(KeptLetter).where(where)) or 0
    letters = session.scalars(
        sa.select(KeptLetter)
        .where(where)
        .options(joinedload(KeptLetter.recipient))
        .order_by(KeptLetter.sent_at.desc(), KeptLetter.id.desc())
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    ).all()
    return list(letters), max(1, -(-total // PAGE))


def kept_letter(session: Session, practice_id: int, letter_id: int) -> KeptLetter:
    """A letter to a member of a practice; raises `NotFound`."""
    found = session.scalars(
        sa.select(KeptLetter)
        .where(KeptLetter.id == letter_id, KeptLetter.recipient_id.in_(_members(practice_id)))
        .options(joinedload(KeptLetter.recipient))
    ).one_or_none()
    if found is None:
        raise NotFound("letter_not_found")
    return found


def as_letter(kept: KeptLetter, base_url: str) -> Letter:
    """A kept letter as it was; `recipient` must be loaded.

    Its addresses, which are all of this installation, lead to where it is served now.
    """

    def here(text: str) -> str:
        return INSTALLATION.sub(base_url, text)

    return Letter(
        to_name=kept.recipient.name,
        to_address=kept.to_address,
        subject=kept.subject,
        text=here(kept.text),
        reference=str(kept.id),
        language=kept.language,
        channel=kept.channel,
        recipient_id=kept.recipient_id,
        link=here(kept.link) if kept.link else None,
        stop=here(kept.stop) if kept.stop else None,
        attachments=tuple(
            Attachment(file["name"], "text/calendar", file["text"].encode())
            for file in kept.attachments
        ),
    )


def _members(practice_id: int) -> sa.Select[int]:
    return sa.select(Member.user_id).where(Member.practice_id == practice_id)
