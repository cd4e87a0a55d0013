"""A device password on its way from the answer that made it to the page that shows it.

It travels in the session's cookie, which the browser keeps where others may read it: so it is
encrypted with a key that only the installation has.
"""

from __future__ import annotations

import base64
import hmac
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from flask import current_app
from flask import session as cookie

from scheduler.calendars.devices import FRESH

_ENTRY: Final = "device"


def put(device_id: int, password: str) -> None:
    """Send a password along."""
    cookie[_ENTRY] = [device_id, _cipher().encrypt(password.encode()).decode()]


def take(device_id: int) -> str | None:
    """The password that was sent along for this device; it is gone then."""
    number, sealed = cookie.pop(_ENTRY, (None, ""))
    if number != device_id:
        return None
    try:
        return _cipher().decrypt(sealed, ttl=int(FRESH.total_seconds())).decode()
    except InvalidToken:
        return None


def _cipher() -> Fernet:
    secret = str(current_app.secret_key or "").encode()
    return Fernet(base64.urlsafe_b64encode(hmac.digest(secret, b"device password", "sha256")))
