"""The page of a doctor's availabilities."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from scheduler.core.database import Database
from scheduler.core.permissions import DOCTOR_ROLES, Role
from scheduler.people.models import Practice, User
from scheduler.roster.availability_queries import (
    availabilities_between,
    needs_to_fill,
    own_days,
    repetitions_of,
)
from scheduler.roster.availability_rules import expand
from scheduler.roster.models import WeeklyAvailability
from scheduler.roster.rules import AssignmentState, Half, Period, Preference
from tests.factories import House
from tests.support import count_queries

WANTED, POSSIBLE, LAST_RESORT = Preference
AM, PM = Half
TODAY = dt.date(2026, 11, 23)
THURSDAY = dt.date(2026, 12, 3)
DECEMBER = "/availabilities/2026-12"
JSON = {"Accept": "application/json"}


@dataclass
class Page:
    """The page in the hands of one doctor."""

    house: House
    practice: Practice
    doctor: User
    client: FlaskClient

    def get(self, address: str = DECEMBER) -> str:
        response = self.client.get(address)
        assert response.status_code == 200, response.text
        return response.text

    def post(self, act: str, headers: dict[str, str] | None = None, **data: Any) -> TestResponse:
        return self.client.post(f"{DECEMBER}/{act}", data=data, headers=headers)

    def tap(self, *days: dt.date, period: str = "day", preference: str = "") -> TestResponse:
        return self.post(
            "days", day=[day.isoformat() for day in days], period=period, preference=preference
        )

    def half_days(self, practice: Practice | None = None) -> dict[Any, Preference]:
        end = dt.date(2027, 12, 31)
        with self.house.database.session() as session:
            said = availabilities_between(session, [self.doctor.id], TODAY, end)[self.doctor.id]
        return expand(*said, TODAY, end, practice.id if practice else None)

    def weekly(self) -> list[WeeklyAvailability]:
        with self.house.database.session() as session:
            return [each.row for each in repetitions_of(session, self.doctor.id, TODAY)]


@pytest.fixture
def page(house: House, client_for: Callable[[User], FlaskClient]) -> Page:
    practice = house.practice()
    doctor = house.member(practice, Role.REPLACEMENT)
    return Page(house, practice, doctor, client_for(doctor))


def button(text: str, day: dt.date) -> str:
    """The markup of one day's button."""
    found = re.search(rf'<button class="avail-day[^>]*value="{day}".*?</button>', text, re.DOTALL)
    assert found is not None
    return found.group()


def state(text: str, day: dt.date, half: Half = AM) -> str:
    found = re.search(rf'data-half="{half}" data-state="(\w+)"', button(text, day))
    assert found is not None
    return found.group(1)


def test_the_month_of_today_when_none_is_named(page: Page) -> None:
    text = page.get("/availabilities/")
    assert 'value="2026-11-30"' in text
    assert 'value="2026-12-01"' not in text


def test_days_gone_by_cannot_be_pressed(page: Page) -> None:
    text = page.get("/availabilities/2026-11")
    assert " disabled" in button(text, TODAY - dt.timedelta(1))
    assert " disabled" not in button(text, TODAY)


def test_days_further_than_relais_plans_cannot_be_pressed(page: Page) -> None:
    text = page.get("/availabilities/2028-05")
    assert " disabled" not in button(text, dt.date(2028, 5, 23))
    assert " disabled" in button(text, dt.date(2028, 5, 24))


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "1999-12", "december"])
def test_there_is_no_such_month(page: Page, month: str) -> None:
    assert page.client.get(f"/availabilities/{month}").status_code == 404


@pytest.mark.parametrize("role", sorted(set(Role) - DOCTOR_ROLES))
def test_the_page_is_for_doctors(
    house: House, client_for: Callable[[User], FlaskClient], role: Role
) -> None:
    client = client_for(house.member(house.practice(), role))
    for response in (client.get("/availabilities/"), client.post(f"{DECEMBER}/days")):
        assert response.status_code == 403
    refusal = client.get("/availabilities/", headers=JSON).json
    assert refusal["error"]["code"] == "availabilities_of_doctors"


