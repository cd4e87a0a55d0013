"""Makers of rows for tests. Each makes what was asked for, committed, with plain defaults."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from scheduler.core.clock import local_date
from scheduler.core.database import Database
from scheduler.core.permissions import DOCTOR_ROLES, Actor, Role
from scheduler.people import queries
from scheduler.people.models import Doctor, Member, Practice, Room, User
from scheduler.roster.models import Assignment, Availability, Need, WeekPattern, WeekPatternSlot
from scheduler.roster.rules import (
    DEFAULT_NEED_ROLES,
    AssignmentSource,
    AssignmentState,
    Period,
    Preference,
    ReleaseKind,
)

LONG_AGO = dt.date(2020, 1, 1)


class House:
    """Makes practices, people and days in one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._numbers = itertools.count(1)

    def _save(self, *rows: Any) -> None:
        with self.database.transaction() as session:
            session.add_all(rows)

    @property
    def today(self) -> dt.date:
        return local_date(self.database.clock.now(), "Europe/Paris")

    def practice(self, *rooms: str, **values: Any) -> Practice:
        """A practice with the named rooms (one, "Salle 1", by default), rooms loaded."""
        number = next(self._numbers)
        values = {
            "slug": f"cabinet-{number}",
            "name": f"Cabinet {number}",
            "created_at": self.database.clock.now(),
            # Tests of the lock date say so themselves.
            "lock_days": 0,
            **values,
        }
        practice = Practice(**values)
        practice.rooms = [
            Room(name=name, position=position)
            for position, name in enumerate(rooms or ("Salle 1",))
        ]
        self._save(practice)
        with self.database.session() as session:
            return session.scalars(
                sa.select(Practice)
                .where(Practice.id == practice.id)
                .options(selectinload(Practice.rooms))
            ).one()

    def user(self, **values: Any) -> User:
        number = next(self._numbers)
        values = {
            "email": f"user{number}@example.org",
            "given_name": f"Prénom{number}",
            "family_name": f"Nom{number}",
            "created_at": self.database.clock.now(),
            **values,
        }
        user = User(**values)
        self._save(user)
        return user

    def member(
        self,
        practice: Practice,
        role: Role,
        user: User | None = None,
        *,
        since: dt.date = LONG_AGO,
        until: dt.date | None = None,
        doctor: dict[str, Any] | None = None,
        **values: Any,
    ) -> User:
        """A user with a role in a practice (a doctor's facts too where the role is a doctor's)."""
        fresh = user is None
        user = user or self.user(**values)
        rows: list[Any] = [
            Member(practice_id=practice.id, user_id=user.id, role=role, since=since, until=until)
        ]
        if role in DOCTOR_ROLES and fresh:
            rows.append(Doctor(user_id=user.id, **(doctor or {})))
        self._save(*rows)
        return user

    def doctor(self, user: User, **facts: Any) -> None:
        """A doctor's facts for a user who has none yet."""
        self._save(Doctor(user_id=user.id, **facts))

    def actor(self, user: User) -> Actor:
        with self.database.session() as session:
            found = queries.identity(session, user.id, self.today)
        assert found is not None
        return found.actor

    def need(
        self,
        practice: Practice,
        date: dt.date,
        period: Period = Period.DAY,
        *,
        room: int = 0,
        **values: Any,
    ) -> Need:
        values = {"roles": [role.value for role in DEFAULT_NEED_ROLES], **values}
        need = Need(
            practice_id=practice.id,
            room_id=practice.rooms[room].id,
            date=date,
            period=period,
            published_at=self.database.clock.now(),
            **values,
        )
        self._save(need)
        return need

    def pattern(self, practice: Practice, *slots: tuple[int, Period], **values: Any) -> WeekPattern:
        """A week pattern of the first room: each slot a weekday (Monday is 0) and a period."""
        pattern = WeekPattern(
            **{"practice_id": practice.id, "name": f"Semaine {next(self._numbers)}", **values}
        )
        pattern.slots = [
            WeekPatternSlot(
                room_id=practice.rooms[0].id,
                weekday=weekday,
                period=period,
                roles=[role.value for role in DEFAULT_NEED_ROLES],
            )
            for weekday, period in slots
        ]
        self._save(pattern)
        return pattern

    def available(
        self,
        doctor: User,
        *dates: dt.date,
        period: Period = Period.DAY,
        preference: Preference | None = Preference.WANTED,
        practice: Practice | None = None,
    ) -> None:
        self._save(
            *(
                Availability(
                    doctor_id=doctor.id,
                    practice_id=practice.id if practice else None,
                    date=date,
                    half=half,
                    preference=preference,
                    updated_at=self.database.clock.now(),
                )
                for date in dates
                for half in period.halves
            )
        )

    def assignment(
        self,
        need: Need,
        doctor: User,
        state: AssignmentState = AssignmentState.CONFIRMED,
        source: AssignmentSource = AssignmentSource.CLAIM,
        **values: Any,
    ) -> Assignment:
        now = self.database.clock.now()
        if state is AssignmentState.HELD:
            values.setdefault("held_until", now + dt.timedelta(hours=48))
        if state is AssignmentState.RELEASED:
            values.setdefault("released_at", now)
            values.setdefault("released_by", doctor.id)
            values.setdefault("release_kind", ReleaseKind.EARLY)
        assignment = Assignment(
            need_id=need.id,
            practice_id=need.practice_id,
            doctor_id=doctor.id,
            date=need.date,
            period=need.period,
            state=state,
            source=source,
            created_at=now,
            updated_at=now,
            created_by=values.pop("created_by", doctor.id),
            **values,
        )
        self._save(assignment)
        return assignment
