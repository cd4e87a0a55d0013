"""The worker: real processes, killed and started again, and what its loops do."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from scheduler import jobs
from scheduler.core import audit
from scheduler.core.clock import local_date
from scheduler.core.database import Database
from scheduler.core.outbox import MessageState, OutboxMessage
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.people.models import Practice, User
from scheduler.roster import proposal_work, proposals
from scheduler.roster.models import Ask, Assignment, Proposal
from scheduler.roster.rules import (
    AskCode,
    AskState,
    AssignmentState,
    Preference,
    ProposalState,
)
from tests.factories import House

PROJECT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 60.0
DAY = dt.timedelta(days=1)
SCRIPT = """
import os
from scheduler import schema
from scheduler.core.settings import Settings
from scheduler.jobs import Rhythm, run_worker
rhythm = Rhythm(tick=0.2, mail=0.2, report=0.1, lease=float(os.environ["RELAIS_TEST_LEASE"]))
run_worker(Settings.from_environment(os.environ), rhythm)
"""


@pytest.fixture
def database(database: Database) -> Database:
    """Both databases, in real time: the worker is another process."""
    return Database(database.url.render_as_string(hide_password=False))


@pytest.fixture
def titular(house: House) -> User:
    return house.member(house.practice("1", "2"), Role.TITULAR)


class Crew:
    """Starts worker processes and leaves none behind."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *, seconds: float = 2.0, lease: float = 3.0) -> subprocess.Popen[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "RELAIS_DATABASE_URL": self._database.url.render_as_string(hide_password=False),
            "RELAIS_SOLVER_SECONDS": str(seconds),
            "RELAIS_SOLVER_WORKERS": "1",
            "RELAIS_TEST_LEASE": str(lease),
        }
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._started.append(process)
        return process

    def end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()


@pytest.fixture
def crew(database: Database) -> Iterator[Crew]:
    found = Crew(database)
    yield found
    found.end()
    database.dispose()


