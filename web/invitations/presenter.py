"""From an invitation to what the invited doctor reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _

from scheduler.people.models import Practice
from scheduler.roster.call_queries import Answer, AnswerDay, OpenInvitation
from scheduler.roster.models import Need
from scheduler.roster.rules import CallState
from web.labels import PERIOD_NAMES
from web.localisation import long_date, short_date, week_dates, week_name, written
from web.messages import message_for


def answer(found: Answer, wanted: int | None) -> dict[str, Any]:
    """The page of an invitation; `wanted` is the need that the doctor has just asked for."""
    call, practice = found.call, found.call.practice
    names = _names([day.day.need for day in found.days])
    days = [
        _day(day, practice, names[day.day.need.id], wanted, is_open=found.is_open)
        for day in found.days
    ]
    takeable = [day for day in days if day["take"]]
    return {
        "doctor": found.doctor.given_name,
        "practice": practice.name,
        "period": long_date(found.days[0].day.need.date)
        if len(found.days) == 1
        else _(
            "week %(week)s, %(dates)s", week=week_name(call.monday), dates=week_dates(call.monday)
        ),
        "message": call.message,
        "urgent": call.urgent,
        "days": days,
        "open": found.is_open,
        "over": _over(found),
        "may_decline_all": len(takeable) > 1 and not all(day["declined"] for day in takeable),
        "thanked": any(day["own"] for day in days),
    }


def listed(rows: Sequence[OpenInvitation], links: Sequence[str]) -> list[dict[str, Any]]:
    """The calls that wait for a doctor, each with its own link."""
    return [
        {
            "link": link,
            "days": ", ".join(dict.fromkeys(short_date(day.need.date) for day in row.days)),
            "practice": row.call.practice.name,
            "state": row.invitation.state.value,
        }
        for row, link in zip(rows, links, strict=True)
    ]


def _names(needs: Sequence[Need]) -> dict[int, str]:
    """What tells each day from the others: its date, and where two share it the half-day and
    the room, as far as these differ."""
    names = {}
    for need in needs:
        beside = [other for other in needs if other.date == need.date]
        words = [short_date(need.date)]
        if len({other.period for other in beside}) > 1:
            words.append(str(PERIOD_NAMES[need.period]).lower())
        if len({other.room_id for other in beside}) > 1:
            words.append(need.room.name)
        names[need.id] = ", ".join(words)
    return names


def _day(
    day: AnswerDay, practice: Practice, name: str, wanted: int | None, *, is_open: bool
) -> dict[str, Any]:
    need, holder = day.day.need, day.day.holder
    take = is_open and day.takeable
    return {
        "need_id": need.id,
        "date": written(need.date, "EEEE d MMMM"),
        "short": name,
        "place": f"{need.room.name} · {PERIOD_NAMES[need.period]}",
        "hours": _hours(need, practice),
        "own": day.own,
        "holder": holder.name if holder and not day.own else None,
        "over": day.day.over and not day.own,
        "declined": day.declined,
        "take": take,
        "may_undo": day.may_undo,
        "refusal": None
        if take or not day.day.is_open or not day.refusals
        else message_for(day.refusals[0].as_error()),
        # Limits of one's own: named at once, passed by a second yes.
        "limits": [message_for(refusal.as_error()) for refusal in day.refusals] if take else [],
        "passing": [refusal.code for refusal in day.refusals] if take else [],
        "asked_again": take and need.id == wanted and bool(day.refusals),
    }


def _hours(need: Need, practice: Practice) -> str:
    halves = {
        "am": (practice.am_start, practice.am_end),
        "pm": (practice.pm_start, practice.pm_end),
    }
    spans = [halves[half.value] for half in need.period.halves]
    return ", ".join(f"{begin:%H:%M}–{end:%H:%M}" for begin, end in spans)


def _over(found: Answer) -> str | None:
    """Why there is nothing to answer any more, kindly."""
    if found.is_open:
        return None
    if any(day.own for day in found.days):
        return _("Thank you: this call is over, and you are expected.")
    if all(day.day.holder for day in found.days):
        return _("All days have found their doctor. Thank you for having looked.")
    if found.call.state is CallState.FILLED:
        return _("The week has enough doctors by now. Thank you for having looked.")
    return _("This call is over: you need not answer any more. Thank you for having looked.")
