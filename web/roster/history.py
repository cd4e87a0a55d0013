"""The history of a day in words: what happened, who did it for whom, and through which door."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from scheduler.roster.history import Event, EventKind
from scheduler.roster.rules import AssignmentSource, ReleaseKind
from web.localisation import written_moment

# The door that a day was taken through, where the sentence does not say it already.
DOORS: Final[dict[AssignmentSource, Any]] = {
    AssignmentSource.CLAIM: _l("from the open days"),
    AssignmentSource.PROPOSAL: _l("accepted proposal"),
    AssignmentSource.ASK: _l("answer to a question"),
    AssignmentSource.CALL: _l("answer to a call for volunteers"),
    AssignmentSource.PHONE: _l("by telephone"),
    AssignmentSource.SWAP: _l("swap"),
    AssignmentSource.TAKEOVER: _l("taken over"),
    AssignmentSource.CALDAV: _l("from their calendar"),
    AssignmentSource.FILE: _l("from a calendar file"),
    AssignmentSource.INVITATION: _l("invitation accepted"),
}
ICONS: Final[dict[EventKind, str]] = {
    EventKind.PUBLISHED: "plus",
    EventKind.WITHDRAWN: "minus",
    EventKind.TAKEN: "check",
    EventKind.KEPT: "clock",
    EventKind.CONFIRMED: "check-double",
    EventKind.RELEASED: "undo",
    EventKind.UNDONE: "undo",
    EventKind.RELEASE_ASKED: "inbox",
    EventKind.RELEASE_REFUSED: "cross",
    EventKind.RELEASE_WITHDRAWN: "undo",
    EventKind.OFFERED: "swap",
    EventKind.OFFER_DECLINED: "cross",
    EventKind.OFFER_WITHDRAWN: "undo",
    EventKind.ASKED: "mail",
    EventKind.ASK_DECLINED: "cross",
    EventKind.CALLED: "bell",
    EventKind.CALL_DECLINED: "cross",
    EventKind.INVITED: "mail",
    EventKind.INVITATION_DECLINED: "cross",
    EventKind.INVITATION_WITHDRAWN: "undo",
}


def shown(events: Iterable[Event]) -> list[dict[str, Any]]:
    """The value of `components/history.html`."""
    return [
        {
            "iso": event.at.isoformat(),
            "moment": moment(event.at),
            "icon": ICONS[event.kind],
            "what": _WORDS[event.kind](event),
            "door": _door(event),
            "reason": event.reason,
            "quiet": event.kind is EventKind.UNDONE,
        }
        for event in events
    ]


def moment(at: dt.datetime) -> str:
    """« 23 nov. 2026 à 10 h », in the house's time zone."""
    return written_moment(at, "d MMM y, HH:mm")


def _door(event: Event) -> str | None:
    """Through which door a day was taken, and how late one was given back."""
    if event.kind is EventKind.TAKEN and event.source is not None:
        if event.release is ReleaseKind.UNTAKEN:
            return None
        door = str(DOORS[event.source])
        return door + " · " + _("held for a titular’s word") if event.held else door
    if event.kind is EventKind.RELEASED and event.days_before is not None and not event.tentative:
        if event.days_before <= 0:
            return _("on the day itself")
        return ngettext("%(num)d day before", "%(num)d days before", event.days_before)
    return None


def _published(event: Event) -> str:
    return _("Published by %(who)s", who=event.by) if event.by else _("Published")


def _withdrawn(event: Event) -> str:
    return _("Withdrawn by %(who)s", who=event.by) if event.by else _("Withdrawn")


def _taken(event: Event) -> str:
    if event.release is ReleaseKind.UNTAKEN:
        return _("Went back from %(other)s to %(who)s", other=event.other, who=event.who)
    if event.source is AssignmentSource.PROPOSAL:
        words = _("Given to %(who)s by an accepted proposal", who=event.who)
    elif event.source in (AssignmentSource.SWAP, AssignmentSource.TAKEOVER) and event.other:
        words = _("Went from %(other)s to %(who)s", other=event.other, who=event.who)
    elif event.other is not None:
        words = _("%(who)s said yes to %(by)s", who=event.who, by=event.other)
    elif event.by is not None:
        words = _("Given to %(who)s by %(by)s", who=event.who, by=event.by)
    else:
        words = _("Taken by %(who)s", who=event.who)
    return words


def _kept(event: Event) -> str:
    return _("Held for %(who)s, who may come", who=event.who)


