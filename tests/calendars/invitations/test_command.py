"""`app.py calendars reply`: one line of what came of a mail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import app
from scheduler.calendars.models import CalendarInvitation
from scheduler.core.clock import SystemClock
from scheduler.core.database import Database
from scheduler.roster.models import Need
from tests.calendars.invitations.support import MAILBOX, Post

Reply = Callable[[bytes], Result]


@pytest.fixture
def reply(post: Post, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reply:
    """Runs the command on a mail, in the installation of the test."""
    url = database.url.render_as_string(hide_password=False)
    monkeypatch.setenv("RELAIS_DATABASE_URL", url)
    monkeypatch.setenv("RELAIS_SECRET_KEY", post.secret)
    monkeypatch.setenv("RELAIS_REPLY_ADDRESS", MAILBOX)

    def run(content: bytes) -> Result:
        path = tmp_path / "reply.eml"
        path.write_bytes(content)
        arguments = ["calendars", "reply", str(path)]
        return CliRunner().invoke(app.cli, arguments, catch_exceptions=False)

    return run


def test_what_was_ignored_is_said_in_one_line(
    post: Post, invited: CalendarInvitation, reply: Reply
) -> None:
    for client, words in (
        ("out_of_office", "an automatic answer"),
        ("bounce", "an automatic answer"),
    ):
        result = reply(post.reply(invited, client=client))
        assert (result.exit_code, result.stdout) == (0, f"ignored: {words}\n")
    result = reply(b"From: a@example.org\nSubject: Bonjour\n\nMerci !\n")
    assert result.stdout == "ignored: no answer to an invitation\n"


def test_what_is_no_mail_is_refused_in_one_line(
    post: Post, invited: CalendarInvitation, reply: Reply, need: Need
) -> None:
    broken = post.reply(invited).replace(b"END:VEVENT", b"END:VTODO")
    for content in (b"", b"\x00\xff" * 50, broken, b"x" * (2 * 1024 * 1024)):
        result = reply(content)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("relais: ")
        assert result.stderr.count("\n") == 1
    assert post.holder(need) is None


@pytest.mark.parametrize("name", ["nothing-here.eml", "."])
def test_what_is_no_file_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAIS_DATABASE_URL", f"sqlite:///{tmp_path}/relais.db")
    result = CliRunner().invoke(app.cli, ["calendars", "reply", str(tmp_path / name)])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1


def test_an_answer_says_who_and_when(database: Database, post: Post, reply: Reply) -> None:
    # The command lives by the real clock.
    database.clock = SystemClock()
    house = post.house
    practice = house.practice()
    titular, doctor = (house.member(practice, role) for role in ("titular", "replacement"))
    need = house.need(practice, house.today.replace(year=house.today.year + 1, day=1))
    post.invite(titular, practice, (need, doctor))
    mail = post.reply(post.invitation(need, doctor))
    result = reply(mail)
    assert (result.exit_code, result.stdout) == (0, f"accepted: {doctor.name}, {need.date}\n")
    assert reply(mail).stdout == f"repeated: {doctor.name}, {need.date}\n"
