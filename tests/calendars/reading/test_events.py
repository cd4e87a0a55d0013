"""Events by example: what the shapes of the corpus leave out."""

from __future__ import annotations

import datetime as dt

import pytest

from scheduler.calendars.reading.faults import Reason
from scheduler.calendars.reading.halves import preference_in
from scheduler.calendars.reading.lines import calendars_in
from scheduler.calendars.reading.values import Hours
from scheduler.calendars.reading.zones import Zones
from scheduler.people.models import Practice
from scheduler.roster.rules import Preference
from tests.calendars.reading.support import (
    CORPUS,
    PARIS,
    as_text,
    calendar,
    dates,
    day,
    event,
    read_here,
)

MORNING = ("DTSTART;TZID=Europe/Paris:20270105T083000", "DTEND;TZID=Europe/Paris:20270105T123000")


def reasons(content: bytes) -> list[str]:
    return [each.code for each in read_here(content).ignored]


def test_the_hours_are_those_of_a_new_practice() -> None:
    columns = Practice.__table__.columns
    hours = Hours()
    for name in ("am_start", "am_end", "pm_start", "pm_end"):
        assert columns[name].default.arg == getattr(hours, name)


@pytest.mark.parametrize(
    ("title", "preference"),
    [
        ("Libre", Preference.WANTED),
        ("", Preference.WANTED),
        ("Libre ?", Preference.POSSIBLE),
        ("?", Preference.POSSIBLE),
        ("? Libre", Preference.POSSIBLE),
        ("Libre !", Preference.LAST_RESORT),
        ("!Libre", Preference.LAST_RESORT),
        ("Qui ? moi", Preference.WANTED),
        ("\u202fLibre\u202f?\u00a0", Preference.POSSIBLE),
    ],
)
def test_a_title_says_how_gladly(title: str, preference: Preference) -> None:
    assert preference_in(title) is preference


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("083000", "123000", ["am busy wanted"]),
        ("083000", "103000", ["am busy wanted"]),
        ("083000", "102959", ["am busy none"]),
        ("120000", "140100", ["am busy none", "pm busy none"]),
        ("123000", "140000", []),
        ("000000", "083000", []),
        ("183000", "235900", []),
        ("100000", "180000", ["am busy wanted", "pm busy wanted"]),
    ],
)
def test_half_of_the_opening_hours_is_enough(start: str, end: str, said: list[str]) -> None:
    content = calendar(event(f"DTSTART:20270105T{start}", f"DTEND:20270105T{end}"))
    expected = [f"2027-01-05 {each} |" for each in said]
    assert as_text(read_here(content))[: len(said)] == expected
    assert reasons(content) == ([] if said else [Reason.OUTSIDE_HOURS])


def test_the_best_preference_and_any_busy_time_win() -> None:
    content = calendar(
        day(5, "SUMMARY:Peut-être ?", "TRANSP:TRANSPARENT"),
        day(5, "SUMMARY:Volontiers", "TRANSP:TRANSPARENT", uid="two"),
        day(5, "SUMMARY:Volontiers", "TRANSP:TRANSPARENT", uid="three"),
        event("DTSTART:20270105T090000", "DTEND:20270105T091500", "SUMMARY:Appel !", uid="four"),
    )
    assert as_text(read_here(content)) == [
        "2027-01-05 am busy wanted | Peut-être ? · Volontiers · Appel !",
        "2027-01-05 pm free wanted | Peut-être ? · Volontiers",
    ]


def test_an_event_of_relais_itself_is_never_read_back() -> None:
    reading = read_here(calendar(day(5, uid="ours"), day(6, uid="theirs")), own_uids=["ours"])
    assert dates(reading) == ["2027-01-06"]
    assert [(each.uid, each.code) for each in reading.ignored] == [("ours", Reason.OWN)]


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20270119", "2027-01-19"),
        ("20270119T073000Z", "2027-01-19"),
        ("20270119T072959Z", "2027-01-12"),
        ("20270119T083000", "2027-01-19"),
        ("20270119T225959Z", "2027-01-19"),
    ],
)
def test_the_end_of_a_rule_is_read_as_it_was_meant(until: str, last: str) -> None:
    content = calendar(event(*MORNING, f"RRULE:FREQ=WEEKLY;UNTIL={until}"))
    assert dates(read_here(content))[-1] == last


@pytest.mark.parametrize(
    "until", ["20270107", "20270107T000000", "20270106T230000Z", "20270107T235959Z"]
)
def test_the_end_of_a_rule_of_whole_days_too(until: str) -> None:
    content = calendar(day(5, f"RRULE:FREQ=DAILY;UNTIL={until}"))
    assert dates(read_here(content))[-1] == "2027-01-07"


