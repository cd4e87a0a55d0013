"""Two hundred doctors want one day, through every door at once, on both databases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial

import sqlalchemy as sa

from scheduler.core import audit
from scheduler.core.errors import Conflict
from scheduler.core.permissions import Actor, Role
from scheduler.people.models import User
from scheduler.roster import asks, call_answers, claiming, proposals
from scheduler.roster.models import (
    Ask,
    Assignment,
    Call,
    CallDay,
    Invitation,
    Need,
    Proposal,
    ProposalLine,
)
from scheduler.roster.rules import (
    AskCode,
    AssignmentState,
    CallState,
    InvitationState,
    ProposalState,
    Wave,
)
from tests.factories import House
from tests.support import at_once

THURSDAY = dt.date(2026, 11, 26)
A_DOOR = 40


class Doors:
    """A practice with a day that is wanted, and the ways to it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.practice = house.practice("Salle 1", "Salle 2")
        self.titular = house.member(self.practice, Role.TITULAR)
        self.need = house.need(self.practice, THURSDAY)
        self.winners: list[str] = []

    def doctors(self) -> list[User]:
        return [self.house.member(self.practice, Role.REPLACEMENT) for _ in range(A_DOOR)]

    def board(self) -> list[Callable[[], None]]:
        def act(actor: Actor) -> None:
            with self.house.database.transaction() as session:
                claiming.claim(session, actor, self.need.id)
            self.winners.append(actor.name)

        return [partial(act, self.house.actor(user)) for user in self.doctors()]

    def several(self) -> list[Callable[[], None]]:
        """From the board with another day beside it, one for each doctor."""

        def act(actor: Actor, other: Need) -> None:
            with self.house.database.transaction() as session:
                found = claiming.claim_several(session, actor, [other.id, self.need.id])
            assert [taken.need_id for taken in found.taken][-1] == other.id
            if self.need.id in found.refused:
                raise found.refused[self.need.id]
            self.winners.append(actor.name)

        days = [THURSDAY + dt.timedelta(days=number + 1) for number in range(A_DOOR)]
        return [
            partial(act, self.house.actor(user), self.house.need(self.practice, day))
            for day, user in zip(days, self.doctors(), strict=True)
        ]

    def accepted_proposals(self) -> list[Callable[[], None]]:
        """A titular accepts proposals, each of which gives the day to another doctor."""
        actor = self.house.actor(self.titular)

        def act(proposal_id: int, name: str) -> None:
            with self.house.database.transaction() as session:
                found = proposals.accept(session, actor, proposal_id)
            for error in found.refused.values():
                raise error
            self.winners.append(name)

        return [partial(act, self._proposal(user), user.name) for user in self.doctors()]

    def _proposal(self, user: User) -> int:
        with self.house.database.transaction() as session:
            proposal = Proposal(
                practice_id=self.practice.id,
                start=THURSDAY,
                end=THURSDAY,
                state=ProposalState.READY,
                requested_by=self.titular.id,
                requested_at=session.now(),
                lines=[ProposalLine(need_id=self.need.id, doctor_id=user.id)],
            )
            session.add(proposal)
        return proposal.id

    def questions(self) -> list[Callable[[], None]]:
        def act(actor: Actor, ask_id: int) -> None:
            with self.house.database.transaction() as session:
                asks.accept(session, actor, ask_id)
            self.winners.append(actor.name)

        return [partial(act, self.house.actor(user), self._ask(user)) for user in self.doctors()]

    def _ask(self, user: User) -> int:
        with self.house.database.transaction() as session:
            ask = Ask(
                practice_id=self.practice.id,
                need_id=self.need.id,
                doctor_id=user.id,
                code=AskCode.ASK,
                message="",
                asked_by=self.titular.id,
                asked_at=session.now(),
            )
            session.add(ask)
        return ask.id

    def call_links(self) -> list[Callable[[], None]]:
        users = self.doctors()
        with self.house.database.transaction() as session:
            call = Call(
                practice_id=self.practice.id,
                monday=THURSDAY - dt.timedelta(days=3),
                state=CallState.SENT,
                wave=1,
                prepared_at=session.now(),
                sent_by=self.titular.id,
                sent_at=session.now(),
                days=[CallDay(need_id=self.need.id)],
                invitations=[
                    Invitation(
                        doctor_id=user.id,
                        wave=Wave.POSSIBLE,
                        rank=rank,
                        state=InvitationState.SENT,
                        sent_at=session.now(),
                    )
                    for rank, user in enumerate(users)
                ],
            )
            session.add(call)
        uids = {invitation.doctor_id: invitation.uid for invitation in call.invitations}

        def act(uid: str, name: str) -> None:
            with self.house.database.transaction() as session:
                call_answers.take(session, uid, self.need.id)
            self.winners.append(name)

        return [partial(act, uids[user.id], user.name) for user in users]


def test_two_hundred_want_one_day_and_one_has_it(house: House) -> None:
    doors = Doors(house)
    acts = [
        act
        for door in zip(
            doors.board(),
            doors.several(),
            doors.accepted_proposals(),
            doors.questions(),
            doors.call_links(),
            strict=True,
        )
        for act in door
    ]
    assert len(acts) == 200
    raised = [error for error in at_once(*acts) if error is not None]
    # No deadlock, no time-out: whoever did not get it is told who was first.
    assert [error for error in raised if not isinstance(error, Conflict)] == []
    assert len(raised) == 199
    (winner,) = doors.winners
    told = {error.facts.get("who") for error in raised if error.code == "need_taken"}  # type: ignore[attr-defined]
    assert told == {winner}
    with house.database.session() as session:
        assert audit.verify(session).fault is None
        standing = session.scalars(
            sa.select(Assignment).where(
                Assignment.need_id == doors.need.id, Assignment.state != AssignmentState.RELEASED
            )
        ).all()
    assert len(standing) == 1
