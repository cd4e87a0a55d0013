"""Calls for volunteers (« appels à compléter »)."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.core.database import Base, unique_where
from scheduler.people.models import Practice, User, new_uid
from scheduler.roster.models.needs import Need
from scheduler.roster.rules import CallState, InvitationState, Preference


class Call(Base):
    """A call for the days of one week that lacks doctors, or for one day that lost its own.

    `monday` is the week's; `urgent` marks a day lost to an absence, whose waves follow within the
    hour. `wave` is the last one that left, 0 before the first; the next leaves at `next_wave_at`.
    Where there is no other, the titulars are told then what is still open, once.
    """

    __tablename__ = "call"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    monday: Mapped[dt.date]
    urgent: Mapped[bool] = mapped_column(default=False)
    state: Mapped[CallState] = mapped_column(default=CallState.PREPARED)
    message: Mapped[str] = mapped_column(sa.String(500), default="")
    wave: Mapped[int] = mapped_column(default=0)
    next_wave_at: Mapped[dt.datetime | None]
    prepared_at: Mapped[dt.datetime]
    sent_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    sent_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    practice: Mapped[Practice] = relationship(lazy="raise_on_sql")
    days: Mapped[list[CallDay]] = relationship(
        back_populates="call", cascade="all, delete-orphan", lazy="raise_on_sql"
    )
    invitations: Mapped[list[Invitation]] = relationship(
        back_populates="call",
        cascade="all, delete-orphan",
        order_by="Invitation.wave, Invitation.rank",
        lazy="raise_on_sql",
    )

    @property
    def has_other_wave(self) -> bool:
        """Whether somebody has not been asked yet; the invitations must be loaded."""
        return any(row.state is InvitationState.WAITING for row in self.invitations)

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.CheckConstraint("wave BETWEEN 0 AND 3", name="wave"),
        sa.Index("ix_call_state_next_wave_at", "state", "next_wave_at"),
        # One at a time for a week; an absence of the day has a call of its own.
        unique_where(
            "uq_call_week",
            "practice_id",
            "monday",
            condition="state IN ('prepared', 'sent') AND NOT urgent",
        ),
    )


class CallDay(Base):
    """A need that a call asks for."""

    __tablename__ = "call_day"

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(sa.ForeignKey("call.id", ondelete="CASCADE"))
    need_id: Mapped[int] = mapped_column(sa.ForeignKey("need.id"), index=True)

    call: Mapped[Call] = relationship(back_populates="days", lazy="raise_on_sql")
    need: Mapped[Need] = relationship(lazy="raise_on_sql")

    __table_args__ = (sa.UniqueConstraint("call_id", "need_id"),)


class Invitation(Base):
    """One doctor's part in a call: in which wave, at which place of it, and what came of it.

    `uid` is what the doctor's signed link carries. `preference` is what they said of the days,
    None where they said nothing.
    """

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(sa.String(36), unique=True, default=new_uid)
    call_id: Mapped[int] = mapped_column(sa.ForeignKey("call.id", ondelete="CASCADE"))
    doctor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    # A value of `rules.Wave`.
    wave: Mapped[int]
    rank: Mapped[int]
    preference: Mapped[Preference | None]
    # What sharing counted for the doctor when the call was prepared.
    half_days: Mapped[int] = mapped_column(default=0)
    state: Mapped[InvitationState] = mapped_column(default=InvitationState.WAITING)
    sent_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]

    call: Mapped[Call] = relationship(back_populates="invitations", lazy="raise_on_sql")
    doctor: Mapped[User] = relationship(lazy="raise_on_sql")
    days: Mapped[list[InvitationDay]] = relationship(
        back_populates="invitation", cascade="all, delete-orphan", lazy="raise_on_sql"
    )

    __table_args__ = (
        sa.UniqueConstraint("call_id", "doctor_id"),
        sa.CheckConstraint("wave BETWEEN 1 AND 3", name="wave"),
        sa.CheckConstraint("half_days >= 0", name="half_days"),
    )


class InvitationDay(Base):
    """A day that an invited doctor could take, and what they said of it before they were asked.

    `declined_at` is when they answered that they cannot come on it.
    """

    __tablename__ = "invitation_day"

    id: Mapped[int] = mapped_column(primary_key=True)
    invitation_id: Mapped[int] = mapped_column(sa.ForeignKey("invitation.id", ondelete="CASCADE"))
    need_id: Mapped[int] = mapped_column(sa.ForeignKey("need.id"), index=True)
    preference: Mapped[Preference | None]
    declined_at: Mapped[dt.datetime | None]

    invitation: Mapped[Invitation] = relationship(back_populates="days", lazy="raise_on_sql")

    __table_args__ = (sa.UniqueConstraint("invitation_id", "need_id"),)


class CallWatch(Base):
    """When the worker last looked at a practice's weeks for days that lack a doctor."""

    __tablename__ = "call_watch"

    practice_id: Mapped[int] = mapped_column(
        sa.ForeignKey("practice.id", ondelete="CASCADE"), primary_key=True
    )
    looked_at: Mapped[dt.datetime]
