"""The pages that compare a proposal with one thing changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient

from scheduler import jobs
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Locale, Practice, User
from scheduler.roster import proposal_work, proposals, work
from scheduler.roster.models import Scenario
from scheduler.roster.proposal_work import PROPOSALS
from scheduler.roster.rules import Preference, ProposalState
from scheduler.roster.scenario_work import SCENARIOS
from tests.factories import House
from tests.support import count_queries

Client = Callable[[User | None], FlaskClient]
MONDAY = dt.date(2026, 12, 7)
DAY = dt.timedelta(days=1)
LIMIT = {"kind": "limit", "limit-doctor": "0"}


@dataclass
class Page:
    """The page of a computed proposal, in front of a titular who reads English."""

    client: FlaskClient
    database: Database
    proposal_id: int
    doctor: User
    secretary: User

    @property
    def address(self) -> str:
        return f"/p/nieul/proposals/{self.proposal_id}/scenarios/"

    def text(self) -> str:
        answer = self.client.get(self.address)
        assert answer.status_code == 200
        return answer.text

    def ask(self, **values: str | list[str]) -> int:
        """Ask for a scenario; its number, which counts from one."""
        answer = self.client.post(self.address, data=values)
        assert answer.status_code == 302, answer.text
        with self.database.session() as session:
            return session.query(Scenario).count()

    def compute(self, scenario_id: int) -> None:
        compute(self.database, SCENARIOS, scenario_id)


def compute(database: Database, kind: work.Kind, row_id: int) -> None:
    """What a worker does."""
    with database.transaction() as session:
        ticket = work.take(session, kind, row_id)
        assert ticket is not None
        problem = kind.problem(session, row_id)
    solution = proposal_work.compute(
        problem, seconds=10, workers=1, progress=lambda _: None, should_stop=lambda: False
    )
    with database.transaction() as session:
        assert kind.finish(session, ticket, problem, solution)


@pytest.fixture
def page(house: House, database: Database, client_for: Client) -> Page:
    """Two weeks with two days each; the one doctor comes once a week at the most."""
    practice = house.practice("Salle 1", "Salle 2", slug="nieul", weekly_minimum=2)
    titular = house.member(practice, Role.TITULAR, locale=Locale.ENGLISH)
    secretary = house.member(practice, Role.SECRETARY, locale=Locale.ENGLISH)
    doctor = house.member(
        practice,
        Role.REPLACEMENT,
        given_name="Léa",
        family_name="Fontaine",
        doctor={"max_half_days_per_week": 2},
    )
    days = [MONDAY + (7 * week + day) * DAY for week in range(2) for day in (0, 3)]
    for day in days:
        house.need(practice, day)
    house.available(doctor, *days, preference=Preference.WANTED)
    actor = house.actor(titular)
    with database.transaction() as session:
        row = session.get_one(Practice, practice.id)
        proposal_id = proposals.request_proposal(session, actor, row, MONDAY, MONDAY + 13 * DAY).id
    compute(database, PROPOSALS, proposal_id)
    return Page(client_for(titular), database, proposal_id, doctor, secretary)


def test_the_proposal_leads_there(page: Page) -> None:
    assert page.address in page.client.get(f"/p/nieul/proposals/{page.proposal_id}").text
    text = page.text()
    assert "As it is" in text
    assert "2 of 4<" in text
    assert text.count("scenario-head") == 1


def test_asking_queues_and_nudges(page: Page) -> None:
    huey = jobs.make_huey(page.database)
    # The queue of PostgreSQL is no table of the schema: other tests leave theirs in it.
    huey.storage.flush_queue()
    scenario_id = page.ask(**LIMIT)
    queued = [bytes(data) for data in huey.storage.enqueued_items()]
    huey.storage.flush_queue()
    huey.storage.close()
    assert [f"[{scenario_id}]".encode() in data for data in queued] == [True]
    text = page.text()
    assert "No weekly limit for anybody" in text
    assert "Waiting" in text
    assert 'aria-busy="true"' in text
    part = page.client.get(f"{page.address}compared")
    assert part.status_code == 200
    assert "Waiting" in part.text
    assert "<html" not in part.text
    page.compute(scenario_id)
    done = page.client.get(f"{page.address}compared")
    assert (done.text, done.headers["HX-Redirect"]) == ("", page.address)


def test_what_differs_is_said_in_words(page: Page) -> None:
    page.compute(page.ask(**LIMIT))
    text = " ".join(page.text().split())
    assert "4 of 4<" in text
    assert "+2 better" in text
    # A true minus: no longer anything uncovered.
    assert "\u221236 better" in text
    assert "the same" in text
    assert "Filled in addition</summary>" not in text
    assert "Filled in addition (2)" in text
    assert "No longer filled" not in text
    assert "Proved" in text
    assert 'aria-busy="true"' not in text


def test_each_change_has_its_words(page: Page) -> None:
    page.ask(**{"kind": "room", "room-weekday": "3", "room-period": "day"})
    page.ask(**{"kind": "room", "room-weekday": "5", "room-period": "am"})
    page.ask(**{"kind": "doctor", "doctor-weekdays": ["0", "3"], "doctor-half_days": "0"})
    page.ask(**{"kind": "doctor", "doctor-weekdays": ["3"], "doctor-half_days": "3"})
    page.ask(**{"kind": "limit", "limit-doctor": str(page.doctor.id)})
    text = page.text()
    for words in (
        "One more room every Thursday<",
        "One more room every Saturday (morning)",
        "One more doctor: Mon, Thu<",
        "One more doctor: Thu, at most 1.5 days a week",
        "No weekly limit for Léa Fontaine",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("values", "status", "sentence"),
    [
        ({"kind": "doctor", "doctor-half_days": "0"}, 422, "Choose a day of the week."),
        (
            {"kind": "room", "room-weekday": "9", "room-period": "day"},
            422,
            "Choose one of the options offered.",
        ),
        ({"kind": "limit", "limit-doctor": "999"}, 422, "Choose one of the options offered."),
        ({"kind": "weather"}, 422, "This value cannot be meant."),
        ({}, 422, "This value cannot be meant."),
    ],
)
def test_what_cannot_be_asked(
    page: Page, values: dict[str, str], status: int, sentence: str
) -> None:
    answer = page.client.post(page.address, data=values)
    assert answer.status_code == status
    assert sentence in answer.text


def test_a_day_that_the_period_lacks(
    page: Page, house: House, database: Database, client_for: Client
) -> None:
    with database.transaction() as session:
        proposal = session.get_one(proposals.Proposal, page.proposal_id)
        proposal.end = proposal.start
    answer = page.client.post(
        page.address, data={"kind": "room", "room-weekday": "5", "room-period": "day"}
    )
    assert answer.status_code == 422
    assert "There is no such day in the period" in answer.text
    # What was typed is kept.
    assert '<option selected value="5">' in answer.text


def test_the_same_again_and_too_many(page: Page) -> None:
    page.ask(**LIMIT)
    again = page.client.post(page.address, data=LIMIT)
    assert again.status_code == 409
    assert "This comparison is there already." in again.text
    for weekday in range(5):
        page.ask(**{"kind": "doctor", "doctor-weekdays": str(weekday), "doctor-half_days": "0"})
    text = page.text()
    assert "At most 6 at once." in text
    assert "Change one thing" not in text


def test_nobody_has_a_limit(page: Page, database: Database) -> None:
    with database.transaction() as session:
        proposal = session.get_one(proposals.Proposal, page.proposal_id)
        assert proposal.problem is not None
        doctors = [{**row, "max_days_per_week": None} for row in proposal.problem["doctors"]]
        proposal.problem = {**proposal.problem, "doctors": doctors}
    assert "No doctor has a limit of days a week in this proposal." in page.text()


def test_stop_try_again_delete(page: Page) -> None:
    scenario_id = page.ask(**LIMIT)

    def act(name: str) -> str:
        answer = page.client.post(f"/p/nieul/scenarios/{scenario_id}/{name}")
        assert answer.status_code == 302
        assert answer.location == f"{page.address}#compared"
        return page.text()

    text = act("cancel")
    assert "Cancelled" in text
    assert "Try again" in text
    assert "Waiting" in act("retry")
    with page.database.transaction() as session:
        ticket = work.take(session, SCENARIOS, scenario_id)
        assert ticket is not None
        work.report(session, ticket, {"fraction": 0.4})
    text = page.text()
    assert "Being computed" in text
    assert "40 %" in text
    assert "Stopping" in act("cancel")
    with page.database.transaction() as session:
        assert work.fail(session, ticket, work.INTERRUPTED)
    assert "The computation was interrupted three times." in page.text()
    assert "No weekly limit for anybody" not in act("delete")
    assert page.client.post(f"/p/nieul/scenarios/{scenario_id}/delete").status_code == 404


def test_an_unforeseen_failure_has_a_sentence(page: Page) -> None:
    scenario_id = page.ask(**LIMIT)
    with page.database.transaction() as session:
        ticket = work.take(session, SCENARIOS, scenario_id)
        assert ticket is not None
        assert work.fail(session, ticket, work.UNEXPECTED)
    assert "Something went wrong on our side." in page.text()


def test_a_secretary_reads(page: Page, client_for: Client) -> None:
    page.compute(page.ask(**LIMIT))
    text = client_for(page.secretary).get(page.address).text
    assert "4 of 4<" in text
    assert "Change one thing" not in text
    assert "/delete" not in text


def test_a_proposal_without_a_roster_has_no_comparison(page: Page, database: Database) -> None:
    with database.transaction() as session:
        proposal = session.get_one(proposals.Proposal, page.proposal_id)
        proposal.state = ProposalState.FAILED
        proposal.solution = None
    assert page.client.get(page.address).status_code == 404


def test_queries_do_not_grow_with_scenarios(page: Page) -> None:
    def queries() -> int:
        with count_queries(page.database) as statements:
            page.text()
        return len(statements)

    page.compute(page.ask(**LIMIT))
    few = queries()
    for weekday in range(3):
        values = {"kind": "doctor", "doctor-weekdays": str(weekday), "doctor-half_days": "0"}
        page.compute(page.ask(**values))
    assert queries() == few
