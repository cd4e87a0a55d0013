"""Words for the values of the roster that several areas show."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any, Final

from flask_babel import format_date, format_decimal, get_locale, ngettext
from flask_babel import lazy_gettext as _l

from scheduler.core.permissions import Role
from scheduler.roster.rules import Period

ROLE_NAMES: Final[dict[Role, Any]] = {
    Role.TITULAR: _l("Titular doctor"),
    Role.REPLACEMENT: _l("Replacement doctor"),
    Role.ASSISTANT: _l("Assistant doctor"),
    Role.INTERN: _l("Intern"),
    Role.SECRETARY: _l("Secretary"),
    Role.NURSE: _l("Nurse"),
    Role.VIEWER: _l("Viewer"),
}
PERIOD_NAMES: Final[dict[Period, Any]] = {
    Period.DAY: _l("Whole day"),
    Period.AM: _l("Morning"),
    Period.PM: _l("Afternoon"),
}
PRIORITY_NAMES: Final[dict[int, Any]] = {
    1: _l("Must be filled"),
    2: _l("Should be filled"),
    3: _l("Nice to have"),
}


def weekday_names(pattern: str = "EEE") -> list[str]:
    """The names of the days of the week, Monday first, in the reader's language."""
    monday = dt.date(2026, 11, 23)
    return [format_date(monday + dt.timedelta(days=offset), pattern) for offset in range(7)]


def day_count(half_days: float) -> str:
    """« 2,5 jours »: in French one and a half is still singular."""
    days = round(half_days / 2, 1)
    number = grammatical_number(days)
    shown = format_decimal(days, "#,##0.#")
    return ngettext("%(days)s day", "%(days)s days", number, days=shown)


def grammatical_number(days: float) -> int:
    """The whole number that stands for `days` where a language chooses singular or plural."""
    return int(days) if get_locale().language == "fr" else math.ceil(days)


def dialled(phone: str | None) -> str | None:
    """A number as the address of a call takes it: digits, and the plus in front."""
    if phone is None:
        return None
    digits = "".join(sign for sign in phone if sign.isdecimal())
    return ("+" if phone.strip().startswith("+") else "") + digits if digits else None
