"""Feeds: who may open one, what it says, and when it counts as changed."""

from __future__ import annotations

import datetime as dt
import re

import icalendar
import pytest
import sqlalchemy as sa

from scheduler.calendars import queries, rules
from scheduler.calendars.feeds import answering, subscribing
from scheduler.calendars.feeds.subscribing import Choice
from scheduler.calendars.feeds.telling import Links
from scheduler.calendars.models import Feed, FeedEvent, FeedKind, Part, Reminder
from scheduler.core.audit import AuditEvent
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.errors import Forbidden, InvalidInput, NotFound
from scheduler.core.permissions import Role
from scheduler.oncall.models import Duty
from scheduler.people.models import Locale, Member, Practice, Room, User
from scheduler.roster import releasing
from scheduler.roster.models import Ask, Assignment, Need, Proposal, ProposalLine
from scheduler.roster.rules import AskCode, AssignmentState, NeedState, Period, ProposalState
from tests.factories import House
from tests.support import at_once, count_queries

SECRET = "a key for tests, long enough to be accepted"
BASE = "https://relais.example.org"
TUESDAY = dt.date(2026, 11, 24)
THURSDAY = dt.date(2026, 11, 26)


LINKS = Links(
    week=lambda slug, day: f"{BASE}/p/{slug}/{day}",
    need=lambda slug, need_id: f"{BASE}/p/{slug}/needs/{need_id}",
    ask=lambda ask_id: f"{BASE}/asks/{ask_id}",
)


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

    def open(
        self,
        kind: FeedKind = FeedKind.PERSONAL,
        user: User | None = None,
        choice: Choice | None = None,
    ) -> Feed:
        practice_id = self.practice.id if kind is FeedKind.ROSTER else None
        actor = self.house.actor(user or self.doctor)
        with self.database.transaction() as session:
            return subscribing.open_feed(session, actor, kind, practice_id, choice, secret=SECRET)

    def token(self, feed: Feed) -> str:
        address = subscribing.feed_address(feed, secret=SECRET, base_url=BASE)
        found = re.fullmatch(rf"{BASE}/feeds/([\w-]{{43}})\.ics", address or "")
        assert found is not None
        return found[1]

    def fetch(
        self, feed: Feed, *, all_day: bool = False, client: str = "Phone/1"
    ) -> tuple[answering.Fetch, bytes]:
        with self.database.transaction() as session:
            fetched = answering.fetch(
                session, self.token(feed), all_day=all_day, client=client, links=LINKS
            )
            return fetched, answering.content(session, fetched)

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

    def doctor_of(self, assignment: Assignment) -> User:
        with self.database.session() as session:
            return session.get_one(User, assignment.doctor_id)

    def change(self, statement: sa.Update | sa.Delete) -> None:
        with self.database.transaction() as session:
            session.execute(statement)


def release(place: Place, assignment: Assignment) -> None:
    """Give a day back, as the service does."""
    with place.database.transaction() as session:
        releasing.release(session, place.house.actor(place.doctor_of(assignment)), assignment.id)


def on_call(place: Place, date: dt.date, doctor: User) -> None:
    with place.database.transaction() as session:
        session.add(Duty(practice_id=place.practice.id, date=date, doctor_id=doctor.id))


def ask(place: Place, need: Need, doctor: User, asker: User) -> int:
    """A question whether a doctor would come on a day; its number."""
    with place.database.transaction() as session:
        found = Ask(
            practice_id=need.practice_id,
            need_id=need.id,
            doctor_id=doctor.id,
            code=AskCode.ASK,
            message="",
            asked_by=asker.id,
            asked_at=session.now(),
        )
        session.add(found)
    return found.id


def propose(place: Place, doctor: User, *needs: Need) -> None:
    """A proposal ready to be read that would give days to a doctor."""
    with place.database.transaction() as session:
        proposal = Proposal(
            practice_id=place.practice.id,
            start=TUESDAY,
            end=THURSDAY,
            state=ProposalState.READY,
            requested_by=doctor.id,
            requested_at=session.now(),
        )
        proposal.lines = [ProposalLine(need_id=need.id, doctor_id=doctor.id) for need in needs]
        session.add(proposal)


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


