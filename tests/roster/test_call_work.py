"""Calls as the worker finds them, and as people read them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from scheduler.core.clock import FixedClock
from scheduler.core.errors import (
    InvalidInput,
    NotFound,
)
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.jobs import Worker
from scheduler.people.models import Practice
from scheduler.roster import (
    call_queries,
    call_work,
    calls,
)
from scheduler.roster.models import Invitation
from scheduler.roster.rules import (
    CallState,
    InvitationState,
    Preference,
)
from tests.factories import House
from tests.roster.called import DAY, HOUR, MONDAY, TUESDAY, Cabinet, cabinet_of
from tests.support import at_once, audited, count_queries


@pytest.fixture
def cabinet(house: House, clock: FixedClock) -> Cabinet:
    return cabinet_of(house, clock)


def test_a_thin_week_is_found_and_its_titulars_are_told_once(cabinet: Cabinet) -> None:
    possible = cabinet.doctor(Preference.POSSIBLE)
    wanted = cabinet.doctor(Preference.WANTED, TUESDAY)
    last = cabinet.doctor(Preference.LAST_RESORT)
    silent = cabinet.doctor()
    cabinet.doctor(role=Role.SECRETARY)
    absent = cabinet.doctor()
    cabinet.house.available(absent, MONDAY, TUESDAY, preference=None)
    (call,) = cabinet.find()
    assert (call.monday, call.state, call.urgent) == (MONDAY, CallState.PREPARED, False)
    assert {day.need_id for day in call.days} == {cabinet.monday.id, cabinet.tuesday.id}
    waiting = InvitationState.WAITING
    assert cabinet.invited() == [
        (wanted.id, 1, waiting),
        (possible.id, 1, waiting),
        (last.id, 2, waiting),
        (silent.id, 2, waiting),
        (cabinet.titular.id, 3, waiting),
    ]
    assert [len(row.days) for row in call.invitations] == [2, 2, 2, 2, 2]
    assert {day.preference for day in call.invitations[0].days} == {Preference.WANTED, None}
    assert cabinet.told() == [("call.prepared", cabinet.titular.id)]
    assert cabinet.look_again()[0].version == call.version
    assert cabinet.told() == [("call.prepared", cabinet.titular.id)]
    assert audited(cabinet.database) == ["call.prepared"]


def test_each_practice_has_its_turn_once_an_hour(cabinet: Cabinet) -> None:
    cabinet.house.practice()
    assert [cabinet.do(None, call_work.find_thin_weeks) for _ in range(3)] == [1, 1, 0]
    cabinet.clock.advance(HOUR - dt.timedelta(seconds=1))
    assert cabinet.do(None, call_work.find_thin_weeks) == 0
    cabinet.clock.advance(dt.timedelta(seconds=1))
    assert cabinet.do(None, call_work.find_thin_weeks) == 1


def test_nobody_is_told_at_night(cabinet: Cabinet) -> None:
    cabinet.clock.move_to(dt.datetime(2026, 11, 23, 20, 30, tzinfo=dt.UTC))
    assert cabinet.find() == []
    cabinet.clock.move_to(dt.datetime(2026, 11, 24, 6, 30, tzinfo=dt.UTC))
    assert len(cabinet.find()) == 1


@pytest.mark.parametrize(
    ("weeks_ahead", "minimum", "found"), [(1, 2, 0), (2, 2, 1), (4, 0, 0), (4, 5, 1)]
)
def test_how_far_and_how_few(
    house: House, cabinet: Cabinet, weeks_ahead: int, minimum: int, found: int
) -> None:
    with cabinet.database.transaction() as session:
        practice = session.get_one(Practice, cabinet.practice.id)
        practice.call_weeks_ahead, practice.weekly_minimum = weeks_ahead, minimum
    # This week is everybody's to see already.
    house.need(cabinet.practice, house.today + DAY)
    assert len(cabinet.find()) == found


def test_a_week_with_enough_days_is_left_alone(house: House, cabinet: Cabinet) -> None:
    for need in (cabinet.monday, cabinet.tuesday):
        house.assignment(need, cabinet.doctor())
    house.need(cabinet.practice, MONDAY + 2 * DAY)
    assert cabinet.find() == []


def test_a_prepared_call_follows_the_week(house: House, cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    hugo = cabinet.doctor(Preference.WANTED)
    third = house.need(cabinet.practice, MONDAY + 2 * DAY)
    (call,) = cabinet.look_again()
    assert {day.need_id for day in call.days} == {cabinet.monday.id, cabinet.tuesday.id, third.id}
    assert [row.doctor_id for row in call.invitations] == [hugo.id, lea.id, cabinet.titular.id]
    assert cabinet.told() == [("call.prepared", cabinet.titular.id)]
    house.assignment(cabinet.monday, lea)
    house.assignment(cabinet.tuesday, hugo)
    (call,) = cabinet.look_again()
    # The week has its two days: nobody needs to be asked for the third.
    assert call.state is CallState.ENDED
    assert audited(cabinet.database)[-1] == "call.ended"
    assert cabinet.told() == [("call.prepared", cabinet.titular.id)]


def test_two_workers_prepare_one_call(cabinet: Cabinet) -> None:
    cabinet.doctor(Preference.POSSIBLE)

    def look() -> None:
        cabinet.do(None, call_work.find_thin_weeks)

    assert at_once(*[look] * 6) == [None] * 6
    assert len(cabinet.calls()) == 1
    assert cabinet.told() == [("call.prepared", cabinet.titular.id)]


def test_queries_do_not_grow_with_doctors(house: House, cabinet: Cabinet) -> None:
    def queries() -> tuple[int, int, int]:
        call = cabinet.call()
        uid = next(row.uid for row in call.invitations if row.sent_at is not None)
        found = []
        with cabinet.database.session() as session:
            invitation = call_queries.invitation_of(session, uid)
            doctor = invitation.doctor
        actor = house.actor(doctor)
        reads: list[Any] = [
            lambda session: call_queries.calls_of(session, cabinet.practice.id),
            lambda session: call_queries.call_detail(session, cabinet.practice.id, call.id),
            lambda session: call_queries.answer_of(session, actor, uid),
            lambda session: call_queries.open_invitations_of(session, invitation.doctor_id),
        ]
        for read in reads:
            with cabinet.database.session() as session, count_queries(cabinet.database) as sent:
                assert read(session)
            found.append(len(sent))
        return tuple(found)  # type: ignore[return-value]

    for _ in range(3):
        cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.send()
    few = queries()
    cabinet.do(cabinet.titular, calls.stop, cabinet.call().id)
    for offset in range(2, 5):
        house.need(cabinet.practice, MONDAY + offset * DAY)
    for _ in range(40):
        cabinet.doctor(Preference.POSSIBLE)
    cabinet.look_again()
    with count_queries(cabinet.database) as looked:
        cabinet.look_again()
    cabinet.send()
    assert queries() == few
    # Looking at a week costs as much for forty doctors as for three.
    house.need(cabinet.practice, MONDAY + 5 * DAY)
    assert len(looked) < 150


def test_open_invitations(house: House, cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.send()

    def listed() -> list[tuple[Invitation, int]]:
        with cabinet.database.session() as session:
            found = call_queries.open_invitations_of(session, lea.id)
            return [(one.invitation, len(one.days)) for one in found]

    ((invitation, days),) = listed()
    assert (invitation.uid, days) == (cabinet.link(lea), 2)
    house.assignment(cabinet.monday, cabinet.doctor())
    assert [days for _, days in listed()] == [1]
    house.assignment(cabinet.tuesday, cabinet.doctor())
    assert listed() == []


def test_a_call_of_another_practice_is_not_there(house: House, cabinet: Cabinet) -> None:
    cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    other, call = house.practice(), cabinet.call()
    with cabinet.database.session() as session:
        assert len(call_queries.calls_of(session, cabinet.practice.id)) == 1
        assert call_queries.calls_of(session, other.id) == []
        with pytest.raises(NotFound) as raised:
            call_queries.call_detail(session, other.id, call.id)
    assert raised.value.code == "call_not_found"


def test_words_too_long_name_their_field(cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    with pytest.raises(InvalidInput) as raised:
        cabinet.send([lea], "x" * 501)
    assert raised.value.facts == {"field": "message", "most": 500}


def test_a_worker_does_both(cabinet: Cabinet, settings: Settings) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    ines = cabinet.doctor(Preference.LAST_RESORT)
    worker = Worker(settings)
    worker.database.clock = cabinet.clock
    try:
        worker.tick()
        cabinet.send([lea, ines])
        cabinet.clock.advance(24 * HOUR)
        worker.tick()
    finally:
        worker.close()
    assert cabinet.told("call.") == [
        ("call.prepared", cabinet.titular.id),
        ("call.invited", lea.id),
        ("call.invited", ines.id),
    ]
