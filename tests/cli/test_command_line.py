"""The command line: what each command prints, and how it fails."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from sqlalchemy.orm import joinedload

import app
from scheduler.core.audit import AuditEvent
from scheduler.core.clock import local_date
from scheduler.core.database import Database
from scheduler.notify.models import KeptLetter
from scheduler.people import service
from scheduler.roster.models import Ask
from scheduler.roster.rules import AskState
from tests.support import free_port

ROLES = {"titular", "replacement", "assistant", "intern", "secretary", "nurse"}


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a database that is not there yet, as the environment gives it."""
    address = f"sqlite:///{tmp_path}/relais.db"
    monkeypatch.setenv("RELAIS_DATABASE_URL", address)
    monkeypatch.delenv("RELAIS_SECRET_KEY", raising=False)
    return address


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app.cli, arguments, catch_exceptions=False)


def assert_refused(result: Result, *words: str) -> None:
    """Exit status 2 and exactly one line on standard error that names the trouble."""
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("serve",),
        ("worker",),
        ("demo",),
        ("solve",),
        ("check",),
        ("calendars", "preview"),
        ("calendars", "reply"),
        ("labs", "read"),
        ("audit", "verify"),
        ("db", "upgrade"),
        ("db", "check"),
        ("practice", "add"),
        ("user", "add"),
        ("user", "reset"),
    ],
)
def test_every_command_has_help(command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def test_a_practice_and_its_first_titular_can_be_made_and_sign_in(url: str) -> None:
    assert run("db", "check").exit_code == 1
    assert run("db", "upgrade").exit_code == 0
    assert run("db", "check").exit_code == 0
    opened = run("practice", "add", "Cabinet du Bourg", "--room", "Salle 1", "--school-zone", "B")
    assert opened.stdout == "cabinet-du-bourg\n"
    added = run(
        *("user", "add", "--email", "Anne@Bourg.example", "--given", "Anne", "--family", "Roux"),
        *("--practice", "cabinet-du-bourg", "--role", "titular", "--days-per-week", "1.5"),
    )
    email, password = added.stdout.strip().split("\t")
    database = Database(url)
    with database.session() as session:
        signed_in = service.sign_in(session, email, password)
        assert signed_in.email == "anne@bourg.example"
    reset = run("user", "reset", "anne@bourg.example").stdout.strip().split("\t")[1]
    assert reset != password
    with database.session() as session:
        assert service.sign_in(session, email, reset).id == signed_in.id
    database.dispose()
    assert_refused(run("user", "reset", "nobody@bourg.example"), "user not found")
    assert_refused(
        run("user", "add", "--email", "anne@bourg.example", "--given", "A", "--family", "R"),
        "email taken",
    )


def test_the_demonstration_fills_an_empty_database_once(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAIS_BASE_URL", "https://relais.example")
    filled = run("demo", "--json")
    assert filled.exit_code == 0
    logins = json.loads(filled.stdout)
    assert {login["role"] for login in logins} == ROLES
    assert [sorted(login) for login in logins] == [["email", "name", "password", "role"]] * 21
    database = Database(url)
    with database.session() as session:
        for login in logins[::7]:
            user = service.sign_in(session, login["email"], login["password"])
            assert user.name == login["name"]
        # The replacement who signs in finds a question to answer.
        (question,) = session.scalars(
            sa.select(Ask).options(joinedload(Ask.doctor), joinedload(Ask.need))
        ).all()
        assert question.state is AskState.OPEN
        replacement = next(row for row in logins if row["role"] == "replacement")
        assert question.doctor.name == replacement["name"]
        assert question.need.date > local_date(question.asked_at, "Europe/Paris")
        # What everybody was told leads to where Relais is served.
        links = set(session.scalars(sa.select(KeptLetter.link)))
        assert all(link.startswith("https://relais.example/") for link in links if link)
    database.dispose()
    assert_refused(run("demo"), "members")
    assert run("audit", "verify").exit_code == 0


def test_audit_verify_finds_an_edited_event(url: str) -> None:
    run("db", "upgrade")
    run("practice", "add", "Cabinet du Bourg")
    database = Database(url)
    with database.engine.begin() as connection:
        connection.execute(sa.update(AuditEvent).values(action="practice.closed"))
    database.dispose()
    result = run("audit", "verify")
    assert result.exit_code == 1
    assert "event 1 was changed" in result.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RELAIS_DATABASE_URL", "mysql://localhost/relais"),
        ("RELAIS_SECRET_KEY", "short"),
        ("RELAIS_SOLVER_SECONDZ", "3"),
    ],
)
def test_a_bad_setting_is_one_line(
    url: str, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert_refused(run("db", "check"), variable)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("nonsense",), "nonsense"),
        (("serve", "--port", "0"), "--port"),
        (("solve", "p.json", "--time-limit", "nan"), "--time-limit"),
        (("solve", "p.json", "--workers", "0"), "--workers"),
        (("user", "add", "--email", "a@b.example"), "--given"),
        (("user", "add", "--days-per-week", "nan"), "--days-per-week"),
        (("user", "add", "--days-per-week", "0.7"), "--days-per-week"),
        (("user", "add", "--licence-until", "31/02/2027"), "--licence-until"),
    ],
)
def test_a_wrong_argument_is_one_line(arguments: tuple[str, ...], word: str) -> None:
    assert_refused(run(*arguments), word)


def test_a_database_out_of_reach_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAIS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/relais")
    assert_refused(run("db", "check"), "database")


def test_a_real_installation_does_not_start_without_a_key(url: str) -> None:
    assert_refused(run("serve", "--port", str(free_port())), "RELAIS_SECRET_KEY")


def test_a_port_in_use_is_one_line(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_refused(run("serve", "--port", str(port)), f"127.0.0.1:{port}")
