"""A proposal from the request to the decision, on both databases, and the races around it."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.errors import Conflict, Forbidden, InvalidInput, NotFound, RelaisError
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Actor, Role
from scheduler.people.models import Practice, User
from scheduler.roster import claiming, proposal_work, proposals, work
from scheduler.roster.models import Assignment, Need, Proposal, ProposalLine
from scheduler.roster.problem import build_problem
from scheduler.roster.proposals import Acceptance
from scheduler.roster.rules import (
    AssignmentSource,
    AssignmentState,
    LineState,
    Period,
    Preference,
    ProposalState,
)
from scheduler.roster.work import LEASE, Orders, Ticket
from tests.factories import House
from tests.support import at_once, audited

MONDAY = dt.date(2026, 12, 7)
SUNDAY = dt.date(2026, 12, 13)
DAY = dt.timedelta(days=1)


@dataclass
class Cabinet:
    """A practice with two doctors who can come, three days to fill, and who may decide."""

    house: House
    practice: Practice
    titular: User
    doctors: list[User]
    needs: list[Need]

    @property
    def database(self) -> Database:
        return self.house.database

    @property
    def actor(self) -> Actor:
        return self.house.actor(self.titular)

    def request(self, start: dt.date = MONDAY, end: dt.date = SUNDAY) -> int:
        actor = self.actor
        with self.database.transaction() as session:
            practice = session.get_one(Practice, self.practice.id)
            return proposals.request_proposal(session, actor, practice, start, end).id

    def take(self, proposal_id: int) -> Ticket:
        with self.database.transaction() as session:
            ticket = proposal_work.take(session, proposal_id)
        assert ticket is not None
        return ticket

    def finish(self, ticket: Ticket) -> bool:
        with self.database.session() as session:
            practice = session.get_one(Practice, self.practice.id)
            problem = build_problem(session, practice, MONDAY, SUNDAY)
        solution = proposal_work.compute(
            problem, seconds=10, workers=1, progress=lambda _: None, should_stop=lambda: False
        )
        with self.database.transaction() as session:
            return proposal_work.finish(session, ticket, problem, solution)

    def ready(self) -> int:
        proposal_id = self.request()
        assert self.finish(self.take(proposal_id))
        return proposal_id

    def decide(self, use_case: Any, proposal_id: int, *arguments: Any) -> Any:
        actor = self.actor
        with self.database.transaction() as session:
            return use_case(session, actor, proposal_id, *arguments)

    def read(self, proposal_id: int) -> Proposal:
        with self.database.session() as session:
            return session.get_one(Proposal, proposal_id)

    def lines(self, proposal_id: int) -> list[ProposalLine]:
        with self.database.session() as session:
            statement = sa.select(ProposalLine).where(ProposalLine.proposal_id == proposal_id)
            return list(session.scalars(statement.order_by(ProposalLine.need_id)))

    def assigned(self) -> dict[int, int]:
        """Doctor by need; fails when a need has two."""
        with self.database.session() as session:
            rows = session.execute(
                sa.select(Assignment.need_id, Assignment.doctor_id).where(
                    Assignment.state != AssignmentState.RELEASED
                )
            ).all()
        found = dict(map(tuple, rows))
        assert len(found) == len(rows)
        return found

    def messages(self, kind: str) -> list[OutboxMessage]:
        with self.database.session() as session:
            statement = sa.select(OutboxMessage).where(OutboxMessage.kind == kind)
            return list(session.scalars(statement.order_by(OutboxMessage.recipient_id)))

    def chain(self) -> list[str]:
        return audited(self.database)


@pytest.fixture
def cabinet(house: House) -> Cabinet:
    practice = house.practice("Salle 1", "Salle 2", weekly_minimum=2)
    doctors = [house.member(practice, Role.REPLACEMENT) for _ in range(2)]
    needs = [house.need(practice, MONDAY + number * DAY) for number in range(3)]
    house.available(doctors[0], MONDAY, MONDAY + DAY)
    house.available(doctors[1], MONDAY + DAY)
    return Cabinet(house, practice, house.member(practice, Role.TITULAR), doctors, needs)


def test_a_request_queues_and_is_audited(cabinet: Cabinet) -> None:
    proposal = cabinet.read(cabinet.request())
    assert (proposal.state, proposal.attempt) == (ProposalState.QUEUED, 0)
    assert (proposal.start, proposal.end) == (MONDAY, SUNDAY)
    assert cabinet.chain() == ["proposal.requested"]


def test_a_request_begins_tomorrow_at_the_earliest(cabinet: Cabinet) -> None:
    proposal = cabinet.read(cabinet.request(dt.date(2026, 11, 1)))
    assert proposal.start == cabinet.house.today + DAY


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (SUNDAY, MONDAY, "proposal_backwards"),
        (dt.date(2026, 11, 1), dt.date(2026, 11, 23), "proposal_past"),
        (MONDAY, dt.date(2027, 6, 7), "proposal_too_long"),
        (MONDAY + 3 * DAY, SUNDAY, "proposal_nothing_to_fill"),
        (dt.date(1, 1, 1), dt.date(1, 1, 1), "proposal_past"),
        (dt.date(1, 1, 1), dt.date.max, "proposal_too_long"),
        # Days from 23 November 2028 on may be published for a year, and none after them.
        (dt.date(2029, 11, 22), dt.date(2029, 11, 22), "proposal_nothing_to_fill"),
        (dt.date(2029, 11, 23), dt.date(2029, 11, 23), "proposal_too_far"),
        (dt.date.max, dt.date.max, "proposal_too_far"),
    ],
)
def test_a_period_that_cannot_be_meant(
    cabinet: Cabinet, start: dt.date, end: dt.date, code: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        cabinet.request(start, end)
    assert caught.value.code == code


def test_six_months_are_not_too_long(cabinet: Cabinet) -> None:
    assert cabinet.request(MONDAY, dt.date(2027, 6, 6))


def test_one_at_work_per_practice(cabinet: Cabinet) -> None:
    first = cabinet.request()
    with pytest.raises(Conflict) as caught:
        cabinet.request()
    assert (caught.value.code, caught.value.facts) == ("proposal_at_work", {"proposal_id": first})
    cabinet.finish(cabinet.take(first))
    assert cabinet.request() != first


def test_requests_at_once_make_one(cabinet: Cabinet) -> None:
    outcomes = at_once(*[cabinet.request] * 10)
    assert outcomes.count(None) == 1
    assert all(isinstance(outcome, Conflict) for outcome in outcomes if outcome)


def test_only_a_titular_asks_and_decides(cabinet: Cabinet) -> None:
    ready = cabinet.ready()
    secretary = cabinet.house.actor(cabinet.house.member(cabinet.practice, Role.SECRETARY))
    stranger = cabinet.house.actor(cabinet.house.member(cabinet.house.practice(), Role.TITULAR))
    for use_case in (proposals.accept, proposals.cancel, proposals.discard, proposals.retry):
        with cabinet.database.session() as session:
            with pytest.raises(Forbidden):
                use_case(session, secretary, ready)
            with pytest.raises(NotFound):
                use_case(session, stranger, ready)
    with cabinet.database.session() as session, pytest.raises(Forbidden):
        practice = session.get_one(Practice, cabinet.practice.id)
        proposals.request_proposal(session, secretary, practice, MONDAY, SUNDAY)


def test_one_worker_takes_it(cabinet: Cabinet) -> None:
    proposal_id = cabinet.request()
    tickets: list[Ticket | None] = []

    def take() -> None:
        with cabinet.database.transaction() as session:
            tickets.append(proposal_work.take(session, proposal_id))

    assert at_once(*[take] * 8) == [None] * 8
    assert [ticket for ticket in tickets if ticket] == [
        Ticket(proposal_id, 1, 1, proposal_work.PROPOSALS)
    ]


def test_reports_tell_and_ask(cabinet: Cabinet, clock: FixedClock) -> None:
    ticket = cabinet.take(cabinet.request())
    clock.advance(dt.timedelta(seconds=3))

    def report() -> Orders:
        with cabinet.database.transaction() as session:
            return work.report(session, ticket, {"fraction": 0.5})

    assert report() == Orders(current=True, cancel=False)
    proposal = cabinet.read(ticket.row_id)
    assert proposal.progress == {"fraction": 0.5}
    assert proposal.heartbeat_at == clock.now()
    cabinet.decide(proposals.cancel, ticket.row_id)
    assert report() == Orders(current=True, cancel=True)
    assert cabinet.finish(ticket)
    assert cabinet.read(ticket.row_id).state is ProposalState.CANCELLED
    assert report().current is False
    assert cabinet.lines(ticket.row_id) == []


def test_what_is_computed_is_stored_for_review(cabinet: Cabinet) -> None:
    ready = cabinet.ready()
    proposal = cabinet.read(ready)
    assert proposal.state is ProposalState.READY
    assert proposal.solution is not None
    assert proposal.solution["status"] == "optimal"
    assert [(line.need_id, line.doctor_id) for line in cabinet.lines(ready)] == [
        (cabinet.needs[0].id, cabinet.doctors[0].id),
        (cabinet.needs[1].id, cabinet.doctors[1].id),
    ]
    assert [message.recipient_id for message in cabinet.messages("proposal.ready")] == [
        cabinet.titular.id
    ]
    assert cabinet.assigned() == {}


def test_a_silent_worker_is_succeeded(cabinet: Cabinet, clock: FixedClock) -> None:
    proposal_id = cabinet.request()
    for attempt in (1, 2, 3):
        ticket = cabinet.take(proposal_id)
        assert ticket.attempt == attempt
        clock.advance(LEASE - dt.timedelta(seconds=1))
        assert recovered(cabinet) == []
        assert cabinet.read(proposal_id).state is ProposalState.RUNNING
        clock.advance(dt.timedelta(seconds=1))
        assert recovered(cabinet) == ([proposal_id] if attempt < 3 else [])
        assert cabinet.finish(ticket) is False
    proposal = cabinet.read(proposal_id)
    assert (proposal.state, proposal.failure) == (ProposalState.FAILED, "interrupted")
    assert len(cabinet.messages("proposal.failed")) == 1
    cabinet.decide(proposals.retry, proposal_id)
    assert cabinet.take(proposal_id).attempt == 1


def recovered(cabinet: Cabinet) -> list[int]:
    with cabinet.database.transaction() as session:
        return proposal_work.recover(session)


def test_the_dead_do_not_disturb_their_successor(cabinet: Cabinet, clock: FixedClock) -> None:
    first = cabinet.take(cabinet.request())
    clock.advance(LEASE)
    recovered(cabinet)
    second = cabinet.take(first.row_id)
    with cabinet.database.transaction() as session:
        assert work.report(session, first, {"fraction": 1}).current is False
        assert work.fail(session, first, "unexpected") is False
        assert work.give_back(session, first) is False
    assert cabinet.finish(first) is False
    assert cabinet.read(first.row_id).progress == {}
    assert cabinet.finish(second) is True


def test_no_ticket_is_issued_twice(cabinet: Cabinet, clock: FixedClock) -> None:
    first = cabinet.take(cabinet.request())
    cabinet.decide(proposals.cancel, first.row_id)
    clock.advance(LEASE)
    recovered(cabinet)
    cabinet.decide(proposals.retry, first.row_id)
    second = cabinet.take(first.row_id)
    assert (first.attempt, second.attempt) == (1, 1)
    with cabinet.database.transaction() as session:
        assert work.report(session, first, {"fraction": 1}).current is False
        assert work.fail(session, first, "unexpected") is False
        assert work.give_back(session, first) is False
    assert cabinet.finish(first) is False
    with cabinet.database.transaction() as session:
        assert work.give_back(session, second)
    third = cabinet.take(first.row_id)
    with cabinet.database.transaction() as session:
        assert work.report(session, second, {}).current is False
    assert cabinet.finish(third) is True


def test_giving_back_costs_no_attempt(cabinet: Cabinet) -> None:
    proposal_id = cabinet.request()
    for _ in range(5):
        ticket = cabinet.take(proposal_id)
        with cabinet.database.transaction() as session:
            assert work.give_back(session, ticket)
    assert cabinet.read(proposal_id).attempt == 0
    assert recovered(cabinet) == [proposal_id]


def test_cancelling(cabinet: Cabinet, clock: FixedClock) -> None:
    queued = cabinet.request()
    cabinet.decide(proposals.cancel, queued)
    assert cabinet.read(queued).state is ProposalState.CANCELLED
    # One whose worker died before it heard of it.
    running = cabinet.request()
    cabinet.take(running)
    cabinet.decide(proposals.cancel, running)
    cabinet.decide(proposals.cancel, running)
    clock.advance(LEASE)
    recovered(cabinet)
    assert cabinet.read(running).state is ProposalState.CANCELLED
    assert cabinet.chain().count("proposal.cancelled") == 2
    cabinet.decide(proposals.retry, running)
    assert cabinet.read(running).cancel_requested is False


def test_a_failure_can_be_tried_again_once_at_a_time(cabinet: Cabinet, clock: FixedClock) -> None:
    ticket = cabinet.take(cabinet.request())
    with cabinet.database.transaction() as session:
        assert work.fail(session, ticket, "unexpected")
    other = cabinet.request()
    with pytest.raises(Conflict):
        cabinet.decide(proposals.retry, ticket.row_id)
    cabinet.decide(proposals.cancel, other)
    cabinet.decide(proposals.retry, ticket.row_id)
    with pytest.raises(Conflict):
        cabinet.decide(proposals.retry, ticket.row_id)
    cabinet.decide(proposals.cancel, ticket.row_id)
    clock.move_to(dt.datetime(2026, 12, 13, 12, tzinfo=dt.UTC))
    with pytest.raises(InvalidInput):
        cabinet.decide(proposals.retry, ticket.row_id)


def test_accepting_the_whole(cabinet: Cabinet) -> None:
    ready = cabinet.ready()
    report = cabinet.decide(proposals.accept, ready)
    assert (len(report.accepted), report.refused) == (2, {})
    assert cabinet.assigned() == {
        cabinet.needs[0].id: cabinet.doctors[0].id,
        cabinet.needs[1].id: cabinet.doctors[1].id,
    }
    proposal = cabinet.read(ready)
    assert (proposal.state, proposal.decided_by) == (ProposalState.CLOSED, cabinet.titular.id)
    assert {line.state for line in cabinet.lines(ready)} == {LineState.ACCEPTED}
    with cabinet.database.session() as session:
        sources = set(session.scalars(sa.select(Assignment.source)))
    assert sources == {AssignmentSource.PROPOSAL}
    assert cabinet.chain()[-3:] == [
        "assignment.accepted",
        "assignment.accepted",
        "proposal.accepted",
    ]


def test_each_doctor_is_told_once_per_acceptance(cabinet: Cabinet) -> None:
    cabinet.house.available(cabinet.doctors[0], MONDAY + 2 * DAY)
    ready = cabinet.ready()
    cabinet.decide(proposals.accept, ready)
    told = cabinet.messages("proposal.accepted")
    assert [message.recipient_id for message in told] == [user.id for user in cabinet.doctors]
    assert [len(message.facts["assignment_ids"]) for message in told] == [2, 1]


def test_accepting_day_by_day(cabinet: Cabinet) -> None:
    ready = cabinet.ready()
    first, second = cabinet.lines(ready)
    report = cabinet.decide(proposals.accept, ready, [second.id])
    assert report.accepted == (second.id,)
    assert cabinet.read(ready).state is ProposalState.READY
    with pytest.raises(Conflict) as caught:
        cabinet.decide(proposals.accept, ready, [second.id])
    assert caught.value.code == "proposal_days_decided"
    with pytest.raises(InvalidInput):
        cabinet.decide(proposals.accept, ready, [])
    assert cabinet.decide(proposals.accept, ready, [first.id, second.id]).accepted == (first.id,)
    assert cabinet.read(ready).state is ProposalState.CLOSED
    with pytest.raises(Conflict) as caught:
        cabinet.decide(proposals.accept, ready)
    assert caught.value.code == "proposal_decided"
    assert caught.value.facts == {"who": cabinet.titular.name}


def test_discarding_declines_the_rest(cabinet: Cabinet) -> None:
    ready = cabinet.ready()
    first, second = cabinet.lines(ready)
    cabinet.decide(proposals.accept, ready, [first.id])
    cabinet.decide(proposals.discard, ready)
    assert [line.state for line in cabinet.lines(ready)] == [
        LineState.ACCEPTED,
        LineState.DECLINED,
    ]
    with pytest.raises(Conflict):
        cabinet.decide(proposals.discard, ready)
    assert second.need_id not in cabinet.assigned()


def test_a_need_claimed_meanwhile_is_reported(cabinet: Cabinet) -> None:
    ready = cabinet.ready()
    other = cabinet.house.member(cabinet.practice, Role.REPLACEMENT)
    cabinet.house.assignment(cabinet.needs[0], other)
    report: Acceptance = cabinet.decide(proposals.accept, ready)
    first, second = cabinet.lines(ready)
    assert report.accepted == (second.id,)
    assert [(line_id, error.code) for line_id, error in report.refused.items()] == [
        (first.id, "need_taken")
    ]
    assert (first.state, first.refusal) == (LineState.REFUSED, "need_taken")
    assert first.refusal_facts == {"who": other.name, "date": "2026-12-07"}
    assert cabinet.assigned()[cabinet.needs[0].id] == other.id


def test_every_rule_is_asked_again(cabinet: Cabinet) -> None:
    ready = cabinet.ready()
    with cabinet.database.transaction() as session:
        doctor = session.get_one(
            User, cabinet.doctors[0].id, options=[sa.orm.joinedload(User.doctor)]
        )
        assert doctor.doctor is not None
        doctor.doctor.qualified = False
        doctor.doctor.licence_until = dt.date(2026, 11, 15)
    report = cabinet.decide(proposals.accept, ready)
    assert [error.code for error in report.refused.values()] == ["licence_ended"]
    assert list(cabinet.assigned()) == [cabinet.needs[1].id]


def test_a_day_the_doctor_claimed_meanwhile_is_no_news(cabinet: Cabinet) -> None:
    ready = cabinet.ready()
    cabinet.house.assignment(cabinet.needs[0], cabinet.doctors[0])
    report = cabinet.decide(proposals.accept, ready)
    assert len(report.accepted) == 2
    assert [m.recipient_id for m in cabinet.messages("proposal.accepted")] == [
        cabinet.doctors[1].id
    ]


def test_nothing_stays_of_an_acceptance_that_fails(cabinet: Cabinet) -> None:
    ready = cabinet.ready()
    actor = cabinet.actor
    with pytest.raises(RuntimeError), cabinet.database.transaction() as session:
        proposals.accept(session, actor, ready)
        raise RuntimeError
    assert cabinet.assigned() == {}
    assert cabinet.messages("proposal.accepted") == []
    assert cabinet.read(ready).state is ProposalState.READY


@pytest.mark.parametrize("seed", range(4))
def test_what_is_proposed_can_be_accepted(house: House, seed: int) -> None:
    """The engine's rules and those of the service agree, whatever stands already."""
    chance = random.Random(seed)
    practice = house.practice("1", "2", weekly_minimum=chance.randint(0, 5))
    other = house.practice()
    titular = house.member(practice, Role.TITULAR)
    days = [MONDAY + number * DAY for number in range(-10, 14)]
    needs = [
        house.need(practice, day, chance.choice(list(Period)), room=room)
        for day in days
        for room in range(2)
    ]
    elsewhere = [house.need(other, day) for day in days]
    for number in range(6):
        doctor = house.member(
            practice,
            chance.choice([Role.REPLACEMENT, Role.ASSISTANT, Role.TITULAR]),
            since=chance.choice([dt.date(2020, 1, 1), MONDAY + DAY]),
            until=chance.choice([None, None, SUNDAY - DAY]),
            doctor={
                "qualified": chance.random() < 0.7,
                "licence_until": chance.choice([None, MONDAY, SUNDAY]),
                "max_half_days_per_week": chance.choice([None, 3, 5]),
                "max_half_days_per_month": chance.choice([None, 7]),
                "max_consecutive_days": chance.choice([None, 1, 2, 9]),
            },
        )
        for day in days:
            if chance.random() < 0.6:
                house.available(
                    doctor,
                    day,
                    period=chance.choice(list(Period)),
                    preference=chance.choice(list(Preference)),
                )
        house.assignment(needs.pop(chance.randrange(len(needs))), doctor)
        if number < 3:
            taken = {row.date for row in active(house) if row.doctor_id == doctor.id}
            free = [need for need in elsewhere if need.date not in taken]
            house.assignment(elsewhere.pop(elsewhere.index(chance.choice(free))), doctor)
    cabinet = Cabinet(house, practice, titular, [], [])
    ready = cabinet.ready()
    report = cabinet.decide(proposals.accept, ready)
    assert report.accepted
    assert report.refused == {}


