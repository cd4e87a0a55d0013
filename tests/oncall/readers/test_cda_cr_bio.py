"""CDA CR-BIO as labs send it, and what of it is quarantined."""

from __future__ import annotations

import pytest

from scheduler.oncall.readers import Fault, Status
from tests.oncall.readers.support import cda, fault, of, only, read

PQ = '<value xsi:type="PQ" value="5.1" unit="mmol/L"/>'


@pytest.mark.parametrize(
    ("value", "understood"),
    [
        (PQ, ("5.1", None, "mmol/L")),
        ('<value xsi:type="PQ" value="5,1" unit="1"/>', ("5.1", None, None)),
        ('<value xsi:type="cda:PQ" value="-5.1" unit="mmol/L"/>', ("-5.1", None, "mmol/L")),
        ('<value xsi:type="PQ" nullFlavor="NAV"/>', (None, None, None)),
        (
            '<value xsi:type="PQ" nullFlavor="OTH"><translation value="5.1" unit="g/L"/></value>',
            ("5.1", None, "g/L"),
        ),
        ('<value xsi:type="INT" value="7"/>', ("7", None, None)),
        ('<value xsi:type="REAL" value="7.5"/>', ("7.5", None, None)),
        ('<value xsi:type="IVL_PQ"><high value="1.0" unit="g"/></value>', ("1.0", "<=", "g")),
        (
            '<value xsi:type="IVL_PQ"><high value="1" unit="g" inclusive="false"/></value>',
            ("1", "<", "g"),
        ),
        (
            '<value xsi:type="IVL_PQ"><low value="9" unit="g" inclusive="false"/><high/></value>',
            ("9", ">", "g"),
        ),
        (
            '<value xsi:type="IVL_PQ"><low value="5" unit="g"/><high value="9" unit="g"/></value>',
            ("5 - 9", None, "g"),
        ),
        ('<value xsi:type="IVL_INT"><center value="5"/></value>', ("5", None, None)),
        (
            '<value xsi:type="RTO"><numerator value="1"/><denominator value="80"/></value>',
            ("1/80", None, None),
        ),
        ('<value xsi:type="CD" code="P" displayName="Positif"/>', ("Positif", None, None)),
        ('<value xsi:type="CE" code="P"/>', ("P", None, None)),
        (
            '<value xsi:type="CD"><originalText>paille</originalText></value>',
            ("paille", None, None),
        ),
        (
            '<value xsi:type="CD"><originalText><reference value="#v"/></originalText></value>',
            ("clair", None, None),
        ),
        (
            '<value xsi:type="CD" nullFlavor="OTH"><translation displayName="Rare"/></value>',
            ("Rare", None, None),
        ),
        ('<value xsi:type="CD" nullFlavor="NASK"/>', (None, None, None)),
        ('<value xsi:type="ST">Négatif</value>', ("Négatif", None, None)),
        ('<value xsi:type="ST">&lt; 0,12</value>', ("0.12", "<", None)),
        ('<value xsi:type="ED"><reference value="#v"/></value>', ("clair", None, None)),
        (
            '<value xsi:type="ED" mediaType="image/png" representation="B64">iVBORw0=</value>',
            (None, None, None),
        ),
        ('<value xsi:type="BL" value="true"/>', ("true", None, None)),
        ('<value value="5.1" unit="mmol/L"/>', ("5.1", None, "mmol/L")),
        ("", (None, None, None)),
    ],
)
def test_each_type_of_value(value: str, understood: tuple[str | None, ...]) -> None:
    text = '<text><paragraph>Aspect : <content ID="v">clair</content></paragraph></text>'
    result = only(cda(value, text=text))
    assert (result.value, result.comparator, result.unit) == understood


def _reference(inside: str) -> str:
    return (
        '<referenceRange typeCode="REFV"><observationRange>'
        f"{inside}</observationRange></referenceRange>"
    )


