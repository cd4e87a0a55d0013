"""What each role does with Relais in a day, in a real browser."""

from __future__ import annotations

import re
import shutil
import urllib.request

import icalendar
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from scheduler.core import audit
from scheduler.core.permissions import Role
from scheduler.people.models import User
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentState, Period
from tests.browser.conftest import Visit
from tests.browser.furnished import LOGINS, SLUG
from tests.browser.site import SCREENSHOTS, Site, work

PRACTICE = f"/p/{SLUG}"
README_PICTURE = SCREENSHOTS / "readme-week.png"

both_devices = pytest.mark.parametrize("device", ["desktop", "phone"])


def press(page: Page, form: str) -> None:
    """Press the button of the form that is sent to an address that ends so."""
    page.locator(f"form[method=post][action$='{form}'] button").first.click()


@both_devices
def test_a_titular_publishes_days_has_them_filled_and_accepts(
    visit: Visit, site: Site, device: str
) -> None:
    visitor = visit(Role.TITULAR, device)
    page = visitor.go(f"{PRACTICE}/patterns/new")
    page.locator("input[name=name]").fill("Semaine d’hiver")
    for weekday in (0, 3):
        page.locator(f"select[name=period_1_{weekday}]").select_option("day")
    page.locator("main form:has(input[name=name]) button[type=submit]").first.click()
    expect(page.locator("main")).to_contain_text("Semaine d’hiver")

    page.goto(f"{PRACTICE}/days/")
    page.locator(".publish-form input[name=start]").fill("2027-01-04")
    page.locator(".publish-form input[name=end]").fill("2027-01-31")
    page.locator(".publish-form button[type=submit]").click()
    expect(page.locator(".preview-facts")).to_contain_text("8")
    press(page, "/days/")
    expect(page.get_by_role("status").filter(has_text="8")).to_be_visible()
    with site.database.session() as session:
        published = session.scalars(sa.select(Need).where(Need.date >= sa.text("'2027-01-04'")))
        assert len(published.all()) == 8

    page.goto(f"{PRACTICE}/proposals/")
    page.locator("input[name=period][value=custom]").check()
    page.locator("input[name=start]").fill("2026-12-01")
    page.locator("input[name=end]").fill("2027-01-31")
    press(page, "/proposals/")
    expect(page.locator("#proposal-work")).to_be_visible()
    visitor.assert_no_axe_findings()
    visitor.keep("proposal-at-work")
    # The page may be left and looked at again: the work goes on elsewhere.
    page.reload()
    expect(page.locator("#proposal-work")).to_be_visible()
    work(site)
    # Nobody reloads: the page notices by itself that the roster is there.
    expect(page.locator("ol.review")).to_be_visible()
    visitor.assert_no_axe_findings()
    visitor.keep("proposal-review")
    page.locator("button[name=all]").click()
    expect(page.locator("main")).to_contain_text(re.compile("accepté"))
    visitor.assert_no_axe_findings()
    visitor.keep("proposal-accepted")
    with site.database.session() as session:
        taken = session.scalars(
            sa.select(Assignment).where(
                Assignment.date >= sa.text("'2027-01-01'"),
                Assignment.state == AssignmentState.CONFIRMED,
            )
        ).all()
        assert taken
        assert audit.verify(session).fault is None
    page.goto(f"{PRACTICE}/week/2027-W01")
    doctor = page.locator(
        "table.week a.is-confirmed" if device == "desktop" else "ol.week-list a.is-confirmed"
    )
    expect(doctor.first).to_be_visible()


@both_devices
def test_a_replacement_takes_a_day_and_gives_it_back(visit: Visit, site: Site, device: str) -> None:
    visitor = visit(Role.REPLACEMENT, device)
    page = visitor.go(f"{PRACTICE}/week/2026-W49")
    week = page.locator("table.week" if device == "desktop" else "ol.week-list")
    mine = week.locator("a.slot.is-mine")
    before = mine.count()
    week.locator("a.slot.is-uncovered").first.click()
    press(page, "/claim")
    # Back on the week, with the day in the doctor's own colour and a word of thanks.
    expect(mine).to_have_count(before + 1)
    expect(page.get_by_role("status").filter(has_text="Merci")).to_be_visible()
    visitor.assert_no_axe_findings()
    mine.first.click()
    press(page, "/release")
    expect(mine).to_have_count(before)
    with site.database.session() as session:
        assert audit.verify(session).fault is None


def test_a_replacement_takes_a_day_without_javascript(visit: Visit) -> None:
    visitor = visit(Role.REPLACEMENT, "phone", javascript=False)
    page = visitor.go(f"{PRACTICE}/week/2026-W49")
    page.locator("ol.week-list a.slot.is-uncovered").first.click()
    expect(page).to_have_url(re.compile("/needs/"))
    press(page, "/claim")
    expect(page.locator("ol.week-list a.slot.is-mine").first).to_be_visible()


