"""« Mes disponibilités »: what a doctor says of when they can come.

The calendar shows what counts, half-day by half-day. An event that a client put there is kept as
the client wrote it for as long as it is true. Whatever else is said (on the web, by a weekly
repetition, by an imported calendar) stands beside it as events that Relais writes, one a day or
half-day. When something is said elsewhere of a half-day that a client's event covers, the event
no longer tells the truth: it goes, and what still holds of it stands there in its place.
Where several events cover a half-day, the gladdest of them counts.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from scheduler.calendars import rules
from scheduler.calendars.caldav.members import Fact, Shown, shown
from scheduler.calendars.caldav.visit import Visit
from scheduler.calendars.models import DavCollection, DavItem
from scheduler.core.errors import InvalidInput
from scheduler.people.models import Practice
from scheduler.roster import availability_saying as saying
from scheduler.roster.availability_queries import availabilities_between
from scheduler.roster.availability_rules import RANK, HalfDay, expand, last_day_to_plan
from scheduler.roster.board import practice_ids_of
from scheduler.roster.rules import Half, Period, Preference

MOST_ITEMS: Final = 1000
_WRITTEN: Final = re.compile(r"(\d{4}-\d{2}-\d{2})-(am|pm|day)(?:-p(\d{1,9}))?(?:-\d+)?\.ics")
_COMPONENT: Final = re.compile(r"^BEGIN:(VEVENT|VTODO|VJOURNAL)\s*$", re.MULTILINE | re.IGNORECASE)
# When something was said is not known for all of it; a fixed moment keeps the events the same.
_EPOCH: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

Words = Mapping[HalfDay, Preference]


@dataclass(frozen=True, slots=True)
class Piece:
    """An event that Relais writes: what holds on a day, for one practice only or for all."""

    date: dt.date
    period: Period
    preference: Preference
    practice: Practice | None

    def names(self, namespace: uuid.UUID, taken: Collection[str]) -> tuple[str, str]:
        """Its address and UID: always the same ones, unless a client's event has them now."""
        place = "" if self.practice is None else f"-p{self.practice.id}"
        stem = f"{self.date.isoformat()}-{self.period.value}{place}"
        for number in itertools.count(1):
            href = f"{stem}.ics" if number == 1 else f"{stem}-{number}.ics"
            uid = str(uuid.uuid5(namespace, href))
            if href not in taken and uid not in taken:
                return href, uid
        raise AssertionError("numbers end")


def home(visit: Visit) -> Practice:
    """The practice whose opening hours say what half a day is: the doctor's first one."""
    return visit.unit.scalars(
        sa.select(Practice)
        .where(Practice.id.in_(practice_ids_of(visit.actor)))
        .order_by(Practice.id)
        .limit(1)
    ).one()


def members(visit: Visit, collection: DavCollection, resets: dict[str, int]) -> list[Shown]:
    """The client's events that are true, and what holds besides them."""
    said, particular, practices = _said(visit)
    rows = _rows(visit, collection)
    alive = _true(rows, said, visit.today)
    found = [_kept(row, resets) for row in rows if row.id in alive]
    covered = {half_day for row in rows if row.id in alive for half_day in _meant(row)}
    pieces = _pieces(said, covered, None)
    for practice in practices:
        own = {
            half_day: preference
            for half_day, preference in particular[practice.id].items()
            if said.get(half_day) is not preference
        }
        pieces += _pieces(own, set(), practice)
    taken = {name for one in found for name in (one.href, one.uid)}
    place = practices[0] if practices else None
    return found + [_written(visit, collection, piece, place, resets, taken) for piece in pieces]


def put(
    visit: Visit,
    collection: DavCollection,
    href: str,
    uid: str,
    content: str,
    moments: tuple[int, int],
    words: Words,
) -> None:
    """Say what a client's event says, instead of what stood at its address before.

    One that says nothing, at night or in the past, is kept all the same: it may be something of
    the doctor's own that must not be lost.
    """
    coming = {key: value for key, value in words.items() if key[0] >= visit.today}
    saying.begin(visit.unit, visit.actor, visit.doctor_id)
    said, _particular, practices = _said(visit)
    rows = _rows(visit, collection)
    if len(rows) >= MOST_ITEMS:
        raise InvalidInput("calendar_items_many", field="event", most=MOST_ITEMS)
    alive = _true(rows, said, visit.today)
    before = _meant_at(rows, alive, said, href)
    others = _best(row for row in rows if row.id in alive and row.href != href)
    wanted = {
        half_day: _gladder(others.get(half_day), coming.get(half_day))
        for half_day in {*before, *coming}
    }
    _forget_practice(visit, href, practices)
    _store(visit, collection, rows, href, uid, content, moments, words)
    _say(visit, said, wanted)


