"""Letters about days that change hands: written from what the services post, in both languages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core.outbox import Letter, OutboxMessage
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.notify import composer
from scheduler.people.models import HoldOutcome, Locale, Practice, User
from scheduler.roster import absences, claiming, holding, releasing, swaps, takeovers
from scheduler.roster.models import Assignment
from scheduler.roster.rules import AssignmentState
from tests.factories import House

DAY = dt.timedelta(days=1)
BASE = "https://relais.example.org"


class Correspondence:
    """A practice whose people all read one language, and the letters that they get."""

    def __init__(self, house: House, locale: Locale) -> None:
        self.house = house
        self.practice: Practice = house.practice("Salle 1", slug="nieul", name="Cabinet de Nieul")
        self.titular = self._member(Role.TITULAR, "Anne", "Petit", locale)
        self.secretary = self._member(Role.SECRETARY, "Sylvie", "Rabiller", locale)
        self.lea = self._member(Role.REPLACEMENT, "Léa", "Fontaine", locale)
        self.hugo = self._member(Role.REPLACEMENT, "Hugo", "Roux", locale)

    def _member(self, role: Role, given: str, family: str, locale: Locale) -> User:
        return self.house.member(
            self.practice, role, given_name=given, family_name=family, locale=locale
        )

    def day(self, offset: int, **values: Any) -> Assignment:
        need = self.house.need(self.practice, self.house.today + offset * DAY)
        return self.house.assignment(need, self.lea, **values)

    def do(self, who: User, use_case: Any, *arguments: Any, **options: Any) -> Any:
        actor = self.house.actor(who)
        with self.house.database.transaction() as session:
            return use_case(session, actor, *arguments, **options)

    def letters(self, kind: str) -> dict[str, Letter]:
        """What each recipient of a kind reads, by given name; all of them lead somewhere."""
        compose = composer(Settings(base_url=BASE))
        with self.house.database.session() as session:
            statement = sa.select(OutboxMessage).where(OutboxMessage.kind == kind)
            found = [compose(session, message) for message in session.scalars(statement)]
        assert found, f"nobody is told of {kind}"
        assert all(f"{BASE}/p/nieul/" in letter.text for letter in found)
        # A letter says « you » to its reader, and never speaks of them as of somebody else.
        assert not [one.subject for one in found if one.to_name in one.subject + one.text]
        return {letter.to_name.split()[0]: letter for letter in found}


@pytest.fixture(params=list(Locale))
def post(request: pytest.FixtureRequest, house: House) -> Correspondence:
    return Correspondence(house, request.param)


@pytest.fixture
def english(house: House) -> Correspondence:
    return Correspondence(house, Locale.ENGLISH)


def test_offers_and_what_comes_of_them(post: Correspondence) -> None:
    day, other = post.day(20), post.day(21)
    theirs = post.house.assignment(
        post.house.need(post.practice, post.house.today + 22 * DAY), post.hugo
    )
    swap = post.do(post.lea, swaps.offer, day.id, to_doctor_id=post.hugo.id, return_id=theirs.id)
    post.do(post.hugo, swaps.take, swap.id)
    post.do(post.hugo, swaps.untake, swap.id)
    for answer, by in ((swaps.decline, post.hugo), (swaps.withdraw, post.lea)):
        again = post.do(post.lea, swaps.offer, other.id, to_doctor_id=post.hugo.id)
        post.do(by, answer, again.id)
    assert set(post.letters("swap.offered")) == {"Hugo"}
    assert set(post.letters("swap.taken")) == {"Léa", "Anne"}
    assert set(post.letters("swap.untaken")) == {"Léa", "Anne"}
    assert set(post.letters("swap.declined")) == {"Léa"}
    assert set(post.letters("swap.withdrawn")) == {"Hugo"}


def test_what_titulars_decide(post: Correspondence) -> None:
    confirmed, refused = (post.day(offset, state=AssignmentState.HELD) for offset in (20, 21))
    post.do(post.titular, holding.confirm, confirmed.id)
    post.do(post.titular, holding.refuse, refused.id, "Fermé ce jour-là")
    with post.house.database.transaction() as session:
        session.execute(sa.update(Practice).values(lock_days=7))
    granted, kept = post.day(3), post.day(4)
    for day, answer in ((granted, releasing.grant), (kept, releasing.refuse_request)):
        asked = post.do(post.lea, releasing.request_release, day.id, "Un deuil")
        post.do(post.titular, answer, asked.id)
    for kind in (
        "assignment.confirmed",
        "assignment.refused",
        "release.granted",
        "release.refused",
    ):
        assert set(post.letters(kind)) == {"Léa"}
    requested = post.letters("release.requested")
    assert set(requested) == {"Anne"}
    assert "Un deuil" not in requested["Anne"].text
    assert f"{BASE}/p/nieul/decisions/" in requested["Anne"].text


def test_emergencies(post: Correspondence) -> None:
    absent = post.day(0)
    post.do(post.secretary, absences.declare, absent.id, "Grippe")
    assert set(post.letters("absence.declared")) == {"Léa", "Anne"}
    assert "Grippe" not in post.letters("absence.declared")["Anne"].text
    post.do(post.secretary, absences.end, absent.id)
    assert set(post.letters("absence.ended")) == {"Léa", "Anne"}
    taken = post.do(post.hugo, takeovers.take_over, post.day(1).id, "Malade")
    assert set(post.letters("day.taken_over")) == {"Léa", "Anne", "Sylvie"}
    post.do(post.lea, takeovers.untake_over, taken.id)
    assert set(post.letters("day.returned")) == {"Hugo", "Anne", "Sylvie"}


def test_a_day_lost_and_filled(post: Correspondence) -> None:
    lost = post.day(1)
    post.do(post.lea, absences.declare, lost.id)
    post.do(post.hugo, claiming.claim, lost.need_id)
    filled = post.letters("absence.filled")
    assert set(filled) == {"Léa", "Anne", "Sylvie"}
    assert all("Hugo Roux" in letter.subject for letter in filled.values())
    assert filled["Léa"].text.splitlines()[-1] != filled["Anne"].text.splitlines()[-1]


def test_a_day_given_back_on_the_day_itself(post: Correspondence) -> None:
    post.do(post.lea, releasing.release, post.day(0).id)
    assert {"Anne", "Sylvie", "Hugo"} <= set(post.letters("assignment.emergency"))


def test_a_held_day_whose_time_is_over(english: Correspondence) -> None:
    with english.house.database.transaction() as session:
        session.get_one(Practice, english.practice.id).hold_outcome = HoldOutcome.FREE
    english.day(20, state=AssignmentState.HELD, held_until=english.house.database.clock.now())
    with english.house.database.transaction() as session:
        assert holding.expire_held(session) == 1
    assert "you are not expected" in english.letters("assignment.freed")["Léa"].text


def test_what_a_secretary_gave_back_reads_as_asked(english: Correspondence) -> None:
    english.do(english.secretary, releasing.release, english.day(20).id, on_behalf=True)
    found = english.letters("assignment.released")
    assert "as you asked on the telephone" in found["Léa"].text
    assert "has given this day back" in found["Anne"].text


@pytest.fixture
def french(house: House) -> Correspondence:
    return Correspondence(house, Locale.FRENCH)


def test_an_exchange_says_to_its_giver_who_comes_when(french: Correspondence) -> None:
    day = french.day(20)
    theirs = french.house.assignment(
        french.house.need(french.practice, french.house.today + 22 * DAY), french.hugo
    )
    swap = french.do(
        french.lea, swaps.offer, day.id, to_doctor_id=french.hugo.id, return_id=theirs.id
    )
    french.do(french.hugo, swaps.take, swap.id)
    found = french.letters("swap.taken")["Léa"]
    assert found.subject.startswith("Échange accepté\u00a0: Hugo Roux vient le ")
    assert ", vous venez le " in found.subject
    assert "la journée que vous proposiez" in found.text


def test_what_a_secretary_noted_is_not_said_to_be_the_doctors_doing(
    french: Correspondence,
) -> None:
    day = french.day(20, state=AssignmentState.HELD, created_by=french.secretary.id)
    french.do(french.titular, holding.confirm, day.id)
    confirmed = french.letters("assignment.confirmed")["Léa"].text
    assert confirmed.endswith("parce que cette journée vous a été attribuée avec votre accord.\n")
    with french.house.database.transaction() as session:
        session.execute(sa.update(Practice).values(lock_days=7))
    asked = french.do(
        french.secretary,
        releasing.request_release,
        french.day(3).id,
        "Un deuil",
        on_behalf=True,
    )
    french.do(french.titular, releasing.grant, asked.id)
    granted = french.letters("release.granted")
    assert "Sylvie Rabiller a transmis votre demande" in granted["Léa"].text
    assert "vous avez fait cette demande pour Léa Fontaine" in granted["Sylvie"].text
