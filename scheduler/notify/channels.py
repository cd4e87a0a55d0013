"""The ways out of the house, and which of them an installation offers.

E-mail goes by SMTP, SMS by a gateway that apprise knows, push to the browsers' own services. A
demonstration without SMTP keeps what it would have sent, to be read on a page; a real
installation without SMTP writes its e-mails to the worker's console.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import sys
from contextlib import suppress
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from sqlalchemy.orm import Session

from scheduler.core.clock import Clock, SystemClock
from scheduler.core.database import Database
from scheduler.core.deliveries import Channel
from scheduler.core.outbox import DeliveryFailed, Letter, Send
from scheduler.core.settings import Settings
from scheduler.notify import mail
from scheduler.notify.keeping import keep, keeps_letters
from scheduler.notify.push import Push
from scheduler.notify.sms import Sms

TIMEOUT_SECONDS: Final = 20.0
DEFAULT_PORT: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
# From here on a mail server's answer means that trying again will not help (RFC 5321, 4.2.1).
PERMANENT: Final = 500


def channel(
    settings: Settings, clock: Clock | None = None, database: Database | None = None
) -> Send:
    """What sends an installation's letters, each by its channel.

    The result raises `DeliveryFailed`. Without a `database` nothing is kept or pushed.
    """
    clock = clock or SystemClock()
    senders: dict[Channel, Send] = {Channel.EMAIL: to_console}
    if settings.smtp_url is not None:
        senders[Channel.EMAIL] = Smtp.from_url(settings.smtp_url, settings.mail_from, clock).send
    if settings.sms_url is not None:
        senders[Channel.SMS] = Sms(settings.sms_url).send
    if settings.vapid_private_key is not None and database is not None:
        senders[Channel.PUSH] = Push.from_settings(settings, database).send

    def send(letter: Letter) -> None:
        if settings.smtp_url is None and database is not None and keep(database, letter):
            return
        sender = senders.get(letter.channel)
        if sender is None:
            raise DeliveryFailed(f"no way out by {letter.channel.value}", permanent=True)
        sender(letter)

    return send


def offered(session: Session, settings: Settings) -> frozenset[Channel]:
    """The channels that people may choose; a demonstration keeps its SMS."""
    found = {Channel.EMAIL}
    if settings.sms_url is not None or keeps_letters(session, settings):
        found.add(Channel.SMS)
    if settings.vapid_private_key is not None:
        found.add(Channel.PUSH)
    return frozenset(found)


def to_console(letter: Letter) -> None:
    """Write a letter to standard output: how a demonstration shows what would be sent."""
    rule = "-" * 72
    sys.stdout.write(
        f"{rule}\nTo: {letter.to_name} <{letter.to_address}>\n"
        f"Subject: {letter.subject}\n\n{letter.text}{rule}\n"
    )
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server and how to speak to it."""

    scheme: str
    host: str
    port: int
    user: str | None
    password: str | None
    sender: str
    clock: Clock

    @classmethod
    def from_url(cls, url: str, sender: str, clock: Clock) -> Self:
        """From ``smtp[s|+starttls]://[user:password@]host[:port]``, percent-encoded."""
        parts = urlsplit(url)
        return cls(
            scheme=parts.scheme,
            host=parts.hostname or "",
            port=parts.port or DEFAULT_PORT[parts.scheme],
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            sender=sender,
            clock=clock,
        )

    def send(self, letter: Letter) -> None:
        """Hand a letter to the server; raises `DeliveryFailed`, for good where it says so."""
        try:
            message = self._message(letter)
        except (ValueError, IndexError, MessageError) as error:
            raise DeliveryFailed(f"not an address: {error}", permanent=True) from error
        try:
            self._hand_over(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise _refused(code, text) from error
        except smtplib.SMTPAuthenticationError as error:
            # A wrong password is the installation's fault and not the letter's: it can wait.
            raise DeliveryFailed(f"login refused: {error.smtp_code}") from error
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryFailed(f"{type(error).__name__}: {error}") from error

    def _hand_over(self, message: EmailMessage) -> None:
        server = self._connect()
        try:
            self._introduce(server)
            server.send_message(message)
            # It was taken: however the server says goodbye, it must not be sent again.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
        finally:
            server.close()

    def _connect(self) -> smtplib.SMTP:
        name = socket.gethostname()
        if self.scheme == "smtps":
            return smtplib.SMTP_SSL(
                self.host,
                self.port,
                local_hostname=name,
                timeout=TIMEOUT_SECONDS,
                context=ssl.create_default_context(),
            )
        return smtplib.SMTP(self.host, self.port, local_hostname=name, timeout=TIMEOUT_SECONDS)

    def _introduce(self, server: smtplib.SMTP) -> None:
        if self.scheme == "smtp+starttls":
            server.starttls(context=ssl.create_default_context())
        if self.user is not None:
            server.login(self.user, self.password or "")

    def _message(self, letter: Letter) -> EmailMessage:
        name, address = parseaddr(self.sender)
        # Accents are encoded: not every server on the way takes eight bits.
        message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
        message["From"] = Address(name, addr_spec=address)
        message["To"] = Address(letter.to_name, addr_spec=letter.to_address)
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(self.clock.now())
        message["Message-ID"] = f"<{letter.reference}@{address.rpartition('@')[2]}>"
        # Answering machines leave such a letter alone (RFC 3834).
        message["Auto-Submitted"] = "auto-generated"
        if letter.stop is not None:
            message["List-Unsubscribe"] = f"<{letter.stop}>"
            # One POST to the same address is enough (RFC 8058); opening it changes nothing.
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(mail.plain(letter))
        message.add_alternative(mail.html(letter), subtype="html")
        if letter.calendar is not None:
            message["Reply-To"] = Address(addr_spec=letter.calendar.reply_to)
            message.add_alternative(
                letter.calendar.content.decode(),
                subtype="calendar",
                charset="utf-8",
                params={"method": letter.calendar.method},
            )
        for file in letter.attachments:
            kind, _, parameters = file.media_type.partition(";")
            main, _, sub = kind.strip().partition("/")
            params = dict(
                part.strip().split("=", 1) for part in parameters.split(";") if "=" in part
            )
            message.add_attachment(
                file.content, maintype=main, subtype=sub, filename=file.name, params=params
            )
        return message


def _refused(code: int, text: bytes | str) -> DeliveryFailed:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return DeliveryFailed(f"{code} {words}", permanent=code >= PERMANENT)