@pytest.mark.parametrize(
    "rule",
    [
        "RRULE:FREQ=DAILY;COUNT=3;X-MADE-BY=Somebody",
        "RRULE:FREQ=DAILY;COUNT=3;",
        "RRULE:freq=daily;count=3",
        "RRULE:RSCALE=GREGORIAN;FREQ=DAILY;COUNT=3;SKIP=OMIT",
        "RRULE:COUNT=3;INTERVAL=1;FREQ=DAILY",
        "RRULE:FREQ=DAILY;COUNT=3;UNTIL=20270131",
        "RRULE:FREQ=DAILY;COUNT=-1;UNTIL=20270107",
        "RRULE:FREQ=WEEKLY;BYDAY=TU, WE,TH;COUNT=3",
        "RDATE;VALUE=DATE:20270106,20270107",
        "RDATE;VALUE=DATE:20270106\nRDATE;VALUE=DATE:20270107\nRDATE:\nEXDATE:",
    ],
)
def test_rules_as_programmes_write_them(rule: str) -> None:
    assert dates(read_here(calendar(day(5, rule)))) == ["2027-01-05", "2027-01-06", "2027-01-07"]


@pytest.mark.parametrize(
    "rule",
    [
        *("FREQ=", "FREQ=FORTNIGHTLY", "DAILY", "FREQ=DAILY;FREQ=WEEKLY", "FREQ=DAILY;COUNT="),
        *("FREQ=DAILY;INTERVAL=x", "FREQ=WEEKLY;BYDAY=XX", "FREQ=DAILY;BYMONTH=13"),
        *("FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=MONTHLY;BYMONTHDAY=32", "FREQ=DAILY;COUNT=1.5"),
        *("FREQ=WEEKLY;WKST=1MO", "FREQ=WEEKLY;WKST=MO,TU", "FREQ=WEEKLY;BYDAY="),
        *("FREQ=YEARLY;BYWEEKNO=54", "FREQ=DAILY;BYSETPOS=400", "FREQ=DAILY;NONSENSE=1"),
    ],
)
def test_rules_that_cannot_be_meant(rule: str) -> None:
    assert reasons(calendar(event(*MORNING, f"RRULE:{rule}"))) == [Reason.RULE_BROKEN]


def test_a_series_that_is_called_off_takes_its_changes_with_it() -> None:
    content = calendar(
        day(5, "RRULE:FREQ=DAILY;COUNT=3", "STATUS:CANCELLED", "SEQUENCE:2"),
        day(9, "RECURRENCE-ID;VALUE=DATE:20270106"),
    )
    assert dates(read_here(content)) == []
    assert reasons(content) == [Reason.CANCELLED]


def test_a_series_with_all_its_days_taken_out_says_nothing() -> None:
    content = calendar(day(5, "RRULE:FREQ=DAILY;COUNT=2", "EXDATE;VALUE=DATE:20270105,20270106"))
    assert reasons(content) == [Reason.OUTSIDE_DATES]


def test_an_exception_is_found_whatever_clock_it_is_written_by() -> None:
    for exception in (
        "EXDATE:20270112T073000Z",
        "EXDATE;TZID=Europe/London:20270112T073000",
        "EXDATE:20270112T083000",
        "EXDATE;VALUE=DATE:20270112",
        "EXDATE:20270112",
    ):
        content = calendar(event(*MORNING, "RRULE:FREQ=WEEKLY;COUNT=3", exception))
        assert dates(read_here(content)) == ["2027-01-05", "2027-01-19"], exception


def test_a_change_is_found_whatever_clock_it_is_written_by() -> None:
    for again in (
        "RECURRENCE-ID:20270112T073000Z",
        "RECURRENCE-ID;TZID=Europe/London:20270112T073000",
        "RECURRENCE-ID:20270112T083000",
        "RECURRENCE-ID;VALUE=DATE:20270112",
    ):
        moved = event("DTSTART;VALUE=DATE:20270114", again)
        content = calendar(event(*MORNING, "RRULE:FREQ=WEEKLY;COUNT=3"), moved)
        assert dates(read_here(content)) == ["2027-01-05", "2027-01-14", "2027-01-19"], again


def test_a_change_of_a_whole_day_may_be_written_with_a_time() -> None:
    for again in (
        "RECURRENCE-ID:20270111T230000Z",
        "RECURRENCE-ID:20270112T000000",
        "RECURRENCE-ID;TZID=Tokyo Standard Time:20270112T000000",
    ):
        content = calendar(day(5, "RRULE:FREQ=WEEKLY;COUNT=3"), day(14, again))
        assert dates(read_here(content)) == ["2027-01-05", "2027-01-14", "2027-01-19"], again