@pytest.mark.parametrize("role", sorted(DOCTOR_ROLES))
def test_every_doctor_has_the_page(
    house: House, client_for: Callable[[User], FlaskClient], role: Role
) -> None:
    client = client_for(house.member(house.practice(), role))
    assert client.get("/availabilities/").status_code == 200


def test_a_stranger_is_sent_to_sign_in(client_for: Callable[[None], FlaskClient]) -> None:
    response = client_for(None).get(DECEMBER)
    assert response.status_code == 302
    assert "next=" in response.location


def test_a_press_moves_a_day_on_and_comes_back(page: Page) -> None:
    for expected in ("wanted", "possible", "last_resort", "none"):
        response = page.tap(THURSDAY)
        assert response.status_code == 302
        assert response.location.startswith(DECEMBER)
        assert state(page.get(), THURSDAY) == expected


def test_the_choices_above_the_grid_survive_a_press(page: Page) -> None:
    response = page.tap(THURSDAY, period="pm", preference="possible")
    text = page.get(response.location)
    assert re.search(r'name="period" value="pm" checked', text)
    assert re.search(r'name="preference" value="possible" checked', text)
    assert page.half_days() == {(THURSDAY, PM): POSSIBLE}


def test_a_drag_is_answered_with_what_the_days_are_now(page: Page) -> None:
    page.house.available(page.doctor, THURSDAY, period=Period.PM, preference=LAST_RESORT)
    friday = THURSDAY + dt.timedelta(1)
    response = page.post(
        "days",
        JSON,
        day=[THURSDAY.isoformat(), friday.isoformat()],
        period="am",
        preference="wanted",
    )
    assert response.json == {
        "days": {
            "2026-12-03": {"am": "wanted", "pm": "last_resort"},
            "2026-12-04": {"am": "wanted", "pm": None},
        }
    }


def test_a_refusal_says_why(page: Page) -> None:
    response = page.post(
        "days", JSON, day=TODAY - dt.timedelta(1), period="day", preference="wanted"
    )
    assert response.status_code == 422
    assert response.json["error"]["code"] == "availability_past"
    assert response.json["error"]["message"]
    assert page.half_days() == {}


@pytest.mark.parametrize(
    "data",
    [
        {"day": "2026-02-30", "period": "day", "preference": ""},
        {"day": "tomorrow", "period": "day", "preference": ""},
        {"day": "2026-12-03", "period": "night", "preference": ""},
        {"day": "2026-12-03", "period": "day", "preference": "gladly"},
        {"period": "day", "preference": "wanted"},
    ],
)
def test_what_cannot_be_meant_is_refused(page: Page, data: dict[str, str]) -> None:
    assert page.post("days", **data).status_code == 422
    assert page.half_days() == {}


def test_a_repetition_shows_and_a_press_makes_an_exception(page: Page) -> None:
    page.post(
        "weekly",
        **{
            "weekly-weekday": 3,
            "weekly-interval_weeks": 1,
            "weekly-period": "day",
            "weekly-preference": "last_resort",
            "weekly-start": "2026-11-26",
        },
    )
    assert state(page.get(), THURSDAY) == "last_resort"
    page.tap(THURSDAY)
    text = page.get()
    assert state(text, THURSDAY) == "none"
    assert state(text, THURSDAY + dt.timedelta(7)) == "last_resort"


def stretch(**changes: Any) -> dict[str, Any]:
    values = {
        "start": "2026-12-01",
        "end": "2026-12-31",
        "weekdays": [1, 3],
        "period": "am",
        "preference": "possible",
    } | changes
    return {f"range-{name}": value for name, value in values.items() if value is not None}


def test_a_stretch_of_days(page: Page) -> None:
    response = page.post("range", **stretch())
    assert response.status_code == 302
    assert len(page.half_days()) == 10
    assert 'class="toast is-success"' in page.get(response.location)


