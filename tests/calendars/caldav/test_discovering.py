"""Finding the calendars: where clients look, who may, and what each calendar says of itself."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from flask.testing import FlaskClient

from scheduler.calendars import devices
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from tests.calendars.caldav.conftest import (
    AVAILABILITIES,
    MY_DAYS,
    OPEN_DAYS,
    C,
    D,
    Device,
    all_day,
    device_of,
    sentence,
)
from tests.factories import House


@pytest.mark.parametrize("method", ["GET", "PROPFIND", "OPTIONS"])
def test_the_well_known_address_leads_to_the_calendars(app: Flask, method: str) -> None:
    response = app.test_client().open("/.well-known/caldav", method=method)
    assert (response.status_code, response.headers["Location"]) == (301, "/dav/")


@pytest.mark.parametrize("path", ["/", "/principals/"])
def test_programmes_that_look_at_the_root_are_led_too(app: Flask, path: str) -> None:
    response = app.test_client().open(path, method="PROPFIND")
    assert (response.status_code, response.headers["Location"]) == (301, "/dav/")


def test_nobody_looks_without_a_password(app: Flask) -> None:
    response = app.test_client().open("/dav/", method="PROPFIND")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="Relais"'


def test_a_device_finds_its_principal_and_three_calendars(phone: Device) -> None:
    root = phone.properties("/dav/", "current-user-principal")
    principal = f"/dav/{phone.user.id}/"
    assert root.findtext(f".//{D}current-user-principal/{D}href") == principal
    root = phone.properties(principal, "C:calendar-home-set")
    assert root.findtext(f".//{C}calendar-home-set/{D}href") == principal
    root = phone.properties(principal, "displayname", "resourcetype", depth="1")
    names = {
        one.findtext(f"{D}href"): one.findtext(f".//{D}displayname")
        for one in root.iter(f"{D}response")
        if one.find(f".//{C}calendar") is not None
    }
    assert names == {
        phone.path(OPEN_DAYS): "Jours libres",
        phone.path(MY_DAYS): "Mes remplacements",
        phone.path(AVAILABILITIES): "Mes disponibilités",
    }


def test_a_client_is_told_which_calendars_it_may_write(phone: Device) -> None:
    def may_write(calendar: str) -> bool:
        root = phone.properties(phone.path(calendar), "current-user-privilege-set")
        return root.find(f".//{D}write-content") is not None

    assert [may_write(each) for each in (OPEN_DAYS, MY_DAYS, AVAILABILITIES)] == [False, True, True]


def test_only_the_device_password_opens(phone: Device, database: Database) -> None:
    phone.password = "the password of signing in"
    assert phone.ask("PROPFIND", "/dav/").status_code == 401


def test_the_groups_of_a_password_may_be_typed_anyhow(phone: Device) -> None:
    phone.password = phone.password.replace("-", " ").upper()
    assert phone.ask("PROPFIND", "/dav/").status_code == 207


def test_a_revoked_device_is_shut_out(phone: Device, database: Database, house: House) -> None:
    actor = house.actor(phone.user)
    with database.transaction() as session:
        (device,) = devices.devices_of(session, phone.user.id)
        devices.revoke(session, actor, device.id)
    assert phone.ask("PROPFIND", "/dav/").status_code == 401


def test_a_disabled_user_is_shut_out(phone: Device, database: Database) -> None:
    with database.transaction() as session:
        session.get_one(User, phone.user.id).disabled_at = session.now()
    assert phone.ask("PROPFIND", "/dav/").status_code == 401


def test_who_is_no_doctor_any_more_is_shut_out(
    app: Flask, database: Database, house: House, practice: Practice, clock: FixedClock
) -> None:
    leaver = house.member(practice, Role.REPLACEMENT, until=house.today)
    phone = device_of(app, database, house, leaver)
    assert phone.ask("PROPFIND", "/dav/").status_code == 207
    clock.advance(dt.timedelta(days=1))
    assert phone.ask("PROPFIND", "/dav/").status_code == 401


def test_nobody_reads_another_doctors_calendars(
    app: Flask, database: Database, house: House, practice: Practice, phone: Device
) -> None:
    other = house.member(practice, Role.REPLACEMENT)
    path = f"/dav/{other.id}/{MY_DAYS}/"
    assert phone.ask("PROPFIND", path).status_code == 403
    assert phone.ask("GET", path).status_code == 403


def test_the_last_use_is_noted(phone: Device, database: Database) -> None:
    phone.ask("PROPFIND", "/dav/")
    with database.session() as session:
        (device,) = devices.devices_of(session, phone.user.id)
    assert (device.last_used_at, device.last_used_by) == (database.clock.now(), "Phone/1.0")


@pytest.mark.parametrize("method", ["MKCALENDAR", "MKCOL"])
def test_no_other_calendar_can_be_made(phone: Device, method: str) -> None:
    response = phone.ask(method, f"/dav/{phone.user.id}/another/")
    assert response.status_code == 403
    assert sentence(response)


def test_no_calendar_can_be_deleted(phone: Device) -> None:
    assert phone.ask("DELETE", phone.path(MY_DAYS)).status_code == 403


def test_a_colour_is_kept_and_a_kind_is_not(phone: Device) -> None:
    def patch(prop: str) -> str:
        body = (
            '<propertyupdate xmlns="DAV:" xmlns:I="http://apple.com/ns/ical/"><set><prop>'
            f"{prop}</prop></set></propertyupdate>"
        )
        response = phone.ask("PROPPATCH", phone.path(OPEN_DAYS), body.encode())
        assert response.status_code == 207
        return response.text

    assert " 200 " in patch("<I:calendar-color>#ff0000</I:calendar-color>")
    assert " 403 " in patch("<resourcetype><collection/></resourcetype>")


def test_a_browser_is_led_to_the_page_that_explains(app: Flask) -> None:
    response = app.test_client().get("/dav/")
    assert response.status_code == 302
    assert response.headers["Location"].endswith("/calendars/devices/")


@pytest.mark.parametrize(
    "authorization", ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer x", "Basic //8="]
)
def test_credentials_that_are_none_are_asked_for_again(app: Flask, authorization: str) -> None:
    client: FlaskClient = app.test_client()
    response = client.open("/dav/", method="PROPFIND", headers={"Authorization": authorization})
    assert response.status_code == 401


@pytest.mark.parametrize(
    "method", ["PUT", "DELETE", "MOVE", "MKCALENDAR", "MKCOL", "PROPPATCH", "REPORT", "GET"]
)
def test_without_a_password_everything_is_asked_for_one(app: Flask, method: str) -> None:
    response = app.test_client().open(f"/dav/1/{MY_DAYS}/a.ics", method=method, data=b"x")
    assert response.status_code == 401


def test_what_is_put_into_another_doctors_calendar_goes_nowhere(
    house: House, practice: Practice, phone: Device, database: Database
) -> None:
    other = house.member(practice, Role.REPLACEMENT)
    token = phone.sync(MY_DAYS).token
    path = f"/dav/{other.id}/{MY_DAYS}/a.ics"
    assert phone.ask("PUT", path, all_day("A", dt.date(2026, 12, 8))).status_code == 403
    assert phone.ask("DELETE", path).status_code == 403
    assert phone.sync(MY_DAYS, token).gone == set()


@pytest.mark.parametrize("method", ["PROPFIND", "REPORT", "PROPPATCH"])
@pytest.mark.parametrize(
    "body",
    [
        b"<",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"<a>" * 20_000 + b"</a>" * 20_000,
        b'<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav"/>',
        b"\xff\xfe",
    ],
    ids=["cut", "nothing", "entities", "deep", "no range", "bytes"],
)
def test_a_request_that_makes_no_sense_is_no_failure_of_ours(
    phone: Device, method: str, body: bytes
) -> None:
    assert phone.ask(method, phone.path(MY_DAYS), body).status_code < 500


@pytest.mark.parametrize("path", ["/dav/%00", "/dav/%ff", "/dav/../dav/x", "/dav/" + "a/" * 500])
def test_an_address_that_makes_no_sense_is_no_failure_of_ours(phone: Device, path: str) -> None:
    assert phone.ask("PROPFIND", path).status_code in (400, 403, 404)
