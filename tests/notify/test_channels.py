"""Letters leave through a real, small mail server, and its answers are understood."""

from __future__ import annotations

import base64
import email
import email.policy
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from typing import cast

import pytest

from scheduler.core.clock import FixedClock
from scheduler.core.outbox import DeliveryFailed, Letter
from scheduler.core.settings import Settings
from scheduler.notify import channel
from tests.notify.support import MailServer, mail_server

LETTER = Letter(
    to_name="Léa Fontaine, Dr",
    to_address="lea@example.org",
    subject="Une journée vous est attribuée",
    text="Bonjour Léa,\n\n.une ligne qui commence par un point\n",
    reference="12.abc",
)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as found:
        yield found


def send(
    server: MailServer, clock: FixedClock, *, login: str = "", letter: Letter = LETTER
) -> None:
    settings = Settings(
        smtp_url=f"smtp://{login}{server.address}", mail_from="Cabinet <relais@nieul.example>"
    )
    channel(settings, clock)(letter)


def test_a_letter_arrives_as_written(server: MailServer, clock: FixedClock) -> None:
    send(server, clock)
    (data,) = server.letters
    found = cast(EmailMessage, email.message_from_bytes(data, policy=email.policy.default))
    assert found["To"].addresses[0].display_name == LETTER.to_name
    assert found["To"].addresses[0].addr_spec == LETTER.to_address
    assert found["From"].addresses[0].addr_spec == "relais@nieul.example"
    assert found["Subject"] == LETTER.subject
    assert found["Message-ID"] == "<12.abc@nieul.example>"
    assert found["Date"].datetime == clock.now()
    assert found["Auto-Submitted"] == "auto-generated"
    assert found.get_content_type() == "multipart/alternative"
    text, html = found.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == LETTER.text
    assert html.get_content_type() == "text/html"
    assert "Une journée vous est attribuée</h1>" in html.get_content()
    assert found["List-Unsubscribe"] is None
    assert server.heard[1].upper().startswith("MAIL FROM:<RELAIS@NIEUL.EXAMPLE>")


def test_the_login_is_percent_decoded(server: MailServer, clock: FixedClock) -> None:
    send(server, clock, login="relais%40nieul:p%3A%2Fss%20w@")
    (auth,) = [line for line in server.heard if line.startswith("AUTH")]
    said = base64.b64decode(auth.split(" ")[2])
    assert said == b"\0relais@nieul\0p:/ss w"


@pytest.mark.parametrize(
    ("command", "answer", "permanent"),
    [
        ("MAIL", "451 try later", False),
        ("MAIL", "550 go away", True),
        ("RCPT", "450 greylisted", False),
        ("RCPT", "550 no such user", True),
        ("DATA", "452 disk full", False),
        ("DATA", "554 no", True),
        ("END", "451 later", False),
        ("END", "552 too big", True),
        ("EHLO", "hang up", False),
        ("RCPT", "hang up", False),
        ("AUTH", "535 wrong password", False),
    ],
)
def test_refusals_are_told_apart(
    server: MailServer, clock: FixedClock, command: str, answer: str, permanent: bool
) -> None:
    server.answers[command] = answer
    with pytest.raises(DeliveryFailed) as caught:
        send(server, clock, login="a:b@" if command == "AUTH" else "")
    assert caught.value.permanent is permanent


@pytest.mark.parametrize("farewell", ["421 closing", "500 what?", "hang up"])
def test_a_letter_that_was_taken_is_not_sent_again_for_want_of_a_farewell(
    server: MailServer, clock: FixedClock, farewell: str
) -> None:
    server.answers["QUIT"] = farewell
    send(server, clock)
    assert len(server.letters) == 1


def test_a_letter_has_no_line_that_a_server_could_refuse(
    server: MailServer, clock: FixedClock
) -> None:
    send(server, clock, letter=replace(LETTER, text="Été à Nieul : « 1er décembre »\n" * 40))
    assert server.letters[0].isascii()
    assert max(map(len, server.letters[0].split(b"\r\n"))) <= 78


def test_one_click_stops_e_mails(server: MailServer, clock: FixedClock) -> None:
    stop = "https://relais.example/notifications/stop/abc"
    send(server, clock, letter=replace(LETTER, stop=stop))
    found = cast(
        EmailMessage, email.message_from_bytes(server.letters[0], policy=email.policy.default)
    )
    assert found["List-Unsubscribe"] == f"<{stop}>"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for part in found.iter_parts():
        assert stop in part.get_content()


def test_a_subject_cannot_carry_another_header(server: MailServer, clock: FixedClock) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        send(server, clock, letter=replace(LETTER, subject="Bonjour\r\nBcc: c@example.org"))
    assert caught.value.permanent
    assert server.letters == []


def test_nobody_listening_is_transient(clock: FixedClock) -> None:
    with MailServer() as server:
        pass
    with pytest.raises(DeliveryFailed) as caught:
        send(server, clock)
    assert not caught.value.permanent


def test_no_encryption_where_it_was_asked_for_is_refused(
    server: MailServer, clock: FixedClock
) -> None:
    settings = Settings(smtp_url=f"smtp+starttls://{server.address}")
    with pytest.raises(DeliveryFailed):
        channel(settings, clock)(LETTER)
    assert server.letters == []


@pytest.mark.parametrize("address", ["", "nobody", "a b@example.org", "a@b\r\nBcc: c@d"])
def test_an_address_that_is_none_is_permanent(
    server: MailServer, clock: FixedClock, address: str
) -> None:
    letter = Letter("A", address, "s", "t", "r")
    with pytest.raises(DeliveryFailed) as caught:
        send(server, clock, letter=letter)
    assert caught.value.permanent
    assert server.letters == []


def test_without_a_server_letters_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    channel(Settings())(LETTER)
    shown = capsys.readouterr().out
    assert "To: Léa Fontaine, Dr <lea@example.org>\n" in shown
    assert f"Subject: {LETTER.subject}\n\n{LETTER.text}" in shown
