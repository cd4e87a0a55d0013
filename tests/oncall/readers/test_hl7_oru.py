"""HL7 v2 as labs send it, and what of it is quarantined."""

from __future__ import annotations

import pytest

from scheduler.oncall.readers import Fault, Status
from tests.oncall.readers.support import fault, of, only, oru, read

OBR = "OBR|1|P9|D26|K^Potassium|||20260302|||||||||10001^MARCHAND^Hélène||||||202603021402|||F"
K = "OBX|1|NM|2823-3^Potassium^LN||5.1|mmol/L|3.5-5.0|H|||F"


def test_the_sender_chooses_the_delimiters() -> None:
    said = read(oru(OBR, K))
    for marks in ("*~\\&", "*!$%", "*", "*~"):
        message = oru(OBR, K).replace("^~\\&", "\0").replace("^", "*").replace("\0", marks)
        assert read(message) == said
    assert read(oru(OBR, K).replace("|", "#")) == said


def test_a_text_of_one_line_keeps_its_unit() -> None:
    assert only(oru(OBR, "OBX|1|TX|K||5|mg/L|||||F")).unit == "mg/L"


def test_a_line_feed_inside_a_text_is_one() -> None:
    said = read(oru(OBR, K, "OBX|2|FT|C^Conclusion||Première\nSeconde||||||F"))
    assert said.text == "Conclusion\nPremière\nSeconde"


def test_segments_may_end_with_line_feeds_and_one_with_a_return() -> None:
    mixed = oru(OBR, K, K).replace("\r", "\n")[:-1] + "\r"
    assert len(read(mixed).results) == 2


@pytest.mark.parametrize(
    ("obx", "value", "comparator"),
    [
        ("OBX|1|NM|K||5,1||||||F", "5.1", None),
        ("OBX|1|NM|K||>100||||||F", "100", ">"),
        ("OBX|1|ST|K||< 0.12||||||F", "0.12", "<"),
        ("OBX|1||K||5.1||||||F", "5.1", None),
        ("OBX|1|SN|K||<^0.12||||||F", "0.12", "<"),
        ("OBX|1|SN|K||>=^90||||||F", "90", ">="),
        ("OBX|1|SN|K||=^5||||||F", "5", None),
        ("OBX|1|SN|K||^1^:^128||||||F", "1:128", None),
        ("OBX|1|SN|K||>^1^/^80||||||F", "1/80", ">"),
        ("OBX|1|SN|K||^10^-^20||||||F", "10-20", None),
        ("OBX|1|SN|K||^2^+||||||F", "2+", None),
        ("OBX|1|TX|K||Négatif||||||F", "Négatif", None),
        ("OBX|1|TX|K||< 5|mg/L|||||F", "5", "<"),
        ("OBX|1|CE|K||POS^Positif^L||||||F", "Positif", None),
        ("OBX|1|CE|K||POS||||||F", "POS", None),
        ("OBX|1|CE|K||^^^P^Positif^L||||||F", "Positif", None),
        ("OBX|1|CWE|K||^^^^^^^^texte libre||||||F", "texte libre", None),
        ("OBX|1|CE|K||A^Ampicilline~G^Gentamicine||||||F", "Ampicilline ; Gentamicine", None),
        ("OBX|1|ST|K||Na^+ & K||||||F", "Na^+ & K", None),
        (r"OBX|1|ST|K||a\F\b\S\c\T\d\R\e\E\f||||||F", "a|b^c&d~e\\f", None),
        (r"OBX|1|ST|K||\H\gras\N\ \Zx\ \C2842\||||||F", "gras \\Zx\\ \\C2842\\", None),
        (r"OBX|1|ST|K||\XC3A9\t\XE9\||||||F", "été", None),
        ('OBX|1|ST|K||""||||||F', None, None),
        ("OBX|1|NM|K||||||||X", None, None),
        ("OBX|1|CE|K||-^-^L||||||F", "-", None),
        ("OBX|1|DT|K||20260302||||||F", "20260302", None),
    ],
)
def test_each_type_of_value(obx: str, value: str | None, comparator: str | None) -> None:
    result = only(oru(OBR, obx))
    assert (result.value, result.comparator) == (value, comparator)


