"""The page of a practice: its sections, what each saves, and what each refuses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import (
    ClaimPolicy,
    Derogation,
    HoldOutcome,
    Locale,
    Member,
    Practice,
    ReplacedDoctor,
    User,
)
from tests.factories import House
from tests.support import count_queries

Client = Callable[[User | None], FlaskClient]
PAGE = "/p/nieul/practice"
LIMITS = {
    "limits-lock_days": "10",
    "limits-weekly_minimum": "3",
    "limits-local_half_days_per_week": "5",
    "limits-local_half_days_per_month": "0",
}


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice(slug="nieul", name="Cabinet de Nieul")


@pytest.fixture
def titular(house: House, practice: Practice) -> User:
    return house.member(
        practice, Role.TITULAR, locale=Locale.ENGLISH, given_name="Anne", family_name="Petit"
    )


@pytest.fixture
def client(client_for: Client, titular: User) -> FlaskClient:
    return client_for(titular)


def kept(database: Database, practice: Practice) -> Practice:
    with database.session() as session:
        return session.get_one(Practice, practice.id)


def member(database: Database, user: User) -> Member:
    with database.session() as session:
        return session.scalars(sa.select(Member).where(Member.user_id == user.id)).one()


def save(client: FlaskClient, section: str, data: dict[str, Any], *, anchor: str = "") -> None:
    answer = client.post(f"{PAGE}/{section}", data=data)
    assert answer.status_code == 302, answer.text
    assert answer.location == f"{PAGE}/#{anchor or section}"


def refused(client: FlaskClient, section: str, data: dict[str, Any]) -> str:
    answer = client.post(f"{PAGE}/{section}", data=data)
    assert answer.status_code == 422
    return unescape(answer.text)


def test_the_page_shows_every_section(client: FlaskClient) -> None:
    page = client.get(f"{PAGE}/").text
    for anchor in ("claims", "trusted", "limits", "calls", "replaced", "derogations"):
        assert f'id="{anchor}"' in page
    for anchor in ("supervisors", "professions", "public"):
        assert f'id="{anchor}"' in page
    assert 'aria-current="page"' in page


def test_how_claims_are_accepted(
    client: FlaskClient, database: Database, practice: Practice
) -> None:
    data = {
        "claims-claim_policy": "held",
        "claims-hold_hours": "24",
        "claims-hold_outcome": "free",
    }
    save(client, "claims", data)
    found = kept(database, practice)
    assert (found.claim_policy, found.hold_hours) == (ClaimPolicy.HELD, 24)
    assert found.hold_outcome is HoldOutcome.FREE
    # Nothing of the other sections changed.
    assert found.call_wave_hours == 24


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [("0", "From 1 to 336."), ("", "Give a whole number."), ("a day", "Give a whole number.")],
)
def test_an_error_stands_beside_its_field_and_what_was_typed_stays(
    client: FlaskClient, database: Database, practice: Practice, hours: str, sentence: str
) -> None:
    data = {
        "claims-claim_policy": "held",
        "claims-hold_hours": hours,
        "claims-hold_outcome": "free",
    }
    page = refused(client, "claims", data)
    assert sentence in page
    assert 'href="#claims-hold_hours"' in page
    assert f'value="{hours}"' in page
    assert kept(database, practice).claim_policy is ClaimPolicy.AT_ONCE


def test_limits(client: FlaskClient, database: Database, practice: Practice) -> None:
    save(client, "limits", LIMITS)
    found = kept(database, practice)
    assert (found.lock_days, found.weekly_minimum) == (10, 3)
    assert (found.local_half_days_per_week, found.local_half_days_per_month) == (5, None)
    page = client.get(f"{PAGE}/").text
    assert '<option selected value="5">2.5 days</option>' in page
    page = refused(client, "limits", LIMITS | {"limits-weekly_minimum": "8"})
    assert "From 0 to 7." in page


def test_calls(client: FlaskClient, database: Database, practice: Practice) -> None:
    save(client, "calls", {"calls-call_weeks_ahead": "6", "calls-call_wave_hours": "12"})
    found = kept(database, practice)
    assert (found.call_weeks_ahead, found.call_wave_hours) == (6, 12)


def test_trusted_doctors(
    client: FlaskClient, database: Database, house: House, practice: Practice
) -> None:
    lea, hugo = (house.member(practice, Role.REPLACEMENT) for _ in range(2))
    save(client, "trusted", {"trusted-trusted": [str(member(database, lea).id)]})
    assert member(database, lea).trusted
    assert not member(database, hugo).trusted
    # Who left meanwhile, or never was there, changes nothing for the others.
    save(client, "trusted", {"trusted-trusted": [str(member(database, hugo).id), "9999"]})
    assert not member(database, lea).trusted
    assert member(database, hugo).trusted


def test_replaced_doctors_and_what_no_derogation_covers(
    client: FlaskClient, database: Database, titular: User
) -> None:
    save(client, "replaced", {"replaced-month_2026_12": str(titular.id)})
    with database.session() as session:
        (row,) = session.scalars(sa.select(ReplacedDoctor))
    assert (row.month, row.doctor_id) == (dt.date(2026, 12, 1), titular.id)
    assert "Without a derogation: 1 – 31 Dec" in client.get(f"{PAGE}/").text
    derogation = {
        "derogation-doctor": str(titular.id),
        "derogation-since": "2026-12-01",
        "derogation-until": "2026-12-20",
        "derogation-reference": "CDOM 85-12",
    }
    save(client, "derogations", derogation)
    page = client.get(f"{PAGE}/").text
    assert "CDOM 85-12" in page
    assert "Without a derogation: 21 – 31 Dec" in page
    save(client, "derogation-rule", {}, anchor="derogations")
    assert "Without a derogation" not in client.get(f"{PAGE}/").text


def test_a_titular_who_leaves_is_refused_beside_the_month(
    client: FlaskClient, house: House, practice: Practice
) -> None:
    leaving = house.member(practice, Role.TITULAR, until=dt.date(2026, 12, 15))
    page = refused(client, "replaced", {"replaced-month_2027_01": str(leaving.id)})
    assert "That is no titular doctor of the practice in this month." in page
    assert 'href="#replaced-month_2027_01"' in page
    assert f'<option selected value="{leaving.id}">' in page


def test_a_derogation_that_ends_before_it_begins(client: FlaskClient, titular: User) -> None:
    data = {
        "derogation-doctor": str(titular.id),
        "derogation-since": "2026-12-20",
        "derogation-until": "2026-12-01",
    }
    page = refused(client, "derogations", data)
    assert "The last day comes before the first." in page
    assert 'value="2026-12-20"' in page
    assert "Give a date." in refused(client, "derogations", data | {"derogation-since": ""})


def test_a_derogation_is_removed(
    client: FlaskClient, database: Database, titular: User, practice: Practice
) -> None:
    with database.transaction() as session:
        row = Derogation(
            practice_id=practice.id,
            doctor_id=titular.id,
            since=dt.date(2026, 12, 1),
            until=dt.date(2026, 12, 31),
        )
        session.add(row)
    save(client, f"derogations/{row.id}/remove", {}, anchor="derogations")
    assert client.post(f"{PAGE}/derogations/{row.id}/remove").status_code == 404


def test_interns_and_professions(
    client: FlaskClient, database: Database, house: House, practice: Practice, titular: User
) -> None:
    intern, nurse = house.member(practice, Role.INTERN), house.member(practice, Role.NURSE)
    number = member(database, intern).id
    save(client, "supervisors", {f"supervisors-supervisor_{number}": str(titular.id)})
    assert member(database, intern).supervisor_id == titular.id
    save(client, "supervisors", {f"supervisors-supervisor_{number}": "0"})
    assert member(database, intern).supervisor_id is None
    number = member(database, nurse).id
    save(client, "professions", {f"professions-profession_{number}": "Infirmière Asalée"})
    assert member(database, nurse).profession == "Infirmière Asalée"
    words = "x" * 61
    page = refused(client, "professions", {f"professions-profession_{number}": words})
    assert "At most 60 characters." in page
    assert words in page


def test_the_public_page(
    client: FlaskClient, database: Database, house: House, practice: Practice
) -> None:
    house.practice(public_address="taken")
    page = refused(client, "public", {"public-public_page": "y"})
    assert "Choose an address first" in page
    page = refused(client, "public", {"public-public_address": "Nieul le Dolent"})
    assert "single hyphens" in page
    assert 'value="Nieul le Dolent"' in page
    page = refused(client, "public", {"public-public_address": "taken"})
    assert "Another practice has this address." in page
    save(client, "public", {"public-public_address": "nieul", "public-public_page": "y"})
    found = kept(database, practice)
    assert (found.public_address, found.public_page) == ("nieul", True)
    assert "Open to everybody" in client.get(f"{PAGE}/").text


@pytest.mark.parametrize("role", [Role.REPLACEMENT, Role.SECRETARY, Role.VIEWER])
def test_the_page_is_for_titulars(
    client_for: Client, house: House, practice: Practice, role: Role
) -> None:
    reader = client_for(house.member(practice, role))
    assert reader.get(f"{PAGE}/").status_code == 403
    assert f"{PAGE}/" not in reader.get("/p/nieul/week/").text
    assert reader.post(f"{PAGE}/limits", data=LIMITS).status_code == 403


def test_the_number_of_queries_does_not_depend_on_the_rows(
    client: FlaskClient, database: Database, house: House, practice: Practice
) -> None:
    def queries() -> int:
        with count_queries(database) as statements:
            assert client.get(f"{PAGE}/").status_code == 200
        return len(statements)

    def hire(times: int) -> None:
        for _ in range(times):
            for role in (Role.REPLACEMENT, Role.INTERN, Role.NURSE, Role.TITULAR):
                house.member(practice, role)

    hire(2)
    few = queries()
    hire(30)
    assert queries() == few
