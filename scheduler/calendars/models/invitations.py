"""Days sent to doctors as invitations by mail, which their calendars answer."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.core.database import Base, unique_where
from scheduler.people.models import Practice, User, new_uid
from scheduler.roster.models import Assignment, Need


class Answer(enum.StrEnum):
    """What a doctor's calendar last said, by the words of RFC 5545 (PARTSTAT)."""

    NONE = "needs-action"
    ACCEPTED = "accepted"
    TENTATIVE = "tentative"
    DECLINED = "declined"


class Ending(enum.StrEnum):
    """Why an invitation can no longer be answered."""

    # Somebody else has the day.
    TAKEN = "taken"
    # The practice took the invitation back, or the day itself.
    WITHDRAWN = "withdrawn"
    NEED_WITHDRAWN = "need_withdrawn"
    # The doctor had the day, and no longer has it.
    GIVEN_BACK = "given_back"
    # The doctor said yes, and it could not be.
    REFUSED = "refused"
    PAST = "past"


class CalendarInvitation(Base):
    """One day that one doctor is invited to, as one event of their calendar.

    `address` is the mailbox that was invited; only an answer of that attendee counts. `sequence`
    rises with every change that the doctor is told of; `said`, `practice_version` and `room` are
    what the last mail said, so that a change is seen. `answered_sequence` and `answered_stamp`
    are those of the last answer that counted: an older one, or the same again, changes nothing.
    The event's UID and the address of the answers follow from `uid` and the secret key.
    """

    __tablename__ = "calendar_invitation"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(sa.String(36), unique=True, default=new_uid)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    need_id: Mapped[int] = mapped_column(sa.ForeignKey("need.id"), index=True)
    doctor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    address: Mapped[str] = mapped_column(sa.String(254))
    invited_by: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    invited_at: Mapped[dt.datetime]
    sequence: Mapped[int] = mapped_column(default=0)
    said: Mapped[str] = mapped_column(sa.String(64))
    practice_version: Mapped[int]
    room: Mapped[str] = mapped_column(sa.String(60))
    answer: Mapped[Answer] = mapped_column(default=Answer.NONE)
    answered_at: Mapped[dt.datetime | None]
    answered_sequence: Mapped[int | None]
    answered_stamp: Mapped[dt.datetime | None]
    assignment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("assignment.id"))
    ended_at: Mapped[dt.datetime | None]
    ending: Mapped[Ending | None]
    version: Mapped[int] = mapped_column(default=1)

    practice: Mapped[Practice] = relationship(lazy="raise_on_sql")
    need: Mapped[Need] = relationship(lazy="raise_on_sql")
    doctor: Mapped[User] = relationship(foreign_keys=doctor_id, lazy="raise_on_sql")
    inviter: Mapped[User] = relationship(foreign_keys=invited_by, lazy="raise_on_sql")
    assignment: Mapped[Assignment | None] = relationship(lazy="raise_on_sql")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        sa.CheckConstraint("(ended_at IS NULL) = (ending IS NULL)", name="ended"),
        sa.Index("ix_calendar_invitation_practice_id_ended_at", "practice_id", "ended_at"),
        unique_where(
            "uq_calendar_invitation_open", "need_id", "doctor_id", condition="ended_at IS NULL"
        ),
    )
