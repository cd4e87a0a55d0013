"""Letters of calls: the link is signed, and what somebody typed stays on the page."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from scheduler.core import outbox
from scheduler.core.clock import FixedClock
from scheduler.core.deliveries import Channel
from scheduler.core.outbox import DeliveryFailed, Letter, OutboxMessage
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.notify import composer
from scheduler.notify.kinds import KINDS
from scheduler.notify.models import NotifyChoice, Phone
from scheduler.notify.reach import channels_of
from scheduler.notify.rules import Group
from scheduler.people.models import Locale, User
from scheduler.roster import call_answers
from scheduler.roster.call_rules import answer_path
from scheduler.roster.rules import Preference
from tests.conftest import SECRET_KEY
from tests.factories import House
from tests.roster.called import DAY, HOUR, MONDAY, Cabinet, cabinet_of
from tests.support import count_queries

BASE = "https://relais.example.org"


@pytest.fixture
def cabinet(house: House, clock: FixedClock) -> Cabinet:
    return cabinet_of(house, clock)


def letter(cabinet: Cabinet, kind: str, *, secret: str | None = SECRET_KEY) -> Letter:
    """The first message of a kind, written."""
    with cabinet.database.session() as session:
        message = session.scalars(
            sa.select(OutboxMessage).where(OutboxMessage.kind == kind).order_by(OutboxMessage.id)
        ).first()
        assert message is not None
        return composer(Settings(base_url=BASE, secret_key=secret))(session, message)


def speaks(cabinet: Cabinet, locale: Locale) -> User:
    """A doctor who said that they can come, and reads a language as the titular does."""
    with cabinet.database.transaction() as session:
        session.get_one(User, cabinet.titular.id).locale = locale
    return cabinet.doctor(Preference.POSSIBLE, locale=locale, given_name="Léa")


@pytest.mark.parametrize(
    ("locale", "subject", "words"),
    [
        (Locale.FRENCH, "Pourriez-vous venir la semaine du 7 décembre\u202f?", "Un mot"),
        (Locale.ENGLISH, "Could you come in the week of 7 December?", "A few words"),
    ],
)
def test_an_invitation_carries_a_link_of_its_own(
    cabinet: Cabinet, locale: Locale, subject: str, words: str
) -> None:
    lea = speaks(cabinet, locale)
    cabinet.find()
    cabinet.send(message="Merci, votre patient vous attend")
    found = letter(cabinet, "call.invited")
    assert found.subject.startswith(subject)
    link = BASE + answer_path(SECRET_KEY, cabinet.link(lea))
    assert link in found.text
    assert found.link == link
    assert words in found.text
    assert "votre patient" not in found.text
    # Where nothing can be signed, it leads to signing in.
    assert letter(cabinet, "call.invited", secret=None).link == f"{BASE}/calls/"


def test_an_invitation_names_only_days_that_its_doctor_can_take(
    house: House, cabinet: Cabinet
) -> None:
    house.need(cabinet.practice, MONDAY, room=1, roles=[Role.INTERN.value])
    speaks(cabinet, Locale.ENGLISH)
    cabinet.find()
    cabinet.send()
    text = letter(cabinet, "call.invited").text
    assert text.count("Salle 1") == 2
    assert "Salle 2" not in text


@pytest.mark.parametrize(
    ("locale", "prepared", "answered", "filled"),
    [
        (
            Locale.FRENCH,
            "un appel à compléter est prêt",
            "Il reste une journée",
            "Semaine du 7 décembre\u00a0: les journées sont pourvues",
        ),
        (
            Locale.ENGLISH,
            "a call is ready",
            "One day of this call",
            "Week of 7 December: the days are filled",
        ),
    ],
)
def test_the_others_are_told_in_their_language(
    cabinet: Cabinet, locale: Locale, prepared: str, answered: str, filled: str
) -> None:
    lea = speaks(cabinet, locale)
    cabinet.doctor(Preference.POSSIBLE, locale=locale)
    cabinet.find()
    assert prepared in letter(cabinet, "call.prepared").subject
    cabinet.send()
    cabinet.take(lea, cabinet.monday)
    assert answered in letter(cabinet, "call.answered").text
    cabinet.take(lea, cabinet.tuesday)
    cabinet.advance()
    assert filled in letter(cabinet, "call.filled").subject


@pytest.mark.parametrize(
    ("locale", "subject", "asked", "left"),
    [
        (
            Locale.FRENCH,
            "2 journées toujours à pourvoir, semaine du 7 décembre",
            "Un médecin a été sollicité",
            "appeler un confrère",
        ),
        (
            Locale.ENGLISH,
            "2 days still to fill, week of 7 December",
            "One doctor was asked",
            "telephone a colleague",
        ),
    ],
)
def test_titulars_read_what_is_left_to_do(
    cabinet: Cabinet, locale: Locale, subject: str, asked: str, left: str
) -> None:
    lea = speaks(cabinet, locale)
    cabinet.find()
    call = cabinet.send([lea])
    cabinet.advance(24 * HOUR)
    found = letter(cabinet, "call.unanswered")
    assert found.subject.startswith(subject)
    assert asked in found.text
    assert left in found.text
    assert found.link == f"{BASE}/p/{cabinet.practice.slug}/calls/{call.id}"
    for need in (cabinet.monday, cabinet.tuesday):
        cabinet.take(lea, need)
    with pytest.raises(DeliveryFailed):
        letter(cabinet, "call.unanswered")


@pytest.mark.parametrize(
    ("locale", "words"),
    [(Locale.FRENCH, "assez de journées"), (Locale.ENGLISH, "enough days with a doctor")],
)
def test_a_week_that_has_enough_is_no_filled_one(
    house: House, cabinet: Cabinet, locale: Locale, words: str
) -> None:
    lea = speaks(cabinet, locale)
    cabinet.doctor(Preference.POSSIBLE, locale=locale)
    house.need(cabinet.practice, MONDAY + 2 * DAY)
    cabinet.find()
    cabinet.send()
    for need in (cabinet.monday, cabinet.tuesday):
        cabinet.take(lea, need)
    cabinet.advance(24 * HOUR)
    assert words in letter(cabinet, "call.filled").text


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        (Locale.FRENCH, "Toujours personne pour le lundi 7 décembre 2026"),
        (Locale.ENGLISH, "Still nobody for Monday 7 December 2026"),
    ],
)
def test_an_urgent_call_without_an_answer_says_so(
    cabinet: Cabinet, locale: Locale, words: str
) -> None:
    lea = speaks(cabinet, locale)
    cabinet.find()
    call = cabinet.send([lea])
    with cabinet.database.transaction() as session:
        outbox.post(
            session,
            cause="test",
            recipient_ids=[cabinet.titular.id],
            kind="call.urgent_unanswered",
            call_id=call.id,
        )
    found = letter(cabinet, "call.urgent_unanswered")
    assert found.subject.startswith(words)
    assert KINDS["call.urgent_unanswered"].urgent


def test_an_invitation_to_days_that_are_filled_does_not_leave(
    house: House, cabinet: Cabinet
) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.send([lea])
    for need in (cabinet.monday, cabinet.tuesday):
        house.assignment(need, cabinet.doctor())
    with pytest.raises(DeliveryFailed) as raised:
        letter(cabinet, "call.invited")
    assert raised.value.permanent


def test_an_urgent_call_says_so(house: House, cabinet: Cabinet) -> None:
    lea = speaks(cabinet, Locale.ENGLISH)
    cabinet.find()
    cabinet.send([lea])
    (invitation,) = [row for row in cabinet.call().invitations if row.doctor_id == lea.id]
    with cabinet.database.transaction() as session:
        outbox.post(
            session,
            cause="test",
            recipient_ids=[lea.id],
            kind="call.urgent",
            invitation_id=invitation.id,
        )
    found = letter(cabinet, "call.urgent")
    assert found.subject.startswith("Urgent: could you come on Monday 7 December 2026?")
    assert "It is sent at any hour because it is urgent." in found.text


def test_which_channels_would_reach_whom(house: House, cabinet: Cabinet) -> None:
    lea, hugo, ines = (cabinet.doctor() for _ in range(3))
    settings = Settings(sms_url="json://localhost/sms")
    with cabinet.database.transaction() as session:
        for doctor, proved in ((lea, True), (hugo, False)):
            session.add(
                Phone(
                    user_id=doctor.id,
                    number=f"+336399800{doctor.id:02d}",
                    verified_at=cabinet.clock.now() if proved else None,
                )
            )
        session.add(
            NotifyChoice(
                user_id=ines.id,
                group=Group.QUESTIONS,
                email=False,
                sms=False,
                push=False,
                digest=False,
            )
        )
    everybody = [lea.id, hugo.id, ines.id, cabinet.titular.id]
    with cabinet.database.session() as session:
        usual = channels_of(session, settings, everybody, Group.QUESTIONS)
        urgent = channels_of(session, settings, everybody, Group.QUESTIONS, urgent=True)
        with count_queries(cabinet.database) as few:
            channels_of(session, settings, everybody[:1], Group.QUESTIONS)
        with count_queries(cabinet.database) as many:
            channels_of(session, settings, everybody, Group.QUESTIONS)
    email = [Channel.EMAIL]
    assert usual == {lea.id: email, hugo.id: email, ines.id: [], cabinet.titular.id: email}
    assert urgent[lea.id] == [Channel.EMAIL, Channel.SMS]
    assert urgent[ines.id] == []
    assert len(few) == len(many)


def test_a_link_in_a_letter_answers(cabinet: Cabinet) -> None:
    lea = cabinet.doctor(Preference.POSSIBLE)
    cabinet.find()
    cabinet.send([lea])
    uid = cabinet.link(lea)
    assert letter(cabinet, "call.invited").link == BASE + answer_path(SECRET_KEY, uid)
    with cabinet.database.session() as session:
        assert call_answers.doctor_of(session, uid).user_id == lea.id
