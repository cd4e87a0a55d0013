"""The papers on the door: what they say, that they keep to one page, and what is not on them."""

from __future__ import annotations

import datetime as dt
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from scheduler.core.permissions import Role
from scheduler.documents import compiling, door, showing
from scheduler.people.models import Practice
from scheduler.roster.rules import Half, Period
from scheduler.roster.sheet import Attendance, Consultation, SheetDay

MONDAY = dt.date(2026, 11, 9)
ARMISTICE = {dt.date(2026, 11, 11): "Armistice 1918"}
ADVICE = "Maison médicale de garde, 9 h – 18 h."
PICTURES = Path(__file__).parents[2] / "var/screenshots"
NURSE = Attendance("Nadège Pineau", "infirmière Asalée", Role.NURSE, Period.AM)


@pytest.fixture
def practice() -> Practice:
    return Practice(
        name="Cabinet de Nieul",
        am_start=dt.time(8, 30),
        am_end=dt.time(12, 30),
        pm_start=dt.time(14),
        pm_end=dt.time(18, 30),
    )


def who(name: str | None, room: str = "Salle 1", **values: bool) -> Consultation:
    return Consultation(room, name, **{"titled": name is not None, "intern": False, **values})


def day(
    offset: int,
    am: tuple[Consultation, ...] = (),
    pm: tuple[Consultation, ...] = (),
    *,
    advice: str | None = None,
    others: tuple[Attendance, ...] = (),
    is_open: bool = True,
) -> SheetDay:
    date = MONDAY + dt.timedelta(days=offset)
    return SheetDay(date, is_open, {Half.AM: am, Half.PM: pm}, others, advice)


def week() -> list[SheetDay]:
    """An intern, a day without a doctor, a holiday, a day that is held, a free afternoon."""
    intern = who("Louise Guérin", "Salle 2", titled=False, intern=True)
    ferrand = who("Camille Ferrand")
    return [
        day(0, (ferrand, intern), (ferrand, intern)),
        day(1, advice=ADVICE, others=(NURSE,)),
        day(2, advice=ADVICE),
        day(3, (who(None),), (who(None),)),
        day(4, (who("Inès Moreau", titled=False),)),
        day(5, is_open=False),
        day(6, is_open=False),
    ]


def pages(paper: bytes) -> int:
    """How many pages a PDF has: the count of its page tree, wherever it is compressed."""
    parts = [paper]
    for match in re.finditer(rb"stream\r?\n(.*?)endstream", paper, re.DOTALL):
        try:
            parts.append(zlib.decompress(match.group(1)))
        except zlib.error:
            continue
    counts = re.findall(rb"/Type\s*/Pages.*?/Count\s+(\d+)", b"\n".join(parts), re.DOTALL)
    return max(int(count) for count in counts)


def size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG")
    return struct.unpack(">II", picture[16:24])


def test_the_sheet_says_who_is_there_and_who_is_not(practice: Practice) -> None:
    data = door.door_data(practice, week(), ARMISTICE, "fr", "relais.example/qui/nieul")
    assert data["title"] == "Semaine 46"
    assert data["dates"] == "du 9 au 15 novembre 2026"
    assert data["hours"] == {"am": "8 h 30 – 12 h 30", "pm": "14 h – 18 h 30"}
    assert [each["weekday"] for each in data["days"]] == [
        *("Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi")
    ]
    monday, tuesday, wednesday, thursday, friday = data["days"]
    assert [one["name"] for one in monday["am"]] == ["Dr Camille Ferrand", "Louise Guérin"]
    assert [one["intern"] for one in monday["am"]] == [False, True]
    assert (tuesday["without"], tuesday["advice"]) == (True, ADVICE)
    assert tuesday["others"] == [
        {"name": "Nadège Pineau", "what": "infirmière Asalée", "when": "le matin"}
    ]
    assert (wednesday["open"], wednesday["holiday"]) == (False, "Armistice 1918")
    assert [one["name"] for one in thursday["am"]] == [None]
    assert [one["name"] for one in friday["am"]] == ["Inès Moreau"]
    assert friday["pm"] == []


def test_closed_days_and_an_intern_alone_say_where_to_go(practice: Practice) -> None:
    intern = who("Louise Guérin", titled=False, intern=True)
    days = [
        day(0, (intern,), (intern,), advice=ADVICE, others=(NURSE,)),
        day(2, advice=ADVICE),
        day(5, is_open=False),
        day(6, advice=ADVICE, is_open=False),
    ]
    data = door.door_data(practice, days, ARMISTICE, "fr")
    assert [each["weekday"] for each in data["days"]] == ["Lundi", "Mercredi", "Dimanche"]
    assert [each["advice"] for each in data["days"]] == [ADVICE] * 3
    assert pages(door.door_sheet(practice, days, ARMISTICE, "fr")) == 1


@pytest.mark.parametrize(
    ("written", "said"),
    [("Infirmière Asalée", "infirmière Asalée"), ("IDE", "IDE"), ("sage-femme", "sage-femme")],
)
def test_a_profession_goes_on_a_sentence(written: str, said: str) -> None:
    assert door.uncapitalised(written) == said


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_sheet_is_one_tagged_page_in_its_language(practice: Practice, language: str) -> None:
    paper = door.door_sheet(practice, week(), ARMISTICE, language, None)
    assert paper.startswith(b"%PDF")
    assert pages(paper) == 1
    assert f"/Lang({language})".encode() in paper
    assert b"/StructTreeRoot" in paper
    assert paper == door.door_sheet(practice, week(), ARMISTICE, language, None)


