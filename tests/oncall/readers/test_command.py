"""`app.py labs read`, as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scheduler.oncall.readers import Fault, Unreadable, limits, read
from scheduler.oncall.readers import detecting as detecting_module
from scheduler.oncall.readers.command import read_file
from tests.oncall.readers.support import CORPUS, FILES, expected

APP = Path(__file__).parents[3] / "app.py"


def _run(path: Path | str) -> subprocess.CompletedProcess[str]:
    """Without any setting: no database may be asked for."""
    environment = {"PATH": os.environ["PATH"], "RELAIS_DATABASE_URL": "nowhere://at/all"}
    return subprocess.run(
        [sys.executable, APP, "labs", "read", path],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def test_a_report_is_printed_as_json() -> None:
    file = CORPUS / "hl7-oru-urgent.hl7"
    done = _run(file)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == expected(file)


def test_a_file_to_quarantine_says_why(tmp_path: Path) -> None:
    file = tmp_path / "court.hpr"
    file.write_bytes((CORPUS / "hprim-medecin-ionogramme.hpr").read_bytes()[:1000])
    done = _run(file)
    assert (done.returncode, done.stderr) == (3, "")
    assert json.loads(done.stdout) == {
        "quarantined": "The file ends before its end mark: a part is missing."
    }


def test_a_path_to_nothing_is_bad_input(tmp_path: Path) -> None:
    done = _run(tmp_path / "nothing.hl7")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == f"relais: {tmp_path}/nothing.hl7: cannot be read: No such file or directory\n"
    )


def test_what_is_no_file_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero"), Path("with\0zero")):
        assert read_file(path) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("relais: ")
        assert shown.err.count("\n") == 1


def test_no_more_of_a_file_is_read_than_can_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(100 * limits.MOST_BYTES)
    assert read_file(large) == 3
    assert json.loads(capsys.readouterr().out) == {"quarantined": "The file is larger than 5 MB."}


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_all_of_the_corpus(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read_file(file) == 0
    assert json.loads(capsys.readouterr().out) == expected(file)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", Fault.EMPTY),
        (b" \r\n\t ", Fault.EMPTY),
        (b"\0\0\0", Fault.EMPTY),
        (b"%PDF-1.7 ...", Fault.DOCUMENT),
        (b"PK\x03\x04....", Fault.DOCUMENT),
        (b"{\\rtf1 }", Fault.DOCUMENT),
        (b"Cher confr\xe8re, tout va bien.", Fault.UNKNOWN_FORMAT),
        (b'{"resourceType": "Bundle"}', Fault.UNKNOWN_FORMAT),
        (b"code;libelle;valeur\nK;Potassium;5,1\n", Fault.UNKNOWN_FORMAT),
        (b"\x01\x02\x03\x04", Fault.BINARY),
    ],
)
def test_what_is_no_report(content: bytes, why: Fault) -> None:
    with pytest.raises(Unreadable) as caught:
        read(content)
    assert caught.value.code == why


def test_a_mistake_of_a_reader_is_a_quarantine(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(content: bytes) -> None:
        raise KeyError(len(content))

    monkeypatch.setattr(detecting_module, "understood", mistaken)
    with pytest.raises(Unreadable) as caught:
        read(b"MSH|")
    assert caught.value.code == Fault.BROKEN
    assert caught.value.sentence == "The file could not be understood."
