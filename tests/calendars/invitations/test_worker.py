"""From an invitation to the other doctors' cancelled events, through the worker, a mail server
that sends and one that receives."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from typing import cast

import pytest
from icalendar import Calendar

from scheduler.calendars.models import CalendarInvitation, Ending
from scheduler.core.permissions import Role
from scheduler.jobs import Worker
from scheduler.people.models import Practice, User
from scheduler.roster import claiming
from scheduler.roster.models import Need
from tests.calendars.invitations.imap import ImapServer, imap_server
from tests.calendars.invitations.support import Post
from tests.factories import House
from tests.notify.support import MailServer, mail_server


@pytest.fixture
def sending() -> Iterator[MailServer]:
    with mail_server() as found:
        yield found


@pytest.fixture
def receiving() -> Iterator[ImapServer]:
    with imap_server() as found:
        yield found


@pytest.fixture
def worker(post: Post, sending: MailServer, receiving: ImapServer) -> Iterator[Worker]:
    settings = replace(post.settings, smtp_url=f"smtp://{sending.address}", imap_url=receiving.url)
    found = Worker(settings)
    found.database.clock = post.house.database.clock
    yield found
    found.close()


def arrived(server: MailServer, user: User) -> list[tuple[str, Calendar]]:
    """What somebody's calendar was told: the method and the one event of each mail."""
    found = []
    for data in server.letters:
        mail = cast(EmailMessage, email.message_from_bytes(data, policy=email.policy.default))
        parts = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
        if mail["To"].addresses[0].addr_spec != user.email or not parts:
            continue
        content = cast(bytes, parts[0].get_payload(decode=True))
        (event,) = Calendar.from_ical(content).walk("VEVENT")
        found.append((str(parts[0].get_param("method")), event))
    return found


def test_an_answer_makes_the_round(
    post: Post,
    worker: Worker,
    sending: MailServer,
    receiving: ImapServer,
    invited: CalendarInvitation,
    need: Need,
    doctor: User,
    other: User,
) -> None:
    worker.mail()
    ((method, event),) = arrived(sending, doctor)
    assert method == "REQUEST"
    organizer = str(event["ORGANIZER"]).removeprefix("mailto:")
    receiving.receive(post.reply(invited, uid=str(event["UID"]), to=organizer, client="outlook"))
    worker.answers()
    holder = post.holder(need)
    assert holder is not None
    assert holder.doctor_id == doctor.id
    worker.mail()
    methods = [(method, int(event["SEQUENCE"])) for method, event in arrived(sending, other)]
    assert methods == [("REQUEST", 0), ("CANCEL", 1)]
    requested, cancelled = (event["UID"] for _method, event in arrived(sending, other))
    assert requested == cancelled


def test_the_worker_sees_what_every_other_door_did(
    house: House,
    post: Post,
    worker: Worker,
    practice: Practice,
    invited: CalendarInvitation,
    need: Need,
    doctor: User,
) -> None:
    actor = house.actor(house.member(practice, Role.REPLACEMENT))
    with house.database.transaction() as session:
        claiming.claim(session, actor, need.id)
    worker.tick()
    assert post.invitation(need, doctor).ending is Ending.TAKEN
