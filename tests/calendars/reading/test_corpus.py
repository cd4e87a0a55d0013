"""Calendars of every shape that people bring, each with the half-days it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.calendars.reading.support import CORPUS, as_text, read_here

FILES = sorted(CORPUS.glob("*.ics"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_calendar_means_what_its_owner_meant(file: Path) -> None:
    expected = file.with_suffix(".txt").read_text("utf-8").splitlines()
    assert as_text(read_here(file.read_bytes())) == [line.rstrip() for line in expected]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_form_of_the_lines_changes_nothing(file: Path) -> None:
    content = file.read_bytes()
    plain = read_here(content)
    unix, windows = content.replace(b"\r\n", b"\n"), content.replace(b"\n", b"\r\n")
    for other in (unix, windows, unix.replace(b"\n", b"\r"), unix.replace(b"\n", b"\r\r\n")):
        assert read_here(other) == plain
    assert read_here(_folded(windows)) == plain


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_encoding_changes_nothing(file: Path, encoding: str) -> None:
    text = file.read_text("utf-8")
    assert read_here(text.encode(encoding)) == read_here(text.encode())


def _folded(content: bytes) -> bytes:
    """Folded after every 20 bytes, in the middle of characters too, as careless writers do."""
    return b"\r\n".join(
        b"\r\n ".join(line[at : at + 20] for at in range(0, len(line), 20)) or b""
        for line in content.split(b"\r\n")
    )
