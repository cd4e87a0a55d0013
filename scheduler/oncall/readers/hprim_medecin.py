"""HPRIM Médecin: a header of twelve lines, a letter, and since version 2 its results again.

=====  =============================================  =====  ==================================
line   holds                                          line   holds
=====  =============================================  =====  ==================================
1      the lab's number of the patient                8      the social security number: unread
2, 3   family and given name                          9      the number of the file
4, 5   address                                        10     the date of the file
6      postcode and town                              11     the sender: code and name
7      date of birth                                  12     the recipient: code and name
=====  =============================================  =====  ==================================

The letter follows, up to ``****LAB****`` or ``****FIN****``; a thirteenth line of the header is
blank and begins it. After ``****LAB****`` come the letter's lines again (``TEX|``) and among them
the results: ``RES|label|code|type|value|unit|low|high|flag|status`` and, in another unit,
``|value|unit|low|high``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from scheduler.oncall.readers import decoding, identities, limits, quantities, statuses, times
from scheduler.oncall.readers.faults import Fault, Unreadable
from scheduler.oncall.readers.observations import result_of, told
from scheduler.oncall.readers.values import Format, LabReport, Patient, Result

HEADER_LINES: Final = 12
BIRTH, ISSUED = 6, 9
_MARK: Final = re.compile(r"\*{3,}\s?(LAB|FIN|FINFICHIER)\s?\*{3,}")
LAB, END, END_OF_FILE = "LAB", "FIN", "FINFICHIER"

_FEWEST_FIELDS, _MOST_FIELDS = 4, 14
LABEL, CODE, TYPE, VALUE, UNIT, LOW, HIGH, FLAG, STATUS = range(1, 10)
SECOND: Final = slice(10, 14)
_NUMERIC: Final = "N"
_LETTER: Final = re.compile(r"[A-Za-z]?")
_SHORT: Final = re.compile(r"\D{0,10}")
# The name of a sender or recipient follows a code of ten characters, or a shorter one.
_CODE_WIDTH: Final = 10


def read(content: bytes) -> LabReport:
    """The report of one file about one patient.

    A file without ``****LAB****`` (version 1) is a letter: it has a text and no results, for
    nobody reads numbers out of a letter safely. The end mark has to be there. After it nothing
    is read; another report there quarantines the file.

    The prescriber is the recipient: the format knows no other doctor. Where a third line of
    address has moved the rest down, both dates show it, and the rest is read from there.
    """
    lines = decoding.lines(decoding.decoded(content))
    marks = [(at, found[1]) for at, line in enumerate(lines) if (found := _mark(line))]
    lab, end = _bounds(marks)
    _require_one(lines, marks, end)
    shift = _shift(lines[:end])
    header = lines[: HEADER_LINES + shift]
    letter = lines[len(header) : end if lab is None else lab]
    results, texts, letters = _results(lines, lab, end)
    said = [line.rstrip() for line in letter]
    known = {line.strip() for line in said}
    said += [text.rstrip() for text in texts if text.strip() not in known]
    return _report(header, shift, results, letters, said)


def has_marks(text: str) -> bool:
    """Whether some line of a text is one of the format's marks."""
    return any(_mark(line) for line in text.replace("\r", "\n").split("\n"))


def _mark(line: str) -> re.Match[str] | None:
    return _MARK.fullmatch(line.strip())


def _bounds(marks: list[tuple[int, str]]) -> tuple[int | None, int]:
    """Where the results begin and where the report ends."""
    ends = [at for at, mark in marks if mark in {END, END_OF_FILE}]
    if not ends:
        raise Unreadable(Fault.CUT_OFF)
    labs = [at for at, mark in marks if mark == LAB]
    if len(labs) > 1 or (labs and labs[0] > ends[0]):
        raise Unreadable(Fault.SEVERAL_REPORTS)
    return labs[0] if labs else None, ends[0]


def _require_one(lines: Sequence[str], marks: list[tuple[int, str]], end: int) -> None:
    if [mark for _, mark in marks].count(END) > 1:
        raise Unreadable(Fault.SEVERAL_REPORTS)
    last = next((at for at, mark in marks if mark == END_OF_FILE), len(lines))
    if any(line.strip() for line in lines[end + 1 : last]):
        raise Unreadable(Fault.SEVERAL_REPORTS)


def _shift(lines: Sequence[str]) -> int:
    """By how many lines the header is longer than it should be before its dates."""
    if len(lines) < HEADER_LINES:
        raise Unreadable(Fault.HEADER)
    if _is_date(lines[BIRTH]) and _is_date(lines[ISSUED]):
        return 0
    moved = lines[BIRTH + 1], lines[ISSUED + 1]
    if (
        len(lines) > HEADER_LINES
        and lines[0].strip()
        and all(_is_date(each, True) for each in moved)
    ):
        return 1
    raise Unreadable(Fault.HEADER)


