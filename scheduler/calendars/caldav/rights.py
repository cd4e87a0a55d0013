"""Who may do what to which address: only the doctor's own, and only what each calendar is for."""

from __future__ import annotations

from typing import Final

from radicale import pathutils
from radicale.config import Configuration
from radicale.rights import BaseRights

from scheduler.calendars.models import DavKind

# An address is that of a doctor, a calendar of theirs, and something in it.
CALENDAR_DEPTH: Final = 2


class Rights(BaseRights):
    """Capital letters are for collections that are no calendars, small ones for calendars.

    No letter lets anybody make, delete or overwrite a calendar.
    """

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)

    def authorization(self, user: str, user_groups: set[str], path: str) -> str:  # noqa: ARG002
        """What `user` may do at `path`; nothing without a user."""
        parts = [part for part in pathutils.strip_path(path).split("/") if part]
        if not user or (parts and parts[0] != user):
            return ""
        if len(parts) < CALENDAR_DEPTH:
            return "R"
        if len(parts) > CALENDAR_DEPTH:
            return ""
        writable = parts[1] in (DavKind.MY_DAYS, DavKind.AVAILABILITIES)
        return "rw" if writable else "r"
