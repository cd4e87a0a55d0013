"""Every route and everybody who may knock: a table that has to be complete.

The routes come from the application's own URL map; a route that does not stand in `TABLE`, and
a line of `TABLE` without its route, fail. Each request is made in a fresh practice of its own,
to things of its own, so that nothing depends on what was asked before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, url_for
from flask.testing import FlaskClient

from scheduler.calendars.devices import secret_hash
from scheduler.calendars.models import (
    CalendarInvitation,
    DevicePassword,
    Feed,
    FeedKind,
    PracticeHoliday,
)
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.notify.models import Device
from scheduler.notify.rules import Group
from scheduler.notify.stopping import stop_address
from scheduler.people.models import Derogation, Member, Practice, User
from scheduler.people.replacements import first_of_months
from scheduler.roster.call_rules import link_token
from scheduler.roster.models import (
    Ask,
    Assignment,
    Call,
    CallDay,
    Invitation,
    InvitationDay,
    Need,
    Proposal,
    ProposalLine,
    ReleaseRequest,
    Scenario,
    Swap,
    WeeklyAvailability,
    WeeklyPresence,
    WeekPattern,
)
from scheduler.roster.problem import doctor_key, practice_key
from scheduler.roster.rules import (
    AskCode,
    AssignmentState,
    CallState,
    InvitationState,
    Period,
    Preference,
    ProposalState,
    ReleaseKind,
)
from scheduler.roster.scenario_rules import NoWeeklyCap
from tests.conftest import SECRET_KEY
from tests.factories import House

TUESDAY = dt.date(2026, 11, 24)
# The columns: the seven roles of the practice; signed in without any practice; a titular of
# another practice; not signed in.
READERS = (*(role.value for role in Role), "loner", "stranger", "nobody")

# What each is answered. "in" is the way to the sign-in page, 401 the same for what is no page.
# A 422 went past the permission and stopped at what was typed, a 409 at a rule of the roster.
TABLE = """
                              titular replacement assistant intern secretary nurse viewer loner stranger nobody
