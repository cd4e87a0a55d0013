"""Proposals, and the scenarios compared with them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scheduler.core.database import Base, unique_where
from scheduler.people.models import Practice, User
from scheduler.roster.models.needs import Need
from scheduler.roster.rules import LineState, ProposalState


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
