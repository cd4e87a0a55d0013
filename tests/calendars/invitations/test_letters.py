"""What leaves the house: the mail itself, as a mail server receives it."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage
from typing import cast

import pytest
from icalendar import Calendar

from scheduler.calendars.invitations import letters
from scheduler.calendars.models import CalendarInvitation
from scheduler.core import outbox
from scheduler.core.clock import FixedClock
from scheduler.core.deliveries import Channel
from scheduler.core.outbox import DeliveryFailed, Letter
from scheduler.core.permissions import Role
from scheduler.notify import channel, router
from scheduler.notify.composing import composer
from scheduler.notify.models import NotifyChoice
from scheduler.notify.rules import Group
from scheduler.people.models import Locale, Practice, User
from scheduler.roster.models import Need
from tests.calendars.invitations.support import Post, event_of
from tests.factories import House
from tests.notify.support import mail_server

KINDS = (
    ("invitation.sent", {}),
    ("invitation.changed", {"accepted": True}),
    ("invitation.changed", {"accepted": False}),
    *(("invitation.ended", {"why": why}) for why in ("taken", "withdrawn", "given_back")),
    *(
        ("invitation.refused", {"why": why})
        for why in ("need_taken", "licence_ended", "week_limit", "derogation_missing")
    ),
    ("invitation.countered", {}),
    ("invitation.elsewhere", {}),
)


def test_the_mail_has_text_html_and_calendar_and_the_file_as_well(
    post: Post, invited: CalendarInvitation, doctor: User, clock: FixedClock
) -> None:
    (letter,) = post.letters(doctor)
    with mail_server() as server:
        settings = replace(post.settings, smtp_url=f"smtp://{server.address}")
        channel(settings, clock)(letter)
    found = cast(
        EmailMessage, email.message_from_bytes(server.letters[0], policy=email.policy.SMTP)
    )
    assert found["Reply-To"].addresses[0].addr_spec == post.address(invited)
    assert found.get_content_type() == "multipart/mixed"
    alternative, attached = found.iter_parts()
    kinds = [part.get_content_type() for part in alternative.iter_parts()]
    assert kinds == ["text/plain", "text/html", "text/calendar"]
    calendar = list(alternative.iter_parts())[-1]
    assert calendar.get_param("method") == "REQUEST"
    assert calendar.get_content_charset() == "utf-8"
    assert attached.get_content_type() == "application/ics"
    assert attached.get_filename() == "invitation.ics"
    assert attached.get_content() == calendar.get_payload(decode=True)
    assert str(Calendar.from_ical(attached.get_content())["METHOD"]) == "REQUEST"


def test_names_make_no_headers_and_no_properties(
    house: House, post: Post, need: Need, clock: FixedClock
) -> None:
    practice = house.practice(name='Cabinet "du\tMarais";X=1:')
    titular = house.member(practice, Role.TITULAR)
    doctor = house.member(practice, Role.REPLACEMENT, given_name="Léa\u2028", family_name='"F"')
    day = house.need(practice, need.date)
    post.invite(titular, practice, (day, doctor))
    (letter,) = post.letters(doctor)
    _method, event = event_of(letter)
    assert event["ORGANIZER"].params["CN"] == "Cabinet ’du Marais’;X=1:"
    assert set(event["ORGANIZER"].params) == {"CN"}
    assert event["ATTENDEE"] == f"mailto:{doctor.email}"
    assert "PARTSTAT" in event["ATTENDEE"].params


@pytest.mark.parametrize("locale", Locale)
@pytest.mark.parametrize(("kind", "facts"), KINDS)
def test_every_letter_is_written_in_its_readers_language(
    house: House,
    post: Post,
    invited: CalendarInvitation,
    doctor: User,
    kind: str,
    facts: dict[str, object],
    locale: Locale,
) -> None:
    with house.database.transaction() as session:
        session.get_one(User, doctor.id).locale = locale
        outbox.post(
            session,
            cause="test",
            recipient_ids=[doctor.id],
            kind=kind,
            invitation_id=invited.id,
            need_id=invited.need_id,
            sequence=invited.sequence,
            **facts,
        )
    letter = post.letters(doctor, kind)[-1]
    assert letter.language == locale.value
    assert ("Bonjour" if locale is Locale.FRENCH else "Hello") in letter.text
    assert "26 novembre 2026" in letter.text or "26 November 2026" in letter.text


def test_an_invitation_tells_the_hours_of_the_day(
    post: Post, invited: CalendarInvitation, doctor: User, practice: Practice
) -> None:
    text = post.letters(doctor, "invitation.sent")[0].text.replace("\u00a0", " ")
    assert f"Une journée vous est proposée ({practice.name})" in text
    assert "Horaires : de 8 h 30 à 12 h 30 et de 14 h à 18 h 30\n\n" in text


def test_a_request_that_has_changed_since_is_not_sent(
    house: House, post: Post, invited: CalendarInvitation, practice: Practice, doctor: User
) -> None:
    with house.database.transaction() as session:
        session.get_one(Practice, practice.id).name = "Autre nom"
    post.keep_up()
    with pytest.raises(DeliveryFailed):
        post.letters(doctor, "invitation.sent")


def test_who_stopped_such_mails_is_not_invited_but_is_told_of_an_end(
    house: House, post: Post, invited: CalendarInvitation, doctor: User
) -> None:
    with house.database.transaction() as session:
        session.add(
            NotifyChoice(
                user_id=doctor.id,
                group=Group.QUESTIONS,
                email=False,
                sms=False,
                push=True,
                digest=True,
            )
        )
        outbox.post(
            session,
            cause="end",
            recipient_ids=[doctor.id],
            kind="invitation.ended",
            invitation_id=invited.id,
            need_id=invited.need_id,
            sequence=0,
            why="taken",
        )
    sent: list[Letter] = []
    write = composer(post.settings, for_calendar=letters.writer(post.settings))
    outbox.send_due(
        house.database, write, sent.append, route=router(post.settings), wrap=write.wrap
    )
    mine = [letter for letter in sent if letter.recipient_id == doctor.id]
    assert [(letter.channel, event_of(letter)[0]) for letter in mine] == [(Channel.EMAIL, "CANCEL")]
