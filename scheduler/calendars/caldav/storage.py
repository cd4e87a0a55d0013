"""What Radicale reads and writes: the doctor's three calendars, made of the roster as it is."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast

from radicale import pathutils
from radicale.config import Configuration
from radicale.item import Item
from radicale.storage import BaseCollection, BaseStorage

from scheduler.calendars.caldav import availabilities, checks, following, my_days, open_days
from scheduler.calendars.caldav.members import Shown
from scheduler.calendars.caldav.my_days import Wish, one_date
from scheduler.calendars.caldav.visit import Visit, Visits
from scheduler.calendars.caldav.words import COLOURS, NAMES
from scheduler.calendars.models import DavCollection, DavKind
from scheduler.core.errors import InvalidInput, RuleBroken

LONGEST_NAME: Final = 255
# What clients may choose for themselves, and how much of it.
PROPERTIES: Final = frozenset({"D:displayname", "ICAL:calendar-color", "ICAL:calendar-order"})
LONGEST_PROPERTY: Final = 120
# What may be put into a calendar. Clients are told of events only; a task or a note that one
# brings along all the same says nothing, and is not lost.
COMPONENTS: Final = {
    DavKind.OPEN_DAYS: frozenset[str](),
    DavKind.MY_DAYS: frozenset({"VEVENT"}),
    DavKind.AVAILABILITIES: frozenset({"VEVENT", "VTODO", "VJOURNAL"}),
}


class Folder(BaseCollection):
    """The root or a principal: they hold calendars, and nothing else."""

    def __init__(self, path: str, name: str = "") -> None:
        self._path = path
        self._name = name

    @property
    def path(self) -> str:
        return self._path

    @property
    def last_modified(self) -> str:
        return email.utils.formatdate(0, usegmt=True)

    def get_all(self) -> Iterable[Item]:
        return ()

    def get_multi(self, hrefs: Iterable[str]) -> Iterable[tuple[str, Item | None]]:
        return [(href, None) for href in hrefs]

    def get_meta(self, key: str | None = None) -> Any:
        meta = {"D:displayname": self._name} if self._name else {}
        return meta if key is None else meta.get(key)


class Calendar(BaseCollection):
    """One calendar of the doctor who is visiting, read once in a transaction."""

    def __init__(self, visit: Visit, kind: DavKind) -> None:
        self._visit = visit
        self.kind = kind
        self._row: DavCollection | None = None
        self._members: dict[str, Shown] | None = None
        self._followed = False

    @property
    def path(self) -> str:
        return f"{self._visit.doctor_id}/{self.kind.value}"

    @property
    def row(self) -> DavCollection:
        if self._row is None:
            visit = self._visit
            self._row = following.collection_of(visit.unit, visit.doctor_id, self.kind)
        return self._row

    @property
    def members(self) -> dict[str, Shown]:
        """What stands in the calendar, by its name in the address."""
        if self._members is None:
            self._members = {one.href: one for one in self._read()}
        return self._members

    def _read(self) -> list[Shown]:
        visit = self._visit
        resets = following.resets_in(visit.unit, self.row)
        if self.kind is DavKind.OPEN_DAYS:
            return open_days.members(visit, resets)
        if self.kind is DavKind.MY_DAYS:
            return my_days.members(visit, self.row, resets)
        return availabilities.members(visit, self.row, resets)

    def _follow(self) -> None:
        """Number what changed since somebody last asked, once in a transaction."""
        if self._followed:
            return
        following.lock(self._visit.unit, self.row)
        # Read under the lock, so that two requests cannot number different truths.
        self._members = None
        following.note_truth(self._visit.unit, self.row, self.members.values())
        self._followed = True

    @property
    def etag(self) -> str:
        self._follow()
        return f'"{self.row.uid}-{self.row.sequence}"'

    @property
    def last_modified(self) -> str:
        self._follow()
        return _http_date(self.row.changed_at)

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:
        """The token of now, and what changed since an older one; `ValueError` for a strange one."""
        self._follow()
        token = following.token_of(self.row)
        if not old_token:
            return token, list(self.members)
        return token, following.changed_since(self._visit.unit, self.row, old_token)

    def get_all(self) -> Iterable[Item]:
        return [self.item(one) for one in self.members.values()]

    def get_multi(self, hrefs: Iterable[str]) -> Iterable[tuple[str, Item | None]]:
        for href in hrefs:
            one = self.members.get(href)
            yield href, None if one is None else self.item(one)

    def has_uid(self, uid: str) -> bool:
        return any(one.uid == uid for one in self.members.values())

    def item(self, one: Shown) -> Item:
        """A member as Radicale knows it; nothing of it has to be parsed to be listed."""
        return Item(
            collection=self,
            href=one.href,
            last_modified=_http_date(one.changed_at),
            text=one.text,
            etag=f'"{one.etag}"',
            uid=one.uid,
            name="VCALENDAR",
            component_name=one.component,
            time_range=(one.starts, one.ends),
        )

    def upload(self, href: str, item: Item) -> tuple[Item, Item | None]:
        """Do what an event that was put asks for; raises a `RelaisError` for what cannot be."""
        if len(href) > LONGEST_NAME or len(item.uid) > LONGEST_NAME:
            raise InvalidInput("calendar_name_too_long", field="event", most=LONGEST_NAME)
        # Encodings of old calendars may hide in the file what its text shows.
        checks.check_text(href, item.uid)
        before = self.members.get(href)
        old = None if before is None else self.item(before)
        visit = self._visit
        if item.component_name not in COMPONENTS[self.kind]:
            raise InvalidInput("calendar_events_only", field="event")
        if self.kind is DavKind.MY_DAYS:
            my_days.put(visit, self.row, href, _wish(visit, item, standing=before is not None))
        else:
            self._say(href, item)
        self._forget()
        after = self.members.get(href)
        if after is None:
            # Put and gone at once: what holds stands under other names.
            raise RuleBroken("calendar_said_otherwise")
        return self.item(after), old

    def _say(self, href: str, item: Item) -> None:
        visit = self._visit
        (reading,) = visit.readings.values()
        words = {
            (said.date, said.half): said.preference
            for said in reading.half_days
            if said.preference is not None
        }
        reasons = {ignored.code for ignored in reading.ignored}
        checks.check_stretch(item)
        availabilities.put(visit, self.row, href, item.uid, visit.body, item.time_range, words)
        if any(date >= visit.today for date, _half in words):
            return
        if reasons & checks.MISTAKEN:
            visit.remark = InvalidInput("calendar_event_idle", field="event")
        elif words or checks.ELSEWHEN in reasons:
            visit.remark = InvalidInput("calendar_event_elsewhen", field="event")

    def delete(self, href: str | None = None) -> None:
        """Do what deleting an event asks for; raises a `RelaisError` for what cannot be."""
        if href is None:
            raise RuleBroken("calendar_fixed")
        if self.kind is DavKind.MY_DAYS:
            self._visit.answer = my_days.delete(self._visit, self.row, href)
        else:
            availabilities.delete(self._visit, self.row, href)
        self._forget()

    def rename(self, href: str, to_href: str) -> None:
        """Give a member another address."""
        if len(to_href) > LONGEST_NAME:
            raise InvalidInput("calendar_name_too_long", field="event", most=LONGEST_NAME)
        if to_href in self.members:
            raise RuleBroken("calendar_move_unknown")
        module = my_days if self.kind is DavKind.MY_DAYS else availabilities
        module.rename(self._visit, self.row, href, to_href)
        self._forget()

    def reset(self, href: str) -> None:
        """Have clients read an address anew, whatever they believe stands there."""
        following.reset(self._visit.unit, self.row, href[:LONGEST_NAME])

    def get_meta(self, key: str | None = None) -> Any:
        meta: dict[str, str] = {
            "tag": "VCALENDAR",
            "D:displayname": NAMES[self._visit.locale][self.kind],
            "C:supported-calendar-component-set": "VEVENT",
            "ICAL:calendar-color": COLOURS[self.kind],
            "ICAL:calendar-order": str(list(DavKind).index(self.kind) + 1),
            **self.row.properties,
        }
        return meta if key is None else meta.get(key)

    def choose(self, properties: Mapping[str, str | None]) -> None:
        """Remember what a client chose for itself; None forgets it."""
        kept = {**self.row.properties, **properties}
        self.row.properties = {name: value for name, value in kept.items() if value is not None}
        self._visit.unit.flush()

    def _forget(self) -> None:
        self._members, self._followed = None, False


class Storage(BaseStorage):
    """Radicale's lock is a transaction of the database."""

    # Nothing here is a file: any name that an address can hold will do.
    _is_collision_free = True
    _supports_unicode = True
    _supports_trailing_whitespace = True
    _supports_problematic_chars = True

    def __init__(self, visits: Visits, configuration: Configuration) -> None:
        super().__init__(configuration)
        self._visits = visits

    @contextmanager
    def acquire_lock(self, *_mode_and_user: Any, **_what: Any) -> Iterator[None]:
        """One transaction: committed when Radicale is done, rolled back when it is refused."""
        with self._visits.transaction():
            yield

    def discover(
        self,
        path: str,
        depth: str = "0",
        *_context_and_groups: Any,
    ) -> Iterator[BaseCollection | Item]:
        """What stands at an address, and what is in it for a depth of one."""
        visit = self._visits.current
        parts = [part for part in pathutils.strip_path(path).split("/") if part]
        doctor = None if visit.caller is None else str(visit.doctor_id)
        deep = depth != "0"
        if not parts:
            yield Folder("")
            if deep and doctor is not None:
                yield self._principal(visit)
        elif parts[0] == doctor and len(parts) == 1:
            yield self._principal(visit)
            if deep:
                yield from (self.calendar(kind) for kind in DavKind)
        elif parts[0] == doctor and parts[1] in list(DavKind):
            calendar = self.calendar(DavKind(parts[1]))
            if len(parts) == 2:
                yield calendar
                if deep:
                    yield from calendar.get_all()
            elif len(parts) == 3 and parts[2] in calendar.members:
                yield calendar.item(calendar.members[parts[2]])

    def calendar(self, kind: DavKind) -> Calendar:
        """A calendar of the doctor, the same one throughout a transaction."""
        loaded = self._visits.current.loaded
        if kind not in loaded:
            loaded[kind] = Calendar(self._visits.current, kind)
        return cast(Calendar, loaded[kind])

    def move(self, item: Item, to_collection: BaseCollection, to_href: str) -> None:
        """Rename a member; from one calendar to another it would be another thing."""
        if not isinstance(item.collection, Calendar) or item.collection is not to_collection:
            raise RuleBroken("calendar_move_unknown")
        item.collection.rename(item.href or "", to_href)

    def create_collection(
        self, *_href_items_props: Any, **_named: Any
    ) -> tuple[BaseCollection, dict[str, Item], list[str]]:
        """There are three calendars, and no more."""
        raise RuleBroken("calendar_fixed")

    def verify(self) -> bool:
        return True

    @staticmethod
    def _principal(visit: Visit) -> Folder:
        return Folder(str(visit.doctor_id), visit.actor.name)


