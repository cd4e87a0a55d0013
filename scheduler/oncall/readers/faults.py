"""Why a file is quarantined. No fault carries anything that the file says about a patient."""

from __future__ import annotations

import enum
from typing import Final

from scheduler.core.errors import InvalidInput


class Fault(enum.StrEnum):
    """The codes of `Unreadable`."""

    EMPTY = "lab_file_empty"
    TOO_LARGE = "lab_file_too_large"
    TOO_MANY_PARTS = "lab_file_too_many_parts"
    TOO_DEEP = "lab_file_too_deep"
    UNKNOWN_FORMAT = "lab_file_unknown_format"
    DOCUMENT = "lab_file_document"
    BINARY = "lab_file_binary"
    CHARACTERS = "lab_file_characters"
    NOT_RESULTS = "lab_file_not_results"
    NO_RESULTS = "lab_file_no_results"
    SEVERAL_REPORTS = "lab_file_several_reports"
    SEVERAL_PATIENTS = "lab_file_several_patients"
    NO_PATIENT = "lab_file_no_patient"
    CUT_OFF = "lab_file_cut_off"
    HEADER = "lab_file_header"
    DELIMITERS = "lab_file_delimiters"
    LINE = "lab_file_line"
    RESULT = "lab_file_result"
    NUMBER = "lab_file_number"
    BIRTH_DATE = "lab_file_birth_date"
    ISSUED_AT = "lab_file_issued_at"
    XML = "lab_file_xml"
    XML_DTD = "lab_file_xml_dtd"
    BROKEN = "lab_file_broken"


SENTENCES: Final = {
    Fault.EMPTY: "The file is empty.",
    Fault.TOO_LARGE: "The file is larger than {most} MB.",
    Fault.TOO_MANY_PARTS: "The file has more lines, fields or results than any report.",
    Fault.TOO_DEEP: "The file is nested deeper than any report.",
    Fault.UNKNOWN_FORMAT: "The file is in none of the formats that Relais reads.",
    Fault.DOCUMENT: "The report is a document inside or instead of a file of results: "
    "it has to be read by eye.",
    Fault.BINARY: "The file holds bytes that are no text.",
    Fault.CHARACTERS: "The file is written in a character set that Relais does not know.",
    Fault.NOT_RESULTS: "The file is a message of another kind than laboratory results.",
    Fault.NO_RESULTS: "The file holds neither a result nor a text.",
    Fault.SEVERAL_REPORTS: "The file holds several reports: the lab has to send one a file.",
    Fault.SEVERAL_PATIENTS: "The file names several patients: the lab has to send one a file.",
    Fault.NO_PATIENT: "The file does not name its patient.",
    Fault.CUT_OFF: "The file ends before its end mark: a part is missing.",
    Fault.HEADER: "The lines of the header are not where the format has them.",
    Fault.DELIMITERS: "The header declares no usable delimiters.",
    Fault.LINE: "Line {line} is none that the format allows.",
    Fault.RESULT: "The result on line {line} is broken.",
    Fault.NUMBER: "The result on line {line} is said to be a number and is none.",
    Fault.BIRTH_DATE: "The patient's date of birth cannot be read.",
    Fault.ISSUED_AT: "The date of the report cannot be read.",
    Fault.XML: "The file is no well-formed XML document.",
    Fault.XML_DTD: "The XML document declares a document type or entities, which no report needs.",
    Fault.BROKEN: "The file could not be understood.",
}


class Unreadable(InvalidInput):
    """A file to quarantine; `code` is one of the words of `Fault`."""

    default_code = Fault.BROKEN.value

    @property
    def sentence(self) -> str:
        """The reason in English, in one sentence and without anything about the patient."""
        return SENTENCES[Fault(self.code)].format(**self.facts)
