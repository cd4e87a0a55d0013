"""The window of a feed, the hours of a period, tokens, and the names of programmes."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from scheduler.calendars import rules
from scheduler.people.models import Locale, Practice
from scheduler.roster.rules import Period


@pytest.mark.parametrize(
    ("today", "start", "end"),
    [
        (dt.date(2026, 11, 23), dt.date(2026, 8, 1), dt.date(2028, 5, 31)),
        (dt.date(2026, 1, 31), dt.date(2025, 10, 1), dt.date(2027, 7, 31)),
        (dt.date(2026, 12, 1), dt.date(2026, 9, 1), dt.date(2028, 6, 30)),
        (dt.date(2026, 8, 31), dt.date(2026, 5, 1), dt.date(2028, 2, 29)),
    ],
)
def test_the_window_is_made_of_whole_months(today: dt.date, start: dt.date, end: dt.date) -> None:
    assert rules.window_around(today) == rules.Window(start, end)


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        (Period.AM, "08:30", "12:30"),
        (Period.PM, "14:00", "18:30"),
        (Period.DAY, "08:30", "18:30"),
    ],
)
@pytest.mark.parametrize(
    ("date", "offset"),
    [
        (dt.date(2026, 10, 24), 2),
        (dt.date(2026, 10, 25), 1),
        (dt.date(2027, 3, 27), 1),
        (dt.date(2027, 3, 28), 2),
    ],
)
def test_hours_are_the_clocks_on_the_wall(
    period: Period, start: str, end: str, date: dt.date, offset: int
) -> None:
    practice = Practice(
        timezone="Europe/Paris",
        am_start=dt.time(8, 30),
        am_end=dt.time(12, 30),
        pm_start=dt.time(14),
        pm_end=dt.time(18, 30),
    )
    first, last = rules.hours_of(practice, date, period)
    assert (first.strftime("%H:%M"), last.strftime("%H:%M")) == (start, end)
    assert first.date() == last.date() == date
    assert first.tzinfo == ZoneInfo("Europe/Paris")
    assert first.utcoffset() == dt.timedelta(hours=offset)


def test_tokens_are_long_repeatable_and_nobody_elses() -> None:
    salt = rules.new_salt()
    token = rules.token_of("secret", 1, salt)
    assert token == rules.token_of("secret", 1, salt)
    assert len(token) == 43
    others = {
        rules.token_of("another", 1, salt),
        rules.token_of("secret", 2, salt),
        rules.token_of("secret", 1, rules.new_salt()),
    }
    assert len(others | {token}) == 4
    assert token not in rules.hash_of(token)


def test_a_programmes_name_is_made_fit_to_show() -> None:
    assert rules.client_name("iOS/18 (22A3354)\r\nX: y\x00") == "iOS/18 (22A3354) X: y"
    assert rules.client_name("x" * 500) == "x" * 120
    assert rules.client_name("") == ""


def test_both_languages_have_every_word() -> None:
    assert set(rules.WORDS) == set(Locale)
    assert len({frozenset(words) for words in rules.WORDS.values()}) == 1
