"""From what waits for a titular to the lines of the page."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from scheduler.roster.models import Assignment, ReleaseRequest
from web.forms import RefusableForm
from web.labels import PERIOD_NAMES
from web.localisation import moment, short_date


def held(day: Assignment, form: RefusableForm) -> dict[str, Any]:
    """A held day, to be confirmed or not."""
    until = moment(day.held_until) if day.held_until else ""
    return {
        **_line(day),
        "kind": "held",
        "id": day.id,
        "who": day.doctor.name,
        "what": _("wants to come. Held until %(until)s.", until=until),
        "reason": None,
        "form": form,
    }


def asked(request: ReleaseRequest, today: dt.date, form: RefusableForm) -> dict[str, Any]:
    """A request to be released from a day."""
    ahead = (request.assignment.date - today).days
    return {
        **_line(request.assignment),
        "kind": "request",
        "id": request.id,
        "who": request.doctor.name,
        "what": ngettext(
            "asks to be released, %(num)d day ahead.",
            "asks to be released, %(num)d days ahead.",
            ahead,
        ),
        "reason": request.reason,
        "form": form,
    }


def _line(day: Assignment) -> dict[str, Any]:
    period = str(PERIOD_NAMES[day.period]).lower()
    return {
        "order": (day.date, day.period.value, day.id),
        "day": short_date(day.date),
        "where": f"{day.need.room.name}, {period}",
        "need_id": day.need_id,
    }