def test_the_sequence_rises_with_each_change_and_never_falls(
    place: Place, clock: FixedClock
) -> None:
    assignment = place.day(TUESDAY)
    feed = place.open()

    def hold() -> None:
        place.change(
            sa.update(Assignment)
            .where(Assignment.id == assignment.id)
            .values(
                state=AssignmentState.HELD,
                held_until=clock.now() + dt.timedelta(hours=1),
                version=Assignment.version + 1,
                updated_at=clock.now(),
            )
        )

    def close_room() -> None:
        place.change(sa.update(Room).where(Room.position == 0).values(name="Salle verte"))

    def open_later() -> None:
        with place.database.transaction() as session:
            session.get_one(Practice, place.practice.id).am_start = dt.time(9)

    def all_day() -> None:
        with place.database.transaction() as session:
            actor = place.house.actor(place.doctor)
            subscribing.change_feed(session, actor, feed.id, Choice(all_day=True))

    def what_nobody_sees() -> None:
        with place.database.transaction() as session:
            session.get_one(Practice, place.practice.id).weekly_minimum = 3

    seen = []
    for change in (hold, close_room, open_later, all_day, what_nobody_sees):
        (event,) = place.events(feed)
        seen.append((event["SEQUENCE"], clock.now() == event.LAST_MODIFIED))
        clock.advance(dt.timedelta(hours=1))
        change()
    (event,) = place.events(feed)
    assert seen == [(0, True), (1, True), (2, True), (3, True), (4, True)]
    assert event["SEQUENCE"] == 4


def test_a_feed_of_before_goes_on_where_its_sequences_were(place: Place) -> None:
    """Feeds once counted the versions of the rows, and no client may be told a lower number."""
    assignment = place.day(TUESDAY)
    place.change(sa.update(Assignment).values(version=4))
    place.change(sa.update(Practice).values(version=3))
    (event,) = place.events(place.open())
    assert (event["SEQUENCE"], event.uid) == (5, assignment.uid)


def test_a_day_given_back_is_cancelled_for_a_month(place: Place, clock: FixedClock) -> None:
    assignment = place.day(dt.date(2027, 2, 2))
    feed = place.open(choice=Choice(reminder=Reminder.EVENING))
    place.fetch(feed)
    clock.advance(dt.timedelta(hours=1))
    release(place, assignment)
    told = clock.now()
    (event,) = place.events(feed)
    assert (event.uid, event["STATUS"], event["SEQUENCE"]) == (assignment.uid, "CANCELLED", 1)
    assert (event["TRANSP"], event.alarms.times) == ("TRANSPARENT", [])
    assert event["SUMMARY"] == "Annulé · Cabinet, « l'Île »"
    assert told == event.LAST_MODIFIED
    clock.move_to(told + dt.timedelta(days=29))
    before, _body = place.fetch(feed)
    assert [event["STATUS"] for event in place.events(feed)] == ["CANCELLED"]
    clock.move_to(told + dt.timedelta(days=30, minutes=1))
    after, _body = place.fetch(feed)
    assert place.events(feed) == []
    assert after.etag != before.etag
    assert after.changed_at > before.changed_at


def test_what_was_never_told_is_not_cancelled(place: Place) -> None:
    feed = place.open()
    release(place, place.day(TUESDAY))
    assert place.events(feed) == []


