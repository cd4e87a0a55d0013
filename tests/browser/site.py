"""The real application on a port of its own, and people who visit it in a real browser."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from jinja2 import BytecodeCache
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect
from werkzeug.serving import WSGIRequestHandler, make_server

from scheduler.core.clock import Clock
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.jobs import KINDS, Worker
from scheduler.roster.rules import ProposalState
from tests.browser.furnished import LOGINS, Login
from web import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ROOT: Final = Path(__file__).parents[2]
AXE: Final = ROOT / "node_modules/axe-core/axe.min.js"
SCREENSHOTS: Final = ROOT / "var/screenshots"
SECRET_KEY: Final = "a key for browser tests, long enough to be accepted"
PATIENCE_MILLISECONDS: Final = 20_000

DEVICES: Final[dict[str, dict[str, Any]]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}


class Quiet(WSGIRequestHandler):
    """Serves without writing a line for every request."""

    def log(self, *_arguments: object) -> None:
        pass


def whole(app: WSGIApplication) -> WSGIApplication:
    """Every answer in one piece.

    Werkzeug forgets to close a file when its reader goes away, as a browser does that turns to
    another page.
    """

    def answer(environment: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        parts = app(environment, start)
        try:
            return [b"".join(parts)]
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()

    return answer


@dataclass(frozen=True)
class Site:
    """A running Relais: its address and its database."""

    url: str
    database: Database


@contextmanager
def serving(path: Path, clock: Clock, templates: BytecodeCache) -> Iterator[Site]:
    """The application on the SQLite database at `path`: CSRF and rate limits are on."""
    server = make_server("127.0.0.1", 0, _not_yet, threaded=True, request_handler=Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    address = f"sqlite:///{path}"
    database = Database(address, clock)
    settings = Settings(
        database_url=address,
        secret_key=SECRET_KEY,
        base_url=url,
        reply_address="relais@example.org",
    )
    app = create_app(settings, database)
    app.jinja_env.bytecode_cache = templates
    server.app = whole(app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield Site(url, database)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        database.dispose()


def work(site: Site) -> None:
    """Let a worker do what is due, as the one beside the web server would."""
    url = site.database.url.render_as_string(hide_password=False)
    worker = Worker(Settings(database_url=url, base_url=site.url))
    worker.database.clock = site.database.clock
    try:
        for kind in KINDS:
            with site.database.session() as session:
                queued = session.scalars(
                    sa.select(kind.table.id).where(kind.table.state == ProposalState.QUEUED)
                ).all()
            for row_id in queued:
                worker.compute(row_id, kind)
        worker.mail()
    finally:
        worker.close()


def _not_yet(_environment: Any, _start: Any) -> Any:
    raise RuntimeError("the application is not there yet")


class Visitor:
    """Somebody in front of a page. Whatever the browser complains about fails the test.

    An answer of 4xx is a complaint too: a test that provokes one says so with `allow`.
    """

    def __init__(
        self,
        site: Site,
        browser: Browser,
        device: str,
        scheme: str,
        *,
        javascript: bool = True,
        session: Any = None,
    ) -> None:
        self.site = site
        self.device = device
        self.scheme = scheme
        self.complaints: list[str] = []
        self._allowed: list[str] = []
        self.context: BrowserContext = browser.new_context(
            base_url=site.url,
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=javascript,
            locale="fr-FR",
            timezone_id="Europe/Paris",
            reduced_motion="reduce",
            storage_state=session,
            **DEVICES[device],
        )
        self.context.set_default_timeout(PATIENCE_MILLISECONDS)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        # "Failed to load resource" only repeats what the answer's status said.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(f"console: {message.text}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            path = response.url.removeprefix(self.site.url)
            self.complaints.append(f"{response.status} {response.request.method} {path}")

    def allow(self, pattern: str) -> None:
        """Expect complaints that match a regular expression, such as ``422 POST``."""
        self._allowed.append(pattern)

    @contextmanager
    def visiting(self) -> Iterator[Visitor]:
        """The visit; its context is closed at the end, and nothing must have gone wrong."""
        try:
            yield self
        finally:
            self.context.close()
        self.assert_no_complaints()

    def assert_no_complaints(self) -> None:
        left = [
            complaint
            for complaint in self.complaints
            if not any(re.search(pattern, complaint) for pattern in self._allowed)
        ]
        assert not left, "the browser complained:\n" + "\n".join(left)

    def go(self, path: str) -> Page:
        self.page.goto(path)
        return self.page

    def sign_in(self, role: Role) -> Login:
        """Sign in by the form, as everybody does."""
        login = LOGINS[role]
        self.go("/sign-in")
        form = self.page.get_by_role("main")
        form.locator("input[name=email]").fill(login.email)
        form.locator("input[name=password]").fill(login.password)
        form.locator("button[type=submit]").click()
        expect(self.page).not_to_have_url(re.compile("/sign-in"))
        return login

    def prefer(self, scheme: str) -> None:
        """Ask for the light or the dark page, as the reader's system does."""
        self.scheme = scheme
        self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]

    def keep(self, name: str) -> Path:
        """Keep a picture of the page under ``var/screenshots`` for somebody's eyes."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}-{self.device}-{self.scheme}.png"
        # As tall as the page, so that what sticks to the window's edges stays at them.
        window = DEVICES[self.device]["viewport"]
        tall = self.page.evaluate("document.documentElement.scrollHeight")
        self.page.set_viewport_size({**window, "height": max(tall, window["height"])})
        self.page.screenshot(path=path)
        self.page.set_viewport_size(window)
        return path

    def assert_no_axe_findings(self) -> None:
        """Run axe's every rule on the page as it stands."""
        # Evaluated, not inserted: the page's content security policy stays in force.
        self.page.evaluate(_axe())
        found = self.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        assert found["passes"], "axe found nothing to look at"
        assert not found["violations"], "\n".join(
            f"{finding['id']}: {finding['help']}\n    "
            + "\n    ".join(node["html"][:200] + _why(node) for node in finding["nodes"])
            for finding in found["violations"]
        )


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def _why(node: dict[str, Any]) -> str:
    facts = [check["message"] for kind in ("any", "all", "none") for check in node[kind]]
    return "\n        " + json.dumps(facts, ensure_ascii=False)[:300]
