"""The review of a proposal: what would change, why days stay empty, whom to ask."""

from __future__ import annotations

import datetime as dt
import html
import re

import pytest
import sqlalchemy as sa

from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Locale, Practice, User
from scheduler.roster.models import Assignment, Availability, Proposal
from scheduler.roster.rules import Period, Preference
from tests.factories import House
from tests.support import count_queries
from tests.web.proposals.support import DAY, FIRST, Client, ask, compute


def test_the_review_shows_what_would_change(
    database: Database, client_for: Client, titular: User, lea: User
) -> None:
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    compute(database, proposal_id)
    page = client.get(f"/p/nieul/proposals/{proposal_id}").text
    assert "3 of 4, before: 1" in page
    assert "Proved: no better roster exists" in page
    assert "Accept the whole: 2 days" in page
    assert page.count('name="days"') == 2
    assert "last resort" in page
    assert "Unchanged" in page
    assert "Still to fill" in page
    assert "2 not available" in page
    assert "Ask Léa Fontaine" in page
    assert "Take this day myself" in page


def test_reasons_in_plain_words(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
) -> None:
    licensed = {"qualified": False, "licence_until": dt.date(2026, 11, 15)}
    unlicensed = house.member(
        practice, Role.REPLACEMENT, doctor=licensed, given_name="Marc", family_name="Dubois"
    )
    limited = house.member(
        practice,
        Role.REPLACEMENT,
        doctor={"max_half_days_per_week": 1},
        given_name="Inès",
        family_name="Garcia",
    )
    house.available(unlicensed, FIRST + 3 * DAY)
    house.available(limited, FIRST + 3 * DAY)
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    compute(database, proposal_id)
    page = client.get(f"/p/nieul/proposals/{proposal_id}").text
    assert "Without a valid licence that day: Marc Dubois." in page
    assert "At the limit of the week: Inès Garcia." in page
    assert "Inès Garcia could come with a limit of 1 days a week." in page
    assert "Not available: " in page
    assert "1 at the limit, 1 may not come, 2 not available" in page
    assert "Ask Inès Garcia for 1 day that week" in page
    # Nobody is asked what no yes of theirs would lift.
    assert "Ask Marc Dubois" not in page


def uncovered(database: Database, proposal_id: int, item: dict[str, object]) -> None:
    """Let the engine have said something else of the one need that stays uncovered."""
    with database.transaction() as session:
        proposal = session.get_one(Proposal, proposal_id)
        assert proposal.solution is not None
        (found,) = proposal.solution["uncovered"]
        proposal.solution = {**proposal.solution, "uncovered": [{**found, **item}]}


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ({"level": "uncovered"}, "Free, but then more important days would stay empty: Léa"),
        ({"level": "below_minimum"}, "Free, but then a week would miss its minimum: Léa"),
        ({"level": "changes"}, "Free, but then the roster last shown would change: Léa"),
        ({"level": "last_resort"}, "Free, but only as a last resort: Léa"),
        ({"level": "quality"}, "Free, but then the days would be shared less well: Léa"),
        ({}, "Available, but of more use on another day: Léa"),
        (
            {"instead": ["n2", "n3"]},
            "but would be missing on another day: Wed 2 Dec, Salle 1 · Thu 3 Dec, Salle 1.",
        ),
    ],
)
def test_what_it_would_cost_to_move_somebody(
    database: Database,
    client_for: Client,
    titular: User,
    lea: User,
    reason: dict[str, object],
    sentence: str,
) -> None:
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    compute(database, proposal_id)
    said = {"doctor": f"d{lea.id}", "code": "traded", **reason}
    uncovered(database, proposal_id, {"reasons": [said], "suggestions": []})
    page = client.get(f"/p/nieul/proposals/{proposal_id}").text
    assert "1 of more use elsewhere" in page
    assert sentence in page
    assert "Ask Léa" not in page


