"""The cabinet that the browser visits: credible names, every role, a month with gaps."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, SchoolZone, User
from scheduler.people.passwords import hashed
from scheduler.roster import asks, availabilities, proposal_work, proposals
from scheduler.roster.problem import build_problem
from scheduler.roster.rules import AssignmentState, Period, Preference
from tests.browser.compared import compare
from tests.factories import House

PASSWORD: Final = "quatre-saisons-au-marais"
SLUG: Final = "nieul-le-dolent"

NAMES: Final = {
    Role.TITULAR: ("Hélène", "Marchand"),
    Role.REPLACEMENT: ("Camille", "Ferrand"),
    Role.ASSISTANT: ("Yanis", "Belkacem"),
    Role.INTERN: ("Louise", "Guérin"),
    Role.SECRETARY: ("Sylvie", "Rabiller"),
    Role.NURSE: ("Nadège", "Pineau"),
    Role.VIEWER: ("Bernard", "Crochet"),
}
# A day on which nobody said that they can come, and somebody who may be asked.
QUIET_NEED: Final = 900
THOMAS: Final = 8
OTHER_DOCTORS: Final = (("Thomas", "Le Goff"), ("Inès", "Moreau"), ("Paul", "Audouin"))


@dataclass(frozen=True)
class Login:
    """What somebody types to come in."""

    role: Role
    name: str
    email: str
    password: str = PASSWORD


def address(given: str, family: str) -> str:
    plain = f"{given}.{family}".lower().replace(" ", "").translate(str.maketrans("éèï", "eei"))
    return f"{plain}@example.org"


LOGINS: Final = {
    role: Login(role, f"{given} {family}", address(given, family))
    for role, (given, family) in NAMES.items()
}


def furnish(database: Database) -> None:
    """Fill an empty database. The clock stands on Monday 23 November 2026."""
    house = House(database)
    practice = house.practice(
        "Salle 1",
        "Salle 2",
        slug=SLUG,
        name="Cabinet de Nieul-le-Dolent",
        school_zone=SchoolZone.B,
        weekly_minimum=3,
    )
    # One hash for everybody: argon2 is slow on purpose.
    secret = hashed(PASSWORD)
    people = {
        role: house.member(
            practice,
            role,
            given_name=given,
            family_name=family,
            email=LOGINS[role].email,
            password_hash=secret,
        )
        for role, (given, family) in NAMES.items()
    }
    others = [
        house.member(
            practice,
            Role.REPLACEMENT,
            given_name=given,
            family_name=family,
            password_hash=secret,
            phone=f"06 39 98 00 {number:02d}",
            doctor={"max_half_days_per_week": 4} if given == "Paul" else None,
        )
        for number, (given, family) in enumerate(OTHER_DOCTORS, 11)
    ]
    replacement = people[Role.REPLACEMENT]
    doctors = [replacement, *others, people[Role.ASSISTANT]]
    monday = house.today
    for week in range(6):
        for weekday in (0, 1, 3, 4):
            day = monday + dt.timedelta(weeks=week, days=weekday)
            if day.month == 12 and day.day > 23:
                continue
            need = house.need(practice, day)
            number = week * 4 + weekday
            if number % 3 != 2:
                state = AssignmentState.HELD if number % 5 == 4 else AssignmentState.CONFIRMED
                house.assignment(need, doctors[number % len(doctors)], state)
        thursday = monday + dt.timedelta(weeks=week, days=3)
        house.need(practice, thursday, Period.AM, room=1)
    for doctor in others:
        days = [monday + dt.timedelta(days=offset) for offset in range(7, 35, 2)]
        house.available(doctor, *days, preference=Preference.POSSIBLE)
    actor = house.actor(replacement)
    with database.transaction() as session:
        availabilities.add_weekly(
            session,
            actor,
            replacement.id,
            3,
            Period.DAY,
            Preference.POSSIBLE,
            monday,
        )
    _propose(house, practice, people[Role.TITULAR])
    quiet = house.need(practice, monday + dt.timedelta(days=16), id=QUIET_NEED)
    house.available(people[Role.ASSISTANT], monday + dt.timedelta(days=8))
    _propose(house, practice, people[Role.TITULAR])
    compare(house, people[Role.TITULAR])
    titular, ines = house.actor(people[Role.TITULAR]), house.actor(others[1])
    message = "Bonjour Camille,\npourriez-vous nous aider ce mercredi ? Merci beaucoup."
    with database.transaction() as session:
        asks.ask(session, titular, quiet.id, replacement.id, message=message)
        refused = asks.ask(session, titular, quiet.id, others[1].id)
    with database.transaction() as session:
        asks.decline(session, ines, refused.id, "Déjà prise ce jour-là.")


def _propose(house: House, practice: Practice, titular: User) -> None:
    """A computed proposal for December, to be looked at."""
    actor = house.actor(titular)
    first, last = dt.date(2026, 12, 1), dt.date(2026, 12, 31)
    with house.database.transaction() as session:
        found = session.get_one(Practice, practice.id)
        proposal = proposals.request_proposal(session, actor, found, first, last)
        ticket = proposal_work.take(session, proposal.id)
        assert ticket is not None
        problem = build_problem(session, found, first, last)
    solution = proposal_work.compute(
        problem, seconds=20, workers=1, progress=lambda _: None, should_stop=lambda: False
    )
    with house.database.transaction() as session:
        assert proposal_work.finish(session, ticket, problem, solution)
