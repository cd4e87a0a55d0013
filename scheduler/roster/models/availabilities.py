"""What doctors say of when they can come."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.core.database import Base, unique_where
from scheduler.roster.rules import Half, Period, Preference


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


class ImportedHalf(Base):
    """What a calendar of the doctor's says of one half-day: that it is taken (`busy`), or how
    gladly they come. It is replaced whole whenever the calendar is read again.

    The doctor's explicit word outranks it; it outranks weekly repetitions. The calendar's own
    words are not kept: they are the doctor's private life.
    """

    __tablename__ = "imported_half"

    id: Mapped[int] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"))
    # The calendar that it was read from; what reads calendars stands above the roster.
    source_id: Mapped[int] = mapped_column(sa.ForeignKey("calendar_source.id", ondelete="CASCADE"))
    date: Mapped[dt.date]
    half: Mapped[Half]
    busy: Mapped[bool]
    preference: Mapped[Preference | None]

    __table_args__ = (
        sa.UniqueConstraint("source_id", "date", "half"),
        sa.CheckConstraint("busy = (preference IS NULL)", name="one_fact"),
        sa.Index("ix_imported_half_doctor_id_date", "doctor_id", "date"),
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


class AvailabilityNote(Base):
    """A few words of a doctor about one day, read by titulars and secretaries."""

    __tablename__ = "availability_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"))
    date: Mapped[dt.date]
    text: Mapped[str] = mapped_column(sa.String(200))
    updated_at: Mapped[dt.datetime]

    __table_args__ = (sa.UniqueConstraint("doctor_id", "date"),)


class AvailabilityAnswer(Base):
    """A doctor's word that all is said of a month, whatever was said of it.

    `month` is the first of the month. With nothing said of it, the doctor cannot come at all.
    """

    __tablename__ = "availability_answer"

    id: Mapped[int] = mapped_column(primary_key=True)
    doctor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"))
    month: Mapped[dt.date]
    answered_at: Mapped[dt.datetime]

    __table_args__ = (sa.UniqueConstraint("doctor_id", "month"),)


class AvailabilityPrompt(Base):
    """A doctor was told that a practice opened a month, and what became of it since.

    `month` is the first of the month. `due_at` is when the worker looks whether a reminder is
    called for, None once it has looked or somebody has reminded before it.
    """

    __tablename__ = "availability_prompt"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    doctor_id: Mapped[int] = mapped_column(
        sa.ForeignKey("user_account.id", ondelete="CASCADE"), index=True
    )
    month: Mapped[dt.date]
    opened_at: Mapped[dt.datetime]
    reminded_at: Mapped[dt.datetime | None]
    due_at: Mapped[dt.datetime | None] = mapped_column(index=True)

    __table_args__ = (sa.UniqueConstraint("practice_id", "doctor_id", "month"),)
