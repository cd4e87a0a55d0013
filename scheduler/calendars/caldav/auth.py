"""Signing in with a device password."""

from __future__ import annotations

from radicale.auth import AuthContext, BaseAuth
from radicale.config import Configuration

from scheduler.calendars import devices
from scheduler.calendars.caldav.visit import Visits


class Auth(BaseAuth):
    """The name is the doctor's e-mail; the principal is their number, which never changes."""

    def __init__(self, visits: Visits, configuration: Configuration) -> None:
        super().__init__(configuration)
        self._visits = visits

    def _login_ext(self, login: str, password: str, context: AuthContext) -> str:  # noqa: ARG002
        visit = self._visits.current
        with self._visits.transaction():
            visit.caller = devices.authenticate(visit.unit, login, password, visit.client)
        return "" if visit.caller is None else str(visit.caller.user_id)
