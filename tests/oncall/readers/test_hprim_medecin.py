"""HPRIM Médecin as labs send it, and what of it is quarantined."""

from __future__ import annotations

import pytest

from scheduler.oncall.readers import Fault, Status
from tests.oncall.readers.support import HEADER, fault, medecin, of, only, read

K = "RES|POTASSIUM|K|N|5,1|mmol/l|3,5|5,0|H|F"


def test_a_thirteenth_line_is_no_part_of_the_letter() -> None:
    for blank in ("", " ", "."):
        said = read(medecin(K, header=f"{HEADER}{blank}\nVoici le résultat.\n"))
        assert said.text in {"Voici le résultat.", ".\nVoici le résultat."}
        assert said.patient.family == "FICTIF"


def test_a_third_line_of_address_moves_the_rest_down() -> None:
    header = HEADER.replace("87200", "BÂTIMENT B\n87200")
    said = read(medecin(K, header=header))
    assert said == read(medecin(K))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("LAB01     Laboratoire fictif", "Laboratoire fictif"),
        ("         C LabFictif                  ", "LabFictif"),
        ("labo.fict Institut fictif", "Institut fictif"),
        ("labo.fictif.sud Institut fictif", "Institut fictif"),
        (".         Laboratoire fictif", "Laboratoire fictif"),
        ("Laboratoire fictif du Sud", "Laboratoire fictif du Sud"),
        ("LABOFICTIF", "LABOFICTIF"),
        ("LAB01", "LAB01"),
        ("LAB01      _", "LAB01"),
        ("", None),
    ],
)
def test_a_correspondent_is_a_name_or_else_a_code(line: str, name: str | None) -> None:
    said = read(medecin(K, header=HEADER.replace("LAB01     Laboratoire fictif", line)))
    assert said.lab == name
    assert said.prescriber == "GAUTREAU Philippe"


def test_lines_of_text_that_the_letter_has_are_not_said_twice() -> None:
    said = read(medecin("TEX|Bonjour", "TEX|  Suite", K, header=HEADER + "\nBonjour\n"))
    assert said.text == "Bonjour\n\n  Suite"


@pytest.mark.parametrize(
    ("letter", "status"),
    [("F", Status.FINAL), ("R", Status.PARTIAL), ("C", Status.CORRECTED), ("", None)],
)
def test_the_state_of_the_results_is_that_of_the_report(letter: str, status: Status | None) -> None:
    assert read(medecin(f"RES|K|K|N|5|||||{letter}")).status == status


def test_a_result_in_two_units_has_the_second_in_its_remark() -> None:
    assert only(medecin("RES|UREE|U|N|0,24|g/l|0,15|0,42||F|4,01|mmol/l|2,51|7,01")).comment == (
        "4.01 mmol/l (2.51 - 7.01)"
    )
    assert only(medecin("RES|CT|CT|N|2|g/l||2||F|5,6|mmol/l||5,1")).comment == "5.6 mmol/l (< 5.1)"
    assert only(medecin("RES|HDL|H|N|1|g/l|||N|F|1,6||1|")).comment == "1.6 (> 1)"


def test_a_reference_may_stand_whole_in_one_field() -> None:
    for low, high in (("3,5 à 5,0", ""), ("", "3,5 - 5,0"), ("3,5", "5,0")):
        result = only(medecin(f"RES|K|K|N|4|mmol/l|{low}|{high}||F"))
        assert (result.low, result.high) == ("3.5", "5.0")
    words = only(medecin("RES|K|K|A|Absence||Absence|||F"))
    assert (words.low, words.high, words.comment) == (None, None, "Réf. : Absence")


def test_the_absence_of_a_flag_says_nothing() -> None:
    """Even where the value is beyond the reference: that is for people to see."""
    assert only(medecin("RES|K|K|N|9,9|mmol/l|3,5|5,0||F")).flag is None


def test_padding_with_zero_bytes_is_no_text() -> None:
    padded = medecin(K).replace("FICTIF\n", "FICTIF\0\0\0\0\n").replace("|H|", "|H\0|")
    assert read(padded) == read(medecin(K))


def test_the_end_mark_may_be_that_of_the_file_or_misspelt() -> None:
    for mark in (
        "****FINFICHIER****",
        "****FIN***",
        "*****FIN*****",
        " ****FIN**** ",
        "**** FIN ****",
    ):
        assert read(medecin(K).replace("****FIN****", mark)) == read(medecin(K))


def test_what_a_mail_adds_after_the_end_is_not_read() -> None:
    assert read(medecin(K) + "****FINFICHIER****\n--\nEnvoyé par un fictif\n") == read(medecin(K))


def test_a_letter_has_no_results() -> None:
    said = read(of("hprim-medecin-lettre.hpr"))
    assert said.results == ()
    assert said.text is not None


TWO = medecin(K) + medecin(K)
QUARANTINED = {
    "no end": (medecin(K).replace("****FIN****\n", ""), Fault.CUT_OFF),
    "cut in a result": (medecin(K)[: medecin(K).index("mmol")], Fault.CUT_OFF),
    "two reports": (TWO, Fault.SEVERAL_REPORTS),
    "two reports in one frame": (TWO.replace("****FIN****\n", "", 1), Fault.SEVERAL_REPORTS),
    "a report after the end of the file": (
        medecin(K) + "****FINFICHIER****\n" + medecin(K),
        Fault.SEVERAL_REPORTS,
    ),
    "something between the ends": (
        medecin(K) + "Suite\n****FINFICHIER****\n",
        Fault.SEVERAL_REPORTS,
    ),
    "a header of five lines": ("1\nFICTIF\nA\nB\nC\n****LAB****\n****FIN****\n", Fault.HEADER),
    "dates nowhere": (medecin(K, header=HEADER.replace("01/02/1980", "Inconnue")), Fault.HEADER),
    "no dates where they should be": (medecin(K, header="\n" + HEADER), Fault.HEADER),
    "nothing in it": (medecin(), Fault.NO_RESULTS),
    "a wrapped result": (medecin("RES|POTASSIUM|K|N|5", ",1|mmol/l|3,5|5,0|H|F"), Fault.LINE),
    "an unknown line": (medecin(K, "REX|POTASSIUM|K|N|5"), Fault.LINE),
    "a result without a name": (medecin("RES|||N|5|"), Fault.RESULT),
    "a result of three fields": (medecin("RES|POTASSIUM|K"), Fault.RESULT),
    "a bar in a label": (medecin("RES|POTASSIUM|bis|K|N|5|mmol/l|3,5|5,0|H|F"), Fault.RESULT),
    "a field too many": (medecin(K + "|1|2|3|4|5"), Fault.RESULT),
    "a number for a flag": (medecin("RES|K|K|N|5|mmol/l|3|5|5|F"), Fault.RESULT),
    "a number that is none": (medecin("RES|K|K|N|5.1.2|mmol/l"), Fault.NUMBER),
    "a number with words": (medecin("RES|K|K|N|5 environ dix|mmol/l"), Fault.NUMBER),
    "a zero byte inside a word": (medecin(K.replace("TASS", "TA\0SS")), Fault.BINARY),
}


@pytest.mark.parametrize(("content", "why"), QUARANTINED.values(), ids=list(QUARANTINED))
def test_what_is_not_safe_is_quarantined(content: str, why: Fault) -> None:
    assert fault(content) == why


def test_however_early_a_file_ends_it_is_never_half_a_report() -> None:
    """Cut anywhere before its end mark is complete."""
    whole = of("hprim-medecin-ionogramme.hpr")
    for length in range(whole.index("****FIN****") + 6):
        assert fault(whole[:length]) in set(Fault)
