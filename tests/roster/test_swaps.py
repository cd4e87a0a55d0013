"""Days that go from one doctor to another: offered, exchanged, taken over, and taken back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

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
from scheduler.roster import claiming, releasing, swap_queries, swaps, taken_days, takeovers
from scheduler.roster.models import Assignment, Swap
from scheduler.roster.rules import (
    AssignmentSource,
    AssignmentState,
    Period,
    Preference,
    ReleaseKind,
    SwapState,
)
from tests.factories import House
from tests.support import at_once, audited, count_queries

TUESDAY = dt.date(2026, 12, 8)
THURSDAY = dt.date(2026, 12, 10)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


@dataclass
class Cabinet:
    """A practice where Léa has the Tuesday and Hugo the Thursday."""

    house: House
    practice: Practice
    titular: User
    secretary: User
    lea: User
    hugo: User
    ines: User
    tuesday: Assignment
    thursday: Assignment

    @property
    def database(self) -> Database:
        return self.house.database

    def do(self, who: User, use_case: Any, *arguments: Any, **options: Any) -> Any:
        actor = self.house.actor(who)
        with self.database.transaction() as session:
            return use_case(session, actor, *arguments, **options)

    def refused(self, who: User, use_case: Any, *arguments: Any, **options: Any) -> RelaisError:
        with pytest.raises(RelaisError) as caught:
            self.do(who, use_case, *arguments, **options)
        return caught.value

    def offer(self, **options: Any) -> Swap:
        found = self.do(self.lea, swaps.offer, self.tuesday.id, **options)
        assert isinstance(found, Swap)
        return found

    def holders(self) -> dict[dt.date, tuple[int, AssignmentState, AssignmentSource]]:
        with self.database.session() as session:
            rows = session.scalars(
                sa.select(Assignment).where(Assignment.state != AssignmentState.RELEASED)
            )
            return {row.date: (row.doctor_id, row.state, row.source) for row in rows}

    def doctors(self) -> dict[dt.date, int]:
        return {date: found[0] for date, found in self.holders().items()}

    def row(self, table: Any, number: int) -> Any:
        with self.database.session() as session:
            return session.get_one(table, number)

    def told(self, kind: str) -> set[int]:
        with self.database.session() as session:
            statement = sa.select(OutboxMessage.recipient_id).where(OutboxMessage.kind == kind)
            return set(session.scalars(statement))


@pytest.fixture
def cabinet(house: House) -> Cabinet:
    practice = house.practice("Salle 1", "Salle 2")
    titular = house.member(practice, Role.TITULAR)
    secretary = house.member(practice, Role.SECRETARY)
    lea, hugo, ines = (
        house.member(practice, Role.REPLACEMENT, given_name=given, family_name=family)
        for given, family in (("Léa", "Fontaine"), ("Hugo", "Roux"), ("Inès", "Moreau"))
    )
    tuesday = house.assignment(house.need(practice, TUESDAY), lea)
    thursday = house.assignment(house.need(practice, THURSDAY), hugo)
    return Cabinet(house, practice, titular, secretary, lea, hugo, ines, tuesday, thursday)


@pytest.fixture
def today(cabinet: Cabinet) -> Assignment:
    """Léa's day of today."""
    need = cabinet.house.need(cabinet.practice, cabinet.house.today)
    return cabinet.house.assignment(need, cabinet.lea)


def test_an_offer_to_one_tells_that_one(cabinet: Cabinet) -> None:
    swap = cabinet.offer(to_doctor_id=cabinet.hugo.id, message="  Merci,\r\nLéa ")
    assert (swap.state, swap.message) == (SwapState.OPEN, "Merci,\nLéa")
    assert (swap.doctor_id, swap.offered_by) == (cabinet.lea.id, cabinet.lea.id)
    assert cabinet.told("swap.offered") == {cabinet.hugo.id}
    # Trying whether it is possible left nothing behind.
    assert audited(cabinet.database) == ["swap.offered"]
    assert cabinet.row(Assignment, cabinet.tuesday.id).state is AssignmentState.CONFIRMED
    with cabinet.database.session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Assignment)) == 2