def test_the_fewest_are_offered_and_a_titular_last(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
) -> None:
    others = [house.member(practice, Role.REPLACEMENT) for _ in range(3)]
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    compute(database, proposal_id)
    everybody = [{"code": "ask", "doctor": f"d{user.id}"} for user in (titular, lea, *others)]
    uncovered(database, proposal_id, {"suggestions": everybody})
    page = client.get(f"/p/nieul/proposals/{proposal_id}").text
    assert page.count("/asks/new?") == 3
    assert "Take this day myself" not in page
    uncovered(database, proposal_id, {"suggestions": everybody[:3]})
    page = client.get(f"/p/nieul/proposals/{proposal_id}").text
    assert page.index("Ask Léa Fontaine") < page.index("Take this day myself")


def test_questions_stand_beside_the_day(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
    clock: FixedClock,
) -> None:
    hugo = house.member(practice, Role.REPLACEMENT, given_name="Hugo", family_name="Roux")
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    compute(database, proposal_id)
    address = f"/p/nieul/proposals/{proposal_id}"
    page = client.get(address).text
    (offer,) = re.findall(rf'href="(/asks/new[?][^"]*doctor_id={lea.id}&[^"]*)"', page)
    need_id = re.findall(r"need_id=(\d+)", offer)[0]
    assert client.get(html.unescape(offer)).status_code == 200
    for user in (lea, hugo):
        data = {"need_id": need_id, "doctor_id": str(user.id), "proposal_id": str(proposal_id)}
        assert client.post("/asks/", data=data).status_code == 302
    assert "Léa Fontaine was asked just now." in client.get(address).text
    clock.advance(dt.timedelta(hours=2))
    page = client.get(address).text
    assert "Léa Fontaine was asked 2 hours ago." in page
    assert "Ask Léa Fontaine" not in page
    # Ask 1 is Léa's, ask 2 is Hugo's.
    client_for(hugo).post("/asks/2/answer", data={"answer": "no", "words": "En congé"})
    page = client.get(address).text
    assert "Hugo Roux said no just now." in page
    assert "Ask Hugo Roux" not in page
    secretary = client_for(house.member(practice, Role.SECRETARY, locale=Locale.ENGLISH))
    page = secretary.get(address).text
    assert "Léa Fontaine was asked 2 hours ago." in page
    assert "/asks/" not in page
    client_for(lea).post("/asks/1/answer", data={"answer": "yes"})
    page = client.get(address).text
    assert "Léa Fontaine said yes just now." in page
    assert "/asks/new?" not in page


def test_a_past_question_and_a_day_given_back_are_said(
    database: Database,
    client_for: Client,
    titular: User,
    lea: User,
    clock: FixedClock,
) -> None:
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    compute(database, proposal_id)
    address = f"/p/nieul/proposals/{proposal_id}"
    with database.session() as session:
        assignment_id = session.scalars(sa.select(Assignment.id)).one()
    client_for(lea).post(f"/p/nieul/assignments/{assignment_id}/release")
    assert "To fill again since this roster was computed." in client.get(address).text
    need_id = re.findall(r"need_id=(\d+)", client.get(address).text)[0]
    client.post("/asks/", data={"need_id": need_id, "doctor_id": str(lea.id)})
    clock.advance(dt.timedelta(days=20))
    page = client.get(address).text
    assert "Léa Fontaine was asked, and the question lapsed" in page
    assert "/asks/new?" not in page


