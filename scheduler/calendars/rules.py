"""Pure rules of feeds: what each can have in it, tokens, the window of dates, the hours of a
period, when a reminder comes, the few words."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from scheduler.calendars.models import FeedKind, Part, Reminder
from scheduler.people.models import Locale, Practice
from scheduler.roster.rules import Period

HOUSE_TIMEZONE: Final = "Europe/Paris"
MONTHS_BACK: Final = 3
MONTHS_AHEAD: Final = 18
LONGEST_CLIENT_NAME: Final = 120
# How often the name and time of who fetches a feed are written down, at the most.
FETCH_NOTED_EVERY: Final = dt.timedelta(minutes=1)
# So long a day that is off stands in a feed as such.
CANCELLED_SHOWN: Final = dt.timedelta(days=30)
MOST_FEEDS: Final = 20
LONGEST_NAME: Final = 60

PARTS_OF_KIND: Final[Mapping[FeedKind, tuple[Part, ...]]] = {
    FeedKind.PERSONAL: (Part.CONFIRMED, Part.HELD, Part.DUTIES, Part.PROPOSED),
    FeedKind.OPEN: (Part.OPEN,),
    FeedKind.ROSTER: (Part.CONFIRMED, Part.HELD, Part.DUTIES, Part.OPEN),
}
# What is of no more interest once its date is over, and then goes without a word.
PASSING_PARTS: Final = frozenset({Part.OPEN, Part.PROPOSED})

# So many days before the date, at that hour.
REMINDED: Final[Mapping[Reminder, tuple[int, dt.time]]] = {
    Reminder.MORNING: (0, dt.time(7)),
    Reminder.EVENING: (1, dt.time(19)),
    Reminder.WEEK: (7, dt.time(19)),
}

Words = Mapping[str, str]

# The service knows no request and no translations: what a calendar says of itself is here.
WORDS: Final[Mapping[Locale, Words]] = {
    Locale.FRENCH: {
        "my_days": "Relais – mes journées",
        "open_days": "Relais – jours libres",
        "open_days_of": "Relais – jours libres, {practice}",
        "roster_of": "Relais – {practice}",
        "to_fill": "À pourvoir",
        "to_confirm": "à confirmer",
        "proposed": "Proposé",
        "on_call": "Astreinte",
        "cancelled": "Annulé",
        "take_it": "Prendre cette journée : {url}",
        "answer_it": "Répondre : {url}",
        "am": "matin",
        "pm": "après-midi",
    },
    Locale.ENGLISH: {
        "my_days": "Relais – my days",
        "open_days": "Relais – open days",
        "open_days_of": "Relais – open days, {practice}",
        "roster_of": "Relais – {practice}",
        "to_fill": "To fill",
        "to_confirm": "to confirm",
        "proposed": "Proposed",
        "on_call": "On call",
        "cancelled": "Cancelled",
        "take_it": "Take this day: {url}",
        "answer_it": "Answer: {url}",
        "am": "morning",
        "pm": "afternoon",
    },
}


@dataclass(frozen=True, slots=True)
class Window:
    """The dates that a feed shows, both included."""

    start: dt.date
    end: dt.date


def window_around(today: dt.date) -> Window:
    """Whole months, from three before that of `today` to eighteen after it.

    Whole months move once a month only, so that a feed in which nothing happened stays the same.
    """
    return Window(
        start=_first_of_month(today, -MONTHS_BACK),
        end=_first_of_month(today, MONTHS_AHEAD + 1) - dt.timedelta(days=1),
    )


def _first_of_month(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, 1)


def hours_of(practice: Practice, date: dt.date, period: Period) -> tuple[dt.datetime, dt.datetime]:
    """When a period begins and ends on a date: opening hours, in the practice's time zone."""
    first = practice.pm_start if period is Period.PM else practice.am_start
    last = practice.am_end if period is Period.AM else practice.pm_end
    zone = ZoneInfo(practice.timezone)
    return dt.datetime.combine(date, first, zone), dt.datetime.combine(date, last, zone)


def reminder_before(reminder: Reminder, start: dt.datetime) -> dt.timedelta | None:
    """How long after `start`, a local instant, a reminder comes; before it is less than nothing.

    The time that passes, not the difference of two clocks: a night may have 23 or 25 hours.
    """
    if reminder is Reminder.NONE:
        return None
    days, time = REMINDED[reminder]
    at = dt.datetime.combine(start.date() - dt.timedelta(days=days), time, start.tzinfo)
    return at.astimezone(dt.UTC) - start.astimezone(dt.UTC)


def clean_name(text: str) -> str | None:
    """A name that somebody gives a feed, or None for none."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:LONGEST_NAME].rstrip() or None


def new_salt() -> str:
    """Sixteen random bytes, in hexadecimal."""
    return secrets.token_hex(16)


def token_of(secret: str, user_id: int, salt: str) -> str:
    """The token of a feed's address: 256 bits that only the holder of the secret key can find.

    It can be shown again as often as its owner asks, while the database keeps only its hash.
    """
    key = hmac.digest(secret.encode(), b"relais calendar feeds", "sha256")
    token = hmac.digest(key, f"{user_id}.{salt}".encode(), "sha256")
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def hash_of(token: str) -> str:
    """What the database keeps of a token. The token is random: a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def client_name(user_agent: str) -> str:
    """What a calendar programme calls itself, fit to be kept and shown."""
    printable = "".join(letter if letter.isprintable() else " " for letter in user_agent)
    return " ".join(printable.split())[:LONGEST_CLIENT_NAME]
