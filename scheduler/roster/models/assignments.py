"""Doctors on needs."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.core.database import Base, unique_where
from scheduler.people.models import User, new_uid
from scheduler.roster.models.needs import Need
from scheduler.roster.rules import AssignmentSource, AssignmentState, Period

_ACTIVE = "state <> 'released'"


class Assignment(Base):
    """A doctor on a need. `date` and `period` repeat the need's, so that indexes can hold the
    invariants: one active assignment per need, one per doctor, date and half-day."""

    __tablename__ = "assignment"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(sa.String(36), unique=True, default=new_uid)
    need_id: Mapped[int] = mapped_column(sa.ForeignKey("need.id"), index=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    doctor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    date: Mapped[dt.date]
    period: Mapped[Period]
    state: Mapped[AssignmentState]
    source: Mapped[AssignmentSource]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    released_at: Mapped[dt.datetime | None]
    release_reason: Mapped[str | None] = mapped_column(sa.String(255))
    version: Mapped[int] = mapped_column(default=1)

    need: Mapped[Need] = relationship(back_populates="assignments", lazy="raise_on_sql")
    doctor: Mapped[User] = relationship(lazy="raise_on_sql")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.Index("ix_assignment_doctor_id_date", "doctor_id", "date"),
        sa.Index("ix_assignment_practice_id_date", "practice_id", "date"),
        unique_where("uq_assignment_need", "need_id", condition=_ACTIVE),
        unique_where(
            "uq_assignment_doctor_am",
            "doctor_id",
            "date",
            condition=f"{_ACTIVE} AND period IN ('am', 'day')",
        ),
        unique_where(
            "uq_assignment_doctor_pm",
            "doctor_id",
            "date",
            condition=f"{_ACTIVE} AND period IN ('pm', 'day')",
        ),
    )
