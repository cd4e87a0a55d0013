"""From a template and plain data to a paper.

The data go in as one JSON input that the template parses: what people typed is text and never
markup. Only the fonts of the wheel are used and no date is written into the file, so the same
data make the same bytes on every machine. The PDF is tagged (PDF/UA-1), which allows no character
that no font shows (`showing`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import typst

from scheduler.documents.showing import displayable, latin

TEMPLATES: Final = Path(__file__).parent / "templates"


def pdf(template: str, data: Mapping[str, Any]) -> bytes:
    """The paper as PDF. A character that no font shows is replaced: there is a paper always."""
    try:
        return _pdf(template, data)
    except typst.TypstError:
        pass
    try:
        return _pdf(template, displayable(data))
    except typst.TypstError:
        return _pdf(template, latin(data))


def _pdf(template: str, data: Mapping[str, Any]) -> bytes:
    return _compiled(template, data, "pdf", pdf_standards=["ua-1"])


def png(template: str, data: Mapping[str, Any], ppi: float = 100) -> bytes:
    """The paper's only page as a picture, for eyes."""
    return _compiled(template, data, "png", ppi=ppi)


def _compiled(
    template: str, data: Mapping[str, Any], form: Literal["pdf", "png"], **options: Any
) -> bytes:
    found = typst.compile(
        str(TEMPLATES / f"{template}.typ"),
        root=str(TEMPLATES),
        format=form,
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        **options,
    )
    if not isinstance(found, bytes):
        raise TypeError(f"{template} has more than one page")
    return found