def test_an_offer_to_all_tells_who_could_come(cabinet: Cabinet) -> None:
    house, practice = cabinet.house, cabinet.practice
    elsewhere = house.practice()
    busy = house.member(practice, Role.REPLACEMENT)
    house.member(elsewhere, Role.REPLACEMENT, busy)
    house.assignment(house.need(elsewhere, TUESDAY), busy)
    house.member(practice, Role.REPLACEMENT, doctor={"qualified": False})
    refusing = house.member(practice, Role.REPLACEMENT)
    house.available(refusing, TUESDAY, preference=None)
    house.available(cabinet.hugo, TUESDAY, preference=Preference.POSSIBLE)
    cabinet.offer()
    assert cabinet.told("swap.offered") == {
        cabinet.hugo.id,
        cabinet.ines.id,
        cabinet.titular.id,
    }


def test_taking_an_offer_moves_the_day_in_one_step(cabinet: Cabinet) -> None:
    swap = cabinet.offer()
    taken = cabinet.do(cabinet.hugo, swaps.take, swap.id)
    assert cabinet.holders()[TUESDAY] == (
        cabinet.hugo.id,
        AssignmentState.CONFIRMED,
        AssignmentSource.SWAP,
    )
    before = cabinet.row(Assignment, cabinet.tuesday.id)
    assert (before.release_kind, before.released_by) == (ReleaseKind.SWAPPED, cabinet.hugo.id)
    assert taken.predecessor_id == before.id
    found = cabinet.row(Swap, swap.id)
    assert (found.state, found.taken_by, found.taken_id) == (
        SwapState.TAKEN,
        cabinet.hugo.id,
        taken.id,
    )
    assert cabinet.told("swap.taken") == {cabinet.lea.id, cabinet.titular.id}
    assert audited(cabinet.database) == [
        "swap.offered",
        "assignment.released",
        "assignment.claimed",
        "swap.taken",
    ]


def test_taking_twice_is_taking_once(cabinet: Cabinet) -> None:
    swap = cabinet.offer()
    first = cabinet.do(cabinet.hugo, swaps.take, swap.id)
    assert cabinet.do(cabinet.hugo, swaps.take, swap.id).id == first.id
    error = cabinet.refused(cabinet.ines, swaps.take, swap.id)
    assert (error.code, error.facts) == ("swap_taken", {"who": "Hugo Roux", "date": TUESDAY})


def test_two_who_take_at_once_are_one(cabinet: Cabinet) -> None:
    others = [cabinet.house.member(cabinet.practice, Role.REPLACEMENT) for _ in range(4)]
    swap = cabinet.offer()
    everybody = [cabinet.hugo, cabinet.ines, *others]
    outcomes = at_once(*(lambda who=who: cabinet.do(who, swaps.take, swap.id) for who in everybody))
    assert outcomes.count(None) == 1
    assert {error.code for error in outcomes if isinstance(error, RelaisError)} == {"swap_taken"}
    winner = everybody[outcomes.index(None)]
    assert cabinet.doctors()[TUESDAY] == winner.id
    assert audited(cabinet.database).count("swap.taken") == 1


def test_an_offer_is_taken_or_the_day_given_back_not_both(cabinet: Cabinet) -> None:
    swap = cabinet.offer()
    outcomes = at_once(
        lambda: cabinet.do(cabinet.hugo, swaps.take, swap.id),
        lambda: cabinet.do(cabinet.titular, releasing.release, cabinet.tuesday.id, "Fermé"),
    )
    assert outcomes.count(None) == 1
    taken = outcomes[0] is None
    assert (TUESDAY in cabinet.doctors()) is taken
    assert cabinet.row(Swap, swap.id).state is (SwapState.TAKEN if taken else SwapState.LAPSED)


def test_an_exchange_moves_both_days(cabinet: Cabinet) -> None:
    swap = cabinet.offer(to_doctor_id=cabinet.hugo.id, return_id=cabinet.thursday.id)
    cabinet.do(cabinet.hugo, swaps.take, swap.id)
    assert cabinet.doctors() == {TUESDAY: cabinet.hugo.id, THURSDAY: cabinet.lea.id}
    returned = cabinet.do(cabinet.hugo, swaps.untake, swap.id)
    assert returned.doctor_id == cabinet.lea.id
    assert cabinet.doctors() == {TUESDAY: cabinet.lea.id, THURSDAY: cabinet.hugo.id}
    assert cabinet.row(Swap, swap.id).state is SwapState.UNTAKEN


