"""Who is on call."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.core.database import Base
from scheduler.people.models import Practice, User


class Duty(Base):
    """The doctor on call (« astreinte ») for a practice on a date; it counts on days on which no
    doctor is in the house."""

    __tablename__ = "duty"

    id: Mapped[int] = mapped_column(primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id", ondelete="CASCADE"))
    date: Mapped[dt.date]
    doctor_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    version: Mapped[int] = mapped_column(default=1)

    practice: Mapped[Practice] = relationship(lazy="raise_on_sql")
    doctor: Mapped[User] = relationship(lazy="raise_on_sql")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (sa.UniqueConstraint("practice_id", "date"),)
