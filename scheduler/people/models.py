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


class ClaimPolicy(enum.StrEnum):
    """How a practice accepts that a doctor takes a day."""

    AT_ONCE = "at_once"
    # Held until a titular confirms, or the hours are over.
    HELD = "held"
    # At once for the doctors it trusts, held for the others.
    TRUSTED = "trusted"


class HoldOutcome(enum.StrEnum):
    """What becomes of a held day that no titular has decided on in time."""

    CONFIRM = "confirm"
    FREE = "free"


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
    members: Mapped[list[Member]] = relationship(
        back_populates="user", foreign_keys="Member.user_id", lazy="raise_on_sql"
    )

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
    claim_policy: Mapped[ClaimPolicy] = mapped_column(default=ClaimPolicy.AT_ONCE)
    # How long a claim is held for a titular's word, and what becomes of it afterwards.
    hold_hours: Mapped[int] = mapped_column(default=48)
    hold_outcome: Mapped[HoldOutcome] = mapped_column(default=HoldOutcome.CONFIRM)
    # So many days before a day, giving it back begins to need a titular's consent.
    lock_days: Mapped[int] = mapped_column(default=7)
    # The most that one doctor works here in a week or a month, in half-days; None for no limit.
    local_half_days_per_week: Mapped[int | None]
    local_half_days_per_month: Mapped[int | None]
    # Whether a replaced doctor must hold a derogation of the departmental council that covers
    # the day (code de la santé publique, R4127-65).
    derogation_required: Mapped[bool] = mapped_column(default=True)
    # How many weeks ahead the worker looks for weeks below the minimum, and how long each wave of
    # a call waits for the one before.
    call_weeks_ahead: Mapped[int] = mapped_column(default=4)
    call_wave_hours: Mapped[int] = mapped_column(default=24)
    # Where patients may read who is there this week; the address is kept while it is off.
    public_address: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    public_page: Mapped[bool] = mapped_column(default=False)
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
        sa.CheckConstraint("hold_hours BETWEEN 1 AND 336", name="hold_hours"),
        sa.CheckConstraint("lock_days BETWEEN 0 AND 90", name="lock_days"),
        sa.CheckConstraint("local_half_days_per_week BETWEEN 1 AND 14", name="local_week"),
        sa.CheckConstraint("local_half_days_per_month BETWEEN 1 AND 62", name="local_month"),
        sa.CheckConstraint("call_weeks_ahead BETWEEN 1 AND 26", name="call_weeks_ahead"),
        sa.CheckConstraint("call_wave_hours BETWEEN 1 AND 168", name="call_wave_hours"),
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
    """A user in a practice, with a role, from `since` to `until` (both included).

    `trusted` doctors take days at once where the practice's policy says so. `supervisor_id` is
    the titular whom an intern can reach. `profession` names what a member who is no doctor does
    in the house (« infirmière Asalée », « sage-femme »).
    """

    __tablename__ = "member"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    role: Mapped[Role]
    since: Mapped[dt.date]
    until: Mapped[dt.date | None]
    trusted: Mapped[bool] = mapped_column(default=False)
    supervisor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    profession: Mapped[str | None] = mapped_column(sa.String(60))

    practice: Mapped[Practice] = relationship(back_populates="members", lazy="raise_on_sql")
    user: Mapped[User] = relationship(
        back_populates="members", foreign_keys=user_id, lazy="raise_on_sql"
    )
    supervisor: Mapped[User | None] = relationship(foreign_keys=supervisor_id, lazy="raise_on_sql")

    __table_args__ = (
        sa.UniqueConstraint("practice_id", "user_id", "role", "since"),
        sa.CheckConstraint("until IS NULL OR until >= since", name="dates"),
    )

    def active_on(self, day: dt.date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)


class ReplacedDoctor(Base):
    """The titular in whose name a month's contracts stand (« médecin remplacé du mois »).

    `month` is the first of the month.
    """

    __tablename__ = "replaced_doctor"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    month: Mapped[dt.date]
    doctor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)

    doctor: Mapped[User] = relationship(lazy="raise_on_sql")

    __table_args__ = (sa.UniqueConstraint("practice_id", "month"),)


class Derogation(Base):
    """The departmental council's leave for a replaced doctor to go on practising meanwhile, from
    `since` to `until`, both included (code de la santé publique, R4127-65)."""

    __tablename__ = "derogation"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    doctor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    since: Mapped[dt.date]
    until: Mapped[dt.date]
    reference: Mapped[str | None] = mapped_column(sa.String(80))

    doctor: Mapped[User] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        sa.Index("ix_derogation_practice_id_doctor_id", "practice_id", "doctor_id"),
        sa.CheckConstraint("until >= since", name="dates"),
    )
