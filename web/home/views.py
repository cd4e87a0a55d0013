"""The way in: the week of the practice last looked at, and a sign of life for monitors."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from web.database import session
from web.identity import home_practice, identity, public, today
from web.navigation import open_questions

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    reference = home_practice(identity())
    if reference is None:
        return render_template("home/no_practice.html")
    # On a phone the week is a list of days: it opens at today's, unless a question waits above.
    anchor = None if open_questions() else f"day-{today()}"
    return redirect(url_for("roster.week", slug=reference.slug, _anchor=anchor))


@blueprint.get("/healthz")
@public
def health() -> ResponseReturnValue:
    session().execute(sa.select(1))
    return {"status": "ok"}
