"""Asking doctors to come: who may, what a yes does and what it does not, and the races."""

from __future__ import annotations

import datetime as dt
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
from scheduler.roster import ask_queries, asks, claiming, needs, releasing
from scheduler.roster.ask_endings import lapse_past
from scheduler.roster.models import Ask, Assignment, Need, Proposal
from scheduler.roster.problem import doctor_key, need_key
from scheduler.roster.rules import AskCode, AskState, AssignmentState, ProposalState
from tests.factories import House
from tests.support import at_once

TUESDAY = dt.date(2026, 12, 8)
DAY = dt.timedelta(days=1)


@dataclass
class Cabinet:
    """A practice with a day to fill, a titular who asks, and two doctors to be asked."""

    house: House
    practice: Practice
    titular: User
    lea: User
    hugo: User
    need: Need

    @property
    def database(self) -> Database:
        return self.house.database

    def do(self, who: User, use_case: Any, *arguments: Any, **options: Any) -> Any:
        actor = self.house.actor(who)
        with self.database.transaction() as session:
            return use_case(session, actor, *arguments, **options)

    def ask(self, doctor: User, need: Need | None = None, **options: Any) -> Ask:
        found = self.do(self.titular, asks.ask, (need or self.need).id, doctor.id, **options)
        assert isinstance(found, Ask)
        return found

    def read(self, ask: Ask) -> Ask:
        with self.database.session() as session:
            return session.get_one(Ask, ask.id)

    def assigned(self) -> dict[int, int]:
        """Doctor by need."""
        with self.database.session() as session:
            rows = session.execute(
                sa.select(Assignment.need_id, Assignment.doctor_id).where(
                    Assignment.state != AssignmentState.RELEASED
                )
            )
            return dict(map(tuple, rows))

    def told(self) -> list[tuple[str, int]]:
        with self.database.session() as session:
            rows = session.execute(
                sa.select(OutboxMessage.kind, OutboxMessage.recipient_id).order_by(OutboxMessage.id)
            )
            return [tuple(row) for row in rows]

    def chain(self) -> list[tuple[str, dict[str, Any]]]:
        with self.database.session() as session:
            assert audit.verify(session).fault is None
            rows = session.execute(
                sa.select(audit.AuditEvent.action, audit.AuditEvent.details).order_by(
                    audit.AuditEvent.sequence
                )
            )
            return [tuple(row) for row in rows]


@pytest.fixture
def cabinet(house: House) -> Cabinet:
    practice = house.practice("Salle 1", "Salle 2")
    return Cabinet(
        house,
        practice,
        house.member(practice, Role.TITULAR),
        house.member(practice, Role.REPLACEMENT, doctor={"max_half_days_per_week": 4}),
        house.member(practice, Role.REPLACEMENT, given_name="Hugo", family_name="Roux"),
        house.need(practice, TUESDAY),
    )


def busy(cabinet: Cabinet, *offsets: int, doctor: User | None = None) -> None:
    """Days that a doctor (Léa) has around the day to fill."""
    for offset in offsets:
        need = cabinet.house.need(cabinet.practice, TUESDAY + offset * DAY)
        cabinet.house.assignment(need, doctor or cabinet.lea)


def test_a_question_is_kept_told_and_audited_without_its_words(cabinet: Cabinet) -> None:
    ask = cabinet.ask(cabinet.lea, message="  Bonjour,\r\nmardi ?  ")
    assert (ask.code, ask.limit_to, ask.state) == (AskCode.ASK, None, AskState.OPEN)
    assert ask.message == "Bonjour,\nmardi ?"
    assert (ask.asked_by, ask.asked_at) == (
        cabinet.titular.id,
        cabinet.database.clock.now(),
    )
    assert cabinet.told() == [("ask.sent", cabinet.lea.id)]
    ((action, details),) = cabinet.chain()
    assert action == "ask.sent"
    assert "mardi" not in str(details)
    assert cabinet.assigned() == {}


