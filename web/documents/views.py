"""The papers on the door as PDF: the week, and the notice of an absence."""

from __future__ import annotations

import datetime as dt
from typing import Final

from flask import Response
from flask.typing import ResponseReturnValue

from scheduler.calendars.holidays import holiday_calendar
from scheduler.core.errors import NotFound
from scheduler.core.permissions import Action, Subject, require
from scheduler.documents.door import absence_notice, door_sheet, next_with_doctor
from scheduler.people.models import Locale
from scheduler.roster.rules import parse_week
from scheduler.roster.sheet import sheet_between
from web.database import session
from web.door import public_address
from web.identity import actor, practice, practice_blueprint
from web.localisation import parse_date

blueprint = practice_blueprint("documents", __name__)

DAY = dt.timedelta(days=1)
# Patients read the papers on the door, whatever the language of who prints them.
PATIENTS: Final = Locale.FRENCH.value
LOOKED_AHEAD = 28 * DAY


@blueprint.get("/week/<week>/door.pdf")
def door(week: str) -> ResponseReturnValue:
    """The sheet on the door for one week."""
    require(actor(), Action.ROSTER_VIEW, Subject(practice().id))
    try:
        monday = parse_week(week)
    except ValueError:
        raise NotFound("week_not_found", week=week) from None
    sunday = monday + 6 * DAY
    days = sheet_between(session(), practice(), monday, sunday)
    closed = holiday_calendar(session(), practice(), monday, sunday, PATIENTS).closed
    paper = door_sheet(practice(), days, closed, PATIENTS, public_address(practice()))
    return _pdf(paper, f"{practice().slug}-{week}.pdf")


@blueprint.get("/day/<date>/absence.pdf")
def absence(date: str) -> ResponseReturnValue:
    """The notice on the door for one day on which a doctor is missing."""
    require(actor(), Action.ROSTER_VIEW, Subject(practice().id))
    day = parse_date(date)
    first, *after = sheet_between(session(), practice(), day, day + LOOKED_AHEAD)
    paper = absence_notice(
        practice(),
        first,
        next_with_doctor(after),
        PATIENTS,
        public_address(practice()),
    )
    return _pdf(paper, f"{practice().slug}-{date}.pdf")


def _pdf(paper: bytes, name: str) -> Response:
    response = Response(paper, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response
