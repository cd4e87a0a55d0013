"""Days that change hands on a phone in three taps at most, and the secretary's bad morning."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, expect
from sqlalchemy.orm import selectinload

from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster.models import Assignment, ReleaseRequest, Swap
from scheduler.roster.rules import AssignmentState, ReleaseKind, RequestState, SwapState
from tests.browser.conftest import Visit
from tests.browser.furnished import LOGINS, SLUG
from tests.browser.site import Site, Visitor
from tests.factories import House

PRACTICE = f"/p/{SLUG}"
MOST_TAPS = 3


class Taps:
    """Counts what a finger or a mouse does from the opening page on."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.number = 0
        self.page = visitor.go("/")

    def on(self, target: Locator) -> None:
        self.number += 1
        if self.visitor.device == "phone":
            target.tap()
        else:
            target.click()

    def write(self, target: Locator, words: str) -> None:
        """A field is tapped before it is written in."""
        self.on(target)
        self.page.keyboard.type(words)


@dataclass
class Week:
    """This week, in which Camille also has the Wednesday; two weeks ahead a titular is asked."""

    site: Site
    day: Assignment

    def holder(self) -> int:
        with self.site.database.session() as session:
            return session.scalars(
                sa.select(Assignment.doctor_id).where(
                    Assignment.need_id == self.day.need_id,
                    Assignment.state != AssignmentState.RELEASED,
                )
            ).one()

    def user(self, role: Role) -> int:
        with self.site.database.session() as session:
            return session.scalars(sa.select(User.id).where(User.email == LOGINS[role].email)).one()


@pytest.fixture
def week(site: Site) -> Week:
    house = House(site.database)
    with site.database.transaction() as session:
        practice = session.scalars(sa.select(Practice).options(selectinload(Practice.rooms))).one()
        practice.lock_days = 14
        camille = session.scalars(
            sa.select(User).where(User.email == LOGINS[Role.REPLACEMENT].email)
        ).one()
    need = house.need(practice, house.today + dt.timedelta(days=2), room=1)
    return Week(site, house.assignment(need, camille))


def test_a_doctor_asks_late_to_be_released(visit: Visit, site: Site, week: Week) -> None:
    doctor = visit(Role.REPLACEMENT, "phone")
    taps = Taps(doctor)
    page = taps.page
    taps.on(page.locator("#day-2026-11-25 a.is-mine"))
    panel = page.locator("#panel-content")
    expect(panel.get_by_role("heading", level=1)).to_contain_text("25 novembre")
    taps.write(panel.locator("input[name=reason]"), "Enterrement dans ma famille")
    doctor.assert_no_axe_findings()
    doctor.keep("release-late")
    taps.on(panel.locator(f"form[action$='/assignments/{week.day.id}/release'] button"))
    expect(page.locator(".toast")).to_be_visible()
    assert taps.number <= MOST_TAPS
    with site.database.session() as session:
        asked = session.scalars(sa.select(ReleaseRequest)).one()
        assert (asked.state, asked.reason) == (RequestState.OPEN, "Enterrement dans ma famille")
    assert week.holder() == week.user(Role.REPLACEMENT)

    titular = visit(Role.TITULAR, "phone")
    decide = Taps(titular)
    decide.on(decide.page.locator(".waiting-link[href$='/decisions/']"))
    expect(decide.page).to_have_url(re.compile("/decisions/$"))
    titular.assert_no_axe_findings()
    decide.on(decide.page.locator(f"form[action$='/requests/{asked.id}/grant'] button"))
    expect(decide.page.locator(f"form[action$='/requests/{asked.id}/grant']")).to_have_count(0)
    assert decide.number <= MOST_TAPS
    with site.database.session() as session:
        assert session.get_one(Assignment, week.day.id).release_kind is ReleaseKind.GRANTED


