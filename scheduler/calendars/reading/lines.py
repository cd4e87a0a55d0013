"""The outer form of a calendar: bytes, lines, and parts within parts.

All that is counted is counted here, before any library sees a byte of it. A part keeps only the
lines that Relais reads: descriptions, attachments and people never go further than this file.
"""

from __future__ import annotations

import codecs
import datetime as dt
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

from scheduler.calendars.reading import limits
from scheduler.calendars.reading.faults import Fault
from scheduler.calendars.reading.values import Unreadable

# Files that were put together have the mark of their beginning in the middle.
NAME: Final = re.compile(r"[\s\ufeff]*([A-Za-z0-9-]+)\s*(?=[;:])")
PARAMETER: Final = re.compile(r';\s*([A-Za-z0-9-]+)\s*=\s*(?:"([^"]*)"|([^;"]*))')
UP_TO_TEXT: Final = re.compile(r'[^:"]*(?:"[^"]*"[^:"]*)*:')
# Control characters, marks of direction, and what is no character at all.
UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]+"
)
ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)

# Who is invited: kept of those who declined only, to know the owner among them.
GUEST: Final = "ATTENDEE"
DECLINED: Final = "DECLINED"

TEXTS: Final = frozenset(
    (
        *("CALSCALE", "METHOD", "NAME", "PRODID", "X-WR-CALNAME", "X-WR-TIMEZONE"),
        *("UID", "SEQUENCE", "SUMMARY", "STATUS", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"),
        *("DURATION", "RRULE", "EXRULE", "PRIORITY"),
        *("TZID", "TZOFFSETFROM", "TZOFFSETTO", "X-LIC-LOCATION"),
    )
)
TIMES: Final = frozenset(
    ("DTSTART", "DTEND", "DTSTAMP", "EXDATE", "RDATE", "RECURRENCE-ID", "FREEBUSY")
)


@dataclass(frozen=True, slots=True)
class Line:
    """A property: its parameters (names in capitals) and its value as it is written."""

    parameters: dict[str, str]
    value: str


@dataclass(slots=True)
class Part:
    """A component: its lines by name, in order, and the parts inside."""

    kind: str
    lines: dict[str, list[Line]] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)

    def all(self, name: str) -> list[Line]:
        return self.lines.get(name, [])

    def first(self, name: str) -> Line | None:
        found = self.lines.get(name)
        return found[0] if found else None

    def text(self, name: str, longest: int = limits.LONGEST_TITLE) -> str:
        """The value of a property as one clean line of text; empty where there is none."""
        line = self.first(name)
        return clean(line.value, longest) if line else ""

    @property
    def written_on(self) -> dt.date | None:
        """The date that the part begins on, as it is written: good enough to name it by."""
        line = self.first("DTSTART")
        digits = line.value[:8] if line else ""
        if not (digits.isascii() and digits.isdecimal()):
            return None
        try:
            return dt.date.fromisoformat(digits)
        except ValueError:
            return None

    def declined_by(self, owner: str) -> bool:
        """Whether the guest with this address has declined."""
        return any(
            line.parameters.get("PARTSTAT", "").upper() == DECLINED
            and line.value.lower().removeprefix("mailto:") == owner.lower()
            for line in self.all(GUEST)
        )

    def word(self, name: str) -> str:
        return self.text(name).upper()