def test_a_day_on_call_is_told_and_taken_back(
    place: Place, house: House, clock: FixedClock
) -> None:
    on_call(place, THURSDAY, place.doctor)
    on_call(place, TUESDAY, place.doctor)
    # With a doctor in the house all day, that doctor reads the results.
    place.day(TUESDAY, room=1)
    place.day(THURSDAY, Period.AM)
    intern = house.member(place.practice, Role.INTERN, given_name="Eva", family_name="Roy")
    house.assignment(house.need(place.practice, THURSDAY, Period.PM), intern)
    personal, roster = place.open(choice=Choice(parts=[Part.DUTIES])), place.open(FeedKind.ROSTER)
    (event,) = place.events(personal)
    assert event["SUMMARY"] == "Astreinte · Cabinet, « l'Île »"
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (THURSDAY, THURSDAY + dt.timedelta(days=1))
    assert (event["TRANSP"], event["STATUS"]) == ("TRANSPARENT", "CONFIRMED")
    there = {event["SUMMARY"]: event for event in place.events(roster)}
    assert there.keys() == {
        "Astreinte · Zoé Martin",
        "Zoé Martin · Salle 1",
        "Zoé Martin · Salle 2",
        "Eva Roy · Salle 1",
    }

    clock.advance(dt.timedelta(hours=1))
    colleague = house.member(place.practice, Role.REPLACEMENT, given_name="Luc", family_name="Noé")
    place.change(sa.update(Duty).values(doctor_id=colleague.id, version=Duty.version + 1))
    (gone,) = place.events(personal)
    assert (gone["STATUS"], gone["SEQUENCE"]) == ("CANCELLED", 1)
    changed = {event["SUMMARY"]: event for event in place.events(roster)}
    event = changed["Astreinte · Luc Noé"]
    assert event.uid == there["Astreinte · Zoé Martin"].uid
    assert (event["SEQUENCE"], event["STATUS"]) == (1, "CONFIRMED")


def test_an_open_day_leads_to_the_page_where_it_is_taken(
    place: Place, house: House, clock: FixedClock
) -> None:
    need = house.need(place.practice, THURSDAY, Period.AM)
    house.need(place.practice, THURSDAY, Period.PM, room=1, roles=["intern"])
    house.need(place.practice, dt.date(2026, 11, 20))
    # On another day the doctor works already, in the afternoon.
    place.day(TUESDAY, Period.PM)
    house.need(place.practice, TUESDAY, room=1)
    elsewhere = house.practice("Salle")
    house.need(elsewhere, THURSDAY)
    feed = place.open(FeedKind.OPEN)
    (event,) = place.events(feed)
    address = f"{BASE}/p/nieul/needs/{need.id}"
    assert event["SUMMARY"] == "À pourvoir · Cabinet, « l'Île »"
    assert (event["URL"], event["DESCRIPTION"]) == (
        address,
        f"Prendre cette journée : {address}",
    )
    assert (event["TRANSP"], event["STATUS"]) == ("TRANSPARENT", "TENTATIVE")

    clock.advance(dt.timedelta(hours=1))
    colleague = house.member(place.practice, Role.REPLACEMENT)
    taken = house.assignment(need, colleague)
    (event,) = place.events(feed)
    assert (event["STATUS"], event["SEQUENCE"]) == ("CANCELLED", 1)
    clock.advance(dt.timedelta(hours=1))
    release(place, taken)
    (event,) = place.events(feed)
    assert (event["STATUS"], event["SEQUENCE"]) == ("TENTATIVE", 2)
    # What was not taken and is over interests nobody, and was not called off.
    clock.advance(dt.timedelta(days=4))
    assert place.events(feed) == []


def test_an_open_day_withdrawn_is_cancelled(place: Place, house: House, clock: FixedClock) -> None:
    house.need(place.practice, THURSDAY)
    feed = place.open(FeedKind.OPEN)
    place.fetch(feed)
    clock.advance(dt.timedelta(hours=1))
    place.change(sa.update(Need).values(state=NeedState.WITHDRAWN, version=Need.version + 1))
    (event,) = place.events(feed)
    assert event["STATUS"] == "CANCELLED"


