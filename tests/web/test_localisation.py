"""Dates as French readers write them, and as English readers do."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from web.identity import HOUSE_TIMEZONE
from web.localisation import long_date, short_date, written, written_moment

FIRST = dt.date(2026, 12, 1)
LATER = dt.date(2026, 12, 21)


@pytest.fixture
def app() -> Flask:
    """Enough of an application to have a locale."""
    app = Flask(__name__)
    Babel(app, default_timezone=HOUSE_TIMEZONE)
    return app


@pytest.mark.parametrize(
    ("locale", "day", "short", "long"),
    [
        ("fr", FIRST, "mar. 1er déc.", "mardi 1er décembre 2026"),
        ("fr", LATER, "lun. 21 déc.", "lundi 21 décembre 2026"),
        ("en", FIRST, "Tue 1 Dec", "Tuesday 1 December 2026"),
        ("en", LATER, "Mon 21 Dec", "Monday 21 December 2026"),
    ],
)
def test_only_the_french_first_of_a_month_is_an_ordinal(
    app: Flask, locale: str, day: dt.date, short: str, long: str
) -> None:
    with app.test_request_context(), force_locale(locale):
        assert short_date(day) == short
        assert long_date(day) == long


@pytest.mark.parametrize(
    ("locale", "at", "said"),
    [
        ("fr", dt.datetime(2026, 12, 1, 8, 5, tzinfo=dt.UTC), "mar. 1er déc. à 9\u00a0h\u00a005"),
        # In the house it is the first already.
        (
            "fr",
            dt.datetime(2026, 11, 30, 23, 30, tzinfo=dt.UTC),
            "mar. 1er déc. à 0\u00a0h\u00a030",
        ),
        ("fr", dt.datetime(2026, 12, 21, 8, 5, tzinfo=dt.UTC), "lun. 21 déc. à 9\u00a0h\u00a005"),
        ("fr", dt.datetime(2026, 12, 21, 8, 0, tzinfo=dt.UTC), "lun. 21 déc. à 9\u00a0h"),
        ("en", dt.datetime(2026, 12, 1, 8, 5, tzinfo=dt.UTC), "Tue 1 Dec, 09:05"),
    ],
)
def test_a_moment_is_said_as_the_language_says_it(
    app: Flask, locale: str, at: dt.datetime, said: str
) -> None:
    with app.test_request_context(), force_locale(locale):
        assert written_moment(at, "EEE d MMM, HH:mm") == said


def test_a_date_without_its_month_has_no_ordinal(app: Flask) -> None:
    with app.test_request_context(), force_locale("fr"):
        assert written(FIRST, "d") == "1"
        assert written(FIRST, "d MMMM y") == "1er décembre 2026"