def until(act: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """Ask again and again until the answer is true; the test fails when it never is."""
    deadline, waiting = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < deadline:
        if answer := act():
            return answer
        waiting.wait(0.05)
    raise AssertionError(f"not within {seconds} s")


def read(database: Database, proposal_id: int) -> Proposal:
    with database.session() as session:
        return session.get_one(Proposal, proposal_id)


def in_state(database: Database, proposal_id: int, *states: ProposalState) -> Proposal | None:
    proposal = read(database, proposal_id)
    return proposal if proposal.state in states else None


def request(house: House, titular: User, days: int = 60) -> int:
    """Ask for a proposal, and nudge nobody."""
    actor = house.actor(titular)
    start = house.today + DAY
    with house.database.transaction() as session:
        practice = session.scalars(sa.select(Practice)).one()
        return proposals.request_proposal(session, actor, practice, start, start + days * DAY).id


def small(house: House, titular: User) -> int:
    practice = with_rooms(house)
    doctor = house.member(practice, Role.REPLACEMENT)
    day = house.today + 2 * DAY
    house.need(practice, day)
    house.available(doctor, day)
    return request(house, titular)


def with_rooms(house: House) -> Practice:
    with house.database.session() as session:
        return session.scalars(sa.select(Practice).options(selectinload(Practice.rooms))).one()


def hard(house: House, titular: User) -> int:
    """A quarter with more doctors than can be told apart quickly: never proved in a minute."""
    practice = with_rooms(house)
    days = [house.today + number * DAY for number in range(2, 72)]
    for day in days:
        for room in range(2):
            house.need(practice, day, room=room)
    for number in range(16):
        doctor = house.member(
            practice,
            Role.REPLACEMENT,
            doctor={
                "gender": "FM"[number % 2],
                "max_half_days_per_week": 3 + number % 5,
                "max_half_days_per_month": 9 + number % 7,
                "max_consecutive_days": 2 + number % 3,
            },
        )
        for offset, preference in enumerate(Preference):
            chosen = [
                day
                for index, day in enumerate(days)
                if (index * (number + 3) + number * number) % 7 == 2 * offset
            ]
            house.available(doctor, *chosen, preference=preference)
    return request(house, titular, 80)


def test_a_lost_nudge_loses_nothing(
    house: House, database: Database, titular: User, crew: Crew
) -> None:
    proposal_id = small(house, titular)
    worker = crew.start()
    proposal = until(lambda: in_state(database, proposal_id, ProposalState.READY))
    assert proposal.solution["status"] == "optimal"
    # The letter that it is ready has left by the console.
    until(
        lambda: [
            message
            for message in messages(database)
            if (message.kind, message.state) == ("proposal.ready", MessageState.SENT)
        ]
    )
    worker.send_signal(signal.SIGTERM)
    output, _ = worker.communicate(timeout=PATIENCE_SECONDS)
    assert worker.returncode == 0
    assert f"<{titular.email}>" in output
    assert f"/proposals/{proposal_id}" in output
    assert "Traceback" not in output


def messages(database: Database) -> list[OutboxMessage]:
    with database.session() as session:
        return list(session.scalars(sa.select(OutboxMessage)))


def test_killed_in_the_middle_it_is_taken_up_again(
    house: House, database: Database, titular: User, crew: Crew
) -> None:
    proposal_id = hard(house, titular)
    first = crew.start(seconds=600)
    until(lambda: read(database, proposal_id).progress.get("stage"))
    first.kill()
    first.wait()
    assert in_state(database, proposal_id, ProposalState.RUNNING)
    crew.start(seconds=2)
    proposal = until(lambda: in_state(database, proposal_id, ProposalState.READY))
    assert proposal.attempt == 2
    assert proposal.solution["assignments"]


def test_killed_thrice_it_is_failed_and_can_be_tried_again(
    house: House, database: Database, titular: User, crew: Crew
) -> None:
    proposal_id = hard(house, titular)
    for attempt in (1, 2, 3):
        worker = crew.start(seconds=600, lease=1.5)

        def under_way(attempt: int = attempt) -> bool:
            proposal = read(database, proposal_id)
            return proposal.attempt == attempt and bool(proposal.progress)

        until(under_way)
        worker.kill()
        worker.wait()
    crew.start(seconds=2, lease=1.5)
    proposal = until(lambda: in_state(database, proposal_id, ProposalState.FAILED))
    assert proposal.failure == "interrupted"
    with database.transaction() as session:
        proposals.retry(session, house.actor(titular), proposal_id)
    jobs.enqueue_proposal(database, proposal_id)
    proposal = until(lambda: in_state(database, proposal_id, ProposalState.READY))
    assert proposal.attempt == 1
    with database.session() as session:
        assert audit.verify(session).fault is None


def test_a_worker_told_to_stop_gives_back_what_it_computes(
    house: House, database: Database, titular: User, crew: Crew
) -> None:
    proposal_id = hard(house, titular)
    worker = crew.start(seconds=600)
    until(lambda: read(database, proposal_id).progress)
    worker.send_signal(signal.SIGTERM)
    output, _ = worker.communicate(timeout=PATIENCE_SECONDS)
    assert worker.returncode == 0, output
    proposal = read(database, proposal_id)
    assert (proposal.state, proposal.attempt) == (ProposalState.QUEUED, 0)


def test_a_computation_is_cancelled_while_it_runs(
    house: House, database: Database, titular: User, crew: Crew
) -> None:
    proposal_id = hard(house, titular)
    crew.start(seconds=600)
    until(lambda: read(database, proposal_id).progress)
    with database.transaction() as session:
        proposals.cancel(session, house.actor(titular), proposal_id)
    until(lambda: in_state(database, proposal_id, ProposalState.CANCELLED))


def test_the_database_is_free_while_the_solver_runs(
    house: House, database: Database, titular: User, crew: Crew
) -> None:
    proposal_id = hard(house, titular)
    crew.start(seconds=600)
    until(lambda: read(database, proposal_id).progress.get("stage"))
    for _ in range(20):
        begun = time.monotonic()
        house.user()
        assert time.monotonic() - begun < 10
    assert in_state(database, proposal_id, ProposalState.RUNNING)


@pytest.fixture
def worker(database: Database) -> Iterator[jobs.Worker]:
    """A worker in this process, whose loops do not run by themselves."""
    url = database.url.render_as_string(hide_password=False)
    found = jobs.Worker(Settings(database_url=url, solver_seconds=5.0, solver_workers=1))
    yield found
    found.close()
    database.dispose()


def test_a_nudge_is_queued_once(
    house: House, database: Database, titular: User, worker: jobs.Worker
) -> None:
    proposal_id = small(house, titular)
    worker.tick()
    worker.tick()
    assert [task.args for task in worker.huey.pending()] == [[proposal_id]]
    jobs.enqueue_proposal(database, proposal_id)
    assert len(worker.huey.pending()) == 2
    for task in worker.huey.pending():
        worker.huey.execute(task)
    assert read(database, proposal_id).attempt == 1
    assert in_state(database, proposal_id, ProposalState.READY)


def test_messages_in_the_queue_are_json(
    house: House, database: Database, titular: User, worker: jobs.Worker
) -> None:
    worker.huey.storage.flush_queue()
    jobs.enqueue_proposal(database, 7)
    (data,) = worker.huey.storage.enqueued_items()
    assert json.loads(bytes(data))["args"] == [7]


def test_an_unreachable_queue_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "relais-queue.db").mkdir()
    database = Database(f"sqlite:///{tmp_path}/relais.db")
    jobs.enqueue_proposal(database, 1)
    database.dispose()


