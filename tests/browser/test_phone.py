"""What sticks to the top of a phone hides nothing, and what is written there has room."""

from __future__ import annotations

import datetime as dt
import re

from playwright.sync_api import Page, expect

from scheduler.core.clock import FixedClock
from scheduler.core.permissions import Role
from tests.browser.conftest import Visit
from tests.browser.furnished import SLUG


def expect_in_sight(page: Page, day: str) -> None:
    """The day's heading is to be seen, and not under the sticky head of the week."""
    heading = page.locator(f"#day-{day} h2")
    expect(heading).to_be_in_viewport(ratio=1)
    under, top = heading.bounding_box(), page.locator(".pager-bar").bounding_box()
    assert under is not None
    assert top is not None
    assert under["y"] >= top["y"] + top["height"]


def test_the_week_opens_at_today(visit: Visit, clock: FixedClock) -> None:
    clock.advance(dt.timedelta(days=3))
    visitor = visit(Role.SECRETARY, "phone")
    page = visitor.go("/")
    expect(page).to_have_url(re.compile("#day-2026-11-26$"))
    expect_in_sight(page, "2026-11-26")
    # A low window, so that the list is long enough to bring any day to its top.
    page.set_viewport_size({"width": 390, "height": 560})
    page.goto(f"/p/{SLUG}/week/2026-W49#day-2026-12-01")
    expect_in_sight(page, "2026-12-01")


def test_the_words_of_the_legend_have_room(look: Visit) -> None:
    page = look(Role.REPLACEMENT, "phone").go("/availabilities/2026-12")
    room = page.locator(".row > .avail-half").evaluate_all(
        """marks => marks.map(mark => mark.getBoundingClientRect().right
             - mark.querySelector(".avail-word").getBoundingClientRect().right)"""
    )
    assert len(room) >= 3
    assert min(room) >= 4, room
