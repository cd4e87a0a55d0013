"""Answering a call for volunteers, by one's own link or signed in.

The link is the key: whoever opens it reads, and only a button changes anything, since mail
scanners open links. Guessing one is counted.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_limiter.util import get_remote_address

from scheduler.core.errors import Conflict, NotFound, RelaisError, RuleBroken
from scheduler.core.permissions import Action, Subject, require
from scheduler.roster import call_answers, call_queries, call_rules
from web.database import session, settings
from web.extensions import limiter
from web.forms import row_id
from web.identity import actor, public
from web.invitations import presenter
from web.localisation import short_date, speak_to
from web.messages import message_for

blueprint = Blueprint("invitations", __name__, url_prefix="/calls")

UNKNOWN: Final = 404
GUESSES: Final = "20 per minute; 100 per hour"
ANSWERS: Final = "40 per minute; 300 per hour"


def _guessed(response: Response) -> bool:
    return response.status_code == UNKNOWN


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """The calls under way in which the reader was asked."""
    require(actor(), Action.NEED_CLAIM, Subject(None, actor().user_id))
    found = call_queries.open_invitations_of(session(), actor().user_id or 0)
    links = [
        url_for(".answer", token=call_rules.link_token(_key(), row.invitation.uid)) for row in found
    ]
    return render_template("invitations/index.html", listed=presenter.listed(found, links))


@blueprint.get("/answer/<token>")
@limiter.limit(GUESSES, key_func=get_remote_address, deduct_when=_guessed)
@public
def answer(token: str) -> ResponseReturnValue:
    """What is asked, and buttons to answer. Reading it changes nothing."""
    return _page(token)


@blueprint.post("/answer/<token>/take")
@limiter.limit(ANSWERS, key_func=get_remote_address)
@public
def take(token: str) -> ResponseReturnValue:
    """Take one of the days; who comes second reads who was first, and what is left."""
    uid, need_id = _uid(token), _need()
    try:
        taken = call_answers.take(session(), uid, need_id, passing=request.form.getlist("passing"))
    except (Conflict, RuleBroken) as error:
        return _page(token, problem=error, wanted=need_id), 409
    flash(_("%(date)s is yours. Thank you.", date=short_date(taken.date)), "success")
    return redirect(url_for(".answer", token=token))


@blueprint.post("/answer/<token>/decline")
@limiter.limit(ANSWERS, key_func=get_remote_address)
@public
def decline(token: str) -> ResponseReturnValue:
    """Say no to one day, or to the whole week where none is named."""
    uid = _uid(token)
    try:
        call_answers.decline(session(), uid, _need() if "need" in request.form else None)
    except Conflict as error:
        return _page(token, problem=error), 409
    flash(_("Thank you for your answer."), "info")
    return redirect(url_for(".answer", token=token))


@blueprint.post("/answer/<token>/undo")
@limiter.limit(ANSWERS, key_func=get_remote_address)
@public
def undo(token: str) -> ResponseReturnValue:
    """Undo a day just taken."""
    uid = _uid(token)
    try:
        undone = call_answers.undo(session(), uid, _need())
    except (Conflict, RuleBroken) as error:
        return _page(token, problem=error), 409
    flash(
        _("%(date)s is free again, as if nothing had been.", date=short_date(undone.date)), "info"
    )
    return redirect(url_for(".answer", token=token))


def _key() -> str:
    # An application without one does not start.
    return settings().secret_key or ""


def _uid(token: str) -> str:
    """The invitation of a link, whose pages speak the language of the doctor it was sent to."""
    uid = call_rules.uid_of(_key(), token)
    speak_to(call_queries.invitation_of(session(), uid).doctor.locale)
    return uid


def _need() -> int:
    need_id = row_id(request.form.get("need"))
    if need_id is None:
        raise NotFound("need_not_found")
    return need_id


def _page(token: str, *, problem: RelaisError | None = None, wanted: int | None = None) -> str:
    uid = _uid(token)
    doctor = call_answers.doctor_of(session(), uid)
    found = call_queries.answer_of(session(), doctor, uid)
    shown = presenter.answer(found, wanted)
    again = any(day["asked_again"] for day in shown["days"])
    return render_template(
        "invitations/answer.html",
        invitation=shown,
        token=token,
        problem=message_for(problem) if problem and not again else None,
    )
