"""The pages of the open days board: filters kept, claims won and lost, several at once, undo."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import ClaimPolicy, Doctor, HoldOutcome, Locale, Practice, User
from scheduler.roster import claiming
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentState, Period, ReleaseKind
from tests.factories import House
from tests.support import count_queries

Client = Callable[[User | None], FlaskClient]
MONDAY = dt.date(2026, 11, 23)
THURSDAY = dt.date(2026, 12, 3)
DAY = dt.timedelta(days=1)
WEEK = 7 * DAY


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", "Salle 2", slug="nieul", name="Cabinet de Nieul")


@pytest.fixture(autouse=True)
def titular(house: House, practice: Practice) -> User:
    return house.member(
        practice,
        Role.TITULAR,
        given_name="Anne",
        family_name="Petit",
        phone="+33 2 51 00 11 22",
        locale=Locale.ENGLISH,
    )


@pytest.fixture
def lea(house: House, practice: Practice) -> User:
    return house.member(
        practice, Role.REPLACEMENT, locale=Locale.ENGLISH, given_name="Léa", family_name="Fontaine"
    )


@pytest.fixture
def hugo(house: House, practice: Practice) -> User:
    return house.member(practice, Role.REPLACEMENT, given_name="Hugo", family_name="Roux")


@pytest.fixture
def need(house: House, practice: Practice) -> Need:
    return house.need(practice, THURSDAY)


def take(house: House, who: User, need: Need) -> Assignment:
    actor = house.actor(who)
    with house.database.transaction() as session:
        return claiming.claim(session, actor, need.id)


def holders(database: Database) -> dict[int, int]:
    """Doctor by need."""
    with database.session() as session:
        rows = session.execute(
            sa.select(Assignment.need_id, Assignment.doctor_id).where(
                Assignment.state != AssignmentState.RELEASED
            )
        )
        return dict(rows.all())


def listed(page: str) -> list[int]:
    """The numbers of the days with a button to take them, in order."""
    return [int(number) for number in re.findall(r'type="hidden" name="need" value="(\d+)"', page)]


def test_the_board_says_what_matters_for_choosing(
    house: House, client_for: Client, practice: Practice, lea: User, hugo: User, need: Need
) -> None:
    house.assignment(house.need(practice, THURSDAY - 6 * DAY), hugo)
    christmas = house.need(practice, dt.date(2026, 12, 25), Period.PM, priority=3)
    page = client_for(lea).get("/board/").text
    assert listed(page) == [need.id, christmas.id]
    assert "Thu 3 Dec" in page
    assert "Salle 1 · Whole day" in page
    assert "08:30–12:30, 14:00–18:30" in page
    assert "patients without a doctor for 4 days" in page
    assert page.count("the only doctor at that time") == 2
    assert "Anne Petit, titular doctor" in page
    assert 'href="tel:+33251001122"' in page
    assert "Christmas Day" in page
    assert "Nice to have" in page
    # One practice needs no name on every day.
    assert "<strong>Cabinet de Nieul</strong>" not in page


def test_a_licence_that_ended_is_said_once_and_leads_nowhere(
    house: House, client_for: Client, practice: Practice, need: Need
) -> None:
    facts = {"qualified": False, "licence_until": dt.date(2026, 11, 15)}
    driss = house.member(practice, Role.REPLACEMENT, locale=Locale.ENGLISH, doctor=facts)
    house.need(practice, THURSDAY + 20 * WEEK)
    page = client_for(driss).get("/board/").text
    assert page.count("Your licence ended on 15 November 2026.") == 1
    assert "Go to the next open day" not in page
    assert "below you can read why" not in page


def test_a_licence_that_ends_bounds_the_days_to_come(
    house: House, client_for: Client, practice: Practice
) -> None:
    facts = {"qualified": False, "licence_until": THURSDAY}
    driss = house.member(practice, Role.REPLACEMENT, locale=Locale.ENGLISH, doctor=facts)
    after = house.need(practice, THURSDAY + 20 * WEEK)
    client = client_for(driss)
    page = client.get("/board/").text
    assert "Your licence ends on 3 December 2026: later days need a new one." in page
    assert "Go to the next open day" not in page
    refused = client.post("/board/claim", data={"need": after.id})
    assert "The licence to replace ends on Thu 3 Dec 2026, before" in refused.text
    with house.database.transaction() as session:
        session.get_one(Doctor, driss.id).qualified = True
    assert "Your licence" not in client.get("/board/").text


def test_a_month_without_a_replaced_doctor_says_so_on_the_card(
    house: House, database: Database, client_for: Client, practice: Practice, lea: User, need: Need
) -> None:
    words = "titular doctor (no replaced doctor is named for this month yet)"
    client = client_for(lea)
    assert words in client.get("/board/").text
    with database.transaction() as session:
        session.get_one(Practice, practice.id).derogation_required = False
    assert words not in client.get("/board/").text


def test_a_colleague_is_named_with_role_and_room(
    house: House, client_for: Client, practice: Practice, lea: User, hugo: User, need: Need
) -> None:
    house.assignment(house.need(practice, THURSDAY, Period.AM, room=1), hugo)
    page = client_for(lea).get("/board/").text
    assert "with Hugo Roux, replacement doctor, Salle 2 (morning)" in page
    assert "patients without a doctor" not in page


def test_a_tap_takes_the_day_and_offers_to_undo(
    house: House, database: Database, client_for: Client, lea: User, need: Need
) -> None:
    client = client_for(lea)
    answer = client.post("/board/claim?weekday=3&practice=nieul", data={"need": need.id})
    assert answer.location == "/board/?practice=nieul&weekday=3"
    assert holders(database) == {need.id: lea.id}
    page = client.get(answer.location).text
    assert "Thu 3 Dec is yours. Thank you." in page
    assert "can be undone until 10:10" in page
    found = re.search(r'action="(/board/undo/(\d+)[^"]*)"', page)
    assert found is not None
    # The button of the message belongs to the form in the list.
    assert f'form="undo-{found[2]}"' in page
    assert f'id="undo-{found[2]}"' in page
    again = client.post("/board/claim", data={"need": need.id})
    assert again.status_code == 302
    assert holders(database) == {need.id: lea.id}
    undone = client.post(found[1].replace("&amp;", "&"))
    assert undone.location == "/board/?practice=nieul&weekday=3"
    assert "Undone: Thu 3 Dec is free again." in client.get("/board/").text
    assert holders(database) == {}
    with database.session() as session:
        assert session.scalars(sa.select(Assignment.release_kind)).all() == [ReleaseKind.UNDONE]
    assert client.post(f"/board/undo/{found[2]}").status_code == 302


def test_undoing_comes_too_late(
    database: Database, client_for: Client, clock: FixedClock, lea: User, need: Need
) -> None:
    client = client_for(lea)
    client.post("/board/claim", data={"need": need.id})
    clock.advance(dt.timedelta(minutes=11))
    assert "/board/undo/" not in client.get("/board/").text
    answer = client.post("/board/undo/1")
    assert answer.status_code == 409
    assert "can no longer be undone" in answer.text
    assert holders(database) == {need.id: lea.id}


def test_who_comes_second_reads_who_was_first_and_what_is_near(
    house: House, client_for: Client, practice: Practice, lea: User, hugo: User, need: Need
) -> None:
    other = house.practice(slug="autre", name="Cabinet voisin")
    house.member(other, Role.REPLACEMENT, lea)
    near = [house.need(practice, THURSDAY + offset * DAY) for offset in (-1, 1)]
    house.need(practice, THURSDAY + 60 * DAY)
    beyond = house.need(other, THURSDAY - DAY)
    take(house, hugo, need)
    # The filters leave nothing to see: the nearest days are offered whatever they are.
    answer = client_for(lea).post("/board/claim?weekday=6", data={"need": need.id})
    assert answer.status_code == 409
    assert "Hugo Roux was first: Thu 3 Dec 2026 is taken." in answer.text
    assert "The nearest open days" in answer.text
    assert listed(answer.text) == [near[0].id, near[1].id, beyond.id]
    assert 'action="/board/claim?weekday=6"' in answer.text


def test_a_rule_that_forbids_it_is_named(
    house: House, database: Database, client_for: Client, practice: Practice, lea: User, need: Need
) -> None:
    beside = house.need(practice, THURSDAY, room=1)
    take(house, lea, need)
    answer = client_for(lea).post("/board/claim", data={"need": beside.id})
    assert answer.status_code == 409
    assert "Already at work on Thu 3 Dec 2026: Cabinet de Nieul." in answer.text
    assert holders(database) == {need.id: lea.id}


def test_days_that_cannot_be_taken_stand_behind_a_link(
    house: House, client_for: Client, practice: Practice, lea: User
) -> None:
    house.need(practice, THURSDAY, roles=["intern"])
    client = client_for(lea)
    page = client.get("/board/?weekday=3").text
    assert "1 day that you cannot take is hidden." in page
    assert "is open to other roles" not in page
    assert 'href="/board/?weekday=3&amp;all=1"' in page
    page = client.get("/board/?weekday=3&all=1").text
    assert "Thu 3 Dec 2026 is open to other roles." in page
    assert "not possible" in page
    assert listed(page) == []


def test_a_limit_of_ones_own_is_passed_by_a_second_button(
    house: House, database: Database, client_for: Client, practice: Practice, lea: User, need: Need
) -> None:
    with database.transaction() as session:
        session.get_one(Doctor, lea.id).max_half_days_per_week = 2
    client = client_for(lea)
    friday = house.need(practice, THURSDAY + DAY)
    client.post("/board/claim", data={"need": need.id})
    page = client.get("/board/").text
    assert "more than the limit of 1 days a week" in page
    assert "Take it all the same" in page
    assert 'name="passing" value="week_limit"' in page
    refused = client.post("/board/claim", data={"need": friday.id})
    assert refused.status_code == 409
    # A yes to one limit is no yes to whatever else is named.
    data = {"need": friday.id, "passing": ["month_limit", "licence_ended"]}
    assert client.post("/board/claim", data=data).status_code == 409
    assert holders(database) == {need.id: lea.id}
    data = {"need": friday.id, "passing": ["week_limit"]}
    assert client.post("/board/claim", data=data).status_code == 302
    assert holders(database) == {need.id: lea.id, friday.id: lea.id}


def test_a_held_day_says_until_when_and_who_confirms(
    house: House, database: Database, client_for: Client, lea: User, hugo: User
) -> None:
    held = house.practice(
        name="Autre", claim_policy=ClaimPolicy.HELD, hold_outcome=HoldOutcome.FREE
    )
    for doctor in (lea, hugo):
        house.member(held, Role.REPLACEMENT, doctor)
    house.member(held, Role.TITULAR, given_name="Jean", family_name="Zola")
    house.member(held, Role.TITULAR, given_name="Eve", family_name="Abel")
    need = house.need(held, THURSDAY)
    client = client_for(lea)
    page = client.post("/board/claim", data={"need": need.id}, follow_redirects=True).text
    assert "Thu 3 Dec is held for you until Wed 25 Nov, 10:00" in page
    assert "Eve Abel or Jean Zola confirms it. Without a word by then, it is free again." in page
    assert "Held for you until Wed 25 Nov, 10:00" in page
    assert "held until Wed 25 Nov, 10:00" in page
    with database.transaction() as session:
        session.get_one(User, hugo.id).locale = Locale.ENGLISH
    others = client_for(hugo).get("/board/").text
    assert "Held for Léa Fontaine until Wed 25 Nov, 10:00" in others
    assert listed(others) == []
    with database.transaction() as session:
        session.get_one(Practice, held.id).hold_outcome = HoldOutcome.CONFIRM
    second = house.need(held, THURSDAY + WEEK)
    page = client.post("/board/claim", data={"need": second.id}, follow_redirects=True).text
    assert "Without a word by then, it is yours." in page


def test_several_days_are_taken_at_once(
    house: House, database: Database, client_for: Client, practice: Practice, lea: User, need: Need
) -> None:
    second = house.need(practice, THURSDAY + WEEK)
    client = client_for(lea)
    page = client.get("/board/").text
    assert page.count("data-tick") == 2
    assert 'action="/board/claim-several"' in page
    answer = client.post("/board/claim-several", data={"need": [need.id, second.id]})
    assert answer.location == "/board/"
    page = client.get("/board/").text
    assert "2 days taken. Thank you." in page
    assert page.count("can be undone until") == 2
    assert holders(database) == {need.id: lea.id, second.id: lea.id}


def test_of_several_days_those_that_are_free_are_taken(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    lea: User,
    hugo: User,
    need: Need,
) -> None:
    second = house.need(practice, THURSDAY + WEEK)
    near = house.need(practice, THURSDAY + DAY)
    take(house, hugo, need)
    client = client_for(lea)
    answer = client.post("/board/claim-several", data={"need": [need.id, second.id]})
    assert answer.status_code == 200
    assert "1 day could not be taken" in answer.text
    assert "Hugo Roux was first: Thu 3 Dec 2026 is taken." in answer.text
    assert "1 other day is yours" in answer.text
    assert answer.text.count("can be undone until") == 1
    assert listed(answer.text)[0] == near.id
    assert holders(database) == {need.id: hugo.id, second.id: lea.id}
    # Sent twice it takes nothing twice.
    assert client.post("/board/claim-several", data={"need": [second.id]}).status_code == 302
    none = client.post("/board/claim-several", data={"need": [need.id]})
    assert none.status_code == 409
    assert holders(database) == {need.id: hugo.id, second.id: lea.id}


def test_each_refusal_names_its_day_and_own_limits_can_be_passed(
    house: House, database: Database, client_for: Client, practice: Practice, need: Need, hugo: User
) -> None:
    ines = house.member(
        practice, Role.REPLACEMENT, locale=Locale.ENGLISH, doctor={"max_half_days_per_week": 2}
    )
    lost = house.need(practice, THURSDAY + WEEK, room=1, period=Period.AM)
    take(house, hugo, lost)
    over = house.need(practice, THURSDAY + DAY)
    client = client_for(ines)
    ticked = [need.id, over.id, lost.id]
    answer = client.post("/board/claim-several", data={"need": ticked})
    outcome = answer.text.split('class="board-refused"')[1].split("</ul>")[0]
    assert "<strong>Fri 4 Dec</strong> · Salle 1 · Whole day" in outcome
    assert "<strong>Thu 10 Dec</strong> · Salle 2 · Morning" in outcome
    # What only her own limit forbids, she may take all the same; the other day is gone.
    assert outcome.count("Take it all the same") == 1
    assert f'name="need" value="{over.id}"' in outcome
    assert 'name="passing" value="week_limit"' in outcome
    assert holders(database) == {need.id: ines.id, lost.id: hugo.id}


def test_days_that_are_not_there_are_not_thanked_for(
    database: Database, client_for: Client, lea: User, need: Need
) -> None:
    answer = client_for(lea).post("/board/claim-several", data={"need": ["999999", "x"]})
    assert answer.status_code == 404
    assert "Thank you" not in answer.text
    assert holders(database) == {}


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        # From Wednesday on; neither the week end nor Christmas is a day without a doctor.
        (8, "patients without a doctor for 6 days"),
        (60, None),
    ],
)
def test_waiting_is_said_of_near_days_and_counts_days_that_are_open(
    house: House,
    client_for: Client,
    practice: Practice,
    lea: User,
    titular: User,
    clock: FixedClock,
    offset: int,
    words: str | None,
) -> None:
    clock.advance(dt.datetime(2026, 12, 23, 9, tzinfo=dt.UTC) - clock.now())
    today = dt.date(2026, 12, 23)
    house.assignment(house.need(practice, today - DAY), titular)
    house.need(practice, today + offset * DAY)
    page = client_for(lea).get("/board/").text
    assert ("patients without a doctor" in page) is (words is not None)
    assert words is None or words in page


def test_nothing_ticked_and_far_too_many(
    database: Database, client_for: Client, lea: User, need: Need
) -> None:
    answer = client_for(lea).post("/board/claim-several")
    assert answer.status_code == 422
    assert "Tick at least one day." in answer.text
    many = client_for(lea).post("/board/claim-several", data={"need": list(range(1, 62))})
    assert many.status_code == 422
    assert "Take at most 60 days at once." in many.text
    assert holders(database) == {}


@pytest.mark.parametrize("number", ["", "x", "0", "99999999999999999999", "-1"])
def test_what_is_no_day_is_not_found(
    client_for: Client, lea: User, need: Need, number: str
) -> None:
    assert client_for(lea).post("/board/claim", data={"need": number}).status_code == 404


def test_a_day_of_another_practice_is_not_found(
    house: House, database: Database, client_for: Client, lea: User, need: Need
) -> None:
    foreign = house.need(house.practice(), THURSDAY)
    client = client_for(lea)
    assert client.post("/board/claim", data={"need": foreign.id}).status_code == 404
    both = client.post("/board/claim-several", data={"need": [need.id, foreign.id]})
    assert both.status_code == 404
    assert holders(database) == {}


@pytest.mark.parametrize(
    ("query", "weeks"),
    [
        ("", [0, 1]),
        ("period=month", [0]),
        ("period=next", [1, 5]),
        ("period=nonsense", [0, 1]),
        ("period=quarter", [0, 1, 5]),
        ("from=2026-12-01&to=2026-12-15", [1]),
        ("from=2026-12-01", [1, 5]),
        ("from=2020-01-01&to=2026-12-04", [0, 1]),
        ("from=2027-03-01", [16]),
        ("from=9999-01-01", []),
        ("from=rubbish&to=2026-12-04", [0, 1]),
        ("weekday=3", [0, 1]),
        ("weekday=0&weekday=4", []),
        ("weekday=x", [0, 1]),
        ("practice=nieul", [0, 1]),
        ("practice=unknown", [0, 1]),
    ],
)
def test_the_address_filters(
    house: House, client_for: Client, practice: Practice, lea: User, query: str, weeks: list[int]
) -> None:
    needs = {week: house.need(practice, THURSDAY + (week - 1) * WEEK) for week in (0, 1, 5, 16)}
    answer = client_for(lea).get(f"/board/?{query}")
    assert answer.status_code == 200
    assert listed(answer.text) == [needs[week].id for week in weeks]


def test_one_practice_of_several(house: House, client_for: Client, lea: User, need: Need) -> None:
    other = house.practice(slug="autre", name="Cabinet voisin")
    house.member(other, Role.REPLACEMENT, lea)
    there = house.need(other, THURSDAY)
    client = client_for(lea)
    page = client.get("/board/").text
    assert listed(page) == [need.id, there.id]
    assert "<strong>Cabinet voisin</strong>" in page
    assert listed(client.get("/board/?practice=autre").text) == [there.id]


def test_dates_the_wrong_way_round_are_said_so(client_for: Client, lea: User) -> None:
    page = client_for(lea).get("/board/?from=2026-12-10&to=2026-12-01").text
    assert "The last day comes before the first." in page


def test_filters_stay_in_every_form_and_link(client_for: Client, lea: User, need: Need) -> None:
    query = "from=2026-12-01&to=2026-12-31&practice=nieul&weekday=3&all=1&view=calendar"
    page = client_for(lea).get(f"/board/?{query}").text
    kept = "from=2026-12-01&amp;to=2026-12-31&amp;practice=nieul&amp;weekday=3&amp;all=1"
    assert f'action="/board/claim?{kept}&amp;view=calendar"' in page
    assert f'href="/board/?{kept}#day-2026-12-03"' in page
    assert 'value="2026-12-01"' in page
    assert re.search(r'name="weekday"[^>]*value="3"[^>]*checked|checked[^>]*value="3"', page)


def test_an_empty_board_says_what_to_do(
    house: House, client_for: Client, practice: Practice, lea: User
) -> None:
    client = client_for(lea)
    page = client.get("/board/").text
    assert "No open day" in page
    assert "/availabilities/" in page
    assert "Go to the next open day" not in page
    house.need(practice, dt.date(2027, 4, 1))
    page = client.get("/board/").text
    assert "Go to the next open day, Thu 1 Apr" in page
    assert 'href="/board/?from=2027-04-01&amp;to=2027-05-01#day-2027-04-01"' in page


def test_the_calendar_marks_open_held_and_own_days(
    house: House, client_for: Client, practice: Practice, lea: User, hugo: User, need: Need
) -> None:
    house.need(practice, THURSDAY, room=1)
    take(house, lea, house.need(practice, THURSDAY + DAY))
    house.assignment(house.need(practice, THURSDAY + WEEK), hugo, AssignmentState.HELD)
    page = client_for(lea).get("/board/?view=calendar").text
    assert "Thursday 3 December, 2 open days" in page
    assert "Friday 4 December, yours: Cabinet de Nieul" in page
    assert "Thursday 10 December, held" in page


def test_a_doctor_finds_the_board_under_the_thumb_and_a_secretary_the_month(
    house: House, client_for: Client, practice: Practice, lea: User
) -> None:
    def primary(user: User) -> list[str]:
        page = client_for(user).get("/account").text
        return re.findall(r'is-primary">\s*<a class="nav-link" href="([^"]+)"', page)

    assert primary(lea) == ["/p/nieul/week/", "/board/", "/availabilities/", "/account"]
    secretary = house.member(practice, Role.SECRETARY)
    assert primary(secretary) == ["/p/nieul/week/", "/p/nieul/month/", "/account"]
    assert client_for(secretary).get("/board/").status_code == 403


def test_queries_do_not_grow_with_days(
    house: House, database: Database, client_for: Client, practice: Practice, lea: User
) -> None:
    client = client_for(lea)

    def queries(status: int = 200) -> int:
        with count_queries(database) as statements:
            assert client.get("/board/").status_code == status
        return len(statements)

    def fill(count: int, start: dt.date) -> None:
        for number in range(count):
            house.need(practice, start + number * DAY)
            doctor = house.member(practice, Role.REPLACEMENT)
            house.assignment(house.need(practice, start + number * DAY, room=1), doctor)

    fill(10, MONDAY)
    few = queries()
    fill(60, MONDAY + 10 * DAY)
    other = house.practice()
    house.member(other, Role.REPLACEMENT, lea)
    house.need(other, THURSDAY)
    assert queries() == few