def test_an_exchange_on_one_day_is_no_double_booking(cabinet: Cabinet) -> None:
    """Two rooms: they change places, which each rule alone would forbid to either."""
    beside = cabinet.house.need(cabinet.practice, TUESDAY, room=1)
    other = cabinet.house.assignment(beside, cabinet.hugo)
    swap = cabinet.offer(to_doctor_id=cabinet.hugo.id, return_id=other.id)
    taken = cabinet.do(cabinet.hugo, swaps.take, swap.id)
    assert (taken.need_id, taken.doctor_id) == (cabinet.tuesday.need_id, cabinet.hugo.id)
    with cabinet.database.session() as session:
        rows = session.execute(
            sa.select(Assignment.need_id, Assignment.doctor_id).where(
                Assignment.date == TUESDAY, Assignment.state != AssignmentState.RELEASED
            )
        )
        assert dict(map(tuple, rows)) == {
            cabinet.tuesday.need_id: cabinet.hugo.id,
            beside.id: cabinet.lea.id,
        }


def test_an_exchange_is_all_or_nothing(cabinet: Cabinet) -> None:
    swap = cabinet.offer(to_doctor_id=cabinet.hugo.id, return_id=cabinet.thursday.id)
    elsewhere = cabinet.house.practice()
    cabinet.house.member(elsewhere, Role.REPLACEMENT, cabinet.lea)
    cabinet.house.assignment(cabinet.house.need(elsewhere, THURSDAY), cabinet.lea)
    error = cabinet.refused(cabinet.hugo, swaps.take, swap.id)
    assert error.code == "already_working"
    assert cabinet.row(Swap, swap.id).state is SwapState.OPEN
    assert cabinet.row(Assignment, cabinet.tuesday.id).state is AssignmentState.CONFIRMED
    assert cabinet.row(Assignment, cabinet.thursday.id).state is AssignmentState.CONFIRMED
    assert audited(cabinet.database) == ["swap.offered"]


def test_whoever_cannot_legally_come_is_not_offered(cabinet: Cabinet) -> None:
    trainee = cabinet.house.member(cabinet.practice, Role.REPLACEMENT, doctor={"qualified": False})
    error = cabinet.refused(cabinet.lea, swaps.offer, cabinet.tuesday.id, to_doctor_id=trainee.id)
    assert (type(error), error.code) == (RuleBroken, "licence_missing")
    assert cabinet.told("swap.offered") == set()


def test_a_colleague_s_own_limit_is_theirs_to_pass(cabinet: Cabinet) -> None:
    tired = cabinet.house.member(
        cabinet.practice, Role.REPLACEMENT, doctor={"max_half_days_per_week": 1}
    )
    swap = cabinet.offer(to_doctor_id=tired.id)
    assert cabinet.refused(tired, swaps.take, swap.id).code == "week_limit"
    cabinet.do(tired, swaps.take, swap.id, passing=["week_limit"])
    assert cabinet.doctors()[TUESDAY] == tired.id


def test_a_yes_on_the_telephone_passes_no_limit(cabinet: Cabinet) -> None:
    tired = cabinet.house.member(
        cabinet.practice, Role.REPLACEMENT, doctor={"max_half_days_per_week": 1}
    )
    swap = cabinet.offer()
    error = cabinet.refused(
        cabinet.secretary, swaps.take, swap.id, doctor_id=tired.id, passing=["week_limit"]
    )
    assert error.code == "week_limit"
    taken = cabinet.do(cabinet.secretary, swaps.take, swap.id, doctor_id=cabinet.hugo.id)
    assert (taken.doctor_id, taken.created_by) == (cabinet.hugo.id, cabinet.secretary.id)
    assert cabinet.told("swap.taken") == {cabinet.lea.id, cabinet.hugo.id, cabinet.titular.id}


