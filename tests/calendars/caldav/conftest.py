"""A doctor with a device, and the requests that it sends."""

from __future__ import annotations

import datetime as dt
import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from scheduler.calendars import devices
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from tests.factories import House

MY_DAYS = "my-days"
OPEN_DAYS = "open-days"
AVAILABILITIES = "availabilities"
D = "{DAV:}"
C = "{urn:ietf:params:xml:ns:caldav}"


def event(uid: str, *lines: str) -> bytes:
    """A calendar of one event."""
    body = "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Telephone//FR",
            "BEGIN:VEVENT",
            f"UID:{uid}",
            "DTSTAMP:20261101T080000Z",
            *lines,
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    )
    return body.encode()


def all_day(uid: str, day: dt.date, title: str = "Remplacement", *lines: str) -> bytes:
    """An all-day event."""
    after = day + dt.timedelta(days=1)
    return event(
        uid,
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{after:%Y%m%d}",
        f"SUMMARY:{title}",
        *lines,
    )


@dataclass
class Synced:
    """The answer to a sync-collection: a token, what is there and what is gone."""

    token: str
    there: dict[str, str]
    gone: set[str]


class Device:
    """A phone of a doctor."""

    def __init__(self, client: FlaskClient, user: User, password: str) -> None:
        self.client = client
        self.user = user
        self.password = password

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> TestResponse:
        """Send a request, signed in; header names are written with underscores."""
        credentials = b64encode(f"{self.user.email}:{self.password}".encode()).decode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(
            path,
            method=method,
            data=body,
            headers={"Authorization": f"Basic {credentials}", "User-Agent": "Phone/1.0", **sent},
        )

    def path(self, calendar: str, name: str = "") -> str:
        return f"/dav/{self.user.id}/{calendar}/{name}"

    def put(self, calendar: str, name: str, body: bytes, **headers: str) -> TestResponse:
        return self.ask(
            "PUT", self.path(calendar, name), body, Content_Type="text/calendar", **headers
        )

    def delete(self, calendar: str, name: str, **headers: str) -> TestResponse:
        return self.ask("DELETE", self.path(calendar, name), **headers)

    def read(self, calendar: str, name: str) -> str:
        response = self.ask("GET", self.path(calendar, name))
        assert response.status_code == 200, response.status
        return re.sub(r"\r\n ", "", response.text)

    def names(self, calendar: str) -> set[str]:
        """The names of what is in a calendar."""
        body = b'<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
        response = self.ask("PROPFIND", self.path(calendar), body, Depth="1")
        assert response.status_code == 207, response.status
        hrefs = [found.text or "" for found in fromstring(response.data).iter(f"{D}href")]
        return {href.rsplit("/", 1)[-1] for href in hrefs} - {""}

    def sync(self, calendar: str, token: str = "") -> Synced:
        body = (
            f'<sync-collection xmlns="DAV:"><sync-token>{token}</sync-token>'
            "<sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"
        )
        response = self.ask("REPORT", self.path(calendar), body.encode())
        assert response.status_code == 207, response.text
        root = fromstring(response.data)
        there: dict[str, str] = {}
        gone: set[str] = set()
        for one in root.iter(f"{D}response"):
            name = (one.findtext(f"{D}href") or "").rsplit("/", 1)[-1]
            etag = one.findtext(f".//{D}getetag")
            if etag is None:
                gone.add(name)
            else:
                there[name] = etag
        return Synced(root.findtext(f"{D}sync-token") or "", there, gone)

    def properties(self, path: str, *names: str, depth: str = "0") -> Element:
        body = "".join(f"<{name}/>" for name in names)
        response = self.ask(
            "PROPFIND",
            path,
            f'<propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
            f' xmlns:CS="http://calendarserver.org/ns/"><prop>{body}</prop></propfind>'.encode(),
            Depth=depth,
        )
        assert response.status_code == 207, response.status
        return fromstring(response.data)


def sentence(response: TestResponse) -> str:
    """What an answer that refuses says to people."""
    root = fromstring(response.data)
    assert root.tag == f"{D}error"
    return root.findtext(f"{D}responsedescription") or ""


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", "Salle 2", slug="nieul", name="Cabinet de Nieul")


@pytest.fixture
def doctor(house: House, practice: Practice) -> User:
    return house.member(practice, Role.REPLACEMENT)


def device_of(app: Flask, database: Database, house: House, user: User, **values: Any) -> Device:
    with database.transaction() as session:
        _row, password = devices.add(session, house.actor(user), "Téléphone")
    return Device(app.test_client(), user, password)


@pytest.fixture
def phone(app: Flask, database: Database, house: House, doctor: User) -> Device:
    """The doctor's phone."""
    return device_of(app, database, house, doctor)
