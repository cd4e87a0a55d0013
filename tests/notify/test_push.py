"""Push: encrypted for one browser, signed by the installation, forgotten where it is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import http_ece
import pytest

from scheduler.core.database import Database
from scheduler.core.deliveries import Channel
from scheduler.core.outbox import DeliveryFailed, Letter
from scheduler.core.settings import Settings
from scheduler.notify import channel
from scheduler.notify.models import Device
from scheduler.notify.push import public_key
from tests.factories import House
from tests.notify.support import BrowserKeys, Gateway, gateway, vapid_key

KEY = vapid_key()
KEYS = BrowserKeys()
SETTINGS = Settings(vapid_private_key=KEY, mail_from="Cabinet <relais@nieul.example>")


@pytest.fixture
def server() -> Iterator[Gateway]:
    with gateway() as found:
        yield found


def device(house: House, server: Gateway, **values: Any) -> int:
    row = Device(
        **{
            "user_id": house.user().id,
            "endpoint": f"http://{server.address}/push/1",
            "p256dh": KEYS.p256dh,
            "auth": KEYS.auth,
            "name": "Firefox",
            "created_at": house.database.clock.now(),
            **values,
        }
    )
    with house.database.transaction() as session:
        session.add(row)
    return row.id


def send(database: Database, device_id: int, settings: Settings = SETTINGS) -> None:
    letter = Letter(
        to_name="Léa",
        to_address=str(device_id),
        subject="À pourvoir de nouveau : lundi",
        text="Rien de plus\n",
        reference="1.a",
        channel=Channel.PUSH,
        link="https://relais.example/p/nieul/week/2026-W50",
    )
    channel(replace(settings, smtp_url="smtp://mail.example"), database=database)(letter)


def test_a_browser_can_read_it_and_nobody_else(house: House, server: Gateway) -> None:
    send(house.database, device(house, server))
    (body,), (headers,) = server.bodies, server.headers
    assert b"pourvoir" not in body
    read = http_ece.decrypt(
        body, private_key=KEYS.private, auth_secret=KEYS.secret, version="aes128gcm"
    )
    assert json.loads(read) == {
        "title": "À pourvoir de nouveau : lundi",
        "path": "/p/nieul/week/2026-W50",
    }
    assert server.paths == ["/push/1"]
    names = {name.lower(): value for name, value in headers.items()}
    assert names["ttl"] == "86400"
    assert names["authorization"].startswith("vapid t=")
    assert public_key(KEY) in names["authorization"]


@pytest.mark.parametrize(
    ("status", "permanent", "kept"),
    [
        (404, True, False),
        (410, True, False),
        (400, True, True),
        (429, False, True),
        (500, False, True),
    ],
)
def test_answers_are_told_apart(
    house: House, server: Gateway, status: int, permanent: bool, kept: bool
) -> None:
    server.status = status
    device_id = device(house, server)
    with pytest.raises(DeliveryFailed) as caught:
        send(house.database, device_id)
    assert caught.value.permanent is permanent
    with house.database.session() as session:
        assert (session.get(Device, device_id) is not None) is kept


def test_it_is_sent_where_it_was_asked_to_and_nowhere_else(house: House, server: Gateway) -> None:
    """A service that could send a message on would reach what only this machine reaches."""
    with gateway() as inside:
        server.status, server.location = 307, f"http://{inside.address}/"
        with pytest.raises(DeliveryFailed):
            send(house.database, device(house, server))
        assert inside.paths == []
    assert server.paths == ["/push/1"]


def test_nobody_listening_is_transient(house: House) -> None:
    with gateway() as server:
        device_id = device(house, server)
    with pytest.raises(DeliveryFailed) as caught:
        send(house.database, device_id)
    assert not caught.value.permanent


def test_keys_of_no_browser_are_permanent(house: House, server: Gateway) -> None:
    device_id = device(house, server, p256dh="AAAA", auth="AAAA")
    with pytest.raises(DeliveryFailed) as caught:
        send(house.database, device_id)
    assert caught.value.permanent
    assert server.bodies == []


def test_a_device_that_is_gone_gets_nothing(house: House) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        send(house.database, 99)
    assert caught.value.permanent
