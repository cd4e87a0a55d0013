"""The open days board: what stands on it, what matters for choosing, and what can be undone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest

from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import (
    ClaimPolicy,
    Derogation,
    Practice,
    ReplacedDoctor,
    User,
)
from scheduler.roster import board, claiming, taken_days
from scheduler.roster.board import Colleague, Contact, OpenDay
from scheduler.roster.rules import AssignmentState, Period, Preference
from scheduler.roster.taken_days import Recent
from tests.factories import House
from tests.support import count_queries

MONDAY = dt.date(2026, 11, 23)
THURSDAY = dt.date(2026, 12, 3)
DAY = dt.timedelta(days=1)
FAR = dt.date(2027, 2, 23)


@dataclass
class Cabinet:
    """A practice with two rooms, its titular, and the doctor who looks at the board."""

    house: House
    practice: Practice
    titular: User
    lea: User

    def save(self, *rows: Any) -> None:
        with self.house.database.transaction() as session:
            session.add_all(rows)

    def days(
        self, who: User | None = None, start: dt.date = MONDAY, end: dt.date = FAR
    ) -> list[OpenDay]:
        actor = self.house.actor(who or self.lea)
        with self.house.database.session() as session:
            return list(board.board_between(session, actor, start, end).days)

    def day(self, date: dt.date = THURSDAY, who: User | None = None) -> OpenDay:
        (found,) = [day for day in self.days(who) if day.date == date]
        return found

    def claim(self, who: User, need_id: int) -> int:
        actor = self.house.actor(who)
        with self.house.database.transaction() as session:
            return claiming.claim(session, actor, need_id).id

    def recent(self, who: User | None = None) -> list[Recent]:
        actor = self.house.actor(who or self.lea)
        with self.house.database.session() as session:
            return taken_days.recent(session, actor, self.house.today)


@pytest.fixture
def cabinet(house: House) -> Cabinet:
    practice = house.practice("Salle 1", "Salle 2", slug="nieul", name="Cabinet de Nieul")
    return Cabinet(
        house,
        practice,
        house.member(
            practice,
            Role.TITULAR,
            given_name="Anne",
            family_name="Petit",
            phone="02 51 00 11 22",
        ),
        house.member(practice, Role.REPLACEMENT, given_name="Léa", family_name="Fontaine"),
    )


def test_a_day_of_the_board_tells_what_matters(cabinet: Cabinet) -> None:
    need = cabinet.house.need(cabinet.practice, THURSDAY, Period.AM, priority=2)
    day = cabinet.day()
    assert (day.need_id, day.room, day.period, day.priority) == (need.id, "Salle 1", Period.AM, 2)
    assert (day.practice.slug, day.practice.name) == ("nieul", "Cabinet de Nieul")
    assert day.hours == ((dt.time(8, 30), dt.time(12, 30)),)
    assert day.titular == Contact("Anne Petit", "02 51 00 11 22", False, unnamed=True)
    assert day.colleagues == ()
    assert day.said is None
    assert not day.declined
    assert day.may_take
    assert day.held is None


def test_every_practice_of_the_doctor_is_on_it_and_no_other(cabinet: Cabinet, house: House) -> None:
    second, foreign = house.practice(name="Autre"), house.practice()
    house.member(second, Role.REPLACEMENT, cabinet.lea)
    house.member(foreign, Role.SECRETARY, cabinet.lea)
    house.need(cabinet.practice, THURSDAY)
    house.need(second, MONDAY)
    house.need(foreign, MONDAY)
    assert [day.practice.id for day in cabinet.days()] == [second.id, cabinet.practice.id]


def test_what_is_filled_withdrawn_or_out_of_the_dates_is_not_on_it(
    cabinet: Cabinet, house: House
) -> None:
    house.assignment(house.need(cabinet.practice, THURSDAY), cabinet.titular)
    house.need(cabinet.practice, THURSDAY, room=1, state="withdrawn")
    house.need(cabinet.practice, FAR + DAY)
    house.need(cabinet.practice, MONDAY - DAY)
    assert cabinet.days() == []


def test_a_released_day_is_on_it_again(cabinet: Cabinet, house: House) -> None:
    need = house.need(cabinet.practice, THURSDAY)
    house.assignment(need, cabinet.titular, AssignmentState.RELEASED)
    assert cabinet.day().may_take


def test_a_held_day_is_on_it_as_held(cabinet: Cabinet, house: House) -> None:
    hugo = house.member(cabinet.practice, Role.REPLACEMENT, given_name="Hugo", family_name="Roux")
    need = house.need(cabinet.practice, THURSDAY)
    house.assignment(need, hugo, AssignmentState.HELD)
    day = cabinet.day()
    assert day.held is not None
    assert day.held.doctor == "Hugo Roux"
    assert not day.may_take
    assert day.own_limits == ()
    # Whom it is held for finds nothing in the way of it.
    own = cabinet.day(who=hugo)
    assert own.held is not None
    assert own.held.doctor_id == hugo.id
    assert own.refusals == ()


def test_colleagues_are_those_of_the_same_hours_in_other_rooms(
    cabinet: Cabinet, house: House
) -> None:
    morning = house.need(cabinet.practice, THURSDAY, Period.AM, room=1)
    afternoon = house.need(cabinet.practice, THURSDAY, Period.PM, room=1)
    house.need(cabinet.practice, THURSDAY, Period.AM)
    intern = house.member(cabinet.practice, Role.INTERN, given_name="Zoé", family_name="Lang")
    house.assignment(morning, intern)
    house.assignment(afternoon, cabinet.titular)
    assert cabinet.day().colleagues == (Colleague("Zoé Lang", Role.INTERN, "Salle 2", Period.AM),)


def test_the_last_day_with_a_doctor_is_known(cabinet: Cabinet, house: House) -> None:
    # Two rooms: where a colleague is there, nobody waits.
    for offset in (0, 4, 11):
        house.need(cabinet.practice, MONDAY + offset * DAY)
    assert [day.last_doctor for day in cabinet.days()] == [None, None, None]
    friday = MONDAY - 3 * DAY
    house.assignment(house.need(cabinet.practice, friday), cabinet.titular, AssignmentState.DONE)
    assert [day.last_doctor for day in cabinet.days()] == [friday, friday, friday]
    next_friday = MONDAY + 4 * DAY
    beside = house.need(cabinet.practice, next_friday, room=1)
    house.assignment(beside, cabinet.titular)
    assert [day.last_doctor for day in cabinet.days()] == [friday, None, next_friday]
    given_back = house.need(cabinet.practice, MONDAY + 7 * DAY, room=1)
    house.assignment(given_back, cabinet.titular, AssignmentState.RELEASED)
    first_room = [day.last_doctor for day in cabinet.days() if day.room == "Salle 1"]
    assert first_room == [friday, None, next_friday]
    # What comes before the dates shown counts too, and what comes after does not.
    shown = cabinet.days(start=MONDAY + 8 * DAY)
    assert [day.last_doctor for day in shown] == [next_friday]


def test_the_replaced_doctor_of_the_month_is_the_one_to_reach(
    cabinet: Cabinet, house: House
) -> None:
    paul = house.member(
        cabinet.practice, Role.TITULAR, given_name="Paul", family_name="Audouin", phone="0601"
    )
    house.need(cabinet.practice, THURSDAY)
    cabinet.save(
        ReplacedDoctor(
            practice_id=cabinet.practice.id, month=THURSDAY.replace(day=1), doctor_id=paul.id
        ),
        Derogation(practice_id=cabinet.practice.id, doctor_id=paul.id, since=MONDAY, until=FAR),
    )
    assert cabinet.day().titular == Contact("Paul Audouin", "0601", replaced=True)
    # Nobody is told to reach themselves.
    assert cabinet.day(who=paul).titular is None


def test_a_titular_who_has_left_is_not_the_one_to_reach(cabinet: Cabinet, house: House) -> None:
    other = house.practice()
    house.member(other, Role.TITULAR, given_name="Old", until=THURSDAY - DAY)
    house.member(other, Role.TITULAR, given_name="New", family_name="One", since=THURSDAY)
    house.member(other, Role.REPLACEMENT, cabinet.lea)
    house.need(other, THURSDAY)
    assert cabinet.day().titular == Contact("New One", None, False, unnamed=True)
    with house.database.transaction() as session:
        session.get_one(Practice, other.id).derogation_required = False
    assert cabinet.day().titular == Contact("New One", None, False)


def test_what_the_doctor_said_of_the_day(cabinet: Cabinet, house: House) -> None:
    dates = [THURSDAY + offset * DAY for offset in range(5)]
    for date in dates:
        house.need(cabinet.practice, date)
    house.available(cabinet.lea, dates[0])
    house.available(cabinet.lea, dates[1], period=Period.AM)
    house.available(cabinet.lea, dates[1], period=Period.PM, preference=Preference.LAST_RESORT)
    house.available(cabinet.lea, dates[2], period=Period.AM)
    house.available(cabinet.lea, dates[3], period=Period.PM, preference=None)
    assert [(day.said, day.declined) for day in cabinet.days()] == [
        (Preference.WANTED, False),
        (Preference.LAST_RESORT, False),
        (None, False),
        (None, True),
        (None, False),
    ]


def test_a_rule_bars_a_day_and_a_limit_of_ones_own_does_not(cabinet: Cabinet, house: House) -> None:
    hugo = house.member(cabinet.practice, Role.REPLACEMENT, doctor={"max_half_days_per_week": 2})
    house.assignment(house.need(cabinet.practice, THURSDAY), hugo)
    beside = house.need(cabinet.practice, THURSDAY, room=1)
    friday = house.need(cabinet.practice, THURSDAY + DAY)
    interns = house.need(cabinet.practice, THURSDAY + 7 * DAY, roles=["intern"])
    free = house.need(cabinet.practice, THURSDAY + 8 * DAY)
    found = {day.need_id: day for day in cabinet.days(hugo)}
    assert found[beside.id].refusals[0].code == "already_working"
    assert found[beside.id].barred
    assert found[beside.id].own_limits == ()
    assert found[friday.id].own_limits == ("week_limit",)
    assert not found[friday.id].barred
    assert not found[friday.id].may_take
    assert found[interns.id].barred
    assert found[free.id].may_take


def test_the_board_judges_as_the_claim_does(cabinet: Cabinet, house: House) -> None:
    """What stands on the board as free can be taken, whatever the doctor's other days."""
    hugo = house.member(
        cabinet.practice,
        Role.REPLACEMENT,
        doctor={"max_consecutive_days": 2, "qualified": False, "licence_until": FAR},
    )
    for offset in (0, 1, 2, 4, 5, 30, 31):
        house.need(cabinet.practice, THURSDAY + offset * DAY)
    for _ in range(7):
        free = [day for day in cabinet.days(hugo) if day.may_take]
        if not free:
            break
        cabinet.claim(hugo, free[0].need_id)
    assert [day.date for day in cabinet.days(hugo)] == [THURSDAY + 2 * DAY]


