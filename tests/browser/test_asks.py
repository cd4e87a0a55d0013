"""From a day that nobody takes to a doctor's yes; and a computation to watch."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from scheduler.core.permissions import Role
from scheduler.roster.models import Ask, Assignment, Proposal
from scheduler.roster.rules import AskState, ProposalState
from tests.browser.conftest import Visit
from tests.browser.furnished import LOGINS, QUIET_NEED, SLUG
from tests.browser.site import DEVICES, Site
from tests.conftest import NOW

PRACTICE = f"/p/{SLUG}"

both_devices = pytest.mark.parametrize("device", ["desktop", "phone"])


def asked(site: Site) -> list[AskState]:
    with site.database.session() as session:
        statement = sa.select(Ask.state).where(Ask.need_id == QUIET_NEED).order_by(Ask.id)
        return list(session.scalars(statement))


@both_devices
def test_a_titular_asks_from_the_proposal_and_the_doctor_says_yes(
    visit: Visit, site: Site, device: str
) -> None:
    titular = visit(Role.TITULAR, device)
    page = titular.go(f"{PRACTICE}/proposals/2")
    offers = page.locator(f".review-actions a[href*='need_id={QUIET_NEED}&']")
    before = offers.count()
    offers.filter(has_text=LOGINS[Role.ASSISTANT].name).click()
    message = page.locator("textarea[name=message]")
    expect(message).to_have_value(re.compile("^Bonjour Yanis,"))
    titular.assert_no_axe_findings()
    titular.keep("ask-in-panel")
    message.fill("Bonjour Yanis, et mercredi ?")
    page.locator("form[action='/asks/'] button[type=submit]").click()
    expect(page.locator(".review-asked li.is-open")).to_have_count(2)
    expect(offers).to_have_count(before - 1)
    titular.assert_no_axe_findings()

    doctor = visit(Role.ASSISTANT, device)
    page = doctor.go(f"{PRACTICE}/week/2026-W48")
    doctor.assert_no_axe_findings()
    doctor.keep("week-with-a-question")
    page.locator(".waiting a").click()
    expect(page.locator(".ask-message")).to_have_text("Bonjour Yanis, et mercredi ?")
    page.locator("textarea[name=words]").fill("Avec plaisir")
    page.locator("button[name=answer][value=yes]").click()
    mine = "table.week a.is-mine" if device == "desktop" else "ol.week-list a.is-mine"
    expect(page.locator(mine).first).to_be_visible()
    expect(page.locator(".waiting")).to_have_count(0)
    # Camille's question lapsed with it, Inès had said no.
    assert asked(site) == [AskState.LAPSED, AskState.DECLINED, AskState.ACCEPTED]
    titular.page.reload()
    expect(titular.page.locator(".review-asked li.is-accepted")).to_be_visible()


def test_a_doctor_answers_without_javascript(visit: Visit, site: Site) -> None:
    page = visit(Role.REPLACEMENT, "phone", javascript=False).go("/")
    page.locator(".waiting a").click()
    page.locator("button[name=answer][value=no]").click()
    expect(page.locator(".waiting")).to_have_count(0)
    assert asked(site) == [AskState.DECLINED, AskState.DECLINED]
    with site.database.session() as session:
        assert not session.scalars(
            sa.select(Assignment).where(Assignment.need_id == QUIET_NEED)
        ).all()


def running(site: Site, **progress: object) -> str:
    """A proposal that somebody is computing; returns its address."""
    row = Proposal(
        practice_id=1,
        start=dt.date(2027, 1, 1),
        end=dt.date(2027, 3, 31),
        state=ProposalState.RUNNING,
        requested_by=1,
        requested_at=NOW,
        started_at=NOW - dt.timedelta(seconds=7),
        heartbeat_at=NOW,
        attempt=1,
        progress=progress,
    )
    with site.database.transaction() as session:
        session.add(row)
    return f"{PRACTICE}/proposals/{row.id}"


@both_devices
def test_a_computation_is_watched(visit: Visit, site: Site, device: str) -> None:
    address = running(
        site,
        stage="last_resort",
        fraction=0.6,
        filled=98,
        needs=110,
        impossible=3,
        points=[
            ["below_minimum", 0.1, 0, 0],
            ["uncovered", 0.4, 52, 20],
            ["uncovered", 1.4, 40, 31],
            ["uncovered", 1.7, 36, 36],
            ["changes", 1.9, 4, 4],
            ["last_resort", 2.0, 31, None],
            ["last_resort", 2.9, 26, 4],
            ["last_resort", 3.8, 19, 8],
            ["last_resort", 5.0, 14, 11],
            ["last_resort", 6.6, 13, 12],
        ],
    )
    visitor = visit(Role.TITULAR, device)
    page = visitor.go(address)
    for scheme in ("light", "dark"):
        visitor.prefer(scheme)
        expect(page.get_by_role("img", name="13")).to_be_visible()
        expect(page.locator(".steps li")).to_have_count(3)
        visitor.assert_no_axe_findings()
        visitor.keep("proposal-watched")
    # A phone widens its window to what sticks out: only the device's own width tells.
    wide = page.evaluate("Math.max(document.documentElement.scrollWidth, innerWidth)")
    assert wide <= DEVICES[device]["viewport"]["width"]