def test_a_stretch_of_another_month_leads_there(page: Page) -> None:
    response = page.post("range", **stretch(start="2027-02-01", end="2027-03-31"))
    assert "/2027-02" in response.location


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"end": "2026-11-30"}, "end"),
        ({"end": "2028-12-31"}, "end"),
        ({"start": "2026-11-22"}, "start"),
        ({"start": "yesterday"}, "start"),
        ({"start": None}, "start"),
        ({"weekdays": None}, "weekdays"),
        ({"weekdays": [9]}, "weekdays"),
        ({"preference": "gladly"}, "preference"),
        ({"start": "2028-05-20", "end": "2028-05-30"}, "end"),
        ({"end": "2026-12-01", "weekdays": [4]}, "weekdays"),
    ],
)
def test_a_stretch_that_cannot_be_meant_says_where_and_keeps_the_rest(
    page: Page, changes: dict[str, Any], field: str
) -> None:
    response = page.post("range", **stretch(**changes))
    assert response.status_code == 422
    assert f'id="range-{field}-error"' in response.text
    assert re.search(
        r'<input[^>]*name="range-period"[^>]*value="am"[^>]*checked', response.text
    ) or (re.search(r'<input[^>]*checked[^>]*name="range-period"[^>]*value="am"', response.text))
    assert page.half_days() == {}


def test_days_that_are_already_given_stay_and_the_page_says_so(page: Page) -> None:
    need = page.house.need(page.practice, THURSDAY)
    page.house.assignment(need, page.doctor)
    text = page.get()
    assert " disabled" in button(text, THURSDAY)
    assert f"/need/{need.id}" in text or f"/needs/{need.id}" in text
    response = page.post("range", **stretch(weekdays=[3], preference="none"))
    assert 'class="toast is-warning"' in page.get(response.location)
    with page.house.database.session() as session:
        [own] = own_days(session, page.doctor.id, THURSDAY, THURSDAY)
    assert own.state is AssignmentState.CONFIRMED


def test_the_other_half_of_a_day_can_still_be_answered(page: Page) -> None:
    need = page.house.need(page.practice, THURSDAY, Period.AM)
    page.house.assignment(need, page.doctor)
    markup = button(page.get(), THURSDAY)
    assert " disabled" not in markup
    assert "avail-mine is-am" in markup
    assert 'data-half="pm"' in markup
    assert 'data-half="am"' not in markup


def weekly(**changes: Any) -> dict[str, Any]:
    values = {
        "weekday": 3,
        "interval_weeks": 2,
        "period": "day",
        "preference": "wanted",
        "start": "2026-11-26",
        "end": "2027-03-31",
    } | changes
    return {f"weekly-{name}": value for name, value in values.items()}


def test_a_weekly_repetition_from_its_form_to_its_end(page: Page) -> None:
    assert page.post("weekly", **weekly()).status_code == 302
    [row] = page.weekly()
    assert (row.weekday, row.interval_weeks, row.end) == (3, 2, dt.date(2027, 3, 31))
    assert f"/weekly/{row.id}/remove" in page.get()
    page.post(f"weekly/{row.id}/end", end="2026-12-31")
    assert page.weekly()[0].end == dt.date(2026, 12, 31)
    page.post(f"weekly/{row.id}/remove")
    assert page.weekly() == []
    assert page.half_days() == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"start": "2026-11-22"}, "start"),
        ({"end": "2026-11-25"}, "end"),
        ({"weekday": 7}, "weekday"),
        ({"interval_weeks": 9}, "interval_weeks"),
        ({"preference": "none"}, "preference"),
        ({"start": ""}, "start"),
    ],
)
def test_a_repetition_that_cannot_be_meant_says_where(
    page: Page, changes: dict[str, Any], field: str
) -> None:
    response = page.post("weekly", **weekly(**changes))
    assert response.status_code == 422
    assert f'id="weekly-{field}-error"' in response.text
    assert page.weekly() == []


