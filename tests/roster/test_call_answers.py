"""Answering a call by link, on both databases, and all at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core import audit
from scheduler.core.clock import FixedClock
from scheduler.core.errors import (
    Conflict,
    NotFound,
    RuleBroken,
)
from scheduler.people.models import User
from scheduler.roster import (
    call_answers,
    call_work,
    calls,
    claiming,
    needs,
)
from scheduler.roster.models import Assignment
from scheduler.roster.rules import (
    AssignmentSource,
    AssignmentState,
    CallState,
    InvitationState,
    Preference,
    ReleaseKind,
)
from tests.factories import House
from tests.roster.called import DAY, HOUR, MONDAY, Cabinet, cabinet_of
from tests.support import at_once, audited


@pytest.fixture
def cabinet(house: House, clock: FixedClock) -> Cabinet:
    return cabinet_of(house, clock)


def test_a_day_is_taken_by_link(cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.send()
    taken = cabinet.take(lea, cabinet.monday)
    assert (taken.source, taken.state, taken.created_by) == (
        AssignmentSource.CALL,
        AssignmentState.CONFIRMED,
        lea.id,
    )
    assert cabinet.take(lea, cabinet.monday).id == taken.id
    assert cabinet.assigned() == {cabinet.monday.id: lea.id}
    assert cabinet.state_of(lea) is InvitationState.ACCEPTED
    assert cabinet.told("call.answered") == [("call.answered", cabinet.titular.id)]
    assert cabinet.call().state is CallState.SENT
    with cabinet.database.session() as session:
        event = session.scalars(
            sa.select(audit.AuditEvent).where(audit.AuditEvent.action == "call.accepted")
        ).one()
    assert (event.actor_id, event.details["via"]) == (lea.id, "call link")


def test_a_filled_call_tells_those_who_have_not_answered(house: House, cabinet: Cabinet) -> None:
    lea, hugo, ines = (cabinet.doctor(Preference.POSSIBLE) for _ in range(3))
    paul = cabinet.doctor(Preference.LAST_RESORT)
    cabinet.find()
    cabinet.send()
    cabinet.take(lea, cabinet.monday)
    cabinet.do(None, call_answers.decline, cabinet.link(ines))
    assert cabinet.advance() == 0
    # The other day is filled by another door.
    house.assignment(cabinet.tuesday, cabinet.doctor())
    assert cabinet.advance() == 1
    assert cabinet.advance() == 0
    assert cabinet.call().state is CallState.FILLED
    assert cabinet.told("call.filled") == [("call.filled", hugo.id)]
    assert cabinet.state_of(lea) is InvitationState.ACCEPTED
    assert cabinet.state_of(ines) is InvitationState.DECLINED
    assert cabinet.state_of(paul) is InvitationState.OBSOLETE


def test_a_call_ends_with_its_days(cabinet: Cabinet) -> None:
    cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.send()
    cabinet.clock.move_to(dt.datetime(2026, 12, 9, 9, 0, tzinfo=dt.UTC))
    assert cabinet.advance() == 1
    assert cabinet.call().state is CallState.ENDED
    assert cabinet.told("call.filled") == []


def test_a_withdrawn_day_is_not_asked_for(cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.send()
    cabinet.do(cabinet.titular, needs.withdraw_need, cabinet.monday.id)
    with pytest.raises(Conflict) as raised:
        cabinet.take(lea, cabinet.monday)
    assert raised.value.code == "need_withdrawn"
    assert cabinet.advance() == 0
    cabinet.do(cabinet.titular, needs.withdraw_need, cabinet.tuesday.id)
    assert cabinet.advance() == 1
    assert cabinet.call().state is CallState.ENDED


def test_no_to_one_day_and_no_to_the_week(cabinet: Cabinet) -> None:
    lea, hugo = cabinet.doctor(Preference.POSSIBLE), cabinet.doctor(Preference.POSSIBLE)
    cabinet.doctor(Preference.LAST_RESORT)
    cabinet.find()
    cabinet.send()
    cabinet.do(None, call_answers.decline, cabinet.link(lea), cabinet.monday.id)
    assert cabinet.state_of(lea) is InvitationState.SENT
    cabinet.do(None, call_answers.decline, cabinet.link(lea), cabinet.tuesday.id)
    assert cabinet.state_of(lea) is InvitationState.DECLINED
    assert cabinet.advance() == 0
    cabinet.do(None, call_answers.decline, cabinet.link(hugo))
    assert cabinet.state_of(hugo) is InvitationState.DECLINED
    # Everybody has answered: the next wave need not wait.
    assert cabinet.advance() == 1
    assert cabinet.call().wave == 2
    # A no is no prison.
    assert cabinet.take(lea, cabinet.monday).doctor_id == lea.id
    assert cabinet.state_of(lea) is InvitationState.ACCEPTED


def test_a_limit_of_ones_own_is_passed_by_a_second_yes(cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE, doctor={"max_half_days_per_week": 2})
    cabinet.find()
    cabinet.send()
    cabinet.take(lea, cabinet.monday)
    with pytest.raises(RuleBroken) as raised:
        cabinet.take(lea, cabinet.tuesday)
    assert raised.value.code == "week_limit"
    taken = cabinet.take(lea, cabinet.tuesday, passing=["week_limit"])
    assert taken.lifts == [{"code": "week_limit", "to": 2.0}]


def test_undone_within_minutes(cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.send()
    taken = cabinet.take(lea, cabinet.monday)
    cabinet.do(None, call_answers.undo, cabinet.link(lea), cabinet.monday.id)
    assert cabinet.assigned() == {}
    assert cabinet.state_of(lea) is InvitationState.SENT
    assert cabinet.told("assignment.released") == [("assignment.released", cabinet.titular.id)]
    with cabinet.database.session() as session:
        found = session.get_one(Assignment, taken.id)
    assert found.release_kind is ReleaseKind.UNDONE
    with pytest.raises(Conflict):
        cabinet.do(None, call_answers.undo, cabinet.link(lea), cabinet.monday.id)
    cabinet.take(lea, cabinet.tuesday)
    cabinet.clock.advance(dt.timedelta(minutes=11))
    with pytest.raises(RuleBroken) as raised:
        cabinet.do(None, call_answers.undo, cabinet.link(lea), cabinet.tuesday.id)
    assert raised.value.code == "undo_too_late"


def test_undone_on_the_board(cabinet: Cabinet) -> None:
    """The titulars were told of the yes by link: they are told that it is taken back, once."""
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.send()
    monday = cabinet.take(lea, cabinet.monday)
    tuesday = cabinet.take(lea, cabinet.tuesday)
    for _ in range(2):
        cabinet.do(lea, claiming.undo, monday.id)
    assert cabinet.told("assignment.released") == [("assignment.released", cabinet.titular.id)]
    assert cabinet.state_of(lea) is InvitationState.ACCEPTED
    cabinet.do(lea, claiming.undo, tuesday.id)
    assert cabinet.state_of(lea) is InvitationState.SENT


def test_whose_link_it_is_and_what_it_reaches(house: House, cabinet: Cabinet) -> None:
    lea, hugo = cabinet.doctor(Preference.POSSIBLE), cabinet.doctor(Preference.LAST_RESORT)
    cabinet.find()
    cabinet.send()
    other = house.need(cabinet.practice, MONDAY + 7 * DAY)
    with pytest.raises(NotFound):
        cabinet.take(lea, other)
    # Not asked yet, and nobody at all.
    for uid in (cabinet.link(hugo), "nobody"):
        with pytest.raises(NotFound) as raised:
            cabinet.do(None, call_answers.take, uid, cabinet.monday.id)
        assert raised.value.code == "invitation_not_found"
    with cabinet.database.transaction() as session:
        session.get_one(User, lea.id).disabled_at = cabinet.clock.now()
    with pytest.raises(NotFound):
        cabinet.take(lea, cabinet.monday)
    assert cabinet.assigned() == {}


def test_twenty_answers_to_one_day(cabinet: Cabinet) -> None:
    doctors = [cabinet.doctor(Preference.POSSIBLE) for _ in range(20)]
    cabinet.find()
    cabinet.send(doctors)
    links = [cabinet.link(doctor) for doctor in doctors]

    def answer(uid: str) -> Any:
        def act() -> None:
            cabinet.do(None, call_answers.take, uid, cabinet.monday.id)

        return act

    errors = at_once(*map(answer, links))
    assert sum(error is None for error in errors) == 1
    losers = [error for error in errors if error is not None]
    assert {type(error) for error in losers} == {Conflict}
    (winner,) = cabinet.assigned().values()
    names = {doctor.id: doctor.name for doctor in doctors}
    assert {error.facts["who"] for error in losers if isinstance(error, Conflict)} == {
        names[winner]
    }
    assert len(cabinet.told("call.answered")) == 1
    audited(cabinet.database)


def test_answers_and_waves_at_once(cabinet: Cabinet) -> None:
    """Links, the titular and the worker meet on one call: nothing is lost, nothing waits for
    ever."""
    doctors = [cabinet.doctor(Preference.POSSIBLE) for _ in range(4)]
    cabinet.doctor(Preference.LAST_RESORT)
    cabinet.find()
    call = cabinet.send()
    cabinet.clock.advance(24 * HOUR)
    links = [cabinet.link(doctor) for doctor in doctors]
    acts: list[Any] = [
        lambda uid=uid, need=need: cabinet.do(None, call_answers.take, uid, need.id)
        for uid in links
        for need in (cabinet.monday, cabinet.tuesday)
    ]
    acts += [lambda: cabinet.do(None, call_work.advance_calls)] * 3
    acts += [lambda: cabinet.do(cabinet.titular, calls.send_next_wave, call.id)]
    acts += [lambda uid=links[0]: cabinet.do(None, call_answers.decline, uid)]
    errors = [error for error in at_once(*acts) if error is not None]
    assert all(isinstance(error, (Conflict, RuleBroken)) for error in errors), errors
    assert len(cabinet.assigned()) == 2
    cabinet.advance()
    assert cabinet.call().state is CallState.FILLED
    told = cabinet.told("call.invited")
    assert len(told) == len(set(told))
    audited(cabinet.database)