@pytest.mark.parametrize(
    ("exam", "code", "label"),
    [
        ("2823-3^Potassium^LN^K^Kaliémie^L", "2823-3", "Potassium"),
        ("K^Kaliémie^L^2823-3^Potassium^LN", "K", "Kaliémie"),
        ("^^^K^Kaliémie^L", "K", "Kaliémie"),
        ("K", "K", None),
        ("^Kaliémie", None, "Kaliémie"),
    ],
)
def test_the_code_is_the_one_that_the_lab_put_first(
    exam: str, code: str | None, label: str | None
) -> None:
    result = only(oru(OBR, f"OBX|1|NM|{exam}||5.1||||||F"))
    assert (result.code, result.label) == (code, label)


@pytest.mark.parametrize(
    ("unit", "understood"),
    [
        ("mmol/L", "mmol/L"),
        ("mmol/L^millimole par litre^UCUM", "mmol/L"),
        ("10*9/L", "10*9/L"),
        ("10^9/L", "10^9/L"),
        (r"10\S\9/L", "10^9/L"),
        ("", None),
    ],
)
def test_a_unit_is_whole(unit: str, understood: str | None) -> None:
    assert only(oru(OBR, f"OBX|1|NM|K||5.1|{unit}|||||F")).unit == understood


@pytest.mark.parametrize(
    ("segments", "order"),
    [
        (["OBR|1|P9|D26|K"], "D26"),
        (["OBR|1|P9||K"], "P9"),
        (["ORC|RE|P9|D26", "OBR|1|||K"], "D26"),
        (["OBR|1|P9|D26-1|K", "OBR|2|P9|D26-2|L"], "P9"),
        (["OBR|1||D26-1|K", "OBR|2||D26-2|L"], "D26-1 + D26-2"),
        (["OBR|1|||K"], None),
        ([f"OBR|{n}||D{n}|K" for n in range(1, 31)], "D1 … D30 (30)"),
    ],
)
def test_the_order_is_one_number(segments: list[str], order: str | None) -> None:
    """And that of a message with several is that of none of them alone."""
    assert read(oru(*segments, K)).order == order


def test_the_date_is_that_of_the_results_before_that_of_the_message() -> None:
    def issued(status_change: str) -> str:
        obr = OBR.replace("202603021402", status_change)
        return str(read(oru(obr, K)).issued_at)

    assert issued("202603021402") == "2026-03-02 14:02:00+01:00"
    assert issued("") == "2026-03-02 14:05:00+01:00"
    assert issued("20260302") == "2026-03-02 14:05:00+01:00"
    assert issued("20260301") == "2026-03-01"


def test_the_prescriber_may_stand_at_the_order() -> None:
    orc = "ORC|RE|P9|D26|||||||||10001^MARCHAND^Hélène"
    assert read(oru(orc, "OBR|1||D26|K", K)).prescriber == "MARCHAND Hélène"
    assert read(oru("OBR|1||D26|K||||||||||||10001", K)).prescriber == "10001"


def test_a_withdrawn_value_is_not_one() -> None:
    for kind, value in (("NM", "5.1"), ("TX", "Positif")):
        said = read(oru(OBR, f"OBX|1|{kind}|K||{value}|||H|||W", "OBX|2|NM|NA||139||||||F"))
        taken_back = said.results[0]
        assert (taken_back.value, taken_back.flag) == (None, None)
        assert taken_back.comment == f"Résultat retiré par le laboratoire ({value} H)"
        assert said.status is Status.CORRECTED


@pytest.mark.parametrize("flag", ["-", "+", "B", "N", "POS", "R"])
def test_a_flag_of_another_alphabet_is_shown_as_it_is(flag: str) -> None:
    assert only(oru(OBR, f"OBX|1|NM|K||5.1|||{flag}|||F")).flag == flag


def test_a_long_text_keeps_the_flag_of_its_lines() -> None:
    lines = ("OBX|1|TX|C^Culture||Ligne 1||||||F", "OBX|2|TX|C^Culture||Ligne 2|||AA|||F")
    said = read(oru(OBR, *lines))
    assert said.text == "Culture\nLigne 1\nLigne 2"
    assert [(each.label, each.value, each.flag) for each in said.results] == [
        ("Culture", None, "AA")
    ]