@pytest.mark.parametrize("end", ["2026-11-22", "", "soon"])
def test_a_last_day_that_cannot_be_meant(page: Page, end: str) -> None:
    page.post("weekly", **weekly())
    [row] = page.weekly()
    response = page.post(f"weekly/{row.id}/end", end=end)
    assert response.status_code == 422
    assert "is-error" in response.text
    assert page.weekly()[0].end == dt.date(2027, 3, 31)


def test_the_repetition_of_somebody_else(
    page: Page, client_for: Callable[[User], FlaskClient]
) -> None:
    page.post("weekly", **weekly())
    [row] = page.weekly()
    other = client_for(page.house.member(page.practice, Role.REPLACEMENT))
    assert other.post(f"{DECEMBER}/weekly/{row.id}/remove").status_code == 404
    assert len(page.weekly()) == 1


def test_days_to_fill_are_marked_and_counted(page: Page) -> None:
    for day in (3, 4):
        page.house.need(page.practice, dt.date(2026, 12, day))
    taken = page.house.need(page.practice, dt.date(2026, 12, 8))
    page.house.assignment(taken, page.house.member(page.practice, Role.REPLACEMENT))
    page.house.need(page.practice, dt.date(2026, 12, 9), roles=["titular"])
    page.house.need(page.house.practice(), dt.date(2026, 12, 10))
    text = page.get()
    marked = [day for day in range(1, 32) if "avail-need" in button(text, dt.date(2026, 12, day))]
    assert marked == [3, 4]


def test_a_day_given_back_is_to_fill_again_and_counted_once(page: Page) -> None:
    need = page.house.need(page.practice, THURSDAY)
    for _ in range(2):
        page.house.assignment(need, page.doctor, AssignmentState.RELEASED)
    actor = page.house.actor(page.doctor)
    with page.house.database.session() as session:
        released = needs_to_fill(session, actor.memberships, THURSDAY, THURSDAY)
        page_own = own_days(session, page.doctor.id, THURSDAY, THURSDAY)
    assert released == {THURSDAY: 1}
    assert page_own == []


def test_public_holidays_are_named_and_closed_unless_the_practice_opens(page: Page) -> None:
    christmas = dt.date(2026, 12, 25)
    assert " disabled" in button(page.get(), christmas)
    page.house.need(page.practice, christmas)
    assert " disabled" not in button(page.get(), christmas)


def test_school_holidays_of_the_zone_are_shown(
    house: House, client_for: Callable[[User], FlaskClient]
) -> None:
    practice = house.practice(school_zone="B")
    client = client_for(house.member(practice, Role.REPLACEMENT))
    text = client.get(DECEMBER).text
    assert "is-school-holiday" in button(text, dt.date(2026, 12, 28))
    assert "is-school-holiday" not in button(text, dt.date(2026, 12, 2))


def test_answers_for_one_of_several_practices(page: Page) -> None:
    assert 'name="practice"' not in page.get()
    other = page.house.practice()
    page.house.member(other, Role.REPLACEMENT, page.doctor)
    assert 'name="practice"' in page.get()
    only = f"{DECEMBER}?practice={other.slug}"
    response = page.client.post(
        f"{DECEMBER}/days?practice={other.slug}",
        data={"day": THURSDAY, "period": "day", "preference": "wanted"},
    )
    assert f"practice={other.slug}" in response.location
    assert state(page.get(only), THURSDAY) == "wanted"
    assert state(page.get(), THURSDAY) == "none"
    assert page.half_days() == {}
    assert len(page.half_days(other)) == 2


def test_a_practice_where_one_is_no_doctor_cannot_be_chosen(page: Page) -> None:
    other = page.house.practice()
    page.house.member(other, Role.VIEWER, page.doctor)
    assert page.client.get(f"{DECEMBER}?practice={other.slug}").status_code == 404