def delete(visit: Visit, collection: DavCollection, href: str) -> None:
    """Take back what an event says, as far as no other event says it."""
    saying.begin(visit.unit, visit.actor, visit.doctor_id)
    said, _particular, practices = _said(visit)
    rows = _rows(visit, collection)
    alive = _true(rows, said, visit.today)
    before = _meant_at(rows, alive, said, href)
    others = _best(row for row in rows if row.id in alive and row.href != href)
    for row in rows:
        if row.href == href:
            visit.unit.delete(row)
    visit.unit.flush()
    _forget_practice(visit, href, practices)
    _say(visit, said, {half_day: others.get(half_day) for half_day in before})


def rename(visit: Visit, collection: DavCollection, href: str, to_href: str) -> None:
    """Give a client's event another address; what Relais writes keeps its own."""
    row = next((row for row in _rows(visit, collection) if row.href == href), None)
    if row is None:
        raise InvalidInput("calendar_move_unknown", field="event")
    row.href = to_href
    visit.unit.flush()


def _said(visit: Visit) -> tuple[dict[HalfDay, Preference], dict[int, Words], list[Practice]]:
    """What holds in all of the doctor's practices, what holds in each, and the practices."""
    first, last = visit.today.replace(day=1), last_day_to_plan(visit.today)
    said = availabilities_between(visit.unit, [visit.doctor_id], first, last)[visit.doctor_id]
    practices = list(
        visit.unit.scalars(
            sa.select(Practice)
            .where(Practice.id.in_(practice_ids_of(visit.actor)))
            .order_by(Practice.id)
        )
    )
    general = expand(*said, first, last, None)
    each: dict[int, Words] = {
        practice.id: expand(*said, first, last, practice.id) for practice in practices
    }
    return general, each, practices


def _rows(visit: Visit, collection: DavCollection) -> list[DavItem]:
    return list(
        visit.unit.scalars(
            sa.select(DavItem)
            .where(DavItem.collection_id == collection.id, DavItem.content.is_not(None))
            .order_by(DavItem.id)
        )
    )


def _meant(row: DavItem) -> dict[HalfDay, Preference]:
    return {
        (dt.date.fromisoformat(each["date"]), Half(each["half"])): Preference(each["preference"])
        for each in row.said
    }


def _true(rows: Iterable[DavItem], said: Words, today: dt.date) -> set[int]:
    """The numbers of the events that say what holds: on each half-day to come, the gladdest of
    them is what is said."""
    words = {
        row.id: {key: value for key, value in _meant(row).items() if key[0] >= today}
        for row in rows
    }
    while True:
        best = _gladdest(words.values())
        false = {
            number
            for number, own in words.items()
            if any(
                half_day not in said or RANK[preference] < RANK[said[half_day]]
                for half_day, preference in own.items()
            )
        } or {
            number
            for number, own in words.items()
            if any(best[half_day] is not said[half_day] for half_day in own)
        }
        if not false:
            return set(words)
        for number in false:
            del words[number]


def _gladdest(several: Iterable[Words]) -> dict[HalfDay, Preference]:
    best: dict[HalfDay, Preference] = {}
    for words in several:
        for half_day, preference in words.items():
            best[half_day] = _gladder(best.get(half_day), preference) or preference
    return best


def _best(rows: Iterable[DavItem]) -> dict[HalfDay, Preference]:
    return _gladdest(_meant(row) for row in rows)


def _gladder(one: Preference | None, other: Preference | None) -> Preference | None:
    if one is None or other is None:
        return one or other
    return min(one, other, key=RANK.__getitem__)


