"""Relais: the application for a WSGI server, and the command line."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from scheduler.core.errors import RelaisError

if TYPE_CHECKING:
    from flask import Flask

    from scheduler.core.database import Database
    from scheduler.core.settings import Settings

BAD_INPUT: Final = 2


class Day(click.ParamType[dt.date]):
    """A date."""

    name = "YYYY-MM-DD"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.date:
        if isinstance(value, dt.date):
            return value
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date: write YYYY-MM-DD, such as 2027-01-31", param, ctx)


DAY: Final = Day()


class Days(click.ParamType[int]):
    """A number of days, in halves; kept as half-days."""

    name = "days"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            halves = float(value) * 2
        except ValueError:
            halves = 0.0
        if not (1 <= halves <= 62 and halves.is_integer()):
            self.fail(f"{value!r} is not a number of days in halves, from 0.5 to 31", param, ctx)
        return int(halves)


def _finite(_ctx: click.Context, _param: click.Parameter, value: float) -> float:
    if not math.isfinite(value):
        raise click.BadParameter("not a number of seconds")
    return value


DAYS: Final = Days()


def create_app() -> Flask:
    """The application of this installation, as its environment describes it."""
    from scheduler.core import logs
    from scheduler.core.database import Database
    from scheduler.core.installation import with_secret
    from web import create_app as create

    settings = _settings()
    logs.configure(settings.log_level)
    database = Database(settings.database_url)
    return create(with_secret(settings, database), database)


def _settings() -> Settings:
    from scheduler.core.settings import Settings

    return Settings.from_environment(os.environ)


@contextmanager
def _database() -> Iterator[Database]:
    """The installation's database for one command, closed behind it."""
    from scheduler.core.database import Database

    database = Database(_settings().database_url)
    try:
        yield database
    finally:
        database.dispose()


class OneLine(click.Group):
    """A command that ends badly says so in one line on standard error."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        options["standalone_mode"] = False
        try:
            status = super().main(*arguments, **options)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(BAD_INPUT)
        except click.ClickException as error:
            _fail(" ".join(error.format_message().split()))
        except click.Abort:
            sys.exit(130)
        sys.exit(status if isinstance(status, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RelaisError as error:
            _fail(_sentence(error))
        except Exception as error:
            # Not imported for its own sake: many commands know no database.
            database = sys.modules.get("sqlalchemy.exc")
            if database is None or not isinstance(error, database.DBAPIError):
                raise
            _fail(f"database: {str(error.orig).strip().splitlines()[0]}")


def _sentence(error: RelaisError) -> str:
    words = error.code.replace("_", " ")
    facts = "; ".join(f"{name} {value}" for name, value in error.facts.items())
    return f"{words}: {facts}" if facts else words


def _fail(sentence: str) -> None:
    click.echo(f"relais: {sentence}", err=True)
    sys.exit(BAD_INPUT)


@click.group(cls=OneLine, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Relais keeps a shared medical cabinet staffed."""


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--demo", is_flag=True, help="Load the demonstration first where nobody is in yet.")
def serve(host: str, port: int, demo: bool) -> None:
    """Migrate the database, then run the web server and one worker."""
    from scheduler import demonstration
    from scheduler.core import logs
    from scheduler.core.installation import with_secret
    from scheduler.core.migrate import upgrade
    from web.server import House, require_free

    settings = _settings()
    logs.configure(settings.log_level)
    require_free(host, port)
    shown = f"[{host}]" if ":" in host else host
    if host not in ("0.0.0.0", "::"):  # noqa: S104 - a comparison; nobody can visit these
        os.environ.setdefault("RELAIS_BASE_URL", f"http://{shown}:{port}")
    base_url = _settings().base_url
    with _database() as database:
        upgrade(database)
        if demo and not demonstration.has_members(database):
            click.echo("Loading the demonstration …")
            demonstration.load(database, base_url)
        if with_secret(settings, database).secret_key is None:
            _fail("RELAIS_SECRET_KEY is required outside a demonstration (32 characters or more)")
        logins = demonstration.logins(database)
    if logins:
        click.echo(demonstration.as_text(logins))
        if settings.smtp_url is None:
            click.echo(f"The mail of all, for a titular: {base_url}{demonstration.MAILBOX}")
    click.echo(f"Relais is at http://{shown}:{port}  (Ctrl-C ends it)")
    sys.exit(House(host, port).run())