def _wish(visit: Visit, item: Item, *, standing: bool) -> Wish:
    """What an event asks for in the calendar of days; `standing`: a day stands at its address."""
    events = item.vobject_item.vevent_list
    if any(_value(event, "status").upper() == "CANCELLED" for event in events):
        # A client may mean by it that somebody else has cancelled: no reason to give a day back.
        code = "calendar_cancelled_own" if standing else "calendar_cancelled_new"
        raise InvalidInput(code, field="event")
    recurring = any(
        hasattr(event, name) for event in events for name in ("rrule", "rdate", "recurrence_id")
    )
    if recurring or len(events) > 1:
        raise InvalidInput("calendar_no_recurrence", field="event")
    halves: dict[int, set[Any]] = {}
    for practice_id, reading in visit.readings.items():
        covered = [said for said in reading.half_days if said.preference is not None]
        halves[practice_id] = {(said.date, said.half) for said in covered}
    date = one_date({day for found in halves.values() for day, _half in found})
    text = " ".join(_value(events[0], name) for name in ("summary", "location"))
    return Wish(
        uid=item.uid,
        date=date,
        halves={
            practice_id: frozenset(half for day, half in found if day == date)
            for practice_id, found in halves.items()
        },
        text=text.casefold(),
        sequence=_number(_value(events[0], "sequence")),
    )


def _value(event: Any, name: str) -> str:
    return str(getattr(event, name).value) if hasattr(event, name) else ""


def _number(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0


def _http_date(moment: dt.datetime) -> str:
    return email.utils.format_datetime(moment.astimezone(dt.UTC), usegmt=True)
