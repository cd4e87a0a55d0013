"""The figures of a period: what is counted, and what is not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.errors import InvalidInput
from scheduler.core.permissions import Role
from scheduler.people.models import Practice
from scheduler.roster import claiming, releasing, statistics
from scheduler.roster.rules import (
    AssignmentSource,
    AssignmentState,
    NeedState,
    Period,
    ReleaseKind,
)
from scheduler.roster.statistics import (
    Door,
    Facts,
    Lateness,
    NeedRow,
    Person,
    Quartiles,
    Share,
    Span,
    TurnRow,
)
from tests.factories import House
from tests.support import count_queries

MONDAY = dt.date(2026, 11, 23)
DAY, WEEK = dt.timedelta(days=1), dt.timedelta(weeks=1)
PUBLISHED = dt.datetime(2026, 10, 1, 8, 0, tzinfo=dt.UTC)
END = dt.date(2027, 2, 28)


def need(number: int, date: dt.date = MONDAY, half_days: int = 2) -> NeedRow:
    return NeedRow(number, date, half_days, PUBLISHED)


def turn(number: int, doctor_id: int = 1, **values: Any) -> TurnRow:
    values = {
        "half_days": 2,
        "source": AssignmentSource.CLAIM,
        "created_at": PUBLISHED + DAY,
        **values,
    }
    return TurnRow(number, doctor_id, **values)


def people(*names: str) -> tuple[Person, ...]:
    return tuple(Person(number, name, pooled=True) for number, name in enumerate(names, 1))


def test_coverage_is_of_half_days() -> None:
    facts = Facts((need(1), need(2, half_days=1), need(3, half_days=1)), (turn(1), turn(2)))
    found = statistics.coverage(facts)
    assert found == Share(4, 3)
    assert found.percent == 75
    assert Share().percent is None


def test_a_day_given_back_is_not_filled_until_somebody_else_takes_it() -> None:
    given_back = turn(1, release=ReleaseKind.EARLY, notice=20)
    assert statistics.coverage(Facts((need(1),), (given_back,))).filled == 0
    assert statistics.coverage(Facts((need(1),), (given_back, turn(1, 2)))).filled == 2


def test_coverage_among_some_dates() -> None:
    facts = Facts((need(1), need(2, MONDAY + DAY)), (turn(1),))
    assert statistics.coverage(facts, lambda day: day == MONDAY) == Share(2, 2)
    assert statistics.coverage(facts, lambda day: day != MONDAY) == Share(2, 0)


def test_weeks_without_needs_stand_between_those_with_some() -> None:
    facts = Facts((need(1), need(2, MONDAY + 2 * WEEK + DAY)), (turn(2),))
    assert statistics.coverage_by_week(facts) == {
        MONDAY: Share(2, 0),
        MONDAY + WEEK: Share(0, 0),
        MONDAY + 2 * WEEK: Share(2, 2),
    }
    assert statistics.coverage_by_week(Facts()) == {}


def test_days_per_doctor_name_those_who_have_none() -> None:
    facts = Facts(
        (need(1), need(2)),
        (turn(1, 2), turn(2, 2, half_days=1), turn(2, 1, release=ReleaseKind.EARLY)),
        (*people("Anne", "Driss"), Person(9, "Luc", pooled=False)),
    )
    found = statistics.days_per_doctor(facts)
    assert [(row.person.name, row.half_days) for row in found] == [("Driss", 3), ("Anne", 0)]


def test_a_titular_who_steps_in_is_a_door_of_their_own() -> None:
    facts = Facts(
        (),
        (
            turn(1),
            turn(2, half_days=1, source=AssignmentSource.CALL),
            turn(3, source=AssignmentSource.CALL, titular=True),
            turn(4, source=AssignmentSource.SWAP, release=ReleaseKind.EARLY),
        ),
    )
    found = statistics.doors(facts)
    assert set(found) == set(Door)
    assert {door: count for door, count in found.items() if count} == {
        Door.CLAIM: 2,
        Door.CALL: 1,
        Door.TITULAR: 2,
    }


def test_every_source_is_a_door() -> None:
    for source in AssignmentSource:
        found = statistics.doors(Facts((need(1),), (turn(1, source=source, half_days=2),)))
        door = next(door for door, count in found.items() if count)
        calendar = source.value in ("caldav", "file", "invitation")
        assert door is (Door.CALENDAR if calendar else Door(source.value))


def test_the_delay_runs_to_the_first_doctor() -> None:
    facts = Facts(
        (need(1), need(2), need(3), need(4)),
        (
            turn(1, release=ReleaseKind.EARLY, created_at=PUBLISHED + 2 * DAY),
            turn(1, created_at=PUBLISHED + 9 * DAY),
            turn(2, created_at=PUBLISHED + DAY / 2),
            # Published again after somebody had it.
            turn(3, created_at=PUBLISHED - DAY),
        ),
    )
    assert statistics.delays(facts) == [0, 0.5, 2]


def test_releases_and_how_late() -> None:
    ends = {
        ReleaseKind.EARLY: 20,
        ReleaseKind.GRANTED: 5,
        ReleaseKind.EMERGENCY: 0,
        ReleaseKind.ABSENCE: 1,
        ReleaseKind.TAKEN_AWAY: 8,
        ReleaseKind.EXPIRED: 9,
        ReleaseKind.REFUSED: 9,
        ReleaseKind.SWAPPED: 9,
        ReleaseKind.TAKEN_OVER: 9,
        ReleaseKind.UNTAKEN: 9,
    }
    assert set(ends) == set(ReleaseKind) - {ReleaseKind.UNDONE}
    facts = Facts(
        (),
        tuple(
            turn(number, release=kind, notice=notice)
            for number, (kind, notice) in enumerate(ends.items())
        ),
    )
    assert statistics.releases(facts) == dict.fromkeys(Lateness, 1)
    assert statistics.notices(facts) == [0, 1, 5, 20]


def test_quartiles_lie_between_values() -> None:
    assert statistics.quartiles([]) is None
    assert statistics.quartiles([4]) == Quartiles(4, 4, 4)
    assert statistics.quartiles([0, 1, 2, 3, 4]) == Quartiles(1, 2, 3)
    assert statistics.quartiles([0, 1, 2, 3]) == Quartiles(0.75, 1.5, 2.25)


def test_a_value_lies_in_the_class_that_it_begins() -> None:
    assert statistics.histogram([0, 0.9, 1, 2.9, 3, 400], (0, 1, 3, 7)) == [2, 2, 1, 1]


def test_periods() -> None:
    today = dt.date(2026, 11, 30)
    assert statistics.bounds(Span.LAST_3, today) == (dt.date(2026, 8, 31), today)
    assert statistics.bounds(Span.LAST_12, today) == (dt.date(2025, 12, 1), today)
    assert statistics.bounds(Span.NEXT_3, today) == (today, dt.date(2027, 2, 27))


@pytest.mark.parametrize(
    ("start", "end", "code", "field"),
    [
        (MONDAY, MONDAY - DAY, "period_reversed", "end"),
        (MONDAY, dt.date(2028, 11, 24), "period_too_long", "end"),
        (dt.date(1, 1, 1), MONDAY, "invalid_input", "start"),
        (MONDAY, dt.date(9999, 12, 31), "invalid_input", "end"),
    ],
)
def test_what_is_no_period(start: dt.date, end: dt.date, code: str, field: str) -> None:
    statistics.check_dates(MONDAY, MONDAY)
    with pytest.raises(InvalidInput) as refused:
        statistics.check_dates(start, end)
    assert (refused.value.code, refused.value.facts["field"]) == (code, field)


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice()


def read(database: Database, practice: Practice) -> Facts:
    with database.session() as session:
        found = session.get_one(Practice, practice.id)
        return statistics.read(session, found, MONDAY, END)


def test_what_is_read_of_a_practice(
    database: Database, house: House, practice: Practice, clock: FixedClock
) -> None:
    titular = house.member(practice, Role.TITULAR)
    anne, idle = (house.member(practice, Role.REPLACEMENT) for _ in range(2))
    intern = house.member(practice, Role.INTERN)
    house.member(practice, Role.NURSE)
    morning = house.need(practice, MONDAY + DAY, Period.AM)
    late = house.need(practice, MONDAY + 3 * DAY)
    house.need(practice, MONDAY + 4 * DAY, state=NeedState.WITHDRAWN)
    house.need(practice, END + DAY)
    elsewhere = house.practice()
    house.need(elsewhere, MONDAY)
    clock.advance(dt.timedelta(hours=12))
    with database.transaction() as session:
        taken = claiming.claim(session, house.actor(anne), late.id)
    with database.transaction() as session:
        releasing.release(session, house.actor(anne), taken.id)
    with database.transaction() as session:
        claiming.claim(session, house.actor(titular), late.id)
    facts = read(database, practice)
    assert {(row.need_id, row.half_days) for row in facts.needs} == {(morning.id, 1), (late.id, 2)}
    first, second = sorted(facts.turns, key=lambda row: row.titular)
    assert (first.release, first.notice, first.titular) == (ReleaseKind.EARLY, 3, False)
    assert (second.active, second.titular, second.half_days) == (True, True, 2)
    assert statistics.delays(facts) == [0.5]
    assert {person.doctor_id: person.pooled for person in facts.people} == {
        titular.id: False,
        anne.id: True,
        idle.id: True,
        intern.id: False,
    }
    assert statistics.doors(facts)[Door.TITULAR] == 2


def test_a_claim_undone_counts_nowhere(
    database: Database, house: House, practice: Practice
) -> None:
    anne = house.member(practice, Role.REPLACEMENT)
    found = house.need(practice, MONDAY + 3 * DAY)
    with database.transaction() as session:
        taken = claiming.claim(session, house.actor(anne), found.id)
    with database.transaction() as session:
        claiming.undo(session, house.actor(anne), taken.id)
    facts = read(database, practice)
    assert facts.turns == ()
    assert statistics.delays(facts) == []
    assert not any(statistics.releases(facts).values())
    assert statistics.days_per_doctor(facts)[0].half_days == 0


def test_held_days_count_as_filled(database: Database, house: House, practice: Practice) -> None:
    found = house.need(practice, MONDAY)
    house.assignment(found, house.member(practice, Role.REPLACEMENT), AssignmentState.HELD)
    assert statistics.coverage(read(database, practice)).percent == 100


def test_who_left_keeps_their_name(database: Database, house: House, practice: Practice) -> None:
    gone = house.member(practice, Role.REPLACEMENT, until=MONDAY - DAY)
    house.assignment(house.need(practice, MONDAY), gone)
    (row,) = statistics.days_per_doctor(read(database, practice))
    assert (row.person.name, row.person.pooled, row.half_days) == (gone.name, False, 2)


def test_the_number_of_queries_does_not_depend_on_the_rows(
    database: Database, house: House, practice: Practice
) -> None:
    def queries() -> int:
        with database.session() as session:
            found = session.get_one(Practice, practice.id)
            with count_queries(database) as statements:
                statistics.read(session, found, MONDAY, END)
        return len(statements)

    def live(first: int, last: int) -> None:
        for number in range(first, last):
            doctor = house.member(practice, Role.REPLACEMENT)
            day = house.need(practice, MONDAY + number * DAY)
            house.assignment(day, doctor, AssignmentState.RELEASED)
            house.assignment(day, doctor)

    live(0, 3)
    few = queries()
    live(3, 60)
    assert queries() == few == 3
