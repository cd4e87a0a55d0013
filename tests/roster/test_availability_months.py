"""Whole months: copied from the one before, answered for, with notes to their days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core.clock import FixedClock
from scheduler.core.errors import Forbidden, InvalidInput
from scheduler.core.permissions import Actor, Role
from scheduler.people.models import Practice, User
from scheduler.roster import availabilities, availability_months
from scheduler.roster.availability_months import Change, MonthCopy
from scheduler.roster.availability_queries import (
    answered_at,
    availabilities_between,
    note_texts,
    outlook,
)
from scheduler.roster.availability_rules import expand
from scheduler.roster.models import AvailabilityAnswer
from scheduler.roster.rules import Half, Period, Preference, month_bounds
from tests.factories import House
from tests.support import at_once, audited

WANTED, POSSIBLE, LAST_RESORT = Preference
AM, PM = Half
TODAY = dt.date(2026, 11, 23)
DECEMBER, JANUARY = dt.date(2026, 12, 1), dt.date(2027, 1, 1)


def december(day: int) -> dt.date:
    return dt.date(2026, 12, day)


def january(day: int) -> dt.date:
    return dt.date(2027, 1, day)


@dataclass
class Desk:
    """One doctor and the acts open to them, each in a transaction of its own."""

    house: House
    practice: Practice
    doctor: User
    actor: Actor

    def do(self, act: Callable[..., Any], *values: Any, **named: Any) -> Any:
        with self.house.database.transaction() as session:
            return act(session, self.actor, self.doctor.id, *values, **named)

    def preview(self, practice: Practice | None = None, **named: Any) -> MonthCopy:
        found: MonthCopy = self.do(
            availability_months.preview_copy, JANUARY, practice.id if practice else None, **named
        )
        return found

    def copy(self, practice: Practice | None = None, **named: Any) -> list[dt.date]:
        found: list[dt.date] = self.do(
            availability_months.copy_month, JANUARY, practice.id if practice else None, **named
        )
        return found

    def half_days(self, month: dt.date, practice: Practice | None = None) -> dict[Any, Preference]:
        first, last = month_bounds(month)
        with self.house.database.session() as session:
            said = availabilities_between(session, [self.doctor.id], first, last)[self.doctor.id]
        return expand(*said, first, last, practice.id if practice else None)

    def answered(self, month: dt.date) -> dt.datetime | None:
        with self.house.database.session() as session:
            return answered_at(session, self.doctor.id, month)

    def notes(self) -> dict[dt.date, str]:
        with self.house.database.session() as session:
            return note_texts(session, self.doctor.id, TODAY, january(31))


@pytest.fixture
def desk(house: House) -> Desk:
    practice = house.practice()
    doctor = house.member(practice, Role.REPLACEMENT)
    return Desk(house, practice, doctor, house.actor(doctor))


def test_each_day_goes_to_the_day_with_the_same_place(desk: Desk) -> None:
    # The first Tuesday, the second Thursday and the third Friday afternoon of December.
    desk.house.available(desk.doctor, december(1), december(10))
    desk.house.available(
        desk.doctor, december(18), period=Period.PM, preference=Preference.LAST_RESORT
    )
    assert desk.copy() == [january(5), january(14), january(15)]
    assert desk.half_days(JANUARY) == {
        (january(5), AM): WANTED,
        (january(5), PM): WANTED,
        (january(14), AM): WANTED,
        (january(14), PM): WANTED,
        (january(15), PM): LAST_RESORT,
    }


def test_a_fifth_day_that_the_month_does_not_have_is_left_out(desk: Desk) -> None:
    # Of Thursdays, December 2026 has five and January 2027 four.
    desk.house.available(desk.doctor, december(31))
    assert desk.preview().added == {}
    assert desk.copy() == []


def test_looking_writes_nothing(desk: Desk) -> None:
    desk.house.available(desk.doctor, december(10))
    plan = desk.preview()
    assert plan.source == DECEMBER
    assert plan.added == {(january(14), AM): WANTED, (january(14), PM): WANTED}
    assert (plan.changed, plan.same) == ({}, 0)
    assert desk.half_days(JANUARY) == {}
    assert audited(desk.house.database) == []


def test_what_was_said_otherwise_is_kept_unless_named(desk: Desk) -> None:
    desk.house.available(desk.doctor, december(10), december(11), december(14))
    desk.house.available(desk.doctor, january(14), january(11), preference=LAST_RESORT)
    plan = desk.preview()
    assert plan.changed_days == [january(11), january(14)]
    assert plan.changed[january(14), AM] == Change(LAST_RESORT, WANTED)
    assert desk.copy(changing=[january(11)]) == [january(8), january(11)]
    found = desk.half_days(JANUARY)
    assert found[january(11), AM] is WANTED
    assert found[january(14), AM] is LAST_RESORT


def test_a_no_is_something_that_was_said(desk: Desk) -> None:
    desk.do(availabilities.add_weekly, 3, Period.DAY, POSSIBLE, january(1))
    desk.do(availabilities.set_days, [january(14)], Period.DAY, None)
    desk.house.available(desk.doctor, december(10))
    assert desk.preview().changed[january(14), AM] == Change(None, WANTED)
    assert desk.copy() == []
    assert (january(14), AM) not in desk.half_days(JANUARY)
    assert desk.copy(changing=[january(14)]) == [january(14)]
    assert desk.half_days(JANUARY)[january(14), AM] is WANTED


def test_a_repetition_that_goes_on_is_there_already(desk: Desk) -> None:
    desk.do(availabilities.add_weekly, 3, Period.AM, POSSIBLE, TODAY)
    plan = desk.preview()
    assert (plan.added, plan.changed, plan.same) == ({}, {}, 4)


def test_a_repetition_that_ended_is_copied_day_by_day(desk: Desk) -> None:
    desk.do(availabilities.add_weekly, 1, Period.AM, POSSIBLE, TODAY, december(20), 2)
    # Of its fortnights only 8 December is in that month: the next would come after its end.
    assert desk.copy() == [january(12)]


def test_words_for_one_practice_are_not_covered_up(desk: Desk) -> None:
    other = desk.house.practice()
    desk.house.member(other, Role.REPLACEMENT, desk.doctor)
    desk.actor = desk.house.actor(desk.doctor)
    desk.house.available(desk.doctor, january(14), preference=LAST_RESORT, practice=other)
    desk.house.available(desk.doctor, december(10))
    assert desk.preview().changed[january(14), AM] == Change(None, WANTED, elsewhere=True)
    assert desk.copy() == []
    assert desk.half_days(JANUARY, other)[january(14), AM] is LAST_RESORT
    assert desk.copy(desk.practice) == [january(14)]
    assert desk.half_days(JANUARY, other)[january(14), AM] is LAST_RESORT
    assert desk.half_days(JANUARY, desk.practice)[january(14), AM] is WANTED


def test_days_to_skip_and_days_gone_by_are_left_out(desk: Desk, clock: FixedClock) -> None:
    desk.house.available(desk.doctor, december(8), december(10), december(11))
    clock.move_to(dt.datetime(2027, 1, 13, 9, tzinfo=dt.UTC))
    assert desk.copy(skip=[january(14)]) == []
    assert desk.copy() == [january(14)]


def test_nobody_copies_for_a_doctor(desk: Desk) -> None:
    titular = desk.house.member(desk.practice, Role.TITULAR)
    desk.actor = desk.house.actor(titular)
    for act in (
        availability_months.preview_copy,
        availability_months.copy_month,
        availability_months.answer_month,
        availability_months.decline_month,
        availability_months.reopen_month,
    ):
        with pytest.raises(Forbidden):
            desk.do(act, JANUARY)
    with pytest.raises(Forbidden):
        desk.do(availability_months.set_note, january(14), "Bonjour")


def test_everything_except(desk: Desk) -> None:
    days = desk.do(
        availabilities.set_range,
        december(1),
        december(11),
        [0, 1, 3, 4],
        Period.DAY,
        POSSIBLE,
        without=[december(8), december(10)],
    )
    assert [day.day for day in days] == [1, 3, 4, 7, 11]
    assert {day for day, _half in desk.half_days(DECEMBER)} == set(days)


def test_what_is_left_out_stays_as_it_was(desk: Desk) -> None:
    desk.house.available(desk.doctor, december(8))
    desk.do(
        availabilities.set_range,
        december(7),
        december(9),
        range(7),
        Period.DAY,
        LAST_RESORT,
        without=[december(8)],
    )
    found = desk.half_days(DECEMBER)
    assert [found[december(day), AM] for day in (7, 8, 9)] == [LAST_RESORT, WANTED, LAST_RESORT]


def test_leaving_everything_out_says_nothing(desk: Desk) -> None:
    with pytest.raises(InvalidInput) as caught:
        desk.do(
            availabilities.set_range,
            december(8),
            december(8),
            range(7),
            Period.DAY,
            WANTED,
            without=[december(8)],
        )
    assert caught.value.code == "availability_no_day"


def test_saying_that_all_is_said(desk: Desk) -> None:
    assert desk.answered(DECEMBER) is None
    desk.do(availability_months.answer_month, DECEMBER)
    assert desk.answered(DECEMBER) == desk.house.database.clock.now()
    assert desk.answered(JANUARY) is None
    assert audited(desk.house.database) == ["availability.answered"]


def test_an_answer_can_be_given_again_and_taken_back(desk: Desk, clock: FixedClock) -> None:
    desk.do(availability_months.answer_month, DECEMBER)
    clock.advance(dt.timedelta(days=1))
    desk.do(availability_months.answer_month, DECEMBER)
    assert desk.answered(DECEMBER) == clock.now()
    for _ in range(2):
        desk.do(availability_months.reopen_month, DECEMBER)
        assert desk.answered(DECEMBER) is None
    assert audited(desk.house.database)[-1] == "availability.answer_withdrawn"


def test_answers_at_once_are_one(desk: Desk) -> None:
    act = lambda: desk.do(availability_months.answer_month, DECEMBER)  # noqa: E731
    assert at_once(*[act] * 6) == [None] * 6
    with desk.house.database.session() as session:
        assert session.scalar(sa.select(sa.func.count(AvailabilityAnswer.id))) == 1


def test_not_coming_at_all_takes_the_month_back(desk: Desk) -> None:
    desk.do(availabilities.add_weekly, 3, Period.DAY, POSSIBLE, TODAY)
    desk.house.available(desk.doctor, december(8), january(5))
    desk.do(availability_months.decline_month, DECEMBER)
    assert desk.half_days(DECEMBER) == {}
    assert desk.half_days(JANUARY)[january(14), AM] is POSSIBLE
    assert desk.half_days(JANUARY)[january(5), AM] is WANTED
    assert desk.answered(DECEMBER) is not None


def test_not_coming_in_the_month_under_way_keeps_what_is_over(desk: Desk) -> None:
    desk.house.available(desk.doctor, dt.date(2026, 11, 3), dt.date(2026, 11, 26))
    desk.do(availability_months.decline_month, dt.date(2026, 11, 1))
    assert {day.day for day, _half in desk.half_days(dt.date(2026, 11, 1))} == {3}


@pytest.mark.parametrize(
    ("month", "code"),
    [
        (dt.date(2026, 10, 1), "availability_past"),
        (dt.date(2028, 6, 1), "availability_too_far"),
    ],
)
@pytest.mark.parametrize(
    "act",
    [
        availability_months.answer_month,
        availability_months.decline_month,
        availability_months.copy_month,
    ],
)
def test_months_that_cannot_be_meant(
    desk: Desk, act: Callable[..., Any], month: dt.date, code: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        desk.do(act, month)
    assert caught.value.code == code


def test_a_note_is_written_changed_and_taken_away(desk: Desk) -> None:
    desk.do(availability_months.set_note, december(8), "  Je peux\n arriver à 9 h. ")
    assert desk.notes() == {december(8): "Je peux arriver à 9 h."}
    desk.do(availability_months.set_note, december(8), "Je peux arriver à 10 h.")
    assert desk.notes() == {december(8): "Je peux arriver à 10 h."}
    desk.do(availability_months.set_note, december(8), "Je peux arriver à 10 h.")
    desk.do(availability_months.set_note, december(8), "")
    desk.do(availability_months.set_note, december(8), " ")
    assert desk.notes() == {}
    assert audited(desk.house.database) == [
        "availability.noted",
        "availability.noted",
        "availability.note_removed",
    ]


@pytest.mark.parametrize(
    ("day", "text", "code"),
    [
        (TODAY - dt.timedelta(1), "Bonjour", "availability_past"),
        (dt.date(2028, 6, 1), "Bonjour", "availability_too_far"),
        (december(8), "x" * 201, "availability_note_too_long"),
    ],
)
def test_notes_that_cannot_be_meant(desk: Desk, day: dt.date, text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        desk.do(availability_months.set_note, day, text)
    assert caught.value.code == code
    assert desk.notes() == {}


def test_what_a_month_needs_is_counted_for_the_doctor(desk: Desk) -> None:
    house, colleague = desk.house, desk.house.member(desk.practice, Role.ASSISTANT)
    for day in (7, 8, 10):
        house.need(desk.practice, december(day))
    house.need(desk.practice, december(11), Period.PM)
    house.assignment(house.need(desk.practice, december(14)), colleague)
    house.need(desk.practice, december(15), roles=["titular"])
    house.available(desk.doctor, december(7))
    house.available(desk.doctor, december(8), period=Period.AM)
    house.available(desk.doctor, december(10), preference=LAST_RESORT)
    house.available(desk.doctor, december(11), preference=POSSIBLE)
    found = desk_outlook(desk)
    assert found.by_date == {december(day): 1 for day in (7, 8, 10, 11)}
    assert (found.open, found.suiting) == (4, 2)
    # Seven half-days for two doctors.
    assert (found.share, found.given, found.generous) == (4, 0, False)


def test_who_has_an_equal_part_already_is_thanked(desk: Desk) -> None:
    house = desk.house
    house.member(desk.practice, Role.REPLACEMENT)
    house.assignment(house.need(desk.practice, december(7)), desk.doctor)
    house.need(desk.practice, december(8))
    found = desk_outlook(desk)
    assert (found.share, found.given, found.generous) == (1, 2, True)


def desk_outlook(desk: Desk) -> Any:
    first, last = month_bounds(DECEMBER)
    with desk.house.database.session() as session:
        said = availabilities_between(session, [desk.doctor.id], first, last)[desk.doctor.id]
        memberships = desk.actor.memberships
        return outlook(session, desk.doctor.id, memberships, DECEMBER, TODAY, said)
