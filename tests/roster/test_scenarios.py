"""Scenarios of a proposal, on both databases: asking, computing, comparing, deleting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler import jobs
from scheduler.core import audit
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.errors import Conflict, Forbidden, InvalidInput, NotFound, RelaisError
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Actor, Role
from scheduler.core.settings import Settings
from scheduler.people.models import Practice, User
from scheduler.roster import proposals, scenario_queries, scenarios, work
from scheduler.roster.comparison import measure
from scheduler.roster.models import Proposal, ProposalLine, Scenario
from scheduler.roster.problem import build_problem, practice_key
from scheduler.roster.rules import Period, Preference, ProposalState
from scheduler.roster.scenario_queries import Comparison
from scheduler.roster.scenario_rules import (
    Change,
    Frame,
    FurtherRoom,
    NoWeeklyCap,
    OneMoreDoctor,
    changed,
)
from scheduler.roster.scenario_work import SCENARIOS
from tests.factories import House
from tests.support import at_once, audited, count_queries

MONDAY = dt.date(2026, 12, 7)
DAY = dt.timedelta(days=1)
END = MONDAY + 20 * DAY


@dataclass
class Cabinet:
    """Three weeks with Mondays and Tuesdays to fill; one doctor, one day a week at the most."""

    house: House
    practice: Practice
    titular: User
    doctor: User
    proposal_id: int = 0

    @property
    def database(self) -> Database:
        return self.house.database

    @property
    def actor(self) -> Actor:
        return self.house.actor(self.titular)

    def ask(self, change: Change, actor: Actor | None = None) -> int:
        actor = actor or self.actor
        with self.database.transaction() as session:
            return scenarios.request_scenario(session, actor, self.proposal_id, change).id

    def act(self, use_case: Callable[..., Any], scenario_id: int, user: User | None = None) -> Any:
        actor = self.house.actor(user or self.titular)
        with self.database.transaction() as session:
            return use_case(session, actor, scenario_id)

    def read(self, scenario_id: int) -> Scenario:
        with self.database.session() as session:
            return session.get_one(Scenario, scenario_id)

    def compare(self) -> Comparison:
        actor = self.actor
        with self.database.session() as session:
            return scenario_queries.comparison_of(session, actor, self.practice, self.proposal_id)

    def chain(self) -> list[str]:
        return audited(self.database)


@pytest.fixture
def worker(database: Database) -> Any:
    """A worker in this process, whose loops do not run by themselves."""
    url = database.url.render_as_string(hide_password=False)
    found = jobs.Worker(Settings(database_url=url, solver_seconds=5.0, solver_workers=1))
    # The same clock for all.
    found.database.clock = database.clock
    found.huey.storage.flush_queue()
    yield found
    found.huey.storage.flush_queue()
    found.close()


@pytest.fixture
def cabinet(house: House, worker: jobs.Worker) -> Cabinet:
    practice = house.practice("Salle 1", "Salle 2", weekly_minimum=2)
    titular = house.member(practice, Role.TITULAR)
    doctor = house.member(practice, Role.REPLACEMENT, doctor={"max_half_days_per_week": 2})
    days = [MONDAY + (7 * week + day) * DAY for week in range(3) for day in (0, 1)]
    for day in days:
        house.need(practice, day)
    house.available(doctor, *days, preference=Preference.POSSIBLE)
    found = Cabinet(house, practice, titular, doctor)
    actor = found.actor
    with house.database.transaction() as session:
        row = session.get_one(Practice, practice.id)
        found.proposal_id = proposals.request_proposal(session, actor, row, MONDAY, END).id
    return found


@pytest.fixture
def computed(cabinet: Cabinet, worker: jobs.Worker) -> Cabinet:
    worker.compute(cabinet.proposal_id)
    return cabinet


def test_the_worker_computes_what_was_asked(computed: Cabinet, worker: jobs.Worker) -> None:
    asked = [
        computed.ask(NoWeeklyCap()),
        computed.ask(OneMoreDoctor((1,), 0.5)),
        computed.ask(FurtherRoom(0, Period.AM)),
    ]
    assert [computed.read(scenario).state for scenario in asked] == [ProposalState.QUEUED] * 3
    assert computed.compare().at_work
    worker.tick()
    for task in worker.huey.pending():
        worker.huey.execute(task)
    found = computed.compare()
    assert not found.at_work
    assert (found.base.needs, found.base.filled, found.base.short_weeks) == (6, 3, 3)
    lifted, newcomer, room = (item.measures for item in found.scenarios)
    assert lifted is not None
    assert newcomer is not None
    assert room is not None
    assert (lifted.filled, lifted.short_weeks) == (6, 0)
    # Half a day a week is too little for a whole one.
    assert (newcomer.filled, newcomer.needs) == (3, 6)
    assert (room.filled, room.needs) == (3, 9)
    assert [day.isoformat() for day, _period in found.scenarios[0].gained] == [
        (MONDAY + (7 * week + offset) * DAY).isoformat()
        for week, offset in enumerate(missing_of(computed))
    ]
    assert found.scenarios[0].lost == ()
    # Other days may be filled than before, but no more of them.
    assert len(found.scenarios[2].gained) == len(found.scenarios[2].lost)
    # The one doctor who comes into the added room is not missed in the other.
    assert not {day for day, _ in found.scenarios[2].lost} & {day for day, _ in room.filled_on}
    assert found.capped == ((computed.doctor.id, computed.doctor.name),)


def missing_of(cabinet: Cabinet) -> list[int]:
    """For each week, which of its two days the proposal leaves without a doctor: 0 or 1."""
    with cabinet.database.session() as session:
        proposal = session.get_one(Proposal, cabinet.proposal_id)
    assert proposal.problem is not None
    assert proposal.solution is not None
    taken = {pair["need"] for pair in proposal.solution["assignments"]}
    days = [
        dt.date.fromisoformat(need["date"])
        for need in proposal.problem["needs"]
        if need["id"] not in taken
    ]
    return [(day - MONDAY).days % 7 for day in sorted(days)]


def test_what_is_compared_is_the_proposal_s_own_problem(
    computed: Cabinet, worker: jobs.Worker
) -> None:
    # Whatever happens meanwhile: two more doctors, and a day that is given.
    other = computed.house.member(computed.practice, Role.REPLACEMENT)
    computed.house.available(other, MONDAY, MONDAY + DAY)
    scenario_id = computed.ask(NoWeeklyCap(computed.doctor.id))
    worker.compute(scenario_id, SCENARIOS)
    scenario = computed.read(scenario_id)
    with computed.database.session() as session:
        proposal = session.get_one(Proposal, computed.proposal_id)
        lines = session.scalars(sa.select(sa.func.count()).select_from(ProposalLine)).one()
        later = build_problem(session, computed.practice, MONDAY, END)
    assert proposal.problem is not None
    assert scenario.solution is not None
    frame = Frame(practice_key(computed.practice.id), MONDAY, END)
    problem = changed(proposal.problem, NoWeeklyCap(computed.doctor.id), frame)
    assert measure(problem, scenario.solution, frame).filled == 6
    assert {pair["doctor"] for pair in scenario.solution["assignments"]} == {
        f"d{computed.doctor.id}"
    }
    # No line to accept came of it, and it is not the roster that people were last shown.
    assert lines == 3
    assert len(later["previous"]) == 3


def test_a_scenario_is_nobody_s_mail_and_everybody_s_audit(
    computed: Cabinet, worker: jobs.Worker
) -> None:
    with computed.database.session() as session:
        before = session.scalars(sa.select(sa.func.count()).select_from(OutboxMessage)).one()
    scenario_id = computed.ask(NoWeeklyCap())
    worker.compute(scenario_id, SCENARIOS)
    computed.act(scenarios.delete, scenario_id)
    with computed.database.session() as session:
        after = session.scalars(sa.select(sa.func.count()).select_from(OutboxMessage)).one()
        practices = session.scalars(
            sa.select(audit.AuditEvent.practice_id).where(audit.AuditEvent.subject == "scenario")
        ).all()
    assert before == after
    assert set(practices) == {computed.practice.id}
    assert computed.chain()[-2:] == ["scenario.requested", "scenario.deleted"]


def test_nothing_to_compare_with_yet(cabinet: Cabinet) -> None:
    with pytest.raises(Conflict) as refused:
        cabinet.ask(NoWeeklyCap())
    assert refused.value.code == "scenario_nothing_to_compare"
    with pytest.raises(NotFound):
        cabinet.compare()


def test_what_cannot_be_asked(computed: Cabinet) -> None:
    with pytest.raises(InvalidInput) as wrong:
        computed.ask(NoWeeklyCap(computed.titular.id))
    assert wrong.value.code == "scenario_no_limit"
    computed.ask(NoWeeklyCap())
    with pytest.raises(Conflict) as again:
        computed.ask(NoWeeklyCap())
    assert again.value.code == "scenario_there_already"
    for weekday in range(scenarios.MOST - 1):
        computed.ask(OneMoreDoctor((weekday,)))
    with pytest.raises(Conflict) as many:
        computed.ask(OneMoreDoctor((6,)))
    assert (many.value.code, many.value.facts) == ("scenario_too_many", {"most": scenarios.MOST})


def test_asked_for_twice_at_once_it_is_there_once(computed: Cabinet) -> None:
    errors = at_once(*[lambda: computed.ask(NoWeeklyCap())] * 4)
    assert sum(error is None for error in errors) == 1
    assert {error.code for error in errors if isinstance(error, RelaisError)} == {
        "scenario_there_already"
    }
    assert len(computed.compare().scenarios) == 1


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.TITULAR])
def test_only_titulars_ask_and_decide(computed: Cabinet, role: Role) -> None:
    scenario_id = computed.ask(NoWeeklyCap())
    other = computed.house.member(computed.practice, role)
    with pytest.raises(Forbidden):
        computed.ask(OneMoreDoctor((0,)), computed.house.actor(other))
    for use_case in (scenarios.cancel, scenarios.retry, scenarios.delete):
        with pytest.raises(Forbidden):
            computed.act(use_case, scenario_id, other)


def test_strangers_find_nothing(computed: Cabinet) -> None:
    scenario_id = computed.ask(NoWeeklyCap())
    stranger = computed.house.member(computed.house.practice(), Role.TITULAR)
    actor = computed.house.actor(stranger)
    with pytest.raises(NotFound):
        computed.ask(OneMoreDoctor((0,)), actor)
    for number in (scenario_id, 999):
        with pytest.raises(NotFound):
            computed.act(scenarios.delete, number, stranger)
    with computed.database.session() as session, pytest.raises(Forbidden):
        scenario_queries.comparison_of(session, actor, computed.practice, computed.proposal_id)


def test_stopped_and_tried_again(computed: Cabinet, worker: jobs.Worker) -> None:
    scenario_id = computed.ask(NoWeeklyCap())
    with pytest.raises(Conflict):
        computed.act(scenarios.retry, scenario_id)
    computed.act(scenarios.cancel, scenario_id)
    assert computed.read(scenario_id).state is ProposalState.CANCELLED
    worker.compute(scenario_id, SCENARIOS)
    assert computed.read(scenario_id).state is ProposalState.CANCELLED
    computed.act(scenarios.cancel, scenario_id)
    computed.act(scenarios.retry, scenario_id)
    worker.compute(scenario_id, SCENARIOS)
    assert computed.read(scenario_id).state is ProposalState.READY
    assert computed.chain()[-3:] == [
        "scenario.requested",
        "scenario.cancelled",
        "scenario.retried",
    ]


def test_stopped_while_it_is_computed(computed: Cabinet) -> None:
    scenario_id = computed.ask(NoWeeklyCap())
    with computed.database.transaction() as session:
        ticket = work.take(session, SCENARIOS, scenario_id)
    assert ticket is not None
    computed.act(scenarios.cancel, scenario_id)
    with computed.database.transaction() as session:
        assert work.report(session, ticket, {}) == work.Orders(current=True, cancel=True)
        assert SCENARIOS.finish(session, ticket, {}, {"status": "optimal"})
    found = computed.read(scenario_id)
    assert (found.state, found.solution) == (ProposalState.CANCELLED, None)


def test_deleted_while_it_is_computed(computed: Cabinet) -> None:
    scenario_id = computed.ask(NoWeeklyCap())
    with computed.database.transaction() as session:
        ticket = work.take(session, SCENARIOS, scenario_id)
    assert ticket is not None
    computed.act(scenarios.delete, scenario_id)
    with computed.database.transaction() as session:
        assert not work.report(session, ticket, {}).current
        assert SCENARIOS.finish(session, ticket, {}, {"status": "optimal"}) is False
    assert computed.compare().scenarios == ()


def test_a_dead_worker_s_scenario_is_taken_up_again_and_failed_in_the_end(
    computed: Cabinet, clock: FixedClock
) -> None:
    scenario_id = computed.ask(NoWeeklyCap())
    for _ in range(work.MOST_ATTEMPTS):
        with computed.database.transaction() as session:
            assert work.take(session, SCENARIOS, scenario_id) is not None
        clock.advance(work.LEASE)
        with computed.database.transaction() as session:
            queued = work.recover(session, SCENARIOS)
    assert queued == []
    found = computed.read(scenario_id)
    assert (found.state, found.failure) == (ProposalState.FAILED, work.INTERRUPTED)
    assert computed.chain()[-1] == "scenario.failed"


def test_a_scenario_waits_behind_a_proposal(cabinet: Cabinet, worker: jobs.Worker) -> None:
    with cabinet.database.transaction() as session:
        session.add(
            Scenario(
                proposal_id=cabinet.proposal_id,
                change=NoWeeklyCap().to_json(),
                requested_by=cabinet.titular.id,
                requested_at=session.now() - DAY,
            )
        )
    jobs.enqueue_scenario(cabinet.database, 1)
    worker.tick()
    worker.tick()
    waiting = [(task.name, task.args) for task in worker.huey.pending()]
    assert waiting == [
        ("compute_proposal", [cabinet.proposal_id]),
        ("compute_scenario", [1]),
    ]


def test_reads_do_not_grow_with_scenarios(computed: Cabinet, worker: jobs.Worker) -> None:
    def reads() -> int:
        with count_queries(computed.database) as statements:
            computed.compare()
        return len(statements)

    worker.compute(computed.ask(NoWeeklyCap()), SCENARIOS)
    few = reads()
    for weekday in range(3):
        worker.compute(computed.ask(OneMoreDoctor((weekday,))), SCENARIOS)
    assert reads() == few