@pytest.mark.parametrize(
    ("inside", "understood"),
    [
        (
            '<value xsi:type="IVL_PQ"><low value="3,5"/><high value="5"/></value>',
            ("3.5", "5", None),
        ),
        ('<value xsi:type="IVL_PQ"><high value="5"/></value>', (None, "5", None)),
        (
            '<value xsi:type="IVL_PQ"><low value="5"/><high nullFlavor="PINF"/></value>',
            ("5", None, None),
        ),
        ("<text>3,5 à 5,0</text>", ("3.5", "5.0", None)),
        ("<text>absence</text>", (None, None, "Réf. : absence")),
        ('<value xsi:type="ST">absence</value>', (None, None, "Réf. : absence")),
        ("", (None, None, None)),
    ],
)
def test_a_reference_is_two_bounds_or_its_words(
    inside: str, understood: tuple[str | None, ...]
) -> None:
    result = only(cda(PQ, rest=_reference(inside)))
    assert (result.low, result.high, result.comment) == understood


def test_of_several_references_the_one_with_bounds_is_shown() -> None:
    words = _reference("<text>selon l’âge</text>")
    bounds = _reference('<value xsi:type="IVL_PQ"><low value="3"/></value>')
    assert only(cda(PQ, rest=words + bounds)).low == "3"


@pytest.mark.parametrize(
    ("codes", "flag"),
    [(["HH"], "HH"), (["N"], "N"), (["R"], "R"), ([], None), (["H", "A"], "H"), (["HU"], "HU")],
)
def test_the_flag_is_the_labs(codes: list[str], flag: str | None) -> None:
    given = "".join(f'<interpretationCode code="{code}"/>' for code in codes)
    assert only(cda(PQ, rest=given)).flag == flag


def test_an_interpretation_of_the_reference_is_no_flag() -> None:
    inside = '<value xsi:type="IVL_PQ"><low value="3"/></value><interpretationCode code="N"/>'
    assert only(cda(PQ, rest=_reference(inside))).flag is None


@pytest.mark.parametrize(
    ("exam", "code", "label"),
    [
        ('<code code="2823-3" displayName="Potassium"/>', "2823-3", "Potassium"),
        (
            '<code code="2823-3"><translation code="K" displayName="Kaliémie"/></code>',
            "2823-3",
            "Kaliémie",
        ),
        (
            '<code nullFlavor="UNC"><translation code="1610" displayName="POTASSIUM"/></code>',
            "1610",
            "POTASSIUM",
        ),
        (
            '<code nullFlavor="UNC"><originalText><reference value="#k"/></originalText></code>',
            None,
            "Potassium (plasma)",
        ),
    ],
)
def test_an_exam_is_named_by_norm_or_by_the_lab(exam: str, code: str | None, label: str) -> None:
    text = '<text><content ID="k">Potassium <br/>(plasma)</content></text>'
    result = only(cda(PQ, exam=exam, text=text))
    assert (result.code, result.label) == (code, label)


def test_an_earlier_result_is_none_of_this_report() -> None:
    earlier = (
        '<entryRelationship typeCode="REFR"><observation classCode="OBS" moodCode="EVN">'
        '<code code="2823-3"/><value xsi:type="PQ" value="9.9"/></observation></entryRelationship>'
    )
    assert only(cda(PQ, rest=earlier)).value == "5.1"


def test_a_heading_with_results_below_it_is_none() -> None:
    below = (
        '<entryRelationship typeCode="COMP"><observation classCode="OBS" moodCode="EVN">'
        '<code code="NA"/><value xsi:type="PQ" value="139"/></observation></entryRelationship>'
    )
    assert only(cda(rest=below)).code == "NA"
    assert [each.value for each in read(cda(PQ, rest=below)).results] == ["5.1", "139"]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("", Status.FINAL),
        ("completed", Status.FINAL),
        ("active", Status.PARTIAL),
        ("aborted", Status.CANCELLED),
        ("completed replaced", Status.CORRECTED),
        ("active replaced", Status.PARTIAL),
    ],
)
def test_the_status_is_that_of_the_request(head: str, status: Status) -> None:
    state, _, replaced = head.partition(" ")
    parts = [
        f'<documentationOf><serviceEvent><lab:statusCode code="{state}"/></serviceEvent>'
        "</documentationOf>"
        if state
        else "",
        '<relatedDocument typeCode="RPLC"><parentDocument/></relatedDocument>' if replaced else "",
    ]
    assert read(cda(PQ, head="".join(parts))).status is status