def test_days_per_doctor_come_in_three_parts(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
) -> None:
    house.assignment(house.need(practice, dt.date(2026, 10, 12), Period.PM), lea)
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    compute(database, proposal_id)
    page = client.get(f"/p/nieul/proposals/{proposal_id}").text
    table = page.partition('<table class="fairness">')[2].partition("</table>")[0]
    row = table.partition('<th scope="row" class="fairness-name">Léa Fontaine</th>')[2]
    cells = [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", row, re.S)]
    assert cells == ["", "Worked lately 0.5", "Given already 1", "Proposed days 2", "3.5 days"]
    widths = re.findall(r'class="is-part-\d" x="([\d.]+)" width="([\d.]+)"', row)
    assert widths == [("0.00", "14.29"), ("14.29", "28.57"), ("42.86", "57.14")]


def test_what_changed_since_the_roster_before(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
    clock: FixedClock,
) -> None:
    client = client_for(titular)
    first = ask(client, period="month")
    compute(database, first)
    address = "/p/nieul/proposals/"
    assert "What changed since" not in client.get(f"{address}{first}").text
    clock.advance(dt.timedelta(days=2))
    second = ask(client, period="month")
    compute(database, second)
    page = client.get(f"{address}{second}").text
    assert "What changed since the roster of 23 Nov" in page
    assert "Nothing has changed." in page
    assert f'href="{address}{first}"' in page
    # Léa gives back a day and cannot come on another; Hugo can come on that and on the fourth.
    hugo = house.member(practice, Role.REPLACEMENT, given_name="Hugo", family_name="Roux")
    house.available(hugo, FIRST + 2 * DAY, FIRST + 3 * DAY, preference=Preference.WANTED)
    with database.transaction() as session:
        session.execute(
            sa.delete(Availability).where(
                Availability.doctor_id == lea.id, Availability.date > FIRST
            )
        )
    third = ask(client, period="month")
    compute(database, third)
    page = client.get(f"{address}{third}").text
    changed = page.partition("What changed since the roster of 25 Nov")[2].partition("</section>")[
        0
    ]
    assert "1 day gained" in changed
    assert "1 day lost" in changed
    assert "1 day with another doctor" in changed
    days = re.findall(r'difference-day">([^<]*)<', changed)
    assert days == ["Fri 4 Dec", "Wed 2 Dec", "Thu 3 Dec"]
    assert client.get(f"{address}{second}").text.count("What changed since the roster of 23") == 1


def test_a_limit_passed_by_the_doctor_s_own_yes_is_no_fault(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
) -> None:
    ines = house.member(practice, Role.REPLACEMENT, doctor={"max_half_days_per_week": 2})
    house.assignment(house.need(practice, FIRST + DAY, room=1), ines)
    extra = house.need(practice, FIRST + 2 * DAY, room=1)
    client = client_for(titular)

    def faults() -> bool:
        proposal_id = ask(client, period="month")
        compute(database, proposal_id)
        page = client.get(f"/p/nieul/proposals/{proposal_id}").text
        return "pass a limit of their doctor" in page

    client.post("/asks/", data={"need_id": str(extra.id), "doctor_id": str(ines.id)})
    client_for(ines).post("/asks/1/answer", data={"answer": "yes"})
    assert not faults()
    # Another day beyond the limit, to which nobody said yes.
    house.assignment(house.need(practice, FIRST + 8 * DAY, room=1), ines)
    house.assignment(house.need(practice, FIRST + 9 * DAY, room=1), ines)
    assert faults()


def test_queries_of_the_review_do_not_grow(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
) -> None:
    client = client_for(titular)

    def queries() -> int:
        proposal_id = ask(client, period="month")
        compute(database, proposal_id)
        address = f"/p/nieul/proposals/{proposal_id}"
        client.get(address)
        with count_queries(database) as statements:
            assert client.get(address).status_code == 200
            assert client.get("/p/nieul/proposals/").status_code == 200
        client.post(f"{address}/discard")
        return len(statements)

    few = queries()
    for number in range(5):
        doctor = house.member(practice, Role.REPLACEMENT)
        house.available(doctor, FIRST + (number + 4) * DAY)
        house.need(practice, FIRST + (number + 4) * DAY, Period.AM, room=1)
        house.need(practice, FIRST + (number + 4) * DAY)
    assert queries() == few
