"""How the reader is told: the page of choices, the phone, the devices, and the page that stops."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from scheduler.core.database import Database
from scheduler.core.deliveries import Channel
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.notify import service
from scheduler.notify.models import Device, Phone
from scheduler.notify.rules import CHOSEN_GROUPS, Choice, Group
from scheduler.notify.stopping import stop_address
from scheduler.people.models import Locale, User
from tests.conftest import SECRET_KEY
from tests.factories import House
from tests.notify.support import BrowserKeys, vapid_key
from web.extensions import limiter

ClientFor = Callable[[User | None], FlaskClient]
PAGE = "/account/notifications"
KEYS = BrowserKeys()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An installation with a gateway for SMS and a key for push."""
    return Settings(
        database_url=settings.database_url,
        secret_key=SECRET_KEY,
        sms_url="json://localhost/{phone}",
        smtp_url="smtp://localhost",
        vapid_private_key=vapid_key(),
    )


@pytest.fixture
def lea(house: House) -> User:
    return house.member(house.practice(slug="nieul"), Role.REPLACEMENT, locale=Locale.ENGLISH)


def choice(house: House, user: User, group: Group) -> Choice:
    with house.database.session() as session:
        return service.preferences(session, house.actor(user)).choices[group]


def code(database: Database) -> str:
    with database.session() as session:
        found = session.scalars(sa.select(Phone.code)).one()
    assert found is not None
    return found


def stop_path(user: User, *groups: Group) -> str:
    return stop_address(Settings(secret_key=SECRET_KEY, base_url=""), user.id, groups)


def test_choices_are_kept(house: House, client_for: ClientFor, lea: User) -> None:
    client = client_for(lea)
    assert client.get(PAGE).status_code == 200
    data = {
        "boxes": ["days.email", "days.sms", "offers.push"],
        "digests": ["offers"],
        "digest_hour": "12",
        "quiet_from": "22",
        "quiet_to": "6",
        "quiet": "y",
    }
    assert client.post(PAGE, data=data).status_code == 302
    assert choice(house, lea, Group.DAYS) == Choice(frozenset({Channel.EMAIL, Channel.SMS}))
    assert choice(house, lea, Group.OFFERS) == Choice(frozenset({Channel.PUSH}), digest=True)
    assert choice(house, lea, Group.QUESTIONS) == Choice(frozenset())
    page = client.get(PAGE).text
    assert 'value="days.sms" checked' in page
    assert 'value="days.push" checked' not in page


def test_what_was_not_offered_is_refused(house: House, client_for: ClientFor, lea: User) -> None:
    answer = client_for(lea).post(PAGE, data={"boxes": ["account.email"], "digest_hour": "25"})
    assert answer.status_code == 422
    assert choice(house, lea, Group.DAYS) == Choice()


def test_a_number_is_proved_by_its_code(
    database: Database, client_for: ClientFor, lea: User
) -> None:
    client = client_for(lea)
    refused = client.post(f"{PAGE}/phone", data={"phone": "0899 70 00 00"})
    assert refused.status_code == 422
    assert "This is no mobile number." in refused.text
    assert 'value="0899 70 00 00"' in refused.text
    client.post(f"{PAGE}/phone", data={"phone": "06 12 34 56 78"})
    assert "A code was sent to 06 12 34 56 78." in client.get(PAGE).text
    assert client.post(f"{PAGE}/phone/code", data={"code": "x"}).status_code == 422
    client.post(f"{PAGE}/phone/code", data={"code": code(database)})
    assert "Confirmed" in client.get(PAGE).text
    client.post(f"{PAGE}/phone/remove")
    assert "06 12 34 56 78" not in client.get(PAGE).text


def test_codes_cannot_be_guessed_for_long(
    database: Database, client_for: ClientFor, lea: User
) -> None:
    client = client_for(lea)
    client.post(f"{PAGE}/phone", data={"phone": "06 12 34 56 78"})
    right = code(database)
    wrong = "000000" if right != "000000" else "111111"
    limiter.enabled = True
    try:
        answers = [
            client.post(f"{PAGE}/phone/code", data={"code": typed}).status_code
            for typed in [wrong] * 6 + [right]
        ]
    finally:
        limiter.enabled = False
        limiter.reset()
    # Not even the right one, until the minute is over.
    assert answers == [422] * 5 + [429] * 2


def test_a_browser_of_a_known_service_is_a_device(
    database: Database, client_for: ClientFor, lea: User
) -> None:
    client = client_for(lea)
    data = {"p256dh": KEYS.p256dh, "auth": KEYS.auth}
    inside = client.post(
        f"{PAGE}/devices", data={**data, "endpoint": "https://127.0.0.1\\.fcm.googleapis.com/x"}
    )
    assert inside.status_code == 422
    known = client.post(
        f"{PAGE}/devices",
        data={**data, "endpoint": "https://fcm.googleapis.com/fcm/send/x"},
        headers={"User-Agent": "Mozilla/5.0 (Android 15; Mobile) Firefox/140.0"},
    )
    assert known.status_code == 302
    with database.session() as session:
        (device,) = session.scalars(sa.select(Device))
    assert device.user_id == lea.id
    assert "Firefox · Android" in client.get(PAGE).text
    client.post(f"{PAGE}/devices/{device.id}/remove")
    assert "Firefox · Android" not in client.get(PAGE).text


def test_a_test_message_is_put_in_the_outbox(
    database: Database, client_for: ClientFor, lea: User
) -> None:
    assert client_for(lea).post(f"{PAGE}/test").status_code == 302
    with database.session() as session:
        assert session.scalars(sa.select(OutboxMessage.recipient_id)).all() == [lea.id]


def test_opening_a_stop_address_changes_nothing(
    house: House, client_for: ClientFor, lea: User
) -> None:
    client, path = client_for(None), stop_path(lea, Group.DAYS, Group.OFFERS)
    page = client.get(path, headers={"Accept-Language": "fr"}).text
    # It speaks the language of the e-mail that led here.
    assert "Stop these e-mails" in page
    assert "Your days" in page
    assert "What colleagues offer" in page
    for group in CHOSEN_GROUPS:
        assert choice(house, lea, group) == Choice()


def test_mail_programmes_stop_e_mails_with_one_post(
    app: Flask, house: House, client_for: ClientFor, lea: User
) -> None:
    """No page, no cookie, no token of ours: the address is the proof (RFC 8058)."""
    app.config["WTF_CSRF_ENABLED"] = True
    path = stop_path(lea, Group.DAYS, Group.OFFERS)
    one_click = {"List-Unsubscribe": "One-Click"}
    for _ in range(2):
        answer = client_for(None).post(path, data=one_click)
        assert answer.status_code == 200
    assert "gets no more e-mails about this" in answer.text
    assert choice(house, lea, Group.DAYS) == Choice(frozenset({Channel.PUSH}))
    assert choice(house, lea, Group.OFFERS) == Choice(frozenset({Channel.PUSH}))
    assert choice(house, lea, Group.ABSENCES) == Choice()
    assert client_for(None).post(f"{path}x", data=one_click).status_code == 404
    assert choice(house, lea, Group.ABSENCES) == Choice()