def _is_date(line: str, required: bool = False) -> bool:
    line = line.strip()
    if times.says_nothing(line):
        return not required
    try:
        times.moment(line)
    except times.NoDate:
        return False
    return True


def _report(
    header: Sequence[str],
    shift: int,
    results: list[Result],
    letters: list[str],
    said: list[str],
) -> LabReport:
    family = identities.cleaned(header[1])
    if family is None:
        raise Unreadable(Fault.NO_PATIENT)
    issued_at = times.issued(header[ISSUED + shift])
    text = "\n".join(said).strip("\n")
    if identities.cleaned(text) is None and not results:
        raise Unreadable(Fault.NO_RESULTS)
    return LabReport(
        format=Format.HPRIM_MEDECIN,
        lab=_name(header[10 + shift]),
        order=identities.order(header[8 + shift]),
        issued_at=issued_at,
        status=statuses.combined((), letters),
        prescriber=_name(header[11 + shift]),
        patient=Patient(
            family=family,
            given=identities.cleaned(header[2]),
            birth_date=times.born(header[BIRTH + shift], issued_at),
            reference=identities.reference(header[0]),
        ),
        results=tuple(results),
        text=text if identities.cleaned(text) else None,
    )


def _name(line: str) -> str | None:
    """A correspondent's name, or the code where there is no name."""
    code, name = line[:_CODE_WIDTH], line[_CODE_WIDTH:]
    if " " in code.strip() or not (code.endswith(" ") or name[:1] in {"", " "}):
        code, _, name = line.strip().partition(" ")
        if not re.search(r"[\d.@]", code):
            return identities.cleaned(line)
    return identities.cleaned(name) or identities.cleaned(code)


def _results(
    lines: Sequence[str], lab: int | None, end: int
) -> tuple[list[Result], list[str], list[str]]:
    """The results, the lines of text among them, and the letters of their states."""
    results: list[Result] = []
    texts: list[str] = []
    letters: list[str] = []
    for at in range(end if lab is None else lab + 1, end):
        line = lines[at].strip()
        name, _, rest = line.partition("|")
        if name.strip() == "TEX":
            texts.append(rest)
        elif name.strip() == "RES":
            fields = _fields(line, at + 1)
            letters.append(fields[STATUS])
            results += [_result(fields, at + 1)] if any(fields[1:]) else []
        elif line:
            raise Unreadable(Fault.LINE, line=at + 1)
        if len(results) > limits.MOST_RESULTS:
            raise Unreadable(Fault.TOO_MANY_PARTS)
    return results, texts, letters


def _fields(line: str, at: int) -> list[str]:
    """The fields of a result; a line in whose fields other things stand is broken."""
    fields = [field.strip() for field in line.split("|", 4 * _MOST_FIELDS)]
    whole = fields[:_MOST_FIELDS] + [""] * (_MOST_FIELDS - len(fields))
    broken = (
        len(fields) < _FEWEST_FIELDS
        or any(fields[_MOST_FIELDS:])
        or not (whole[LABEL] or whole[CODE] or not any(whole[1:]))
        or not _LETTER.fullmatch(whole[TYPE])
        or not _LETTER.fullmatch(whole[STATUS])
        or not _SHORT.fullmatch(whole[FLAG])
    )
    if broken:
        raise Unreadable(Fault.RESULT, line=at)
    return whole


def _result(fields: list[str], at: int) -> Result:
    numeric = fields[TYPE].upper() == _NUMERIC
    try:
        read = quantities.quantity(fields[VALUE], fields[UNIT], numeric=numeric)
    except quantities.NoNumber as error:
        raise Unreadable(Fault.NUMBER, line=at) from error
    base = Result(code=identities.squeezed(fields[CODE]), label=identities.squeezed(fields[LABEL]))
    result = result_of(
        base, read, flags_given=(fields[FLAG],), bounds=_reference(fields[LOW], fields[HIGH])
    )
    return replace(result, comment=told(result.comment, _in_other_unit(fields[SECOND])))


def _reference(low: str, high: str) -> tuple[str | None, str | None, str | None]:
    """Two bounds, each a number; or a whole reference in one of the fields."""
    bounds = quantities.plain(low), quantities.plain(high)
    if all(bound is None or quantities.is_number(bound) for bound in bounds):
        return (*bounds, None)
    return quantities.reference(" ".join(part for part in (low, high) if part))


def _in_other_unit(fields: Sequence[str]) -> str | None:
    """The same result in a second unit, in words: `1577 /mm3 (1500 - 7500)`."""
    value, unit, low, high = (quantities.plain(field) or "" for field in fields)
    if not value:
        return None
    if low and high:
        bounds = f" ({low} - {high})"
    else:
        bounds = f" (> {low})" if low else f" (< {high})" if high else ""
    return f"{value} {unit}".rstrip() + bounds
