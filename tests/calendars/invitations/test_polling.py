"""Answers come through a real, small mail server."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest

from scheduler.calendars.invitations import polling
from scheduler.calendars.models import Answer, CalendarInvitation
from scheduler.calendars.reading import limits
from scheduler.core.settings import Settings
from scheduler.people.models import User
from scheduler.roster.models import Need
from tests.calendars.invitations.imap import SEEN, ImapServer, imap_server
from tests.calendars.invitations.support import Post
from tests.support import free_port

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def server() -> Iterator[ImapServer]:
    with imap_server() as found:
        yield found


def poll(post: Post, server: ImapServer, *, most: int = polling.MOST_AT_ONCE) -> int:
    settings = replace(post.settings, imap_url=server.url)
    return polling.poll(post.house.database, settings, most=most)


def test_an_answer_is_carried_out_once_and_marked(
    post: Post, server: ImapServer, invited: CalendarInvitation, need: Need, doctor: User
) -> None:
    server.receive(post.reply(invited, client="outlook"))
    assert poll(post, server) == 1
    holder = post.holder(need)
    assert holder is not None
    assert holder.doctor_id == doctor.id
    assert server.flags == {1: {SEEN}}
    assert poll(post, server) == 0
    assert 'LOGIN relais "s@cret"' in server.heard
    assert server.heard.count("LOGOUT") == 2


def test_a_mail_that_nobody_can_read_holds_up_no_other(
    post: Post, server: ImapServer, invited: CalendarInvitation, need: Need
) -> None:
    broken = post.reply(invited).replace(b"END:VEVENT", b"END:VTODO")
    server.receive(b"\0\0\0", broken, b"x" * (limits.MOST_BYTES + 1), post.reply(invited))
    assert poll(post, server) == 4
    assert server.unseen == []
    assert post.holder(need) is not None
    # The large one was not even fetched.
    assert [line for line in server.heard if "BODY.PEEK[]" in line and " 3 " in line] == []


def test_characters_that_no_database_stores_hold_up_no_other(
    post: Post, server: ImapServer, invited: CalendarInvitation, need: Need
) -> None:
    odd = post.reply(invited, to="relais+\x00@example.org", attendee="a\x00@example.org")
    server.receive(odd, post.reply(invited, after=MINUTE))
    assert poll(post, server) == 2
    assert post.holder(need) is not None


def test_so_many_at_once_and_the_rest_later(
    post: Post, server: ImapServer, invited: CalendarInvitation, need: Need, doctor: User
) -> None:
    server.receive(post.reply(invited, "DECLINED"), post.reply(invited, after=MINUTE))
    assert poll(post, server, most=1) == 1
    assert post.invitation(need, doctor).answer is Answer.DECLINED
    assert poll(post, server, most=1) == 1
    assert post.invitation(need, doctor).answer is Answer.ACCEPTED


def test_a_connection_lost_before_the_mark_does_nothing_twice(
    post: Post, server: ImapServer, invited: CalendarInvitation, need: Need, titular: User
) -> None:
    server.receive(post.reply(invited))
    server.hang_up = "UID STORE"
    assert poll(post, server) == 0
    assert server.unseen == [1]
    assert post.holder(need) is not None
    server.hang_up = None
    assert poll(post, server) == 1
    assert post.told(titular) == ["invitation.answered"]


@pytest.mark.parametrize("command", ["LOGIN", "SELECT"])
def test_a_server_that_refuses_is_asked_again_later(
    post: Post, server: ImapServer, invited: CalendarInvitation, need: Need, command: str
) -> None:
    server.receive(post.reply(invited))
    server.refuse = {command}
    assert poll(post, server) == 0
    server.refuse = set()
    assert poll(post, server) == 1
    assert post.holder(need) is not None


def test_a_server_that_is_not_there_raises_nothing(post: Post) -> None:
    settings = replace(post.settings, imap_url=f"imap://a:b@127.0.0.1:{free_port()}")
    assert polling.poll(post.house.database, settings) == 0


def test_without_a_mailbox_nothing_is_asked(post: Post) -> None:
    assert polling.poll(post.house.database, post.settings) == 0


def test_a_mailbox_is_read_from_its_address() -> None:
    url = "imaps://relais%40example.org:p%2Fw@mail.example.org/R%C3%A9ponses"
    settings = Settings.from_environment({"RELAIS_IMAP_URL": url})
    assert settings.imap_url is not None
    found = polling.Mailbox.from_url(settings.imap_url)
    assert (found.host, found.port, found.user) == ("mail.example.org", 993, "relais@example.org")
    assert (found.password, found.folder) == ("p/w", "Réponses")
