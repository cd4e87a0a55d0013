"""What tests of proposals share: asking for one, and being its worker."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import sqlalchemy as sa
from flask.testing import FlaskClient

from scheduler.core.database import Database
from scheduler.people.models import Practice, User
from scheduler.roster import proposal_work
from scheduler.roster.models import Proposal, ProposalLine
from scheduler.roster.problem import build_problem
from scheduler.roster.rules import LineState

Client = Callable[[User | None], FlaskClient]
FIRST = dt.date(2026, 12, 1)
DAY = dt.timedelta(days=1)


def ask(client: FlaskClient, **values: str) -> int:
    answer = client.post("/p/nieul/proposals/", data=values)
    assert answer.status_code == 302, answer.text
    return int(answer.location.rpartition("/")[2])


def compute(database: Database, proposal_id: int) -> None:
    """What a worker does."""
    with database.transaction() as session:
        ticket = proposal_work.take(session, proposal_id)
        assert ticket is not None
        proposal = session.get_one(Proposal, proposal_id)
        practice = session.get_one(Practice, proposal.practice_id)
        problem = build_problem(session, practice, proposal.start, proposal.end)
    solution = proposal_work.compute(
        problem, seconds=10, workers=1, progress=lambda _: None, should_stop=lambda: False
    )
    with database.transaction() as session:
        assert proposal_work.finish(session, ticket, problem, solution)


def read(database: Database, proposal_id: int) -> Proposal:
    with database.session() as session:
        return session.get_one(Proposal, proposal_id)


def change(database: Database, proposal_id: int, **values: object) -> None:
    with database.transaction() as session:
        session.execute(sa.update(Proposal).where(Proposal.id == proposal_id).values(**values))


def lines(database: Database) -> list[LineState]:
    with database.session() as session:
        return list(session.scalars(sa.select(ProposalLine.state).order_by(ProposalLine.need_id)))
