"""« Mes disponibilités »: what a doctor says of when they can come, on the phone and on the web."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from scheduler.calendars.models import DavItem
from scheduler.core.database import Database
from scheduler.core.outbox import OutboxMessage
from scheduler.people.models import Practice, User
from scheduler.roster import availabilities
from scheduler.roster.availability_queries import availabilities_between
from scheduler.roster.availability_rules import HalfDay, expand
from scheduler.roster.rules import Half, Period, Preference
from tests.calendars.caldav.conftest import AVAILABILITIES, Device, all_day, event, sentence
from tests.factories import House

TUESDAY = dt.date(2026, 12, 8)
WEDNESDAY = dt.date(2026, 12, 9)
END = dt.date(2027, 3, 31)


def said(
    database: Database, doctor: User, practice: Practice | None = None
) -> dict[HalfDay, Preference]:
    with database.session() as session:
        found = availabilities_between(session, [doctor.id], dt.date(2026, 11, 1), END)
        number = None if practice is None else practice.id
        return expand(*found[doctor.id], dt.date(2026, 11, 1), END, number)


def both(day: dt.date, preference: Preference) -> dict[HalfDay, Preference]:
    return {(day, half): preference for half in Half}


@pytest.mark.parametrize(
    ("title", "preference"),
    [
        ("Dispo", Preference.WANTED),
        ("Peut-être ?", Preference.POSSIBLE),
        ("! Si personne", Preference.LAST_RESORT),
    ],
)
def test_an_event_says_that_the_doctor_can_come(
    phone: Device, doctor: User, database: Database, title: str, preference: Preference
) -> None:
    body = all_day("A1", TUESDAY, title, "X-MINE:kept")
    response = phone.put(AVAILABILITIES, "A1.ics", body)
    assert response.status_code == 201, response.text
    assert said(database, doctor) == both(TUESDAY, preference)
    # It is kept as it was written, and the client need not read it again.
    assert "X-MINE:kept" in phone.read(AVAILABILITIES, "A1.ics")
    assert phone.names(AVAILABILITIES) == {"A1.ics"}
    assert phone.sync(AVAILABILITIES).there == {"A1.ics": response.headers["ETag"]}


def test_a_timed_event_says_half_a_day(phone: Device, doctor: User, database: Database) -> None:
    body = event("A1", "DTSTART:20261208T070000Z", "DTEND:20261208T113000Z", "SUMMARY:Dispo")
    phone.put(AVAILABILITIES, "A1.ics", body)
    assert said(database, doctor) == {(TUESDAY, Half.AM): Preference.WANTED}


def test_a_repeated_event_says_every_day_of_it(
    phone: Device, doctor: User, database: Database
) -> None:
    body = all_day("A1", TUESDAY, "Dispo", "RRULE:FREQ=WEEKLY;COUNT=3")
    assert phone.put(AVAILABILITIES, "A1.ics", body).status_code == 201
    days = [TUESDAY + dt.timedelta(weeks=number) for number in range(3)]
    assert {day for day, _half in said(database, doctor)} == set(days)
    assert phone.names(AVAILABILITIES) == {"A1.ics"}


def test_moving_and_deleting_take_it_back(phone: Device, doctor: User, database: Database) -> None:
    phone.put(AVAILABILITIES, "A1.ics", all_day("A1", TUESDAY))
    phone.put(AVAILABILITIES, "A1.ics", all_day("A1", WEDNESDAY, "Dispo ?"))
    assert said(database, doctor) == both(WEDNESDAY, Preference.POSSIBLE)
    assert phone.delete(AVAILABILITIES, "A1.ics").status_code == 200
    assert said(database, doctor) == {}
    assert phone.names(AVAILABILITIES) == set()


def test_what_is_said_on_the_web_stands_there_too(
    phone: Device, house: House, doctor: User, database: Database
) -> None:
    token = phone.sync(AVAILABILITIES).token
    actor = house.actor(doctor)
    with database.transaction() as session:
        availabilities.set_days(
            session, actor, doctor.id, [TUESDAY], Period.DAY, Preference.POSSIBLE
        )
        availabilities.set_days(
            session, actor, doctor.id, [WEDNESDAY], Period.PM, Preference.LAST_RESORT
        )
    after = phone.sync(AVAILABILITIES, token)
    assert set(after.there) == {"2026-12-08-day.ics", "2026-12-09-pm.ics"}
    assert "SUMMARY:Disponible\u202f?" in phone.read(AVAILABILITIES, "2026-12-08-day.ics")
    assert "T140000" in phone.read(AVAILABILITIES, "2026-12-09-pm.ics")


def test_what_relais_wrote_can_be_moved_and_deleted(
    phone: Device, house: House, doctor: User, database: Database
) -> None:
    house.available(doctor, TUESDAY, WEDNESDAY)
    name = "2026-12-08-day.ics"
    uid = phone.read(AVAILABILITIES, name).partition("UID:")[2].split("\r\n")[0]
    thursday = dt.date(2026, 12, 10)
    assert phone.put(AVAILABILITIES, name, all_day(uid, thursday)).status_code == 204
    assert phone.delete(AVAILABILITIES, "2026-12-09-day.ics").status_code == 200
    assert said(database, doctor) == both(thursday, Preference.WANTED)
    assert phone.names(AVAILABILITIES) == {name}
    # The address is another event's now: Tuesday said again stands under another one.
    house.available(doctor, TUESDAY)
    assert phone.names(AVAILABILITIES) == {name, "2026-12-08-day-2.ics"}


def test_a_weekly_repetition_is_left_out_on_the_day_deleted(
    phone: Device, house: House, doctor: User, database: Database
) -> None:
    actor = house.actor(doctor)
    with database.transaction() as session:
        availabilities.add_weekly(
            session, actor, doctor.id, 1, Period.DAY, Preference.WANTED, TUESDAY
        )
    assert "2026-12-15-day.ics" in phone.names(AVAILABILITIES)
    assert phone.delete(AVAILABILITIES, "2026-12-15-day.ics").status_code == 200
    assert (dt.date(2026, 12, 15), Half.AM) not in said(database, doctor)
    assert (dt.date(2026, 12, 22), Half.AM) in said(database, doctor)


def test_a_last_resort_put_over_a_weekly_maybe_is_the_doctors_own_word(
    phone: Device, house: House, doctor: User, database: Database
) -> None:
    actor = house.actor(doctor)
    with database.transaction() as session:
        availabilities.add_weekly(
            session, actor, doctor.id, 1, Period.DAY, Preference.POSSIBLE, TUESDAY
        )
    phone.names(AVAILABILITIES)
    body = all_day("A1", TUESDAY, "Dispo !")
    assert phone.put(AVAILABILITIES, "A1.ics", body).status_code == 201
    assert said(database, doctor)[TUESDAY, Half.AM] is Preference.LAST_RESORT
    assert "A1.ics" in phone.names(AVAILABILITIES)
    assert phone.delete(AVAILABILITIES, "A1.ics").status_code == 200
    assert (TUESDAY, Half.AM) not in said(database, doctor)


def test_an_event_that_is_no_longer_true_gives_way_to_what_holds(
    phone: Device, house: House, doctor: User, database: Database
) -> None:
    phone.put(
        AVAILABILITIES,
        "A1.ics",
        event("A1", "DTSTART;VALUE=DATE:20261208", "DTEND;VALUE=DATE:20261210", "SUMMARY:Dispo"),
    )
    token = phone.sync(AVAILABILITIES).token
    actor = house.actor(doctor)
    with database.transaction() as session:
        availabilities.set_days(session, actor, doctor.id, [TUESDAY], Period.AM, None)
    after = phone.sync(AVAILABILITIES, token)
    assert set(after.there) == {"2026-12-08-pm.ics", "2026-12-09-day.ics"}
    assert after.gone == {"A1.ics"}


def test_of_two_events_on_a_day_the_gladder_counts(
    phone: Device, doctor: User, database: Database
) -> None:
    phone.put(AVAILABILITIES, "A1.ics", all_day("A1", TUESDAY, "Peut-être ?"))
    phone.put(AVAILABILITIES, "A2.ics", all_day("A2", TUESDAY, "Dispo"))
    assert said(database, doctor) == both(TUESDAY, Preference.WANTED)
    assert phone.names(AVAILABILITIES) == {"A1.ics", "A2.ics"}
    phone.delete(AVAILABILITIES, "A2.ics")
    assert said(database, doctor) == both(TUESDAY, Preference.POSSIBLE)
    assert phone.names(AVAILABILITIES) == {"A1.ics"}


def test_what_holds_for_one_practice_only_says_so(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.available(doctor, TUESDAY, practice=practice)
    name = f"2026-12-08-day-p{practice.id}.ics"
    assert phone.names(AVAILABILITIES) == {name}
    assert "Cabinet de Nieul" in phone.read(AVAILABILITIES, name)
    assert phone.delete(AVAILABILITIES, name).status_code == 200
    assert said(database, doctor, practice) == {}


@pytest.mark.parametrize(
    "body",
    [
        all_day("A1", TUESDAY, "x", "RRULE:FREQ=SECONDLY"),
        all_day("A1", TUESDAY, "x", "RRULE:FREQ=DAILY;COUNT=100000"),
        event("A1", "DTSTART;VALUE=DATE:20261399", "SUMMARY:x"),
        b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        b"\x00" * 10,
    ],
    ids=["a bomb", "too often", "no date", "empty", "bytes"],
)
def test_what_cannot_be_read_is_refused(
    phone: Device, doctor: User, database: Database, body: bytes
) -> None:
    token = phone.sync(AVAILABILITIES).token
    response = phone.put(AVAILABILITIES, "A1.ics", body)
    assert response.status_code == 403
    assert sentence(response)
    assert said(database, doctor) == {}
    assert phone.sync(AVAILABILITIES, token).gone == {"A1.ics"}
    with database.session() as session:
        assert session.query(DavItem).count() == 0


def test_an_event_that_says_nothing_is_kept_and_the_doctor_told(
    phone: Device, doctor: User, database: Database
) -> None:
    night = event("A1", "DTSTART:20261208T220000Z", "DTEND:20261208T230000Z", "SUMMARY:Cinéma")
    assert phone.put(AVAILABILITIES, "A1.ics", night).status_code == 201
    past = all_day("A2", dt.date(2026, 11, 3))
    assert phone.put(AVAILABILITIES, "A2.ics", past).status_code == 201
    assert said(database, doctor) == {}
    assert phone.names(AVAILABILITIES) == {"A1.ics", "A2.ics"}
    with database.session() as session:
        messages = session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.id)).all()
    assert [(message.recipient_id, message.facts["done"]) for message in messages] == [
        (doctor.id, True),
        (doctor.id, True),
    ]
    assert "Cinéma" not in repr([message.facts for message in messages])
    assert phone.delete(AVAILABILITIES, "A1.ics").status_code == 200
    assert phone.names(AVAILABILITIES) == {"A2.ics"}


def test_events_are_found_by_time(phone: Device, house: House, doctor: User) -> None:
    house.available(doctor, TUESDAY, WEDNESDAY + dt.timedelta(days=30))
    phone.put(
        AVAILABILITIES, "A1.ics", all_day("A1", WEDNESDAY, "Dispo", "RRULE:FREQ=WEEKLY;COUNT=2")
    )
    body = (
        '<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
        "<prop><getetag/><C:calendar-data/></prop>"
        '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        '<C:time-range start="20261216T000000Z" end="20261217T000000Z"/>'
        "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    )
    response = phone.ask("REPORT", phone.path(AVAILABILITIES), body.encode(), Depth="1")
    assert response.status_code == 207
    assert response.text.count("BEGIN:VEVENT") == 1
    assert "A1.ics" in response.text
