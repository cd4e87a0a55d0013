"""The corpus, and what happens to files on their way: encodings and ends of lines.

Every person in it is invented.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from scheduler.oncall.readers import LabReport, Result, Unreadable
from scheduler.oncall.readers.detecting import understood

CORPUS: Final = Path(__file__).parent / "corpus"
FILES: Final = sorted(file for file in CORPUS.iterdir() if file.suffix != ".json")
ENDS: Final = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
# A micro sign that all of them have; DOS has no œ.
ENCODINGS: Final = {
    "utf-8": "utf-8",
    "utf-8 with a mark": "utf-8-sig",
    "utf-16 with a mark": "utf-16",
    "latin-1": "latin-1",
    "windows": "cp1252",
    "dos": "cp850",
}


def of(name: str) -> str:
    """A file of the corpus as text."""
    return (CORPUS / name).read_text()


def expected(file: Path) -> dict[str, Any]:
    """What the readers have to make of a file of the corpus."""
    found: dict[str, Any] = json.loads(file.with_suffix(".json").read_text())
    return found


def read(content: str | bytes) -> LabReport:
    """Read without the net that turns a mistake of the readers into a quarantine."""
    return understood(content.encode() if isinstance(content, str) else content)


def fault(content: str | bytes) -> str:
    """Why a file is quarantined."""
    with pytest.raises(Unreadable) as caught:
        read(content)
    assert caught.value.sentence.endswith(".")
    assert "\n" not in caught.value.sentence
    return caught.value.code


def only(content: str | bytes) -> Result:
    """The one result of a file."""
    (result,) = read(content).results
    return result


def sent_otherwise(file: Path) -> Iterator[tuple[str, bytes]]:
    """A file in all the encodings and ends of lines in which it may arrive."""
    text = file.read_text()
    for encoding, codec in ENCODINGS.items():
        if file.suffix == ".xml":
            if codec == "cp850":
                continue
            declared = {"utf-8-sig": "utf-8", "latin-1": "iso-8859-1", "cp1252": "windows-1252"}
            text = file.read_text().replace("UTF-8", declared.get(codec, codec), 1)
        for end, characters in ENDS.items():
            yield f"{encoding}, {end}", text.replace("\n", characters).encode(codec)


HEADER: Final = """P004711
FICTIF
Achille
3 RUE DES LILAS

87200 VILLE-FICTIVE
01/02/1980

26-3310
02/03/2026
LAB01     Laboratoire fictif
MED01     GAUTREAU Philippe
"""


def medecin(*lines: str, header: str = HEADER) -> str:
    """An HPRIM Médecin file with these lines among its results."""
    return "\n".join([header.rstrip("\n"), "", "****LAB****", *lines, "****FIN****", ""])


def oru(*segments: str, msh: str = "", pid: str = "PID|1||P1||FICTIF^ACHILLE||19800201|M") -> str:
    """An HL7 message with these segments after its header and patient."""
    header = msh or r"MSH|^~\&|SIL|LABO|||202603021405||ORU^R01|1|P|2.5"
    return "\r".join([header, *([pid] if pid else []), *segments, ""])


def sante(*segments: str, h: str = "", p: str = "P|1|P1|||FICTIF~ACHILLE||19800201|M") -> str:
    """An HPRIM Santé message with these segments after its header and patient."""
    header = h or r"H|~^\&|F.HPR||L1~LABO||ORU|||C1~CABINET||P|H2.2~C|202603021405"
    return "\r\n".join([header, *([p] if p else []), *segments, "L|1", ""])


def cda(value: str = "", **changed: str) -> str:
    """A CDA document with one result, or with parts of it changed."""
    parts = {
        "declaration": '<?xml version="1.0" encoding="UTF-8"?>',
        "code": '<code code="11502-2" codeSystem="2.16.840.1.113883.6.1"/>',
        "head": '<effectiveTime value="202603021405"/>',
        "ids": '<id extension="P1" root="1.2.250.1.999"/>',
        "names": "<name><family>FICTIF</family><given>ACHILLE</given></name>",
        "birth": '<birthTime value="19800201"/>',
        "exam": '<code code="2823-3" displayName="Potassium"/>',
        "text": "<text>Potassium</text>",
        "rest": "",
        **changed,
    }
    return f"""{parts["declaration"]}
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:lab="urn:oid:1.3.6.1.4.1.19376.1.3.2"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
{parts["code"]}{parts["head"]}
<recordTarget><patientRole>{parts["ids"]}
<patient>{parts["names"]}{parts["birth"]}</patient></patientRole></recordTarget>
<component><structuredBody><component><section>{parts["text"]}
<entry><act classCode="ACT" moodCode="EVN"><statusCode code="completed"/>
<entryRelationship typeCode="COMP"><observation classCode="OBS" moodCode="EVN">
{parts["exam"]}{value}{parts["rest"]}
</observation></entryRelationship></act></entry>
</section></component></structuredBody></component></ClinicalDocument>
"""
