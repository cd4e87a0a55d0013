"""The titular's desk: held days to confirm, and requests to be released."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster.models import Assignment, ReleaseRequest
from scheduler.roster.rules import AssignmentState, ReleaseKind, RequestState
from tests.factories import House
from tests.support import count_queries

Client = Callable[[User | None], FlaskClient]
DAY = dt.timedelta(days=1)
P = "/p/nieul"


@dataclass
class Desk:
    """A practice with a titular, and a doctor whose days wait for a word."""

    house: House
    practice: Practice
    titular: User
    lea: User

    def held(self, offset: int = 5) -> Assignment:
        need = self.house.need(self.practice, self.house.today + offset * DAY)
        return self.house.assignment(need, self.lea, AssignmentState.HELD)

    def asked(self, offset: int = 3, reason: str = "A funeral") -> ReleaseRequest:
        need = self.house.need(self.practice, self.house.today + offset * DAY)
        day = self.house.assignment(need, self.lea)
        row = ReleaseRequest(
            practice_id=self.practice.id,
            assignment_id=day.id,
            doctor_id=self.lea.id,
            reason=reason,
            requested_by=self.lea.id,
            requested_at=self.house.database.clock.now(),
        )
        with self.house.database.transaction() as session:
            session.add(row)
        return row

    def day(self, number: int) -> Assignment:
        with self.house.database.session() as session:
            return session.get_one(Assignment, number)

    def request(self, number: int) -> ReleaseRequest:
        with self.house.database.session() as session:
            return session.get_one(ReleaseRequest, number)


@pytest.fixture
def desk(house: House) -> Desk:
    practice = house.practice("Salle 1", slug="nieul", lock_days=14)
    titular = house.member(practice, Role.TITULAR, locale="en")
    lea = house.member(
        practice, Role.REPLACEMENT, given_name="Léa", family_name="Fontaine", locale="en"
    )
    return Desk(house, practice, titular, lea)


def words(html: str) -> str:
    main = html.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def test_all_that_waits_stands_in_one_list(desk: Desk, client_for: Client) -> None:
    client = client_for(desk.titular)
    assert "Nothing waits for you" in words(client.get(f"{P}/decisions/").text)
    assert "waits for you" not in words(client.get(f"{P}/week/").text)
    desk.held()
    assert "1 decision waits for you." in words(client.get(f"{P}/week/").text)
    desk.asked()
    assert "2 decisions wait for you." in words(client.get(f"{P}/week/").text)
    page = words(client.get(f"{P}/decisions/").text)
    assert "Léa Fontaine wants to come. Held until" in page
    assert "Léa Fontaine asks to be released, 3 days ahead. A funeral" in page
    # The nearest day first.
    assert page.index("Thu 26 Nov") < page.index("Sat 28 Nov")


def test_one_tap_confirms(desk: Desk, client_for: Client) -> None:
    day = desk.held()
    client = client_for(desk.titular)
    answer = client.post(f"{P}/assignments/{day.id}/confirm")
    assert answer.location == f"{P}/decisions/"
    assert desk.day(day.id).state is AssignmentState.CONFIRMED
    again = client.post(f"{P}/assignments/{day.id}/confirm", data={"back": "day"})
    assert again.location == f"{P}/needs/{day.need_id}"


def test_a_held_day_is_refused_with_a_reason(desk: Desk, client_for: Client) -> None:
    day = desk.held()
    client = client_for(desk.titular)
    address = f"{P}/assignments/{day.id}/refuse"
    silent = client.post(address)
    assert silent.status_code == 422
    assert "Say why: the doctor will read it." in words(silent.text)
    assert client.post(address, data={f"d{day.id}-reason": "We close"}).status_code == 302
    found = desk.day(day.id)
    assert (found.release_kind, found.release_reason) == (ReleaseKind.REFUSED, "We close")


def test_who_decides_second_reads_it(desk: Desk, client_for: Client) -> None:
    day = desk.held()
    client = client_for(desk.titular)
    client.post(f"{P}/assignments/{day.id}/refuse", data={f"d{day.id}-reason": "We close"})
    answer = client.post(f"{P}/assignments/{day.id}/confirm")
    assert answer.status_code == 409
    assert "is not held any more: somebody has decided." in words(answer.text)


def test_one_tap_releases(desk: Desk, client_for: Client) -> None:
    row = desk.asked()
    client_for(desk.titular).post(f"{P}/requests/{row.id}/grant")
    assert desk.request(row.id).state is RequestState.GRANTED
    assert desk.day(row.assignment_id).release_kind is ReleaseKind.GRANTED


@pytest.mark.parametrize("note", ["", "Nobody else can come"])
def test_a_request_is_refused_with_a_word_or_without(
    desk: Desk, client_for: Client, note: str
) -> None:
    row = desk.asked()
    client = client_for(desk.titular)
    client.post(f"{P}/requests/{row.id}/refuse", data={f"r{row.id}-note": note})
    found = desk.request(row.id)
    assert (found.state, found.answer_note) == (RequestState.REFUSED, note or None)
    assert desk.day(row.assignment_id).state is AssignmentState.CONFIRMED
    late = client.post(f"{P}/requests/{row.id}/grant")
    assert late.status_code == 409
    long = client.post(
        f"{P}/requests/{desk.asked(4).id}/refuse", data={f"r{row.id + 1}-note": "x" * 256}
    )
    assert long.status_code == 422
    assert "x" * 256 in long.text


def test_a_doctor_asks_late_and_may_come_after_all(desk: Desk, client_for: Client) -> None:
    need = desk.house.need(desk.practice, desk.house.today + 3 * DAY)
    day = desk.house.assignment(need, desk.lea)
    client = client_for(desk.lea)
    page = words(client.get(f"{P}/needs/{need.id}").text)
    assert "It is 3 days ahead. From 14 days before it on, a titular doctor must agree" in page
    address = f"{P}/assignments/{day.id}/release"
    silent = client.post(address)
    assert silent.status_code == 422
    assert "Say why: the titular doctors will read it." in words(silent.text)
    assert client.post(address, data={"reason": "A funeral"}).status_code == 302
    assert desk.day(day.id).state is AssignmentState.CONFIRMED
    page = client.get(f"{P}/needs/{need.id}").text
    assert "You have asked to be released" in words(page)
    assert client.post(address, data={"reason": "Again"}).status_code == 409
    (number,) = re.findall(r"/requests/(\d+)/withdraw", page)
    client.post(f"{P}/requests/{number}/withdraw")
    assert desk.request(int(number)).state is RequestState.WITHDRAWN
    assert "You cannot come?" in words(client.get(f"{P}/needs/{need.id}").text)


def test_a_secretary_asks_for_a_doctor_on_the_telephone(desk: Desk, client_for: Client) -> None:
    secretary = desk.house.member(desk.practice, Role.SECRETARY, locale="en")
    need = desk.house.need(desk.practice, desk.house.today + 3 * DAY)
    day = desk.house.assignment(need, desk.lea)
    client = client_for(secretary)
    client.post(f"{P}/assignments/{day.id}/release", data={"reason": "A funeral"})
    with desk.house.database.session() as session:
        row = session.scalars(sa.select(ReleaseRequest)).one()
    assert (row.doctor_id, row.requested_by) == (desk.lea.id, secretary.id)
    early = desk.house.assignment(
        desk.house.need(desk.practice, desk.house.today + 20 * DAY), desk.lea
    )
    client.post(f"{P}/assignments/{early.id}/release")
    found = desk.day(early.id)
    assert (found.release_kind, found.released_by) == (ReleaseKind.EARLY, secretary.id)


def test_what_is_another_practice_s_is_not_decided_here(desk: Desk, client_for: Client) -> None:
    row, day = desk.asked(), desk.held()
    elsewhere = desk.house.practice(slug="ailleurs")
    desk.house.member(elsewhere, Role.TITULAR, desk.titular)
    client = client_for(desk.titular)
    for path in (
        f"assignments/{day.id}/confirm",
        f"assignments/{day.id}/refuse",
        f"requests/{row.id}/grant",
        f"requests/{row.id}/refuse",
    ):
        assert client.post(f"/p/ailleurs/{path}").status_code == 404
    assert desk.request(row.id).state is RequestState.OPEN
    assert desk.day(day.id).state is AssignmentState.HELD


def test_page_queries_do_not_grow(desk: Desk, client_for: Client) -> None:
    client = client_for(desk.titular)
    counts = []
    for start, number in ((20, 2), (40, 20)):
        for offset in range(start, start + number):
            desk.held(offset)
            desk.asked(offset + 100)
        with count_queries(desk.house.database) as statements:
            client.get(f"{P}/decisions/")
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_months_without_a_replaced_doctor_are_told(desk: Desk, client_for: Client) -> None:
    desk.held(5)
    client = client_for(desk.titular)
    page = client.get(f"{P}/decisions/").text
    assert "No replaced doctor is named" in page
    assert f'href="{P}/practice/#replaced"' in page
    settings = client.get(f"{P}/practice/").text
    assert settings.count("Days are published, and nobody is named.") == 1
    with desk.house.database.transaction() as session:
        session.get_one(Practice, desk.practice.id).derogation_required = False
    assert "No replaced doctor is named" not in client.get(f"{P}/decisions/").text