def test_what_is_proposed_stands_as_tentative(place: Place, house: House) -> None:
    titular = house.member(place.practice, Role.TITULAR)
    asked, lined = (house.need(place.practice, date) for date in (TUESDAY, THURSDAY))
    question = ask(place, asked, titular, titular)
    propose(place, titular, asked, lined)
    feed = place.open(user=titular)
    first, second = place.events(feed)
    assert first["SUMMARY"] == second["SUMMARY"] == "Proposé · Cabinet, « l'Île »"
    assert first["URL"] == f"{BASE}/asks/{question}"
    assert first["DESCRIPTION"] == f"Répondre : {BASE}/asks/{question}"
    assert second["URL"] == f"{BASE}/p/nieul/needs/{lined.id}"
    for event in (first, second):
        assert (event["STATUS"], event["TRANSP"]) == ("TENTATIVE", "TRANSPARENT")


def test_a_proposal_is_not_told_to_who_may_not_see_it(place: Place, house: House) -> None:
    need = house.need(place.practice, TUESDAY)
    propose(place, place.doctor, need)
    assert place.events(place.open()) == []


def test_a_feed_shows_what_was_chosen(place: Place, clock: FixedClock) -> None:
    place.day(TUESDAY)
    place.day(THURSDAY, state=AssignmentState.HELD)
    feed = place.open(choice=Choice(name=" Mes  jours ", parts=[Part.CONFIRMED]))
    (event,) = place.events(feed)
    assert event["STATUS"] == "CONFIRMED"
    assert b"NAME;LANGUAGE=fr:Mes jours\r\n" in place.fetch(feed)[1]
    actor = place.house.actor(place.doctor)
    for parts, statuses in (
        ([Part.HELD], ["TENTATIVE"]),
        # What is no longer wanted goes without a word, and comes back as it was.
        ([Part.CONFIRMED, Part.HELD], ["CONFIRMED", "TENTATIVE"]),
    ):
        clock.advance(dt.timedelta(hours=1))
        with place.database.transaction() as session:
            subscribing.change_feed(session, actor, feed.id, Choice(parts=parts))
        assert [event["STATUS"] for event in place.events(feed)] == statuses
    assert {event["SEQUENCE"] for event in place.events(feed)} == {0}


def test_a_feed_of_nothing_is_refused(place: Place) -> None:
    for parts in ([], [Part.OPEN]):
        with pytest.raises(InvalidInput) as caught:
            place.open(choice=Choice(parts=parts))
        assert caught.value.code == "feed_empty"


@pytest.mark.parametrize(
    ("reminder", "all_day", "moment"),
    [
        (Reminder.MORNING, False, "2026-11-24T07:00"),
        (Reminder.EVENING, False, "2026-11-23T19:00"),
        (Reminder.WEEK, False, "2026-11-17T19:00"),
        (Reminder.MORNING, True, "2026-11-24T07:00"),
        (Reminder.EVENING, True, "2026-11-23T19:00"),
        (Reminder.WEEK, True, "2026-11-17T19:00"),
    ],
)
def test_a_reminder_comes_when_it_was_asked_for(
    place: Place, reminder: Reminder, all_day: bool, moment: str
) -> None:
    place.day(TUESDAY)
    feed = place.open(choice=Choice(reminder=reminder, all_day=all_day))
    (event,) = place.events(feed)
    (alarm,) = event.walk("VALARM")
    assert alarm["ACTION"] == "DISPLAY"
    begins = event["DTSTART"].dt
    if all_day:
        begins = dt.datetime.combine(begins, dt.time())
    at = begins.replace(tzinfo=None) + alarm["TRIGGER"].dt
    assert at == dt.datetime.fromisoformat(moment)


def test_a_reminder_is_right_across_a_change_of_the_clocks(place: Place) -> None:
    """The clocks went forward in the night of Sunday 28 March 2027: it had 23 hours."""
    place.day(dt.date(2027, 3, 28))
    feed = place.open(choice=Choice(reminder=Reminder.EVENING))
    (event,) = place.events(feed)
    (alarm,) = event.walk("VALARM")
    at = event["DTSTART"].dt.astimezone(dt.UTC) + alarm["TRIGGER"].dt
    assert at == dt.datetime.fromisoformat("2027-03-27T19:00+01:00")


