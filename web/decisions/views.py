"""The titular's desk: held days to confirm, and requests to be released."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from scheduler.core.errors import Conflict, InvalidInput, RelaisError
from scheduler.core.permissions import Action, Subject, require
from scheduler.people import replacements
from scheduler.roster import decision_queries, holding, queries, releasing
from web.database import session
from web.decisions import presenter
from web.decisions.forms import AnswerForm, RefusalForm
from web.forms import RefusableForm
from web.identity import actor, practice, practice_blueprint, today
from web.localisation import month_name, short_date
from web.messages import message_for

blueprint = practice_blueprint("decisions", __name__)


@blueprint.get("/decisions/")
def index() -> ResponseReturnValue:
    """All that waits for a titular, the most urgent first."""
    return _page()


@blueprint.post("/assignments/<int:assignment_id>/confirm")
def confirm(assignment_id: int) -> ResponseReturnValue:
    """Confirm a held day."""
    need_id = queries.need_of_assignment(session(), practice().id, assignment_id)
    try:
        day = holding.confirm(session(), actor(), assignment_id)
    except Conflict as error:
        return _page(problem=error), 409
    flash(_("%(date)s is confirmed. The doctor is told.", date=short_date(day.date)), "success")
    if request.form.get("back") == "day":
        return redirect(url_for("roster.need", need_id=need_id))
    return redirect(url_for(".index"))


@blueprint.post("/assignments/<int:assignment_id>/refuse")
def refuse(assignment_id: int) -> ResponseReturnValue:
    """Do not confirm a held day, and say why: it is to fill again."""
    queries.need_of_assignment(session(), practice().id, assignment_id)
    form = RefusalForm(prefix=f"d{assignment_id}-")
    form.validate()
    try:
        day = holding.refuse(session(), actor(), assignment_id, form.reason.data or "")
    except InvalidInput as error:
        form.refuse(error)
        return _page({("day", assignment_id): form}), 422
    except Conflict as error:
        return _page(problem=error), 409
    flash(_("%(date)s is to fill again. The doctor is told.", date=short_date(day.date)), "info")
    return redirect(url_for(".index"))


@blueprint.post("/requests/<int:request_id>/grant")
def grant(request_id: int) -> ResponseReturnValue:
    """Release the doctor."""
    decision_queries.request_in(session(), practice().id, request_id)
    try:
        day = releasing.grant(session(), actor(), request_id)
    except Conflict as error:
        return _page(problem=error), 409
    flash(_("%(date)s is to fill again. The doctor is told.", date=short_date(day.date)), "success")
    return redirect(url_for(".index"))


@blueprint.post("/requests/<int:request_id>/refuse")
def refuse_request(request_id: int) -> ResponseReturnValue:
    """Leave the day with the doctor, with a word or without."""
    decision_queries.request_in(session(), practice().id, request_id)
    form = AnswerForm(prefix=f"r{request_id}-")
    form.validate()
    try:
        releasing.refuse_request(session(), actor(), request_id, form.note.data or "")
    except InvalidInput as error:
        form.refuse(error)
        return _page({("request", request_id): form}), 422
    except Conflict as error:
        return _page(problem=error), 409
    flash(_("The day stays with the doctor, who is told."), "info")
    return redirect(url_for(".index"))


def _page(
    forms: dict[tuple[str, int], RefusableForm] | None = None,
    problem: RelaisError | None = None,
) -> str:
    here = Subject(practice().id)
    require(actor(), Action.ASSIGNMENT_CONFIRM, here)
    require(actor(), Action.RELEASE_DECIDE, here)
    forms = forms or {}
    held = holding.waiting_for(session(), practice().id)
    asked = [
        row
        for row in releasing.open_requests(session(), practice().id)
        if row.assignment.date >= today()
    ]
    items: list[dict[str, Any]] = [
        *(presenter.held(day, forms.get(("day", day.id)) or _refusal(day.id)) for day in held),
        *(
            presenter.asked(row, today(), forms.get(("request", row.id)) or _answer(row.id))
            for row in asked
        ),
    ]
    return render_template(
        "decisions/index.html",
        items=sorted(items, key=lambda item: item["order"]),
        problem=message_for(problem) if problem else None,
        unnamed=[month_name(month) for month in _unnamed_months()],
    )


def _unnamed_months() -> list[dt.date]:
    """The months with days to fill whose contracts have nobody's name to stand in."""
    published = queries.published_months(session(), practice().id, today())
    months = replacements.months_of(session(), practice(), today())
    return [each.month for each in months if each.unnamed and each.month in published]


def _refusal(number: int) -> RefusalForm:
    return RefusalForm(formdata=None, prefix=f"d{number}-")


def _answer(number: int) -> AnswerForm:
    return AnswerForm(formdata=None, prefix=f"r{number}-")
