"""The settings of an installation, read once from the environment into one typed object."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Final
from urllib.parse import SplitResult, urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from scheduler.core.errors import BadSettings

PREFIX: Final = "RELAIS_"
SMALLEST_SECRET: Final = 32
SMALLEST_VAPID_KEY: Final = 43


@dataclass(frozen=True)
class Settings:
    """What an installation decides; every field is the variable ``RELAIS_<FIELD>``.

    The README's table of settings is checked against these fields by a test.
    """

    database_url: str = "sqlite:///var/relais.db"
    secret_key: str | None = None
    base_url: str = "http://127.0.0.1:8000"
    smtp_url: str | None = None
    mail_from: str = "Relais <relais@localhost>"
    reply_address: str | None = None
    imap_url: str | None = None
    sms_url: str | None = None
    vapid_private_key: str | None = None
    vapid_contact: str | None = None
    trusted_proxies: int = 0
    ratelimit_storage: str = "memory://"
    calendar_http: bool = False
    log_level: str = "INFO"
    solver_seconds: float = 30.0
    solver_workers: int = 2

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read and check every ``RELAIS_…`` variable.

        Raises `BadSettings` that names the variable for a value that cannot be meant and for a
        variable that Relais does not know, since a misspelt setting is silently ignored otherwise.
        """
        given = {
            name.removeprefix(PREFIX).lower(): value.strip()
            for name, value in environment.items()
            if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}TEST_")
        }
        unknown = sorted(set(given) - set(cls.__dataclass_fields__))
        if unknown:
            raise _bad(unknown[0], "no such setting")
        given = {name: value for name, value in given.items() if value}
        return cls(
            database_url=_database_url(given.get("database_url", cls.database_url)),
            secret_key=_secret(given.get("secret_key")),
            base_url=_base_url(given.get("base_url", cls.base_url)),
            smtp_url=_smtp_url(given.get("smtp_url")),
            mail_from=_mail_from(given.get("mail_from", cls.mail_from)),
            reply_address=_reply_address(given.get("reply_address")),
            imap_url=_imap_url(given.get("imap_url")),
            sms_url=_sms_url(given.get("sms_url")),
            vapid_private_key=_vapid_key(given.get("vapid_private_key")),
            vapid_contact=_vapid_contact(given.get("vapid_contact")),
            trusted_proxies=_whole(given, "trusted_proxies", cls.trusted_proxies, 0, 10),
            ratelimit_storage=given.get("ratelimit_storage", cls.ratelimit_storage),
            calendar_http=_yes(given, "calendar_http"),
            log_level=_log_level(given.get("log_level", cls.log_level)),
            solver_seconds=_seconds(given.get("solver_seconds"), cls.solver_seconds),
            solver_workers=_whole(given, "solver_workers", cls.solver_workers, 1, 64),
        )

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")


def _bad(field: str, reason: str) -> BadSettings:
    return BadSettings(variable=f"{PREFIX}{field.upper()}", reason=reason)


def _database_url(value: str) -> str:
    # "postgresql://" is what everybody writes; the driver Relais ships is psycopg 3.
    value = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", value)
    try:
        backend = make_url(value).get_backend_name()
    except (ArgumentError, ValueError):
        raise _bad("database_url", "not a database address") from None
    if backend not in ("sqlite", "postgresql"):
        raise _bad("database_url", f"{backend} is neither sqlite nor postgresql")
    return value


def _secret(value: str | None) -> str | None:
    if value is not None and len(value) < SMALLEST_SECRET:
        raise _bad("secret_key", f"shorter than {SMALLEST_SECRET} characters")
    return value


def _base_url(value: str) -> str:
    parts = _address(value)
    if (
        parts is None
        or parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
    ):
        raise _bad("base_url", "not an http or https address")
    return value.rstrip("/")


def _smtp_url(value: str | None) -> str | None:
    if value is not None:
        parts = _address(value)
        schemes = ("smtp", "smtps", "smtp+starttls")
        if parts is None or parts.scheme not in schemes or not parts.hostname:
            raise _bad("smtp_url", "not smtp://, smtp+starttls:// or smtps:// with a host")
    return value


def _address(value: str) -> SplitResult | None:
    """The parts of an address; None where it has none, or a port that is no port."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _mail_from(value: str) -> str:
    _name, address = parseaddr(value)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
        raise _bad("mail_from", "not an e-mail address, with or without a name")
    return value


def _reply_address(value: str | None) -> str | None:
    # What each doctor's token is put into as a sub-address.
    if value is not None and not re.fullmatch(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+", value):
        raise _bad("reply_address", "not an e-mail address without name and without +")
    return value


def _imap_url(value: str | None) -> str | None:
    if value is not None:
        parts = _address(value)
        schemes = ("imap", "imaps", "imap+starttls")
        if parts is None or parts.scheme not in schemes or not parts.hostname or not parts.username:
            raise _bad("imap_url", "not imaps://, imap+starttls:// or imap:// with user and host")
    return value


def _sms_url(value: str | None) -> str | None:
    if value is not None and not re.match(r"[a-z0-9]+://.*\{phone\}", value):
        raise _bad("sms_url", "not an address of apprise with {phone} in it")
    return value


def _vapid_key(value: str | None) -> str | None:
    if value is None:
        return None
    plain = value.rstrip("=")
    # The key of a P-256 curve alone, or wrapped in DER.
    if not re.fullmatch(r"[A-Za-z0-9_-]+", plain) or len(plain) < SMALLEST_VAPID_KEY:
        raise _bad("vapid_private_key", "not a private key of P-256 in URL-safe base64")
    return value


def _vapid_contact(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"mailto:[^@\s]+@[^@\s]+|https://\S+", value):
        raise _bad("vapid_contact", "neither mailto: and an e-mail address nor an https address")
    return value


def _whole(given: Mapping[str, str], field: str, default: int, low: int, high: int) -> int:
    text = given.get(field)
    if text is None:
        return default
    if not text.isdecimal() or not low <= int(text) <= high:
        raise _bad(field, f"not a whole number from {low} to {high}")
    return int(text)


def _yes(given: Mapping[str, str], field: str) -> bool:
    text = given.get(field, "no").lower()
    if text not in ("yes", "no"):
        raise _bad(field, "neither yes nor no")
    return text == "yes"


def _seconds(value: str | None, default: float) -> float:
    if value is None:
        return default
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise _bad("solver_seconds", "not a number of seconds above 0 and up to 3600")
    return seconds


def _log_level(value: str) -> str:
    if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise _bad("log_level", "not DEBUG, INFO, WARNING or ERROR")
    return value.upper()
