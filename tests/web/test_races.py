"""Two hundred browsers want one day, through every door at once, on both databases."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from functools import partial

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from scheduler.core import audit
from scheduler.core.permissions import Role
from scheduler.people.models import User
from scheduler.roster.call_rules import link_token
from scheduler.roster.models import (
    Assignment,
    Call,
    CallDay,
    Invitation,
    Proposal,
    ProposalLine,
)
from scheduler.roster.rules import (
    AssignmentState,
    CallState,
    InvitationState,
    ProposalState,
    Wave,
)
from tests.conftest import SECRET_KEY
from tests.factories import House
from tests.support import at_once

ClientFor = Callable[[User | None], FlaskClient]
THURSDAY = dt.date(2026, 11, 26)
A_DOOR = 50


def test_two_hundred_browsers_want_one_day_and_one_has_it(
    app: Flask, house: House, client_for: ClientFor
) -> None:
    practice = house.practice("Salle 1", "Salle 2")
    titular = house.member(practice, Role.TITULAR)
    need = house.need(practice, THURSDAY)
    spare = [house.need(practice, THURSDAY + dt.timedelta(days=n + 1)) for n in range(A_DOOR)]
    board, several, proposed, called = (
        [house.member(practice, Role.REPLACEMENT) for _ in range(A_DOOR)] for _ in range(4)
    )
    with house.database.transaction() as session:
        proposals = [
            Proposal(
                practice_id=practice.id,
                start=THURSDAY,
                end=THURSDAY,
                state=ProposalState.READY,
                requested_by=titular.id,
                requested_at=session.now(),
                lines=[ProposalLine(need_id=need.id, doctor_id=user.id)],
            )
            for user in proposed
        ]
        invitations = [
            Invitation(
                doctor_id=user.id,
                wave=Wave.POSSIBLE,
                rank=rank,
                state=InvitationState.SENT,
                sent_at=session.now(),
            )
            for rank, user in enumerate(called)
        ]
        call = Call(
            practice_id=practice.id,
            monday=THURSDAY - dt.timedelta(days=3),
            state=CallState.SENT,
            wave=1,
            prepared_at=session.now(),
            sent_by=titular.id,
            sent_at=session.now(),
            days=[CallDay(need_id=need.id)],
            invitations=invitations,
        )
        session.add_all([*proposals, call])
    answers: list[int] = []

    def post(client: FlaskClient, path: str, data: dict[str, object]) -> None:
        answers.append(client.post(path, data=data).status_code)

    links = [link_token(SECRET_KEY, invitation.uid) for invitation in invitations]
    acts = [
        act
        for door in zip(
            [partial(post, client_for(user), "/board/claim", {"need": need.id}) for user in board],
            [
                partial(
                    post, client_for(user), "/board/claim-several", {"need": [need.id, other.id]}
                )
                for user, other in zip(several, spare, strict=True)
            ],
            [
                partial(
                    post,
                    client_for(titular),
                    f"/p/{practice.slug}/proposals/{proposal.id}/accept",
                    {"all": "1"},
                )
                for proposal in proposals
            ],
            [
                partial(post, client_for(None), f"/calls/answer/{link}/take", {"need": need.id})
                for link in links
            ],
            strict=True,
        )
        for act in door
    ]
    assert len(acts) == 200
    assert at_once(*acts) == [None] * 200
    # Taken, or somebody was first; nobody reads of a fault or of a busy database.
    assert set(Counter(answers)) <= {200, 302, 409}
    with house.database.session() as session:
        assert audit.verify(session).fault is None
        standing = session.scalars(
            sa.select(Assignment).where(Assignment.state != AssignmentState.RELEASED)
        ).all()
    assert [row.need_id for row in standing].count(need.id) == 1
    # Whoever wanted a day of their own besides has that one in any case.
    assert {row.need_id for row in standing} == {need.id, *(other.id for other in spare)}
