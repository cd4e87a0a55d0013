"""« Mes remplacements »: the doctor's own days. An event put there takes a day, an event moved
exchanges one for another, an event deleted gives one back.

An event stands for one day (or half-day) of one practice. Where several fit, the choice is
always the same: first the one that the event's title or place names (practice, room), then the
longer one, then the one that fewest rules stand against, then what the doctor said of it, then
the practice's own priority.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from scheduler.calendars import rules
from scheduler.calendars.caldav import following
from scheduler.calendars.caldav.members import Fact, Shown, shown
from scheduler.calendars.caldav.visit import Visit
from scheduler.calendars.days import place_of, titled
from scheduler.calendars.models import DavCollection, DavItem
from scheduler.core.errors import Conflict, InvalidInput, RelaisError, RuleBroken
from scheduler.people.models import Practice
from scheduler.roster import assignments, board, claiming, releasing
from scheduler.roster.availability_rules import RANK
from scheduler.roster.board import OpenDay
from scheduler.roster.models import Assignment, Need, ReleaseRequest
from scheduler.roster.releasing import Notice, notice_of
from scheduler.roster.rules import (
    AssignmentSource,
    AssignmentState,
    Half,
    NeedState,
    Period,
    RequestState,
)

_NOT_SAID = len(RANK)
# What SEQUENCE rises by with each round of an event; within one, the versions of its day count.
_ROUND_STEP: Final = 1000


@dataclass(frozen=True, slots=True)
class Wish:
    """What an event that was put says: its one date, the half-days of it that each practice's
    hours make of it, the words in which it may name a place, and the client's count of changes."""

    uid: str
    date: dt.date
    halves: dict[int, frozenset[Half]]
    text: str
    sequence: int = 0

    def covers(self, practice_id: int, halves: tuple[Half, ...]) -> bool:
        return self.halves.get(practice_id, frozenset()).issuperset(halves)


def members(visit: Visit, collection: DavCollection, resets: dict[str, int]) -> list[Shown]:
    """The doctor's days of the window, each under the name its client gave it, if one did."""
    window = rules.window_around(visit.today)
    aliases = _aliases(visit, collection)
    days = visit.unit.scalars(
        _own(visit)
        .where(Assignment.date.between(window.start, window.end))
        .order_by(Assignment.date, Assignment.id)
    ).all()
    asked = set(
        visit.unit.scalars(
            sa.select(ReleaseRequest.assignment_id).where(
                ReleaseRequest.doctor_id == visit.doctor_id,
                ReleaseRequest.state == RequestState.OPEN,
            )
        )
    )
    return [_member(visit, day, aliases.get(day.id), day.id in asked, resets) for day in days]


def _member(
    visit: Visit, day: Assignment, alias: DavItem | None, asked: bool, resets: dict[str, int]
) -> Shown:
    need = day.need
    practice = need.practice
    words = visit.words
    held = day.state is AssignmentState.HELD
    start, end = rules.hours_of(practice, day.date, day.period)
    notes = [words["to_confirm"]] * held + [words["release_asked"]] * asked
    uid = day.uid if alias is None else alias.uid
    href = f"{day.uid}.ics" if alias is None else alias.href
    link = visit.links.need(practice.slug, need.id)
    fact = Fact(
        uid=uid,
        sequence=_sequence(day, alias),
        changed_at=day.updated_at,
        start=start,
        end=end,
        summary=titled(practice.name, day.period, words, all_day=False, note=", ".join(notes)),
        location=place_of(need),
        url=link,
        description=link,
        tentative=held,
    )
    return shown(href, fact, resets.get(href, 0))


def _sequence(day: Assignment, alias: DavItem | None) -> int:
    """How often an event changed, as clients count: another day under its name is a change."""
    rounds = 0 if alias is None else alias.round - 1
    return rounds * _ROUND_STEP + day.version - 1 + day.need.practice.version - 1


