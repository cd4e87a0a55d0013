"""What a feed says, read as a calendar programme reads it, equals the roster: over both changes of
the clocks, in ISO week 53, and after days were given back, confirmed or moved.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scheduler.calendars.feeds import answering, subscribing
from scheduler.calendars.feeds.subscribing import Choice
from scheduler.calendars.feeds.telling import Links
from scheduler.calendars.models import Feed, FeedEvent, FeedKind
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.oncall.models import Duty
from scheduler.people.models import Practice
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import (
    DEFAULT_NEED_ROLES,
    AssignmentSource,
    AssignmentState,
    NeedState,
    Period,
    ReleaseKind,
)
from tests.conftest import NOW
from tests.factories import House

SECRET = "a key for tests, long enough to be accepted"
LINKS = Links(lambda slug, day: f"{slug}/{day}", lambda slug, need: f"{slug}/{need}", str)
# Both changes of the clocks, and the days of the week 53 of 2026.
AUTUMN, SPRING = dt.date(2026, 10, 25), dt.date(2027, 3, 28)
WEEK_53 = [dt.date.fromisocalendar(2026, 53, day) for day in range(1, 8)]
DATES = (
    st.sampled_from([AUTUMN, SPRING, *WEEK_53])
    | st.dates(AUTUMN - dt.timedelta(days=2), AUTUMN + dt.timedelta(days=2))
    | st.dates(SPRING - dt.timedelta(days=2), SPRING + dt.timedelta(days=2))
    | st.dates(dt.date(2026, 8, 1), dt.date(2028, 5, 31))
)
ZONES = st.sampled_from(
    ["Europe/Paris", "America/Martinique", "Indian/Reunion", "Pacific/Noumea", "America/Miquelon"]
)
# Usual hours, and ones on either side of the hour at which clocks change.
HOURS = st.sampled_from(
    [
        (dt.time(8, 30), dt.time(12, 30), dt.time(14), dt.time(18, 30)),
        (dt.time(0), dt.time(1, 30), dt.time(3), dt.time(23, 59)),
        (dt.time(1), dt.time(3, 30), dt.time(4), dt.time(20)),
    ]
)
STATES = st.sampled_from([AssignmentState.CONFIRMED, AssignmentState.HELD, AssignmentState.DONE])


@dataclass(frozen=True)
class Planned:
    """A day of the roster: nobody's (`state` None), or the doctor's."""

    date: dt.date
    period: Period
    state: AssignmentState | None


PLANS = st.lists(
    st.builds(Planned, date=DATES, period=st.sampled_from(list(Period)), state=st.none() | STATES),
    max_size=8,
    unique_by=lambda planned: planned.date,
)


@dataclass(frozen=True)
class Shown:
    """What is seen of an event: when it is, in UTC or as dates, and what it takes."""

    start: dt.date
    end: dt.date
    status: str
    transparent: bool


class Cabinet:
    """A practice, a doctor and feeds of every kind in a database of their own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.house = House(database)
        self.practice = self.house.practice("Salle 1", slug="nieul")
        self.doctor = self.house.member(self.practice, Role.REPLACEMENT)
        self.actor = self.house.actor(self.doctor)

    def feed(self, kind: FeedKind, *, all_day: bool) -> Feed:
        practice_id = self.practice.id if kind is FeedKind.ROSTER else None
        choice = Choice(all_day=all_day)
        with self.database.transaction() as session:
            return subscribing.open_feed(
                session, self.actor, kind, practice_id, choice, secret=SECRET
            )

    def clear(self) -> None:
        with self.database.transaction() as session:
            for table in (FeedEvent, Feed, Duty, Assignment, Need):
                session.execute(sa.delete(table))

    def open_at(self, timezone: str, hours: tuple[dt.time, dt.time, dt.time, dt.time]) -> None:
        with self.database.transaction() as session:
            practice = session.get_one(Practice, self.practice.id)
            practice.timezone = timezone
            practice.am_start, practice.am_end, practice.pm_start, practice.pm_end = hours

    def plan(self, plans: Iterable[Planned]) -> None:
        with self.database.transaction() as session:
            for planned in plans:
                need = Need(
                    practice_id=self.practice.id,
                    room_id=self.practice.rooms[0].id,
                    date=planned.date,
                    period=planned.period,
                    roles=[role.value for role in DEFAULT_NEED_ROLES],
                    published_at=session.now(),
                )
                session.add(need)
                session.flush()
                if planned.state is not None:
                    session.add(self._assignment(need, planned.state))

    def _assignment(self, need: Need, state: AssignmentState) -> Assignment:
        now = self.database.clock.now()
        return Assignment(
            need_id=need.id,
            practice_id=need.practice_id,
            doctor_id=self.doctor.id,
            date=need.date,
            period=need.period,
            state=state,
            source=AssignmentSource.CLAIM,
            created_at=now,
            updated_at=now,
            held_until=now if state is AssignmentState.HELD else None,
        )

    def change(self, number: int) -> None:
        """Give back, confirm, hold or withdraw, day by day, as `number` says."""
        with self.database.transaction() as session:
            for need in session.scalars(sa.select(Need).order_by(Need.id)):
                number, act = divmod(number, 4)
                taken = session.scalars(
                    sa.select(Assignment).where(
                        Assignment.need_id == need.id,
                        Assignment.state != AssignmentState.RELEASED,
                    )
                ).one_or_none()
                if act == 1 and taken is not None:
                    taken.state, taken.held_until = AssignmentState.RELEASED, None
                    taken.released_at = taken.updated_at = session.now()
                    taken.release_kind = ReleaseKind.EARLY
                elif act == 2 and taken is not None:
                    taken.state, taken.held_until = AssignmentState.CONFIRMED, None
                    taken.updated_at = session.now()
                elif act == 2:
                    session.add(self._assignment(need, AssignmentState.HELD))
                elif act == 3 and taken is None:
                    need.state = NeedState.WITHDRAWN

    def read(self, feed: Feed) -> icalendar.Calendar:
        address = subscribing.feed_address(feed, secret=SECRET, base_url="") or ""
        token = address.removeprefix("/feeds/").removesuffix(".ics")
        with self.database.transaction() as session:
            fetched = answering.fetch(session, token, all_day=False, client="", links=LINKS)
            return icalendar.Calendar.from_ical(answering.content(session, fetched))

    def expected(self, kind: FeedKind, today: dt.date, *, all_day: bool) -> list[Shown]:
        """The roster, read as plainly as can be."""
        found = []
        with self.database.session() as session:
            practice = session.get_one(Practice, self.practice.id)
            rows = session.execute(
                sa.select(Need, Assignment).outerjoin(
                    Assignment,
                    sa.and_(
                        Assignment.need_id == Need.id,
                        Assignment.state != AssignmentState.RELEASED,
                    ),
                )
            )
            for need, taken in rows:
                if taken is not None and kind is not FeedKind.OPEN:
                    held = taken.state is AssignmentState.HELD
                    status = "TENTATIVE" if held else "CONFIRMED"
                    found.append(shown(practice, need, status, all_day=all_day, free=False))
                is_open = taken is None and need.state is NeedState.PUBLISHED
                if is_open and need.date >= today and kind is not FeedKind.PERSONAL:
                    found.append(shown(practice, need, "TENTATIVE", all_day=all_day, free=True))
        return sorted(found, key=repr)


