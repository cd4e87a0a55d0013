"""The pages of calls: the titular's list and call, and the doctor's own link."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Locale, Practice, User
from scheduler.roster import call_queries, call_work
from scheduler.roster.call_rules import link_token
from scheduler.roster.models import Assignment, Call, Need
from scheduler.roster.rules import AssignmentState, CallState, InvitationState, Period, Preference
from scheduler.schema import metadata
from tests.conftest import SECRET_KEY
from tests.factories import House
from tests.support import at_once, count_queries
from web.extensions import limiter

Client = Callable[[User | None], FlaskClient]
MONDAY = dt.date(2026, 12, 7)
DAY = dt.timedelta(days=1)
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice(
        *("Salle 1", "Salle 2"),
        slug="nieul",
        name="Cabinet de Nieul",
        weekly_minimum=2,
        call_weeks_ahead=3,
    )


@pytest.fixture
def titular(house: House, practice: Practice) -> User:
    return house.member(
        practice, Role.TITULAR, locale=Locale.ENGLISH, given_name="Anne", family_name="Petit"
    )


@pytest.fixture
def lea(house: House, practice: Practice) -> User:
    lea = house.member(
        practice,
        Role.REPLACEMENT,
        locale=Locale.ENGLISH,
        given_name="Léa",
        family_name="Fontaine",
        phone="06 39 98 00 11",
        doctor={"max_half_days_per_week": 2},
    )
    house.available(lea, MONDAY, MONDAY + DAY, preference=Preference.POSSIBLE)
    return lea


@pytest.fixture
def hugo(house: House, practice: Practice) -> User:
    hugo = house.member(
        practice, Role.REPLACEMENT, locale=Locale.ENGLISH, given_name="Hugo", family_name="Roux"
    )
    house.available(hugo, MONDAY, MONDAY + DAY, preference=Preference.POSSIBLE)
    return hugo


@pytest.fixture
def needs(house: House, practice: Practice) -> list[Need]:
    return [house.need(practice, MONDAY), house.need(practice, MONDAY + DAY)]


def find(database: Database) -> Call:
    """Let the worker look; the newest call."""
    looked = 1
    while looked:
        with database.transaction() as session:
            looked = call_work.find_thin_weeks(session)
    return newest(database)


def newest(database: Database) -> Call:
    with database.session() as session:
        return call_queries.whole(session, sa.select(Call).order_by(Call.id))[-1]


def send(database: Database, client: FlaskClient, *doctors: User, message: str = "") -> Call:
    call = find(database)
    data = {"doctor": [str(doctor.id) for doctor in doctors], "message": message}
    answer = client.post(f"/p/nieul/calls/{call.id}/send", data=data)
    assert answer.status_code == 302, answer.text
    return newest(database)


def link(call: Call, doctor: User) -> str:
    uid = next(row.uid for row in call.invitations if row.doctor_id == doctor.id)
    return f"/calls/answer/{link_token(SECRET_KEY, uid)}"


def state_of(database: Database, doctor: User) -> InvitationState:
    return next(row.state for row in newest(database).invitations if row.doctor_id == doctor.id)


def holders(database: Database) -> dict[int, int]:
    with database.session() as session:
        rows = session.execute(
            sa.select(Assignment.need_id, Assignment.doctor_id).where(
                Assignment.state != AssignmentState.RELEASED
            )
        )
        return dict(map(tuple, rows))


def everything(database: Database) -> list[list[tuple[object, ...]]]:
    """Every row of every table."""
    with database.session() as session:
        return [
            [tuple(row) for row in session.execute(sa.select(table))]
            for table in metadata.sorted_tables
        ]


# The practice's side.


def test_a_titular_sends_a_prepared_call(
    database: Database,
    client_for: Client,
    titular: User,
    lea: User,
    hugo: User,
    needs: list[Need],
) -> None:
    client = client_for(titular)
    assert "Relais looks at the coming 3 weeks every hour" in client.get("/p/nieul/calls/").text
    call = find(database)
    listed = client.get("/p/nieul/calls/").text
    assert "Week W50, 7–\u206013 Dec 2026" in listed
    assert "3 could come" in listed
    page = client.get(f"/p/nieul/calls/{call.id}").text
    for words in ("2 days to fill", "1st wave", "3rd wave", "all days · load: 0 → 1 day"):
        assert words in page
    assert 'href="tel:0639980011"' in page
    assert page.count('name="doctor"') == page.count(" checked>") == 3
    answer = client.post(f"/p/nieul/calls/{call.id}/send", data={"message": "Bonjour"})
    assert answer.status_code == 422
    assert "Choose at least one doctor." in answer.text
    assert " checked>" not in answer.text
    assert ">\nBonjour</textarea>" in answer.text.replace("\r", "")
    sent = send(database, client, lea, message="Merci <d'avance>")
    assert (sent.state, sent.message) == (CallState.SENT, "Merci <d'avance>")
    page = client.get(f"/p/nieul/calls/{call.id}").text
    assert "Sent by Anne Petit, Monday 23 November, 10:00." in page
    assert "Everybody has been asked" in page
    assert "Merci &lt;d&#39;avance&gt;" in page
    assert page.count("No answer yet") == 1
    assert page.count("Not asked<") == 2
    assert "/send" not in page
    again = client.post(f"/p/nieul/calls/{call.id}/send", data={"doctor": str(lea.id)})
    assert again.status_code == 409
    assert "Somebody has decided on this call already." in again.text


def test_words_too_long_are_kept(
    database: Database, client_for: Client, titular: User, lea: User, needs: list[Need]
) -> None:
    call = find(database)
    answer = client_for(titular).post(
        f"/p/nieul/calls/{call.id}/send", data={"doctor": str(lea.id), "message": "y" * 501}
    )
    assert answer.status_code == 422
    assert "At most 500 characters." in answer.text
    assert "y" * 501 in answer.text
    assert answer.text.count(" checked>") == 1


def test_a_secretary_follows_but_does_not_decide(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
    needs: list[Need],
) -> None:
    client = client_for(house.member(practice, Role.SECRETARY, locale=Locale.ENGLISH))
    call = find(database)
    page = client.get(f"/p/nieul/calls/{call.id}").text
    assert "Léa Fontaine" in page
    assert 'name="doctor"' not in page
    send(database, client_for(titular), lea, titular)
    page = client.get(f"/p/nieul/calls/{call.id}").text
    assert "Next wave: Tuesday 24 November, 10:00." in page
    assert "/stop" not in page


def test_waves_are_hurried_and_stopped(
    database: Database, client_for: Client, titular: User, lea: User, needs: list[Need]
) -> None:
    client = client_for(titular)
    call = send(database, client, lea, titular)
    path = f"/p/nieul/calls/{call.id}"
    assert 'name="after" value="1"' in client.get(path).text
    assert client.post(f"{path}/next").status_code == 422
    assert client.post(f"{path}/next", data={"after": 1}).location == path
    assert state_of(database, titular) is InvitationState.SENT
    assert client.post(f"{path}/next", data={"after": 3}).status_code == 409
    client.post(f"{path}/stop")
    page = client.get(path).text
    assert "The call is stopped." in page
    assert page.count("No answer<") == 2
    assert newest(database).state is CallState.ENDED


def test_a_wave_asked_for_twice_leaves_once(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
    needs: list[Need],
) -> None:
    ines = house.member(practice, Role.REPLACEMENT)
    client = client_for(titular)
    call = send(database, client, lea, ines, titular)
    path = f"/p/nieul/calls/{call.id}"
    for _twice in range(2):
        assert client.post(f"{path}/next", data={"after": 1}).location == path
    assert newest(database).wave == 2
    assert state_of(database, ines) is InvitationState.SENT
    assert state_of(database, titular) is InvitationState.WAITING


def test_candidates_stand_with_the_days_that_they_said(
    house: House, client_for: Client, database: Database, practice: Practice, titular: User
) -> None:
    for room in (0, 1):
        house.need(practice, MONDAY, Period.AM, room=room)
    house.need(practice, MONDAY + DAY)
    lea = house.member(practice, Role.REPLACEMENT, given_name="Léa")
    house.available(lea, MONDAY, preference=Preference.POSSIBLE)
    house.member(practice, Role.REPLACEMENT, given_name="Hugo")
    call = find(database)
    page = client_for(titular).get(f"/p/nieul/calls/{call.id}").text
    said = [
        " ".join(words.split())
        for words in re.findall(r'class="call-words muted small">(.*?)</p>', page, re.S)
    ]
    assert said[0].startswith("Mon 7 morning · ")
    assert all(words.startswith("said nothing of these days") for words in said[1:])


def test_days_that_others_are_asked_for_are_left_out(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
    needs: list[Need],
) -> None:
    house.need(practice, MONDAY + DAY, room=1, roles=[Role.INTERN.value])
    wednesday = [
        house.need(practice, MONDAY + 2 * DAY, period, room=room)
        for period, room in ((Period.AM, 0), (Period.PM, 0), (Period.AM, 1))
    ]
    house.available(lea, MONDAY + 2 * DAY, preference=Preference.POSSIBLE)
    call = send(database, client_for(titular), lea)
    page = client_for(None).get(link(call, lea), headers=ENGLISH).text
    assert page.count('class="invitation-date"') == len(needs) + len(wednesday)
    assert "Take Mon 7 Dec<" in page
    assert "Take Tue 8 Dec<" in page
    for name in ("morning, Salle 1", "afternoon, Salle 1", "morning, Salle 2"):
        assert f"Take Wed 9 Dec, {name}<" in page


def test_not_now_and_back(
    database: Database, client_for: Client, titular: User, lea: User, needs: list[Need]
) -> None:
    client = client_for(titular)
    path = f"/p/nieul/calls/{find(database).id}"
    assert f'formaction="{path}/dismiss"' in client.get(path).text
    client.post(f"{path}/dismiss")
    page = client.get(path).text
    assert "Set aside for now" in page
    assert 'name="doctor"' not in page
    client.post(f"{path}/restore")
    assert 'name="doctor"' in client.get(path).text


def test_late_in_the_evening_a_call_waits_for_the_morning(
    database: Database,
    clock: FixedClock,
    client_for: Client,
    titular: User,
    lea: User,
    needs: list[Need],
) -> None:
    find(database)
    clock.move_to(dt.datetime(2026, 11, 23, 21, 0, tzinfo=dt.UTC))
    client = client_for(titular)
    call = send(database, client, lea)
    page = client.get(f"/p/nieul/calls/{call.id}").text
    assert "The call leaves in the morning" in page
    assert "Next wave: Tuesday 24 November, 07:30." in page


def test_a_call_is_reached_by_its_own_practice_only(
    house: House,
    database: Database,
    client_for: Client,
    titular: User,
    lea: User,
    needs: list[Need],
) -> None:
    call = find(database)
    house.member(house.practice(slug="autre"), Role.TITULAR, titular)
    client = client_for(titular)
    assert client.get(f"/p/autre/calls/{call.id}").status_code == 404
    for act in ("send", "next", "stop", "dismiss", "restore"):
        assert client.post(f"/p/autre/calls/{call.id}/{act}").status_code == 404
    assert newest(database).version == call.version


def test_nobody_to_ask(
    house: House, database: Database, client_for: Client, practice: Practice, needs: list[Need]
) -> None:
    titular = house.member(practice, Role.TITULAR, locale=Locale.ENGLISH)
    house.available(titular, MONDAY, MONDAY + DAY, preference=None)
    call = find(database)
    page = client_for(titular).get(f"/p/nieul/calls/{call.id}").text
    assert "Nobody to ask" in page
    assert f"/calls/{call.id}/dismiss" in page


# The doctor's side.


def test_a_link_is_answered_without_signing_in(
    database: Database,
    client_for: Client,
    titular: User,
    lea: User,
    hugo: User,
    needs: list[Need],
) -> None:
    call = send(database, client_for(titular), lea, hugo, message="Merci d'avance")
    client, path = client_for(None), link(call, hugo)
    page = client.get(path, headers=ENGLISH)
    assert page.headers["Cache-Control"] == "private, no-store"
    for words in (
        "Could you come, Hugo?",
        "Cabinet de Nieul, week W50, 7–\u206013 Dec 2026",
        "Merci d&#39;avance",
        "Salle 1 · Whole day, 08:30–12:30, 14:00–18:30",
        "Take Mon 7 Dec",
        "I cannot, Tue 8 Dec",
        "Not this time, on none of these days",
    ):
        assert words in page.text
    # It is about this doctor alone.
    assert "Léa" not in page.text
    answer = client.post(f"{path}/take", data={"need": str(needs[0].id)}, headers=ENGLISH)
    assert answer.location == path
    page = client.get(path, headers=ENGLISH)
    assert "Mon 7 Dec is yours. Thank you." in page.text
    assert "Thank you, Hugo" in page.text
    assert holders(database) == {needs[0].id: hugo.id}
    # Two taps are one.
    assert client.post(f"{path}/take", data={"need": str(needs[0].id)}).status_code == 302
    client.post(f"{path}/undo", data={"need": str(needs[0].id)}, headers=ENGLISH)
    assert "is free again" in client.get(path, headers=ENGLISH).text
    assert holders(database) == {}
    assert state_of(database, hugo) is InvitationState.SENT


def test_a_link_speaks_the_language_of_whom_it_was_sent_to(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
    needs: list[Need],
) -> None:
    marie = house.member(practice, Role.REPLACEMENT, locale=Locale.FRENCH, given_name="Marie")
    house.available(marie, MONDAY, preference=Preference.POSSIBLE)
    call = send(database, client_for(titular), lea, marie)
    french = {"Accept-Language": "fr"}
    client = client_for(None)
    page = client.get(link(call, marie), headers=ENGLISH).text
    assert "Pourriez-vous venir, Marie" in page
    assert '<html lang="fr"' in page
    assert "Could you come, Léa?" in client.get(link(call, lea), headers=french).text
    data = {"need": str(needs[0].id)}
    taken = client.post(f"{link(call, lea)}/take", data=data, headers=french, follow_redirects=True)
    assert "is yours. Thank you." in taken.text
    second = client.post(f"{link(call, marie)}/take", data=data, headers=ENGLISH)
    assert second.status_code == 409
    assert "Fontaine" in second.text
    assert "Could" not in second.text
    # Whoever reads signed in, or has chosen a language here, reads their own.
    assert "Could you come, Marie?" in client_for(titular).get(link(call, marie)).text
    with client.session_transaction() as cookie:
        cookie["locale"] = "en"
    assert "Could you come, Marie?" in client.get(link(call, marie)).text


def test_opening_a_link_changes_nothing(
    database: Database, client_for: Client, titular: User, lea: User, needs: list[Need]
) -> None:
    call = send(database, client_for(titular), lea)
    client, path = client_for(None), link(call, lea)
    before = everything(database)
    for method in ("GET", "HEAD", "OPTIONS"):
        assert client.open(path, method=method).status_code == 200
    for act in ("take", "decline", "undo"):
        for method in ("GET", "HEAD"):
            answer = client.open(f"{path}/{act}?need={needs[0].id}", method=method)
            assert answer.status_code == 405
    assert everything(database) == before


def test_the_second_reads_who_was_first_and_what_is_left(
    database: Database,
    client_for: Client,
    titular: User,
    lea: User,
    hugo: User,
    needs: list[Need],
) -> None:
    call = send(database, client_for(titular), lea, hugo)
    client_for(None).post(f"{link(call, hugo)}/take", data={"need": str(needs[0].id)})
    answer = client_for(None).post(
        f"{link(call, lea)}/take", data={"need": str(needs[0].id)}, headers=ENGLISH
    )
    assert answer.status_code == 409
    assert "Hugo Roux was first: Mon 7 Dec 2026 is taken." in answer.text
    assert "Hugo Roux has this day." in answer.text
    assert "Take Tue 8 Dec" in answer.text
    assert "Take Mon 7 Dec" not in answer.text


def test_a_limit_of_ones_own_needs_a_second_yes(
    database: Database, client_for: Client, titular: User, lea: User, needs: list[Need]
) -> None:
    call = send(database, client_for(titular), lea)
    client, path = client_for(None), link(call, lea)
    client.post(f"{path}/take", data={"need": str(needs[0].id)})
    answer = client.post(f"{path}/take", data={"need": str(needs[1].id)}, headers=ENGLISH)
    assert answer.status_code == 409
    assert "This would be more than the limit of 1 days a week." in answer.text
    assert "Take Tue 8 Dec all the same" in answer.text
    passing = re.findall(r'name="passing" value="(\w+)"', answer.text)
    assert passing == ["week_limit"]
    data = {"need": str(needs[1].id), "passing": passing}
    assert client.post(f"{path}/take", data=data).status_code == 302
    assert holders(database) == {needs[0].id: lea.id, needs[1].id: lea.id}


def test_a_rule_of_the_practice_is_named(
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    hugo: User,
    needs: list[Need],
) -> None:
    call = send(database, client_for(titular), hugo)
    with database.transaction() as session:
        session.get_one(Practice, practice.id).local_half_days_per_week = 1
    page = client_for(None).get(link(call, hugo), headers=ENGLISH).text
    assert "/take" not in page
    data = {"need": str(needs[0].id), "passing": "local_week_limit"}
    answer = client_for(None).post(f"{link(call, hugo)}/take", data=data)
    assert answer.status_code == 409
    assert holders(database) == {}


def test_no_to_a_day_and_no_to_the_week(
    database: Database, client_for: Client, titular: User, hugo: User, needs: list[Need]
) -> None:
    call = send(database, client_for(titular), hugo)
    client, path = client_for(None), link(call, hugo)
    client.post(f"{path}/decline", data={"need": str(needs[0].id)})
    page = client.get(path, headers=ENGLISH).text
    assert page.count("You said that you cannot.") == 1
    assert state_of(database, hugo) is InvitationState.SENT
    client.post(f"{path}/decline")
    page = client.get(path, headers=ENGLISH).text
    assert page.count("You said that you cannot.") == 2
    assert "Not this time" not in page
    assert state_of(database, hugo) is InvitationState.DECLINED
    # Whoever finds a free day after all may still take it.
    assert client.post(f"{path}/take", data={"need": str(needs[1].id)}).status_code == 302


def test_a_call_that_is_over_says_so_kindly(
    house: House,
    database: Database,
    client_for: Client,
    titular: User,
    lea: User,
    hugo: User,
    needs: list[Need],
) -> None:
    call = send(database, client_for(titular), lea, hugo)
    for need in needs:
        client_for(None).post(f"{link(call, hugo)}/take", data={"need": str(need.id)})
    with database.transaction() as session:
        assert call_work.advance_calls(session) == 1
    page = client_for(None).get(link(call, lea), headers=ENGLISH).text
    assert "All days have found their doctor." in page
    assert page.count("Hugo Roux has this day.") == 2
    page = client_for(None).get(link(call, hugo), headers=ENGLISH).text
    assert "this call is over, and you are expected" in page
    answer = client_for(None).post(f"{link(call, lea)}/decline", headers=ENGLISH)
    assert answer.status_code == 409
    assert "This call is over." in answer.text


@pytest.mark.parametrize("need", ["", "x", "0", "999999", "99999999999"])
def test_what_is_no_day_of_the_call(
    database: Database,
    client_for: Client,
    titular: User,
    hugo: User,
    needs: list[Need],
    need: str,
) -> None:
    call = send(database, client_for(titular), hugo)
    for act in ("take", "decline", "undo"):
        answer = client_for(None).post(f"{link(call, hugo)}/{act}", data={"need": need})
        assert answer.status_code == 404


def test_links_that_nobody_signed(
    app: Flask,
    database: Database,
    client_for: Client,
    titular: User,
    lea: User,
    hugo: User,
    needs: list[Need],
) -> None:
    call = send(database, client_for(titular), lea)
    uid = call.invitations[0].uid
    unsent = next(row.uid for row in call.invitations if row.sent_at is None)
    tokens = [
        uid,
        link_token("another key, as long as one has to be", uid),
        link_token(SECRET_KEY, "nobody"),
        # Signed, but never sent.
        link_token(SECRET_KEY, unsent),
    ]
    client = client_for(None)
    for token in tokens:
        answer = client.get(f"/calls/answer/{token}", headers=ENGLISH)
        assert answer.status_code == 404
        assert "This link leads nowhere" in answer.text
        for act in ("take", "decline", "undo"):
            path = f"/calls/answer/{token}/{act}"
            assert client.post(path, data={"need": str(needs[0].id)}).status_code == 404
    assert holders(database) == {}


def test_whoever_guesses_links_has_to_wait(app: Flask, client_for: Client) -> None:
    limiter.enabled = True
    try:
        client = client_for(None)
        answers = [client.get(f"/calls/answer/guess-{n}").status_code for n in range(21)]
    finally:
        limiter.enabled = False
        limiter.reset()
    assert answers == [404] * 20 + [429]


def test_an_answer_needs_the_form_s_token(
    app: Flask,
    database: Database,
    client_for: Client,
    titular: User,
    hugo: User,
    needs: list[Need],
) -> None:
    call = send(database, client_for(titular), hugo)
    app.config["WTF_CSRF_ENABLED"] = True
    client, path = client_for(None), link(call, hugo)
    assert client.post(f"{path}/take", data={"need": str(needs[0].id)}).status_code == 400
    page = client.get(path).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    data = {"need": str(needs[0].id), "csrf_token": token.group(1)}
    assert client.post(f"{path}/take", data=data).status_code == 302


def test_whoever_signs_in_finds_the_calls_too(
    database: Database, client_for: Client, titular: User, hugo: User, needs: list[Need]
) -> None:
    client = client_for(hugo)
    assert "No call waits for you" in client.get("/calls/").text
    call = send(database, client_for(titular), hugo)
    page = client.get("/calls/").text
    assert f'href="{link(call, hugo)}"' in page
    assert "Mon 7 Dec, Tue 8 Dec" in page
    client.post(f"{link(call, hugo)}/take", data={"need": str(needs[0].id)})
    assert "You come" in client.get("/calls/").text


def test_twenty_links_and_one_day(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    needs: list[Need],
) -> None:
    doctors = [house.member(practice, Role.REPLACEMENT) for _ in range(20)]
    for doctor in doctors:
        house.available(doctor, MONDAY)
    call = send(database, client_for(titular), *doctors)
    statuses: list[int] = []

    def answering(doctor: User) -> Callable[[], None]:
        client, path = client_for(None), f"{link(call, doctor)}/take"

        def act() -> None:
            statuses.append(client.post(path, data={"need": str(needs[0].id)}).status_code)

        return act

    assert at_once(*map(answering, doctors)) == [None] * 20
    assert sorted(statuses) == [302] + [409] * 19
    assert len(holders(database)) == 1


def test_queries_do_not_grow_with_doctors(
    house: House,
    database: Database,
    client_for: Client,
    clock: FixedClock,
    practice: Practice,
    titular: User,
    hugo: User,
    needs: list[Need],
) -> None:
    client, anybody = client_for(titular), client_for(None)

    def queries(call: Call) -> list[int]:
        found = []
        pages = [
            (client, "/p/nieul/calls/"),
            (client, f"/p/nieul/calls/{call.id}"),
            (anybody, link(call, hugo)),
        ]
        for who, path in pages:
            with count_queries(database) as statements:
                assert who.get(path).status_code == 200
            found.append(len(statements))
        return found

    few = queries(send(database, client, hugo))
    client.post(f"/p/nieul/calls/{newest(database).id}/stop")
    others = [house.member(practice, Role.REPLACEMENT) for _ in range(60)]
    house.need(practice, MONDAY + 2 * DAY)
    clock.advance(dt.timedelta(hours=1))
    assert queries(send(database, client, hugo, *others)) == few
