"""Taking several days, passing one's own limits, and undoing, on both databases."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core.clock import FixedClock
from scheduler.core.errors import Conflict, Forbidden, NotFound, RuleBroken
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.people.models import Derogation, Practice, ReplacedDoctor, User
from scheduler.roster import assignments, claiming
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentSource, AssignmentState, Period, ReleaseKind
from tests.factories import House
from tests.support import audited, count_queries

THURSDAY = dt.date(2026, 11, 26)
FRIDAY = dt.date(2026, 11, 27)


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", "Salle 2")


@pytest.fixture
def doctor(house: House, practice: Practice) -> User:
    return house.member(practice, Role.REPLACEMENT)


def claim(house: House, need: Need, user: User, **options: Any) -> Assignment:
    with house.database.transaction() as session:
        return claiming.claim(session, house.actor(user), need.id, **options)


def undo(house: House, assignment: Assignment, user: User) -> Assignment:
    with house.database.transaction() as session:
        return claiming.undo(session, house.actor(user), assignment.id)


def test_a_doctor_passes_their_own_limit_by_their_own_word(
    house: House, practice: Practice
) -> None:
    doctor = house.member(
        practice,
        Role.REPLACEMENT,
        doctor={"max_half_days_per_week": 2, "max_consecutive_days": 1},
    )
    claim(house, house.need(practice, THURSDAY), doctor)
    friday = house.need(practice, FRIDAY)
    with pytest.raises(RuleBroken, match="week_limit"):
        claim(house, friday, doctor)
    with pytest.raises(RuleBroken, match="consecutive_limit"):
        claim(house, friday, doctor, passing=["week_limit"])
    taken = claim(house, friday, doctor, passing=["week_limit", "consecutive_limit"])
    assert taken.lifts == [
        {"code": "week_limit", "to": 2.0},
        {"code": "consecutive_limit", "to": 2},
    ]
    # It makes room for that day and no more.
    saturday = house.need(practice, FRIDAY + dt.timedelta(days=1), Period.AM)
    with pytest.raises(RuleBroken, match="week_limit"):
        claim(house, saturday, doctor)


def test_no_word_passes_a_rule_of_law(house: House, practice: Practice) -> None:
    doctor = house.member(practice, Role.REPLACEMENT, doctor={"qualified": False})
    with pytest.raises(RuleBroken, match="licence_missing"):
        claim(house, house.need(practice, THURSDAY), doctor, passing=["licence_missing"])


def test_the_practice_limits_what_one_doctor_works_in_it(house: House) -> None:
    practice = house.practice(local_half_days_per_week=2, local_half_days_per_month=3)
    doctor = house.member(practice, Role.REPLACEMENT)
    titular = house.member(practice, Role.TITULAR)
    claim(house, house.need(practice, THURSDAY), doctor)
    with pytest.raises(RuleBroken, match="local_week_limit"):
        claim(house, house.need(practice, FRIDAY, Period.AM), doctor)
    monday = THURSDAY + dt.timedelta(days=4)
    with pytest.raises(RuleBroken, match="local_month_limit"):
        claim(house, house.need(practice, monday), doctor)
    # The practice's own titulars are free.
    house.assignment(house.need(practice, THURSDAY - dt.timedelta(days=1)), titular)
    claim(house, house.need(practice, THURSDAY - dt.timedelta(days=2)), titular)


def replaced(house: House, practice: Practice, **derogation: Any) -> User:
    """A titular who is the replaced doctor of November, with a derogation where dates are given."""
    titular = house.member(practice, Role.TITULAR, given_name="Anne", family_name="Petit")
    with house.database.transaction() as session:
        session.add(
            ReplacedDoctor(
                practice_id=practice.id, month=THURSDAY.replace(day=1), doctor_id=titular.id
            )
        )
        if derogation:
            session.add(Derogation(practice_id=practice.id, doctor_id=titular.id, **derogation))
    return titular


def test_the_replaced_doctor_needs_a_derogation_for_the_day(
    house: House, practice: Practice, doctor: User
) -> None:
    replaced(house, practice, since=THURSDAY, until=THURSDAY)
    claim(house, house.need(practice, THURSDAY), doctor)
    with pytest.raises(RuleBroken) as caught:
        claim(house, house.need(practice, FRIDAY), doctor)
    assert (caught.value.code, caught.value.facts["who"]) == ("derogation_missing", "Anne Petit")
    with house.database.transaction() as session:
        session.get_one(Practice, practice.id).derogation_required = False
    claim(house, house.need(practice, FRIDAY, room=1), doctor)


def test_three_months_of_one_replaced_doctor_are_warned_of(
    house: House, practice: Practice, doctor: User
) -> None:
    titular = replaced(house, practice, since=dt.date(2026, 1, 1), until=dt.date(2027, 1, 1))
    need = house.need(practice, THURSDAY)

    def warned() -> list[tuple[str, int]]:
        with house.database.session() as session:
            found = assignments.warnings(session, need, doctor.id)
        return [(warning.code, warning.facts["days"]) for warning in found]

    with house.database.transaction() as session:
        for month in range(6, 11):
            session.add(
                ReplacedDoctor(
                    practice_id=practice.id, month=dt.date(2026, month, 1), doctor_id=titular.id
                )
            )
    assert warned() == []
    first = dt.date(2026, 6, 1)
    for offset in range(74):
        day = house.need(practice, first + dt.timedelta(days=offset), Period.AM)
        house.assignment(day, doctor, AssignmentState.DONE)
    assert warned() == [("replacement_near_three_months", 75)]
    for offset in range(74, 89):
        day = house.need(practice, first + dt.timedelta(days=offset), Period.AM)
        house.assignment(day, doctor, AssignmentState.DONE)
    # Two half-days of one date are one day, what was given back none.
    house.assignment(house.need(practice, first, Period.PM), doctor, AssignmentState.DONE)
    away = house.need(practice, first + dt.timedelta(days=90))
    house.assignment(away, doctor, AssignmentState.RELEASED)
    assert warned() == [("replacement_reached_three_months", 90)]
    # It warns, and forbids nothing.
    claim(house, need, doctor)


def test_of_several_days_all_that_are_free_are_taken(
    house: House, practice: Practice, doctor: User
) -> None:
    elsewhere = house.practice()
    house.member(elsewhere, Role.REPLACEMENT, doctor)
    other = house.member(practice, Role.REPLACEMENT, given_name="Anne", family_name="Petit")
    free, there = house.need(practice, THURSDAY), house.need(elsewhere, FRIDAY)
    gone = house.need(practice, FRIDAY)
    house.assignment(gone, other)
    clash = house.need(practice, FRIDAY, room=1)
    interns = house.need(practice, THURSDAY, Period.AM, room=1, roles=[Role.INTERN.value])
    chosen = [interns.id, clash.id, gone.id, there.id, free.id]
    with house.database.transaction() as session:
        found = claiming.claim_several(session, house.actor(doctor), chosen)
    assert [taken.need_id for taken in found.taken] == [free.id, there.id]
    assert {need_id: error.code for need_id, error in found.refused.items()} == {
        gone.id: "need_taken",
        clash.id: "already_working",
        interns.id: "role_not_accepted",
    }
    assert audited(house.database) == ["assignment.claimed"] * 2


def test_of_several_days_each_must_be_there(house: House, practice: Practice, doctor: User) -> None:
    need = house.need(practice, house.today + dt.timedelta(days=20))
    with house.database.transaction() as session, pytest.raises(NotFound):
        claiming.claim_several(session, house.actor(doctor), [need.id, 999_999])


def test_several_days_of_others_are_not_there(house: House, practice: Practice) -> None:
    stranger = house.member(house.practice(), Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    with house.database.session() as session, pytest.raises(NotFound, match="need_not_found"):
        claiming.claim_several(session, house.actor(stranger), [need.id])


def test_a_claim_is_undone_as_if_it_had_never_been(
    house: House, practice: Practice, doctor: User, clock: FixedClock
) -> None:
    taken = claim(house, house.need(practice, THURSDAY), doctor)
    clock.advance(claiming.UNDO)
    undone = undo(house, taken, doctor)
    assert (undone.state, undone.release_kind) == (AssignmentState.RELEASED, ReleaseKind.UNDONE)
    assert undo(house, taken, doctor).version == undone.version
    with house.database.session() as session:
        assert session.scalars(sa.select(OutboxMessage)).all() == []


def test_after_ten_minutes_it_is_too_late(
    house: House, practice: Practice, doctor: User, clock: FixedClock
) -> None:
    taken = claim(house, house.need(practice, THURSDAY), doctor)
    clock.advance(claiming.UNDO + dt.timedelta(seconds=1))
    with pytest.raises(RuleBroken, match="undo_too_late"):
        undo(house, taken, doctor)


def test_only_who_took_it_undoes_it(house: House, practice: Practice, doctor: User) -> None:
    secretary = house.member(practice, Role.SECRETARY)
    colleague = house.member(practice, Role.REPLACEMENT)
    taken = claim(house, house.need(practice, THURSDAY), secretary, doctor_id=doctor.id)
    for user in (colleague, house.member(practice, Role.NURSE)):
        with pytest.raises(Forbidden):
            undo(house, taken, user)
    undo(house, taken, secretary)
    with house.database.session() as session:
        kinds = session.execute(
            sa.select(OutboxMessage.kind, OutboxMessage.recipient_id).order_by(OutboxMessage.id)
        ).all()
    assert [tuple(row) for row in kinds] == [
        ("assignment.given", doctor.id),
        ("assignment.released", doctor.id),
    ]


def test_what_came_by_a_proposal_is_given_back_and_not_undone(
    house: House, practice: Practice, doctor: User
) -> None:
    need = house.need(practice, THURSDAY)
    given = house.assignment(need, doctor, source=AssignmentSource.PROPOSAL)
    with pytest.raises(RuleBroken, match="undo_too_late"):
        undo(house, given, doctor)
    gone = house.assignment(house.need(practice, FRIDAY), doctor, AssignmentState.RELEASED)
    with pytest.raises(Conflict, match="already_released"):
        undo(house, gone, doctor)


def test_a_command_repeated_is_carried_out_once(
    house: House, practice: Practice, doctor: User
) -> None:
    need = house.need(practice, THURSDAY)
    door = AssignmentSource.CALDAV
    taken = claim(house, need, doctor, key="event-1", source=door)
    assert taken.source is door
    assert claim(house, need, doctor, key="event-1", source=door).id == taken.id
    undo(house, taken, doctor)
    # A telephone that sends its old request again does not take the day anew.
    with pytest.raises(Conflict, match="claim_repeated"):
        claim(house, need, doctor, key="event-1", source=door)
    again = claim(house, need, doctor, key="event-2", source=door)
    assert again.id != taken.id
    assert audited(house.database).count("assignment.claimed") == 2


def test_a_key_speaks_for_one_doctor_and_one_need(
    house: House, practice: Practice, doctor: User
) -> None:
    other = house.member(practice, Role.REPLACEMENT)
    days = [house.need(practice, day) for day in (THURSDAY, FRIDAY)]
    claim(house, days[0], doctor, key="same")
    assert claim(house, days[1], other, key="same").doctor_id == other.id
    with house.database.transaction() as session:
        several = claiming.claim_several(
            session, house.actor(doctor), [day.id for day in days], key="same"
        )
    assert [day.need_id for day in several.taken] == [days[0].id]
    assert [error.code for error in several.refused.values()] == ["need_taken"]


def test_reads_of_a_claim_do_not_grow_with_the_house(house: House, practice: Practice) -> None:
    def reads(day: dt.date) -> int:
        fresh = house.member(practice, Role.REPLACEMENT)
        need = house.need(practice, day)
        actor = house.actor(fresh)
        with count_queries(house.database) as statements, house.database.session() as session:
            claiming.claim(session, actor, need.id)
        return len(statements)

    few = reads(THURSDAY)
    for number in range(20):
        house.member(practice, Role.REPLACEMENT)
        house.need(practice, FRIDAY + dt.timedelta(days=number))
    assert reads(THURSDAY - dt.timedelta(days=1)) == few
