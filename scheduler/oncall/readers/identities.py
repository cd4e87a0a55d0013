"""People: their names and sex as files write them, and numbers that Relais must not keep.

The French identity numbers are the NIR (13 characters, 15 with its key; an INS-NIR is one) and
the older calculated INS-C (22 digits). Whatever has their form is dropped, even where the key is
wrong: a number typed badly is as personal. A lab's own number that happens to have the form is
lost, and a report does not need it.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Final

from scheduler.oncall.readers.values import LabReport, Result

# The national root of INS numbers, real, of test and calculated.
INS_ROOT: Final = "1.2.250.1.213.1.4."
_SEPARATORS: Final = re.compile(r"[\s.\-_/]")
# Sex, year, month (or the fictitious ones of unknown births), department, town and rank, key.
_NIR: Final = re.compile(
    r"[1-478]\d{2}(?:0[1-9]|1[0-2]|[2-9]\d)(?:\d{2}|2[AB])\d{6}(?:\d{2})?", re.IGNORECASE
)
_INS_C: Final = re.compile(r"\d{22}")
# A NIR in running text: with its key, alone or spaced as on the card.
_SPACED: Final = re.compile(
    r"(?<![\w.,])[1-478] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"
    r"(?![\w])",
    re.IGNORECASE,
)
_SEXES: Final = {"M": "M", "F": "F", "O": "O", "UN": "O"}
_PLACEHOLDER: Final = re.compile(r"[\s._\-]*")


def squeezed(text: str | None) -> str | None:
    """A field in one line, without the spaces around it; None for an empty one."""
    return " ".join((text or "").split()) or None


def cleaned(text: str | None) -> str | None:
    """A line of a header, where a lone dot or dash fills an empty place.

    In a result they may be a value, or a flag: there nothing but `squeezed` is safe.
    """
    text = squeezed(text)
    return None if text is None or _PLACEHOLDER.fullmatch(text) else text


def sex(code: str | None) -> str | None:
    """M, F or O; None for what is unknown."""
    return _SEXES.get((code or "").strip().upper())


def reference(number: str | None) -> str | None:
    """A patient's number, unless it could be a NIR or an INS."""
    kept = cleaned(number)
    if kept is None:
        return None
    bare = _SEPARATORS.sub("", kept)
    return None if _NIR.fullmatch(bare) or _INS_C.fullmatch(bare) else kept


def order(number: str | None) -> str | None:
    """An order's number, unless it is a NIR with its right key.

    An order is no person, and many have thirteen digits: only the key tells them apart.
    """
    kept = cleaned(number)
    return None if kept is None or _has_key(_SEPARATORS.sub("", kept)) else kept


def without_numbers(report: LabReport) -> LabReport:
    """The report with each NIR that its words contain replaced by what it was."""
    return dataclasses.replace(
        report,
        text=_masked(report.text),
        results=tuple(_masked_result(each) for each in report.results),
    )


def _masked_result(result: Result) -> Result:
    return dataclasses.replace(result, value=_masked(result.value), comment=_masked(result.comment))


def _masked(text: str | None) -> str | None:
    if text is None:
        return None
    return _SPACED.sub(lambda found: "[NIR]" if _has_key(found[0]) else found[0], text)


def _has_key(number: str) -> bool:
    bare = number.replace(" ", "").upper()
    if len(bare) != 15 or not _NIR.fullmatch(bare):
        return False
    # Corsica: the letter counts as a digit, and the number is taken down by a million or two.
    digits = bare[:13].replace("2A", "19", 1) if bare[5:7] == "2A" else bare[:13]
    digits = digits[:5] + "18" + digits[7:] if bare[5:7] == "2B" else digits
    return 97 - int(digits) % 97 == int(bare[13:])
