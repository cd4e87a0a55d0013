"""The mailbox that answers come to, read by IMAP (RFC 3501).

Mails are looked at one by one, unseen ones only, each carried out in a transaction of its own
while nothing is asked of the server. What was looked at is marked as seen, whatever came of it,
so that a mail that nobody can read holds up no other; only where the database cannot be reached
does a mail wait for the next time.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

import structlog
from sqlalchemy.exc import OperationalError

from scheduler.calendars.invitations.answering import Outcome, Result, receive
from scheduler.calendars.reading import Unreadable, limits
from scheduler.calendars.reading.itip import read_mail
from scheduler.core.database import Database
from scheduler.core.settings import Settings

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS: Final = 20.0
MOST_AT_ONCE: Final = 50
DEFAULT_PORT: Final = {"imap": 143, "imap+starttls": 143, "imaps": 993}
SIZE: Final = re.compile(rb"RFC822\.SIZE ([0-9]+)")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox and how to reach it."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    folder: str

    @classmethod
    def from_url(cls, url: str) -> Self:
        """From ``imap[s|+starttls]://user:password@host[:port][/folder]``, percent-encoded."""
        parts = urlsplit(url)
        return cls(
            scheme=parts.scheme,
            host=parts.hostname or "",
            port=parts.port or DEFAULT_PORT[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            folder=unquote(parts.path.strip("/")) or "INBOX",
        )

    @contextlib.contextmanager
    def opened(self) -> Iterator[imaplib.IMAP4]:
        """The folder, selected; raises `OSError` or `imaplib.IMAP4.error`."""
        server = self._connect()
        try:
            server.login(self.user, self.password)
            kind, answer = server.select(_quoted(self.folder))
            if kind != "OK":
                raise imaplib.IMAP4.error(f"no such folder: {answer!r}")
            yield server
        finally:
            # However the server says goodbye: what was to be marked has been.
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                server.logout()
            with contextlib.suppress(OSError):
                server.shutdown()

    def _connect(self) -> imaplib.IMAP4:
        if self.scheme == "imaps":
            context = ssl.create_default_context()
            return imaplib.IMAP4_SSL(
                self.host, self.port, ssl_context=context, timeout=TIMEOUT_SECONDS
            )
        server = imaplib.IMAP4(self.host, self.port, timeout=TIMEOUT_SECONDS)
        if self.scheme == "imap+starttls":
            server.starttls(ssl.create_default_context())
        return server


def poll(database: Database, settings: Settings, *, most: int = MOST_AT_ONCE) -> int:
    """Look at the unseen mails of the mailbox, the oldest first; returns how many.

    A server that cannot be reached is noted and asked again the next time.
    """
    if settings.imap_url is None:
        return 0
    looked = 0
    try:
        with Mailbox.from_url(settings.imap_url).opened() as server:
            for number in _unseen(server)[:most]:
                content = _content(server, number)
                if content is not None and not _carried_out(database, settings, content):
                    continue
                server.uid("STORE", number, "+FLAGS.SILENT", r"(\Seen)")
                looked += 1
    except (OSError, imaplib.IMAP4.error) as error:
        # Without the error's words: a server may repeat what it was told.
        log.warning("invitations.mailbox_unreachable", error=type(error).__name__)
    return looked


def carry_out(database: Database, settings: Settings, content: bytes) -> Outcome:
    """Read one mail and do what it answers; raises `Unreadable` for what cannot be read."""
    mail = read_mail(content)
    with database.transaction() as session:
        return receive(session, settings, mail)


def _carried_out(database: Database, settings: Settings, content: bytes) -> bool:
    """Whether a mail is done with."""
    try:
        outcome = carry_out(database, settings, content)
    except Unreadable as error:
        log.info("invitations.unreadable", code=error.code)
    except OperationalError as error:
        log.warning("invitations.put_off", error=type(error).__name__)
        return False
    except Exception:
        # It would end the same way the next time.
        log.exception("invitations.stumbled")
    else:
        if outcome.result is not Result.IGNORED:
            log.info("invitations.answered", result=outcome.result.value, why=outcome.why)
    return True


def _unseen(server: imaplib.IMAP4) -> list[str]:
    kind, found = server.uid("SEARCH", "UNSEEN", "UNDELETED")
    if kind != "OK" or not found or not found[0]:
        return []
    return [number.decode() for number in found[0].split()]


def _content(server: imaplib.IMAP4, number: str) -> bytes | None:
    """The whole mail; None for one that is too large to be an answer, or is gone."""
    size = SIZE.search(_joined(server.uid("FETCH", number, "(RFC822.SIZE)")[1]))
    if size is None or int(size[1]) > limits.MOST_BYTES:
        log.info("invitations.too_large_or_gone")
        return None
    # Not marked by being looked at: only once it is done with.
    for item in server.uid("FETCH", number, "(BODY.PEEK[])")[1]:
        if isinstance(item, tuple):
            return bytes(item[1])
    return None


def _joined(answer: list[Any]) -> bytes:
    return b" ".join(
        b" ".join(item) if isinstance(item, tuple) else item for item in answer if item
    )


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
