"""Feeds: who may open one, what it says, and when it counts as changed."""

from __future__ import annotations

import datetime as dt
import re

import icalendar
import pytest
import sqlalchemy as sa

from scheduler.calendars import queries, service
from scheduler.calendars.models import Feed, FeedKind
from scheduler.core.audit import AuditEvent
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.errors import Forbidden, InvalidInput, NotFound
from scheduler.core.permissions import Role
from scheduler.people.models import Locale, Member, Practice, Room, User
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentState, NeedState, Period
from tests.factories import House
from tests.support import at_once, count_queries

SECRET = "a key for tests, long enough to be accepted"
BASE = "https://relais.example.org"
TUESDAY = dt.date(2026, 11, 24)
THURSDAY = dt.date(2026, 11, 26)


def link(slug: str, day: dt.date) -> str:
    return f"{BASE}/p/{slug}/{day}"


class Place:
    """A practice with a doctor and a titular, and the doctor's feeds."""

    def __init__(self, database: Database, house: House) -> None:
        self.database, self.house = database, house
        self.practice = house.practice(
            "Salle 1", "Salle 2", slug="nieul", name="Cabinet, « l'Île »", address="3 rue; Nieul"
        )
        self.doctor = house.member(
            self.practice, Role.REPLACEMENT, given_name="Zoé", family_name="Martin"
        )

    def open(self, kind: FeedKind = FeedKind.PERSONAL, user: User | None = None) -> Feed:
        practice_id = self.practice.id if kind is FeedKind.ROSTER else None
        actor = self.house.actor(user or self.doctor)
        with self.database.transaction() as session:
            return service.open_feed(session, actor, kind, practice_id, secret=SECRET)

    def token(self, feed: Feed) -> str:
        address = service.feed_address(feed, secret=SECRET, base_url=BASE)
        found = re.fullmatch(rf"{BASE}/feeds/([\w-]{{43}})\.ics", address or "")
        assert found is not None
        return found[1]

    def fetch(
        self, feed: Feed, *, all_day: bool = False, client: str = "Phone/1"
    ) -> tuple[service.Fetch, bytes]:
        with self.database.transaction() as session:
            fetched = service.fetch(
                session, self.token(feed), all_day=all_day, client=client, link=link
            )
            return fetched, service.content(session, fetched)

    def events(self, feed: Feed, *, all_day: bool = False) -> list[icalendar.Event]:
        return icalendar.Calendar.from_ical(self.fetch(feed, all_day=all_day)[1]).events

    def day(
        self,
        date: dt.date,
        period: Period = Period.DAY,
        state: AssignmentState = AssignmentState.CONFIRMED,
        room: int = 0,
    ) -> Assignment:
        need = self.house.need(self.practice, date, period, room=room)
        return self.house.assignment(need, self.doctor, state)

    def change(self, statement: sa.Update | sa.Delete) -> None:
        with self.database.transaction() as session:
            session.execute(statement)


@pytest.fixture
def place(database: Database, house: House) -> Place:
    return Place(database, house)


def test_a_personal_feed_tells_ones_own_days(place: Place, house: House) -> None:
    day = place.day(TUESDAY)
    half = place.day(THURSDAY, Period.PM, AssignmentState.HELD, room=1)
    place.day(TUESDAY + dt.timedelta(days=7), state=AssignmentState.RELEASED)
    colleague = house.member(place.practice, Role.REPLACEMENT)
    house.assignment(house.need(place.practice, THURSDAY, Period.AM), colleague)
    first, second = place.events(place.open())

    assert first.uid == day.uid
    assert first["SUMMARY"] == "Cabinet, « l'Île »"
    assert first["LOCATION"] == "Salle 1, Cabinet, « l'Île », 3 rue; Nieul"
    assert first["URL"] == f"{BASE}/p/nieul/2026-11-24"
    assert first.start == dt.datetime.fromisoformat("2026-11-24T08:30+01:00")
    assert first.end == dt.datetime.fromisoformat("2026-11-24T18:30+01:00")
    assert first["DTSTART"].params["TZID"] == "Europe/Paris"
    assert (first["STATUS"], first["TRANSP"], first["SEQUENCE"]) == ("CONFIRMED", "OPAQUE", 0)
    assert first.DTSTAMP == first.LAST_MODIFIED == day.updated_at

    assert second.uid == half.uid
    assert second["SUMMARY"] == "Cabinet, « l'Île » (à confirmer)"
    assert second["STATUS"] == "TENTATIVE"
    assert second.start == dt.datetime.fromisoformat("2026-11-26T14:00+01:00")
    assert second.end == dt.datetime.fromisoformat("2026-11-26T18:30+01:00")


