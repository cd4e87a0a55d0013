"""`app.py calendars preview`: its JSON, and its one line where there is none."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import app
from scheduler.calendars.reading import limits
from scheduler.calendars.reading.faults import Fault, Reason
from scheduler.calendars.reading.sentences import FAULTS, REASONS
from scheduler.calendars.rules import window_around
from tests.calendars.reading.support import CORPUS, calendar, day, event
from web.messages import MESSAGES

PROJECT = Path(__file__).resolve().parents[3]
IN_2027 = ("--from", "2027-01-01", "--to", "2027-12-31")


def preview(*arguments: str | Path) -> Result:
    words = ["calendars", "preview", *map(str, arguments)]
    return CliRunner().invoke(app.cli, words, catch_exceptions=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "agenda.ics"
    path.write_bytes(
        calendar(
            event(
                "DTSTART;TZID=Europe/Paris:20270107T083000",
                "DTEND;TZID=Europe/Paris:20270107T123000",
                "TRANSP:TRANSPARENT",
                "SUMMARY:Libre à Nieul",
            ),
            event("DTSTART:20270108T090000Z", "DURATION:PT30M", uid="short"),
            day(9, "STATUS:CANCELLED", uid="off"),
            event("DTSTART;TZID=Mars/Crater:20270108T090000", uid="far"),
        )
    )
    return path


def test_it_prints_half_days_and_what_was_ignored(file: Path) -> None:
    result = preview(file, *IN_2027)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert json.loads(result.stdout) == {
        "half_days": [
            {
                "date": "2027-01-07",
                "period": "am",
                "busy": False,
                "preference": "wanted",
                "summary": "Libre à Nieul",
            },
            {
                "date": "2027-01-08",
                "period": "am",
                "busy": True,
                "preference": None,
                "summary": "",
            },
        ],
        "ignored": [
            {
                "uid": "far",
                "reason": "the time zone “Mars/Crater” is not known,"
                " and the file does not define it",
            },
            {"uid": "off", "reason": "cancelled"},
        ],
    }


def test_the_first_day_alone_is_enough(file: Path) -> None:
    printed = json.loads(preview(file, "--from", "2027-01-08").stdout)
    assert [half["date"] for half in printed["half_days"]] == ["2027-01-08"]


def test_it_begins_today_and_ends_in_eighteen_months(tmp_path: Path) -> None:
    path = tmp_path / "agenda.ics"
    path.write_bytes(calendar(event("DTSTART;VALUE=DATE:20200101", "RRULE:FREQ=DAILY")))
    dates = [half["date"] for half in json.loads(preview(path).stdout)["half_days"]]
    assert 2 * 540 < len(dates) < 2 * 590


@pytest.mark.parametrize("today", [dt.date(2026, 11, 23), dt.date(2027, 2, 28)])
def test_it_reads_as_far_as_an_import_does(tmp_path: Path, today: dt.date) -> None:
    path = tmp_path / "agenda.ics"
    path.write_bytes(calendar(event("DTSTART;VALUE=DATE:20200101", "RRULE:FREQ=DAILY")))
    printed = json.loads(preview(path, "--from", today.isoformat()).stdout)
    assert printed["half_days"][0]["date"] == today.isoformat()
    assert printed["half_days"][-1]["date"] == window_around(today).end.isoformat()


def test_it_needs_no_settings_and_makes_no_database(file: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, str(PROJECT / "app.py"), "calendars", "preview", str(file), *IN_2027],
        cwd=home,
        env={"RELAIS_NO_SUCH_SETTING": "would be refused", "RELAIS_DATABASE_URL": "nonsense"},
        capture_output=True,
        check=True,
    )
    assert len(json.loads(done.stdout)["half_days"]) == 2
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"x" * (limits.MOST_BYTES + 1), "larger than 1024 KB"),
        (b"<html></html>", "is no calendar"),
        (calendar(day(5))[:-16], "breaks off"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "agenda.ics"
    path.write_bytes(content)
    assert_refused(preview(path, *IN_2027), "agenda.ics", words)


def test_what_is_no_file_is_one_line(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    closed = tmp_path / "closed\nwith a line break"
    closed.symlink_to(closed)
    for path in (tmp_path, tmp_path / "missing.ics", pipe, closed, "/dev/zero", "/dev/null"):
        assert_refused(preview(path, *IN_2027))
    assert_refused(preview(tmp_path / ("x" * 300), *IN_2027))


def test_what_is_no_date_is_told_how_one_is_written(file: Path) -> None:
    result = preview(file, "--from", "garbage")
    assert result.exit_code == 2
    assert "YYYY-MM-DD" in result.stderr
    assert "%" not in result.stderr


def test_days_that_cannot_be_meant_are_one_line(file: Path) -> None:
    assert_refused(preview(file, "--from", "2027-02-01", "--to", "2027-01-01"), "before the first")
    assert_refused(preview(file, "--from", "2000-01-01", "--to", "2030-01-01"), "at most")
    assert_refused(preview(file, "--from", "9999-12-31"), "centuries")
    assert_refused(preview(file, "--from", "0001-01-01", "--to", "0001-01-02"), "centuries")
    assert_refused(preview(file, "--from", "tomorrow"), "--from")
    assert_refused(preview(), "FILE.ics")


def test_a_whole_corpus_can_be_previewed() -> None:
    for path in CORPUS.glob("*.ics"):
        printed = json.loads(preview(path, *IN_2027).stdout)
        assert set(printed) == {"half_days", "ignored"}
        for half in printed["half_days"]:
            assert list(half) == ["date", "period", "busy", "preference", "summary"]
        for ignored in printed["ignored"]:
            assert list(ignored) == ["uid", "reason"]


def test_every_code_has_words_on_both_sides() -> None:
    assert set(FAULTS) == set(Fault)
    assert set(REASONS) == set(Reason)
    assert {*Fault, *Reason} <= set(MESSAGES)


def assert_refused(result: Result, *words: str) -> None:
    """Exit status 2, nothing printed, and exactly one line on standard error."""
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr
