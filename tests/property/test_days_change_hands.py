"""Days that change hands in every way there is, against a model that a child could keep.

The model knows who has which day. Whatever is tried, allowed or refused: never two doctors on a
need, never a doctor in two places, nobody who had to be told is forgotten, nothing moves when an
act is refused, and the audit chain is whole.
"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy.orm import joinedload

from scheduler.core import audit
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database, UnitOfWork
from scheduler.core.errors import RelaisError
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Actor, Role
from scheduler.people.models import ClaimPolicy, HoldOutcome, Practice, User
from scheduler.roster import (
    absences,
    call_answers,
    call_work,
    claiming,
    holding,
    past_days,
    releasing,
    swaps,
    takeovers,
)
from scheduler.roster.models import Assignment, Invitation, ReleaseRequest, Swap
from scheduler.roster.rules import (
    AssignmentSource,
    AssignmentState,
    InvitationState,
    Period,
    ReleaseKind,
    RequestState,
    SwapState,
)
from scheduler.schema import metadata
from tests.conftest import NOW
from tests.factories import House

# Four days in two rooms of one practice, and two days in another with doctors in common.
HERE = (
    (0, Period.DAY, 0),
    (0, Period.AM, 1),
    (1, Period.DAY, 0),
    (1, Period.PM, 1),
    (2, Period.AM, 0),
    (2, Period.PM, 0),
    (6, Period.DAY, 0),
    (9, Period.DAY, 0),
)
THERE = ((0, Period.PM), (1, Period.AM), (6, Period.DAY))
STANDING = {0: 0, 2: 1, 4: 0, 6: 2, 7: 1}
DOCTORS = st.integers(0, 3)
NEEDS = st.integers(0, len(HERE) + len(THERE) - 1)
TOLD = dict[tuple[str, int], int]


class DaysChangeHands(RuleBasedStateMachine):
    """Two practices, a titular and a secretary of the first, four doctors, eleven days."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FixedClock(NOW)
        self.database = Database(f"sqlite:///{self.folder.name}/relais.db", self.clock)
        if not TEMPLATE.exists():
            metadata.create_all(self.database.engine)
            with self.database.engine.connect() as connection:
                connection.exec_driver_sql("ROLLBACK")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            self.database.dispose()
            shutil.copy(f"{self.folder.name}/relais.db", TEMPLATE)
        else:
            shutil.copy(TEMPLATE, f"{self.folder.name}/relais.db")
        # Who has which need, and who is to be told of what, in the model.
        self.holders: dict[int, int] = {}
        self.told: TOLD = Counter()

    @initialize(
        policy=st.sampled_from(list(ClaimPolicy)),
        outcome=st.sampled_from(list(HoldOutcome)),
        lock_days=st.sampled_from([0, 3]),
    )
    def open_cabinet(self, policy: ClaimPolicy, outcome: HoldOutcome, lock_days: int) -> None:
        house = House(self.database)
        self.practice = house.practice(
            "Salle 1",
            "Salle 2",
            claim_policy=policy,
            hold_hours=12,
            hold_outcome=outcome,
            lock_days=lock_days,
        )
        other = house.practice()
        self.titular = house.member(self.practice, Role.TITULAR)
        self.secretary = house.member(self.practice, Role.SECRETARY)
        limits: list[dict[str, Any]] = [{}, {}, {"max_half_days_per_week": 3}, {"qualified": False}]
        self.doctors = [house.member(self.practice, Role.REPLACEMENT, doctor=f) for f in limits]
        for doctor in self.doctors[:2]:
            house.member(other, Role.REPLACEMENT, doctor)
        today = house.today
        self.needs = [
            house.need(self.practice, today + dt.timedelta(days=ahead), period, room=room)
            for ahead, period, room in HERE
        ] + [house.need(other, today + dt.timedelta(days=ahead), part) for ahead, part in THERE]
        people = [self.titular, self.secretary, *self.doctors]
        self.actors = {user.id: house.actor(user) for user in people}
        # Some days are somebody's from the start, so that there is something to pass on.
        for need, doctor in STANDING.items():
            wanted, who = self.needs[need], self.doctors[doctor]
            given = self.do(
                lambda s, wanted=wanted, who=who: claiming.claim(
                    s, self.actor(self.titular), wanted.id, doctor_id=who.id
                )
            )
            assert given is not None
            self.holders[wanted.id] = who.id
            self.owe("assignment.given", [who])

    def teardown(self) -> None:
        self.database.dispose()
        self.folder.cleanup()

    def actor(self, user: User) -> Actor:
        return self.actors[user.id]

    def do(self, act: Callable[[UnitOfWork], Any]) -> Any:
        """What an act returns; None where it is refused, and then nothing may have moved."""
        try:
            with self.database.transaction() as session:
                return act(session)
        except RelaisError:
            return None

    def active(self, need_id: int) -> Assignment | None:
        with self.database.session() as session:
            return session.scalars(
                sa.select(Assignment).where(
                    Assignment.need_id == need_id, Assignment.state != AssignmentState.RELEASED
                )
            ).one_or_none()

    def owe(
        self, kind: str, users: Iterable[User | int], besides: User | int | None = None
    ) -> None:
        """From now on the outbox must hold one more message of this kind for each of them."""
        numbers = {user if isinstance(user, int) else user.id for user in users}
        # Whoever acts knows already.
        acting = besides.id if isinstance(besides, User) else besides
        for number in numbers - {acting}:
            self.told[kind, number] += 1

    def owe_for_held(self, *need_ids: int) -> None:
        """Whoever has a held day now is new to the titular, who must decide."""
        for need_id in need_ids:
            day = self.active(need_id)
            if day is not None and day.state is AssignmentState.HELD:
                self.owe("assignment.held", [self.titular])

    @rule(need=NEEDS, doctor=DOCTORS, passing=st.booleans())
    def claim(self, need: int, doctor: int, passing: bool) -> None:
        wanted, who = self.needs[need], self.doctors[doctor]
        limits = ["week_limit"] if passing else []
        before = self.holders.get(wanted.id)
        taken = self.do(lambda s: claiming.claim(s, self.actor(who), wanted.id, passing=limits))
        if taken is not None:
            assert before in (None, who.id)
            self.holders[wanted.id] = who.id
            if before is None and taken.state is AssignmentState.HELD:
                self.owe("assignment.held", [self.titular])

    @rule(needs=st.sets(NEEDS, min_size=2, max_size=4), doctor=DOCTORS)
    def claim_several(self, needs: set[int], doctor: int) -> None:
        who = self.doctors[doctor]
        numbers = [self.needs[need].id for need in needs]
        found = self.do(lambda s: claiming.claim_several(s, self.actor(who), numbers))
        for taken in found.taken if found else []:
            before = self.holders.get(taken.need_id)
            assert before in (None, who.id)
            self.holders[taken.need_id] = who.id
            if before is None and taken.state is AssignmentState.HELD:
                self.owe("assignment.held", [self.titular])

    @rule(need=NEEDS, doctor=DOCTORS)
    def secretary_gives(self, need: int, doctor: int) -> None:
        wanted, who = self.needs[need], self.doctors[doctor]
        before = self.holders.get(wanted.id)
        taken = self.do(
            lambda s: claiming.claim(s, self.actor(self.secretary), wanted.id, doctor_id=who.id)
        )
        if taken is not None:
            assert before in (None, who.id)
            self.holders[wanted.id] = who.id
            if before is None:
                self.owe("assignment.given", [who])
                if taken.state is AssignmentState.HELD:
                    self.owe("assignment.held", [self.titular])

    @rule(need=NEEDS)
    def undo(self, need: int) -> None:
        day = self.active(self.needs[need].id)
        if day is None:
            return
        actor = self.actors[day.doctor_id]
        undone = self.do(lambda s: claiming.undo(s, actor, day.id))
        if undone is not None:
            del self.holders[day.need_id]
            if day.source is AssignmentSource.PHONE and day.created_by is not None:
                self.owe("assignment.released", [day.created_by])

    @rule(need=NEEDS, yes=st.booleans())
    def titular_decides(self, need: int, yes: bool) -> None:
        day = self.active(self.needs[need].id)
        if day is None:
            return
        actor = self.actor(self.titular)
        if yes:
            decided = self.do(lambda s: holding.confirm(s, actor, day.id))
        else:
            decided = self.do(lambda s: holding.refuse(s, actor, day.id, "Closed"))
        if decided is None or day.state is not AssignmentState.HELD:
            return
        kind = "assignment.confirmed" if yes else "assignment.refused"
        self.owe(kind, [day.doctor_id], besides=self.titular)
        if not yes:
            del self.holders[day.need_id]

    @rule(need=NEEDS)
    def release(self, need: int) -> None:
        day = self.active(self.needs[need].id)
        if day is None:
            return
        released = self.do(lambda s: releasing.release(s, self.actors[day.doctor_id], day.id))
        if released is None:
            return
        del self.holders[day.need_id]
        if day.practice_id != self.practice.id:
            return
        if released.release_kind is ReleaseKind.EMERGENCY:
            everybody = [self.titular, self.secretary, *self.doctors]
            who = next(user for user in everybody if user.id == day.doctor_id)
            self.owe("assignment.emergency", everybody, besides=who)
        else:
            self.owe("assignment.released", [self.titular], besides=day.doctor_id)

    @rule(need=NEEDS)
    def ask_to_be_released(self, need: int) -> None:
        day = self.active(self.needs[need].id)
        if day is None:
            return
        actor = self.actors[day.doctor_id]
        asked = self.do(lambda s: releasing.request_release(s, actor, day.id, "Malade"))
        if asked is not None and day.practice_id == self.practice.id:
            self.owe("release.requested", [self.titular], besides=day.doctor_id)

    @rule(yes=st.booleans())
    def titular_answers_a_request(self, yes: bool) -> None:
        with self.database.session() as session:
            request = session.scalars(
                sa.select(ReleaseRequest)
                .where(
                    ReleaseRequest.state == RequestState.OPEN,
                    ReleaseRequest.practice_id == self.practice.id,
                )
                .order_by(ReleaseRequest.id)
                .limit(1)
            ).one_or_none()
        if request is None:
            return
        decide = releasing.grant if yes else releasing.refuse_request
        actor = self.actor(self.titular)
        assert self.do(lambda s: decide(s, actor, request.id)) is not None
        kind = "release.granted" if yes else "release.refused"
        self.owe(kind, [request.doctor_id], besides=self.titular)
        if yes:
            with self.database.session() as session:
                need_id = session.get_one(Assignment, request.assignment_id).need_id
            del self.holders[need_id]

    @rule(need=NEEDS, to=st.none() | DOCTORS, back=st.none() | NEEDS)
    def offer(self, need: int, to: int | None, back: int | None) -> None:
        day = self.active(self.needs[need].id)
        if day is None:
            return
        other = None if back is None else self.active(self.needs[back].id)
        colleague = None if to is None else self.doctors[to].id
        able: set[int] = set()
        # A day of the past is nobody's to take.
        with suppress(RelaisError), self.database.session() as session:
            able = swaps.able(session, day)
        offered = self.do(
            lambda s: swaps.offer(
                s,
                self.actors[day.doctor_id],
                day.id,
                to_doctor_id=colleague,
                return_id=other.id if other and colleague else None,
            )
        )
        if offered is not None:
            self.owe("swap.offered", able if colleague is None else [colleague])

    @rule(doctor=DOCTORS)
    def take_an_offer(self, doctor: int) -> None:
        who = self.doctors[doctor]
        offered = self._swap(SwapState.OPEN, who)
        if offered is None:
            return
        taken = self.do(lambda s: swaps.take(s, self.actor(who), offered.id))
        if taken is None:
            return
        with self.database.session() as session:
            given = session.get_one(Assignment, offered.assignment_id)
            back = session.get(Assignment, offered.return_id) if offered.return_id else None
        self.holders[given.need_id] = who.id
        if back is not None:
            self.holders[back.need_id] = offered.doctor_id
        owed: list[User | int] = [offered.doctor_id]
        if offered.practice_id == self.practice.id:
            owed.append(self.titular)
        self.owe("swap.taken", owed)
        self.owe_for_held(given.need_id, *([back.need_id] if back else []))

    @rule(doctor=DOCTORS)
    def untake(self, doctor: int) -> None:
        who = self.doctors[doctor]
        taken = self._swap(SwapState.TAKEN, who)
        if taken is None:
            return
        if self.do(lambda s: swaps.untake(s, self.actor(who), taken.id)) is None:
            return
        with self.database.session() as session:
            given = session.get_one(Assignment, taken.assignment_id)
            back = session.get(Assignment, taken.return_id) if taken.return_id else None
        self.holders[given.need_id] = taken.doctor_id
        if back is not None:
            self.holders[back.need_id] = who.id
        owed: list[User | int] = [taken.doctor_id]
        if taken.practice_id == self.practice.id:
            owed.append(self.titular)
        self.owe("swap.untaken", owed)
        self.owe_for_held(given.need_id, *([back.need_id] if back else []))

    def _swap(self, state: SwapState, who: User) -> Swap | None:
        """The latest offer in this state that concerns a doctor as the one who takes it."""
        mine = (
            sa.or_(Swap.to_doctor_id.is_(None), Swap.to_doctor_id == who.id)
            if state is SwapState.OPEN
            else Swap.taken_by == who.id
        )
        with self.database.session() as session:
            return session.scalars(
                sa.select(Swap)
                .where(Swap.state == state, mine, Swap.doctor_id != who.id)
                .order_by(Swap.id.desc())
                .limit(1)
            ).one_or_none()

    @rule(need=NEEDS, doctor=DOCTORS)
    def take_over(self, need: int, doctor: int) -> None:
        day, who = self.active(self.needs[need].id), self.doctors[doctor]
        if day is None:
            return
        taken = self.do(lambda s: takeovers.take_over(s, self.actor(who), day.id, "Accident"))
        if taken is None:
            return
        self.holders[day.need_id] = who.id
        owed: list[User | int] = [day.doctor_id]
        if day.practice_id == self.practice.id:
            owed += [self.titular, self.secretary]
        self.owe("day.taken_over", owed, besides=who)
        self.owe_for_held(day.need_id)

    @rule(need=NEEDS)
    def untake_over(self, need: int) -> None:
        day = self.active(self.needs[need].id)
        if day is None or day.predecessor_id is None:
            return
        actor = self.actors[day.doctor_id]
        returned = self.do(lambda s: takeovers.untake_over(s, actor, day.id))
        if returned is not None:
            self.holders[day.need_id] = returned.doctor_id
            self.owe_for_held(day.need_id)

    @rule(need=NEEDS)
    def declare_absent(self, need: int) -> None:
        day = self.active(self.needs[need].id)
        if day is None:
            return
        absent = self.do(lambda s: absences.declare(s, self.actor(self.secretary), day.id))
        if absent is None:
            return
        del self.holders[day.need_id]
        owed: list[User | int] = [self.titular, day.doctor_id]
        self.owe("absence.declared", owed)

    @rule(need=NEEDS)
    def answer_a_call(self, need: int) -> None:
        wanted = self.needs[need]
        with self.database.session() as session:
            invitation = session.scalars(
                sa.select(Invitation)
                .where(Invitation.state == InvitationState.SENT)
                .options(joinedload(Invitation.call))
                .order_by(Invitation.id)
                .limit(1)
            ).one_or_none()
        if invitation is None:
            return
        before = self.holders.get(wanted.id)
        taken = self.do(lambda s: call_answers.take(s, invitation.uid, wanted.id))
        if taken is not None:
            assert before in (None, invitation.doctor_id)
            self.holders[wanted.id] = invitation.doctor_id
            if before is None and invitation.doctor_id != self.titular.id:
                kind = "absence.filled" if invitation.call.urgent else "call.answered"
                self.owe(kind, [self.titular])

    @precondition(lambda self: self.clock.now() < NOW + dt.timedelta(days=8))
    @rule(hours=st.integers(1, 16))
    def time_passes(self, hours: int) -> None:
        """The clock goes on, and the worker does what is due."""
        self.clock.advance(dt.timedelta(hours=hours))
        due = self._due()
        for _ in range(3):
            with self.database.transaction() as session:
                holding.expire_held(session)
        for day in due:
            if self.outcomes[day.practice_id] is HoldOutcome.CONFIRM:
                self.owe("assignment.confirmed", [day.doctor_id])
            else:
                del self.holders[day.need_id]
                self.owe("assignment.freed", [day.doctor_id, self.titular])
        for work in (
            past_days.finish_past_days,
            swaps.lapse_past,
            releasing.lapse_past,
            call_work.advance_calls,
        ):
            with self.database.transaction() as session:
                work(session)

    def _due(self) -> list[Assignment]:
        with self.database.session() as session:
            self.outcomes = {
                practice.id: practice.hold_outcome
                for practice in session.scalars(sa.select(Practice))
            }
            return list(
                session.scalars(
                    sa.select(Assignment).where(
                        Assignment.state == AssignmentState.HELD,
                        Assignment.held_until <= self.clock.now(),
                    )
                )
            )

    @invariant()
    def everybody_is_where_the_model_says(self) -> None:
        with self.database.session() as session:
            active = session.scalars(
                sa.select(Assignment).where(Assignment.state != AssignmentState.RELEASED)
            ).all()
        assert {row.need_id: row.doctor_id for row in active} == self.holders
        assert len(active) == len(self.holders), "two doctors on one need"
        places = Counter(
            (row.doctor_id, row.date, half) for row in active for half in row.period.halves
        )
        assert not places or max(places.values()) == 1, "a doctor in two places"
        cabinets = {(row.doctor_id, row.date, row.practice_id) for row in active}
        assert len(cabinets) == len({(doctor, date) for doctor, date, _ in cabinets})

    @invariant()
    def nobody_is_forgotten_and_nobody_told_twice(self) -> None:
        kinds = {kind for kind, _user in self.told}
        with self.database.session() as session:
            rows = session.execute(
                sa.select(OutboxMessage.kind, OutboxMessage.recipient_id, sa.func.count())
                .where(OutboxMessage.kind.in_(kinds))
                .group_by(OutboxMessage.kind, OutboxMessage.recipient_id)
            )
            found = {(kind, user): number for kind, user, number in rows}
        wrong = {key: (n, found.get(key, 0)) for key, n in self.told.items() if n != found.get(key)}
        assert not wrong, f"owed and told: {wrong}"

    @invariant()
    def the_audit_chain_is_whole(self) -> None:
        with self.database.session() as session:
            assert audit.verify(session).fault is None


TEMPLATE = Path(tempfile.mkdtemp()) / "empty.db"
TestDaysChangeHands = DaysChangeHands.TestCase
TestDaysChangeHands.settings = settings(
    max_examples=25,
    # The same story everywhere: whoever searches for others raises the numbers.
    derandomize=True,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
