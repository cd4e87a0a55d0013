"""SMS: short, in the alphabet of telephones, handed to a gateway that answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from scheduler.core.deliveries import Channel
from scheduler.core.outbox import DeliveryFailed, Letter
from scheduler.core.settings import Settings
from scheduler.notify import channel
from scheduler.notify.sms import GSM, LONGEST, short_text, to_gsm
from tests.notify.support import Gateway, gateway

LETTER = Letter(
    to_name="Léa Fontaine",
    to_address="+33612345678",
    subject="Pourriez-vous venir le mardi 1er décembre 2026 ? (Cœur d’Île)",
    text="Bonjour Léa,\n\nlong\n",
    reference="12.abc",
    channel=Channel.SMS,
    link="https://relais.example/asks/7",
)


@pytest.fixture
def server() -> Iterator[Gateway]:
    with gateway() as found:
        yield found


def send(server: Gateway, letter: Letter = LETTER) -> None:
    channel(Settings(sms_url=f"json://{server.address}/sms/{{phone}}/"))(letter)


def test_an_sms_reaches_the_gateway(server: Gateway) -> None:
    send(server)
    assert server.paths == ["/sms/+33612345678/"]
    assert json.loads(server.bodies[0])["message"] == (
        "Pourriez-vous venir le mardi 1er décembre 2026 ? (Coeur d'Ile)\n"
        "https://relais.example/asks/7"
    )


def test_a_gateway_that_refuses_is_asked_again(server: Gateway) -> None:
    server.status = 500
    with pytest.raises(DeliveryFailed) as caught:
        send(server)
    assert not caught.value.permanent
    assert server.address not in str(caught.value)


def test_a_gateway_that_apprise_does_not_know_can_be_mended() -> None:
    with pytest.raises(DeliveryFailed) as caught:
        channel(Settings(sms_url="nosuch://secret/{phone}"))(LETTER)
    assert not caught.value.permanent
    assert "secret" not in str(caught.value)


def test_without_a_gateway_no_sms_leaves() -> None:
    with pytest.raises(DeliveryFailed) as caught:
        channel(Settings())(LETTER)
    assert caught.value.permanent


def test_the_text_fits_into_one_message() -> None:
    text = short_text(replace(LETTER, subject="Journée " * 40))
    assert len(text) == LONGEST
    assert text.endswith("...\nhttps://relais.example/asks/7")
    assert set(text) <= GSM
    assert short_text(replace(LETTER, link=None, subject="x" * 200)) == "x" * LONGEST


def test_a_link_is_never_cut() -> None:
    link = "https://relais.example/" + "x" * LONGEST
    assert short_text(replace(LETTER, link=link)).endswith(link)


def test_what_telephones_lack_is_written_otherwise() -> None:
    assert to_gsm("« Forêt » – garçon, Noël… ñ é à 日") == '" Foret " - garcon, Noel... ñ é à '
