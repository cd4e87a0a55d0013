"""Settings are read once, typed, and refused by name."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from scheduler.core.errors import BadSettings
from scheduler.core.settings import Settings

README = Path(__file__).parents[2] / "README.md"


def test_nothing_given_is_the_embedded_default() -> None:
    assert Settings.from_environment({}) == Settings()


def test_values_are_typed() -> None:
    settings = Settings.from_environment(
        {
            "RELAIS_DATABASE_URL": "postgres://relais@db/relais",
            "RELAIS_SECRET_KEY": "k" * 32,
            "RELAIS_BASE_URL": "https://relais.example/",
            "RELAIS_SMS_URL": "jsons://gateway.example/?to={phone}",
            "RELAIS_VAPID_PRIVATE_KEY": "k" * 43,
            "RELAIS_VAPID_CONTACT": "mailto:relais@example.org",
            "RELAIS_TRUSTED_PROXIES": "1",
            "RELAIS_SOLVER_SECONDS": "2.5",
            "RELAIS_LOG_LEVEL": "debug",
            "PATH": "/bin",
        }
    )
    assert settings.database_url == "postgresql+psycopg://relais@db/relais"
    assert settings.base_url == "https://relais.example"
    assert settings.is_https
    assert (settings.trusted_proxies, settings.solver_seconds) == (1, 2.5)
    assert settings.log_level == "DEBUG"
    assert settings.sms_url == "jsons://gateway.example/?to={phone}"
    assert settings.vapid_contact == "mailto:relais@example.org"


def test_an_empty_value_is_no_value() -> None:
    assert Settings.from_environment({"RELAIS_SMTP_URL": " "}).smtp_url is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RELAIS_DATABASE_URL", "nonsense"),
        ("RELAIS_DATABASE_URL", "mysql://localhost/relais"),
        ("RELAIS_DATABASE_URL", "postgresql://u:p@h:notaport/x"),
        ("RELAIS_SECRET_KEY", "short"),
        ("RELAIS_BASE_URL", "http://[::1"),
        ("RELAIS_BASE_URL", "http://relais.example:abc"),
        ("RELAIS_SMTP_URL", "smtp://mail.example:abc"),
        ("RELAIS_SMTP_URL", "smtp://mail.example:99999"),
        ("RELAIS_MAIL_FROM", "bad"),
        ("RELAIS_BASE_URL", "ftp://relais.example"),
        ("RELAIS_BASE_URL", "relais.example"),
        ("RELAIS_SMTP_URL", "mail.example"),
        ("RELAIS_REPLY_ADDRESS", "Relais <relais@example.org>"),
        ("RELAIS_REPLY_ADDRESS", "relais+answers@example.org"),
        ("RELAIS_IMAP_URL", "imaps://mail.example.org"),
        ("RELAIS_IMAP_URL", "pop3://relais:secret@mail.example.org"),
        ("RELAIS_SMS_URL", "json://gateway.example/"),
        ("RELAIS_SMS_URL", "gateway.example/{phone}"),
        ("RELAIS_VAPID_PRIVATE_KEY", "c2hvcnQ"),
        ("RELAIS_VAPID_PRIVATE_KEY", "not base64 at all, and too long to be overlooked so"),
        ("RELAIS_VAPID_CONTACT", "relais@example.org"),
        ("RELAIS_TRUSTED_PROXIES", "-1"),
        ("RELAIS_TRUSTED_PROXIES", "one"),
        ("RELAIS_SOLVER_SECONDS", "0"),
        ("RELAIS_SOLVER_SECONDS", "soon"),
        ("RELAIS_SOLVER_WORKERS", "0"),
        ("RELAIS_LOG_LEVEL", "LOUD"),
        ("RELAIS_DATABSE_URL", "sqlite://"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSettings) as caught:
        Settings.from_environment({name: value})
    assert caught.value.facts["variable"] == name


def test_the_readme_lists_every_setting_and_no_other() -> None:
    listed = set(re.findall(r"^\| `RELAIS_([A-Z_]+)` \|", README.read_text("utf-8"), re.MULTILINE))
    assert listed == {field.name.upper() for field in dataclasses.fields(Settings)}
