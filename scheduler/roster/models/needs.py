"""Week patterns, and the needs published from them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.core.database import Base, unique_where
from scheduler.people.models import Practice, Room
from scheduler.roster.rules import NeedState, Period

if TYPE_CHECKING:
    from scheduler.roster.models.assignments import Assignment


class WeekPattern(Base):
    """A named week (« semaine type ») from which needs are published."""

    __tablename__ = "week_pattern"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(80))
    version: Mapped[int] = mapped_column(default=1)

    slots: Mapped[list[WeekPatternSlot]] = relationship(
        back_populates="pattern",
        cascade="all, delete-orphan",
        order_by="WeekPatternSlot.weekday, WeekPatternSlot.room_id, WeekPatternSlot.period",
        lazy="raise_on_sql",
    )

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (sa.UniqueConstraint("practice_id", "name"),)


class WeekPatternSlot(Base):
    """One need of the pattern's week: `weekday` 0 is Monday."""

    __tablename__ = "week_pattern_slot"

    id: Mapped[int] = mapped_column(primary_key=True)
    pattern_id: Mapped[int] = mapped_column(sa.ForeignKey("week_pattern.id", ondelete="CASCADE"))
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("room.id", ondelete="CASCADE"))
    weekday: Mapped[int]
    period: Mapped[Period]
    priority: Mapped[int] = mapped_column(default=1)
    roles: Mapped[list[str]]

    pattern: Mapped[WeekPattern] = relationship(back_populates="slots", lazy="raise_on_sql")
    room: Mapped[Room] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        sa.UniqueConstraint("pattern_id", "room_id", "weekday", "period"),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        sa.CheckConstraint("priority BETWEEN 1 AND 3", name="priority"),
    )


_PUBLISHED = "state = 'published'"


class Need(Base):
    """A room, a date and a period, to be filled. `roles` are the roles that may take it."""

    __tablename__ = "need"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("room.id"))
    date: Mapped[dt.date]
    period: Mapped[Period]
    priority: Mapped[int] = mapped_column(default=1)
    roles: Mapped[list[str]]
    state: Mapped[NeedState] = mapped_column(default=NeedState.PUBLISHED)
    published_at: Mapped[dt.datetime]
    published_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    version: Mapped[int] = mapped_column(default=1)

    practice: Mapped[Practice] = relationship(lazy="raise_on_sql")
    room: Mapped[Room] = relationship(lazy="raise_on_sql")
    assignments: Mapped[list[Assignment]] = relationship(
        back_populates="need", order_by="Assignment.id", lazy="raise_on_sql"
    )

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.CheckConstraint("priority BETWEEN 1 AND 3", name="priority"),
        sa.Index("ix_need_practice_id_date", "practice_id", "date"),
        # One need per room and half-day: a whole day takes part in both indexes.
        unique_where(
            "uq_need_room_am",
            "room_id",
            "date",
            condition=f"{_PUBLISHED} AND period IN ('am', 'day')",
        ),
        unique_where(
            "uq_need_room_pm",
            "room_id",
            "date",
            condition=f"{_PUBLISHED} AND period IN ('pm', 'day')",
        ),
    )
