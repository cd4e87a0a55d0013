"""Who is in the house beside the doctors, and where urgent patients go without one."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.core.database import Base
from scheduler.people.models import Member
from scheduler.roster.rules import Period


class WeeklyPresence(Base):
    """A member who is no doctor is there: every (or every n-th) such weekday from `start` to
    `end` included.

    Weeks are counted from the ISO week of `start`. `end` None is open-ended.
    """

    __tablename__ = "weekly_presence"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(
        sa.ForeignKey("practice.id", ondelete="CASCADE"), index=True
    )
    member_id: Mapped[int] = mapped_column(
        sa.ForeignKey("member.id", ondelete="CASCADE"), index=True
    )
    weekday: Mapped[int]
    period: Mapped[Period]
    interval_weeks: Mapped[int] = mapped_column(default=1)
    start: Mapped[dt.date]
    end: Mapped[dt.date | None]

    member: Mapped[Member] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        sa.CheckConstraint("interval_weeks BETWEEN 1 AND 8", name="interval_weeks"),
        sa.CheckConstraint('"end" IS NULL OR "end" >= start', name="dates"),
    )


class PresenceException(Base):
    """What holds on one date whatever the weeks say: there for `period`, or not at all (None)."""

    __tablename__ = "presence_exception"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("member.id", ondelete="CASCADE"))
    date: Mapped[dt.date]
    period: Mapped[Period | None]

    member: Mapped[Member] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        sa.UniqueConstraint("member_id", "date"),
        sa.Index("ix_presence_exception_practice_id_date", "practice_id", "date"),
    )


class UrgentAdvice(Base):
    """Where urgent patients are sent on a weekday (Monday is 0) without a doctor, in the
    practice's own words."""

    __tablename__ = "urgent_advice"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    weekday: Mapped[int]
    text: Mapped[str] = mapped_column(sa.String(300))

    __table_args__ = (
        sa.UniqueConstraint("practice_id", "weekday"),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
    )
