"""Who has answered: what each doctor of the practice said of a month, and a reminder."""

from __future__ import annotations

import datetime as dt

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from scheduler.core.errors import NotFound
from scheduler.core.permissions import Action, Subject, can, require
from scheduler.roster import availability_reminders
from scheduler.roster.availability_answers import answers_of
from scheduler.roster.rules import add_months, month_bounds, parse_month
from web.answers import presenter
from web.database import session
from web.identity import actor, practice, practice_blueprint, today

blueprint = practice_blueprint("answers", __name__)


@blueprint.get("/answers/")
@blueprint.get("/answers/<month>")
def month(month: str | None = None) -> ResponseReturnValue:
    """What doctors said of a month; of the next one, which is being planned, if none is named."""
    here = Subject(practice().id)
    require(actor(), Action.ANSWERS_VIEW, here)
    now = today()
    first = _month(month) if month else add_months(now.replace(day=1), 1)
    found = answers_of(session(), actor(), practice().id, first, now)
    is_over = month_bounds(first)[1] < now
    return render_template(
        "answers/month.html",
        first=first,
        previous=_href(add_months(first, -1)),
        next=_href(add_months(first, 1)),
        current=_href(now),
        is_current=first == now.replace(day=1),
        rows=presenter.rows(found),
        summary=presenter.summary(found),
        silent=0 if is_over else presenter.silent(found),
        to_remind=0 if is_over else presenter.to_remind(found, session().now()),
        may_remind=can(actor(), Action.NEED_ASK, here),
        remind_href=url_for(".remind", month=f"{first:%Y-%m}"),
    )


@blueprint.post("/answers/<month>/remind")
def remind(month: str) -> ResponseReturnValue:
    """Remind whoever has said nothing of the month yet."""
    require(actor(), Action.NEED_ASK, Subject(practice().id))
    first = _month(month)
    count = availability_reminders.remind(session(), actor(), practice(), first)
    if count:
        flash(
            ngettext("One doctor is reminded.", "%(num)d doctors are reminded.", count), "success"
        )
    else:
        flash(_("Nobody is left to remind for the time being."), "info")
    return redirect(_href(first))


def _month(text: str) -> dt.date:
    try:
        return parse_month(text)
    except ValueError:
        raise NotFound("month_not_found", month=text) from None


def _href(day: dt.date) -> str:
    return url_for(".month", month=f"{day:%Y-%m}")
