"""The few words that calendars say by themselves, in the language of their doctor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scheduler.calendars.models import DavKind
from scheduler.people.models import Locale
from scheduler.roster.rules import Preference

Words = Mapping[str, str]

WORDS: Final[Mapping[Locale, Words]] = {
    Locale.FRENCH: {
        "to_fill": "À pourvoir",
        "to_confirm": "à confirmer",
        "release_asked": "désistement demandé",
        "am": "matin",
        "pm": "après-midi",
        "available": "Disponible",
        Preference.WANTED.value: "{title}",
        Preference.POSSIBLE.value: "{title}\u202f?",
        Preference.LAST_RESORT.value: "{title}\u202f!",
        "by_calendar": "Supprimé dans l’agenda",
    },
    Locale.ENGLISH: {
        "to_fill": "To fill",
        "to_confirm": "to confirm",
        "release_asked": "release requested",
        "am": "morning",
        "pm": "afternoon",
        "available": "Available",
        Preference.WANTED.value: "{title}",
        Preference.POSSIBLE.value: "{title}?",
        Preference.LAST_RESORT.value: "{title}!",
        "by_calendar": "Deleted in the calendar",
    },
}

NAMES: Final[Mapping[Locale, Mapping[DavKind, str]]] = {
    Locale.FRENCH: {
        DavKind.OPEN_DAYS: "Jours libres",
        DavKind.MY_DAYS: "Mes remplacements",
        DavKind.AVAILABILITIES: "Mes disponibilités",
    },
    Locale.ENGLISH: {
        DavKind.OPEN_DAYS: "Open days",
        DavKind.MY_DAYS: "My days",
        DavKind.AVAILABILITIES: "My availabilities",
    },
}

# As the house shows them: amber to fill, green for what is taken, a calm blue for what is said.
COLOURS: Final[Mapping[DavKind, str]] = {
    DavKind.OPEN_DAYS: "#b45309",
    DavKind.MY_DAYS: "#14532d",
    DavKind.AVAILABILITIES: "#1d4ed8",
}
