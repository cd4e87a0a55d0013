"""What titulars decide for their practice: settings, trust, supervisors, professions."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core.audit import AuditEvent
from scheduler.core.database import Database
from scheduler.core.errors import Conflict, Forbidden, InvalidInput
from scheduler.core.permissions import Actor, Role
from scheduler.people import practices
from scheduler.people.models import ClaimPolicy, HoldOutcome, Member, Practice, User
from scheduler.people.practices import PracticeSettings
from tests.factories import House
from tests.support import at_once, count_queries


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice()


@pytest.fixture
def titular(house: House, practice: Practice) -> User:
    return house.member(practice, Role.TITULAR)


@pytest.fixture
def actor(house: House, titular: User) -> Actor:
    return house.actor(titular)


def change(database: Database, actor: Actor, practice: Practice, **values: Any) -> PracticeSettings:
    with database.transaction() as session:
        found = session.get_one(Practice, practice.id)
        wanted = replace(PracticeSettings.of(found), **values)
        return practices.change_settings(session, actor, found, wanted)


def settings(database: Database, practice: Practice) -> PracticeSettings:
    with database.session() as session:
        return PracticeSettings.of(session.get_one(Practice, practice.id))


def events(database: Database) -> list[tuple[str, dict[str, Any]]]:
    with database.session() as session:
        rows = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.sequence))
        return [(row.action, row.details) for row in rows]


def member(database: Database, user: User) -> Member:
    with database.session() as session:
        return session.scalars(sa.select(Member).where(Member.user_id == user.id)).one()


def test_settings_are_kept_and_what_changed_is_recorded(
    database: Database, practice: Practice, actor: Actor
) -> None:
    change(
        database,
        actor,
        practice,
        claim_policy=ClaimPolicy.HELD,
        hold_hours=24,
        hold_outcome=HoldOutcome.FREE,
        local_half_days_per_week=6,
    )
    kept = settings(database, practice)
    assert kept.claim_policy is ClaimPolicy.HELD
    assert (kept.hold_hours, kept.hold_outcome) == (24, HoldOutcome.FREE)
    assert kept.local_half_days_per_week == 6
    assert events(database) == [
        (
            "practice.changed",
            {
                "changes": {
                    "claim_policy": ["at_once", "held"],
                    "hold_hours": [48, 24],
                    "hold_outcome": ["confirm", "free"],
                    "local_half_days_per_week": [None, 6],
                }
            },
        )
    ]


def test_nothing_is_recorded_where_nothing_changes(
    database: Database, practice: Practice, actor: Actor
) -> None:
    change(database, actor, practice, hold_hours=48)
    assert events(database) == []


@pytest.mark.parametrize(("name", "bounds"), practices.RANGES.items())
def test_numbers_have_bounds(
    database: Database, practice: Practice, actor: Actor, name: str, bounds: tuple[int, int]
) -> None:
    for value in bounds:
        change(database, actor, practice, **{name: value})
        assert getattr(settings(database, practice), name) == value
    for value in (bounds[0] - 1, bounds[1] + 1):
        with pytest.raises(InvalidInput) as refused:
            change(database, actor, practice, **{name: value})
        assert refused.value.code == "number_out_of_range"
        assert refused.value.facts == {"field": name, "lowest": bounds[0], "highest": bounds[1]}


def test_the_public_page_opens_and_closes_and_keeps_its_address(
    database: Database, practice: Practice, actor: Actor
) -> None:
    change(database, actor, practice, public_address=" Nieul-le-Dolent ", public_page=True)
    assert settings(database, practice).public_address == "nieul-le-dolent"
    change(database, actor, practice, public_page=False)
    kept = settings(database, practice)
    assert (kept.public_address, kept.public_page) == ("nieul-le-dolent", False)


@pytest.mark.parametrize("address", ["ab", "a b c", "-abc", "île", "a" * 65, "abc/def", "a--b"])
def test_a_public_address_has_a_form(
    database: Database, practice: Practice, actor: Actor, address: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        change(database, actor, practice, public_address=address)
    assert refused.value.code == "public_address_malformed"
    assert refused.value.facts["field"] == "public_address"


def test_a_public_page_needs_an_address(
    database: Database, practice: Practice, actor: Actor
) -> None:
    with pytest.raises(InvalidInput) as refused:
        change(database, actor, practice, public_page=True, public_address="  ")
    assert refused.value.code == "public_address_missing"


def test_a_public_address_belongs_to_one_practice(
    database: Database, house: House, practice: Practice, actor: Actor
) -> None:
    house.practice(public_address="nieul")
    with pytest.raises(Conflict) as refused:
        change(database, actor, practice, public_address="nieul")
    assert refused.value.code == "public_address_taken"
    assert settings(database, practice).public_address is None


def test_of_two_practices_that_want_an_address_one_gets_it(
    database: Database, house: House, practice: Practice, actor: Actor
) -> None:
    other = house.practice()
    neighbour = house.actor(house.member(other, Role.TITULAR))
    outcomes = at_once(
        lambda: change(database, actor, practice, public_address="nieul"),
        lambda: change(database, neighbour, other, public_address="nieul"),
    )
    lost = [outcome for outcome in outcomes if outcome is not None]
    assert len(lost) == 1
    assert isinstance(lost[0], Conflict)
    assert lost[0].code == "public_address_taken"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.TITULAR])
def test_only_titulars_decide(
    database: Database, house: House, practice: Practice, role: Role
) -> None:
    other = house.actor(house.member(practice, role))
    with pytest.raises(Forbidden):
        change(database, other, practice, lock_days=7)
    with database.transaction() as session:
        found = session.get_one(Practice, practice.id)
        for act in (
            lambda: practices.choose_trusted(session, other, found, []),
            lambda: practices.choose_supervisors(session, other, found, {}),
            lambda: practices.choose_professions(session, other, found, {}),
        ):
            with pytest.raises(Forbidden):
                act()


def test_trust_is_given_and_taken_back(
    database: Database, house: House, practice: Practice, actor: Actor, titular: User
) -> None:
    lea, hugo = (house.member(practice, Role.REPLACEMENT) for _ in range(2))
    stranger = house.member(house.practice(), Role.REPLACEMENT)

    def trust(*users: User) -> None:
        chosen = [member(database, user).id for user in users]
        with database.transaction() as session:
            found = session.get_one(Practice, practice.id)
            practices.choose_trusted(session, actor, found, chosen)

    trust(lea, titular, stranger)
    assert member(database, lea).trusted
    assert not any(member(database, user).trusted for user in (hugo, titular, stranger))
    trust(hugo)
    assert not member(database, lea).trusted
    assert member(database, hugo).trusted
    told = [(details["user"], details["trusted"]) for _action, details in events(database)]
    assert sorted(told) == sorted([(lea.id, True), (lea.id, False), (hugo.id, True)])


def test_an_intern_has_a_titular_to_reach(
    database: Database, house: House, practice: Practice, actor: Actor, titular: User
) -> None:
    intern = house.member(practice, Role.INTERN)
    lea = house.member(practice, Role.REPLACEMENT)
    gone = house.member(practice, Role.TITULAR, until=dt.date(2026, 1, 1))
    number = member(database, intern).id

    def choose(supervisor_id: int | None) -> None:
        with database.transaction() as session:
            found = session.get_one(Practice, practice.id)
            practices.choose_supervisors(session, actor, found, {number: supervisor_id})

    choose(titular.id)
    assert member(database, intern).supervisor_id == titular.id
    for nobody in (lea, gone, intern):
        with pytest.raises(InvalidInput) as refused:
            choose(nobody.id)
        assert refused.value.code == "supervisor_no_titular"
        assert refused.value.facts == {"field": "supervisor", "member": number}
    choose(None)
    assert member(database, intern).supervisor_id is None
    assert [action for action, _details in events(database)] == ["member.supervised"] * 2


def test_professions_are_of_those_who_are_no_doctors(
    database: Database, house: House, practice: Practice, actor: Actor
) -> None:
    nurse, lea = house.member(practice, Role.NURSE), house.member(practice, Role.REPLACEMENT)

    def choose(user: User, words: str) -> None:
        chosen = {member(database, user).id: words}
        with database.transaction() as session:
            found = session.get_one(Practice, practice.id)
            practices.choose_professions(session, actor, found, chosen)

    choose(nurse, "  Infirmière   Asalée ")
    choose(lea, "Sage-femme")
    assert member(database, nurse).profession == "Infirmière Asalée"
    assert member(database, lea).profession is None
    with pytest.raises(InvalidInput) as refused:
        choose(nurse, "x" * 61)
    assert refused.value.facts["field"] == "profession"
    choose(nurse, "")
    assert member(database, nurse).profession is None


def test_the_number_of_queries_does_not_depend_on_the_members(
    database: Database, house: House, practice: Practice, actor: Actor
) -> None:
    def queries() -> int:
        with database.transaction() as session:
            found = session.get_one(Practice, practice.id)
            with count_queries(database) as statements:
                practices.choose_trusted(session, actor, found, [])
        return len(statements)

    for _ in range(3):
        house.member(practice, Role.REPLACEMENT)
    few = queries()
    for _ in range(30):
        house.member(practice, Role.REPLACEMENT)
    assert queries() == few
