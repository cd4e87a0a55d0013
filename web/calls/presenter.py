"""From a call for volunteers to what its pages show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, Final

from flask_babel import format_date, format_decimal
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scheduler.core.deliveries import Channel
from scheduler.roster.call_queries import Day, Detail
from scheduler.roster.models import Invitation
from scheduler.roster.rules import CallState, InvitationState, Period, Wave
from web.labels import PERIOD_NAMES, day_count, dialled
from web.localisation import iso_week, short_date, week_dates, week_name, written, written_moment

STATES: Final[dict[CallState, tuple[Any, str, str]]] = {
    CallState.PREPARED: (_l("Ready to send"), "amber", "clock"),
    CallState.SENT: (_l("Under way"), "accent", "bell"),
    CallState.FILLED: (_l("Filled"), "accent", "check"),
    CallState.ENDED: (_l("Over"), "neutral", "minus"),
    CallState.DISMISSED: (_l("Not now"), "neutral", "undo"),
}
ANSWERS: Final[dict[InvitationState, tuple[Any, str, str]]] = {
    InvitationState.WAITING: (_l("Not asked yet"), "neutral", "clock"),
    InvitationState.SENT: (_l("No answer yet"), "amber", "mail"),
    InvitationState.ACCEPTED: (_l("Comes"), "accent", "check"),
    InvitationState.DECLINED: (_l("Cannot"), "neutral", "cross"),
    InvitationState.OBSOLETE: (_l("Not asked"), "neutral", "minus"),
}
WAVES: Final[dict[Wave, tuple[Any, Any]]] = {
    Wave.POSSIBLE: (_l("First, who said that they can come"), _l("1st wave")),
    Wave.LAST_RESORT: (_l("Then, as a last resort, and who said nothing"), _l("2nd wave")),
    Wave.TITULARS: (_l("At last, the titular doctors"), _l("3rd wave")),
}
CHANNELS: Final[dict[Channel, Any]] = {
    Channel.EMAIL: _l("e-mail"),
    Channel.SMS: _l("SMS"),
    Channel.PUSH: _l("notification"),
}


def title(detail: Detail) -> str:
    """« Semaine S50, 7–13 déc. 2026 », or the one day of an urgent call."""
    if detail.call.urgent and detail.days:
        day = written(detail.days[0].need.date, "EEEE d MMMM")
        return _("Urgent call for %(day)s", day=day)
    monday = detail.call.monday
    return _("Week %(week)s, %(dates)s", week=week_name(monday), dates=week_dates(monday))


def listed(detail: Detail) -> dict[str, Any]:
    """A line of the list of calls."""
    word, tone, icon = STATES[detail.call.state]
    asked = [row for row in detail.invitations if row.sent_at is not None]
    return {
        "id": detail.call.id,
        "title": title(detail),
        "urgent": detail.call.urgent,
        "state": word,
        "tone": tone,
        "icon": icon,
        "open": len(detail.open_days),
        "days": len(detail.days),
        "asked": len(asked),
        "could": len(detail.invitations),
        "prepared": detail.call.state is CallState.PREPARED,
        "coming": sum(row.state is InvitationState.ACCEPTED for row in asked),
    }


def shown(
    detail: Detail,
    channels: Mapping[int, Collection[Channel]],
    chosen: Collection[int] | None,
) -> dict[str, Any]:
    """All that a call's page shows; `chosen` are the doctors that were ticked, None before."""
    call = detail.call
    word, tone, icon = STATES[call.state]
    return {
        "id": call.id,
        "title": title(detail),
        "week": iso_week(call.monday),
        "state": word,
        "tone": tone,
        "icon": icon,
        "prepared": call.state is CallState.PREPARED,
        "sent": call.state is CallState.SENT,
        "dismissed": call.state is CallState.DISMISSED,
        "urgent": call.urgent,
        "wave": call.wave,
        "message": call.message,
        "sender": detail.sender.name if detail.sender else None,
        "sent_at": _instant(call.sent_at),
        "next_at": _instant(call.next_wave_at) if call.has_other_wave else None,
        "days": [_day(day) for day in detail.days],
        "open": len(detail.open_days),
        "waves": _waves(detail, channels, chosen),
    }


