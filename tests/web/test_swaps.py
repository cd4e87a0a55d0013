"""The pages of days that go from one doctor to another: offering, answering, taking over."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from scheduler.core.clock import FixedClock
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster.models import Assignment, Swap
from scheduler.roster.rules import AssignmentState, Period, Preference, SwapState
from tests.factories import House
from tests.support import count_queries

Client = Callable[[User | None], FlaskClient]
TUESDAY = dt.date(2026, 12, 8)
THURSDAY = dt.date(2026, 12, 10)
DAY = dt.timedelta(days=1)
P = "/p/nieul"


@dataclass
class Cabinet:
    """A practice where Léa has the Tuesday and Hugo the Thursday."""

    house: House
    practice: Practice
    titular: User
    secretary: User
    lea: User
    hugo: User
    tuesday: Assignment
    thursday: Assignment

    def swaps(self) -> list[Swap]:
        with self.house.database.session() as session:
            return list(session.scalars(sa.select(Swap).order_by(Swap.id)))

    def holders(self) -> dict[dt.date, int]:
        with self.house.database.session() as session:
            rows = session.execute(
                sa.select(Assignment.date, Assignment.doctor_id).where(
                    Assignment.state != AssignmentState.RELEASED
                )
            )
            return dict(map(tuple, rows))


@pytest.fixture
def cabinet(house: House) -> Cabinet:
    practice = house.practice("Salle 1", "Salle 2", slug="nieul", name="Cabinet de Nieul")

    def member(role: Role, given: str, family: str) -> User:
        return house.member(practice, role, given_name=given, family_name=family, locale="en")

    lea, hugo = (
        member(Role.REPLACEMENT, "Léa", "Fontaine"),
        member(Role.REPLACEMENT, "Hugo", "Roux"),
    )
    return Cabinet(
        house,
        practice,
        member(Role.TITULAR, "Anne", "Petit"),
        member(Role.SECRETARY, "Sylvie", "Rabiller"),
        lea,
        hugo,
        house.assignment(house.need(practice, TUESDAY), lea),
        house.assignment(house.need(practice, THURSDAY), hugo),
    )


def words(html: str) -> str:
    main = html.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def offer(client: FlaskClient, day: Assignment, **data: str) -> None:
    answer = client.post(f"{P}/assignments/{day.id}/offer", data=data)
    assert answer.status_code == 302, words(answer.text)


def test_a_day_is_offered_to_all_who_could_come(cabinet: Cabinet, client_for: Client) -> None:
    cabinet.house.available(cabinet.hugo, TUESDAY, preference=Preference.POSSIBLE)
    client = client_for(cabinet.lea)
    panel = client.get(f"{P}/needs/{cabinet.tuesday.need_id}").text
    assert f'href="{P}/assignments/{cabinet.tuesday.id}/offer"' in panel
    page = words(client.get(f"{P}/assignments/{cabinet.tuesday.id}/offer").text)
    assert "Offer to the 2 colleagues who could come" in page
    assert "Hugo Roux possible" in page
    offer(client, cabinet.tuesday, to="all", message="Please?")
    (swap,) = cabinet.swaps()
    assert (swap.to_doctor_id, swap.message) == (None, "Please?")
    assert "Offered to all colleagues" in words(
        client.get(f"{P}/needs/{cabinet.tuesday.need_id}").text
    )
    # Somebody else sees it on the day, in the list, and takes it.
    other = client_for(cabinet.hugo)
    assert "Offered to all colleagues" in words(
        other.get(f"{P}/needs/{cabinet.tuesday.need_id}").text
    )
    listed = words(other.get(f"{P}/swaps/").text)
    assert "Tue 8 Dec Salle 1 Léa Fontaine all – On offer" in listed
    answer = other.post(f"{P}/swaps/{swap.id}/take")
    assert answer.location == f"{P}/week/2026-W50#day-2026-12-08"
    assert cabinet.holders()[TUESDAY] == cabinet.hugo.id


def test_an_offer_by_name_is_told_on_every_page(cabinet: Cabinet, client_for: Client) -> None:
    offer(client_for(cabinet.lea), cabinet.tuesday, to=str(cabinet.hugo.id))
    client = client_for(cabinet.hugo)
    line = "Léa Fontaine offers you their day on Tuesday 8 December 2026."
    page = client.get(f"{P}/week/").text
    assert line in words(page)
    (swap,) = cabinet.swaps()
    assert f'href="{P}/swaps/{swap.id}"' in page
    assert line not in words(client.get(f"{P}/swaps/{swap.id}").text)
    offer(
        client_for(cabinet.titular),
        cabinet.house.assignment(
            cabinet.house.need(cabinet.practice, TUESDAY, room=1), cabinet.titular
        ),
        to=str(cabinet.hugo.id),
    )
    assert "2 days are offered to you." in words(client.get("/account").text)
    client.post(f"{P}/swaps/{swap.id}/decline")
    assert line not in words(client.get(f"{P}/week/").text)
    assert cabinet.swaps()[0].state is SwapState.DECLINED
    assert "Hugo Roux said no." in words(client_for(cabinet.lea).get(f"{P}/swaps/{swap.id}").text)


def test_only_days_that_could_be_exchanged_are_offered_in_return(
    cabinet: Cabinet, client_for: Client
) -> None:
    house, practice = cabinet.house, cabinet.practice
    intern = house.member(practice, Role.INTERN, given_name="Zoé", family_name="Lang")
    for_interns = house.need(practice, TUESDAY + 7 * DAY, roles=[Role.INTERN.value])
    house.assignment(for_interns, intern)
    held = house.need(practice, TUESDAY + 8 * DAY)
    house.assignment(held, cabinet.hugo, AssignmentState.HELD)
    for room, period in ((1, Period.PM), (1, Period.AM), (0, Period.PM)):
        there = cabinet.hugo if room else cabinet.titular
        house.assignment(house.need(practice, TUESDAY + 9 * DAY, period, room=room), there)
    page = client_for(cabinet.lea).get(f"{P}/assignments/{cabinet.tuesday.id}/offer").text
    options = re.findall(r"<option[^>]*>(.*?)</option>", page, re.S)
    assert [option.partition(" · ")[0] for option in options[1:]] == [
        "Thu 10 Dec, Salle 1, whole day",
        "Thu 17 Dec, Salle 2, morning",
        "Thu 17 Dec, Salle 1, afternoon",
        "Thu 17 Dec, Salle 2, afternoon",
    ]


def test_a_day_is_exchanged_for_a_colleague_s(cabinet: Cabinet, client_for: Client) -> None:
    client = client_for(cabinet.lea)
    page = words(client.get(f"{P}/assignments/{cabinet.tuesday.id}/offer").text)
    assert "Thu 10 Dec, Salle 1, whole day · Hugo Roux" in page
    offer(client, cabinet.tuesday, to="exchange", in_return=str(cabinet.thursday.id))
    (swap,) = cabinet.swaps()
    assert (swap.to_doctor_id, swap.return_id) == (cabinet.hugo.id, cabinet.thursday.id)
    other = client_for(cabinet.hugo)
    assert "Exchange the two days" in words(other.get(f"{P}/swaps/{swap.id}").text)
    other.post(f"{P}/swaps/{swap.id}/take")
    assert cabinet.holders() == {TUESDAY: cabinet.hugo.id, THURSDAY: cabinet.lea.id}


def test_an_exchange_names_both_days_before_and_after(cabinet: Cabinet, client_for: Client) -> None:
    offer(
        client_for(cabinet.lea),
        cabinet.tuesday,
        to="exchange",
        in_return=str(cabinet.thursday.id),
    )
    (swap,) = cabinet.swaps()
    client = client_for(cabinet.hugo)
    assert (
        "Léa Fontaine offers you an exchange: their day on Tuesday 8 December 2026 for yours on "
        "Thursday 10 December 2026."
    ) in words(client.get(f"{P}/week/").text)
    assert "Léa Fontaine offers an exchange" in words(client.get(f"{P}/swaps/{swap.id}").text)
    page = client.post(f"{P}/swaps/{swap.id}/take", follow_redirects=True).text
    assert (
        "Exchanged: you come on Tue 8 Dec, and Léa Fontaine comes on Thu 10 Dec in your place."
    ) in page


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"to": "exchange"}, "Choose a coming day of the colleague"),
        ({"to": "exchange", "in_return": "999"}, "Choose a coming day of the colleague"),
        ({"to": "somebody"}, "Choose a coming day of the colleague"),
        ({}, "Choose a coming day of the colleague"),
        ({"to": "all", "message": "x" * 256}, "At most 255 characters."),
    ],
)
def test_what_cannot_be_offered_says_why_and_keeps_the_words(
    cabinet: Cabinet, client_for: Client, data: dict[str, str], sentence: str
) -> None:
    answer = client_for(cabinet.lea).post(
        f"{P}/assignments/{cabinet.tuesday.id}/offer", data={"message": "My word", **data}
    )
    assert answer.status_code == 422
    assert sentence in words(answer.text)
    assert data.get("message", "My word") in answer.text
    assert cabinet.swaps() == []


def test_an_offer_that_a_rule_forbids_names_the_rule(cabinet: Cabinet, client_for: Client) -> None:
    trainee = cabinet.house.member(cabinet.practice, Role.REPLACEMENT, doctor={"qualified": False})
    answer = client_for(cabinet.lea).post(
        f"{P}/assignments/{cabinet.tuesday.id}/offer", data={"to": str(trainee.id)}
    )
    assert answer.status_code == 409
    assert "No licence to replace is on record" in words(answer.text)


def test_the_second_reads_who_was_first(cabinet: Cabinet, client_for: Client) -> None:
    offer(client_for(cabinet.lea), cabinet.tuesday, to="all")
    (swap,) = cabinet.swaps()
    client_for(cabinet.hugo).post(f"{P}/swaps/{swap.id}/take")
    answer = client_for(cabinet.titular).post(f"{P}/swaps/{swap.id}/take")
    assert answer.status_code == 409
    assert "Hugo Roux was first: Tue 8 Dec 2026 is taken." in words(answer.text)


def test_a_limit_of_one_s_own_is_passed_with_open_eyes(
    cabinet: Cabinet, client_for: Client
) -> None:
    tired = cabinet.house.member(
        cabinet.practice, Role.REPLACEMENT, doctor={"max_half_days_per_week": 1}, locale="en"
    )
    offer(client_for(cabinet.lea), cabinet.tuesday, to=str(tired.id))
    (swap,) = cabinet.swaps()
    client = client_for(tired)
    page = client.get(f"{P}/swaps/{swap.id}").text
    assert "more than the limit of 0.5 days a week" in words(page)
    assert "Take it all the same" in words(page)
    assert client.post(f"{P}/swaps/{swap.id}/take").status_code == 409
    sent = re.findall(r'name="passing" value="(\w+)"', page)
    assert client.post(f"{P}/swaps/{swap.id}/take", data={"passing": sent}).status_code == 302
    assert cabinet.holders()[TUESDAY] == tired.id


def test_a_swap_by_mistake_goes_back(
    cabinet: Cabinet, client_for: Client, clock: FixedClock
) -> None:
    offer(client_for(cabinet.lea), cabinet.tuesday, to="all")
    (swap,) = cabinet.swaps()
    client = client_for(cabinet.hugo)
    client.post(f"{P}/swaps/{swap.id}/take")
    day = f"{P}/needs/{cabinet.tuesday.need_id}"
    assert f'action="{P}/swaps/{swap.id}/untake"' in client.get(day).text
    assert "/untake" not in client_for(cabinet.lea).get(day).text
    assert client.post(f"{P}/swaps/{swap.id}/untake").status_code == 302
    assert cabinet.holders()[TUESDAY] == cabinet.lea.id
    clock.advance(dt.timedelta(days=1))
    offer(client_for(cabinet.lea), next_day(cabinet), to="all")
    swap = cabinet.swaps()[-1]
    client.post(f"{P}/swaps/{swap.id}/take")
    clock.advance(dt.timedelta(hours=24))
    assert "/untake" not in client.get(day).text
    late = client.post(f"{P}/swaps/{swap.id}/untake")
    assert late.status_code == 409
    assert "can no longer go back: 24 hours have passed" in words(late.text)


def next_day(cabinet: Cabinet) -> Assignment:
    """The day as Léa has it again."""
    with cabinet.house.database.session() as session:
        return session.scalars(
            sa.select(Assignment).where(
                Assignment.need_id == cabinet.tuesday.need_id,
                Assignment.state != AssignmentState.RELEASED,
            )
        ).one()


def test_a_swap_that_cannot_go_back_says_who_and_why(cabinet: Cabinet, client_for: Client) -> None:
    offer(client_for(cabinet.lea), cabinet.tuesday, to="all")
    (swap,) = cabinet.swaps()
    client_for(cabinet.hugo).post(f"{P}/swaps/{swap.id}/take")
    beside = cabinet.house.need(cabinet.practice, TUESDAY, room=1)
    cabinet.house.assignment(beside, cabinet.lea)
    answer = client_for(cabinet.hugo).post(f"{P}/swaps/{swap.id}/untake")
    assert answer.status_code == 409
    assert (
        "Léa Fontaine cannot have Tue 8 Dec 2026 back: Already at work on Tue 8 Dec 2026"
        in words(answer.text)
    )


def test_a_secretary_offers_for_a_doctor(cabinet: Cabinet, client_for: Client) -> None:
    client = client_for(cabinet.secretary)
    page = words(client.get(f"{P}/assignments/{cabinet.tuesday.id}/offer").text)
    assert "Offer Léa Fontaine’s day" in page
    assert "It is noted that you offer it." in page
    offer(client, cabinet.tuesday, to=str(cabinet.hugo.id))
    (swap,) = cabinet.swaps()
    assert (swap.doctor_id, swap.offered_by) == (cabinet.lea.id, cabinet.secretary.id)
    client.post(f"{P}/swaps/{swap.id}/withdraw")
    assert cabinet.swaps()[0].state is SwapState.WITHDRAWN


def test_taking_over_shows_who_was_told(cabinet: Cabinet, client_for: Client) -> None:
    house = cabinet.house
    today = house.assignment(house.need(cabinet.practice, house.today), cabinet.lea)
    client = client_for(cabinet.hugo)
    assert "/take-over" in client.get(f"{P}/needs/{today.need_id}").text
    assert "/take-over" not in client.get(f"{P}/needs/{cabinet.tuesday.need_id}").text
    address = f"{P}/assignments/{today.id}/take-over"
    assert client.get(address).status_code == 200
    empty = client.post(address, data={"reason": " "})
    assert empty.status_code == 422
    answer = client.post(address, data={"reason": "Car broken down"})
    assert answer.status_code == 302
    assert cabinet.holders()[house.today] == cabinet.hugo.id
    chain = words(client.get(answer.location).text)
    for name in ("Léa Fontaine", "Anne Petit", "Sylvie Rabiller"):
        assert f"{name} · the day was taken over on its way" in chain
    # The colleague can object, and others see neither.
    day = f"{P}/needs/{today.need_id}"
    assert "It is a mistake: I come" in words(client_for(cabinet.lea).get(day).text)
    other = client_for(house.member(cabinet.practice, Role.REPLACEMENT))
    assert other.get(answer.location).status_code == 403
    assert "/told" not in other.get(day).text
    taken_id = int(re.findall(r"assignments/(\d+)/told", answer.location)[0])
    back = client_for(cabinet.lea).post(f"{P}/assignments/{taken_id}/untake-over")
    assert back.status_code == 302
    assert cabinet.holders()[house.today] == cabinet.lea.id


def test_nothing_is_offered_that_is_another_practice_s(
    cabinet: Cabinet, client_for: Client
) -> None:
    elsewhere = cabinet.house.practice(slug="ailleurs")
    cabinet.house.member(elsewhere, Role.TITULAR, cabinet.lea)
    offer(client_for(cabinet.lea), cabinet.tuesday, to="all")
    (swap,) = cabinet.swaps()
    client = client_for(cabinet.lea)
    for path in (
        f"assignments/{cabinet.tuesday.id}/offer",
        f"assignments/{cabinet.tuesday.id}/take-over",
        f"assignments/{cabinet.tuesday.id}/told",
        f"swaps/{swap.id}",
    ):
        assert client.get(f"/p/ailleurs/{path}").status_code == 404
    for act in ("take", "decline", "withdraw", "untake"):
        assert client.post(f"/p/ailleurs/swaps/{swap.id}/{act}").status_code == 404
    assert cabinet.swaps()[0].state is SwapState.OPEN


def test_page_queries_do_not_grow(house: House, client_for: Client) -> None:
    counts: dict[str, list[int]] = {}
    for size in (4, 40):
        practice = house.practice()
        lea = house.member(practice, Role.REPLACEMENT)
        first = house.assignment(house.need(practice, TUESDAY), lea)
        for number in range(size):
            doctor = house.member(practice, Role.REPLACEMENT)
            day = THURSDAY + dt.timedelta(days=number)
            row = house.assignment(house.need(practice, day), doctor)
            with house.database.transaction() as session:
                session.add(
                    Swap(
                        practice_id=practice.id,
                        assignment_id=row.id,
                        doctor_id=doctor.id,
                        offered_by=doctor.id,
                        offered_at=session.now(),
                    )
                )
        client = client_for(lea)
        for path in ("swaps/", f"assignments/{first.id}/offer", f"needs/{first.need_id}"):
            name = re.sub(r"\d+", "", path)
            with count_queries(house.database) as statements:
                assert client.get(f"/p/{practice.slug}/{path}").status_code == 200
            counts.setdefault(name, []).append(len(statements))
    assert all(len(set(found)) == 1 for found in counts.values()), counts
