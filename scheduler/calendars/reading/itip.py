"""What a mail says to Relais by iTIP (RFC 5546, 6047): read in a process of its own, like every
calendar of somebody else.

Of a mail only what tells an answer is kept: whom it was sent to, whether a machine wrote it, and
of each event the UID, the version, the moment and the attendee. No text, no name, no subject.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Any, Final

from scheduler.calendars.reading import limits
from scheduler.calendars.reading.faults import Fault
from scheduler.calendars.reading.lines import Part, calendars_in
from scheduler.calendars.reading.values import Unreadable

ADDRESS: Final = re.compile(r"[A-Za-z0-9!#$%&'*/=?^_`{|}~.+-]{1,190}@[A-Za-z0-9.-]{1,190}")
STAMP: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z?")
PEOPLE: Final = frozenset({"ATTENDEE", "ORGANIZER"})
SENT_TO: Final = (
    *("To", "Cc", "Delivered-To", "X-Original-To"),
    *("Envelope-To", "X-Envelope-To", "X-Forwarded-To"),
)
ANSWERING_MACHINES: Final = ("X-Autoreply", "X-Autorespond", "X-Auto-Reply")
CALENDARS: Final = ("text/calendar", "application/ics")
# What a calendar may be written in besides UTF-8; a codec of any other name is never called.
CHARSETS: Final = re.compile(r"iso-8859-[0-9]{1,2}|windows-125[0-9]|utf-16(le|be)?")
LONGEST_HEADER: Final = 4_000
# Exchange writes the UID of others in hexadecimal, inside one of its own.
LONGEST_UID: Final = 4 * limits.LONGEST_UID
MOST_PARTS: Final = 100
MOST_EVENTS: Final = 10
MOST_PEOPLE: Final = 50
LARGEST_SEQUENCE: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Said:
    """What a mail says of one event. `attendees` are addresses and what each answers (PARTSTAT);
    `sequence` and `stamp` are None where there is none that can be read."""

    uid: str
    sequence: int | None
    stamp: dt.datetime | None
    organizer: str | None
    attendees: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that was read: whom it was sent to, whether an answering machine wrote it or it is
    a mail that came back, and what it says to a calendar."""

    recipients: tuple[str, ...]
    automatic: bool
    method: str
    events: tuple[Said, ...]


def read_mail(content: bytes) -> Mail:
    """What a whole mail, headers included, says by iTIP. Raises `Unreadable`, and nothing else.

    A mail without a calendar says nothing (`events` is empty); one whose calendar is broken
    cannot be read.
    """
    # Here, because the reader's own process imports this file and has no time to lose.
    from scheduler.calendars.reading.process import answered

    return answered({"itip": True}, content, mail_of)


def answer(content: bytes) -> dict[str, Any]:
    """What the process that reads says: plain JSON values; raises `Unreadable`."""
    try:
        mail = message_from_bytes(content)
        automatic = _is_automatic(mail)
        calendar = None if automatic else _calendar(mail)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Unreadable(Fault.BROKEN) from None
    if not mail.keys():
        raise Unreadable(Fault.NOT_ONE)
    said = {"method": "", "events": []} if calendar is None else _said(*calendar)
    return {"recipients": _recipients(mail), "automatic": automatic, **said}


def mail_of(answered: Mapping[str, Any]) -> Mail:
    """The answer as values; raises `ValueError` for what is none."""
    try:
        return Mail(
            recipients=tuple(map(str, answered["recipients"])),
            automatic=bool(answered["automatic"]),
            method=str(answered["method"]),
            events=tuple(
                Said(
                    uid=str(uid),
                    sequence=sequence,
                    stamp=None if stamp is None else dt.datetime.fromisoformat(stamp),
                    organizer=organizer,
                    attendees=tuple((str(who), str(what)) for who, what in attendees),
                )
                for uid, sequence, stamp, organizer, attendees in answered["events"]
            ),
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not an answer of the reader") from error


def _is_automatic(mail: Message) -> bool:
    """Whether an answering machine wrote a mail, or it came back (RFC 3834, RFC 3464).

    Calendars say of their own answers that they are generated; those count.
    """
    submitted = str(mail.get("Auto-Submitted", "")).strip().lower()
    return (
        submitted.startswith("auto-replied")
        or mail.get_content_type() == "multipart/report"
        or str(mail.get("Precedence", "")).strip().lower() == "auto_reply"
        or any(name in mail for name in ANSWERING_MACHINES)
    )


def _recipients(mail: Message) -> list[str]:
    found: dict[str, None] = {}
    for name in SENT_TO:
        for value in mail.get_all(name, [])[:MOST_PEOPLE]:
            found |= dict.fromkeys(ADDRESS.findall(str(value)[:LONGEST_HEADER]))
    return list(found)[:MOST_PEOPLE]


def _calendar(mail: Message) -> tuple[bytes, str] | None:
    """The calendar in a mail, and the method that its header names: the one beside the text
    before the one that is attached."""
    found: dict[str, Message] = {}
    for part in _parts(mail):
        found.setdefault(part.get_content_type(), part)
        if str(part.get_filename() or "").lower().endswith(".ics"):
            found.setdefault(CALENDARS[-1], part)
    for kind in CALENDARS:
        if kind in found:
            part = found[kind]
            method = part.get_param("method")
            return _decoded(part), method.upper()[:40] if isinstance(method, str) else ""
    return None


def _parts(mail: Message) -> Iterator[Message]:
    """The parts of a mail; never those of a mail that it carries or sends back."""
    waiting, seen = [mail], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        if part.get_content_maintype() == "multipart":
            inner = part.get_payload()
            waiting += [one for one in inner if isinstance(one, Message)] if inner else []
        elif part.get_content_maintype() != "message":
            yield part


def _decoded(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return b""
    charset = str(part.get_content_charset() or "").lower()
    if CHARSETS.fullmatch(charset):
        return content.decode(charset, "replace").encode()
    return content


def _said(content: bytes, method: str) -> dict[str, Any]:
    calendars = calendars_in(content, also=PEOPLE)
    events = [part for part in calendars[0].parts if part.kind == "VEVENT"]
    return {
        "method": calendars[0].word("METHOD") or method,
        "events": [_event(part) for part in events[:MOST_EVENTS]],
    }


def _event(part: Part) -> tuple[Any, ...]:
    sequence = part.text("SEQUENCE")
    number = int(sequence) if re.fullmatch(r"[0-9]{1,10}", sequence, re.ASCII) else None
    organizers = [_address(line.value) for line in part.all("ORGANIZER")]
    return (
        part.text("UID", LONGEST_UID),
        None if number is None else min(number, LARGEST_SEQUENCE),
        _stamp(part.text("DTSTAMP")),
        organizers[0] if organizers else None,
        [
            (_address(line.value), line.parameters.get("PARTSTAT", "NEEDS-ACTION").upper()[:20])
            for line in part.all("ATTENDEE")[:MOST_PEOPLE]
        ],
    )


def _address(value: str) -> str:
    """An address without ``mailto:``, in lower case; empty for what is none."""
    bare = re.sub(r"(?i)^\s*mailto:\s*", "", value[:LONGEST_HEADER]).strip()
    return bare.lower() if ADDRESS.fullmatch(bare) else ""


def _stamp(text: str) -> str | None:
    """A moment in UTC, as iTIP wants it, in ISO 8601."""
    if not STAMP.fullmatch(text):
        return None
    try:
        moment = dt.datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=dt.UTC)
    except ValueError:
        return None
    return moment.isoformat()
