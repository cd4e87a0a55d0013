"""The VTIMEZONE: bounded, and the moments at which the clocks change."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from scheduler.calendars.timezones import vtimezone


def test_the_clocks_of_paris() -> None:
    lines = vtimezone("Europe/Paris", 2026, 2027).to_ical().decode().split("\r\n")
    assert lines == [
        "BEGIN:VTIMEZONE",
        "TZID:Europe/Paris",
        "BEGIN:STANDARD",
        "DTSTART:20260101T000000",
        "TZNAME:CET",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0100",
        "END:STANDARD",
        "BEGIN:DAYLIGHT",
        "DTSTART:20260329T020000",
        "RDATE:20270328T020000",
        "TZNAME:CEST",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0200",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "DTSTART:20261025T030000",
        "RDATE:20271031T030000",
        "TZNAME:CET",
        "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100",
        "END:STANDARD",
        "END:VTIMEZONE",
        "",
    ]


@pytest.mark.parametrize(
    ("name", "parts"),
    [("America/Martinique", 1), ("Pacific/Noumea", 1), ("America/Miquelon", 3), ("UTC", 1)],
)
def test_overseas(name: str, parts: int) -> None:
    assert len(vtimezone(name, 2026, 2028).subcomponents) == parts


@pytest.mark.parametrize("name", ["Europe/Paris", "America/Miquelon", "Indian/Reunion"])
def test_every_hour_of_two_years_is_read_back(name: str) -> None:
    zone = ZoneInfo(name)
    rebuilt = vtimezone(name, 2026, 2027).to_tz(lookup_tzid=False)
    instant = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    while instant.year < 2028:
        local = instant.astimezone(zone)
        # An hour that comes twice is told apart by nothing in a calendar.
        if local.utcoffset() == local.replace(fold=1).utcoffset():
            naive = local.replace(tzinfo=None)
            assert naive.replace(tzinfo=rebuilt).utcoffset() == local.utcoffset()
        instant += dt.timedelta(hours=7)
