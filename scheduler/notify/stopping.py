"""The signed address in each e-mail that stops e-mails of its groups, without signing in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from itsdangerous import BadSignature, URLSafeSerializer

from scheduler.core.errors import BadSettings, NotFound
from scheduler.core.settings import Settings
from scheduler.notify.rules import CHOSEN_GROUPS, Group

SALT: Final = "notify.stop"


def stop_address(settings: Settings, user_id: int, groups: Iterable[Group]) -> str:
    """The page where somebody stops the e-mails of groups; it works for as long as the key."""
    token = str(_serializer(settings).dumps([user_id, *sorted(group.value for group in groups)]))
    return f"{settings.base_url}/notifications/stop/{token}"


def read_stop(settings: Settings, token: str) -> tuple[int, tuple[Group, ...]]:
    """Whose e-mails of which groups a token stops; raises `NotFound` for one of nobody's making."""
    try:
        user_id, *groups = _serializer(settings).loads(token)
        if groups and all(group in CHOSEN_GROUPS for group in groups):
            return int(user_id), tuple(Group(group) for group in groups)
    except (BadSignature, ValueError, TypeError):
        pass
    raise NotFound("stop_address_unknown")


def _serializer(settings: Settings) -> URLSafeSerializer:
    if settings.secret_key is None:
        raise BadSettings(variable="RELAIS_SECRET_KEY", reason="required to sign addresses")
    return URLSafeSerializer(settings.secret_key, salt=SALT)