def test_a_swap_and_its_undoing_on_a_phone(visit: Visit, site: Site, week: Week) -> None:
    giver = visit(Role.REPLACEMENT, "phone")
    taps = Taps(giver)
    page = taps.page
    taps.on(page.locator("#day-2026-11-25 a.is-mine"))
    panel = page.locator("#panel-content")
    taps.on(panel.locator(f"a[href$='/assignments/{week.day.id}/offer']"))
    all_of_them = panel.locator("button[name=to][value=all]")
    expect(all_of_them).to_be_visible()
    giver.assert_no_axe_findings()
    giver.keep("offer-in-panel")
    taps.on(all_of_them)
    expect(page).to_have_url(re.compile(r"/swaps/\d+$"))
    assert taps.number <= MOST_TAPS

    taker = visit(Role.ASSISTANT, "phone")
    taking = Taps(taker)
    day = taking.page.locator("#day-2026-11-25 .slot").filter(
        has_text=LOGINS[Role.REPLACEMENT].name
    )
    taking.on(day)
    panel = taking.page.locator("#panel-content")
    taking.on(panel.locator("a[href*='/swaps/']"))
    take = panel.locator("form[action$='/take'] button")
    expect(take).to_be_visible()
    taker.assert_no_axe_findings()
    taker.keep("offer-to-take")
    taking.on(take)
    expect(taking.page.locator("#day-2026-11-25 a.is-mine")).to_be_visible()
    assert taking.number <= MOST_TAPS
    assert week.holder() == week.user(Role.ASSISTANT)

    undoing = Taps(taker)
    undoing.on(undoing.page.locator("#day-2026-11-25 a.is-mine"))
    panel = undoing.page.locator("#panel-content")
    undo = panel.locator("form[action$='/untake'] button")
    expect(undo).to_be_visible()
    taker.assert_no_axe_findings()
    taker.keep("swap-to-undo")
    undoing.on(undo)
    expect(undoing.page.locator("#day-2026-11-25 a.is-mine")).to_have_count(0)
    assert undoing.number <= MOST_TAPS
    assert week.holder() == week.user(Role.REPLACEMENT)
    with site.database.session() as session:
        assert session.scalars(sa.select(Swap.state)).one() is SwapState.UNTAKEN


def test_an_offer_by_name_without_javascript(visit: Visit, site: Site, week: Week) -> None:
    page = visit(Role.REPLACEMENT, "phone", javascript=False).go("/")
    page.locator("#day-2026-11-25 a.is-mine").click()
    page.locator(f"a[href$='/assignments/{week.day.id}/offer']").click()
    page.locator("details.more summary").first.click()
    page.locator(f"button[name=to][value='{week.user(Role.ASSISTANT)}']").click()
    expect(page).to_have_url(re.compile(r"/swaps/\d+$"))
    other = visit(Role.ASSISTANT, "phone", javascript=False).go("/")
    other.locator(".waiting-link[href*='/swaps/']").click()
    other.locator("form[action$='/decline'] button").click()
    expect(other.locator(".waiting-link[href*='/swaps/']")).to_have_count(0)
    with site.database.session() as session:
        assert session.scalars(sa.select(Swap.state)).one() is SwapState.DECLINED


def test_the_secretary_s_bad_morning(visit: Visit, site: Site) -> None:
    secretary = visit(Role.SECRETARY)
    clicks = Taps(secretary)
    page = clicks.page
    clicks.on(page.locator("table.week .is-today a.slot").first)
    panel = page.locator("#panel-content")
    absent = panel.locator("a[href$='/assignments/1/absence']")
    clicks.on(absent)
    declare = panel.locator("form[action$='/assignments/1/absence'] button")
    expect(declare).to_be_visible()
    secretary.assert_no_axe_findings()
    secretary.keep("absence-asked-once")
    clicks.on(declare)
    expect(page).to_have_url(re.compile(r"/absences/1$"))
    secretary.assert_no_axe_findings()
    for scheme in ("light", "dark"):
        secretary.prefer(scheme)
        secretary.keep("absence-under-way")
    notice = page.locator("a[href$='/day/2026-11-23/absence.pdf']")
    paper = secretary.context.request.get(notice.get_attribute("href") or "")
    assert paper.headers["content-type"] == "application/pdf"
    # Printing the notice, calling two of the list, and noting who comes.
    numbers = page.locator(".called a[href^='tel:']")
    assert numbers.count() >= 2
    clicks.number += 3
    comes = page.locator(".called form button").first
    clicks.on(comes)
    expect(page.locator(".toast")).to_be_visible()
    assert clicks.number < 10
    with site.database.session() as session:
        before = session.get_one(Assignment, 1)
        assert before.release_kind is ReleaseKind.ABSENCE
        standing = session.scalars(
            sa.select(Assignment).where(
                Assignment.need_id == before.need_id, Assignment.state != AssignmentState.RELEASED
            )
        ).one()
        assert standing.doctor_id != before.doctor_id


def test_taking_over_in_an_emergency_shows_who_was_told(visit: Visit, site: Site) -> None:
    doctor = visit(Role.REPLACEMENT, "phone")
    page = doctor.go(f"{PRACTICE}/assignments/2/take-over")
    page.locator("input[name=reason]").fill("Panne de voiture")
    page.locator("form[action$='/take-over'] button").click()
    expect(page.locator(".chain-row")).not_to_have_count(0)
    doctor.assert_no_axe_findings()
    doctor.keep("who-was-told")
    with site.database.session() as session:
        assert session.get_one(Assignment, 2).release_kind is ReleaseKind.TAKEN_OVER
