"""The secretary's week in a browser: turning weeks, who is on call, the sheet on the door."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from scheduler.core.permissions import Role
from scheduler.people.models import Member, Practice, User
from scheduler.roster.models import UrgentAdvice
from tests.browser.conftest import Visit
from tests.browser.furnished import SLUG
from tests.browser.site import Site

PRACTICE: Final = f"/p/{SLUG}"
# A Wednesday on which nobody is needed: a day without a doctor.
QUIET_DAY: Final = dt.date(2026, 12, 2)


def turned_without_loading(page: Page) -> None:
    """A mark on the window that a page of its own would not have."""
    page.evaluate("window.stillHere = true")


def is_still_here(page: Page) -> bool:
    return bool(page.evaluate("window.stillHere === true"))


def fetched_ahead(page: Page, *weeks: str) -> None:
    """Wait until the page has the weeks before and after in its memory."""
    with page.expect_response(re.compile(f"/week/{weeks[-1]}$")):
        page.goto(f"{PRACTICE}/week/2026-W49")
    page.wait_for_load_state("networkidle")


def test_weeks_are_turned_without_a_page_of_their_own(visit: Visit) -> None:
    visitor = visit(Role.SECRETARY)
    page = visitor.page
    fetched_ahead(page, "2026-W50")
    turned_without_loading(page)
    page.locator("main a[rel=next]").click()
    expect(page).to_have_url(re.compile("2026-W50$"))
    expect(page).to_have_title(re.compile("^S50 "))
    expect(page.locator("main h1")).to_contain_text("S50")
    expect(page.locator("main a[rel=next]")).to_be_focused()
    expect(page.locator("body > [role=status]")).to_contain_text("S50")
    # At once, whether or not the next week has come yet.
    page.keyboard.press("Shift+ArrowRight")
    expect(page).to_have_url(re.compile("2026-W51$"))
    expect(page.locator("main h1")).to_contain_text("S51")
    assert is_still_here(page)
    visitor.assert_no_axe_findings()
    page.wait_for_load_state("networkidle")
    page.go_back()
    expect(page.locator("main h1")).to_contain_text("S50")
    page.go_back()
    expect(page.locator("main h1")).to_contain_text("S49")
    expect(page).to_have_url(re.compile("2026-W49$"))
    page.go_forward()
    expect(page.locator("main h1")).to_contain_text("S50")


def test_the_panel_of_a_day_opens_on_a_turned_week(visit: Visit) -> None:
    page = visit(Role.SECRETARY).page
    fetched_ahead(page, "2026-W50")
    turned_without_loading(page)
    page.locator("main a[rel=next]").click()
    expect(page.locator("main h1")).to_contain_text("S50")
    page.locator(".week a.slot").first.click()
    expect(page.locator("#panel h1")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(page.locator("main h1")).to_contain_text("S50")
    expect(page).to_have_url(re.compile("2026-W50$"))
    assert is_still_here(page)


def test_who_saves_data_fetches_only_what_is_asked_for(visit: Visit) -> None:
    visitor = visit(Role.SECRETARY)
    visitor.context.add_init_script(
        "Object.defineProperty(navigator, 'connection', {value: {saveData: true}})"
    )
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    page = visitor.go(f"{PRACTICE}/week/2026-W49")
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if url.endswith(("2026-W48", "2026-W50"))]
    page.locator("main a[rel=next]").click()
    expect(page.locator("main h1")).to_contain_text("S50")


def test_weeks_are_turned_without_scripts(visit: Visit) -> None:
    page = visit(Role.SECRETARY, javascript=False).go(f"{PRACTICE}/week/2026-W49")
    page.locator("main a[rel=next]").click()
    expect(page).to_have_url(re.compile("2026-W50$"))
    page.locator(".strip-week").first.click()
    expect(page).to_have_url(re.compile("2026-W48$"))


@pytest.mark.parametrize("javascript", [True, False])
def test_a_secretary_puts_a_titular_on_call_in_two_clicks(visit: Visit, javascript: bool) -> None:
    visitor = visit(Role.SECRETARY, javascript=javascript)
    page = visitor.go(f"{PRACTICE}/week/2026-W49")
    day = QUIET_DAY.isoformat()
    page.locator(f'.week-lines a.is-missing[href$="/days/{day}/duty"]').click()
    form = page.locator(f'form[action$="/days/{day}/duty"]')
    expect(form.first).to_be_visible()
    if javascript:
        visitor.assert_no_axe_findings()
    form.filter(has_text="Hélène Marchand").locator("button").click()
    expect(page).to_have_url(re.compile(f"2026-W49#day-{day}$"))
    line = page.locator(f'.week-lines a[href$="/days/{day}/duty"]').first
    expect(line).to_have_text(re.compile("Hélène Marchand"))


def test_a_doctor_reads_a_light_week_on_a_phone(visit: Visit, site: Site) -> None:
    with site.database.transaction() as session:
        for user in session.scalars(sa.select(User)):
            user.phone = "06 39 98 00 99"
    page = visit(Role.REPLACEMENT, "phone").go(f"{PRACTICE}/week/2026-W49")
    listed = page.locator(f"#day-{QUIET_DAY.isoformat()} .week-list-line")
    expect(listed).to_have_count(1)
    assert "06 39 98 00 99" not in page.content().replace("\u00a0", " ")


def test_the_page_for_everybody(visit: Visit, site: Site) -> None:
    with site.database.transaction() as session:
        practice = session.scalars(sa.select(Practice)).one()
        practice.public_address, practice.public_page = "nieul", True
        text = "Maison médicale de garde, 9 h – 18 h"
        session.add(UrgentAdvice(practice_id=practice.id, weekday=2, text=text))
    for device in ("phone", "desktop"):
        visitor = visit(None, device)
        page = visitor.go("/qui/nieul")
        expect(page.locator(".door-none").first).to_contain_text("Maison médicale")
        wide = page.evaluate("Math.max(document.documentElement.scrollWidth, innerWidth)")
        assert wide <= (390 if device == "phone" else 1280)
        for scheme in ("light", "dark"):
            visitor.prefer(scheme)
            visitor.keep("public")
            visitor.assert_no_axe_findings()


def test_the_printed_week_is_the_sheet_on_the_door(visit: Visit, site: Site) -> None:
    with site.database.transaction() as session:
        for user in session.scalars(sa.select(User)):
            user.phone = "06 39 98 00 99"
        intern = session.scalars(sa.select(Member).where(Member.role == Role.INTERN)).one()
        intern.supervisor_id = intern.user_id
    page = visit(Role.SECRETARY).go(f"{PRACTICE}/week/2026-W49")
    page.emulate_media(media="print")
    words = page.locator("body").inner_text()
    assert "Cabinet de Nieul-le-Dolent" in words
    assert "06 39 98" not in words.replace("\u00a0", " ")
    expect(page.locator(".door-print")).to_be_visible()
    expect(page.locator(".week")).to_be_hidden()
    sheet = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", sheet)) == 1


def test_a_nurse_notes_when_she_is_there(visit: Visit) -> None:
    visitor = visit(Role.NURSE, "phone")
    page = visitor.go(f"{PRACTICE}/presences/")
    page.locator(".presence-more > summary").first.click()
    page.locator("select[name$=weekday]").select_option("3")
    page.locator("form[action$='/weekly'] button").click()
    expect(page.locator(".presence")).to_have_count(1)
    visitor.assert_no_axe_findings()
    page.goto(f"{PRACTICE}/week/2026-W49")
    expect(page.locator("#day-2026-12-03")).to_contain_text("Nadège Pineau")


def test_the_advice_is_written_once_and_stands_on_the_week(visit: Visit) -> None:
    visitor = visit(Role.SECRETARY)
    page = visitor.go(f"{PRACTICE}/advice/")
    page.locator("#day_2").fill("Maison médicale de garde, 9 h – 18 h")
    page.locator("form[action$='/advice/'] button").click()
    expect(page.locator("#day_2")).to_have_value("Maison médicale de garde, 9 h – 18 h")
    visitor.assert_no_axe_findings()
    page.goto(f"{PRACTICE}/week/2026-W49")
    expect(page.locator(".week-lines .is-long").first).to_contain_text("Maison médicale")
