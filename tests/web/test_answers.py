"""Who has answered: the page of titulars and secretaries."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from scheduler.core.database import Database
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster import availability_months
from scheduler.roster.rules import Period, Preference
from tests.factories import House
from tests.support import count_queries

DECEMBER = dt.date(2026, 12, 1)
TUESDAY = dt.date(2026, 12, 8)


@dataclass
class Page:
    """The page in the hands of a titular, and somebody whom it lists."""

    house: House
    practice: Practice
    doctor: User
    client: FlaskClient

    @property
    def address(self) -> str:
        return f"/p/{self.practice.slug}/answers/2026-12"

    def get(self, address: str | None = None) -> str:
        response = self.client.get(address or self.address)
        assert response.status_code == 200, response.text
        return response.text

    def row(self, user: User) -> str:
        """The text of a doctor's line, without its markup."""
        for row in re.findall(r"<tr>(.*?)</tr>", self.get(), re.DOTALL):
            if user.name in row:
                return " ".join(re.sub(r"<[^>]+>", " ", row).split())
        raise AssertionError(f"{user.name} is not listed")

    def messages(self) -> int:
        with self.house.database.session() as session:
            return session.scalar(sa.select(sa.func.count(OutboxMessage.id))) or 0


@pytest.fixture
def page(house: House, client_for: Callable[[User], FlaskClient]) -> Page:
    practice = house.practice()
    titular = house.member(practice, Role.TITULAR, locale="en")
    doctor = house.member(practice, Role.REPLACEMENT, phone="06 39 98 00 11")
    return Page(house, practice, doctor, client_for(titular))


def test_the_next_month_when_none_is_named(page: Page) -> None:
    text = page.get(f"/p/{page.practice.slug}/answers/")
    assert "December 2026" in text


def test_there_is_no_such_month(page: Page) -> None:
    assert page.client.get(f"/p/{page.practice.slug}/answers/2026-13").status_code == 404
    assert page.client.post(f"/p/{page.practice.slug}/answers/2026-13/remind").status_code == 404


def test_a_doctor_who_said_nothing(page: Page) -> None:
    assert page.row(page.doctor) == f"{page.doctor.name} Nothing yet – – – – 06 39 98 00 11"
    assert 'href="tel:0639980011"' in page.get()


def test_what_a_doctor_said_is_counted_in_days(page: Page) -> None:
    house, other = page.house, page.house.practice()
    house.available(page.doctor, TUESDAY, TUESDAY + dt.timedelta(1))
    house.available(
        page.doctor,
        TUESDAY + dt.timedelta(2),
        period=Period.AM,
        preference=Preference.LAST_RESORT,
    )
    house.available(page.doctor, TUESDAY + dt.timedelta(3), practice=other)
    house.assignment(house.need(page.practice, TUESDAY), page.doctor)
    assert page.row(page.doctor) == (f"{page.doctor.name} Known in part 2 – 0.5 1 06 39 98 00 11")


def test_answers_and_their_day(page: Page) -> None:
    house = page.house
    actor = house.actor(page.doctor)
    house.available(page.doctor, TUESDAY)
    with house.database.transaction() as session:
        availability_months.answer_month(session, actor, page.doctor.id, DECEMBER)
    assert "Answered on Mon 23 Nov" in page.row(page.doctor)
    with house.database.transaction() as session:
        availability_months.decline_month(session, actor, page.doctor.id, DECEMBER)
    assert "Cannot come on Mon 23 Nov – – – –" in page.row(page.doctor)


def test_notes_are_read_as_text(page: Page) -> None:
    actor = page.house.actor(page.doctor)
    with page.house.database.transaction() as session:
        availability_months.set_note(
            session, actor, page.doctor.id, TUESDAY, "Après 9 h <b>seulement</b>"
        )
    text = page.get()
    assert "Après 9 h &lt;b&gt;seulement&lt;/b&gt;" in text


def test_titulars_and_interns_stand_here_once_they_said_something(page: Page) -> None:
    intern = page.house.member(page.practice, Role.INTERN)
    assert intern.name not in page.get()
    page.house.available(intern, TUESDAY)
    assert "Intern Known in part 1" in page.row(intern)
    assert "One other is listed who is not asked: a titular or an intern." in page.get()


def test_those_who_said_nothing_come_first(page: Page) -> None:
    spoken = page.house.member(page.practice, Role.REPLACEMENT, family_name="Aaron")
    page.house.available(spoken, TUESDAY)
    text = page.get()
    assert text.index(page.doctor.name) < text.index(spoken.name)
    assert "Of one some days are known, and more may come. One has said nothing yet." in text


def test_a_practice_without_doctors_says_so(
    house: House, client_for: Callable[[User], FlaskClient]
) -> None:
    practice = house.practice()
    client = client_for(house.member(practice, Role.TITULAR))
    text = client.get(f"/p/{practice.slug}/answers/2026-12").text
    assert 'class="empty"' in text
    assert "/remind" not in text


def test_reminding_and_being_told_that_it_was_done(page: Page) -> None:
    assert f'action="{page.address}/remind"' in page.get()
    response = page.client.post(f"{page.address}/remind")
    assert response.status_code == 302
    assert 'class="toast is-success"' in page.get(response.location)
    assert page.messages() == 1
    assert "reminded on Mon 23 Nov" in page.row(page.doctor)
    assert "/remind" not in page.get()
    response = page.client.post(f"{page.address}/remind")
    assert 'class="toast is-info"' in page.get(response.location)
    assert page.messages() == 1


def test_a_month_gone_by_reminds_nobody(page: Page) -> None:
    address = f"/p/{page.practice.slug}/answers/2026-10"
    assert "/remind" not in page.get(address)
    assert page.client.post(f"{address}/remind").status_code == 422


def test_a_secretary_reads_and_does_not_remind(
    page: Page, client_for: Callable[[User], FlaskClient]
) -> None:
    client = client_for(page.house.member(page.practice, Role.SECRETARY))
    text = client.get(page.address).text
    assert page.doctor.name in text
    assert "/remind" not in text
    assert client.post(f"{page.address}/remind").status_code == 403
    assert page.messages() == 0


def test_the_navigation_leads_here(page: Page) -> None:
    assert f'href="/p/{page.practice.slug}/answers/"' in page.get()


def test_queries_do_not_grow_with_doctors(page: Page, database: Database) -> None:
    def queries(doctors: int) -> int:
        for _ in range(doctors):
            user = page.house.member(page.practice, Role.REPLACEMENT)
            page.house.available(user, TUESDAY)
        page.get()
        with count_queries(database) as statements:
            page.get()
        return len(statements)

    assert queries(10) == queries(290)
