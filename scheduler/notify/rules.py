"""What people choose by when they say how they want to be told: values, no database."""

from __future__ import annotations

import enum


class Group(enum.StrEnum):
    """The kinds of event that somebody is told of, as the preferences page lists them."""

    DAYS = "days"  # my days: given, confirmed, given back
    QUESTIONS = "questions"  # questions and calls to me
    OFFERS = "offers"  # what colleagues offer, and swaps
    OPENINGS = "openings"  # days to fill, published periods
    DECISIONS = "decisions"  # what waits for my decision, or is ready for it
    ABSENCES = "absences"  # somebody is missing today
    REMINDERS = "reminders"  # availabilities that are still wanted
    ACCOUNT = "account"  # my account and its channels
