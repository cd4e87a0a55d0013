"""Tables of people and places."""

from __future__ import annotations

import datetime as dt
import enum
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.core.database import Base
from scheduler.core.permissions import Role


class Gender(enum.StrEnum):
    """As far as the engine's `mix` term needs it."""

    FEMALE = "F"
    MALE = "M"


class Locale(enum.StrEnum):
    """The languages of the interface."""

    FRENCH = "fr"
    ENGLISH = "en"


class SchoolZone(enum.StrEnum):
    """The zones of French school holidays."""

    A = "A"
    B = "B"
    C = "C"


def new_uid() -> str:
    """A random identifier that may be shown outside: it tells nothing and is never reused."""
    return str(uuid.uuid4())


class User(Base):
    """A person who can sign in. `email` is kept in lower case and is unique."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    given_name: Mapped[str] = mapped_column(sa.String(80))
    family_name: Mapped[str] = mapped_column(sa.String(80))
    phone: Mapped[str | None] = mapped_column(sa.String(32))
    locale: Mapped[Locale] = mapped_column(default=Locale.FRENCH)
    password_hash: Mapped[str | None] = mapped_column(sa.String(255))
    # Rises with every change of credentials and so ends every session signed in before.
    credentials_epoch: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime]
    disabled_at: Mapped[dt.datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    doctor: Mapped[Doctor | None] = relationship(back_populates="user", lazy="raise_on_sql")
    members: Mapped[list[Member]] = relationship(back_populates="user", lazy="raise_on_sql")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (sa.CheckConstraint("email = lower(email)", name="email_lower"),)

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"


class EndedSession(Base):
    """A session that somebody signed out of, by the SHA-256 of its number.

    Kept for as long as its cookie could be shown again.
    """

    __tablename__ = "ended_session"

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    ended_at: Mapped[dt.datetime] = mapped_column(index=True)


class Doctor(Base):
    """What the roster needs to know of a user who is a doctor, the same in every practice.

    Limits are in half-days (a day is two), None for no limit. `qualified` is a doctor who has
    defended the thesis and is registered with the Ordre; any other needs a licence valid on the
    day, `licence_until` included (code de la santé publique, R4127-65, L4131-2).
    """

    __tablename__ = "doctor"

    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True
    )
    gender: Mapped[Gender | None]
    rpps: Mapped[str | None] = mapped_column(sa.String(11))
    qualified: Mapped[bool] = mapped_column(default=True)
    licence_until: Mapped[dt.date | None]
    max_half_days_per_week: Mapped[int | None]
    max_half_days_per_month: Mapped[int | None]
    max_consecutive_days: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)

    user: Mapped[User] = relationship(back_populates="doctor", lazy="raise_on_sql")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.CheckConstraint("max_half_days_per_week >= 0", name="week_limit"),
        sa.CheckConstraint("max_half_days_per_month >= 0", name="month_limit"),
        sa.CheckConstraint("max_consecutive_days >= 1", name="consecutive_limit"),
    )


class Practice(Base):
    """A shared cabinet. Everything belongs to one.

    `weekly_minimum` is the number of days a week with a doctor below which care is not safe.
    """

    __tablename__ = "practice"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    address: Mapped[str | None] = mapped_column(sa.String(255))
    timezone: Mapped[str] = mapped_column(sa.String(64), default="Europe/Paris")
    school_zone: Mapped[SchoolZone | None]
    # A French subdivision with public holidays of its own, as the holidays library names it.
    holiday_subdivision: Mapped[str | None] = mapped_column(sa.String(32))
    am_start: Mapped[dt.time] = mapped_column(default=dt.time(8, 30))
    am_end: Mapped[dt.time] = mapped_column(default=dt.time(12, 30))
    pm_start: Mapped[dt.time] = mapped_column(default=dt.time(14, 0))
    pm_end: Mapped[dt.time] = mapped_column(default=dt.time(18, 30))
    weekly_minimum: Mapped[int] = mapped_column(default=0)
    fairness_window_days: Mapped[int] = mapped_column(default=90)
    created_at: Mapped[dt.datetime]
    version: Mapped[int] = mapped_column(default=1)

    rooms: Mapped[list[Room]] = relationship(
        back_populates="practice", order_by="Room.position", lazy="raise_on_sql"
    )
    members: Mapped[list[Member]] = relationship(back_populates="practice", lazy="raise_on_sql")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.CheckConstraint(
            "am_start < am_end AND am_end <= pm_start AND pm_start < pm_end", name="opening_hours"
        ),
        sa.CheckConstraint("weekly_minimum BETWEEN 0 AND 7", name="weekly_minimum"),
    )


class Room(Base):
    """A consulting room of a practice."""

    __tablename__ = "room"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(60))
    position: Mapped[int] = mapped_column(default=0)

    practice: Mapped[Practice] = relationship(back_populates="rooms", lazy="raise_on_sql")

    __table_args__ = (sa.UniqueConstraint("practice_id", "name"),)


class Member(Base):
    """A user in a practice, with a role, from `since` to `until` (both included)."""

    __tablename__ = "member"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    role: Mapped[Role]
    since: Mapped[dt.date]
    until: Mapped[dt.date | None]

    practice: Mapped[Practice] = relationship(back_populates="members", lazy="raise_on_sql")
    user: Mapped[User] = relationship(back_populates="members", lazy="raise_on_sql")

    __table_args__ = (
        sa.UniqueConstraint("practice_id", "user_id", "role", "since"),
        sa.CheckConstraint("until IS NULL OR until >= since", name="dates"),
    )

    def active_on(self, day: dt.date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)