def test_a_yes_gives_the_day_and_tells_who_asked(cabinet: Cabinet) -> None:
    ask = cabinet.ask(cabinet.lea)
    taken = cabinet.do(cabinet.lea, asks.accept, ask.id, " Avec  plaisir ")
    assert cabinet.assigned() == {cabinet.need.id: cabinet.lea.id}
    found = cabinet.read(ask)
    assert (found.state, found.answer_note) == (AskState.ACCEPTED, "Avec plaisir")
    assert found.assignment_id == taken.id
    assert cabinet.told()[1:] == [("ask.answered", cabinet.titular.id)]
    assert [action for action, _details in cabinet.chain()] == [
        "ask.sent",
        "assignment.claimed",
        "ask.accepted",
    ]
    assert cabinet.chain()[1][1]["ask_id"] == ask.id


def test_a_yes_said_twice_is_one(cabinet: Cabinet) -> None:
    ask = cabinet.ask(cabinet.lea)
    first = cabinet.do(cabinet.lea, asks.accept, ask.id)
    assert cabinet.do(cabinet.lea, asks.accept, ask.id).id == first.id
    assert len(cabinet.chain()) == 3
    cabinet.do(cabinet.lea, releasing.release, first.id)
    with pytest.raises(Conflict) as caught:
        cabinet.do(cabinet.lea, asks.accept, ask.id)
    assert caught.value.code == "ask_answered"


def test_a_no_leaves_the_day_open_and_may_be_asked_again(cabinet: Cabinet) -> None:
    ask = cabinet.ask(cabinet.lea)
    cabinet.do(cabinet.lea, asks.decline, ask.id, "En congé")
    cabinet.do(cabinet.lea, asks.decline, ask.id, "Encore")
    found = cabinet.read(ask)
    assert (found.state, found.answer_note) == (AskState.DECLINED, "En congé")
    assert found.ended_at == cabinet.database.clock.now()
    assert cabinet.told()[1:] == [("ask.answered", cabinet.titular.id)]
    assert cabinet.assigned() == {}
    with pytest.raises(Conflict) as caught:
        cabinet.do(cabinet.lea, asks.accept, ask.id)
    assert caught.value.code == "ask_answered"
    assert cabinet.ask(cabinet.lea).id != ask.id


def test_nobody_is_asked_twice_while_a_question_is_open(cabinet: Cabinet) -> None:
    cabinet.ask(cabinet.lea)
    with pytest.raises(Conflict) as caught:
        cabinet.ask(cabinet.lea)
    assert caught.value.code == "ask_open"
    assert cabinet.ask(cabinet.hugo).state is AskState.OPEN


def test_the_index_decides_between_two_who_ask_at_once(cabinet: Cabinet) -> None:
    outcomes = at_once(*[lambda: cabinet.ask(cabinet.lea)] * 6)
    assert outcomes.count(None) == 1
    assert {error.code for error in outcomes if isinstance(error, RelaisError)} == {"ask_open"}
    assert cabinet.told() == [("ask.sent", cabinet.lea.id)]


def test_only_a_titular_asks_and_only_the_doctor_answers(cabinet: Cabinet) -> None:
    house, practice = cabinet.house, cabinet.practice
    for role in (Role.SECRETARY, Role.REPLACEMENT, Role.INTERN, Role.NURSE, Role.VIEWER):
        with pytest.raises(Forbidden):
            cabinet.do(house.member(practice, role), asks.ask, cabinet.need.id, cabinet.lea.id)
    stranger = house.member(house.practice(), Role.TITULAR)
    with pytest.raises(NotFound):
        cabinet.do(stranger, asks.ask, cabinet.need.id, cabinet.lea.id)
    ask = cabinet.ask(cabinet.lea)
    for use_case in (asks.accept, asks.decline):
        for other in (cabinet.titular, cabinet.hugo):
            with pytest.raises(Forbidden):
                cabinet.do(other, use_case, ask.id)
        with pytest.raises(NotFound):
            cabinet.do(stranger, use_case, ask.id)
    with pytest.raises(Forbidden):
        cabinet.do(cabinet.lea, asks.withdraw, ask.id)
    assert cabinet.read(ask).state is AskState.OPEN


@pytest.mark.parametrize(
    ("who", "code"),
    [("titular", "ask_oneself"), ("nobody", "doctor_not_found"), ("stranger", "not_member")],
)
def test_who_cannot_be_asked(cabinet: Cabinet, who: str, code: str) -> None:
    stranger = cabinet.house.member(cabinet.house.practice(), Role.REPLACEMENT)
    doctor_id = {"titular": cabinet.titular.id, "nobody": 9999, "stranger": stranger.id}[who]
    with pytest.raises(RelaisError) as caught:
        cabinet.do(cabinet.titular, asks.ask, cabinet.need.id, doctor_id)
    assert caught.value.code.startswith(code)
    assert cabinet.told() == []


