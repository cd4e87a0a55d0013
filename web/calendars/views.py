"""« Mes agendas »: subscriptions for other programmes, and the addresses these fetch."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from scheduler.calendars import queries
from scheduler.calendars.feeds import answering, subscribing
from scheduler.calendars.feeds.telling import Links, own_title
from scheduler.calendars.models import Feed, FeedKind
from scheduler.core.errors import InvalidInput, NotFound
from scheduler.people.queries import PracticeRef
from web.calendars import presenter
from web.calendars.answer import answer
from web.calendars.forms import PARTS, SubscriptionForm, values
from web.database import session, settings
from web.identity import actor, identity, public
from web.localisation import iso_week

blueprint = Blueprint("calendars", __name__)


@blueprint.get("/calendars/")
def index() -> ResponseReturnValue:
    """The reader's subscriptions, and what else can be done with calendars."""
    return _page()


@blueprint.get("/calendars/new")
def new() -> ResponseReturnValue:
    """What a subscription to be opened shall show."""
    kind, practice = _wanted()
    form = SubscriptionForm(parts=list(PARTS[kind]))
    form.offer(kind)
    return _form_page(form, presenter.described(kind, practice), None)


@blueprint.post("/calendars/new")
def open_feed() -> ResponseReturnValue:
    """Open a subscription; its addresses stand on the page of all of them."""
    kind, practice = _wanted()
    form = SubscriptionForm()
    form.offer(kind)
    practice_id = practice.id if practice else None
    if form.validate_on_submit():
        try:
            feed = subscribing.open_feed(
                session(), actor(), kind, practice_id, form.choice(), secret=_secret()
            )
        except InvalidInput as error:
            form.refuse(error)
        else:
            flash(_("The subscription is open. Its address is below."), "success")
            return redirect(_place_of(feed))
    return _form_page(form, presenter.described(kind, practice), None), 422


@blueprint.get("/calendars/<int:feed_id>")
def edit(feed_id: int) -> ResponseReturnValue:
    """What a subscription shows, to be changed."""
    feed = subscribing.own_feed(session(), actor(), feed_id)
    form = SubscriptionForm(data=values(feed))
    form.offer(feed.kind)
    return _form_page(form, presenter.described(feed.kind, _practice_of(feed)), feed)


@blueprint.post("/calendars/<int:feed_id>")
def change(feed_id: int) -> ResponseReturnValue:
    """Change what a subscription shows; its address stays."""
    feed = subscribing.own_feed(session(), actor(), feed_id)
    form = SubscriptionForm()
    form.offer(feed.kind)
    if form.validate_on_submit():
        try:
            subscribing.change_feed(session(), actor(), feed_id, form.choice())
        except InvalidInput as error:
            form.refuse(error)
        else:
            flash(_("Changed. Your calendars show it when they next look."), "success")
            return redirect(_place_of(feed))
    return _form_page(form, presenter.described(feed.kind, _practice_of(feed)), feed), 422


@blueprint.post("/calendars/<int:feed_id>/renew")
def renew(feed_id: int) -> ResponseReturnValue:
    feed = subscribing.renew_feed(session(), actor(), feed_id, secret=_secret())
    flash(_("The subscription has a new address. Subscribe again with it."), "success")
    return redirect(_place_of(feed))


@blueprint.post("/calendars/<int:feed_id>/revoke")
def revoke(feed_id: int) -> ResponseReturnValue:
    subscribing.revoke_feed(session(), actor(), feed_id)
    flash(_("The subscription is closed. Its address does not work any more."), "success")
    return redirect(url_for("calendars.index"))


@blueprint.get("/feeds/<token>.ics")
@public
def feed(token: str) -> ResponseReturnValue:
    """The calendar at an address that only its owner knows."""
    try:
        fetched = answering.fetch(
            session(),
            token,
            # Addresses of before subscriptions had a choice say it themselves.
            all_day=request.args.get("style") == "day",
            client=request.user_agent.string,
            links=_links(),
        )
    except NotFound:
        # One answer, short and without a cookie, whatever the reason.
        text = _("There is no calendar at this address.") + "\n"
        return Response(text, status=404, mimetype="text/plain")
    return answer(fetched.etag, fetched.changed_at, lambda: answering.packed(session(), fetched))


def _page() -> str:
    who = identity()
    user_id = who.actor.user_id
    found = [] if user_id is None else queries.feeds_of(session(), user_id)
    return render_template(
        "calendars/index.html",
        kinds=presenter.kinds(who.actor, who.practices),
        subscriptions=[
            presenter.subscription(feed, secret=_secret(), base_url=settings().base_url)
            for feed in found
        ],
        doors=presenter.doors(who.actor),
    )


def _form_page(form: SubscriptionForm, kind: presenter.Kind, feed: Feed | None) -> str:
    return render_template(
        "calendars/subscription.html",
        form=form,
        kind=kind,
        feed=feed,
        title=(feed.name if feed else None) or kind.title,
        own_title=own_title(
            kind.kind, kind.practice.name if kind.practice else None, identity().locale
        ),
    )


def _wanted() -> tuple[FeedKind, PracticeRef | None]:
    """What the address asks to subscribe to, where the reader may."""
    kind = request.args.get("kind", "")
    if kind not in list(FeedKind):
        abort(404)
    slug = request.args.get("practice")
    place = next((place for place in identity().practices if place.slug == slug), None)
    unfit = {FeedKind.PERSONAL: slug, FeedKind.ROSTER: not slug}.get(FeedKind(kind))
    if unfit or (slug and place is None):
        abort(404)
    if not subscribing.may_have(actor(), FeedKind(kind), place.id if place else None):
        abort(403)
    return FeedKind(kind), place


def _practice_of(feed: Feed) -> PracticeRef | None:
    return next((place for place in identity().practices if place.id == feed.practice_id), None)


def _place_of(feed: Feed) -> str:
    return url_for("calendars.index", _anchor=f"calendar-{feed.id}")


def _links() -> Links:
    base = settings().base_url

    def week(slug: str, day: dt.date) -> str:
        return base + url_for("roster.week", slug=slug, week=iso_week(day))

    def need(slug: str, need_id: int) -> str:
        return base + url_for("roster.need", slug=slug, need_id=need_id)

    def ask(ask_id: int) -> str:
        return base + url_for("asks.show", ask_id=ask_id)

    return Links(week, need, ask)


def _secret() -> str:
    secret = settings().secret_key
    if secret is None:
        abort(500)
    return secret
