"""The configuration profile by which an iPhone, iPad or Mac sets itself up."""

from __future__ import annotations

import plistlib
import uuid
from typing import Final

from web.devices.presenter import Account

MEDIA_TYPE: Final = "application/x-apple-aspen-config"
_NAME: Final = "fr.relais.calendars"


def profile(account: Account, device_id: int, password: str) -> bytes:
    """A property list with one CalDAV account, the password in it."""
    identity = f"{account.server}{device_id}"
    own = f"{_NAME}.{account.host}.{device_id}"
    return plistlib.dumps(
        {
            "PayloadContent": [
                {
                    "PayloadType": "com.apple.caldav.account",
                    "PayloadVersion": 1,
                    "PayloadIdentifier": f"{own}.caldav",
                    "PayloadUUID": _uuid(f"{identity}/account"),
                    "PayloadDisplayName": "Relais",
                    "CalDAVAccountDescription": "Relais",
                    "CalDAVHostName": account.host,
                    "CalDAVPort": account.port,
                    "CalDAVUseSSL": account.https,
                    "CalDAVPrincipalURL": account.principal,
                    "CalDAVUsername": account.user_name,
                    "CalDAVPassword": password,
                }
            ],
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": own,
            "PayloadUUID": _uuid(identity),
            "PayloadDisplayName": "Relais",
            "PayloadOrganization": "Relais",
            "PayloadRemovalDisallowed": False,
        }
    )


def _uuid(name: str) -> str:
    # The same for the same device, so that a profile installed twice is one.
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name)).upper()
