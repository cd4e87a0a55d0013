"""The pages of proposals: asking, watching, deciding."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from scheduler import jobs
from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Locale, Practice, User
from scheduler.roster.models import Assignment, ProposalLine
from scheduler.roster.rules import LineState, ProposalState
from tests.factories import House
from tests.web.proposals.support import DAY, FIRST, Client, ask, change, compute, lines, read


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
        ({"period": "century"}, "Choose one of the options offered."),
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
        progress={
            "stage": "uncovered",
            "fraction": 0.43,
            "filled": 98,
            "needs": 110,
            "impossible": 3,
            "points": [
                ["below_minimum", 0.2, 1, 1],
                ["uncovered", 0.5, 40, None],
                ["uncovered", 1.5, 30, 12],
                ["uncovered", 2.5, 27, 18],
            ],
        },
    )
    for page in (client.get(address).text, client.get(f"{address}/progress").text):
        assert "Filling as many days as possible" in page
        assert 'value="43"' in page
        assert "98 of 110 open days filled." in page
        assert "For 3 of the others nothing better is possible." in page
        assert "Securing the minimum of every week · <strong>proved</strong>" in page
        assert "Best found: 27" in page
        assert "Proved: not below 18" in page
        assert "After 2.5 s the best found went from 40 to 27." in page
        assert "12 s" in page
        assert f'hx-get="{address}/progress"' in page
    assert 'http-equiv="refresh"' in client.get(address).text
    client.post(f"{address}/cancel")
    assert "Stopping" in client.get(address).text
    assert f'action="{address}/cancel"' not in client.get(address).text


@pytest.mark.parametrize(
    ("stage", "last", "proved", "best"),
    [
        ("start", None, 0, 0),
        ("below_minimum", None, 0, 0),
        ("changes", None, 2, 0),
        ("changes", ["changes", 1, 4, 2], 2, 0),
        ("end", ["quality", 1, 4, 4], 5, 0),
        ("end", ["quality", 1, 4, 2], 4, 1),
        ("end", ["uncovered", 1, 4, None], 1, 1),
        ("end", None, 5, 0),
    ],
)
def test_the_levels_that_are_done_are_told(
    database: Database,
    client_for: Client,
    titular: User,
    lea: User,
    clock: FixedClock,
    stage: str,
    last: list[object] | None,
    proved: int,
    best: int,
) -> None:
    client = client_for(titular)
    proposal_id = ask(client, period="month")
    change(
        database,
        proposal_id,
        state=ProposalState.RUNNING,
        started_at=clock.now(),
        heartbeat_at=clock.now(),
        progress={"stage": stage, "fraction": 0.5, "points": [last] if last else []},
    )
    page = client.get(f"/p/nieul/proposals/{proposal_id}").text
    assert page.count("<strong>proved</strong>") == proved
    assert page.count("<strong>the best found in time</strong>") == best
    assert page.count('role="img"') == (1 if last else 0)


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
        progress={"stage": "uncovered", "fraction": 0.43},
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
    assert 'name="days"' not in page
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
