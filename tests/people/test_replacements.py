"""The replaced doctor of each month, and the derogations."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.database import Database
from scheduler.core.errors import Forbidden, InvalidInput, NotFound
from scheduler.core.permissions import Actor, Role
from scheduler.people import replacements
from scheduler.people.models import Practice, User
from scheduler.people.replacements import MonthOfReplacement, uncovered
from tests.factories import House
from tests.support import audited, count_queries

NOVEMBER, DECEMBER = dt.date(2026, 11, 1), dt.date(2026, 12, 1)
TODAY = dt.date(2026, 11, 23)
DAY = dt.timedelta(days=1)


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice()


@pytest.fixture
def titular(house: House, practice: Practice) -> User:
    return house.member(practice, Role.TITULAR)


@pytest.fixture
def actor(house: House, titular: User) -> Actor:
    return house.actor(titular)


def choose(
    database: Database, actor: Actor, practice: Practice, chosen: dict[dt.date, int | None]
) -> None:
    with database.transaction() as session:
        found = session.get_one(Practice, practice.id)
        replacements.choose_replaced(session, actor, found, chosen)


def grant(
    database: Database,
    actor: Actor,
    practice: Practice,
    doctor: User,
    since: dt.date,
    until: dt.date,
    **values: Any,
) -> int:
    with database.transaction() as session:
        found = session.get_one(Practice, practice.id)
        return replacements.add_derogation(
            session, actor, found, doctor.id, since, until, **values
        ).id


def months(database: Database, practice: Practice) -> list[MonthOfReplacement]:
    with database.session() as session:
        found = session.get_one(Practice, practice.id)
        return replacements.months_of(session, found, TODAY)


def test_each_month_has_its_replaced_doctor(
    database: Database, house: House, practice: Practice, actor: Actor, titular: User
) -> None:
    other = house.member(practice, Role.TITULAR)
    choose(database, actor, practice, {NOVEMBER: titular.id, DECEMBER: other.id})
    found = months(database, practice)
    assert [month.month for month in found[:3]] == [NOVEMBER, DECEMBER, dt.date(2027, 1, 1)]
    assert len(found) == 12
    assert [month.doctor.id if month.doctor else None for month in found[:3]] == [
        titular.id,
        other.id,
        None,
    ]
    choose(database, actor, practice, {NOVEMBER: other.id, DECEMBER: None})
    found = months(database, practice)
    assert [month.doctor.id if month.doctor else None for month in found[:2]] == [other.id, None]
    assert audited(database) == ["replaced.changed"] * 4


def test_what_stays_is_not_recorded(
    database: Database, practice: Practice, actor: Actor, titular: User
) -> None:
    for _ in range(2):
        choose(database, actor, practice, {NOVEMBER: titular.id, DECEMBER: None})
    assert audited(database) == ["replaced.changed"]


def test_a_replaced_doctor_is_a_titular_of_that_month(
    database: Database, house: House, practice: Practice, actor: Actor
) -> None:
    lea = house.member(practice, Role.REPLACEMENT)
    leaving = house.member(practice, Role.TITULAR, until=dt.date(2026, 12, 15))
    elsewhere = house.member(house.practice(), Role.TITULAR)
    choose(database, actor, practice, {DECEMBER: leaving.id})
    january = dt.date(2027, 1, 1)
    for doctor in (lea, leaving, elsewhere):
        with pytest.raises(InvalidInput) as refused:
            choose(database, actor, practice, {NOVEMBER: None, january: doctor.id})
        assert refused.value.code == "replaced_no_titular"
        assert refused.value.facts["month"] == january


def test_days_without_a_derogation_are_told(
    database: Database, practice: Practice, actor: Actor, titular: User
) -> None:
    choose(database, actor, practice, {NOVEMBER: titular.id, DECEMBER: titular.id})
    november, december = months(database, practice)[:2]
    # What is over is of no interest any more.
    assert november.uncovered == ((TODAY, dt.date(2026, 11, 30)),)
    assert december.uncovered == ((DECEMBER, dt.date(2026, 12, 31)),)
    grant(database, actor, practice, titular, NOVEMBER, dt.date(2026, 12, 10))
    grant(database, actor, practice, titular, dt.date(2026, 12, 8), dt.date(2026, 12, 20))
    november, december = months(database, practice)[:2]
    assert november.uncovered == ()
    assert december.uncovered == ((dt.date(2026, 12, 21), dt.date(2026, 12, 31)),)


def test_a_derogation_is_its_doctors_own(
    database: Database, house: House, practice: Practice, actor: Actor, titular: User
) -> None:
    other = house.member(practice, Role.TITULAR)
    choose(database, actor, practice, {DECEMBER: titular.id})
    grant(database, actor, practice, other, NOVEMBER, dt.date(2027, 1, 31))
    assert months(database, practice)[1].uncovered


def test_nothing_is_uncovered_where_no_derogation_is_needed(
    database: Database, house: House
) -> None:
    practice = house.practice(derogation_required=False)
    titular = house.member(practice, Role.TITULAR)
    choose(database, house.actor(titular), practice, {DECEMBER: titular.id})
    found = months(database, practice)[1]
    assert found.doctor is not None
    assert found.uncovered == ()


@pytest.mark.parametrize(
    ("since", "until", "reference", "code", "field"),
    [
        (DECEMBER, NOVEMBER, "", "derogation_reversed", "until"),
        (DECEMBER, dt.date(2036, 1, 1), "", "derogation_too_long", "until"),
        (NOVEMBER, DECEMBER, "x" * 81, "text_too_long", "reference"),
    ],
)
def test_what_is_no_derogation(
    database: Database,
    practice: Practice,
    actor: Actor,
    titular: User,
    since: dt.date,
    until: dt.date,
    reference: str,
    code: str,
    field: str,
) -> None:
    with pytest.raises(InvalidInput) as refused:
        grant(database, actor, practice, titular, since, until, reference=reference)
    assert (refused.value.code, refused.value.facts["field"]) == (code, field)


def test_derogations_are_added_and_removed(
    database: Database, house: House, practice: Practice, actor: Actor, titular: User
) -> None:
    lea = house.member(practice, Role.REPLACEMENT)
    with pytest.raises(InvalidInput) as refused:
        grant(database, actor, practice, lea, NOVEMBER, DECEMBER)
    assert refused.value.code == "derogation_no_titular"
    number = grant(
        database, actor, practice, titular, NOVEMBER, DECEMBER, reference=" CDOM  85-12 "
    )
    with database.session() as session:
        (kept,) = replacements.derogations_of(session, practice.id, TODAY)
        assert (kept.reference, kept.doctor.id) == ("CDOM 85-12", titular.id)
        assert replacements.derogations_of(session, practice.id, DECEMBER + DAY) == []
    with database.transaction() as session:
        found = session.get_one(Practice, practice.id)
        replacements.remove_derogation(session, actor, found, number)
    with pytest.raises(NotFound), database.transaction() as session:
        found = session.get_one(Practice, practice.id)
        replacements.remove_derogation(session, actor, found, number)
    assert audited(database) == ["derogation.added", "derogation.removed"]


def test_a_derogation_of_another_practice_is_out_of_reach(
    database: Database, house: House, practice: Practice, actor: Actor, titular: User
) -> None:
    other = house.practice()
    neighbour = house.member(other, Role.TITULAR)
    theirs = grant(database, house.actor(neighbour), other, neighbour, NOVEMBER, DECEMBER)
    with pytest.raises(NotFound), database.transaction() as session:
        found = session.get_one(Practice, practice.id)
        replacements.remove_derogation(session, actor, found, theirs)


@pytest.mark.parametrize("role", [Role.REPLACEMENT, Role.SECRETARY, Role.VIEWER])
def test_only_titulars_say_who_is_replaced(
    database: Database, house: House, practice: Practice, titular: User, role: Role
) -> None:
    other = house.actor(house.member(practice, role))
    with pytest.raises(Forbidden):
        choose(database, other, practice, {NOVEMBER: titular.id})
    with pytest.raises(Forbidden):
        grant(database, other, practice, titular, NOVEMBER, DECEMBER)


def test_the_number_of_queries_does_not_depend_on_the_rows(
    database: Database, house: House, practice: Practice, actor: Actor, titular: User
) -> None:
    def queries() -> int:
        with database.session() as session:
            found = session.get_one(Practice, practice.id)
            with count_queries(database) as statements:
                replacements.months_of(session, found, TODAY)
                replacements.titulars_between(session, practice.id, NOVEMBER, DECEMBER)
        return len(statements)

    choose(database, actor, practice, {NOVEMBER: titular.id})
    few = queries()
    for month in replacements.first_of_months(TODAY, 12):
        doctor = house.member(practice, Role.TITULAR)
        choose(database, actor, practice, {month: doctor.id})
        grant(database, actor, practice, doctor, month, month + 40 * DAY)
    assert queries() == few


DATES = st.dates(dt.date(2026, 11, 1), dt.date(2027, 2, 28))


@given(DATES, DATES, st.lists(st.tuples(DATES, DATES)))
def test_uncovered_spans_are_the_days_in_no_span(
    first: dt.date, last: dt.date, pairs: list[tuple[dt.date, dt.date]]
) -> None:
    spans = [(min(pair), max(pair)) for pair in pairs]
    days = [first + DAY * offset for offset in range((last - first).days + 1)]
    expected = [day for day in days if not any(since <= day <= until for since, until in spans)]
    found = list(uncovered(first, last, spans))
    assert [
        since + DAY * offset for since, until in found for offset in range((until - since).days + 1)
    ] == expected
    # Two spans that touch would be one.
    assert all(one[1] + DAY < two[0] for one, two in itertools.pairwise(found))
