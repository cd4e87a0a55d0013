"""Where on the page somebody is: a month, and the practice that the answers are for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from scheduler.core.errors import NotFound
from scheduler.core.permissions import Action, Membership, Subject, can
from scheduler.people.queries import PracticeRef
from scheduler.roster.rules import month_bounds, parse_month
from web.identity import actor, identity, today


@dataclass(frozen=True)
class Place:
    """A month of one doctor; `only` is the practice that is spoken of, None for all of them."""

    first: dt.date
    doctor_id: int
    practices: tuple[PracticeRef, ...]
    only: PracticeRef | None

    @property
    def last(self) -> dt.date:
        return month_bounds(self.first)[1]

    @property
    def practice_id(self) -> int | None:
        return self.only.id if self.only else None

    def href(self, endpoint: str = "month", first: dt.date | None = None, **values: Any) -> str:
        return url_for(
            f"availabilities.{endpoint}",
            month=f"{first or self.first:%Y-%m}",
            practice=self.only.slug if self.only else None,
            **values,
        )


def memberships() -> tuple[Membership, ...]:
    """The memberships in which the actor works as a doctor."""
    me = actor()
    return tuple(
        each
        for each in me.memberships
        if can(me, Action.AVAILABILITY_EDIT, Subject(each.practice_id, me.user_id))
    )


def place_of(month: str | None) -> Place:
    """The place that an address names; this month where it names none."""
    who = identity()
    if who.actor.user_id is None:
        raise NotFound
    try:
        first = parse_month(month) if month else today().replace(day=1)
    except ValueError:
        raise NotFound from None
    mine = {each.practice_id for each in memberships()}
    practices = tuple(each for each in who.practices if each.id in mine)
    slug = request.args.get("practice")
    only = next((each for each in practices if each.slug == slug), None)
    if slug and only is None:
        raise NotFound("practice_not_found")
    return Place(first, who.actor.user_id, practices, only)