def test_the_nearest_days_come_by_date_and_those_of_the_practice_first(
    cabinet: Cabinet, house: House
) -> None:
    other = house.practice()
    house.member(other, Role.REPLACEMENT, cabinet.lea)
    for offset in (-4, -2, 2, 9):
        house.need(cabinet.practice, THURSDAY + offset * DAY)
        house.need(other, THURSDAY + offset * DAY)
    held = house.need(cabinet.practice, THURSDAY)
    house.assignment(held, cabinet.titular, AssignmentState.HELD)
    found = board.nearest(cabinet.days(), THURSDAY, cabinet.practice.id)
    here, there = cabinet.practice.id, other.id
    assert [((day.date - THURSDAY).days, day.practice.id) for day in found] == [
        (-2, here),
        (2, here),
        (-2, there),
    ]


def test_the_next_open_day_is_one_the_doctor_may_take(cabinet: Cabinet, house: House) -> None:
    actor = house.actor(cabinet.lea)
    house.need(cabinet.practice, FAR + DAY, roles=["intern"])
    house.assignment(house.need(cabinet.practice, FAR + 2 * DAY), cabinet.titular)
    with house.database.session() as session:
        assert board.next_open(session, actor, FAR) is None
    house.need(cabinet.practice, FAR + 3 * DAY)
    with house.database.session() as session:
        assert board.next_open(session, actor, FAR) == FAR + 3 * DAY
        assert board.next_open(session, actor, FAR, cabinet.practice.id) == FAR + 3 * DAY
        assert board.next_open(session, actor, FAR, cabinet.practice.id + 1) is None


