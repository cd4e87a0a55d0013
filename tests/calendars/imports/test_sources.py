"""Calendars that doctors let Relais read: kept, looked at again, failing, let go of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.calendars.fetching import Fetched
from scheduler.calendars.imports import polling, rules, sources
from scheduler.calendars.models import CalendarSource, SourceUse
from scheduler.core.clock import FixedClock
from scheduler.core.errors import Forbidden, InvalidInput, NotFound
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster import availabilities
from scheduler.roster.availability_queries import availabilities_between
from scheduler.roster.availability_rules import HalfDay, expand
from scheduler.roster.board import board_between
from scheduler.roster.models import ImportedHalf
from scheduler.roster.rules import Half, Period, Preference
from tests.factories import House
from tests.support import audited

DAY = dt.date(2026, 12, 3)
ADDRESS = "https://calendar.test/secret.ics"
HOUR = dt.timedelta(hours=1)


def calendar(*events: tuple[str, str, str], extra: str = "") -> bytes:
    """A calendar of timed events: title, start and end in local time."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//Test//EN"]
    for number, (title, start, end) in enumerate(events):
        lines += [
            "BEGIN:VEVENT",
            f"UID:{number}@test",
            "DTSTAMP:20261101T000000Z",
            f"DTSTART;TZID=Europe/Paris:{start}",
            f"DTEND;TZID=Europe/Paris:{end}",
            f"SUMMARY:{title}",
            *([extra] if extra else []),
            "END:VEVENT",
        ]
    return ("\r\n".join([*lines, "END:VCALENDAR"]) + "\r\n").encode()


THURSDAY = calendar(("Dispo", "20261203T083000", "20261203T183000"))
THURSDAY_MORNING = calendar(("Dentiste", "20261203T090000", "20261203T100000"))


