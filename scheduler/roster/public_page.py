"""Who is there this week, for everybody: at an address that the practice chose, while it wants."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scheduler.core.errors import NotFound
from scheduler.people.models import Practice
from scheduler.roster.rules import monday_of
from scheduler.roster.sheet import SheetDay, sheet_between

DAYS_SHOWN: Final = 14


@dataclass(frozen=True, slots=True)
class PublicWeek:
    """A practice, and the days of this week and the next."""

    practice: Practice
    days: tuple[SheetDay, ...]


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
