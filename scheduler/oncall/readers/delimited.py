"""Segments of fields, repetitions, components and subcomponents: HL7 v2 and HPRIM Santé.

Both take a segment apart by delimiters that the sender declares, in the same order: component,
repetition, escape, subcomponent. But what HL7 usually writes ^~ is usually ~^ in HPRIM.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scheduler.oncall.readers import limits
from scheduler.oncall.readers.faults import Fault, Unreadable
from scheduler.oncall.readers.identities import squeezed

# Pieces of text by field, repetition, component and subcomponent.
Component = Sequence[str]
Repetition = Sequence[Component]
Field = Sequence[Repetition]
# What HL7 writes for "nothing, and forget what you knew".
_NULL: Final = '""'


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The characters that a message declares for itself."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str

    def check(self) -> None:
        """Raise `Unreadable` where they cannot be told apart from each other or from text."""
        used = [mark for mark in self._all() if mark]
        if len(set(used)) != len(used) or any(m.isalnum() or m.isspace() for m in used):
            raise Unreadable(Fault.DELIMITERS)

    def require_few(self, text: str) -> None:
        """Raise `Unreadable` where the text would fall into too many pieces."""
        if sum(text.count(mark) for mark in self._all() if mark) > limits.MOST_SEPARATORS:
            raise Unreadable(Fault.TOO_MANY_PARTS)

    def _all(self) -> tuple[str, ...]:
        return (self.field, self.component, self.repetition, self.escape, self.subcomponent)


class Segment:
    """One line of a message. Fields are counted from 1, as the norms do after the name."""

    def __init__(
        self, name: str, fields: Sequence[Field], delimiters: Delimiters, line: int
    ) -> None:
        self.name = name
        self.line = line
        self._fields = fields
        self._delimiters = delimiters

    def __len__(self) -> int:
        return len(self._fields)

    def part(
        self, field: int, component: int = 1, *, repetition: int = 0, subcomponent: int = 0
    ) -> str | None:
        """A component as words: its first subcomponent, or the one asked for, or None."""
        parts = self._repetition(field, repetition)
        pieces = parts[component - 1] if len(parts) >= component else ()
        return self._said(pieces[subcomponent]) if len(pieces) > subcomponent else None

    def components(self, field: int) -> list[str]:
        """The components of a field, as they stand."""
        marks = self._delimiters
        return [
            unescaped(marks.subcomponent.join(pieces), marks).strip()
            for pieces in self._repetition(field, 0)
        ]

    def repetitions(self, field: int) -> int:
        """How often a field is there."""
        return len(self._fields[field - 1]) if len(self._fields) >= field else 0

    def whole(self, field: int, repetition: int = 0) -> str:
        """A repetition with its delimiters, for texts whose sender did not escape them."""
        marks = self._delimiters
        text = marks.component.join(
            marks.subcomponent.join(pieces) for pieces in self._repetition(field, repetition)
        )
        return "" if text.strip() == _NULL else unescaped(text, marks)

    def every(self, field: int, joint: str | None = None) -> str:
        """All repetitions of a field, joined as they stood or by `joint`."""
        joint = self._delimiters.repetition if joint is None else joint
        return joint.join(self.whole(field, at) for at in range(self.repetitions(field)))

    def _repetition(self, field: int, repetition: int) -> Repetition:
        if repetition >= self.repetitions(field):
            return ()
        return self._fields[field - 1][repetition]

    def _said(self, piece: str) -> str | None:
        return None if piece.strip() == _NULL else squeezed(unescaped(piece, self._delimiters))


def split(text: str, delimiters: Delimiters, line: int) -> Segment:
    """A segment of HPRIM, which no library takes apart."""
    name, *fields = text.split(delimiters.field)
    return Segment(
        name,
        [
            [
                [
                    _parts(component, delimiters.subcomponent)
                    for component in _parts(repetition, delimiters.component)
                ]
                for repetition in _parts(field, delimiters.repetition)
            ]
            for field in fields
        ],
        delimiters,
        line,
    )


def unescaped(text: str, delimiters: Delimiters) -> str:
    """What a text means once its escape sequences are read, from left to right, each once.

    Delimiters, bytes in hexadecimal and ends of lines are read, formatting is dropped; what is
    no sequence of the norm, a lone escape character above all, stays as it is.
    """
    mark = delimiters.escape
    if not mark or mark not in text:
        return text
    known = {
        "F": delimiters.field,
        "S": delimiters.component,
        "R": delimiters.repetition,
        "T": delimiters.subcomponent,
        "E": mark,
        "H": "",
        "N": "",
    }

    def meaning(found: re.Match[str]) -> str:
        sequence = found[1]
        if sequence in known:
            return known[sequence]
        if sequence.startswith("X"):
            return _of_bytes(bytes.fromhex(sequence[1:]))
        return "\n" if sequence[1:3] in _NEW_LINES else ""

    return _sequences(mark).sub(meaning, text)


_NEW_LINES: Final = frozenset({"br", "sp", "ce"})


@functools.lru_cache
def _sequences(mark: str) -> re.Pattern[str]:
    mark = re.escape(mark)
    return re.compile(
        rf"{mark}([FSRTEHN]|X(?:[0-9A-Fa-f]{{2}}){{1,200}}|\.[a-z]{{2}}\s?[+-]?\d{{0,3}}){mark}"
    )


def _of_bytes(content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        character for character in text if character.isprintable() or character in "\n\t"
    )


def _parts(text: str, mark: str) -> list[str]:
    return text.split(mark) if mark else [text]
