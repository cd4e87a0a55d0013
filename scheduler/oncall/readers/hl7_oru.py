"""HL7 v2 ORU^R01, versions 2.3 to 2.5.1."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import hl7

from scheduler.oncall.readers import decoding, identities, times
from scheduler.oncall.readers.delimited import Delimiters, Field, Segment
from scheduler.oncall.readers.faults import Fault, Unreadable
from scheduler.oncall.readers.observations import STATUS, Report, person
from scheduler.oncall.readers.times import Moment
from scheduler.oncall.readers.values import Format, LabReport, Patient

_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{2}")
_ENDS: Final = ("\r", "\n")
# Around messages in a file: they say nothing of a result.
_BATCH: Final = frozenset({"FHS", "BHS", "BTS", "FTS"})
# Segments that something has to follow.
_LEADING: Final = frozenset({"MSH", "PID", "ORC", "OBR"})
# The types of identifier (table 0203 and the French ones) that are the person's, not the lab's.
_PERSONAL: Final = frozenset({"SS", "NH", "NI", "NN", "NNFRA", "INS", "INS-C", "INS-A", "INS-NIR"})


def read(content: bytes) -> LabReport:
    """The report of one message about one patient.

    The order is the lab's number (OBR-3, else ORC-3), or the sender's where the lab has none or
    several. The date is the last OBR-22, the message's own where it has a time of that day and
    OBR-22 has none. The prescriber is OBR-16, else ORC-12. The lab is the sending facility
    (MSH-4), else the sending application.

    Segments end with CR, LF or both. HL7 has no end mark: a file is taken for cut short, and
    quarantined, where its last line has no end and cannot be the last.
    """
    declared = _character_set(content)
    text = decoding.decoded(content, declared)
    lines = _segments(text)
    header = [text for _, text in lines if text.startswith("MSH")]
    if len(header) != 1:
        raise Unreadable(Fault.SEVERAL_REPORTS if header else Fault.HEADER)
    message = [(line, text) for line, text in lines if text[:3] not in _BATCH]
    if not message[0][1].startswith("MSH"):
        raise Unreadable(Fault.HEADER)
    segments = _taken_apart(message)
    if not text.endswith(_ENDS) and _is_unfinished(segments[-1]):
        raise Unreadable(Fault.CUT_OFF)
    return _report(segments)


def _character_set(content: bytes) -> str | None:
    """What MSH-18 declares, read from the bytes: all names of character sets are ASCII."""
    start = content.find(b"MSH")
    first = re.split(rb"[\r\n]", content[start : start + 4000], maxsplit=1)[0].decode("latin-1")
    if start < 0 or len(first) < 8:
        return None
    fields = first.split(first[3])
    return re.split(r"[~^]", fields[17])[0] if len(fields) > 17 else None


def _segments(text: str) -> list[tuple[int, str]]:
    """The lines of a message with their numbers.

    Where CR ends the segments and none begins after a lone LF, that LF is inside a text.
    """
    if "\r" in text and "\r\n" not in text:
        lines = [(at, line.strip("\n")) for at, line in enumerate(text.split("\r"), 1)]
        if all(_is_one(line) for _, line in lines if line.strip()):
            return [(at, line) for at, line in lines if line.strip()]
    return [(at, line.lstrip()) for at, line in enumerate(decoding.lines(text), 1) if line.strip()]


def _is_one(text: str) -> bool:
    """Whether a text is one segment, whatever the lines of its last field."""
    first, *others = text.split("\n")
    mark = first[3:4]
    return _NAME.match(first) is not None and not any(
        _NAME.match(line) and line[3:4] == mark for line in others
    )


def _taken_apart(lines: list[tuple[int, str]]) -> list[Segment]:
    delimiters = _delimiters(lines[0][1])
    for line, text in lines:
        if not _NAME.match(text) or text[3:4] not in {delimiters.field, ""}:
            raise Unreadable(Fault.LINE, line=line)
    message = "\r".join(text for _, text in lines)
    delimiters.require_few(message)
    parsed = hl7.parse(message)
    if len(parsed) != len(lines):
        raise Unreadable(Fault.BROKEN)
    return [
        _segment(segment, delimiters, line)
        for segment, (line, _) in zip(parsed, lines, strict=True)
    ]


def _is_unfinished(last: Segment) -> bool:
    """Whether a message cannot end with this segment: no result follows, or this one is short."""
    return last.name in _LEADING or (last.name == "OBX" and len(last) < STATUS)


def _delimiters(header: str) -> Delimiters:
    mark = header[3:4]
    end = header.find(mark, 4) if mark else -1
    if end < 0 or not 1 <= end - 4 <= 5:
        raise Unreadable(Fault.DELIMITERS)
    component, repetition, escape, subcomponent = list((header[4:end] + "^~\\&"[end - 4 :])[:4])
    delimiters = Delimiters(mark, component, repetition, escape, subcomponent)
    delimiters.check()
    return delimiters


def _segment(parsed: Any, delimiters: Delimiters, line: int) -> Segment:
    name, *fields = list(parsed)
    return Segment(str(name), [_field(each) for each in fields], delimiters, line)


def _field(parsed: Iterable[Any]) -> Field:
    """The library's containers stop at the level where nothing more is divided."""
    return [
        [
            [component] if isinstance(component, str) else [str(piece) for piece in component]
            for component in ([repetition] if isinstance(repetition, str) else repetition)
        ]
        for repetition in parsed
    ]


