"""Who could come on one day, and giving it to whoever agreed, on both databases."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core import audit
from scheduler.core.database import Database
from scheduler.core.errors import Conflict, Forbidden, NotFound, RelaisError, RuleBroken
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster import asks, candidates, claiming, releasing
from scheduler.roster.candidates import WhoCould
from scheduler.roster.models import Ask, Assignment, Need
from scheduler.roster.rules import AskState, AssignmentState, NeedState, Period, Preference
from tests.factories import House
from tests.support import at_once, count_queries

PROJECT = Path(__file__).resolve().parents[2]
DAY = dt.timedelta(days=1)


@dataclass
class Morning:
    """Monday, ten o'clock: the doctor of today has fallen ill."""

    house: House
    practice: Practice
    titular: User
    ill: User
    need: Need

    @property
    def database(self) -> Database:
        return self.house.database

    def doctor(self, preference: Preference | None = None, **values: Any) -> User:
        user = self.house.member(self.practice, Role.REPLACEMENT, **values)
        if preference is not None:
            self.house.available(user, self.house.today, preference=preference)
        return user

    def ask(self, need: Need | None = None, user: User | None = None) -> WhoCould:
        actor = self.house.actor(user or self.titular)
        with self.database.session() as session:
            practice = session.get_one(Practice, self.practice.id)
            found = session.get_one(Need, (need or self.need).id)
            return candidates.who_could_come(session, actor, practice, found)

    def said(self, need: Need | None = None) -> list[int]:
        return [coming.doctor_id for coming in self.ask(need).said]

    def silent(self, need: Need | None = None) -> list[int]:
        return [coming.doctor_id for coming in self.ask(need).silent]

    def give(self, doctor: User, user: User | None = None, need: Need | None = None) -> int:
        actor = self.house.actor(user or self.titular)
        with self.database.transaction() as session:
            return claiming.claim(session, actor, (need or self.need).id, doctor_id=doctor.id).id

    def release(self, assignment_id: int) -> None:
        actor = self.house.actor(self.ill)
        with self.database.transaction() as session:
            releasing.release(session, actor, assignment_id, "Grippe")

    def messages(self, kind: str) -> list[OutboxMessage]:
        with self.database.session() as session:
            return list(session.scalars(sa.select(OutboxMessage).where(OutboxMessage.kind == kind)))


@pytest.fixture
def morning(house: House) -> Morning:
    practice = house.practice("Salle 1", "Salle 2", weekly_minimum=3)
    titular = house.member(practice, Role.TITULAR)
    ill = house.member(practice, Role.REPLACEMENT)
    house.available(ill, house.today)
    need = house.need(practice, house.today)
    return Morning(house, practice, titular, ill, need)


def test_ranked_for_today_by_what_the_roster_loses(morning: Morning) -> None:
    last, possible, wanted = (morning.doctor(preference) for preference in reversed(Preference))
    morning.house.assignment(morning.need, morning.ill)
    found = morning.ask()
    assert [coming.doctor_id for coming in found.said] == [wanted.id, possible.id, last.id]
    assert [coming.preference for coming in found.said] == list(Preference)
    # Against an empty day: a day nearer to the minimum, eighteen weighted half-days filled.
    assert [dict(coming.cost) for coming in found.said] == [
        {"below_minimum": -1, "uncovered": -18, "changes": 0, "last_resort": resort, "quality": q}
        for resort, q in ((0, 4), (0, 12), (2, 4))
    ]
    assert found.size == 1
    # The titular has said nothing, and is the only one left.
    assert [coming.doctor_id for coming in found.silent] == [morning.titular.id]


def test_whoever_is_ill_is_no_candidate(morning: Morning) -> None:
    assignment = morning.house.assignment(morning.need, morning.ill)
    assert morning.ill.id not in morning.said() + morning.silent()
    morning.release(assignment.id)
    assert morning.ill.id not in morning.said() + morning.silent()
    # On another day they are as good as anybody.
    morning.house.available(morning.ill, morning.house.today + DAY)
    assert morning.said(morning.house.need(morning.practice, morning.house.today + DAY)) == [
        morning.ill.id
    ]