@cli.command()
def worker() -> None:
    """Run one worker: proposals, messages, what is due."""
    from scheduler.core import logs
    from scheduler.jobs import run_worker

    settings = _settings()
    logs.configure(settings.log_level)
    run_worker(settings)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the logins as JSON.")
def demo(as_json: bool) -> None:
    """Fill an empty database with the demonstration cabinet and print its logins."""
    from scheduler import demonstration
    from scheduler.core.migrate import upgrade

    with _database() as database:
        upgrade(database)
        logins = demonstration.load(database, _settings().base_url)
    if as_json:
        click.echo(json.dumps([login.as_dict() for login in logins], ensure_ascii=False, indent=1))
    else:
        click.echo(demonstration.as_text(logins))


@cli.command()
@click.argument("problem", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write the roster here.")
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    callback=_finite,
    help="Seconds in all; the best roster found until then is written.",
)
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
def solve(problem: Path, out: Path | None, time_limit: float, workers: int, seed: int) -> None:
    """Fill the needs of PROBLEM.json; the roster goes to --out or standard output."""
    from scheduler.engine.commands import solve_file

    sys.exit(solve_file(problem, out, time_limit=time_limit, workers=workers, seed=seed))


@cli.command()
@click.argument("problem", type=click.Path(path_type=Path))
@click.argument("solution", type=click.Path(path_type=Path))
def check(problem: Path, solution: Path) -> None:
    """Check a roster against its problem with the engine's own rules."""
    from scheduler.engine.commands import check_files

    sys.exit(check_files(problem, solution))


@cli.group()
def calendars() -> None:
    """Calendars that doctors keep elsewhere."""


@calendars.command("reply")
@click.argument("file", type=click.Path(path_type=Path))
def calendars_reply(file: Path) -> None:
    """Carry out a mail that answers an invitation, and print what came of it.

    FILE is the whole mail with its headers, as the mailbox would have received it.
    """
    from scheduler.calendars.invitations.command import reply_file
    from scheduler.core.installation import with_secret

    with _database() as database:
        status = reply_file(file, database, with_secret(_settings(), database))
    sys.exit(status)


@calendars.command("preview")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.ics")
@click.option("--from", "start", type=DAY, help="The first day; today where it is not given.")
@click.option("--to", "end", type=DAY, help="The last day; 18 months on where it is not given.")
def calendars_preview(file: Path, start: dt.date | None, end: dt.date | None) -> None:
    """Print what an import of FILE.ics would do, as JSON. No database is read or written.

    \b
    half_days  each half-day the file speaks of: date, period (am or pm), whether it takes the
               doctor's time (busy), and how gladly the doctor would come if the file were read
               as availabilities (preference: wanted, possible, last_resort, or null where
               it would say nothing: too little of the half-day, or a busy time only)
    ignored    each event that says nothing, by its uid, with the reason

    An event is an availability of a half-day when it covers at least half of its opening hours;
    a title that begins or ends with ? makes it possible, with ! the last resort. Opening hours
    and time zone are those of a new practice: 8:30 to 12:30 and 14:00 to 18:30 in Paris.

    A file that cannot be read ends with exit status 2 and one line on standard error.
    """
    from scheduler.calendars.reading.command import preview_file

    sys.exit(preview_file(file, start, end))


@cli.group()
def labs() -> None:
    """Results that laboratories send."""


@labs.command("read")
@click.argument("file", type=click.Path(path_type=Path))
def labs_read(file: Path) -> None:
    """Print what Relais understands of a laboratory's FILE, as JSON. No database is touched.

    Formats: HPRIM Médecin, HPRIM Santé 2.x, HL7 v2 ORU^R01, CDA R2 CR-BIO. A file that cannot be
    read safely ends with exit status 3 and {"quarantined": reason}; a path that leads to no file
    with exit status 2 and one line on standard error.
    """
    from scheduler.oncall.readers.command import read_file

    sys.exit(read_file(file))


@cli.group()
def audit() -> None:
    """The audit chain."""


@audit.command("verify")
def audit_verify() -> None:
    """Recompute the whole chain; exit status 1 where a row was edited, inserted or removed."""
    from scheduler.core.audit import verify

    with _database() as database, database.session() as session:
        report = verify(session)
    click.echo(f"{report.events} events hold, the last is {report.head}")
    if report.fault:
        click.echo(f"relais: {report.fault}", err=True)
        sys.exit(1)


