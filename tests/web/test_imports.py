"""The pages on which a doctor gives Relais a calendar of theirs."""

from __future__ import annotations

import datetime as dt
import html
import io
import re
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from scheduler.calendars.fetching import Address, Fetcher
from scheduler.calendars.models import CalendarSource, SourceUse
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Locale, Practice, User
from scheduler.roster.models import Assignment, ImportedHalf
from scheduler.roster.rules import AssignmentSource, AssignmentState
from tests.calendars.imports.test_fetching import HOST, Server, send
from tests.calendars.imports.test_sources import THURSDAY, THURSDAY_MORNING
from tests.factories import House

DAY = dt.date(2026, 12, 3)
PAGE = "/calendars/imports/"
Client = Callable[[User | None], FlaskClient]


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", "Salle 2")


@pytest.fixture
def doctor(house: House, practice: Practice) -> User:
    return house.member(practice, Role.REPLACEMENT)


def upload(client: Any, content: bytes, use: str, name: str = "mon agenda.ics") -> Any:
    data = {"file-file": (io.BytesIO(content), name), "file-use": use}
    return client.post(f"{PAGE}file", data=data, content_type="multipart/form-data")


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return html.unescape(found[1])


def halves(database: Database) -> list[tuple[dt.date, str, bool]]:
    with database.session() as session:
        rows = session.scalars(sa.select(ImportedHalf).order_by(ImportedHalf.id))
        return [(row.date, row.half.value, row.busy) for row in rows]


def test_a_file_is_looked_at_and_kept_by_a_second_yes(
    database: Database, client_for: Client, doctor: User
) -> None:
    client = client_for(doctor)
    page = upload(client, THURSDAY_MORNING, SourceUse.BUSY.value)
    assert page.status_code == 200
    # The doctor reads the title; nobody keeps it.
    assert "Dentiste" in page.text
    assert halves(database) == []
    draft = hidden(page.text, "draft")
    answer = client.post(f"{PAGE}keep", data={"draft": draft})
    assert (answer.status_code, answer.location) == (302, PAGE)
    assert halves(database) == [(DAY, "am", True)]
    with database.session() as session:
        assert session.scalars(sa.select(CalendarSource.name)).one() == "mon agenda"
    assert "mon agenda" in client.get(PAGE).text
    # The same yes twice, by a browser that sends its form again, is one.
    client.post(f"{PAGE}keep", data={"draft": draft})
    assert halves(database) == [(DAY, "am", True)]
    number = re.search(r"imports/(\d+)/remove", client.get(PAGE).text)
    assert number is not None
    assert client.post(f"{PAGE}{number[1]}/remove").status_code == 302
    assert halves(database) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Choose a file first."),
        (b"PK\x03\x04", "This file is no calendar. Export one as .ics and choose that."),
        (
            b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
            "Nothing in this calendar is about the coming months.",
        ),
    ],
)
def test_a_file_that_says_nothing_is_refused_in_a_sentence(
    database: Database, client_for: Client, doctor: User, content: bytes, words: str
) -> None:
    with database.transaction() as session:
        session.get_one(User, doctor.id).locale = Locale.ENGLISH
    page = upload(client_for(doctor), content, "availability")
    assert page.status_code == 422
    assert words in page.text
    assert "file-file-error" in page.text


def test_a_draft_belongs_to_who_looked(
    database: Database, client_for: Client, house: House, practice: Practice, doctor: User
) -> None:
    draft = hidden(upload(client_for(doctor), THURSDAY, "availability").text, "draft")
    other = client_for(house.member(practice, Role.REPLACEMENT))
    assert other.post(f"{PAGE}keep", data={"draft": draft}).status_code == 422
    assert other.post(f"{PAGE}keep", data={"draft": draft[:-2]}).status_code == 422
    assert other.post(f"{PAGE}keep", data={}).status_code == 422
    assert halves(database) == []


def test_a_file_can_take_days_never_by_itself(
    database: Database, client_for: Client, house: House, practice: Practice, doctor: User
) -> None:
    first, second = house.need(practice, DAY), house.need(practice, DAY, room=1)
    house.need(practice, DAY + dt.timedelta(days=1))
    client = client_for(doctor)
    page = upload(client, THURSDAY, "claim")
    assert page.status_code == 200
    assert re.findall(r'name="need" value="(\d+)"( checked)?', page.text) == [
        (str(first.id), " checked"),
        (str(second.id), ""),
    ]
    with database.session() as session:
        assert session.scalars(sa.select(Assignment)).all() == []
    data = {"need": first.id, "key": hidden(page.text, "key")}
    answer = client.post(f"{PAGE}claim", data=data)
    assert answer.status_code == 200
    assert f"/p/{practice.slug}/needs/{first.id}" in answer.text
    assert "1 journée prise" in answer.text
    with database.transaction() as session:
        taken = session.scalars(sa.select(Assignment)).one()
        assert (taken.need_id, taken.source) == (first.id, AssignmentSource.FILE)
    client.post(f"/p/{practice.slug}/assignments/{taken.id}/undo")
    # The same file sent again takes nothing anew.
    assert "rendue depuis" in client.post(f"{PAGE}claim", data=data).text
    with database.session() as session:
        assert session.scalars(sa.select(Assignment.state)).all() == [AssignmentState.RELEASED]