def test_a_full_house_keeps_to_one_page(practice: Practice) -> None:
    rooms = tuple(who(f"Prénom Nom-de-famille {n}", f"Salle {n}") for n in range(6))
    crowded = [day(n, rooms, rooms, others=(NURSE, NURSE, NURSE)) for n in range(7)]
    assert pages(door.door_sheet(practice, crowded, {}, "fr", None)) == 1


def test_what_people_typed_is_text_and_no_markup(practice: Practice) -> None:
    practice.name = '#panic("x") *a* "b" \\ ${}'
    odd = [day(0, (who('#sys.inputs "quoted" $x$'),), advice="#include <x>")]
    data = door.door_data(practice, odd, {}, "fr", "#x")
    assert pages(compiling.pdf("door", data)) == 1


def test_the_papers_are_kept_as_pictures_for_eyes(practice: Practice) -> None:
    papers = {
        "door": door.door_data(practice, week(), ARMISTICE, "fr", "relais.example/qui/nieul"),
        "absence": notice(practice, *week()[1:]),
    }
    PICTURES.mkdir(parents=True, exist_ok=True)
    for template, data in papers.items():
        picture = compiling.png(template, data)
        (PICTURES / f"paper-{template}.png").write_bytes(picture)
        wide, tall = size(picture)
        assert tall / wide == pytest.approx(297 / 210, rel=0.01)


@pytest.mark.parametrize(
    ("first", "language", "dates"),
    [
        (dt.date(2026, 11, 30), "fr", "du 30 novembre au 6 décembre 2026"),
        (dt.date(2026, 12, 28), "fr", "du 28 décembre 2026 au 3 janvier 2027"),
        (dt.date(2027, 3, 1), "fr", "du 1er au 7 mars 2027"),
        (dt.date(2027, 3, 1), "en", "1 to 7 March 2027"),
    ],
)
def test_the_dates_as_people_write_them(
    practice: Practice, first: dt.date, language: str, dates: str
) -> None:
    days = [
        SheetDay(first + dt.timedelta(days=n), True, {Half.AM: (), Half.PM: ()}, (), None)
        for n in range(7)
    ]
    assert door.door_data(practice, days, {}, language)["dates"] == dates


def notice(practice: Practice, first: SheetDay, *after: SheetDay) -> dict[str, Any]:
    return door.absence_data(practice, first, door.next_with_doctor(after), "fr")


def test_the_notice_of_a_day_without_a_doctor(practice: Practice) -> None:
    _monday, tuesday, *after = week()
    data = notice(practice, tuesday, *after)
    assert data["date"] == "Mardi 10 novembre"
    assert data["nobody"]
    assert data["advice"] == ADVICE
    # Thursday is held: only what is certain is promised.
    assert data["following"] == "vendredi 13 novembre"
    assert pages(compiling.pdf("absence", data)) == 1


def test_the_notice_where_somebody_is_still_there(practice: Practice) -> None:
    friday = week()[4]
    data = notice(practice, friday)
    assert not data["nobody"]
    assert [one["name"] for one in data["am"]] == ["Inès Moreau"]
    assert data["following"] is None
    paper = door.absence_notice(practice, friday, None, "en", "relais.example/qui/nieul")
    assert pages(paper) == 1


STRANGE = [
    "a 😀 b",
    "👨\u200d👩\u200d👧",
    "漢字 テスト",
    "العربية",
    "ไทย",
    "a\x07b\x00c",
    "\ufeffUrgences",
    "\ue000",
    "\u202eabc",
    "e\u0301\u0323",
    "\ud7ff\U0010ffff",
    "\U000e0041\ufe0f",
    "☎ → ✓",
    "\n\t",
]


@pytest.mark.parametrize("text", STRANGE, ids=ascii)
def test_whatever_people_typed_there_is_a_paper(practice: Practice, text: str) -> None:
    """One emoji in an advice text, a name, a room: none may cost the practice its sheet."""
    practice.name = text
    person = who(text, text)
    other = Attendance(text, text, Role.NURSE, Period.DAY)
    days = [day(0, (person,), (), others=(other,)), day(1, advice=text)]
    closed = {MONDAY: text}
    assert door.door_sheet(practice, days, closed, "fr").startswith(b"%PDF")
    assert door.absence_notice(practice, days[1], days[0], "fr").startswith(b"%PDF")


def test_what_no_font_shows_is_left_out_of_the_text() -> None:
    shown = showing.displayable(
        {"advice": "Appelez 🚑 le 15\nmerci 😀", "who": ["漢 Dupont"], "none": None, "one": "😀"}
    )
    assert shown == {
        "advice": "Appelez le 15\nmerci",
        "who": ["□ Dupont"],
        "none": None,
        "one": "□",
    }
    assert showing.latin({"a": "œuvre – l’été Ω ☎"}) == {"a": "œuvre – l’été □"}
