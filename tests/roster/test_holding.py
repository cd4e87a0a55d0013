"""Held days: who is held, and how they end, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from scheduler.core.clock import FixedClock
from scheduler.core.errors import Conflict, Forbidden, InvalidInput
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.people.models import ClaimPolicy, HoldOutcome, Member, Practice, User
from scheduler.roster import assignments, claiming, holding
from scheduler.roster.models import Assignment
from scheduler.roster.rules import AssignmentSource, AssignmentState, Period, ReleaseKind
from tests.factories import House
from tests.support import at_once, audited

THURSDAY = dt.date(2026, 11, 26)


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", "Salle 2", claim_policy=ClaimPolicy.HELD, hold_hours=24)


@pytest.fixture
def titular(house: House, practice: Practice) -> User:
    return house.member(practice, Role.TITULAR)


@pytest.fixture
def doctor(house: House, practice: Practice) -> User:
    return house.member(practice, Role.REPLACEMENT)


def claim(
    house: House, practice: Practice, user: User, day: dt.date = THURSDAY, **options: int
) -> Assignment:
    need = house.need(practice, day)
    with house.database.transaction() as session:
        return claiming.claim(session, house.actor(user), need.id, **options)


def stands(house: House, assignment: Assignment) -> Assignment:
    with house.database.session() as session:
        return session.get_one(Assignment, assignment.id)


def told(house: House) -> list[tuple[str, int]]:
    with house.database.session() as session:
        rows = session.execute(
            sa.select(OutboxMessage.kind, OutboxMessage.recipient_id).order_by(OutboxMessage.id)
        )
        return [tuple(row) for row in rows]


def expire(house: House) -> int:
    with house.database.transaction() as session:
        return holding.expire_held(session)


def test_a_claim_is_held_and_the_titulars_are_told(
    house: House, practice: Practice, titular: User, doctor: User, clock: FixedClock
) -> None:
    taken = claim(house, practice, doctor)
    assert taken.state is AssignmentState.HELD
    assert taken.held_until == clock.now() + dt.timedelta(hours=24)
    assert told(house) == [("assignment.held", titular.id)]
    with house.database.session() as session:
        waiting = holding.waiting_for(session, practice.id)
        assert [(one.id, one.doctor.id, one.need.room.name) for one in waiting] == [
            (taken.id, doctor.id, "Salle 1")
        ]


def test_nobody_is_held_beyond_the_opening_of_the_day(
    house: House, practice: Practice, titular: User, doctor: User, clock: FixedClock
) -> None:
    tomorrow = claim(house, practice, doctor, house.today + dt.timedelta(days=1))
    # Half past eight in Paris, in winter.
    assert tomorrow.held_until == dt.datetime(2026, 11, 24, 7, 30, tzinfo=dt.UTC)
    # It is ten in the morning: whoever comes today is there at once, for the afternoon not yet.
    assert claim(house, practice, doctor, house.today).state is AssignmentState.CONFIRMED
    colleague = house.member(practice, Role.REPLACEMENT)
    afternoon = house.need(practice, house.today, Period.PM, room=1)
    with house.database.transaction() as session:
        later = claiming.claim(session, house.actor(colleague), afternoon.id)
    assert later.held_until == dt.datetime(2026, 11, 23, 13, 0, tzinfo=dt.UTC)


def test_titulars_and_those_they_give_days_to_are_not_held(
    house: House, practice: Practice, titular: User, doctor: User
) -> None:
    assert claim(house, practice, titular).state is AssignmentState.CONFIRMED
    friday = THURSDAY + dt.timedelta(days=1)
    given = claim(house, practice, titular, friday, doctor_id=doctor.id)
    assert given.state is AssignmentState.CONFIRMED
    secretary = house.member(practice, Role.SECRETARY)
    saturday = THURSDAY + dt.timedelta(days=2)
    passed_on = claim(house, practice, secretary, saturday, doctor_id=doctor.id)
    assert passed_on.state is AssignmentState.HELD
    need = house.need(practice, THURSDAY + dt.timedelta(days=4))
    actor = house.actor(titular)
    with house.database.transaction() as session:
        assignments.hold(session, practice.id, [doctor.id])
        proposed = assignments.place(session, actor, need, doctor, source=AssignmentSource.PROPOSAL)
    assert proposed.state is AssignmentState.CONFIRMED


def test_a_practice_trusts_some_doctors(house: House) -> None:
    practice = house.practice(claim_policy=ClaimPolicy.TRUSTED)
    known, new = (house.member(practice, Role.REPLACEMENT) for _ in range(2))
    with house.database.transaction() as session:
        session.execute(sa.update(Member).where(Member.user_id == known.id).values(trusted=True))
    assert claim(house, practice, known).state is AssignmentState.CONFIRMED
    friday = THURSDAY + dt.timedelta(days=1)
    assert claim(house, practice, new, friday).state is AssignmentState.HELD


def test_a_titular_confirms(house: House, practice: Practice, titular: User, doctor: User) -> None:
    taken = claim(house, practice, doctor)
    for _ in range(2):
        with house.database.transaction() as session:
            holding.confirm(session, house.actor(titular), taken.id)
    stood = stands(house, taken)
    assert (stood.state, stood.held_until) == (AssignmentState.CONFIRMED, None)
    assert told(house)[1:] == [("assignment.confirmed", doctor.id)]
    assert audited(house.database) == ["assignment.claimed", "assignment.confirmed"]


def test_a_titular_refuses_and_says_why(
    house: House, practice: Practice, titular: User, doctor: User
) -> None:
    taken = claim(house, practice, doctor)
    with house.database.transaction() as session:
        with pytest.raises(InvalidInput, match="reason_required"):
            holding.refuse(session, house.actor(titular), taken.id, "  ")
        holding.refuse(session, house.actor(titular), taken.id, "The room is being painted")
    stood = stands(house, taken)
    assert (stood.state, stood.release_kind) == (AssignmentState.RELEASED, ReleaseKind.REFUSED)
    assert told(house)[1:] == [("assignment.refused", doctor.id)]
    with house.database.transaction() as session:
        holding.refuse(session, house.actor(titular), taken.id, "The room is being painted")
    with house.database.session() as session, pytest.raises(Conflict, match="refused_already"):
        holding.refuse(session, house.actor(titular), taken.id, "Somebody else comes")
    assert stands(house, taken).release_reason == "The room is being painted"
    assert len(told(house)) == 2
    with house.database.session() as session, pytest.raises(Conflict, match="not_held"):
        holding.confirm(session, house.actor(titular), taken.id)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.TITULAR])
def test_only_titulars_decide(
    house: House, practice: Practice, titular: User, doctor: User, role: Role
) -> None:
    taken = claim(house, practice, doctor)
    reader = house.member(practice, role)
    with house.database.session() as session, pytest.raises(Forbidden):
        holding.confirm(session, house.actor(reader), taken.id)


@pytest.mark.parametrize(
    ("outcome", "state", "kind"),
    [
        (HoldOutcome.CONFIRM, AssignmentState.CONFIRMED, "assignment.confirmed"),
        (HoldOutcome.FREE, AssignmentState.RELEASED, "assignment.freed"),
    ],
)
def test_after_its_hours_the_practice_s_choice_decides(
    house: House, clock: FixedClock, outcome: HoldOutcome, state: AssignmentState, kind: str
) -> None:
    practices = [
        house.practice(claim_policy=ClaimPolicy.HELD, hold_hours=24, hold_outcome=outcome)
        for _ in range(2)
    ]
    doctors = [house.member(practice, Role.REPLACEMENT) for practice in practices]
    taken = [
        claim(house, practice, doctor) for practice, doctor in zip(practices, doctors, strict=True)
    ]
    clock.advance(dt.timedelta(hours=24) - dt.timedelta(seconds=1))
    assert expire(house) == 0
    clock.advance(dt.timedelta(seconds=1))
    assert [expire(house) for _ in range(3)] == [1, 1, 0]
    assert [stands(house, one).state for one in taken] == [state, state]
    assert [message for message in told(house) if message[0] == kind] == [
        (kind, doctor.id) for doctor in doctors
    ]
    assert len(audited(house.database)) == 4


def test_a_titular_and_the_clock_decide_at_once(
    house: House, practice: Practice, titular: User, doctor: User, clock: FixedClock
) -> None:
    with house.database.transaction() as session:
        session.get_one(Practice, practice.id).hold_outcome = HoldOutcome.FREE
    taken = claim(house, practice, doctor)
    clock.advance(dt.timedelta(hours=24))
    actor = house.actor(titular)

    def confirm() -> None:
        with house.database.transaction() as session:
            holding.confirm(session, actor, taken.id)

    raised = at_once(confirm, lambda: expire(house))
    stood = stands(house, taken)
    if stood.state is AssignmentState.CONFIRMED:
        assert raised == [None, None]
    else:
        assert stood.release_kind is ReleaseKind.EXPIRED
        assert isinstance(raised[0], Conflict)
    assert len(audited(house.database)) == 2