def test_a_secretary_offers_for_a_doctor_on_the_telephone(cabinet: Cabinet) -> None:
    swap = cabinet.do(
        cabinet.secretary, swaps.offer, cabinet.tuesday.id, to_doctor_id=cabinet.hugo.id
    )
    assert (swap.doctor_id, swap.offered_by) == (cabinet.lea.id, cabinet.secretary.id)
    cabinet.do(cabinet.hugo, swaps.decline, swap.id)
    assert cabinet.told("swap.declined") == {cabinet.lea.id, cabinet.secretary.id}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"to_doctor_id": 9999}, "doctor_not_found"),
        ({"to_doctor_id": "lea"}, "swap_oneself"),
        ({"return_id": "thursday"}, "swap_return"),
        ({"to_doctor_id": "ines", "return_id": "thursday"}, "swap_return"),
        ({"to_doctor_id": "hugo", "return_id": 9999}, "swap_return"),
        ({"message": "x" * 256}, "swap_message_too_long"),
    ],
)
def test_offers_that_make_no_sense(cabinet: Cabinet, options: dict[str, Any], code: str) -> None:
    numbers = {"lea", "hugo", "ines", "thursday"}
    options = {
        name: getattr(cabinet, value).id if value in numbers else value
        for name, value in options.items()
    }
    assert cabinet.refused(cabinet.lea, swaps.offer, cabinet.tuesday.id, **options).code == code


def test_one_offer_at_a_time(cabinet: Cabinet) -> None:
    cabinet.offer()
    error = cabinet.refused(cabinet.lea, swaps.offer, cabinet.tuesday.id)
    assert (error.code, type(error)) == ("swap_open", Conflict)


def test_who_may_offer_and_who_may_answer(cabinet: Cabinet) -> None:
    house, practice = cabinet.house, cabinet.practice
    stranger = house.member(house.practice(), Role.TITULAR)
    for other in (cabinet.hugo, house.member(practice, Role.NURSE)):
        with pytest.raises(Forbidden):
            cabinet.do(other, swaps.offer, cabinet.tuesday.id)
    swap = cabinet.offer(to_doctor_id=cabinet.hugo.id)
    for use_case in (swaps.take, swaps.decline, swaps.untake):
        with pytest.raises(Forbidden):
            cabinet.do(cabinet.ines, use_case, swap.id)
    with pytest.raises(Forbidden):
        cabinet.do(cabinet.hugo, swaps.withdraw, swap.id)
    for use_case in (swaps.take, swaps.decline, swaps.withdraw, swaps.untake):
        with pytest.raises(NotFound):
            cabinet.do(stranger, use_case, swap.id)
    with pytest.raises(InvalidInput):
        cabinet.do(cabinet.lea, swaps.take, swap.id)
    assert cabinet.row(Swap, swap.id).state is SwapState.OPEN


def test_what_is_offered_to_all_is_not_declined(cabinet: Cabinet) -> None:
    swap = cabinet.offer()
    with pytest.raises(Forbidden):
        cabinet.do(cabinet.hugo, swaps.decline, swap.id)


def test_saying_no_and_taking_back(cabinet: Cabinet) -> None:
    swap = cabinet.offer(to_doctor_id=cabinet.hugo.id)
    cabinet.do(cabinet.hugo, swaps.decline, swap.id)
    cabinet.do(cabinet.hugo, swaps.decline, swap.id)
    assert cabinet.told("swap.declined") == {cabinet.lea.id}
    assert cabinet.refused(cabinet.hugo, swaps.take, swap.id).code == "swap_ended"
    again = cabinet.offer(to_doctor_id=cabinet.hugo.id)
    cabinet.do(cabinet.lea, swaps.withdraw, again.id)
    assert cabinet.told("swap.withdrawn") == {cabinet.hugo.id}
    assert cabinet.refused(cabinet.hugo, swaps.take, again.id).code == "swap_withdrawn"
    assert cabinet.refused(cabinet.hugo, swaps.decline, again.id).code == "swap_withdrawn"
    assert cabinet.do(cabinet.lea, swaps.withdraw, again.id).state is SwapState.WITHDRAWN


def test_giving_the_day_back_ends_its_offer(cabinet: Cabinet) -> None:
    swap = cabinet.offer()
    cabinet.do(cabinet.titular, releasing.release, cabinet.tuesday.id, "Fermé")
    assert cabinet.row(Swap, swap.id).state is SwapState.LAPSED
    assert cabinet.refused(cabinet.hugo, swaps.take, swap.id).code == "swap_ended"


