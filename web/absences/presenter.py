"""The words of an absence: whom the call reaches, who was told, and what hangs on the day."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scheduler.roster.absences import Hanging, HangingKind
from scheduler.roster.candidates import Coming
from scheduler.roster.models import Assignment, Invitation
from scheduler.roster.rules import InvitationState
from web.labels import PERIOD_NAMES, dialled
from web.localisation import long_date

ANSWERS: Final[dict[InvitationState, tuple[Any, str]]] = {
    InvitationState.WAITING: (_l("asked a little later"), "clock"),
    InvitationState.SENT: (_l("asked, has not answered yet"), "bell"),
    InvitationState.ACCEPTED: (_l("comes"), "check"),
    InvitationState.DECLINED: (_l("cannot come"), "cross"),
    InvitationState.OBSOLETE: (_l("needs not answer any more"), "minus"),
}


def where(day: Assignment) -> list[tuple[str, str]]:
    """Doctor, day, room and part of the day, as terms and descriptions."""
    return [
        (_("Doctor"), day.doctor.name),
        (_("Day"), long_date(day.date)),
        (_("Room"), f"{day.need.room.name}, {str(PERIOD_NAMES[day.period]).lower()}"),
    ]


def people(
    invitations: Iterable[Invitation], candidates: Iterable[Coming], *, phones: bool
) -> list[dict[str, Any]]:
    """Whom to turn to: those whom the call asks in its order, then whoever else could come.

    Telephone numbers only for whoever may call people up.
    """
    rows = []
    for invitation in invitations:
        word, icon = ANSWERS[invitation.state]
        doctor = invitation.doctor
        rows.append((doctor.id, doctor.name, doctor.phone, word, icon))
    asked = {row[0] for row in rows}
    rows += [
        (coming.doctor_id, coming.name, coming.phone, _("not asked"), "user")
        for coming in candidates
        if coming.doctor_id not in asked
    ]
    return [
        {
            "doctor_id": number,
            "name": name,
            "word": word,
            "icon": icon,
            "phone": phone if phones else None,
            "call": dialled(phone) if phones else None,
        }
        for number, name, phone, word, icon in rows
    ]


def hanging(found: Iterable[Hanging]) -> list[dict[str, Any]]:
    """What hangs on the day, each with the page where it is handed on."""
    return [_HANGING[item.kind](item) for item in found]


def duty(day: Assignment) -> dict[str, Any]:
    """The absent doctor was on call for laboratory results that day."""
    return {
        "icon": "flask",
        "text": _("%(who)s is on call for results that day.", who=day.doctor.name),
        "href": url_for("desk.day", date=day.date.isoformat()),
    }


def _intern(item: Hanging) -> dict[str, Any]:
    return {
        "icon": "users",
        "text": _("%(who)s, intern, is left without a supervisor.", who=item.who),
        "href": url_for("roster.need", need_id=item.row_id),
    }


def _offer(item: Hanging) -> dict[str, Any]:
    if item.who:
        text = _("The day was offered to %(who)s: the offer has ended.", who=item.who)
    else:
        text = _("The day was offered to colleagues: the offer has ended.")
    return {"icon": "swap", "text": text, "href": url_for("swaps.show", swap_id=item.row_id)}


def _ask(item: Hanging) -> dict[str, Any]:
    text = _("%(who)s is asked whether they could come.", who=item.who)
    return {"icon": "mail", "text": text, "href": url_for("asks.show", ask_id=item.row_id)}


_HANGING: Final = {
    HangingKind.INTERN: _intern,
    HangingKind.OFFER: _offer,
    HangingKind.ASK: _ask,
}
