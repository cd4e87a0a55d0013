"""Doctors invited by mail to two days of the furnished practice, some of whom have answered."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from scheduler.calendars.invitations import sending
from scheduler.calendars.invitations.sending import Pair
from scheduler.calendars.models import Answer
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster import candidates, holding
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentSource, AssignmentState
from tests.browser.furnished import LOGINS
from tests.factories import House

# Beyond the weeks that calls are about.
AHEAD = dt.timedelta(days=25)


def invite_doctors(database: Database) -> None:
    """Invite whoever could come to two open days: one says that they may come, one that they
    cannot, and one invitation is taken back."""
    house = House(database)
    with database.session() as session:
        email = LOGINS[Role.TITULAR].email
        user = session.scalars(sa.select(User).where(User.email == email)).one()
    titular = house.actor(user)
    with database.transaction() as session:
        practice = session.scalars(sa.select(Practice)).one()
        taken = sa.select(Assignment.need_id).where(Assignment.state != AssignmentState.RELEASED)
        needs = session.scalars(
            sa.select(Need)
            .where(Need.date > house.today + AHEAD, Need.id.not_in(taken))
            .order_by(Need.date, Need.id)
            .limit(2)
        ).all()
        pairs = [
            Pair(need.id, coming.doctor_id)
            for need in needs
            for who in (candidates.who_could_come(session, titular, practice, need),)
            for coming in (*who.said, *who.silent)
            if coming.doctor_id != titular.user_id
        ]
        first, second, third, *_others = sending.invite(session, titular, practice, pairs).invited
        second.answer, second.answered_at = Answer.DECLINED, session.now()
        sending.withdraw(session, titular, third.id)
        doctor = session.get_one(User, first.doctor_id)
    actor = house.actor(doctor)
    with database.transaction() as session:
        held = holding.hold_tentatively(
            session, actor, first.need_id, source=AssignmentSource.INVITATION
        )
        answered = session.merge(first)
        answered.answer, answered.assignment_id = Answer.TENTATIVE, held.id
        answered.answered_at = session.now()
