"""The way in: the week of the practice last looked at, or the next one, and a sign of life."""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa
from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from scheduler.roster import queries
from scheduler.roster.rules import monday_of
from web.database import session
from web.identity import home_practice, identity, public, today
from web.localisation import iso_week
from web.navigation import open_questions

blueprint = Blueprint("home", __name__)

DAY: Final = dt.timedelta(days=1)
SATURDAY: Final = 5


@blueprint.get("/")
def home() -> ResponseReturnValue:
    reference = home_practice(identity())
    if reference is None:
        return render_template("home/no_practice.html")
    # On a phone the week is a list of days: it opens at today's, unless a question waits above.
    anchor = None if open_questions() else f"day-{today()}"
    coming = _coming_week(reference.id)
    if coming is not None:
        return redirect(url_for("roster.week", slug=reference.slug, week=iso_week(coming)))
    return redirect(url_for("roster.week", slug=reference.slug, _anchor=anchor))


def _coming_week(practice_id: int) -> dt.date | None:
    """The next Monday once the last open day of this week is over, or the week ends, where
    something is published in the next: people look ahead."""
    now = today()
    this, coming = monday_of(now), monday_of(now) + dt.timedelta(weeks=1)
    first = queries.next_published(session(), practice_id, this - DAY)
    if first is None or (first >= now and now.weekday() < SATURDAY):
        return None
    ahead = queries.next_published(session(), practice_id, now - DAY)
    return coming if ahead is not None and monday_of(ahead) == coming else None


@blueprint.get("/healthz")
@public
def health() -> ResponseReturnValue:
    session().execute(sa.select(1))
    return {"status": "ok"}
