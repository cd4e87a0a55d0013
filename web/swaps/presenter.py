"""The words of an offer, of its answer and of who was told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scheduler.roster.models import Assignment, Swap
from scheduler.roster.rules import SwapState
from scheduler.roster.swap_queries import state_on
from web.labels import PERIOD_NAMES
from web.localisation import long_date, short_date

STATES: Final[dict[SwapState, tuple[Any, str]]] = {
    SwapState.OPEN: (_l("On offer"), "amber"),
    SwapState.TAKEN: (_l("Accepted"), "accent"),
    SwapState.DECLINED: (_l("Declined"), "neutral"),
    SwapState.WITHDRAWN: (_l("Taken back"), "neutral"),
    SwapState.LAPSED: (_l("Ended"), "neutral"),
    SwapState.UNTAKEN: (_l("Handed back"), "neutral"),
}


def where(day: Assignment) -> list[tuple[str, str]]:
    """Day, room and part of the day, as terms and descriptions."""
    return [
        (_("Day"), long_date(day.date)),
        (_("Room"), day.need.room.name),
        (_("When"), str(PERIOD_NAMES[day.period])),
    ]


def in_words(day: Assignment) -> str:
    """« lun. 23 nov., Salle 1, matin », in one line."""
    return f"{short_date(day.date)}, {day.need.room.name}, {str(PERIOD_NAMES[day.period]).lower()}"


def returns(days: Iterable[Assignment]) -> list[tuple[int, str]]:
    """The colleagues' days that an exchange can ask for, as choices."""
    return [(day.id, f"{in_words(day)} · {day.doctor.name}") for day in days]


def listed(swap: Swap, today: dt.date, reader_id: int | None) -> dict[str, Any]:
    """A line of the list of offers."""
    word, tone = STATES[state_on(swap, swap.assignment.date, today)]
    return {
        "id": swap.id,
        "day": short_date(swap.assignment.date),
        "room": swap.assignment.need.room.name,
        "giver": _("you") if swap.doctor_id == reader_id else swap.doctor.name,
        "to": _to(swap, reader_id),
        "in_return": in_words(swap.in_return) if swap.in_return else None,
        "state": word,
        "tone": tone,
    }


def _to(swap: Swap, reader_id: int | None) -> str:
    if swap.to_doctor is None:
        return _("all")
    return _("you") if swap.to_doctor_id == reader_id else swap.to_doctor.name


def when_taken(swap: Swap) -> str:
    """What is said to whoever takes an offered day, and perhaps gives one for it."""
    date = short_date(swap.assignment.date)
    if swap.in_return is None:
        return _("%(date)s is yours. Thank you.", date=date)
    return _(
        "Exchanged: you come on %(date)s, and %(who)s comes on %(other)s in your place.",
        date=date,
        who=swap.doctor.name,
        other=short_date(swap.in_return.date),
    )


def outcome(swap: Swap, state: SwapState, taker: str | None) -> str | None:
    """How an offer ended, in a sentence; None while it is open."""
    sentences = {
        SwapState.TAKEN: _("%(who)s has taken the day.", who=taker),
        SwapState.UNTAKEN: _("The day went back to %(who)s.", who=swap.doctor.name),
        SwapState.WITHDRAWN: _("The offer was taken back."),
        SwapState.LAPSED: _("The day is over or no longer the doctor’s to offer."),
    }
    if state is SwapState.DECLINED and swap.to_doctor is not None:
        return _("%(who)s said no.", who=swap.to_doctor.name)
    return sentences.get(state)
