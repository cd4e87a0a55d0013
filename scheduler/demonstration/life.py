"""Three months in the life of the demonstration cabinet, from its opening to today."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from scheduler.calendars.holidays import holiday_calendar
from scheduler.core import outbox
from scheduler.core.clock import FixedClock, local_date
from scheduler.core.database import Database, UnitOfWork
from scheduler.core.errors import Conflict, RuleBroken
from scheduler.core.installation import mark_as_demonstration
from scheduler.core.permissions import DOCTOR_ROLES, SYSTEM, Actor, Role
from scheduler.core.settings import Settings
from scheduler.demonstration.cast import (
    CAST,
    ORDINARY_WEEK,
    ROOMS,
    Person,
    last_licence_day,
)
from scheduler.demonstration.present import Present
from scheduler.notify.composing import composer
from scheduler.notify.keeping import keeper
from scheduler.people import queries, service
from scheduler.people.models import Practice, SchoolZone
from scheduler.roster import asks, availabilities, claiming, releasing
from scheduler.roster.availability_queries import availabilities_between
from scheduler.roster.availability_rules import expand
from scheduler.roster.models import Assignment, Need
from scheduler.roster.needs import publish_needs
from scheduler.roster.past_days import finish_past_days
from scheduler.roster.patterns import Slot, save_pattern
from scheduler.roster.rules import (
    AssignmentState,
    Period,
    Preference,
    days_between,
    monday_of,
)

SLUG: Final = "nieul-le-dolent"
SEED: Final = 85430
PAST_DAYS: Final = 91
FUTURE_DAYS: Final = 92
WEEKS_TAKEN_AHEAD: Final = 3
# How likely a day is taken, by how many weeks it lies ahead (the past counts as 0).
TAKEN: Final = {0: 0.9, 1: 0.8, 2: 0.6, 3: 0.35}
# School holidays are the hard weeks.
TAKEN_IN_HOLIDAYS: Final = 0.6
RELEASED: Final = 0.05
REASONS: Final = ("Enfant malade", "Empêchement familial", "Garde déplacée", "Formation")
MESSAGE: Final = (
    "Bonjour {asked},\ncette journée n’est toujours pas pourvue. Seriez-vous disponible ? "
    "Merci d’avance, et bien sûr sans obligation.\n{asker}"
)
PasswordOf = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Doctor:
    """One of the cast, in the database."""

    id: int
    person: Person
    actor: Actor


class Life:
    """The cabinet's life, day by day. Every act is a transaction of its own, as it was."""

    def __init__(self, database: Database, password_of: PasswordOf, base_url: str) -> None:
        self.now = database.clock.now()
        self.today = local_date(self.now, "Europe/Paris")
        self.clock = FixedClock(self.now - dt.timedelta(days=PAST_DAYS + 9))
        self.database = Database(database.url.render_as_string(hide_password=False), self.clock)
        self.chance = random.Random(SEED)  # noqa: S311 - a story, not a secret
        self.password_of = password_of
        self.base_url = base_url
        self.first_day = self.today - dt.timedelta(days=PAST_DAYS)
        self.last_day = self.today + dt.timedelta(days=FUTURE_DAYS)
        self.school: frozenset[dt.date] = frozenset()
        self.doctors: list[Doctor] = []

    def run(self) -> None:
        try:
            self._open_cabinet()
            self._publish()
            for doctor in self.doctors:
                self._say_when(doctor)
            for monday in self._mondays():
                self._take_days(monday)
                self._send()
            self._ask()
            self.clock.move_to(self.now)
            with self.database.transaction() as session:
                finish_past_days(session)
            Present(self.database, self.practice.id, self.today).arrange()
            self._send()
        finally:
            self.database.dispose()

    def _open_cabinet(self) -> None:
        with self.database.transaction() as session:
            self.key = mark_as_demonstration(session)
            self.practice = service.create_practice(
                session,
                SYSTEM,
                name="Cabinet collaboratif de Nieul-le-Dolent",
                slug=SLUG,
                address="Place de l’Église, 85430 Nieul-le-Dolent",
                rooms=ROOMS,
                school_zone=SchoolZone.B,
                weekly_minimum=3,
            )
            for person in CAST:
                self._add(session, person)
        with self.database.session() as session:
            by_email = {
                member.user.email: member.user.id
                for member in queries.members_of(session, self.practice.id, self._day())
            }
            for person in CAST:
                user_id = by_email[person.email]
                found = queries.identity(session, user_id, self._day())
                if person.role in DOCTOR_ROLES and found is not None:
                    self.doctors.append(Doctor(user_id, person, found.actor))

    def _add(self, session: UnitOfWork, person: Person) -> None:
        licence = None
        if person.licence is not None:
            last = last_licence_day(self.today)
            licence = last.replace(year=last.year + person.licence)
        service.add_user(
            session,
            SYSTEM,
            email=person.email,
            given_name=person.given,
            family_name=person.family,
            role=person.role,
            practice_slug=SLUG,
            password=self.password_of(self.key, person.email),
            phone=person.phone,
            gender=person.gender,
            qualified=person.qualified,
            licence_until=licence,
            max_half_days_per_week=_halves(person.days_per_week),
            max_half_days_per_month=_halves(person.days_per_month),
            max_consecutive_days=person.days_in_a_row,
        )

    def _publish(self) -> None:
        titular = self._first(Role.TITULAR)
        with self.database.transaction() as session:
            practice = queries.practice_by_slug(session, titular.actor, SLUG)
            slots = [
                Slot(
                    practice.rooms[slot.room].id,
                    slot.weekday,
                    slot.period,
                    slot.priority,
                    slot.roles,
                )
                for slot in ORDINARY_WEEK
            ]
            pattern = save_pattern(
                session, titular.actor, practice, None, "Semaine ordinaire", slots
            )
            publish_needs(
                session,
                titular.actor,
                practice,
                pattern_id=pattern.id,
                start=self.first_day,
                end=self.last_day,
                skip=self._closed(session, practice),
            )

    def _closed(self, session: UnitOfWork, practice: Practice) -> dict[dt.date, str]:
        calendar = holiday_calendar(session, practice, self.first_day, self.last_day, "fr")
        self.school = frozenset(calendar.school)
        return {**calendar.public, **calendar.own}

    def _say_when(self, doctor: Doctor) -> None:
        with self.database.transaction() as session:
            for weekly in doctor.person.weekly:
                availabilities.add_weekly(
                    session,
                    doctor.actor,
                    doctor.id,
                    weekly.weekday,
                    weekly.period,
                    weekly.preference,
                    monday_of(self.first_day) + dt.timedelta(weeks=weekly.shift),
                    None,
                    weekly.every,
                )
            happens = [
                day
                for day in days_between(self.first_day, self.last_day)
                if day.weekday() < 5 and self.chance.random() < doctor.person.now_and_then
            ]
            if happens:
                availabilities.set_days(
                    session, doctor.actor, doctor.id, happens, Period.DAY, doctor.person.mood
                )
            for away in doctor.person.away:
                availabilities.set_range(
                    session,
                    doctor.actor,
                    doctor.id,
                    self.today + dt.timedelta(days=away.first),
                    self.today + dt.timedelta(days=away.last),
                    range(7),
                    Period.DAY,
                    None,
                )

    def _mondays(self) -> Iterator[dt.date]:
        monday = monday_of(self.first_day)
        while monday <= monday_of(self.today) + dt.timedelta(weeks=WEEKS_TAKEN_AHEAD):
            yield monday
            monday += dt.timedelta(weeks=1)

    def _take_days(self, monday: dt.date) -> None:
        """Ten days before the week, or just now, its days are taken; a few are given back."""
        evening = dt.datetime.combine(monday - dt.timedelta(days=10), dt.time(18), dt.UTC)
        self.clock.move_to(max(self.clock.now(), min(evening, self.now - dt.timedelta(hours=2))))
        ahead = (monday - monday_of(self.today)).days // 7
        for need in self._needs(monday, monday + dt.timedelta(days=6)):
            if need.date <= self._day():
                continue
            likely = TAKEN.get(max(ahead, 0), 0.0)
            if need.date in self.school:
                likely *= TAKEN_IN_HOLIDAYS
            if self.chance.random() > likely:
                continue
            taken = self._take(need)
            if taken is not None and self.chance.random() < RELEASED:
                self.clock.advance(dt.timedelta(minutes=7))
                doctor, assignment = taken
                with self.database.transaction() as session:
                    releasing.release(
                        session, doctor.actor, assignment.id, self.chance.choice(REASONS)
                    )
                self._take(need, besides=doctor)

    def _take(self, need: Need, besides: Doctor | None = None) -> tuple[Doctor, Assignment] | None:
        """Whoever likes the day best takes it; nobody does where a rule forbids it to all."""
        for doctor in self._willing(need):
            if doctor is besides:
                continue
            self.clock.advance(dt.timedelta(seconds=self.chance.randint(20, 400)))
            try:
                with self.database.transaction() as session:
                    return doctor, claiming.claim(session, doctor.actor, need.id)
            except (Conflict, RuleBroken):
                continue
        return None

    def _ask(self) -> None:
        """A titular asks a replacement to come on the first day that still stands empty."""
        asker, asked = self._first(Role.TITULAR), self._first(Role.REPLACEMENT)
        message = MESSAGE.format(asked=asked.person.given, asker=asker.person.given)
        for need in self._needs(self.today + dt.timedelta(days=1), self.last_day):
            # Days that are taken, and those that the asked may not work on, are passed over.
            with suppress(Conflict, RuleBroken), self.database.transaction() as session:
                asks.ask(session, asker.actor, need.id, asked.id, message=message)
                break

    def _send(self) -> None:
        """Whoever is to be told is told; what they were told stays in the mailbox."""
        compose = composer(Settings(secret_key=self.key, base_url=self.base_url))
        while outbox.send_due(self.database, compose, keeper(self.database)):
            continue

    def _willing(self, need: Need) -> list[Doctor]:
        with self.database.session() as session:
            said = availabilities_between(
                session, [doctor.id for doctor in self.doctors], need.date, need.date
            )
            load: dict[int, int] = {
                row.doctor_id: row.days
                for row in session.execute(
                    sa.select(Assignment.doctor_id, sa.func.count().label("days"))
                    .where(Assignment.state != AssignmentState.RELEASED)
                    .group_by(Assignment.doctor_id)
                )
            }
        ranks = list(Preference)
        willing: list[tuple[int, float, Doctor]] = []
        for doctor in self.doctors:
            if doctor.person.role.value not in need.roles:
                continue
            free = expand(*said[doctor.id], need.date, need.date, need.practice_id)
            found = [free.get((need.date, half)) for half in need.period.halves]
            preferences = [preference for preference in found if preference is not None]
            if len(preferences) == len(found):
                worst = max(ranks.index(preference) for preference in preferences)
                # Those who came less often are a little quicker.
                haste = load.get(doctor.id, 0) + self.chance.random() * 6
                willing.append((worst, haste, doctor))
        return [doctor for _rank, _haste, doctor in sorted(willing, key=lambda row: row[:2])]

    def _needs(self, start: dt.date, end: dt.date) -> list[Need]:
        with self.database.session() as session:
            return list(
                session.scalars(
                    sa.select(Need)
                    .where(Need.date.between(start, end))
                    .order_by(Need.date, Need.id)
                )
            )

    def _first(self, role: Role) -> Doctor:
        return next(doctor for doctor in self.doctors if doctor.person.role is role)

    def _day(self) -> dt.date:
        return local_date(self.clock.now(), "Europe/Paris")


def live(database: Database, password_of: PasswordOf, base_url: str) -> None:
    """Fill an empty database with the cabinet's three months; its letters lead to `base_url`."""
    Life(database, password_of, base_url).run()


def _halves(days: float | None) -> int | None:
    return None if days is None else round(days * 2)
