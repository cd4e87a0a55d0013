"""What the worker runs, and when.

The database's rows are the truth and Huey's queue is a nudge: a proposal, or a scenario of one,
whose nudge was lost is found by the next look at the table, and one whose worker died is taken
up again when its signs of life have stopped. Losing the whole queue loses nothing.

Four threads share a worker: Huey's, which computes; one that takes up what was left behind and
marks past days as done; one that sends the outbox; one that reads the doctors' own calendars. A
fifth reads the answers to invitations, where there is a mailbox for them. No transaction is open
while the solver runs or another machine is spoken to.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import structlog
from huey.api import Huey, MemoryHuey, PostgresHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer
from sqlalchemy.exc import SQLAlchemyError

from scheduler import notify
from scheduler.calendars.days import FILE_NAME, MEDIA_TYPE, days_file
from scheduler.calendars.fetching import Fetcher
from scheduler.calendars.imports import polling
from scheduler.calendars.invitations import following, letters
from scheduler.calendars.invitations import polling as mailbox
from scheduler.core import outbox
from scheduler.core.database import Database, UnitOfWork
from scheduler.core.errors import RelaisError
from scheduler.core.installation import with_secret
from scheduler.core.outbox import Attachment
from scheduler.core.settings import Settings
from scheduler.notify.readers.common import week_at
from scheduler.people.models import User
from scheduler.roster import (
    ask_endings,
    availability_reminders,
    call_work,
    holding,
    past_days,
    proposal_work,
    releasing,
    swaps,
    work,
)
from scheduler.roster.models import Assignment
from scheduler.roster.proposal_work import PROPOSALS
from scheduler.roster.scenario_work import SCENARIOS
from scheduler.roster.work import Kind, Orders, Ticket

log = structlog.get_logger(__name__)

QUEUE: Final = "relais"
LONGEST_POLL_SECONDS: Final = 1.0
STOP_PATIENCE_SECONDS: Final = 10.0
# What a worker computes. Whoever waits for a proposal comes before whoever compares.
KINDS: Final = (PROPOSALS, SCENARIOS)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a worker does what it does by itself, in seconds."""

    tick: float = 5.0
    mail: float = 5.0
    look: float = 30.0
    answers: float = 30.0
    report: float = 0.5
    lease: float = work.LEASE.total_seconds()


class JsonSerializer(Serializer):  # type: ignore[misc]  # Huey carries no types
    """Messages as JSON: whoever can write to the queue still cannot run code in the worker."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data._asdict() if isinstance(data, Message) else data).encode()

    def _deserialize(self, data: Any) -> Any:
        content = json.loads(bytes(data))
        return Message(**content) if isinstance(content, dict) else content


def make_huey(database: Database) -> Huey:
    """The queue of an installation: a file beside SQLite's, or tables of its own in PostgreSQL."""
    common: dict[str, Any] = {"results": False, "serializer": JsonSerializer()}
    if not database.is_sqlite:
        # The driver's own form of the address, without SQLAlchemy's name for the driver.
        address = database.url.set(drivername="postgresql")
        dsn = address.render_as_string(hide_password=False)
        return PostgresHuey(QUEUE, dsn=dsn, table_prefix="queue", blocking=False, **common)
    if not database.url.database or database.url.database == ":memory:":
        return MemoryHuey(QUEUE, **common)
    path = Path(database.url.database)
    return SqliteHuey(QUEUE, filename=str(path.with_name(f"{path.stem}-queue.db")), **common)


def enqueue_proposal(database: Database, proposal_id: int) -> None:
    """Nudge a worker to compute a proposal; to be called after the commit that queued it.

    A queue that cannot be reached only delays it: workers look at the table themselves.
    """
    _enqueue(database, PROPOSALS, proposal_id)


def enqueue_scenario(database: Database, scenario_id: int) -> None:
    """Nudge a worker to compute a scenario, as `enqueue_proposal` does for a proposal."""
    _enqueue(database, SCENARIOS, scenario_id)


