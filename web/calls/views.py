"""Calls for volunteers: the weeks that lack doctors, and the call that fills them."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from scheduler.core.errors import Conflict, InvalidInput, NotFound, RelaisError
from scheduler.core.permissions import Action, Subject, can, require
from scheduler.notify.reach import channels_of
from scheduler.notify.rules import Group
from scheduler.roster import call_queries, calls
from scheduler.roster.call_rules import LONGEST_MESSAGE
from scheduler.roster.rules import CallState
from web.calls import presenter
from web.calls.forms import NextWaveForm, SendForm
from web.database import session, settings
from web.forms import row_id
from web.identity import actor, practice, practice_blueprint
from web.messages import message_for

blueprint = practice_blueprint("calls", __name__)


@blueprint.get("/calls/")
def index() -> ResponseReturnValue:
    """The weeks that lack doctors, and the calls for them."""
    require(actor(), Action.CALL_VIEW, Subject(practice().id))
    found = call_queries.calls_of(session(), practice().id)
    return render_template(
        "calls/index.html",
        listed=[presenter.listed(detail) for detail in found],
        minimum=practice().weekly_minimum,
        weeks=practice().call_weeks_ahead,
    )


@blueprint.get("/calls/<int:call_id>")
def show(call_id: int) -> ResponseReturnValue:
    """One call: to be sent, to be followed, or how it went."""
    return _page(call_id)


@blueprint.post("/calls/<int:call_id>/send")
def send(call_id: int) -> ResponseReturnValue:
    """Send it to whoever is ticked."""
    _require_here(call_id)
    form = SendForm()
    form.validate()
    ticked = map(row_id, request.form.getlist("doctor"))
    chosen = [doctor_id for doctor_id in ticked if doctor_id is not None]
    try:
        call = calls.send(session(), actor(), call_id, chosen, form.message.data or "")
    except InvalidInput as error:
        form.refuse(error)
        return _page(call_id, form=form, chosen=chosen), 422
    except Conflict as error:
        return _page(call_id, problem=error), 409
    if call.wave == 0:
        flash(_("The call leaves in the morning: it is late."), "info")
    else:
        flash(_("The call is sent. You will be told of each yes."), "success")
    return redirect(url_for(".show", call_id=call_id))


@blueprint.post("/calls/<int:call_id>/next")
def send_next(call_id: int) -> ResponseReturnValue:
    """Send the next wave without waiting."""
    _require_here(call_id)
    form = NextWaveForm()
    if not form.validate():
        raise InvalidInput
    try:
        calls.send_next_wave(session(), actor(), call_id, after=form.after.data)
    except Conflict as error:
        return _page(call_id, problem=error), 409
    return redirect(url_for(".show", call_id=call_id))


@blueprint.post("/calls/<int:call_id>/stop")
def stop(call_id: int) -> ResponseReturnValue:
    """End it: nobody else is asked."""
    _require_here(call_id)
    calls.stop(session(), actor(), call_id)
    flash(_("The call is stopped. Whoever has not answered is told."), "info")
    return redirect(url_for(".show", call_id=call_id))


@blueprint.post("/calls/<int:call_id>/dismiss")
def dismiss(call_id: int) -> ResponseReturnValue:
    """Not now; its page offers to take that back."""
    _require_here(call_id)
    calls.dismiss(session(), actor(), call_id)
    return redirect(url_for(".show", call_id=call_id))


@blueprint.post("/calls/<int:call_id>/restore")
def restore(call_id: int) -> ResponseReturnValue:
    """Prepare it again."""
    _require_here(call_id)
    calls.restore(session(), actor(), call_id)
    return redirect(url_for(".show", call_id=call_id))


def _require_here(call_id: int) -> None:
    """A call is reached by its own practice's address only."""
    require(actor(), Action.CALL_SEND, Subject(practice().id))
    if not call_queries.belongs(session(), practice().id, call_id):
        raise NotFound("call_not_found")


def _page(
    call_id: int,
    *,
    form: SendForm | None = None,
    chosen: list[int] | None = None,
    problem: RelaisError | None = None,
) -> str:
    here = Subject(practice().id)
    require(actor(), Action.CALL_VIEW, here)
    detail = call_queries.call_detail(session(), practice().id, call_id)
    doctors = [row.doctor_id for row in detail.invitations]
    channels = channels_of(
        session(), settings(), doctors, Group.QUESTIONS, urgent=detail.call.urgent
    )
    may_send = can(actor(), Action.CALL_SEND, here)
    return render_template(
        "calls/show.html",
        call=presenter.shown(detail, channels, chosen),
        form=form or SendForm(formdata=None),
        most=LONGEST_MESSAGE,
        problem=message_for(problem) if problem else None,
        may_decide=may_send and detail.call.state is CallState.PREPARED,
        may_steer=may_send and detail.call.state is CallState.SENT,
        may_restore=may_send and detail.call.state is CallState.DISMISSED,
    )