def test_days_that_could_not_be_taken_are_listed_with_the_reason(
    client_for: Client, house: House, practice: Practice, doctor: User
) -> None:
    first, second = house.need(practice, DAY), house.need(practice, DAY, room=1)
    client = client_for(doctor)
    page = upload(client, THURSDAY, "claim")
    data = {"need": [first.id, second.id], "key": hidden(page.text, "key")}
    answer = client.post(f"{PAGE}claim", data=data)
    for need in (first, second):
        assert f"/p/{practice.slug}/needs/{need.id}" in answer.text
    assert "1 journée prise" in answer.text
    assert "non prise" in answer.text


UNKNOWN_ZONE = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Tests//FR\r
BEGIN:VEVENT\r
UID:zone\r
SUMMARY:Bloc op\xc3\xa9ratoire\r
DTSTART;TZID=Nulle/Part:20261203T080000\r
DTEND;TZID=Nulle/Part:20261203T180000\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:past\r
SUMMARY:Vieille histoire\r
DTSTART;VALUE=DATE:20200101\r
END:VEVENT\r
END:VCALENDAR\r
"""


@pytest.mark.parametrize("use", ["busy", "availability", "claim"])
def test_events_that_cannot_be_counted_are_named_with_the_reason(
    client_for: Client, doctor: User, use: str
) -> None:
    page = upload(client_for(doctor), UNKNOWN_ZONE, use)
    assert page.status_code == 422
    assert "ne concerne les mois à venir" not in page.text
    assert "Nulle/Part" in page.text
    assert "jeu. 3 déc. · Bloc opératoire" in page.text
    # What is over is a line, whatever it was.
    assert "Vieille histoire" not in page.text
    assert "1 événement est passé" in page.text


def test_an_address_is_fetched_looked_at_and_followed(
    app: Flask, database: Database, client_for: Client, doctor: User
) -> None:
    server = Server()
    server.answer = lambda handler: send(handler, THURSDAY, ETag='"1"')

    def home(_host: str, _port: int) -> Sequence[Address]:
        return [ip_address("127.0.0.1")]

    app.extensions["relais.fetcher"] = Fetcher(
        allow_http=True, resolver=home, permits=lambda _: True
    )
    client = client_for(doctor)
    try:
        # Plain http is not the installation's choice.
        data = {"address-address": server.address(), "address-use": "availability"}
        page = client.post(f"{PAGE}address", data=data)
        assert page.status_code == 422
        assert "address-address-error" in page.text
        assert server.asked == []
    finally:
        server.close()
    data["address-address"] = f"https://{HOST}:1/secret.ics"
    page = client.post(f"{PAGE}address", data=data)
    assert page.status_code == 422
    # What was typed stays.
    assert f"https://{HOST}:1/secret.ics" in page.text


def test_a_subscription_shows_where_it_leads_and_not_its_secret(
    database: Database, client_for: Client, doctor: User
) -> None:
    now = database.clock.now()
    with database.transaction() as session:
        session.add(
            CalendarSource(
                doctor_id=doctor.id,
                use=SourceUse.BUSY,
                name="Google",
                address="https://calendar.test/private-0123456789/basic.ics",
                created_at=now,
                answered_at=now - dt.timedelta(days=3),
                read_at=now - dt.timedelta(days=5),
                failing_since=now - dt.timedelta(days=3),
                failure="calendar_fetch_status",
                next_at=now,
            )
        )
    client = client_for(doctor)
    page = client.get(PAGE).text
    assert "calendar.test" in page
    assert "0123456789" not in page
    assert "il y a 3 jours" in page
    number = re.search(r"imports/(\d+)/again", page)
    assert number is not None
    assert client.post(f"{PAGE}{number[1]}/again").status_code == 302


def test_a_busy_day_is_marked_where_the_doctor_says_when_they_can_come(
    client_for: Client, doctor: User
) -> None:
    client = client_for(doctor)
    month = f"/availabilities/{DAY:%Y-%m}"
    assert "occupé dans votre agenda" not in client.get(month).text
    draft = hidden(upload(client, THURSDAY_MORNING, SourceUse.BUSY.value).text, "draft")
    client.post(f"{PAGE}keep", data={"draft": draft})
    assert client.get(month).text.count('title="occupé dans votre agenda"') == 1
