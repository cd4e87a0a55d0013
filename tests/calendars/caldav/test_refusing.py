"""What a client cannot have: the right status, a sentence of its own, and a message where due."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from scheduler.calendars.models import DavItem
from scheduler.core.database import Database
from scheduler.core.outbox import OutboxMessage
from scheduler.people.models import Practice, User
from scheduler.roster.models import Availability
from tests.calendars.caldav.conftest import (
    AVAILABILITIES,
    MY_DAYS,
    OPEN_DAYS,
    Device,
    all_day,
    event,
    sentence,
)
from tests.factories import House

TUESDAY = dt.date(2026, 12, 8)
BOTH = pytest.mark.parametrize("calendar", [MY_DAYS, AVAILABILITIES])


def messages(database: Database) -> list[OutboxMessage]:
    with database.session() as session:
        return list(
            session.scalars(
                sa.select(OutboxMessage)
                .where(OutboxMessage.kind == "calendar.refused")
                .order_by(OutboxMessage.id)
            )
        )


@BOTH
@pytest.mark.parametrize(
    "body",
    [
        all_day("A\x001", TUESDAY),
        all_day("A1", TUESDAY, "Dispo\x00"),
        all_day("A1", TUESDAY, "Dispo\x1b[2J"),
        all_day("A1", TUESDAY).replace(b"UID:A1", b"UID;ENCODING=QUOTED-PRINTABLE:A=001"),
    ],
    ids=["in the UID", "in the title", "an escape", "in disguise"],
)
def test_control_characters_are_refused_before_anything_is_stored(
    phone: Device, house: House, practice: Practice, database: Database, calendar: str, body: bytes
) -> None:
    house.need(practice, TUESDAY)
    response = phone.put(calendar, "A1.ics", body)
    assert response.status_code == 403
    assert "valid-calendar-data" in response.text
    assert "caractères" in sentence(response)
    with database.session() as session:
        assert session.query(DavItem).count() == 0


@BOTH
def test_control_characters_in_a_name_are_refused(
    phone: Device, house: House, practice: Practice, calendar: str
) -> None:
    house.need(practice, TUESDAY)
    response = phone.put(calendar, "A%1B1.ics", all_day("A1", TUESDAY))
    assert response.status_code == 400, response.text
    assert phone.names(calendar) == set()


@BOTH
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (event("A1", "DTSTART;VALUE=DATE:20261208", "DURATION:P99999999W"), "illisible"),
        (all_day("A1", TUESDAY, "x", "RRULE:FREQ=DAILY;COUNT=5000"), "se répète plus de"),
        (all_day("A1", TUESDAY, "x", "RRULE:FREQ=NEVER"), "se répète"),
        (event("A1", "SUMMARY:x"), "début"),
        (all_day("A1", TUESDAY).replace(b"UID:A1\r\n", b""), "ne peut pas lire"),
        (b"Bonjour", "ne peut pas lire"),
        (b"", "ne peut pas lire"),
    ],
    ids=["endless", "too often", "no rule", "no beginning", "no UID", "plain text", "nothing"],
)
def test_what_cannot_be_read_is_told_in_the_words_of_a_calendar(
    phone: Device, calendar: str, body: bytes, words: str
) -> None:
    response = phone.put(calendar, "A1.ics", body)
    assert response.status_code == 403
    assert "valid-calendar-data" in response.text
    assert words in sentence(response)
    for strange in ("fichier", "xportez", "changé"):
        assert strange not in sentence(response)


def test_the_message_names_the_date_of_an_event_that_cannot_be_read(
    phone: Device, database: Database
) -> None:
    phone.put(AVAILABILITIES, "A1.ics", all_day("A1", TUESDAY, "x", "RRULE:FREQ=SECONDLY"))
    (message,) = messages(database)
    assert message.facts["date"] == "2026-12-08"


def test_what_is_another_doctors_is_said_to_be_and_no_message_is_sent(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    for path in (
        f"/dav/{doctor.id + 1}/my-days/A1.ics",
        "/dav/999999/my-days/A1.ics",
        f"/dav/{doctor.id}/nothing/A1.ics",
        "/dav/a/b/c/d/e.ics",
    ):
        for method in ("PUT", "DELETE"):
            response = phone.ask(method, path, all_day("A1", TUESDAY))
            assert response.status_code == 403, path
            assert "pas le vôtre" in sentence(response)
    assert messages(database) == []


def test_a_calendar_cannot_be_deleted_and_is_said_not_to_be(
    phone: Device, doctor: User, database: Database
) -> None:
    for path in (phone.path(MY_DAYS), phone.path(OPEN_DAYS), f"/dav/{doctor.id}/"):
        response = phone.ask("DELETE", path)
        assert response.status_code == 403
        assert "supprimés" in sentence(response)


def test_a_cancelled_event_gives_nothing_back_and_says_how_to(
    phone: Device, house: House, practice: Practice
) -> None:
    house.need(practice, TUESDAY)
    cancelled = all_day("A1", TUESDAY, "Remplacement", "STATUS:CANCELLED")
    new = phone.put(MY_DAYS, "A1.ics", cancelled)
    assert new.status_code == 403
    assert "annulé" in sentence(new)
    phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    own = phone.put(MY_DAYS, "A1.ics", cancelled)
    assert own.status_code == 403
    assert "upprimez" in sentence(own)
    assert phone.names(MY_DAYS) == {"A1.ics"}


def test_a_task_says_nothing_of_availabilities_and_is_not_lost(
    phone: Device, database: Database
) -> None:
    task = all_day("A3", TUESDAY).replace(b"VEVENT", b"VTODO").replace(b"DTEND", b"DUE")
    assert phone.put(AVAILABILITIES, "A3.ics", task).status_code == 201
    assert "BEGIN:VTODO" in phone.read(AVAILABILITIES, "A3.ics")
    with database.session() as session:
        assert session.scalars(sa.select(Availability)).all() == []


@pytest.mark.parametrize("length", ["P63D", "P400D"])
def test_one_stretch_of_availabilities_has_an_end(phone: Device, length: str) -> None:
    body = event("A1", "DTSTART;VALUE=DATE:20261208", f"DURATION:{length}")
    response = phone.put(AVAILABILITIES, "A1.ics", body)
    assert response.status_code == 403
    assert "62" in sentence(response)
    body = event("A1", "DTSTART;VALUE=DATE:20261208", "DURATION:P62D")
    assert phone.put(AVAILABILITIES, "A1.ics", body).status_code == 201


def test_events_out_of_reach_are_kept_and_the_doctor_told_once(
    phone: Device, database: Database
) -> None:
    days = (dt.date(2026, 11, 3), dt.date(2019, 3, 5), dt.date(2031, 3, 4))
    for day in days:
        response = phone.put(AVAILABILITIES, f"{day}.ics", all_day(f"U{day}", day))
        assert response.status_code == 201
    assert len(phone.names(AVAILABILITIES)) == 3
    (message,) = messages(database)
    assert "reste dans votre agenda" in message.facts["why"]


@pytest.mark.parametrize("charset", ["nonsense", "utf-16", "unicode_escape"])
def test_a_charset_that_is_not_that_of_calendars_does_no_harm(phone: Device, charset: str) -> None:
    response = phone.ask(
        "PUT",
        phone.path(AVAILABILITIES, "A1.ics"),
        all_day("A1", TUESDAY, "Été"),
        Content_Type=f"text/calendar; charset={charset}",
    )
    assert response.status_code == 201, response.text
    assert "SUMMARY:Été" in phone.read(AVAILABILITIES, "A1.ics")