def test_a_held_day_stays_held_for_as_long(cabinet: Cabinet) -> None:
    need = cabinet.house.need(cabinet.practice, TUESDAY + DAY)
    held = cabinet.house.assignment(need, cabinet.lea, AssignmentState.HELD)
    swap = cabinet.do(cabinet.lea, swaps.offer, held.id, to_doctor_id=cabinet.hugo.id)
    taken = cabinet.do(cabinet.hugo, swaps.take, swap.id)
    assert (taken.state, taken.held_until) == (AssignmentState.HELD, held.held_until)
    back = cabinet.do(cabinet.hugo, swaps.untake, swap.id)
    assert (back.doctor_id, back.state, back.held_until) == (
        cabinet.lea.id,
        AssignmentState.HELD,
        held.held_until,
    )


def test_a_swap_taken_by_mistake_goes_back(cabinet: Cabinet, clock: FixedClock) -> None:
    swap = cabinet.offer()
    taken = cabinet.do(cabinet.hugo, swaps.take, swap.id)
    with pytest.raises(Forbidden):
        cabinet.do(cabinet.lea, swaps.untake, swap.id)
    clock.advance(23 * HOUR)
    back = cabinet.do(cabinet.hugo, swaps.untake, swap.id)
    assert (back.doctor_id, back.source) == (cabinet.lea.id, AssignmentSource.CLAIM)
    assert cabinet.row(Assignment, taken.id).release_kind is ReleaseKind.UNTAKEN
    assert cabinet.told("swap.untaken") == {cabinet.lea.id, cabinet.titular.id}
    assert cabinet.refused(cabinet.hugo, swaps.untake, swap.id).code == "swap_not_taken"


def test_what_came_back_was_not_taken_just_now(cabinet: Cabinet, clock: FixedClock) -> None:
    """Undoing belongs to the taking: a day that comes back brings no new ten minutes with it."""
    clock.advance(HOUR)
    swap = cabinet.offer()
    cabinet.do(cabinet.hugo, swaps.take, swap.id)
    back = cabinet.do(cabinet.hugo, swaps.untake, swap.id)
    assert cabinet.do(cabinet.lea, taken_days.recent, cabinet.house.today) == []
    assert cabinet.refused(cabinet.lea, claiming.undo, back.id).code == "undo_too_late"
    assert cabinet.doctors()[TUESDAY] == cabinet.lea.id


@pytest.mark.parametrize(
    "source",
    [
        AssignmentSource.CLAIM,
        AssignmentSource.CALL,
        AssignmentSource.ASK,
        AssignmentSource.PHONE,
    ],
)
def test_a_day_taken_over_comes_back_without_undoing(
    cabinet: Cabinet, source: AssignmentSource, clock: FixedClock
) -> None:
    need = cabinet.house.need(cabinet.practice, cabinet.house.today)
    day = cabinet.house.assignment(need, cabinet.lea, source=source)
    clock.advance(HOUR)
    taken = cabinet.do(cabinet.ines, takeovers.take_over, day.id, "Malade")
    back = cabinet.do(cabinet.ines, takeovers.untake_over, taken.id)
    for who in (cabinet.ines, cabinet.lea):
        assert cabinet.refused(who, claiming.undo, back.id).code == "undo_too_late"


def test_a_swap_goes_back_for_a_day_only(cabinet: Cabinet, clock: FixedClock) -> None:
    swap = cabinet.offer()
    cabinet.do(cabinet.hugo, swaps.take, swap.id)
    clock.advance(24 * HOUR)
    assert cabinet.refused(cabinet.hugo, swaps.untake, swap.id).code == "untake_too_late"
    assert cabinet.doctors()[TUESDAY] == cabinet.hugo.id


def test_a_swap_does_not_go_back_once_the_day_has_begun(
    cabinet: Cabinet, today: Assignment, clock: FixedClock
) -> None:
    tomorrow = cabinet.house.need(cabinet.practice, cabinet.house.today + DAY, Period.PM)
    day = cabinet.house.assignment(tomorrow, cabinet.lea)
    swap = cabinet.do(cabinet.lea, swaps.offer, day.id)
    clock.advance(23 * HOUR)
    cabinet.do(cabinet.hugo, swaps.take, swap.id)
    # The afternoon begins at two.
    clock.advance(5 * HOUR)
    assert cabinet.refused(cabinet.hugo, swaps.untake, swap.id).code == "untake_too_late"


