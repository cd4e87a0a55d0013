"""The secretary's week: the lines below the rooms, the strip of weeks, the papers on the door."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from scheduler.calendars.models import PracticeHoliday
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.oncall.models import Duty
from scheduler.people.models import Locale, Member, Practice, User
from scheduler.roster.models import Ask, ReleaseRequest, UrgentAdvice, WeeklyPresence
from scheduler.roster.rules import AskCode, AssignmentState, Period
from tests.factories import House
from tests.support import count_queries

ClientFor = Callable[[User], FlaskClient]

MONDAY = dt.date(2026, 11, 23)
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (MONDAY + dt.timedelta(days=n) for n in range(1, 5))
WEEK = dt.timedelta(days=7)
ADVICE = "Maison médicale de garde, 9 h – 18 h"


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", "Salle 2", slug="nieul", weekly_minimum=2)


def save(house: House, *rows: Any) -> None:
    with house.database.transaction() as session:
        session.add_all(rows)


def person(house: House, practice: Practice, role: Role, name: str, **values: Any) -> User:
    given, family = name.split(" ", 1)
    return house.member(practice, role, given_name=given, family_name=family, locale="en", **values)


def week_of(client: FlaskClient, path: str = "/p/nieul/week/2026-W48") -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.text


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def lines_of(html: str) -> dict[str, list[str]]:
    """The lines below the rooms: their label, and the words of Monday to Sunday."""
    body = re.search(r'<tbody class="week-lines">(.*?)</tbody>', html, re.DOTALL)
    found: dict[str, list[str]] = {}
    for row in re.findall(r"<tr>(.*?)</tr>", body.group(1) if body else "", re.DOTALL):
        label = re.search(r"<th[^>]*>(.*?)</th>", row, re.DOTALL)
        assert label is not None
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
        found[text_of(label.group(1))] = [text_of(cell) for cell in cells]
    return found


def door_of(html: str) -> str:
    return text_of(html.partition('<section class="door-print">')[2].partition("</section>")[0])


@pytest.fixture
def secretary(house: House, practice: Practice) -> User:
    return person(house, practice, Role.SECRETARY, "Sylvie Rabiller")


def test_days_without_a_doctor_ask_who_is_on_call(
    house: House, practice: Practice, client_for: ClientFor, secretary: User
) -> None:
    anne = person(house, practice, Role.TITULAR, "Anne Petit")
    house.assignment(house.need(practice, TUESDAY), anne)
    house.need(practice, THURSDAY)
    save(
        house,
        Duty(practice_id=practice.id, date=WEDNESDAY, doctor_id=anne.id),
        # On a day with a doctor it counts for nothing.
        Duty(practice_id=practice.id, date=TUESDAY, doctor_id=anne.id),
        PracticeHoliday(practice_id=practice.id, start=FRIDAY, end=FRIDAY, name="Pont"),
    )
    html = week_of(client_for(secretary))
    assert lines_of(html)["On call"] == [
        *("Nobody yet", "", "Anne Petit", "Nobody yet", "", "", "")
    ]
    assert 'href="/p/nieul/days/2026-11-26/duty"' in html
    doctor = person(house, practice, Role.REPLACEMENT, "Inès Moreau")
    assert "/duty" not in week_of(client_for(doctor)).partition("week-list")[0]


def test_a_day_that_is_over_asks_nothing(
    house: House, practice: Practice, client_for: ClientFor, secretary: User
) -> None:
    house.need(practice, MONDAY - WEEK)
    assert lines_of(week_of(client_for(secretary), "/p/nieul/week/2026-W47")) == {}


def test_a_week_without_needs_asks_nothing(
    house: House, practice: Practice, client_for: ClientFor, secretary: User
) -> None:
    html = week_of(client_for(secretary))
    assert lines_of(html) == {}
    assert "No day is to fill this week" in text_of(html)


def test_where_urgent_patients_go(
    house: House, practice: Practice, client_for: ClientFor, secretary: User
) -> None:
    anne = person(house, practice, Role.TITULAR, "Anne Petit")
    house.assignment(house.need(practice, TUESDAY), anne)
    save(
        house,
        *(
            UrgentAdvice(practice_id=practice.id, weekday=weekday, text=f"{ADVICE} {weekday}")
            for weekday in (1, 2)
        ),
    )
    html = week_of(client_for(secretary))
    words = lines_of(html)["Urgent patients"]
    assert words[:5] == [
        *("Say where to go", "", f"{ADVICE} 2", "Say where to go", "Say where to go")
    ]
    assert "/p/nieul/advice/#day_0" in html
    reader = person(house, practice, Role.VIEWER, "Bernard Crochet")
    assert lines_of(week_of(client_for(reader)))["Urgent patients"][:2] == ["", ""]


def test_an_intern_alone_is_a_day_without_a_doctor(
    house: House, practice: Practice, client_for: ClientFor, secretary: User
) -> None:
    intern = person(house, practice, Role.INTERN, "Louise Guérin")
    anne = person(house, practice, Role.TITULAR, "Anne Petit")
    house.assignment(house.need(practice, TUESDAY), intern)
    save(house, UrgentAdvice(practice_id=practice.id, weekday=1, text=ADVICE))
    client = client_for(secretary)
    lines = lines_of(week_of(client))
    assert lines["On call"][1] == "Nobody yet"
    assert lines["Urgent patients"][1] == ADVICE
    assert f"Louise Guérin , intern If you cannot wait {ADVICE}" in door_of(week_of(client))
    save(house, Duty(practice_id=practice.id, date=TUESDAY, doctor_id=anne.id))
    assert lines_of(week_of(client))["On call"][1] == "Anne Petit"
    assert client.get("/p/nieul/week/2026-W48/door.pdf").status_code == 200


def test_closed_days_say_where_urgent_patients_go(
    house: House, practice: Practice, client_for: ClientFor, secretary: User
) -> None:
    house.need(practice, dt.date(2026, 12, 22))
    save(
        house,
        *(
            UrgentAdvice(practice_id=practice.id, weekday=weekday, text=f"{ADVICE} {weekday}")
            for weekday in (4, 6)
        ),
    )
    html = week_of(client_for(secretary), "/p/nieul/week/2026-W52")
    lines = lines_of(html)
    assert lines["Urgent patients"][4:] == [f"{ADVICE} 4", "", f"{ADVICE} 6"]
    # On a closed day no result arrives, and nobody is missed on call.
    assert lines["On call"][4:] == ["", "", ""]
    door = door_of(html)
    assert f"Practice closed · Christmas Day If you cannot wait {ADVICE} 4" in door
    assert f"Sunday 27 December Practice closed If you cannot wait {ADVICE} 6" in door
    assert "Saturday" not in door


def test_a_duty_on_a_day_with_doctors_is_warned_of(
    house: House, practice: Practice, client_for: ClientFor, secretary: User
) -> None:
    anne = person(house, practice, Role.TITULAR, "Anne Petit")
    morning = house.need(practice, WEDNESDAY, Period.AM)
    house.assignment(morning, anne)
    client, path = client_for(secretary), "/p/nieul/days/2026-11-25/duty"
    assert "Anne Petit is there: morning. Whoever is there reads" in text_of(week_of(client, path))
    put = client.post(path, data={"doctor_id": anne.id, "instead_of": ""}, follow_redirects=True)
    assert "Anne Petit is on call on Wed 25 Nov. Anne Petit is there: morning." in put.text
    assert lines_of(put.text)["On call"][2] == "Anne Petit Afternoon"
    house.assignment(house.need(practice, WEDNESDAY, Period.PM), anne)
    paul = person(house, practice, Role.TITULAR, "Paul Roy")
    page = text_of(week_of(client, path))
    assert "Nobody is needed on call" in page
    assert "Paul Roy" not in page
    refused = client.post(path, data={"doctor_id": paul.id, "instead_of": anne.id})
    assert refused.status_code == 409
    assert "nobody is needed on call" in refused.text
    # What is there already can still be taken away.
    assert client.post(path, data={"instead_of": anne.id}).status_code == 302


def test_the_nurse_stands_on_the_week_and_on_the_door(
    house: House, practice: Practice, client_for: ClientFor, secretary: User
) -> None:
    nurse = person(house, practice, Role.NURSE, "Nadège Pineau")
    with house.database.transaction() as session:
        member = session.scalars(sa.select(Member).where(Member.user_id == nurse.id)).one()
        member.profession = "infirmière Asalée"
        session.add(
            WeeklyPresence(
                practice_id=practice.id,
                member_id=member.id,
                weekday=3,
                period=Period.AM,
                start=MONDAY,
            )
        )
    html = week_of(client_for(secretary))
    assert lines_of(html)["Nadège Pineau infirmière Asalée"][3] == "Morning"
    assert "Nadège Pineau , infirmière Asalée (morning)" in door_of(html)


def test_interns_and_their_supervisor(
    house: House, practice: Practice, client_for: ClientFor, secretary: User
) -> None:
    anne = person(house, practice, Role.TITULAR, "Anne Petit", phone="06 39 98 00 01")
    marc = person(house, practice, Role.TITULAR, "Marc Roy", phone="06 39 98 00 02")
    intern = person(house, practice, Role.INTERN, "Louise Guérin")
    other = person(house, practice, Role.INTERN, "Paul Audouin")
    with house.database.transaction() as session:
        member = session.scalars(sa.select(Member).where(Member.user_id == intern.id)).one()
        member.supervisor_id = anne.id
    roles = [Role.INTERN.value]
    house.assignment(house.need(practice, TUESDAY, Period.AM, roles=roles), intern)
    house.assignment(house.need(practice, TUESDAY, Period.PM, roles=roles), intern)
    house.assignment(house.need(practice, THURSDAY, roles=roles), intern, supervisor_id=marc.id)
    house.assignment(house.need(practice, FRIDAY, roles=roles), other)
    html = week_of(client_for(secretary))
    assert lines_of(html)["Supervisor"][:5] == [
        "",
        "Anne Petit 06 39 98 00 01 for Louise Guérin",
        "",
        "Marc Roy 06 39 98 00 02 for Louise Guérin",
        "Nobody named for Paul Audouin",
    ]
    assert 'href="tel:0639980001"' in html
    assert "Louise Guérin , intern" in door_of(html)
    assert "Dr Louise" not in html
    assert "06 39 98 00 01" in lines_of(week_of(client_for(intern)))["Supervisor"][1]
    nurse = person(house, practice, Role.NURSE, "Nadège Pineau")
    assert lines_of(week_of(client_for(nurse)))["Supervisor"][1] == "Anne Petit for Louise Guérin"


def test_only_the_front_desk_sees_numbers_licences_and_questions(
    house: House, practice: Practice, client_for: ClientFor, secretary: User
) -> None:
    anne = person(house, practice, Role.TITULAR, "Anne Petit")
    ended = person(
        house,
        practice,
        Role.REPLACEMENT,
        "Driss Benali",
        phone="+33 6 39 98 00 11",
        doctor={"qualified": False, "licence_until": dt.date(2026, 11, 15)},
    )
    none = person(house, practice, Role.REPLACEMENT, "Inès Moreau", doctor={"qualified": False})
    valid = person(
        house,
        practice,
        Role.REPLACEMENT,
        "Paul Audouin",
        phone="06 39 98 00 12",
        doctor={"qualified": False, "licence_until": FRIDAY},
    )
    taken = house.assignment(house.need(practice, MONDAY), ended)
    house.assignment(house.need(practice, TUESDAY), none, AssignmentState.HELD)
    house.assignment(house.need(practice, FRIDAY), valid)
    house.assignment(house.need(practice, FRIDAY, room=1), ended)
    open_need = house.need(practice, THURSDAY)
    now = house.database.clock.now()
    save(
        house,
        ReleaseRequest(
            practice_id=practice.id,
            assignment_id=taken.id,
            doctor_id=ended.id,
            reason="Malade",
            requested_by=ended.id,
            requested_at=now,
        ),
        *(
            Ask(
                practice_id=practice.id,
                need_id=open_need.id,
                doctor_id=doctor.id,
                code=AskCode.ASK,
                message="",
                asked_by=anne.id,
                asked_at=now,
            )
            for doctor in (none, valid)
        ),
    )
    lines = lines_of(week_of(client_for(secretary)))
    assert lines["Phone"][0] == "Call Driss Benali, +33 6 39 98 00 11"
    assert lines["Phone"][4] == (
        "Call Paul Audouin, 06 39 98 00 12 Audouin Call Driss Benali, +33 6 39 98 00 11 Benali"
    )
    assert lines["Licence"][:5] == [
        "Driss Benali ended on 15 Nov",
        "Inès Moreau no licence",
        *("", "", "Driss Benali ended on 15 Nov"),
    ]
    assert lines["Open questions"][:4] == ["Asks to be released", "To confirm", "", "2 questions"]
    for role in (Role.REPLACEMENT, Role.INTERN, Role.NURSE, Role.VIEWER):
        html = week_of(client_for(person(house, practice, role, "Autre Lecteur")))
        assert not {"Phone", "Licence", "Open questions"} & set(lines_of(html))
        assert "06 39 98" not in html.replace("\u00a0", " ")


def test_a_held_day_is_not_promised_to_patients(
    house: House, practice: Practice, client_for: ClientFor, secretary: User
) -> None:
    anne = person(house, practice, Role.TITULAR, "Anne Petit")
    house.assignment(house.need(practice, TUESDAY), anne, AssignmentState.HELD)
    html = week_of(client_for(secretary))
    assert "Held" in text_of(html)
    assert "Doctor to be confirmed" in door_of(html)
    assert "Anne Petit" not in door_of(html)


def test_the_strip_tells_which_weeks_are_short(
    house: House, practice: Practice, client_for: ClientFor, secretary: User
) -> None:
    doctor = person(house, practice, Role.REPLACEMENT, "Inès Moreau")
    for week in (0, 1):
        for day in (TUESDAY, THURSDAY):
            house.assignment(house.need(practice, day + week * WEEK), doctor)
    house.need(practice, FRIDAY + WEEK)
    house.assignment(house.need(practice, TUESDAY + 2 * WEEK), doctor)
    html = week_of(client_for(secretary))
    strip = html.partition('<nav class="strip')[2].partition("</nav>")[0]
    weeks = re.findall(r'class="strip-week (.*?)".*?title="(.*?)"(.*?)data-week', strip)
    assert [(state, title) for state, title, _rest in weeks[:4]] == [
        ("is-full", "everything is filled"),
        ("is-to-fill", "2 half-days to fill"),
        ("is-to-fill is-below", "below the minimum"),
        ("is-none", "nothing published"),
    ]
    assert "aria-current" in weeks[0][2]
    assert "aria-current" not in weeks[1][2]
    assert "W48" in text_of(strip)


def test_the_queries_do_not_grow_with_the_doctors(
    house: House, database: Database, practice: Practice, client_for: ClientFor, secretary: User
) -> None:
    client = client_for(secretary)

    def fill(number: int, first_room: int) -> None:
        with database.transaction() as session:
            room = session.get_one(Practice, practice.id)
            session.refresh(room, ["rooms"])
        for position in range(number):
            role = Role.INTERN if position % 5 == 0 else Role.REPLACEMENT
            doctor = house.member(practice, role, phone="06 39 98 00 11")
            if position < 5:
                day = MONDAY + dt.timedelta(days=position)
                need = house.need(practice, day, room=first_room, roles=[role.value])
                house.assignment(need, doctor, AssignmentState.HELD)

    def read() -> int:
        with count_queries(database) as statements:
            week_of(client)
        return len(statements)

    fill(10, 0)
    few = read()
    fill(290, 1)
    assert read() == few


def test_a_duty_is_given_from_the_page_of_the_day(
    house: House, practice: Practice, client_for: ClientFor, secretary: User
) -> None:
    anne = person(house, practice, Role.TITULAR, "Anne Petit", phone="06 39 98 00 01")
    save(house, UrgentAdvice(practice_id=practice.id, weekday=2, text=ADVICE))
    house.need(practice, WEDNESDAY)
    client = client_for(secretary)
    path = "/p/nieul/days/2026-11-25/duty"
    page = week_of(client, path)
    assert "Nobody is on call on this day." in page
    assert ADVICE in page
    response = client.post(path, data={"doctor_id": anne.id, "instead_of": ""})
    assert response.status_code == 302
    assert response.location == "/p/nieul/week/2026-W48#day-2026-11-25"
    assert "Anne Petit is on call on Wed 25 Nov." in week_of(client)
    assert "06 39 98 00 01" in week_of(client, path)
    late = client.post(path, data={"doctor_id": secretary.id, "instead_of": ""})
    assert late.status_code == 404
    second = client.post(path, data={"doctor_id": "", "instead_of": ""})
    assert second.status_code == 409
    assert "Anne Petit has been put on call meanwhile." in text_of(second.text)
    assert client.post(path, data={"instead_of": anne.id}).status_code == 302
    assert "Nobody is on call on Wed 25 Nov." in week_of(client)
    past = client.post("/p/nieul/days/2026-11-20/duty", data={"doctor_id": anne.id})
    assert past.status_code == 422
    assert client.get("/p/nieul/days/2026-13-20/duty").status_code == 404
    viewer = person(house, practice, Role.VIEWER, "Bernard Crochet")
    assert (
        "<button"
        not in week_of(client_for(viewer), path).partition("<article")[2].partition("</article>")[0]
    )


def test_the_advice_is_written_on_its_page(
    house: House, practice: Practice, client_for: ClientFor, secretary: User
) -> None:
    client = client_for(secretary)
    assert client.post("/p/nieul/advice/", data={"day_2": ADVICE}).status_code == 302
    assert ADVICE in week_of(client, "/p/nieul/advice/")
    refused = client.post("/p/nieul/advice/", data={"day_2": "x" * 301})
    assert refused.status_code == 422
    assert "At most 300 characters." in refused.text
    assert "x" * 301 in refused.text


@pytest.mark.parametrize("path", ["week/2026-W48/door.pdf", "day/2026-11-24/absence.pdf"])
def test_the_papers_come_as_pdf(
    house: House, practice: Practice, client_for: ClientFor, secretary: User, path: str
) -> None:
    response = client_for(secretary).get(f"/p/nieul/{path}")
    assert response.status_code == 200
    assert response.mimetype == "application/pdf"
    assert response.data.startswith(b"%PDF")
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "nieul-2026-" in response.headers["Content-Disposition"]


@pytest.mark.parametrize("path", ["week/2026-W48/door.pdf", "day/2026-11-24/absence.pdf"])
def test_the_papers_speak_to_patients_and_not_to_whoever_prints_them(
    house: House, practice: Practice, client_for: ClientFor, path: str
) -> None:
    house.need(practice, dt.date(2026, 11, 24))
    papers = [
        client_for(house.member(practice, Role.SECRETARY, locale=locale)).get(f"/p/nieul/{path}")
        for locale in Locale
    ]
    assert papers[0].data == papers[1].data
    assert b"(fr" in papers[0].data


@pytest.mark.parametrize("path", ["week/2026-W54/door.pdf", "day/2026-11-31/absence.pdf"])
def test_there_is_no_paper_of_no_day(
    practice: Practice, client_for: ClientFor, secretary: User, path: str
) -> None:
    assert client_for(secretary).get(f"/p/nieul/{path}").status_code == 404
