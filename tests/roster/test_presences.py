"""Who is there beside the doctors, week by week and date by date, and the urgent advice."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from scheduler.core.database import Database
from scheduler.core.errors import Forbidden, InvalidInput, NotFound
from scheduler.core.permissions import Role
from scheduler.people.models import Member, Practice, User
from scheduler.roster import presence_queries, presences
from scheduler.roster.models import UrgentAdvice
from scheduler.roster.rules import Period
from tests.factories import House
from tests.support import audited, count_queries

MONDAY = dt.date(2026, 11, 23)
TUESDAY = dt.date(2026, 11, 24)
SUNDAY = dt.date(2026, 11, 29)
WEEK = dt.timedelta(days=7)


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice()


@pytest.fixture
def nurse(house: House, practice: Practice) -> User:
    return house.member(practice, Role.NURSE, given_name="Nadège", family_name="Pineau")


def member_of(house: House, user: User) -> int:
    with house.database.session() as session:
        return session.scalars(sa.select(Member.id).where(Member.user_id == user.id)).one()


def there(
    house: House, practice: Practice, start: dt.date = MONDAY, end: dt.date = SUNDAY
) -> list[tuple[dt.date, Period]]:
    with house.database.session() as session:
        found = presence_queries.presences_between(session, practice.id, start, end)
    return [(present.date, present.period) for present in found]


def add(house: House, actor: User, member: int, **values: object) -> None:
    wanted = {"weekday": 1, "period": Period.DAY, "since": MONDAY, **values}
    with house.database.transaction() as session:
        presences.add_weekly(session, house.actor(actor), member, **wanted)


def test_a_nurse_is_there_every_second_tuesday(
    house: House, practice: Practice, nurse: User
) -> None:
    add(house, nurse, member_of(house, nurse), every=2, until=MONDAY + 5 * WEEK)
    month = there(house, practice, end=MONDAY + 8 * WEEK)
    assert month == [(TUESDAY + number * WEEK, Period.DAY) for number in (0, 2, 4)]
    assert audited(house.database)[-1] == "presence.weekly_added"


def test_two_halves_make_a_day(house: House, practice: Practice, nurse: User) -> None:
    member = member_of(house, nurse)
    add(house, nurse, member, period=Period.AM)
    assert there(house, practice) == [(TUESDAY, Period.AM)]
    add(house, nurse, member, period=Period.PM)
    assert there(house, practice) == [(TUESDAY, Period.DAY)]


def test_a_word_for_one_date_outranks_the_weeks(
    house: House, practice: Practice, nurse: User
) -> None:
    member, actor = member_of(house, nurse), house.actor(nurse)
    add(house, nurse, member)
    with house.database.transaction() as session:
        presences.set_exception(session, actor, member, TUESDAY, None)
        presences.set_exception(session, actor, member, MONDAY, Period.PM)
    assert there(house, practice) == [(MONDAY, Period.PM)]
    with house.database.transaction() as session:
        presences.set_exception(session, actor, member, TUESDAY, Period.AM)
    assert there(house, practice) == [(MONDAY, Period.PM), (TUESDAY, Period.AM)]
    with house.database.transaction() as session:
        presences.clear_exception(session, actor, member, TUESDAY)
        presences.clear_exception(session, actor, member, SUNDAY)
    assert there(house, practice) == [(MONDAY, Period.PM), (TUESDAY, Period.DAY)]
    assert audited(house.database)[-1] == "presence.exception_cleared"


def test_a_member_who_left_is_not_there(house: House, practice: Practice) -> None:
    gone = house.member(practice, Role.NURSE, until=MONDAY)
    secretary = house.member(practice, Role.SECRETARY)
    add(house, secretary, member_of(house, gone), since=MONDAY - WEEK)
    assert there(house, practice, MONDAY - WEEK) == [(TUESDAY - WEEK, Period.DAY)]


def test_a_nurse_says_it_only_of_herself(house: House, practice: Practice, nurse: User) -> None:
    other = house.member(practice, Role.NURSE)
    with pytest.raises(Forbidden):
        add(house, nurse, member_of(house, other))
    add(house, house.member(practice, Role.TITULAR), member_of(house, other))
    with house.database.session() as session:
        own = presence_queries.others_of(session, house.actor(nurse), practice.id, MONDAY)
        assert [member.user_id for member in own] == [nurse.id]


def test_a_stranger_finds_nobody(house: House, nurse: User) -> None:
    stranger = house.member(house.practice(), Role.TITULAR)
    with pytest.raises(NotFound):
        add(house, stranger, member_of(house, nurse))
    with house.database.session() as session, pytest.raises(NotFound):
        presences.remove_weekly(session, house.actor(stranger), 12345)


def test_a_presence_is_taken_away(house: House, practice: Practice, nurse: User) -> None:
    with house.database.transaction() as session:
        row = presences.add_weekly(
            session, house.actor(nurse), member_of(house, nurse), 1, Period.DAY, MONDAY
        )
    with house.database.transaction() as session:
        presences.remove_weekly(session, house.actor(nurse), row.id)
    assert there(house, practice) == []
    with house.database.session() as session, pytest.raises(NotFound):
        presences.remove_weekly(session, house.actor(nurse), row.id)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"until": MONDAY - WEEK}, "presence_dates"),
        ({"weekday": 7}, "presence_weekday"),
        ({"every": 0}, "presence_weekday"),
    ],
)
def test_what_cannot_be_meant(
    house: House, nurse: User, values: dict[str, object], code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        add(house, nurse, member_of(house, nurse), **values)
    assert refused.value.code == code


def test_doctors_are_on_the_roster_by_their_days(house: House, practice: Practice) -> None:
    titular = house.member(practice, Role.TITULAR)
    with pytest.raises(InvalidInput) as refused:
        add(house, titular, member_of(house, titular))
    assert refused.value.code == "presence_of_doctor"


def test_there_are_not_endlessly_many(house: House, nurse: User) -> None:
    member = member_of(house, nurse)
    for _number in range(presences.MOST_REPETITIONS):
        add(house, nurse, member)
    with pytest.raises(InvalidInput) as refused:
        add(house, nurse, member)
    assert refused.value.code == "presence_many"


@pytest.mark.parametrize("date", [MONDAY - dt.timedelta(days=1), MONDAY.replace(year=2030)])
def test_a_date_out_of_reach_is_refused(house: House, nurse: User, date: dt.date) -> None:
    with house.database.session() as session, pytest.raises(InvalidInput) as refused:
        presences.set_exception(
            session, house.actor(nurse), member_of(house, nurse), date, Period.DAY
        )
    assert refused.value.code == "presence_date"


def test_the_week_is_read_in_as_many_queries_for_many(
    house: House, database: Database, practice: Practice
) -> None:
    titular = house.member(practice, Role.TITULAR)

    def read() -> int:
        with count_queries(database) as statements:
            there(house, practice)
        return len(statements)

    for _number in range(2):
        add(house, titular, member_of(house, house.member(practice, Role.NURSE)))
    few = read()
    for _number in range(10):
        add(house, titular, member_of(house, house.member(practice, Role.NURSE)))
    assert read() == few
    assert len(there(house, practice)) == 12


def advice(house: House, practice: Practice) -> dict[int, str]:
    with house.database.session() as session:
        return presence_queries.advice_of(session, practice.id)


def test_the_advice_is_written_changed_and_taken_away(house: House, practice: Practice) -> None:
    actor = house.actor(house.member(practice, Role.SECRETARY))
    with house.database.transaction() as session:
        presences.set_advice(session, actor, practice.id, {0: " Maison  médicale\n", 1: "Le 15"})
    assert advice(house, practice) == {0: "Maison médicale", 1: "Le 15"}
    with house.database.transaction() as session:
        presences.set_advice(session, actor, practice.id, {0: "", 1: "Le 15", 2: ""})
    assert advice(house, practice) == {1: "Le 15"}
    with house.database.transaction() as session:
        presences.set_advice(session, actor, practice.id, {1: "Le 15"})
    assert audited(house.database) == ["advice.changed", "advice.changed"]
    assert advice(house, house.practice()) == {}


def test_the_advice_is_short_and_the_front_desks(house: House, practice: Practice) -> None:
    secretary = house.actor(house.member(practice, Role.SECRETARY))
    doctor = house.actor(house.member(practice, Role.REPLACEMENT))
    with house.database.session() as session:
        with pytest.raises(InvalidInput) as refused:
            presences.set_advice(session, secretary, practice.id, {4: "x" * 301})
        assert refused.value.facts["field"] == "day_4"
        with pytest.raises(Forbidden):
            presences.set_advice(session, doctor, practice.id, {4: "x"})
        assert session.scalars(sa.select(UrgentAdvice)).all() == []