def active(house: House) -> list[Assignment]:
    with house.database.session() as session:
        return list(session.scalars(sa.select(Assignment)))


def test_fifty_accept_and_claim_at_once(cabinet: Cabinet) -> None:
    ready = cabinet.ready()
    claimants = [cabinet.house.member(cabinet.practice, Role.REPLACEMENT) for _ in range(25)]
    actor = cabinet.actor
    reports: list[Acceptance] = []

    def accept() -> None:
        with cabinet.database.transaction() as session:
            report = proposals.accept(session, actor, ready)
        reports.append(report)

    def claim_as(who: Actor) -> None:
        with cabinet.database.transaction() as session:
            claiming.claim(session, who, cabinet.needs[0].id)

    actors = [cabinet.house.actor(user) for user in claimants]
    acts = [accept] * 25 + [lambda who=who: claim_as(who) for who in actors]
    outcomes = at_once(*acts)
    assert all(outcome is None or isinstance(outcome, Conflict) for outcome in outcomes)
    assert len(reports) == 1
    assigned = cabinet.assigned()
    assert set(assigned) == {need.id for need in cabinet.needs[:2]}
    first, second = cabinet.lines(ready)
    by_claim = outcomes[25:].count(None)
    assert by_claim == (1 if first.state is LineState.REFUSED else 0)
    assert (assigned[first.need_id] == first.doctor_id) is (first.state is LineState.ACCEPTED)
    assert second.state is LineState.ACCEPTED
    assert cabinet.chain().count("proposal.accepted") == 1


def test_fifty_accept_day_by_day_at_once(cabinet: Cabinet) -> None:
    ready = cabinet.ready()
    actor = cabinet.actor
    lines = cabinet.lines(ready)

    def accept(line: ProposalLine) -> None:
        with cabinet.database.transaction() as session:
            proposals.accept(session, actor, ready, [line.id])

    outcomes = at_once(*(lambda line=line: accept(line) for line in lines * 25))
    assert outcomes.count(None) == 2
    assert all(isinstance(outcome, RelaisError) for outcome in outcomes if outcome)
    assert len(cabinet.assigned()) == 2
    assert cabinet.chain().count("assignment.accepted") == 2
