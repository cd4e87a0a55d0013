"""The page on which the nurse and the other professionals say when they are there."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from scheduler.core.permissions import Role
from scheduler.people.models import Member, Practice, User
from scheduler.roster.models import PresenceException, WeeklyPresence
from scheduler.roster.rules import Period
from tests.factories import House

ClientFor = Callable[[User], FlaskClient]
PAGE = "/p/nieul/presences/"


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice(slug="nieul")


@pytest.fixture
def nurse(house: House, practice: Practice) -> User:
    return house.member(
        practice, Role.NURSE, given_name="Nadège", family_name="Pineau", locale="en"
    )


def number_of(house: House, user: User) -> int:
    with house.database.session() as session:
        return session.scalars(sa.select(Member.id).where(Member.user_id == user.id)).one()


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_nurse_notes_her_weeks(
    house: House, practice: Practice, nurse: User, client_for: ClientFor
) -> None:
    client, number = client_for(nurse), number_of(house, nurse)
    other = house.member(practice, Role.NURSE, family_name="Autre")
    first = text_of(client.get(PAGE).text)
    assert "Nadège Pineau" in first
    assert "Autre" not in first
    values = {"weekday": 3, "period": "am", "every": 2, "since": "2026-11-23", "until": ""}
    data = {f"w{number}-{name}": value for name, value in values.items()}
    response = client.post(f"{PAGE}{number}/weekly", data=data)
    assert response.status_code == 302
    assert response.location == f"{PAGE}#member-{number}"
    assert "Thursday, morning, every 2 weeks, from Mon 23 Nov" in text_of(client.get(PAGE).text)
    with house.database.session() as session:
        row = session.scalars(sa.select(WeeklyPresence)).one()
        assert (row.weekday, row.period, row.interval_weeks) == (3, Period.AM, 2)
    theirs = number_of(house, other)
    data = {f"w{theirs}-{name}": value for name, value in values.items()}
    assert client.post(f"{PAGE}{theirs}/weekly", data=data).status_code == 403
    assert client.post(f"{PAGE}weekly/{row.id}/remove").status_code == 302
    assert "Nothing said yet." in client.get(PAGE).text


def test_one_date_is_another(house: House, nurse: User, client_for: ClientFor) -> None:
    client, number = client_for(nurse), number_of(house, nurse)
    data = {f"d{number}-date": "2026-11-26", f"d{number}-what": "absent"}
    assert client.post(f"{PAGE}{number}/dates", data=data).status_code == 302
    assert "Thu 26 Nov Not there" in text_of(client.get(PAGE).text)
    assert client.post(f"{PAGE}{number}/dates/2026-11-26/clear").status_code == 302
    with house.database.session() as session:
        assert session.scalars(sa.select(PresenceException)).all() == []


def test_what_was_typed_is_kept_with_what_is_wrong(
    house: House, nurse: User, client_for: ClientFor
) -> None:
    client, number = client_for(nurse), number_of(house, nurse)
    values = {"weekday": 3, "period": "am", "every": 1, "since": "2026-11-23"}
    data = {f"w{number}-{name}": value for name, value in values.items()}
    refused = client.post(f"{PAGE}{number}/weekly", data={**data, f"w{number}-until": "2026-11-01"})
    assert refused.status_code == 422
    assert "The last day comes before the first." in refused.text
    assert 'value="2026-11-01"' in refused.text
    never = client.post(f"{PAGE}{number}/dates", data={f"d{number}-date": "never"})
    assert never.status_code == 422
    gone = client.post(
        f"{PAGE}{number}/dates", data={f"d{number}-date": "2026-11-01", f"d{number}-what": "day"}
    )
    assert gone.status_code == 422
    assert "Choose a day from today" in gone.text


def test_a_titular_notes_it_for_everybody(
    house: House, practice: Practice, nurse: User, client_for: ClientFor
) -> None:
    house.member(practice, Role.SECRETARY, given_name="Sylvie", family_name="Rabiller")
    titular = house.member(practice, Role.TITULAR, locale="en")
    words = text_of(client_for(titular).get(PAGE).text)
    assert words.index("Nadège Pineau") < words.index("Sylvie Rabiller")
    assert client_for(house.member(practice, Role.VIEWER)).get(PAGE).status_code == 403
