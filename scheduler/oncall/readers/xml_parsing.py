"""XML from strangers: bounded while it is parsed, without document types or entities."""

from __future__ import annotations

import re
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from scheduler.oncall.readers import decoding, limits
from scheduler.oncall.readers.faults import Fault, Unreadable

_DECLARATION: Final = re.compile(
    rb"^[^<]{0,20}<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:\-]{1,40})"
)
_HL7_NAME: Final = {"ISO-8859-15": "8859/15", "ISO-8859-2": "8859/2"}


class _Bounded(TreeBuilder):
    """Builds the tree, and stops where it grows beyond any report."""

    def __init__(self) -> None:
        super().__init__()
        self._elements = 0
        self._attributes = 0
        self._depth = 0

    def start(self, tag: Any, attrs: Any, /) -> Any:
        self._elements += 1
        self._attributes += len(attrs)
        self._depth += 1
        if self._depth > limits.DEEPEST:
            raise Unreadable(Fault.TOO_DEEP)
        if self._elements > limits.MOST_ELEMENTS or self._attributes > limits.MOST_ATTRIBUTES:
            raise Unreadable(Fault.TOO_MANY_PARTS)
        return super().start(tag, attrs)

    def end(self, tag: Any, /) -> Any:
        self._depth -= 1
        return super().end(tag)


def parsed(content: bytes) -> Element:
    """The root of a document; raises `Unreadable`."""
    declared = _DECLARATION.match(content)
    name = declared[1].decode().upper() if declared else ""
    text = decoding.decoded(content, _HL7_NAME.get(name))
    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True)
    try:
        # Text that was decoded here: what the declaration says of bytes is over.
        parser.feed(text.lstrip())
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise Unreadable(Fault.XML_DTD) from error
    except ParseError as error:
        raise Unreadable(Fault.XML) from error
    return root
