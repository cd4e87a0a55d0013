"""Why a day stays empty and what would help, in sentences and links."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Final

from babel.dates import format_timedelta
from flask import url_for
from flask_babel import format_decimal, get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scheduler.roster.ask_queries import state_on
from scheduler.roster.models import Need
from scheduler.roster.proposal_review import Reason, Row, Suggestion
from scheduler.roster.rules import AskState
from web.labels import day_count
from web.localisation import written

# So many doctors are offered to be asked: those with the lowest load come first.
MOST_OFFERED: Final = 3

REASONS: Final[dict[str, Any]] = {
    "elsewhere": _l("Already at work that day: %(doctors)s."),
    "weekly_cap": _l("At the limit of the week: %(doctors)s."),
    "monthly_cap": _l("At the limit of the month: %(doctors)s."),
    "total_cap": _l("At the limit of the period: %(doctors)s."),
    "consecutive": _l("At the limit of days in a row: %(doctors)s."),
    "licence": _l("Without a valid licence that day: %(doctors)s."),
    "not_member": _l("Not in the practice that day: %(doctors)s."),
    "no_availability": _l("Not available: %(doctors)s."),
}
# What it would cost to take a doctor who is free, by the level that would get worse.
TRADED: Final[dict[str | None, Any]] = {
    "below_minimum": _l("Free, but then a week would miss its minimum: %(doctors)s."),
    "uncovered": _l("Free, but then more important days would stay empty: %(doctors)s."),
    "changes": _l("Free, but then the roster last shown would change: %(doctors)s."),
    "last_resort": _l("Free, but only as a last resort: %(doctors)s."),
    "quality": _l("Free, but then the days would be shared less well: %(doctors)s."),
    None: _l("Available, but of more use on another day: %(doctors)s."),
}
LIMITS: Final = frozenset({"weekly_cap", "monthly_cap", "total_cap", "consecutive"})
RAISES: Final[dict[str, Any]] = {
    "raise_weekly_cap": _l("Ask %(doctor)s for %(days)s that week"),
    "raise_monthly_cap": _l("Ask %(doctor)s for %(days)s that month"),
    "raise_consecutive": _l("Ask %(doctor)s for %(days)s in a row"),
}
ASKED: Final[dict[AskState, Any]] = {
    AskState.OPEN: _l("%(doctor)s was asked %(ago)s."),
    AskState.ACCEPTED: _l("%(doctor)s said yes %(ago)s."),
    AskState.DECLINED: _l("%(doctor)s said no %(ago)s."),
    AskState.LAPSED: _l("%(doctor)s was asked, and the question lapsed %(ago)s."),
    AskState.WITHDRAWN: _l("%(doctor)s was asked, and the question was taken back %(ago)s."),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at a proposal, when, and whether they may decide on it and ask doctors from it."""

    user_id: int | None
    may_decide: bool
    may_ask: bool
    now: dt.datetime
    today: dt.date
    proposal_id: int


def uncovered(row: Row, reader: Reader) -> dict[str, Any]:
    """A need without a doctor: one line why, what can be done at a tap, the rest to unfold."""
    if row.withdrawn:
        return {"kind": "removed", "word": _("No longer to fill")}
    return {
        "kind": "uncovered",
        "note": _in_short(row),
        "actions": _offers(row, reader),
        "details": _sentences(row),
        "details_title": _("Why"),
    }


def asked(row: Row, reader: Reader) -> list[dict[str, Any]]:
    """What became of the questions about a need, newest first."""
    found = []
    for item in row.asks:
        state = state_on(item.ask, row.need.date, reader.today)
        since = item.ask.ended_at or item.ask.asked_at
        words = {"doctor": item.doctor, "ago": ago(reader.now - since)}
        address = url_for("asks.show", ask_id=item.ask.id) if reader.may_ask else None
        found.append({"text": str(ASKED[state]) % words, "href": address, "state": state.value})
    return found


def ago(passed: dt.timedelta) -> str:
    """« il y a 2 heures »"""
    if passed < dt.timedelta(minutes=1):
        return _("just now")
    return format_timedelta(-passed, add_direction=True, locale=get_locale())


