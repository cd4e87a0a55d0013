"""A cabinet with a week that lacks doctors, and what people do about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster import (
    call_answers,
    call_queries,
    call_work,
    calls,
)
from scheduler.roster.models import Assignment, Call, Need
from scheduler.roster.rules import (
    AssignmentState,
    InvitationState,
    Preference,
)
from tests.factories import House

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


def cabinet_of(house: House, clock: FixedClock) -> Cabinet:
    """A practice that needs two days a week, and a week in which it has none."""
    practice = house.practice("Salle 1", "Salle 2", weekly_minimum=2)
    titular = house.member(practice, Role.TITULAR, given_name="Anne", family_name="Petit")
    return Cabinet(
        house, clock, practice, titular, house.need(practice, MONDAY), house.need(practice, TUESDAY)
    )