def _enqueue(database: Database, kind: Kind, row_id: int) -> None:
    try:
        huey = make_huey(database)
        with closing(huey.storage):
            _task(huey, kind, lambda _row_id: None)(row_id)
    except Exception as error:  # noqa: BLE001 - whatever the driver of the queue raises
        log.warning("queue.unreachable", error=type(error).__name__)


def _task(huey: Huey, kind: Kind, act: Callable[[int], object]) -> Callable[[int], object]:
    """Make `act` the task that a nudge for a kind asks for; calling the result is to nudge."""

    def compute(row_id: int) -> None:
        act(row_id)

    priority = len(KINDS) - KINDS.index(kind)
    nudge: Callable[[int], object] = huey.task(name=_name(kind), priority=priority)(compute)
    return nudge


def _name(kind: Kind) -> str:
    return f"compute_{kind.name}"


class Pulse:
    """Reports a computation's progress from a thread of its own, and brings back what people
    want: so a worker lives as long as it reports, even while the solver says nothing."""

    def __init__(
        self, database: Database, ticket: Ticket, seconds: float, stopping: threading.Event
    ) -> None:
        self._database, self._ticket, self._seconds = database, ticket, seconds
        self._stopping = stopping
        self._progress: dict[str, Any] = {}
        self._orders = Orders(current=True, cancel=False)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"pulse-{ticket.row_id}")
        self.interrupted = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def note(self, progress: dict[str, Any]) -> None:
        """Keep the latest progress for the next report."""
        self._progress = progress

    def should_stop(self) -> bool:
        """Whether the computation is to end now: cancelled, superseded, or the worker stops."""
        if self._stopping.is_set():
            self.interrupted = True
        return self.interrupted or self._orders.cancel or not self._orders.current

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                with self._database.transaction() as session:
                    self._orders = work.report(session, self._ticket, self._progress)
            except SQLAlchemyError as error:
                # The next report may get through; if none does, another worker takes over.
                log.warning("computation.report_failed", error=type(error).__name__)


