"""Signing in and out."""

from __future__ import annotations

import hashlib
from typing import Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_limiter.util import get_remote_address
from flask_login import current_user

from scheduler.core.errors import NotSignedIn
from scheduler.people import rules, service
from web.auth.forms import SignInForm
from web.database import session
from web.extensions import limiter
from web.identity import enter, leave, public
from web.redirects import local_target

blueprint = Blueprint("auth", __name__)

WRONG: Final = 401
PER_ADDRESS: Final = "10 per minute; 50 per hour"
PER_EMAIL: Final = "5 per minute; 20 per hour"


def _email_key() -> str:
    """One key per user however the e-mail is typed; hashed, since limits are logged and stored."""
    address = rules.typed_email(request.form.get("email", "")) or ""
    return "email:" + hashlib.sha256(address.encode()).hexdigest()


def _failed(response: Response) -> bool:
    return response.status_code == WRONG


@blueprint.route("/sign-in", methods=["GET", "POST"])
@limiter.limit(PER_ADDRESS, key_func=get_remote_address, methods=["POST"], deduct_when=_failed)
@limiter.limit(PER_EMAIL, key_func=_email_key, methods=["POST"], deduct_when=_failed)
@public
def sign_in() -> ResponseReturnValue:
    form = SignInForm()
    if request.method == "GET":
        form.next.data = request.args.get("next", "")
        if current_user.is_authenticated:
            return redirect(local_target(form.next.data, url_for("home.home")))
        return render_template("auth/sign_in.html", form=form)
    if not form.validate_on_submit():
        return render_template("auth/sign_in.html", form=form), 422
    try:
        user = service.sign_in(session(), form.email.data, form.password.data)
    except NotSignedIn as error:
        form.refuse(error)
        return render_template("auth/sign_in.html", form=form), WRONG
    enter(user.id)
    return redirect(local_target(form.next.data, url_for("home.home")))


@blueprint.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    leave()
    flash(_("You are signed out."), "success")
    return redirect(url_for("auth.sign_in"))