def put(visit: Visit, collection: DavCollection, href: str, wish: Wish) -> None:
    """Take the day that an event asks for; for an event that stands for a day already, exchange
    that one, both or neither. What an event says besides its date and hours is left aside.

    Raises `Conflict` where somebody was first, `RuleBroken` where a rule forbids it or no day to
    fill is there.
    """
    day, uid = _at(visit, collection, href)
    if day is not None and _stands(day, wish):
        # The title, an alarm, a few minutes: the calendar shows the truth again.
        _named(visit, collection, href, uid, sent=wish.sequence).assignment_id = day.id
        following.reset(visit.unit, collection, href)
        return
    if day is not None:
        assignments.hold(visit.unit, _practice_ids(visit, day), [visit.doctor_id])
        releasing.release(visit.unit, visit.actor, day.id, visit.words["by_calendar"])
    name = _named(visit, collection, href, wish.uid, given_back=day is not None, sent=wish.sequence)
    chosen = _chosen(visit, wish)
    taken = [
        claiming.claim(
            visit.unit,
            visit.actor,
            each.need_id,
            source=AssignmentSource.CALDAV,
            key=f"{name.uid}\n{name.round}",
        )
        for each in chosen
    ]
    name.assignment_id = taken[0].id
    visit.unit.flush()
    _remark(visit, wish, chosen)


def _remark(visit: Visit, wish: Wish, chosen: list[OpenDay]) -> None:
    """Have the doctor told where a whole day became two halves of it, or one half only."""
    first = chosen[0]
    if len(chosen) > 1:
        visit.remark = RuleBroken("calendar_day_in_halves", date=first.date)
    elif first.period is not Period.DAY and wish.covers(first.practice.id, Period.DAY.halves):
        code = "calendar_morning_only" if first.period is Period.AM else "calendar_afternoon_only"
        visit.remark = RuleBroken(code, date=first.date)


def delete(visit: Visit, collection: DavCollection, href: str) -> RelaisError | None:
    """Give back the day that an event stands for, as late as it is: freely, in an emergency of
    the day itself, or by asking a titular; the day then stands until one agrees, and what is
    returned says so to the client."""
    day, uid = _at(visit, collection, href)
    if day is None:
        return None
    practice = visit.unit.get_one(Practice, day.practice_id)
    reason = visit.words["by_calendar"]
    notice = notice_of(practice, day.date, visit.today)
    if notice is Notice.LATE and day.state is not AssignmentState.HELD:
        try:
            releasing.request_release(visit.unit, visit.actor, day.id, reason)
        except Conflict as error:
            if error.code != "release_requested_already":
                raise
        following.reset(visit.unit, collection, href)
        return RuleBroken("calendar_release_asked", date=day.date)
    releasing.release(visit.unit, visit.actor, day.id, reason)
    _named(visit, collection, href, uid, given_back=True)
    return None


def rename(visit: Visit, collection: DavCollection, href: str, to_href: str) -> None:
    """Give a day another address in the calendar."""
    day, uid = _at(visit, collection, href)
    if day is None:
        return
    name = _named(visit, collection, href, uid)
    name.assignment_id = day.id
    name.href = to_href
    visit.unit.flush()


def _own(visit: Visit) -> sa.Select[Assignment]:
    return (
        sa.select(Assignment)
        .where(
            Assignment.doctor_id == visit.doctor_id,
            Assignment.state != AssignmentState.RELEASED,
        )
        .options(
            joinedload(Assignment.need).joinedload(Need.room),
            joinedload(Assignment.need).joinedload(Need.practice),
        )
    )


def _aliases(visit: Visit, collection: DavCollection) -> dict[int, DavItem]:
    """The names that clients gave to days, by the day's number."""
    items = visit.unit.scalars(
        sa.select(DavItem)
        .join(Assignment, Assignment.id == DavItem.assignment_id)
        .where(DavItem.collection_id == collection.id, Assignment.state != AssignmentState.RELEASED)
        .order_by(DavItem.id)
    )
    return {item.assignment_id: item for item in items if item.assignment_id is not None}


def _stands(day: Assignment, wish: Wish) -> bool:
    """Whether an event still says what the day is."""
    return day.date == wish.date and wish.covers(day.practice_id, day.period.halves)


def _at(visit: Visit, collection: DavCollection, href: str) -> tuple[Assignment | None, str]:
    """The day that stands at an address now, and the UID by which clients know it."""
    alias = visit.unit.scalars(
        sa.select(DavItem).where(DavItem.collection_id == collection.id, DavItem.href == href)
    ).one_or_none()
    if alias is not None and alias.assignment_id is not None:
        day = visit.unit.scalars(
            _own(visit).where(Assignment.id == alias.assignment_id)
        ).one_or_none()
        if day is not None:
            return day, alias.uid
    uid = href.removesuffix(".ics")
    # Under the name of its own only while no client gave it another.
    nameless = ~sa.exists().where(DavItem.assignment_id == Assignment.id)
    day = visit.unit.scalars(_own(visit).where(Assignment.uid == uid, nameless)).one_or_none()
    return day, uid