class Worker:
    """One worker process: its database, its queue and its loops."""

    def __init__(self, settings: Settings, rhythm: Rhythm | None = None) -> None:
        self._settings = settings
        self._rhythm = rhythm or Rhythm()
        self.database = Database(settings.database_url)
        self.huey = make_huey(self.database)
        self._nudges = {
            kind: _task(self.huey, kind, partial(self.compute, kind=kind)) for kind in KINDS
        }
        # A demonstration signs the addresses in its letters with a key of its own.
        settings = with_secret(settings, self.database)
        self._send = notify.channel(settings, database=self.database)
        self._signing = settings
        self._compose = notify.composer(
            settings, partial(_days_file, settings.base_url), letters.writer(settings)
        )
        self._route = notify.router(settings)
        self._fetcher = Fetcher(allow_http=settings.calendar_http)
        self.stopping = threading.Event()

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; a computation under way is given back to the queue."""
        consumer = self.huey.create_consumer(
            workers=1,
            periodic=False,
            max_delay=LONGEST_POLL_SECONDS,
            shutdown_timeout=STOP_PATIENCE_SECONDS,
            graceful_signal="TERM",
        )
        self.stopping = consumer.stop_flag
        loops = [
            threading.Thread(target=self._repeat, args=(seconds, act), name=act.__name__)
            for seconds, act in (
                (self._rhythm.tick, self.tick),
                (self._rhythm.mail, self.mail),
                (self._rhythm.look, self.look),
                (self._rhythm.answers, self.answers),
            )
        ]
        for loop in loops:
            loop.start()
        log.info("worker.started")
        try:
            consumer.run()
        finally:
            self.stopping.set()
            for thread in [*loops, *(thread for _worker, thread in consumer.worker_threads)]:
                thread.join(STOP_PATIENCE_SECONDS)
            self.close()
            log.info("worker.stopped")

    def close(self) -> None:
        self.huey.storage.close()
        self.database.dispose()

    def tick(self) -> None:
        """Take up what was left behind, nudge what nobody was nudged for, end past days."""
        lease = dt.timedelta(seconds=self._rhythm.lease)
        for kind in KINDS:
            with self.database.transaction() as session:
                queued = work.recover(session, kind, lease)
            self._nudge(kind, queued)
        with self.database.transaction() as session:
            ask_endings.lapse_past(session)
        with self.database.transaction() as session:
            availability_reminders.remind_unanswered(session)
        with self.database.transaction() as session:
            releasing.lapse_past(session)
        with self.database.transaction() as session:
            swaps.lapse_past(session)
        while self._decided_held() and not self.stopping.is_set():
            continue
        for act in (call_work.advance_calls, call_work.find_thin_weeks, following.keep_up):
            while not self.stopping.is_set():
                with self.database.transaction() as session:
                    if not act(session):
                        break
        ended = past_days.BATCH
        while ended == past_days.BATCH and not self.stopping.is_set():
            with self.database.transaction() as session:
                ended = past_days.finish_past_days(session)

    def _decided_held(self) -> int:
        """Decide on the held days of one practice whose time is over."""
        with self.database.transaction() as session:
            return holding.expire_held(session)

    def mail(self) -> None:
        """Send what is due in the outbox."""
        outbox.send_due(
            self.database, self._compose, self._send, route=self._route, wrap=self._compose.wrap
        )

    def look(self) -> None:
        """Read the doctors' own calendars whose time has come, one after the other."""
        while not self.stopping.is_set() and polling.poll_one(self.database, self._fetcher):
            continue

    def answers(self) -> None:
        """Carry out what doctors' calendars answer to invitations."""
        mailbox.poll(self.database, self._signing)

    def compute(self, row_id: int, kind: Kind = PROPOSALS) -> None:
        """Compute a queued row, unless somebody else has begun to."""
        with self.database.transaction() as session:
            ticket = work.take(session, kind, row_id)
        if ticket is None:
            return
        log.info(f"{kind.name}.taken", row=row_id, attempt=ticket.attempt)
        try:
            outcome = self._computed(ticket)
        except Exception as error:
            failure = error.code if isinstance(error, RelaisError) else work.UNEXPECTED
            log.exception(f"{kind.name}.failed", row=row_id, failure=failure)
            with self.database.transaction() as session:
                work.fail(session, ticket, failure)
        else:
            log.info(f"{kind.name}.left", row=row_id, outcome=outcome)

    def _computed(self, ticket: Ticket) -> str:
        pulse = Pulse(self.database, ticket, self._rhythm.report, self.stopping)
        with pulse:
            with self.database.session() as session:
                problem = ticket.kind.problem(session, ticket.row_id)
            solution = proposal_work.compute(
                problem,
                seconds=self._settings.solver_seconds,
                workers=self._settings.solver_workers,
                progress=pulse.note,
                should_stop=pulse.should_stop,
            )
        with self.database.transaction() as session:
            if pulse.interrupted:
                return "given back" if work.give_back(session, ticket) else "superseded"
            stored = ticket.kind.finish(session, ticket, problem, solution)
            return str(solution["status"]) if stored else "superseded"

    def _nudge(self, kind: Kind, queued: list[int]) -> None:
        """Put what nobody was nudged for into the queue."""
        if not queued:
            return
        nudged = {task.args[0] for task in self.huey.pending() if task.name == _name(kind)}
        for row_id in queued:
            if row_id not in nudged:
                self._nudges[kind](row_id)

    def _repeat(self, seconds: float, act: Callable[[], None]) -> None:
        """Do `act` now and again and again; what goes wrong is logged and tried again."""
        while not self.stopping.is_set():
            try:
                act()
            except Exception:
                log.exception("worker.stumbled", act=act.__name__)
            self.stopping.wait(seconds)


def _days_file(
    base_url: str, _session: UnitOfWork, to: User, days: Sequence[Assignment]
) -> list[Attachment]:
    """The days of a letter as a calendar file: letters and calendars do not know each other."""

    def link(slug: str, day: dt.date) -> str:
        return base_url + week_at(slug, day)

    content = days_file(days, to.locale, link)
    return [Attachment(FILE_NAME[to.locale], MEDIA_TYPE, content)]


def run_worker(settings: Settings, rhythm: Rhythm | None = None) -> None:
    """Run a worker in this process until it is told to stop."""
    Worker(settings, rhythm).run()
