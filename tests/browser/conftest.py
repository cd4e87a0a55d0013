"""Fixtures of the browser tests: one Chromium for all of them, one context for each visit.

    def test_something(visit: Visit) -> None:
        visitor = visit(Role.REPLACEMENT, device="phone")
        page = visitor.go("/availabilities/2026-12")

`visit` opens the page of a Relais that belongs to the test alone; `look` that of one which all
tests share and only read. Both come signed in by the form (role None: not signed in). When the
test ends, every script error, console error, breach of the content security policy and answer
of 4xx or 5xx fails it; `visitor.allow("422 POST")` expects some.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Protocol

import pytest
from jinja2 import FileSystemBytecodeCache
from playwright.sync_api import Browser, expect, sync_playwright

from scheduler.core.clock import FixedClock
from scheduler.core.database import Database
from scheduler.core.permissions import Role
from tests.browser.furnished import furnish
from tests.browser.site import AXE, PATIENCE_MILLISECONDS, Site, Visitor, serving
from tests.conftest import NOW, missing

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
# Nothing leaves the machine, and nothing of a desktop is needed.
OPTIONS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Visit(Protocol):
    """Opens a browser window for somebody."""

    def __call__(
        self,
        role: Role | None,
        device: str = "desktop",
        scheme: str = "light",
        *,
        javascript: bool = True,
    ) -> Visitor: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("RELAIS_TEST_CHROMIUM") or next(
        filter(None, map(shutil.which, NAMES)), ""
    )
    if not path:
        missing("Chromium")
    if not AXE.exists():
        missing("axe-core (npm ci)")
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def furnished(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the cabinet in it, to be copied."""
    path = tmp_path_factory.mktemp("furnished") / "relais.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}", FixedClock(NOW))
    furnish(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return path


@pytest.fixture(scope="session")
def shared_site(
    furnished: Path,
    compiled_templates: FileSystemBytecodeCache,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """One Relais for the tests that only look."""
    path = shutil.copy(furnished, tmp_path_factory.mktemp("shared") / "relais.db")
    with serving(path, FixedClock(NOW), compiled_templates) as site:
        yield site


@pytest.fixture
def site(
    furnished: Path,
    compiled_templates: FileSystemBytecodeCache,
    tmp_path: Path,
    clock: FixedClock,
) -> Iterator[Site]:
    """A Relais of the test's own."""
    path = shutil.copy(furnished, tmp_path / "relais.db")
    with serving(path, clock, compiled_templates) as site:
        yield site


class Sessions:
    """The cookies of everybody who signed in by the form, once for all their visits.

    They are good for every site: a cookie knows no port, and all sites are copies of one
    database with one secret key.
    """

    def __init__(self, site: Site, browser: Browser) -> None:
        self._site = site
        self._browser = browser
        self._known: dict[Role, Any] = {}

    def of(self, role: Role) -> Any:
        if role not in self._known:
            with Visitor(self._site, self._browser, "desktop", "light").visiting() as visitor:
                visitor.sign_in(role)
                self._known[role] = visitor.context.storage_state()
        return self._known[role]


@pytest.fixture(scope="session")
def sessions(shared_site: Site, chromium: Browser) -> Sessions:
    return Sessions(shared_site, chromium)


def windows(site: Site, browser: Browser, sessions: Sessions) -> Iterator[Visit]:
    with ExitStack() as stack:

        def open_window(
            role: Role | None, device: str = "desktop", scheme: str = "light", **options: Any
        ) -> Visitor:
            session = sessions.of(role) if role else None
            visitor = Visitor(site, browser, device, scheme, session=session, **options)
            return stack.enter_context(visitor.visiting())

        yield open_window


@pytest.fixture
def visit(site: Site, chromium: Browser, sessions: Sessions) -> Iterator[Visit]:
    yield from windows(site, chromium, sessions)


@pytest.fixture
def look(shared_site: Site, chromium: Browser, sessions: Sessions) -> Iterator[Visit]:
    yield from windows(shared_site, chromium, sessions)
