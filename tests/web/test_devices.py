"""The pages of devices: a password shown once, a profile for Apple, steps for each programme."""

from __future__ import annotations

import base64
import datetime as dt
import plistlib
import re
import zlib
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from scheduler.calendars import devices
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import User
from tests.factories import House
from web.extensions import limiter

ClientFor = Callable[[User | None], FlaskClient]
PASSWORD = re.compile(r'id="dav-password" value="([a-z2-7-]{32})"')


@pytest.fixture
def doctor(house: House) -> User:
    return house.member(house.practice(), Role.REPLACEMENT, email="chloe@example.org")


def add(client: FlaskClient, name: str = "iPhone de Chloé") -> tuple[int, str]:
    """Make a device password; its number and the password."""
    response = client.post("/calendars/devices/", data={"name": name}, follow_redirects=True)
    assert response.status_code == 200
    number = re.search(r"/calendars/devices/(\d+)/profile", response.text)
    password = PASSWORD.search(response.text)
    assert number
    assert password
    return int(number[1]), password[1]


def test_a_password_is_shown_once_and_opens_the_calendars(
    client_for: ClientFor, app: Flask, doctor: User, database: Database
) -> None:
    client = client_for(doctor)
    _number, password = add(client)
    response = app.test_client().open(
        "/dav/", method="PROPFIND", auth=(doctor.email, password), headers={"User-Agent": "iOS/26"}
    )
    assert response.status_code == 207
    page = client.get("/calendars/devices/").text
    assert "iPhone de Chloé" in page
    assert "iOS/26" in page
    assert password not in page
    with database.session() as session:
        (device,) = devices.devices_of(session, doctor.id)
    assert password not in repr(vars(device))


def test_the_answer_with_a_password_is_kept_nowhere(client_for: ClientFor, doctor: User) -> None:
    client = client_for(doctor)
    answer = client.post("/calendars/devices/", data={"name": "Mac"})
    assert answer.status_code == 303
    sealed = client.get_cookie("relais")
    assert sealed is not None
    response = client.get(answer.location)
    assert response.headers["Cache-Control"] == "private, no-store"
    password = PASSWORD.search(response.text)
    assert password
    # Whoever finds the cookie that brought it there reads nothing in it.
    session = base64.urlsafe_b64decode(sealed.value.lstrip(".").split(".")[0] + "==")
    if sealed.value.startswith("."):
        session = zlib.decompress(session)
    assert b"device" in session
    assert password[1].encode() not in session


def test_loading_the_page_again_shows_no_password_and_makes_no_device(
    client_for: ClientFor, doctor: User, database: Database
) -> None:
    client = client_for(doctor)
    answer = client.post("/calendars/devices/", data={"name": "Mac"})
    assert PASSWORD.search(client.get(answer.location).text)
    again = client.get(answer.location, follow_redirects=True)
    assert again.request.path == "/calendars/devices/"
    assert not PASSWORD.search(again.text)
    with database.session() as session:
        assert len(devices.devices_of(session, doctor.id)) == 1


def test_a_second_device_of_the_same_name_is_numbered(
    client_for: ClientFor, doctor: User, database: Database
) -> None:
    client = client_for(doctor)
    for name in ("Mon iPhone", "mon iPhone", "Mon iPhone", "x" * 60, "x" * 60):
        add(client, name)
    with database.session() as session:
        assert [device.name for device in devices.devices_of(session, doctor.id)] == [
            "Mon iPhone",
            "mon iPhone 2",
            "Mon iPhone 3",
            "x" * 60,
            "x" * 58 + " 2",
        ]


@pytest.mark.parametrize("name", ["", " " * 3, "x" * 61, "a\u202eb"])
def test_a_device_needs_a_name(client_for: ClientFor, doctor: User, name: str) -> None:
    response = client_for(doctor).post("/calendars/devices/", data={"name": name})
    assert response.status_code == 422
    assert "error-summary" in response.text


def test_there_are_not_too_many_devices(
    client_for: ClientFor, doctor: User, database: Database, house: House
) -> None:
    actor = house.actor(doctor)
    with database.transaction() as session:
        for number in range(devices.MOST_DEVICES):
            devices.add(session, actor, f"Appareil {number}")
    response = client_for(doctor).post("/calendars/devices/", data={"name": "Un de trop"})
    assert response.status_code == 422


