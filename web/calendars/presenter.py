"""Subscriptions ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass

import segno
from flask import current_app, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from scheduler.calendars.feeds.subscribing import feed_address, may_have
from scheduler.calendars.feeds.telling import title_of
from scheduler.calendars.models import Feed, FeedKind, Part, Reminder
from scheduler.core.permissions import Action, Actor, Subject, can
from scheduler.people.queries import PracticeRef
from web.calendars.forms import PARTS, REMINDERS


@dataclass(frozen=True, slots=True)
class Kind:
    """Something to subscribe to."""

    kind: FeedKind
    practice: PracticeRef | None
    title: str
    text: str
    icon: str

    @property
    def href(self) -> str:
        slug = self.practice.slug if self.practice else None
        return url_for("calendars.new", kind=self.kind.value, practice=slug)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed of the reader, and the addresses where they may be shown."""

    feed: Feed
    title: str
    facts: tuple[str, ...]
    https: str | None
    webcal: str | None
    code: Markup | None


@dataclass(frozen=True, slots=True)
class Door:
    """Another way of working with calendars, on a page of its own."""

    title: str
    text: str
    act: str
    href: str
    icon: str


def kinds(actor: Actor, practices: tuple[PracticeRef, ...]) -> list[Kind]:
    """What the reader may subscribe to: their own days, what they could take, the rosters."""
    wanted: list[tuple[FeedKind, PracticeRef | None]] = [
        (FeedKind.PERSONAL, None),
        (FeedKind.OPEN, None),
        *((FeedKind.OPEN, practice) for practice in practices if len(practices) > 1),
        *((FeedKind.ROSTER, practice) for practice in practices),
    ]
    return [
        described(kind, practice)
        for kind, practice in wanted
        if may_have(actor, kind, practice.id if practice else None)
    ]


def described(kind: FeedKind, practice: PracticeRef | None) -> Kind:
    """A kind of subscription in words."""
    if kind is FeedKind.PERSONAL:
        text = _("The days that are yours and your days on call, in all your practices.")
        return Kind(kind, practice, _("My days"), text, "calendar")
    if kind is FeedKind.OPEN:
        text = _("The days to fill that you could take, each with the link to take it.")
        title = _("Open days of %(practice)s", practice=practice.name) if practice else ""
        return Kind(kind, practice, title or _("Open days of my practices"), text, "need")
    name = practice.name if practice else ""
    text = _("Who is there on which day, who is on call, and the days still to fill.")
    return Kind(kind, practice, _("Roster of %(practice)s", practice=name), text, "week")


def subscription(feed: Feed, *, secret: str, base_url: str) -> Subscription:
    """A subscription with its addresses, and the code of the one for phones."""
    https = feed_address(feed, secret=secret, base_url=base_url)
    if https is None:
        return Subscription(feed, title_of(feed), _facts(feed), None, None, None)
    webcal = "webcal:" + https.partition(":")[2]
    drawn = segno.make(webcal, error="m").svg_inline(
        scale=4, border=4, dark="#000", light="#fff", svgclass="qr-code", lineclass=None
    )
    # The markup is the library's own drawing of squares.
    code = Markup(drawn)  # noqa: S704
    return Subscription(feed, title_of(feed), _facts(feed), https, webcal, code)


def doors(actor: Actor) -> list[Door]:
    """The pages of the other ways, all of them a doctor's, where this installation has them."""
    if not can(actor, Action.AVAILABILITY_EDIT, Subject(None, actor.user_id)):
        return []
    wanted = (
        (
            "devices.index",
            _("Take and give back days from your calendar"),
            _("Connect a phone or a computer: what you put into its calendar is done here."),
            _("Connect a device"),
            "phone",
        ),
        (
            "imports.index",
            _("Bring your calendar here"),
            _("A file or an address of your own calendar says when you can come, or are busy."),
            _("Bring a calendar"),
            "upload",
        ),
    )
    return [
        Door(title, text, act, url_for(endpoint), icon)
        for endpoint, title, text, act, icon in wanted
        if endpoint in current_app.view_functions
    ]


def _facts(feed: Feed) -> tuple[str, ...]:
    """What was chosen, in a few words each."""
    words = PARTS[feed.kind]
    found = [str(words[Part(part)]) for part in feed.parts]
    found.append(_("All day") if feed.all_day else _("With hours"))
    if feed.reminder is not Reminder.NONE:
        found.append(_("Reminder: %(when)s", when=str(REMINDERS[feed.reminder]).lower()))
    return tuple(found)
