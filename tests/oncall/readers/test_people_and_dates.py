"""Whom a report is about and when it was issued; and the numbers that Relais must not keep."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from scheduler.oncall.readers import Fault
from scheduler.oncall.readers.identities import order, reference
from scheduler.oncall.readers.times import NoDate, birth_date, moment
from tests.oncall.readers.support import HEADER, cda, fault, medecin, oru, read, sante

# Invented, with the keys that their digits ask for.
NIR = "180028700600428"
NIRS = [
    "1800287006004",
    NIR,
    "1 80 02 87 006 004 28",
    "180.02.87.006.004-28",
    "2 55 08 2A 123 456 " + f"{97 - 2550819123456 % 97:02}",
    "255082B123456" + f"{97 - 2550818123456 % 97:02}",
    "799409901234567",
]
K = "OBX|1|NM|K^Potassium||4.1|mmol/L|||||F"


@pytest.mark.parametrize("number", [*NIRS, "180028700600429", "1234567890123456789012"])
def test_a_number_of_a_person_is_no_reference(number: str) -> None:
    assert reference(number) is None


@pytest.mark.parametrize(
    "number",
    ["P004711", "0000129610", "240932", "9800287006004", "1809987006004X", "12345678901234"],
)
def test_a_number_of_the_lab_is_kept(number: str) -> None:
    assert reference(number) == number


def test_an_order_is_dropped_only_where_its_key_says_that_it_is_a_person() -> None:
    assert order("2014123456789") == "2014123456789"
    assert order("180028700600429") == "180028700600429"
    assert order(NIR) is None


@pytest.mark.parametrize("number", NIRS)
def test_no_format_keeps_one(number: str) -> None:
    header = HEADER.replace("P004711", number).replace("26-3310", "O1")
    header = header.replace("01/02/1980\n\n", f"01/02/1980\n{number}\n")
    files = [
        medecin("RES|K|K|N|4.1", header=header),
        sante("OBR|1||O1|K", "OBX|1|NM|K||4.1|", p=f"P|1|{number}|{number}|{number}|FICTIF~A"),
        oru(
            "OBR|1||O1|K",
            K,
            pid=f"PID|1|{number}|{number}^^^X^PI|{number}|FICTIF^A|||||||||||||||{number}",
        ),
        cda(ids=f'<id extension="{number}" root="1.2.250.1.999"/>'),
    ]
    for file in files:
        said = read(file)
        assert said.patient.reference is None
        assert number not in json.dumps(said.as_json(), ensure_ascii=False)


def test_an_ins_is_known_by_who_gave_it() -> None:
    """Even where its form is none of the known ones."""
    by_root = oru("OBR|1", K, pid="PID|1||X99^^^&1.2.250.1.213.1.4.10&ISO~P7^^^L^PI||FICTIF^A")
    by_name = oru("OBR|1", K, pid="PID|1||X99^^^ASIP-SANTE-INS-C~P7||FICTIF^A")
    by_type = oru("OBR|1", K, pid="PID|1||X99^^^DGOS^NH~P7||FICTIF^A")
    of_cda = cda(
        ids='<id extension="X99" root="1.2.250.1.213.1.4.2"/><id extension="P7" root="1"/>'
    )
    for file in (by_root, by_name, by_type, of_cda):
        assert read(file).patient.reference == "P7"


def test_a_nir_in_the_words_of_a_report_is_masked() -> None:
    said = read(medecin(f"TEX|N° SS : {NIR[:1]} 80 02 87 006 004 28.", "RES|K|K|N|4.1"))
    assert said.text == "N° SS : [NIR]."
    remark = oru("OBR|1||O1", K, f"NTE|1||Assuré {NIR}")
    assert read(remark).results[0].comment == "Assuré [NIR]"
    assert read(medecin("TEX|Appeler le 1 80 02 87 006 004 29.")).text == (
        "Appeler le 1 80 02 87 006 004 29."
    )


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("02/03/2026", "2026-03-02"),
        ("2/3/2026", "2026-03-02"),
        ("02-03-2026", "2026-03-02"),
        ("02.03.26", "2026-03-02"),
        ("02/03/95", "1995-03-02"),
        ("2026-03-02", "2026-03-02"),
        ("20260302", "2026-03-02"),
        ("02032026", "2026-03-02"),
        ("2026030214", "2026-03-02T14:00:00+01:00"),
        ("202607021405", "2026-07-02T14:05:00+02:00"),
        ("20260302140507", "2026-03-02T14:05:07+01:00"),
        ("20260302140507.1234+0100", "2026-03-02T14:05:07+01:00"),
        ("202603021405Z", "2026-03-02T14:05:00+00:00"),
        ("202603021405-0400", "2026-03-02T14:05:00-04:00"),
        ("02/03/2026 14:05", "2026-03-02T14:05:00+01:00"),
        ("02/03/2026 à 14h05", "2026-03-02T14:05:00+01:00"),
        ("2026-03-02T14:05:07", "2026-03-02T14:05:07+01:00"),
        # The hour that the clocks pass twice, and the one that they skip.
        ("202610250230", "2026-10-25T02:30:00+02:00"),
        ("202603290230", "2026-03-29T02:30:00+01:00"),
    ],
)
def test_a_moment_is_of_paris_unless_it_says_otherwise(written: str, iso: str) -> None:
    said = moment(written)
    assert said is not None
    assert said.isoformat() == iso


@pytest.mark.parametrize("written", [None, "", "  ", "00/00/0000", "00000000", "."])
def test_no_date_is_none(written: str | None) -> None:
    assert moment(written) is None


@pytest.mark.parametrize(
    "written",
    ["31/02/2026", "99999999", "2026", "demain", "20261301", "202603022561", "1/1/1", "²"],
)
def test_what_is_no_date_is_refused(written: str) -> None:
    with pytest.raises(NoDate):
        moment(written)


SEEN = dt.date(2026, 3, 2)


@pytest.mark.parametrize(
    ("written", "born"),
    [
        ("14/02/1951", dt.date(1951, 2, 14)),
        ("19510214", dt.date(1951, 2, 14)),
        ("14/02/51", dt.date(1951, 2, 14)),
        ("195102140600", dt.date(1951, 2, 14)),
        ("1951", None),
        ("195102", None),
        ("19510000", None),
        ("00/00/1951", None),
        (None, None),
    ],
)
def test_a_birth_is_a_day_or_nothing(written: str | None, born: dt.date | None) -> None:
    assert birth_date(written, SEEN) == born


@pytest.mark.parametrize("written", ["14/02/12", "31/02/51", "hier"])
def test_a_birth_in_either_of_two_centuries_is_refused(written: str) -> None:
    with pytest.raises(NoDate):
        birth_date(written, SEEN)


def test_a_patient_who_cannot_be_told_is_quarantined() -> None:
    assert fault(oru("OBR|1", K, pid="")) == Fault.NO_PATIENT
    assert fault(oru("OBR|1", K, pid="PID|1||P1||^ACHILLE")) == Fault.NO_PATIENT
    assert fault(oru("OBR|1", K, pid='PID|1||P1||""^ACHILLE')) == Fault.NO_PATIENT
    assert fault(oru("OBR|1", K, pid="PID|1||P1||FICTIF^A||19801340")) == Fault.BIRTH_DATE
    assert fault(sante("OBR|1", "OBX|1|NM|K||4.1", p="P|1|P1|||~ACHILLE")) == Fault.NO_PATIENT
    assert fault(sante("OBR|1", "OBX|1|NM|K||4.1", p="")) == Fault.NO_PATIENT
    assert fault(medecin("RES|K|K|N|4", header=HEADER.replace("FICTIF", " "))) == Fault.NO_PATIENT
    assert fault(cda(names="<name><given>ACHILLE</given></name>")) == Fault.NO_PATIENT
    assert fault(cda(birth='<birthTime value="19809901"/>')) == Fault.BIRTH_DATE


def test_no_reason_says_anything_of_the_patient() -> None:
    """Whatever is wrong with a file, its reason is a sentence of the program's own."""
    from scheduler.oncall.readers.faults import SENTENCES, Unreadable

    assert set(SENTENCES) == set(Fault)
    for code in Fault:
        assert Unreadable(code, line=7, most=5).sentence.endswith(".")
