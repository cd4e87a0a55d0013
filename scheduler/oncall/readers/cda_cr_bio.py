"""CDA R2 level 3, the French report of medical biology (CR-BIO of the CI-SIS, IHE XD-LAB)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final
from xml.etree.ElementTree import Element

from scheduler.oncall.readers import identities, limits, quantities, times
from scheduler.oncall.readers.cda_narrative import NS, V3, Narrative, one_line
from scheduler.oncall.readers.cda_values import value_of
from scheduler.oncall.readers.faults import Fault, Unreadable
from scheduler.oncall.readers.observations import result_of, told
from scheduler.oncall.readers.times import Moment
from scheduler.oncall.readers.values import Format, LabReport, Patient, Result, Status
from scheduler.oncall.readers.xml_parsing import parsed

_LOINC_OF_REPORTS: Final = "11502-2"
_TEMPLATES: Final = frozenset({"1.3.6.1.4.1.19376.1.3.3", "1.2.250.1.213.1.1.1.55"})
_COMMENT_TEMPLATE: Final = "1.3.6.1.4.1.19376.1.5.3.1.4.2"
_COMMENT_CODE: Final = "48767-8"


class _NoExam(ValueError):
    """A result does not say what was examined."""


def read(content: bytes) -> LabReport:
    """The report of one document about one patient.

    Each result is an observation of an entry; earlier results, which the lab adds for comparison
    (REFR), are not results of this report. The narrative is its text.

    The order is that of the prescription, else the lab's. The date is that of the document. A
    document that replaces another is corrected, unless more is awaited. The family name is the
    first of the document, which in France is that of birth. A document whose results are a PDF
    inside it has to be read by eye.
    """
    root = parsed(content)
    _require_report(root)
    body = root.find("component/structuredBody", NS)
    if body is None:
        raise Unreadable(Fault.DOCUMENT)
    narrative = Narrative(body)
    results = tuple(_results(body, narrative))
    text = narrative.whole()
    if not results and text is None:
        raise Unreadable(Fault.NO_RESULTS)
    issued_at = times.issued(_value(root.find("effectiveTime", NS)))
    return LabReport(
        format=Format.CDA_CR_BIO,
        lab=_lab(root),
        order=_order(root),
        version=_value(root.find("versionNumber", NS)),
        series=_identifier(root.find("setId", NS)),
        issued_at=issued_at,
        status=_status(root, body),
        prescriber=_prescriber(root),
        patient=_patient(root, issued_at),
        results=results,
        text=text,
    )


def _require_report(root: Element) -> None:
    if root.tag != f"{V3}ClinicalDocument":
        raise Unreadable(Fault.UNKNOWN_FORMAT)
    code = root.find("code", NS)
    templates = {each.get("root") for each in root.findall("templateId", NS)}
    if not (templates & _TEMPLATES or (code is not None and code.get("code") == _LOINC_OF_REPORTS)):
        raise Unreadable(Fault.NOT_RESULTS)


def _value(element: Element | None) -> str | None:
    return None if element is None else identities.squeezed(element.get("value"))


def _identifier(element: Element | None) -> str | None:
    """An identifier by its extension, or by its root where that is all."""
    if element is None:
        return None
    return identities.squeezed(element.get("extension")) or identities.squeezed(element.get("root"))


def _first(elements: Iterable[Element]) -> str | None:
    """The first words among some elements."""
    return next((words for each in elements if (words := one_line(each))), None)


def _lab(root: Element) -> str | None:
    return _first(
        element
        for path in (
            "author/assignedAuthor/representedOrganization/name",
            "custodian/assignedCustodian/representedCustodianOrganization/name",
            "documentationOf/serviceEvent/performer/assignedEntity/representedOrganization/name",
        )
        for element in root.findall(path, NS)
    )


def _order(root: Element) -> str | None:
    found = (
        identities.order(each.get("extension"))
        for path in (
            "inFulfillmentOf/order/id",
            "documentationOf/serviceEvent/id",
        )
        for each in root.findall(path, NS)
    )
    return next(filter(None, found), None)


def _prescriber(root: Element) -> str | None:
    for participant in root.findall("participant", NS):
        if participant.get("typeCode") == "REF":
            name = participant.find("associatedEntity/associatedPerson/name", NS)
            return None if name is None else _name(name)
    return None


def _name(name: Element) -> str | None:
    parts = (name.find(part, NS) for part in ("family", "given"))
    words = [one_line(part) for part in parts if part is not None]
    return " ".join(filter(None, words)) or one_line(name)


def _patient(root: Element, issued_at: Moment | None) -> Patient:
    targets = root.findall("recordTarget", NS)
    if len(targets) > 1:
        raise Unreadable(Fault.SEVERAL_PATIENTS)
    role = targets[0].find("patientRole", NS) if targets else None
    person = role.find("patient", NS) if role is not None else None
    family = _first(person.findall("name/family", NS)) if person is not None else None
    if role is None or person is None or family is None:
        raise Unreadable(Fault.NO_PATIENT)
    gender = person.find("administrativeGenderCode", NS)
    return Patient(
        family=family,
        given=_given(person),
        birth_date=times.born(_value(person.find("birthTime", NS)), issued_at),
        sex=None if gender is None else identities.sex(gender.get("code")),
        reference=_reference(role),
    )


def _given(person: Element) -> str | None:
    """The first given name of birth, which France writes beside all of them."""
    names = person.findall("name/given", NS)
    of_birth = [name for name in names if name.get("qualifier") == "BR"]
    return _first(of_birth or names)


def _reference(role: Element) -> str | None:
    found = (
        identities.reference(each.get("extension"))
        for each in role.findall("id", NS)
        if not (each.get("root") or "").startswith(identities.INS_ROOT)
    )
    return next(filter(None, found), None)


def _status(root: Element, body: Element) -> Status | None:
    """What the lab says of its request; else what its entries say."""
    said = [
        each.get("code") for each in root.findall("documentationOf/serviceEvent/lab:statusCode", NS)
    ] or [each.get("code") for each in body.iterfind(".//entry/act/statusCode", NS)]
    replaces = any(each.get("typeCode") == "RPLC" for each in root.findall("relatedDocument", NS))
    if said and set(said) == {"aborted"}:
        return Status.CANCELLED
    if "active" in said:
        return Status.PARTIAL
    if replaces:
        return Status.CORRECTED
    return Status.FINAL if "completed" in said else None


def _results(body: Element, narrative: Narrative) -> Iterator[Result]:
    # Counted as lines of the report: a document has no lines to speak of.
    for at, (observation, isolate) in enumerate(_observations(body, None, narrative), 1):
        if at > limits.MOST_RESULTS:
            raise Unreadable(Fault.TOO_MANY_PARTS)
        try:
            yield _result(observation, isolate, narrative)
        except quantities.NoNumber as error:
            raise Unreadable(Fault.NUMBER, line=at) from error
        except _NoExam as error:
            raise Unreadable(Fault.RESULT, line=at) from error


def _observations(
    element: Element, isolate: str | None, narrative: Narrative
) -> Iterator[tuple[Element, str | None]]:
    """The results below an element, each with the germ it is about."""
    for child in element:
        if child.get("typeCode") == "REFR" or child.get("moodCode", "EVN") != "EVN":
            continue
        if child.tag == f"{V3}observation":
            parts = list(_observations(child, isolate, narrative))
            if child.find("value", NS) is not None or not parts:
                yield child, isolate
            yield from parts
        else:
            yield from _observations(child, _germ(child, narrative) or isolate, narrative)


def _germ(element: Element, narrative: Narrative) -> str | None:
    code = element.find("specimen/specimenRole/specimenPlayingEntity/code", NS)
    return None if code is None else _label(code, narrative)


def _label(code: Element, narrative: Narrative) -> str | None:
    translation = code.find("translation", NS)
    return (
        identities.squeezed(code.get("displayName"))
        or (None if translation is None else identities.squeezed(translation.get("displayName")))
        or narrative.of(code.find("originalText", NS))
    )


def _result(observation: Element, isolate: str | None, narrative: Narrative) -> Result:
    code = observation.find("code", NS)
    base = Result() if code is None else Result(code=_code(code), label=_label(code, narrative))
    if not (base.code or base.label):
        raise _NoExam
    result = result_of(
        replace(base, comment=isolate and f"Isolat : {isolate}"),
        value_of(observation.find("value", NS), narrative),
        flags_given=tuple(
            each.get("code") for each in observation.findall("interpretationCode", NS)
        ),
        bounds=_bounds(observation, narrative),
    )
    return replace(result, comment=told(result.comment, *_comments(observation, narrative)))


def _code(code: Element) -> str | None:
    """The code of the norm (LOINC), or the lab's own, or that of the tariff (NABM)."""
    codes = (each.get("code") for each in (code, *code.findall("translation", NS)))
    return next(filter(None, map(identities.squeezed, codes)), None)


def _bounds(
    observation: Element, narrative: Narrative
) -> tuple[str | None, str | None, str | None]:
    """The first reference that has bounds; else the words of the first."""
    ranges = observation.findall("referenceRange/observationRange", NS)
    for each in ranges:
        value = each.find("value", NS)
        low = None if value is None else quantities.plain(_value(value.find("low", NS)))
        high = None if value is None else quantities.plain(_value(value.find("high", NS)))
        if low or high:
            return low, high, None
    for each in ranges:
        words = (
            narrative.of(each.find("text", NS)) or value_of(each.find("value", NS), narrative).value
        )
        if words:
            return quantities.reference(words)
    return None, None, None


def _comments(observation: Element, narrative: Narrative) -> Iterator[str]:
    for act in observation.findall("entryRelationship/act", NS):
        words = narrative.of(act.find("text", NS)) if _is_comment(act) else None
        if words:
            yield words


def _is_comment(act: Element) -> bool:
    code = act.find("code", NS)
    templates = {each.get("root") for each in act.findall("templateId", NS)}
    return _COMMENT_TEMPLATE in templates or (
        code is not None and code.get("code") == _COMMENT_CODE
    )
