"""How late a day is given back, and what it takes, on both databases."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core.clock import FixedClock
from scheduler.core.errors import Conflict, Forbidden, InvalidInput, NotFound, RuleBroken
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster import releasing
from scheduler.roster.models import Assignment, ReleaseRequest
from scheduler.roster.releasing import Notice
from scheduler.roster.rules import AssignmentState, ReleaseKind, RequestState
from tests.factories import House
from tests.support import at_once, audited

LOCK_DAYS = 7


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", "Salle 2", lock_days=LOCK_DAYS)


@pytest.fixture
def titular(house: House, practice: Practice) -> User:
    return house.member(practice, Role.TITULAR)


@pytest.fixture
def doctor(house: House, practice: Practice) -> User:
    return house.member(practice, Role.REPLACEMENT)


def day_of(house: House, practice: Practice, doctor: User, ahead: int, **values: Any) -> Assignment:
    """A day of the doctor so many days ahead."""
    need = house.need(practice, house.today + dt.timedelta(days=ahead))
    return house.assignment(need, doctor, **values)


def release(house: House, day: Assignment, user: User, reason: str = "", **options: bool) -> None:
    with house.database.transaction() as session:
        releasing.release(session, house.actor(user), day.id, reason, **options)


def request(house: House, day: Assignment, user: User, reason: str = "Malade", **o: bool) -> int:
    with house.database.transaction() as session:
        return releasing.request_release(session, house.actor(user), day.id, reason, **o).id


def kind_of(house: House, day: Assignment) -> ReleaseKind | None:
    with house.database.session() as session:
        return session.get_one(Assignment, day.id).release_kind


def state_of(house: House, request_id: int) -> RequestState:
    with house.database.session() as session:
        return session.get_one(ReleaseRequest, request_id).state


def told(house: House) -> set[tuple[str, int]]:
    with house.database.session() as session:
        rows = session.execute(sa.select(OutboxMessage.kind, OutboxMessage.recipient_id))
        return {tuple(row) for row in rows}


@pytest.mark.parametrize(
    ("ahead", "lock_days", "expected"),
    [
        (0, 7, Notice.SAME_DAY),
        (1, 7, Notice.LATE),
        (6, 7, Notice.LATE),
        (7, 7, Notice.EARLY),
        (1, 0, Notice.EARLY),
        (0, 0, Notice.SAME_DAY),
    ],
)
def test_how_late_it_is(ahead: int, lock_days: int, expected: Notice) -> None:
    today = dt.date(2026, 11, 23)
    practice = Practice(lock_days=lock_days)
    assert releasing.notice_of(practice, today + dt.timedelta(days=ahead), today) is expected


def test_before_the_lock_date_a_doctor_is_free(
    house: House, practice: Practice, titular: User, doctor: User
) -> None:
    day = day_of(house, practice, doctor, LOCK_DAYS)
    release(house, day, doctor)
    assert kind_of(house, day) is ReleaseKind.EARLY
    assert told(house) == {("assignment.released", titular.id)}


def test_after_it_a_titular_must_agree(
    house: House, practice: Practice, titular: User, doctor: User
) -> None:
    day = day_of(house, practice, doctor, LOCK_DAYS - 1)
    with pytest.raises(RuleBroken) as caught:
        release(house, day, doctor, "Malade")
    assert (caught.value.code, caught.value.facts["days"]) == ("release_needs_titular", LOCK_DAYS)
    number = request(house, day, doctor)
    assert told(house) == {("release.requested", titular.id)}
    with pytest.raises(Conflict, match="release_requested_already"):
        request(house, day, doctor)
    for _ in range(2):
        with house.database.transaction() as session:
            releasing.grant(session, house.actor(titular), number)
    assert (kind_of(house, day), state_of(house, number)) == (
        ReleaseKind.GRANTED,
        RequestState.GRANTED,
    )
    assert ("release.granted", doctor.id) in told(house)
    assert audited(house.database) == [
        "release.requested",
        "release.granted",
        "assignment.released",
    ]


def test_a_held_day_is_given_back_freely(house: House, practice: Practice, doctor: User) -> None:
    day = day_of(house, practice, doctor, 1, state=AssignmentState.HELD)
    with pytest.raises(RuleBroken, match="release_needs_nobody"):
        request(house, day, doctor)
    release(house, day, doctor)
    assert kind_of(house, day) is ReleaseKind.EARLY


def test_a_titular_says_no_with_a_word(
    house: House, practice: Practice, titular: User, doctor: User
) -> None:
    day = day_of(house, practice, doctor, 2)
    number = request(house, day, doctor)
    with house.database.transaction() as session:
        releasing.refuse_request(session, house.actor(titular), number, "Nobody else is there")
    assert (kind_of(house, day), state_of(house, number)) == (None, RequestState.REFUSED)
    assert ("release.refused", doctor.id) in told(house)
    with house.database.session() as session, pytest.raises(Conflict, match="request_ended"):
        releasing.grant(session, house.actor(titular), number)
    # Asking again is possible.
    assert request(house, day, doctor) != number


def test_a_doctor_comes_after_all(
    house: House, practice: Practice, titular: User, doctor: User
) -> None:
    number = request(house, day_of(house, practice, doctor, 2), doctor)
    with house.database.session() as session, pytest.raises(Forbidden):
        colleague = house.member(practice, Role.REPLACEMENT)
        releasing.withdraw_request(session, house.actor(colleague), number)
    with house.database.transaction() as session:
        releasing.withdraw_request(session, house.actor(doctor), number)
    assert state_of(house, number) is RequestState.WITHDRAWN
    with house.database.session() as session:
        assert releasing.open_requests(session, practice.id) == []


def test_on_the_day_itself_everybody_is_alerted(
    house: House, practice: Practice, titular: User, doctor: User
) -> None:
    others = [house.member(practice, role) for role in (Role.SECRETARY, Role.REPLACEMENT)]
    house.member(practice, Role.VIEWER)
    house.member(practice, Role.REPLACEMENT, until=house.today - dt.timedelta(days=1))
    day = day_of(house, practice, doctor, 0)
    release(house, day, doctor, "Accident")
    assert kind_of(house, day) is ReleaseKind.EMERGENCY
    assert told(house) == {("assignment.emergency", user.id) for user in (titular, *others)}


def test_a_secretary_passes_on_what_a_doctor_says_on_the_telephone(
    house: House, practice: Practice, titular: User, doctor: User
) -> None:
    secretary = house.member(practice, Role.SECRETARY)
    early = day_of(house, practice, doctor, 10)
    release(house, early, secretary, on_behalf=True)
    with house.database.session() as session:
        row = session.get_one(Assignment, early.id)
        assert (row.release_kind, row.released_by) == (ReleaseKind.EARLY, secretary.id)
    assert told(house) == {
        ("assignment.released", doctor.id),
        ("assignment.released", titular.id),
    }
    late = day_of(house, practice, doctor, 2)
    with pytest.raises(RuleBroken, match="release_needs_titular"):
        release(house, late, secretary, "She is ill", on_behalf=True)
    with pytest.raises(InvalidInput, match="on_behalf_required"):
        request(house, late, secretary)
    number = request(house, late, secretary, on_behalf=True)
    with house.database.transaction() as session:
        releasing.grant(session, house.actor(titular), number)
    assert {("release.granted", user.id) for user in (doctor, secretary)} <= told(house)


def test_a_titular_acting_for_a_doctor_agrees_at_once(
    house: House, practice: Practice, titular: User, doctor: User
) -> None:
    day = day_of(house, practice, doctor, 2)
    release(house, day, titular, on_behalf=True)
    assert kind_of(house, day) is ReleaseKind.GRANTED
    taken = day_of(house, practice, doctor, 3)
    release(house, taken, titular, "Closed")
    assert kind_of(house, taken) is ReleaseKind.TAKEN_AWAY


def test_what_nobody_may_ask(house: House, practice: Practice, titular: User, doctor: User) -> None:
    free = day_of(house, practice, doctor, 30)
    with pytest.raises(RuleBroken, match="release_needs_nobody"):
        request(house, free, doctor)
    late = day_of(house, practice, doctor, 2)
    with pytest.raises(InvalidInput, match="release_reason_required"):
        request(house, late, doctor, " ")
    with pytest.raises(Forbidden):
        request(house, late, house.member(practice, Role.REPLACEMENT), on_behalf=True)
    stranger = house.member(house.practice(), Role.TITULAR)
    with pytest.raises(NotFound):
        request(house, late, stranger)
    number = request(house, late, doctor)
    for user in (doctor, house.member(practice, Role.SECRETARY)):
        with house.database.session() as session, pytest.raises(Forbidden):
            releasing.grant(session, house.actor(user), number)
    with house.database.session() as session, pytest.raises(NotFound):
        releasing.grant(session, house.actor(stranger), number)


def test_a_request_ends_with_its_day(
    house: House, practice: Practice, titular: User, doctor: User, clock: FixedClock
) -> None:
    kept, freed = day_of(house, practice, doctor, 1), day_of(house, practice, doctor, 2)
    open_one, other = request(house, kept, doctor), request(house, freed, doctor)
    release(house, freed, titular, "Closed")
    assert state_of(house, other) is RequestState.LAPSED
    clock.advance(dt.timedelta(days=2))
    with house.database.transaction() as session:
        assert releasing.lapse_past(session) == 1
    assert state_of(house, open_one) is RequestState.LAPSED


def test_two_titulars_decide_at_once(
    house: House, practice: Practice, titular: User, doctor: User
) -> None:
    day = day_of(house, practice, doctor, 2)
    number = request(house, day, doctor)
    other = house.actor(house.member(practice, Role.TITULAR))
    actor = house.actor(titular)

    def grant() -> None:
        with house.database.transaction() as session:
            releasing.grant(session, actor, number)

    def refuse() -> None:
        with house.database.transaction() as session:
            releasing.refuse_request(session, other, number)

    raised = at_once(grant, refuse)
    assert sorted(type(error).__name__ for error in raised) == ["Conflict", "NoneType"]
    granted = state_of(house, number) is RequestState.GRANTED
    assert (kind_of(house, day) is ReleaseKind.GRANTED) == granted
