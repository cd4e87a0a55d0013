"""Public and school holidays, the date after which nobody knows, and a practice's own dates."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from scheduler.calendars import queries, service
from scheduler.calendars.holidays import (
    ENGLISH_SCHOOL_NAMES,
    HolidayCalendar,
    holiday_calendar,
    public_holidays,
    school_data_range,
    school_holidays,
)
from scheduler.calendars.models import HolidayKind, PracticeHoliday
from scheduler.core.audit import AuditEvent
from scheduler.core.database import Database
from scheduler.core.errors import Forbidden, InvalidInput, NotFound
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, SchoolZone
from scheduler.roster.rules import days_between
from tests.factories import House
from tests.support import count_queries

CHRISTMAS = dt.date(2026, 12, 25)


def read(
    database: Database, practice: Practice, start: dt.date, end: dt.date, locale: str = "fr"
) -> HolidayCalendar:
    with database.session() as session:
        return holiday_calendar(session, practice, start, end, locale)


def test_public_holidays_are_named_in_the_readers_language() -> None:
    start, end = dt.date(2026, 12, 25), dt.date(2027, 1, 1)
    assert public_holidays(None, start, end, "fr") == {
        CHRISTMAS: "Noël",
        dt.date(2027, 1, 1): "Jour de l’an",
    }
    assert public_holidays(None, start, end, "en")[CHRISTMAS] == "Christmas Day"


def test_the_eleven_public_holidays_of_a_year() -> None:
    found = public_holidays(None, dt.date(2027, 1, 1), dt.date(2027, 12, 31), "fr")
    assert len(found) == 11
    assert dt.date(2027, 3, 29) in found
    assert list(found) == sorted(found)


def test_a_subdivision_has_its_own() -> None:
    saint_stephen = dt.date(2026, 12, 26)
    assert saint_stephen in public_holidays("57", saint_stephen, saint_stephen, "fr")
    assert saint_stephen not in public_holidays(None, saint_stephen, saint_stephen, "fr")
    assert public_holidays("gone from the library", CHRISTMAS, CHRISTMAS, "fr")


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        (SchoolZone.A, dt.date(2027, 2, 13), dt.date(2027, 2, 28)),
        (SchoolZone.B, dt.date(2027, 2, 20), dt.date(2027, 3, 7)),
        (SchoolZone.C, dt.date(2027, 2, 6), dt.date(2027, 2, 21)),
    ],
)
def test_winter_holidays_differ_by_zone(zone: SchoolZone, first: dt.date, last: dt.date) -> None:
    found = school_holidays(zone, dt.date(2027, 1, 15), dt.date(2027, 3, 20), "fr")
    assert list(found) == list(days_between(first, last))
    assert set(found.values()) == {"Vacances d’hiver"}


def test_every_school_holiday_has_an_english_name() -> None:
    start, end = school_data_range()
    for zone in SchoolZone:
        recent = school_holidays(zone, max(start, dt.date(2020, 1, 1)), end, "fr")
        assert set(recent.values()) <= set(ENGLISH_SCHOOL_NAMES)
        in_english = school_holidays(zone, end, end, "en")
        assert in_english == {end: "Summer school holidays"}


def test_after_the_librarys_last_date_nobody_knows(database: Database, house: House) -> None:
    practice = house.practice(school_zone=SchoolZone.B)
    _first, last = school_data_range()
    assert last >= dt.date(2028, 8, 31)
    christmas = last.replace(month=12, day=25)
    found = read(database, practice, last - dt.timedelta(days=90), christmas)
    assert found.school_known_until == last
    assert found.is_school_holiday(last) is True
    assert found.is_school_holiday(last - dt.timedelta(days=80)) is False
    assert found.is_school_holiday(last + dt.timedelta(days=1)) is None
    assert found.is_school_holiday(christmas) is None
    assert found.school_unknown_from == last + dt.timedelta(days=1)
    assert found.public[christmas] == "Noël"


def test_before_the_librarys_first_date_nobody_knows(database: Database, house: House) -> None:
    practice = house.practice(school_zone=SchoolZone.B)
    first, _last = school_data_range()
    found = read(database, practice, first - dt.timedelta(days=5), first)
    assert found.is_school_holiday(first - dt.timedelta(days=1)) is None
    assert found.is_school_holiday(first) is True
    assert found.school_unknown_from is None


def test_without_a_zone_nothing_is_known_of_schools(database: Database, house: House) -> None:
    found = read(database, house.practice(), CHRISTMAS, CHRISTMAS)
    assert (found.school, found.school_known_until) == ({}, None)
    assert found.is_school_holiday(CHRISTMAS) is None
    assert found.public == {CHRISTMAS: "Noël"}


def test_a_practices_own_dates_add_to_them(database: Database, house: House) -> None:
    practice = house.practice(school_zone=SchoolZone.B)
    actor = house.actor(house.member(practice, Role.TITULAR))
    _first, last = school_data_range()
    autumn = last.replace(month=10, day=21)
    with database.transaction() as session:
        service.add_holiday(
            session, actor, practice, dt.date(2026, 12, 24), CHRISTMAS, "  Pont de   Noël "
        )
        service.add_holiday(
            session,
            actor,
            practice,
            autumn,
            autumn + dt.timedelta(days=15),
            "Toussaint",
            HolidayKind.SCHOOL,
        )
    found = read(database, practice, CHRISTMAS, CHRISTMAS)
    assert found.own == {CHRISTMAS: "Pont de Noël"}
    assert found.closed == {CHRISTMAS: "Noël"}
    later = read(database, practice, autumn, autumn + dt.timedelta(days=30))
    assert later.is_school_holiday(autumn) is True
    assert later.is_school_holiday(autumn + dt.timedelta(days=16)) is None
    assert len(later.school) == 16
    assert later.own == {}
    other = read(database, house.practice(), CHRISTMAS, CHRISTMAS)
    assert other.own == {}


def test_own_dates_are_removed_and_recorded(database: Database, house: House) -> None:
    practice = house.practice()
    actor = house.actor(house.member(practice, Role.TITULAR))
    with database.transaction() as session:
        added = service.add_holiday(session, actor, practice, CHRISTMAS, CHRISTMAS, "Pont")
    with database.session() as session:
        assert [row.id for row in queries.holidays_of(session, practice.id, CHRISTMAS)] == [
            added.id
        ]
        after = CHRISTMAS + dt.timedelta(days=1)
        assert queries.holidays_of(session, practice.id, after) == []
    with pytest.raises(NotFound), database.transaction() as session:
        stranger = house.practice()
        other = house.actor(house.member(stranger, Role.TITULAR))
        service.remove_holiday(session, other, stranger, added.id)
    with database.transaction() as session:
        service.remove_holiday(session, actor, practice, added.id)
    with database.session() as session:
        assert session.scalars(sa.select(PracticeHoliday)).all() == []
        events = session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.sequence))
        assert list(events) == ["holiday.added", "holiday.removed"]


@pytest.mark.parametrize(
    ("start", "end", "name", "code"),
    [
        (CHRISTMAS, CHRISTMAS, "  ", "holiday_name"),
        (CHRISTMAS, CHRISTMAS, "x" * 81, "holiday_name"),
        (CHRISTMAS, CHRISTMAS, "a\x00b", "holiday_name"),
        (CHRISTMAS, CHRISTMAS - dt.timedelta(days=1), "Pont", "holiday_dates"),
        (CHRISTMAS, CHRISTMAS + dt.timedelta(days=120), "Pont", "holiday_too_long"),
        (dt.date(2024, 12, 31), dt.date(2025, 1, 1), "Pont", "holiday_out_of_range"),
        (dt.date(2031, 11, 23), dt.date(2031, 11, 24), "Pont", "holiday_out_of_range"),
        (dt.date.min, dt.date.min, "Pont", "holiday_out_of_range"),
        (dt.date.max, dt.date.max, "Pont", "holiday_out_of_range"),
        (dt.date.min, dt.date.max, "Pont", "holiday_out_of_range"),
    ],
)
def test_own_dates_that_cannot_be_are_refused(
    database: Database, house: House, start: dt.date, end: dt.date, name: str, code: str
) -> None:
    practice = house.practice()
    actor = house.actor(house.member(practice, Role.TITULAR))
    with pytest.raises(InvalidInput) as caught, database.transaction() as session:
        service.add_holiday(session, actor, practice, start, end, name)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (dt.date(2024, 12, 31), CHRISTMAS, "start"),
        (CHRISTMAS, dt.date(2031, 11, 24), "end"),
        (dt.date(2031, 11, 24), dt.date(2031, 11, 25), "start"),
    ],
)
def test_the_date_out_of_range_is_named(
    database: Database, house: House, start: dt.date, end: dt.date, field: str
) -> None:
    practice = house.practice()
    actor = house.actor(house.member(practice, Role.TITULAR))
    with pytest.raises(InvalidInput) as caught, database.transaction() as session:
        service.add_holiday(session, actor, practice, start, end, "Pont")
    assert caught.value.facts == {
        "field": field,
        "earliest": dt.date(2025, 1, 1),
        "latest": dt.date(2031, 11, 23),
    }


@pytest.mark.parametrize("day", [dt.date(2025, 1, 1), dt.date(2031, 11, 23)])
def test_the_first_and_the_last_own_date_that_can_be(
    database: Database, house: House, day: dt.date
) -> None:
    practice = house.practice()
    actor = house.actor(house.member(practice, Role.TITULAR))
    with database.transaction() as session:
        service.add_holiday(session, actor, practice, day, day, "Pont")
    assert read(database, practice, day, day).own == {day: "Pont"}


def test_only_a_titular_adds_dates(database: Database, house: House) -> None:
    practice = house.practice()
    for role in set(Role) - {Role.TITULAR}:
        actor = house.actor(house.member(practice, role))
        with pytest.raises(Forbidden), database.transaction() as session:
            service.add_holiday(session, actor, practice, CHRISTMAS, CHRISTMAS, "Pont")


def test_a_year_costs_one_query(database: Database, house: House) -> None:
    practice = house.practice(school_zone=SchoolZone.B)
    with count_queries(database) as statements:
        read(database, practice, dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    assert len([statement for statement in statements if "SELECT" in statement]) == 1
