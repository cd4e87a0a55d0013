"""The pages of questions: preparing one, sending it, answering it, and being told of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Locale, Practice, User
from scheduler.roster.models import Ask, Assignment, Need
from scheduler.roster.rules import AskCode, AskState, Period
from tests.factories import House
from tests.support import count_queries

Client = Callable[[User | None], FlaskClient]
THURSDAY = dt.date(2026, 12, 3)
DAY = dt.timedelta(days=1)


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", slug="nieul", name="Cabinet de Nieul")


@pytest.fixture
def titular(house: House, practice: Practice) -> User:
    return house.member(
        practice, Role.TITULAR, locale=Locale.ENGLISH, given_name="Anne", family_name="Petit"
    )


@pytest.fixture
def lea(house: House, practice: Practice) -> User:
    return house.member(
        practice,
        Role.REPLACEMENT,
        locale=Locale.ENGLISH,
        given_name="Léa",
        family_name="Fontaine",
        doctor={"max_half_days_per_week": 2},
    )


@pytest.fixture
def need(house: House, practice: Practice) -> Need:
    return house.need(practice, THURSDAY, Period.AM)


def send(client: FlaskClient, need: Need, doctor: User, **values: str) -> None:
    data = {"need_id": str(need.id), "doctor_id": str(doctor.id), **values}
    answer = client.post("/asks/", data=data)
    assert answer.status_code == 302, answer.text


def asks(database: Database) -> list[Ask]:
    with database.session() as session:
        return list(session.scalars(sa.select(Ask).order_by(Ask.id)))


def holders(database: Database) -> list[int]:
    with database.session() as session:
        return list(session.scalars(sa.select(Assignment.doctor_id).order_by(Assignment.id)))


def test_the_message_is_prepared_in_the_language_of_the_doctor(
    house: House, client_for: Client, practice: Practice, titular: User, lea: User, need: Need
) -> None:
    client = client_for(titular)
    page = client.get(f"/asks/new?need_id={need.id}&doctor_id={lea.id}").text
    assert "Ask Léa Fontaine" in page
    assert "Hello Léa," in page
    assert "Could you come to Cabinet de Nieul on Thursday 3 December (Salle 1, morning)?" in page
    assert "Thank you, Anne Petit" in page
    assert "more than the limit" not in page
    hugo = house.member(practice, Role.REPLACEMENT, given_name="Hugo", locale=Locale.FRENCH)
    page = client.get(f"/asks/new?need_id={need.id}&doctor_id={hugo.id}").text
    assert "Bonjour Hugo," in page
    assert "le jeudi 3 décembre (Salle 1, matin)" in page
    # The page itself stays in the language of its reader.
    assert "Send" in page


def test_a_limit_is_told_to_both(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
    need: Need,
) -> None:
    house.assignment(house.need(practice, THURSDAY - DAY), lea)
    client = client_for(titular)
    page = client.get(f"/asks/new?need_id={need.id}&doctor_id={lea.id}").text
    assert page.count("It would make 1.5 days that week.") == 2
    assert "more than the limit this doctor has chosen" in page
    send(client, need, lea, message="Please?")
    (ask,) = asks(database)
    assert (ask.code, ask.limit_to) == (AskCode.RAISE_WEEKLY_CAP, 1.5)
    page = client_for(lea).get(f"/asks/{ask.id}").text
    assert "It would make 1.5 days that week." in page
    assert "more than the limit you have chosen" in page
    client_for(lea).post(f"/asks/{ask.id}/answer", data={"answer": "yes"})
    assert holders(database) == [lea.id, lea.id]


def test_asking_leads_back_to_where_one_was(
    database: Database, client_for: Client, titular: User, lea: User, need: Need
) -> None:
    client = client_for(titular)
    data = {"need_id": str(need.id), "doctor_id": str(lea.id), "message": "Bonjour"}
    answer = client.post("/asks/", data={**data, "next": "/p/nieul/proposals/7"})
    assert answer.location == "/p/nieul/proposals/7"
    assert "Léa Fontaine is asked." in client.get("/account").text
    (ask,) = asks(database)
    assert (ask.message, ask.state) == ("Bonjour", AskState.OPEN)
    again = client.post("/asks/", data=data)
    assert again.status_code == 409
    assert "Léa Fontaine has been asked about" in again.text
    client.post(f"/asks/{ask.id}/withdraw")
    elsewhere = client.post("/asks/", data={**data, "next": "https://example.org/"})
    assert elsewhere.location == f"/p/nieul/needs/{need.id}"


def test_words_too_long_are_kept_and_refused(
    database: Database, client_for: Client, titular: User, lea: User, need: Need
) -> None:
    data = {"need_id": str(need.id), "doctor_id": str(lea.id), "message": "y" * 501}
    answer = client_for(titular).post("/asks/", data=data)
    assert answer.status_code == 422
    assert "At most 500 characters." in answer.text
    assert "y" * 501 in answer.text
    assert asks(database) == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 404),
        ("need_id=x&doctor_id=y", 404),
        ("need_id=99999999999999999999&doctor_id=1", 404),
        ("need_id={need}", 404),
        ("need_id={need}&doctor_id={self}", 422),
        ("need_id={need}&doctor_id={doctor}&proposal_id=99", 404),
        ("need_id={need}&doctor_id={doctor}&proposal_id=", 200),
    ],
)
def test_what_cannot_be_asked(
    client_for: Client, titular: User, lea: User, need: Need, query: str, status: int
) -> None:
    numbers = {"need": need.id, "doctor": lea.id, "self": titular.id}
    answer = client_for(titular).get("/asks/new?" + query.format_map(numbers))
    assert answer.status_code == status


def test_a_question_stands_on_every_page_until_it_is_answered(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
    need: Need,
) -> None:
    doctor = client_for(lea)
    assert "asks whether you could come" not in doctor.get("/account").text
    assert "#day-" in doctor.get("/").location
    send(client_for(titular), need, lea)
    # The notice stands above the days: a phone must not open below it.
    assert "#day-" not in doctor.get("/").location
    (ask,) = asks(database)
    page = doctor.get("/account").text
    assert "Anne Petit asks whether you could come on Thursday 3 December 2026." in page
    assert f'href="/asks/{ask.id}"' in page
    assert "asks whether you could come" not in doctor.get(f"/asks/{ask.id}").text
    assert "asks whether you could come" not in client_for(titular).get("/account").text
    send(client_for(titular), house.need(practice, THURSDAY + 7 * DAY), lea)
    assert "2 questions wait for your answer." in doctor.get("/account").text
    listed = doctor.get("/asks/").text
    assert listed.count("Waits for an answer") == 2
    for row in asks(database):
        doctor.post(f"/asks/{row.id}/answer", data={"answer": "no"})
    assert 'class="waiting' not in doctor.get("/account").text
    assert doctor.get("/asks/").text.count("Answered no") == 2


def test_a_question_from_another_practice_is_told_too(
    house: House, client_for: Client, titular: User, lea: User, need: Need
) -> None:
    other = house.practice(slug="autre", name="Cabinet voisin")
    house.member(other, Role.REPLACEMENT, lea)
    send(client_for(titular), need, lea)
    assert "asks whether you could come" in client_for(lea).get("/p/autre/week/").text


def test_a_yes(
    database: Database, client_for: Client, titular: User, lea: User, need: Need
) -> None:
    send(client_for(titular), need, lea, message="Pourriez-vous <venir> ?")
    (ask,) = asks(database)
    doctor = client_for(lea)
    page = doctor.get(f"/asks/{ask.id}").text
    assert "Anne Petit asks you" in page
    assert "Pourriez-vous &lt;venir&gt; ?" in page
    answer = doctor.post(f"/asks/{ask.id}/answer", data={"answer": "yes", "words": "Volontiers"})
    assert answer.location == "/p/nieul/week/2026-W49#day-2026-12-03"
    assert "Thu 3 Dec is yours. Thank you." in doctor.get("/account").text
    assert holders(database) == [lea.id]
    page = client_for(titular).get(f"/asks/{ask.id}").text
    assert "Léa Fontaine said yes." in page
    assert "Volontiers" in page
    assert "/withdraw" not in page


def test_a_no(database: Database, client_for: Client, titular: User, lea: User, need: Need) -> None:
    send(client_for(titular), need, lea)
    (ask,) = asks(database)
    doctor = client_for(lea)
    answer = doctor.post(f"/asks/{ask.id}/answer", data={"answer": "no", "words": "x" * 256})
    assert answer.status_code == 422
    assert "At most 255 characters." in answer.text
    for nothing in ({}, {"answer": ""}, {"answer": "maybe", "words": "En congé"}):
        assert doctor.post(f"/asks/{ask.id}/answer", data=nothing).status_code == 422
    assert "<textarea" in doctor.get(f"/asks/{ask.id}").text
    answer = doctor.post(f"/asks/{ask.id}/answer", data={"answer": "no", "words": "En congé"})
    assert answer.location == "/asks/"
    assert "Anne Petit is told." in doctor.get("/asks/").text
    assert holders(database) == []
    assert "You said no." in doctor.get(f"/asks/{ask.id}").text
    assert "En congé" in client_for(titular).get(f"/asks/{ask.id}").text


def test_the_second_reads_who_was_first(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
    need: Need,
) -> None:
    hugo = house.member(practice, Role.REPLACEMENT, given_name="Hugo", family_name="Roux")
    send(client_for(titular), need, lea)
    send(client_for(titular), need, hugo)
    to_lea, to_hugo = asks(database)
    client_for(hugo).post(f"/asks/{to_hugo.id}/answer", data={"answer": "yes"})
    answer = client_for(lea).post(f"/asks/{to_lea.id}/answer", data={"answer": "yes"})
    assert answer.status_code == 409
    assert "Hugo Roux was first" in answer.text
    assert "Hugo Roux has the day." in answer.text
    assert f"/asks/{to_lea.id}/answer" not in answer.text
    assert holders(database) == [hugo.id]
    assert [ask.state for ask in asks(database)] == [AskState.LAPSED, AskState.ACCEPTED]


def test_a_rule_that_forbids_it_is_named_and_the_question_stays(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
    need: Need,
) -> None:
    send(client_for(titular), need, lea)
    house.assignment(house.need(practice, THURSDAY - DAY), lea)
    (ask,) = asks(database)
    answer = client_for(lea).post(f"/asks/{ask.id}/answer", data={"answer": "yes"})
    assert answer.status_code == 409
    assert "more than the limit of 1 days a week" in answer.text
    assert f'action="/asks/{ask.id}/answer"' in answer.text
    assert asks(database)[0].state is AskState.OPEN


def test_a_question_is_taken_back(
    database: Database, client_for: Client, titular: User, lea: User, need: Need
) -> None:
    client = client_for(titular)
    send(client, need, lea)
    (ask,) = asks(database)
    assert f"/asks/{ask.id}/withdraw" in client.get(f"/asks/{ask.id}").text
    client.post(f"/asks/{ask.id}/withdraw")
    assert "The question is taken back." in client.get(f"/asks/{ask.id}").text
    assert "The question was taken back." in client_for(lea).get(f"/asks/{ask.id}").text


def test_the_side_panel_gets_the_page_alone(
    client_for: Client, titular: User, lea: User, need: Need
) -> None:
    address = f"/asks/new?need_id={need.id}&doctor_id={lea.id}"
    headers = {"HX-Request": "true", "HX-Target": "panel-content"}
    page = client_for(titular).get(address, headers=headers).text
    assert "<html" not in page
    assert "Send" in page


def test_queries_do_not_grow_with_questions(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
    need: Need,
) -> None:
    client = client_for(lea)

    def queries() -> int:
        with count_queries(database) as statements:
            assert client.get("/asks/").status_code == 200
            assert client.get("/account").status_code == 200
        return len(statements)

    send(client_for(titular), need, lea)
    few = queries()
    for number in range(1, 5):
        send(client_for(titular), house.need(practice, THURSDAY + 7 * number * DAY), lea)
    assert queries() == few
