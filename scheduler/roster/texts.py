"""The short texts that people type beside what they do."""

from __future__ import annotations

from typing import Final

from scheduler.core.errors import InvalidInput

LONGEST_REASON: Final = 255


def reason_of(text: str, field: str = "reason") -> str:
    """A reason on one line, without the space around it; `InvalidInput` where it is too long."""
    text = " ".join(text.split())
    if len(text) > LONGEST_REASON:
        raise InvalidInput("reason_too_long", field=field, most=LONGEST_REASON)
    return text