def shown(practice: Practice, need: Need, status: str, *, all_day: bool, free: bool) -> Shown:
    if all_day:
        return Shown(need.date, need.date + dt.timedelta(days=1), status, free)
    first = practice.pm_start if need.period is Period.PM else practice.am_start
    last = practice.am_end if need.period is Period.AM else practice.pm_end
    zone = ZoneInfo(practice.timezone)
    start, end = (dt.datetime.combine(need.date, time, zone) for time in (first, last))
    return Shown(start.astimezone(dt.UTC), end.astimezone(dt.UTC), status, free)


def told(calendar: icalendar.Calendar) -> list[Shown]:
    """The events that are on, expanded over the whole window, in the order of `expected`."""
    found = []
    query = recurring_ical_events.of(calendar).between(dt.date(2026, 1, 1), dt.date(2029, 12, 31))
    for event in query:
        if event["STATUS"] == "CANCELLED":
            continue
        start, end = event.start, event.end
        if isinstance(start, dt.datetime):
            start, end = start.astimezone(dt.UTC), end.astimezone(dt.UTC)
        free = event["TRANSP"] == "TRANSPARENT"
        found.append(Shown(start, end, str(event["STATUS"]), free))
    return sorted(found, key=repr)


def told_by_its_own_zones(calendar: icalendar.Calendar) -> Iterator[tuple[dt.datetime, object]]:
    """When each event begins by the zones that the calendar brings along, and by the machine's."""
    zones = {zone["TZID"]: zone.to_tz(lookup_tzid=False) for zone in calendar.timezones}
    for event in calendar.events:
        start = event.start
        if isinstance(start, dt.datetime):
            own = start.replace(tzinfo=zones[event["DTSTART"].params["TZID"]])
            yield start.astimezone(dt.UTC), own.astimezone(dt.UTC)


@pytest.fixture(scope="module")
def cabinet(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cabinet]:
    path = tmp_path_factory.mktemp("round-trip") / "relais.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}", FixedClock(NOW))
    yield Cabinet(database)
    database.dispose()


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    plans=PLANS,
    kind=st.sampled_from(list(FeedKind)),
    all_day=st.booleans(),
    timezone=ZONES,
    hours=HOURS,
    change=st.integers(0, 4**8 - 1),
)
@example(
    plans=[
        Planned(date, Period.DAY, AssignmentState.CONFIRMED) for date in (AUTUMN, SPRING, *WEEK_53)
    ],
    kind=FeedKind.PERSONAL,
    all_day=False,
    timezone="Europe/Paris",
    hours=(dt.time(0), dt.time(1, 30), dt.time(3), dt.time(23, 59)),
    change=0,
)
def test_a_feed_says_what_the_roster_says(
    cabinet: Cabinet,
    plans: list[Planned],
    kind: FeedKind,
    all_day: bool,
    timezone: str,
    hours: tuple[dt.time, dt.time, dt.time, dt.time],
    change: int,
) -> None:
    clock = cabinet.database.clock
    assert isinstance(clock, FixedClock)
    clock.move_to(NOW)
    cabinet.clear()
    cabinet.open_at(timezone, hours)
    cabinet.plan(plans)
    feed = cabinet.feed(kind, all_day=all_day)
    before = cabinet.read(feed)
    assert told(before) == cabinet.expected(kind, NOW.date(), all_day=all_day)
    for machine, own in told_by_its_own_zones(before):
        assert machine == own

    clock.advance(dt.timedelta(hours=1))
    cabinet.change(change)
    after = cabinet.read(feed)
    assert told(after) == cabinet.expected(kind, NOW.date(), all_day=all_day)
    # Nobody is left with a day that is off, and no event is told with a lower number.
    first, second = ({event.uid: event for event in each.events} for each in (before, after))
    assert first.keys() <= second.keys()
    for uid, event in second.items():
        if uid not in first:
            continue
        same = event.to_ical() == first[uid].to_ical()
        assert event["SEQUENCE"] > first[uid]["SEQUENCE"] or same
        assert same or first[uid].LAST_MODIFIED < event.LAST_MODIFIED == clock.now()
