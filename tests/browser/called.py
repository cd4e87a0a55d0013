"""The furnished cabinet a little later: a doctor is missing today, and calls are on their way."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.notify.rules import Group
from scheduler.notify.stopping import stop_address
from scheduler.people.models import Practice, User
from scheduler.roster import absences, call_queries, call_work, calls
from scheduler.roster.call_rules import link_token
from scheduler.roster.models import Call, Invitation
from tests.browser.furnished import LOGINS
from tests.browser.site import SECRET_KEY
from tests.factories import House

# The calls by number, and the day whose doctor is missing.
SENT: Final = 1
PREPARED: Final = 2
DISMISSED: Final = 3
ABSENT: Final = 1
UID: Final = "00000000-0000-4000-8000-000000000001"
# What a letter leads the replacement doctor to.
LINK: Final = f"/calls/answer/{link_token(SECRET_KEY, UID)}"
STOP: Final = stop_address(
    Settings(secret_key=SECRET_KEY, base_url=""), 1, [Group.DAYS, Group.QUESTIONS]
)


def call_for_help(database: Database) -> None:
    """Send a call to everybody, set one aside, leave one to be sent; lose a doctor of today."""
    house = House(database)
    titular, secretary = (
        house.actor(_user(database, role)) for role in (Role.TITULAR, Role.SECRETARY)
    )
    replacement = _user(database, Role.REPLACEMENT)
    with database.transaction() as session:
        session.scalars(sa.select(Practice)).one().weekly_minimum = 4
    looked = 1
    while looked:
        with database.transaction() as session:
            looked = call_work.find_thin_weeks(session)
    with database.transaction() as session:
        (call,) = call_queries.whole(session, sa.select(Call).where(Call.id == SENT))
        everybody = [row.doctor_id for row in call.invitations]
        call = calls.send(session, titular, SENT, everybody, "Merci à qui pourra venir.")
        while call.has_other_wave:
            call = calls.send_next_wave(session, titular, SENT)
        session.scalars(
            sa.select(Invitation).where(
                Invitation.call_id == SENT, Invitation.doctor_id == replacement.id
            )
        ).one().uid = UID
        calls.dismiss(session, titular, DISMISSED)
        absences.declare(session, secretary, ABSENT, on_behalf=True)


def _user(database: Database, role: Role) -> User:
    with database.session() as session:
        return session.scalars(sa.select(User).where(User.email == LOGINS[role].email)).one()