def test_all_day_events_end_on_the_next_date(place: Place) -> None:
    place.day(TUESDAY)
    place.day(THURSDAY, Period.AM, AssignmentState.HELD)
    first, second = place.events(place.open(), all_day=True)
    assert (first["DTSTART"].dt, first["DTEND"].dt) == (TUESDAY, TUESDAY + dt.timedelta(days=1))
    assert first["SUMMARY"] == "Cabinet, « l'Île »"
    assert second["DTSTART"].dt == THURSDAY
    assert second["SUMMARY"] == "Cabinet, « l'Île » (matin, à confirmer)"


def test_a_roster_feed_tells_who_comes_and_what_is_to_fill(place: Place, house: House) -> None:
    place.day(TUESDAY)
    need = house.need(place.practice, TUESDAY, Period.AM, room=1)
    house.need(place.practice, THURSDAY, Period.PM, state=NeedState.WITHDRAWN)
    house.need(place.practice, dt.date(2026, 11, 20))
    taken, free = sorted(
        place.events(place.open(FeedKind.ROSTER)), key=lambda event: event["TRANSP"]
    )
    assert taken["SUMMARY"] == "Zoé Martin · Salle 1"
    assert free["SUMMARY"] == "À pourvoir · Salle 2"
    assert (free["TRANSP"], free["STATUS"]) == ("TRANSPARENT", "TENTATIVE")
    assert free.end == dt.datetime.fromisoformat("2026-11-24T12:30+01:00")
    assert free.uid != taken.uid
    assert str(need.id) != free.uid


def test_a_feed_speaks_its_readers_language(place: Place, house: House) -> None:
    place.change(sa.update(User).values(locale=Locale.ENGLISH))
    house.need(place.practice, THURSDAY, Period.PM)
    feed = place.open(FeedKind.ROSTER)
    (event,) = place.events(feed, all_day=True)
    assert event["SUMMARY"] == "To fill · Salle 1 (afternoon)"
    assert b"Relais \xe2\x80\x93 Cabinet" in place.fetch(feed)[1]


def test_what_programmes_need_to_follow_a_calendar(place: Place) -> None:
    place.day(TUESDAY)
    _fetched, body = place.fetch(place.open(FeedKind.ROSTER))
    lines = body.decode().replace("\r\n ", "").split("\r\n")
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    for line in (
        "PRODID:-//Relais//Relais//FR",
        "NAME;LANGUAGE=fr:Relais – Cabinet\\, « l'Île »",
        "X-WR-CALNAME:Relais – Cabinet\\, « l'Île »",
        "X-WR-TIMEZONE:Europe/Paris",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ):
        assert lines.count(line) == 1


def test_the_time_zone_covers_the_events(place: Place) -> None:
    for date in (TUESDAY, dt.date(2027, 7, 1)):
        place.day(date)
    calendar = icalendar.Calendar.from_ical(place.fetch(place.open())[1])
    (zone,) = calendar.timezones
    assert zone["TZID"] == "Europe/Paris"
    winter, summer = calendar.events
    rebuilt = zone.to_tz(lookup_tzid=False)
    for event, hours in ((winter, 1), (summer, 2)):
        naive = event.start.replace(tzinfo=None)
        assert naive.replace(tzinfo=rebuilt).utcoffset() == dt.timedelta(hours=hours)


def test_an_overseas_practice_keeps_its_own_time(database: Database, house: House) -> None:
    place = Place(database, house)
    place.change(sa.update(Practice).values(timezone="America/Martinique"))
    place.day(TUESDAY)
    (event,) = place.events(place.open())
    assert event.start == dt.datetime.fromisoformat("2026-11-24T08:30-04:00")


def test_an_empty_feed_is_a_valid_calendar(place: Place) -> None:
    calendar = icalendar.Calendar.from_ical(place.fetch(place.open())[1])
    assert calendar.events == []
    assert len(calendar.timezones) == 1


def test_only_the_window_is_shown(place: Place) -> None:
    for date in (
        dt.date(2026, 7, 31),
        dt.date(2026, 8, 1),
        dt.date(2028, 5, 31),
        dt.date(2028, 6, 1),
    ):
        place.day(date)
    starts = [event.start.date() for event in place.events(place.open())]
    assert starts == [dt.date(2026, 8, 1), dt.date(2028, 5, 31)]