def test_nobody_is_asked_to_break_a_rule(morning: Morning) -> None:
    today = morning.house.today
    licence = morning.doctor(
        Preference.WANTED, doctor={"qualified": False, "licence_until": today - DAY}
    )
    full = morning.doctor(Preference.WANTED, doctor={"max_half_days_per_week": 2})
    morning.house.assignment(morning.house.need(morning.practice, today + DAY), full)
    here = morning.doctor(Preference.WANTED)
    morning.house.assignment(morning.house.need(morning.practice, today, room=1), here)
    elsewhere = morning.doctor(Preference.WANTED)
    other = morning.house.practice()
    morning.house.member(other, Role.REPLACEMENT, elsewhere)
    morning.house.assignment(morning.house.need(other, today, Period.AM), elsewhere)
    gone = morning.house.member(morning.practice, Role.REPLACEMENT, until=today - DAY)
    morning.house.available(gone, today)
    intern = morning.house.member(morning.practice, Role.INTERN)
    morning.house.available(intern, today)
    fine = morning.doctor(Preference.POSSIBLE)
    nobody = {licence.id, full.id, here.id, elsewhere.id, gone.id, intern.id}
    assert morning.said() == [morning.ill.id, fine.id]
    assert not nobody & set(morning.silent())


def test_the_silent_come_by_their_days_and_titulars_last(morning: Morning) -> None:
    today = morning.house.today
    busy, idle, refuses, half = (morning.doctor() for _ in range(4))
    for number in range(1, 4):
        morning.house.assignment(
            morning.house.need(morning.practice, today + 7 * number * DAY - 30 * DAY), busy
        )
    morning.house.available(refuses, today, period=Period.PM, preference=None)
    morning.house.available(half, today, period=Period.AM)
    morning.house.assignment(morning.house.need(morning.practice, today + 2 * DAY), half)
    found = morning.ask()
    assert [coming.doctor_id for coming in found.silent] == [
        idle.id,
        half.id,
        busy.id,
        morning.titular.id,
    ]
    assert [coming.days for coming in found.silent] == [0, 1, 3, 0]
    assert {coming.preference for coming in found.silent} == {None}


def test_a_half_day_wants_half_a_day(morning: Morning) -> None:
    half = morning.doctor()
    morning.house.available(half, morning.house.today, period=Period.AM)
    need = morning.house.need(morning.practice, morning.house.today, Period.AM, room=1)
    found = morning.ask(need)
    assert [coming.doctor_id for coming in found.said] == [morning.ill.id, half.id]
    assert found.size == 0.5


def test_days_that_are_over_or_withdrawn(morning: Morning) -> None:
    house = morning.house
    past = house.need(morning.practice, house.today - DAY)
    with pytest.raises(RuleBroken) as over:
        morning.ask(past)
    assert over.value.code == "need_past"
    gone = house.need(morning.practice, house.today + DAY, state=NeedState.WITHDRAWN)
    with pytest.raises(Conflict) as withdrawn:
        morning.ask(gone)
    assert withdrawn.value.code == "need_withdrawn"


@pytest.mark.parametrize("role", list(Role))
def test_titulars_and_secretaries_see_who_could_come_and_give(morning: Morning, role: Role) -> None:
    reader = morning.house.member(morning.practice, role)
    if role in (Role.TITULAR, Role.SECRETARY):
        assert morning.ask(user=reader).said
    else:
        with pytest.raises(Forbidden):
            morning.ask(user=reader)
    if role in (Role.TITULAR, Role.SECRETARY):
        assert morning.give(morning.ill, reader)
    else:
        with pytest.raises(Forbidden):
            morning.give(morning.ill, reader)


def test_reads_do_not_grow_with_doctors_and_days(morning: Morning) -> None:
    def reads() -> int:
        with count_queries(morning.database) as statements:
            morning.ask()
        return len(statements)

    morning.doctor(Preference.WANTED)
    few = reads()
    for number in range(1, 5):
        doctor = morning.doctor(Preference.POSSIBLE)
        morning.doctor()
        day = morning.house.today + number * DAY
        morning.house.assignment(morning.house.need(morning.practice, day), doctor)
    assert reads() == few


def test_a_given_day_is_theirs_and_they_are_told(morning: Morning) -> None:
    first = morning.give(morning.ill)
    (message,) = morning.messages("assignment.given")
    assert (message.recipient_id, message.facts) == (morning.ill.id, {"assignment_id": first})
    # Given again, nothing happens.
    assert morning.give(morning.ill) == first
    assert len(morning.messages("assignment.given")) == 1
    with morning.database.session() as session:
        assert audit.verify(session).fault is None
        event = session.scalars(
            sa.select(audit.AuditEvent)
            .where(audit.AuditEvent.subject == "assignment")
            .order_by(audit.AuditEvent.sequence)
        ).one()
    # The audit says who did it for whom.
    assert (event.actor_id, event.details["doctor_id"]) == (morning.titular.id, morning.ill.id)


