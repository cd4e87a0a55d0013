"""What a report is, from the letters at its batteries and results (HL7 tables 0085 and 0123)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from scheduler.oncall.readers.values import Status

# What the lab takes back: the value that stands there is not to be read.
WITHDRAWN: Final = frozenset("DW")
_CORRECTED: Final = frozenset("C") | WITHDRAWN
_AWAITED: Final = frozenset("APRSIO")
_GONE: Final = frozenset("X") | WITHDRAWN
_FINAL: Final = frozenset("FUV")


def combined(batteries: Iterable[str | None], results: Iterable[str | None]) -> Status | None:
    """The status of a whole report.

    It is cancelled where nothing of it is left and nothing awaited; else a correction anywhere
    makes it corrected, since somebody has to look again; else anything awaited makes it partial.
    """
    of_batteries = _letters(batteries)
    of_results = _letters(results)
    said = of_batteries | of_results
    if not said:
        return None
    if (of_results or of_batteries) <= _GONE and not of_batteries & _AWAITED:
        return Status.CANCELLED
    if said & _CORRECTED:
        return Status.CORRECTED
    if said & _AWAITED:
        return Status.PARTIAL
    return Status.FINAL if said & _FINAL else None


def _letters(codes: Iterable[str | None]) -> set[str]:
    return {code.strip().upper() for code in codes if code and code.strip()}
