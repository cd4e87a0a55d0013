"""What every page shows around its content: who is signed in, where they are, where they can go."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app, g, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from scheduler.core.permissions import Action, Subject, can
from scheduler.roster.ask_queries import OpenAsk, open_asks_of
from scheduler.roster.decision_queries import waiting_count
from scheduler.roster.swap_queries import OpenOffer, offers_to
from web.database import session
from web.identity import home_practice, identity, today


@dataclass(frozen=True, slots=True)
class Destination:
    """An entry of the navigation; `primary` ones stand in the phone's bottom bar."""

    label: str
    href: str
    icon: str
    current: bool
    primary: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """The signed-in user as the layout shows them."""

    id: int | None
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Place:
    """A practice in the switcher; `href` is its week."""

    name: str
    slug: str
    href: str


def destinations() -> list[Destination]:
    """The pages that the actor's roles give access to, in the order of daily use."""
    who = identity()
    home = home_practice(who)
    found: list[Destination] = []

    def add(endpoint: str, label: str, icon: str, *, primary: bool = False) -> None:
        area = endpoint.partition(".")[0]
        current = request.endpoint == endpoint or (request.blueprint == area and area != "roster")
        found.append(Destination(label, url_for(endpoint), icon, current, primary))

    if home is not None:
        subject = Subject(home.id, who.actor.user_id)
        g.setdefault("slug", home.slug)
        add("roster.week", _("Week"), "week", primary=True)
        may_claim = can(who.actor, Action.NEED_CLAIM, Subject(None, who.actor.user_id))
        if may_claim:
            add("board.index", _("To take"), "need", primary=True)
        # Four pages have room under the thumb.
        add("roster.month", _("Month"), "month", primary=not may_claim)
        if can(who.actor, Action.AVAILABILITY_EDIT, subject):
            add("availabilities.month", _("Availabilities"), "hand", primary=True)
        if may_claim:
            add("asks.index", _("Questions"), "inbox")
            add("invitations.index", _("Calls to you"), "mail")
        if can(who.actor, Action.SWAP_OFFER, subject):
            add("swaps.index", _("Offers"), "swap")
        if can(who.actor, Action.RELEASE_DECIDE, subject):
            add("decisions.index", _("To decide"), "check")
        if can(who.actor, Action.ANSWERS_VIEW, Subject(home.id)):
            add("answers.month", _("Answers"), "check-double")
        if can(who.actor, Action.NEED_PUBLISH, Subject(home.id)):
            add("needs.publish", _("Days to fill"), "plus")
        if can(who.actor, Action.CALL_VIEW, Subject(home.id)):
            add("calls.index", _("Calls"), "bell")
        if can(who.actor, Action.INVITATION_VIEW, Subject(home.id)):
            add("calendar_invitations.index", _("Invitations"), "mail")
        if can(who.actor, Action.PROPOSAL_VIEW, Subject(home.id)):
            add("proposals.index", _("Proposals"), "spark")
        if can(who.actor, Action.STATISTICS_VIEW, Subject(home.id)):
            add("statistics.show", _("Statistics"), "chart")
        if can(who.actor, Action.PRACTICE_EDIT, Subject(home.id)):
            add("practice.show", _("Practice"), "settings")
        if can(who.actor, Action.PRESENCE_EDIT, subject):
            add("presences.index", _("Presences"), "users")
    add("calendars.index", _("My calendars"), "calendar")
    add("account.show", _("My account"), "user", primary=True)
    return found


def open_questions() -> list[OpenAsk]:
    """The questions that wait for the reader's answer, to be told on every page but their own."""
    if g.get("without_reader") or not current_user.is_authenticated or request.blueprint == "asks":
        return []
    who = identity().actor
    if who.user_id is None or not can(who, Action.NEED_CLAIM, Subject(None, who.user_id)):
        return []
    return open_asks_of(session(), who.user_id, today())


def open_offers() -> list[OpenOffer]:
    """The days that colleagues offer to the reader by name, on every page but their own."""
    if g.get("without_reader") or not current_user.is_authenticated or request.blueprint == "swaps":
        return []
    who = identity().actor
    if who.user_id is None or not can(who, Action.NEED_CLAIM, Subject(None, who.user_id)):
        return []
    return offers_to(session(), who.user_id, today())


def open_decisions() -> int:
    """How much waits for the reader's decision as a titular, on every page but that one."""
    signed_in = not g.get("without_reader") and current_user.is_authenticated
    if not signed_in or request.blueprint == "decisions":
        return 0
    home = home_practice(identity())
    if home is None or not can(identity().actor, Action.RELEASE_DECIDE, Subject(home.id)):
        return 0
    return waiting_count(session(), home.id, today())


def init_app(app: Flask) -> None:
    @app.context_processor
    def surroundings() -> dict[str, object]:
        context: dict[str, object] = {
            "htmx_available": current_app.config["HTMX_AVAILABLE"],
            "actor": None,
            "practice": None,
            "practices": [],
            "nav": [],
            "open_questions": open_questions,
            "open_offers": open_offers,
            "open_decisions": open_decisions,
        }
        if not g.get("without_reader") and current_user.is_authenticated:
            who = identity()
            context |= {
                "actor": Reader(who.actor.user_id, who.actor.name, who.email),
                "practice": home_practice(who),
                "practices": [
                    Place(place.name, place.slug, url_for("roster.week", slug=place.slug))
                    for place in who.practices
                ],
                "nav": destinations(),
            }
        return context
