"""A replacement doctor says when she can come: mouse, thumb, keyboard, and without scripts."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from scheduler.core.permissions import Role
from scheduler.people.models import User
from scheduler.roster.availability_queries import availabilities_between
from scheduler.roster.availability_rules import expand
from scheduler.roster.rules import Half, Preference
from tests.browser.conftest import Visit
from tests.browser.furnished import LOGINS, SLUG
from tests.browser.site import Site

WANTED, POSSIBLE, LAST_RESORT = Preference
JANUARY = "/availabilities/2027-01"
TUESDAY = dt.date(2027, 1, 12)


def choose(radio: Locator) -> None:
    """Choose by keyboard: the input itself is hidden behind its label."""
    radio.focus()
    radio.press("Space")
    expect(radio).to_be_checked()


def day_of(page: Page, day: dt.date) -> Locator:
    return page.locator(f"button.avail-day[value='{day}']")


def halves(page: Page, day: dt.date) -> Locator:
    return day_of(page, day).locator("[data-half]")


def expect_state(page: Page, day: dt.date, *states: str) -> None:
    am, pm = states if len(states) == 2 else (states[0], states[0])
    expect(halves(page, day).nth(0)).to_have_attribute("data-state", am)
    expect(halves(page, day).nth(1)).to_have_attribute("data-state", pm)


def stored(site: Site, *days: dt.date) -> list[Preference | None]:
    """What the database holds of the mornings of `days`."""
    with site.database.session() as session:
        doctor = session.scalars(
            sa.select(User).where(User.email == LOGINS[Role.REPLACEMENT].email)
        ).one()
        said = availabilities_between(session, [doctor.id], min(days), max(days))[doctor.id]
    found = expand(*said, min(days), max(days), None)
    return [found.get((day, Half.AM)) for day in days]


def opened(page: Page, tool: str) -> Locator:
    """One of the ways to answer for several days, unfolded."""
    box = page.locator(f"details#{tool}")
    box.locator("summary").click()
    return box


class Finger:
    """A finger on the glass: Chromium decides by its touches whether it scrolls."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)

    def _send(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def down(self, x: float, y: float) -> None:
        self._send("touchStart", (x, y))

    def move(self, start: tuple[float, float], end: tuple[float, float], steps: int = 8) -> None:
        for step in range(1, steps + 1):
            part = step / steps
            self._send(
                "touchMove",
                (start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part),
            )

    def up(self) -> None:
        self._send("touchEnd")


def middle(page: Page, day: dt.date) -> tuple[float, float]:
    box = day_of(page, day).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def settled(page: Page) -> None:
    """Wait for what was sent in the background, and see that a reload shows the same."""
    page.wait_for_load_state("networkidle")
    page.reload()


def test_a_mouse_draws_over_a_week(visit: Visit, site: Site) -> None:
    page = visit(Role.REPLACEMENT).go(JANUARY)
    week = [TUESDAY + dt.timedelta(days=offset) for offset in range(4) if offset != 2]
    first, last = day_of(page, TUESDAY), day_of(page, week[-1])
    first.scroll_into_view_if_needed()
    first.hover()
    page.mouse.down()
    last.hover()
    for day in week:
        day_of(page, day).hover()
    with page.expect_response("**/days") as answer:
        page.mouse.up()
    assert answer.value.status == 200
    for day in week:
        expect_state(page, day, "wanted")
    settled(page)
    for day in week:
        expect_state(page, day, "wanted")
    assert stored(site, *week) == [WANTED] * 3


def test_a_thumb_taps_round_the_cycle(visit: Visit, site: Site) -> None:
    page = visit(Role.REPLACEMENT, device="phone").go(JANUARY)
    for state in ("wanted", "possible", "last_resort", "none", "wanted"):
        with page.expect_response("**/days"):
            day_of(page, TUESDAY).tap()
        expect_state(page, TUESDAY, state)
    settled(page)
    expect_state(page, TUESDAY, "wanted")
    assert stored(site, TUESDAY) == [WANTED]


def test_half_a_day_on_the_phone(visit: Visit, site: Site) -> None:
    page = visit(Role.REPLACEMENT, device="phone").go(JANUARY)
    page.locator("form.avail .segment", has=page.locator("[name=period][value=pm]")).tap()
    with page.expect_response("**/days"):
        day_of(page, TUESDAY).tap()
    expect_state(page, TUESDAY, "none", "wanted")
    settled(page)
    expect_state(page, TUESDAY, "none", "wanted")
    assert stored(site, TUESDAY) == [None]


def test_the_keyboard_alone(visit: Visit, site: Site) -> None:
    page = visit(Role.REPLACEMENT).go(JANUARY)
    page.locator("[name=period]:checked").focus()
    focused = page.locator("button.avail-day:focus")
    for _ in range(4):
        page.keyboard.press("Tab")
        if focused.count():
            break
    expect(focused).to_have_count(1)
    start = dt.date.fromisoformat(focused.get_attribute("value") or "")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    reached = start + dt.timedelta(days=8)
    expect(day_of(page, reached)).to_be_focused()
    for state in ("wanted", "possible"):
        with page.expect_response("**/days"):
            page.keyboard.press("Space")
        expect_state(page, reached, state)
    settled(page)
    expect_state(page, reached, "possible")
    assert stored(site, reached) == [POSSIBLE]


def test_numbers_answer_and_n_writes_a_note(visit: Visit, site: Site) -> None:
    page = visit(Role.REPLACEMENT).go(JANUARY)
    day_of(page, TUESDAY).focus()
    for key, state in (("2", "possible"), ("3", "last_resort"), ("0", "none"), ("1", "wanted")):
        with page.expect_response("**/days"):
            page.keyboard.press(key)
        expect_state(page, TUESDAY, state)
    assert stored(site, TUESDAY) == [WANTED]
    page.keyboard.press("n")
    words = page.locator("[name=note-text]")
    expect(words).to_be_focused()
    expect(page.locator("[name=note-day]")).to_have_value(TUESDAY.isoformat())
    page.keyboard.type("À partir de 9 h")
    page.keyboard.press("Enter")
    expect(page.locator("#notes")).to_contain_text("À partir de 9 h")
    expect(day_of(page, TUESDAY).locator(".avail-words")).to_be_visible()


def test_a_finger_draws_along_a_week(visit: Visit, site: Site) -> None:
    page = visit(Role.REPLACEMENT, device="phone").go(JANUARY)
    week = [TUESDAY + dt.timedelta(days=offset) for offset in range(4)]
    day_of(page, TUESDAY).scroll_into_view_if_needed()
    top = page.evaluate("scrollY")
    finger = Finger(page)
    start, end = middle(page, week[0]), middle(page, week[-1])
    finger.down(*start)
    finger.move(start, end)
    with page.expect_response("**/days") as answer:
        finger.up()
    assert answer.value.status == 200
    for day in week:
        expect_state(page, day, "wanted")
    assert page.evaluate("scrollY") == top
    assert stored(site, *week) == [WANTED] * 4


def test_a_finger_that_goes_up_scrolls_and_answers_nothing(visit: Visit, site: Site) -> None:
    page = visit(Role.REPLACEMENT, device="phone").go(JANUARY)
    page.evaluate("scrollTo(0, 0)")
    finger = Finger(page)
    start = middle(page, TUESDAY)
    finger.down(*start)
    finger.move(start, (start[0], start[1] - 250))
    finger.up()
    page.wait_for_function("scrollY > 100")
    expect_state(page, TUESDAY, "none")
    assert stored(site, TUESDAY) == [None]


def test_a_finger_that_rests_draws_in_any_direction(visit: Visit, site: Site) -> None:
    page = visit(Role.REPLACEMENT, device="phone").go(JANUARY)
    below = TUESDAY + dt.timedelta(days=7)
    day_of(page, below).scroll_into_view_if_needed()
    top = page.evaluate("scrollY")
    finger = Finger(page)
    start, end = middle(page, TUESDAY), middle(page, below)
    finger.down(*start)
    # It draws as soon as the day under it has changed.
    expect_state(page, TUESDAY, "wanted")
    finger.move(start, end)
    with page.expect_response("**/days"):
        finger.up()
    expect_state(page, below, "wanted")
    assert page.evaluate("scrollY") == top
    assert stored(site, TUESDAY, below) == [WANTED, WANTED]


def test_a_month_is_copied_after_a_look(visit: Visit, site: Site) -> None:
    visitor = visit(Role.REPLACEMENT, device="phone")
    page = visitor.go("/availabilities/2026-12")
    page.locator("form.avail .segment", has=page.locator("[name=preference][value=wanted]")).tap()
    for day in (8, 14):
        with page.expect_response("**/days"):
            day_of(page, dt.date(2026, 12, day)).tap()
    visitor.go(JANUARY)
    page.locator("form.avail .segment", has=page.locator("[name=preference][value=possible]")).tap()
    with page.expect_response("**/days"):
        day_of(page, TUESDAY).tap()
    page.locator("a[href$='/copy']").tap()
    change = page.locator(f"[name=change][value='{TUESDAY}']")
    expect(change).not_to_be_checked()
    visitor.assert_no_axe_findings()
    page.locator("main form button").first.tap()
    expect_state(page, dt.date(2027, 1, 11), "wanted")
    expect_state(page, TUESDAY, "possible")
    page.locator("a[href$='/copy']").tap()
    choose(change)
    page.locator("main form button").first.tap()
    expect_state(page, TUESDAY, "wanted")
    assert stored(site, TUESDAY, dt.date(2027, 1, 11)) == [WANTED, WANTED]


def test_everything_except_a_few_days(visit: Visit, site: Site) -> None:
    visitor = visit(Role.REPLACEMENT, device="phone")
    page = visitor.go(JANUARY)
    box = opened(page, "except")
    for weekday in ("0", "2", "3", "4"):
        choose(box.locator(f"[name=except-weekdays][value='{weekday}']"))
    choose(box.locator("[name=except-without][value='2027-01-19']"))
    visitor.assert_no_axe_findings()
    box.get_by_role("button").tap()
    expect_state(page, TUESDAY, "possible")
    expect_state(page, dt.date(2027, 1, 19), "none")
    assert stored(site, TUESDAY, dt.date(2027, 1, 19)) == [POSSIBLE, None]


@pytest.mark.parametrize("javascript", [True, False])
def test_saying_that_one_cannot_come_and_who_reads_it(
    visit: Visit, site: Site, javascript: bool
) -> None:
    page = visit(Role.REPLACEMENT, device="phone", javascript=javascript).go(JANUARY)
    page.locator("#answer a[href='#cannot']").click()
    page.locator("#cannot button").click()
    expect(page.locator("#answer [name=answer]")).to_have_value("open")
    visitor = visit(Role.SECRETARY)
    answers = visitor.go(f"/p/{SLUG}/answers/2027-01")
    line = answers.locator("tr", has_text="Camille Ferrand")
    expect(line.locator(".answers-state")).to_contain_text("23")
    assert stored(site, dt.date(2027, 1, 14)) == [None]
    visitor.assert_no_axe_findings()


def test_a_titular_reminds_those_who_said_nothing(visit: Visit) -> None:
    visitor = visit(Role.TITULAR)
    page = visitor.go(f"/p/{SLUG}/answers/2027-01")
    button = page.locator("form[action$='/remind'] button")
    button.click()
    expect(page.locator("[role=status] .toast")).to_be_visible()
    expect(button).to_have_count(0)
    visitor.assert_no_axe_findings()


def test_without_scripts_every_act_is_a_plain_form(visit: Visit, site: Site) -> None:
    visitor = visit(Role.REPLACEMENT, device="phone", javascript=False)
    page = visitor.go(JANUARY)
    for state in ("wanted", "possible", "last_resort"):
        day_of(page, TUESDAY).click()
        expect_state(page, TUESDAY, state)
    choose(page.locator("form.avail [name=period][value=am]"))
    day_of(page, TUESDAY).click()
    expect_state(page, TUESDAY, "none", "last_resort")
    expect(page.locator("form.avail [name=period][value=am]")).to_be_checked()

    stretch = opened(page, "range")
    stretch.locator("[name=range-start]").fill("2027-01-18")
    stretch.locator("[name=range-end]").fill("2027-01-22")
    choose(stretch.locator("[name=range-preference][value=possible]"))
    stretch.get_by_role("button").click()
    friday = dt.date(2027, 1, 22)
    expect_state(page, friday, "possible")
    note = opened(page, "note")
    note.locator("[name=note-day]").fill(friday.isoformat())
    note.locator("[name=note-text]").fill("Seulement le matin")
    note.get_by_role("button").click()
    expect(page.locator("#notes")).to_contain_text("Seulement le matin")
    page.locator("#answer button").first.click()
    expect(page.locator("#answer [name=answer]")).to_have_value("open")
    visitor.go("/availabilities/2027-02/copy")
    page.locator("main form button").first.click()
    expect_state(page, dt.date(2027, 2, 26), "possible")
    assert stored(site, TUESDAY, friday) == [None, POSSIBLE]


def test_a_stretch_with_its_end_before_its_start_keeps_what_was_typed(visit: Visit) -> None:
    visitor = visit(Role.REPLACEMENT)
    visitor.allow("422 POST .*/range")
    page = visitor.go(JANUARY)
    stretch = opened(page, "range")
    stretch.locator("[name=range-start]").fill("2027-01-20")
    stretch.locator("[name=range-end]").fill("2027-01-18")
    stretch.get_by_role("button").click()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator("[name=range-start]")).to_have_value("2027-01-20")
    expect(page.locator("[name=range-end]")).to_have_attribute("aria-invalid", "true")
    visitor.assert_no_axe_findings()