def _in_short(row: Row) -> str:
    """« 5 non disponibles, 2 à leur limite »"""
    if not row.explained:
        return _("To fill again since this roster was computed.")
    count = Counter(reason.code for reason in row.reasons)
    limits = sum(count[code] for code in LIMITS)
    traded, elsewhere = count["traded"], count["elsewhere"]
    barred = count["licence"] + count["not_member"]
    silent = count["no_availability"]
    words = []
    if traded:
        words.append(
            ngettext("%(num)d of more use elsewhere", "%(num)d of more use elsewhere", traded)
        )
    if limits:
        words.append(ngettext("%(num)d at the limit", "%(num)d at their limits", limits))
    if elsewhere:
        words.append(ngettext("%(num)d already at work", "%(num)d already at work", elsewhere))
    if barred:
        words.append(ngettext("%(num)d may not come", "%(num)d may not come", barred))
    if silent:
        words.append(ngettext("%(num)d not available", "%(num)d not available", silent))
    if not words:
        return _("Nobody has a role that this day is open to.")
    return ", ".join(words)


def _offers(row: Row, reader: Reader) -> list[dict[str, str]]:
    """Links to the questions that can be asked, raises first as the engine puts them.

    A titular doctor comes after everybody else. Whoever has not answered yet or has said no is
    not offered again.
    """
    if not reader.may_ask or row.need.date < reader.today:
        return []
    settled = {
        item.ask.doctor_id
        for item in row.asks
        if item.ask.state in (AskState.OPEN, AskState.DECLINED)
    }
    left = [
        item
        for item in row.suggestions
        if item.doctor_id not in settled and (item.code == "ask" or item.code in RAISES)
    ]
    left.sort(key=lambda item: item.titular)
    return [_offer(item, row.need, reader) for item in left[:MOST_OFFERED]]


def _offer(item: Suggestion, need: Need, reader: Reader) -> dict[str, str]:
    if item.doctor_id == reader.user_id:
        return {
            "text": _("Take this day myself"),
            "icon": "hand",
            "href": url_for("roster.need", need_id=need.id),
        }
    if item.code in RAISES:
        days = day_count(round(2 * (item.to or 0)))
        text = str(RAISES[item.code]) % {"doctor": item.doctor, "days": days}
    else:
        text = _("Ask %(doctor)s", doctor=item.doctor)
    return {
        "text": text,
        "icon": "mail",
        "href": url_for(
            "asks.new",
            need_id=need.id,
            doctor_id=item.doctor_id,
            proposal_id=reader.proposal_id,
            next=url_for("proposals.show", proposal_id=reader.proposal_id),
        ),
    }


def _sentences(row: Row) -> list[str]:
    """Every doctor's reason, doctors with the same one together."""
    doctors: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    found = []
    for reason in row.reasons:
        if reason.code == "traded" and reason.instead:
            found.append(_instead(reason))
        else:
            level = reason.level if reason.code == "traded" else None
            doctors[reason.code, level].append(reason.doctor)
    found += [
        str(sentence) % {"doctors": ", ".join(doctors["traded", level])}
        for level, sentence in TRADED.items()
        if ("traded", level) in doctors
    ]
    found += [
        str(sentence) % {"doctors": ", ".join(doctors[code, None])}
        for code, sentence in REASONS.items()
        if (code, None) in doctors
    ]
    return found + _limits(row)


def _instead(reason: Reason) -> str:
    """« Léa est libre, mais il faudrait lui retirer : jeu. 3 déc., Salle 1. »"""
    days = [f"{written(need.date, 'EEE d MMM')}, {need.room.name}" for need in reason.instead]
    return _(
        "%(doctor)s is free, but would be missing on another day: %(days)s.",
        doctor=reason.doctor,
        days=" · ".join(days),
    )


def _limits(row: Row) -> list[str]:
    """What limits would have to be, for those who may not ask themselves."""
    words: dict[str, Any] = {
        "raise_weekly_cap": _l("%(doctor)s could come with a limit of %(to)s days a week."),
        "raise_monthly_cap": _l("%(doctor)s could come with a limit of %(to)s days a month."),
        "raise_total_cap": _l("%(doctor)s could come with a limit of %(to)s days in the period."),
        "raise_consecutive": _l("%(doctor)s could come with a limit of %(to)s days in a row."),
    }
    return [
        str(words[item.code]) % {"doctor": item.doctor, "to": format_decimal(item.to or 0)}
        for item in row.suggestions
        if item.code in words
    ]
