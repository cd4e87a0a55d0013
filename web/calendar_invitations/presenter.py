"""From invitations, and from who could come, to what the pages show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scheduler.calendars.invitations.queries import InvitedDay
from scheduler.calendars.invitations.sending import Pair
from scheduler.calendars.models import Answer, CalendarInvitation, Ending
from scheduler.core.deliveries import Channel
from scheduler.core.permissions import Role
from scheduler.roster.call_rules import merged
from scheduler.roster.candidates import WhoCould
from scheduler.roster.models import Assignment, Need
from scheduler.roster.queries import Entry
from scheduler.roster.rules import AssignmentState, NeedState, monday_of
from web.labels import PERIOD_NAMES
from web.localisation import short_date, week_dates, week_name, written, written_moment

WEEKS_AHEAD: Final = 8
ANSWERS: Final[dict[Answer, tuple[Any, str, str]]] = {
    Answer.NONE: (_l("No answer yet"), "amber", "mail"),
    Answer.ACCEPTED: (_l("Comes"), "accent", "check"),
    Answer.TENTATIVE: (_l("May come"), "amber", "clock"),
    Answer.DECLINED: (_l("Cannot"), "neutral", "cross"),
}
ENDINGS: Final[dict[Ending, tuple[Any, str, str]]] = {
    Ending.TAKEN: (_l("Somebody else has the day"), "neutral", "minus"),
    Ending.WITHDRAWN: (_l("Withdrawn"), "neutral", "undo"),
    Ending.NEED_WITHDRAWN: (_l("Day withdrawn"), "neutral", "minus"),
    Ending.GIVEN_BACK: (_l("Given back by the doctor"), "neutral", "undo"),
    Ending.REFUSED: (_l("Said yes, and cannot"), "neutral", "cross"),
    Ending.PAST: (_l("Over"), "neutral", "minus"),
}


def day(found: InvitedDay, may_send: bool) -> dict[str, Any]:
    """A day with everybody who was invited to it, each once, by who invited them and when."""
    holder = found.holder
    # Whoever was invited again: what came before is history.
    latest = list({row.doctor_id: row for row in found.invitations}.values())
    again = [row for row in latest if row.ending is Ending.TAKEN]
    return {
        **named(found.need),
        "state": "uncovered" if holder is None else holder.state.value,
        "who": None if holder is None else holder.doctor.name,
        "groups": [
            {"asked": asked, "invitations": [_invitation(row, holder, may_send) for row in rows]}
            for asked, rows in groupby(latest, _asked)
        ],
        "again": [f"{row.need_id}-{row.doctor_id}" for row in again]
        if may_send and holder is None and found.need.state is NeedState.PUBLISHED
        else [],
    }


def named(need: Need) -> dict[str, Any]:
    """A day as its date and place."""
    return {
        "need_id": need.id,
        "date": written(need.date, "EEEE d MMMM"),
        "short": short_date(need.date),
        "place": f"{need.room.name} · {PERIOD_NAMES[need.period]}",
    }


def doctors(
    days: Sequence[Need],
    who: Mapping[int, WhoCould],
    invited: Collection[Pair],
    channels: Mapping[int, Collection[Channel]],
    *,
    ticked: Collection[Pair] | None,
    reader_id: int | None,
) -> list[dict[str, Any]]:
    """Whoever could take one of the days, in the order in which a call would ask them, each with
    a box a day. Those who said that they can come are ticked where nobody has chosen yet."""
    names = {row.doctor_id: row for found in who.values() for row in (*found.said, *found.silent)}
    rows = []
    for one in merged(who):
        if one.doctor_id == reader_id:
            continue
        coming = names[one.doctor_id]
        could = dict(one.days)
        reachable = Channel.EMAIL in channels.get(one.doctor_id, ())
        boxes = []
        for need in days:
            if need.id not in could:
                continue
            pair = Pair(need.id, one.doctor_id)
            said = could[need.id] is not None and coming.role is not Role.TITULAR
            boxes.append(
                {
                    "value": f"{need.id}-{one.doctor_id}",
                    "label": f"{short_date(need.date)} · {PERIOD_NAMES[need.period]}",
                    "invited": pair in invited,
                    "checked": reachable and (pair in ticked if ticked is not None else said),
                }
            )
        rows.append(
            {
                "id": one.doctor_id,
                "name": coming.name,
                "role": coming.role.value,
                "preference": one.preference.value if one.preference else None,
                "reachable": reachable,
                "boxes": boxes,
            }
        )
    return rows


def last_day(today: dt.date) -> dt.date:
    """The last date that can be chosen on the page: whole weeks."""
    return monday_of(today) + dt.timedelta(weeks=WEEKS_AHEAD, days=-1)


def weeks(entries: Iterable[Entry], chosen: Collection[int]) -> list[dict[str, Any]]:
    """The weeks with days to fill, each with its days to tick."""
    found: dict[dt.date, list[dict[str, Any]]] = {}
    for entry in entries:
        if not entry.uncovered:
            continue
        found.setdefault(monday_of(entry.date), []).append(
            {
                "id": entry.need_id,
                "label": short_date(entry.date),
                "place": f"{entry.room} · {PERIOD_NAMES[entry.period]}",
                "checked": entry.need_id in chosen,
            }
        )
    return [
        {"title": f"{week_name(monday)}, {week_dates(monday)}", "days": days}
        for monday, days in found.items()
    ]


def _asked(row: CalendarInvitation) -> str:
    return _("Invited by %(who)s, %(when)s", who=row.inviter.name, when=_moment(row.invited_at))


def _invitation(
    row: CalendarInvitation, holder: Assignment | None, may_send: bool
) -> dict[str, Any]:
    word, tone, icon = ENDINGS[row.ending] if row.ending else ANSWERS[row.answer]
    if row.ending is Ending.TAKEN and holder is None:
        word = _("Ended while the day was taken")
    elif row.ending is Ending.TAKEN and holder is not None and holder.doctor_id == row.doctor_id:
        # Through another door, after somebody else had it.
        word, tone, icon = _("Has the day"), "accent", "check"
    held = row.assignment is not None and row.assignment.state is AssignmentState.HELD
    if held and row.answer is Answer.ACCEPTED:
        word, tone, icon = _("Comes, once a titular doctor confirms"), "amber", "clock"
    until = row.assignment.held_until if held and row.assignment else None
    return {
        "id": row.id,
        "name": row.doctor.name,
        "word": word,
        "tone": tone,
        "icon": icon,
        "until": _moment(until),
        "answered": _moment(row.answered_at),
        "may_withdraw": may_send
        and row.ended_at is None
        and not (row.answer is Answer.ACCEPTED and row.assignment_id is not None),
    }


def _moment(instant: dt.datetime | None) -> str | None:
    """« lun. 23 nov., 10:00 », in the house's time zone."""
    return None if instant is None else written_moment(instant, "EEE d MMM, HH:mm")
