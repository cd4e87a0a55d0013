"""E-mails, names in addresses, time zones, RPPS numbers, and passwords that may be chosen."""

from __future__ import annotations

import pytest

from scheduler.core.errors import InvalidInput
from scheduler.people import passwords, rules

ABOUT = ("Anne", "Lefèvre", "anne.lefevre@example.org")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Anne@Example.ORG", "anne@example.org"),
        ("  anne@example.org\n", "anne@example.org"),
        ("anne@Santé.fr", "anne@xn--sant-epa.fr"),
    ],
)
def test_an_email_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert rules.normal_email(typed) == kept
    assert rules.typed_email(typed) == kept


@pytest.mark.parametrize(
    "typed", ["", "anne", "anne@", "@example.org", "a b@example.org", "é@a.fr"]
)
def test_what_is_no_email_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        rules.normal_email(typed)
    assert (caught.value.code, caught.value.facts["field"]) == ("email_malformed", "email")


@pytest.mark.parametrize("typed", ["", "   ", "a\x00@example.org", "a\nb@example.org"])
def test_what_nobody_can_be_called_finds_nobody(typed: str) -> None:
    assert rules.typed_email(typed) is None


def test_text_is_trimmed_and_bounded() -> None:
    assert rules.required_text("  Anne   Marie ", "given_name", 80) == "Anne Marie"
    for text in ("", "  ", "a\x00b", "x" * 81):
        with pytest.raises(InvalidInput) as caught:
            rules.required_text(text, "given_name", 80)
        assert caught.value.facts["field"] == "given_name"


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Cabinet de l'Île-d'Yeu", "cabinet-de-l-ile-d-yeu"),
        ("Maison  médicale", "maison-medicale"),
        ("!!!", ""),
        ("a" * 70, "a" * 64),
    ],
)
def test_a_slug_is_made_from_a_name(name: str, slug: str) -> None:
    assert rules.slug_of(name) == slug


def test_time_zones_and_subdivisions_are_known_or_not() -> None:
    assert rules.is_timezone("Europe/Paris")
    assert rules.is_timezone("America/Martinique")
    for wrong in ("Nope", "Europe", "../etc/passwd", "/etc/localtime", ""):
        assert not rules.is_timezone(wrong)
    assert rules.is_subdivision("974")
    assert not rules.is_subdivision("Vendée")


def test_an_rpps_number_has_eleven_digits() -> None:
    assert rules.normal_rpps("810 0003 1234") == "81000031234"
    for wrong in ("", "8100003123", "810000312345", "8100003123a", "٨١٠٠٠٠٣١٢٣٤"):
        with pytest.raises(InvalidInput):
            rules.normal_rpps(wrong)


def test_luhn() -> None:
    assert rules.passes_luhn("79927398713")
    assert not rules.passes_luhn("79927398710")


@pytest.mark.parametrize(
    "password",
    [
        "cheval agrafe pile",
        "rose des vents 7",
        "Médecin-généraliste-85",
        "anne aime les huîtres",
        "k4mn-8dhe-xy3z",
        "d" * 3 + "efgh" + "ijklmn",
        "🦉🐎🪣🧵🚲🌧" * 2 + "!",
    ],
)
def test_a_password_may_be_chosen(password: str) -> None:
    passwords.check(password, ABOUT, "new")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "password_short"),
        ("onze lettre", "password_short"),
        ("x1 " * 43, "password_long"),
        ("anne.lefevre@example.org", "password_personal"),
        ("LefevreAnne12", "password_personal"),
        ("Lefèvre-Lefèvre", "password_personal"),
        ("azertyazerty", "password_common"),
        ("motdepasse123!", "password_common"),
        ("P@ssw0rd-2026", "password_common"),
        ("Bonjour-docteur-2026", "password_common"),
        ("123456789012", "password_common"),
        ("aaaaaaaaaaaaaa", "password_common"),
        ("vendeevendee", "password_common"),
        ("abcababcabab", "password_common"),
    ],
)
def test_a_password_may_not_be_chosen(password: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        passwords.check(password, ABOUT, "new")
    assert (caught.value.code, caught.value.facts["field"]) == (code, "new")


def test_generated_passwords_differ_and_may_be_chosen() -> None:
    made = {passwords.generated() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        passwords.check(password, ABOUT, "new")


def test_a_hash_is_argon2id_and_matches_only_its_password() -> None:
    stored = passwords.hashed("cheval agrafe pile")
    assert stored.startswith("$argon2id$")
    assert passwords.matches(stored, "cheval agrafe pile")
    assert not passwords.matches(stored, "cheval agrafe pilE")
    assert not passwords.matches(None, "cheval agrafe pile")
    assert not passwords.matches("not a hash", "cheval agrafe pile")
    assert not passwords.is_outdated(stored)


def test_an_accent_is_the_same_however_the_keyboard_writes_it() -> None:
    assert passwords.matches(passwords.hashed("forêt dense"), "fore\u0302t dense")