def _report(segments: list[Segment]) -> LabReport:
    header = segments[0]
    _require_results(header)
    said = Report()
    patients: list[Segment] = []
    ordered_by: str | None = None
    for segment in segments:
        match segment.name:
            case "PID":
                patients.append(segment)
            case "ORC":
                said.order(segment, components=(1,))
                ordered_by = ordered_by or person(segment, 12)
            case "OBR":
                said.order(segment, components=(1,))
                said.battery(segment)
            case "OBX":
                said.observation(segment)
            case "NTE":
                said.remark(segment)
    said.end()
    issued_at = said.issued_at(header.part(7))
    said.require_something()
    return LabReport(
        format=Format.HL7_ORU,
        lab=header.part(4) or header.part(3),
        order=said.number,
        issued_at=issued_at,
        status=said.status,
        prescriber=said.prescriber or ordered_by,
        patient=_patient(patients, issued_at),
        results=said.results,
        text=said.text,
    )


def _require_results(header: Segment) -> None:
    kind, trigger = header.part(9, 1), header.part(9, 2)
    if kind != "ORU" or trigger not in {"R01", None}:
        raise Unreadable(Fault.NOT_RESULTS)


def _patient(segments: list[Segment], issued_at: Moment | None) -> Patient:
    if len(segments) > 1:
        raise Unreadable(Fault.SEVERAL_PATIENTS)
    family = segments[0].part(5) if segments else None
    if family is None:
        raise Unreadable(Fault.NO_PATIENT)
    segment = segments[0]
    return Patient(
        family=family,
        given=segment.part(5, 2),
        birth_date=times.born(segment.part(7), issued_at),
        sex=identities.sex(segment.part(8)),
        reference=_reference(segment),
    )


def _reference(segment: Segment) -> str | None:
    """The first number of the patient that is not the person's own for life."""
    for place in (3, 2, 4):
        for at in range(segment.repetitions(place)):
            number = identities.reference(segment.part(place, repetition=at))
            if number and not _is_personal(segment, place, at):
                return number
    return None


def _is_personal(segment: Segment, place: int, at: int) -> bool:
    kind = segment.part(place, 5, repetition=at) or ""
    authority = [segment.part(place, 4, repetition=at, subcomponent=piece) for piece in range(3)]
    return kind.upper() in _PERSONAL or any(
        each and (each.startswith(identities.INS_ROOT) or "INS-" in each) for each in authority
    )