def test_a_day_stays_where_it_is_when_the_giver_is_no_longer_free(cabinet: Cabinet) -> None:
    swap = cabinet.offer()
    cabinet.do(cabinet.hugo, swaps.take, swap.id)
    beside = cabinet.house.need(cabinet.practice, TUESDAY, room=1)
    cabinet.house.assignment(beside, cabinet.lea)
    error = cabinet.refused(cabinet.hugo, swaps.untake, swap.id)
    assert (error.code, error.facts["who"]) == ("untake_impossible", "Léa Fontaine")
    assert error.facts["why"].code == "already_working"
    assert cabinet.row(Assignment, swap_taken(cabinet, swap)).state is AssignmentState.CONFIRMED
    assert cabinet.row(Swap, swap.id).state is SwapState.TAKEN


def swap_taken(cabinet: Cabinet, swap: Swap) -> int:
    number = cabinet.row(Swap, swap.id).taken_id
    assert isinstance(number, int)
    return number


def test_what_was_passed_for_a_day_holds_when_it_comes_back(cabinet: Cabinet) -> None:
    tired = cabinet.house.member(
        cabinet.practice, Role.REPLACEMENT, doctor={"max_half_days_per_week": 1}
    )
    swap = cabinet.offer(to_doctor_id=tired.id)
    mine = cabinet.do(tired, swaps.take, swap.id, passing=["week_limit"])
    second = cabinet.do(tired, swaps.offer, mine.id, to_doctor_id=cabinet.hugo.id)
    cabinet.do(cabinet.hugo, swaps.take, second.id)
    back = cabinet.do(cabinet.hugo, swaps.untake, second.id)
    assert back.doctor_id == tired.id
    assert [lift["code"] for lift in back.lifts] == ["week_limit"]


def test_taking_over_alerts_everybody_concerned(cabinet: Cabinet, today: Assignment) -> None:
    taken = cabinet.do(cabinet.hugo, takeovers.take_over, today.id, "  Panne  de voiture ")
    assert cabinet.holders()[cabinet.house.today] == (
        cabinet.hugo.id,
        AssignmentState.CONFIRMED,
        AssignmentSource.TAKEOVER,
    )
    before = cabinet.row(Assignment, today.id)
    assert (before.release_kind, before.release_reason) == (
        ReleaseKind.TAKEN_OVER,
        "Panne de voiture",
    )
    everybody = {cabinet.lea.id, cabinet.titular.id, cabinet.secretary.id}
    assert cabinet.told("day.taken_over") == everybody
    with cabinet.database.session() as session:
        chain = swap_queries.told_of(session, [taken.id, today.id], ["day.taken_over"])
    assert {told.who for told in chain} >= {"Léa Fontaine"}
    assert {told.state.value for told in chain} == {"pending"}


def test_a_secretary_notes_who_takes_over(cabinet: Cabinet, today: Assignment) -> None:
    taken = cabinet.do(
        cabinet.secretary, takeovers.take_over, today.id, "Malade", doctor_id=cabinet.hugo.id
    )
    assert (taken.doctor_id, taken.created_by) == (cabinet.hugo.id, cabinet.secretary.id)
    assert cabinet.told("day.taken_over") == {
        cabinet.lea.id,
        cabinet.hugo.id,
        cabinet.titular.id,
    }


def test_what_cannot_be_taken_over(cabinet: Cabinet, today: Assignment) -> None:
    house = cabinet.house
    take_over = takeovers.take_over
    assert cabinet.refused(cabinet.lea, take_over, today.id, "Moi").code == "take_over_own"
    assert cabinet.refused(cabinet.hugo, take_over, today.id, " ").code == "reason_required"
    assert cabinet.refused(cabinet.hugo, take_over, today.id, "x" * 256).code == "reason_too_long"
    later = house.assignment(house.need(cabinet.practice, house.today + 2 * DAY), cabinet.lea)
    error = cabinet.refused(cabinet.hugo, take_over, later.id, "Bientôt")
    assert error.code == "take_over_too_early"
    with pytest.raises(Forbidden):
        nurse = house.member(cabinet.practice, Role.NURSE)
        cabinet.do(nurse, take_over, today.id, "Urgent")
    with pytest.raises(Forbidden):
        cabinet.do(cabinet.hugo, take_over, today.id, "Urgent", doctor_id=cabinet.ines.id)


