"""What if: a proposal beside the same period with one thing changed."""

from __future__ import annotations

from collections.abc import Callable

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from scheduler.core.errors import Conflict, InvalidInput
from scheduler.core.permissions import Action, Subject, can, require
from scheduler.jobs import enqueue_scenario
from scheduler.roster import scenario_queries, scenarios
from scheduler.roster.models import Scenario
from scheduler.roster.scenario_queries import Comparison
from web.database import after_commit, database, session
from web.identity import actor, practice, practice_blueprint
from web.scenarios import presenter
from web.scenarios.forms import FORMS, ChangeForm, LimitForm

blueprint = practice_blueprint("scenarios", __name__)


@blueprint.get("/proposals/<int:proposal_id>/scenarios/")
def index(proposal_id: int) -> ResponseReturnValue:
    """The comparison, and the forms of a further scenario."""
    return _page(proposal_id)


@blueprint.get("/proposals/<int:proposal_id>/scenarios/compared")
def compared(proposal_id: int) -> ResponseReturnValue:
    """The part of the page that asks for itself while a scenario is computed."""
    comparison = _comparison(proposal_id)
    if not comparison.at_work:
        response = make_response("", 200)
        response.headers["HX-Redirect"] = url_for(".index", proposal_id=proposal_id)
        return response
    return render_template("scenarios/_compared.html", **_shown(comparison))


@blueprint.post("/proposals/<int:proposal_id>/scenarios/")
def request_one(proposal_id: int) -> ResponseReturnValue:
    """Ask for a scenario: the field `kind` says which of the forms was sent."""
    require(actor(), Action.PROPOSAL_COMPUTE, Subject(practice().id))
    comparison = _comparison(proposal_id)
    kind = request.form.get("kind", "")
    if kind not in FORMS:
        raise InvalidInput(field="kind")
    form = _forms(comparison, request.form, kind)[kind]
    if not form.validate():
        return _page(proposal_id, form, kind), 422
    try:
        scenario = scenarios.request_scenario(session(), actor(), proposal_id, form.change)
    except InvalidInput as error:
        form.refuse(error)
        return _page(proposal_id, form, kind), 422
    except Conflict as error:
        form.refuse(error)
        return _page(proposal_id, form, kind), 409
    _nudge(scenario)
    return redirect(url_for(".index", proposal_id=proposal_id, _anchor="compared"))


@blueprint.post("/scenarios/<int:scenario_id>/cancel")
def cancel(scenario_id: int) -> ResponseReturnValue:
    """Stop computing."""
    return _act(scenarios.cancel, scenario_id)


@blueprint.post("/scenarios/<int:scenario_id>/retry")
def retry(scenario_id: int) -> ResponseReturnValue:
    """Compute a failed or cancelled scenario again."""
    answer = _act(scenarios.retry, scenario_id)
    _nudge(scenario_queries.scenario_of(session(), actor(), practice(), scenario_id))
    return answer


@blueprint.post("/scenarios/<int:scenario_id>/delete")
def delete(scenario_id: int) -> ResponseReturnValue:
    """Delete a scenario; the same can be asked for again."""
    return _act(scenarios.delete, scenario_id)


def _act(use_case: Callable[..., object], scenario_id: int) -> ResponseReturnValue:
    found = scenario_queries.scenario_of(session(), actor(), practice(), scenario_id)
    proposal_id = found.proposal_id
    use_case(session(), actor(), scenario_id)
    return redirect(url_for(".index", proposal_id=proposal_id, _anchor="compared"))


def _nudge(scenario: Scenario) -> None:
    storage, scenario_id = database(), scenario.id
    after_commit(lambda: enqueue_scenario(storage, scenario_id))


def _comparison(proposal_id: int) -> Comparison:
    return scenario_queries.comparison_of(session(), actor(), practice(), proposal_id)


def _forms(
    comparison: Comparison, sent: MultiDict[str, str] | None = None, kind: str | None = None
) -> dict[str, ChangeForm]:
    """The three forms; the one of `kind` with what was sent, the others as they begin."""
    forms = {
        name: make(sent if name == kind else None, prefix=f"{name}-")
        for name, make in FORMS.items()
    }
    limit = forms["limit"]
    if isinstance(limit, LimitForm):
        limit.offer(comparison.capped)
    return forms


def _page(proposal_id: int, refused: ChangeForm | None = None, kind: str | None = None) -> str:
    comparison = _comparison(proposal_id)
    forms = _forms(comparison)
    if refused is not None and kind is not None:
        forms[kind] = refused
    return render_template(
        "scenarios/index.html",
        **_shown(comparison),
        forms=forms,
        capped=bool(comparison.capped),
        full=len(comparison.scenarios) >= scenarios.MOST,
        most=scenarios.MOST,
        period=presenter.period(comparison),
    )


def _shown(comparison: Comparison) -> dict[str, object]:
    return {
        "proposal": comparison.proposal,
        "cards": presenter.cards(comparison),
        "waiting": presenter.waiting(comparison),
        "at_work": comparison.at_work,
        "may_compute": can(actor(), Action.PROPOSAL_COMPUTE, Subject(practice().id)),
    }
