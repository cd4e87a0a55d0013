"""Whatever the bytes: a report, or one refusal, and never anything else."""

from __future__ import annotations

import json
import re

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scheduler.oncall.readers import Fault, LabReport, Unreadable, flags
from tests.oncall.readers.support import FILES, cda, medecin, oru, read, sante

SEEDS = [file.read_bytes() for file in FILES]
WORDS = st.sampled_from(
    [
        *(
            b"|",
            b"^",
            b"~",
            b"\\",
            b"&",
            b"\r",
            b"\n",
            b"\r\n",
            b"\0",
            b"\x1a",
            b"\xff\xfe",
            b"\x82",
        ),
        *(b"MSH|^~\\&|", b"PID|1||", b"OBR|1|", b"OBX|1|NM|K||", b"NTE|1||", b"\\X0D\\", b"\\F\\"),
        *(b"H|~^\\&|", b"P|1|", b"A|", b"C|1||", b"L|1", b"\\.sp999\\", b"\\X", b"10^9/L", b'""'),
        *(b"RES|K|K|N|", b"TEX|", b"****LAB****\n", b"****FIN****\n", b"****FINFICHIER****\n"),
        *(
            b"<value xsi:type='PQ' value='1'/>",
            b"<![CDATA[",
            b"]]>",
            b"&#0;",
            b"&lt;",
            b"<!--",
            b"<",
        ),
        *(
            b"5,1",
            b"< 0.12",
            b"99999999",
            b"20260231",
            b"31/12/99",
            b"*",
            b"**",
            b"-",
            b".",
            b"\xe9",
        ),
        *(
            "é".encode(),
            "\u2028".encode(),
            "\u0660".encode(),
            b"\xed\xa0\x80",
            b"1 80 02 87 006 004 28",
        ),
    ]
)
PLACES = st.floats(0, 1)
slow_is_fine = settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow]
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file of the corpus with a few pieces put in, taken out, doubled or replaced."""
    content = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        start, end = sorted(int(draw(PLACES) * len(content)) for _ in range(2))
        end = min(end, start + draw(st.integers(0, 80)))
        piece = draw(st.one_of(WORDS, st.binary(max_size=4), st.just(content[start:end] * 2)))
        content = content[:start] + piece + content[end:]
    return content


def _answer(content: bytes | str) -> LabReport | None:
    refused: Unreadable | None = None
    try:
        said = read(content)
    except Unreadable as refusal:
        refused = refusal
    if refused:
        assert refused.code in set(Fault)
        assert refused.sentence
        return None
    _require_sound(said)
    return said


def _require_sound(said: LabReport) -> None:
    """What every report promises, whatever it was read from."""
    text = json.dumps(said.as_json(), ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text
    assert said.patient.family.strip()
    for each in said.results:
        assert each.comparator in {None, "<", ">", "<=", ">="}
        assert each.comparator is None or each.value
        assert each.flag is None or each.flag in flags.ALPHABET or each.flag.strip()
        for part in (each.code, each.label, each.value, each.unit, each.low, each.high, each.flag):
            assert part is None or part.strip()


@slow_is_fine
@given(damaged())
@example(b"MSH|")
@example(b"MSH|^~\\&")
@example(b"H|~")
@example(b"H|~^\\&")
@example(b"<")
@example(b"****FIN****")
@example(b"\xff\xfe")
@example(b"\xef\xbb\xbf")
def test_a_damaged_file_is_a_report_or_a_refusal(content: bytes) -> None:
    _answer(content)


@slow_is_fine
@given(st.binary(max_size=400))
def test_noise_is_refused(content: bytes) -> None:
    assert _answer(content) is None


FIELD = st.text(
    st.one_of(
        st.sampled_from("0123456789,.<>*^~\\&|-/ éµ°NHL"),
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]),
    ),
    max_size=12,
)
ROW = st.lists(FIELD, max_size=16).map("|".join)


@slow_is_fine
@given(st.lists(st.tuples(st.sampled_from(["RES", "TEX", "", "A"]), ROW), max_size=6))
def test_any_line_of_hprim_medecin(rows: list[tuple[str, str]]) -> None:
    _answer(medecin(*(f"{name}|{row}" for name, row in rows)))


SEGMENTS = st.lists(
    st.tuples(st.sampled_from(["OBR", "OBX", "NTE", "C", "A", "ORC", "P", "PID", "ZZ1"]), ROW),
    max_size=8,
)


@slow_is_fine
@given(SEGMENTS)
def test_any_segment_of_hl7(rows: list[tuple[str, str]]) -> None:
    _answer(oru("OBR|1||D26|K", *(f"{name}|{row}" for name, row in rows)))


@slow_is_fine
@given(SEGMENTS)
def test_any_segment_of_hprim_sante(rows: list[tuple[str, str]]) -> None:
    _answer(sante("OBR|1||D26|K", *(f"{name}|{row}" for name, row in rows)))


TYPES = st.sampled_from(
    ["PQ", "IVL_PQ", "CD", "ST", "RTO_PQ_PQ", "INT", "ED", "BL", "TS", "IVL_TS", "x:y:z", ""]
)
NAMES = st.sampled_from(["low", "high", "numerator", "originalText", "reference", "translation"])


@slow_is_fine
@given(TYPES, FIELD, FIELD, st.lists(st.tuples(NAMES, FIELD), max_size=4))
def test_any_value_of_cda(kind: str, value: str, unit: str, parts: list[tuple[str, str]]) -> None:
    def quoted(text: str) -> str:
        return re.sub(r"[<>&\"]", "", text)

    inside = "".join(f'<{name} value="{quoted(text)}"/>' for name, text in parts)
    given = f'xsi:type="{kind}" value="{quoted(value)}" unit="{quoted(unit)}"'
    _answer(cda(f"<value {given}>{inside}</value>"))


PLAIN = st.text(st.sampled_from("abcdéèçABCÉ µ°%/123"), min_size=1, max_size=20).filter(str.strip)
NUMBERS = st.decimals(-10_000, 10_000, allow_nan=False, allow_infinity=False, places=2)


@slow_is_fine
@given(PLAIN, NUMBERS, st.sampled_from(["", "<", ">", "<=", ">="]), st.booleans())
def test_a_number_is_the_same_in_all_formats(
    label: str, number: object, sign: str, comma: bool
) -> None:
    written = str(number).replace(".", ",") if comma else str(number)
    label = " ".join(label.split())
    structured = oru("OBR|1", f"OBX|1|SN|K^{label}||{sign}^{written}||||||F")
    files = [
        medecin(f"RES|{label}|K|N|{sign} {written}||||H|F"),
        sante("OBR|1", f"OBX|1|NM|K~{label}||{sign}{written}|||H|||F"),
        oru("OBR|1", f"OBX|1|NM|K^{label}||{sign} {written}|||H|||F"),
        structured,
    ]
    if not sign:
        files.append(cda(f'<value xsi:type="PQ" value="{number}"/>'))
    for file in files:
        (result,) = read(file).results
        assert (result.value, result.comparator) == (str(number), sign or None)
        assert result.label in {label, "Potassium"}
