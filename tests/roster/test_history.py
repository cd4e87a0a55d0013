"""What the history of a day tells, and to whom."""

from __future__ import annotations

import datetime as dt

import pytest

from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.errors import NotFound
from scheduler.core.permissions import Role
from scheduler.people.models import ClaimPolicy, HoldOutcome, Practice, User
from scheduler.roster import asks, claiming, history, holding, needs, releasing, swaps, takeovers
from scheduler.roster.history import Event, EventKind
from scheduler.roster.models import (
    Call,
    CallDay,
    Invitation,
    InvitationDay,
    Need,
    ReleaseRequest,
    Swap,
)
from scheduler.roster.rules import (
    AssignmentSource,
    AssignmentState,
    CallState,
    InvitationState,
    ReleaseKind,
)
from tests.factories import House
from tests.support import count_queries

THURSDAY = dt.date(2026, 12, 10)
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice()


@pytest.fixture
def luc(house: House, practice: Practice) -> User:
    return house.member(practice, Role.TITULAR, given_name="Luc", family_name="Roy")


@pytest.fixture
def anne(house: House, practice: Practice) -> User:
    return house.member(practice, Role.REPLACEMENT, given_name="Anne", family_name="Petit")


@pytest.fixture
def driss(house: House, practice: Practice) -> User:
    return house.member(practice, Role.REPLACEMENT, given_name="Driss", family_name="Benali")


@pytest.fixture
def need(house: House, practice: Practice, luc: User, clock: FixedClock) -> Need:
    found = house.need(practice, THURSDAY, published_by=luc.id)
    clock.advance(HOUR)
    return found


def events(database: Database, practice: Practice, need: Need) -> list[Event]:
    with database.session() as session:
        return history.events_of(session, practice, need.id)


def kinds(found: list[Event]) -> list[EventKind]:
    return [event.kind for event in found]


def test_a_day_is_published_taken_and_given_back(
    database: Database,
    house: House,
    practice: Practice,
    need: Need,
    anne: User,
    clock: FixedClock,
) -> None:
    with database.transaction() as session:
        taken = claiming.claim(session, house.actor(anne), need.id)
    clock.advance(HOUR)
    with database.transaction() as session:
        releasing.release(session, house.actor(anne), taken.id, "Formation")
    published, claimed, released = events(database, practice, need)
    assert (published.kind, published.by) == (EventKind.PUBLISHED, "Luc Roy")
    assert (claimed.kind, claimed.who, claimed.by) == (EventKind.TAKEN, "Anne Petit", None)
    assert claimed.source is AssignmentSource.CLAIM
    assert (released.kind, released.who, released.by) == (EventKind.RELEASED, "Anne Petit", None)
    assert (released.release, released.days_before) == (ReleaseKind.EARLY, 17)
    assert released.reason == "Formation"
    assert released.at == claimed.at + HOUR


def test_who_acted_for_a_doctor_is_told(
    database: Database, house: House, practice: Practice, need: Need, luc: User, anne: User
) -> None:
    actor = house.actor(luc)
    with database.transaction() as session:
        taken = claiming.claim(session, actor, need.id, doctor_id=anne.id)
    with database.transaction() as session:
        releasing.release(session, actor, taken.id, "Salle fermée")
    _published, claimed, released = events(database, practice, need)
    assert (claimed.who, claimed.by, claimed.source) == (
        "Anne Petit",
        "Luc Roy",
        AssignmentSource.PHONE,
    )
    assert (released.by, released.release) == ("Luc Roy", ReleaseKind.TAKEN_AWAY)


def test_a_claim_undone_is_one_quiet_event(
    database: Database, house: House, practice: Practice, need: Need, anne: User, clock: FixedClock
) -> None:
    with database.transaction() as session:
        taken = claiming.claim(session, house.actor(anne), need.id)
    clock.advance(5 * MINUTE)
    with database.transaction() as session:
        claiming.undo(session, house.actor(anne), taken.id)
    found = events(database, practice, need)
    assert kinds(found) == [EventKind.PUBLISHED, EventKind.UNDONE]
    assert found[1].who == "Anne Petit"


