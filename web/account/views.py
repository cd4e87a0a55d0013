"""The pages of somebody's own account: who they are, language, password."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from scheduler.core.errors import InvalidInput
from scheduler.core.permissions import Role
from scheduler.people import service as people
from scheduler.people.models import Locale
from web.account.forms import PasswordForm
from web.database import session
from web.extensions import limiter
from web.identity import actor, enter, identity, public
from web.redirects import local_target

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("")
def show() -> ResponseReturnValue:
    return _page(PasswordForm())


@blueprint.post("/password")
@limiter.limit(
    "5 per minute; 20 per hour",
    key_func=lambda: f"user:{actor().user_id}",
    deduct_when=lambda response: response.status_code == 422,
)
def change_password() -> ResponseReturnValue:
    form = PasswordForm()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        user = people.change_password(session(), actor(), form.current.data, form.new.data)
    except InvalidInput as error:
        form.refuse(error)
        return _page(form), 422
    # Every session ended with the old password; this one goes on.
    enter(user.id)
    flash(_("Your password is changed. Other devices have to sign in again."), "success")
    return redirect(url_for("account.show"))


@blueprint.post("/language")
@public
def set_language() -> ResponseReturnValue:
    language = request.form.get("language", "")
    if current_user.is_authenticated:
        people.set_language(session(), actor(), language)
    elif language in list(Locale):
        cookie["locale"] = language
    else:
        raise InvalidInput("language_unknown", field="language")
    return redirect(local_target(request.form.get("next"), url_for("home.home")))


def _page(form: PasswordForm) -> str:
    who = identity()
    return render_template(
        "account/show.html",
        form=form,
        email=who.email,
        places=[
            (place, sorted(who.actor.roles_in(place.id), key=list(Role).index))
            for place in who.practices
        ],
    )
