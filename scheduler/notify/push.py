"""A letter as a push message (RFC 8030, 8291): its title and its path, encrypted for one browser.

A browser that its service no longer knows is forgotten.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Final, Self
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid
from pywebpush import WebPushException, webpush

from scheduler.core.database import Database
from scheduler.core.outbox import DeliveryFailed, Letter
from scheduler.core.settings import Settings
from scheduler.notify.models import Device

TIMEOUT_SECONDS: Final = 20.0
# A message that no phone has fetched in a day is no news any more.
LIFETIME_SECONDS: Final = 24 * 60 * 60
GONE: Final = (404, 410)
TOO_MANY: Final = 429
REFUSED: Final = range(400, 500)


class _Straight(requests.Session):
    """Follows no redirection: what was checked is the address itself, not where it leads."""

    def get_redirect_target(self, _response: requests.Response) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Push:
    """The key that signs, whom a push service may write to, and where devices are kept."""

    private_key: str
    contact: str
    database: Database

    @classmethod
    def from_settings(cls, settings: Settings, database: Database) -> Self:
        _name, address = parseaddr(settings.mail_from)
        return cls(
            private_key=settings.vapid_private_key or "",
            contact=settings.vapid_contact or f"mailto:{address}",
            database=database,
        )

    def send(self, letter: Letter) -> None:
        """Hand a letter to a device's service; raises `DeliveryFailed`, for good where it says so.

        `letter.to_address` is the number of the device.
        """
        with self.database.session() as session:
            device = session.get(Device, int(letter.to_address))
        if device is None:
            raise DeliveryFailed("the device is gone", permanent=True)
        try:
            with _Straight() as browser_service:
                webpush(
                    {
                        "endpoint": device.endpoint,
                        "keys": {"p256dh": device.p256dh, "auth": device.auth},
                    },
                    payload(letter),
                    vapid_private_key=self.private_key,
                    vapid_claims={"sub": self.contact},
                    timeout=TIMEOUT_SECONDS,
                    ttl=LIFETIME_SECONDS,
                    requests_session=browser_service,
                )
        except WebPushException as error:
            raise self._refusal(device.id, error) from error
        except requests.RequestException as error:
            raise DeliveryFailed(type(error).__name__) from error

    def _refusal(self, device_id: int, error: WebPushException) -> DeliveryFailed:
        if error.response is None:
            # Nothing was asked: the keys cannot be those of a browser.
            return DeliveryFailed("the device's keys cannot be used", permanent=True)
        status = getattr(error.response, "status_code", 0)
        if status in GONE:
            with self.database.transaction() as session:
                gone = session.get(Device, device_id)
                if gone is not None:
                    session.delete(gone)
        permanent = status in REFUSED and status != TOO_MANY
        return DeliveryFailed(f"the push service answered {status}", permanent=permanent)


def payload(letter: Letter) -> str:
    """What a browser is given: the title, and the path of the page to open."""
    parts = urlsplit(letter.link or "")
    return json.dumps({"title": letter.subject, "path": parts.path or "/"}, ensure_ascii=False)


def public_key(private_key: str) -> str:
    """The key by which a browser knows who may push to it, as its API wants it."""
    key = Vapid.from_string(private_key).public_key
    raw = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