def test_two_doctors_want_one_day_and_the_second_hears_who_was_first(
    visit: Visit, site: Site
) -> None:
    rivals = [LOGINS[role].email for role in (Role.REPLACEMENT, Role.ASSISTANT)]
    with site.database.session() as session:
        busy = (
            sa.select(Assignment.date)
            .join(User, User.id == Assignment.doctor_id)
            .where(User.email.in_(rivals))
        )
        covered = sa.select(Assignment.need_id)
        need_id = session.scalars(
            sa.select(Need.id)
            .where(Need.date.not_in(busy), Need.id.not_in(covered), Need.period == Period.DAY)
            .order_by(Need.date.desc())
        ).first()
    first, second = visit(Role.REPLACEMENT, "phone"), visit(Role.ASSISTANT, "phone")
    for visitor in (first, second):
        visitor.go(f"{PRACTICE}/needs/{need_id}")
        expect(visitor.page.locator("form[action$='/claim']")).to_be_visible()
    press(first.page, "/claim")
    expect(first.page.locator("ol.week-list a.slot.is-mine").first).to_be_visible()
    second.allow("409 POST")
    press(second.page, "/claim")
    expect(second.page.get_by_role("main")).to_contain_text(LOGINS[Role.REPLACEMENT].name)
    second.assert_no_axe_findings()
    second.keep("somebody-was-first")


@both_devices
def test_a_secretary_watches_the_weeks_and_the_month(visit: Visit, device: str) -> None:
    visitor = visit(Role.SECRETARY, device)
    page = visitor.go("/")
    expect(page).to_have_url(re.compile(rf"{PRACTICE}/week/"))
    expect(page.locator("h1, h2").filter(has_text="S48").first).to_be_visible()
    week = page.locator("table.week" if device == "desktop" else "ol.week-list")
    expect(week.locator("a.slot.is-uncovered").first).to_be_visible()
    # She may look at a day, but neither take it nor free it.
    week.locator("a.slot.is-uncovered").first.click()
    expect(page.locator("article.need")).to_be_visible()
    expect(page.locator("form[action$='/claim'], form[action$='/release']")).to_have_count(0)
    page.goto(f"{PRACTICE}/month/2026-12")
    expect(page.locator("table.month")).to_be_visible()
    expect(page.locator("a[href$='/proposals/']").first).to_be_attached()
    expect(page.locator("a[href$='/days/']")).to_have_count(0)


def test_a_secretary_turns_the_weeks_with_the_keyboard(visit: Visit) -> None:
    visitor = visit(Role.SECRETARY)
    page = visitor.go(f"{PRACTICE}/week/2026-W48")
    page.keyboard.press("Shift+ArrowRight")
    expect(page).to_have_url(re.compile("2026-W49"))
    page.wait_for_load_state()
    page.keyboard.press("Shift+ArrowLeft")
    expect(page).to_have_url(re.compile("2026-W48"))


def test_the_week_is_printed_on_one_sheet_without_a_phone_number(visit: Visit) -> None:
    visitor = visit(Role.SECRETARY)
    page = visitor.go(f"{PRACTICE}/week/2026-W48")
    sheet = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", sheet)) == 1


def test_a_doctor_opens_a_calendar_and_a_calendar_program_reads_it(visit: Visit) -> None:
    visitor = visit(Role.REPLACEMENT, "phone")
    page = visitor.go("/calendars/")
    page.locator("main a[href$='kind=personal']").click()
    page.get_by_label("Nom dans vos agendas").fill("Mes gardes")
    page.get_by_label("La veille au soir").check()
    press(page, "/calendars/new?kind=personal")
    expect(page.get_by_role("heading", name="Mes gardes")).to_be_visible()
    address = page.locator("input[readonly]").first.input_value()
    expect(page.locator(".qr svg").first).to_be_attached()
    visitor.assert_no_axe_findings()
    with urllib.request.urlopen(address) as answer:  # noqa: S310 - the site's own address
        calendar = icalendar.Calendar.from_ical(answer.read())
    assert calendar["NAME"] == "Mes gardes"
    assert calendar.walk("VEVENT")
    assert calendar.walk("VALARM")
    page.reload()
    expect(page.get_by_text("Consulté en dernier par Python-urllib")).to_be_visible()


def test_the_picture_of_the_readme(look: Visit) -> None:
    visitor = look(Role.SECRETARY)
    visitor.go(f"{PRACTICE}/week/2026-W49")
    picture = visitor.keep("readme-week")
    shutil.copy(picture, README_PICTURE)
    assert README_PICTURE.stat().st_size > 10_000
