"""« Mes remplacements »: an event put, moved or deleted takes, exchanges or gives back a day."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from flask import Flask

from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.people.models import ClaimPolicy, Practice, User
from scheduler.roster import claiming, releasing
from scheduler.roster.models import Assignment, ReleaseRequest
from scheduler.roster.rules import (
    AssignmentSource,
    AssignmentState,
    Period,
    Preference,
    ReleaseKind,
)
from tests.calendars.caldav.conftest import (
    MY_DAYS,
    OPEN_DAYS,
    Device,
    all_day,
    device_of,
    event,
    sentence,
)
from tests.factories import House

TUESDAY = dt.date(2026, 12, 8)
THURSDAY = dt.date(2026, 12, 10)


def standing(database: Database, doctor: User) -> list[tuple[dt.date, Period]]:
    with database.session() as session:
        rows = session.execute(
            sa.select(Assignment.date, Assignment.period)
            .where(Assignment.doctor_id == doctor.id, Assignment.state != AssignmentState.RELEASED)
            .order_by(Assignment.date)
        )
        return [(date, period) for date, period in rows]


def told(database: Database, doctor: User) -> list[OutboxMessage]:
    with database.session() as session:
        return list(
            session.scalars(
                sa.select(OutboxMessage)
                .where(
                    OutboxMessage.recipient_id == doctor.id,
                    OutboxMessage.kind == "calendar.refused",
                )
                .order_by(OutboxMessage.id)
            )
        )


def test_an_all_day_event_takes_the_day(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.need(practice, TUESDAY)
    response = phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY), If_None_Match="*")
    assert response.status_code == 201
    # What stands there is not what was sent: the client has to read it.
    assert "ETag" not in response.headers
    assert standing(database, doctor) == [(TUESDAY, Period.DAY)]
    with database.session() as session:
        (taken,) = session.scalars(sa.select(Assignment))
        assert taken.source is AssignmentSource.CALDAV
    text = phone.read(MY_DAYS, "A1.ics")
    assert "UID:A1" in text
    assert "SUMMARY:Cabinet de Nieul" in text
    assert "DTSTART;TZID=Europe/Paris:20261208T083000" in text
    assert phone.names(MY_DAYS) == {"A1.ics"}


def test_a_timed_event_takes_the_half_day_it_covers(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.need(practice, TUESDAY, Period.AM)
    house.need(practice, TUESDAY, Period.PM, room=1)
    body = event(
        "A1",
        "DTSTART;TZID=Europe/Paris:20261208T140000",
        "DTEND;TZID=Europe/Paris:20261208T180000",
        "SUMMARY:Nieul",
    )
    assert phone.put(MY_DAYS, "A1.ics", body).status_code == 201
    assert standing(database, doctor) == [(TUESDAY, Period.PM)]


def test_the_title_or_the_place_says_which_day_is_meant(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.available(doctor, TUESDAY, preference=Preference.WANTED)
    other = house.practice("Salle verte", name="Maison de santé", slug="autre")
    house.member(other, Role.REPLACEMENT, doctor)
    house.need(practice, TUESDAY)
    meant = house.need(other, TUESDAY)
    body = all_day("A1", TUESDAY, "Remplacement", "LOCATION:salle VERTE\\, 2 rue du Lac")
    assert phone.put(MY_DAYS, "A1.ics", body).status_code == 201
    with database.session() as session:
        (taken,) = session.scalars(sa.select(Assignment))
        assert taken.need_id == meant.id


def test_a_day_that_is_taken_is_refused_and_the_phantom_goes(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    first = house.member(practice, Role.REPLACEMENT)
    house.assignment(house.need(practice, TUESDAY), first)
    token = phone.sync(MY_DAYS).token
    response = phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY, "Privé"))
    assert response.status_code == 409
    assert first.name in sentence(response)
    assert response.content_type == "application/xml; charset=utf-8"
    after = phone.sync(MY_DAYS, token)
    assert (after.there, after.gone) == ({}, {"A1.ics"})
    (message,) = told(database, doctor)
    assert message.facts["date"] == "2026-12-08"
    assert message.facts["why"] == sentence(response)
    assert "Privé" not in repr(message.facts)


def test_the_doctor_is_told_once_however_often_the_phone_tries(
    phone: Device, doctor: User, database: Database
) -> None:
    for _ in range(3):
        response = phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
        assert response.status_code == 403
    assert len(told(database, doctor)) == 1


def test_a_rule_that_forbids_it_is_named(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    unlicensed = house.member(
        practice, Role.REPLACEMENT, doctor={"qualified": False, "licence_until": None}
    )
    house.need(practice, TUESDAY)
    phone = device_of(phone.client.application, database, house, unlicensed)
    response = phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    assert response.status_code == 403
    assert "licence-missing" in response.text


def test_a_second_event_for_a_day_one_has_is_refused(
    phone: Device, house: House, practice: Practice, doctor: User
) -> None:
    house.need(practice, TUESDAY)
    phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    assert phone.put(MY_DAYS, "A2.ics", all_day("A2", TUESDAY)).status_code == 409
    assert phone.names(MY_DAYS) == {"A1.ics"}


def remarks(database: Database, doctor: User) -> list[str]:
    return [str(message.facts["why"]) for message in told(database, doctor)]


def test_an_event_of_a_whole_day_takes_both_halves_of_it(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.need(practice, TUESDAY, Period.AM)
    house.need(practice, TUESDAY, Period.PM)
    assert phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY)).status_code == 201
    assert sorted(standing(database, doctor)) == [(TUESDAY, Period.AM), (TUESDAY, Period.PM)]
    # Each is an event of its own from now on, and the doctor is told.
    assert len(phone.names(MY_DAYS)) == 2
    (remark,) = remarks(database, doctor)
    assert "deux demi-journées" in remark
    # The phone that never heard the answer asks again: nothing changes.
    assert phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY)).status_code == 204
    assert len(standing(database, doctor)) == 2


def test_whoever_gets_half_of_a_whole_day_is_told_which(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.need(practice, TUESDAY, Period.AM)
    house.assignment(
        house.need(practice, TUESDAY, Period.PM), house.member(practice, Role.REPLACEMENT)
    )
    assert phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY)).status_code == 201
    assert standing(database, doctor) == [(TUESDAY, Period.AM)]
    (remark,) = remarks(database, doctor)
    assert "que le matin" in remark


def test_moving_onto_a_day_that_is_ones_own_says_so(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.need(practice, TUESDAY)
    other = house.member(practice, Role.REPLACEMENT)
    house.assignment(house.need(practice, THURSDAY, room=1), other)
    house.assignment(house.need(practice, THURSDAY), doctor)
    phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    response = phone.put(MY_DAYS, "A1.ics", all_day("A1", THURSDAY))
    assert response.status_code == 409
    assert "Vous avez déjà" in sentence(response)
    assert len(standing(database, doctor)) == 2


def sequence(phone: Device, name: str) -> int:
    return int(phone.read(MY_DAYS, name).partition("SEQUENCE:")[2].split("\r\n")[0])


def test_the_sequence_rises_with_each_change_and_is_never_below_the_clients(
    phone: Device, house: House, practice: Practice
) -> None:
    house.need(practice, TUESDAY)
    house.need(practice, THURSDAY)
    phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY, "x", "SEQUENCE:7"))
    seen = [7, sequence(phone, "A1.ics")]
    for day in (THURSDAY, TUESDAY):
        phone.put(MY_DAYS, "A1.ics", all_day("A1", day))
        seen.append(sequence(phone, "A1.ics"))
    phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY, "x", "SEQUENCE:123456"))
    seen += [123456, sequence(phone, "A1.ics")]
    assert seen == sorted(seen)
    assert len(set(seen[1:4])) == 3


@pytest.mark.parametrize(
    "body",
    [
        all_day("A1", TUESDAY, "x", "RRULE:FREQ=WEEKLY;COUNT=3"),
        event("A1", "DTSTART;VALUE=DATE:20261208", "DTEND;VALUE=DATE:20261210", "SUMMARY:x"),
        event("A1", "DTSTART:20261208T220000Z", "DTEND:20261208T230000Z", "SUMMARY:x"),
        b"no calendar at all",
        all_day("A1", TUESDAY).replace(b"VEVENT", b"VTODO"),
    ],
    ids=["recurring", "two days", "at night", "no calendar", "a task"],
)
def test_what_cannot_be_one_day_is_refused(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database, body: bytes
) -> None:
    house.need(practice, TUESDAY)
    response = phone.put(MY_DAYS, "A1.ics", body)
    assert response.status_code == 403
    assert sentence(response)
    assert standing(database, doctor) == []


def test_too_large_a_body_is_not_read(phone: Device) -> None:
    body = all_day("A1", TUESDAY, "x" * (1024 * 1024))
    assert phone.put(MY_DAYS, "A1.ics", body).status_code == 413


def test_moving_an_event_exchanges_the_days(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.need(practice, TUESDAY)
    house.need(practice, THURSDAY)
    phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    assert phone.put(MY_DAYS, "A1.ics", all_day("A1", THURSDAY)).status_code == 204
    assert standing(database, doctor) == [(THURSDAY, Period.DAY)]
    assert phone.names(MY_DAYS) == {"A1.ics"}
    # And back: the same event is a new command each time.
    assert phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY)).status_code == 204
    assert standing(database, doctor) == [(TUESDAY, Period.DAY)]


def test_a_move_that_cannot_be_leaves_the_day(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.need(practice, TUESDAY)
    house.assignment(house.need(practice, THURSDAY), house.member(practice, Role.REPLACEMENT))
    phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    before = phone.sync(MY_DAYS)
    assert phone.put(MY_DAYS, "A1.ics", all_day("A1", THURSDAY)).status_code == 409
    assert standing(database, doctor) == [(TUESDAY, Period.DAY)]
    # The phone has to read the day anew, although it is the same.
    after = phone.sync(MY_DAYS, before.token)
    assert set(after.there) == {"A1.ics"}
    assert after.there["A1.ics"] != before.there["A1.ics"]


def test_a_day_taken_on_the_web_can_be_moved_too(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    day = house.assignment(house.need(practice, TUESDAY), doctor)
    house.need(practice, THURSDAY)
    name = f"{day.uid}.ics"
    assert phone.names(MY_DAYS) == {name}
    assert phone.put(MY_DAYS, name, all_day(day.uid, THURSDAY)).status_code == 204
    assert standing(database, doctor) == [(THURSDAY, Period.DAY)]
    assert phone.names(MY_DAYS) == {name}


def test_a_new_title_changes_nothing_and_the_truth_comes_back(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.need(practice, TUESDAY)
    phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    before = phone.sync(MY_DAYS)
    body = all_day("A1", TUESDAY, "Chez les Martin")
    response = phone.put(MY_DAYS, "A1.ics", body, If_Match=before.there["A1.ics"])
    assert response.status_code == 204
    assert "Martin" not in phone.read(MY_DAYS, "A1.ics")
    assert set(phone.sync(MY_DAYS, before.token).there) == {"A1.ics"}
    assert told(database, doctor) == []


def test_deleting_before_the_lock_date_gives_the_day_back(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.need(practice, TUESDAY)
    phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    assert phone.delete(MY_DAYS, "A1.ics").status_code == 200
    assert standing(database, doctor) == []
    assert phone.names(MY_DAYS) == set()
    # The same event put there again (an undo on the phone) is another wish.
    assert phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY)).status_code == 201
    assert standing(database, doctor) == [(TUESDAY, Period.DAY)]


def test_deleting_after_the_lock_date_asks_a_titular(
    phone: Device, house: House, doctor: User, practice: Practice, database: Database
) -> None:
    with database.transaction() as session:
        session.get_one(Practice, practice.id).lock_days = 30
    house.need(practice, TUESDAY)
    phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    before = phone.sync(MY_DAYS)
    for _ in range(2):
        response = phone.delete(MY_DAYS, "A1.ics")
        assert response.status_code == 403
        assert "calendar-release-asked" in response.text
    assert standing(database, doctor) == [(TUESDAY, Period.DAY)]
    with database.session() as session:
        assert session.scalar(sa.select(sa.func.count(ReleaseRequest.id))) == 1
    assert "désistement demandé" in phone.read(MY_DAYS, "A1.ics")
    assert set(phone.sync(MY_DAYS, before.token).there) == {"A1.ics"}


def test_moving_after_the_lock_date_is_refused(
    phone: Device, house: House, doctor: User, practice: Practice, database: Database
) -> None:
    with database.transaction() as session:
        session.get_one(Practice, practice.id).lock_days = 30
    house.need(practice, TUESDAY)
    house.need(practice, THURSDAY)
    phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    assert phone.put(MY_DAYS, "A1.ics", all_day("A1", THURSDAY)).status_code == 403
    assert standing(database, doctor) == [(TUESDAY, Period.DAY)]


def test_deleting_on_the_day_itself_is_an_emergency(
    phone: Device, house: House, doctor: User, practice: Practice, database: Database
) -> None:
    day = house.assignment(house.need(practice, house.today), doctor)
    assert phone.delete(MY_DAYS, f"{day.uid}.ics").status_code == 200
    with database.session() as session:
        assert session.get_one(Assignment, day.id).release_kind is ReleaseKind.EMERGENCY


def test_a_day_gone_by_stays(
    phone: Device, house: House, doctor: User, practice: Practice, database: Database
) -> None:
    day = house.assignment(house.need(practice, house.today - dt.timedelta(days=7)), doctor)
    assert phone.delete(MY_DAYS, f"{day.uid}.ics").status_code == 403
    assert phone.names(MY_DAYS) == {f"{day.uid}.ics"}


def test_a_held_day_is_tentative(
    phone: Device, house: House, doctor: User, practice: Practice, database: Database
) -> None:
    with database.transaction() as session:
        session.get_one(Practice, practice.id).claim_policy = ClaimPolicy.HELD
    house.need(practice, TUESDAY)
    phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    text = phone.read(MY_DAYS, "A1.ics")
    assert "STATUS:TENTATIVE" in text
    assert "à confirmer" in text


def test_what_the_web_does_shows_at_the_next_sync(
    phone: Device, house: House, doctor: User, practice: Practice, database: Database
) -> None:
    need = house.need(practice, TUESDAY)
    actor = house.actor(doctor)
    token = phone.sync(MY_DAYS).token
    open_before = phone.names(OPEN_DAYS)
    with database.transaction() as session:
        day = claiming.claim(session, actor, need.id)
    first = phone.sync(MY_DAYS, token)
    assert (set(first.there), first.gone) == ({f"{day.uid}.ics"}, set())
    assert len(open_before) == 1
    assert phone.names(OPEN_DAYS) == set()
    with database.transaction() as session:
        releasing.release(session, actor, day.id)
    second = phone.sync(MY_DAYS, first.token)
    assert (second.there, second.gone) == ({}, {f"{day.uid}.ics"})
    assert phone.names(OPEN_DAYS) == open_before


def test_a_strange_token_is_refused(phone: Device) -> None:
    body = (
        b'<sync-collection xmlns="DAV:"><sync-token>urn:x</sync-token><sync-level>1</sync-level>'
        b"<prop><getetag/></prop></sync-collection>"
    )
    response = phone.ask("REPORT", phone.path(MY_DAYS), body)
    assert response.status_code == 403
    assert "valid-sync-token" in response.text


def test_conditions_are_honoured(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.need(practice, TUESDAY)
    house.need(practice, THURSDAY)
    phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    moved = all_day("A1", THURSDAY)
    assert phone.put(MY_DAYS, "A1.ics", moved, If_Match='"old"').status_code == 412
    assert phone.put(MY_DAYS, "A1.ics", moved, If_None_Match="*").status_code == 412
    assert phone.delete(MY_DAYS, "A1.ics", If_Match='"old"').status_code == 412
    assert standing(database, doctor) == [(TUESDAY, Period.DAY)]


def test_a_command_repeated_after_the_day_was_given_back_is_an_old_one(
    phone: Device, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.need(practice, TUESDAY)
    phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    actor = house.actor(doctor)
    with database.transaction() as session:
        (day,) = session.scalars(sa.select(Assignment))
        releasing.release(session, actor, day.id)
    # The phone never heard the first answer and sends the event again.
    assert phone.put(MY_DAYS, "A1.ics", all_day("A1", TUESDAY)).status_code == 409
    assert standing(database, doctor) == []


def test_open_days_cannot_be_written(
    phone: Device, house: House, practice: Practice, clock: FixedClock
) -> None:
    house.need(practice, TUESDAY)
    (name,) = phone.names(OPEN_DAYS)
    assert "TRANSP:TRANSPARENT" in phone.read(OPEN_DAYS, name)
    assert "/p/nieul/needs/" in phone.read(OPEN_DAYS, name)
    response = phone.delete(OPEN_DAYS, name)
    assert response.status_code == 403
    assert "need-privileges" in response.text
    assert phone.put(OPEN_DAYS, "A1.ics", all_day("A1", TUESDAY)).status_code == 403


def test_open_days_are_those_of_ones_roles(
    app: Flask, house: House, practice: Practice, database: Database
) -> None:
    intern = house.member(practice, Role.INTERN)
    house.need(practice, TUESDAY)
    phone = device_of(app, database, house, intern)
    assert phone.names(OPEN_DAYS) == set()
