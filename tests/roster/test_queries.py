"""What the week, the month and the panel of a day read."""

from __future__ import annotations

import datetime as dt

import pytest

from scheduler.core.errors import NotFound
from scheduler.core.permissions import Role
from scheduler.people.models import Practice
from scheduler.roster import queries
from scheduler.roster.queries import Coverage, Entry
from scheduler.roster.rules import (
    AssignmentState,
    NeedState,
    Period,
    add_months,
    month_bounds,
    parse_month,
    parse_week,
)
from tests.factories import House
from tests.support import count_queries

MONDAY = dt.date(2026, 11, 23)


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", "Salle 2")


def week(house: House, practice: Practice) -> list[Entry]:
    with house.database.session() as session:
        return queries.roster_between(session, practice.id, MONDAY, MONDAY + dt.timedelta(days=6))


def test_the_roster_in_its_order(house: House, practice: Practice) -> None:
    tuesday = MONDAY + dt.timedelta(days=1)
    later = house.need(practice, tuesday, Period.AM)
    second = house.need(practice, MONDAY, room=1)
    first_pm = house.need(practice, MONDAY, Period.PM)
    first_am = house.need(practice, MONDAY, Period.AM)
    house.need(practice, MONDAY + dt.timedelta(days=7))
    house.need(practice, MONDAY - dt.timedelta(days=1))
    house.need(house.practice(), MONDAY)
    house.need(practice, tuesday, Period.PM, state=NeedState.WITHDRAWN)
    found = week(house, practice)
    assert [entry.need_id for entry in found] == [first_am.id, first_pm.id, second.id, later.id]
    assert [entry.room for entry in found] == ["Salle 1", "Salle 1", "Salle 2", "Salle 1"]


def test_who_is_there_and_in_which_role(house: House, practice: Practice) -> None:
    doctor = house.member(practice, Role.REPLACEMENT, given_name="Anne", family_name="Petit")
    house.member(practice, Role.INTERN, doctor, until=MONDAY - dt.timedelta(days=1))
    house.member(practice, Role.SECRETARY, doctor)
    house.assignment(house.need(practice, MONDAY), doctor, AssignmentState.HELD)
    given_back = house.need(practice, MONDAY, room=1)
    house.assignment(given_back, doctor, AssignmentState.RELEASED)
    taken, free = week(house, practice)
    assert (taken.doctor, taken.family_name, taken.doctor_id) == ("Anne Petit", "Petit", doctor.id)
    assert (taken.role, taken.state) == (Role.REPLACEMENT, AssignmentState.HELD)
    assert (free.uncovered, free.doctor, free.state, free.role) == (True, None, None, None)


def test_a_need_without_a_role_that_fits_shows_the_doctor_s_own(
    house: House, practice: Practice
) -> None:
    intern = house.member(practice, Role.INTERN)
    house.assignment(house.need(practice, MONDAY), intern)
    assert week(house, practice)[0].role is Role.INTERN


def test_queries_do_not_grow(house: House) -> None:
    def count(size: int) -> int:
        practice = house.practice(*(f"Salle {number}" for number in range(size)))
        for room in range(size):
            doctor = house.member(practice, Role.REPLACEMENT)
            house.assignment(house.need(practice, MONDAY, room=room), doctor)
        with count_queries(house.database) as statements:
            assert len(week(house, practice)) == size
        return sum(statement.startswith("SELECT") for statement in statements)

    assert count(60) == count(3) == 2


def entry(period: Period, *, filled: bool, offset: int = 0) -> Entry:
    state = AssignmentState.CONFIRMED if filled else None
    day = MONDAY + dt.timedelta(days=offset)
    return Entry(1, 1, "Salle 1", day, period, 1, (), state=state)


def test_coverage_counts_half_days_and_days() -> None:
    found = Coverage.of(
        [
            entry(Period.DAY, filled=True),
            entry(Period.AM, filled=True),
            entry(Period.PM, filled=True, offset=1),
            entry(Period.DAY, filled=False, offset=2),
        ],
        3,
        MONDAY,
    )
    assert (found.half_days, found.filled, found.to_fill) == (6, 4, 2)
    assert (found.days_with_doctor, found.minimum_reached) == (2, False)
    assert Coverage.of([entry(Period.AM, filled=True)], 1, MONDAY).minimum_reached
    assert Coverage.of([], 0, MONDAY).minimum_reached


def test_days_gone_by_are_missed_and_no_longer_to_fill() -> None:
    entries = [
        entry(Period.DAY, filled=True),
        entry(Period.AM, filled=False),
        entry(Period.DAY, filled=False, offset=1),
        entry(Period.PM, filled=False, offset=2),
    ]
    found = Coverage.of(entries, 0, MONDAY + dt.timedelta(days=1))
    assert (found.half_days, found.filled, found.missed, found.to_fill) == (6, 2, 1, 3)
    found = Coverage.of(entries, 0, MONDAY + dt.timedelta(days=7))
    assert (found.half_days, found.filled, found.missed, found.to_fill) == (6, 2, 4, 0)


