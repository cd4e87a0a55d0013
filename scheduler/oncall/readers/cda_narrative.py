"""The part of a CDA document that is written for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from scheduler.oncall.readers import limits
from scheduler.oncall.readers.faults import Fault, Unreadable

V3: Final = "{urn:hl7-org:v3}"
NS: Final = {"": "urn:hl7-org:v3", "lab": "urn:oid:1.3.6.1.4.1.19376.1.3.2"}
_ROWS: Final = frozenset({"tr", "paragraph", "item", "list", "table", "caption", "thead", "tbody"})
_CELLS: Final = frozenset({"td", "th"})


class Narrative:
    """The words of a document, as a whole and by the names that its entries refer to."""

    def __init__(self, body: Element) -> None:
        self._body = body
        self._repeated = 0
        self._named = {
            name: element
            for text in body.iter(f"{V3}text")
            for element in text.iter()
            if (name := element.get("ID"))
        }

    def named(self, reference: str | None) -> str | None:
        """The words that `#name` refers to.

        Results may refer to the same words, or to words within each other's: a document that
        repeats itself so beyond the size of any report is refused.
        """
        element = self._named.get((reference or "").removeprefix("#"))
        words = None if element is None else one_line(element)
        self._repeated += len(words or "")
        if self._repeated > limits.MOST_BYTES:
            raise Unreadable(Fault.TOO_MANY_PARTS)
        return words

    def of(self, element: Element | None) -> str | None:
        """The words of an element of an entry: its own, or those it refers to."""
        if element is None:
            return None
        reference = element.find("reference", NS)
        referred = None if reference is None else self.named(reference.get("value"))
        return referred or one_line(element)

    def whole(self) -> str | None:
        """All sections, each with its title."""
        paragraphs: list[str] = []
        for section in self._body.iter(f"{V3}section"):
            title, text = section.find("title", NS), section.find("text", NS)
            heading = None if title is None else one_line(title)
            paragraphs += [heading] if heading else []
            paragraphs += [] if text is None else list(_lines(text))
        return "\n".join(paragraphs) or None


def one_line(element: Element) -> str | None:
    """All words of an element in one line."""
    return " ".join(" ".join(element.itertext()).split()) or None


def _lines(text: Element) -> Iterator[str]:
    """The lines of a narrative: rows of tables with a bar between cells, paragraphs, breaks."""
    for line in "".join(_pieces(text)).split("\n"):
        words = " ".join(line.split()).strip("| ")
        if words:
            yield words


def _pieces(element: Element) -> Iterator[str]:
    name = element.tag.removeprefix(V3)
    yield "\n" if name in _ROWS or name == "br" else " | " if name in _CELLS else " "
    yield " ".join((element.text or "").split())
    for child in element:
        yield from _pieces(child)
        yield " " + " ".join((child.tail or "").split())
    yield "\n" if name in _ROWS else ""