@pytest.mark.parametrize(
    ("outcome", "kind", "state"),
    [
        (HoldOutcome.CONFIRM, EventKind.CONFIRMED, None),
        (HoldOutcome.FREE, EventKind.RELEASED, ReleaseKind.EXPIRED),
    ],
)
def test_a_held_day_and_what_became_of_it_by_itself(
    database: Database,
    house: House,
    clock: FixedClock,
    outcome: HoldOutcome,
    kind: EventKind,
    state: ReleaseKind | None,
) -> None:
    practice = house.practice(claim_policy=ClaimPolicy.HELD, hold_outcome=outcome)
    anne = house.member(practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    clock.advance(MINUTE)
    with database.transaction() as session:
        claiming.claim(session, house.actor(anne), need.id)
    clock.advance(49 * HOUR)
    with database.transaction() as session:
        holding.expire_held(session)
    _published, claimed, decided = events(database, practice, need)
    assert claimed.held
    assert (decided.kind, decided.release, decided.automatic) == (kind, state, True)
    assert (decided.who, decided.by) == (anne.name, None)


def test_a_titular_confirms_or_refuses(database: Database, house: House, clock: FixedClock) -> None:
    practice = house.practice(claim_policy=ClaimPolicy.HELD)
    titular = house.member(practice, Role.TITULAR)
    anne = house.member(practice, Role.REPLACEMENT)
    actor = house.actor(titular)
    first, second = (house.need(practice, THURSDAY + dt.timedelta(days=n)) for n in (0, 1))
    clock.advance(MINUTE)
    for need, decide in ((first, holding.confirm), (second, None)):
        with database.transaction() as session:
            taken = claiming.claim(session, house.actor(anne), need.id)
        clock.advance(MINUTE)
        with database.transaction() as session:
            if decide is not None:
                decide(session, actor, taken.id)
            else:
                holding.refuse(session, actor, taken.id, "Déjà promis")
    confirmed = events(database, practice, first)[-1]
    assert (confirmed.kind, confirmed.by) == (EventKind.CONFIRMED, titular.name)
    refused = events(database, practice, second)[-1]
    assert (refused.release, refused.by) == (ReleaseKind.REFUSED, titular.name)
    assert refused.reason == "Déjà promis"


def test_a_swap_is_one_event_for_both_and_so_is_its_undoing(
    database: Database,
    house: House,
    practice: Practice,
    need: Need,
    anne: User,
    driss: User,
    clock: FixedClock,
) -> None:
    giver, taker = house.actor(anne), house.actor(driss)
    with database.transaction() as session:
        taken = claiming.claim(session, giver, need.id)
        clock.advance(MINUTE)
        swap = swaps.offer(session, giver, taken.id, to_doctor_id=driss.id)
    clock.advance(MINUTE)
    with database.transaction() as session:
        swaps.take(session, taker, swap.id)
    clock.advance(MINUTE)
    with database.transaction() as session:
        swaps.untake(session, taker, swap.id)
    found = events(database, practice, need)
    assert kinds(found) == [
        EventKind.PUBLISHED,
        EventKind.TAKEN,
        EventKind.OFFERED,
        EventKind.TAKEN,
        EventKind.TAKEN,
    ]
    _published, _claimed, offered, swapped, back = found
    assert (offered.who, offered.other) == ("Anne Petit", "Driss Benali")
    assert (swapped.who, swapped.other) == ("Driss Benali", "Anne Petit")
    assert (swapped.source, swapped.release) == (AssignmentSource.SWAP, ReleaseKind.SWAPPED)
    assert (back.who, back.other) == ("Anne Petit", "Driss Benali")
    assert back.release is ReleaseKind.UNTAKEN


def test_a_day_taken_over(
    database: Database,
    house: House,
    practice: Practice,
    anne: User,
    driss: User,
    clock: FixedClock,
) -> None:
    need = house.need(practice, house.today)
    taken = house.assignment(need, anne)
    clock.advance(MINUTE)
    with database.transaction() as session:
        takeovers.take_over(session, house.actor(driss), taken.id, "Enfant malade")
    over = events(database, practice, need)[-1]
    assert (over.who, over.other, over.source) == (
        "Driss Benali",
        "Anne Petit",
        AssignmentSource.TAKEOVER,
    )
    assert over.reason == "Enfant malade"
    assert over.reason_known_to == {anne.id, driss.id}


def test_a_request_to_be_released_and_its_refusal(
    database: Database, house: House, clock: FixedClock
) -> None:
    practice = house.practice(lock_days=30)
    titular, anne = (house.member(practice, role) for role in (Role.TITULAR, Role.REPLACEMENT))
    need = house.need(practice, THURSDAY)
    clock.advance(MINUTE)
    taken = house.assignment(need, anne)
    with database.transaction() as session:
        request = releasing.request_release(session, house.actor(anne), taken.id, "Examen")
    clock.advance(MINUTE)
    with database.transaction() as session:
        releasing.refuse_request(session, house.actor(titular), request.id, "Personne d’autre")
    asked, refused = events(database, practice, need)[-2:]
    assert (asked.kind, asked.who, asked.reason) == (EventKind.RELEASE_ASKED, anne.name, "Examen")
    assert (refused.kind, refused.by) == (EventKind.RELEASE_REFUSED, titular.name)
    assert refused.reason == "Personne d’autre"
    assert asked.known_to == refused.known_to == {anne.id}


def test_a_question_and_the_yes(
    database: Database,
    house: House,
    practice: Practice,
    need: Need,
    luc: User,
    anne: User,
    driss: User,
    clock: FixedClock,
) -> None:
    asker = house.actor(luc)
    with database.transaction() as session:
        refused = asks.ask(session, asker, need.id, driss.id)
        accepted = asks.ask(session, asker, need.id, anne.id)
    clock.advance(MINUTE)
    with database.transaction() as session:
        asks.decline(session, house.actor(driss), refused.id, "Déjà pris")
    clock.advance(MINUTE)
    with database.transaction() as session:
        asks.accept(session, house.actor(anne), accepted.id)
    found = events(database, practice, need)
    assert kinds(found) == [
        EventKind.PUBLISHED,
        EventKind.ASKED,
        EventKind.ASKED,
        EventKind.ASK_DECLINED,
        EventKind.TAKEN,
    ]
    assert (found[3].who, found[3].reason) == ("Driss Benali", "Déjà pris")
    assert (found[4].who, found[4].other) == ("Anne Petit", "Luc Roy")
    assert found[4].source is AssignmentSource.ASK


def test_a_call_and_who_declined_it(
    database: Database,
    house: House,
    practice: Practice,
    need: Need,
    luc: User,
    anne: User,
    driss: User,
    clock: FixedClock,
) -> None:
    now = clock.now()
    with database.transaction() as session:
        call = Call(
            practice_id=practice.id,
            monday=dt.date(2026, 12, 7),
            state=CallState.SENT,
            prepared_at=now,
            sent_at=now,
            sent_by=luc.id,
        )
        call.days = [CallDay(need_id=need.id)]
        call.invitations = [
            Invitation(
                doctor_id=doctor.id,
                wave=1,
                rank=rank,
                state=InvitationState.SENT,
                sent_at=now,
                days=[InvitationDay(need_id=need.id, declined_at=declined)],
            )
            for rank, (doctor, declined) in enumerate([(anne, None), (driss, now + HOUR)], 1)
        ]
        session.add(call)
    called, declined = events(database, practice, need)[-2:]
    assert (called.kind, called.by, called.doctors) == (EventKind.CALLED, "Luc Roy", 2)
    assert (declined.kind, declined.who) == (EventKind.CALL_DECLINED, "Driss Benali")


def test_a_day_withdrawn(
    database: Database, house: House, practice: Practice, need: Need, luc: User
) -> None:
    with database.transaction() as session:
        needs.withdraw_need(session, house.actor(luc), need.id)
    withdrawn = events(database, practice, need)[-1]
    assert (withdrawn.kind, withdrawn.by) == (EventKind.WITHDRAWN, "Luc Roy")


def test_readers_know_what_is_theirs_to_know() -> None:
    at = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    public = Event(at, EventKind.PUBLISHED)
    released = Event(at, EventKind.RELEASED, reason="Malade", reason_known_to=frozenset({1}))
    asked = Event(at, EventKind.ASKED, known_to=frozenset({1, 2}))
    called = Event(at, EventKind.CALLED, known_to=frozenset())
    everything = [public, released, asked, called]

    def seen(reader_id: int | None, *, all_of_it: bool = False) -> list[tuple[str, str | None]]:
        found = history.readable(everything, reader_id, all_of_it=all_of_it)
        return [(event.kind.value, event.reason) for event in found]

    assert seen(3) == [("published", None), ("released", None)]
    assert seen(2) == [("published", None), ("released", None), ("asked", None)]
    assert seen(1) == [("published", None), ("released", "Malade"), ("asked", None)]
    assert len(seen(3, all_of_it=True)) == 4
    assert seen(3, all_of_it=True)[1] == ("released", "Malade")


def test_a_need_of_another_practice_has_no_history_here(
    database: Database, house: House, practice: Practice
) -> None:
    other = house.need(house.practice(), THURSDAY)
    with pytest.raises(NotFound, match="need_not_found"):
        events(database, practice, other)


def test_the_number_of_queries_does_not_depend_on_what_happened(
    database: Database, house: House, practice: Practice, need: Need, luc: User, clock: FixedClock
) -> None:
    def queries() -> int:
        with database.session() as session, count_queries(database) as statements:
            history.events_of(session, practice, need.id)
        return len(statements)

    def live(times: int) -> None:
        for _ in range(times):
            doctor, asker = house.member(practice, Role.REPLACEMENT), house.actor(luc)
            row = house.assignment(need, doctor, AssignmentState.RELEASED)
            with database.transaction() as session:
                session.add_all(
                    [
                        ReleaseRequest(
                            practice_id=practice.id,
                            assignment_id=row.id,
                            doctor_id=doctor.id,
                            reason="Malade",
                            requested_by=doctor.id,
                            requested_at=clock.now(),
                        ),
                        Swap(
                            practice_id=practice.id,
                            assignment_id=row.id,
                            doctor_id=doctor.id,
                            offered_by=doctor.id,
                            offered_at=clock.now(),
                        ),
                    ]
                )
                asks.ask(session, asker, need.id, doctor.id)

    live(2)
    few = queries()
    live(30)
    assert queries() == few