def test_a_file_put_together_twice_means_what_it_meant_once() -> None:
    content = calendar(
        day(5, "RRULE:FREQ=DAILY;COUNT=3"), day(12, "RECURRENCE-ID;VALUE=DATE:20270106")
    )
    once = read_here(content)
    assert dates(once) == ["2027-01-05", "2027-01-07", "2027-01-12"]
    assert read_here(content + content) == once
    assert read_here(content + "\ufeff".encode() + content) == once


def test_one_event_that_covers_too_much_does_not_spoil_the_file() -> None:
    content = calendar(
        event("DTSTART;VALUE=DATE:20270101", "DURATION:P900D", "RRULE:FREQ=DAILY"),
        day(7, uid="neighbour"),
    )
    assert dates(read_here(content)) == ["2027-01-07"]
    assert reasons(content) == [Reason.RULE_TOO_MANY]


def test_long_names_are_not_mixed_up() -> None:
    long = "x" * 300
    content = calendar(day(5, uid=long + "1"), day(6, uid=long + "2"))
    assert dates(read_here(content)) == ["2027-01-05", "2027-01-06"]


def test_an_event_changed_into_the_window_from_years_ago_is_seen() -> None:
    content = calendar(
        event("DTSTART;VALUE=DATE:20150105", "RRULE:FREQ=WEEKLY;UNTIL=20150202"),
        event("DTSTART;VALUE=DATE:20270105", "RECURRENCE-ID;VALUE=DATE:20150112"),
    )
    assert dates(read_here(content)) == ["2027-01-05"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("DTSTART;VALUE=DATE:20270105", "DTEND;VALUE=DATE:20270105"), ["2027-01-05"]),
        (("DTSTART;VALUE=DATE:20270105", "DURATION:P2D"), ["2027-01-05", "2027-01-06"]),
        (("DTSTART;VALUE=DATE:20270105", "DURATION:PT36H"), ["2027-01-05", "2027-01-06"]),
        (("DTSTART;VALUE=DATE:20270105", "DTEND:20270106T120000"), ["2027-01-05", "2027-01-06"]),
        (("DTSTART;VALUE=DATE:20270105", "DTEND:20270106T000000"), ["2027-01-05"]),
        (("DTSTART:20270105T100000", "DTEND;VALUE=DATE:20270107"), ["2027-01-05", "2027-01-06"]),
        (("DTSTART;VALUE=DATE:20270105T000000",), ["2027-01-05"]),
        (("DTSTART;TZID=Europe/Paris:20270105",), ["2027-01-05"]),
        (("DTSTART:20270105T0830", "DTEND:20270105t123000"), ["2027-01-05"]),
        (("DTSTART:20270105T080060Z", "DTEND:20270105T110000z"), ["2027-01-05"]),
        (("DTSTART:20261231T220000", "DTEND:20270101T120000"), ["2027-01-01"]),
        (("DTSTART:20271231T083000", "DTEND:20280101T120000"), ["2027-12-31"]),
        (("DTSTART:20261220T000000", "DTEND:20261231T235959"), []),
    ],
)
def test_beginnings_and_ends_of_every_kind(lines: tuple[str, ...], expected: list[str]) -> None:
    assert dates(read_here(calendar(event(*lines)))) == expected


@pytest.mark.parametrize(
    "name",
    [
        *("Europe/Paris", '"Europe/Paris"', "/Europe/Paris", "Romance Standard Time"),
        *("(UTC+01:00) Brussels, Copenhagen, Madrid, Paris", "GMT+1", "UTC+01:00", "+0100"),
        *("/softwarestudio.org/Olson_20011030_5/Europe/Paris", "W. Europe Standard Time"),
    ],
)
def test_names_of_one_zone(name: str) -> None:
    content = calendar(
        event(f"DTSTART;TZID={name}:20270105T123000", f"DTEND;TZID={name}:20270105T163000")
    )
    assert as_text(read_here(content)) == ["2027-01-05 pm busy wanted |"]


