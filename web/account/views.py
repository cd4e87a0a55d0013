"""The pages of somebody's own account: who they are, language, password, calendars."""

from __future__ import annotations

from dataclasses import dataclass

import segno
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup

from scheduler.calendars import queries as feeds
from scheduler.calendars import service as calendars
from scheduler.calendars.models import Feed, FeedKind
from scheduler.core.errors import InvalidInput
from scheduler.core.permissions import Action, Role, Subject, can
from scheduler.people import service as people
from scheduler.people.models import Locale
from scheduler.people.queries import PracticeRef
from web.account.forms import PasswordForm
from web.database import session, settings
from web.extensions import limiter
from web.identity import actor, enter, identity, public
from web.redirects import local_target

blueprint = Blueprint("account", __name__, url_prefix="/account")


@dataclass(frozen=True, slots=True)
class Subscription:
    """A calendar that the reader has, or may have."""

    kind: FeedKind
    practice: PracticeRef | None
    feed: Feed | None
    https: str | None = None
    webcal: str | None = None
    code: Markup | None = None


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


@blueprint.post("/feeds")
def open_feed() -> ResponseReturnValue:
    kind, practice_id = _feed_wanted()
    calendars.open_feed(session(), actor(), kind, practice_id, secret=_secret())
    flash(_("The calendar is open. Its address is below."), "success")
    return redirect(url_for("account.show", _anchor="calendars"))


@blueprint.post("/feeds/<int:feed_id>/renew")
def renew_feed(feed_id: int) -> ResponseReturnValue:
    calendars.renew_feed(session(), actor(), feed_id, secret=_secret())
    flash(_("The calendar has a new address. Subscribe again with it."), "success")
    return redirect(url_for("account.show", _anchor="calendars"))


@blueprint.post("/feeds/<int:feed_id>/revoke")
def revoke_feed(feed_id: int) -> ResponseReturnValue:
    calendars.revoke_feed(session(), actor(), feed_id)
    flash(_("The calendar is closed. Its old address does not work any more."), "success")
    return redirect(url_for("account.show", _anchor="calendars"))


def _page(form: PasswordForm) -> str:
    who = identity()
    all_day = request.args.get("style") == "day"
    return render_template(
        "account/show.html",
        form=form,
        email=who.email,
        places=[
            (place, sorted(who.actor.roles_in(place.id), key=list(Role).index))
            for place in who.practices
        ],
        subscriptions=_subscriptions(all_day=all_day),
        all_day=all_day,
    )


def _feed_wanted() -> tuple[FeedKind, int | None]:
    kind = request.form.get("kind", "")
    if kind not in list(FeedKind):
        abort(400)
    slug = request.form.get("practice")
    if not slug:
        return FeedKind(kind), None
    found = [place.id for place in identity().practices if place.slug == slug]
    if not found:
        abort(404)
    return FeedKind(kind), found[0]


def _subscriptions(*, all_day: bool) -> list[Subscription]:
    """What the reader may subscribe to: their own days, then the roster of each practice."""
    who = identity()
    user_id = who.actor.user_id
    if user_id is None:
        return []
    by_place = {feed.practice_id: feed for feed in feeds.feeds_of(session(), user_id)}
    wanted: list[tuple[FeedKind, PracticeRef | None]] = []
    if can(who.actor, Action.PERSONAL_FEED, Subject(None, user_id)):
        wanted.append((FeedKind.PERSONAL, None))
    wanted += [
        (FeedKind.ROSTER, place)
        for place in who.practices
        if can(who.actor, Action.ROSTER_FEED, Subject(place.id))
    ]
    return [
        _subscription(kind, place, by_place.get(place.id if place else None), all_day=all_day)
        for kind, place in wanted
    ]


def _subscription(
    kind: FeedKind, place: PracticeRef | None, feed: Feed | None, *, all_day: bool
) -> Subscription:
    if feed is None:
        return Subscription(kind, place, None)
    https = calendars.feed_address(feed, secret=_secret(), base_url=settings().base_url)
    if https is None:
        return Subscription(kind, place, feed)
    https += "?style=day" if all_day else ""
    webcal = "webcal:" + https.partition(":")[2]
    code = segno.make(webcal, error="m").svg_inline(
        scale=4, border=4, dark="#000", light="#fff", svgclass="qr-code", lineclass=None
    )
    # The markup is the library's own drawing of squares.
    return Subscription(kind, place, feed, https, webcal, Markup(code))  # noqa: S704


def _secret() -> str:
    secret = settings().secret_key
    if secret is None:
        abort(500)
    return secret
