"""Who is on call on a day: one doctor, told of it, and never two."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.errors import Conflict, Forbidden, InvalidInput, NotFound, RuleBroken
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.notify.composing import composer
from scheduler.oncall import queries, service
from scheduler.oncall.models import Duty
from scheduler.people.models import Practice, User
from scheduler.roster.rules import Period
from tests.factories import House
from tests.support import at_once, audited

TUESDAY = dt.date(2026, 11, 24)
DAY = dt.timedelta(days=1)


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice(name="Cabinet de Nieul")


def titular(house: House, practice: Practice, name: str) -> User:
    given, family = name.split()
    return house.member(practice, Role.TITULAR, given_name=given, family_name=family)


def put(
    house: House,
    actor: User,
    practice: Practice,
    doctor: User,
    date: dt.date = TUESDAY,
    instead_of: User | None = None,
) -> None:
    with house.database.transaction() as session:
        before = instead_of.id if instead_of else None
        service.set_duty(
            session, house.actor(actor), practice.id, date, doctor.id, instead_of=before
        )


def on_call(house: House, practice: Practice) -> str | None:
    with house.database.session() as session:
        found = queries.duties_between(session, practice.id, TUESDAY, TUESDAY)
    return found[TUESDAY].name if found else None


def told(database: Database) -> list[tuple[str, int]]:
    with database.session() as session:
        rows = session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.id))
        return [(row.kind, row.recipient_id) for row in rows]


def test_a_secretary_puts_a_titular_on_call(
    house: House, database: Database, practice: Practice
) -> None:
    secretary = house.member(practice, Role.SECRETARY)
    anne = titular(house, practice, "Anne Petit")
    put(house, secretary, practice, anne)
    put(house, secretary, practice, anne)
    assert on_call(house, practice) == "Anne Petit"
    assert told(database) == [("duty.given", anne.id)]
    assert audited(database) == ["duty.set"]


def test_who_puts_oneself_on_call_is_not_told(
    house: House, database: Database, practice: Practice
) -> None:
    anne = titular(house, practice, "Anne Petit")
    put(house, anne, practice, anne)
    assert told(database) == []


def test_another_takes_the_place_and_both_are_told(
    house: House, database: Database, practice: Practice, clock: FixedClock
) -> None:
    secretary = house.member(practice, Role.SECRETARY)
    anne, marc = titular(house, practice, "Anne Petit"), titular(house, practice, "Marc Roy")
    put(house, secretary, practice, anne)
    clock.advance(dt.timedelta(minutes=1))
    put(house, secretary, practice, marc, instead_of=anne)
    clock.advance(dt.timedelta(minutes=1))
    put(house, secretary, practice, anne, instead_of=marc)
    assert told(database) == [
        ("duty.given", anne.id),
        ("duty.ended", anne.id),
        ("duty.given", marc.id),
        ("duty.ended", marc.id),
        ("duty.given", anne.id),
    ]


def test_who_comes_second_reads_who_is_on_call(house: House, practice: Practice) -> None:
    anne, marc = titular(house, practice, "Anne Petit"), titular(house, practice, "Marc Roy")
    put(house, anne, practice, anne)
    with pytest.raises(Conflict) as refused:
        put(house, marc, practice, marc)
    assert refused.value.code == "duty_changed"
    assert refused.value.facts["who"] == "Anne Petit"
    with house.database.session() as session, pytest.raises(Conflict):
        service.clear_duty(session, house.actor(marc), practice.id, TUESDAY, instead_of=marc.id)
    assert on_call(house, practice) == "Anne Petit"


def test_two_at_once_leave_one_on_call(house: House, practice: Practice) -> None:
    anne, marc = titular(house, practice, "Anne Petit"), titular(house, practice, "Marc Roy")
    raised = at_once(
        lambda: put(house, anne, practice, anne), lambda: put(house, marc, practice, marc)
    )
    assert [type(error) for error in raised if error is not None] == [Conflict]
    with house.database.session() as session:
        assert len(session.scalars(sa.select(Duty)).all()) == 1


def test_a_day_is_left_without_anybody(
    house: House, database: Database, practice: Practice
) -> None:
    secretary = house.member(practice, Role.SECRETARY)
    anne = titular(house, practice, "Anne Petit")
    put(house, secretary, practice, anne)
    for _time in range(2):
        with database.transaction() as session:
            service.clear_duty(
                session, house.actor(secretary), practice.id, TUESDAY, instead_of=anne.id
            )
    assert on_call(house, practice) is None
    assert told(database)[-1] == ("duty.ended", anne.id)
    assert audited(database) == ["duty.set", "duty.cleared"]
    with pytest.raises(Conflict) as refused:
        put(house, secretary, practice, anne, instead_of=anne)
    assert refused.value.code == "duty_cleared"


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"qualified": False, "licence_until": TUESDAY - DAY}, "licence_ended"),
        ({"qualified": False}, "licence_missing"),
        ({"qualified": False, "licence_until": TUESDAY}, None),
        ({"qualified": True}, None),
    ],
)
def test_who_is_on_call_may_practise_on_that_day(
    house: House, practice: Practice, facts: dict[str, Any], rule: str | None
) -> None:
    secretary = house.member(practice, Role.SECRETARY)
    doctor = house.member(practice, Role.REPLACEMENT, doctor=facts)
    with house.database.session() as session:
        found = queries.choices(session, practice.id, TUESDAY, 90 * DAY)
    assert bool(found) is (rule is None)
    if rule is None:
        put(house, secretary, practice, doctor)
        return
    with pytest.raises(RuleBroken, match=rule):
        put(house, secretary, practice, doctor)


def test_a_titular_needs_no_licence(house: House, practice: Practice) -> None:
    anne = house.member(practice, Role.TITULAR, doctor={"qualified": False})
    put(house, anne, practice, anne)
    with house.database.session() as session:
        assert len(queries.choices(session, practice.id, TUESDAY, 90 * DAY)) == 1


def test_nobody_is_on_call_where_doctors_are_there_all_day(
    house: House, database: Database, practice: Practice
) -> None:
    secretary = house.member(practice, Role.SECRETARY)
    anne = titular(house, practice, "Anne Petit")
    paul = titular(house, practice, "Paul Roy")
    for period in (Period.AM, Period.PM):
        house.assignment(house.need(practice, TUESDAY, period), anne)
    with pytest.raises(RuleBroken) as caught:
        put(house, secretary, practice, paul)
    assert (caught.value.code, caught.value.facts["who"]) == ("duty_doctor_there", "Anne Petit")
    assert told(database) == []


@pytest.mark.parametrize(("role", "period"), [(Role.INTERN, Period.DAY), (Role.TITULAR, Period.AM)])
def test_an_intern_or_half_a_day_needs_somebody_on_call(
    house: House, practice: Practice, role: Role, period: Period
) -> None:
    anne = titular(house, practice, "Anne Petit")
    there = house.member(practice, role)
    house.assignment(house.need(practice, TUESDAY, period), there)
    put(house, anne, practice, anne)
    assert on_call(house, practice) == "Anne Petit"


@pytest.mark.parametrize("date", [TUESDAY - 2 * DAY, TUESDAY.replace(year=2030)])
def test_a_day_out_of_reach_is_refused(house: House, practice: Practice, date: dt.date) -> None:
    anne = titular(house, practice, "Anne Petit")
    with pytest.raises(InvalidInput) as refused:
        put(house, anne, practice, anne, date)
    assert refused.value.code == "duty_date"


@pytest.mark.parametrize("role", [Role.INTERN, Role.NURSE])
def test_only_who_answers_for_results_is_on_call(
    house: House, practice: Practice, role: Role
) -> None:
    anne, other = titular(house, practice, "Anne Petit"), house.member(practice, role)
    with pytest.raises(NotFound):
        put(house, anne, practice, other)


def test_who_has_left_is_not_on_call(house: House, practice: Practice) -> None:
    anne = titular(house, practice, "Anne Petit")
    gone = house.member(practice, Role.TITULAR, until=TUESDAY - DAY)
    with pytest.raises(NotFound):
        put(house, anne, practice, gone)


@pytest.mark.parametrize("role", [Role.REPLACEMENT, Role.NURSE, Role.VIEWER])
def test_others_do_not_decide(house: House, practice: Practice, role: Role) -> None:
    anne = titular(house, practice, "Anne Petit")
    with pytest.raises(Forbidden):
        put(house, house.member(practice, role), practice, anne)


def test_whoever_had_the_fewest_duties_comes_first(house: House, practice: Practice) -> None:
    anne, marc = titular(house, practice, "Anne Petit"), titular(house, practice, "Marc Roy")
    house.member(practice, Role.REPLACEMENT, given_name="Inès", family_name="Moreau")
    house.member(practice, Role.INTERN)
    house.member(practice, Role.REPLACEMENT, until=TUESDAY - DAY)
    put(house, anne, practice, anne, TUESDAY + DAY)
    with house.database.session() as session:
        found = queries.choices(session, practice.id, TUESDAY, 90 * DAY)
        before = queries.choices(session, practice.id, TUESDAY - 100 * DAY, 90 * DAY)
    assert [(choice.name, choice.duties) for choice in found] == [
        (marc.name, 0),
        (anne.name, 1),
        ("Inès Moreau", 0),
    ]
    assert [choice.duties for choice in before][:2] == [0, 0]


def test_doctors_with_as_many_duties_stand_by_their_family_names(
    house: House, practice: Practice
) -> None:
    for name in ("Élodie Papin", "Thomas Pelletier", "Anne Roy"):
        titular(house, practice, name)
    with house.database.session() as session:
        found = queries.choices(session, practice.id, TUESDAY, 90 * DAY)
    assert [choice.name for choice in found] == ["Élodie Papin", "Thomas Pelletier", "Anne Roy"]


@pytest.mark.parametrize(
    ("kind", "locale", "subject"),
    [
        ("duty.given", "fr", "Vous êtes d’astreinte le mardi 24 novembre 2026"),
        ("duty.given", "en", "You are on call on Tuesday 24 November 2026"),
        ("duty.ended", "fr", "Vous n’êtes plus d’astreinte le mardi 24 novembre 2026"),
        ("duty.ended", "en", "You are no longer on call on Tuesday 24 November 2026"),
    ],
)
def test_the_letter_names_the_day_and_the_practice(
    house: House, practice: Practice, kind: str, locale: str, subject: str
) -> None:
    doctor = house.member(practice, Role.TITULAR, locale=locale)
    secretary = house.member(practice, Role.SECRETARY)
    put(house, secretary, practice, doctor)
    compose = composer(Settings(base_url="https://relais.example"))
    with house.database.session() as session:
        message = session.scalars(sa.select(OutboxMessage)).one()
        message.kind = kind
        letter = compose(session, message)
    assert letter.subject == subject
    assert "Cabinet de Nieul" in letter.text
    assert f"https://relais.example/p/{practice.slug}/week/2026-W48" in letter.text
