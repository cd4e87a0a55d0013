"""The chain of who was told about a day, in words: whom, what, when, and whether it arrived."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from flask_babel import lazy_gettext as _l

from scheduler.core.outbox import MessageState
from scheduler.roster.swap_queries import Told
from web.localisation import moment

# What became of a message, with the icon that says it too.
DELIVERIES: Final[dict[MessageState, tuple[Any, str]]] = {
    MessageState.PENDING: (_l("on its way"), "clock"),
    MessageState.SENDING: (_l("on its way"), "clock"),
    MessageState.SENT: (_l("delivered"), "check"),
    MessageState.FAILED: (_l("not delivered"), "warning"),
    MessageState.UNCERTAIN: (_l("perhaps not delivered"), "warning"),
    MessageState.SILENCED: (_l("does not want to be told"), "minus"),
}
KINDS: Final[dict[str, Any]] = {
    "day.taken_over": _l("the day was taken over"),
    "day.returned": _l("the day went back"),
    "absence.declared": _l("the doctor does not come"),
    "absence.ended": _l("the doctor comes after all"),
    "absence.filled": _l("somebody else comes"),
}


def told_rows(found: Iterable[Told]) -> list[dict[str, Any]]:
    """The value of `components/told.html`."""
    rows = []
    for told in found:
        word, icon = DELIVERIES[told.state]
        at = told.sent_at or told.at
        rows.append(
            {
                "who": told.who,
                "what": KINDS.get(told.kind, ""),
                "word": word,
                "icon": icon,
                "iso": at.isoformat(),
                "at": moment(at),
            }
        )
    return rows