def test_days_that_cannot_be_asked_for(cabinet: Cabinet) -> None:
    house, practice = cabinet.house, cabinet.practice
    taken = house.need(practice, TUESDAY + DAY)
    house.assignment(taken, cabinet.hugo)
    with pytest.raises(Conflict) as caught:
        cabinet.ask(cabinet.lea, taken)
    assert (caught.value.code, caught.value.facts["who"]) == ("need_taken", "Hugo Roux")
    with pytest.raises(RuleBroken):
        cabinet.ask(cabinet.lea, house.need(practice, house.today - DAY))
    withdrawn = house.need(practice, TUESDAY + 2 * DAY)
    cabinet.do(cabinet.titular, needs.withdraw_need, withdrawn.id)
    with pytest.raises(Conflict) as caught:
        cabinet.ask(cabinet.lea, withdrawn)
    assert caught.value.code == "need_withdrawn"
    with pytest.raises(NotFound):
        cabinet.do(cabinet.titular, asks.ask, 9999, cabinet.lea.id)


def test_today_can_be_asked_for(cabinet: Cabinet) -> None:
    today = cabinet.house.need(cabinet.practice, cabinet.house.today)
    cabinet.do(cabinet.lea, asks.accept, cabinet.ask(cabinet.lea, today).id)
    assert cabinet.assigned() == {today.id: cabinet.lea.id}


def test_a_rule_that_no_yes_lifts_is_not_asked_about(cabinet: Cabinet) -> None:
    beside = cabinet.house.need(cabinet.practice, TUESDAY, room=1)
    cabinet.house.assignment(beside, cabinet.lea)
    with pytest.raises(RuleBroken) as caught:
        cabinet.ask(cabinet.lea)
    assert caught.value.code == "already_working"


def test_a_yes_passes_the_doctor_s_limit_for_this_day_only(cabinet: Cabinet) -> None:
    busy(cabinet, 1, 2)
    with pytest.raises(RuleBroken):
        cabinet.do(cabinet.lea, claiming.claim, cabinet.need.id)
    ask = cabinet.ask(cabinet.lea)
    assert (ask.code, ask.limit_to) == (AskCode.RAISE_WEEKLY_CAP, 3)
    # Asked is not agreed.
    with pytest.raises(RuleBroken):
        cabinet.do(cabinet.lea, claiming.claim, cabinet.need.id)
    cabinet.do(cabinet.lea, asks.accept, ask.id)
    assert cabinet.assigned()[cabinet.need.id] == cabinet.lea.id
    details = dict(cabinet.chain())["assignment.claimed"]
    assert details["ask_id"] == ask.id
    assert details["lifts"] == [{"code": "week_limit", "to": 3}]
    # The limit itself stands as the doctor set it: for the next day of the week, and elsewhere.
    for offset in (3, 7):
        busy(cabinet, *([8, 9] if offset == 7 else []))
        further = cabinet.house.need(cabinet.practice, TUESDAY + offset * DAY)
        with pytest.raises(RuleBroken) as caught:
            cabinet.do(cabinet.lea, claiming.claim, further.id)
        assert (caught.value.code, caught.value.facts["limit"]) == ("week_limit", 2)


def test_a_lifted_day_takes_no_other_day_s_place(cabinet: Cabinet) -> None:
    busy(cabinet, 1, 2)
    cabinet.do(cabinet.lea, asks.accept, cabinet.ask(cabinet.lea).id)
    with cabinet.database.session() as session:
        given = session.scalars(sa.select(Assignment).where(Assignment.date == TUESDAY + DAY)).one()
    cabinet.do(cabinet.lea, releasing.release, given.id)
    again = cabinet.house.need(cabinet.practice, TUESDAY + 3 * DAY)
    cabinet.do(cabinet.lea, claiming.claim, again.id)
    assert len(cabinet.assigned()) == 3
    # Without the lifted day nothing is left of the yes.
    with cabinet.database.session() as session:
        lifted = session.scalars(sa.select(Assignment).where(Assignment.date == TUESDAY)).one()
    cabinet.do(cabinet.lea, releasing.release, lifted.id)
    with pytest.raises(RuleBroken):
        cabinet.do(cabinet.lea, claiming.claim, cabinet.need.id)


