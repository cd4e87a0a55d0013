"""A doctor with a phone: taking an open day, losing one, undoing; each in three taps at most."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from scheduler.core.clock import FixedClock
from scheduler.core.permissions import Role
from scheduler.people.models import User
from scheduler.roster import claiming
from scheduler.roster.models import Assignment
from scheduler.roster.rules import AssignmentState, ReleaseKind
from tests.browser.conftest import Visit
from tests.browser.furnished import LOGINS, THOMAS
from tests.browser.site import DEVICES, Site, Visitor
from tests.factories import House

MOST_TAPS = 3
EVERYTHING = "/board/?all=1"

both_devices = pytest.mark.parametrize("device", ["desktop", "phone"])
with_and_without = pytest.mark.parametrize("javascript", [True, False], ids=["js", "plain"])


class Thumb:
    """Taps, and counts them."""

    def __init__(self) -> None:
        self.taps = 0

    def __call__(self, target: Locator) -> None:
        self.taps += 1
        target.tap()


@pytest.fixture(autouse=True)
def later(clock: FixedClock) -> None:
    """The cabinet's own days were taken long enough ago."""
    clock.advance(dt.timedelta(hours=1))


@pytest.fixture
def tap() -> Iterator[Thumb]:
    thumb = Thumb()
    yield thumb
    assert 0 < thumb.taps <= MOST_TAPS


def board_link(page: Page) -> Locator:
    return page.locator(".nav-link[href='/board/']")


def take_buttons(page: Page) -> Locator:
    """The buttons that take a day against which nothing stands."""
    return page.locator(".board-list form[action^='/board/claim'] .is-primary")


def need_of(button: Locator) -> int:
    form = button.locator("xpath=ancestor::form")
    return int(form.locator("input[name=need]").get_attribute("value") or 0)


def standing(site: Site, need_id: int) -> list[int]:
    """Who has a need."""
    with site.database.session() as session:
        return list(
            session.scalars(
                sa.select(Assignment.doctor_id).where(
                    Assignment.need_id == need_id, Assignment.state != AssignmentState.RELEASED
                )
            )
        )


def camille(site: Site) -> int:
    with site.database.session() as session:
        email = LOGINS[Role.REPLACEMENT].email
        return session.scalars(sa.select(User.id).where(User.email == email)).one()


def somebody_takes(site: Site, need_id: int) -> None:
    """A colleague is quicker, through another door."""
    with site.database.session() as session:
        thomas = session.get_one(User, THOMAS)
    actor = House(site.database).actor(thomas)
    with site.database.transaction() as session:
        claiming.claim(session, actor, need_id)


def phone(visit: Visit, javascript: bool) -> tuple[Visitor, Page]:
    visitor = visit(Role.REPLACEMENT, "phone", javascript=javascript)
    return visitor, visitor.go("/")


@with_and_without
def test_a_day_is_taken(visit: Visit, site: Site, tap: Thumb, javascript: bool) -> None:
    _visitor, page = phone(visit, javascript)
    tap(board_link(page))
    button = take_buttons(page).first
    need_id = need_of(button)
    tap(button)
    expect(page.locator(".toast.is-success")).to_be_visible()
    expect(page.locator(".recent-day")).to_have_count(1)
    assert standing(site, need_id) == [camille(site)]


@with_and_without
def test_a_race_is_lost_and_another_day_taken(
    visit: Visit, site: Site, tap: Thumb, javascript: bool
) -> None:
    visitor, page = phone(visit, javascript)
    visitor.allow("409 POST /board/claim")
    tap(board_link(page))
    button = take_buttons(page).first
    lost = need_of(button)
    somebody_takes(site, lost)
    tap(button)
    notice = page.get_by_role("alert").filter(has_text="Thomas Le Goff")
    expect(notice).to_be_visible()
    if javascript:
        visitor.assert_no_axe_findings()
        visitor.keep("board-lost")
    instead = page.locator(".board-outcome .open-day")
    assert 1 <= instead.count() <= 3
    button = instead.locator(".is-primary").first
    won = need_of(button)
    tap(button)
    expect(page.locator(".recent-day")).to_have_count(1)
    assert standing(site, lost) == [THOMAS]
    assert standing(site, won) == [camille(site)]


