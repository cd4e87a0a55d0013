"""The page of statistics: its figures, its charts, its tables and its files."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Locale, Practice, SchoolZone, User
from scheduler.roster.rules import AssignmentSource, AssignmentState, Period, ReleaseKind
from tests.factories import House
from tests.support import count_queries
from web.statistics import charts, export
from web.statistics.charts import Bar, Column

Client = Callable[[User | None], FlaskClient]
PAGE = "/p/nieul/statistics"
MONDAY = dt.date(2026, 11, 23)
DAY = dt.timedelta(days=1)
FIGURES = ("coverage", "school-holidays", "doctors", "doors", "delays", "releases", "notice")


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", "Salle 2", slug="nieul", school_zone=SchoolZone.B)


@pytest.fixture
def titular(house: House, practice: Practice) -> User:
    return house.member(
        practice, Role.TITULAR, locale=Locale.ENGLISH, given_name="Luc", family_name="Roy"
    )


@pytest.fixture
def client(client_for: Client, titular: User) -> FlaskClient:
    return client_for(titular)


@pytest.fixture
def autumn(house: House, practice: Practice, titular: User) -> User:
    """Two weeks of the All Saints' holidays and the week after them; returns Anne."""
    anne = house.member(practice, Role.REPLACEMENT, given_name="Anne", family_name="Petit")
    monday = dt.date(2026, 10, 19)
    for week in range(4):
        for weekday in (0, 3):
            day = house.need(practice, monday + dt.timedelta(weeks=week, days=weekday))
            if week < 2 and weekday == 3:
                house.assignment(
                    day,
                    anne,
                    AssignmentState.RELEASED,
                    release_kind=ReleaseKind.EARLY,
                    released_at=dt.datetime(2026, 10, 1, tzinfo=dt.UTC),
                )
                continue
            doctor = titular if week == 3 and weekday == 3 else anne
            source = AssignmentSource.CALL if week == 2 else AssignmentSource.CLAIM
            house.assignment(day, doctor, AssignmentState.DONE, source)
    return anne


def rows(client: FlaskClient, name: str, query: str = "") -> list[list[str]]:
    answer = client.get(f"{PAGE}/{name}.csv{query}")
    assert answer.status_code == 200
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert answer.mimetype == "text/csv"
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))


@pytest.mark.usefixtures("autumn")
def test_the_figures_of_the_last_months(client: FlaskClient) -> None:
    page = client.get(f"{PAGE}/").text
    for name in FIGURES:
        assert f'id="{name}-title"' in page
        assert f"{PAGE}/{name}.csv?span=last6" in page
    words = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "75% Covered" in words
    assert "50% covered in the school holidays, 100% outside them." in words
    assert "2 days were given back." in words
    assert "Most often: Taken from the open days" in words


@pytest.mark.usefixtures("autumn")
def test_every_chart_says_what_it_shows(client: FlaskClient) -> None:
    page = client.get(f"{PAGE}/").text
    drawings = re.findall(r'<svg class="plot".*?</svg>', page, re.DOTALL)
    assert len(drawings) == len(FIGURES)
    for drawing in drawings:
        tree = ElementTree.fromstring(drawing)  # noqa: S314 - our own page
        assert tree.get("role") == "img"
        named = (tree.get("aria-labelledby") or "").split()
        parts = {part.get("id"): (part.text or "").strip() for part in tree.iter()}
        assert len(named) == 2
        assert all(parts[number] for number in named)
    # The content security policy forbids what is styled inside the page.
    assert "style=" not in "".join(drawings)


@pytest.mark.usefixtures("autumn")
def test_a_figure_as_a_file(client: FlaskClient) -> None:
    head, *weeks = rows(client, "coverage")
    assert head[:2] == ["Week", "Monday"]
    assert [week[0] for week in weeks] == ["W43 2026", "W44 2026", "W45 2026", "W46 2026"]
    # A spreadsheet reads dates of this form and sorts them.
    assert [week[1] for week in weeks] == ["2026-10-19", "2026-10-26", "2026-11-02", "2026-11-09"]
    assert [week[4] for week in weeks] == ["50%", "50%", "100%", "100%"]
    assert weeks[0][5] == "All Saints’ school holidays"
    assert weeks[2][5] == ""
    assert weeks[3][6] == "Armistice Day"
    doctors = {row[0]: row[1] for row in rows(client, "doctors")[1:]}
    assert doctors == {"Anne Petit": "5", "Luc Roy": "1"}
    ways = {row[0]: row[1] for row in rows(client, "doors")[1:]}
    assert ways["Answer to a call for volunteers"] == "2"
    assert ways["A titular, as the last resort"] == "1"
    notice = {row[0]: row[1] for row in rows(client, "notice")[1:]}
    assert notice["14–29"] == "2"


def test_half_days_are_written_as_the_reader_writes_numbers(
    client_for: Client, house: House, practice: Practice
) -> None:
    secretary = house.member(practice, Role.SECRETARY, locale=Locale.FRENCH)
    doctor = house.member(practice, Role.REPLACEMENT, given_name="Anne", family_name="Petit")
    house.assignment(house.need(practice, MONDAY, Period.AM), doctor)
    (row,) = rows(client_for(secretary), "doctors")[1:]
    assert row[:2] == ["Anne Petit", "0,5"]