def test_a_takeover_by_mistake_goes_back(
    cabinet: Cabinet, today: Assignment, clock: FixedClock
) -> None:
    taken = cabinet.do(cabinet.hugo, takeovers.take_over, today.id, "Je croyais")
    with pytest.raises(Forbidden):
        cabinet.do(cabinet.ines, takeovers.untake_over, taken.id)
    clock.advance(HOUR)
    back = cabinet.do(cabinet.lea, takeovers.untake_over, taken.id)
    assert cabinet.doctors()[cabinet.house.today] == cabinet.lea.id
    assert back.source is AssignmentSource.CLAIM
    assert cabinet.told("day.returned") == {
        cabinet.hugo.id,
        cabinet.titular.id,
        cabinet.secretary.id,
    }
    assert cabinet.refused(cabinet.lea, takeovers.untake_over, back.id).code == "swap_not_taken"


def test_a_takeover_goes_back_until_the_day_is_over(
    cabinet: Cabinet, today: Assignment, clock: FixedClock
) -> None:
    taken = cabinet.do(cabinet.hugo, takeovers.take_over, today.id, "Malade")
    # The doors close at half past six in the evening.
    clock.advance(8.5 * HOUR)
    assert cabinet.refused(cabinet.lea, takeovers.untake_over, taken.id).code == "untake_too_late"


def test_two_who_take_over_at_once_are_one(cabinet: Cabinet, today: Assignment) -> None:
    everybody = [cabinet.hugo, cabinet.ines, cabinet.titular]
    outcomes = at_once(
        *(
            lambda who=who: cabinet.do(who, takeovers.take_over, today.id, "Malade")
            for who in everybody
        )
    )
    assert outcomes.count(None) == 1
    codes = {error.code for error in outcomes if isinstance(error, RelaisError)}
    assert codes == {"already_released"}
    winner = everybody[outcomes.index(None)]
    assert cabinet.doctors()[cabinet.house.today] == winner.id


def test_offers_of_days_gone_by_end(cabinet: Cabinet, clock: FixedClock) -> None:
    swap = cabinet.offer()
    with cabinet.database.transaction() as session:
        assert swaps.lapse_past(session) == 0
    clock.advance(16 * DAY)
    with cabinet.database.transaction() as session:
        assert swaps.lapse_past(session) == 1
        assert swaps.lapse_past(session) == 0
    assert cabinet.row(Swap, swap.id).state is SwapState.LAPSED
    with cabinet.database.session() as session:
        assert swap_queries.offers_to(session, cabinet.hugo.id, cabinet.house.today) == []
    assert cabinet.refused(cabinet.lea, swaps.offer, cabinet.tuesday.id).code == "swap_past"


def test_what_is_read_of_offers(cabinet: Cabinet) -> None:
    swap = cabinet.offer(to_doctor_id=cabinet.hugo.id)
    today = cabinet.house.today
    people = (cabinet.lea, cabinet.hugo, cabinet.secretary, cabinet.ines)
    actors = [cabinet.house.actor(who) for who in people]
    with cabinet.database.session() as session:
        (line,) = swap_queries.offers_to(session, cabinet.hugo.id, today)
        assert (line.swap_id, line.giver, line.date) == (swap.id, "Léa Fontaine", TUESDAY)
        assert swap_queries.offers_to(session, cabinet.ines.id, today) == []
        seen = [
            len(swap_queries.swaps_of(session, actor, cabinet.practice, today)) for actor in actors
        ]
        assert seen == [1, 1, 1, 0]
        with pytest.raises(Forbidden):
            swap_queries.swap_of(session, actors[-1], cabinet.practice, swap.id)
        found = swap_queries.open_on(session, cabinet.tuesday.id)
        assert found is not None
        assert found.to_doctor is not None
        assert found.to_doctor.name == "Hugo Roux"


def test_queries_do_not_grow_with_doctors(house: House) -> None:
    counts = []
    for size in (5, 60):
        practice = house.practice()
        lea = house.member(practice, Role.REPLACEMENT)
        for _ in range(size):
            house.member(practice, Role.REPLACEMENT)
        day = house.assignment(house.need(practice, TUESDAY), lea)
        actor = house.actor(lea)
        with count_queries(house.database) as statements, house.database.transaction() as session:
            swaps.offer(session, actor, day.id)
        counts.append(len(statements))
    assert counts[0] == counts[1]