def test_a_yes_goes_no_further_than_the_question(cabinet: Cabinet) -> None:
    busy(cabinet, 1, 2)
    ask = cabinet.ask(cabinet.lea)
    busy(cabinet, 3)
    with pytest.raises(RuleBroken) as caught:
        cabinet.do(cabinet.lea, asks.accept, ask.id)
    assert caught.value.code == "week_limit"
    assert cabinet.read(ask).state is AskState.OPEN


def test_every_other_rule_holds_against_a_yes(cabinet: Cabinet) -> None:
    busy(cabinet, 1, 2)
    ask = cabinet.ask(cabinet.lea)
    with cabinet.database.transaction() as session:
        doctor = session.get_one(User, cabinet.lea.id, options=[sa.orm.joinedload(User.doctor)])
        assert doctor.doctor is not None
        doctor.doctor.qualified = False
    with pytest.raises(RuleBroken) as caught:
        cabinet.do(cabinet.lea, asks.accept, ask.id)
    assert caught.value.code == "licence_missing"
    assert cabinet.need.id not in cabinet.assigned()


@pytest.mark.parametrize(
    ("limits", "code", "to"),
    [
        ({"max_half_days_per_month": 3}, AskCode.RAISE_MONTHLY_CAP, 3),
        ({"max_consecutive_days": 2}, AskCode.RAISE_CONSECUTIVE, 3),
    ],
)
def test_every_limit_can_be_asked_about(
    cabinet: Cabinet, limits: dict[str, int], code: AskCode, to: float
) -> None:
    doctor = cabinet.house.member(cabinet.practice, Role.REPLACEMENT, doctor=limits)
    busy(cabinet, 1, -1, doctor=doctor)
    ask = cabinet.ask(doctor)
    assert (ask.code, ask.limit_to) == (code, to)
    cabinet.do(doctor, asks.accept, ask.id)
    assert cabinet.assigned()[cabinet.need.id] == doctor.id


def test_two_limits_at_once_are_not_asked_about(cabinet: Cabinet) -> None:
    limits = {"max_half_days_per_week": 4, "max_half_days_per_month": 4}
    doctor = cabinet.house.member(cabinet.practice, Role.REPLACEMENT, doctor=limits)
    busy(cabinet, 1, 2, doctor=doctor)
    with pytest.raises(RuleBroken):
        cabinet.ask(doctor)


def proposal(cabinet: Cabinet, *suggestions: dict[str, Any], practice_id: int | None = None) -> int:
    """A computed proposal that leaves the day uncovered, with what would help."""
    item = {"need": need_key(cabinet.need.id), "reasons": [], "suggestions": list(suggestions)}
    row = Proposal(
        practice_id=practice_id or cabinet.practice.id,
        start=TUESDAY,
        end=TUESDAY + 6 * DAY,
        state=ProposalState.READY,
        requested_by=cabinet.titular.id,
        requested_at=cabinet.database.clock.now(),
        solution={"uncovered": [item]},
    )
    with cabinet.database.transaction() as session:
        session.add(row)
    return row.id


def test_a_proposal_s_suggestion_is_what_is_asked(cabinet: Cabinet) -> None:
    """Two proposed days are not hers yet, but will be: a third would pass her limit."""
    suggestion = {"code": "raise_weekly_cap", "doctor": doctor_key(cabinet.lea.id), "to": 3}
    proposal_id = proposal(cabinet, suggestion)
    ask = cabinet.ask(cabinet.lea, proposal_id=proposal_id)
    assert (ask.code, ask.limit_to, ask.proposal_id) == (AskCode.RAISE_WEEKLY_CAP, 3, proposal_id)
    cabinet.do(cabinet.lea, asks.accept, ask.id)
    for offset in (1, 2):
        need = cabinet.house.need(cabinet.practice, TUESDAY + offset * DAY)
        cabinet.do(cabinet.lea, claiming.claim, need.id)
    assert len(cabinet.assigned()) == 3


