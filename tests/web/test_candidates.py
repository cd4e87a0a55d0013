"""The page that says who could come on one day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient

from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Locale, Practice, User
from scheduler.roster import asks
from scheduler.roster.models import Need
from scheduler.roster.rules import NeedState, Preference
from tests.factories import House
from tests.support import count_queries

Client = Callable[[User | None], FlaskClient]
DAY = dt.timedelta(days=1)


@dataclass
class Page:
    """The page of a day of today that nobody has, in front of a titular who reads English."""

    house: House
    client: FlaskClient
    practice: Practice
    titular: User
    secretary: User
    need: Need

    @property
    def address(self) -> str:
        return f"/p/nieul/needs/{self.need.id}"

    def text(self, client: FlaskClient | None = None, **headers: str) -> str:
        answer = (client or self.client).get(f"{self.address}/candidates", headers=headers)
        assert answer.status_code == 200
        return " ".join(answer.text.split())

    def doctor(self, name: str, preference: Preference | None, **values: object) -> User:
        user = self.house.member(
            self.practice, Role.REPLACEMENT, given_name=name, family_name="Test", **values
        )
        if preference is not None:
            self.house.available(user, self.house.today, preference=preference)
        return user

    def give(self, doctor: User) -> tuple[int, str]:
        answer = self.client.post(f"{self.address}/give", data={"doctor": str(doctor.id)})
        return answer.status_code, answer.text


@pytest.fixture
def page(house: House, client_for: Client) -> Page:
    practice = house.practice(slug="nieul", weekly_minimum=2)
    titular = house.member(practice, Role.TITULAR, locale=Locale.ENGLISH)
    secretary = house.member(practice, Role.SECRETARY, locale=Locale.ENGLISH)
    need = house.need(practice, house.today)
    return Page(house, client_for(titular), practice, titular, secretary, need)


def test_the_day_leads_there(page: Page, client_for: Client) -> None:
    assert "Who could come?" in page.client.get(page.address).text
    replacement = page.doctor("Léa", None)
    assert f"{page.address}/candidates" not in client_for(replacement).get(page.address).text
    page.house.assignment(page.need, replacement)
    assert "Who could come instead?" in page.client.get(page.address).text
    past = page.house.need(page.practice, page.house.today - DAY)
    gone = f"/p/nieul/needs/{past.id}"
    assert f"{gone}/candidates" not in page.client.get(gone).text


def test_ranked_with_words_numbers_and_acts(page: Page) -> None:
    last = page.doctor("Ugo", Preference.LAST_RESORT)
    first = page.doctor("Léa", Preference.WANTED, phone="+33 6 39 98 00 11")
    tomorrow = page.house.need(page.practice, page.house.today + DAY)
    page.house.assignment(tomorrow, first)
    quiet = page.doctor("Noé", None, phone="voir Sylvie")
    text = page.text()
    assert text.index("Léa Test") < text.index("Ugo Test") < text.index("Noé Test")
    assert "Nobody else loses a day." in text
    assert "The week comes nearer to its minimum" in text
    assert "load: 1 → 2 days" in text
    assert "one more last resort · load: 0 → 1 day<" in text
    assert 'href="tel:+33639980011"' in text
    # What is no number is not dialled.
    assert "voir Sylvie" not in text
    for doctor in (first, last, quiet):
        assert f"need_id={page.need.id}&amp;doctor_id={doctor.id}" in text
        assert f'name="doctor" value="{doctor.id}"' in text
    # Nobody asks or gives to themselves: they take the day.
    assert f'value="{page.titular.id}"' not in text
    assert "calls in a titular doctor" in text
    assert f'action="{page.address}/claim"' in text


def test_who_was_asked_is_not_asked_again(page: Page) -> None:
    doctor = page.doctor("Léa", Preference.WANTED)
    actor = page.house.actor(page.titular)
    with page.house.database.transaction() as session:
        ask_id = asks.ask(session, actor, page.need.id, doctor.id).id
    text = page.text()
    assert f'href="/asks/{ask_id}"' in text
    assert f"doctor_id={doctor.id}" not in text


def test_in_the_side_panel_it_is_a_part(page: Page) -> None:
    text = page.text(**{"HX-Request": "true", "HX-Target": "panel-content"})
    assert "<html" not in text
    assert "Who could come?" in text


def test_a_secretary_reads_calls_and_gives(page: Page, client_for: Client) -> None:
    page.doctor("Léa", Preference.WANTED, phone="06 39 98 00 11")
    text = page.text(client_for(page.secretary))
    assert "tel:0639980011" in text
    # A secretary passes on what was said on the telephone, and asks no questions.
    assert "/give" in text
    assert "doctor_id" not in text


def test_nobody_at_all(page: Page, client_for: Client) -> None:
    with page.house.database.transaction() as session:
        session.get_one(Need, page.need.id).roles = [Role.INTERN.value]
    text = page.text()
    assert "Nobody can take this day without breaking a rule." in text
    page.doctor("Léa", None)
    assert "Nobody can take this day" in page.text()
    intern = page.house.member(page.practice, Role.INTERN)
    assert intern.name in page.text()
    assert "Ask somebody who has said nothing of this day." in page.text()


def test_somebody_has_it(page: Page) -> None:
    holder = page.doctor("Léa", Preference.WANTED)
    other = page.doctor("Ugo", Preference.WANTED)
    page.house.assignment(page.need, holder)
    text = page.text()
    assert "Léa Test has this day." in text
    assert "Ugo Test" in text
    assert "/give" not in text
    assert "/claim" not in text
    status, refused = page.give(other)
    assert status == 409
    assert "Léa Test was first" in refused


def test_days_that_are_over_say_so(page: Page, database: Database) -> None:
    page.doctor("Léa", Preference.WANTED)
    with database.transaction() as session:
        session.get_one(Need, page.need.id).state = NeedState.WITHDRAWN
    text = page.text()
    assert "is no longer to fill" in text
    assert "Léa Test" not in text
    assert "Nobody has said" not in text


def test_given_and_shown_in_the_history(page: Page) -> None:
    doctor = page.doctor("Léa", None)
    answer = page.client.post(
        f"{page.address}/give", data={"doctor": str(doctor.id)}, follow_redirects=True
    )
    assert answer.status_code == 200
    assert "is given. The doctor is told." in answer.text
    assert f"Given to Léa Test by {page.titular.name}" in page.client.get(page.address).text


def test_a_yes_to_a_question_is_shown_in_the_history(page: Page) -> None:
    doctor = page.doctor("Léa", None)
    asking, asked = page.house.actor(page.titular), page.house.actor(doctor)
    with page.house.database.transaction() as session:
        question = asks.ask(session, asking, page.need.id, doctor.id)
        asks.accept(session, asked, question.id)
    text = page.client.get(page.address).text
    assert f"Léa Test said yes to {page.titular.name}" in text
    assert "Taken by Léa" not in text


def test_what_cannot_be_given(page: Page) -> None:
    stranger = page.house.member(page.house.practice(), Role.REPLACEMENT)
    status, text = page.give(stranger)
    assert status == 409
    assert "the doctor is not a doctor of this practice" in text
    for values in ({}, {"doctor": "x"}, {"doctor": "99999"}):
        answer = page.client.post(f"{page.address}/give", data=values)
        assert answer.status_code == 404
        assert "There is no such doctor." in answer.text


def test_queries_do_not_grow_with_doctors(page: Page) -> None:
    def queries() -> int:
        with count_queries(page.house.database) as statements:
            page.text()
        return len(statements)

    page.doctor("Léa", Preference.WANTED)
    few = queries()
    for number in range(4):
        page.doctor(f"Ugo {number}", Preference.POSSIBLE)
        page.doctor(f"Noé {number}", None)
    assert queries() == few
