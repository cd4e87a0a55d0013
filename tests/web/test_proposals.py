"""The pages of proposals: asking, watching, reviewing, deciding."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from scheduler import jobs
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Locale, Practice, User
from scheduler.roster import proposal_work
from scheduler.roster.models import Assignment, Proposal, ProposalLine
from scheduler.roster.problem import build_problem
from scheduler.roster.rules import LineState, Period, Preference, ProposalState
from tests.factories import House
from tests.support import count_queries

Client = Callable[[User | None], FlaskClient]
FIRST = dt.date(2026, 12, 1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", "Salle 2", slug="nieul", weekly_minimum=1)


@pytest.fixture
def titular(house: House, practice: Practice) -> User:
    return house.member(practice, Role.TITULAR, locale=Locale.ENGLISH)


@pytest.fixture
def lea(house: House, practice: Practice) -> User:
    """A doctor who can come on three days; of four to fill, one is hers already."""
    user = house.member(practice, Role.REPLACEMENT, given_name="Léa", family_name="Fontaine")
    house.available(user, FIRST, FIRST + DAY)
    house.available(user, FIRST + 2 * DAY, preference=Preference.LAST_RESORT)
    needs = [house.need(practice, FIRST + number * DAY) for number in range(4)]
    house.assignment(needs[0], user)
    return user


def ask(client: FlaskClient, **values: str) -> int:
    answer = client.post("/p/nieul/proposals/", data=values)
    assert answer.status_code == 302, answer.text
    return int(answer.location.rpartition("/")[2])


def compute(database: Database, proposal_id: int) -> None:
    """What a worker does."""
    with database.transaction() as session:
        ticket = proposal_work.take(session, proposal_id)
        assert ticket is not None
        proposal = session.get_one(Proposal, proposal_id)
        practice = session.get_one(Practice, proposal.practice_id)
        problem = build_problem(session, practice, proposal.start, proposal.end)
    solution = proposal_work.compute(
        problem, seconds=10, workers=1, progress=lambda _: None, should_stop=lambda: False
    )
    with database.transaction() as session:
        assert proposal_work.finish(session, ticket, problem, solution)


def read(database: Database, proposal_id: int) -> Proposal:
    with database.session() as session:
        return session.get_one(Proposal, proposal_id)


def change(database: Database, proposal_id: int, **values: object) -> None:
    with database.transaction() as session:
        session.execute(sa.update(Proposal).where(Proposal.id == proposal_id).values(**values))


def lines(database: Database) -> list[LineState]:
    with database.session() as session:
        return list(session.scalars(sa.select(ProposalLine.state).order_by(ProposalLine.need_id)))


def test_asking_queues_and_nudges(
    database: Database, client_for: Client, titular: User, lea: User
) -> None:
    client = client_for(titular)
    assert "No proposal yet" in client.get("/p/nieul/proposals/").text
    proposal_id = ask(client, period="month")
    proposal = read(database, proposal_id)
    assert (proposal.start, proposal.end) == (FIRST, dt.date(2026, 12, 31))
    huey = jobs.make_huey(database)
    queued = [
        data for data in huey.storage.enqueued_items() if f"[{proposal_id}]".encode() in bytes(data)
    ]
    huey.storage.flush_queue()
    huey.storage.close()
    assert queued
    page = client.get("/p/nieul/proposals/").text
    assert "A proposal is being computed" in page
    assert "Compute a proposal" not in page


def test_usual_periods_and_dates(
    database: Database, client_for: Client, titular: User, lea: User
) -> None:
    client = client_for(titular)
    proposal = read(database, ask(client, period="quarter"))
    assert (proposal.start, proposal.end) == (FIRST, dt.date(2027, 2, 28))
    client.post(f"/p/nieul/proposals/{proposal.id}/cancel")
    proposal = read(database, ask(client, period="custom", start="2026-12-02", end="2026-12-03"))
    assert (proposal.start, proposal.end) == (FIRST + DAY, FIRST + 2 * DAY)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"period": "custom"}, "Give a date."),
        ({"period": "custom", "start": "soon", "end": "2026-12-01"}, "soon"),
        (
            {"period": "custom", "start": "2026-12-09", "end": "2026-12-01"},
            "The last day comes before the first.",
        ),
        (
            {"period": "custom", "start": "2026-10-09", "end": "2026-11-01"},
            "Only days from tomorrow on can be planned.",
        ),
        (
            {"period": "custom", "start": "2026-12-01", "end": "2027-12-01"},
            "At most 6 months at once.",
        ),
        (
            {"period": "custom", "start": "2027-03-01", "end": "2027-03-02"},
            "Nothing is to fill",
        ),
        (
            {"period": "custom", "start": "9999-12-30", "end": "9999-12-31"},
            "Nothing can be published after Thu 22 Nov 2029.",
        ),
        (
            {"period": "custom", "start": "0001-01-01", "end": "0001-01-02"},
            "Only days from tomorrow on can be planned.",
        ),
        (
            {"period": "custom", "start": "0001-01-01", "end": "9999-12-31"},
            "At most 6 months at once.",
        ),
        ({"period": "century"}, "Not a valid choice"),
    ],
)
def test_a_period_that_cannot_be_meant(
    client_for: Client, titular: User, lea: User, values: dict[str, str], sentence: str
) -> None:
    answer = client_for(titular).post("/p/nieul/proposals/", data=values)
    assert answer.status_code == 422
    assert sentence in answer.text
    for name in ("start", "end"):
        if name in values:
            assert f'value="{values[name]}"' in answer.text


def test_two_requests_are_one_too_many(client_for: Client, titular: User, lea: User) -> None:
    client = client_for(titular)
    ask(client, period="month")
    answer = client.post("/p/nieul/proposals/", data={"period": "month"})
    assert answer.status_code == 409
    assert "Another proposal is being computed" in answer.text


def test_progress_is_shown_and_asked_for(
    database: Database, client_for: Client, titular: User, lea: User, clock: FixedClock
) -> None:
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    address = f"/p/nieul/proposals/{proposal_id}"
    assert "Waiting for its turn" in client.get(address).text
    change(
        database,
        proposal_id,
        state=ProposalState.RUNNING,
        started_at=clock.now() - dt.timedelta(seconds=12),
        heartbeat_at=clock.now(),
        attempt=2,
        progress={"stage": "uncovered", "fraction": 0.43, "covered": 0.999},
    )
    for page in (client.get(address).text, client.get(f"{address}/progress").text):
        assert "Filling as many days as possible" in page
        assert 'value="43"' in page
        assert "about 99% of the open days filled" in page
        assert "12 s" in page
        assert f'hx-get="{address}/progress"' in page
    assert 'http-equiv="refresh"' in client.get(address).text
    client.post(f"{address}/cancel")
    assert "Stopping" in client.get(address).text
    assert f'action="{address}/cancel"' not in client.get(address).text


@pytest.mark.parametrize(
    ("seconds", "attempt", "seen", "unseen"),
    [
        (9, 1, "Filling as many days as possible", "interrupted"),
        (10, 1, "The computation was interrupted", "Filling as many days as possible"),
        (10, 1, "It will be taken up again by itself", "Running for"),
        (10, 3, "The computation was interrupted", "taken up again"),
    ],
)
def test_a_worker_that_fell_silent_is_said(
    database: Database,
    client_for: Client,
    titular: User,
    lea: User,
    clock: FixedClock,
    seconds: int,
    attempt: int,
    seen: str,
    unseen: str,
) -> None:
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    change(
        database,
        proposal_id,
        state=ProposalState.RUNNING,
        started_at=clock.now(),
        heartbeat_at=clock.now(),
        attempt=attempt,
        progress={"stage": "uncovered", "fraction": 0.43, "covered": 0.999},
    )
    clock.advance(dt.timedelta(seconds=seconds))
    address = f"/p/nieul/proposals/{proposal_id}"
    for page in (client.get(address).text, client.get(f"{address}/progress").text):
        assert seen in page
        assert unseen not in page
    client.post(f"{address}/cancel")
    page = client.get(address).text
    assert "Stopping" in page
    assert "interrupted" not in page


def test_the_end_of_the_work_opens_the_review(
    database: Database, client_for: Client, titular: User, lea: User
) -> None:
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    compute(database, proposal_id)
    answer = client.get(f"/p/nieul/proposals/{proposal_id}/progress")
    assert answer.headers["HX-Redirect"] == f"/p/nieul/proposals/{proposal_id}"


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
    assert "To ask first, since no rule forbids it" in page
    assert "3 days" in page
    assert "2 of them proposed" in page


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


def test_accepting_the_whole(
    database: Database, client_for: Client, titular: User, lea: User
) -> None:
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    compute(database, proposal_id)
    address = f"/p/nieul/proposals/{proposal_id}"
    answer = client.post(f"{address}/accept", data={"all": "1"}, follow_redirects=True)
    assert "2 days accepted. The doctors are told." in answer.text
    assert "2 days of this proposal are accepted." in answer.text
    assert f"Decided by {titular.name}." in answer.text
    assert 'name="days"' not in answer.text
    again = client.post(f"{address}/accept", data={"all": "1"})
    assert again.status_code == 409
    assert f"{titular.name} has decided on this proposal already." in again.text


def test_accepting_the_ticked_days(
    database: Database, client_for: Client, titular: User, lea: User
) -> None:
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    compute(database, proposal_id)
    address = f"/p/nieul/proposals/{proposal_id}"
    answer = client.post(f"{address}/accept", follow_redirects=True)
    assert "Choose at least one day." in answer.text
    client.post(f"{address}/accept", data={"days": ["2026-12-03", "nonsense"]})
    assert lines(database) == [LineState.PROPOSED, LineState.ACCEPTED]
    assert "Accept the whole: 1 day" in client.get(address).text
    assert client.post(f"{address}/accept", data={"days": "2026-12-03"}).status_code == 422
    client.post(f"{address}/discard")
    assert lines(database) == [LineState.DECLINED, LineState.ACCEPTED]
    assert "Not accepted" in client.get(address).text


def test_a_day_taken_meanwhile_is_said(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
) -> None:
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    compute(database, proposal_id)
    hugo = house.member(practice, Role.REPLACEMENT, given_name="Hugo", family_name="Roux")
    with database.session() as session:
        line = session.scalars(sa.select(ProposalLine).order_by(ProposalLine.id)).first()
        assert line is not None
        need = session.get_one(type(line).need.property.mapper.class_, line.need_id)
    house.assignment(need, hugo)
    address = f"/p/nieul/proposals/{proposal_id}"
    assert "Hugo Roux has it meanwhile." in client.get(address).text
    answer = client.post(f"{address}/accept", data={"all": "1"}, follow_redirects=True)
    assert "1 day could not be given any more." in answer.text
    assert "Hugo Roux was first" in answer.text
    with database.session() as session:
        stands = session.scalars(sa.select(Assignment).where(Assignment.need_id == need.id)).one()
    assert stands.doctor_id == hugo.id


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        ("interrupted", "The computation was interrupted three times."),
        ("unexpected", "Something went wrong on our side."),
    ],
)
def test_a_failure_can_be_tried_again(
    database: Database, client_for: Client, titular: User, lea: User, failure: str, sentence: str
) -> None:
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    change(database, proposal_id, state=ProposalState.FAILED, failure=failure, attempt=3)
    address = f"/p/nieul/proposals/{proposal_id}"
    assert sentence in client.get(address).text
    assert client.post(f"{address}/retry").location == address
    assert read(database, proposal_id).state is ProposalState.QUEUED


def test_what_is_over_cannot_be_tried_again(
    database: Database, client_for: Client, titular: User, lea: User
) -> None:
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    past = dt.date(2026, 11, 2)
    change(database, proposal_id, state=ProposalState.FAILED, start=past, end=past)
    answer = client.post(f"/p/nieul/proposals/{proposal_id}/retry", follow_redirects=True)
    assert "These days are over." in answer.text


def test_a_secretary_sees_and_does_not_act(
    house: House,
    database: Database,
    client_for: Client,
    practice: Practice,
    titular: User,
    lea: User,
) -> None:
    proposal_id = ask(client_for(titular), period="month")
    client = client_for(house.member(practice, Role.SECRETARY, locale=Locale.ENGLISH))
    address = f"/p/nieul/proposals/{proposal_id}"
    assert "/cancel" not in client.get(address).text
    compute(database, proposal_id)
    page = client.get(address).text
    assert "Day by day" in page
    assert "<button" not in page.partition("<main")[2].partition("</main>")[0]
    assert 'name="period"' not in client.get("/p/nieul/proposals/").text
    for act in ("cancel", "retry", "accept", "discard"):
        answer = client.post(f"{address}/{act}", data={"all": "1"})
        assert answer.status_code == 403, act
    assert client.post("/p/nieul/proposals/", data={"period": "month"}).status_code == 403


def test_others_do_not_see(
    house: House, database: Database, client_for: Client, titular: User, lea: User
) -> None:
    proposal_id = ask(client_for(titular), period="month")
    assert client_for(lea).get("/p/nieul/proposals/").status_code == 403
    assert client_for(lea).get(f"/p/nieul/proposals/{proposal_id}").status_code == 403
    other = house.practice(slug="autre")
    stranger = client_for(house.member(other, Role.TITULAR))
    assert stranger.get(f"/p/nieul/proposals/{proposal_id}").status_code == 404
    # Through the door of a practice of one's own.
    assert stranger.get(f"/p/autre/proposals/{proposal_id}").status_code == 404
    assert stranger.post(f"/p/autre/proposals/{proposal_id}/cancel").status_code == 404
    assert client_for(titular).get("/p/nieul/proposals/99").status_code == 404


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