def test_an_unchanged_feed_is_the_same_to_the_byte(place: Place, clock: FixedClock) -> None:
    place.day(TUESDAY)
    feed = place.open(FeedKind.ROSTER)
    before, body = place.fetch(feed)
    clock.advance(dt.timedelta(days=3))
    after, again = place.fetch(feed)
    assert (after.etag, after.changed_at, again) == (before.etag, before.changed_at, body)
    assert place.fetch(feed, all_day=True)[0].etag != before.etag


def test_every_change_shows(place: Place, house: House, clock: FixedClock) -> None:
    assignment = place.day(TUESDAY)
    need = house.need(place.practice, THURSDAY)
    feed = place.open(FeedKind.ROSTER)

    def rename(session_of: Database) -> None:
        with session_of.transaction() as session:
            session.get_one(User, place.doctor.id).family_name = "Durand"

    def confirm(session_of: Database) -> None:
        with session_of.transaction() as session:
            found = session.get_one(Assignment, assignment.id)
            found.state, found.updated_at = AssignmentState.HELD, clock.now()
            found.held_until = clock.now() + dt.timedelta(hours=1)

    def release(session_of: Database) -> None:
        with session_of.transaction() as session:
            found = session.get_one(Assignment, assignment.id)
            found.state, found.held_until = AssignmentState.RELEASED, None
            found.updated_at = found.released_at = clock.now()

    def hours(session_of: Database) -> None:
        with session_of.transaction() as session:
            session.get_one(Practice, place.practice.id).am_start = dt.time(9)

    changes = [
        rename,
        confirm,
        lambda _database: house.need(place.practice, THURSDAY, room=1),
        release,
        hours,
        lambda _database: place.change(
            sa.update(Room).where(Room.position == 1).values(name="Salle bleue")
        ),
        lambda _database: place.change(
            sa.update(Need)
            .where(Need.id == need.id)
            .values(state=NeedState.WITHDRAWN, version=Need.version + 1)
        ),
        lambda _database: place.change(
            sa.update(User).where(User.id == place.doctor.id).values(locale=Locale.ENGLISH)
        ),
    ]
    fetched, body = place.fetch(feed)
    for change in changes:
        clock.advance(dt.timedelta(minutes=1))
        change(place.database)
        after, changed = place.fetch(feed)
        assert after.etag != fetched.etag
        assert after.changed_at == clock.now() > fetched.changed_at
        assert changed != body
        fetched, body = after, changed


def test_the_sequence_rises_with_each_change(place: Place, clock: FixedClock) -> None:
    assignment = place.day(TUESDAY)
    feed = place.open()
    sequences = []
    for _change in range(3):
        (event,) = place.events(feed)
        sequences.append(event["SEQUENCE"])
        assert clock.now() == event.LAST_MODIFIED
        clock.advance(dt.timedelta(hours=1))
        with place.database.transaction() as session:
            session.get_one(Assignment, assignment.id).updated_at = clock.now()
    assert sequences == [0, 1, 2]


def test_the_database_does_not_know_the_address(place: Place) -> None:
    feed = place.open()
    token = place.token(feed)
    with place.database.session() as session:
        row = session.execute(sa.select(Feed.__table__)).one()
    assert all(token not in str(value) for value in row)
    assert service.feed_address(feed, secret="another key altogether", base_url=BASE) is None


def test_opening_twice_gives_one_feed(place: Place) -> None:
    assert place.open().id == place.open().id
    assert place.open(FeedKind.ROSTER).id != place.open().id
    with place.database.session() as session:
        found = queries.feeds_of(session, place.doctor.id)
        assert [feed.kind for feed in found] == [FeedKind.PERSONAL, FeedKind.ROSTER]
        assert found[1].practice is not None


def test_opening_at_once_gives_one_feed(place: Place) -> None:
    assert at_once(*[place.open] * 6) == [None] * 6
    with place.database.session() as session:
        assert len(session.scalars(sa.select(Feed)).all()) == 1