def test_the_declared_characters_are_those_of_the_message() -> None:
    def declared(name: str, codec: str, letter: str) -> str | None:
        msh = rf"MSH|^~\&|SIL|LABO|||202603021405||ORU^R01|1|P|2.5||||||{name}"
        message = oru("OBR|1||D26|K", f"OBX|1|ST|K||{letter}||||||F", msh=msh)
        return only(message.encode(codec)).value

    assert declared("8859/1", "latin-1", "é") == "é"
    assert declared("8859/15", "iso8859-15", "œ€é") == "œ€é"
    assert declared("8859/2", "iso8859-2", "ł") == "ł"
    assert declared("UNICODE UTF-8", "utf-8", "é") == "é"
    # A sender that says one thing and does another is read as it writes.
    assert declared("UNICODE UTF-8", "latin-1", "é") == "é"
    assert declared("8859/1", "utf-8", "é") == "é"
    assert declared("ASCII", "cp1252", "é") == "é"
    assert declared("~8859/1", "latin-1", "é") == "é"


def test_a_batch_of_one_message_is_that_message() -> None:
    batch = f"FHS|^~\\&\rBHS|^~\\&\r{oru(OBR, K)}BTS|1\rFTS|1\r"
    assert read(batch) == read(oru(OBR, K))


def test_a_message_may_lack_its_last_end_of_line() -> None:
    assert read(oru(OBR, K).rstrip("\r")) == read(oru(OBR, K))


QUARANTINED = {
    "two messages": (oru(OBR, K) + oru(OBR, K), Fault.SEVERAL_REPORTS),
    "two patients": (oru(OBR, K, "PID|2||P2||AUTRE^B", OBR, K), Fault.SEVERAL_PATIENTS),
    "an admission": (oru(OBR, K).replace("ORU^R01", "ADT^A01"), Fault.NOT_RESULTS),
    "another ORU": (oru(OBR, K).replace("ORU^R01", "ORU^W01"), Fault.NOT_RESULTS),
    "no results": (oru(OBR), Fault.NO_RESULTS),
    "nothing at all": (oru(), Fault.NO_RESULTS),
    "a wrapped line": (oru(OBR, K, "suite du commentaire"), Fault.LINE),
    "a cut name": (oru(OBR, K, "OB"), Fault.LINE),
    "a segment before the header": ("FHS|^~\\&\r" + K + "\r" + oru(OBR, K), Fault.HEADER),
    "a batch of nothing": ("FHS|^~\\&\rFTS|0\r", Fault.HEADER),
    "a result without an exam": (oru(OBR, "OBX|1|NM|||5||||||F"), Fault.RESULT),
    "a result of four fields": (oru(OBR, "OBX|1|NM|K|"), Fault.RESULT),
    "a file cut in a value": (oru(OBR, K)[: oru(OBR, K).index("1|mmol")], Fault.CUT_OFF),
    "a file cut in a battery": (oru(OBR, K, "OBR|2|P9|D27|CR").rstrip("\r"), Fault.CUT_OFF),
    "a number that is none": (oru(OBR, "OBX|1|NM|K||5,1,2||||||F"), Fault.NUMBER),
    "a date that is none": (oru(OBR.replace("202603021402", "20260231"), K), Fault.ISSUED_AT),
    "no delimiters": ("MSH|\rPID|1\r", Fault.DELIMITERS),
    "equal delimiters": (oru(OBR, K).replace("^~\\&", "^^\\&"), Fault.DELIMITERS),
    "a letter for a delimiter": (oru(OBR, K).replace("^~\\&", "^a\\&"), Fault.DELIMITERS),
    "an unknown character set": (
        oru(OBR, K + "|é", msh=r"MSH|^~\&|S|L|||2026030214||ORU^R01|1|P|2.5||||||ISO IR87").encode(
            "latin-1"
        ),
        Fault.CHARACTERS,
    ),
}


@pytest.mark.parametrize(("content", "why"), QUARANTINED.values(), ids=list(QUARANTINED))
def test_what_is_not_safe_is_quarantined(content: str | bytes, why: Fault) -> None:
    assert fault(content) == why


def test_a_value_is_never_cut_with_its_file() -> None:
    """HL7 has no end mark, but a result that stops before its state is not whole."""
    whole = oru(OBR, K)
    last = whole.rindex("|||F")
    for length in range(whole.index("OBX"), last + 3):
        assert fault(whole[:length]) in set(Fault)


def test_all_of_the_corpus_has_its_results() -> None:
    assert len(read(of("hl7-oru-urgent.hl7")).results) == 8
