"""The public page: who is there this week and the next, for everybody, and nothing else."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from scheduler.core.clock import FixedClock
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster.models import UrgentAdvice
from scheduler.roster.rules import AssignmentState, Period
from tests.factories import House
from web.extensions import limiter

ClientFor = Callable[[User | None], FlaskClient]

TUESDAY = dt.date(2026, 11, 24)
WEEK = dt.timedelta(days=7)
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice(
        slug="cabinet-secret",
        name="Cabinet de Nieul",
        public_address="nieul",
        public_page=True,
    )


def doctor(house: House, practice: Practice, name: str, **values: object) -> User:
    given, family = name.split()
    return house.member(
        practice,
        Role.REPLACEMENT,
        given_name=given,
        family_name=family,
        phone="06 39 98 00 11",
        email=f"{family}@example.org".lower(),
        **values,
    )


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def read(client: FlaskClient, address: str = "/qui/nieul") -> str:
    response = client.get(address, headers=ENGLISH)
    assert response.status_code == 200
    return response.text


def test_everybody_reads_who_is_there(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    ines = doctor(house, practice, "Inès Moreau")
    driss = doctor(house, practice, "Driss Benali", doctor={"qualified": False})
    house.assignment(house.need(practice, TUESDAY), ines)
    house.assignment(house.need(practice, TUESDAY + WEEK, Period.AM), driss)
    house.assignment(house.need(practice, TUESDAY + 2 * WEEK), driss)
    with house.database.transaction() as session:
        session.add(UrgentAdvice(practice_id=practice.id, weekday=2, text="Maison médicale"))
    words = text_of(read(client_for(None)))
    this, _, following = words.partition("Next week")
    assert "Cabinet de Nieul" in this
    assert "Tuesday 24 November Dr Inès Moreau Wednesday" in this
    assert "Wednesday 25 November No doctor on this day Maison médicale" in this
    # Only who has defended the thesis is called doctor.
    assert "Driss Benali" in following
    assert "Dr Driss" not in following
    assert "No consultation" in following
    assert following.count("Benali") == 1


def test_nothing_else_leaks(house: House, practice: Practice, client_for: ClientFor) -> None:
    ines = doctor(house, practice, "Inès Moreau")
    held = doctor(house, practice, "Marc Roy")
    doctor(house, practice, "Jamais Vue")
    house.assignment(house.need(practice, TUESDAY), ines)
    house.assignment(
        house.need(practice, TUESDAY + dt.timedelta(days=1)), held, AssignmentState.HELD
    )
    response = client_for(None).get("/qui/nieul", headers=ENGLISH)
    html = response.text
    for word in ("06 39", "@", "cabinet-secret", "/p/", "Vue", "Marc Roy", "csrf", "<script"):
        assert word not in html
    assert "Doctor to be confirmed" in html
    assert 'name="robots" content="noindex, nofollow"' in html
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "Set-Cookie" not in response.headers


def test_it_may_be_kept_for_five_minutes(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    client = client_for(None)
    first = client.get("/qui/nieul")
    assert first.headers["Cache-Control"] == "public, max-age=300"
    etag = first.headers["ETag"]
    again = client.get("/qui/nieul", headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    house.assignment(house.need(practice, TUESDAY), doctor(house, practice, "Inès Moreau"))
    changed = client.get("/qui/nieul", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


def test_it_is_the_same_for_whoever_reads(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    secretary = house.member(practice, Role.SECRETARY, locale="en")
    assert read(client_for(secretary)) == read(client_for(None))


@pytest.mark.parametrize("address", ["/qui/nieul", "/qui/nowhere", "/qui/cabinet-secret"])
def test_there_is_no_page_while_it_is_switched_off(
    house: House, practice: Practice, client_for: ClientFor, address: str
) -> None:
    with house.database.transaction() as session:
        session.get_one(Practice, practice.id).public_page = False
    response = client_for(None).get(address, headers=ENGLISH)
    assert response.status_code == 404
    assert "There is no such page." in response.text
    assert "Nieul" not in response.text
    assert response.headers["Cache-Control"] == "private, no-store"


def test_who_asks_too_often_waits(app: Flask, practice: Practice) -> None:
    limiter.enabled = True
    limiter.reset()
    try:
        client = app.test_client()
        answers = {client.get("/qui/nowhere").status_code for _number in range(61)}
    finally:
        limiter.reset()
        limiter.enabled = False
    assert answers == {404, 429}


def test_a_house_that_is_closed_says_so(
    house: House, client_for: ClientFor, practice: Practice
) -> None:
    page = text_of(read(client_for(None)))
    assert "Monday 23 November today No doctor on this day" in page
    assert "Saturday" not in page


def test_today_comes_first_and_days_that_are_over_last(
    house: House, client_for: ClientFor, practice: Practice, clock: FixedClock
) -> None:
    clock.advance(2 * dt.timedelta(days=1))
    page = text_of(read(client_for(None)))
    this, _, rest = page.partition("Next week")
    following, _, earlier = rest.partition("Earlier this week")
    assert "Wednesday 25 November today" in this
    assert "Tuesday 24" not in this
    assert "Monday 30 November" in following
    assert "Monday 23 November" in earlier
    assert "Tuesday 24 November" in earlier


def test_a_holiday_and_a_sunday_say_where_to_go(
    house: House, client_for: ClientFor, practice: Practice, clock: FixedClock
) -> None:
    clock.move_to(dt.datetime(2026, 12, 25, 9, tzinfo=dt.UTC))
    with house.database.transaction() as session:
        for weekday, text in ((4, "Appelez le 15"), (6, "Garde de Sainte-Hermine")):
            session.add(UrgentAdvice(practice_id=practice.id, weekday=weekday, text=text))
    page = text_of(read(client_for(None)))
    assert "Practice closed · Christmas Day If you cannot wait Appelez le 15" in page
    assert "Sunday 27 December Practice closed If you cannot wait Garde" in page