@cli.group()
def db() -> None:
    """The database's schema."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Migrate to the newest schema."""
    from scheduler.core.migrate import revisions, upgrade

    with _database() as database:
        upgrade(database)
        click.echo(f"the database is at revision {revisions(database)[0]}")


@db.command("check")
def db_check() -> None:
    """Exit status 1 where the database is not at the newest schema."""
    from scheduler.core.migrate import revisions

    with _database() as database:
        current, head = revisions(database)
    click.echo(f"the database is at revision {current}, the newest is {head}")
    sys.exit(0 if current == head else 1)


@cli.group()
def practice() -> None:
    """Shared cabinets."""


@practice.command("add")
@click.argument("name")
@click.option("--room", "rooms", multiple=True, default=("Salle 1",), show_default=True)
@click.option("--slug", help="The name in addresses; made from NAME where it is not given.")
@click.option("--address")
@click.option("--school-zone", type=click.Choice(("A", "B", "C")), help="Of school holidays.")
@click.option("--weekly-minimum", type=click.IntRange(0, 7), default=0, show_default=True)
def practice_add(
    name: str,
    rooms: tuple[str, ...],
    slug: str | None,
    address: str | None,
    school_zone: str | None,
    weekly_minimum: int,
) -> None:
    """Open a practice called NAME; prints its name in addresses."""
    from scheduler.core.permissions import SYSTEM
    from scheduler.people import service
    from scheduler.people.models import SchoolZone

    with _database() as database, database.transaction() as session:
        opened = service.create_practice(
            session,
            SYSTEM,
            name=name,
            rooms=rooms,
            slug=slug,
            address=address,
            school_zone=SchoolZone(school_zone) if school_zone else None,
            weekly_minimum=weekly_minimum,
        )
    click.echo(opened.slug)


@cli.group()
def user() -> None:
    """People who can sign in."""


ROLES: Final = ("titular", "replacement", "assistant", "intern", "secretary", "nurse", "viewer")


@user.command("add")
@click.option("--email", required=True)
@click.option("--given", required=True, help="Given name.")
@click.option("--family", required=True, help="Family name.")
@click.option("--practice", help="Address name of the practice, as `practice add` printed it.")
@click.option("--role", type=click.Choice(ROLES))
@click.option("--gender", type=click.Choice(("F", "M")), help="Of a doctor, for the roster's mix.")
@click.option("--rpps", help="Of a doctor: 11 digits.")
@click.option("--licence-until", type=DAY, help="Of a doctor without a thesis: the last day.")
@click.option("--days-per-week", type=DAYS, help="Of a doctor: no more days than this a week.")
@click.option("--days-per-month", type=DAYS, help="Of a doctor: no more days than this a month.")
@click.option("--days-in-a-row", type=click.IntRange(1, 31), help="Of a doctor.")
def user_add(**given: Any) -> None:
    """Add a user, as a member of a practice if one is named; prints the first password once."""
    from scheduler.core.permissions import SYSTEM, Role
    from scheduler.people import service
    from scheduler.people.models import Gender

    licence = given["licence_until"]
    with _database() as database, database.transaction() as session:
        added, password = service.add_user(
            session,
            SYSTEM,
            email=given["email"],
            given_name=given["given"],
            family_name=given["family"],
            practice_slug=given["practice"],
            role=Role(given["role"]) if given["role"] else None,
            gender=Gender(given["gender"]) if given["gender"] else None,
            rpps=given["rpps"],
            qualified=licence is None and given["role"] != Role.INTERN,
            licence_until=licence,
            max_half_days_per_week=given["days_per_week"],
            max_half_days_per_month=given["days_per_month"],
            max_consecutive_days=given["days_in_a_row"],
        )
    click.echo(f"{added.email}\t{password}")


@user.command("reset")
@click.argument("email")
def user_reset(email: str) -> None:
    """Give a user a new password and print it once; ends their sessions."""
    from scheduler.core.permissions import SYSTEM
    from scheduler.people import service

    with _database() as database, database.transaction() as session:
        password = service.reset_password(session, SYSTEM, email)
    click.echo(f"{email}\t{password}")


if __name__ == "__main__":
    cli()
