"""The pages of invitations by mail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from scheduler.calendars.invitations.following import follow_need
from scheduler.calendars.models import CalendarInvitation, Ending
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.notify.models import NotifyChoice
from scheduler.notify.rules import Group
from scheduler.people.models import Locale, Practice, User
from scheduler.roster import claiming, holding
from scheduler.roster.models import Need, Proposal, ProposalLine
from scheduler.roster.rules import AssignmentSource, Preference, ProposalState
from tests.factories import House
from tests.support import count_queries

Client = Callable[[User | None], FlaskClient]
ADDRESS = "/p/nieul/calendar-invitations/"
DAY = dt.timedelta(days=1)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return Settings(
        database_url=settings.database_url,
        secret_key=settings.secret_key,
        reply_address="relais@example.org",
    )


@dataclass
class Pages:
    """The pages of a practice with two open days and two doctors, before a titular who reads
    English."""

    house: House
    client: FlaskClient
    practice: Practice
    titular: User
    secretary: User
    willing: User
    silent: User
    needs: list[Need]

    def text(self, address: str = ADDRESS, client: FlaskClient | None = None) -> str:
        answer = (client or self.client).get(address)
        assert answer.status_code == 200
        return " ".join(answer.text.split())

    def send(self, *pairs: tuple[Need, User], follow: bool = True) -> tuple[int, str]:
        data = {"pair": [f"{need.id}-{user.id}" for need, user in pairs]}
        answer = self.client.post(ADDRESS, data=data, follow_redirects=follow)
        return answer.status_code, " ".join(answer.text.split())

    def invitations(self) -> list[CalendarInvitation]:
        with self.house.database.session() as session:
            return list(
                session.scalars(sa.select(CalendarInvitation).order_by(CalendarInvitation.id))
            )


@pytest.fixture
def pages(house: House, client_for: Client) -> Pages:
    practice = house.practice(slug="nieul")
    titular = house.member(practice, Role.TITULAR, locale=Locale.ENGLISH)
    secretary = house.member(practice, Role.SECRETARY, locale=Locale.ENGLISH)
    willing = house.member(practice, Role.REPLACEMENT, given_name="Léa", family_name="Test")
    silent = house.member(practice, Role.REPLACEMENT, given_name="Paul", family_name="Test")
    needs = [house.need(practice, house.today + offset * DAY) for offset in (1, 2)]
    house.available(willing, needs[0].date, preference=Preference.WANTED)
    return Pages(house, client_for(titular), practice, titular, secretary, willing, silent, needs)


def test_an_empty_page_says_what_to_do(pages: Pages) -> None:
    text = pages.text()
    assert "Nobody is invited to a coming day" in text
    assert "Invite doctors" in text


def test_days_are_chosen_first(pages: Pages) -> None:
    text = pages.text(f"{ADDRESS}new")
    assert all(f'name="need" value="{need.id}"' in text for need in pages.needs)
    assert "Send the invitations" not in text


def test_whoever_could_come_is_offered_and_who_said_so_is_ticked(pages: Pages) -> None:
    first, second = pages.needs
    text = pages.text(f"{ADDRESS}new?need={first.id}&need={second.id}")
    said = f'name="pair" value="{first.id}-{pages.willing.id}" checked'
    assert said in text
    for need, doctor in ((second, pages.willing), (first, pages.silent), (second, pages.silent)):
        assert f'name="pair" value="{need.id}-{doctor.id}">' in text
    assert f'value="{first.id}-{pages.titular.id}"' not in text


def test_the_page_of_who_could_come_leads_here(pages: Pages) -> None:
    (need, _other) = pages.needs
    assert f"{ADDRESS}new?need={need.id}" in pages.text(f"/p/nieul/needs/{need.id}/candidates")


def test_invitations_are_sent_and_shown(pages: Pages) -> None:
    first, second = pages.needs
    status, text = pages.send(
        (first, pages.willing), (first, pages.silent), (second, pages.willing)
    )
    assert status == 200
    assert "3 invitations are on their way" in text
    assert text.count("No answer yet") == 3
    assert [row.invited_by for row in pages.invitations()] == [pages.titular.id] * 3
    text = pages.text(f"{ADDRESS}new?need={first.id}")
    assert f'value="{first.id}-{pages.willing.id}"' not in text
    assert "Invited" in text


def test_who_could_not_come_is_told_apart(pages: Pages) -> None:
    first, _second = pages.needs
    elsewhere = pages.house.practice()
    pages.house.member(elsewhere, Role.REPLACEMENT, pages.willing)
    pages.house.assignment(pages.house.need(elsewhere, first.date), pages.willing)
    _status, text = pages.send((first, pages.willing), (first, pages.silent))
    assert "1 invitation is on its way" in text
    assert "Léa Test is not invited to" in text


@pytest.mark.parametrize("pair", ["", "1", "1-", "a-b", "-1-2", "1-99999999999999"])
def test_what_is_no_pair_invites_nobody(pages: Pages, pair: str) -> None:
    answer = pages.client.post(ADDRESS, data={"pair": pair})
    assert answer.status_code == 422
    assert "Tick at least one doctor and one day." in answer.text
    assert pages.invitations() == []


def test_days_and_doctors_of_another_practice_are_not_found(pages: Pages) -> None:
    there = pages.house.practice()
    need = pages.house.need(there, pages.house.today + DAY)
    stranger = pages.house.member(there, Role.REPLACEMENT)
    first, _second = pages.needs
    assert pages.send((need, pages.willing), follow=False)[0] == 404
    assert pages.send((first, stranger), follow=False)[0] == 404


def test_who_wants_no_mail_is_not_offered(pages: Pages) -> None:
    with pages.house.database.transaction() as session:
        session.add(
            NotifyChoice(
                user_id=pages.willing.id,
                group=Group.QUESTIONS,
                email=False,
                sms=False,
                push=True,
                digest=False,
            )
        )
    first, _second = pages.needs
    text = pages.text(f"{ADDRESS}new?need={first.id}")
    assert "no e-mail wanted" in text
    assert f'value="{first.id}-{pages.willing.id}" disabled' in text


def test_a_proposal_offers_its_own_days_to_its_own_doctors(pages: Pages) -> None:
    first, second = pages.needs
    with pages.house.database.transaction() as session:
        proposal = Proposal(
            practice_id=pages.practice.id,
            start=first.date,
            end=second.date,
            state=ProposalState.READY,
            requested_by=pages.titular.id,
            requested_at=session.now(),
        )
        proposal.lines = [ProposalLine(need_id=second.id, doctor_id=pages.silent.id)]
        session.add(proposal)
        session.flush()
        number = proposal.id
    text = pages.text(f"{ADDRESS}new?proposal={number}")
    assert f'name="pair" value="{second.id}-{pages.silent.id}" checked' in text
    assert f'name="pair" value="{second.id}-{pages.willing.id}">' in text
    assert f'name="pair" value="{first.id}-' not in text
    assert pages.client.get(f"{ADDRESS}new?proposal=99").status_code == 404


def test_queries_do_not_grow_with_invitations(pages: Pages) -> None:
    first, second = pages.needs
    pages.send((first, pages.willing))
    with count_queries(pages.house.database) as few:
        pages.text()
    more = [pages.house.member(pages.practice, Role.REPLACEMENT) for _ in range(4)]
    pages.send(*((need, doctor) for need in (first, second) for doctor in more))
    # What was said once is not said again.
    pages.text()
    with count_queries(pages.house.database) as many:
        pages.text()
    assert len(many) <= len(few)


def test_withdrawing_asks_nothing_and_ends_it(pages: Pages) -> None:
    first, _second = pages.needs
    pages.send((first, pages.willing))
    (row,) = pages.invitations()
    answer = pages.client.post(f"{ADDRESS}{row.id}/withdraw", follow_redirects=True)
    assert "The invitation is withdrawn." in answer.text
    assert pages.invitations()[0].ending is Ending.WITHDRAWN


def test_who_lost_a_day_that_is_open_again_is_invited_again_at_one_press(pages: Pages) -> None:
    first, _second = pages.needs
    pages.send((first, pages.willing), (first, pages.silent))
    with pages.house.database.transaction() as session:
        taken = claiming.claim(session, pages.house.actor(pages.willing), first.id)
        follow_need(session, first.id)
    assert "Somebody else has the day" in pages.text()
    assert "Invite again" not in pages.text()
    with pages.house.database.transaction() as session:
        claiming.undo(session, pages.house.actor(pages.willing), taken.id)
    text = pages.text()
    assert "Somebody else has the day" not in text
    assert "Ended while the day was taken" in text
    assert "Invite again" in text
    assert f'value="{first.id}-{pages.silent.id}"' in text
    _status, text = pages.send((first, pages.silent))
    assert "No answer yet" in text
    # The earlier one is history: each doctor stands there once.
    assert text.count(pages.silent.name) == 1
    assert "Invite again" not in text


def test_an_answered_invitation_is_not_withdrawn(pages: Pages) -> None:
    first, _second = pages.needs
    pages.send((first, pages.willing))
    (row,) = pages.invitations()
    with pages.house.database.transaction() as session:
        taken = claiming.claim(session, pages.house.actor(pages.willing), first.id)
        session.get_one(CalendarInvitation, row.id).assignment_id = taken.id
    answer = pages.client.post(f"{ADDRESS}{row.id}/withdraw")
    assert answer.status_code == 409
    assert "the invitation is answered" in answer.text


def test_the_secretary_reads_and_sends_nothing(pages: Pages, client_for: Client) -> None:
    first, _second = pages.needs
    pages.send((first, pages.willing))
    text = pages.text(client=client_for(pages.secretary))
    assert "Léa Test" in text
    assert "Withdraw" not in text
    assert "Invite doctors" not in text


def test_a_doctor_for_whom_a_day_is_held_says_yes_on_its_page(
    pages: Pages, client_for: Client
) -> None:
    first, _second = pages.needs
    actor = pages.house.actor(pages.willing)
    with pages.house.database.transaction() as session:
        session.get_one(User, pages.willing.id).locale = Locale.ENGLISH
        source = AssignmentSource.INVITATION
        holding.hold_tentatively(session, actor, first.id, source=source)
    client = client_for(pages.willing)
    page = f"/p/nieul/needs/{first.id}"
    assert "Yes, I come" in pages.text(page, client)
    assert "Confirm" not in pages.text(page)
    answer = client.post(f"{page}/claim", follow_redirects=True)
    assert "is yours. Thank you." in answer.text


def test_without_an_address_for_the_answers_nothing_is_sent(
    house: House, app: object, client_for: Client, pages: Pages
) -> None:
    app.extensions["relais.settings"] = Settings(secret_key="k" * 32)  # type: ignore[attr-defined]
    assert "RELAIS_REPLY_ADDRESS" in pages.text()
    first, _second = pages.needs
    status, text = pages.send((first, pages.willing))
    assert status == 422
    assert "There is no address yet" in text
    assert pages.invitations() == []
