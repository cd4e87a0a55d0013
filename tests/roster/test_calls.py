"""Calls for volunteers: found by the worker, sent by a titular, answered by link, ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core import audit
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    RelaisError,
    RuleBroken,
)
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster import (
    assignments,
    call_answers,
    call_queries,
    call_work,
    calls,
    needs,
    releasing,
)
from scheduler.roster.models import Assignment, Call, Invitation, Need
from scheduler.roster.rules import (
    AssignmentSource,
    AssignmentState,
    CallState,
    InvitationState,
    Preference,
    ReleaseKind,
)
from tests.factories import House
from tests.support import at_once, audited, count_queries

# The tests begin on Monday 23 November 2026 at ten; the thin week is that of 7 December.
MONDAY = dt.date(2026, 12, 7)
TUESDAY = MONDAY + dt.timedelta(days=1)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


@dataclass
class Cabinet:
    """A practice that needs two days a week, and a week with two days to fill."""

    house: House
    clock: FixedClock
    practice: Practice
    titular: User
    monday: Need
    tuesday: Need

    @property
    def database(self) -> Database:
        return self.house.database

    def doctor(
        self,
        preference: Preference | None = None,
        *days: dt.date,
        role: Role = Role.REPLACEMENT,
        **values: Any,
    ) -> User:
        user = self.house.member(self.practice, role, **values)
        if preference is not None:
            self.house.available(user, *(days or (MONDAY, TUESDAY)), preference=preference)
        return user

    def do(self, who: User | None, use_case: Any, *arguments: Any, **options: Any) -> Any:
        with_actor = () if who is None else (self.house.actor(who),)
        with self.database.transaction() as session:
            return use_case(session, *with_actor, *arguments, **options)

    def find(self) -> list[Call]:
        """Let the worker look at every practice whose turn has come; the calls there are."""
        while self.do(None, call_work.find_thin_weeks):
            continue
        return self.calls()

    def look_again(self) -> list[Call]:
        self.clock.advance(HOUR)
        return self.find()

    def advance(self, delta: dt.timedelta = dt.timedelta()) -> int:
        self.clock.advance(delta)
        return int(self.do(None, call_work.advance_calls))

    def calls(self) -> list[Call]:
        with self.database.session() as session:
            return call_queries.whole(session, sa.select(Call).order_by(Call.id))

    def call(self) -> Call:
        return self.calls()[-1]

    def send(self, doctors: Iterable[User] | None = None, message: str = "") -> Call:
        call = self.call()
        chosen = (
            [row.doctor_id for row in call.invitations]
            if doctors is None
            else [doctor.id for doctor in doctors]
        )
        sent = self.do(self.titular, calls.send, call.id, chosen, message)
        assert isinstance(sent, Call)
        return sent

    def invited(self, call: Call | None = None) -> list[tuple[int, int, InvitationState]]:
        return [(row.doctor_id, row.wave, row.state) for row in (call or self.call()).invitations]

    def state_of(self, doctor: User) -> InvitationState:
        return next(state for number, _, state in self.invited() if number == doctor.id)

    def link(self, doctor: User) -> str:
        return next(row.uid for row in self.call().invitations if row.doctor_id == doctor.id)

    def take(self, doctor: User, need: Need, **options: Any) -> Assignment:
        taken = self.do(None, call_answers.take, self.link(doctor), need.id, **options)
        assert isinstance(taken, Assignment)
        return taken

    def assigned(self) -> dict[int, int]:
        with self.database.session() as session:
            rows = session.execute(
                sa.select(Assignment.need_id, Assignment.doctor_id).where(
                    Assignment.state != AssignmentState.RELEASED
                )
            )
            return dict(map(tuple, rows))

    def told(self, kind: str = "") -> list[tuple[str, int]]:
        with self.database.session() as session:
            rows = session.execute(
                sa.select(OutboxMessage.kind, OutboxMessage.recipient_id)
                .where(OutboxMessage.kind.startswith(kind or "call."))
                .order_by(OutboxMessage.id)
            )
            return [(found, recipient) for found, recipient in rows]


@pytest.fixture
def cabinet(house: House, clock: FixedClock) -> Cabinet:
    practice = house.practice("Salle 1", "Salle 2", weekly_minimum=2)
    titular = house.member(practice, Role.TITULAR, given_name="Anne", family_name="Petit")
    return Cabinet(
        house, clock, practice, titular, house.need(practice, MONDAY), house.need(practice, TUESDAY)
    )


# Finding.


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


# Sending.


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
    assert cabinet.call().next_wave_at is None
    assert cabinet.advance(48 * HOUR) == 0


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
    assert cabinet.call().next_wave_at is None


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


# Answering.


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


# Absences.


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
    assert [cabinet.advance(quarter) for _ in range(3)] == [1, 1, 0]
    assert cabinet.told("call.") == [
        ("call.urgent", lea.id),
        ("call.urgent", hugo.id),
        ("call.urgent", cabinet.titular.id),
    ]
    cabinet.take(hugo, today)
    assert cabinet.advance() == 1
    assert cabinet.told("call.filled") == [
        ("call.filled", lea.id),
        ("call.filled", cabinet.titular.id),
    ]


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


# Reading.


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
