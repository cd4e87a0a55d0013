"""A practice's own dates."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.core.database import Base


class HolidayKind(enum.StrEnum):
    """Why a practice added a date: it is closed, or the schools are."""

    CLOSED = "closed"
    SCHOOL = "school"


class PracticeHoliday(Base):
    """Dates a practice added itself, where the libraries know no better; both included."""

    __tablename__ = "practice_holiday"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(
        sa.ForeignKey("practice.id", ondelete="CASCADE"), index=True
    )
    start: Mapped[dt.date]
    end: Mapped[dt.date]
    name: Mapped[str] = mapped_column(sa.String(80))
    kind: Mapped[HolidayKind] = mapped_column(default=HolidayKind.CLOSED)

    __table_args__ = (sa.CheckConstraint('"end" >= start', name="dates"),)
