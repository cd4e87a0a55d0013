"""Who is asking: the signed-in user, the practice of the page, and the way in for the rest."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import Blueprint, Flask, abort, current_app, g, redirect, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_login import UserMixin, current_user, login_user, logout_user

from scheduler.core.clock import local_date
from scheduler.core.errors import NotSignedIn
from scheduler.core.permissions import Actor
from scheduler.people import queries, service
from scheduler.people.models import Practice
from web.database import database, session
from web.extensions import login_manager

HOUSE_TIMEZONE = "Europe/Paris"

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


@dataclass(frozen=True)
class SignedIn(UserMixin):
    """Flask-Login's view of an identity. Its token ends when the credentials change."""

    identity: queries.Identity

    def get_id(self) -> str:
        return f"{self.identity.actor.user_id}.{self.identity.credentials_epoch}"


def public(view: View) -> View:
    """Mark a view as open to everybody; every other one requires a signed-in user."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def identity() -> queries.Identity:
    """The identity of the request; raises `NotSignedIn` on a public page without one."""
    if not current_user.is_authenticated:
        raise NotSignedIn
    return cast(SignedIn, current_user._get_current_object()).identity


def actor() -> Actor:
    return identity().actor


def practice() -> Practice:
    """The practice of a page whose address names one."""
    return cast(Practice, g.practice)


def today() -> dt.date:
    """The local date in the practice of the page, or in the house's time zone."""
    timezone = g.practice.timezone if "practice" in g else HOUSE_TIMEZONE
    return local_date(database().clock.now(), timezone)


def practice_blueprint(name: str, import_name: str) -> Blueprint:
    """A blueprint whose addresses begin with ``/p/<slug>``: views find it in `practice()`.

    A practice that the actor is no member of is answered as one that does not exist.
    """
    blueprint = Blueprint(name, import_name, url_prefix="/p/<slug>")

    @blueprint.url_value_preprocessor
    def take_slug(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.slug = (values or {}).pop("slug", None)

    @blueprint.before_request
    def load_practice() -> None:
        g.practice = queries.practice_by_slug(session(), actor(), g.slug)
        if cookie.get("practice") != g.slug:
            cookie["practice"] = g.slug

    return blueprint


def enter(user_id: int) -> None:
    """Begin a session for a user whose password was just checked.

    Nothing of the session before stays, so that nobody can have prepared it.
    """
    found = queries.identity(session(), user_id, _today_in_the_house())
    if found is None:
        raise NotSignedIn
    cookie.clear()
    cookie.permanent = True
    cookie["number"] = secrets.token_urlsafe(16)
    login_user(SignedIn(found))


def leave() -> None:
    """End the session, here and for whoever may hold a copy of its cookie."""
    number = cookie.get("number")
    if number is not None:
        service.end_session(session(), number)
    logout_user()
    cookie.clear()


def _today_in_the_house() -> dt.date:
    return local_date(database().clock.now(), HOUSE_TIMEZONE)


def home_practice(who: queries.Identity) -> queries.PracticeRef | None:
    """The practice last looked at, or the first one."""
    wanted = g.get("slug") or cookie.get("practice")
    for reference in who.practices:
        if reference.slug == wanted:
            return reference
    return who.practices[0] if who.practices else None


def init_app(app: Flask) -> None:
    # Templates know the reader from `web.navigation`, which can do without one.
    login_manager.init_app(app, add_context_processor=False)

    @login_manager.user_loader
    def load(token: str) -> SignedIn | None:
        user_id, _, epoch = token.partition(".")
        number = cookie.get("number")
        if not (user_id.isdecimal() and epoch.isdecimal() and number):
            return None
        if queries.has_ended(session(), number):
            return None
        found = queries.identity(session(), int(user_id), _today_in_the_house())
        if found is None or found.credentials_epoch != int(epoch):
            return None
        return SignedIn(found)

    @app.before_request
    def require_signed_in() -> ResponseReturnValue | None:
        if request.endpoint is None:
            return None
        view = current_app.view_functions[request.endpoint]
        if request.endpoint == "static" or getattr(view, "is_public", False):
            return None
        if current_user.is_authenticated:
            return None
        if request.method != "GET" or request.accept_mimetypes.best == "application/json":
            abort(401)
        target = request.full_path if request.query_string else request.path
        return redirect(url_for("auth.sign_in", next=target if target != "/" else None))

    @app.url_defaults
    def fill_slug(endpoint: str, values: dict[str, Any]) -> None:
        if "slug" in values or not app.url_map.is_endpoint_expecting(endpoint, "slug"):
            return
        slug = g.get("slug")
        if slug is None and current_user.is_authenticated:
            home = home_practice(identity())
            slug = home.slug if home else None
        if slug is not None:
            values["slug"] = slug
