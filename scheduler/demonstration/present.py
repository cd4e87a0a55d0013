"""What stands in the demonstration cabinet today: what waits, what is offered, what is missing."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import replace
from typing import Final

import sqlalchemy as sa

from scheduler.core.database import Database, UnitOfWork
from scheduler.core.errors import Conflict, InvalidInput, RuleBroken
from scheduler.core.permissions import Actor, Role
from scheduler.oncall import service as duties
from scheduler.people import practices, queries, replacements
from scheduler.people.models import ClaimPolicy, Member, Practice
from scheduler.people.practices import PracticeSettings
from scheduler.roster import (
    availability_months,
    call_work,
    claiming,
    presences,
    releasing,
    swaps,
)
from scheduler.roster.models import Ask, Assignment, Need
from scheduler.roster.rules import AskState, AssignmentState, NeedState, Period, add_months

# Where urgent patients go, by weekday from Monday on.
ADVICE: Final = {
    0: "Maison médicale de La Mothe-Achard, de 9 h à 18 h. Sinon le 15.",
    1: "Cabinet de Saint-Flaive-des-Loups, de 9 h à 12 h. Sinon le 15.",
    2: "Maison médicale de La Mothe-Achard, de 9 h à 18 h. Sinon le 15.",
    3: "Cabinet de Saint-Flaive-des-Loups, de 14 h à 18 h. Sinon le 15.",
    4: "Maison médicale de La Mothe-Achard, de 9 h à 18 h. Sinon le 15.",
    5: "Maison médicale de garde des Sables-d’Olonne, de 9 h à 20 h. Sinon le 15.",
    6: "Maison médicale de garde des Sables-d’Olonne, de 9 h à 20 h. Sinon le 15.",
}
# What doctors noted beside a day of next month: days after its first Monday, and the words.
NOTES: Final = (
    (3, "Jusqu’à 17 h seulement : crèche."),
    (8, "Possible si quelqu’un prend l’autre salle."),
)
MONTHS_BEFORE: Final = 3
MONTHS_AHEAD: Final = 4


class Present:
    """Arranges today, act by act, each in a transaction of its own."""

    def __init__(self, database: Database, practice_id: int, today: dt.date) -> None:
        self.database, self.practice_id, self.today = database, practice_id, today
        with database.session() as session:
            self.members = queries.members_of(session, practice_id, today)
            self.actors = {
                member.user_id: found.actor
                for member in self.members
                if (found := queries.identity(session, member.user_id, today)) is not None
            }

    def arrange(self) -> None:
        self._set_up()
        self._name_replaced_doctors()
        self._say_who_is_there()
        self._answer_for_next_month()
        self._hold_a_day()
        self._pass_days_on()
        self._put_on_call()
        for _ in range(8):
            with self.database.transaction() as session:
                if not call_work.find_thin_weeks(session):
                    break

    def _of(self, role: Role) -> list[Member]:
        return [member for member in self.members if member.role is role]

    def _actor(self, role: Role) -> Actor:
        return self.actors[self._of(role)[0].user_id]

    def _practice(self, session: UnitOfWork) -> Practice:
        return session.get_one(Practice, self.practice_id)

    def _set_up(self) -> None:
        titular = self._actor(Role.TITULAR)
        with self.database.transaction() as session:
            practice = self._practice(session)
            settings = replace(
                PracticeSettings.of(practice),
                claim_policy=ClaimPolicy.TRUSTED,
                public_address="nieul-le-dolent",
                public_page=True,
                call_weeks_ahead=6,
            )
            practices.change_settings(session, titular, practice, settings)
            # All but the two who came last: what those take is held for a titular's word.
            known = [member.id for member in self._of(Role.REPLACEMENT)[:-2]]
            practices.choose_trusted(session, titular, practice, known)
            practices.choose_supervisors(
                session,
                titular,
                practice,
                {member.id: titular.user_id for member in self._of(Role.INTERN)},
            )
            practices.choose_professions(
                session,
                titular,
                practice,
                {member.id: "Infirmière Asalée" for member in self._of(Role.NURSE)},
            )

    def _name_replaced_doctors(self) -> None:
        """Each month another titular, all with derogations but the last."""
        titular = self._actor(Role.TITULAR)
        first = self.today.replace(day=1)
        people = self._of(Role.TITULAR)
        with self.database.transaction() as session:
            practice = self._practice(session)
            for place, member in enumerate(people[:-1]):
                replacements.add_derogation(
                    session,
                    titular,
                    practice,
                    member.user_id,
                    add_months(first, -MONTHS_BEFORE),
                    add_months(first, 12) - dt.timedelta(days=1),
                    f"CDOM 85-{self.today.year}-{place + 11}",
                )
            months = range(MONTHS_AHEAD)
            replacements.choose_replaced(
                session,
                titular,
                practice,
                {
                    add_months(first, month): people[month % (len(people) - 1)].user_id
                    for month in months
                },
            )

    def _say_who_is_there(self) -> None:
        secretary = self._actor(Role.SECRETARY)
        with self.database.transaction() as session:
            presences.set_advice(session, secretary, self.practice_id, ADVICE)
            for member in self._of(Role.NURSE):
                for weekday, period in ((1, Period.DAY), (3, Period.AM)):
                    presences.add_weekly(session, secretary, member.id, weekday, period, self.today)

    def _answer_for_next_month(self) -> None:
        """Some have said all there is to say of next month, one cannot come, others are silent."""
        doctors = [member.user_id for member in self._of(Role.REPLACEMENT)]
        month = add_months(self.today.replace(day=1), 1)
        first_monday = month + dt.timedelta(days=-month.weekday() % 7)
        with self.database.transaction() as session:
            for doctor_id in doctors[: len(doctors) // 2]:
                availability_months.answer_month(session, self.actors[doctor_id], doctor_id, month)
            absent = doctors[-1]
            availability_months.decline_month(session, self.actors[absent], absent, month)
            for place, (days, words) in enumerate(NOTES):
                doctor_id = doctors[place]
                day = first_monday + dt.timedelta(days=days)
                actor = self.actors[doctor_id]
                availability_months.set_note(session, actor, doctor_id, day, words)

    def _open_needs(self) -> list[Need]:
        with self.database.session() as session:
            return list(
                session.scalars(
                    sa.select(Need)
                    .outerjoin(
                        Assignment,
                        sa.and_(
                            Assignment.need_id == Need.id,
                            Assignment.state != AssignmentState.RELEASED,
                        ),
                    )
                    .where(
                        Need.practice_id == self.practice_id,
                        Need.state == NeedState.PUBLISHED,
                        Need.date > self.today,
                        Assignment.id.is_(None),
                        # The question about a day stays open.
                        Need.id.not_in(sa.select(Ask.need_id).where(Ask.state == AskState.OPEN)),
                    )
                    .order_by(Need.date, Need.id)
                )
            )

    def _hold_a_day(self) -> None:
        """Somebody whom the practice does not know well yet takes a day."""
        doctors = self._of(Role.REPLACEMENT)[-2:]
        for need in self._open_needs():
            for member in doctors:
                with suppress(Conflict, RuleBroken), self.database.transaction() as session:
                    claiming.claim(session, self.actors[member.user_id], need.id)
                    return

    def _pass_days_on(self) -> None:
        """One day is on offer to all, and of another a doctor asks to be released."""
        with self.database.session() as session:
            days = session.scalars(
                sa.select(Assignment)
                .where(
                    Assignment.practice_id == self.practice_id,
                    Assignment.state == AssignmentState.CONFIRMED,
                    Assignment.date > self.today + dt.timedelta(days=1),
                )
                .order_by(Assignment.date, Assignment.id)
            ).all()
        acts = [self._ask_to_be_released, self._offer]
        for day in days:
            if not acts:
                break
            with (
                suppress(Conflict, RuleBroken, InvalidInput),
                self.database.transaction() as session,
            ):
                acts[0](session, day)
                acts.pop(0)

    def _ask_to_be_released(self, session: UnitOfWork, day: Assignment) -> None:
        reason = "Mariage de ma sœur, avancé d’une semaine"
        releasing.request_release(session, self.actors[day.doctor_id], day.id, reason)

    def _offer(self, session: UnitOfWork, day: Assignment) -> None:
        message = "Je suis en formation ce jour-là."
        swaps.offer(session, self.actors[day.doctor_id], day.id, message=message)

    def _put_on_call(self) -> None:
        """The next days without a doctor have somebody on call, but one."""
        titulars = self._of(Role.TITULAR)
        secretary = self._actor(Role.SECRETARY)
        dates = sorted({need.date for need in self._open_needs()})[:4]
        for place, date in enumerate(dates[1:]):
            with (
                suppress(Conflict, RuleBroken, InvalidInput),
                self.database.transaction() as session,
            ):
                doctor = titulars[place % len(titulars)]
                duties.set_duty(session, secretary, self.practice_id, date, doctor.user_id)
