"""The pages of week patterns, of publishing and of a practice's own dates."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import selectinload

from scheduler.calendars.models import HolidayKind, PracticeHoliday
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, SchoolZone, User
from scheduler.roster.models import Need, WeekPattern
from scheduler.roster.rules import NeedState, Period
from tests.factories import House
from tests.support import count_queries

ClientFor = Callable[[User], FlaskClient]

DAYS = "/p/nieul/days/"


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", "Salle 2", slug="nieul", school_zone=SchoolZone.B)


@pytest.fixture
def titular(house: House, practice: Practice) -> User:
    return house.member(practice, Role.TITULAR, locale="en")


@pytest.fixture
def client(titular: User, client_for: ClientFor) -> FlaskClient:
    return client_for(titular)


def page(client: FlaskClient, path: str, status: int = 200, **query: Any) -> str:
    response = client.get(path, query_string=query)
    assert response.status_code == status, response.text
    return response.text


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def week_form(practice: Practice, name: str = "Courante", **cells: str) -> dict[str, str]:
    """What the browser sends for a week; a cell is named like ``mon_0`` for the first room."""
    data = {"name": name, "version": ""}
    for room in practice.rooms:
        for weekday in range(7):
            data[f"period_{room.id}_{weekday}"] = ""
            data[f"priority_{room.id}_{weekday}"] = "1"
            data[f"roles_{room.id}_{weekday}"] = "replacement,assistant,titular"
    for key, value in cells.items():
        part, weekday_name, room = key.split("_")
        weekday = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].index(weekday_name)
        data[f"{part}_{practice.rooms[int(room)].id}_{weekday}"] = value
    return data


def patterns(house: House) -> list[WeekPattern]:
    with house.database.session() as session:
        return list(
            session.scalars(
                sa.select(WeekPattern)
                .options(selectinload(WeekPattern.slots))
                .order_by(WeekPattern.id)
            )
        )


def needs(house: House) -> list[tuple[dt.date, str]]:
    with house.database.session() as session:
        rows = session.execute(
            sa.select(Need.date, Need.period)
            .where(Need.state == NeedState.PUBLISHED)
            .order_by(Need.date, Need.period)
        )
        return [(date, period.value) for date, period in rows]


def hidden(html: str) -> dict[str, str]:
    """The fields of the form that confirms a preview."""
    form = re.search(rf'<form[^>]*method="post"[^>]*action="{DAYS}".*?</form>', html, re.DOTALL)
    assert form is not None
    found = re.findall(r'name="(\w+)" value="([^"]*)"', form.group())
    return {name: value for name, value in found if name != "csrf_token"}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.TITULAR])
def test_these_pages_are_the_titulars(
    house: House, practice: Practice, client_for: ClientFor, role: Role
) -> None:
    pattern = house.pattern(practice, (0, Period.DAY))
    need = house.need(practice, dt.date(2026, 12, 1))
    client = client_for(house.member(practice, role))
    for path in ("days/", "patterns/", "patterns/new", f"patterns/{pattern.id}"):
        page(client, f"/p/nieul/{path}", 403)
    for path in (
        "days/",
        "patterns/new",
        f"patterns/{pattern.id}",
        f"patterns/{pattern.id}/delete",
        f"needs/{need.id}/withdraw",
        "holidays/",
    ):
        assert client.post(f"/p/nieul/{path}").status_code == 403
    assert len(patterns(house)) == len(needs(house)) == 1


def test_without_a_pattern_the_page_says_what_to_do(client: FlaskClient) -> None:
    for path in (DAYS, "/p/nieul/patterns/"):
        assert 'href="/p/nieul/patterns/new"' in page(client, path)


def test_a_pattern_is_made(house: House, practice: Practice, client: FlaskClient) -> None:
    assert "Monday" in page(client, "/p/nieul/patterns/new")
    data = week_form(
        practice,
        period_mon_0="day",
        period_tue_0="am+pm",
        period_tue_1="am",
        priority_tue_1="3",
        roles_tue_1="intern",
    )
    response = client.post("/p/nieul/patterns/new", data=data)
    (made,) = patterns(house)
    assert response.status_code == 302
    assert response.location == f"{DAYS}?pattern={made.id}"
    first, second = (room.id for room in practice.rooms)
    usual = ["replacement", "assistant", "titular"]
    assert [
        (slot.room_id, slot.weekday, slot.period.value, slot.priority, slot.roles)
        for slot in made.slots
    ] == [
        (first, 0, "day", 1, usual),
        (first, 1, "am", 1, usual),
        (first, 1, "pm", 1, usual),
        (second, 1, "am", 3, ["intern"]),
    ]


def selected(html: str, name: str) -> str:
    select = re.search(rf'<select[^>]*name="{name}".*?</select>', html, re.DOTALL)
    assert select is not None
    option = re.search(r'<option selected value="([^"]*)"', select.group())
    assert option is not None
    return option.group(1)


def test_the_form_shows_what_was_saved(
    house: House, practice: Practice, client: FlaskClient
) -> None:
    room = practice.rooms[1].id
    data = week_form(
        practice, period_tue_1="am+pm", priority_tue_1="2", roles_tue_1="intern", period_mon_0="pm"
    )
    client.post("/p/nieul/patterns/new", data=data)
    html = page(client, f"/p/nieul/patterns/{patterns(house)[0].id}")
    assert selected(html, f"period_{room}_1") == "am+pm"
    assert selected(html, f"priority_{room}_1") == "2"
    assert selected(html, f"roles_{room}_1") == "intern"
    assert selected(html, f"period_{practice.rooms[0].id}_0") == "pm"
    assert selected(html, f"period_{room}_0") == ""


def test_roles_the_form_does_not_offer_are_kept(
    house: House, practice: Practice, client: FlaskClient
) -> None:
    pattern = house.pattern(practice, (0, Period.DAY))
    with house.database.transaction() as session:
        slot = session.get_one(WeekPattern, pattern.id, options=[selectinload(WeekPattern.slots)])
        slot.slots[0].roles = ["replacement"]
    html = page(client, f"/p/nieul/patterns/{pattern.id}")
    assert selected(html, f"roles_{practice.rooms[0].id}_0") == "replacement"
    data = week_form(practice, period_mon_0="am", roles_mon_0="replacement")
    data["version"] = "1"
    assert client.post(f"/p/nieul/patterns/{pattern.id}", data=data).status_code == 302
    assert patterns(house)[0].slots[0].roles == ["replacement"]


@pytest.mark.parametrize(
    ("name", "monday", "sentence"),
    [
        (" ", "day", "Give the week pattern a name."),
        ("Courante", "", "Choose at least one half-day to fill."),
    ],
)
def test_what_was_typed_stays_when_something_is_wrong(
    house: House, practice: Practice, client: FlaskClient, name: str, monday: str, sentence: str
) -> None:
    data = week_form(practice, name, period_mon_0=monday, priority_sun_1="3")
    response = client.post("/p/nieul/patterns/new", data=data)
    assert response.status_code == 422
    assert sentence in response.text
    assert selected(response.text, f"priority_{practice.rooms[1].id}_6") == "3"
    assert patterns(house) == []


def test_nonsense_in_a_cell_is_refused(
    house: House, practice: Practice, client: FlaskClient
) -> None:
    for cell in ("period_mon_0", "priority_mon_0", "roles_mon_0"):
        data = week_form(practice, **{"period_tue_0": "day", cell: "secretary"})
        assert client.post("/p/nieul/patterns/new", data=data).status_code == 422
    assert client.post("/p/nieul/patterns/new", data={"name": "x"}).status_code == 422
    assert patterns(house) == []


def test_the_second_of_two_editors_keeps_what_they_typed(
    house: House, practice: Practice, client: FlaskClient, client_for: ClientFor
) -> None:
    pattern = house.pattern(practice, (0, Period.DAY), name="Courante")
    address = f"/p/nieul/patterns/{pattern.id}"
    other = client_for(house.member(practice, Role.TITULAR, locale="en"))
    first = week_form(practice, period_tue_0="day") | {"version": "1"}
    assert client.post(address, data=first).status_code == 302
    second = week_form(practice, period_wed_0="day") | {"version": "1"}
    response = other.post(address, data=second)
    assert response.status_code == 409
    assert "Somebody else saved this week pattern meanwhile" in response.text
    assert selected(response.text, f"period_{practice.rooms[0].id}_2") == "day"
    assert [slot.weekday for slot in patterns(house)[0].slots] == [1]
    # Sent again, it replaces what the first one saved.
    version = re.search(r'name="version"[^>]*value="(\d+)"', response.text)
    assert version is not None
    assert other.post(address, data=second | {"version": version.group(1)}).status_code == 302
    assert [slot.weekday for slot in patterns(house)[0].slots] == [2]


@pytest.mark.parametrize("version", ["", "x", "0", "99", "9" * 40])
def test_a_version_that_was_never_shown_is_no_key(
    house: House, practice: Practice, client: FlaskClient, version: str
) -> None:
    pattern = house.pattern(practice, (0, Period.DAY))
    data = week_form(practice, period_wed_0="day") | {"version": version}
    assert client.post(f"/p/nieul/patterns/{pattern.id}", data=data).status_code == 409


def test_a_name_taken_is_told_beside_the_name(
    house: House, practice: Practice, client: FlaskClient
) -> None:
    house.pattern(practice, (0, Period.DAY), name="Courante")
    response = client.post("/p/nieul/patterns/new", data=week_form(practice, period_mon_0="day"))
    assert response.status_code == 409
    assert "There is already a week pattern named" in response.text
    assert "meanwhile" not in response.text


def test_a_pattern_is_deleted(house: House, practice: Practice, client: FlaskClient) -> None:
    pattern = house.pattern(practice, (0, Period.DAY), (1, Period.AM))
    assert "3 half-days a week" in page(client, "/p/nieul/patterns/")
    assert client.post(f"/p/nieul/patterns/{pattern.id}/delete").status_code == 302
    assert patterns(house) == []
    page(client, f"/p/nieul/patterns/{pattern.id}", 404)


def test_the_preview_of_the_next_month_and_its_publication(
    house: House, practice: Practice, client: FlaskClient
) -> None:
    house.pattern(practice, (3, Period.DAY), (4, Period.AM))
    house.need(practice, dt.date(2026, 12, 3), Period.PM, state=NeedState.WITHDRAWN)
    html = page(client, DAYS)
    words = text_of(html)
    # December 2026 has five Thursdays and four Fridays, one of them Christmas Day.
    assert "8 new entries will be published." in words
    assert "Skipped: Christmas Day, Friday 25 December 2026." in words
    assert (
        "In the school holidays: Christmas school holidays, "
        "from Saturday 19 December 2026 to Thursday 31 December 2026." in words
    )
    assert "From Tuesday 1 December 2026 to Thursday 31 December 2026" in words
    assert needs(house) == []
    response = client.post(DAYS, data=hidden(html))
    assert response.status_code == 302
    assert response.location == "/p/nieul/month/2026-12"
    assert len(needs(house)) == 8
    assert (dt.date(2026, 12, 25), "am") not in needs(house)
    # The next proposal is the month after; the one before is known to be there.
    assert "January 2027" in page(client, DAYS)
    again = text_of(page(client, DAYS, start="2026-12-01", end="2026-12-31"))
    assert "8 entries are published already and stay as they are." in again
    assert "Everything in this period is published already." in again


def test_publishing_twice_says_so(house: House, practice: Practice, client: FlaskClient) -> None:
    house.pattern(practice, (3, Period.DAY))
    data = hidden(page(client, DAYS))
    client.post(DAYS, data=data)
    client.post(DAYS, data=data)
    assert len(needs(house)) == 5
    assert "published already" in page(client, "/p/nieul/month/2026-12")


def test_own_dates_are_skipped_too(house: House, practice: Practice, client: FlaskClient) -> None:
    house.pattern(practice, (3, Period.DAY))
    response = client.post(
        "/p/nieul/holidays/",
        data={
            "own-name": "Works",
            "own-start": "2026-12-01",
            "own-end": "2026-12-12",
            "own-kind": "closed",
        },
    )
    assert response.status_code == 302
    html = page(client, DAYS)
    assert "Skipped: Works, Thursday 3 December 2026." in text_of(html)
    assert "Skipped: Works, Thursday 10 December 2026." in text_of(html)
    client.post(DAYS, data=hidden(html))
    assert len(needs(house)) == 3


def test_own_dates_are_removed(house: House, practice: Practice, client: FlaskClient) -> None:
    with house.database.transaction() as session:
        row = PracticeHoliday(
            practice_id=practice.id,
            start=dt.date(2026, 12, 1),
            end=dt.date(2026, 12, 1),
            name="Works",
            kind=HolidayKind.SCHOOL,
        )
        session.add(row)
    assert "Works" in page(client, DAYS)
    assert client.post(f"/p/nieul/holidays/{row.id}/remove").status_code == 302
    page(client, DAYS)
    assert "Works" not in page(client, DAYS)
    assert client.post(f"/p/nieul/holidays/{row.id}/remove").status_code == 404


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"own-name": ""}, "Give these dates a name"),
        ({"own-end": "2026-11-30"}, "The last day comes before the first."),
        ({"own-start": "soon"}, "Give a date, such as 24/12/2026."),
        ({"own-kind": "party"}, "Choose one of the options offered."),
        ({"own-start": "0001-01-01"}, "Choose dates from Wed 1 Jan 2025 to Sun 23 Nov 2031."),
        ({"own-end": "9999-12-31"}, "Choose dates from Wed 1 Jan 2025 to Sun 23 Nov 2031."),
        (
            {"own-start": "0001-01-01", "own-end": "9999-12-31"},
            "Choose dates from Wed 1 Jan 2025 to Sun 23 Nov 2031.",
        ),
    ],
)
def test_own_dates_that_cannot_be(
    house: House, practice: Practice, client: FlaskClient, change: dict[str, str], sentence: str
) -> None:
    data = {
        "own-name": "Works",
        "own-start": "2026-12-01",
        "own-end": "2026-12-12",
        "own-kind": "closed",
    }
    response = client.post("/p/nieul/holidays/", data=data | change)
    assert response.status_code == 422
    assert sentence in response.text
    with house.database.session() as session:
        assert session.scalars(sa.select(PracticeHoliday)).all() == []


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"start": "2026-11-01"}, "Only today and later days can be published."),
        ({"start": "2026-12-31", "end": "2026-12-01"}, "The last day comes before the first."),
        ({"start": "2026-12-01", "end": "2028-12-01"}, "At most 12 months at once."),
        ({"start": "9999-12-30", "end": "9999-12-31"}, "Publish at most up to"),
        ({"start": "9999-12-31", "end": "9999-12-31"}, "Publish at most up to"),
        ({"start": "0001-01-01", "end": "9999-12-31"}, "Only today and later days"),
        ({"end": "9999-12-31"}, "At most 12 months at once."),
        ({"start": "soon"}, "Give a date, such as 24/12/2026."),
        ({"end": ""}, "Give a date."),
        ({"pattern": "999"}, "Choose one of the options offered."),
        ({"pattern": "x"}, "Choose one of the options offered."),
    ],
)
def test_a_period_that_cannot_be(
    house: House, practice: Practice, client: FlaskClient, query: dict[str, str], sentence: str
) -> None:
    pattern = house.pattern(practice, (3, Period.DAY))
    html = page(client, DAYS, 422, **query)
    assert sentence in html
    usual = {"pattern": str(pattern.id), "start": "2026-12-01", "end": "2026-12-31"}
    response = client.post(DAYS, data=usual | {"version": "1"} | query)
    assert response.status_code == 422
    assert needs(house) == []


def test_a_preview_that_grew_old_is_not_published(
    house: House, practice: Practice, client: FlaskClient
) -> None:
    pattern = house.pattern(practice, (3, Period.DAY), name="Courante")
    old = hidden(page(client, DAYS))
    data = week_form(practice, period_mon_0="day") | {"version": "1"}
    client.post(f"/p/nieul/patterns/{pattern.id}", data=data)
    response = client.post(DAYS, data=old)
    assert response.status_code == 409
    assert "changed the week pattern “Courante” meanwhile" in response.text
    assert needs(house) == []


def test_after_the_last_covered_year_the_page_says_so(
    house: House, practice: Practice, client: FlaskClient
) -> None:
    house.pattern(practice, (3, Period.DAY))
    near = page(client, DAYS, start="2026-12-01", end="2026-12-31")
    far = page(client, DAYS, start="2028-08-01", end="2028-09-30")
    notice = "School holidays are not known from"
    assert notice not in near
    assert f"{notice} Friday 1 September 2028 on." in text_of(far)


def test_a_practice_without_a_zone_is_told(house: House, client_for: ClientFor) -> None:
    practice = house.practice(slug="sans-zone")
    house.pattern(practice, (3, Period.DAY))
    client = client_for(house.member(practice, Role.TITULAR, locale="en"))
    assert "has no school zone" in page(client, "/p/sans-zone/days/")


def test_a_free_day_is_withdrawn(house: House, practice: Practice, client: FlaskClient) -> None:
    need = house.need(practice, dt.date(2026, 12, 3))
    assert "Withdraw this day" in page(client, f"/p/nieul/needs/{need.id}")
    response = client.post(f"/p/nieul/needs/{need.id}/withdraw")
    assert response.status_code == 302
    assert needs(house) == []


def test_a_taken_day_is_not_withdrawn(
    house: House, practice: Practice, client: FlaskClient
) -> None:
    need = house.need(practice, dt.date(2026, 12, 3))
    doctor = house.member(practice, Role.REPLACEMENT, given_name="Anne", family_name="Petit")
    house.assignment(need, doctor)
    assert "Withdraw this day" not in page(client, f"/p/nieul/needs/{need.id}")
    response = client.post(f"/p/nieul/needs/{need.id}/withdraw")
    assert response.status_code == 409
    assert "Anne Petit has Thu 3 Dec 2026" in response.text
    assert len(needs(house)) == 1


def test_a_preview_of_a_year_asks_as_little_as_one_of_a_week(
    house: House, practice: Practice, client: FlaskClient
) -> None:
    house.pattern(practice, *((weekday, Period.AM) for weekday in range(7)))
    for offset in range(60):
        house.need(practice, dt.date(2026, 12, 7) + dt.timedelta(days=offset))
    counts = []
    for start, end in (("2026-12-01", "2026-12-06"), ("2026-12-07", "2027-12-06")):
        with count_queries(house.database) as statements:
            page(client, DAYS, start=start, end=end)
        counts.append(len(statements))
    assert counts[0] == counts[1]
