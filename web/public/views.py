"""Who is there this week, for everybody, at the address that a practice chose.

Nothing here depends on who reads: no session is begun, no token is written, and what is sent may
be kept for some minutes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Final

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from scheduler.calendars.holidays import holiday_calendar
from scheduler.core.clock import local_date
from scheduler.core.errors import NotFound
from scheduler.roster.public_page import public_practice, public_week
from scheduler.roster.rules import monday_of
from scheduler.roster.sheet import SheetDay
from web.database import database, session
from web.door import door
from web.extensions import limiter
from web.identity import public
from web.localisation import current_locale

blueprint = Blueprint("public", __name__)

PER_VISITOR: Final = "60 per minute"
MAX_AGE_SECONDS: Final = 300
WEEK: Final = 7


@blueprint.get("/qui/<address>")
@public
@limiter.limit(PER_VISITOR)
def week(address: str) -> ResponseReturnValue:
    """This week and the next; the same short answer wherever there is no page."""
    try:
        place = public_practice(session(), address)
    except NotFound:
        return Response(render_template("public/none.html"), status=404)
    today = local_date(database().clock.now(), place.timezone)
    found = public_week(session(), address, today)
    first, last = found.days[0].date, found.days[-1].date
    closed = holiday_calendar(session(), place, first, last, current_locale()).closed
    html = render_template(
        "public/week.html",
        place=place,
        sheets=[
            {
                "name": name,
                "monday": monday_of(days[0].date),
                "door": door(place, days, closed, today),
                "over": days[-1].date < today,
            }
            for name, days in _sheets(found.days, today)
        ],
    )
    response = Response(html)
    response.set_etag(hashlib.sha256(html.encode()).hexdigest()[:32])
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.vary.update(("Accept-Language", "Cookie"))
    return response.make_conditional(request)


def _sheets(days: Sequence[SheetDay], today: dt.date) -> list[tuple[str, list[SheetDay]]]:
    """The days in the order in which patients look for them: from today on, the next week, and
    at last what is over of this one."""
    this, following = days[:WEEK], days[WEEK:]
    parts = [
        (_("This week"), [day for day in this if day.date >= today]),
        (_("Next week"), list(following)),
        (_("Earlier this week"), [day for day in this if day.date < today]),
    ]
    return [(name, part) for name, part in parts if part]
