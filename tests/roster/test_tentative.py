"""Days held for a doctor who may come, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from scheduler.core.clock import FixedClock
from scheduler.core.errors import Conflict, RuleBroken
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.people.models import ClaimPolicy, Practice, User
from scheduler.roster import (
    claiming,
    decision_queries,
    history,
    holding,
    queries,
    releasing,
    swaps,
    week_queries,
)
from scheduler.roster.history import EventKind
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentSource, AssignmentState, ReleaseKind
from tests.factories import House
from tests.support import audited

THURSDAY = dt.date(2026, 11, 26)


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice(hold_hours=24)


@pytest.fixture
def titular(house: House, practice: Practice) -> User:
    return house.member(practice, Role.TITULAR)


@pytest.fixture
def doctor(house: House, practice: Practice) -> User:
    return house.member(practice, Role.REPLACEMENT)


@pytest.fixture
def need(house: House, practice: Practice) -> Need:
    return house.need(practice, THURSDAY)


def hold(house: House, user: User, need: Need) -> Assignment:
    with house.database.transaction() as session:
        return holding.hold_tentatively(
            session, house.actor(user), need.id, source=AssignmentSource.INVITATION
        )


def claim(house: House, user: User, need: Need, key: str | None = None) -> Assignment:
    with house.database.transaction() as session:
        source = AssignmentSource.INVITATION
        return claiming.claim(session, house.actor(user), need.id, source=source, key=key)


def expire(house: House) -> int:
    with house.database.transaction() as session:
        return holding.expire_held(session)


def told(house: House) -> list[tuple[str, int]]:
    with house.database.session() as session:
        rows = session.execute(
            sa.select(OutboxMessage.kind, OutboxMessage.recipient_id).order_by(OutboxMessage.id)
        )
        return [tuple(row) for row in rows]


def told_of(house: House, practice: Practice, need: Need) -> list[EventKind]:
    with house.database.session() as session:
        return [event.kind for event in history.events_of(session, practice, need.id)]


def test_a_day_is_held_for_its_doctor_and_waits_for_no_titular(
    house: House, practice: Practice, titular: User, doctor: User, need: Need, clock: FixedClock
) -> None:
    held = hold(house, doctor, need)
    assert (held.state, held.tentative) == (AssignmentState.HELD, True)
    assert held.held_until == clock.now() + dt.timedelta(hours=24)
    assert told(house) == []
    with house.database.session() as session:
        assert holding.waiting_for(session, practice.id) == []
        assert decision_queries.waiting_count(session, practice.id, house.today) == 0
        entries = queries.roster_between(session, practice.id, THURSDAY, THURSDAY)
        assert [(entry.state, entry.tentative) for entry in entries] == [(held.state, True)]
        assert week_queries.open_matters(session, entries) == []
    with house.database.transaction() as session, pytest.raises(Conflict, match="hold_tentative"):
        holding.confirm(session, house.actor(titular), held.id)


def test_nobody_else_can_take_it_meanwhile(
    house: House, practice: Practice, doctor: User, need: Need
) -> None:
    hold(house, doctor, need)
    with pytest.raises(Conflict, match="need_taken"):
        claim(house, house.member(practice, Role.REPLACEMENT), need)


def test_it_frees_itself_whatever_the_practice_chose_for_held_days(
    house: House, practice: Practice, titular: User, doctor: User, need: Need, clock: FixedClock
) -> None:
    hold(house, doctor, need)
    clock.advance(dt.timedelta(hours=25))
    assert expire(house) == 1
    assert told(house) == [("hold.ended", titular.id), ("hold.ended", doctor.id)]
    other = house.member(practice, Role.REPLACEMENT)
    assert claim(house, other, need).doctor_id == other.id
    kinds = told_of(house, practice, need)
    assert kinds == [
        EventKind.PUBLISHED,
        EventKind.KEPT,
        EventKind.RELEASED,
        EventKind.TAKEN,
    ]


def test_it_is_not_held_a_second_time(
    house: House, practice: Practice, doctor: User, need: Need, clock: FixedClock
) -> None:
    hold(house, doctor, need)
    clock.advance(dt.timedelta(hours=25))
    expire(house)
    with pytest.raises(RuleBroken, match="hold_over"):
        hold(house, doctor, need)
    assert claim(house, doctor, need).state is AssignmentState.CONFIRMED


def test_a_yes_makes_it_the_doctors_through_whatever_door(
    house: House, practice: Practice, doctor: User, need: Need, clock: FixedClock
) -> None:
    held = hold(house, doctor, need)
    clock.advance(dt.timedelta(hours=1))
    taken = claim(house, doctor, need, key="yes")
    assert (taken.id, taken.state, taken.tentative) == (held.id, AssignmentState.CONFIRMED, False)
    assert taken.held_until is None
    assert claim(house, doctor, need, key="yes").id == held.id
    assert audited(house.database) == ["assignment.tentative", "assignment.claimed"]
    assert told_of(house, practice, need) == [
        EventKind.PUBLISHED,
        EventKind.KEPT,
        EventKind.TAKEN,
    ]
    clock.advance(dt.timedelta(hours=48))
    assert expire(house) == 0


def test_a_yes_is_held_for_a_titular_where_the_practice_wants_it(house: House) -> None:
    practice = house.practice(claim_policy=ClaimPolicy.HELD, hold_hours=24)
    titular = house.member(practice, Role.TITULAR)
    doctor = house.member(practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    hold(house, doctor, need)
    taken = claim(house, doctor, need)
    assert (taken.state, taken.tentative) == (AssignmentState.HELD, False)
    assert told(house) == [("assignment.held", titular.id)]


def test_the_doctors_own_hold_does_not_count_against_the_yes(
    house: House, practice: Practice
) -> None:
    doctor = house.member(practice, Role.REPLACEMENT, doctor={"max_half_days_per_week": 2})
    need = house.need(practice, THURSDAY)
    hold(house, doctor, need)
    assert claim(house, doctor, need).state is AssignmentState.CONFIRMED


def test_the_rules_are_asked_again_at_the_yes(house: House, practice: Practice) -> None:
    doctor = house.member(practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    hold(house, doctor, need)
    with house.database.transaction() as session:
        facts = session.get_one(User, doctor.id)
        session.refresh(facts, ["doctor"])
        assert facts.doctor is not None
        facts.doctor.qualified = False
    with pytest.raises(RuleBroken, match="licence_missing"):
        claim(house, doctor, need)


def test_letting_go_counts_nowhere_and_twice_is_once(
    house: House, practice: Practice, doctor: User, need: Need
) -> None:
    held = hold(house, doctor, need)
    for _ in range(2):
        with house.database.transaction() as session:
            gone = holding.let_go(session, house.actor(doctor), held.id)
    assert (gone.state, gone.release_kind) == (AssignmentState.RELEASED, ReleaseKind.UNDONE)
    assert told(house) == []


def test_a_titular_may_free_it(
    house: House, practice: Practice, titular: User, doctor: User, need: Need
) -> None:
    held = hold(house, doctor, need)
    with house.database.transaction() as session:
        releasing.release(session, house.actor(titular), held.id, "Déjà pourvu autrement")
    assert told(house) == [("assignment.released", doctor.id)]


def test_there_is_nothing_to_undo_before_the_yes(house: House, doctor: User, need: Need) -> None:
    held = hold(house, doctor, need)
    actor = house.actor(doctor)
    with house.database.session() as session:
        assert not claiming.may_undo(session, actor, session.get_one(Assignment, held.id))
    taken = claim(house, doctor, need)
    with house.database.session() as session:
        assert claiming.may_undo(session, actor, session.get_one(Assignment, taken.id))


def test_it_cannot_be_offered_to_a_colleague(
    house: House, practice: Practice, doctor: User, need: Need
) -> None:
    held = hold(house, doctor, need)
    with house.database.transaction() as session, pytest.raises(Conflict, match="hold_tentative"):
        swaps.offer(session, house.actor(doctor), held.id)