GET  home.home                    302         302       302    302       302   302    302   200      302     in
GET  home.health                  200         200       200    200       200   200    200   200      200    200
GET  auth.sign_in                 302         302       302    302       302   302    302   302      302    200
POST auth.sign_in                 401         401       401    401       401   401    401   401      401    401
POST auth.sign_out                302         302       302    302       302   302    302   302      302    302
GET  account.show                 200         200       200    200       200   200    200   200      200     in
POST account.change_password      422         422       422    422       422   422    422   422      422    401
POST account.set_language         302         302       302    302       302   302    302   302      302    302
GET  notifications.show           200         200       200    200       200   200    200   200      200     in
POST notifications.save           302         302       302    302       302   302    302   302      302    401
POST notifications.set_phone      422         422       422    422       422   422    422   422      422    401
POST notifications.verify_phone   404         404       404    404       404   404    404   404      404    401
POST notifications.remove_phone   404         404       404    404       404   404    404   404      404    401
POST notifications.add_device     422         422       422    422       422   422    422   422      422    401
POST notifications.remove_device  404         302       404    404       404   404    404   404      404    401
POST notifications.send_test      302         302       302    302       302   302    302   302      302    401
GET  notifications.stop           200         200       200    200       200   200    200   200      200    200
POST notifications.confirm_stop   200         200       200    200       200   200    200   200      200    200
GET  notifications.service_worker 200         200       200    200       200   200    200   200      200    200
GET  mailbox.index                404         404       404    404       404   404    404   404      404     in
GET  mailbox.show                 404         404       404    404       404   404    404   404      404     in
GET  mailbox.body                 404         404       404    404       404   404    404   404      404     in
GET  calendars.index              200         200       200    200       200   200    200   200      200     in
GET  calendars.new                200         200       200    200       200   200    200   404      404     in
POST calendars.open_feed          302         302       302    302       302   302    302   404      404    401
GET  calendars.edit               404         200       404    404       404   404    404   404      404     in
POST calendars.change             404         302       404    404       404   404    404   404      404    401
POST calendars.renew              404         302       404    404       404   404    404   404      404    401
POST calendars.revoke             404         302       404    404       404   404    404   404      404    401
GET  devices.index                200         200       200    200       403   403    403   403      200     in
POST devices.add                  303         303       303    303       403   403    403   403      303    401
GET  devices.added                302         302       302    302       403   403    403   403      302     in
POST devices.apple_profile        404         200       404    404       403   403    403   403      404    401
POST devices.revoke               404         302       404    404       403   403    403   403      404    401
GET  devices.setup                200         200       200    200       403   403    403   403      200     in
GET  calendars.feed               404         404       404    404       404   404    404   404      404    404
GET  imports.index                200         200       200    200       403   403    403   403      200     in
POST imports.look_at_file         422         422       422    422       403   403    403   403      422    401
POST imports.look_at_address      422         422       422    422       403   403    403   403      422    401
POST imports.keep                 422         422       422    422       403   403    403   403      422    401
POST imports.claim                200         200       200    200       403   403    403   403      404    401
POST imports.read_again           404         404       404    404       403   403    403   403      404    401
POST imports.remove               404         404       404    404       403   403    403   403      404    401
GET  board.index                  200         200       200    200       403   403    403   403      200     in
POST board.claim                  302         302       302    409       403   403    403   403      404    401
POST board.claim_several          302         302       302    409       403   403    403   403      404    401
POST board.undo                   403         302       403    403       403   403    403   403      404    401
GET  roster.week                  200         200       200    200       200   200    200   404      404     in
GET  roster.month                 200         200       200    200       200   200    200   404      404     in
GET  roster.need                  200         200       200    200       200   200    200   404      404     in
POST roster.claim                 302         302       302    409       403   403    403   404      404    401
POST roster.release               302         302       403    403       302   403    403   404      404    401
GET  needs.publish                200         403       403    403       403   403    403   404      404     in
POST needs.confirm                422         403       403    403       403   403    403   404      404    401
POST needs.withdraw               302         403       403    403       403   403    403   404      404    401
GET  needs.pattern_list           200         403       403    403       403   403    403   404      404     in
GET  needs.new_pattern            200         403       403    403       403   403    403   404      404     in
POST needs.new_pattern            422         403       403    403       403   403    403   404      404    401
GET  needs.edit_pattern           200         403       403    403       403   403    403   404      404     in
POST needs.edit_pattern           422         403       403    403       403   403    403   404      404    401
POST needs.delete_pattern         302         403       403    403       403   403    403   404      404    401
POST needs.add_holiday            302         403       403    403       403   403    403   404      404    401
POST needs.remove_holiday         302         403       403    403       403   403    403   404      404    401
GET  availabilities.month         200         200       200    200       403   403    403   403      200     in
POST availabilities.set_days      302         302       302    302       403   403    403   403      302    401
POST availabilities.set_range     422         422       422    422       403   403    403   403      422    401
POST availabilities.add_weekly    422         422       422    422       403   403    403   403      422    401
POST availabilities.end_weekly    404         302       404    404       403   403    403   403      404    401
POST availabilities.remove_weekly 404         302       404    404       403   403    403   403      404    401
POST availabilities.set_except    422         422       422    422       403   403    403   403      422    401
GET  availabilities.copy_preview  200         200       200    200       403   403    403   403      200     in
POST availabilities.copy_month    302         302       302    302       403   403    403   403      302    401
POST availabilities.set_note      302         302       302    302       403   403    403   403      302    401
POST availabilities.answer_month  302         302       302    302       403   403    403   403      302    401
GET  answers.month                200         403       403    403       200   403    403   404      404     in
POST answers.remind               302         403       403    403       403   403    403   404      404    401
GET  proposals.index              200         403       403    403       200   403    403   404      404     in
POST proposals.request_one        302         403       403    403       403   403    403   404      404    401
GET  proposals.show               200         403       403    403       200   403    403   404      404     in
GET  proposals.progress           200         403       403    403       200   403    403   404      404     in
POST proposals.cancel             302         403       403    403       403   403    403   404      404    401
POST proposals.retry              302         403       403    403       403   403    403   404      404    401
POST proposals.discard            302         403       403    403       403   403    403   404      404    401
POST proposals.accept             302         403       403    403       403   403    403   404      404    401
GET  asks.index                   200         200       200    200       403   403    403   403      200     in
GET  asks.new                     200         403       403    403       403   403    403   404      404     in
POST asks.send                    302         403       403    403       403   403    403   404      404    401
GET  asks.show                    200         200       403    403       403   403    403   404      404     in
POST asks.answer                  403         302       403    403       403   403    403   404      404    401
POST asks.withdraw                302         403       403    403       403   403    403   404      404    401
GET  calendar_invitations.index   200         403       403    403       200   403    403   404      404     in
GET  calendar_invitations.new     200         403       403    403       403   403    403   404      404     in
POST calendar_invitations.send    422         403       403    403       403   403    403   404      404    401
POST calendar_invitations.withdraw 302        403       403    403       403   403    403   404      404    401
GET  calls.index                  200         403       403    403       200   403    403   404      404     in
GET  calls.show                   200         403       403    403       200   403    403   404      404     in
POST calls.send                   302         403       403    403       403   403    403   404      404    401
POST calls.send_next              302         403       403    403       403   403    403   404      404    401
POST calls.stop                   302         403       403    403       403   403    403   404      404    401
POST calls.dismiss                302         403       403    403       403   403    403   404      404    401
POST calls.restore                302         403       403    403       403   403    403   404      404    401
GET  invitations.index            200         200       200    200       403   403    403   403      200     in
GET  invitations.answer           200         200       200    200       200   200    200   200      200    200
POST invitations.take             302         302       302    302       302   302    302   302      302    302
POST invitations.decline          302         302       302    302       302   302    302   302      302    302
POST invitations.undo             409         409       409    409       409   409    409   409      409    409
GET  scenarios.index              200         403       403    403       200   403    403   404      404     in
GET  scenarios.compared           200         403       403    403       200   403    403   404      404     in
POST scenarios.request_one        302         403       403    403       403   403    403   404      404    401
POST scenarios.cancel             302         403       403    403       403   403    403   404      404    401
POST scenarios.retry              302         403       403    403       403   403    403   404      404    401
POST scenarios.delete             302         403       403    403       403   403    403   404      404    401
GET  candidates.show              200         403       403    403       200   403    403   404      404     in
POST candidates.give              302         403       403    403       302   403    403   404      404    401
GET  statistics.show              200         403       403    403       200   403    403   404      404     in
GET  statistics.download          200         403       403    403       200   403    403   404      404     in
GET  practice.show                200         403       403    403       403   403    403   404      404     in
POST practice.change_claims       302         403       403    403       403   403    403   404      404    401
POST practice.change_limits       302         403       403    403       403   403    403   404      404    401
POST practice.change_calls        422         403       403    403       403   403    403   404      404    401
POST practice.change_rule         302         403       403    403       403   403    403   404      404    401
POST practice.change_public       302         403       403    403       403   403    403   404      404    401
POST practice.choose_trusted      302         403       403    403       403   403    403   404      404    401
POST practice.choose_replaced     302         403       403    403       403   403    403   404      404    401
POST practice.add_derogation      422         403       403    403       403   403    403   404      404    401
POST practice.remove_derogation   302         403       403    403       403   403    403   404      404    401
POST practice.choose_supervisors  302         403       403    403       403   403    403   404      404    401
POST practice.choose_professions  302         403       403    403       403   403    403   404      404    401
POST desk.set_duty                302         403       403    403       302   403    403   404      404    401
GET  desk.day                     200         200       200    200       200   200    200   404      404     in
GET  desk.advice                  200         403       403    403       200   403    403   404      404     in
POST desk.write_advice            302         403       403    403       302   403    403   404      404    401
GET  documents.door               200         200       200    200       200   200    200   404      404     in
GET  documents.absence            200         200       200    200       200   200    200   404      404     in
GET  presences.index              200         403       403    403       200   200    403   404      404     in
POST presences.add_weekly         302         403       403    403       302   302    403   404      404    401
POST presences.remove_weekly      302         403       403    403       302   302    403   404      404    401
POST presences.set_date           302         403       403    403       302   302    403   404      404    401
POST presences.clear_date         302         403       403    403       302   302    403   404      404    401
GET  public.week                  404         404       404    404       404   404    404   404      404    404
GET  absences.new                200         200         403    403       200   403    403   404      404    in
GET  absences.show               200         200         403    403       200   403    403   404      404    in
GET  decisions.index             200         403         403    403       403   403    403   404      404    in
GET  swaps.index                 200         200         200    200       200   403    403   404      404    in
GET  swaps.new                   200         200         403    403       200   403    403   404      404    in
GET  swaps.new_take_over         200         200         200    200       200   403    403   404      404    in
GET  swaps.show                  200         200         403    403       200   403    403   404      404    in
GET  swaps.told                  200         200         403    403       200   403    403   404      404    in
POST absences.declare            302         302         403    403       302   403    403   404      404    401
POST absences.end                302         302         403    403       302   403    403   404      404    401
POST decisions.confirm           302         403         403    403       403   403    403   404      404    401
POST decisions.grant             302         403         403    403       403   403    403   404      404    401
POST decisions.refuse            422         403         403    403       403   403    403   404      404    401
POST decisions.refuse_request    302         403         403    403       403   403    403   404      404    401
POST roster.undo                 403         302         403    403       403   403    403   404      404    401
POST roster.withdraw_request     302         302         403    403       302   403    403   404      404    401
POST swaps.decline               403         302         403    403       403   403    403   404      404    401
POST swaps.offer                 302         302         403    403       302   403    403   404      404    401
POST swaps.take                  403         302         403    403       403   403    403   404      404    401
POST swaps.take_over             302         302         302    409       409   403    403   404      404    401
POST swaps.untake                409         403         403    403       409   403    403   404      404    401
POST swaps.untake_over           409         403         403    403       409   403    403   404      404    401
POST swaps.withdraw              302         302         403    403       302   403    403   404      404    401
"""  # noqa: E501 - a table is read across

ClientFor = Callable[[User | None], FlaskClient]


def entries() -> dict[str, dict[str, str]]:
    """The table as route, reader and answer."""
    lines = [line.split() for line in TABLE.strip().splitlines()]
    assert tuple(lines[0]) == READERS
    found: dict[str, dict[str, str]] = {}
    for method, endpoint, *answers in lines[1:]:
        route = f"{method} {endpoint}"
        assert route not in found, f"{route} stands twice in TABLE"
        found[route] = dict(zip(READERS, answers, strict=True))
    return found


def routes(app: Flask) -> set[str]:
    """Every method of every endpoint, but the static files and what Flask answers by itself."""
    return {
        f"{method} {rule.endpoint}"
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


@dataclass
class World:
    """A practice made for one request, and in it what the request is about.

    What belongs to a doctor belongs to the replacement.
    """

    house: House
    reader_kind: str

    @cached_property
    def practice(self) -> Practice:
        return self.house.practice()

    @cached_property
    def reader(self) -> User | None:
        if self.reader_kind == "nobody":
            return None
        if self.reader_kind == "loner":
            return self.house.user()
        if self.reader_kind == "stranger":
            return self.house.member(self.house.practice(), Role.TITULAR)
        return self.house.member(self.practice, Role(self.reader_kind))

    @cached_property
    def doctor(self) -> User:
        if self.reader is not None and self.reader_kind == "replacement":
            return self.reader
        return self.house.member(self.practice, Role.REPLACEMENT)

    def save(self, row: Any) -> int:
        with self.house.database.transaction() as session:
            session.add(row)
        return int(row.id)

    @property
    def need(self) -> Need:
        return self.house.need(self.practice, TUESDAY)

    @property
    def assignment(self) -> Assignment:
        return self.house.assignment(self.need, self.doctor)

    @property
    def device(self) -> int:
        return self.save(
            Device(
                user_id=self.doctor.id,
                endpoint=f"https://updates.push.services.mozilla.com/{self.doctor.id}",
                p256dh="p256dh",
                auth="auth",
                name="Firefox",
                created_at=self.house.database.clock.now(),
            )
        )

    @property
    def telephone_password(self) -> str:
        return f"password of {self.doctor.id}"

    @property
    def telephone(self) -> int:
        return self.save(
            DevicePassword(
                user_id=self.doctor.id,
                name="Téléphone",
                secret_hash=secret_hash(self.telephone_password),
                created_at=self.house.database.clock.now(),
            )
        )

    @property
    def stop_token(self) -> str:
        settings = Settings(secret_key=SECRET_KEY)
        return stop_address(settings, self.doctor.id, [Group.DAYS]).rpartition("/")[2]

    @property
    def feed(self) -> int:
        return self.save(
            Feed(
                kind=FeedKind.PERSONAL,
                user_id=self.doctor.id,
                parts=["confirmed"],
                salt="salt",
                token_hash=f"hash of {self.doctor.id}",
                created_at=self.house.database.clock.now(),
            )
        )

    @property
    def pattern(self) -> int:
        return self.save(WeekPattern(practice_id=self.practice.id, name="Semaine type"))

    @property
    def holiday(self) -> int:
        return self.save(
            PracticeHoliday(
                practice_id=self.practice.id, start=TUESDAY, end=TUESDAY, name="Fermeture"
            )
        )

    @property
    def months(self) -> dict[str, str]:
        """Twelve months in which nobody is replaced, as the page of the practice sends them."""
        months = first_of_months(TUESDAY, 12)
        return {f"replaced-month_{month:%Y_%m}": "0" for month in months}

    @property
    def derogation(self) -> int:
        return self.save(
            Derogation(
                practice_id=self.practice.id,
                doctor_id=self.house.member(self.practice, Role.TITULAR).id,
                since=TUESDAY,
                until=TUESDAY,
            )
        )

    @property
    def weekly(self) -> int:
        return self.save(
            WeeklyAvailability(
                doctor_id=self.doctor.id,
                weekday=1,
                period=Period.DAY,
                preference=Preference.WANTED,
                start=TUESDAY,
                updated_at=self.house.database.clock.now(),
            )
        )

    @property
    def held(self) -> int:
        return self.house.assignment(self.need, self.doctor, AssignmentState.HELD).id

    @property
    def absent(self) -> int:
        return self.house.assignment(
            self.need,
            self.doctor,
            AssignmentState.RELEASED,
            release_kind=ReleaseKind.ABSENCE,
        ).id

    @property
    def release_request(self) -> int:
        return self.save(
            ReleaseRequest(
                practice_id=self.practice.id,
                assignment_id=self.assignment.id,
                doctor_id=self.doctor.id,
                reason="Malade",
                requested_by=self.doctor.id,
                requested_at=self.house.database.clock.now(),
            )
        )

    def swap(self, *, by_doctor: bool = False) -> int:
        """A day offered to the doctor by a colleague, or the doctor's own offered to all."""
        colleague = self.house.member(self.practice, Role.REPLACEMENT)
        giver = self.doctor if by_doctor else colleague
        return self.save(
            Swap(
                practice_id=self.practice.id,
                assignment_id=self.house.assignment(self.need, giver).id,
                doctor_id=giver.id,
                to_doctor_id=None if by_doctor else self.doctor.id,
                offered_by=giver.id,
                offered_at=self.house.database.clock.now(),
            )
        )

    @property
    def colleague_s_day(self) -> int:
        colleague = self.house.member(self.practice, Role.REPLACEMENT)
        return self.house.assignment(self.need, colleague).id

    @property
    def ask(self) -> int:
        return self.save(
            Ask(
                practice_id=self.practice.id,
                need_id=self.need.id,
                doctor_id=self.doctor.id,
                code=AskCode.ASK,
                message="",
                asked_by=self.house.member(self.practice, Role.TITULAR).id,
                asked_at=self.house.database.clock.now(),
            )
        )

    @property
    def calendar_invitation(self) -> int:
        return self.save(
            CalendarInvitation(
                practice_id=self.practice.id,
                need_id=self.need.id,
                doctor_id=self.doctor.id,
                address=self.doctor.email,
                invited_by=self.house.member(self.practice, Role.TITULAR).id,
                invited_at=self.house.database.clock.now(),
                said="",
                practice_version=1,
                room="",
            )
        )

    @cached_property
    def nurse(self) -> int:
        """The member, no doctor, whose presences are edited: the reader where that is a nurse."""
        if self.reader is not None and self.reader_kind == "nurse":
            user = self.reader
        else:
            user = self.house.member(self.practice, Role.NURSE)
        with self.house.database.session() as session:
            return session.scalars(sa.select(Member.id).where(Member.user_id == user.id)).one()

    @property
    def presence(self) -> int:
        return self.save(
            WeeklyPresence(
                practice_id=self.practice.id,
                member_id=self.nurse,
                weekday=1,
                period=Period.DAY,
                start=TUESDAY,
            )
        )

    def call(self, state: CallState) -> Call:
        """A call for one day, to the doctor and, in a later wave, to a titular."""
        now, sent = self.house.database.clock.now(), state is CallState.SENT
        need = self.need
        call = Call(
            practice_id=self.practice.id,
            monday=TUESDAY - dt.timedelta(days=1),
            state=state,
            prepared_at=now,
            sent_at=now if sent else None,
            next_wave_at=now + dt.timedelta(days=1) if sent else None,
            wave=1 if sent else 0,
            days=[CallDay(need_id=need.id)],
            invitations=[
                Invitation(
                    doctor_id=self.doctor.id,
                    wave=1,
                    rank=1,
                    state=InvitationState.SENT if sent else InvitationState.WAITING,
                    sent_at=now if sent else None,
                    days=[InvitationDay(need_id=need.id)],
                ),
                Invitation(
                    doctor_id=self.house.member(self.practice, Role.TITULAR).id,
                    wave=3,
                    rank=2,
                    days=[InvitationDay(need_id=need.id)],
                ),
            ],
        )
        self.save(call)
        return call

    @staticmethod
    def link(call: Call) -> str:
        return link_token(SECRET_KEY, call.invitations[0].uid)

    def proposal(self, state: ProposalState) -> int:
        lines = []
        if state is ProposalState.READY:
            lines = [ProposalLine(need_id=self.need.id, doctor_id=self.doctor.id)]
        return self.save(
            Proposal(
                practice_id=self.practice.id,
                start=TUESDAY,
                end=TUESDAY + dt.timedelta(days=6),
                state=state,
                requested_by=self.house.member(self.practice, Role.TITULAR).id,
                requested_at=self.house.database.clock.now(),
                lines=lines,
            )
        )

    @property
    def computed(self) -> int:
        """A proposal with a roster, which scenarios can be compared with."""
        day, doctor = TUESDAY.isoformat(), doctor_key(self.doctor.id)
        problem = {
            "format": "relais-roster/1",
            "start": day,
            "end": (TUESDAY + dt.timedelta(days=6)).isoformat(),
            "practices": [{"id": practice_key(self.practice.id), "rooms": ["r1"]}],
            "doctors": [
                {
                    "id": doctor,
                    "role": "replacement",
                    "practices": [practice_key(self.practice.id)],
                    "max_days_per_week": 1,
                    "credit": 0,
                }
            ],
            "needs": [],
            "availabilities": [],
        }
        proposal_id = self.proposal(ProposalState.READY)
        with self.house.database.transaction() as session:
            found = session.get_one(Proposal, proposal_id)
            found.problem = problem
            found.solution = {"status": "optimal", "assignments": [], "uncovered": []}
        return proposal_id

    def scenario(self, state: ProposalState) -> int:
        return self.save(
            Scenario(
                proposal_id=self.computed,
                change=NoWeeklyCap().to_json(),
                state=state,
                requested_by=self.house.member(self.practice, Role.TITULAR).id,
                requested_at=self.house.database.clock.now(),
            )
        )

    @property
    def compared(self) -> int:
        """A proposal with a scenario that is still to be computed."""
        scenario_id = self.scenario(ProposalState.QUEUED)
        with self.house.database.session() as session:
            return session.get_one(Scenario, scenario_id).proposal_id

    def request(self, route: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """What goes into the address, and what is sent with it."""
        make = REQUESTS.get(route)
        return ({}, {}) if make is None else make(self)


Request = Callable[[World], tuple[dict[str, Any], dict[str, Any]]]


def invited(world: World) -> tuple[dict[str, Any], dict[str, Any]]:
    """An answer by link to a call about one day."""
    call = world.call(CallState.SENT)
    return {"token": world.link(call)}, {"need": str(call.days[0].need_id)}


MONTH = {"month": "2026-11"}
DAY = {"date": TUESDAY.isoformat()}
WRONG = {"current": "wrong", "new": "cheval agrafe pile", "repeated": "cheval agrafe pile"}

REQUESTS: dict[str, Request] = {
    "POST auth.sign_in": lambda _: ({}, {"email": "nobody@example.org", "password": "wrong"}),
    "POST account.change_password": lambda _: ({}, WRONG),
    "POST account.set_language": lambda _: ({}, {"language": "en"}),
    # The hours are those that the page offers first.
    "POST notifications.save": lambda _: (
        {},
        {"digest_hour": "18", "quiet": "y", "quiet_from": "21", "quiet_to": "7"},
    ),
    "POST notifications.set_phone": lambda _: ({}, {"phone": "12"}),
    "POST notifications.verify_phone": lambda _: ({}, {"code": "123456"}),
    "POST notifications.remove_device": lambda w: ({"device_id": w.device}, {}),
    "GET notifications.stop": lambda w: ({"token": w.stop_token}, {}),
    "POST notifications.confirm_stop": lambda w: ({"token": w.stop_token}, {}),
    "GET mailbox.show": lambda _: ({"letter_id": 1}, {}),
    "GET mailbox.body": lambda _: ({"letter_id": 1}, {}),
    "POST devices.add": lambda _: ({}, {"name": "Téléphone"}),
    "POST devices.apple_profile": lambda w: (
        {"device_id": w.telephone},
        {"password": w.telephone_password},
    ),
    "GET devices.added": lambda w: ({"device_id": w.telephone}, {}),
    "POST devices.revoke": lambda w: ({"device_id": w.telephone}, {}),
    "GET devices.setup": lambda _: ({"client": "apple"}, {}),
    "GET calendars.new": lambda w: ({"kind": "roster", "practice": w.practice.slug}, {}),
    "POST calendars.open_feed": lambda w: (
        {"kind": "roster", "practice": w.practice.slug},
        {"parts": "confirmed", "style": "hours", "reminder": "none"},
    ),
    "GET calendars.edit": lambda w: ({"feed_id": w.feed}, {}),
    "POST calendars.change": lambda w: (
        {"feed_id": w.feed},
        {"parts": "confirmed", "style": "hours", "reminder": "none"},
    ),
    "POST calendars.renew": lambda w: ({"feed_id": w.feed}, {}),
    "POST calendars.revoke": lambda w: ({"feed_id": w.feed}, {}),
    "GET calendars.feed": lambda _: ({"token": "x" * 43}, {}),
    "POST imports.claim": lambda w: ({}, {"need": w.need.id}),
    "POST imports.read_again": lambda _: ({"source_id": 1}, {}),
    "POST imports.remove": lambda _: ({"source_id": 1}, {}),
    "GET roster.need": lambda w: ({"need_id": w.need.id}, {}),
    "POST board.claim": lambda w: ({}, {"need": w.need.id}),
    "POST board.claim_several": lambda w: ({}, {"need": w.need.id}),
    "POST board.undo": lambda w: ({"assignment_id": w.assignment.id}, {}),
    "POST roster.claim": lambda w: ({"need_id": w.need.id}, {}),
    "POST roster.release": lambda w: ({"assignment_id": w.assignment.id}, {"reason": "Malade"}),
    "POST needs.withdraw": lambda w: ({"need_id": w.need.id}, {}),
    "GET needs.edit_pattern": lambda w: ({"pattern_id": w.pattern}, {}),
    "POST needs.edit_pattern": lambda w: ({"pattern_id": w.pattern}, {"name": ""}),
    "POST needs.delete_pattern": lambda w: ({"pattern_id": w.pattern}, {}),
    "POST needs.add_holiday": lambda _: (
        {},
        {
            "own-name": "Pont",
            "own-start": TUESDAY.isoformat(),
            "own-end": TUESDAY.isoformat(),
            "own-kind": "closed",
        },
    ),
    "POST needs.remove_holiday": lambda w: ({"holiday_id": w.holiday}, {}),
    "GET availabilities.month": lambda _: (MONTH, {}),
    "POST availabilities.set_days": lambda _: (
        MONTH,
        {"day": TUESDAY.isoformat(), "period": "day", "preference": "wanted"},
    ),
    "POST availabilities.set_range": lambda _: (MONTH, {"start": "never"}),
    "POST availabilities.add_weekly": lambda _: (MONTH, {"start": "never"}),
    "POST availabilities.end_weekly": lambda w: (
        {**MONTH, "weekly_id": w.weekly},
        {"end": TUESDAY.isoformat()},
    ),
    "POST availabilities.remove_weekly": lambda w: ({**MONTH, "weekly_id": w.weekly}, {}),
    "POST availabilities.set_except": lambda _: (MONTH, {"except-start": "never"}),
    "GET availabilities.copy_preview": lambda _: (MONTH, {}),
    "POST availabilities.copy_month": lambda _: (MONTH, {}),
    "POST availabilities.set_note": lambda _: (
        MONTH,
        {"note-day": TUESDAY.isoformat(), "note-text": "Après neuf heures"},
    ),
    "POST availabilities.answer_month": lambda _: (MONTH, {"answer": "all"}),
    "GET answers.month": lambda _: (MONTH, {}),
    "POST answers.remind": lambda _: (MONTH, {}),
    "POST proposals.request_one": lambda w: (
        {},
        # The date of a need that is there to be filled.
        {"period": "custom"} | dict.fromkeys(("start", "end"), w.need.date.isoformat()),
    ),
    "GET proposals.show": lambda w: ({"proposal_id": w.proposal(ProposalState.FAILED)}, {}),
    "GET proposals.progress": lambda w: ({"proposal_id": w.proposal(ProposalState.QUEUED)}, {}),
    "POST proposals.cancel": lambda w: ({"proposal_id": w.proposal(ProposalState.QUEUED)}, {}),
    "POST proposals.retry": lambda w: ({"proposal_id": w.proposal(ProposalState.FAILED)}, {}),
    "POST proposals.discard": lambda w: ({"proposal_id": w.proposal(ProposalState.READY)}, {}),
    "GET asks.new": lambda w: ({"need_id": w.need.id, "doctor_id": w.doctor.id}, {}),
    "POST asks.send": lambda w: ({}, {"need_id": w.need.id, "doctor_id": w.doctor.id}),
    "GET asks.show": lambda w: ({"ask_id": w.ask}, {}),
    "POST asks.answer": lambda w: ({"ask_id": w.ask}, {"answer": "yes"}),
    "POST asks.withdraw": lambda w: ({"ask_id": w.ask}, {}),
    "POST calendar_invitations.withdraw": lambda w: (
        {"invitation_id": w.calendar_invitation},
        {},
    ),
    "GET calls.show": lambda w: ({"call_id": w.call(CallState.PREPARED).id}, {}),
    "POST calls.send": lambda w: (
        {"call_id": w.call(CallState.PREPARED).id},
        {"doctor": str(w.doctor.id)},
    ),
    "POST calls.send_next": lambda w: ({"call_id": w.call(CallState.SENT).id}, {"after": 1}),
    "POST calls.stop": lambda w: ({"call_id": w.call(CallState.SENT).id}, {}),
    "POST calls.dismiss": lambda w: ({"call_id": w.call(CallState.PREPARED).id}, {}),
    "POST calls.restore": lambda w: ({"call_id": w.call(CallState.DISMISSED).id}, {}),
    # The link is the key, whoever opens it.
    "GET invitations.answer": lambda w: ({"token": w.link(w.call(CallState.SENT))}, {}),
    "POST invitations.take": invited,
    "POST invitations.decline": invited,
    "POST invitations.undo": invited,
    "POST proposals.accept": lambda w: (
        {"proposal_id": w.proposal(ProposalState.READY)},
        {"all": "1"},
    ),
    "GET scenarios.index": lambda w: ({"proposal_id": w.computed}, {}),
    "GET scenarios.compared": lambda w: ({"proposal_id": w.compared}, {}),
    "POST scenarios.request_one": lambda w: (
        {"proposal_id": w.computed},
        {"kind": "limit", "limit-doctor": "0"},
    ),
    "POST scenarios.cancel": lambda w: ({"scenario_id": w.scenario(ProposalState.QUEUED)}, {}),
    "POST scenarios.retry": lambda w: ({"scenario_id": w.scenario(ProposalState.FAILED)}, {}),
    "POST scenarios.delete": lambda w: ({"scenario_id": w.scenario(ProposalState.FAILED)}, {}),
    "GET statistics.download": lambda _: ({"name": "coverage"}, {}),
    "POST practice.change_claims": lambda _: (
        {},
        {
            "claims-claim_policy": "held",
            "claims-hold_hours": "24",
            "claims-hold_outcome": "free",
        },
    ),
    "POST practice.change_limits": lambda _: (
        {},
        {
            "limits-lock_days": "7",
            "limits-weekly_minimum": "3",
            "limits-local_half_days_per_week": "0",
            "limits-local_half_days_per_month": "0",
        },
    ),
    "POST practice.choose_replaced": lambda w: ({}, w.months),
    "POST practice.remove_derogation": lambda w: ({"derogation_id": w.derogation}, {}),
    "GET candidates.show": lambda w: ({"need_id": w.need.id}, {}),
    "POST roster.undo": lambda w: ({"assignment_id": w.assignment.id}, {}),
    "POST roster.withdraw_request": lambda w: ({"request_id": w.release_request}, {}),
    "GET absences.new": lambda w: ({"assignment_id": w.assignment.id}, {}),
    "POST absences.declare": lambda w: ({"assignment_id": w.assignment.id}, {"reason": "Malade"}),
    "GET absences.show": lambda w: ({"assignment_id": w.absent}, {}),
    "POST absences.end": lambda w: ({"assignment_id": w.absent}, {}),
    "POST decisions.confirm": lambda w: ({"assignment_id": w.held}, {}),
    "POST decisions.refuse": lambda w: ({"assignment_id": w.held}, {}),
    "POST decisions.grant": lambda w: ({"request_id": w.release_request}, {}),
    "POST decisions.refuse_request": lambda w: ({"request_id": w.release_request}, {}),
    "GET swaps.new": lambda w: ({"assignment_id": w.assignment.id}, {}),
    "POST swaps.offer": lambda w: ({"assignment_id": w.assignment.id}, {"to": "all"}),
    "GET swaps.show": lambda w: ({"swap_id": w.swap()}, {}),
    "POST swaps.take": lambda w: ({"swap_id": w.swap()}, {}),
    "POST swaps.decline": lambda w: ({"swap_id": w.swap()}, {}),
    "POST swaps.withdraw": lambda w: ({"swap_id": w.swap(by_doctor=True)}, {}),
    "POST swaps.untake": lambda w: ({"swap_id": w.swap()}, {}),
    "GET swaps.new_take_over": lambda w: ({"assignment_id": w.colleague_s_day}, {}),
    "POST swaps.take_over": lambda w: (
        {"assignment_id": w.colleague_s_day},
        {"reason": "Accident", "doctor": str(w.doctor.id)},
    ),
    "POST swaps.untake_over": lambda w: ({"assignment_id": w.colleague_s_day}, {}),
    "GET swaps.told": lambda w: ({"assignment_id": w.assignment.id}, {}),
    "POST candidates.give": lambda w: ({"need_id": w.need.id}, {"doctor": str(w.doctor.id)}),
    "GET desk.day": lambda _: (DAY, {}),
    "POST desk.set_duty": lambda w: (DAY, {"doctor_id": str(w.doctor.id)}),
    "GET documents.door": lambda _: ({"week": "2026-W48"}, {}),
    "GET documents.absence": lambda _: (DAY, {}),
    "POST presences.add_weekly": lambda w: (
        {"member_id": w.nurse},
        {
            f"w{w.nurse}-weekday": "1",
            f"w{w.nurse}-period": "day",
            f"w{w.nurse}-every": "1",
            f"w{w.nurse}-since": TUESDAY.isoformat(),
        },
    ),
    "POST presences.remove_weekly": lambda w: ({"presence_id": w.presence}, {}),
    "POST presences.set_date": lambda w: (
        {"member_id": w.nurse},
        {f"d{w.nurse}-date": TUESDAY.isoformat(), f"d{w.nurse}-what": "absent"},
    ),
    "POST presences.clear_date": lambda w: ({"member_id": w.nurse, **DAY}, {}),
    "GET public.week": lambda _: ({"address": "nowhere"}, {}),
}


def test_the_table_is_complete(app: Flask) -> None:
    known = set(entries())
    missing = sorted(routes(app) - known)
    assert not missing, (
        "Who may use these? Add a line to TABLE in tests/web/test_permissions.py (and what to "
        f"send to REQUESTS, where the address or the form needs it): {', '.join(missing)}"
    )
    gone = sorted(known - routes(app))
    assert not gone, f"TABLE speaks of routes that are gone: {', '.join(gone)}"
    assert set(REQUESTS) <= known


def address(app: Flask, endpoint: str, world: World, values: dict[str, Any]) -> str:
    if app.url_map.is_endpoint_expecting(endpoint, "slug"):
        values = {"slug": world.practice.slug, **values}
    with app.test_request_context():
        return url_for(endpoint, **values)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", READERS)
def test_everybody_is_answered_as_the_table_says(
    app: Flask, client_for: ClientFor, house: House, kind: str
) -> None:
    wrong: list[str] = []
    for route, expected in entries().items():
        method, _, endpoint = route.partition(" ")
        world = World(house, kind)
        client = client_for(world.reader)
        values, data = world.request(route)
        path = address(app, endpoint, world, values)
        response = client.open(path, method=method, data=data or None)
        answer = str(response.status_code)
        if response.location and response.location.startswith("/sign-in?next="):
            answer = "in"
        if endpoint == "home.home" and response.location == "/sign-in":
            answer = "in"
        if answer != expected[kind]:
            wrong.append(f"{route} for {kind}: TABLE says {expected[kind]}, the answer is {answer}")
    assert not wrong, "\n" + "\n".join(wrong)
