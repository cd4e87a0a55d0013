"""The pages of a doctor who does not come: the button, and what is under way afterwards."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from scheduler.core.permissions import Role
from scheduler.oncall.models import Duty
from scheduler.people.models import Practice, User
from scheduler.roster.models import Assignment
from scheduler.roster.rules import AssignmentState, Preference, ReleaseKind
from tests.factories import House
from tests.support import audited, count_queries

Client = Callable[[User | None], FlaskClient]
P = "/p/nieul"


@dataclass
class Morning:
    """The morning of a day that is Léa's; Hugo could come."""

    house: House
    practice: Practice
    secretary: User
    lea: User
    hugo: User
    day: Assignment

    def holder(self) -> int | None:
        with self.house.database.session() as session:
            return session.scalar(
                sa.select(Assignment.doctor_id).where(
                    Assignment.need_id == self.day.need_id,
                    Assignment.state != AssignmentState.RELEASED,
                )
            )

    def kind(self) -> ReleaseKind | None:
        with self.house.database.session() as session:
            return session.get_one(Assignment, self.day.id).release_kind


@pytest.fixture
def morning(house: House) -> Morning:
    practice = house.practice("Salle 1", "Salle 2", slug="nieul", name="Cabinet de Nieul")

    def member(role: Role, given: str, family: str, **values: str) -> User:
        return house.member(
            practice, role, given_name=given, family_name=family, locale="en", **values
        )

    lea = member(Role.REPLACEMENT, "Léa", "Fontaine")
    hugo = member(Role.REPLACEMENT, "Hugo", "Roux", phone="06 39 98 00 21")
    house.available(hugo, house.today, preference=Preference.POSSIBLE)
    return Morning(
        house,
        practice,
        member(Role.SECRETARY, "Sylvie", "Rabiller"),
        lea,
        hugo,
        house.assignment(house.need(practice, house.today), lea),
    )


def words(html: str) -> str:
    main = html.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def test_a_secretary_marks_a_doctor_absent(morning: Morning, client_for: Client) -> None:
    client = client_for(morning.secretary)
    address = f"{P}/assignments/{morning.day.id}/absence"
    panel = client.get(f"{P}/needs/{morning.day.need_id}").text
    assert f'href="{address}"' in panel
    assert "Is Léa Fontaine absent?" in words(client.get(address).text)
    answer = client.post(address, data={"reason": "Ill"})
    assert answer.location == f"{P}/absences/{morning.day.id}"
    assert (morning.holder(), morning.kind()) == (None, ReleaseKind.ABSENCE)
    page = client.get(answer.location).text
    told = words(page)
    assert "Léa Fontaine is absent" in told
    assert "Hugo Roux asked, has not answered yet" in told
    assert 'href="tel:0639980021"' in page
    today = morning.house.today.isoformat()
    assert f'href="{P}/day/{today}/absence.pdf"' in page
    assert "Nothing in Relais: no intern, no offer, no duty." in told
    assert "Léa Fontaine · the doctor does not come on its way" in told
    # The day says so too, until somebody steps in: from here with one button.
    day = client.get(f"{P}/needs/{morning.day.need_id}").text
    assert f'href="{P}/absences/{morning.day.id}"' in day
    client.post(f"{P}/needs/{morning.day.need_id}/give", data={"doctor": str(morning.hugo.id)})
    assert morning.holder() == morning.hugo.id
    assert "Hugo Roux comes instead." in words(client.get(answer.location).text)


def test_the_door_notice_is_a_paper(morning: Morning, client_for: Client) -> None:
    client = client_for(morning.secretary)
    client.post(f"{P}/assignments/{morning.day.id}/absence")
    paper = client.get(f"{P}/day/{morning.house.today.isoformat()}/absence.pdf")
    assert paper.status_code == 200
    assert paper.data.startswith(b"%PDF")