@with_and_without
@pytest.mark.parametrize("where", [".toast-act", ".recent-day .button"])
def test_taking_a_day_is_undone(
    visit: Visit, site: Site, tap: Thumb, javascript: bool, where: str
) -> None:
    _visitor, page = phone(visit, javascript)
    tap(board_link(page))
    button = take_buttons(page).first
    need_id = need_of(button)
    tap(button)
    expect(page.locator(where)).to_be_visible()
    tap(page.locator(where))
    expect(page.locator(".toast.is-info")).to_be_visible()
    expect(page.locator(".recent-day")).to_have_count(0)
    assert standing(site, need_id) == []
    with site.database.session() as session:
        kinds = sa.select(Assignment.release_kind).where(Assignment.need_id == need_id)
        assert session.scalars(kinds).all() == [ReleaseKind.UNDONE]


@with_and_without
def test_several_days_are_ticked_and_taken(visit: Visit, site: Site, javascript: bool) -> None:
    visitor, page = phone(visit, javascript)
    visitor.go("/board/")
    boxes = page.locator("input[data-tick]")
    bar = page.locator(".board-bar")
    expect(bar).to_be_hidden()
    needs = []
    for box in (boxes.nth(0), boxes.nth(2), boxes.nth(3)):
        needs.append(int(box.get_attribute("value") or 0))
        box.tap()
    expect(bar).to_be_in_viewport(ratio=1)
    if javascript:
        expect(bar).to_have_text(re.compile(r"\b3\b"))
        visitor.assert_no_axe_findings()
        visitor.keep("board-ticked")
    somebody_takes(site, needs[1])
    bar.locator("button").tap()
    expect(page.locator(".board-refused li")).to_have_count(1)
    expect(page.locator(".board-refused")).to_contain_text("Thomas Le Goff")
    expect(page.locator(".recent-day")).to_have_count(2)
    mine = [camille(site)]
    assert [standing(site, need) for need in needs] == [mine, [THOMAS], mine]


def test_the_filters_stay_after_a_claim(visit: Visit) -> None:
    page = visit(Role.REPLACEMENT, "phone").go("/board/")
    page.locator(".board-filters > summary").tap()
    page.locator("input[name=weekday][value='3']").check()
    page.locator(".board-form button[type=submit]").tap()
    expect(page).to_have_url(re.compile(r"weekday=3"))
    expect(page.locator(".board-chosen")).to_have_count(1)
    dates = page.locator(".board-list .open-day time").evaluate_all(
        "times => times.map(time => time.getAttribute('datetime'))"
    )
    assert dates
    assert {dt.date.fromisoformat(date).weekday() for date in dates} == {3}
    take_buttons(page).first.tap()
    expect(page.locator(".recent-day")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"weekday=3"))
    page.locator(".board-chosen").tap()
    expect(page.locator(".board-chosen")).to_have_count(0)


def test_a_day_of_the_calendar_leads_to_it_in_the_list(visit: Visit) -> None:
    page = visit(Role.REPLACEMENT, "phone").go("/board/?view=calendar")
    expect(page.locator(".board-list")).to_be_hidden()
    link = page.locator("a.small-day-link").last
    day = (link.get_attribute("href") or "").partition("#")[2]
    link.tap()
    expect(page.locator(f"#{day}")).to_be_in_viewport()
    heading = page.locator(f"#{day} .open-day-title").bounding_box()
    week = page.locator(f".board-week:has(#{day}) .board-week-head").bounding_box()
    assert heading is not None
    assert week is not None
    # What sticks to the top does not lie over it.
    assert heading["y"] >= week["y"] + week["height"]


@both_devices
@pytest.mark.parametrize("address", [EVERYTHING, "/board/?view=calendar", "/board/?weekday=6"])
def test_the_board_is_fit_to_be_seen(look: Visit, device: str, address: str) -> None:
    visitor = look(Role.REPLACEMENT, device)
    page = visitor.go(address)
    name = re.sub(r"\W+", "-", address).strip("-")
    for scheme in ("light", "dark"):
        visitor.prefer(scheme)
        visitor.assert_no_axe_findings()
        visitor.keep(name)
    wide = page.evaluate("Math.max(document.documentElement.scrollWidth, innerWidth)")
    assert wide <= DEVICES[device]["viewport"]["width"]


def test_on_a_desk_list_and_calendar_stand_side_by_side(look: Visit) -> None:
    page = look(Role.REPLACEMENT).go(EVERYTHING)
    boxes: list[Any] = [
        page.locator(sheet).bounding_box() for sheet in (".board-list", ".board-calendar")
    ]
    left, right = boxes
    assert right["x"] >= left["x"] + left["width"]
    assert right["y"] == pytest.approx(left["y"], abs=1)
