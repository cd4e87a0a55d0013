"""Questions to doctors: preparing and sending one, reading it, answering it.

A question belongs to a doctor, whichever of the doctor's practices it comes from: the addresses
name no practice.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from scheduler.core.errors import Conflict, InvalidInput, RelaisError, RuleBroken
from scheduler.core.permissions import Action, Subject, require
from scheduler.roster import ask_queries, asks
from scheduler.roster.asks import Question
from scheduler.roster.models import Ask
from scheduler.roster.rules import AskState
from web.asks import presenter
from web.asks.forms import AnswerForm, AskForm
from web.database import session
from web.forms import row_id
from web.identity import actor, today
from web.localisation import iso_week, short_date
from web.messages import message_for
from web.redirects import local_target

blueprint = Blueprint("asks", __name__, url_prefix="/asks")

YES, NO = "yes", "no"


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """The questions that were put to the reader, those to answer first."""
    require(actor(), Action.NEED_CLAIM, Subject(None, actor().user_id))
    found = ask_queries.asks_of(session(), actor())
    return render_template(
        "asks/index.html", listed=[presenter.listed(ask, _state(ask)) for ask in found]
    )


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    """A question to a doctor about a need, ready to be sent: a side panel and a page."""
    form = AskForm(request.args)
    question = _prepare(form)
    form.message.data = presenter.prepared(question, actor().name)
    return _new_page(form, question)


@blueprint.post("/")
def send() -> ResponseReturnValue:
    """Ask."""
    form = AskForm()
    form.validate()
    question = _prepare(form)
    try:
        asks.ask(
            session(),
            actor(),
            question.need.id,
            question.doctor.id,
            message=form.message.data or "",
            proposal_id=row_id(form.proposal_id.data),
        )
    except InvalidInput as error:
        form.refuse(error)
        return _new_page(form, question), 422
    flash(
        _("%(who)s is asked. You will be told of the answer.", who=question.doctor.name), "success"
    )
    return redirect(_back(form, question))


@blueprint.get("/<int:ask_id>")
def show(ask_id: int) -> ResponseReturnValue:
    """One question: to be answered by the doctor, to be followed by who may ask."""
    return _ask_page(ask_id)


@blueprint.post("/<int:ask_id>/answer")
def answer(ask_id: int) -> ResponseReturnValue:
    """Say yes or no; who comes second reads on the question's page who was first."""
    ask = ask_queries.ask_of(session(), actor(), ask_id)
    form = AnswerForm()
    said = request.form.get("answer")
    if not form.validate() or said not in (YES, NO):
        return _ask_page(ask_id, form=form), 422
    says_yes = said == YES
    use_case = asks.accept if says_yes else asks.decline
    try:
        use_case(session(), actor(), ask_id, form.words.data or "")
    except InvalidInput as error:
        form.refuse(error)
        return _ask_page(ask_id, form=form), 422
    except (Conflict, RuleBroken) as error:
        return _ask_page(ask_id, problem=error), 409
    if not says_yes:
        flash(_("Thank you for your answer. %(who)s is told.", who=ask.asker.name), "info")
        return redirect(url_for(".index"))
    day = ask.need.date
    flash(_("%(date)s is yours. Thank you.", date=short_date(day)), "success")
    return redirect(
        url_for("roster.week", slug=ask.practice.slug, week=iso_week(day), _anchor=f"day-{day}")
    )


@blueprint.post("/<int:ask_id>/withdraw")
def withdraw(ask_id: int) -> ResponseReturnValue:
    """Take the question back."""
    ask = asks.withdraw(session(), actor(), ask_id)
    if ask.state is AskState.WITHDRAWN:
        flash(_("The question is taken back. The doctor is told."), "info")
    return redirect(url_for(".show", ask_id=ask_id))


def _prepare(form: AskForm) -> Question:
    # What is no number names nothing that is there.
    return asks.prepare(
        session(),
        actor(),
        row_id(form.need_id.data) or 0,
        row_id(form.doctor_id.data) or 0,
        row_id(form.proposal_id.data),
    )


def _back(form: AskForm, question: Question) -> str:
    need = url_for("roster.need", slug=question.need.practice.slug, need_id=question.need.id)
    return local_target(form.next.data, need)


def _new_page(form: AskForm, question: Question) -> str:
    return render_template(
        "asks/new.html",
        form=form,
        question=question,
        where=presenter.where(question.need),
        limit=presenter.limit(question.code, question.limit_to),
        back=_back(form, question),
    )


def _ask_page(
    ask_id: int, *, form: AnswerForm | None = None, problem: RelaisError | None = None
) -> str:
    ask = ask_queries.ask_of(session(), actor(), ask_id)
    own = ask.doctor_id == actor().user_id
    state = _state(ask)
    holder = ask_queries.holder_name(session(), ask.need_id)
    word, tone = presenter.STATES[state]
    ended = state is not AskState.OPEN
    return render_template(
        "asks/show.html",
        ask=ask,
        own=own,
        problem=message_for(problem) if problem else None,
        state=word,
        tone=tone,
        where=presenter.where(ask.need),
        limit=presenter.limit(ask.code, ask.limit_to),
        asked_at=presenter.asked_at(ask),
        outcome=presenter.outcome(state, ask.doctor, holder, own=own) if ended else None,
        form=form or AnswerForm(formdata=None),
        may_answer=own and not ended,
        may_withdraw=not own and not ended,
    )


def _state(ask: Ask) -> AskState:
    return ask_queries.state_on(ask, ask.need.date, today())
