"""Doctors on needs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.core.database import Base, unique_where
from scheduler.people.models import Practice, User, new_uid
from scheduler.roster.models.needs import Need
from scheduler.roster.rules import (
    AssignmentSource,
    AssignmentState,
    Period,
    ReleaseKind,
    RequestState,
    SwapState,
)

_ACTIVE = "state <> 'released'"


class Assignment(Base):
    """A doctor on a need. `date` and `period` repeat the need's, so that indexes can hold the
    invariants: one active assignment per need, one per doctor, date and half-day.

    `created_by` took it, who is another than the doctor where somebody acted for them. A held one
    waits for a titular until `held_until`; a `tentative` one for its doctor, who may come and has
    not said yes, and then it is free again. `lifts` are the doctor's own limits that they agreed
    to pass for this day (`legality.Lift`). `predecessor_id` is the assignment it came from when
    the day went from a colleague to this doctor. `supervisor_id` is the titular whom an intern
    reaches on this day, where it is another than usual. `claim_key` is the SHA-256 of what made
    the claim one of its kind (`claiming.claim`), so that a command repeated is carried out once.
    """

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
    created_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    updated_at: Mapped[dt.datetime]
    held_until: Mapped[dt.datetime | None]
    tentative: Mapped[bool] = mapped_column(default=False)
    lifts: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    claim_key: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    predecessor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("assignment.id"), index=True)
    supervisor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    released_at: Mapped[dt.datetime | None]
    released_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    release_kind: Mapped[ReleaseKind | None]
    release_reason: Mapped[str | None] = mapped_column(sa.String(255))
    version: Mapped[int] = mapped_column(default=1)

    need: Mapped[Need] = relationship(back_populates="assignments", lazy="raise_on_sql")
    doctor: Mapped[User] = relationship(foreign_keys=doctor_id, lazy="raise_on_sql")
    supervisor: Mapped[User | None] = relationship(foreign_keys=supervisor_id, lazy="raise_on_sql")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.CheckConstraint("(state = 'held') = (held_until IS NOT NULL)", name="held"),
        sa.CheckConstraint("(state = 'released') = (released_at IS NOT NULL)", name="released"),
        sa.CheckConstraint("NOT tentative OR state IN ('held', 'released')", name="tentative"),
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


class ReleaseRequest(Base):
    """A doctor asks the titulars to be released from a day whose lock date has passed.

    `requested_by` is another than the doctor where somebody asked for them.
    """

    __tablename__ = "release_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    assignment_id: Mapped[int] = mapped_column(sa.ForeignKey("assignment.id"), index=True)
    doctor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    reason: Mapped[str] = mapped_column(sa.String(255))
    state: Mapped[RequestState] = mapped_column(default=RequestState.OPEN)
    requested_by: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    requested_at: Mapped[dt.datetime]
    ended_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    ended_at: Mapped[dt.datetime | None]
    answer_note: Mapped[str | None] = mapped_column(sa.String(255))

    practice: Mapped[Practice] = relationship(lazy="raise_on_sql")
    assignment: Mapped[Assignment] = relationship(lazy="raise_on_sql")
    doctor: Mapped[User] = relationship(foreign_keys=doctor_id, lazy="raise_on_sql")

    __table_args__ = (
        sa.Index("ix_release_request_practice_id_state", "practice_id", "state"),
        unique_where("uq_release_request_open", "assignment_id", condition="state = 'open'"),
    )


class Swap(Base):
    """A day offered to one colleague (`to_doctor_id`) or to all, perhaps for a day of theirs in
    return (`return_id`, an assignment of that one colleague).

    `taken_id` is the assignment that took it over.
    """

    __tablename__ = "swap"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    assignment_id: Mapped[int] = mapped_column(sa.ForeignKey("assignment.id"), index=True)
    doctor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    to_doctor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    return_id: Mapped[int | None] = mapped_column(sa.ForeignKey("assignment.id"))
    message: Mapped[str] = mapped_column(sa.String(255), default="")
    state: Mapped[SwapState] = mapped_column(default=SwapState.OPEN)
    offered_by: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    offered_at: Mapped[dt.datetime]
    taken_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    taken_id: Mapped[int | None] = mapped_column(sa.ForeignKey("assignment.id"))
    ended_at: Mapped[dt.datetime | None]

    practice: Mapped[Practice] = relationship(lazy="raise_on_sql")
    assignment: Mapped[Assignment] = relationship(foreign_keys=assignment_id, lazy="raise_on_sql")
    in_return: Mapped[Assignment | None] = relationship(foreign_keys=return_id, lazy="raise_on_sql")
    doctor: Mapped[User] = relationship(foreign_keys=doctor_id, lazy="raise_on_sql")
    to_doctor: Mapped[User | None] = relationship(foreign_keys=to_doctor_id, lazy="raise_on_sql")

    __table_args__ = (
        sa.Index("ix_swap_practice_id_state", "practice_id", "state"),
        sa.CheckConstraint("return_id IS NULL OR to_doctor_id IS NOT NULL", name="in_return"),
        unique_where("uq_swap_open", "assignment_id", condition="state = 'open'"),
    )
