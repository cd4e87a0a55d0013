"""From a week that lacks doctors to a yes by link: a titular on a computer, a doctor on a phone."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from scheduler.core.database import Database
from scheduler.core.outbox import OutboxMessage
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster import call_queries, call_work, calls
from scheduler.roster.call_rules import link_token
from scheduler.roster.models import Assignment, Call
from scheduler.roster.rules import AssignmentSource, CallState, InvitationState
from tests.browser.conftest import Visit
from tests.browser.furnished import LOGINS, SLUG
from tests.browser.site import DEVICES, SECRET_KEY, Site, Visitor
from tests.factories import House

PRACTICE = f"/p/{SLUG}"
CALLS = f"{PRACTICE}/calls/"


def find(site: Site) -> list[Call]:
    """Let the worker find the weeks below a minimum of four days; the calls by week."""
    with site.database.transaction() as session:
        session.scalars(sa.select(Practice).where(Practice.slug == SLUG)).one().weekly_minimum = 4
    looked = 1
    while looked:
        with site.database.transaction() as session:
            looked = call_work.find_thin_weeks(session)
    return found(site.database)


def found(database: Database) -> list[Call]:
    with database.session() as session:
        return call_queries.whole(session, sa.select(Call).order_by(Call.monday))


def user(database: Database, role: Role) -> User:
    with database.session() as session:
        return session.scalars(sa.select(User).where(User.email == LOGINS[role].email)).one()


def sent(site: Site, message: str = "") -> Call:
    """The first of the calls, sent to everybody."""
    call = find(site)[0]
    titular = House(site.database).actor(user(site.database, Role.TITULAR))
    doctors = [row.doctor_id for row in call.invitations]
    with site.database.transaction() as session:
        calls.send(session, titular, call.id, doctors, message)
    return found(site.database)[0]


def link(site: Site, call: Call, role: Role) -> str:
    doctor = user(site.database, role)
    uid = next(row.uid for row in call.invitations if row.doctor_id == doctor.id)
    return f"/calls/answer/{link_token(SECRET_KEY, uid)}"


def assert_fits(visitor: Visitor) -> None:
    # A phone widens its window to what sticks out: only the device's own width tells.
    wide = visitor.page.evaluate("Math.max(document.documentElement.scrollWidth, innerWidth)")
    assert wide <= DEVICES[visitor.device]["viewport"]["width"]


def test_a_titular_finds_the_thin_weeks_and_sends_a_call(visit: Visit, site: Site) -> None:
    thin = find(site)
    visitor = visit(Role.TITULAR)
    page = visitor.go(f"{PRACTICE}/week/")
    page.locator(f"nav a[href='{CALLS}']").first.click()
    expect(page.locator("tbody tr")).to_have_count(len(thin))
    visitor.keep("calls")
    visitor.assert_no_axe_findings()
    page.locator("tbody a").first.click()
    boxes = page.locator("input[name=doctor]")
    expect(boxes).to_have_count(len(thin[0].invitations))
    for scheme in ("light", "dark"):
        visitor.prefer(scheme)
        visitor.keep("call-prepared")
        visitor.assert_no_axe_findings()
    # Somebody is left out, by keyboard.
    left_out = int(boxes.first.get_attribute("value") or 0)
    boxes.first.focus()
    page.keyboard.press("Space")
    page.locator("textarea[name=message]").fill("Merci à qui pourra venir.")
    page.locator("form[action$='/send'] button.is-primary").click()
    expect(page.locator("blockquote")).to_have_text("Merci à qui pourra venir.")
    visitor.keep("call-sent")
    visitor.assert_no_axe_findings()
    call = found(site.database)[0]
    assert call.state is CallState.SENT
    states = {row.doctor_id: row.state for row in call.invitations}
    assert states.pop(left_out) is InvitationState.OBSOLETE
    asked = [doctor for doctor, state in states.items() if state is InvitationState.SENT]
    with site.database.session() as session:
        told = session.scalars(
            sa.select(OutboxMessage.recipient_id).where(OutboxMessage.kind == "call.invited")
        ).all()
    assert sorted(told) == sorted(asked)
    assert asked


def test_a_week_is_set_aside_and_taken_up_again(visit: Visit, site: Site) -> None:
    call = find(site)[0]
    page = visit(Role.TITULAR, javascript=False).go(f"{CALLS}{call.id}")
    page.locator("button[formaction$='/dismiss']").click()
    expect(page.locator("input[name=doctor]")).to_have_count(0)
    page.locator("form[action$='/restore'] button").click()
    expect(page.locator("input[name=doctor]")).to_have_count(len(call.invitations))


@pytest.mark.parametrize("javascript", [True, False])
def test_a_doctor_answers_by_link_with_one_tap(visit: Visit, site: Site, javascript: bool) -> None:
    call = sent(site, "Merci à qui pourra venir.")
    visitor = visit(None, "phone", javascript=javascript)
    page = visitor.go(link(site, call, Role.REPLACEMENT))
    if javascript:
        for scheme in ("light", "dark"):
            visitor.prefer(scheme)
            visitor.keep("call-answer")
            visitor.assert_no_axe_findings()
        assert_fits(visitor)
    # The first tap is the last one.
    page.locator("form[action$='/take'] button").first.tap()
    expect(page.locator(".invitation-day.is-own")).to_have_count(1)
    expect(page.locator("form[action$='/undo'] button")).to_be_visible()
    if javascript:
        visitor.keep("call-answered")
        visitor.assert_no_axe_findings()
    with site.database.session() as session:
        taken = session.scalars(
            sa.select(Assignment).where(Assignment.source == AssignmentSource.CALL)
        ).one()
    assert taken.doctor_id == user(site.database, Role.REPLACEMENT).id
    page.locator("form[action$='/undo'] button").tap()
    expect(page.locator(".invitation-day.is-own")).to_have_count(0)


def test_who_comes_second_reads_who_was_first(visit: Visit, site: Site) -> None:
    call = sent(site)
    late = visit(None, "phone")
    late.allow("409 POST /calls/answer/")
    page = late.go(link(site, call, Role.REPLACEMENT))
    first = visit(None, "phone").go(link(site, call, Role.ASSISTANT))
    first.locator("form[action$='/take'] button").first.tap()
    expect(first.locator(".invitation-day.is-own")).to_have_count(1)
    page.locator("form[action$='/take'] button").first.tap()
    expect(page.get_by_role("alert").filter(has_text="Yanis Belkacem")).to_be_visible()
    expect(page.locator("form[action$='/take']")).to_have_count(len(call.days) - 1)
    late.keep("call-lost")
    late.assert_no_axe_findings()
    assert_fits(late)


def test_a_doctor_says_no_to_the_week(visit: Visit, site: Site) -> None:
    call = sent(site)
    page = visit(None, "phone").go(link(site, call, Role.REPLACEMENT))
    page.locator("main > article > div form[action$='/decline'] button").tap()
    expect(page.get_by_role("status").locator(".toast")).to_be_visible()
    camille = user(site.database, Role.REPLACEMENT)
    (invitation,) = [
        row for row in found(site.database)[0].invitations if row.doctor_id == camille.id
    ]
    assert invitation.state is InvitationState.DECLINED


def test_whoever_signs_in_finds_the_call_too(visit: Visit, site: Site) -> None:
    call = sent(site)
    visitor = visit(Role.REPLACEMENT, "phone")
    page = visitor.go("/calls/")
    visitor.keep("calls-to-me")
    visitor.assert_no_axe_findings()
    page.locator("tbody a").tap()
    expect(page).to_have_url(re.compile(re.escape(link(site, call, Role.REPLACEMENT))))
    expect(page.locator("form[action$='/take'] button").first).to_be_visible()
    assert call.monday == dt.date(2026, 11, 30)
