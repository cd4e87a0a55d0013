"""HPRIM Santé 2.x ORU: the French message of results, a cousin of HL7 v2 by way of ASTM."""

from __future__ import annotations

import re
from typing import Final

from scheduler.oncall.readers import decoding, identities, times
from scheduler.oncall.readers.delimited import Delimiters, Segment, split
from scheduler.oncall.readers.faults import Fault, Unreadable
from scheduler.oncall.readers.observations import Report
from scheduler.oncall.readers.times import Moment
from scheduler.oncall.readers.values import Format, LabReport, Patient

_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{0,2}")
_VERSION: Final = re.compile(r"H?2\.\d")
# OBR names an order twice: the sample, then the file that the sample belongs to.
_ORDER: Final = (2, 1)
# Where H has its kind of message, its version and its date. Some senders have one field more.
_KINDS: Final = (6, 7)
_VERSIONS: Final = (12, 13)


def read(content: bytes) -> LabReport:
    """The report of one message about one patient.

    Delimiters are those that H declares. A line `A|` goes on exactly where the one before it
    stopped. `L` has to be the last segment, so that a file that was cut short is seen; a `P`
    that follows another, or a count of patients in L that is not one, is a file of several.

    The order is the lab's file number (OBR.4), else the sender's (OBR.3). The date is the last
    OBR.23, the message's own where it has a time of that day and OBR.23 has none. The lab is the
    sender of H by name, else by code.
    """
    lines = [
        (at, line)
        for at, line in enumerate(decoding.lines(decoding.decoded(content)), 1)
        if line.strip()
    ]
    delimiters = _delimiters(lines[0][1].lstrip())
    delimiters.require_few("".join(line for _, line in lines))
    segments = [split(text, delimiters, at) for at, text in _joined(lines, delimiters.field)]
    _require_whole(segments)
    return _report(segments)


def _delimiters(header: str) -> Delimiters:
    mark = header[1:2]
    end = header.find(mark, 2) if mark else -1
    if end < 0 or not 1 <= end - 2 <= 4:
        raise Unreadable(Fault.DELIMITERS)
    component, *others = list(header[2:end])
    repetition = others.pop(0) if others else ""
    # The norm has the escape character third, yet many senders have it last, as in ^~&\.
    escape = next((each for each in others if each == "\\"), others[0] if others else "")
    subcomponent = next((each for each in others if each != escape), "")
    delimiters = Delimiters(mark, component, repetition, escape, subcomponent)
    delimiters.check()
    return delimiters


def _joined(lines: list[tuple[int, str]], mark: str) -> list[tuple[int, str]]:
    """The segments, each with the number of its first line, continuations put in their place."""
    begun: list[tuple[int, list[str]]] = []
    for at, line in lines:
        name = line.lstrip().partition(mark)[0].strip()
        if not _NAME.fullmatch(name) or (name == "A" and not begun):
            raise Unreadable(Fault.LINE, line=at)
        if name == "A":
            begun[-1][1].append(line.lstrip()[2:])
        else:
            begun.append((at, [line.lstrip()]))
    return [(at, "".join(pieces)) for at, pieces in begun]


def _require_whole(segments: list[Segment]) -> None:
    names = [segment.name for segment in segments]
    if names.count("H") > 1:
        raise Unreadable(Fault.SEVERAL_REPORTS)
    if names[-1] != "L":
        raise Unreadable(Fault.CUT_OFF if "L" not in names else Fault.SEVERAL_REPORTS)
    announced = segments[-1].part(3) or ""
    if names.count("P") > 1 or (announced.isdecimal() and int(announced[:6]) > 1):
        raise Unreadable(Fault.SEVERAL_PATIENTS)


def _report(segments: list[Segment]) -> LabReport:
    header = segments[0]
    _require_results(header)
    said = Report()
    patient: Segment | None = None
    for segment in segments[1:]:
        match segment.name:
            case "P":
                patient = segment
            case "OBR":
                said.order(segment, components=_ORDER)
                said.battery(segment)
            case "OBX":
                said.observation(segment)
            case "C":
                said.remark(segment)
    said.end()
    issued_at = said.issued_at(_sent_at(header))
    said.require_something()
    return LabReport(
        format=Format.HPRIM_SANTE,
        lab=header.part(4, 2) or header.part(4, 1),
        order=said.number,
        issued_at=issued_at,
        status=said.status,
        prescriber=said.prescriber,
        patient=_patient(patient, issued_at),
        results=said.results,
        text=said.text,
    )


def _require_results(header: Segment) -> None:
    if not any(header.part(place) == "ORU" for place in _KINDS):
        raise Unreadable(Fault.NOT_RESULTS)


def _sent_at(header: Segment) -> str | None:
    for place in _VERSIONS:
        if _VERSION.match(header.part(place) or ""):
            return header.part(place + 1)
    return None


def _patient(segment: Segment | None, issued_at: Moment | None) -> Patient:
    family = segment.part(5) or segment.part(6) if segment else None
    if segment is None or family is None:
        raise Unreadable(Fault.NO_PATIENT)
    return Patient(
        family=family,
        given=segment.part(5, 2),
        birth_date=times.born(segment.part(7), issued_at),
        sex=identities.sex(segment.part(8)),
        reference=identities.reference(segment.part(2)) or identities.reference(segment.part(3)),
    )
