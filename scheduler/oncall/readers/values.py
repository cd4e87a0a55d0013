"""What every reader answers: a `LabReport`."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass, field
from typing import Any


class Format(enum.StrEnum):
    """The formats that Relais reads."""

    HPRIM_MEDECIN = "hprim-medecin"
    HPRIM_SANTE = "hprim-sante"
    HL7_ORU = "hl7-oru"
    CDA_CR_BIO = "cda-cr-bio"


class Status(enum.StrEnum):
    """What the lab says its report is."""

    FINAL = "final"
    PARTIAL = "partial"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Whom the report is about, as the lab knows them.

    `family` is the name that the file puts first. `sex` is M, F or O. `reference` is the lab's or
    the sender's own number; a number that could be a NIR or an INS never stands in it.
    """

    family: str
    given: str | None = None
    birth_date: dt.date | None = None
    sex: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line of a report.

    `value` is what the lab wrote, a decimal comma turned into a point; its `comparator` (<, <=,
    >, >=) stands beside it. `low` and `high` are the lab's reference for this patient. `flag` is
    one of L, LL, H, HH, A, AA, or the lab's own word where it is none of these (`flags`); None
    means that the lab flagged nothing, and says nothing about the value. `comment` holds the
    lab's remarks, and what of its line has no other place: a second unit, a reference in words.
    """

    code: str | None = None
    label: str | None = None
    value: str | None = None
    comparator: str | None = None
    unit: str | None = None
    low: str | None = None
    high: str | None = None
    flag: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabReport:
    """What one file says. None wherever it says nothing.

    `issued_at` is a date where the file gives no time; a time without a zone is one of Paris.
    Only CDA numbers its versions: elsewhere `version` is None, and reports on the same order are
    told apart by their status and date. `series` is what all versions of one document have in
    common and other documents on the same order have not (CDA's setId). `prescriber` is the
    recipient in HPRIM Médecin, which knows no other doctor.
    """

    format: Format
    patient: Patient
    lab: str | None = None
    order: str | None = None
    version: str | None = None
    series: str | None = None
    issued_at: dt.datetime | dt.date | None = None
    status: Status | None = None
    prescriber: str | None = None
    results: tuple[Result, ...] = field(default=())
    text: str | None = None

    def as_json(self) -> dict[str, Any]:
        """What `app.py labs read` prints."""
        return {
            "format": self.format.value,
            "lab": self.lab,
            "order": self.order,
            "version": self.version,
            "issued_at": self.issued_at.isoformat() if self.issued_at else None,
            "status": self.status.value if self.status else None,
            "prescriber": self.prescriber,
            "patient": {
                "family": self.patient.family,
                "given": self.patient.given,
                "birth_date": _iso(self.patient.birth_date),
                "sex": self.patient.sex,
                "reference": self.patient.reference,
            },
            "results": [
                {
                    "code": each.code,
                    "label": each.label,
                    "value": each.value,
                    "comparator": each.comparator,
                    "unit": each.unit,
                    "low": each.low,
                    "high": each.high,
                    "flag": each.flag,
                    "comment": each.comment,
                }
                for each in self.results
            ],
            "text": self.text,
        }


def _iso(date: dt.date | None) -> str | None:
    return date.isoformat() if date else None
