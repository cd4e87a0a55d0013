"""Calendars for other programmes, at addresses that only their owners know."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.http import is_resource_modified

from scheduler.calendars import service
from scheduler.core.errors import NotFound
from web.database import session, settings
from web.identity import public
from web.localisation import iso_week

blueprint = Blueprint("calendars", __name__)


@blueprint.get("/feeds/<token>.ics")
@public
def feed(token: str) -> ResponseReturnValue:
    try:
        fetched = service.fetch(
            session(),
            token,
            all_day=request.args.get("style") == "day",
            client=request.user_agent.string,
            link=_week_address,
        )
    except NotFound:
        # One answer, short and without a cookie, whatever the reason.
        text = _("There is no calendar at this address.") + "\n"
        return Response(text, status=404, mimetype="text/plain")
    response = Response(mimetype="text/calendar")
    response.set_etag(fetched.etag)
    response.last_modified = fetched.changed_at
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Disposition"] = 'inline; filename="relais.ics"'
    if not is_resource_modified(
        request.environ, fetched.etag, last_modified=fetched.changed_at.replace(microsecond=0)
    ):
        response.status_code = 304
        return response
    response.data = service.content(session(), fetched)
    return response


def _week_address(slug: str, day: dt.date) -> str:
    return settings().base_url + url_for("roster.week", slug=slug, week=iso_week(day))