@pytest.mark.parametrize("by", ["lea", "secretary"])
def test_what_the_doctor_says_is_recorded_as_such(
    morning: Morning, client_for: Client, by: str
) -> None:
    client = client_for(getattr(morning, by))
    client.post(f"{P}/assignments/{morning.day.id}/absence", data={"on_behalf": "y"})
    assert morning.kind() is ReleaseKind.EMERGENCY


def test_a_doctor_sees_no_numbers(morning: Morning, client_for: Client) -> None:
    client = client_for(morning.lea)
    assert "I cannot come today" in words(client.get(f"{P}/needs/{morning.day.need_id}").text)
    client.post(f"{P}/assignments/{morning.day.id}/absence", data={"reason": "Ill"})
    page = client.get(f"{P}/absences/{morning.day.id}").text
    assert "Hugo Roux" in words(page)
    assert "tel:" not in page
    assert "/calls/" not in page.partition("<main")[2]
    other = client_for(morning.hugo)
    assert other.get(f"{P}/absences/{morning.day.id}").status_code == 403
    # A colleague sees the day to fill, and nothing of why.
    day = other.get(f"{P}/needs/{morning.day.need_id}").text
    assert "Take this day" in words(day)
    assert "Ill" not in words(day)


def test_whoever_comes_after_all_has_the_day_again(morning: Morning, client_for: Client) -> None:
    client = client_for(morning.secretary)
    client.post(f"{P}/assignments/{morning.day.id}/absence")
    answer = client.post(f"{P}/absences/{morning.day.id}/end")
    assert answer.status_code == 302
    assert morning.holder() == morning.lea.id
    assert "Léa Fontaine comes after all." in words(
        client.get(f"{P}/absences/{morning.day.id}").text
    )
    again = client.post(f"{P}/absences/{morning.day.id}/end")
    assert again.status_code == 302
    assert morning.holder() == morning.lea.id
    assert audited(morning.house.database).count("absence.ended") == 1


def test_a_duty_hangs_on_the_day(morning: Morning, client_for: Client) -> None:
    with morning.house.database.transaction() as session:
        session.add(
            Duty(
                practice_id=morning.practice.id,
                date=morning.house.today,
                doctor_id=morning.lea.id,
            )
        )
    client = client_for(morning.secretary)
    client.post(f"{P}/assignments/{morning.day.id}/absence")
    page = client.get(f"{P}/absences/{morning.day.id}").text
    assert "Léa Fontaine is on call for results that day." in words(page)
    assert f'href="{P}/days/{morning.house.today.isoformat()}/duty"' in page


def test_what_cannot_be_declared(morning: Morning, client_for: Client) -> None:
    house = morning.house
    later = house.assignment(
        house.need(morning.practice, house.today + dt.timedelta(days=2)), morning.lea
    )
    client = client_for(morning.secretary)
    assert "/absence" not in client.get(f"{P}/needs/{later.need_id}").text
    answer = client.post(f"{P}/assignments/{later.id}/absence")
    assert answer.status_code == 409
    assert "Only absences of today and tomorrow are noted here." in words(answer.text)
    long = client.post(f"{P}/assignments/{morning.day.id}/absence", data={"reason": "x" * 256})
    assert long.status_code == 422
    assert "x" * 256 in long.text
    assert client.get(f"{P}/absences/{morning.day.id}").status_code == 404
    assert client.post(f"{P}/absences/{morning.day.id}/end").status_code == 404
    assert morning.holder() == morning.lea.id


def test_page_queries_do_not_grow(house: House, client_for: Client) -> None:
    counts = []
    for size in (3, 40):
        practice = house.practice()
        lea = house.member(practice, Role.REPLACEMENT)
        secretary = house.member(practice, Role.SECRETARY)
        for _ in range(size):
            doctor = house.member(practice, Role.REPLACEMENT)
            house.available(doctor, house.today, preference=Preference.POSSIBLE)
        day = house.assignment(house.need(practice, house.today), lea)
        client = client_for(secretary)
        client.post(f"/p/{practice.slug}/assignments/{day.id}/absence")
        with count_queries(house.database) as statements:
            assert client.get(f"/p/{practice.slug}/absences/{day.id}").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]