def calendars_in(content: bytes, also: Collection[str] = ()) -> list[Part]:
    """The calendars of a file, at least one; raises `Unreadable`.

    `also` are properties to keep besides those of events.
    """
    if len(content) > limits.MOST_BYTES:
        raise Unreadable(Fault.TOO_LARGE, most=limits.MOST_BYTES // 1024)
    if not content.strip(b"\x00\t\r\n "):
        raise Unreadable(Fault.EMPTY)
    calendars = [part for part in _parts(_lines(content), also) if part.kind == "VCALENDAR"]
    if not calendars:
        raise Unreadable(Fault.NOT_ONE)
    if any(part.word("CALSCALE") not in ("", "GREGORIAN") for part in calendars):
        raise Unreadable(Fault.NOT_GREGORIAN)
    return calendars


def clean(value: str, longest: int) -> str:
    """A text without its escapes, line breaks and unseen characters, cut at `longest`."""
    # What is cut off afterwards need not be cleaned: a line may be as long as the file.
    unescaped = ESCAPED.sub(_unescaped, value[: 4 * longest])
    return UNSEEN.sub(" ", unescaped).strip()[:longest]


def _unescaped(match: re.Match[str]) -> str:
    return " " if match[1] in "nN" else match[1]


def _lines(content: bytes) -> list[str]:
    """Unfolded lines. Unfolding comes first: a fold may stand in the middle of a character."""
    folded = _as_utf8(content).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    unfolded = re.sub(rb"\n{2,}", b"\n", folded).replace(b"\n ", b"").replace(b"\n\t", b"")
    try:
        return unfolded.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return [_decoded(line) for line in unfolded.split(b"\n")]


def _as_utf8(content: bytes) -> bytes:
    if content.startswith(codecs.BOM_UTF8):
        return content[len(codecs.BOM_UTF8) :]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace").encode()
    if content.startswith((b"B\0E\0", b"\0B\0E")):
        encoding = "utf-16-le" if content[1] == 0 else "utf-16-be"
        return content.decode(encoding, "replace").encode()
    return content


def _decoded(line: bytes) -> str:
    """A line of a file that is not all UTF-8; what is none at all comes from an old Windows."""
    try:
        # Java writes an emoji as two halves, each as if it were a character.
        halves = line.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")
    return halves.decode("utf-16", "replace")


def _parts(lines: list[str], also: Collection[str]) -> list[Part]:
    """The parts of the file, each with those inside it."""
    root = Part("")
    stack = [root]
    # All but the calendar that holds the others.
    others = -1
    for line, name in _named(lines, also):
        if name == "BEGIN":
            others += 1
            if others > limits.MOST_COMPONENTS:
                raise Unreadable(Fault.TOO_MANY_PARTS, most=limits.MOST_COMPONENTS)
            if len(stack) > limits.DEEPEST:
                raise Unreadable(Fault.TOO_DEEP, most=limits.DEEPEST)
            part = Part(_kind(line))
            stack[-1].parts.append(part)
            stack.append(part)
        elif name == "END":
            if stack[-1].kind == _kind(line):
                stack.pop()
            elif len(stack) > 1:
                raise Unreadable(Fault.BROKEN)
        elif len(stack) > 1:
            stack[-1].lines.setdefault(name, []).append(_line(line, name))
    if len(stack) > 1:
        raise Unreadable(Fault.CUT_OFF)
    return root.parts


def _named(lines: list[str], also: Collection[str]) -> Iterator[tuple[str, str]]:
    """The lines that Relais reads, with their names."""
    for line in lines:
        match = NAME.match(line)
        if match is None:
            continue
        name = match[1].upper()
        wanted = name in TEXTS or name in TIMES or name in ("BEGIN", "END") or name in also
        if wanted or (name == GUEST and DECLINED in line.upper()):
            yield line, name


def _kind(line: str) -> str:
    return line.partition(":")[2].strip().upper()[:40]


def _line(line: str, name: str) -> Line:
    if name in TIMES:
        # Outlook's names of zones have colons, not always in quotes; times have none.
        head, _, value = line.rpartition(":")
    else:
        match = UP_TO_TEXT.match(line)
        end = match.end() if match else line.find(":") + 1
        head, value = line[: end - 1] if end else line, line[end:]
    parameters = {
        key.upper(): quoted or plain.strip() for key, quoted, plain in PARAMETER.findall(head)
    }
    return Line(parameters, value.strip())