def test_what_stands_by_now_outdoes_the_suggestion(cabinet: Cabinet) -> None:
    suggestion = {"code": "ask", "doctor": doctor_key(cabinet.lea.id)}
    proposal_id = proposal(cabinet, suggestion)
    busy(cabinet, 1, 2)
    ask = cabinet.ask(cabinet.lea, proposal_id=proposal_id)
    assert (ask.code, ask.limit_to) == (AskCode.RAISE_WEEKLY_CAP, 3)


def test_another_practice_s_proposal_is_none(cabinet: Cabinet) -> None:
    other = proposal(cabinet, practice_id=cabinet.house.practice().id)
    for proposal_id in (other, 9999):
        with pytest.raises(NotFound):
            cabinet.ask(cabinet.lea, proposal_id=proposal_id)


def test_whoever_is_first_has_the_day_and_the_other_question_lapses(cabinet: Cabinet) -> None:
    to_lea, to_hugo = cabinet.ask(cabinet.lea), cabinet.ask(cabinet.hugo)
    cabinet.do(cabinet.hugo, asks.accept, to_hugo.id)
    assert cabinet.read(to_lea).state is AskState.LAPSED
    for use_case in (asks.accept, asks.decline):
        with pytest.raises(Conflict) as caught:
            cabinet.do(cabinet.lea, use_case, to_lea.id)
        assert caught.value.code == "need_taken"
        assert caught.value.facts == {"who": "Hugo Roux", "date": TUESDAY}
    assert cabinet.told()[2:] == [
        ("ask.ended", cabinet.lea.id),
        ("ask.answered", cabinet.titular.id),
    ]


def test_many_say_yes_at_once_and_one_has_the_day(cabinet: Cabinet) -> None:
    doctors = [cabinet.house.member(cabinet.practice, Role.REPLACEMENT) for _ in range(10)]
    questions = {doctor.id: cabinet.ask(doctor) for doctor in doctors}

    def say_yes(doctor: User) -> None:
        cabinet.do(doctor, asks.accept, questions[doctor.id].id)

    outcomes = at_once(*(lambda doctor=doctor: say_yes(doctor) for doctor in doctors))
    assert outcomes.count(None) == 1
    winner = doctors[outcomes.index(None)]
    for outcome in outcomes:
        if outcome is not None:
            assert isinstance(outcome, Conflict)
            assert (outcome.code, outcome.facts["who"]) == ("need_taken", winner.name)
    assert cabinet.assigned() == {cabinet.need.id: winner.id}
    states = {doctor_id: cabinet.read(ask).state for doctor_id, ask in questions.items()}
    assert states.pop(winner.id) is AskState.ACCEPTED
    assert set(states.values()) == {AskState.LAPSED}


def test_yes_and_no_and_withdrawal_at_once_end_it_once(cabinet: Cabinet) -> None:
    ask = cabinet.ask(cabinet.lea)
    at_once(
        lambda: cabinet.do(cabinet.lea, asks.accept, ask.id),
        lambda: cabinet.do(cabinet.lea, asks.decline, ask.id),
        lambda: cabinet.do(cabinet.titular, asks.withdraw, ask.id),
    )
    state = cabinet.read(ask).state
    assert state is not AskState.OPEN
    assert bool(cabinet.assigned()) is (state is AskState.ACCEPTED)
    ends = [action for action, _ in cabinet.chain() if action.startswith("ask.")][1:]
    assert ends == [f"ask.{state.value}"]


def test_taking_the_day_by_oneself_says_yes(cabinet: Cabinet) -> None:
    ask = cabinet.ask(cabinet.lea)
    cabinet.do(cabinet.lea, claiming.claim, cabinet.need.id)
    found = cabinet.read(ask)
    # It was no yes to a limit: nothing is lifted by it.
    assert (found.state, found.assignment_id) == (AskState.ACCEPTED, None)
    assert cabinet.told()[1:] == [("ask.answered", cabinet.titular.id)]


def test_a_withdrawn_day_ends_its_questions(cabinet: Cabinet) -> None:
    ask = cabinet.ask(cabinet.lea)
    cabinet.do(cabinet.titular, needs.withdraw_need, cabinet.need.id)
    assert cabinet.read(ask).state is AskState.LAPSED
    assert cabinet.told()[1:] == [("ask.ended", cabinet.lea.id)]
    with pytest.raises(Conflict) as caught:
        cabinet.do(cabinet.lea, asks.accept, ask.id)
    assert caught.value.code == "need_withdrawn"