def test_renewing_and_revoking(place: Place, house: House) -> None:
    feed = place.open()
    place.fetch(feed)
    old = place.token(feed)
    actor = house.actor(place.doctor)
    with place.database.transaction() as session:
        renewed = service.renew_feed(session, actor, feed.id, secret=SECRET)
    assert (renewed.id, renewed.last_fetched_at) == (feed.id, None)
    assert place.token(renewed) != old
    place.fetch(renewed)
    with place.database.transaction() as session:
        service.revoke_feed(session, actor, feed.id)
    for token in (old, place.token(renewed), "", "x" * 43):
        with pytest.raises(NotFound) as caught, place.database.transaction() as session:
            service.fetch(session, token, all_day=False, client="", link=link)
        assert (caught.value.code, caught.value.facts) == ("feed_not_found", {})
    with pytest.raises(NotFound), place.database.transaction() as session:
        service.renew_feed(session, actor, feed.id, secret=SECRET)
    assert place.open().id != feed.id
    with place.database.session() as session:
        events = session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.sequence))
        assert list(events) == ["feed.opened", "feed.renewed", "feed.revoked", "feed.opened"]


def test_nobody_touches_anothers_feed(place: Place, house: House) -> None:
    feed = place.open()
    stranger = house.actor(house.member(place.practice, Role.TITULAR))
    with pytest.raises(NotFound), place.database.transaction() as session:
        service.renew_feed(session, stranger, feed.id, secret=SECRET)
    with pytest.raises(NotFound), place.database.transaction() as session:
        service.revoke_feed(session, stranger, feed.id)
    place.fetch(feed)


def test_who_may_open_what(place: Place, house: House) -> None:
    secretary = house.member(place.practice, Role.SECRETARY)
    outsider = house.member(house.practice(), Role.TITULAR)
    place.open(FeedKind.ROSTER, secretary)
    with pytest.raises(Forbidden):
        place.open(FeedKind.PERSONAL, secretary)
    with pytest.raises(Forbidden):
        place.open(FeedKind.ROSTER, outsider)
    for kind, practice_id in ((FeedKind.ROSTER, None), (FeedKind.PERSONAL, place.practice.id)):
        with pytest.raises(InvalidInput), place.database.transaction() as session:
            actor = house.actor(place.doctor)
            service.open_feed(session, actor, kind, practice_id, secret=SECRET)


@pytest.mark.parametrize("kind", list(FeedKind))
@pytest.mark.parametrize("reason", ["disabled", "left", "not yet"])
def test_a_feed_ends_with_its_users_right(place: Place, kind: FeedKind, reason: str) -> None:
    feed = place.open(kind)
    place.fetch(feed)
    yesterday, tomorrow = dt.date(2026, 11, 22), dt.date(2026, 11, 24)
    changes: dict[str, sa.Update] = {
        "disabled": sa.update(User).values(disabled_at=place.database.clock.now()),
        "left": sa.update(Member).values(until=yesterday),
        "not yet": sa.update(Member).values(since=tomorrow),
    }
    place.change(changes[reason])
    with pytest.raises(NotFound):
        place.fetch(feed)


def test_a_feed_lasts_through_its_last_day(place: Place) -> None:
    feed = place.open(FeedKind.ROSTER)
    place.change(sa.update(Member).values(until=dt.date(2026, 11, 23)))
    place.fetch(feed)


def test_who_fetched_last_is_noted_sparingly(place: Place, clock: FixedClock) -> None:
    feed = place.open()

    def noted(client: str) -> tuple[dt.datetime | None, str | None]:
        place.fetch(feed, client=client)
        with place.database.session() as session:
            found = session.get_one(Feed, feed.id)
            return found.last_fetched_at, found.last_fetched_by

    start = clock.now()
    assert noted("Phone/1") == (start, "Phone/1")
    clock.advance(dt.timedelta(seconds=59))
    assert noted("Phone/1") == (start, "Phone/1")
    assert noted("Laptop/2") == (clock.now(), "Laptop/2")
    clock.advance(dt.timedelta(minutes=1))
    assert noted("Laptop/2") == (clock.now(), "Laptop/2")


def test_queries_do_not_grow_with_days(place: Place, house: House) -> None:
    counts = []
    feed = place.open(FeedKind.ROSTER)
    for start in (0, 10):
        for offset in range(start, start + 5):
            place.day(TUESDAY + dt.timedelta(days=offset))
            house.need(place.practice, TUESDAY + dt.timedelta(days=offset), room=1)
        place.fetch(feed)
        with count_queries(place.database) as statements:
            place.fetch(feed)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_the_indexes_allow_one_feed_of_a_kind(place: Place) -> None:
    feed = place.open(FeedKind.ROSTER)
    copy = Feed(
        kind=feed.kind,
        user_id=feed.user_id,
        practice_id=feed.practice_id,
        salt="x",
        token_hash="y",
        created_at=feed.created_at,
    )
    with pytest.raises(sa.exc.IntegrityError), place.database.transaction() as session:
        session.add(copy)