def test_what_cannot_be_computed_fails(
    house: House, database: Database, titular: User, worker: jobs.Worker
) -> None:
    proposal_id = small(house, titular)
    with database.transaction() as session:
        proposal = session.get_one(Proposal, proposal_id)
        proposal.start = proposal.end = house.today - DAY
    worker.compute(proposal_id)
    proposal = read(database, proposal_id)
    assert (proposal.state, proposal.failure) == (ProposalState.FAILED, "proposal_past")


def test_a_superseded_computation_leaves_no_trace(
    house: House, database: Database, titular: User, worker: jobs.Worker
) -> None:
    proposal_id = small(house, titular)
    with database.transaction() as session:
        ticket = proposal_work.take(session, proposal_id)
        assert ticket is not None
        session.get_one(Proposal, proposal_id).run = 2
    pulse = jobs.Pulse(database, ticket, 0.01, threading.Event())
    with pulse:
        until(pulse.should_stop)
    assert not pulse.interrupted
    assert read(database, proposal_id).progress == {}


def test_past_days_are_done_where_they_are(
    house: House, database: Database, worker: jobs.Worker
) -> None:
    paris = house.practice()
    # One of the two is a day ahead of the other at any moment.
    line = (house.practice(timezone="Pacific/Kiritimati"), house.practice(timezone="Etc/GMT+12"))
    now = database.clock.now()
    yesterday, today = house.today - DAY, local_date(now, "Etc/GMT+12")
    doctor = house.member(paris, Role.REPLACEMENT)
    past = house.assignment(house.need(paris, yesterday), doctor)
    coming = house.assignment(house.need(paris, house.today), doctor)
    ahead = house.assignment(house.need(line[0], today), house.member(line[0], Role.REPLACEMENT))
    behind = house.assignment(house.need(line[1], today), house.member(line[1], Role.REPLACEMENT))
    worker.tick()
    with database.session() as session:
        states = {row.id: row.state for row in session.scalars(sa.select(Assignment))}
        events = session.scalars(sa.select(audit.AuditEvent.subject_id)).all()
        assert audit.verify(session).fault is None
    assert states == {
        past.id: AssignmentState.DONE,
        coming.id: AssignmentState.CONFIRMED,
        ahead.id: AssignmentState.DONE,
        behind.id: AssignmentState.CONFIRMED,
    }
    assert sorted(events) == sorted([past.id, ahead.id])


def test_questions_about_past_days_lapse(
    house: House, database: Database, titular: User, worker: jobs.Worker
) -> None:
    practice = house.practice()
    doctor = house.member(practice, Role.REPLACEMENT)
    asked = [
        Ask(
            practice_id=practice.id,
            need_id=house.need(practice, house.today + offset * DAY).id,
            doctor_id=doctor.id,
            code=AskCode.ASK,
            message="",
            asked_by=titular.id,
            asked_at=database.clock.now() - 2 * DAY,
        )
        for offset in (-1, 1)
    ]
    with database.transaction() as session:
        session.add_all(asked)
    worker.tick()
    with database.session() as session:
        states = list(session.scalars(sa.select(Ask.state).order_by(Ask.id)))
        assert audit.verify(session).fault is None
    assert states == [AskState.LAPSED, AskState.OPEN]


def test_the_queue_of_sqlite_lies_beside_it(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/relais.db")
    with closing(jobs.make_huey(database).storage):
        assert (tmp_path / "relais-queue.db").exists()
    database.dispose()
