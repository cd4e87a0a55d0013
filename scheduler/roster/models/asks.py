"""Questions to doctors."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.core.database import Base, unique_where
from scheduler.people.models import Practice, User
from scheduler.roster.models.needs import Need
from scheduler.roster.rules import AskCode, AskState


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
