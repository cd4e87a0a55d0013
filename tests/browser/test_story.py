"""A titular sets up the practice on a phone, and reads how its days are filled."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import expect

from scheduler.core.permissions import Role
from tests.browser.conftest import Visit
from tests.browser.furnished import SLUG

PRACTICE: Final = f"/p/{SLUG}/practice/"
STATISTICS: Final = f"/p/{SLUG}/statistics/"


def test_a_titular_changes_the_lock_date_on_a_phone(visit: Visit) -> None:
    visitor = visit(Role.TITULAR, device="phone")
    visitor.allow("422 POST")
    page = visitor.go(PRACTICE)
    days = page.locator("#limits-lock_days")
    days.fill("400")
    save = page.locator("form", has=days).locator("button")
    save.tap()
    # What was wrong stands beside the field, and what was typed stays in it.
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    expect(days).to_have_value("400")
    expect(days).to_have_attribute("aria-invalid", "true")
    summary.get_by_role("link").tap()
    expect(days).to_be_focused()
    days.fill("21")
    save.tap()
    expect(page).to_have_url(f"{visitor.site.url}{PRACTICE}#limits")
    expect(page.locator("#limits")).to_be_in_viewport()
    expect(days).to_have_value("21")


def test_a_titular_notes_a_derogation_with_the_keyboard_alone(visit: Visit) -> None:
    visitor = visit(Role.TITULAR)
    page = visitor.go(PRACTICE)
    page.locator("#replaced-month_2026_12").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator("#replaced form button").press("Enter")
    uncovered = page.locator(".setting-warning", has_text="Sans dérogation")
    expect(uncovered).to_be_visible()
    page.locator("#derogation-since").focus()
    page.locator("#derogation-since").fill("2026-12-01")
    page.locator("#derogation-until").fill("2026-12-31")
    # Arriving at a fragment takes the focus away once more, sometimes after the first words: the
    # key goes to the field itself.
    reference = page.locator("#derogation-reference")
    reference.fill("CDOM 85-2026-12")
    reference.press("Enter")
    expect(page.get_by_role("rowheader", name="Hélène Marchand")).to_be_visible()
    expect(uncovered).to_have_count(0)


def test_a_chart_is_a_table_too(visit: Visit) -> None:
    visitor = visit(Role.SECRETARY, javascript=False)
    page = visitor.go(f"{STATISTICS}?span=next3")
    figure = page.locator("section.figure").first
    expect(figure.get_by_role("img")).to_be_visible()
    table = figure.get_by_role("table")
    expect(table).to_be_hidden()
    figure.locator("summary").click()
    expect(table).to_be_visible()
    weeks = table.locator("tbody tr").count()
    assert weeks == figure.locator("svg.plot g").count() > 3
    with page.expect_download() as found:
        figure.locator("a[download]").click()
    text = found.value.path().read_text(encoding="utf-8-sig")
    assert len(text.splitlines()) == weeks + 1
