"""Who could come on one day, and giving it to whoever said yes on the telephone."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from scheduler.core.errors import Conflict, NotFound, RelaisError, RuleBroken
from scheduler.core.permissions import Action, Subject, can, require
from scheduler.roster import ask_queries, candidates, claiming, queries
from scheduler.roster.rules import AskState
from web.candidates import presenter
from web.database import session
from web.forms import row_id
from web.identity import actor, practice, practice_blueprint
from web.labels import PERIOD_NAMES
from web.localisation import iso_week, long_date, short_date
from web.messages import message_for

blueprint = practice_blueprint("candidates", __name__)


@blueprint.get("/needs/<int:need_id>/candidates")
def show(need_id: int) -> ResponseReturnValue:
    """Who could take the day, ranked: the side panel, and a page of its own."""
    return _page(need_id)


@blueprint.post("/needs/<int:need_id>/give")
def give(need_id: int) -> ResponseReturnValue:
    """Give the day to a doctor who agreed to it; who comes second reads who was first."""
    queries.need_detail(session(), practice(), need_id)
    doctor_id = row_id(request.form.get("doctor"))
    if doctor_id is None:
        raise NotFound("doctor_not_found")
    require(actor(), Action.ASSIGNMENT_GIVE, Subject(practice().id))
    try:
        given = claiming.claim(session(), actor(), need_id, doctor_id=doctor_id)
    except (Conflict, RuleBroken) as error:
        return _page(need_id, problem=error), 409
    flash(_("%(date)s is given. The doctor is told.", date=short_date(given.date)), "success")
    return redirect(
        url_for("roster.week", week=iso_week(given.date), _anchor=f"day-{given.date.isoformat()}")
    )


def _page(need_id: int, *, problem: RelaisError | None = None) -> str:
    here = Subject(practice().id)
    require(actor(), Action.CANDIDATES_VIEW, here)
    detail = queries.need_detail(session(), practice(), need_id)
    need, holder = detail.need, detail.holder
    try:
        who = candidates.who_could_come(session(), actor(), practice(), need)
    except (Conflict, RuleBroken) as error:
        who, problem = candidates.WhoCould(0, (), ()), problem or error
    may_ask = can(actor(), Action.NEED_ASK, here) and holder is None
    asks = ask_queries.asks_on(session(), [need.id])[need.id] if may_ask else []
    return render_template(
        "candidates/show.html",
        need=need,
        holder=holder.doctor if holder else None,
        title=long_date(need.date),
        where=f"{need.room.name} · {PERIOD_NAMES[need.period]}",
        problem=message_for(problem) if problem else None,
        gains=presenter.gains(who),
        said=presenter.rows(who.said, who.size, actor().user_id),
        silent=presenter.rows(who.silent, who.size, actor().user_id),
        asked={
            asked.ask.doctor_id: asked.ask.id for asked in asks if asked.ask.state is AskState.OPEN
        },
        may_ask=may_ask,
        may_invite=holder is None and can(actor(), Action.INVITATION_SEND, here),
        may_give=can(actor(), Action.ASSIGNMENT_GIVE, here) and holder is None,
    )