def _waves(
    detail: Detail,
    channels: Mapping[int, Collection[Channel]],
    chosen: Collection[int] | None,
) -> list[dict[str, Any]]:
    days = {day.need.id: day for day in detail.days}
    found = []
    for wave in Wave:
        rows = [row for row in detail.invitations if row.wave == wave]
        if not rows:
            continue
        name, number = WAVES[wave]
        left = next((row.sent_at for row in rows if row.sent_at is not None), None)
        found.append(
            {
                "name": name,
                "number": number,
                "left_at": _instant(left),
                "titulars": wave is Wave.TITULARS,
                "rows": [_row(row, days, channels, chosen) for row in rows],
            }
        )
    return found


def _row(
    invitation: Invitation,
    days: Mapping[int, Day],
    channels: Mapping[int, Collection[Channel]],
    chosen: Collection[int] | None,
) -> dict[str, Any]:
    doctor = invitation.doctor
    could = sorted(
        (days[row.need_id] for row in invitation.days if row.need_id in days),
        key=lambda day: (day.need.date, day.need.period, day.need.id),
    )
    spoken = {row.need_id for row in invitation.days if row.preference is not None}
    said = [day for day in could if day.need.id in spoken]
    state = invitation.state
    word, tone, icon = ANSWERS[state]
    if state is InvitationState.OBSOLETE and invitation.sent_at is not None:
        word = _("No answer")
    own = [day for day in days.values() if day.holder and day.holder.id == doctor.id]
    return {
        "doctor_id": doctor.id,
        "name": doctor.name,
        "preference": invitation.preference.value if invitation.preference else None,
        "days": list(dict.fromkeys(_half_day(day) for day in said)),
        "all": len(said) == len(days) and len(days) > 1,
        "load": _load(invitation, could),
        "phone": doctor.phone,
        "dial": dialled(doctor.phone),
        "channels": ", ".join(
            str(name)
            for channel, name in CHANNELS.items()
            if channel in channels.get(doctor.id, ())
        ),
        "checked": chosen is None or doctor.id in chosen,
        "state": word,
        "tone": tone,
        "icon": icon,
        "asked_at": _instant(invitation.sent_at),
        "comes": [short_date(day.need.date) for day in own],
    }


def _load(invitation: Invitation, could: list[Day]) -> str | None:
    """What one day more would make of the doctor's share."""
    if not could:
        return None
    before = invitation.half_days
    after = before + len(could[0].need.period.halves)
    return _(
        "load: %(before)s → %(after)s", before=format_decimal(before / 2), after=day_count(after)
    )


def _half_day(day: Day) -> str:
    """« lun. 7 », « lun. 7 matin »: two rooms of one morning are one time to come."""
    date = format_date(day.need.date, "EEE d")
    if day.need.period is Period.DAY:
        return date
    return f"{date} {str(PERIOD_NAMES[day.need.period]).lower()}"


def _day(day: Day) -> dict[str, Any]:
    state = "uncovered"
    if day.assignment is not None:
        state = day.assignment.state.value
    elif day.over:
        state = "missed"
    return {
        "need_id": day.need.id,
        "date": written(day.need.date, "EEEE d MMMM"),
        "place": f"{day.need.room.name} · {PERIOD_NAMES[day.need.period]}",
        "state": state,
        "who": day.holder.name if day.holder else None,
    }


def _instant(instant: dt.datetime | None) -> str | None:
    """« mardi 24 novembre à 10 h », in the house's time zone."""
    return None if instant is None else written_moment(instant, "EEEE d MMMM, HH:mm")