def _meant_at(
    rows: Sequence[DavItem], alive: Collection[int], said: Words, href: str
) -> set[HalfDay]:
    """The half-days that stood at an address: of a client's event, or of one of Relais's own."""
    for row in rows:
        if row.href == href:
            return set(_meant(row)) if row.id in alive else set()
    piece = _WRITTEN.fullmatch(href)
    if piece is None or piece[3] is not None:
        return set()
    halves = _half_days(piece)
    covered = {half_day for row in rows if row.id in alive for half_day in _meant(row)}
    return {half_day for half_day in halves if half_day in said and half_day not in covered}


def _half_days(piece: re.Match[str]) -> list[HalfDay]:
    try:
        date = dt.date.fromisoformat(piece[1])
    except ValueError:
        return []
    return [(date, half) for half in Period(piece[2]).halves]


def _forget_practice(visit: Visit, href: str, practices: Iterable[Practice]) -> None:
    """Take back what was said for one practice only, where that stood at an address."""
    piece = _WRITTEN.fullmatch(href)
    if piece is None or piece[3] is None:
        return
    half_days = [each for each in _half_days(piece) if each[0] >= visit.today]
    if half_days and int(piece[3]) in {practice.id for practice in practices}:
        saying.say(visit.unit, visit.actor, visit.doctor_id, half_days, None, int(piece[3]))


def _say(visit: Visit, said: Words, wanted: Mapping[HalfDay, Preference | None]) -> None:
    saying.say_each(
        visit.unit,
        visit.actor,
        visit.doctor_id,
        {
            half_day: preference
            for half_day, preference in wanted.items()
            if half_day[0] >= visit.today and said.get(half_day) is not preference
        },
    )


def _store(
    visit: Visit,
    collection: DavCollection,
    rows: Iterable[DavItem],
    href: str,
    uid: str,
    content: str,
    moments: tuple[int, int],
    words: Words,
) -> None:
    for row in rows:
        # One that is no longer true makes room for what takes its address or its UID.
        if row.href == href or row.uid == uid:
            visit.unit.delete(row)
    visit.unit.flush()
    said: list[dict[str, Any]] = [
        {"date": date.isoformat(), "half": half.value, "preference": preference.value}
        for (date, half), preference in sorted(words.items())
    ]
    visit.unit.add(
        DavItem(
            collection_id=collection.id,
            href=href,
            uid=uid,
            content=content,
            said=said,
            starts=moments[0],
            ends=moments[1],
            updated_at=visit.unit.now(),
        )
    )
    visit.unit.flush()


def _kept(row: DavItem, resets: dict[str, int]) -> Shown:
    text = row.content or ""
    kind = _COMPONENT.search(text)
    return Shown(
        href=row.href,
        uid=row.uid,
        text=text,
        changed_at=row.updated_at,
        starts=row.starts or 0,
        ends=row.ends or 0,
        resets=resets.get(row.href, 0),
        component="VEVENT" if kind is None else kind[1].upper(),
    )


def _pieces(said: Words, covered: Collection[HalfDay], practice: Practice | None) -> list[Piece]:
    """What holds besides the client's events, whole days where both halves say the same."""
    left = {key: value for key, value in said.items() if key not in covered}
    found: list[Piece] = []
    for date in sorted({date for date, _half in left}):
        am, pm = (left.get((date, half)) for half in (Half.AM, Half.PM))
        if am is not None and am is pm:
            found.append(Piece(date, Period.DAY, am, practice))
            continue
        for period, preference in ((Period.AM, am), (Period.PM, pm)):
            if preference is not None:
                found.append(Piece(date, period, preference, practice))
    return found


def _written(
    visit: Visit,
    collection: DavCollection,
    piece: Piece,
    home_practice: Practice | None,
    resets: dict[str, int],
    taken: Collection[str],
) -> Shown:
    href, uid = piece.names(uuid.UUID(collection.uid), taken)
    practice = piece.practice or home_practice
    title = visit.words["available"]
    if piece.practice is not None:
        title = f"{title} · {piece.practice.name}"
    start: dt.date = piece.date
    end: dt.date = piece.date
    if practice is not None and piece.period is not Period.DAY:
        start, end = rules.hours_of(practice, piece.date, piece.period)
    fact = Fact(
        uid=uid,
        sequence=0,
        changed_at=_EPOCH,
        start=start,
        end=end,
        summary=visit.words[piece.preference.value].format(title=title),
        url=visit.links.availabilities(),
        transparent=True,
    )
    return shown(href, fact, resets.get(href, 0))
