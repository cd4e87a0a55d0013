"""Opening, changing, renewing and shutting feeds."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from scheduler.calendars import rules
from scheduler.calendars.models import Feed, FeedEvent, FeedKind, Part, Reminder
from scheduler.core import audit
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import InvalidInput, NotFound
from scheduler.core.permissions import Action, Actor, Subject, can, require
from scheduler.people.models import User

FEED_PATH: Final = "/feeds/{token}.ics"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the owner of a feed chooses: its name, what is in it (None: all that can be), when to
    be reminded, and whether its days have hours."""

    name: str = ""
    parts: Collection[Part] | None = None
    reminder: Reminder = Reminder.NONE
    all_day: bool = False


def may_have(actor: Actor, kind: FeedKind, practice_id: int | None) -> bool:
    """Whether the actor may have a feed of a kind, of a practice or of none in particular."""
    return can(actor, *_asked(kind, actor.user_id, practice_id))


def open_feed(
    session: UnitOfWork,
    actor: Actor,
    kind: FeedKind,
    practice_id: int | None = None,
    choice: Choice | None = None,
    *,
    secret: str,
) -> Feed:
    """A new feed of the actor's.

    Raises `InvalidInput` for a practice where there should be none or none where there should be
    one, for a feed with nothing in it, and for one more than `rules.MOST_FEEDS`.
    """
    if (kind is FeedKind.ROSTER and practice_id is None) or (
        kind is FeedKind.PERSONAL and practice_id is not None
    ):
        raise InvalidInput(field="practice")
    user = _owner(session, actor, kind, practice_id)
    lock_rows(session, user)
    working = sa.select(sa.func.count()).where(Feed.user_id == user.id, Feed.revoked_at.is_(None))
    if session.scalars(working).one() >= rules.MOST_FEEDS:
        raise InvalidInput("feed_too_many", most=rules.MOST_FEEDS)
    feed = Feed(kind=kind, user_id=user.id, practice_id=practice_id)
    _choose(feed, choice or Choice())
    _give_token(session, feed, secret)
    session.add(feed)
    session.flush()
    _record(session, actor, "feed.opened", feed)
    return feed


def change_feed(session: UnitOfWork, actor: Actor, feed_id: int, choice: Choice) -> Feed:
    """Give a feed another name and other things to show; its address stays."""
    feed = own_feed(session, actor, feed_id)
    _owner(session, actor, feed.kind, feed.practice_id)
    _choose(feed, choice)
    session.flush()
    _record(session, actor, "feed.changed", feed)
    return feed


def renew_feed(session: UnitOfWork, actor: Actor, feed_id: int, *, secret: str) -> Feed:
    """Give a feed a new address; the old one answers as if it had never been."""
    feed = own_feed(session, actor, feed_id)
    _owner(session, actor, feed.kind, feed.practice_id)
    _give_token(session, feed, secret)
    feed.last_fetched_at = feed.last_fetched_by = None
    session.flush()
    _record(session, actor, "feed.renewed", feed)
    return feed


def revoke_feed(session: UnitOfWork, actor: Actor, feed_id: int) -> None:
    """Shut a feed. Its address never works again, and what it told is forgotten."""
    feed = own_feed(session, actor, feed_id)
    feed.revoked_at = session.now()
    feed.written = feed.written_etag = None
    session.execute(sa.delete(FeedEvent).where(FeedEvent.feed_id == feed.id))
    session.flush()
    _record(session, actor, "feed.revoked", feed)


def own_feed(session: UnitOfWork, actor: Actor, feed_id: int) -> Feed:
    """A feed of the actor's that works, held until the transaction ends."""
    feed = session.get(Feed, feed_id, with_for_update=True)
    if feed is None or feed.user_id != actor.user_id or feed.revoked_at is not None:
        raise NotFound("feed_not_found")
    return feed


def feed_address(feed: Feed, *, secret: str, base_url: str) -> str | None:
    """The https address of a feed; None where the secret key has changed since it was made."""
    token = rules.token_of(secret, feed.user_id, feed.salt)
    if not hmac.compare_digest(rules.hash_of(token), feed.token_hash):
        return None
    return base_url + FEED_PATH.format(token=token)


def _asked(kind: FeedKind, user_id: int | None, practice_id: int | None) -> tuple[Action, Subject]:
    if kind is FeedKind.PERSONAL:
        return Action.PERSONAL_FEED, Subject(None, user_id)
    if kind is FeedKind.OPEN:
        return Action.NEED_CLAIM, Subject(practice_id, user_id)
    return Action.ROSTER_FEED, Subject(practice_id)


def _owner(session: UnitOfWork, actor: Actor, kind: FeedKind, practice_id: int | None) -> User:
    """The actor as a user, who may have such a feed."""
    require(actor, *_asked(kind, actor.user_id, practice_id))
    user = None if actor.user_id is None else session.get(User, actor.user_id)
    if user is None:
        raise NotFound("feed_not_found")
    return user


def _choose(feed: Feed, choice: Choice) -> None:
    can_have = rules.PARTS_OF_KIND[feed.kind]
    parts = [part for part in can_have if choice.parts is None or part in choice.parts]
    if not parts:
        raise InvalidInput("feed_empty", field="parts")
    feed.name = rules.clean_name(choice.name)
    feed.parts = [part.value for part in parts]
    feed.reminder, feed.all_day = choice.reminder, choice.all_day


def _give_token(session: UnitOfWork, feed: Feed, secret: str) -> None:
    feed.salt = rules.new_salt()
    feed.token_hash = rules.hash_of(rules.token_of(secret, feed.user_id, feed.salt))
    feed.created_at = session.now()


def _record(session: UnitOfWork, actor: Actor, action: str, feed: Feed) -> None:
    audit.record(
        session,
        actor,
        action,
        "feed",
        feed.id,
        practice_id=feed.practice_id,
        kind=feed.kind.value,
        parts=list(feed.parts),
    )