def test_the_profile_sets_up_an_iphone(client_for: ClientFor, doctor: User) -> None:
    client = client_for(doctor)
    number, password = add(client)
    response = client.post(f"/calendars/devices/{number}/profile", data={"password": password})
    assert response.status_code == 200
    assert response.mimetype == "application/x-apple-aspen-config"
    assert response.headers["Cache-Control"] == "no-store"
    assert "relais.mobileconfig" in response.headers["Content-Disposition"]
    profile = plistlib.loads(response.data)
    assert profile["PayloadType"] == "Configuration"
    (account,) = profile["PayloadContent"]
    assert account["PayloadType"] == "com.apple.caldav.account"
    assert account["CalDAVHostName"] == "127.0.0.1"
    assert (account["CalDAVPort"], account["CalDAVUseSSL"]) == (8000, False)
    assert account["CalDAVPrincipalURL"] == f"/dav/{doctor.id}/"
    assert (account["CalDAVUsername"], account["CalDAVPassword"]) == (doctor.email, password)
    assert profile["PayloadUUID"] != account["PayloadUUID"]


def test_the_profile_is_given_for_a_password_just_made_only(
    client_for: ClientFor, doctor: User, house: House, clock: FixedClock
) -> None:
    client = client_for(doctor)
    number, password = add(client)
    path = f"/calendars/devices/{number}/profile"
    assert client.post(path, data={"password": "another"}).status_code == 404
    other = house.member(house.practice(), Role.REPLACEMENT)
    assert client_for(other).post(path, data={"password": password}).status_code == 404
    clock.advance(devices.FRESH + dt.timedelta(seconds=1))
    assert client.post(path, data={"password": password}).status_code == 404


def test_a_device_is_shut_out(client_for: ClientFor, app: Flask, doctor: User) -> None:
    client = client_for(doctor)
    number, password = add(client)
    response = client.post(f"/calendars/devices/{number}/revoke", follow_redirects=True)
    assert "iPhone de Chloé" in response.text
    answer = app.test_client().open("/dav/", method="PROPFIND", auth=(doctor.email, password))
    assert answer.status_code == 401
    assert client.post(f"/calendars/devices/{number}/revoke").status_code == 404


@pytest.mark.parametrize("client", ["apple", "android", "thunderbird", "outlook", "google"])
def test_each_programme_has_its_page(client_for: ClientFor, doctor: User, client: str) -> None:
    response = client_for(doctor).get(f"/calendars/devices/setup/{client}")
    assert response.status_code == 200
    assert ("http://127.0.0.1:8000/dav/" in response.text) == (client != "google")
    assert ('id="dav-user"' in response.text) == (client != "google")


def test_an_unknown_programme_has_none(client_for: ClientFor, doctor: User) -> None:
    assert client_for(doctor).get("/calendars/devices/setup/palm").status_code == 404


def test_wrong_passwords_are_counted(app: Flask, doctor: User) -> None:
    limiter.enabled = True
    try:
        client = app.test_client()
        wrong = [
            client.open("/dav/", method="PROPFIND", auth=(doctor.email, "wrong")).status_code
            for _ in range(12)
        ]
        assert wrong == [401] * 10 + [429] * 2
        # Somebody else behind the same address is not shut out.
        other = client.open("/dav/", method="PROPFIND", auth=("other@example.org", "wrong"))
        assert other.status_code == 401
    finally:
        limiter.reset()
        limiter.enabled = False


def test_what_a_header_pretends_does_not_move_the_calendars(
    client_for: ClientFor, app: Flask, doctor: User
) -> None:
    _number, password = add(client_for(doctor))
    response = app.test_client().open(
        "/dav/",
        method="PROPFIND",
        auth=(doctor.email, password),
        headers={"X-Script-Name": "/elsewhere", "X-Forwarded-For": "1.2.3.4"},
    )
    assert "/elsewhere" not in response.text
    assert "/dav/" in response.text


def test_an_installation_with_https_says_so(doctor: User) -> None:
    from web.devices.presenter import account

    found = account("https://relais.example.org", doctor.id, doctor.email, doctor.locale)
    assert (found.port, found.https) == (443, True)
    assert found.server == "https://relais.example.org/dav/"