def test_a_zone_is_known_by_the_place_it_names_or_by_its_own_rules() -> None:
    place = "BEGIN:VTIMEZONE\nTZID:Mine\nX-LIC-LOCATION:Europe/Paris\nEND:VTIMEZONE"
    rules = "\n".join(
        [
            *("BEGIN:VTIMEZONE", "TZID:Mine", "BEGIN:STANDARD", "DTSTART:20270101T000000"),
            *("TZOFFSETFROM:+0100", "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE"),
        ]
    )
    said = event("DTSTART;TZID=Mine:20270105T083000", "DTEND;TZID=Mine:20270105T123000")
    for zone in (place, rules):
        assert as_text(read_here(calendar(zone, said))) == ["2027-01-05 am busy wanted |"]
        assert as_text(read_here(calendar(said, zone))) == ["2027-01-05 am busy wanted |"]
    for broken in (rules.replace("STANDARD", "SUMMER"), rules.replace("+0100", "an hour")):
        assert reasons(calendar(broken, said)) == [Reason.ZONE_UNKNOWN]


@pytest.mark.parametrize("night", [dt.date(2027, 3, 28), dt.date(2027, 10, 31)])
def test_the_clocks_of_a_zone_of_the_file_change_when_it_says(night: dt.date) -> None:
    outlook = (CORPUS / "outlook.ics").read_bytes().replace(b"Romance Standard Time", b"Mine")
    told = Zones(calendars_in(outlook)[0], dt.UTC).named("Mine")
    for hours in range(-30, 31):
        instant = dt.datetime.combine(night, dt.time(1), dt.UTC) + dt.timedelta(hours=hours)
        here, there = instant.astimezone(PARIS), instant.astimezone(told)
        assert there.replace(tzinfo=None) == here.replace(tzinfo=None)
        # An hour that comes twice is the first of the two, unless it says otherwise.
        assert there.replace(fold=0).utcoffset() == here.replace(fold=0).utcoffset()
        assert there.timestamp() == instant.timestamp()


def test_texts_are_clean() -> None:
    title = "a\\, b\\; c\\nd\\\\e\x00\x1b[31m\u202e\u2066f" + "\ud83d" + "x" * 500
    said = read_here(calendar(day(5, f"SUMMARY:{title}", uid="u\x00id" + "y" * 500))).half_days[0]
    assert said.summary.startswith("a, b; c d\\e [31m f\ufffdxxx")
    assert len(said.summary) == 200
    assert said.uid.startswith("u id")
    assert len(said.uid) == 255
    assert said.summary.encode()


def test_old_windows_letters_are_read_line_by_line() -> None:
    latin = calendar(day(5, "SUMMARY:Été à l’hôpital – 20 €")).decode().encode("cp1252")
    mixed = latin.replace(b"END:VCALENDAR", day(6, "SUMMARY:Été").encode() + b"\r\nEND:VCALENDAR")
    assert [each.summary for each in read_here(mixed).half_days][::2] == [
        "Été à l’hôpital – 20 €",
        "Été",
    ]


def test_an_emoji_in_two_halves_is_one() -> None:
    content = calendar(day(5, "SUMMARY:Congés \ud83c\udfd6"))
    assert read_here(content).half_days[0].summary == "Congés \N{BEACH WITH UMBRELLA}"


def test_the_name_and_the_maker_are_told() -> None:
    reading = read_here(calendar(day(5), head="X-WR-CALNAME;VALUE=TEXT:Mes gardes\\, 2027"))
    assert (reading.name, reading.product) == ("Mes gardes, 2027", "-//Tests//EN")
    assert read_here(calendar(head="NAME:Autre")).name == "Autre"
    assert read_here(calendar()).name is None


def test_half_days_come_in_order() -> None:
    said = read_here(calendar(day(9), day(5, uid="two"))).half_days
    assert [(each.date, each.half.value) for each in said] == [
        (dt.date(2027, 1, number), half) for number in (5, 9) for half in ("am", "pm")
    ]


def test_what_is_ignored_is_known_by_its_title_and_date() -> None:
    reading = read_here(
        calendar(
            event("DTSTART;TZID=Nulle/Part:20270105T090000", "SUMMARY:Garde", uid="a"),
            event("DTSTART:20270106T210000Z", "DTEND:20270106T220000Z", "SUMMARY:Concert", uid="b"),
            event("DTSTART:quand ?", uid="c"),
            event("DTSTART;VALUE=DATE:20270107", "STATUS:CANCELLED", "SUMMARY:Bureau", uid="d"),
        )
    )
    assert [(each.code, each.title, each.date) for each in reading.ignored] == [
        (Reason.ZONE_UNKNOWN, "Garde", dt.date(2027, 1, 5)),
        (Reason.DATE_BROKEN, "", None),
        (Reason.OUTSIDE_HOURS, "Concert", dt.date(2027, 1, 6)),
        (Reason.CANCELLED, "Bureau", dt.date(2027, 1, 7)),
    ]
