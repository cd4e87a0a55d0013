"""An e-mail of a letter: the text as it is, and the same as HTML, made by one layout.

Both say why the letter came (its own last paragraph) and how to stop it. No image, no script, no
address but the letter's own; every style stands in the element, or in the one block for dark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from scheduler.core.outbox import Letter

LAYOUT: Final = "letter.html"
ADDRESS: Final = re.compile(r"https?://[^\s<>]+")
# « Voir la semaine : https://… » is a button with the words before the colon.
CALL: Final = re.compile(r"(?P<words>[^\n:]+?)[\s\u00a0\u202f]*:\s*(?P<address>https?://\S+)")
STOP: Final = {
    "fr": "Ne plus recevoir ces e-mails",
    "en": "Stop these e-mails",
}
COLON: Final = {"fr": " : ", "en": ": "}

_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph as it is shown: `kind` is text, list, quote (indented) or button."""

    kind: str
    lines: tuple[Markup, ...]
    address: str = ""


def plain(letter: Letter) -> str:
    """The text of an e-mail, with the line that says how to stop its like."""
    if letter.stop is None:
        return letter.text
    return f"{letter.text}{STOP[letter.language]}{COLON[letter.language]}{letter.stop}\n"


def html(letter: Letter) -> str:
    """The same as HTML."""
    *parts, reason = re.split(r"\n\s*\n", letter.text.strip("\n"))
    return _ENVIRONMENT.get_template(LAYOUT).render(
        letter=letter,
        blocks=[_block(part) for part in parts],
        reason=_linked(reason),
        stop_words=STOP[letter.language],
    )


def _block(part: str) -> Block:
    lines = part.split("\n")
    call = CALL.fullmatch(part.strip())
    if call is not None:
        return Block("button", (escape(call["words"]),), call["address"])
    if all(line.startswith("  ") for line in lines):
        items = re.split(r"^\s*- ", part, flags=re.MULTILINE)
        if len(items) > 1:
            return Block("list", tuple(_linked(item.strip()) for item in items if item.strip()))
        return Block("quote", tuple(_linked(line.strip()) for line in lines))
    return Block("text", tuple(_linked(line.strip()) for line in lines))


def _linked(line: str) -> Markup:
    """A line, escaped, its addresses made into links."""
    found, last = Markup(), 0
    for match in ADDRESS.finditer(line):
        address = match[0].rstrip(".,;")
        found += escape(line[last : match.start()])
        found += Markup('<a href="{0}">{0}</a>').format(address)
        last = match.start() + len(address)
    return Markup("<br>").join((found + escape(line[last:])).split("\n"))
