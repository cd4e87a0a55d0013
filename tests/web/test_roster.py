"""The pages of the week, the month and one day; taking a day and giving it back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from scheduler.calendars.models import HolidayKind, PracticeHoliday
from scheduler.core.clock import FixedClock
from scheduler.core.permissions import Role
from scheduler.people.models import ClaimPolicy, Practice, ReplacedDoctor, User
from scheduler.roster.models import Assignment, Need
from scheduler.roster.rules import AssignmentState, NeedState, Period, ReleaseKind
from tests.factories import House
from tests.support import count_queries

ClientFor = Callable[[User], FlaskClient]

MONDAY = dt.date(2026, 11, 23)
THURSDAY = dt.date(2026, 11, 26)


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", "Salle 2", slug="nieul", weekly_minimum=2, school_zone="B")


def member(house: House, practice: Practice, role: Role, name: str = "Anne Petit") -> User:
    given, family = name.split(" ", 1)
    return house.member(practice, role, given_name=given, family_name=family, locale="en")


def page(client: FlaskClient, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status
    return response.text


def text_of(html: str) -> str:
    """The words of a page, with the space between them as a reader sees it."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def main_of(html: str) -> str:
    return html.partition("<main")[2].partition("</main>")[0]


def state_of(house: House, need: Need) -> list[tuple[int, AssignmentState, str | None]]:
    with house.database.session() as session:
        rows = session.execute(
            sa.select(Assignment.doctor_id, Assignment.state, Assignment.release_reason)
            .where(Assignment.need_id == need.id)
            .order_by(Assignment.id)
        )
        return [tuple(row) for row in rows]


@pytest.mark.parametrize("role", list(Role))
def test_everybody_sees_the_week(
    house: House, practice: Practice, client_for: ClientFor, role: Role
) -> None:
    doctor = member(house, practice, Role.REPLACEMENT, "Driss Benali")
    house.assignment(house.need(practice, MONDAY), doctor)
    house.need(practice, THURSDAY, Period.AM, room=1)
    reader = member(house, practice, role)
    words = text_of(page(client_for(reader), "/p/nieul/week/"))
    assert "W48 · 23–\u206029 Nov 2026" in words
    assert "Driss Benali" in words
    assert "To fill" in words
    assert "1 half-day to fill" in words
    assert "2 of 3 half-days filled" in words
    assert "Minimum of 2 days with a doctor not reached" in words


def test_strangers_see_nothing(house: House, practice: Practice, client_for: ClientFor) -> None:
    stranger = member(house, house.practice(), Role.TITULAR)
    need = house.need(practice, THURSDAY)
    client = client_for(stranger)
    for path in ("week/", "week/2026-W48", "month/", "month/2026-11", f"needs/{need.id}"):
        page(client, f"/p/nieul/{path}", 404)
    assert client.post(f"/p/nieul/needs/{need.id}/claim").status_code == 404
    assert state_of(house, need) == []


def test_a_full_week_says_so(house: House, practice: Practice, client_for: ClientFor) -> None:
    doctor = member(house, practice, Role.REPLACEMENT)
    for day in (MONDAY, THURSDAY):
        house.assignment(house.need(practice, day), doctor)
    words = text_of(page(client_for(doctor), "/p/nieul/week/"))
    assert "Everything is filled 4 of 4 half-days filled" in words
    assert "Minimum of 2 days with a doctor reached" in words
    assert "to fill" not in words


def test_own_days_are_marked(house: House, practice: Practice, client_for: ClientFor) -> None:
    doctor, other = (member(house, practice, Role.REPLACEMENT) for _ in range(2))
    house.assignment(house.need(practice, MONDAY), doctor)
    assert "slot is-confirmed is-mine" in page(client_for(doctor), "/p/nieul/week/")
    assert "is-mine" not in page(client_for(other), "/p/nieul/week/")