def test_what_all_versions_share_is_told_apart_from_the_order() -> None:
    said = read(of("cda-cr-bio-urgent.xml"))
    assert (said.order, said.version, said.series) == ("PLACER-9", "1", "CR-26-3310")


def test_the_narrative_is_the_text() -> None:
    table = (
        "<text><table><tr><th>Examen</th><th>Résultat</th></tr>"
        "<tr><td>Potassium</td><td>5,1<br/>mmol/L</td></tr></table>\n"
        "<list><item>un</item><item>deux</item></list>fin</text>"
    )
    assert read(cda(PQ, text=table)).text == (
        "Examen | Résultat\nPotassium | 5,1\nmmol/L\nun\ndeux\nfin"
    )


def test_the_declaration_may_be_wrong_about_the_bytes() -> None:
    said = cda('<value xsi:type="ST">négatif</value>')
    for declared in ("UTF-8", "ISO-8859-1", "windows-1252", "US-ASCII"):
        for codec in ("utf-8", "latin-1", "utf-8-sig", "utf-16"):
            content = said.replace("UTF-8", declared).encode(codec)
            assert only(content).value == "négatif"
    assert only(said.replace("UTF-8", "ISO-8859-15").encode("iso8859-15")).value == "négatif"


BILLION = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
)
QUARANTINED = {
    "entities": (cda(PQ, declaration=BILLION), Fault.XML_DTD),
    "a document type": (cda(PQ, declaration="<!DOCTYPE x>"), Fault.XML_DTD),
    "an outside entity": (
        cda(PQ, declaration='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
        Fault.XML_DTD,
    ),
    "cut short": (cda(PQ)[:-20], Fault.XML),
    "two documents": (cda(PQ) + cda(PQ), Fault.XML),
    "no markup": ("<<<", Fault.XML),
    "another document": ("<Bundle xmlns='http://hl7.org/fhir'/>", Fault.UNKNOWN_FORMAT),
    "a page": ("<!DOCTYPE html><title>Connexion</title>", Fault.XML_DTD),
    "another kind of CDA": (cda(PQ, code='<code code="18748-4"/>'), Fault.NOT_RESULTS),
    "a PDF inside": (
        cda(PQ).split("<component>")[0]
        + "<component><nonXMLBody><text>JVBERi0=</text></nonXMLBody></component>"
        + "</ClinicalDocument>",
        Fault.DOCUMENT,
    ),
    "two patients": (
        cda(PQ, head="<recordTarget><patientRole/></recordTarget>"),
        Fault.SEVERAL_PATIENTS,
    ),
    "an exam without a name": (cda(PQ, exam="<code/>"), Fault.RESULT),
    "a number that is none": (cda('<value xsi:type="PQ" value="5.1.2"/>'), Fault.NUMBER),
    "words for a number": (cda('<value xsi:type="PQ" value="beaucoup"/>'), Fault.NUMBER),
    "a date that is none": (cda(PQ, head='<effectiveTime value="hier"/>'), Fault.ISSUED_AT),
    "too deep": (
        cda(PQ, text="<text>" + "<content>" * 200 + "</content>" * 200 + "</text>"),
        Fault.TOO_DEEP,
    ),
}


@pytest.mark.parametrize(("content", "why"), QUARANTINED.values(), ids=list(QUARANTINED))
def test_what_is_not_safe_is_quarantined(content: str, why: Fault) -> None:
    assert fault(content) == why


def test_however_early_a_file_ends_it_is_never_half_a_report() -> None:
    whole = of("cda-cr-bio-microbiologie.xml").strip()
    for length in range(0, len(whole), 7):
        assert fault(whole[:length]) in set(Fault)
