"""Users, practices and members: who may add them, what is refused, what is recorded."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from sqlalchemy.orm import selectinload

from scheduler.core.audit import AuditEvent
from scheduler.core.database import Database
from scheduler.core.errors import Conflict, Forbidden, InvalidInput, NotFound, NotSignedIn
from scheduler.core.permissions import SYSTEM, Actor, Role
from scheduler.people import passwords, service
from scheduler.people.models import Doctor, Locale, Member, SchoolZone, User
from tests.factories import House
from tests.support import at_once

PASSWORD = "cheval agrafe pile"
ANOTHER = "huître marée basse"


def add(database: Database, **values: Any) -> tuple[User, str]:
    values = {
        "email": "anne@example.org",
        "given_name": "Anne",
        "family_name": "Lefèvre",
        "password": PASSWORD,
        **values,
    }
    with database.transaction() as session:
        return service.add_user(session, SYSTEM, **values)


def actions(database: Database) -> list[str]:
    with database.session() as session:
        return list(session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.sequence)))


def sign_in(database: Database, email: str, password: str) -> User:
    with database.transaction() as session:
        return service.sign_in(session, email, password)


def test_signing_in(database: Database) -> None:
    user, _ = add(database)
    assert sign_in(database, "  ANNE@Example.org ", PASSWORD).id == user.id


def test_signing_in_fails_in_one_way(
    database: Database, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(database)
    add(database, email="gone@example.org")
    house.user(email="nopassword@example.org")
    with database.transaction() as session:
        session.execute(
            sa.update(User)
            .where(User.email == "gone@example.org")
            .values(disabled_at=database.clock.now())
        )
    verified: list[str] = []
    verify = PasswordHasher.verify

    def counting(self: PasswordHasher, stored: str, password: str) -> bool:
        verified.append(stored[:10])
        return verify(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    attempts = [
        ("anne@example.org", "wrong"),
        ("nobody@example.org", PASSWORD),
        ("gone@example.org", PASSWORD),
        ("nopassword@example.org", PASSWORD),
        ("", PASSWORD),
        ("nul\x00@example.org", PASSWORD),
        ("anne@example.org", "nul\x00"),
    ]
    for email, password in attempts:
        with pytest.raises(NotSignedIn) as caught:
            sign_in(database, email, password)
        assert (caught.value.code, caught.value.facts) == ("wrong_credentials", {})
    # The same work each time: one verification of one argon2id hash.
    assert verified == ["$argon2id$"] * len(attempts)


def test_an_old_hash_is_renewed_at_sign_in(database: Database) -> None:
    user, _ = add(database)
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    with database.transaction() as session:
        session.get_one(User, user.id).password_hash = old
    renewed = sign_in(database, user.email, PASSWORD)
    assert renewed.password_hash != old
    assert not passwords.is_outdated(renewed.password_hash or "")
    assert sign_in(database, user.email, PASSWORD).password_hash == renewed.password_hash


def test_changing_the_password_ends_other_sessions(database: Database, house: House) -> None:
    user, _ = add(database)
    actor = house.actor(user)
    with database.transaction() as session:
        changed = service.change_password(session, actor, PASSWORD, ANOTHER)
    assert changed.credentials_epoch == user.credentials_epoch + 1
    assert sign_in(database, user.email, ANOTHER).id == user.id
    with pytest.raises(NotSignedIn):
        sign_in(database, user.email, PASSWORD)
    assert actions(database) == ["user.added", "password.changed"]


@pytest.mark.parametrize(
    ("current", "new", "code", "field"),
    [
        ("wrong", ANOTHER, "password_wrong", "current"),
        (PASSWORD, PASSWORD, "password_unchanged", "new"),
        (PASSWORD, "short", "password_short", "new"),
        (PASSWORD, "lefevre-anne", "password_personal", "new"),
        (PASSWORD, "azertyazerty", "password_common", "new"),
    ],
)
def test_a_password_change_that_is_refused_changes_nothing(
    database: Database, house: House, current: str, new: str, code: str, field: str
) -> None:
    user, _ = add(database)
    with pytest.raises(InvalidInput) as caught, database.transaction() as session:
        service.change_password(session, house.actor(user), current, new)
    assert (caught.value.code, caught.value.facts["field"]) == (code, field)
    assert sign_in(database, user.email, PASSWORD).credentials_epoch == user.credentials_epoch


def test_nobody_is_not_signed_in(database: Database) -> None:
    nobody = Actor(user_id=999, name="Nobody")
    for actor in (nobody, SYSTEM):
        with pytest.raises(NotSignedIn), database.transaction() as session:
            service.change_password(session, actor, PASSWORD, ANOTHER)


def test_resetting_a_password(database: Database) -> None:
    user, _ = add(database)
    with database.transaction() as session:
        password = service.reset_password(session, SYSTEM, "Anne@example.org")
    found = sign_in(database, user.email, password)
    assert found.credentials_epoch == user.credentials_epoch + 1
    with pytest.raises(NotSignedIn):
        sign_in(database, user.email, PASSWORD)
    assert actions(database) == ["user.added", "password.reset"]
    with pytest.raises(NotFound), database.transaction() as session:
        service.reset_password(session, SYSTEM, "nobody@example.org")


def test_only_the_system_manages_users(database: Database, house: House) -> None:
    practice = house.practice()
    titular = house.actor(house.member(practice, Role.TITULAR))
    somebody = house.user()
    with database.session() as session:
        for act in (
            lambda: service.add_user(
                session, titular, email="a@example.org", given_name="A", family_name="B"
            ),
            lambda: service.reset_password(session, titular, somebody.email),
            lambda: service.add_member(session, titular, practice, somebody, Role.NURSE),
            lambda: service.create_practice(session, titular, name="X", rooms=["1"]),
        ):
            with pytest.raises(Forbidden):
                act()


def test_adding_a_user_with_a_role(database: Database, house: House) -> None:
    practice = house.practice(slug="nieul")
    user, password = add(
        database,
        email="Anne@Example.org",
        password=None,
        role="replacement",
        practice_slug="nieul",
        rpps="810 0003 1234",
        qualified=False,
        licence_until=dt.date(2026, 11, 15),
        max_half_days_per_week=6,
    )
    assert user.email == "anne@example.org"
    assert sign_in(database, user.email, password).id == user.id
    with database.session() as session:
        member = session.scalars(sa.select(Member)).one()
        assert (member.practice_id, member.role) == (practice.id, Role.REPLACEMENT)
        assert member.since == house.today
        doctor = session.scalars(sa.select(Doctor)).one()
        assert (doctor.rpps, doctor.qualified) == ("81000031234", False)
        assert (doctor.licence_until, doctor.max_half_days_per_week) == (dt.date(2026, 11, 15), 6)
    assert actions(database) == ["user.added", "member.added"]


def test_a_secretary_has_no_doctors_facts(database: Database, house: House) -> None:
    house.practice(slug="nieul")
    add(database, role=Role.SECRETARY, practice_slug="nieul")
    with database.session() as session:
        assert session.scalars(sa.select(Doctor)).all() == []


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"email": "nope"}, "email_malformed", "email"),
        ({"given_name": " "}, "text_required", "given_name"),
        ({"family_name": "x" * 81}, "text_too_long", "family_name"),
        ({"phone": "0" * 33}, "text_too_long", "phone"),
        ({"password": "short"}, "password_short", "password"),
        ({"role": "boss", "practice_slug": "nieul"}, "role_unknown", "role"),
        ({"role": "nurse"}, "role_and_practice", "practice"),
        ({"practice_slug": "nieul"}, "role_and_practice", "role"),
        ({"rpps": "12"}, "rpps_malformed", "rpps"),
        ({"max_consecutive_days": 0}, "number_out_of_range", "max_consecutive_days"),
        ({"max_half_days_per_week": -1}, "number_out_of_range", "max_half_days_per_week"),
    ],
)
def test_a_user_that_cannot_be_is_refused(
    database: Database, house: House, values: dict[str, Any], code: str, field: str
) -> None:
    house.practice(slug="nieul")
    with pytest.raises(InvalidInput) as caught:
        add(database, **values)
    assert (caught.value.code, caught.value.facts["field"]) == (code, field)
    with database.session() as session:
        assert session.scalars(sa.select(User)).all() == []


def test_a_user_needs_a_practice_that_exists(database: Database) -> None:
    with pytest.raises(NotFound) as caught:
        add(database, role=Role.NURSE, practice_slug="nowhere")
    assert caught.value.code == "practice_not_found"


def test_an_email_has_one_user(database: Database) -> None:
    add(database)
    with pytest.raises(Conflict) as caught:
        add(database, email="ANNE@example.org")
    assert caught.value.code == "email_taken"


def test_two_add_the_same_user_at_once(database: Database) -> None:
    raised = at_once(*[lambda: add(database)] * 4)
    refused = [error for error in raised if error is not None]
    assert len(refused) == 3
    assert all(isinstance(error, Conflict) for error in refused)
    assert actions(database) == ["user.added"]


def test_a_member_has_a_role_once_at_a_time(database: Database, house: House) -> None:
    practice = house.practice()
    user = house.user()

    def member(role: Role, since: dt.date, until: dt.date | None) -> None:
        with database.transaction() as session:
            service.add_member(session, SYSTEM, practice, user, role, since=since, until=until)

    member(Role.INTERN, dt.date(2026, 5, 1), dt.date(2026, 10, 31))
    for since, until in [
        (dt.date(2026, 10, 31), None),
        (dt.date(2026, 1, 1), dt.date(2026, 5, 1)),
        (dt.date(2026, 6, 1), dt.date(2026, 6, 2)),
    ]:
        with pytest.raises(Conflict) as caught:
            member(Role.INTERN, since, until)
        assert caught.value.code == "already_member"
    with pytest.raises(InvalidInput):
        member(Role.INTERN, dt.date(2026, 12, 2), dt.date(2026, 12, 1))
    member(Role.INTERN, dt.date(2026, 11, 1), None)
    member(Role.REPLACEMENT, dt.date(2026, 6, 1), None)
    with database.session() as session:
        assert len(session.scalars(sa.select(Member)).all()) == 3
        assert session.get(Doctor, user.id) is not None


def test_opening_a_practice(database: Database) -> None:
    with database.transaction() as session:
        made = service.create_practice(
            session,
            SYSTEM,
            name="Cabinet de l'Île",
            rooms=["Salle 2", "Salle 1"],
            school_zone=SchoolZone.B,
            weekly_minimum=3,
        )
    assert made.slug == "cabinet-de-l-ile"
    with database.session() as session:
        found = session.get_one(type(made), made.id, options=[selectinload(type(made).rooms)])
        assert [room.name for room in found.rooms] == ["Salle 2", "Salle 1"]
        assert (found.timezone, found.am_start) == ("Europe/Paris", dt.time(8, 30))
    assert actions(database) == ["practice.created"]


@pytest.mark.parametrize(
    ("values", "error", "field"),
    [
        ({"name": ""}, InvalidInput, "name"),
        ({"name": "!!!"}, InvalidInput, "slug"),
        ({"slug": "Nieul"}, InvalidInput, "slug"),
        ({"slug": "a" * 65}, InvalidInput, "slug"),
        ({"slug": "taken"}, Conflict, "slug"),
        ({"rooms": []}, InvalidInput, "rooms"),
        ({"rooms": ["1", "1"]}, InvalidInput, "rooms"),
        ({"rooms": ["x" * 61]}, InvalidInput, "rooms"),
        ({"timezone": "Mars/Olympus"}, InvalidInput, "timezone"),
        ({"holiday_subdivision": "Vendée"}, InvalidInput, "holiday_subdivision"),
        ({"weekly_minimum": 8}, InvalidInput, "weekly_minimum"),
        ({"hours": service.OpeningHours(am_end=dt.time(15))}, InvalidInput, "hours"),
    ],
)
def test_a_practice_that_cannot_be_is_refused(
    database: Database,
    house: House,
    values: dict[str, Any],
    error: type[InvalidInput | Conflict],
    field: str,
) -> None:
    house.practice(slug="taken")
    with pytest.raises(error) as caught, database.transaction() as session:
        service.create_practice(session, SYSTEM, **{"name": "Cabinet", "rooms": ["1"], **values})
    assert caught.value.facts["field"] == field
    assert actions(database) == []


def test_a_language_is_remembered(database: Database, house: House) -> None:
    user = house.user()
    actor = house.actor(user)
    with database.transaction() as session:
        service.set_language(session, actor, "en")
    with database.session() as session:
        assert session.get_one(User, user.id).locale is Locale.ENGLISH
    with pytest.raises(InvalidInput), database.transaction() as session:
        service.set_language(session, actor, "tlh")
