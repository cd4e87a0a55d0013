"""What if, and who could come: comparing in front of the page, and replacing who fell ill."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from scheduler.core.permissions import Role
from scheduler.roster.models import Assignment
from scheduler.roster.rules import AssignmentState
from tests.browser.conftest import Visit
from tests.browser.furnished import SLUG
from tests.browser.site import Site, work

PRACTICE = f"/p/{SLUG}"
COMPARISON = f"{PRACTICE}/proposals/2/scenarios/"
# The furnished comparison has four cards: the proposal as it is, and three scenarios.
CARDS = 4

both_devices = pytest.mark.parametrize("device", ["desktop", "phone"])


@both_devices
def test_a_titular_compares_from_the_proposal(visit: Visit, site: Site, device: str) -> None:
    visitor = visit(Role.TITULAR, device)
    page = visitor.go(f"{PRACTICE}/proposals/2")
    page.locator(f"a[href='{COMPARISON}']").click()
    expect(page.locator(".scenario")).to_have_count(CARDS)
    page.locator("select[name=room-weekday]").select_option("1")
    page.locator("form:has(input[value=room]) button[type=submit]").click()
    waiting = page.locator(".waiting-scenario").filter(has_text="mardi")
    expect(waiting).to_be_visible()
    expect(page.locator("#compared")).to_have_attribute("aria-busy", "true")
    visitor.assert_no_axe_findings()
    visitor.keep("scenarios-at-work")
    work(site)
    # Nobody reloads: the page notices by itself that there is something to compare.
    expect(page.locator(".scenario")).to_have_count(CARDS + 1)
    expect(waiting).to_have_count(0)
    last = page.locator(".scenario").last
    expect(last).to_contain_text("Une salle de plus chaque mardi")
    last.get_by_role("button", name="Supprimer").click()
    expect(page.locator(".scenario")).to_have_count(CARDS)


def test_without_scripts_a_wrong_form_says_so_and_a_right_one_waits(visit: Visit) -> None:
    visitor = visit(Role.TITULAR, javascript=False)
    visitor.allow("422 POST")
    page = visitor.go(COMPARISON)
    doctor = page.locator("form:has(input[value=doctor])")
    doctor.locator("button[type=submit]").click()
    expect(page.locator(".error-summary")).to_contain_text("Choisissez un jour de la semaine.")
    page.get_by_label("mercredi", exact=True).last.check()
    doctor.locator("button[type=submit]").click()
    expect(page.locator(".waiting-scenario").filter(has_text="mer.")).to_be_visible()


@both_devices
def test_a_titular_finds_somebody_for_a_day_and_gives_it(
    visit: Visit, site: Site, device: str
) -> None:
    visitor = visit(Role.TITULAR, device)
    page = visitor.go(f"{PRACTICE}/week/2026-W49")
    slot = "table.week a.is-uncovered" if device == "desktop" else "ol.week-list a.is-uncovered"
    page.locator(slot).first.click()
    panel = page.locator("#panel-content")
    panel.get_by_role("link", name="Qui pourrait venir").click()
    expect(panel.get_by_role("heading", level=1)).to_contain_text("Qui pourrait venir")
    visitor.assert_no_axe_findings()
    visitor.keep("candidates-panel")
    page.go_back()
    page.goto(f"{PRACTICE}/needs/7/candidates")
    first = page.locator(".candidate").first
    name = first.locator(".candidate-name").inner_text()
    first.get_by_role("button", name="Attribuer").click()
    expect(page.get_by_role("status").filter(has_text="est attribuée")).to_be_visible()
    with site.database.session() as session:
        taken = session.scalars(
            sa.select(Assignment).where(
                Assignment.need_id == 7, Assignment.state == AssignmentState.CONFIRMED
            )
        ).one()
    page.goto(f"{PRACTICE}/needs/7")
    expect(page.locator("main")).to_contain_text(name)
    expect(page.locator("main")).to_contain_text("par Hélène Marchand")
    assert taken.doctor_id
