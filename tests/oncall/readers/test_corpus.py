"""Each file of the corpus, in each encoding and with each end of lines, says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.oncall.readers import LabReport
from tests.oncall.readers.support import CORPUS, FILES, expected, read, sent_otherwise


def _named(files: list[Path]) -> list[str]:
    return [file.name for file in files]


@pytest.mark.parametrize("file", FILES, ids=_named(FILES))
def test_a_file_says_what_it_says(file: Path) -> None:
    assert read(file.read_bytes()).as_json() == expected(file)


@pytest.mark.parametrize("file", FILES, ids=_named(FILES))
def test_it_says_so_however_it_was_sent(file: Path) -> None:
    others = {name: read(content).as_json() for name, content in sent_otherwise(file)}
    assert len(others) >= 15
    assert {name: said for name, said in others.items() if said != expected(file)} == {}


@pytest.mark.parametrize(
    "around",
    [(b"", b"\x1a"), (b"", b"\x00" * 100), (b"\x0b", b"\x1c\r"), (b"", b"\r\n\r\n\r\n")],
    ids=["dos end of file", "padded", "mllp", "blank lines"],
)
@pytest.mark.parametrize("file", FILES, ids=_named(FILES))
def test_what_stands_around_a_file_is_nothing(file: Path, around: tuple[bytes, bytes]) -> None:
    content = around[0] + file.read_bytes() + around[1]
    assert read(content).as_json() == expected(file)


def test_every_format_is_there() -> None:
    assert {expected(file)["format"] for file in FILES} == {
        "hprim-medecin",
        "hprim-sante",
        "hl7-oru",
        "cda-cr-bio",
    }


def test_every_expectation_has_its_file() -> None:
    assert {file.stem for file in FILES} == {file.stem for file in CORPUS.glob("*.json")}


def test_all_that_is_promised_is_in_the_answer() -> None:
    """The shape that `app.py labs read` promises, with null where nothing was said."""
    result = dict.fromkeys(
        ("code", "label", "value", "comparator", "unit", "low", "high", "flag", "comment")
    )
    for file in FILES:
        said = expected(file)
        assert list(said) == [
            *("format", "lab", "order", "version", "issued_at", "status"),
            *("prescriber", "patient", "results", "text"),
        ]
        assert list(said["patient"]) == ["family", "given", "birth_date", "sex", "reference"]
        assert all(list(each) == list(result) for each in said["results"])


def test_the_same_result_is_the_same_in_all_formats() -> None:
    def potassium(report: LabReport) -> tuple[str | None, ...]:
        found = [
            each for each in report.results if each.label and "potassium" in each.label.lower()
        ]
        (result,) = found
        return result.value, result.unit, result.low, result.high, result.flag

    urgent = [read(file.read_bytes()) for file in FILES if "urgent" in file.name]
    urgent.append(read((CORPUS / "hprim-medecin-ionogramme.hpr").read_bytes()))
    assert len({report.format for report in urgent}) == 4
    assert {(r.patient.family, r.patient.birth_date, r.patient.reference) for r in urgent} == {
        ("IMAGINAIRE", urgent[0].patient.birth_date, "P004711")
    }
    assert {tuple(str(part).lower() for part in potassium(report)) for report in urgent} == {
        ("6.4", "mmol/l", "3.5", "5.1", "hh")
    }