def _named(
    visit: Visit,
    collection: DavCollection,
    href: str,
    uid: str,
    *,
    given_back: bool = False,
    sent: int = 0,
) -> DavItem:
    """The row of an event's name, made or found; `given_back` begins another round of it, and so
    does a client that has `sent` a higher count of changes than ours."""
    found = list(
        visit.unit.scalars(
            sa.select(DavItem).where(
                DavItem.collection_id == collection.id,
                sa.or_(DavItem.href == href, DavItem.uid == uid),
            )
        )
    )
    name = next((item for item in found if item.uid == uid), None)
    for other in found:
        # An address that was used for another event, which is over.
        if other is not name:
            visit.unit.delete(other)
    visit.unit.flush()
    if name is None:
        name = DavItem(collection_id=collection.id, href=href, uid=uid, round=1)
        visit.unit.add(name)
    name.href = href
    name.round = max(name.round + given_back, 1 + math.ceil(sent / _ROUND_STEP))
    name.updated_at = visit.unit.now()
    visit.unit.flush()
    return name


def _practice_ids(visit: Visit, day: Assignment) -> set[int]:
    """All practices that moving a day may touch, to be locked at once and in order."""
    return board.practice_ids_of(visit.actor) | {day.practice_id}


def _chosen(visit: Visit, wish: Wish) -> list[OpenDay]:
    """The day that an event means, or the two halves of it where they are to be filled apart;
    raises what stands against it where there is none."""
    days = board.board_between(visit.unit, visit.actor, wish.date, wish.date).days
    fitting = [
        day for day in days if day.held is None and wish.covers(day.practice.id, day.period.halves)
    ]
    if fitting:
        first = min(fitting, key=lambda day: _rank(day, wish.text))
        return [first, *_other_half(first, fitting, wish.text)]
    if wish.date < visit.today:
        raise RuleBroken("need_past", date=wish.date)
    if visit.unit.scalar(_own(visit).where(Assignment.date == wish.date).limit(1)) is not None:
        # Whoever has the other days of that date is not why this one cannot be.
        raise Conflict("calendar_day_is_yours", date=wish.date)
    for need in _needs_of(visit, wish):
        holder = assignments.holder_of(visit.unit, need.id)
        if holder is not None:
            raise assignments.taken_error(holder)
    raise RuleBroken("calendar_no_open_day", date=wish.date)


def _other_half(first: OpenDay, fitting: list[OpenDay], text: str) -> list[OpenDay]:
    """The half that makes a whole day of `first` at the same practice, in the same room if it can
    be; none that a rule forbids."""
    others = [
        day
        for day in fitting
        if first.period is not Period.DAY
        and day.practice.id == first.practice.id
        and day.period not in (first.period, Period.DAY)
        and not day.refusals
    ]
    return sorted(others, key=lambda day: (day.room != first.room, *_rank(day, text)))[:1]


def _needs_of(visit: Visit, wish: Wish) -> list[Need]:
    needs = visit.unit.scalars(
        sa.select(Need)
        .where(
            Need.practice_id.in_(board.practice_ids_of(visit.actor)),
            Need.date == wish.date,
            Need.state == NeedState.PUBLISHED,
        )
        .order_by(Need.id)
    )
    return [need for need in needs if wish.covers(need.practice_id, need.period.halves)]


def _rank(day: OpenDay, text: str) -> tuple[int, ...]:
    named = sum(name.casefold() in text for name in (day.practice.name, day.room))
    return (
        -named,
        -len(day.period.halves),
        len(day.refusals),
        _NOT_SAID if day.said is None else RANK[day.said],
        -day.priority,
        day.need_id,
    )


def one_date(dates: set[dt.date]) -> dt.date:
    """The date of an event that stands for one day; raises for one that covers none or several."""
    if not dates:
        raise InvalidInput("calendar_covers_nothing", field="event")
    if len(dates) > 1:
        raise InvalidInput("calendar_several_days", field="event")
    return next(iter(dates))