def test_a_week_between_two_months_names_both(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    client = client_for(member(house, practice, Role.SECRETARY))
    assert "W49 · 30 Nov – 6 Dec 2026" in text_of(page(client, "/p/nieul/week/2026-W49"))


def test_weeks_of_the_turn_of_the_year(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    client = client_for(member(house, practice, Role.SECRETARY))
    house.need(practice, dt.date(2026, 12, 30))
    html = page(client, "/p/nieul/week/2026-W53")
    assert "W53 · 28 Dec 2026 – 3 Jan 2027" in text_of(html)
    assert 'href="/p/nieul/week/2026-W52"' in html
    assert 'href="/p/nieul/week/2027-W01"' in html
    assert "New Year" in html
    assert "Christmas school holidays" in html


@pytest.mark.parametrize("week", ["2026-W54", "2025-W53", "2026-W00", "48", "2026-W48x"])
def test_there_is_no_such_week(
    house: House, practice: Practice, client_for: ClientFor, week: str
) -> None:
    client = client_for(member(house, practice, Role.SECRETARY))
    assert f"There is no week {week}." in page(client, f"/p/nieul/week/{week}", 404)


def test_there_is_no_such_month(house: House, practice: Practice, client_for: ClientFor) -> None:
    client = client_for(member(house, practice, Role.SECRETARY))
    assert "There is no month 2026-13." in page(client, "/p/nieul/month/2026-13", 404)


def test_own_dates_of_the_practice_are_shown(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    with house.database.transaction() as session:
        session.add(
            PracticeHoliday(
                practice_id=practice.id,
                start=THURSDAY,
                end=THURSDAY,
                name="Works in the waiting room",
                kind=HolidayKind.CLOSED,
            )
        )
    house.need(practice, MONDAY)
    client = client_for(member(house, practice, Role.SECRETARY))
    for path in ("/p/nieul/week/", "/p/nieul/month/"):
        assert "Works in the waiting room" in page(client, path)


@pytest.mark.parametrize(
    ("role", "next_step", "address"),
    [
        (Role.TITULAR, "Publish days to fill", "/p/nieul/days/"),
        (Role.REPLACEMENT, "Say when I can come", "/availabilities/2026-11"),
        (Role.SECRETARY, None, None),
    ],
)
def test_an_empty_week_says_what_to_do_next(
    house: House,
    practice: Practice,
    client_for: ClientFor,
    role: Role,
    next_step: str | None,
    address: str | None,
) -> None:
    house.need(practice, dt.date(2026, 12, 10))
    html = page(client_for(member(house, practice, role)), "/p/nieul/week/")
    words = text_of(html)
    assert "No day is to fill this week" in words
    assert "Go to the next published day, Thu 10 Dec" in words
    assert 'href="/p/nieul/week/2026-W50"' in html
    for step, path in (
        ("Publish days to fill", "/p/nieul/days/"),
        ("Say when I can come", "/availabilities/2026-11"),
    ):
        assert (step in words) is (step == next_step)
        assert address is None or path != address or f'href="{path}"' in html


def test_the_past_asks_for_nothing(house: House, practice: Practice, client_for: ClientFor) -> None:
    client = client_for(member(house, practice, Role.TITULAR))
    for path in ("/p/nieul/week/2026-W40", "/p/nieul/month/2026-09"):
        assert "Publish days to fill" not in text_of(page(client, path))


def test_a_whole_day_spans_both_half_days(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    house.need(practice, MONDAY)
    house.need(practice, THURSDAY, Period.AM)
    html = page(client_for(member(house, practice, Role.SECRETARY)), "/p/nieul/week/")
    assert len(re.findall(r'<td class="week-cell[^"]*" rowspan="2">', html)) == 1


def test_the_month_shows_each_day_and_leads_to_its_week(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    doctor = member(house, practice, Role.REPLACEMENT, "Driss Benali")
    house.assignment(house.need(practice, MONDAY, Period.AM), doctor)
    house.need(practice, THURSDAY, room=1)
    house.need(practice, dt.date(2026, 12, 1))  # in the grid, not in the month
    html = page(client_for(doctor), "/p/nieul/month/")
    words = text_of(html)
    assert "S1 a.m. · Benali" in words
    assert "S2 · To fill" in words
    assert "1 of 3 half-days filled" in words
    assert 'href="/p/nieul/week/2026-W48#day-2026-11-26"' in html
    assert 'id="day-2026-11-26"' in page(client_for(doctor), "/p/nieul/week/2026-W48")
    assert 'href="/p/nieul/month/2026-10"' in html
    assert 'href="/p/nieul/month/2026-12"' in html


def test_an_empty_month_says_what_to_do_next(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    client = client_for(member(house, practice, Role.REPLACEMENT))
    html = page(client, "/p/nieul/month/2027-02")
    assert "No day is to fill this month" in html
    assert 'href="/availabilities/2027-02"' in html


def test_a_doctor_takes_a_day(house: House, practice: Practice, client_for: ClientFor) -> None:
    doctor = member(house, practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY, Period.PM)
    client = client_for(doctor)
    words = text_of(page(client, f"/p/nieul/needs/{need.id}"))
    assert "Take this day" in words
    assert "Afternoon, 14:00–18:30" in words
    response = client.post(f"/p/nieul/needs/{need.id}/claim")
    assert response.status_code == 302
    assert response.location == "/p/nieul/week/2026-W48#day-2026-11-26"
    assert "is yours" in page(client, "/p/nieul/week/2026-W48")
    assert state_of(house, need) == [(doctor.id, AssignmentState.CONFIRMED, None)]


def test_the_loser_reads_who_was_first(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    first = member(house, practice, Role.REPLACEMENT, "Driss Benali")
    second = member(house, practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    house.assignment(need, first)
    response = client_for(second).post(f"/p/nieul/needs/{need.id}/claim")
    assert response.status_code == 409
    words = text_of(response.text)
    assert "Driss Benali was first: Thu 26 Nov 2026 is taken." in words
    assert "Confirmed" in words
    assert len(state_of(house, need)) == 1


def test_a_refusal_says_why_before_and_after(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    doctor = house.member(
        practice,
        Role.REPLACEMENT,
        doctor={"qualified": False, "licence_until": dt.date(2026, 11, 15)},
        locale="en",
    )
    need = house.need(practice, THURSDAY)
    reason = "The licence to replace ended on Sun 15 Nov 2026."
    html = page(client_for(doctor), f"/p/nieul/needs/{need.id}")
    assert reason in html
    assert "/claim" not in html
    response = client_for(doctor).post(f"/p/nieul/needs/{need.id}/claim")
    assert response.status_code == 409
    assert reason in response.text
    assert state_of(house, need) == []


def test_limits_are_told_in_days(house: House, practice: Practice, client_for: ClientFor) -> None:
    doctor = house.member(
        practice, Role.REPLACEMENT, doctor={"max_half_days_per_week": 1}, locale="en"
    )
    need = house.need(practice, THURSDAY)
    html = page(client_for(doctor), f"/p/nieul/needs/{need.id}")
    assert "more than the limit of 0.5 days a week" in html


@pytest.mark.parametrize("role", [Role.NURSE, Role.VIEWER])
def test_others_neither_take_nor_free(
    house: House, practice: Practice, client_for: ClientFor, role: Role
) -> None:
    doctor = member(house, practice, Role.REPLACEMENT)
    free, need = house.need(practice, MONDAY), house.need(practice, THURSDAY)
    taken = house.assignment(need, doctor)
    client = client_for(member(house, practice, role))
    for shown in (free, need):
        html = page(client, f"/p/nieul/needs/{shown.id}")
        assert "<form" not in main_of(html)
    assert client.post(f"/p/nieul/needs/{free.id}/claim").status_code == 403
    release = client.post(f"/p/nieul/assignments/{taken.id}/release", data={"reason": "no"})
    assert release.status_code == 403
    assert state_of(house, need) == [(doctor.id, AssignmentState.CONFIRMED, None)]


def test_a_doctor_gives_a_day_back(house: House, practice: Practice, client_for: ClientFor) -> None:
    doctor = member(house, practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    taken = house.assignment(need, doctor)
    client = client_for(doctor)
    assert "Give this day back" in page(client, f"/p/nieul/needs/{need.id}")
    response = client.post(f"/p/nieul/assignments/{taken.id}/release", data={"reason": "Away"})
    assert response.status_code == 302
    assert state_of(house, need) == [(doctor.id, AssignmentState.RELEASED, "Away")]
    words = text_of(page(client, f"/p/nieul/needs/{need.id}"))
    assert "Given back by Anne Petit Away" in words
    assert "Take this day" in words


def test_a_titular_frees_a_day_with_a_reason(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    titular = member(house, practice, Role.TITULAR, "Luc Roy")
    doctor = member(house, practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    taken = house.assignment(need, doctor)
    address = f"/p/nieul/assignments/{taken.id}/release"
    client = client_for(titular)
    refused = client.post(address, data={"reason": " "})
    assert refused.status_code == 422
    assert "Say why: the doctor will read it." in refused.text
    long = "a reason that goes on and on " * 10
    refused = client.post(address, data={"reason": long})
    assert refused.status_code == 422
    assert long in refused.text
    assert client.post(address, data={"reason": "Closed that day"}).status_code == 302
    words = text_of(page(client, f"/p/nieul/needs/{need.id}"))
    assert "Taken from Anne Petit by Luc Roy Closed that day" in words


def test_a_reason_is_for_those_concerned(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    doctor = member(house, practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    taken = house.assignment(need, doctor)
    address = f"/p/nieul/assignments/{taken.id}/release"
    client_for(doctor).post(address, data={"reason": "A private matter"})
    for role, told in ((Role.TITULAR, True), (Role.SECRETARY, False), (Role.REPLACEMENT, False)):
        html = page(client_for(member(house, practice, role)), f"/p/nieul/needs/{need.id}")
        assert ("A private matter" in html) is told


def test_giving_back_twice_is_told(house: House, practice: Practice, client_for: ClientFor) -> None:
    doctor = member(house, practice, Role.REPLACEMENT)
    taken = house.assignment(house.need(practice, THURSDAY), doctor)
    address = f"/p/nieul/assignments/{taken.id}/release"
    client = client_for(doctor)
    assert client.post(address).status_code == 302
    again = client.post(address)
    assert again.status_code == 409
    assert "was given back already" in again.text


def test_a_past_day_is_only_shown(
    house: House, practice: Practice, client_for: ClientFor, clock: FixedClock
) -> None:
    titular = member(house, practice, Role.TITULAR)
    taken = house.need(practice, MONDAY)
    house.assignment(taken, titular)
    free = house.need(practice, MONDAY, room=1)
    clock.advance(dt.timedelta(days=1))
    for need in (taken, free):
        html = page(client_for(titular), f"/p/nieul/needs/{need.id}")
        assert "<form" not in main_of(html)


def test_a_day_gone_by_without_a_doctor_was_not_filled(
    house: House, practice: Practice, client_for: ClientFor, clock: FixedClock
) -> None:
    doctor = member(house, practice, Role.REPLACEMENT)
    house.assignment(house.need(practice, MONDAY), doctor)
    gone = house.need(practice, MONDAY, Period.AM, room=1)
    client = client_for(doctor)
    addresses = ["/p/nieul/week/2026-W48", "/p/nieul/month/2026-11", f"/p/nieul/needs/{gone.id}"]
    for path in addresses:
        words = text_of(main_of(page(client, path)))
        assert "To fill" in words
        assert "Not filled" not in words
    clock.advance(dt.timedelta(days=1))
    for path in addresses:
        html = main_of(page(client, path))
        assert "Not filled" in text_of(html)
        assert "To fill" not in text_of(html)
        assert "is-missed" in html
        assert "is-uncovered" not in html
    for path in addresses[:2]:
        words = text_of(page(client, path))
        assert "1 half-day not filled 2 of 3 half-days filled" in words
        assert "to fill" not in words
        assert "Everything is filled" not in words
    house.need(practice, THURSDAY, Period.PM)
    for path in addresses[:2]:
        words = text_of(page(client, path))
        assert "1 half-day to fill 2 of 4 half-days filled" in words


def test_the_way_in_looks_ahead_once_nothing_is_left_of_the_week(
    house: House, practice: Practice, client_for: ClientFor, clock: FixedClock
) -> None:
    client = client_for(member(house, practice, Role.SECRETARY))
    house.need(practice, THURSDAY)
    house.need(practice, MONDAY + dt.timedelta(days=8))
    clock.advance(dt.timedelta(days=3))
    assert client.get("/").location == "/p/nieul/week/#day-2026-11-26"
    clock.advance(dt.timedelta(days=1))
    assert client.get("/").location == "/p/nieul/week/2026-W49"


def test_a_phone_opens_the_week_at_today(
    house: House, practice: Practice, client_for: ClientFor, clock: FixedClock
) -> None:
    client = client_for(member(house, practice, Role.SECRETARY))
    house.need(practice, MONDAY)
    clock.advance(dt.timedelta(days=3))
    assert client.get("/").location == "/p/nieul/week/#day-2026-11-26"
    assert 'id="day-2026-11-26"' in page(client, "/p/nieul/week/")
    assert 'href="/p/nieul/week/#day-2026-11-26"' in page(client, "/p/nieul/week/2026-W40")


def test_a_withdrawn_day_says_so(house: House, practice: Practice, client_for: ClientFor) -> None:
    need = house.need(practice, THURSDAY, state=NeedState.WITHDRAWN)
    html = page(client_for(member(house, practice, Role.REPLACEMENT)), f"/p/nieul/needs/{need.id}")
    assert "Withdrawn" in html
    assert "/claim" not in html


def test_the_panel_is_a_fragment_of_the_page(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    need = house.need(practice, THURSDAY)
    client = client_for(member(house, practice, Role.REPLACEMENT))
    whole = page(client, f"/p/nieul/needs/{need.id}")
    panel = client.get(
        f"/p/nieul/needs/{need.id}", headers={"HX-Request": "true", "HX-Target": "panel-content"}
    )
    assert "<html" in whole
    assert "<html" not in panel.text
    assert "Take this day" in panel.text


def test_taking_a_day_can_be_undone_for_ten_minutes(
    house: House, practice: Practice, client_for: ClientFor, clock: FixedClock
) -> None:
    doctor = member(house, practice, Role.REPLACEMENT)
    need, other = house.need(practice, THURSDAY), house.need(practice, THURSDAY, room=1)
    client = client_for(doctor)
    client.post(f"/p/nieul/needs/{need.id}/claim")
    html = page(client, f"/p/nieul/needs/{need.id}")
    assert "Undo taking this day" in text_of(html)
    (address,) = re.findall(r'action="(/p/nieul/assignments/\d+/undo)"', html)
    assert client.post(address).status_code == 302
    assert state_of(house, need) == [(doctor.id, AssignmentState.RELEASED, None)]
    client.post(f"/p/nieul/needs/{other.id}/claim")
    clock.advance(dt.timedelta(minutes=11))
    assert "Undo taking" not in text_of(page(client, f"/p/nieul/needs/{other.id}"))
    late = client.post("/p/nieul/assignments/2/undo")
    assert late.status_code == 409
    assert "can no longer be undone" in late.text


def test_a_limit_of_one_s_own_is_passed_with_open_eyes(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    doctor = house.member(
        practice, Role.REPLACEMENT, doctor={"max_half_days_per_week": 1}, locale="en"
    )
    need = house.need(practice, THURSDAY)
    client = client_for(doctor)
    html = page(client, f"/p/nieul/needs/{need.id}")
    assert "Beyond a limit that you have set" in html
    assert "Take it all the same" in html
    assert client.post(f"/p/nieul/needs/{need.id}/claim").status_code == 409
    passing = re.findall(r'name="passing" value="(\w+)"', html)
    address = f"/p/nieul/needs/{need.id}/claim"
    # No rule but one's own limits is passed so.
    assert client.post(address, data={"passing": "licence_missing"}).status_code == 409
    assert client.post(address, data={"passing": passing}).status_code == 302
    assert state_of(house, need) == [(doctor.id, AssignmentState.CONFIRMED, None)]


def test_three_months_are_warned_of_and_forbid_nothing(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    titular = member(house, practice, Role.TITULAR, "Luc Roy")
    doctor = member(house, practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    with house.database.transaction() as session:
        for months in range(6):
            month = dt.date(2026, 6 + months, 1)
            session.add(ReplacedDoctor(practice_id=practice.id, month=month, doctor_id=titular.id))
        row = session.get_one(Practice, practice.id)
        row.derogation_required = False
    for number in range(80):
        day = dt.date(2026, 6, 1) + dt.timedelta(days=2 * number)
        house.assignment(house.need(practice, day, room=1), doctor, AssignmentState.DONE)
    html = page(client_for(doctor), f"/p/nieul/needs/{need.id}")
    assert "of replacing Luc Roy" in text_of(html)
    assert "Take this day" in text_of(html)


def test_a_titular_confirms_a_held_day_from_its_panel(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    titular = member(house, practice, Role.TITULAR, "Luc Roy")
    doctor = member(house, practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    held = house.assignment(need, doctor, AssignmentState.HELD)
    assert "/confirm" not in page(client_for(doctor), f"/p/nieul/needs/{need.id}")
    client = client_for(titular)
    html = page(client, f"/p/nieul/needs/{need.id}")
    assert "Held until" in text_of(html)
    address = f"/p/nieul/assignments/{held.id}/confirm"
    assert f'action="{address}"' in html
    answer = client.post(address, data={"back": "day"})
    assert answer.location == f"/p/nieul/needs/{need.id}"
    assert state_of(house, need) == [(doctor.id, AssignmentState.CONFIRMED, None)]


def test_a_held_day_is_told_as_held(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    with house.database.transaction() as session:
        session.get_one(Practice, practice.id).claim_policy = ClaimPolicy.HELD
    client = client_for(member(house, practice, Role.REPLACEMENT))
    need = house.need(practice, THURSDAY)
    client.post(f"/p/nieul/needs/{need.id}/claim")
    assert "is held for you until a titular doctor confirms it" in page(client, "/p/nieul/week/")


def test_a_titular_acts_for_a_doctor_on_the_telephone(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    titular = member(house, practice, Role.TITULAR, "Luc Roy")
    doctor = member(house, practice, Role.REPLACEMENT)
    need = house.need(practice, THURSDAY)
    taken = house.assignment(need, doctor)
    client = client_for(titular)
    assert "The doctor is on the phone and asks for it" in text_of(
        page(client, f"/p/nieul/needs/{need.id}")
    )
    client.post(f"/p/nieul/assignments/{taken.id}/release", data={"on_behalf": "y"})
    with house.database.session() as session:
        row = session.get_one(Assignment, taken.id)
        assert (row.release_kind, row.released_by) == (ReleaseKind.EARLY, titular.id)


def test_a_need_is_only_found_in_its_practice(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    other = house.practice(slug="ailleurs")
    doctor = member(house, practice, Role.REPLACEMENT)
    house.member(other, Role.REPLACEMENT, doctor)
    need = house.need(other, THURSDAY)
    taken = house.assignment(house.need(other, MONDAY), doctor)
    client = client_for(doctor)
    assert client.post(f"/p/nieul/needs/{need.id}/claim").status_code == 404
    assert client.post(f"/p/nieul/assignments/{taken.id}/release").status_code == 404
    assert client.post(f"/p/ailleurs/needs/{need.id}/claim").status_code == 302


def test_what_people_write_is_escaped(
    house: House, practice: Practice, client_for: ClientFor
) -> None:
    doctor = member(house, practice, Role.TITULAR, "Eve <script>alert(1)</script>")
    house.assignment(house.need(practice, MONDAY), doctor)
    for path in ("week/", "month/"):
        assert "<script>alert" not in page(client_for(doctor), f"/p/nieul/{path}")


def test_page_queries_do_not_grow(house: House, client_for: ClientFor) -> None:
    counts: dict[str, set[int]] = {"week/2026-W48": set(), "month/2026-11": set()}
    for size in (3, 60):
        practice = house.practice(*(f"Salle {number}" for number in range(size)))
        for room in range(size):
            doctor = house.member(practice, Role.REPLACEMENT)
            house.assignment(house.need(practice, THURSDAY, room=room), doctor)
        client = client_for(house.member(practice, Role.SECRETARY))
        for path, found in counts.items():
            with count_queries(house.database) as statements:
                page(client, f"/p/{practice.slug}/{path}")
            found.add(len(statements))
    assert all(len(found) == 1 for found in counts.values()), counts