def test_whoever_gives_themselves_a_day_knows_it(morning: Morning) -> None:
    morning.give(morning.titular)
    assert morning.messages("assignment.given") == []


def test_a_day_of_somebody_is_not_given_to_another(morning: Morning) -> None:
    morning.house.assignment(morning.need, morning.ill)
    other = morning.doctor()
    with pytest.raises(Conflict) as taken:
        morning.give(other)
    assert (taken.value.code, taken.value.facts["who"]) == ("need_taken", morning.ill.name)
    assert morning.messages("assignment.given") == []


def test_rules_stand_for_given_days_too(morning: Morning) -> None:
    stranger = morning.house.member(morning.house.practice(), Role.REPLACEMENT)
    with pytest.raises(RuleBroken) as broken:
        morning.give(stranger)
    assert broken.value.code == "not_member_that_day"


def test_what_is_not_there_cannot_be_given(morning: Morning) -> None:
    other = morning.house.practice()
    foreign = morning.house.need(other, morning.house.today)
    with pytest.raises(NotFound) as need:
        morning.give(morning.ill, need=foreign)
    assert need.value.code == "need_not_found"
    actor = morning.house.actor(morning.titular)
    with morning.database.transaction() as session, pytest.raises(NotFound) as doctor:
        claiming.claim(session, actor, morning.need.id, doctor_id=999)
    assert doctor.value.code == "doctor_not_found"


def test_given_to_two_at_once_one_has_it(morning: Morning) -> None:
    doctors = [morning.ill, morning.doctor(), morning.doctor()]
    actor = morning.house.actor(morning.titular)

    def give(doctor: User) -> None:
        with morning.database.transaction() as session:
            claiming.claim(session, actor, morning.need.id, doctor_id=doctor.id)

    errors = at_once(*[lambda doctor=doctor: give(doctor) for doctor in doctors])
    assert sum(error is None for error in errors) == 1
    assert {error.code for error in errors if isinstance(error, RelaisError)} == {"need_taken"}
    with morning.database.session() as session:
        standing = session.scalars(
            sa.select(Assignment).where(Assignment.state != AssignmentState.RELEASED)
        ).all()
    assert len(standing) == len(morning.messages("assignment.given")) == 1


@pytest.mark.parametrize("giver_asked", [True, False])
def test_giving_ends_the_questions_about_the_day(morning: Morning, giver_asked: bool) -> None:
    other = morning.doctor()
    colleague = morning.house.member(morning.practice, Role.TITULAR)
    actor = morning.house.actor(morning.titular if giver_asked else colleague)
    with morning.database.transaction() as session:
        questions = [
            asks.ask(session, actor, morning.need.id, doctor.id).id
            for doctor in (morning.ill, other)
        ]
    morning.give(morning.ill)
    with morning.database.session() as session:
        found = [session.get_one(Ask, question) for question in questions]
        # Who was on the telephone has said yes; that lifts no limit, as an answer here would.
        assert [ask.state for ask in found] == [AskState.ACCEPTED, AskState.LAPSED]
        assert found[0].assignment_id is None
    # Whoever gave the day needs no news of the yes; another one who had asked does.
    told = [message.recipient_id for message in morning.messages("ask.answered")]
    assert told == ([] if giver_asked else [colleague.id])
    assert [message.recipient_id for message in morning.messages("ask.ended")] == [other.id]


def test_a_day_agreed_by_phone_passes_no_limit(morning: Morning) -> None:
    doctor = morning.doctor(doctor={"max_half_days_per_week": 2})
    day = morning.house.today + DAY
    morning.house.assignment(morning.house.need(morning.practice, day), doctor)
    actor = morning.house.actor(morning.titular)
    with morning.database.transaction() as session:
        question = asks.ask(session, actor, morning.need.id, doctor.id).id
    with pytest.raises(RuleBroken) as broken:
        morning.give(doctor)
    assert broken.value.code == "week_limit"
    with morning.database.session() as session:
        assert session.get_one(Ask, question).state is AskState.OPEN


SCRIPT = """
import sys
import scheduler.schema, web
from web import create_app
from scheduler.core.settings import Settings
from scheduler.roster import candidates, scenario_queries
app = create_app(Settings(database_url="sqlite:///:memory:", secret_key="k" * 40))
loaded = sorted(name for name in sys.modules if name.partition(".")[0] == "ortools")
assert not loaded, loaded
"""


def test_the_web_server_does_not_load_the_solver() -> None:
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
