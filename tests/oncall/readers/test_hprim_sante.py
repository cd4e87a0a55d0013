"""HPRIM Santé as labs send it, and what of it is quarantined."""

from __future__ import annotations

import pytest

from scheduler.oncall.readers import Fault, Status
from tests.oncall.readers.support import fault, of, only, read, sante

OBR = "OBR|1|~P9|S1~D26|K~Potassium|||||||||||||||||||||F"
K = "OBX|1|NM|K~Potassium~L||5,1|mmol/L|3,5 - 5,0|H|||F"


@pytest.mark.parametrize("marks", ["~^\\&", "^~\\&", "^~&\\", "\\^&~", "+=\\!", "~"])
def test_the_sender_chooses_the_delimiters(marks: str) -> None:
    component = marks[0]
    plain = sante(OBR, K)
    assert read(
        plain.replace("~^\\&", "~", 1)
        .replace("~", component)
        .replace(f"H|{component}|", f"H|{marks}|")
    ) == read(plain)


def test_even_the_separator_of_fields() -> None:
    assert read(sante(OBR, K).replace("|", "!")) == read(sante(OBR, K))


def test_a_continuation_goes_on_where_the_line_stopped() -> None:
    whole = sante(OBR, K, "C|1|L|Contrôlé deux fois~par le biologiste")
    for at in range(len("OBX|"), len(K)):
        assert read(whole.replace(K, f"{K[:at]}\r\nA|{K[at:]}")) == read(whole)
    thrice = whole.replace("deux fois", "deux\r\nA| fo\r\nA|is")
    assert read(thrice) == read(whole)


def test_escapes_and_repetitions_mean_what_they_say() -> None:
    remark = read(sante(OBR, K, r"C|1|L|a\F\b \S\ \R\ \T\ \E\.br\E\ \X41\^deux\.br\trois")).results[
        0
    ]
    assert remark.comment == "a|b ~ ^ & \\.br\\ A\ndeux\ntrois"


def test_a_lone_escape_character_is_one() -> None:
    assert only(sante(OBR, "OBX|1|ST|K||C:\\dossier\\1|||||F")).value == "C:\\dossier\\1"


def test_a_remark_before_any_result_is_of_the_report() -> None:
    said = read(sante(OBR, "C|1|L|Prélèvement difficile", K, "C|1|L|Contrôlé"))
    assert said.text == "Prélèvement difficile"
    assert said.results[0].comment == "Contrôlé"


def test_a_header_may_have_one_field_more() -> None:
    h = r"H|~^\&|||L1~LABO|||ORU|||C1~CABINET||P|H2.1~C|202603021405"
    assert read(sante(OBR, K, h=h)).issued_at == read(sante(OBR, K)).issued_at


def test_results_that_are_awaited_make_a_partial_report() -> None:
    said = read(sante("OBR|1||D26|K|||||||||||||||||||||I"))
    assert said.status is Status.PARTIAL
    assert said.results == ()


H = r"H|~^\&|F.HPR||L1~LABO||ADM|||C1~CABINET||P|H2.2~C|202603021405"
QUARANTINED = {
    "no end": (sante(OBR, K).replace("L|1\r\n", ""), Fault.CUT_OFF),
    "two messages": (sante(OBR, K) + sante(OBR, K), Fault.SEVERAL_REPORTS),
    "something after the end": (sante(OBR, K) + "OBX|2|NM|NA||139\r\n", Fault.SEVERAL_REPORTS),
    "two patients": (sante(OBR, K, "P|2|P2|||AUTRE~B", OBR, K), Fault.SEVERAL_PATIENTS),
    "two patients announced": (sante(OBR, K).replace("L|1", "L|1||2"), Fault.SEVERAL_PATIENTS),
    "an admission": (sante(OBR, K, h=H), Fault.NOT_RESULTS),
    "no results": (sante(OBR), Fault.NO_RESULTS),
    "nothing at all": (sante(), Fault.NO_RESULTS),
    "a wrapped line": (sante(OBR, K, "suite du commentaire"), Fault.LINE),
    "a continuation of nothing": ("H|~^\\&\r\n".replace("H", "A", 1), Fault.UNKNOWN_FORMAT),
    "a result without an exam": (sante(OBR, "OBX|1|NM|||5"), Fault.RESULT),
    "a result cut short": (sante(OBR, "OBX|1|NM|K"), Fault.RESULT),
    "a number that is none": (sante(OBR, "OBX|1|NM|K||5,1,2"), Fault.NUMBER),
    "a date that is none": (sante(OBR.replace("||||F", "|31022026|||F"), K), Fault.ISSUED_AT),
    "equal delimiters": (sante(OBR, K).replace("~^\\&", "~~\\&"), Fault.DELIMITERS),
    "too many delimiters": (sante(OBR, K).replace("~^\\&", "~^\\&#"), Fault.DELIMITERS),
}


@pytest.mark.parametrize(("content", "why"), QUARANTINED.values(), ids=list(QUARANTINED))
def test_what_is_not_safe_is_quarantined(content: str, why: Fault) -> None:
    assert fault(content) == why


def test_however_early_a_file_ends_it_is_never_half_a_report() -> None:
    whole = of("hprim-sante-urgent.hpr")
    for length in range(whole.rindex("L|1") + 1):
        assert fault(whole[:length]) in set(Fault)
