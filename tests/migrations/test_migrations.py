"""Migrations: the head equals the models, and the way up and down works with data in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from scheduler import demonstration
from scheduler.calendars.feeds import answering
from scheduler.calendars.feeds.subscribing import open_feed
from scheduler.calendars.feeds.telling import Links
from scheduler.calendars.models import FeedKind
from scheduler.calendars.rules import hash_of, token_of
from scheduler.core import audit
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.migrate import downgrade, revisions, upgrade
from scheduler.core.permissions import Role
from scheduler.roster.models import Ask, Assignment, Proposal, Scenario
from scheduler.roster.rules import AskCode, AskState
from scheduler.roster.scenario_rules import NoWeeklyCap
from scheduler.schema import metadata
from tests.conftest import create_postgresql, drop_postgresql
from tests.factories import House


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def bare(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> Iterator[Database]:
    """A database without any table."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/bare.db", clock)
        yield database
        database.dispose()
        return
    server = request.getfixturevalue("postgresql_server")
    url = create_postgresql(server)
    database = Database(url, clock)
    yield database
    database.dispose()
    drop_postgresql(server, url)


def test_the_head_equals_the_models(bare: Database) -> None:
    upgrade(bare)
    current, head = revisions(bare)
    assert current == head is not None
    with bare.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_constraints_and_partial_indexes_are_the_same_as_the_models(bare: Database) -> None:
    """What autogeneration does not compare: checks, and the conditions of unique indexes."""
    upgrade(bare)
    with bare.engine.connect() as connection:
        found = sa.inspect(connection)
        for table in metadata.sorted_tables:
            checks = {check["name"] for check in found.get_check_constraints(table.name)}
            assert checks == {
                constraint.name
                for constraint in table.constraints
                if isinstance(constraint, sa.CheckConstraint)
            }, table.name
            key = f"{connection.dialect.name}_where"
            conditional = {
                index["name"]
                for index in found.get_indexes(table.name)
                if index.get("dialect_options", {}).get(key) is not None
            }
            assert conditional == {
                index.name
                for index in table.indexes
                if index.dialect_options[connection.dialect.name]["where"] is not None
            }, table.name


def test_down_and_up_again_with_data(bare: Database) -> None:
    upgrade(bare)
    demonstration.load(bare)
    with bare.session() as session:
        report = audit.verify(session)
    assert report.fault is None
    assert report.events > 100
    upgrade(bare)
    downgrade(bare, "base")
    with bare.engine.connect() as connection:
        left = set(sa.inspect(connection).get_table_names())
    assert left <= {"alembic_version"}
    upgrade(bare)
    assert not demonstration.has_members(bare)


def test_questions_go_and_the_rest_stays(bare: Database) -> None:
    """Back before questions could be asked, and on again, with one asked and said yes to."""
    upgrade(bare)
    demonstration.load(bare)
    with bare.transaction() as session:
        taken = session.scalars(sa.select(Assignment).order_by(Assignment.id)).first()
        assert taken is not None
        session.add(
            Ask(
                practice_id=taken.practice_id,
                need_id=taken.need_id,
                doctor_id=taken.doctor_id,
                code=AskCode.RAISE_WEEKLY_CAP,
                limit_half_days=6,
                message="Bonjour",
                state=AskState.ACCEPTED,
                asked_by=taken.doctor_id,
                asked_at=session.now(),
                assignment_id=taken.id,
            )
        )
    before = rows_of(bare, "assignment")
    downgrade(bare, "0001")
    with bare.engine.connect() as connection:
        assert "ask" not in sa.inspect(connection).get_table_names()
    assert rows_of(bare, "assignment") == before
    upgrade(bare)
    assert rows_of(bare, "ask") == 0
    assert rows_of(bare, "assignment") == before
    with bare.session() as session:
        assert audit.verify(session).fault is None


def test_scenarios_go_and_their_proposals_stay(bare: Database) -> None:
    """Back before scenarios could be computed, and on again, with one of them."""
    upgrade(bare)
    house = House(bare)
    practice = house.practice()
    titular = house.member(practice, Role.TITULAR)
    asked = {"requested_by": titular.id, "requested_at": bare.clock.now()}
    with bare.transaction() as session:
        proposal = Proposal(practice_id=practice.id, start=house.today, end=house.today, **asked)
        session.add(proposal)
        session.flush()
        session.add(Scenario(proposal_id=proposal.id, change=NoWeeklyCap().to_json(), **asked))
    assert rows_of(bare, "scenario") == 1
    before = rows_of(bare, "proposal")
    downgrade(bare, "0002")
    with bare.engine.connect() as connection:
        assert "scenario" not in sa.inspect(connection).get_table_names()
    assert rows_of(bare, "proposal") == before
    upgrade(bare)
    assert (rows_of(bare, "scenario"), rows_of(bare, "proposal")) == (0, before) == (0, 1)


def test_feeds_keep_their_addresses_and_what_they_show(bare: Database) -> None:
    """One of each kind from before subscriptions had a choice, and back with several."""
    upgrade(bare)
    house = House(bare)
    practice = house.practice()
    doctor = house.member(practice, Role.REPLACEMENT)
    day = house.assignment(house.need(practice, house.today), doctor)
    downgrade(bare, "0005")
    tokens = [token_of("secret", doctor.id, salt) for salt in ("first", "second")]
    with bare.engine.begin() as connection:
        for kind, place, salt, token in (
            ("personal", None, "first", tokens[0]),
            ("roster", practice.id, "second", tokens[1]),
        ):
            connection.execute(
                sa.text(
                    "INSERT INTO feed (kind, user_id, practice_id, salt, token_hash, created_at)"
                    " VALUES (:kind, :user, :practice, :salt, :hash, '2026-11-01 08:00:00+00:00')"
                ),
                {
                    "kind": kind,
                    "user": doctor.id,
                    "practice": place,
                    "salt": salt,
                    "hash": hash_of(token),
                },
            )
    upgrade(bare)
    links = Links(lambda slug, _day: slug, lambda slug, _need: slug, str)
    for token, parts in zip(
        tokens, (["confirmed", "held"], ["confirmed", "held", "open"]), strict=True
    ):
        with bare.transaction() as session:
            fetched = answering.fetch(session, token, all_day=False, client="", links=links)
            assert fetched.feed.parts == parts
            assert day.uid.encode() in answering.content(session, fetched)

    actor = house.actor(doctor)
    with bare.transaction() as session:
        for kind in (FeedKind.PERSONAL, FeedKind.OPEN):
            open_feed(session, actor, kind, secret="secret")
    downgrade(bare, "0005")
    working = "SELECT token_hash FROM feed WHERE revoked_at IS NULL ORDER BY id"
    with bare.engine.connect() as connection:
        assert list(connection.scalars(sa.text(working))) == [hash_of(token) for token in tokens]
    upgrade(bare)


def rows_of(database: Database, table: str) -> int:
    with database.engine.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table))) or 0)
