"""What happens when a calendar cannot have what a client asked for.

The client gets a status and an XML body with a sentence. Phones show neither: so the doctor is
told by a message too, once, and whatever stands at the address is read anew, so that the calendar
shows the truth again.
"""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from scheduler.calendars.caldav.checks import first_date
from scheduler.calendars.caldav.visit import Visit
from scheduler.calendars.models import DavKind
from scheduler.core import errors, outbox

KIND: Final = "calendar.refused"
NAMESPACE: Final = "urn:relais:dav"
_DAV: Final = "{DAV:}"
_CALDAV: Final = "{urn:ietf:params:xml:ns:caldav}"

STATUS: Final[dict[type[errors.RelaisError], HTTPStatus]] = {
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.RuleBroken: HTTPStatus.FORBIDDEN,
    errors.InvalidInput: HTTPStatus.FORBIDDEN,
    errors.RelaisError: HTTPStatus.FORBIDDEN,
}
# The conditions that CalDAV and WebDAV have names for; the others have our own.
CONDITIONS: Final = {
    "calendar_read_only": f"{_DAV}need-privileges",
    "calendar_fixed": f"{_DAV}need-privileges",
    "calendar_not_yours": f"{_DAV}need-privileges",
    "calendar_events_only": f"{_CALDAV}supported-calendar-component",
    "calendar_uid_known": f"{_CALDAV}no-uid-conflict",
    "calendar_too_large": f"{_CALDAV}max-resource-size",
}
# Of these a first synchronisation brings hundreds, and one message is enough.
ONCE_A_DAY: Final = frozenset({"calendar_event_elsewhen"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """What could not be, where it was asked for, and what the client said of its own copy."""

    error: errors.RelaisError
    kind: DavKind | None
    href: str
    act: str
    seen: str = ""


class Stale(errors.Conflict):
    """The client's copy is an old one."""

    default_code = "calendar_changed_meanwhile"


def status_of(error: errors.RelaisError) -> HTTPStatus:
    """The HTTP status that says it to a client."""
    if isinstance(error, Stale):
        return HTTPStatus.PRECONDITION_FAILED
    if error.code == "calendar_too_large":
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def body_of(error: errors.RelaisError, sentence: str, language: str) -> bytes:
    """The ``DAV:error`` of RFC 4918 (16): the condition that failed, and what people read."""
    root = ET.Element(f"{_DAV}error")
    condition = CONDITIONS.get(error.code) or (
        f"{_CALDAV}valid-calendar-data"
        if isinstance(error, errors.InvalidInput)
        else f"{{{NAMESPACE}}}{error.code.replace('_', '-')}"
    )
    ET.SubElement(root, condition)
    said = ET.SubElement(root, f"{_DAV}responsedescription")
    said.set("{http://www.w3.org/XML/1998/namespace}lang", language)
    said.text = sentence
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def tell(visit: Visit, refusal: Refusal, sentence: str, *, done: bool = False) -> None:
    """Tell the doctor what could not be and why, once for each wish. Of the event itself nothing
    but its date is kept: its words may be private. `done`: it was kept or done, in another way."""
    code = refusal.error.code
    date = refusal.error.facts.get("date")
    parts = [str(refusal.kind), refusal.href, refusal.act, code, str(date), refusal.seen]
    if code in ONCE_A_DAY:
        parts = [str(refusal.kind), code]
    elif date is None:
        date = first_date(visit.body)
    wish = "\n".join(parts)
    digest = hashlib.sha256(wish.encode("utf-8", "replace")).hexdigest()[:32]
    day = visit.today.isoformat()
    outbox.post(
        visit.unit,
        cause=f"{KIND}:{visit.doctor_id}:{day}:{digest}",
        recipient_ids=[visit.doctor_id],
        kind=KIND,
        date=None if date is None else date.isoformat(),
        calendar=None if refusal.kind is None else refusal.kind.value,
        why=sentence,
        done=done,
    )
