"""Who is there this week, for everybody, at the address that a practice chose.

Nothing here depends on who reads: no session is begun, no token is written, and what is sent may
be kept for some minutes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Final

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from scheduler.calendars.holidays import holiday_calendar
from scheduler.core.clock import local_date
from scheduler.core.errors import NotFound
from scheduler.roster.public_page import public_practice, public_week
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
        weeks=[
            {"monday": days[0].date, "door": door(place, days, closed, today)}
            for days in (found.days[:WEEK], found.days[WEEK:])
        ],
        until=first + dt.timedelta(days=WEEK - 1),
    )
    response = Response(html)
    response.set_etag(hashlib.sha256(html.encode()).hexdigest()[:32])
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.vary.update(("Accept-Language", "Cookie"))
    return response.make_conditional(request)
