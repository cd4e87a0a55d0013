"""What the pages of devices show: the values to type, and which programme is being set up."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from flask_babel import gettext as _

from scheduler.calendars.caldav.words import NAMES
from scheduler.people.models import Locale

PATH: Final = "/dav/"
# What a browser says of itself, and what its owner calls that machine.
MACHINES: Final = ("iPhone", "iPad", "Android", "Mac", "Windows", "Linux")


class Client(enum.StrEnum):
    """The programmes that have a page of their own."""

    APPLE = "apple"
    ANDROID = "android"
    THUNDERBIRD = "thunderbird"
    OUTLOOK = "outlook"
    GOOGLE = "google"


@dataclass(frozen=True, slots=True)
class Account:
    """What has to be typed to set up a device."""

    server: str
    host: str
    port: int
    https: bool
    principal: str
    user_name: str
    # Names as devices show them, with their addresses.
    calendars: tuple[tuple[str, str], ...]


def account(base_url: str, user_id: int, email: str, locale: Locale) -> Account:
    """The values of the reader's account at this installation."""
    parts = urlsplit(base_url)
    https = parts.scheme == "https"
    principal = f"{PATH}{user_id}/"
    return Account(
        server=base_url + PATH,
        host=parts.hostname or "",
        port=parts.port or (443 if https else 80),
        https=https,
        principal=principal,
        user_name=email,
        calendars=tuple(
            (name, f"{base_url}{principal}{kind.value}/") for kind, name in NAMES[locale].items()
        ),
    )


def client_name(client: Client) -> str:
    """What its users call a programme."""
    return {
        Client.APPLE: _("iPhone, iPad and Mac"),
        Client.ANDROID: _("Android, with DAVx⁵"),
        Client.THUNDERBIRD: "Thunderbird",
        Client.OUTLOOK: "Outlook",
        Client.GOOGLE: _("Google Calendar"),
    }[client]


def machine(user_agent: str) -> str:
    """What the reader may call the machine in front of them."""
    return next((name for name in MACHINES if name in user_agent), "")
