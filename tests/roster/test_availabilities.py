"""Doctors say when they can come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core import audit
from scheduler.core.audit import AuditEvent
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database, UnitOfWork
from scheduler.core.errors import Forbidden, InvalidInput, NotFound
from scheduler.core.permissions import Actor, Role
from scheduler.people.models import Practice, User
from scheduler.roster import availabilities, availability_saying
from scheduler.roster.availability_queries import availabilities_between
from scheduler.roster.availability_rules import expand
from scheduler.roster.models import Assignment, Availability, WeeklyAvailability
from scheduler.roster.rules import AssignmentState, Half, Period, Preference
from tests.factories import House
from tests.support import at_once, count_queries

WANTED, POSSIBLE, LAST_RESORT = Preference
AM, PM = Half
TODAY = dt.date(2026, 11, 23)
THURSDAY = dt.date(2026, 12, 3)
NEXT_THURSDAY = dt.date(2026, 12, 10)
FAR = dt.date(2028, 5, 23)


@dataclass
class Desk:
    """One doctor and the acts open to them, each in a transaction of its own."""

    house: House
    practice: Practice
    doctor: User
    actor: Actor

    def do(self, act: Callable[..., Any], *values: Any, **named: Any) -> Any:
        with self.house.database.transaction() as session:
            return act(session, self.actor, *values, **named)

    def say(
        self,
        preference: Preference | None,
        *days: dt.date,
        period: Period = Period.DAY,
        practice: Practice | None = None,
    ) -> None:
        self.do(
            availabilities.set_days,
            self.doctor.id,
            days,
            period,
            preference,
            practice.id if practice else None,
        )

    def cycle(self, *days: dt.date, period: Period = Period.DAY) -> Preference | None:
        found: Preference | None = self.do(availabilities.cycle_days, self.doctor.id, days, period)
        return found

    def weekly(self, weekday: int = 3, preference: Preference = POSSIBLE, **values: Any) -> int:
        values = {"period": Period.DAY, "start": TODAY} | values
        row = self.do(
            availabilities.add_weekly,
            self.doctor.id,
            weekday,
            preference=preference,
            **values,
        )
        return int(row.id)

    def half_days(self, practice: Practice | None = None, until: dt.date = FAR) -> dict[Any, Any]:
        with self.house.database.session() as session:
            said = availabilities_between(session, [self.doctor.id], TODAY, until)
        return expand(*said[self.doctor.id], TODAY, until, practice.id if practice else None)

    def rows(self) -> int:
        with self.house.database.session() as session:
            return session.scalar(sa.select(sa.func.count(Availability.id))) or 0

    def events(self) -> list[AuditEvent]:
        with self.house.database.session() as session:
            return list(session.scalars(sa.select(AuditEvent).order_by(AuditEvent.sequence)))


@pytest.fixture
def desk(house: House) -> Desk:
    practice = house.practice()
    doctor = house.member(practice, Role.REPLACEMENT)
    return Desk(house, practice, doctor, house.actor(doctor))


def test_a_day_is_both_its_halves(desk: Desk) -> None:
    desk.say(WANTED, THURSDAY)
    assert desk.half_days() == {(THURSDAY, AM): WANTED, (THURSDAY, PM): WANTED}


def test_a_half_day_leaves_the_other_alone(desk: Desk) -> None:
    desk.say(WANTED, THURSDAY)
    desk.say(LAST_RESORT, THURSDAY, period=Period.PM)
    assert desk.half_days() == {(THURSDAY, AM): WANTED, (THURSDAY, PM): LAST_RESORT}


def test_saying_it_again_changes_nothing_and_notes_nothing(desk: Desk) -> None:
    for _ in range(2):
        desk.say(POSSIBLE, THURSDAY, NEXT_THURSDAY)
    assert len(desk.half_days()) == desk.rows() == 4
    assert len(desk.events()) == 1


def test_nothing_said_leaves_no_row(desk: Desk) -> None:
    desk.say(WANTED, THURSDAY)
    desk.say(None, THURSDAY)
    assert desk.half_days() == {}
    assert desk.rows() == 0


def test_a_no_stays_only_where_a_repetition_says_yes(desk: Desk) -> None:
    desk.weekly(period=Period.AM)
    desk.say(None, THURSDAY)
    assert desk.rows() == 1
    assert (THURSDAY, AM) not in desk.half_days()
    assert desk.half_days()[NEXT_THURSDAY, AM] is POSSIBLE


def test_a_day_taken_back_does_not_lie_in_wait_for_a_later_repetition(desk: Desk) -> None:
    desk.say(LAST_RESORT, THURSDAY)
    desk.say(None, THURSDAY)
    desk.weekly()
    assert desk.half_days()[THURSDAY, AM] is POSSIBLE


def test_the_cycle_goes_round(desk: Desk) -> None:
    seen = [desk.cycle(THURSDAY) for _ in range(5)]
    assert seen == [WANTED, POSSIBLE, LAST_RESORT, None, WANTED]
    assert desk.half_days() == {(THURSDAY, AM): WANTED, (THURSDAY, PM): WANTED}


def test_the_cycle_starts_from_what_a_repetition_says(desk: Desk) -> None:
    desk.weekly(preference=LAST_RESORT)
    assert desk.cycle(THURSDAY) is None
    assert (THURSDAY, AM) not in desk.half_days()
    assert desk.cycle(THURSDAY) is WANTED


def test_days_of_one_cycle_follow_the_first(desk: Desk) -> None:
    desk.say(LAST_RESORT, NEXT_THURSDAY)
    assert desk.cycle(NEXT_THURSDAY, THURSDAY) is WANTED
    assert set(desk.half_days().values()) == {WANTED}


def test_a_range_takes_its_weekdays(desk: Desk) -> None:
    days = desk.do(
        availabilities.set_range,
        desk.doctor.id,
        dt.date(2026, 12, 1),
        dt.date(2026, 12, 31),
        {1, 3},
        Period.AM,
        POSSIBLE,
    )
    assert [day.day for day in days] == [1, 3, 8, 10, 15, 17, 22, 24, 29, 31]
    assert desk.half_days() == {(day, AM): POSSIBLE for day in days}
    [event] = desk.events()
    assert (event.action, event.subject_id) == ("availability.set", desk.doctor.id)
    assert event.details == {
        "preference": "possible",
        "first": "2026-12-01",
        "last": "2026-12-31",
        "half_days": 10,
    }


def test_the_longest_range_is_a_year(desk: Desk) -> None:
    end = TODAY + dt.timedelta(days=369)
    arguments = (desk.doctor.id, TODAY, end, range(7), Period.DAY, WANTED)
    assert len(desk.do(availabilities.set_range, *arguments)) == 370
    assert len(desk.half_days()) == 740


@pytest.mark.parametrize(
    ("start", "end", "weekdays", "code", "field"),
    [
        (THURSDAY, TODAY, range(7), "availability_range_order", "end"),
        (TODAY - dt.timedelta(1), TODAY, range(7), "availability_past", "start"),
        (TODAY, TODAY + dt.timedelta(370), range(7), "availability_range_long", "end"),
        (FAR, FAR + dt.timedelta(1), range(7), "availability_too_far", "end"),
        (TODAY, THURSDAY, (), "availability_no_day", "weekdays"),
        (TODAY, TODAY, (1,), "availability_no_day", "weekdays"),
    ],
)
def test_a_range_that_cannot_be_meant(
    desk: Desk, start: dt.date, end: dt.date, weekdays: Any, code: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        desk.do(availabilities.set_range, desk.doctor.id, start, end, weekdays, Period.DAY, WANTED)
    assert (caught.value.code, caught.value.facts["field"]) == (code, field)
    assert desk.rows() == 0


@pytest.mark.parametrize(
    ("days", "code"),
    [
        ([], "availability_no_day"),
        ([TODAY - dt.timedelta(1), THURSDAY], "availability_past"),
        ([THURSDAY, FAR + dt.timedelta(1)], "availability_too_far"),
        ([TODAY + dt.timedelta(n) for n in range(371)], "availability_range_long"),
    ],
)
@pytest.mark.parametrize("act", ["say", "cycle"])
def test_days_that_cannot_be_meant(desk: Desk, act: str, days: list[dt.date], code: str) -> None:
    arguments = (WANTED, *days) if act == "say" else days
    with pytest.raises(InvalidInput) as caught:
        getattr(desk, act)(*arguments)
    assert caught.value.code == code
    assert desk.rows() == 0


def test_today_and_the_last_day_are_allowed(desk: Desk) -> None:
    desk.say(WANTED, TODAY, FAR)
    assert len(desk.half_days()) == 4


def test_today_is_the_date_of_the_practice(desk: Desk, clock: FixedClock) -> None:
    # Half past eleven in the evening of the 23rd in UTC is the 24th in Paris.
    clock.move_to(dt.datetime(2026, 11, 23, 23, 30, tzinfo=dt.UTC))
    with pytest.raises(InvalidInput):
        desk.say(WANTED, TODAY)
    desk.say(WANTED, TODAY + dt.timedelta(1))


@pytest.mark.parametrize("role", list(Role))
def test_who_may_say_when_they_can_come(house: House, role: Role) -> None:
    user = house.member(house.practice(), role)
    with house.database.transaction() as session:
        act = (session, house.actor(user), user.id, [THURSDAY], Period.DAY, WANTED)
        if role in (Role.SECRETARY, Role.NURSE, Role.VIEWER):
            with pytest.raises(Forbidden):
                availabilities.set_days(*act)
        else:
            availabilities.set_days(*act)


def test_nobody_says_it_for_a_doctor(desk: Desk) -> None:
    titular = desk.house.member(desk.practice, Role.TITULAR)
    weekly_id = desk.weekly()
    desk.actor = desk.house.actor(titular)
    with pytest.raises(Forbidden):
        desk.say(WANTED, THURSDAY)
    with pytest.raises(Forbidden):
        desk.cycle(THURSDAY)
    with pytest.raises(Forbidden):
        desk.weekly()
    with pytest.raises(NotFound):
        desk.do(availabilities.end_weekly, weekly_id, THURSDAY)
    with pytest.raises(NotFound):
        desk.do(availabilities.remove_weekly, weekly_id)


def test_a_practice_one_is_no_member_of(desk: Desk) -> None:
    with pytest.raises(Forbidden):
        desk.say(WANTED, THURSDAY, practice=desk.house.practice())


def test_a_word_for_one_practice(desk: Desk) -> None:
    other = desk.house.practice()
    desk.house.member(other, Role.REPLACEMENT, desk.doctor)
    desk.actor = desk.house.actor(desk.doctor)
    desk.say(WANTED, THURSDAY)
    desk.say(None, THURSDAY, practice=other)
    assert desk.half_days(other) == {}
    assert len(desk.half_days(desk.practice)) == 2
    desk.say(POSSIBLE, THURSDAY)
    assert set(desk.half_days(other).values()) == {POSSIBLE}
    assert desk.rows() == 2


def test_a_no_for_one_practice_leaves_no_row_where_nothing_says_yes(desk: Desk) -> None:
    desk.say(None, THURSDAY, practice=desk.practice)
    assert desk.rows() == 0


def test_a_day_given_to_the_doctor_stays_theirs(desk: Desk) -> None:
    need = desk.house.need(desk.practice, THURSDAY)
    assignment = desk.house.assignment(need, desk.doctor)
    desk.say(WANTED, THURSDAY)
    desk.say(None, THURSDAY)
    with desk.house.database.session() as session:
        assert session.get_one(Assignment, assignment.id).state is AssignmentState.CONFIRMED


def test_a_repetition_is_added_once(desk: Desk) -> None:
    assert desk.weekly() == desk.weekly()
    assert desk.weekly(interval_weeks=2) != desk.weekly()
    assert [event.action for event in desk.events()] == ["availability.repetition_added"] * 2


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"start": TODAY - dt.timedelta(1)}, "availability_past", "start"),
        ({"start": FAR + dt.timedelta(1)}, "availability_too_far", "start"),
        ({"start": TODAY, "end": dt.date(9999, 12, 31)}, "availability_too_far", "end"),
        ({"start": THURSDAY, "end": TODAY}, "availability_range_order", "end"),
        ({"start": TODAY, "end": TODAY}, "availability_no_day", "end"),
    ],
)
def test_a_repetition_that_cannot_be_meant(
    desk: Desk, values: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        desk.weekly(**values)
    assert (caught.value.code, caught.value.facts["field"]) == (code, field)
    assert desk.events() == []


def test_repetitions_are_not_endless(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availabilities, "MOST_REPETITIONS", 2)
    desk.weekly(0)
    desk.weekly(1)
    with pytest.raises(InvalidInput) as caught:
        desk.weekly(2)
    assert caught.value.code == "availability_many_repetitions"


def test_a_repetition_ends(desk: Desk) -> None:
    weekly_id = desk.weekly()
    desk.do(availabilities.end_weekly, weekly_id, THURSDAY)
    desk.do(availabilities.end_weekly, weekly_id, THURSDAY)
    assert sorted({day for day, _half in desk.half_days()}) == [dt.date(2026, 11, 26), THURSDAY]
    assert [event.action for event in desk.events()][1:] == ["availability.repetition_ended"]


@pytest.mark.parametrize(
    ("last", "code"),
    [
        (TODAY - dt.timedelta(1), "availability_past"),
        (THURSDAY - dt.timedelta(1), "availability_range_order"),
    ],
)
def test_a_repetition_cannot_end_before_today_or_its_start(
    desk: Desk, last: dt.date, code: str
) -> None:
    weekly_id = desk.weekly(start=THURSDAY)
    with pytest.raises(InvalidInput) as caught:
        desk.do(availabilities.end_weekly, weekly_id, last)
    assert caught.value.code == code


def test_a_repetition_not_begun_is_removed_whole(desk: Desk) -> None:
    weekly_id = desk.weekly()
    desk.do(availabilities.remove_weekly, weekly_id)
    assert desk.half_days() == {}
    with desk.house.database.session() as session:
        assert session.get(WeeklyAvailability, weekly_id) is None
    with pytest.raises(NotFound):
        desk.do(availabilities.remove_weekly, weekly_id)


def test_removing_a_repetition_keeps_what_it_said_of_the_past(
    desk: Desk, clock: FixedClock
) -> None:
    weekly_id = desk.weekly()
    clock.advance(dt.timedelta(days=7))
    desk.do(availabilities.remove_weekly, weekly_id)
    desk.do(availabilities.remove_weekly, weekly_id)
    assert {day for day, _half in desk.half_days()} == {dt.date(2026, 11, 26)}
    assert [event.action for event in desk.events()][1:] == ["availability.repetition_removed"]


def test_exceptions_go_with_the_repetition_they_were_made_to(desk: Desk) -> None:
    weekly_id = desk.weekly()
    desk.weekly(4)
    desk.say(None, THURSDAY, NEXT_THURSDAY, THURSDAY + dt.timedelta(1))
    desk.do(availabilities.end_weekly, weekly_id, THURSDAY)
    assert desk.rows() == 4
    desk.do(availabilities.remove_weekly, weekly_id)
    assert desk.rows() == 2
    desk.weekly()
    assert desk.half_days()[THURSDAY, AM] is POSSIBLE
    assert (THURSDAY + dt.timedelta(1), AM) not in desk.half_days()


def test_taps_at_once_on_the_phone_and_the_computer(desk: Desk) -> None:
    # Begun backwards, so that rows are not always taken in the same order.
    def tap(preference: Preference | None, *days: dt.date) -> Callable[[], None]:
        return lambda: desk.say(preference, *days)

    month = [THURSDAY + dt.timedelta(n) for n in range(20)]
    preferences = [*Preference, None]
    acts = [tap(preferences[n % 4], *(month if n % 2 else month[::-1])) for n in range(12)]
    assert at_once(*acts) == [None] * 12
    found = desk.half_days()
    assert len(found) in (0, 40)
    assert len(set(found.values())) <= 1
    with desk.house.database.session() as session:
        assert audit.verify(session).fault is None


def test_cycles_at_once_each_make_a_step(desk: Desk) -> None:
    assert at_once(*[lambda: desk.cycle(THURSDAY)] * 7) == [None] * 7
    assert set(desk.half_days().values()) == {LAST_RESORT}


def test_the_same_repetition_added_at_once_is_one(desk: Desk) -> None:
    assert at_once(*[desk.weekly] * 6) == [None] * 6
    with desk.house.database.session() as session:
        assert session.scalar(sa.select(sa.func.count(WeeklyAvailability.id))) == 1


def test_a_row_written_by_somebody_without_the_lock_is_overwritten(desk: Desk) -> None:
    with desk.house.database.transaction() as session:
        availability_saying._upsert(session, desk.doctor.id, [(THURSDAY, AM)], WANTED, None)
        availability_saying._upsert(session, desk.doctor.id, [(THURSDAY, AM)], POSSIBLE, None)
        for preference in (WANTED, LAST_RESORT):
            availability_saying._upsert(
                session, desk.doctor.id, [(THURSDAY, AM)], preference, desk.practice.id
            )
    assert desk.rows() == 2
    assert desk.half_days() == {(THURSDAY, AM): POSSIBLE}
    assert desk.half_days(desk.practice) == {(THURSDAY, AM): LAST_RESORT}


def test_the_answer_sees_what_was_just_said(desk: Desk, database: Database) -> None:
    desk.say(WANTED, THURSDAY)
    with database.transaction() as session:
        before = availabilities_between(session, [desk.doctor.id], THURSDAY, THURSDAY)
        availabilities.set_days(
            session, desk.actor, desk.doctor.id, [THURSDAY], Period.DAY, POSSIBLE
        )
        after = availabilities_between(session, [desk.doctor.id], THURSDAY, THURSDAY)
        assert before.keys() == after.keys()
        assert {row.preference for row in after[desk.doctor.id].explicit} == {POSSIBLE}


def queries_of(database: Database, act: Callable[[UnitOfWork], object]) -> int:
    with database.session() as session, count_queries(database) as statements:
        act(session)
    return len(statements)


def test_queries_do_not_grow_with_doctors_and_days(desk: Desk, database: Database) -> None:
    doctors = [desk.doctor.id]

    def read(session: UnitOfWork) -> object:
        return availabilities_between(session, doctors, TODAY, FAR)

    def write(session: UnitOfWork) -> object:
        days = [THURSDAY + dt.timedelta(n) for n in range(50 if len(doctors) > 1 else 1)]
        return availabilities.set_days(
            session, desk.actor, desk.doctor.id, days, Period.DAY, WANTED
        )

    before = [queries_of(database, act) for act in (read, write)]
    for _ in range(3):
        other = desk.house.member(desk.practice, Role.REPLACEMENT)
        desk.house.available(other, THURSDAY, NEXT_THURSDAY)
        doctors.append(other.id)
    assert [queries_of(database, act) for act in (read, write)] == before