def test_the_detail_of_a_need(house: House, practice: Practice) -> None:
    first = house.member(practice, Role.REPLACEMENT, given_name="Anne", family_name="Petit")
    second = house.member(practice, Role.REPLACEMENT, given_name="Driss", family_name="Benali")
    need = house.need(practice, MONDAY)
    house.assignment(need, first, AssignmentState.RELEASED)
    house.assignment(need, second)
    with house.database.session() as session:
        detail = queries.need_detail(session, practice, need.id)
        assert [turn.doctor for turn in detail.turns] == ["Anne Petit", "Driss Benali"]
        assert detail.holder is detail.turns[-1]
        assert (detail.role, detail.is_open) == (Role.REPLACEMENT, False)
        assert detail.need.room.name == "Salle 1"


def test_an_open_and_a_withdrawn_need(house: House, practice: Practice) -> None:
    free = house.need(practice, MONDAY)
    withdrawn = house.need(practice, MONDAY, state=NeedState.WITHDRAWN)
    with house.database.session() as session:
        detail = queries.need_detail(session, practice, free.id)
        assert (detail.is_open, detail.holder, detail.role) == (True, None, None)
        assert not queries.need_detail(session, practice, withdrawn.id).is_open


def test_needs_and_assignments_of_other_practices_are_not_there(
    house: House, practice: Practice
) -> None:
    other = house.practice()
    need = house.need(other, MONDAY)
    taken = house.assignment(need, house.member(other, Role.REPLACEMENT))
    with house.database.session() as session:
        with pytest.raises(NotFound, match="need_not_found"):
            queries.need_detail(session, practice, need.id)
        with pytest.raises(NotFound, match="assignment_not_found"):
            queries.need_of_assignment(session, practice.id, taken.id)
        assert queries.need_of_assignment(session, other.id, taken.id) == need.id


def test_patterns_by_name(house: House, practice: Practice) -> None:
    house.pattern(practice, (0, Period.DAY), name="Été")
    house.pattern(practice, (0, Period.DAY), (1, Period.AM), name="Courante")
    house.pattern(house.practice(), (0, Period.DAY))
    with house.database.session() as session:
        found = queries.patterns_of(session, practice.id)
        assert [(pattern.name, len(pattern.slots)) for pattern in found] == [
            ("Courante", 2),
            ("Été", 1),
        ]


def test_the_next_published_day(house: House, practice: Practice) -> None:
    house.need(practice, MONDAY)
    house.need(practice, dt.date(2026, 12, 2), state=NeedState.WITHDRAWN)
    house.need(practice, dt.date(2026, 12, 10))
    with house.database.session() as session:
        assert queries.next_published(session, practice.id, MONDAY) == dt.date(2026, 12, 10)
        assert queries.next_published(session, practice.id, dt.date(2026, 12, 10)) is None


def test_what_to_publish_next_leaves_no_gap(house: House, practice: Practice) -> None:
    def following() -> tuple[dt.date, dt.date]:
        with house.database.session() as session:
            return queries.next_unpublished(session, practice.id, MONDAY)

    assert following() == (dt.date(2026, 12, 1), dt.date(2026, 12, 31))
    house.need(practice, dt.date(2026, 12, 11))
    assert following() == (dt.date(2026, 12, 12), dt.date(2026, 12, 31))
    house.need(practice, dt.date(2026, 12, 31))
    assert following() == (dt.date(2027, 1, 1), dt.date(2027, 1, 31))
    # What is left of a month hardly needs a turn of its own.
    house.need(practice, dt.date(2027, 1, 28))
    assert following() == (dt.date(2027, 1, 29), dt.date(2027, 2, 28))
    house.need(practice, dt.date(2027, 3, 3), state=NeedState.WITHDRAWN)
    assert following() == (dt.date(2027, 1, 29), dt.date(2027, 2, 28))


@pytest.mark.parametrize(
    ("text", "monday"),
    [("2026-W48", "2026-11-23"), ("2026-W53", "2026-12-28"), ("2020-W53", "2020-12-28")],
)
def test_weeks_in_addresses(text: str, monday: str) -> None:
    assert parse_week(text).isoformat() == monday


@pytest.mark.parametrize(
    "text",
    ["2026-W54", "2025-W53", "2026-W00", "2026-48", "26-W48", "2026-w48", "٢٠٢٦-W48", "2026-W48\n"],
)
def test_no_such_week(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_week(text)


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-1", "1999-01", "2026-011", "x"])
def test_no_such_month(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_month(text)


def test_months() -> None:
    assert parse_month("2026-02") == dt.date(2026, 2, 1)
    assert month_bounds(dt.date(2028, 2, 14)) == (dt.date(2028, 2, 1), dt.date(2028, 2, 29))
    assert month_bounds(dt.date(2026, 12, 31)) == (dt.date(2026, 12, 1), dt.date(2026, 12, 31))
    assert month_bounds(dt.date.max) == (dt.date(9999, 12, 1), dt.date.max)
    assert add_months(dt.date(2026, 1, 31), 1) == dt.date(2026, 2, 28)
    assert add_months(dt.date(2026, 1, 31), -2) == dt.date(2025, 11, 30)
    assert add_months(dt.date(2026, 12, 1), 12) == dt.date(2027, 12, 1)
