"""Which reader a file is for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from scheduler.oncall.readers import (
    cda_cr_bio,
    decoding,
    hl7_oru,
    hprim_medecin,
    hprim_sante,
    identities,
    limits,
)
from scheduler.oncall.readers.faults import Fault, Unreadable
from scheduler.oncall.readers.values import LabReport

# Documents that are to be looked at: PDF, pictures, archives (of office documents too), RTF.
_DOCUMENTS: Final = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"II*\x00",
    b"MM\x00*",
    b"PK\x03\x04",
    b"{\\rtf",
    b"\xd0\xcf\x11\xe0",
)
_HL7: Final = re.compile(r"(?:MSH|FHS|BHS)[^\w\s]")
_HPRIM: Final = re.compile(r"H[^\w\s][^\w\s]")


def read(content: bytes) -> LabReport:
    """What a laboratory's file says; raises `Unreadable`, and nothing else."""
    if len(content) > limits.MOST_BYTES:
        raise Unreadable(Fault.TOO_LARGE, most=limits.MOST_BYTES // limits.MEGABYTE)
    try:
        return understood(content)
    except Unreadable:
        raise
    # A mistake of a reader must not lose a result: the file is quarantined, and so owned.
    except Exception as error:
        raise Unreadable(Fault.BROKEN) from error


def understood(content: bytes) -> LabReport:
    """What a file says; an error that is not `Unreadable` is a mistake of the readers."""
    if content.startswith(_DOCUMENTS):
        raise Unreadable(Fault.DOCUMENT)
    return identities.without_numbers(_reader(decoding.decoded(content))(content))


def _reader(text: str) -> Callable[[bytes], LabReport]:
    begins = text.lstrip()
    if not begins:
        raise Unreadable(Fault.EMPTY)
    if _HL7.match(begins):
        return hl7_oru.read
    if _HPRIM.match(begins):
        return hprim_sante.read
    if begins.startswith("<"):
        return cda_cr_bio.read
    if hprim_medecin.has_marks(text):
        return hprim_medecin.read
    raise Unreadable(Fault.UNKNOWN_FORMAT)
