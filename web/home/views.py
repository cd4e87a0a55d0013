"""The way in: the week of the practice last looked at, or the next one, and a sign of life."""

from __future__ import annotations

import datetime as dt

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
    """The next Monday where nothing is left of this week and something is published in the next:
    on a Sunday people look ahead."""
    monday = monday_of(today()) + dt.timedelta(weeks=1)
    first = queries.next_published(session(), practice_id, today() - dt.timedelta(days=1))
    return monday if first is not None and monday_of(first) == monday else None


@blueprint.get("/healthz")
@public
def health() -> ResponseReturnValue:
    session().execute(sa.select(1))
    return {"status": "ok"}
