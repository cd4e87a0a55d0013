"""Both catalogues say all that the house says, and the French one says it the French way."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

WEB: Final = Path(__file__).parents[2] / "web"
LOCALES: Final = ("fr", "en")
# Words that are the same in both languages.
ALIKE: Final = {
    "Absence",
    "Actions",
    "Date",
    "Dates",
    "Invitations",
    "Licence",
    "Menu",
    "Message",
    "Note",
    "Notes",
    "Notifications",
    "Pages",
    "Possible",
    "Professions",
    "Questions",
    "SMS",
    "Urgent",
    "e-mail",
    "notification",
    "possible",
}
# A word of thanks, and abbreviations of half a day.
ENDS_OTHERWISE: Final = {"%(date)s is yours. Thank you.", "a.m.", "p.m."}
PLACEHOLDER: Final = re.compile(r"%\((\w+)\)([a-z])")
# Every way in which a sentence of the house is marked for translation.
KEYWORDS: Final = DEFAULT_KEYWORDS | {"_l": None, "lazy_gettext": None}

Id = str | tuple[str, str]


@pytest.fixture(scope="module")
def sentences() -> set[Id]:
    """What code and templates say, read from them as `make translations` does."""
    settings = tomllib.loads((WEB.parent / "pyproject.toml").read_text("utf-8"))
    mappings = settings["tool"]["babel"]["mappings"]
    method_map = [(mapping["pattern"], mapping["method"]) for mapping in mappings]
    options_map = {mapping["pattern"]: mapping for mapping in mappings}
    return {
        msgid if isinstance(msgid, str) else (msgid[0], msgid[1])
        for _file, _line, msgid, _comments, _context in extract_from_dir(
            WEB, method_map, options_map, KEYWORDS
        )
    }


@cache
def catalogue(locale: str) -> Catalog:
    with (WEB / "translations" / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file)


def messages(locale: str) -> Iterator[Message]:
    return (message for message in catalogue(locale) if message.id)


def forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def placeholders(text: str) -> set[tuple[str, str]]:
    return set(PLACEHOLDER.findall(text))


@pytest.mark.parametrize("locale", LOCALES)
def test_catalogue_has_exactly_the_sentences_of_the_house(locale: str, sentences: set[Id]) -> None:
    known = {
        message.id if isinstance(message.id, str) else (message.id[0], message.id[1])
        for message in messages(locale)
    }
    assert known == sentences, "run `make translations` and translate what is new"
    assert not catalogue(locale).obsolete


def test_the_house_says_enough_for_these_tests_to_mean_something(sentences: set[Id]) -> None:
    assert len(sentences) > 300
    assert any(isinstance(msgid, tuple) for msgid in sentences)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_sentence_is_translated(locale: str) -> None:
    wanting = [message.id for message in messages(locale) if not all(forms(message.string))]
    doubtful = [message.id for message in messages(locale) if message.fuzzy]
    assert wanting == []
    assert doubtful == []


@pytest.mark.parametrize("locale", LOCALES)
def test_placeholders_survive_translation(locale: str) -> None:
    for message in messages(locale):
        originals, translations = forms(message.id), forms(message.string)
        assert len(originals) == len(translations), message.id
        for original, translation in zip(originals, translations, strict=True):
            assert placeholders(translation) == placeholders(original), message.id
            # Nothing but named placeholders: a lone percent sign would break the sentence.
            assert "%" not in PLACEHOLDER.sub("", translation).replace("%%", ""), message.id


@pytest.mark.parametrize(("locale", "plural"), [("fr", "(n > 1)"), ("en", "(n != 1)")])
def test_head_names_the_encoding_and_the_plural(locale: str, plural: str) -> None:
    found = catalogue(locale)
    assert str(found.locale) == locale
    assert found.charset == "utf-8"
    assert (found.num_plurals, found.plural_expr) == (2, plural)
    text = (WEB / "translations" / locale / "LC_MESSAGES" / "messages.po").read_text("utf-8")
    head = text.partition("\n\n")[0]
    assert "charset=utf-8" in head
    assert "Plural-Forms" in head
    assert "Date" not in head, "a date in the head makes every extraction a change"


@pytest.mark.parametrize("locale", LOCALES)
def test_catalogues_are_sorted_and_name_no_source_lines(locale: str) -> None:
    ids = [message.id for message in messages(locale)]
    firsts = [forms(msgid)[0] for msgid in ids]
    assert firsts == sorted(firsts)
    assert not any(message.locations for message in messages(locale))


def test_french_is_not_left_in_english() -> None:
    same = {
        forms(message.id)[0]
        for message in messages("fr")
        if forms(message.string)[0] == forms(message.id)[0]
    }
    assert same - ALIKE == set()


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("a straight apostrophe", r"\w'\w"),
        ("no narrow no-break space before ; ! ?", r"[^\u202f][;!?]"),
        ("no no-break space before a colon", r"[^\u00a0]:(?!\d)"),
        ("no no-break space inside guillemets", "«(?!\u00a0)|(?<!\u00a0)»"),
        ("English quotation marks", '[“”"]'),
        ("three dots for an ellipsis", r"\.\.\."),
        ("two spaces", "[ \u00a0\u202f]{2}"),
        ("a space at an end", r"^\s|\s$"),
        ("the familiar form", r"(?i)\b(tu|ton|tes|toi)\b"),
    ],
)
def test_french_typography(what: str, wrong: str) -> None:
    found = [
        form
        for message in messages("fr")
        for form in forms(message.string)
        if re.search(wrong, form)
    ]
    assert found == [], what


@pytest.mark.parametrize("locale", LOCALES)
def test_sentences_end_as_their_originals_do(locale: str) -> None:
    """A label stays a label, a sentence a sentence, a question a question."""
    for message in messages(locale):
        for original, form in zip(forms(message.id), forms(message.string), strict=True):
            if original in ENDS_OTHERWISE:
                continue
            for mark in ".?:":
                assert form.endswith(mark) == original.endswith(mark), form


def test_french_counts_the_french_way(tmp_path: Path) -> None:
    """Nought and one are singular, and the compiled catalogue says so."""
    path = tmp_path / "messages.mo"
    with path.open("wb") as file:
        write_mo(file, catalogue("fr"))
    with path.open("rb") as file:
        french = Translations(file)
    one, many = "%(num)d half-day to fill", "%(num)d half-days to fill"
    said = [french.ungettext(one, many, number) % {"num": number} for number in (0, 1, 2)]
    assert said == [
        "0\u00a0demi-journée à pourvoir",
        "1\u00a0demi-journée à pourvoir",
        "2\u00a0demi-journées à pourvoir",
    ]


def test_no_sentence_is_marked_in_a_way_that_extraction_does_not_know() -> None:
    """An alias of gettext that `make translations` is not told about would lose its sentences."""
    imported = re.compile(r"from flask_babel import (?:\(([^)]*)\)|(.*))")
    for path in WEB.rglob("*.py"):
        for block in imported.findall(path.read_text("utf-8")):
            for entry in "".join(block).split(","):
                original, _, alias = entry.strip().partition(" as ")
                if original.endswith("gettext"):
                    assert (alias or original) in KEYWORDS, f"{path}: {entry.strip()}"