def test_who_belongs_nowhere_finds_nothing(house: House) -> None:
    loner = house.user()
    with house.database.session() as session:
        found = board.board_between(session, house.actor(loner), MONDAY, FAR)
    assert (found.practices, found.days) == ((), ())


def test_what_was_just_taken_can_be_undone_for_a_while(
    cabinet: Cabinet, house: House, clock: FixedClock
) -> None:
    need = house.need(cabinet.practice, THURSDAY)
    number = cabinet.claim(cabinet.lea, need.id)
    (taken,) = cabinet.recent()
    assert (taken.assignment_id, taken.held_until) == (number, None)
    assert taken.undo_until == clock.now() + claiming.UNDO
    assert cabinet.recent(cabinet.titular) == []
    clock.advance(claiming.UNDO + dt.timedelta(seconds=1))
    assert cabinet.recent() == []


def test_a_held_day_stays_in_sight_until_somebody_decides(
    cabinet: Cabinet, house: House, clock: FixedClock
) -> None:
    held = house.practice(claim_policy=ClaimPolicy.HELD, hold_hours=24)
    house.member(held, Role.REPLACEMENT, cabinet.lea)
    house.member(held, Role.TITULAR, given_name="Jean", family_name="Zola")
    house.member(held, Role.TITULAR, given_name="Eve", family_name="Abel")
    house.member(held, Role.TITULAR, given_name="Gone", until=MONDAY - DAY)
    cabinet.claim(cabinet.lea, house.need(held, THURSDAY).id)
    clock.advance(dt.timedelta(hours=2))
    (waiting,) = cabinet.recent()
    assert waiting.undo_until is None
    assert waiting.held_until == clock.now() + dt.timedelta(hours=22)
    with house.database.session() as session:
        names = taken_days.confirmers(session, held.id, house.today)
    assert names == ["Eve Abel", "Jean Zola"]


def test_queries_do_not_grow_with_days_doctors_or_practices(
    cabinet: Cabinet, house: House, database: Database
) -> None:
    def fill(doctors: int, start: dt.date) -> None:
        for number in range(doctors):
            doctor = house.member(cabinet.practice, Role.REPLACEMENT)
            date = start + number * DAY
            house.assignment(house.need(cabinet.practice, date), doctor)
            house.need(cabinet.practice, date, room=1)
            house.available(cabinet.lea, date)

    def queries() -> int:
        actor = house.actor(cabinet.lea)
        with count_queries(database) as statements, database.session() as session:
            assert board.board_between(session, actor, MONDAY, FAR + 300 * DAY).days
        return len(statements)

    cabinet.save(
        ReplacedDoctor(
            practice_id=cabinet.practice.id,
            month=MONDAY.replace(day=1),
            doctor_id=cabinet.titular.id,
        )
    )
    fill(10, MONDAY)
    few = queries()
    fill(290, MONDAY + 10 * DAY)
    for _ in range(3):
        other = house.practice()
        house.member(other, Role.REPLACEMENT, cabinet.lea)
        house.need(other, THURSDAY)
    assert queries() == few
