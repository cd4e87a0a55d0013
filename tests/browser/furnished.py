"""The cabinet that the browser visits: credible names, every role, a month with gaps."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import SchoolZone
from scheduler.people.passwords import hashed
from scheduler.roster import availabilities
from scheduler.roster.rules import AssignmentState, Period, Preference
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
            practice, Role.REPLACEMENT, given_name=given, family_name=family, password_hash=secret
        )
        for given, family in OTHER_DOCTORS
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
