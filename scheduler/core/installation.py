"""What an installation knows of itself: whether it is a demonstration, and its key if so."""

from __future__ import annotations

import secrets
from dataclasses import replace

from sqlalchemy.orm import Mapped, Session, mapped_column

from scheduler.core.database import Base, Database
from scheduler.core.settings import Settings


class Installation(Base):
    """The one row that marks a demonstration and keeps the key it signs with.

    A real installation has no such row: its key comes from the environment only.
    """

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    demonstration_key: Mapped[str]


def mark_as_demonstration(session: Session) -> str:
    """Make this installation a demonstration and return its new key."""
    key = secrets.token_urlsafe(48)
    session.add(Installation(demonstration_key=key))
    session.flush()
    return key


def demonstration_key(session: Session) -> str | None:
    """The key of a demonstration; None for a real installation."""
    row = session.get(Installation, 1)
    return row.demonstration_key if row else None


def with_secret(settings: Settings, database: Database) -> Settings:
    """The settings with the demonstration's key where none was given and there is one."""
    if settings.secret_key is not None:
        return settings
    with database.session() as session:
        return replace(settings, secret_key=demonstration_key(session))
