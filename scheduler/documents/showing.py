"""What the fonts of the wheel can show, and what a text becomes when they cannot.

A tagged paper must not hold a character that no font draws: Typst refuses the whole document for
one emoji. A paper without the emoji is better than none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import typst

# Stands for a letter that no font shows; marks, pictures and controls are left out without a word.
UNKNOWN: Final = "□"
_PROBE: Final = (
    b'#set document(title: "-", date: none)\n'
    b'#set text(font: "Libertinus Serif")\n'
    b"- #sys.inputs.text"
)
_LAST_LATIN: Final = 0x024F


def displayable(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data with only those characters in their texts that a font of the wheel shows."""
    return {key: _each_text(value, _displayable_text) for key, value in data.items()}


def latin(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data with Latin letters and common signs only, which every font shows."""
    return {key: _each_text(value, _latin_text) for key, value in data.items()}


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _each_text(each, change) for key, each in value.items()}
    if isinstance(value, list):
        return [_each_text(each, change) for each in value]
    return value


def _displayable_text(text: str) -> str:
    return _with_only(unicodedata.normalize("NFC", text), _has_glyph)


def _latin_text(text: str) -> str:
    return _with_only(unicodedata.normalize("NFKC", text), _is_latin)


def _with_only(text: str, shown: Callable[[str], bool]) -> str:
    kept = "".join(char if shown(char) else _instead_of(char) for char in text)
    if kept == text:
        return text
    # What is gone leaves no hole.
    lines = (" ".join(filter(None, line.split(" "))) for line in kept.split("\n"))
    return "\n".join(lines).strip() or UNKNOWN


def _instead_of(char: str) -> str:
    return UNKNOWN if unicodedata.category(char).startswith("L") else ""


def _is_latin(char: str) -> bool:
    if char in "\n\t" or char == UNKNOWN:
        return True
    if unicodedata.category(char) in {"Cc", "Cf", "Cn"}:
        return False
    # French is written with dashes, quotation marks and narrow spaces too.
    return ord(char) <= _LAST_LATIN or 0x2000 <= ord(char) <= 0x2026 or char in "\u202f€"


@lru_cache(maxsize=4096)
def _has_glyph(char: str) -> bool:
    if _is_latin(char):
        return True
    try:
        typst.compile(
            _PROBE,
            format="pdf",
            ignore_system_fonts=True,
            pdf_standards=["ua-1"],
            sys_inputs={"text": char},
        )
    except typst.TypstError:
        return False
    return True
