"""Letters: what they say in each language, and what they never say."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import sqlalchemy as sa

from scheduler.core import outbox
from scheduler.core.database import Database
from scheduler.core.outbox import DeliveryFailed, Letter, OutboxMessage
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.notify import composer
from scheduler.notify.composing import TEMPLATES
from scheduler.notify.kinds import KINDS
from scheduler.people.models import Locale, Practice, User
from scheduler.roster import releasing
from scheduler.roster.models import Ask, Assignment, Proposal, ProposalLine
from scheduler.roster.rules import AskCode, AskState, AssignmentState, Period, ProposalState
from tests.factories import House

MONDAY = dt.date(2026, 12, 7)
BASE = "https://relais.example.org"


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", slug="nieul", name="Cabinet de Nieul")


def letter(house: House, to: User, kind: str, **facts: Any) -> Letter:
    with house.database.transaction() as session:
        outbox.post(session, cause="test", recipient_ids=[to.id], kind=kind, **facts)
    return composed(house.database)


def composed(database: Database) -> Letter:
    with database.session() as session:
        message = session.scalars(sa.select(OutboxMessage)).one()
        return composer(Settings(base_url=BASE))(session, message)


def doctor(house: House, practice: Practice, locale: Locale = Locale.FRENCH) -> User:
    return house.member(
        practice,
        Role.REPLACEMENT,
        given_name="Léa",
        family_name="Fontaine",
        email="lea@example.org",
        locale=locale,
    )


def given(house: House, practice: Practice, user: User, count: int = 1) -> list[Assignment]:
    days = (MONDAY + dt.timedelta(days=number) for number in range(count))
    return [
        house.assignment(house.need(practice, day, Period.DAY if number else Period.AM), user)
        for number, day in enumerate(days)
    ]


def test_every_kind_has_a_template_in_every_language() -> None:
    for locale in Locale:
        found = {path.stem for path in (TEMPLATES / locale.value).glob("[!_]*.txt")}
        assert found == set(KINDS)


def test_french_letters_have_french_spaces() -> None:
    for path in (TEMPLATES / "fr").glob("*.txt"):
        said = re.sub(r"{[{%].*?[%}]}", "", path.read_text("utf-8"))
        assert not re.findall(r"\w+ [:;!?»]|« \w+|\w[:;!?](?=\s)", said), path.name


def test_one_day_accepted_in_french(house: House, practice: Practice) -> None:
    user = doctor(house, practice)
    (assignment,) = given(house, practice, user)
    found = letter(house, user, "proposal.accepted", proposal_id=1, assignment_ids=[assignment.id])
    assert (found.to_name, found.to_address) == ("Léa Fontaine", "lea@example.org")
    assert found.subject == "Une journée vous est attribuée\u00a0: lundi 7 décembre 2026"
    assert found.text == (
        "Bonjour Léa,\n\n"
        "D’après vos disponibilités, cette journée vous est attribuée au Cabinet de"
        " Nieul\u00a0:\n\n"
        "  - lundi 7 décembre 2026, matin, Salle 1\n\n"
        "Si elle ne vous convient plus, rendez-la dans Relais dès que possible.\n\n"
        "Voir la semaine\u00a0: https://relais.example.org/p/nieul/week/2026-W50\n\n"
        "Vous recevez ce message parce qu’un titulaire du Cabinet de Nieul a accepté un planning"
        " proposé.\n"
    )


def test_the_first_of_a_month_is_an_ordinal_in_french(house: House, practice: Practice) -> None:
    user = doctor(house, practice)
    assignment = house.assignment(house.need(practice, dt.date(2026, 12, 1)), user)
    found = letter(house, user, "assignment.released", assignment_id=assignment.id)
    assert found.subject == "Votre journée du mardi 1er décembre 2026 est annulée"


def test_several_days_accepted_in_english(house: House, practice: Practice) -> None:
    user = doctor(house, practice, Locale.ENGLISH)
    ids = [assignment.id for assignment in given(house, practice, user, 2)]
    found = letter(house, user, "proposal.accepted", proposal_id=1, assignment_ids=ids)
    assert found.subject == "2 days are yours at Cabinet de Nieul"
    assert "  - Monday 7 December 2026, morning, Salle 1\n" in found.text
    assert "  - Tuesday 8 December 2026, Salle 1\n" in found.text


@pytest.mark.parametrize(
    ("locale", "subject", "reason"),
    [
        (Locale.FRENCH, "À pourvoir de nouveau\u00a0: lundi 7 décembre 2026", "êtes titulaire"),
        (Locale.ENGLISH, "To fill again: Monday 7 December 2026", "are a titular doctor"),
    ],
)
def test_titulars_learn_of_a_release(
    house: House, practice: Practice, locale: Locale, subject: str, reason: str
) -> None:
    titular = house.member(practice, Role.TITULAR, locale=locale)
    user = doctor(house, practice)
    (assignment,) = given(house, practice, user)
    actor = house.actor(user)
    with house.database.transaction() as session:
        releasing.release(session, actor, assignment.id, "Mme Durand, diabète")
    found = composed(house.database)
    assert found.to_address == titular.email
    assert found.subject == subject
    assert "Léa Fontaine" in found.text
    assert reason in found.text
    # What somebody typed could speak of a patient.
    assert "Durand" not in found.text


@pytest.mark.parametrize(
    ("locale", "subject"),
    [
        (Locale.FRENCH, "Votre journée du lundi 7 décembre 2026 est annulée"),
        (Locale.ENGLISH, "Your day on Monday 7 December 2026 is cancelled"),
    ],
)
def test_a_doctor_learns_of_a_release(
    house: House, practice: Practice, locale: Locale, subject: str
) -> None:
    user = doctor(house, practice, locale)
    (assignment,) = given(house, practice, user)
    found = letter(house, user, "assignment.released", assignment_id=assignment.id)
    assert found.subject == subject
    assert "Salle 1" in found.text


@pytest.mark.parametrize(
    ("locale", "subject", "way_out"),
    [
        (
            Locale.FRENCH,
            "C’est noté\u00a0: vous venez le lundi 7 décembre 2026",
            "si vous n’avez rien convenu, rendez-la dans Relais",
        ),
        (
            Locale.ENGLISH,
            "It is noted: you come on Monday 7 December 2026",
            "if you have not agreed to it, give it back in Relais",
        ),
    ],
)
def test_a_doctor_learns_of_a_day_given_by_phone(
    house: House, practice: Practice, locale: Locale, subject: str, way_out: str
) -> None:
    user = doctor(house, practice, locale)
    (assignment,) = given(house, practice, user)
    found = letter(house, user, "assignment.given", assignment_id=assignment.id)
    assert found.subject == subject
    assert "Salle 1" in found.text
    assert way_out in found.text
    assert "https://relais.example.org/p/nieul/week/2026-W50" in found.text


@pytest.mark.parametrize(
    ("locale", "subject"),
    [
        (Locale.FRENCH, "Réservée pour vous\u00a0: la journée du lundi 7 décembre 2026"),
        (Locale.ENGLISH, "Held for you: Monday 7 December 2026"),
    ],
)
def test_a_day_given_by_phone_may_wait_for_a_titular(
    house: House, practice: Practice, locale: Locale, subject: str
) -> None:
    user = doctor(house, practice, locale)
    day = house.assignment(house.need(practice, MONDAY), user, state=AssignmentState.HELD)
    assert letter(house, user, "assignment.given", assignment_id=day.id).subject == subject


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        (Locale.FRENCH, "Brigitte Morin a noté votre accord"),
        (Locale.ENGLISH, "Brigitte Morin noted that you agreed"),
    ],
)
def test_a_doctor_learns_who_gave_a_day(
    house: House, practice: Practice, locale: Locale, words: str
) -> None:
    user = doctor(house, practice, locale)
    secretary = house.member(practice, Role.SECRETARY, given_name="Brigitte", family_name="Morin")
    day = house.assignment(house.need(practice, MONDAY), user, created_by=secretary.id)
    found = letter(house, user, "assignment.given", assignment_id=day.id)
    assert words in found.text
    assert "titulaire" not in found.text
    assert "titular" not in found.text


@pytest.mark.parametrize(
    ("role", "words"),
    [(Role.TITULAR, "êtes titulaire"), (Role.SECRETARY, "agissez pour le Cabinet de Nieul")],
)
def test_why_a_day_given_back_is_told(
    house: House, practice: Practice, role: Role, words: str
) -> None:
    (day,) = given(house, practice, doctor(house, practice))
    found = letter(house, house.member(practice, role), "assignment.released", assignment_id=day.id)
    assert words in found.text.rpartition("\n\n")[2]


@pytest.mark.parametrize("kind", ["proposal.ready", "proposal.failed"])
@pytest.mark.parametrize("locale", list(Locale))
@pytest.mark.parametrize("lines", [0, 1, 2])
def test_the_requester_learns_of_the_end(
    house: House, practice: Practice, kind: str, locale: Locale, lines: int
) -> None:
    user = house.member(practice, Role.TITULAR, locale=locale)
    proposal = Proposal(
        practice_id=practice.id,
        start=MONDAY,
        end=MONDAY,
        state=ProposalState.READY,
        requested_by=user.id,
        requested_at=house.database.clock.now(),
    )
    needs = [house.need(practice, MONDAY + dt.timedelta(days=day)) for day in range(lines)]
    proposal.lines = [ProposalLine(need_id=need.id, doctor_id=user.id) for need in needs]
    with house.database.transaction() as session:
        session.add(proposal)
    found = letter(house, user, kind, proposal_id=proposal.id)
    assert f"{BASE}/p/nieul/proposals/{proposal.id}\n" in found.text
    assert "Cabinet de Nieul" in found.subject
    if kind == "proposal.ready" and lines == 2:
        assert ("2 journées" if locale is Locale.FRENCH else "2 days") in found.text


def test_the_reference_stays_the_same(house: House, practice: Practice) -> None:
    user = doctor(house, practice)
    (assignment,) = given(house, practice, user)
    first = letter(house, user, "assignment.released", assignment_id=assignment.id)
    assert composed(house.database).reference == first.reference


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("assignment.released", {"assignment_id": 99}),
        ("proposal.accepted", {"proposal_id": 1, "assignment_ids": [99]}),
        ("proposal.ready", {"proposal_id": 99}),
        ("ask.sent", {"ask_id": 99}),
        ("unheard.of", {}),
    ],
)
def test_what_is_gone_is_not_written_of(
    house: House, practice: Practice, kind: str, facts: dict[str, Any]
) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        letter(house, doctor(house, practice), kind, **facts)
    assert caught.value.permanent


def test_who_has_left_gets_no_letter(house: House, practice: Practice) -> None:
    user = house.member(practice, Role.TITULAR, disabled_at=house.database.clock.now())
    with pytest.raises(DeliveryFailed) as caught:
        letter(house, user, "assignment.released", assignment_id=1)
    assert caught.value.permanent


def question(house: House, practice: Practice, asker: User, user: User, **values: Any) -> int:
    ask = Ask(
        practice_id=practice.id,
        need_id=house.need(practice, MONDAY, Period.AM).id,
        doctor_id=user.id,
        asked_by=asker.id,
        asked_at=house.database.clock.now(),
        **{"code": AskCode.ASK, "message": "Mme Durand, diabète", **values},
    )
    with house.database.transaction() as session:
        session.add(ask)
    return ask.id


@pytest.fixture
def asker(house: House, practice: Practice) -> User:
    return house.member(practice, Role.TITULAR, given_name="Anne", family_name="Petit")


def test_a_doctor_is_asked_in_french(house: House, practice: Practice, asker: User) -> None:
    user = doctor(house, practice)
    ask_id = question(house, practice, asker, user)
    found = letter(house, user, "ask.sent", ask_id=ask_id)
    assert found.subject == "Pourriez-vous venir le lundi 7 décembre 2026\u202f? (Cabinet de Nieul)"
    assert found.text == (
        "Bonjour Léa,\n\n"
        "Anne Petit vous demande si vous pourriez venir au Cabinet de Nieul ce jour-là\u00a0:\n\n"
        "  lundi 7 décembre 2026, matin, Salle 1\n\n"
        f"Répondre oui ou non\u00a0: https://relais.example.org/asks/{ask_id}\n\n"
        "Rien ne change tant que vous n’avez pas répondu."
        " La première personne à dire oui obtient la journée.\n\n"
        "Vous recevez ce message parce que vous êtes médecin au Cabinet de Nieul.\n"
    )


@pytest.mark.parametrize(
    ("code", "locale", "half_days", "sentence"),
    [
        (AskCode.RAISE_WEEKLY_CAP, Locale.FRENCH, 6, "Cela ferait 3 jours cette semaine-là,"),
        (AskCode.RAISE_WEEKLY_CAP, Locale.ENGLISH, 3, "It would make 1.5 days that week,"),
        (AskCode.RAISE_MONTHLY_CAP, Locale.FRENCH, 3, "Cela ferait 1,5 jour ce mois-là,"),
        (AskCode.RAISE_MONTHLY_CAP, Locale.ENGLISH, 2, "It would make 1 day that month,"),
        (AskCode.RAISE_CONSECUTIVE, Locale.FRENCH, 8, "Cela ferait 4 jours de suite,"),
        (AskCode.RAISE_CONSECUTIVE, Locale.ENGLISH, 8, "It would make 4 days in a row,"),
    ],
)
def test_a_limit_is_named_in_the_question(
    house: House,
    practice: Practice,
    asker: User,
    code: AskCode,
    locale: Locale,
    half_days: int,
    sentence: str,
) -> None:
    user = doctor(house, practice, locale)
    ask_id = question(house, practice, asker, user, code=code, limit_half_days=half_days)
    assert sentence in letter(house, user, "ask.sent", ask_id=ask_id).text


@pytest.mark.parametrize(
    ("kind", "state", "french", "english"),
    [
        ("ask.answered", AskState.ACCEPTED, "a dit oui", "has said yes"),
        ("ask.answered", AskState.DECLINED, "a répondu non", "has answered no"),
        ("ask.ended", AskState.LAPSED, "La journée est pourvue", "The day is filled"),
        ("ask.ended", AskState.WITHDRAWN, "a été retirée", "was taken back"),
    ],
)
@pytest.mark.parametrize("locale", list(Locale))
def test_questions_end_in_a_letter_without_what_was_typed(
    house: House,
    practice: Practice,
    kind: str,
    state: AskState,
    french: str,
    english: str,
    locale: Locale,
) -> None:
    asker = house.member(practice, Role.TITULAR, locale=locale)
    user = doctor(house, practice, locale)
    ask_id = question(house, practice, asker, user, state=state, answer_note="Chez Mme Durand")
    to = asker if kind == "ask.answered" else user
    found = letter(house, to, kind, ask_id=ask_id)
    assert (french if locale is Locale.FRENCH else english) in found.text
    assert f"{BASE}/asks/{ask_id}\n" in found.text
    assert "Durand" not in found.subject + found.text
