"""What makes an invitation unguessable: the address of its answers, and the UID of its event.

Both follow from the installation's key, so that the database alone answers for nobody. What proves
an answer is the UID with its proof, and the attendee who was invited. The address carries a token
as well (``relais+<token>@…``): some providers and programmes drop it, so that an answer without
any is taken by its UID; but where it is kept it has to be the invitation's own, and an answer to
another invitee's address is refused.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable
from email.utils import parseaddr
from typing import Final

from sqlalchemy.orm import Session

from scheduler.core.installation import demonstration_key
from scheduler.core.settings import Settings

# 130 bits in lower case: mail servers may not keep the case of an address.
LENGTH: Final = 26
_ADDRESS: Final = "reply address"
_UID: Final = "event"
_EVENT: Final = re.compile(
    r"(?P<uid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?P<proof>[a-z2-7]{26})@\S+",
    re.IGNORECASE,
)
# How Exchange wraps a UID that is not its own ([MS-OXCICAL], 2.1.3.1.1.20.26), in hexadecimal.
_WRAPPED: Final = re.compile(
    r"040000008200E00074C5B7101A82E008[0-9A-F]*7643616C2D55696401000000(?P<uid>(?:[0-9A-F]{2})+)",
    re.IGNORECASE,
)


def mailbox(session: Session, settings: Settings) -> str | None:
    """The mailbox that answers come to; None where invitations are not set up.

    A demonstration needs none: nothing of it leaves the house.
    """
    if settings.reply_address is None and demonstration_key(session) is not None:
        return parseaddr(settings.mail_from)[1]
    return settings.reply_address


def reply_address(mailbox: str, secret: str, uid: str) -> str:
    """Where one invitation is answered."""
    name, _, domain = mailbox.rpartition("@")
    return f"{name}+{_token(secret, _ADDRESS, uid)}@{domain}"


def event_uid(mailbox: str, secret: str, uid: str) -> str:
    """The UID of an invitation's event."""
    return f"{uid}.{_token(secret, _UID, uid)}@{mailbox.rpartition('@')[2]}"


def uid_of(secret: str, event: str) -> str | None:
    """The invitation that an event's UID names; None for one that this installation never made."""
    wrapped = _WRAPPED.fullmatch(event.strip())
    if wrapped is not None:
        event = bytes.fromhex(wrapped["uid"]).rstrip(b"\0").decode("ascii", "replace")
    found = _EVENT.fullmatch(event.strip())
    if found is None:
        return None
    uid = found["uid"].lower()
    expected = _token(secret, _UID, uid)
    return uid if hmac.compare_digest(found["proof"].lower(), expected) else None


def belongs(mailbox: str, secret: str, uid: str, addresses: Iterable[str]) -> bool:
    """Whether no address that a message was sent to contradicts its UID.

    Of the addresses that bear a token, one must be the invitation's; without any, the provider
    dropped it, and the UID's proof has spoken.
    """
    name, _, domain = mailbox.lower().rpartition("@")
    prefix, suffix = f"{name}+", f"@{domain}"
    tokens = {
        address.lower()[len(prefix) : -len(suffix)]
        for address in addresses
        if address.lower().startswith(prefix) and address.lower().endswith(suffix)
    }
    expected = _token(secret, _ADDRESS, uid)
    return not tokens or any(hmac.compare_digest(one.encode(), expected.encode()) for one in tokens)


def _token(secret: str, purpose: str, uid: str) -> str:
    key = hmac.digest(secret.encode(), b"relais calendar invitations", "sha256")
    made = hmac.digest(key, f"{purpose}.{uid}".encode(), "sha256")
    return base64.b32encode(made).decode().lower()[:LENGTH]
