"""Who is there this week, for everybody: at an address that the practice chose, while it wants."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.core.errors import InvalidInput, NotFound
from scheduler.people.models import Practice
from scheduler.roster.rules import monday_of
from scheduler.roster.sheet import SheetDay, sheet_between

ADDRESS: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SHORTEST_ADDRESS: Final = 3
LONGEST_ADDRESS: Final = 64
DAYS_SHOWN: Final = 14


@dataclass(frozen=True, slots=True)
class PublicWeek:
    """A practice, and the days of this week and the next."""

    practice: Practice
    days: tuple[SheetDay, ...]


def check_address(text: str) -> str:
    """The address of a public page as it is kept: lower case letters, digits and single hyphens.

    Raises `InvalidInput` for anything else; whether another practice has it is the database's to
    say.
    """
    address = text.strip().lower()
    fits = SHORTEST_ADDRESS <= len(address) <= LONGEST_ADDRESS
    if not (fits and ADDRESS.fullmatch(address)):
        raise InvalidInput(
            "public_address",
            field="public_address",
            shortest=SHORTEST_ADDRESS,
            longest=LONGEST_ADDRESS,
        )
    return address


def public_practice(session: Session, address: str) -> Practice:
    """The practice whose public page is at `address`; `NotFound` while it is switched off."""
    practice = session.scalars(
        sa.select(Practice).where(
            Practice.public_address == address, Practice.public_page.is_(sa.true())
        )
    ).one_or_none()
    if practice is None:
        raise NotFound("public_page_not_found")
    return practice


def public_week(session: Session, address: str, today: dt.date) -> PublicWeek:
    """What everybody may read at `address`; `NotFound` while the page is switched off."""
    practice = public_practice(session, address)
    monday = monday_of(today)
    last = monday + dt.timedelta(days=DAYS_SHOWN - 1)
    return PublicWeek(practice, tuple(sheet_between(session, practice, monday, last)))
