"""Files that are made to do harm: refused before they are taken apart, or read in few steps."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from scheduler.oncall.readers import Fault, Unreadable, limits, read
from tests.oncall.readers.support import cda, medecin, oru, sante

MEGABYTE = limits.MEGABYTE
RES = "RES|POTASSIUM|K|N|5,1|mmol/l|3,5|5,0|H|F"
OBX = "OBX|1|NM|K^Potassium||5,1|mmol/L|3.5-5.0|H|||F"
OBR = "OBR|1||D26|K"
OBSERVATION = (
    '<entryRelationship typeCode="COMP"><observation><code code="K"/>'
    '<value xsi:type="PQ" value="5.1"/></observation></entryRelationship>'
)


def _filled(before: str, piece: str, after: str = "") -> str:
    """As many pieces as fit into the largest file that is read."""
    room = limits.MOST_BYTES - len((before + after).encode())
    return before + piece * (room // len(piece.encode())) + after


def _in(whole: str, piece: str) -> str:
    before, after = whole.split("\0")
    return _filled(before, piece, after)


LARGE: dict[str, tuple[Callable[[], str | bytes], Fault | None]] = {
    "one byte too many": (lambda: b"x" * (limits.MOST_BYTES + 1), Fault.TOO_LARGE),
    "zero bytes": (lambda: b"\0" * limits.MOST_BYTES, Fault.EMPTY),
    "zero bytes between letters": (lambda: _filled("a", "\0", "b"), Fault.BINARY),
    "line ends": (lambda: _filled("", "\n"), Fault.TOO_MANY_PARTS),
    "line ends before a mark": (lambda: _filled("", "\n", "****FIN****"), Fault.TOO_MANY_PARTS),
    "asterisks": (lambda: _filled("", "*"), Fault.UNKNOWN_FORMAT),
    "results of HPRIM Médecin": (
        lambda: _in(medecin("\0").replace("\0\n", "\0"), RES + "\n"),
        Fault.TOO_MANY_PARTS,
    ),
    "bars in a result of HPRIM Médecin": (lambda: _in(medecin("RES|K|\0"), "|"), Fault.RESULT),
    "a long letter": (lambda: _in(medecin("TEX|\0", RES), "x "), None),
    "digits as a value": (lambda: _in(medecin("RES|K|K|A|\0"), "1"), None),
    "digits as a number": (lambda: _in(medecin("RES|K|K|N|\0"), "1"), Fault.NUMBER),
    "NIR after NIR": (lambda: _in(medecin("TEX|\0", RES), "1 80 02 87 006 004 28 "), None),
    "results of HL7": (lambda: _in(oru(OBR, "\0"), OBX + "\r"), Fault.TOO_MANY_PARTS),
    "fields of HL7": (lambda: _in(oru(OBR, OBX + "\0"), "|"), Fault.TOO_MANY_PARTS),
    "repetitions of HL7": (lambda: _in(oru(OBR, OBX + "|\0"), "~"), Fault.TOO_MANY_PARTS),
    "escapes of HL7": (lambda: _in(oru(OBR, OBX, "NTE|1||\0"), "\\F\\"), Fault.TOO_MANY_PARTS),
    "remarks of HL7": (lambda: _in(oru(OBR, OBX, "\0"), "NTE|1||x\r"), Fault.TOO_MANY_PARTS),
    "a document in HL7": (lambda: _in(oru(OBR, OBX, "OBX|2|ED|P||^A^pdf^B^\0"), "QUFB"), None),
    "continuations": (lambda: _in(sante(OBR, OBX, "C|1|L|\0"), "\r\nA|x"), Fault.TOO_MANY_PARTS),
    "a long remark": (lambda: _in(sante(OBR, OBX, "C|1|L|\0"), "x "), None),
    "subfields": (lambda: _in(sante(OBR, OBX, "C|1|L|\0"), "~"), Fault.TOO_MANY_PARTS),
    "elements": (lambda: _in(cda(text="<text>\0</text>"), "<br/>"), Fault.TOO_MANY_PARTS),
    "a deep document": (lambda: _in(cda(text="<text>\0"), "<a>"), Fault.TOO_DEEP),
    "attributes": (
        lambda: cda(text="<text " + " ".join(f'a{n}=""' for n in range(400_000)) + "/>"),
        Fault.TOO_MANY_PARTS,
    ),
    "results of CDA": (
        lambda: cda(rest=OBSERVATION * (limits.MOST_RESULTS + 1)),
        Fault.TOO_MANY_PARTS,
    ),
    "a long narrative": (lambda: _in(cda(text="<text>\0</text>"), "x "), None),
    "results that all repeat a long text": (
        lambda: cda(
            text=f'<text><content ID="t">{"x" * MEGABYTE}</content></text>',
            exam='<code><originalText><reference value="#t"/></originalText></code>',
            rest='<value xsi:type="ST"><reference value="#t"/></value>'
            + OBSERVATION.replace(
                '<code code="K"/>',
                '<code><originalText><reference value="#t"/></originalText></code>',
            )
            * 100,
        ),
        Fault.TOO_MANY_PARTS,
    ),
}


@pytest.mark.parametrize(("made", "why"), LARGE.values(), ids=list(LARGE))
def test_the_largest_files_are_read_or_refused(
    made: Callable[[], str | bytes], why: Fault | None
) -> None:
    content = made()
    found: str | None = None
    try:
        read(content.encode() if isinstance(content, str) else content)
    except Unreadable as caught:
        found = caught.code
    assert found == why


def _steps(content: str) -> int:
    """How many calls reading takes, of Python and of what it calls."""
    count = 0

    def counted(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(counted)
    try:
        read(content.encode())
    except Unreadable:
        pass
    finally:
        sys.setprofile(None)
    return count


GROWING: dict[str, Callable[[int], str]] = {
    "results of HPRIM Médecin": lambda n: medecin(*[RES] * n),
    "lines of a letter": lambda n: medecin(*[f"TEX|ligne {at}" for at in range(n)], RES),
    "results of HL7": lambda n: oru(OBR, *[OBX] * n),
    "batteries of HL7": lambda n: oru(*[f"OBR|1||D{at}|K\r{OBX}" for at in range(n)]),
    "remarks on one result": lambda n: oru(OBR, OBX, *["NTE|1||remarque"] * n),
    "lines of one text": lambda n: oru(OBR, *["OBX|1|TX|C^Com||ligne|||A|||F"] * n),
    "results of HPRIM Santé": lambda n: sante(OBR, *[OBX.replace("^", "~")] * n),
    "continuations": lambda n: sante(OBR, OBX, "C|1|L|x", *["A|y"] * n),
    "results of CDA": lambda n: cda(rest=OBSERVATION * n),
    "rows of CDA": lambda n: cda(
        text="<text>" + "<table><tr><td>x</td></tr></table>" * n + "</text>"
    ),
}


@pytest.mark.parametrize("made", GROWING.values(), ids=list(GROWING))
def test_twice_the_file_is_no_more_than_twice_the_work(made: Callable[[int], str]) -> None:
    _steps(made(10))
    once, twice = _steps(made(400)), _steps(made(800))
    assert once > 400
    assert twice <= 2.1 * once
