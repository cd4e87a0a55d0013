"""Calls for volunteers, as titulars send them and absences make them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core import audit
from scheduler.core.clock import FixedClock
from scheduler.core.errors import (
    Conflict,
    Forbidden,
    RelaisError,
)
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster import (
    assignments,
    call_answers,
    calls,
    releasing,
)
from scheduler.roster.models import Assignment, Call, Need
from scheduler.roster.rules import (
    AssignmentState,
    CallState,
    InvitationState,
    Preference,
    ReleaseKind,
)
from tests.factories import House
from tests.roster.called import DAY, HOUR, MONDAY, TUESDAY, Cabinet, cabinet_of
from tests.support import audited


@pytest.fixture
def cabinet(house: House, clock: FixedClock) -> Cabinet:
    return cabinet_of(house, clock)


def test_the_first_wave_leaves_when_the_call_is_sent(cabinet: Cabinet) -> None:
    lea, hugo = cabinet.doctor(Preference.POSSIBLE), cabinet.doctor(Preference.POSSIBLE)
    ines = cabinet.doctor(Preference.LAST_RESORT)
    cabinet.find()
    sent = cabinet.send([lea, ines, cabinet.titular], "  Merci\r\nbeaucoup ")
    assert (sent.state, sent.message) == (CallState.SENT, "Merci\nbeaucoup")
    assert (sent.sent_by, sent.wave) == (cabinet.titular.id, 1)
    assert sent.next_wave_at == cabinet.clock.now() + 24 * HOUR
    assert cabinet.told("call.invited") == [("call.invited", lea.id)]
    assert cabinet.state_of(hugo) is InvitationState.OBSOLETE
    assert audited(cabinet.database) == ["call.prepared", "call.sent", "call.wave"]
    with cabinet.database.session() as session:
        details = list(session.scalars(sa.select(audit.AuditEvent.details)))
    assert "Merci" not in str(details)


def test_waves_follow_each_other(cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    ines = cabinet.doctor(Preference.LAST_RESORT)
    cabinet.find()
    cabinet.send()
    assert cabinet.advance(24 * HOUR - dt.timedelta(seconds=1)) == 0
    assert cabinet.advance(dt.timedelta(seconds=1)) == 1
    assert cabinet.told("call.invited")[-1] == ("call.invited", ines.id)
    assert cabinet.advance() == 0
    assert cabinet.advance(24 * HOUR) == 1
    assert cabinet.told("call.invited") == [
        ("call.invited", lea.id),
        ("call.invited", ines.id),
        ("call.invited", cabinet.titular.id),
    ]
    assert not cabinet.call().has_other_wave


def test_titulars_are_told_once_that_the_last_wave_stays_without_an_answer(
    cabinet: Cabinet,
) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.send([lea])
    assert cabinet.advance(24 * HOUR - dt.timedelta(seconds=1)) == 0
    assert cabinet.told("call.unanswered") == []
    assert cabinet.advance(dt.timedelta(seconds=1)) == 1
    assert cabinet.told("call.unanswered") == [("call.unanswered", cabinet.titular.id)]
    # The call stays open, and nothing else is said of it.
    assert cabinet.call().state is CallState.SENT
    assert cabinet.advance(48 * HOUR) == 0
    cabinet.take(lea, cabinet.monday)
    assert cabinet.advance(48 * HOUR) == 0
    assert cabinet.told("call.unanswered") == [("call.unanswered", cabinet.titular.id)]
    assert "call.unanswered" in audited(cabinet.database)


def test_titulars_need_not_wait_where_everybody_has_said_no(cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.send([lea])
    cabinet.do(None, call_answers.decline, cabinet.link(lea))
    assert cabinet.advance() == 1
    assert cabinet.told("call.unanswered") == [("call.unanswered", cabinet.titular.id)]


def test_no_other_wave_leaves_for_a_week_that_has_its_minimum(
    house: House, cabinet: Cabinet
) -> None:
    lea, hugo = cabinet.doctor(Preference.POSSIBLE), cabinet.doctor(Preference.POSSIBLE)
    ines = cabinet.doctor(Preference.LAST_RESORT)
    house.need(cabinet.practice, MONDAY + 2 * DAY)
    cabinet.find()
    cabinet.send()
    for need in (cabinet.monday, cabinet.tuesday):
        cabinet.take(lea, need)
    # Whoever was asked has their time to answer for the third day.
    assert cabinet.advance() == 0
    assert cabinet.advance(24 * HOUR) == 1
    assert cabinet.call().state is CallState.FILLED
    assert cabinet.state_of(ines) is InvitationState.OBSOLETE
    assert ("call.invited", ines.id) not in cabinet.told("call.invited")
    assert cabinet.told("call.filled") == [("call.filled", hugo.id)]
    assert cabinet.told("call.unanswered") == []
    assert [call.state for call in cabinet.look_again()] == [CallState.FILLED]


def test_titulars_are_not_told_of_days_that_their_minimum_does_not_need(
    house: House, cabinet: Cabinet
) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    house.need(cabinet.practice, MONDAY + 2 * DAY)
    cabinet.find()
    cabinet.send([lea])
    for need in (cabinet.monday, cabinet.tuesday):
        cabinet.take(lea, need)
    assert cabinet.advance(24 * HOUR) == 1
    assert cabinet.call().state is CallState.FILLED
    assert cabinet.told("call.unanswered") == []


def test_a_wave_that_reaches_nobody_takes_no_time(cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    ines = cabinet.doctor(Preference.LAST_RESORT)
    cabinet.find()
    cabinet.send([ines, cabinet.titular])
    assert cabinet.told("call.invited") == [("call.invited", ines.id)]
    # Meanwhile Inès' wave has left, and the titular has become somebody who cannot.
    cabinet.house.available(cabinet.titular, MONDAY, TUESDAY, preference=None)
    assert cabinet.advance(24 * HOUR) == 1
    assert cabinet.told("call.invited") == [("call.invited", ines.id)]
    assert cabinet.state_of(cabinet.titular) is InvitationState.OBSOLETE
    assert cabinet.state_of(lea) is InvitationState.OBSOLETE
    assert not cabinet.call().has_other_wave
    # There is nobody to wait for.
    assert cabinet.advance() == 1
    assert cabinet.told("call.unanswered") == [("call.unanswered", cabinet.titular.id)]


def test_quiet_hours_are_kept(cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.doctor(Preference.LAST_RESORT)
    cabinet.find()
    cabinet.clock.move_to(dt.datetime(2026, 11, 23, 21, 0, tzinfo=dt.UTC))
    sent = cabinet.send()
    morning = dt.datetime(2026, 11, 24, 6, 30, tzinfo=dt.UTC)
    assert (sent.wave, sent.next_wave_at) == (0, morning)
    cabinet.do(cabinet.titular, calls.send_next_wave, sent.id)
    assert cabinet.told("call.invited") == []
    cabinet.clock.move_to(morning)
    assert cabinet.advance() == 1
    assert cabinet.told("call.invited") == [("call.invited", lea.id)]


def test_nobody_is_told_at_night_that_a_call_is_filled(cabinet: Cabinet) -> None:
    lea, hugo = cabinet.doctor(Preference.POSSIBLE), cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.send()
    cabinet.clock.move_to(dt.datetime(2026, 11, 23, 21, 0, tzinfo=dt.UTC))
    for need in (cabinet.monday, cabinet.tuesday):
        cabinet.take(lea, need)
    assert cabinet.advance() == 0
    cabinet.clock.move_to(dt.datetime(2026, 11, 24, 6, 30, tzinfo=dt.UTC))
    assert cabinet.advance() == 1
    assert cabinet.told("call.filled") == [("call.filled", hugo.id)]


def test_the_next_wave_can_be_sent_now(cabinet: Cabinet) -> None:
    cabinet.doctor(Preference.POSSIBLE)
    ines = cabinet.doctor(Preference.LAST_RESORT)
    cabinet.find()
    call = cabinet.send()
    cabinet.do(cabinet.titular, calls.send_next_wave, call.id)
    assert cabinet.told("call.invited")[-1] == ("call.invited", ines.id)
    cabinet.do(cabinet.titular, calls.send_next_wave, call.id)
    with pytest.raises(Conflict) as raised:
        cabinet.do(cabinet.titular, calls.send_next_wave, call.id)
    assert raised.value.code == "call_no_other_wave"


def test_whoever_can_no_longer_come_is_not_asked(house: House, cabinet: Cabinet) -> None:
    cabinet.doctor(Preference.POSSIBLE)
    ines = cabinet.doctor(Preference.LAST_RESORT)
    paul = cabinet.doctor(Preference.LAST_RESORT)
    cabinet.find()
    cabinet.send()
    elsewhere = house.practice()
    for day in (MONDAY, TUESDAY):
        house.assignment(house.need(elsewhere, day), ines)
    cabinet.advance(24 * HOUR)
    assert cabinet.told("call.invited")[-1] == ("call.invited", paul.id)
    assert cabinet.state_of(ines) is InvitationState.OBSOLETE


def test_whom_the_practice_itself_refuses_is_not_asked(cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    with cabinet.database.transaction() as session:
        session.get_one(Practice, cabinet.practice.id).local_half_days_per_week = 1
    cabinet.send()
    assert cabinet.told("call.invited") == [("call.invited", cabinet.titular.id)]
    assert cabinet.state_of(lea) is InvitationState.OBSOLETE


def test_what_cannot_be_sent(cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    secretary = cabinet.doctor(role=Role.SECRETARY)
    stranger = cabinet.house.member(cabinet.house.practice(), Role.TITULAR)
    cabinet.find()
    call = cabinet.call()

    def code(who: User, doctors: list[int], message: str = "") -> str:
        with pytest.raises(RelaisError) as raised:
            cabinet.do(who, calls.send, call.id, doctors, message)
        return raised.value.code

    assert code(cabinet.titular, []) == "call_nobody"
    assert code(cabinet.titular, [secretary.id]) == "call_nobody"
    assert code(cabinet.titular, [lea.id], "x" * 501) == "call_message_too_long"
    assert code(secretary, [lea.id]) == "forbidden"
    assert code(lea, [lea.id]) == "forbidden"
    assert code(stranger, [lea.id]) == "call_not_found"
    for use_case in (calls.stop, calls.dismiss, calls.restore, calls.send_next_wave):
        with pytest.raises(Forbidden):
            cabinet.do(secretary, use_case, call.id)
    cabinet.send([lea])
    assert code(cabinet.titular, [lea.id]) == "call_decided"


def test_a_call_whose_days_are_filled_is_not_sent(house: House, cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    for need in (cabinet.monday, cabinet.tuesday):
        house.assignment(need, cabinet.doctor())
    with pytest.raises(Conflict) as raised:
        cabinet.send([lea])
    assert raised.value.code == "call_days_filled"
    # The worker sees it too.
    assert cabinet.advance() == 1
    assert cabinet.call().state is CallState.ENDED


def test_not_now_can_be_taken_back(cabinet: Cabinet) -> None:
    cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    call = cabinet.call()
    for _ in range(2):
        cabinet.do(cabinet.titular, calls.dismiss, call.id)
    assert cabinet.call().state is CallState.DISMISSED
    assert len(cabinet.look_again()) == 1
    for _ in range(2):
        cabinet.do(cabinet.titular, calls.restore, call.id)
    assert cabinet.call().state is CallState.PREPARED
    cabinet.send()
    for use_case in (calls.dismiss, calls.restore):
        with pytest.raises(Conflict) as raised:
            cabinet.do(cabinet.titular, use_case, call.id)
        assert raised.value.code == "call_decided"
    assert audited(cabinet.database)[:3] == ["call.prepared", "call.dismissed", "call.restored"]


def test_a_dismissed_week_comes_back_when_it_has_changed(house: House, cabinet: Cabinet) -> None:
    cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    call = cabinet.call()
    cabinet.do(cabinet.titular, calls.dismiss, call.id)
    hugo = cabinet.doctor(Preference.POSSIBLE)
    assert len(cabinet.look_again()) == 2
    assert hugo.id in {row.doctor_id for row in cabinet.call().invitations}
    with pytest.raises(Conflict) as raised:
        cabinet.do(cabinet.titular, calls.restore, call.id)
    assert raised.value.code == "call_replaced"
    cabinet.do(cabinet.titular, calls.dismiss, cabinet.call().id)
    house.need(cabinet.practice, MONDAY + 3 * DAY)
    assert len(cabinet.look_again()) == 3


def test_a_stopped_call_asks_nobody_else(cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.doctor(Preference.LAST_RESORT)
    cabinet.find()
    call = cabinet.send()
    for _ in range(2):
        cabinet.do(cabinet.titular, calls.stop, call.id)
    assert cabinet.call().state is CallState.ENDED
    assert {state for _, _, state in cabinet.invited()} == {InvitationState.OBSOLETE}
    assert cabinet.told("call.filled") == [("call.filled", lea.id)]
    assert cabinet.advance(72 * HOUR) == 0
    with pytest.raises(Conflict) as raised:
        cabinet.take(lea, cabinet.monday)
    assert raised.value.code == "call_over"


def test_nobody_is_asked_twice_for_the_same_days(house: House, cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.do(cabinet.titular, calls.stop, cabinet.send([lea]).id)
    assert len(cabinet.look_again()) == 1
    hugo = cabinet.doctor(Preference.POSSIBLE)
    assert len(cabinet.look_again()) == 2
    # The titular was not asked by the first call, Léa was.
    assert [doctor for doctor, _, _ in cabinet.invited()] == [hugo.id, cabinet.titular.id]
    # A day that comes to the week is a reason to ask her again.
    house.need(cabinet.practice, MONDAY + 2 * DAY)
    house.available(lea, MONDAY + 2 * DAY, preference=Preference.POSSIBLE)
    cabinet.look_again()
    assert lea.id in {doctor for doctor, _, _ in cabinet.invited()}


def test_a_day_given_back_may_be_asked_for_again(house: House, cabinet: Cabinet) -> None:
    lea, hugo = cabinet.doctor(Preference.POSSIBLE), cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.send([lea, hugo])
    cabinet.take(hugo, cabinet.monday)
    taken = cabinet.take(hugo, cabinet.tuesday)
    cabinet.advance()
    assert cabinet.call().state is CallState.FILLED
    cabinet.clock.advance(HOUR)
    cabinet.do(cabinet.titular, releasing.release, taken.id, "Formation")
    cabinet.find()
    call = cabinet.call()
    assert (call.state, len(call.days)) == (CallState.PREPARED, 1)
    assert [doctor for doctor, _, _ in cabinet.invited()] == [lea.id, cabinet.titular.id]


def test_days_that_come_after_the_last_wave_get_a_call_of_their_own(
    house: House, cabinet: Cabinet
) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.send([lea])
    assert len(cabinet.look_again()) == 1
    third = house.need(cabinet.practice, MONDAY + 2 * DAY)
    first, second = cabinet.look_again()
    assert (first.state, second.state) == (CallState.ENDED, CallState.PREPARED)
    assert third.id in {day.need_id for day in second.days}
    # She is asked anew, so that the end of the first needs no word.
    assert cabinet.told("call.filled") == []


@pytest.fixture
def today(house: House, cabinet: Cabinet) -> Need:
    """A day of this very Monday."""
    return house.need(cabinet.practice, house.today, room=1)


def call_now(cabinet: Cabinet, who: User, need: Need) -> Call:
    def act(session: Any, actor: Any) -> Call:
        practice = session.get_one(Practice, cabinet.practice.id)
        return calls.call_at_once(session, actor, practice, session.get_one(Need, need.id))

    made = cabinet.do(who, act)
    assert isinstance(made, Call)
    return made


def test_a_lost_day_is_called_for_at_once(house: House, cabinet: Cabinet, today: Need) -> None:
    secretary = cabinet.doctor(role=Role.SECRETARY)
    ill = cabinet.doctor()
    house.assignment(today, ill, AssignmentState.RELEASED, release_kind=ReleaseKind.ABSENCE)
    lea = cabinet.doctor(Preference.POSSIBLE, house.today)
    hugo = cabinet.doctor(Preference.LAST_RESORT, house.today)
    cabinet.clock.move_to(dt.datetime(2026, 11, 23, 5, 30, tzinfo=dt.UTC))
    call = call_now(cabinet, secretary, today)
    assert (call.state, call.urgent, call.sent_by) == (CallState.SENT, True, secretary.id)
    assert cabinet.told("call.") == [("call.urgent", lea.id)]
    assert call_now(cabinet, secretary, today).id == call.id
    quarter = dt.timedelta(minutes=15)
    assert [cabinet.advance(quarter) for _ in range(4)] == [1, 1, 1, 0]
    assert cabinet.told("call.") == [
        ("call.urgent", lea.id),
        ("call.urgent", hugo.id),
        ("call.urgent", cabinet.titular.id),
        ("call.urgent_unanswered", cabinet.titular.id),
    ]
    cabinet.take(hugo, today)
    assert cabinet.advance() == 1
    assert cabinet.told("call.filled") == [
        ("call.filled", lea.id),
        ("call.filled", cabinet.titular.id),
    ]


def test_titulars_hear_at_once_that_nobody_could_be_called(
    house: House, cabinet: Cabinet, today: Need
) -> None:
    house.available(cabinet.titular, house.today, preference=None)
    cabinet.clock.move_to(dt.datetime(2026, 11, 23, 5, 30, tzinfo=dt.UTC))
    call_now(cabinet, cabinet.doctor(role=Role.SECRETARY), today)
    assert cabinet.advance() == 1
    assert cabinet.told("call.") == [("call.urgent_unanswered", cabinet.titular.id)]


def test_a_lost_day_is_called_for_whatever_the_minimum(
    house: House, cabinet: Cabinet, today: Need
) -> None:
    with cabinet.database.transaction() as session:
        session.get_one(Practice, cabinet.practice.id).weekly_minimum = 0
    cabinet.doctor(Preference.POSSIBLE, house.today)
    hugo = cabinet.doctor(Preference.LAST_RESORT, house.today)
    call_now(cabinet, cabinet.titular, today)
    cabinet.advance(dt.timedelta(minutes=15))
    assert cabinet.told("call.")[-1] == ("call.urgent", hugo.id)


def test_who_may_call_at_once(house: House, cabinet: Cabinet, today: Need) -> None:
    with pytest.raises(Forbidden):
        call_now(cabinet, cabinet.doctor(role=Role.NURSE), today)
    lea = cabinet.doctor(Preference.POSSIBLE, house.today)
    house.assignment(today, lea)
    with pytest.raises(Conflict) as raised:
        call_now(cabinet, cabinet.titular, today)
    assert raised.value.code == "need_taken"


def test_a_lost_day_beside_the_week_s_own_call(house: House, cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.send()
    taken = cabinet.take(lea, cabinet.monday)
    hugo = cabinet.doctor(Preference.POSSIBLE)
    cabinet.clock.advance(HOUR)
    with cabinet.database.transaction() as session:
        actor = house.actor(cabinet.titular)
        assignments.hold(session, cabinet.practice.id, [lea.id])
        found = session.get_one(Assignment, taken.id)
        assignments.end(session, actor, found, ReleaseKind.ABSENCE)
    call = call_now(cabinet, cabinet.titular, cabinet.monday)
    assert call.urgent
    # The titular hears of it although the week's call may still reach them.
    assert [doctor for doctor, _, _ in cabinet.invited(call)] == [hugo.id, cabinet.titular.id]
