"""Proposals: asking for one, watching it, reviewing it, accepting it or not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from scheduler.core.errors import InvalidInput
from scheduler.core.permissions import Action, Subject, can
from scheduler.jobs import enqueue_proposal
from scheduler.roster import proposal_queries, proposal_review, proposals
from scheduler.roster.models import Proposal
from scheduler.roster.proposals import Acceptance
from web.database import after_commit, database, session
from web.identity import actor, practice, practice_blueprint, today
from web.proposals import presenter, work
from web.proposals.explanation import Reader
from web.proposals.forms import ProposalForm

blueprint = practice_blueprint("proposals", __name__)


@blueprint.get("/proposals/")
def index() -> ResponseReturnValue:
    """The practice's proposals, and the form of a new one."""
    return _index_page(ProposalForm(today()))


@blueprint.post("/proposals/")
def request_one() -> ResponseReturnValue:
    """Ask for a new proposal."""
    form = ProposalForm(today())
    if not form.validate():
        return _index_page(form), 422
    try:
        proposal = proposals.request_proposal(session(), actor(), practice(), *form.dates)
    except InvalidInput as error:
        form.refuse(error)
        return _index_page(form), 422
    _nudge(proposal)
    return redirect(url_for(".show", proposal_id=proposal.id))


@blueprint.get("/proposals/<int:proposal_id>")
def show(proposal_id: int) -> ResponseReturnValue:
    """A proposal: its progress, its review, or what went wrong."""
    proposal = _load(proposal_id)
    if not proposal_queries.is_reviewable(proposal):
        return render_template("proposals/progress.html", **_progress(proposal))
    review = proposal_review.review_of(session(), practice(), proposal)
    reader = Reader(
        user_id=actor().user_id,
        may_decide=_may(Action.PROPOSAL_ACCEPT),
        may_ask=_may(Action.NEED_ASK),
        now=session().now(),
        today=today(),
        proposal_id=proposal.id,
    )
    return render_template(
        "proposals/review.html",
        proposal=proposal,
        review=review,
        may_decide=reader.may_decide,
        may_compute=_may(Action.PROPOSAL_COMPUTE),
        days=presenter.days(review, reader),
        loads=presenter.loads(review),
        parts=presenter.parts(),
        difference=presenter.difference(review.difference),
        facts=presenter.facts(review),
        period=presenter.period(proposal),
        counts=presenter.counts(review),
    )


@blueprint.get("/proposals/<int:proposal_id>/progress")
def progress(proposal_id: int) -> ResponseReturnValue:
    """The part of the page that asks for itself while the proposal is computed."""
    proposal = _load(proposal_id)
    if not presenter.at_work(proposal):
        response = make_response("", 200)
        response.headers["HX-Redirect"] = url_for(".show", proposal_id=proposal.id)
        return response
    return render_template("proposals/_work.html", **_progress(proposal))


@blueprint.post("/proposals/<int:proposal_id>/cancel")
def cancel(proposal_id: int) -> ResponseReturnValue:
    """Stop computing."""
    return _act(proposals.cancel, proposal_id)


@blueprint.post("/proposals/<int:proposal_id>/retry")
def retry(proposal_id: int) -> ResponseReturnValue:
    """Compute a failed or cancelled proposal again."""
    _load(proposal_id)
    try:
        proposal = proposals.retry(session(), actor(), proposal_id)
    except InvalidInput:
        flash(_("These days are over. Choose other dates for a new proposal."), "warning")
        return redirect(url_for(".index"))
    _nudge(proposal)
    return redirect(url_for(".show", proposal_id=proposal_id))


@blueprint.post("/proposals/<int:proposal_id>/discard")
def discard(proposal_id: int) -> ResponseReturnValue:
    """Close the proposal without its remaining days."""
    answer = _act(proposals.discard, proposal_id)
    flash(_("The rest of this proposal is discarded. Nothing else has changed."), "info")
    return answer


@blueprint.post("/proposals/<int:proposal_id>/accept")
def accept(proposal_id: int) -> ResponseReturnValue:
    """Accept the whole proposal, or the days that are ticked."""
    _load(proposal_id)
    chosen: list[int] | None = None
    if "all" not in request.form:
        dates = presenter.dates(request.form.getlist("days"))
        chosen = proposal_queries.open_lines_on(session(), proposal_id, dates)
    if chosen == [] and not request.form.getlist("days"):
        flash(_("Choose at least one day."), "warning")
        return redirect(url_for(".show", proposal_id=proposal_id))
    report = proposals.accept(session(), actor(), proposal_id, chosen)
    _tell(report)
    return redirect(url_for(".show", proposal_id=proposal_id))


def _load(proposal_id: int) -> Proposal:
    return proposal_queries.proposal_of(session(), actor(), practice(), proposal_id)


def _may(action: Action) -> bool:
    return can(actor(), action, Subject(practice().id))


def _act(use_case: Callable[..., Proposal], proposal_id: int) -> Response:
    _load(proposal_id)
    use_case(session(), actor(), proposal_id)
    return redirect(url_for(".show", proposal_id=proposal_id))  # type: ignore[return-value]


def _nudge(proposal: Proposal) -> None:
    storage, proposal_id = database(), proposal.id
    after_commit(lambda: enqueue_proposal(storage, proposal_id))


def _tell(report: Acceptance) -> None:
    if report.accepted:
        flash(
            ngettext(
                "%(num)d day accepted. The doctor is told.",
                "%(num)d days accepted. The doctors are told.",
                len(report.accepted),
            ),
            "success",
        )
    if report.refused:
        flash(
            ngettext(
                "%(num)d day could not be given any more. The reason stands beside it.",
                "%(num)d days could not be given any more. The reasons stand beside them.",
                len(report.refused),
            ),
            "warning",
        )


def _progress(proposal: Proposal) -> dict[str, object]:
    now: dt.datetime = session().now()
    return {
        "proposal": proposal,
        "work": work.work(proposal, now),
        "period": presenter.period(proposal),
        "failure": work.failure(proposal),
        "may_compute": _may(Action.PROPOSAL_COMPUTE),
    }


def _index_page(form: ProposalForm) -> str:
    found = proposal_queries.proposals_of(session(), actor(), practice())
    return render_template(
        "proposals/index.html",
        form=form,
        listed=[presenter.listed(item) for item in found],
        at_work=next((item.proposal for item in found if presenter.at_work(item.proposal)), None),
        may_compute=_may(Action.PROPOSAL_COMPUTE),
    )