def test_what_is_open_is_said_kindly_and_in_english_words(
    house: House, client_for: Callable[[User], FlaskClient]
) -> None:
    practice = house.practice()
    doctor = house.member(practice, Role.REPLACEMENT, locale="en")
    client = client_for(doctor)
    assert "avail-invitation" not in client.get(DECEMBER).text
    for day in (3, 4):
        house.need(practice, dt.date(2026, 12, day))
    house.available(doctor, THURSDAY)
    text = client.get(DECEMBER).text
    assert "In December 2 days are still to fill." in text
    assert "One of them falls on a day that suits you." in text
    assert "Shared out, that would be 2 days each, if it suits you." in text
    client.post(f"{DECEMBER}/answer", data={"answer": "all"})
    text = client.get(DECEMBER).text
    assert "still to fill" in text
    assert "Shared out" not in text
    taken = house.need(practice, dt.date(2026, 12, 7))
    also_taken = house.need(practice, dt.date(2026, 12, 8))
    for need in (taken, also_taken):
        house.assignment(need, doctor)
    house.member(practice, Role.REPLACEMENT)
    assert "You give 2 days already: thank you." in client.get(DECEMBER).text


def everything_except(**changes: Any) -> dict[str, Any]:
    values = {
        "start": "2026-12-01",
        "end": "2026-12-11",
        "weekdays": [5, 6],
        "without": ["2026-12-03", "2026-12-08"],
        "period": "pm",
        "preference": "possible",
    } | changes
    return {f"except-{name}": value for name, value in values.items() if value is not None}


def test_everything_except_some_days(page: Page) -> None:
    page.house.available(page.doctor, THURSDAY)
    response = page.post("except", **everything_except())
    assert response.status_code == 302
    found = page.half_days()
    assert sorted(day.day for day, half in found if half is PM) == [1, 2, 3, 4, 7, 9, 10, 11]
    assert found[THURSDAY, PM] is WANTED
    assert found[dt.date(2026, 12, 4), PM] is POSSIBLE


def test_everything_except_leaves_closed_days_out_unless_something_is_to_fill(page: Page) -> None:
    week = {"start": "2026-12-24", "end": "2026-12-25", "without": None, "weekdays": None}
    page.post("except", **everything_except(**week))
    assert {day.day for day, _half in page.half_days()} == {24}
    page.house.need(page.practice, dt.date(2026, 12, 25))
    page.post("except", **everything_except(**week))
    assert {day.day for day, _half in page.half_days()} == {24, 25}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"end": "2026-11-30"}, "end"),
        ({"start": None}, "start"),
        ({"without": ["tomorrow"]}, "without"),
        ({"weekdays": [0, 1, 2, 3, 4, 5, 6]}, "weekdays"),
    ],
)
def test_everything_except_says_what_cannot_be_meant(
    page: Page, changes: dict[str, Any], field: str
) -> None:
    response = page.post("except", **everything_except(**changes))
    assert response.status_code == 422
    assert f'id="except-{field}-error"' in response.text
    assert '<details class="avail-tool-box" id="except" open>' in response.text
    assert page.half_days() == {}


def test_a_copy_is_shown_before_it_is_made(page: Page) -> None:
    for day, preference in ((10, WANTED), (11, POSSIBLE)):
        page.house.available(page.doctor, dt.date(2026, 12, day), preference=preference)
    page.house.available(page.doctor, dt.date(2027, 1, 14), preference=LAST_RESORT)
    january = "/availabilities/2027-01"
    text = page.get(f"{january}/copy")
    assert 'name="change" value="2027-01-14"' in text
    assert " checked" not in text
    assert len(page.half_days()) == 6
    response = page.client.post(f"{january}/copy")
    assert 'class="toast is-success"' in page.get(response.location)
    found = page.half_days()
    assert found[dt.date(2027, 1, 8), AM] is POSSIBLE
    assert found[dt.date(2027, 1, 14), AM] is LAST_RESORT
    page.client.post(f"{january}/copy", data={"change": "2027-01-14"})
    assert page.half_days()[dt.date(2027, 1, 14), AM] is WANTED
    text = page.get(f"{january}/copy")
    assert 'class="empty"' in text
    assert page.client.post(f"{january}/copy", data={"change": "someday"}).status_code == 422


