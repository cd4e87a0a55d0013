"""A doctor who does not come: who is alerted, who is called, and what hangs on the day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core.errors import Conflict, Forbidden, NotFound, RelaisError, RuleBroken
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.people.models import Member, Practice, User
from scheduler.roster import absences, call_answers, claiming, swaps
from scheduler.roster.absences import Hanging, HangingKind
from scheduler.roster.models import Assignment, Call, CallDay, Invitation
from scheduler.roster.rules import AssignmentState, CallState, Preference, ReleaseKind
from tests.factories import House
from tests.support import at_once, audited

DAY = dt.timedelta(days=1)


@dataclass
class Morning:
    """The morning of a day that is Léa's, with a secretary at the desk."""

    house: House
    practice: Practice
    titular: User
    secretary: User
    lea: User
    hugo: User
    day: Assignment

    def do(self, who: User, use_case: Any, *arguments: Any, **options: Any) -> Any:
        actor = self.house.actor(who)
        with self.house.database.transaction() as session:
            return use_case(session, actor, *arguments, **options)

    def row(self, table: Any, number: int) -> Any:
        with self.house.database.session() as session:
            return session.get_one(table, number)

    def told(self, kind: str) -> set[int]:
        with self.house.database.session() as session:
            statement = sa.select(OutboxMessage.recipient_id).where(OutboxMessage.kind == kind)
            return set(session.scalars(statement))

    def hanging(self) -> list[Hanging]:
        with self.house.database.session() as session:
            found = absences.absence_of(session, self.practice.id, self.day.id)
            assert found is not None
            return absences.hanging_on(session, found)


@pytest.fixture
def morning(house: House) -> Morning:
    practice = house.practice("Salle 1", "Salle 2")
    titular = house.member(practice, Role.TITULAR)
    secretary = house.member(practice, Role.SECRETARY)
    lea = house.member(practice, Role.REPLACEMENT, given_name="Léa", family_name="Fontaine")
    hugo = house.member(practice, Role.REPLACEMENT, given_name="Hugo", family_name="Roux")
    house.available(hugo, house.today, preference=Preference.POSSIBLE)
    day = house.assignment(house.need(practice, house.today), lea)
    return Morning(house, practice, titular, secretary, lea, hugo, day)


def test_an_absence_frees_the_day_alerts_and_calls(morning: Morning) -> None:
    day = morning.do(morning.secretary, absences.declare, morning.day.id, " Malade ")
    assert (day.state, day.release_kind, day.release_reason) == (
        AssignmentState.RELEASED,
        ReleaseKind.ABSENCE,
        "Malade",
    )
    assert day.released_by == morning.secretary.id
    # The colleague who can come gets the call instead of the alert.
    assert morning.told("absence.declared") == {morning.titular.id, morning.lea.id}
    with morning.house.database.session() as session:
        call = session.scalars(
            sa.select(Call).join(CallDay).where(CallDay.need_id == day.need_id)
        ).one()
        assert (call.urgent, call.state) == (True, CallState.SENT)
    assert audited(morning.house.database)[:2] == ["assignment.released", "absence.declared"]


@pytest.mark.parametrize("by", ["lea", "secretary"])
def test_what_the_doctor_says_that_day_is_an_emergency(morning: Morning, by: str) -> None:
    who = getattr(morning, by)
    day = morning.do(who, absences.declare, morning.day.id, on_behalf=by == "secretary")
    assert day.release_kind is ReleaseKind.EMERGENCY
    told = {morning.titular.id, morning.secretary.id, morning.lea.id} - {who.id}
    assert morning.told("absence.declared") == told


def test_who_may_declare_whom_absent(morning: Morning) -> None:
    house = morning.house
    for other in (morning.hugo, house.member(morning.practice, Role.NURSE)):
        with pytest.raises(Forbidden):
            morning.do(other, absences.declare, morning.day.id)
    stranger = house.member(house.practice(), Role.TITULAR)
    with pytest.raises(NotFound):
        morning.do(stranger, absences.declare, morning.day.id)
    assert morning.row(Assignment, morning.day.id).state is AssignmentState.CONFIRMED


def test_only_today_and_tomorrow(morning: Morning) -> None:
    house = morning.house
    for offset in (1, 2):
        need = house.need(morning.practice, house.today + offset * DAY)
        day = house.assignment(need, morning.lea)
        if offset == 1:
            found = morning.do(morning.lea, absences.declare, day.id)
            assert found.release_kind is ReleaseKind.ABSENCE
            continue
        with pytest.raises(RuleBroken) as caught:
            morning.do(morning.lea, absences.declare, day.id)
        assert caught.value.code == "absence_too_early"


