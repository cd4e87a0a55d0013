"""Writing what an invitation says to a calendar: one event, one attendee (RFC 5545, 5546)."""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from icalendar import Calendar, Event, vCalAddress, vText

from scheduler.calendars import rules
from scheduler.calendars.days import place_of
from scheduler.calendars.document import PRODUCT
from scheduler.calendars.models import Answer, CalendarInvitation
from scheduler.calendars.timezones import vtimezone
from scheduler.people.models import Locale
from scheduler.roster.models import Need


class Method(enum.StrEnum):
    """What the practice says by iTIP."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"
    DECLINE_COUNTER = "DECLINECOUNTER"


# The service knows no request and no translations: what an event says of itself is here.
_WORDS: Final[Mapping[Locale, Mapping[str, str]]] = {
    Locale.FRENCH: {
        "open": (
            "Oui : la journée est à vous. Peut-être : elle vous est réservée"
            " {hours} heures. Non : rien ne change. La première personne à dire oui obtient la"
            " journée."
        ),
        "accepted": "Cette journée est à vous.",
        "page": "La page de la journée : {link}",
    },
    Locale.ENGLISH: {
        "open": (
            "Yes: the day is yours. Maybe: it is held for you for {hours} hours. No: nothing"
            " changes. Whoever says yes first has the day."
        ),
        "accepted": "This day is yours.",
        "page": "The page of the day: {link}",
    },
}


@dataclass(frozen=True, slots=True)
class Sender:
    """How an event is addressed: its UID, and where its answers go."""

    uid: str
    address: str


def write(
    method: Method,
    invitation: CalendarInvitation,
    sender: Sender,
    *,
    stamp: dt.datetime,
    link: str,
) -> bytes:
    """The calendar of one invitation; doctor, need, room and practice must be loaded.

    No line of it depends on the moment of writing: a letter tried again says the same.
    """
    need, doctor = invitation.need, invitation.doctor
    start, end = rules.hours_of(need.practice, need.date, need.period)
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method.value)
    calendar.add_component(vtimezone(need.practice.timezone, start.year, end.year))
    event = Event()
    event.add("uid", sender.uid)
    event.add("sequence", invitation.sequence)
    event.add("dtstamp", stamp)
    event.add("dtstart", start)
    event.add("dtend", end)
    event.add("summary", need.practice.name)
    event.add("location", place_of(need))
    event.add("description", _description(invitation, doctor.locale, link))
    event.add("url", link)
    event.add("status", "CANCELLED" if method is Method.CANCEL else "CONFIRMED")
    event.add("transp", "OPAQUE")
    event.add("organizer", _organizer(sender.address, need.practice.name))
    event.add("attendee", _attendee(invitation, method))
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def said_of(need: Need) -> str:
    """What an invitation tells of a day, by its SHA-256: another one is a change to be told."""
    practice = need.practice
    start, end = rules.hours_of(practice, need.date, need.period)
    facts = (practice.name, place_of(need), start.isoformat(), end.isoformat(), practice.timezone)
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _description(invitation: CalendarInvitation, locale: Locale, link: str) -> str:
    words = _WORDS[locale]
    said = "accepted" if invitation.answer is Answer.ACCEPTED else "open"
    sentence = words[said].format(hours=invitation.need.practice.hold_hours)
    return f"{sentence}\n{words['page'].format(link=link)}"


def _organizer(address: str, name: str) -> vCalAddress:
    organizer = vCalAddress(f"mailto:{address}")
    organizer.params["CN"] = vText(_plain(name))
    return organizer


def _attendee(invitation: CalendarInvitation, method: Method) -> vCalAddress:
    attendee = vCalAddress(f"mailto:{invitation.address}")
    attendee.params["CN"] = vText(_plain(invitation.doctor.name))
    attendee.params["CUTYPE"] = vText("INDIVIDUAL")
    attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
    attendee.params["PARTSTAT"] = vText(invitation.answer.value.upper())
    attendee.params["RSVP"] = vText("TRUE" if method is Method.REQUEST else "FALSE")
    return attendee


def _plain(name: str) -> str:
    """A name fit to be a parameter, where neither quotes nor control characters can be escaped."""
    kept = (" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in name)
    return " ".join("".join(kept).replace('"', "’").split())
