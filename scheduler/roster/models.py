"""Tables of the roster."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.core.database import Base, unique_where
from scheduler.people.models import Practice, Room, User, new_uid
from scheduler.roster.rules import (
    AskCode,
    AskState,
    AssignmentSource,
    AssignmentState,
    Half,
    LineState,
    NeedState,
    Period,
    Preference,
    ProposalState,
)


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


class Availability(Base):
    """What a doctor said of one half-day; it outranks any weekly repetition.

    `preference` None means "I cannot come", the exception to a repetition. `practice_id` None
    means any of the doctor's practices.
    """

    __tablename__ = "availability"

    id: Mapped[int] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"))
    practice_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("practice.id", ondelete="CASCADE")
    )
    date: Mapped[dt.date]
    half: Mapped[Half]
    preference: Mapped[Preference | None]
    updated_at: Mapped[dt.datetime]

    __table_args__ = (
        unique_where(
            "uq_availability_anywhere", "doctor_id", "date", "half", condition="practice_id IS NULL"
        ),
        unique_where(
            "uq_availability_practice",
            "doctor_id",
            "date",
            "half",
            "practice_id",
            condition="practice_id IS NOT NULL",
        ),
    )


class WeeklyAvailability(Base):
    """A doctor's repetition: every (or every n-th) such weekday from `start` to `end` included.

    Weeks are counted from the ISO week of `start`. `end` None is open-ended.
    """

    __tablename__ = "weekly_availability"

    id: Mapped[int] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    practice_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("practice.id", ondelete="CASCADE")
    )
    weekday: Mapped[int]
    period: Mapped[Period]
    preference: Mapped[Preference]
    interval_weeks: Mapped[int] = mapped_column(default=1)
    start: Mapped[dt.date]
    end: Mapped[dt.date | None]
    updated_at: Mapped[dt.datetime]

    __table_args__ = (
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        sa.CheckConstraint("interval_weeks BETWEEN 1 AND 8", name="interval_weeks"),
        sa.CheckConstraint('"end" IS NULL OR "end" >= start', name="dates"),
    )


class Computed:
    """The columns of a row that a worker computes: where it stands, and what came of it.

    `heartbeat_at` is when the worker computing it last gave a sign of life: a running row
    without one is taken up again, at most `work.MOST_ATTEMPTS` times. `attempt` counts those
    times and begins anew when people try again; `run` counts every time a worker took it and
    only ever rises, so that no two workers hold the same ticket. `solution` is a file of the
    roster format; `failure` the code of what went wrong.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[ProposalState] = mapped_column(default=ProposalState.QUEUED)
    requested_by: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    requested_at: Mapped[dt.datetime]
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    heartbeat_at: Mapped[dt.datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)
    run: Mapped[int] = mapped_column(default=0)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    solution: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    failure: Mapped[str | None] = mapped_column(sa.String(64))


_WORKING = "state IN ('queued', 'running')"


class Proposal(Computed, Base):
    """A roster computed by the engine for a practice and a period, to accept or not.

    `problem` and `solution` are the files of the roster format, kept so that what was proposed
    can be explained later.
    """

    __tablename__ = "proposal"

    practice_id: Mapped[int] = mapped_column(
        sa.ForeignKey("practice.id", ondelete="CASCADE"), index=True
    )
    start: Mapped[dt.date]
    end: Mapped[dt.date]
    problem: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    # Who last accepted a part of it, or discarded it.
    decided_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))

    practice: Mapped[Practice] = relationship(lazy="raise_on_sql")
    requester: Mapped[User] = relationship(
        foreign_keys="Proposal.requested_by", lazy="raise_on_sql"
    )
    decider: Mapped[User | None] = relationship(foreign_keys=decided_by, lazy="raise_on_sql")
    lines: Mapped[list[ProposalLine]] = relationship(
        back_populates="proposal",
        cascade="all, delete-orphan",
        order_by="ProposalLine.id",
        lazy="raise_on_sql",
    )

    __table_args__ = (
        sa.CheckConstraint('"end" >= start', name="dates"),
        # One at work per practice at a time.
        unique_where("uq_proposal_working", "practice_id", condition=_WORKING),
    )


class ProposalLine(Base):
    """One day that the proposal would give to a doctor, and what became of it.

    `refusal` is the code of the error that kept an accepted line from becoming an assignment,
    `refusal_facts` what its sentence needs.
    """

    __tablename__ = "proposal_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    proposal_id: Mapped[int] = mapped_column(sa.ForeignKey("proposal.id", ondelete="CASCADE"))
    need_id: Mapped[int] = mapped_column(sa.ForeignKey("need.id"))
    doctor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    state: Mapped[LineState] = mapped_column(default=LineState.PROPOSED)
    refusal: Mapped[str | None] = mapped_column(sa.String(64))
    refusal_facts: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    decided_at: Mapped[dt.datetime | None]

    proposal: Mapped[Proposal] = relationship(back_populates="lines", lazy="raise_on_sql")
    need: Mapped[Need] = relationship(lazy="raise_on_sql")
    doctor: Mapped[User] = relationship(lazy="raise_on_sql")

    __table_args__ = (sa.UniqueConstraint("proposal_id", "need_id"),)


class Scenario(Computed, Base):
    """A proposal's period computed once more with one thing changed, to compare and never to
    accept. `change` is what was changed, as `scenario_rules.to_json` writes it.
    """

    __tablename__ = "scenario"

    proposal_id: Mapped[int] = mapped_column(
        sa.ForeignKey("proposal.id", ondelete="CASCADE"), index=True
    )
    change: Mapped[dict[str, Any]]

    proposal: Mapped[Proposal] = relationship(lazy="raise_on_sql")

    __table_args__ = (sa.CheckConstraint("state <> 'closed'", name="never_closed"),)


class Ask(Base):
    """A question to one doctor: would you come on this day?

    `limit_half_days` is the limit (a day is two) that a yes would allow for this one day; None
    where the question is only whether the doctor comes. `assignment_id` is the day that a yes
    gave.
    """

    __tablename__ = "ask"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    need_id: Mapped[int] = mapped_column(sa.ForeignKey("need.id"), index=True)
    doctor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    # The proposal on whose page the question was asked, if on any.
    proposal_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("proposal.id", ondelete="SET NULL")
    )
    code: Mapped[AskCode]
    limit_half_days: Mapped[int | None]
    message: Mapped[str] = mapped_column(sa.String(500))
    state: Mapped[AskState] = mapped_column(default=AskState.OPEN)
    asked_by: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    asked_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    answer_note: Mapped[str | None] = mapped_column(sa.String(255))
    assignment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("assignment.id"), index=True)

    practice: Mapped[Practice] = relationship(lazy="raise_on_sql")
    need: Mapped[Need] = relationship(lazy="raise_on_sql")
    doctor: Mapped[User] = relationship(foreign_keys=doctor_id, lazy="raise_on_sql")
    asker: Mapped[User] = relationship(foreign_keys=asked_by, lazy="raise_on_sql")

    __table_args__ = (
        sa.CheckConstraint("(code = 'ask') = (limit_half_days IS NULL)", name="limit"),
        sa.Index("ix_ask_doctor_id_state", "doctor_id", "state"),
        # Nobody is asked twice for one day while a question is open.
        unique_where("uq_ask_open", "need_id", "doctor_id", condition="state = 'open'"),
    )

    @property
    def limit_to(self) -> float | None:
        """The limit in days that a yes would allow."""
        return None if self.limit_half_days is None else self.limit_half_days / 2