class Scripted:
    """Answers what it is told to, and remembers the marks it was asked with."""

    def __init__(self, *answers: Fetched | str) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str | None, str | None]] = []

    def fetch(
        self, address: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> Fetched:
        assert address == ADDRESS
        self.asked.append((etag, last_modified))
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            raise InvalidInput(answer, field="address")
        return answer


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice()


@pytest.fixture
def doctor(house: House, practice: Practice) -> User:
    return house.member(practice, Role.REPLACEMENT)


def keep(
    house: House,
    user: User,
    said: Mapping[HalfDay, Preference | None],
    use: SourceUse = SourceUse.AVAILABILITY,
    **options: Any,
) -> CalendarSource:
    with house.database.transaction() as session:
        return sources.keep(session, house.actor(user), use, "Agenda", said, **options)


def counts(house: House, doctor: User) -> dict[HalfDay, Preference]:
    with house.database.session() as session:
        said = availabilities_between(session, [doctor.id], DAY, DAY)[doctor.id]
        return expand(*said, DAY, DAY, None)


def source_now(house: House) -> CalendarSource:
    with house.database.session() as session:
        return session.scalars(sa.select(CalendarSource)).one()


def subscribe(house: House, doctor: User, use: SourceUse = SourceUse.AVAILABILITY) -> None:
    said = {(DAY, Half.AM): Preference.WANTED}
    keep(house, doctor, said, use, address=ADDRESS, marks=Fetched(None, '"0"', None))


def test_what_a_calendar_says_counts_and_goes_with_it(
    house: House, practice: Practice, doctor: User
) -> None:
    source = keep(
        house, doctor, {(DAY, Half.AM): Preference.POSSIBLE, (DAY, Half.PM): Preference.WANTED}
    )
    assert counts(house, doctor) == {
        (DAY, Half.AM): Preference.POSSIBLE,
        (DAY, Half.PM): Preference.WANTED,
    }
    with house.database.transaction() as session:
        sources.remove(session, house.actor(doctor), source.id)
    assert counts(house, doctor) == {}
    assert audited(house.database) == ["calendar_source.kept", "calendar_source.removed"]


def test_a_busy_day_is_marked_on_the_board_and_refuses_nothing(
    house: House, practice: Practice, doctor: User
) -> None:
    house.need(practice, DAY)
    keep(house, doctor, {(DAY, Half.PM): None}, SourceUse.BUSY)
    with house.database.session() as session:
        (day,) = board_between(session, house.actor(doctor), DAY, DAY).days
    assert day.busy
    assert day.may_take


def test_titles_of_busy_times_are_nowhere_in_the_database(
    house: House, practice: Practice, doctor: User
) -> None:
    columns = {column.name for column in ImportedHalf.__table__.columns}
    assert columns == {"id", "doctor_id", "source_id", "date", "half", "busy", "preference"}


def test_only_doctors_import_and_only_for_themselves(
    house: House, practice: Practice, doctor: User
) -> None:
    secretary = house.member(practice, Role.SECRETARY)
    with pytest.raises(Forbidden):
        keep(house, secretary, {(DAY, Half.AM): None})
    source = keep(house, doctor, {(DAY, Half.AM): None}, SourceUse.BUSY)
    other = house.member(practice, Role.REPLACEMENT)
    with house.database.transaction() as session, pytest.raises(NotFound):
        sources.remove(session, house.actor(other), source.id)
    with house.database.transaction() as session, pytest.raises(InvalidInput, match="is_a_file"):
        sources.read_again(session, house.actor(doctor), source.id)


def test_what_cannot_be_kept_is_refused(house: House, practice: Practice, doctor: User) -> None:
    with pytest.raises(InvalidInput, match="calendar_says_nothing"):
        keep(house, doctor, {})
    for number in range(rules.MOST_SOURCES):
        keep(house, doctor, {}, address=f"{ADDRESS}?{number}")
    # The same address again is the same subscription.
    keep(house, doctor, {}, address=f"{ADDRESS}?0")
    with pytest.raises(InvalidInput, match="calendar_sources_many"):
        keep(house, doctor, {}, address=ADDRESS)


def test_a_preview_tells_what_is_new_from_what_is_not(
    house: House, practice: Practice, doctor: User
) -> None:
    with house.database.transaction() as session:
        availabilities.set_days(
            session, house.actor(doctor), doctor.id, [DAY], Period.AM, Preference.LAST_RESORT
        )
    later = DAY + dt.timedelta(days=1)
    keep(house, doctor, {(later, Half.AM): Preference.POSSIBLE, (later, Half.PM): None})
    words = [
        rules.Word(DAY, Half.AM, Preference.WANTED, "a"),
        rules.Word(DAY, Half.PM, Preference.WANTED, "b"),
        rules.Word(later, Half.AM, Preference.POSSIBLE, "c"),
        rules.Word(later, Half.PM, Preference.WANTED, "d"),
    ]
    with house.database.session() as session:
        effect = sources.preview(session, house.actor(doctor), words)
    assert effect == rules.Effect(
        new={(DAY, Half.PM): Preference.WANTED},
        changed={(later, Half.PM): Preference.WANTED},
        outranked=frozenset({(DAY, Half.AM)}),
        same=1,
    )


def test_the_worker_reads_a_subscription_every_hour(
    house: House, practice: Practice, doctor: User, clock: FixedClock
) -> None:
    subscribe(house, doctor)
    fetcher = Scripted(Fetched(THURSDAY, '"1"', "then"), Fetched(None, '"1"', "then"))
    assert not polling.poll_one(house.database, fetcher)
    clock.advance(HOUR)
    assert polling.poll_one(house.database, fetcher)
    assert not polling.poll_one(house.database, fetcher)
    assert counts(house, doctor) == {
        (DAY, Half.AM): Preference.WANTED,
        (DAY, Half.PM): Preference.WANTED,
    }
    read_at = source_now(house).read_at
    clock.advance(HOUR)
    assert polling.poll_one(house.database, fetcher)
    assert fetcher.asked == [('"0"', None), ('"1"', "then")]
    after = source_now(house)
    assert (after.read_at, after.answered_at) == (read_at, clock.now())
    # After a week everything is read anew: repetitions reach further by then.
    clock.advance(rules.READ_ANEW)
    again = Scripted(Fetched(THURSDAY, '"1"', "then"))
    assert polling.poll_one(house.database, again)
    assert again.asked == [(None, None)]


def test_the_same_calendar_as_busy_times(
    house: House, practice: Practice, doctor: User, clock: FixedClock
) -> None:
    subscribe(house, doctor, SourceUse.BUSY)
    clock.advance(HOUR)
    polling.poll_one(house.database, Scripted(Fetched(THURSDAY_MORNING, None, None)))
    with house.database.session() as session:
        halves = session.execute(sa.select(ImportedHalf.half, ImportedHalf.busy)).all()
    assert [tuple(row) for row in halves] == [(Half.AM, True)]


def test_what_was_read_last_stays_while_an_address_fails_and_its_doctor_is_told_once(
    house: House, practice: Practice, doctor: User, clock: FixedClock
) -> None:
    subscribe(house, doctor)
    clock.advance(HOUR)
    failing = Scripted(*["calendar_fetch_unreachable"] * 40)
    began = clock.now()
    while clock.now() - began < dt.timedelta(days=3):
        polling.poll_one(house.database, failing)
        told = messages(house)
        if clock.now() - began < rules.PATIENCE:
            assert told == []
        clock.advance(dt.timedelta(minutes=30))
    assert counts(house, doctor) == {(DAY, Half.AM): Preference.WANTED}
    assert [(told.kind, told.recipient_id) for told in messages(house)] == [
        (polling.FAILING, doctor.id)
    ]
    # Tried less and less often.
    assert 12 < len(failing.asked) < 24
    source = source_now(house)
    assert source.failure == "calendar_fetch_unreachable"
    assert source.failing_since == began
    with house.database.transaction() as session:
        sources.read_again(session, house.actor(doctor), source.id)
    assert polling.poll_one(house.database, Scripted(Fetched(THURSDAY, None, None)))
    assert source_now(house).failing_since is None
    # A second trouble is told anew.
    clock.advance(HOUR)
    polling.poll_one(house.database, Scripted("calendar_fetch_slow"))
    clock.advance(rules.PATIENCE)
    polling.poll_one(house.database, Scripted("calendar_fetch_slow"))
    assert len(messages(house)) == 2


@pytest.mark.parametrize("content", [b"", b"<html>", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"])
def test_a_calendar_that_cannot_be_read_changes_nothing(
    house: House, practice: Practice, doctor: User, clock: FixedClock, content: bytes
) -> None:
    subscribe(house, doctor)
    clock.advance(HOUR)
    polling.poll_one(house.database, Scripted(Fetched(content, '"x"', None)))
    assert counts(house, doctor) == {(DAY, Half.AM): Preference.WANTED}
    source = source_now(house)
    assert source.failure is not None
    assert source.etag == '"0"'


def test_a_look_whose_calendar_was_let_go_of_meanwhile_ends_quietly(
    house: House, practice: Practice, doctor: User, clock: FixedClock
) -> None:
    subscribe(house, doctor)
    clock.advance(HOUR)

    class Meanwhile(Scripted):
        def fetch(self, address: str, **marks: Any) -> Fetched:
            with house.database.transaction() as session:
                sources.remove(session, house.actor(doctor), source.id)
            return super().fetch(address, **marks)

    source = source_now(house)
    assert polling.poll_one(house.database, Meanwhile(Fetched(THURSDAY, None, None)))
    assert counts(house, doctor) == {}


def messages(house: House) -> list[OutboxMessage]:
    with house.database.session() as session:
        return list(session.scalars(sa.select(OutboxMessage)))