def test_a_weekly_repetition_and_an_exception(visit: Visit, site: Site) -> None:
    page = visit(Role.REPLACEMENT).go(JANUARY)
    weekly = opened(page, "weekly")
    weekly.locator("[name=weekly-weekday]").select_option("1")
    weekly.locator("[name=weekly-interval_weeks]").select_option("2")
    weekly.locator("[name=weekly-start]").fill("2027-01-12")
    weekly.get_by_role("button").click()
    fortnight = TUESDAY + dt.timedelta(days=14)
    expect_state(page, TUESDAY, "wanted")
    expect_state(page, TUESDAY + dt.timedelta(days=7), "none")
    page.locator("form.avail .segment", has=page.locator("[name=preference][value=none]")).click()
    with page.expect_response("**/days"):
        day_of(page, TUESDAY).click()
    expect_state(page, TUESDAY, "none")
    assert stored(site, TUESDAY, fortnight) == [None, WANTED]
    repetition = page.locator("#repetitions li").filter(has=page.locator("form[action*='remove']"))
    expect(repetition).to_have_count(2)
    repetition.first.locator("form[action*='remove'] button").click()
    expect(page.locator("#repetitions li form[action*='remove']")).to_have_count(1)
    expect_state(page, fortnight, "none")


def test_a_refusal_is_told_and_drawn_back(visit: Visit, site: Site) -> None:
    visitor = visit(Role.REPLACEMENT)
    visitor.allow("400 POST .*/days")
    page = visitor.go(JANUARY)
    page.evaluate("document.querySelector('form.avail [name=csrf_token]').value = 'forged'")
    with page.expect_response("**/days") as answer:
        day_of(page, TUESDAY).click()
    assert answer.value.status == 400
    expect(page.locator("[role=alert] .toast")).to_be_visible()
    expect_state(page, TUESDAY, "none")
    assert stored(site, TUESDAY) == [None]
