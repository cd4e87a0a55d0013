"""Two hundred doctors want one day from the web, a call, a telephone's calendar and by mail."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from scheduler.calendars.invitations.answering import Result
from scheduler.core import audit
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.people.models import User
from scheduler.roster.call_rules import link_token
from scheduler.roster.models import Assignment, Call, CallDay, Invitation
from scheduler.roster.rules import AssignmentState, CallState, InvitationState, Wave
from tests.calendars.caldav.conftest import MY_DAYS, Device, all_day, device_of
from tests.calendars.invitations.support import MAILBOX, Post
from tests.conftest import SECRET_KEY
from tests.factories import House
from tests.support import at_once

ClientFor = Callable[[User | None], FlaskClient]
THURSDAY = dt.date(2026, 11, 26)
A_DOOR = 50


def test_one_day_through_four_doors_has_one_doctor_and_calendars_tell_the_truth(
    app: Flask, house: House, settings: Settings, client_for: ClientFor
) -> None:
    practice = house.practice("Salle 1")
    titular = house.member(practice, Role.TITULAR)
    need = house.need(practice, THURSDAY)
    on_web, called, by_phone, by_mail = (
        [house.member(practice, Role.REPLACEMENT) for _ in range(A_DOOR)] for _ in range(4)
    )
    post = Post(house, replace(settings, reply_address=MAILBOX))
    post.invite(titular, practice, *((need, user) for user in by_mail))
    mails = [post.reply(post.invitation(need, user)) for user in by_mail]
    phones = [device_of(app, house.database, house, user) for user in by_phone]
    links = _call(house, titular, need.id, called)
    answers: list[int] = []
    results: list[Result] = []

    def send(client: FlaskClient, path: str, data: dict[str, object]) -> None:
        answers.append(client.post(path, data=data).status_code)

    def put(phone: Device) -> None:
        name = f"{phone.user.id}.ics"
        answers.append(phone.put(MY_DAYS, name, all_day(name, THURSDAY)).status_code)

    def reply(mail: bytes) -> None:
        results.append(post.receive(mail).result)

    acts = [
        act
        for door in zip(
            [partial(send, client_for(user), "/board/claim", {"need": need.id}) for user in on_web],
            [
                partial(send, client_for(None), f"/calls/answer/{link}/take", {"need": need.id})
                for link in links
            ],
            [partial(put, phone) for phone in phones],
            [partial(reply, mail) for mail in mails],
            strict=True,
        )
        for act in door
    ]
    assert len(acts) == 200
    assert at_once(*acts) == [None] * 200
    assert set(Counter(answers)) <= {200, 201, 204, 302, 409}
    assert set(results) <= {Result.ACCEPTED, Result.REFUSED}
    with house.database.session() as session:
        assert audit.verify(session).fault is None
        winner = session.scalars(
            sa.select(Assignment).where(Assignment.state != AssignmentState.RELEASED)
        ).one()
        refused = set(
            session.scalars(
                sa.select(OutboxMessage.recipient_id).where(
                    OutboxMessage.kind.in_(("calendar.refused", "invitation.refused"))
                )
            )
        )
    assert winner.need_id == need.id
    for phone in phones:
        found = phone.sync(MY_DAYS)
        mine = phone.user.id == winner.doctor_id
        assert len(found.there) == mine
        # Telephones hide what went wrong: a message says it.
        assert (phone.user.id in refused) is not mine
    assert {user.id for user in by_mail} - refused <= {winner.doctor_id}


def _call(house: House, titular: User, need_id: int, called: list[User]) -> list[str]:
    """A call that was sent to these doctors; the links by which they answer."""
    with house.database.transaction() as session:
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
        session.add(
            Call(
                practice_id=house.actor(titular).memberships[0].practice_id,
                monday=THURSDAY - dt.timedelta(days=3),
                state=CallState.SENT,
                wave=1,
                prepared_at=session.now(),
                sent_by=titular.id,
                sent_at=session.now(),
                days=[CallDay(need_id=need_id)],
                invitations=invitations,
            )
        )
    return [link_token(SECRET_KEY, invitation.uid) for invitation in invitations]
