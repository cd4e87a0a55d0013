"""What each error says to its reader: the code of an error to a sentence, in one table."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scheduler.core.errors import RelaisError

# Facts are interpolated by name; dates are shown as the reader's language writes them.
MESSAGES: Final[dict[str, Any]] = {
    "forbidden": _l("This is not for your role."),
    "not_found": _l("There is no such thing, or it is not yours to see."),
    "practice_not_found": _l("There is no such practice, or you are not a member of it."),
    "not_signed_in": _l("Sign in first."),
    "invalid_input": _l("This value cannot be meant."),
    "conflict": _l("Somebody else was first."),
    "too_many": _l("Too many attempts. Wait a minute and try again."),
}


def message_for(error: RelaisError) -> str:
    """The sentence of an error; an unknown code falls back on that of its class."""
    sentence = MESSAGES.get(error.code) or MESSAGES.get(error.default_code)
    if sentence is None:
        return _("This cannot be done.")
    facts = {
        name: format_date(value, "EEE d MMM y") if isinstance(value, dt.date) else value
        for name, value in error.facts.items()
    }
    return str(sentence) % facts
