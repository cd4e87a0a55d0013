"""Values, references and flags, as labs write them."""

from __future__ import annotations

import pytest

from scheduler.oncall.readers import flags, statuses
from scheduler.oncall.readers.quantities import NoNumber, Quantity, quantity, reference
from scheduler.oncall.readers.values import Status


@pytest.mark.parametrize(
    ("written", "unit", "understood"),
    [
        ("5.2", "g/L", Quantity("5.2", None, "g/L")),
        ("5,2", None, Quantity("5.2")),
        ("-1,5", None, Quantity("-1.5")),
        (".5", None, Quantity(".5")),
        ("450 000", "/mm3", Quantity("450000", None, "/mm3")),
        ("450\u202f000,5", None, Quantity("450000.5")),
        ("1.5E+6", None, Quantity("1.5E+6")),
        ("< 0.12", "mg/L", Quantity("0.12", "<", "mg/L")),
        ("    < 0,12  mg/l ", "", Quantity("0.12", "<", "mg/l")),
        (">=90", None, Quantity("90", ">=")),
        ("≤ 5", None, Quantity("5", "<=")),
        ("=> 5", None, Quantity("5", ">=")),
        ("5,0 *", "mEq/l", Quantity("5.0", None, "mEq/l", "*")),
        ("*5,0", None, Quantity("5.0", None, None, "*")),
        ("5.0**", None, Quantity("5.0", None, None, "**")),
        ("5.0", "*mEq/l", Quantity("5.0", None, "mEq/l", "*")),
        ("5,0 *mEq/l", None, Quantity("5.0", None, "mEq/l", "*")),
        ("5.0 g/L", "g/l", Quantity("5.0", None, "g/l")),
        ("4.2", "10*9/L", Quantity("4.2", None, "10*9/L")),
        ("12%", None, Quantity("12", None, "%")),
        ("1/80", None, Quantity("1/80")),
        ("> 1/80", None, Quantity("1/80", ">")),
        ("10 - 15", "/champ", Quantity("10 - 15", None, "/champ")),
        ("10^5", "UFC/mL", Quantity("10^5", None, "UFC/mL")),
        ("Limpide", None, Quantity("Limpide")),
        ("Négatif, à contrôler", None, Quantity("Négatif, à contrôler")),
        ("1+", None, Quantity("1+")),
        ("5.0 H", None, Quantity("5.0 H")),
        ("*", "g/L", Quantity(None, None, "g/L", "*")),
        ("", "g/L", Quantity(None, None, "g/L")),
        (None, None, Quantity(None)),
    ],
)
def test_a_value_is_taken_apart(
    written: str | None, unit: str | None, understood: Quantity
) -> None:
    assert quantity(written, unit) == understood


@pytest.mark.parametrize(
    "written", ["5.0.1", "5,0,1", "5..0", "12abc", "5.0 H", "1.234,5", "5.0 g/L (contrôle)", "0x1F"]
)
def test_half_a_number_never_passes_for_one(written: str) -> None:
    with pytest.raises(NoNumber):
        quantity(written, numeric=True)
    assert quantity(written).value == written


def test_another_unit_than_that_of_the_field_is_no_number() -> None:
    with pytest.raises(NoNumber):
        quantity("5.0 g/L", "mmol/L", numeric=True)


def test_words_instead_of_a_number_are_shown() -> None:
    assert quantity("hémolysé", "g/L", numeric=True) == Quantity("hémolysé", None, "g/L")


@pytest.mark.parametrize(
    ("written", "understood"),
    [
        ("136-145", ("136", "145", None)),
        ("3,5 à 4,8", ("3.5", "4.8", None)),
        ("3,5 – 4,8", ("3.5", "4.8", None)),
        ("[3.5;4.8]", ("3.5", "4.8", None)),
        ("(0.270 - 4.200)", ("0.270", "4.200", None)),
        ("3.5^4.8", ("3.5", "4.8", None)),
        ("150 000 à 400 000", ("150000", "400000", None)),
        ("-5--2", ("-5", "-2", None)),
        ("-2,0 - 2,0", ("-2.0", "2.0", None)),
        ("<5", (None, "5", None)),
        ("inf. à 34", (None, "34", None)),
        ("Inférieur à 0,40", (None, "0.40", None)),
        ("> 40", ("40", None, None)),
        ("sup. à 27,0", ("27.0", None, None)),
        ("40 -", ("40", None, None)),
        ("vr : 4 a  10000", (None, None, "vr : 4 a  10000")),
        ("Négatif", (None, None, "Négatif")),
        ("", (None, None, None)),
    ],
)
def test_a_reference_is_two_bounds_or_its_words(
    written: str, understood: tuple[str | None, ...]
) -> None:
    assert reference(written) == understood


@pytest.mark.parametrize(
    ("written", "flag", "others"),
    [
        ([], None, ()),
        ([None, "", "  "], None, ()),
        (["L"], "L", ()),
        (["hh"], "HH", ()),
        (["*"], "A", ()),
        (["**"], "AA", ()),
        (["***"], "AA", ()),
        (["N"], "N", ()),
        (["N", "*"], "A", ("N",)),
        (["H", "*"], "H", ()),
        (["H", "**"], "AA", ("H",)),
        (["A", "L", "LL"], "LL", ("L",)),
        (["H", "D"], "H", ("D",)),
        (["R"], "R", ()),
        (["POS"], "POS", ()),
        ([">"], ">", ()),
        (["HU"], "HU", ()),
    ],
)
def test_a_flag_is_the_labs(
    written: list[str | None], flag: str | None, others: tuple[str]
) -> None:
    assert flags.combined(written) == (flag, others)


@pytest.mark.parametrize(
    ("batteries", "results", "status"),
    [
        ("", "", None),
        ("", "FFF", Status.FINAL),
        ("F", "FFP", Status.PARTIAL),
        ("P", "FFF", Status.PARTIAL),
        ("", "FFR", Status.PARTIAL),
        ("FI", "F", Status.PARTIAL),
        ("C", "FF", Status.CORRECTED),
        ("F", "FC", Status.CORRECTED),
        ("F", "FW", Status.CORRECTED),
        ("P", "FC", Status.CORRECTED),
        ("X", "", Status.CANCELLED),
        ("F", "XX", Status.CANCELLED),
        ("", "DD", Status.CANCELLED),
        ("F", "FX", Status.FINAL),
        ("P", "X", Status.PARTIAL),
        ("Z", "", None),
    ],
)
def test_a_report_is_what_its_gravest_letter_says(
    batteries: str, results: str, status: Status | None
) -> None:
    assert statuses.combined(batteries, results) == status