def test_two_changes_within_a_second_have_two_dates(place: Place, clock: FixedClock) -> None:
    feed = place.open()
    first, _body = place.fetch(feed)
    clock.advance(dt.timedelta(milliseconds=300))
    place.day(TUESDAY)
    second, _body = place.fetch(feed)
    assert second.changed_at.replace(microsecond=0) > first.changed_at


def test_a_revoked_feed_forgets_what_it_told(place: Place, house: House) -> None:
    place.day(TUESDAY)
    feed = place.open()
    place.fetch(feed)
    with place.database.transaction() as session:
        subscribing.revoke_feed(session, house.actor(place.doctor), feed.id)
    with place.database.session() as session:
        assert session.scalars(sa.select(FeedEvent)).all() == []


def test_fetching_at_once_tells_each_day_once(place: Place) -> None:
    for offset in range(5):
        place.day(TUESDAY + dt.timedelta(days=offset))
    feed = place.open()
    assert at_once(*[lambda: place.fetch(feed)] * 6) == [None] * 6
    assert len(place.events(feed)) == 5


def test_the_database_does_not_know_the_address(place: Place) -> None:
    feed = place.open()
    token = place.token(feed)
    with place.database.session() as session:
        row = session.execute(sa.select(Feed.__table__)).one()
    assert all(token not in str(value) for value in row)
    assert subscribing.feed_address(feed, secret="another key altogether", base_url=BASE) is None


def test_a_user_has_as_many_feeds_as_they_like(place: Place, house: House) -> None:
    first, second = place.open(), place.open()
    assert place.token(first) != place.token(second)
    place.open(FeedKind.ROSTER)
    with place.database.session() as session:
        found = queries.feeds_of(session, place.doctor.id)
        kinds = [feed.kind for feed in found]
        assert kinds == [FeedKind.PERSONAL, FeedKind.PERSONAL, FeedKind.ROSTER]
        assert found[2].practice is not None
    for _more in range(rules.MOST_FEEDS - 3):
        place.open()
    with pytest.raises(InvalidInput) as caught:
        place.open()
    assert caught.value.code == "feed_too_many"


def test_renewing_and_revoking(place: Place, house: House) -> None:
    feed = place.open()
    place.fetch(feed)
    old = place.token(feed)
    actor = house.actor(place.doctor)
    with place.database.transaction() as session:
        renewed = subscribing.renew_feed(session, actor, feed.id, secret=SECRET)
    assert (renewed.id, renewed.last_fetched_at) == (feed.id, None)
    assert place.token(renewed) != old
    place.fetch(renewed)
    with place.database.transaction() as session:
        subscribing.revoke_feed(session, actor, feed.id)
    for token in (old, place.token(renewed), "", "x" * 43):
        with pytest.raises(NotFound) as caught, place.database.transaction() as session:
            answering.fetch(session, token, all_day=False, client="", links=LINKS)
        assert (caught.value.code, caught.value.facts) == ("feed_not_found", {})
    with pytest.raises(NotFound), place.database.transaction() as session:
        subscribing.renew_feed(session, actor, feed.id, secret=SECRET)
    assert place.open().id != feed.id
    with place.database.session() as session:
        events = session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.sequence))
        assert list(events) == ["feed.opened", "feed.renewed", "feed.revoked", "feed.opened"]


def test_nobody_touches_anothers_feed(place: Place, house: House) -> None:
    feed = place.open()
    stranger = house.actor(house.member(place.practice, Role.TITULAR))
    with pytest.raises(NotFound), place.database.transaction() as session:
        subscribing.renew_feed(session, stranger, feed.id, secret=SECRET)
    with pytest.raises(NotFound), place.database.transaction() as session:
        subscribing.revoke_feed(session, stranger, feed.id)
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
            subscribing.open_feed(session, actor, kind, practice_id, secret=SECRET)


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
