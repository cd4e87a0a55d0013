"""Claiming a day and giving it back, on both databases, and the races for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from scheduler.core import audit
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.errors import Conflict, Forbidden, InvalidInput, NotFound, RuleBroken
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import SYSTEM, Actor, Role
from scheduler.people.models import Practice, User
from scheduler.roster import assignments, claiming, releasing
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentSource, AssignmentState, NeedState, Period
from tests.factories import House
from tests.support import at_once

THURSDAY = dt.date(2026, 11, 26)


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", "Salle 2")


def claim(house: House, need: Need, user: User, **options: int) -> Assignment:
    actor = house.actor(user)
    with house.database.transaction() as session:
        return claiming.claim(session, actor, need.id, **options)


def release(house: House, assignment: Assignment, user: User, reason: str = "") -> Assignment:
    actor = house.actor(user)
    with house.database.transaction() as session:
        return releasing.release(session, actor, assignment.id, reason)


def active(database: Database) -> list[tuple[int, int]]:
    with database.session() as session:
        rows = session.execute(
            sa.select(Assignment.need_id, Assignment.doctor_id)
            .where(Assignment.state != AssignmentState.RELEASED)
            .order_by(Assignment.id)
        )
        return [tuple(row) for row in rows]


def audited(database: Database) -> list[tuple[str, int | None]]:
    with database.session() as session:
        report = audit.verify(session)
        assert report.fault is None
        rows = session.execute(
            sa.select(audit.AuditEvent.action, audit.AuditEvent.actor_id).order_by(
                audit.AuditEvent.sequence
            )
        )
        return [tuple(row) for row in rows]


def told(database: Database) -> list[tuple[str, int, dict[str, int]]]:
    with database.session() as session:
        rows = session.execute(
            sa.select(OutboxMessage.kind, OutboxMessage.recipient_id, OutboxMessage.facts).order_by(
                OutboxMessage.recipient_id
            )
        )
        return [tuple(row) for row in rows]


def test_a_doctor_takes_a_day(house: House, practice: Practice) -> None:
    doctor = house.member(practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY, Period.AM)
    taken = claim(house, need, doctor)
    assert (taken.need_id, taken.doctor_id, taken.date, taken.period) == (
        need.id,
        doctor.id,
        THURSDAY,
        Period.AM,
    )
    assert (taken.state, taken.source) == (AssignmentState.CONFIRMED, AssignmentSource.CLAIM)
    assert active(house.database) == [(need.id, doctor.id)]
    assert audited(house.database) == [("assignment.claimed", doctor.id)]
    assert told(house.database) == []


def test_the_second_learns_who_was_first(house: House, practice: Practice) -> None:
    first = house.member(practice, Role.REPLACEMENT, given_name="Anne", family_name="Petit")
    second = house.member(practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    claim(house, need, first)
    with pytest.raises(Conflict) as caught:
        claim(house, need, second)
    assert caught.value.code == "need_taken"
    assert caught.value.facts == {"who": "Anne Petit", "date": THURSDAY}
    assert active(house.database) == [(need.id, first.id)]


def test_taking_twice_changes_nothing(house: House, practice: Practice) -> None:
    doctor = house.member(practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    assert claim(house, need, doctor).id == claim(house, need, doctor).id
    assert len(audited(house.database)) == 1


def test_a_released_day_can_be_taken_again(house: House, practice: Practice) -> None:
    first = house.member(practice, Role.REPLACEMENT)
    second = house.member(practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    release(house, claim(house, need, first), first)
    claim(house, need, second)
    assert active(house.database) == [(need.id, second.id)]


@pytest.mark.parametrize("role", [Role.TITULAR, Role.SECRETARY])
def test_somebody_of_the_practice_claims_for_a_doctor_on_the_telephone(
    house: House, practice: Practice, role: Role
) -> None:
    acting, doctor = house.member(practice, role), house.member(practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    taken = claim(house, need, acting, doctor_id=doctor.id)
    assert (taken.doctor_id, taken.created_by) == (doctor.id, acting.id)
    assert taken.source is AssignmentSource.PHONE
    assert audited(house.database) == [("assignment.claimed", acting.id)]
    assert told(house.database) == [("assignment.given", doctor.id, {"assignment_id": taken.id})]
    # Giving it again to whoever has it changes nothing.
    assert claim(house, need, acting, doctor_id=doctor.id).id == taken.id
    assert len(told(house.database)) == 1


@pytest.mark.parametrize("role", [Role.REPLACEMENT, Role.NURSE, Role.VIEWER])
def test_nobody_else_claims_for_a_doctor(house: House, practice: Practice, role: Role) -> None:
    doctor = house.member(practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    with pytest.raises(Forbidden):
        claim(house, need, house.member(practice, role), doctor_id=doctor.id)


@pytest.mark.parametrize("role", [Role.SECRETARY, Role.NURSE, Role.VIEWER])
def test_only_doctors_claim(house: House, practice: Practice, role: Role) -> None:
    need = house.need(practice, THURSDAY)
    with pytest.raises(Forbidden):
        claim(house, need, house.member(practice, role))


def test_other_practices_are_not_there(house: House, practice: Practice) -> None:
    stranger = house.member(house.practice(), Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    with pytest.raises(NotFound, match="need_not_found"):
        claim(house, need, stranger)


def test_no_such_need(house: House, practice: Practice) -> None:
    doctor = house.member(practice, Role.REPLACEMENT)
    with house.database.session() as session, pytest.raises(NotFound, match="need_not_found"):
        claiming.claim(session, house.actor(doctor), 999)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"qualified": False}, "licence_missing"),
        ({"qualified": False, "licence_until": dt.date(2026, 11, 15)}, "licence_ended"),
        ({"max_half_days_per_week": 1}, "week_limit"),
        ({"max_half_days_per_month": 1}, "month_limit"),
    ],
)
def test_a_refusal_names_the_rule(
    house: House, practice: Practice, facts: dict[str, object], code: str
) -> None:
    doctor = house.member(practice, Role.REPLACEMENT, doctor=facts)
    need = house.need(practice, THURSDAY)
    with pytest.raises(RuleBroken) as caught:
        claim(house, need, doctor)
    assert caught.value.code == code
    assert caught.value.facts["date"] == THURSDAY
    assert active(house.database) == []


def test_days_elsewhere_count_in_a_row(house: House, practice: Practice) -> None:
    other = house.practice()
    doctor = house.member(practice, Role.REPLACEMENT, doctor={"max_consecutive_days": 2})
    house.member(other, Role.REPLACEMENT, doctor)
    for offset in (1, 2):
        there = house.need(other, THURSDAY + dt.timedelta(days=offset))
        house.assignment(there, doctor)
    with pytest.raises(RuleBroken, match="consecutive_limit"):
        claim(house, house.need(practice, THURSDAY), doctor)


def test_released_days_do_not_count(house: House, practice: Practice) -> None:
    doctor = house.member(practice, Role.REPLACEMENT, doctor={"max_half_days_per_week": 2})
    other = house.need(practice, THURSDAY, room=1)
    house.assignment(other, doctor, AssignmentState.RELEASED)
    claim(house, house.need(practice, THURSDAY), doctor)


def test_a_user_without_a_doctor_s_facts_is_refused(house: House, practice: Practice) -> None:
    user = house.user()
    house.member(practice, Role.REPLACEMENT, user)
    with pytest.raises(RuleBroken, match="not_member_that_day"):
        claim(house, house.need(practice, THURSDAY), user)


def test_a_disabled_doctor_cannot_be_placed(house: House, practice: Practice) -> None:
    doctor = house.member(practice, Role.REPLACEMENT, disabled_at=house.database.clock.now())
    need = house.need(practice, THURSDAY)
    with (
        house.database.session() as session,
        pytest.raises(RuleBroken, match="not_member_that_day"),
    ):
        claiming.claim(session, SYSTEM, need.id, doctor_id=doctor.id)


def test_yesterday_is_past_and_today_is_not(house: House, practice: Practice) -> None:
    doctor = house.member(practice, Role.REPLACEMENT)
    with pytest.raises(RuleBroken, match="need_past"):
        claim(house, house.need(practice, house.today - dt.timedelta(days=1)), doctor)
    claim(house, house.need(practice, house.today), doctor)


def test_today_is_the_practice_s(house: House, clock: FixedClock) -> None:
    # Half past eleven at night in Paris is already tomorrow on Réunion.
    clock.move_to(dt.datetime(2026, 11, 25, 22, 30, tzinfo=dt.UTC))
    far = house.practice(timezone="Indian/Reunion")
    doctor = house.member(far, Role.REPLACEMENT)
    with pytest.raises(RuleBroken, match="need_past"):
        claim(house, house.need(far, dt.date(2026, 11, 25)), doctor)


def test_a_withdrawn_need_is_gone(house: House, practice: Practice) -> None:
    doctor = house.member(practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY, state=NeedState.WITHDRAWN)
    with pytest.raises(Conflict, match="need_withdrawn"):
        claim(house, need, doctor)


def test_the_index_decides_against_who_went_round_the_lock(
    house: House, practice: Practice
) -> None:
    first = house.member(practice, Role.REPLACEMENT, given_name="Anne", family_name="Petit")
    second = house.member(practice, Role.REPLACEMENT)
    need, elsewhere = (house.need(practice, THURSDAY, room=room) for room in (0, 1))
    house.assignment(need, first)
    door = {"state": AssignmentState.CONFIRMED, "source": AssignmentSource.CLAIM, "lifts": []}
    with house.database.transaction() as session:
        audit.record(session, SYSTEM, "before", "thing", 1, practice_id=None)
        with pytest.raises(Conflict) as caught:
            assignments._insert(session, need, second.id, **door)
        assert (caught.value.code, caught.value.facts["who"]) == ("need_taken", "Anne Petit")
        with pytest.raises(Conflict) as caught:
            assignments._insert(session, elsewhere, first.id, **door)
        assert caught.value.code == "doctor_taken"
    # What the transaction did besides is kept.
    assert audited(house.database) == [("before", None)]
    assert active(house.database) == [(need.id, first.id)]


def test_a_refused_place_leaves_the_transaction_usable(house: House, practice: Practice) -> None:
    first = house.member(practice, Role.REPLACEMENT)
    second = house.member(practice, Role.REPLACEMENT)
    taken, free = house.need(practice, THURSDAY), house.need(practice, THURSDAY, room=1)
    claim(house, taken, first)
    with house.database.transaction() as session:
        assignments.hold(session, practice.id, [first.id, second.id])
        with pytest.raises(Conflict):
            assignments.place(session, SYSTEM, taken, second, source=AssignmentSource.PROPOSAL)
        made = assignments.place(session, SYSTEM, free, second, source=AssignmentSource.PROPOSAL)
        assert made.source is AssignmentSource.PROPOSAL
    assert active(house.database) == [(taken.id, first.id), (free.id, second.id)]
    assert audited(house.database)[-1] == ("assignment.accepted", None)


def test_a_doctor_gives_a_day_back(house: House, practice: Practice, clock: FixedClock) -> None:
    titular = house.member(practice, Role.TITULAR)
    house.member(practice, Role.TITULAR, until=house.today - dt.timedelta(days=1))
    house.member(practice, Role.SECRETARY)
    doctor = house.member(practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    taken = claim(house, need, doctor)
    clock.advance(dt.timedelta(hours=1))
    given_back = release(house, taken, doctor, "  a family\nevent ")
    assert given_back.state is AssignmentState.RELEASED
    assert given_back.released_at == given_back.updated_at == clock.now()
    assert given_back.created_at < given_back.updated_at
    assert given_back.release_reason == "a family event"
    assert given_back.version == taken.version + 1
    assert active(house.database) == []
    assert audited(house.database)[-1] == ("assignment.released", doctor.id)
    assert told(house.database) == [
        ("assignment.released", titular.id, {"assignment_id": taken.id})
    ]


def test_a_titular_releases_anybody_and_the_doctor_is_told(
    house: House, practice: Practice
) -> None:
    titular = house.member(practice, Role.TITULAR)
    doctor = house.member(practice, Role.REPLACEMENT)
    taken = claim(house, house.need(practice, THURSDAY), doctor)
    with pytest.raises(InvalidInput, match="reason_required"):
        release(house, taken, titular)
    release(house, taken, titular, "The practice is closed")
    assert told(house.database) == [("assignment.released", doctor.id, {"assignment_id": taken.id})]


def test_a_titular_s_own_release_tells_the_other_titulars(house: House, practice: Practice) -> None:
    titular, other = (house.member(practice, Role.TITULAR) for _ in range(2))
    release(house, claim(house, house.need(practice, THURSDAY), titular), titular)
    assert [recipient for _kind, recipient, _facts in told(house.database)] == [other.id]


@pytest.mark.parametrize("role", [Role.REPLACEMENT, Role.NURSE])
def test_nobody_else_releases(house: House, practice: Practice, role: Role) -> None:
    doctor = house.member(practice, Role.REPLACEMENT)
    taken = claim(house, house.need(practice, THURSDAY), doctor)
    with pytest.raises(Forbidden):
        release(house, taken, house.member(practice, role), "mine now")
    stranger = house.member(house.practice(), Role.TITULAR)
    with pytest.raises(NotFound, match="assignment_not_found"):
        release(house, taken, stranger, "mine now")


def test_what_is_past_or_released_stays_so(
    house: House, practice: Practice, clock: FixedClock
) -> None:
    doctor = house.member(practice, Role.REPLACEMENT)
    taken = claim(house, house.need(practice, THURSDAY), doctor)
    today = claim(house, house.need(practice, house.today), doctor)
    release(house, taken, doctor)
    with pytest.raises(Conflict, match="already_released"):
        release(house, taken, doctor)
    clock.advance(dt.timedelta(days=1))
    with pytest.raises(RuleBroken, match="assignment_past"):
        release(house, today, doctor)


def test_a_reason_has_a_length(house: House, practice: Practice) -> None:
    doctor = house.member(practice, Role.REPLACEMENT)
    taken = claim(house, house.need(practice, THURSDAY), doctor)
    with pytest.raises(InvalidInput, match="reason_too_long"):
        release(house, taken, doctor, "x" * 256)
    release(house, taken, doctor, "x" * 255)


def claims(database: Database, actor: Actor, need: Need) -> Callable[[], None]:
    def act() -> None:
        with database.transaction() as session:
            claiming.claim(session, actor, need.id)

    return act


def test_fifty_doctors_claim_one_day(house: House, practice: Practice) -> None:
    doctors = [house.member(practice, Role.REPLACEMENT) for _ in range(50)]
    need = house.need(practice, THURSDAY)
    raised = at_once(*(claims(house.database, house.actor(doctor), need) for doctor in doctors))
    winners = [doctor for doctor, error in zip(doctors, raised, strict=True) if error is None]
    assert len(winners) == 1
    losses = [error for error in raised if error is not None]
    assert all(isinstance(error, Conflict) for error in losses)
    assert {(error.code, error.facts["who"]) for error in losses} == {  # type: ignore[attr-defined]
        ("need_taken", winners[0].name)
    }
    assert active(house.database) == [(need.id, winners[0].id)]
    assert audited(house.database) == [("assignment.claimed", winners[0].id)]


def test_one_doctor_claims_in_two_practices_at_once(house: House) -> None:
    places = [house.practice() for _ in range(2)]
    doctor = house.user()
    house.member(places[0], Role.REPLACEMENT, doctor)
    house.member(places[1], Role.REPLACEMENT, doctor)
    house.doctor(doctor)
    actor = house.actor(doctor)
    # In the morning here and in the afternoon there: no index forbids it, only the rule.
    for offset in range(6):
        date = THURSDAY + dt.timedelta(days=offset)
        needs = [house.need(places[0], date, Period.AM), house.need(places[1], date, Period.PM)]
        raised = at_once(*(claims(house.database, actor, need) for need in needs))
        codes = [error.code for error in raised if isinstance(error, RuleBroken)]
        assert (raised.count(None), codes) == (1, ["elsewhere_that_day"])
    assert len(active(house.database)) == 6
    assert len(audited(house.database)) == 6


def test_claims_and_releases_cross_without_deadlock(house: House) -> None:
    places = [house.practice("Salle 1", "Salle 2") for _ in range(2)]
    doctors = [house.user() for _ in range(4)]
    for doctor in doctors:
        house.doctor(doctor)
        for place in places:
            house.member(place, Role.REPLACEMENT, doctor)
    needs = [house.need(place, THURSDAY, room=room) for place in places for room in (0, 1)]
    actors = [house.actor(doctor) for doctor in doctors]

    def take_and_drop(actor: Actor, need: Need) -> Callable[[], None]:
        def act() -> None:
            with house.database.transaction() as session:
                taken = claiming.claim(session, actor, need.id)
            with house.database.transaction() as session:
                releasing.release(session, actor, taken.id)

        return act

    raised = at_once(*(take_and_drop(actor, need) for actor in actors for need in needs))
    assert all(error is None or isinstance(error, Conflict | RuleBroken) for error in raised)
    assert None in raised
    assert active(house.database) == []
    assert len(audited(house.database)) == 2 * raised.count(None)
