"""OBR, OBX and remarks: what HL7 v2 and HPRIM Santé write alike.

Both number the fields of these segments in the same way, and both let a remark (NTE, C) follow
what it is about.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from scheduler.oncall.readers import flags, identities, limits, quantities, statuses, times
from scheduler.oncall.readers.delimited import Segment
from scheduler.oncall.readers.faults import Fault, Unreadable
from scheduler.oncall.readers.values import Result, Status

PLACER, FILLER, ISSUED, PRESCRIBER, BATTERY_STATUS = 2, 3, 22, 16, 25
TYPE, EXAM, VALUE, UNIT, REFERENCE, FLAG, STATUS = 2, 3, 5, 6, 7, 8, 11
REMARK: Final = 3
_TEXTS: Final = frozenset({"TX", "FT"})
_CODED: Final = frozenset({"CE", "CWE", "CNE", "CF"})
_DOCUMENTS: Final = frozenset({"ED", "RP", "FIC"})
_MEDIA: Final = frozenset({"APPLICATION", "TEXT", "IMAGE", "AUDIO", "VIDEO", "MULTIPART"})
_NUMERIC: Final = "NM"
_MOST_NUMBERS: Final = 20


@dataclass(slots=True)
class _Text:
    """A text that runs over several observations of the same name."""

    segments: list[Segment]
    lines: list[str]


@dataclass(slots=True)
class Report:
    """What the segments of a report have said so far.

    Texts of one line are results as any other; longer ones belong to the text of the report,
    under their name.
    """

    paragraphs: list[str] = field(default_factory=list)
    issued: list[times.Moment] = field(default_factory=list)
    fillers: dict[str, None] = field(default_factory=dict)
    placers: dict[str, None] = field(default_factory=dict)
    prescriber: str | None = None
    batteries: int = 0
    _results: list[Result] = field(default_factory=list)
    _remarks: dict[int, list[str]] = field(default_factory=dict)
    _statuses: list[str | None] = field(default_factory=list)
    _result_statuses: list[str | None] = field(default_factory=list)
    _text: _Text | None = None
    _about_result: bool = False

    def order(self, segment: Segment, *, components: tuple[int, ...]) -> None:
        """Take the order numbers of an OBR or ORC; `components` say where, the best first."""
        for numbers, place in ((self.placers, PLACER), (self.fillers, FILLER)):
            found = (identities.order(segment.part(place, component)) for component in components)
            if number := next(filter(None, found), None):
                numbers[number] = None

    def battery(self, segment: Segment) -> None:
        """Take an OBR."""
        self._end_of_text()
        self._about_result = False
        self.batteries += 1
        self._statuses.append(segment.part(BATTERY_STATUS))
        if moment := times.issued(segment.part(ISSUED)):
            self.issued.append(moment)
        self.prescriber = self.prescriber or person(segment, PRESCRIBER)

    def observation(self, segment: Segment) -> None:
        """Take an OBX."""
        if len(segment) < VALUE or not segment.whole(EXAM).strip():
            raise Unreadable(Fault.RESULT, line=segment.line)
        if len(self._results) >= limits.MOST_RESULTS:
            raise Unreadable(Fault.TOO_MANY_PARTS)
        kind = (segment.part(TYPE) or "").upper()
        self._about_result = True
        self._result_statuses.append(segment.part(STATUS))
        if kind in _TEXTS and not _withdrawn(segment):
            self._take_text(segment)
            return
        self._end_of_text()
        self._results.append(_result(segment, kind))

    def remark(self, segment: Segment) -> None:
        """Take an NTE or a C: it is about the result before it, or else about the report."""
        text = segment.every(REMARK, "\n").strip("\n")
        if not text.strip():
            return
        self._end_of_text()
        if self._about_result and self._results:
            self._remarks.setdefault(len(self._results) - 1, []).append(text)
        else:
            self.paragraphs.append(text)

    def end(self) -> None:
        """No segment is left."""
        self._end_of_text()

    def issued_at(self, of_message: str | None) -> times.Moment | None:
        """The last date of the batteries, or that of the message where they have none.

        A day alone gives way to the message's time where that is of the same day.
        """
        of_batteries = times.latest(self.issued)
        sent = times.issued(of_message)
        if of_batteries is None or sent is None:
            return of_batteries or sent
        more_exact = times.has_time(sent) and not times.has_time(of_batteries)
        if more_exact and times.day_of(sent) == of_batteries:
            return sent
        return of_batteries

    def require_something(self) -> None:
        """Raise `Unreadable` where a report that is said to be whole holds nothing."""
        awaited = self.status in {Status.PARTIAL, Status.CANCELLED}
        if not (self._results or self.text or (self.batteries and awaited)):
            raise Unreadable(Fault.NO_RESULTS)

    @property
    def results(self) -> tuple[Result, ...]:
        """The results, each with the remarks that followed it."""
        return tuple(
            replace(each, comment=told(each.comment, *self._remarks.get(at, ())))
            for at, each in enumerate(self._results)
        )

    @property
    def status(self) -> Status | None:
        """What the report is."""
        return statuses.combined(self._statuses, self._result_statuses)

    @property
    def number(self) -> str | None:
        """The order: the lab's own number where there is one, else the sender's.

        A message with several of them has all in its name, so that it never passes for one that
        holds a part of it; where the lab has several and the sender one, that one stands.
        """
        for numbers in (self.fillers, self.placers):
            if len(numbers) == 1:
                return next(iter(numbers))
        several = list(self.fillers or self.placers)
        if len(several) > _MOST_NUMBERS:
            return f"{several[0]} … {several[-1]} ({len(several)})"
        return " + ".join(several) or None

    @property
    def text(self) -> str | None:
        """What the report says in words."""
        return "\n".join(self.paragraphs).strip("\n") or None

    def _take_text(self, segment: Segment) -> None:
        lines = segment.every(VALUE, "\n").split("\n")
        if self._text and _exam(self._text.segments[0]) == _exam(segment):
            self._text.segments.append(segment)
            self._text.lines += lines
            return
        self._end_of_text()
        self._text = _Text([segment], lines)

    def _end_of_text(self) -> None:
        if self._text is None:
            return
        said, self._text = self._text, None
        if len(said.lines) == 1:
            read = quantities.quantity(said.lines[0], _unit(said.segments[0]))
            self._results.append(_measured(said.segments, read))
            return
        code, label = _exam(said.segments[0])
        self.paragraphs.append("\n".join([label or code or "", *said.lines]).strip("\n"))
        flagged = _measured(said.segments, quantities.Quantity(None))
        if flagged.flag or flagged.comment:
            self._results.append(flagged)
        else:
            self._about_result = False


def person(segment: Segment, place: int) -> str | None:
    """A doctor of a field: family and given name, else the number."""
    names = (segment.part(place, component) for component in (2, 3))
    return " ".join(filter(None, names)) or segment.part(place, 1)


def told(*remarks: str | None) -> str | None:
    """Several remarks as one."""
    return "\n".join(remark for remark in remarks if remark) or None


def result_of(
    base: Result,
    read: quantities.Quantity,
    *,
    flags_given: tuple[str | None, ...],
    bounds: tuple[str | None, str | None, str | None],
) -> Result:
    """A result with its value, its reference and its flag; what has no place is a remark."""
    flag, others = flags.combined((*flags_given, read.stars))
    low, high, words = bounds
    return replace(
        base,
        value=read.value,
        comparator=read.comparator,
        unit=read.unit,
        low=low,
        high=high,
        flag=flag,
        comment=told(
            base.comment,
            words and f"Réf. : {words}",
            f"Indicateurs : {', '.join(others)}" if others else None,
        ),
    )


def _exam(segment: Segment) -> tuple[str | None, str | None]:
    """The code that the lab put first, and its name."""
    return (
        segment.part(EXAM, 1) or segment.part(EXAM, 4),
        segment.part(EXAM, 2) or segment.part(EXAM, 5),
    )


def _result(segment: Segment, kind: str) -> Result:
    if kind in _DOCUMENTS:
        joined = _measured([segment], quantities.Quantity(None))
        return replace(joined, comment=told(_document(segment), joined.comment))
    raw = _coded(segment) if kind in _CODED else _plain(segment, kind)
    try:
        read = quantities.quantity(raw, _unit(segment), numeric=kind == _NUMERIC)
    except quantities.NoNumber as error:
        raise Unreadable(Fault.NUMBER, line=segment.line) from error
    measured = _measured([segment], read)
    return _taken_back(measured) if _withdrawn(segment) else measured


def _measured(segments: list[Segment], read: quantities.Quantity) -> Result:
    """The result that one observation tells, or a text over several of them."""
    first = segments[0]
    code, label = _exam(first)
    return result_of(
        Result(code=code, label=label),
        read,
        flags_given=tuple(
            segment.part(FLAG, repetition=at)
            for segment in segments
            for at in range(segment.repetitions(FLAG))
        ),
        bounds=quantities.reference(first.every(REFERENCE)),
    )


def _withdrawn(segment: Segment) -> bool:
    return (segment.part(STATUS) or "").upper() in statuses.WITHDRAWN


def _taken_back(result: Result) -> Result:
    """A value that the lab withdraws must not be read as one."""
    parts = (result.comparator, result.value, result.unit, result.flag)
    said = " ".join(part for part in parts if part)
    note = "Résultat retiré par le laboratoire" + (f" ({said})" if said else "")
    return replace(
        result, value=None, comparator=None, flag=None, comment=told(note, result.comment)
    )


def _plain(segment: Segment, kind: str) -> str:
    if kind == "SN":
        return "".join(segment.components(VALUE)[:4]).removeprefix("=")
    return segment.every(VALUE)


def _coded(segment: Segment) -> str:
    words = (
        segment.part(VALUE, 2, repetition=at)
        or segment.part(VALUE, 9, repetition=at)
        or segment.part(VALUE, 5, repetition=at)
        or segment.part(VALUE, 1, repetition=at)
        for at in range(segment.repetitions(VALUE))
    )
    return " ; ".join(filter(None, words))


def _unit(segment: Segment) -> str | None:
    """The unit; `10^9/L` is one that its sender did not escape."""
    whole = segment.every(UNIT).strip()
    if whole.lstrip("*").startswith("10") and segment.part(UNIT) in {"10", "*10", "x10"}:
        return identities.squeezed(whole)
    return segment.part(UNIT) or segment.part(UNIT, 2)


def _document(segment: Segment) -> str | None:
    """What kind of document is inside; the document itself stays in the file."""
    kind, subtype = segment.part(VALUE, 2), segment.part(VALUE, 3)
    if kind and kind.upper() in _MEDIA and subtype and len(subtype) <= 40:
        return f"Document joint ({kind.lower()}/{subtype.lower()})"
    return "Document joint"