def test_a_name_that_is_a_formula_is_text(
    client: FlaskClient, house: House, practice: Practice
) -> None:
    doctor = house.member(practice, Role.REPLACEMENT, given_name="=cmd()", family_name="|x")
    house.assignment(house.need(practice, MONDAY), doctor)
    assert rows(client, "doctors")[1][0] == "'=cmd() |x"
    for cell in ("=1", "+1", "-1", "@a", "\t=1"):
        assert export.written([], [[cell]]).startswith(export.MARK)
        assert f"'{cell}" in export.written([], [[cell]])


def test_the_next_months_and_dates_of_ones_own(
    client: FlaskClient, house: House, practice: Practice
) -> None:
    house.need(practice, MONDAY + 30 * DAY)
    assert "Nothing was published in this period" in client.get(f"{PAGE}/?span=last3").text
    assert [row[2:5] for row in rows(client, "coverage", "?span=next3")[1:]] == [["1", "0", "0%"]]
    query = "?span=dates&start=2026-12-01&end=2026-12-31"
    assert len(rows(client, "coverage", query)) == 2
    assert 'value="2026-12-31"' in client.get(f"{PAGE}/{query}").text
    # What is no period is the usual one.
    assert client.get(f"{PAGE}/?span=never").status_code == 200


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("start=2026-12-31&end=2026-12-01", "The last day comes before the first."),
        ("start=2020-01-01&end=2026-12-01", "At most 24 months at once."),
        ("start=2026-12-31", "Give a date."),
        ("start=0001-01-01&end=9999-12-31", "This value cannot be meant."),
    ],
)
def test_dates_that_make_no_period(client: FlaskClient, query: str, sentence: str) -> None:
    answer = client.get(f"{PAGE}/?span=dates&{query}")
    assert answer.status_code == 422
    assert sentence in answer.text
    assert client.get(f"{PAGE}/coverage.csv?span=dates&{query}").status_code == 422


def test_there_is_no_other_figure(client: FlaskClient) -> None:
    assert client.get(f"{PAGE}/salaries.csv").status_code == 404


@pytest.mark.parametrize("role", [Role.REPLACEMENT, Role.INTERN, Role.NURSE, Role.VIEWER])
def test_figures_are_for_titulars_and_secretaries(
    client_for: Client, house: House, practice: Practice, role: Role
) -> None:
    reader = client_for(house.member(practice, role))
    assert reader.get(f"{PAGE}/").status_code == 403
    assert reader.get(f"{PAGE}/doctors.csv").status_code == 403


def test_the_number_of_queries_does_not_depend_on_the_doctors(
    client: FlaskClient, database: Database, house: House, practice: Practice
) -> None:
    def queries() -> int:
        with count_queries(database) as statements:
            assert client.get(f"{PAGE}/").status_code == 200
        return len(statements)

    def live(first: int, last: int) -> None:
        for number in range(first, last):
            doctor = house.member(practice, Role.REPLACEMENT)
            day = house.need(practice, MONDAY - (number % 150) * DAY, room=number // 150)
            house.assignment(day, doctor)

    live(0, 10)
    few = queries()
    live(10, 300)
    assert queries() == few


def test_the_parts_of_a_column_stand_on_each_other() -> None:
    drawn = charts.columns([Column("S48", (("full", 75), ("left", 25)), "75 %")], 100, [])
    full, left = drawn["columns"][0]["parts"]
    assert float(left["y"]) == charts.TOP
    assert float(full["y"]) == charts.TOP + charts.PLOT / 4
    assert float(full["y"]) + float(full["height"]) == charts.TOP + charts.PLOT


def test_a_phone_has_room_for_a_few_labels() -> None:
    for count in (1, 7, 8, 27, 105):
        items = [Column(str(number), (), "") for number in range(count)]
        drawn = charts.columns(items, 100, [])["columns"]
        assert 1 <= sum(1 for column in drawn if column["label"]) <= charts.MOST_LABELS


def test_the_longest_bar_is_as_wide_as_the_drawing() -> None:
    drawn = charts.bars([Bar("Anne", 8, "4"), Bar("Luc", 2, "1")], median=(5, "2.5"), band=(3, 7))
    assert [row["width"] for row in drawn["rows"]] == ["100.00%", "25.00%"]
    assert drawn["median"]["x"] == "62.50%"
    assert drawn["band"] == {"x": "37.50%", "width": "50.00%"}
    assert charts.bars([])["rows"] == []


@pytest.mark.parametrize("highest", [0, 1, 3, 7, 10, 99, 1234])
def test_the_scale_is_of_round_numbers(highest: int) -> None:
    values = [value for value, _text in charts.ticks_to(highest)]
    assert values[0] == 0
    assert values[-1] >= highest
    assert 2 <= len(values) <= 5
    assert len({b - a for a, b in itertools.pairwise(values)}) == 1