def test_a_question_is_taken_back_once(cabinet: Cabinet) -> None:
    ask = cabinet.ask(cabinet.lea)
    cabinet.do(cabinet.titular, asks.withdraw, ask.id)
    cabinet.do(cabinet.titular, asks.withdraw, ask.id)
    assert cabinet.read(ask).state is AskState.WITHDRAWN
    assert cabinet.told()[1:] == [("ask.ended", cabinet.lea.id)]
    with pytest.raises(Conflict) as caught:
        cabinet.do(cabinet.lea, asks.decline, ask.id)
    assert caught.value.code == "ask_withdrawn"


def test_questions_about_past_days_lapse(cabinet: Cabinet, clock: FixedClock) -> None:
    ask = cabinet.ask(cabinet.lea)
    later = cabinet.ask(cabinet.lea, cabinet.house.need(cabinet.practice, TUESDAY + DAY))

    def lapse() -> int:
        with cabinet.database.transaction() as session:
            return lapse_past(session)

    assert lapse() == 0
    # The last minute of Tuesday in Paris, and the first of Wednesday.
    clock.move_to(dt.datetime(2026, 12, 8, 22, 59, tzinfo=dt.UTC))
    assert lapse() == 0
    clock.move_to(dt.datetime(2026, 12, 8, 23, 0, tzinfo=dt.UTC))
    with pytest.raises(RuleBroken) as caught:
        cabinet.do(cabinet.lea, asks.accept, ask.id)
    assert caught.value.code == "need_past"
    assert lapse() == 1
    assert [cabinet.read(row).state for row in (ask, later)] == [AskState.LAPSED, AskState.OPEN]
    assert cabinet.told() == [("ask.sent", cabinet.lea.id)] * 2


@pytest.mark.parametrize(("length", "fits"), [(500, True), (501, False)])
def test_words_have_a_limit(cabinet: Cabinet, length: int, fits: bool) -> None:
    if fits:
        assert len(cabinet.ask(cabinet.lea, message="x" * length).message) == length
        return
    with pytest.raises(InvalidInput) as caught:
        cabinet.ask(cabinet.lea, message="x" * length)
    assert caught.value.code == "ask_message_too_long"
    ask = cabinet.ask(cabinet.lea)
    with pytest.raises(InvalidInput):
        cabinet.do(cabinet.lea, asks.decline, ask.id, "x" * 256)


def test_what_is_read_of_questions(cabinet: Cabinet, clock: FixedClock) -> None:
    first = cabinet.ask(cabinet.lea)
    cabinet.do(cabinet.lea, asks.decline, first.id)
    second = cabinet.ask(cabinet.lea)
    today = cabinet.house.today
    lea, hugo = (cabinet.house.actor(user) for user in (cabinet.lea, cabinet.hugo))
    with cabinet.database.session() as session:
        (found,) = ask_queries.asks_on(session, [cabinet.need.id]).values()
        assert [asked.ask.id for asked in found] == [second.id, first.id]
        assert {(asked.doctor, asked.asker) for asked in found} == {
            (cabinet.lea.name, cabinet.titular.name)
        }
        (waiting,) = ask_queries.open_asks_of(session, cabinet.lea.id, today)
        assert (waiting.ask_id, waiting.asker, waiting.date) == (
            second.id,
            cabinet.titular.name,
            TUESDAY,
        )
        assert ask_queries.open_asks_of(session, cabinet.lea.id, TUESDAY + DAY) == []
        assert ask_queries.open_asks_of(session, cabinet.hugo.id, today) == []
        assert [ask.id for ask in ask_queries.asks_of(session, lea)] == [second.id, first.id]
        assert ask_queries.ask_of(session, lea, first.id).practice.name
        with pytest.raises(Forbidden):
            ask_queries.ask_of(session, hugo, first.id)


def test_whoever_asked_is_told_that_a_yes_is_undone(cabinet: Cabinet) -> None:
    question = cabinet.ask(cabinet.lea)
    taken = cabinet.do(cabinet.lea, asks.accept, question.id)
    cabinet.do(cabinet.lea, claiming.undo, taken.id)
    assert cabinet.told()[-1] == ("assignment.released", cabinet.titular.id)