def _confirmed(event: Event) -> str:
    if event.by is None:
        return _("Confirmed for %(who)s: nobody had decided in time", who=event.who)
    return _("Confirmed for %(who)s by %(by)s", who=event.who, by=event.by)


def _released(event: Event) -> str:
    sentences = {
        ReleaseKind.GRANTED: _l("%(who)s released by %(by)s"),
        ReleaseKind.ABSENCE: _l("%(who)s reported absent by %(by)s"),
        ReleaseKind.REFUSED: _l("Not confirmed for %(who)s by %(by)s"),
    }
    if event.tentative and event.by is None:
        return _("No longer held for %(who)s", who=event.who)
    if event.release is ReleaseKind.EXPIRED:
        return _("Freed from %(who)s: nobody had confirmed it in time", who=event.who)
    if event.by is None:
        if event.release in (ReleaseKind.ABSENCE, ReleaseKind.EMERGENCY):
            return _("%(who)s cannot come", who=event.who)
        return _("Given back by %(who)s", who=event.who)
    if event.release in sentences:
        return str(sentences[event.release]) % {"who": event.who, "by": event.by}
    if event.release is ReleaseKind.TAKEN_AWAY:
        return _("Taken from %(who)s by %(by)s", who=event.who, by=event.by)
    return _("Given back for %(who)s by %(by)s", who=event.who, by=event.by)


def _undone(event: Event) -> str:
    return _("Taken by %(who)s and undone within minutes", who=event.who)


def _release_asked(event: Event) -> str:
    if event.by is not None:
        return _("%(by)s asked for %(who)s to be released", by=event.by, who=event.who)
    return _("%(who)s asked to be released", who=event.who)


def _release_refused(event: Event) -> str:
    return _("%(by)s did not release %(who)s", by=event.by, who=event.who)


def _release_withdrawn(event: Event) -> str:
    return _("%(who)s keeps the day after all", who=event.who)


def _offered(event: Event) -> str:
    if event.other is not None:
        return _("Offered by %(who)s to %(other)s", who=event.who, other=event.other)
    return _("Offered by %(who)s to all colleagues", who=event.who)


def _offer_declined(event: Event) -> str:
    return _("%(who)s declined the offer", who=event.other)


def _offer_withdrawn(event: Event) -> str:
    return _("%(who)s no longer offers the day", who=event.who)


def _asked(event: Event) -> str:
    return _("%(by)s asked %(who)s", by=event.by, who=event.who)


def _ask_declined(event: Event) -> str:
    return _("%(who)s said no", who=event.who)


def _called(event: Event) -> str:
    if event.by is None:
        return _("Call for volunteers, sent by itself")
    return ngettext(
        "Call for volunteers by %(who)s, %(num)d doctor asked",
        "Call for volunteers by %(who)s, %(num)d doctors asked",
        event.doctors,
        who=event.by,
    )


def _call_declined(event: Event) -> str:
    return _("%(who)s cannot answer the call", who=event.who)


def _invited(event: Event) -> str:
    return _("%(who)s invited by e-mail by %(by)s", who=event.who, by=event.by)


def _invitation_declined(event: Event) -> str:
    return _("%(who)s declined the invitation", who=event.who)


def _invitation_withdrawn(event: Event) -> str:
    return _("%(by)s withdrew the invitation of %(who)s", who=event.who, by=event.by)


_WORDS: Final[dict[EventKind, Callable[[Event], str]]] = {
    EventKind.PUBLISHED: _published,
    EventKind.WITHDRAWN: _withdrawn,
    EventKind.TAKEN: _taken,
    EventKind.KEPT: _kept,
    EventKind.CONFIRMED: _confirmed,
    EventKind.RELEASED: _released,
    EventKind.UNDONE: _undone,
    EventKind.RELEASE_ASKED: _release_asked,
    EventKind.RELEASE_REFUSED: _release_refused,
    EventKind.RELEASE_WITHDRAWN: _release_withdrawn,
    EventKind.OFFERED: _offered,
    EventKind.OFFER_DECLINED: _offer_declined,
    EventKind.OFFER_WITHDRAWN: _offer_withdrawn,
    EventKind.ASKED: _asked,
    EventKind.ASK_DECLINED: _ask_declined,
    EventKind.CALLED: _called,
    EventKind.CALL_DECLINED: _call_declined,
    EventKind.INVITED: _invited,
    EventKind.INVITATION_DECLINED: _invitation_declined,
    EventKind.INVITATION_WITHDRAWN: _invitation_withdrawn,
}