def test_a_copy_leaves_closed_days_out(page: Page) -> None:
    # The fourth Friday of November goes to that of December, which is Christmas.
    page.house.available(page.doctor, dt.date(2026, 11, 27))
    assert 'class="empty"' in page.get(f"{DECEMBER}/copy")


def test_a_copy_for_one_practice(page: Page) -> None:
    other = page.house.practice()
    page.house.member(other, Role.REPLACEMENT, page.doctor)
    page.house.available(page.doctor, THURSDAY, practice=other)
    only = f"/availabilities/2027-01/copy?practice={other.slug}"
    assert other.name in page.get(only)
    response = page.client.post(only)
    assert f"practice={other.slug}" in response.location
    assert page.half_days(other)[dt.date(2027, 1, 7), AM] is WANTED
    assert page.half_days() == {}


@pytest.mark.parametrize("act", ["copy", "answer"])
def test_a_month_gone_by_has_nothing_to_answer(page: Page, act: str) -> None:
    address = "/availabilities/2026-10"
    assert page.client.post(f"{address}/{act}", data={"answer": "all"}).status_code == 422
    text = page.get(address)
    assert f"{address}/answer" not in text
    assert f"{address}/copy" not in text


def test_saying_that_all_is_said_and_opening_it_again(page: Page) -> None:
    page.house.available(page.doctor, THURSDAY)
    response = page.post("answer", answer="all")
    text = page.get(response.location)
    assert 'class="toast is-success"' in text
    assert 'value="open"' in text
    assert 'value="all"' not in text
    page.post("answer", answer="open")
    assert 'value="all"' in page.get()
    assert len(page.half_days()) == 2


def test_saying_that_one_cannot_come_at_all(page: Page) -> None:
    page.house.available(page.doctor, THURSDAY)
    text = page.get()
    assert '<dialog class="dialog" id="cannot"' in text
    page.post("answer", answer="none")
    assert page.half_days() == {}
    assert 'value="open"' in page.get()
    assert page.post("answer", answer="maybe").status_code == 422


def test_a_note_stands_on_its_day_and_in_the_list(page: Page) -> None:
    response = page.post("note", **{"note-day": "2026-12-03", "note-text": "Dès 9 h <b>"})
    assert response.location.startswith(DECEMBER)
    text = page.get(response.location)
    assert "avail-words" in button(text, THURSDAY)
    assert "Dès 9 h &lt;b&gt;" in button(text, THURSDAY)
    assert 'id="notes"' in text
    page.post("note", **{"note-day": "2026-12-03", "note-text": ""})
    text = page.get()
    assert "avail-words" not in text
    assert 'id="notes"' not in text


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"note-day": "2026-11-22", "note-text": "Bonjour"}, "day"),
        ({"note-text": "Bonjour"}, "day"),
        ({"note-day": "2026-12-03", "note-text": "x" * 201}, "text"),
    ],
)
def test_a_note_that_cannot_be_kept_says_why_and_keeps_the_words(
    page: Page, data: dict[str, str], field: str
) -> None:
    response = page.post("note", **data)
    assert response.status_code == 422
    assert f'id="note-{field}-error"' in response.text
    assert f'value="{data["note-text"]}"' in response.text


def test_queries_do_not_grow_with_rows(page: Page, database: Database) -> None:
    def fill(*days: int) -> None:
        for day in days:
            date = dt.date(2026, 12, day)
            page.house.need(page.practice, date)
            page.house.available(page.doctor, date)
            page.house.assignment(
                page.house.need(page.practice, date + dt.timedelta(14)), page.doctor
            )

    def queries() -> int:
        with count_queries(database) as statements:
            page.get()
        return len(statements)

    fill(1)
    page.post("weekly", **weekly())
    page.get()
    before = queries()
    fill(2, 3, 4, 7, 8)
    for weekday in range(3):
        page.post("weekly", **weekly(weekday=weekday))
    page.get()
    assert queries() == before
