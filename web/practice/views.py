"""The page of a practice: what its titulars decide, one form a section."""

from __future__ import annotations

from dataclasses import replace

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from scheduler.core.errors import Conflict, InvalidInput
from scheduler.core.permissions import Action, Subject, require
from scheduler.people import practices, replacements
from scheduler.people.practices import PracticeSettings
from web.database import session
from web.door import public_address
from web.identity import actor, practice, practice_blueprint
from web.localisation import short_date
from web.practice.forms import (
    CallsForm,
    ClaimsForm,
    DerogationForm,
    DerogationRuleForm,
    LimitsForm,
    PublicForm,
    SettingsForm,
    TrustedForm,
)
from web.practice.page import Page

blueprint = practice_blueprint("practice", __name__)


@blueprint.get("/practice/")
def show() -> ResponseReturnValue:
    """Everything that titulars decide for their practice."""
    return _shown(_page())


@blueprint.post("/practice/claims")
def change_claims() -> ResponseReturnValue:
    """How claims are accepted."""
    return _change("claims", ClaimsForm(prefix="claims-"))


@blueprint.post("/practice/limits")
def change_limits() -> ResponseReturnValue:
    """The lock date, the weekly minimum and the local limits."""
    return _change("limits", LimitsForm(prefix="limits-"))


@blueprint.post("/practice/calls")
def change_calls() -> ResponseReturnValue:
    """When a call for volunteers is prepared, and how fast its waves follow."""
    return _change("calls", CallsForm(prefix="calls-"))


@blueprint.post("/practice/derogation-rule")
def change_rule() -> ResponseReturnValue:
    """Whether a day needs a derogation of the replaced doctor."""
    return _change("derogations", DerogationRuleForm(prefix="rule-"), name="rule")


@blueprint.post("/practice/public")
def change_public() -> ResponseReturnValue:
    """Open or close the page that patients read, and choose its address."""
    return _change("public", PublicForm(prefix="public-"))


@blueprint.post("/practice/trusted")
def choose_trusted() -> ResponseReturnValue:
    """The doctors whose claims wait for nobody."""
    page = _page()
    form = TrustedForm(prefix="trusted-")
    form.offer(page.trustable)
    if not form.validate():
        return _refused(page, "trusted", form)
    practices.choose_trusted(session(), actor(), practice(), form.trusted.data)
    return _saved("trusted")


@blueprint.post("/practice/replaced")
def choose_replaced() -> ResponseReturnValue:
    """The replaced doctor of each month."""
    page = _page()
    form = page.replaced_form()
    if not form.validate():
        return _refused(page, "replaced", form)
    try:
        replacements.choose_replaced(session(), actor(), practice(), form.chosen())
    except InvalidInput as error:
        form.refuse(error)
        return _refused(page, "replaced", form)
    return _saved("replaced")


@blueprint.post("/practice/derogations")
def add_derogation() -> ResponseReturnValue:
    """Note a derogation."""
    page = _page()
    form = DerogationForm(prefix="derogation-")
    form.offer(page.titulars)
    if not form.validate():
        return _refused(page, "derogation", form)
    try:
        replacements.add_derogation(
            session(),
            actor(),
            practice(),
            form.doctor.data,
            form.since.data,
            form.until.data,
            form.reference.data or "",
        )
    except InvalidInput as error:
        form.refuse(error)
        return _refused(page, "derogation", form)
    return _saved("derogations", _("The derogation is noted."))


@blueprint.post("/practice/derogations/<int:derogation_id>/remove")
def remove_derogation(derogation_id: int) -> ResponseReturnValue:
    """Remove a derogation that was noted by mistake or taken back."""
    gone = replacements.remove_derogation(session(), actor(), practice(), derogation_id)
    since = short_date(gone.since)
    words = _("The derogation of %(who)s from %(day)s is gone.", who=gone.doctor.name, day=since)
    return _saved("derogations", words)


@blueprint.post("/practice/supervisors")
def choose_supervisors() -> ResponseReturnValue:
    """Whom each intern reaches."""
    page = _page()
    form = page.supervisors_form()
    if not form.validate():
        return _refused(page, "supervisors", form)
    chosen = {member: titular or None for member, titular in form.chosen().items()}
    practices.choose_supervisors(session(), actor(), practice(), chosen)
    return _saved("supervisors")


@blueprint.post("/practice/professions")
def choose_professions() -> ResponseReturnValue:
    """What members who are no doctors do in the house."""
    page = _page()
    form = page.professions_form()
    form.validate()
    chosen = {member: words or "" for member, words in form.chosen().items()}
    try:
        practices.choose_professions(session(), actor(), practice(), chosen)
    except InvalidInput as error:
        form.refuse(error)
        return _refused(page, "professions", form)
    return _saved("professions")


def _page() -> Page:
    require(actor(), Action.PRACTICE_EDIT, Subject(practice().id))
    return Page.load(session(), practice())


def _change(section: str, form: SettingsForm, name: str | None = None) -> ResponseReturnValue:
    """Give the practice what a form of settings says; `name` is the form's, where not the
    section's."""
    page = _page()
    if not form.validate():
        return _refused(page, name or section, form)
    wanted = replace(PracticeSettings.of(practice()), **form.changes())
    try:
        practices.change_settings(session(), actor(), practice(), wanted)
    except (Conflict, InvalidInput) as error:
        form.refuse(error)
        return _refused(page, name or section, form)
    return _saved(section)


def _saved(section: str, words: str | None = None) -> ResponseReturnValue:
    flash(words or _("Saved."), "success")
    return redirect(url_for(".show", _anchor=section))


def _refused(page: Page, name: str, form: object) -> ResponseReturnValue:
    return _shown(page, **{name: form}), 422


def _shown(page: Page, **submitted: object) -> str:
    return render_template(
        "practice/show.html",
        page=page,
        forms=page.forms() | submitted,
        public_address=public_address(practice()),
    )
