"""From bytes to text and lines, for files whose sender may not say how they are written."""

from __future__ import annotations

import codecs
import re
from typing import Final

from scheduler.oncall.readers import limits
from scheduler.oncall.readers.faults import Fault, Unreadable

# HL7's names of character sets (table 0211) that are one byte a character, as Python knows them.
_DECLARED: Final = {
    "8859/2": "iso8859-2",
    "8859/3": "iso8859-3",
    "8859/4": "iso8859-4",
    "8859/5": "iso8859-5",
    "8859/7": "iso8859-7",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
}
# Ends of a file on old systems, and what frames a message on a wire (MLLP).
_AROUND: Final = "\x00\x1a\x1c\x0b"
# é, É, ü of DOS, and è ê ç ï ô between small letters, are in Windows nothing at all, or marks
# and capitals that do not stand there.
_DOS: Final = re.compile(
    rb"[A-Za-z][\x81\x82\x90]|[\x81\x82\x90][A-Za-z]|[a-z][\x87\x88\x8a\x8b\x93][a-z]"
)
_WINDOWS: Final = re.compile(rb"[A-Za-z][\xe0-\xe5\xe7-\xef\xf4\xf9-\xfc]")
# After decoding: tabulator and ends of lines are text, a form feed is an end of a page.
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffe\uffff]")
# From the first zero of a run on: a run is looked at once.
_PADDING: Final = re.compile(r"(?<!\x00)\x00++(?=[\r\n|]|\Z)")
_BREAK: Final = re.compile(r"\r\n|\n\r(?!\n)|\r|\n")


def decoded(content: bytes, declared: str | None = None) -> str:
    """The text of a file.

    A byte order mark decides; then whatever is valid UTF-8 is UTF-8, since French in another
    encoding never is; then what the file itself declares; then the old code page of DOS where
    its accents stand inside words; else Windows-1252, of which Latin-1 is a part. Zero bytes that
    pad a field are dropped; any other byte that is no text quarantines.
    """
    text = _unframed(_text(content, declared))
    text = _PADDING.sub("", text).replace("\x0b", "\n").replace("\x0c", "\n").replace("\x85", "\n")
    if _NO_TEXT.search(text):
        raise Unreadable(Fault.BINARY)
    if max(text.count("\n"), text.count("\r")) > limits.MOST_LINES:
        raise Unreadable(Fault.TOO_MANY_PARTS)
    return text


def _unframed(text: str) -> str:
    """A text without what framed and padded it; its own last end of line stays."""
    text = text.lstrip(_AROUND + "\ufeff")
    body = text.rstrip(_AROUND + "\r\n")
    return body + "".join(end for end in text[len(body) :] if end not in _AROUND)


def lines(text: str) -> list[str]:
    """The lines of a text, however they end; no character but these ends a line."""
    return _BREAK.split(text)


def _text(content: bytes, declared: str | None) -> str:
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return _strictly(content, encoding)
    try:
        return content.decode()
    except UnicodeDecodeError:
        return _of_one_byte(content, (declared or "").strip().upper())


def _of_one_byte(content: bytes, declared: str) -> str:
    if declared in _DECLARED:
        return _strictly(content, _DECLARED[declared])
    if declared.startswith(("ISO IR", "GB", "KS", "BIG", "CNS", "JIS")):
        raise Unreadable(Fault.CHARACTERS)
    if _DOS.search(content) and not _WINDOWS.search(content):
        return content.decode("cp850")
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        # Five bytes mean nothing in Windows-1252; among letters they are damage.
        raise Unreadable(Fault.BINARY) from None


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise Unreadable(Fault.BINARY) from None