def test_an_absence_is_declared_once(morning: Morning) -> None:
    outcomes = at_once(
        *(
            lambda who=who: morning.do(who, absences.declare, morning.day.id)
            for who in (morning.lea, morning.secretary, morning.titular)
        )
    )
    assert outcomes.count(None) == 1
    codes = {error.code for error in outcomes if isinstance(error, RelaisError)}
    assert codes == {"already_released"}
    with morning.house.database.session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Call)) == 1


def test_whoever_comes_after_all_has_the_day_again(morning: Morning) -> None:
    morning.do(morning.secretary, absences.declare, morning.day.id)
    back = morning.do(morning.lea, absences.end, morning.day.id)
    assert (back.doctor_id, back.state, back.predecessor_id) == (
        morning.lea.id,
        AssignmentState.CONFIRMED,
        morning.day.id,
    )
    assert morning.told("absence.ended") == {morning.titular.id, morning.secretary.id}
    with pytest.raises(Conflict) as caught:
        morning.do(morning.lea, absences.end, back.id)
    assert caught.value.code == "not_absent"


def test_a_day_that_is_theirs_again_is_not_undone(morning: Morning) -> None:
    """Undoing would free a day of today without anybody's word."""
    morning.do(morning.secretary, absences.declare, morning.day.id)
    back = morning.do(morning.secretary, absences.end, morning.day.id)
    for who in (morning.lea, morning.secretary):
        with pytest.raises(RelaisError) as caught:
            morning.do(who, claiming.undo, back.id)
        assert caught.value.code == "undo_too_late"


def test_whoever_looked_for_somebody_hears_that_one_was_found(morning: Morning) -> None:
    """The secretary who declared the absence has a waiting room before her."""
    morning.do(morning.secretary, absences.declare, morning.day.id)
    taken = morning.do(morning.hugo, claiming.claim, morning.day.need_id)
    assert morning.told("absence.filled") == {morning.secretary.id, morning.titular.id}
    morning.do(morning.hugo, claiming.undo, taken.id)
    assert morning.told("assignment.released") == {morning.secretary.id, morning.titular.id}


def test_who_answers_the_urgent_call_is_told_of_at_once(morning: Morning) -> None:
    morning.do(morning.secretary, absences.declare, morning.day.id)
    with morning.house.database.transaction() as session:
        link = session.scalars(
            sa.select(Invitation.uid).where(Invitation.doctor_id == morning.hugo.id)
        ).one()
        call_answers.take(session, link, morning.day.need_id)
    assert morning.told("absence.filled") == {morning.secretary.id, morning.titular.id}
    # Once is enough.
    assert morning.told("call.answered") == set()


def test_a_doctor_who_declared_their_own_absence_hears_that_it_is_filled(morning: Morning) -> None:
    morning.do(morning.lea, absences.declare, morning.day.id)
    morning.do(morning.secretary, claiming.claim, morning.day.need_id, doctor_id=morning.hugo.id)
    assert morning.told("absence.filled") == {morning.lea.id, morning.titular.id}


def test_whoever_comes_too_late_reads_who_stepped_in(morning: Morning) -> None:
    morning.do(morning.secretary, absences.declare, morning.day.id)
    morning.do(morning.hugo, claiming.claim, morning.day.need_id)
    with pytest.raises(Conflict) as caught:
        morning.do(morning.lea, absences.end, morning.day.id)
    assert (caught.value.code, caught.value.facts["who"]) == ("need_taken", "Hugo Roux")


def test_what_hangs_on_the_day(morning: Morning) -> None:
    house, practice = morning.house, morning.practice
    intern = house.member(practice, Role.INTERN, given_name="Louise", family_name="Guérin")
    other = house.member(practice, Role.INTERN)
    with house.database.transaction() as session:
        session.execute(
            sa.update(Member)
            .where(Member.user_id == intern.id)
            .values(supervisor_id=morning.lea.id)
        )
    beside = house.need(practice, house.today, room=1)
    house.assignment(beside, intern)
    later = house.need(practice, house.today + DAY)
    house.assignment(later, other, supervisor_id=morning.lea.id)
    swap = morning.do(morning.lea, swaps.offer, morning.day.id, to_doctor_id=morning.hugo.id)
    morning.do(morning.secretary, absences.declare, morning.day.id)
    assert morning.hanging() == [
        Hanging(HangingKind.INTERN, "Louise Guérin", beside.id),
        Hanging(HangingKind.OFFER, "Hugo Roux", swap.id),
    ]


def test_an_intern_who_reaches_somebody_else_that_day_does_not_hang(morning: Morning) -> None:
    house, practice = morning.house, morning.practice
    intern = house.member(practice, Role.INTERN)
    with house.database.transaction() as session:
        session.execute(
            sa.update(Member)
            .where(Member.user_id == intern.id)
            .values(supervisor_id=morning.lea.id)
        )
    beside = house.need(practice, house.today, room=1)
    house.assignment(beside, intern, supervisor_id=morning.titular.id)
    morning.do(morning.secretary, absences.declare, morning.day.id)
    assert morning.hanging() == []
