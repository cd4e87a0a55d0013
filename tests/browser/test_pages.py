"""Every page in every shape: axe finds nothing, and a picture is kept for eyes.

A new page is one more line of `PAGES`, or of `PAGES_OF_HELP`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from jinja2 import FileSystemBytecodeCache
from playwright.sync_api import Browser

from scheduler.core.clock import FixedClock
from scheduler.core.permissions import Role
from tests.browser.called import (
    ABSENT,
    DISMISSED,
    LINK,
    PREPARED,
    SENT,
    STOP,
    call_for_help,
)
from tests.browser.conftest import Sessions, Visit, windows
from tests.browser.furnished import QUIET_NEED, SLUG, THOMAS
from tests.browser.invited import invite_doctors
from tests.browser.site import DEVICES, Site, Visitor, serving
from tests.conftest import NOW

PRACTICE: Final = f"/p/{SLUG}"

# Name of the picture, who looks (None: not signed in), address, status.
PAGES: Final[list[tuple[str, Role | None, str, int]]] = [
    ("sign-in", None, "/sign-in", 200),
    ("account", Role.REPLACEMENT, "/account", 200),
    ("calendars", Role.REPLACEMENT, "/calendars/", 200),
    ("calendars-of-a-secretary", Role.SECRETARY, "/calendars/", 200),
    ("subscription", Role.REPLACEMENT, "/calendars/new?kind=personal", 200),
    ("subscription-open", Role.REPLACEMENT, "/calendars/new?kind=open", 200),
    ("devices", Role.REPLACEMENT, "/calendars/devices/", 200),
    ("imports", Role.REPLACEMENT, "/calendars/imports/", 200),
    ("device-apple", Role.REPLACEMENT, "/calendars/devices/setup/apple", 200),
    ("device-android", Role.REPLACEMENT, "/calendars/devices/setup/android", 200),
    ("device-thunderbird", Role.REPLACEMENT, "/calendars/devices/setup/thunderbird", 200),
    ("device-outlook", Role.REPLACEMENT, "/calendars/devices/setup/outlook", 200),
    ("device-google", Role.REPLACEMENT, "/calendars/devices/setup/google", 200),
    ("week", Role.SECRETARY, f"{PRACTICE}/week/2026-W49", 200),
    ("week-of-a-doctor", Role.REPLACEMENT, f"{PRACTICE}/week/2026-W49", 200),
    ("duty", Role.SECRETARY, f"{PRACTICE}/days/2026-12-02/duty", 200),
    ("duty-read", Role.NURSE, f"{PRACTICE}/days/2026-12-02/duty", 200),
    ("advice", Role.SECRETARY, f"{PRACTICE}/advice/", 200),
    ("presences", Role.TITULAR, f"{PRACTICE}/presences/", 200),
    ("presences-own", Role.NURSE, f"{PRACTICE}/presences/", 200),
    ("no-public-page", None, "/qui/nowhere", 404),
    ("month", Role.SECRETARY, f"{PRACTICE}/month/2026-12", 200),
    ("need-taken", Role.SECRETARY, f"{PRACTICE}/needs/1", 200),
    ("need-open", Role.REPLACEMENT, f"{PRACTICE}/needs/7", 200),
    ("availabilities", Role.REPLACEMENT, "/availabilities/2026-12", 200),
    ("copy-month", Role.REPLACEMENT, "/availabilities/2027-01/copy", 200),
    ("answers", Role.TITULAR, f"{PRACTICE}/answers/2026-12", 200),
    ("answers-read", Role.SECRETARY, f"{PRACTICE}/answers/2026-12", 200),
    ("publish", Role.TITULAR, f"{PRACTICE}/days/", 200),
    ("patterns", Role.TITULAR, f"{PRACTICE}/patterns/", 200),
    ("pattern", Role.TITULAR, f"{PRACTICE}/patterns/new", 200),
    ("proposals", Role.TITULAR, f"{PRACTICE}/proposals/", 200),
    ("proposal", Role.TITULAR, f"{PRACTICE}/proposals/2", 200),
    ("proposal-read", Role.SECRETARY, f"{PRACTICE}/proposals/2", 200),
    ("scenarios", Role.TITULAR, f"{PRACTICE}/proposals/2/scenarios/", 200),
    ("scenarios-read", Role.SECRETARY, f"{PRACTICE}/proposals/2/scenarios/", 200),
    ("candidates", Role.TITULAR, f"{PRACTICE}/needs/7/candidates", 200),
    ("candidates-of-taken", Role.SECRETARY, f"{PRACTICE}/needs/1/candidates", 200),
    ("candidates-quiet", Role.TITULAR, f"{PRACTICE}/needs/{QUIET_NEED}/candidates", 200),
    ("ask", Role.TITULAR, f"/asks/new?need_id={QUIET_NEED}&doctor_id={THOMAS}", 200),
    ("asked", Role.TITULAR, "/asks/2", 200),
    ("asks", Role.REPLACEMENT, "/asks/", 200),
    ("asks-none", Role.ASSISTANT, "/asks/", 200),
    ("ask-to-answer", Role.REPLACEMENT, "/asks/1", 200),
    ("practice", Role.TITULAR, f"{PRACTICE}/practice/", 200),
    ("statistics", Role.TITULAR, f"{PRACTICE}/statistics/?span=next3", 200),
    ("statistics-none", Role.SECRETARY, f"{PRACTICE}/statistics/?span=last3", 200),
    ("need-held", Role.TITULAR, f"{PRACTICE}/needs/4", 200),
    ("need-own", Role.REPLACEMENT, f"{PRACTICE}/needs/18", 200),
    ("decisions", Role.TITULAR, f"{PRACTICE}/decisions/", 200),
    ("offer", Role.REPLACEMENT, f"{PRACTICE}/assignments/1/offer", 200),
    ("offers-none", Role.REPLACEMENT, f"{PRACTICE}/swaps/", 200),
    ("take-over", Role.REPLACEMENT, f"{PRACTICE}/assignments/2/take-over", 200),
    ("absence", Role.SECRETARY, f"{PRACTICE}/assignments/1/absence", 200),
    ("not-for-your-role", Role.SECRETARY, "/availabilities/2026-12", 403),
    ("no-such-page", Role.NURSE, "/no-such-page", 404),
]

# The same while a doctor is missing and calls are on their way (`called`).
PAGES_OF_HELP: Final[list[tuple[str, Role | None, str, int]]] = [
    ("help-calls", Role.TITULAR, f"{PRACTICE}/calls/", 200),
    ("help-calls-read", Role.SECRETARY, f"{PRACTICE}/calls/", 200),
    ("help-call-to-send", Role.TITULAR, f"{PRACTICE}/calls/{PREPARED}", 200),
    ("help-call-to-send-read", Role.SECRETARY, f"{PRACTICE}/calls/{PREPARED}", 200),
    ("help-call-sent", Role.TITULAR, f"{PRACTICE}/calls/{SENT}", 200),
    ("help-call-set-aside", Role.TITULAR, f"{PRACTICE}/calls/{DISMISSED}", 200),
    ("help-calls-to-me", Role.REPLACEMENT, "/calls/", 200),
    ("help-calls-to-nobody", Role.INTERN, "/calls/", 200),
    ("help-answer", None, LINK, 200),
    ("help-no-answer", None, f"{LINK}x", 404),
    ("help-absence", Role.SECRETARY, f"{PRACTICE}/absences/{ABSENT}", 200),
    ("help-absence-of-a-colleague", Role.REPLACEMENT, f"{PRACTICE}/absences/{ABSENT}", 200),
    ("help-week", Role.SECRETARY, f"{PRACTICE}/week/2026-W48", 200),
    ("invitations", Role.TITULAR, f"{PRACTICE}/calendar-invitations/", 200),
    ("invitations-read", Role.SECRETARY, f"{PRACTICE}/calendar-invitations/", 200),
    ("invite", Role.TITULAR, f"{PRACTICE}/calendar-invitations/new", 200),
    (
        "invite-whom",
        Role.TITULAR,
        f"{PRACTICE}/calendar-invitations/new?need=7&need={QUIET_NEED}",
        200,
    ),
    ("notifications", Role.REPLACEMENT, "/account/notifications", 200),
    ("notifications-stop", None, STOP, 200),
]


@pytest.fixture(scope="module")
def help_site(
    furnished: Path,
    compiled_templates: FileSystemBytecodeCache,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """A Relais in which a doctor is missing and calls are on their way."""
    path = tmp_path_factory.mktemp("help") / "relais.db"
    shutil.copy(furnished, path)
    with serving(path, FixedClock(NOW), compiled_templates) as site:
        call_for_help(site.database)
        invite_doctors(site.database)
        yield site


@pytest.fixture
def look_at_help(help_site: Site, chromium: Browser, sessions: Sessions) -> Iterator[Visit]:
    yield from windows(help_site, chromium, sessions)


@pytest.mark.parametrize("device", ["desktop", "phone"])
@pytest.mark.parametrize(
    ("name", "role", "address", "status"), PAGES, ids=[page[0] for page in PAGES]
)
def test_page(
    look: Visit,
    name: str,
    role: Role | None,
    address: str,
    status: int,
    device: str,
) -> None:
    assert_page(look(role, device), name, address, status)


@pytest.mark.parametrize("device", ["desktop", "phone"])
@pytest.mark.parametrize(
    ("name", "role", "address", "status"), PAGES_OF_HELP, ids=[page[0] for page in PAGES_OF_HELP]
)
def test_page_of_help(
    look_at_help: Visit,
    name: str,
    role: Role | None,
    address: str,
    status: int,
    device: str,
) -> None:
    assert_page(look_at_help(role, device), name, address, status)


def assert_page(visitor: Visitor, name: str, address: str, status: int) -> None:
    if status >= 400:
        visitor.allow(f"{status} GET {address}")
    response = visitor.page.goto(address)
    assert response is not None
    assert response.status == status
    for scheme in ("light", "dark"):
        visitor.prefer(scheme)
        visitor.keep(name)
        visitor.assert_no_axe_findings()
    # A phone widens its window to what sticks out: only the device's own width tells.
    window = DEVICES[visitor.device]["viewport"]["width"]
    wide = visitor.page.evaluate("Math.max(document.documentElement.scrollWidth, innerWidth)")
    assert wide <= window, f"the page is {wide} px wide, the window {window}"
