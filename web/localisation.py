"""Language and the French way of writing dates."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from flask import Flask, g, request
from flask import session as cookie
from flask_babel import format_date, format_datetime, get_locale, refresh, to_user_timezone
from flask_login import current_user

from scheduler.core.errors import NotFound
from scheduler.core.wording import french
from scheduler.people.models import Locale
from web.extensions import babel
from web.identity import HOUSE_TIMEZONE, identity

LOCALES: Final = ("fr", "en")
# The years of the weeks and months in addresses.
DATE: Final = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")


def current_locale() -> str:
    """The user's choice, else the visitor's, else that of whom the page was sent to, else the
    browser's, else French."""
    if not g.get("without_reader") and current_user.is_authenticated:
        return identity().locale.value
    chosen = cookie.get("locale")
    if chosen in LOCALES:
        return str(chosen)
    if "addressee_locale" in g:
        return str(g.addressee_locale)
    return request.accept_languages.best_match(LOCALES, "fr") or "fr"


def speak_to(addressee: Locale) -> None:
    """From here on, a page that somebody was sent speaks their language, unless its reader is
    signed in or has chosen one."""
    g.addressee_locale = addressee.value
    refresh()
    g.locale_code = current_locale()


def written(day: dt.date, pattern: str) -> str:
    """A date as the reader's language writes it: only in French the first is « 1er décembre »."""
    return format_date(day, _in_language(pattern, day))


def written_moment(at: dt.datetime, pattern: str) -> str:
    """An instant in the house's time zone, its date written as `written` does, and its time as
    the reader's language says it: « mar. 1er déc. à 9 h 05 » of the pattern ``EEE d MMM, HH:mm``.
    """
    return format_datetime(at, _in_language(pattern, to_user_timezone(at)))


def moment(at: dt.datetime) -> str:
    """« mar. 1er déc. à 9 h 05 », of a moment near enough to need no year."""
    return written_moment(at, "EEE d MMM, HH:mm")


def _in_language(pattern: str, at: dt.date) -> str:
    return french(pattern, at) if get_locale().language == "fr" else pattern


def short_date(day: dt.date) -> str:
    """« lun. 23 nov. »"""
    return written(day, "EEE d MMM")


def long_date(day: dt.date) -> str:
    """« lundi 23 novembre 2026 »"""
    return written(day, "EEEE d MMMM y")


def month_name(day: dt.date) -> str:
    """« novembre 2026 »"""
    return format_date(day, "MMMM y")


def week_name(day: dt.date) -> str:
    """« S48 » in French, "W48" in English, of the ISO week of `day`."""
    letter = "S" if g.get("locale_code", "fr") == "fr" else "W"
    return f"{letter}{day.isocalendar().week:02d}"


def week_dates(monday: dt.date) -> str:
    """« 23–29 nov. 2026 », with the month or the year of the Monday where it is another."""
    sunday = monday + dt.timedelta(days=6)
    first = "d MMM y" if monday.year != sunday.year else "d MMM"
    if monday.month == sunday.month:
        first = "d"
    # A word joiner keeps the two numbers of one month on one line.
    dash = "–\u2060" if first == "d" else " – "
    return written(monday, first) + dash + written(sunday, "d MMM y")


def iso_week(day: dt.date) -> str:
    """``2026-W48``, as it stands in addresses."""
    year, week, _weekday = day.isocalendar()
    return f"{year}-W{week:02d}"


def parse_date(text: str) -> dt.date:
    """A date as it stands in addresses, like ``2026-11-23``; `NotFound` for anything else."""
    try:
        if not DATE.fullmatch(text):
            raise ValueError(text)
        return dt.date.fromisoformat(text)
    except ValueError:
        raise NotFound("date_not_found", date=text) from None


def init_app(app: Flask) -> None:
    app.config.update(BABEL_DEFAULT_LOCALE="fr", BABEL_DEFAULT_TIMEZONE=HOUSE_TIMEZONE)
    babel.init_app(app, locale_selector=current_locale)
    app.jinja_env.filters["datetimeformat"] = written_moment

    @app.before_request
    def remember_locale() -> None:
        if request.endpoint != "static":
            g.locale_code = current_locale()

    @app.context_processor
    def helpers() -> dict[str, object]:
        return {
            "locale": g.get("locale_code") or current_locale(),
            "short_date": short_date,
            "written": written,
            "long_date": long_date,
            "month_name": month_name,
            "week_name": week_name,
            "iso_week": iso_week,
            "week_dates": week_dates,
        }
