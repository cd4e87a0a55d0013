"""The demonstration: a cabinet of invented people that has lived for three months.

Its history is not inserted but lived: a clock is moved through the past, and everybody acts
through the same use cases as on any other day.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import asdict, dataclass
from typing import Final

import sqlalchemy as sa

from scheduler.core.database import Database
from scheduler.core.errors import Conflict
from scheduler.core.installation import demonstration_key
from scheduler.core.settings import Settings
from scheduler.demonstration.cast import CAST, DOMAIN
from scheduler.demonstration.life import SLUG, live
from scheduler.people.models import Member, User

# Where a titular reads what everybody would have been sent, below the installation's address.
MAILBOX: Final = f"/p/{SLUG}/mailbox/"


@dataclass(frozen=True, slots=True)
class Login:
    """How to sign in as one of the cast."""

    role: str
    name: str
    email: str
    password: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def has_members(database: Database) -> bool:
    """Whether anybody is in the database already."""
    with database.session() as session:
        found = session.scalar(
            sa.select(sa.or_(sa.exists(sa.select(Member.id)), sa.exists(sa.select(User.id))))
        )
    return bool(found)


def load(database: Database, base_url: str = Settings.base_url) -> list[Login]:
    """Fill an empty database with the demonstration, dated from today; returns its logins.

    The letters that everybody got in the meantime lead to `base_url`. Raises `Conflict` where the
    database has members.
    """
    if has_members(database):
        raise Conflict("database_has_members", hint="the demonstration needs an empty database")
    live(database, password_of, base_url)
    return logins(database)


def logins(database: Database) -> list[Login]:
    """The logins of a demonstration that nobody changed; empty for a real installation."""
    with database.session() as session:
        key = demonstration_key(session)
        if key is None:
            return []
        unchanged = set(
            session.scalars(
                sa.select(User.email).where(
                    User.email.endswith(f"@{DOMAIN}"), User.credentials_epoch == 1
                )
            )
        )
    return [
        Login(
            person.role.value,
            f"{person.given} {person.family}",
            person.email,
            password_of(key, person.email),
        )
        for person in CAST
        if person.email in unchanged
    ]


def password_of(key: str, email: str) -> str:
    """The password of one of the cast: it follows from the key, so that it can be told again."""
    digest = hmac.new(key.encode(), email.encode(), hashlib.sha256).digest()
    text = base64.b32encode(digest).decode().lower()
    return "-".join((text[:5], text[5:10], text[10:15]))


def as_text(found: list[Login]) -> str:
    """The logins as a table for a terminal."""
    rows = [(login.role, login.name, login.email, login.password) for login in found]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
