"""A real synchroniser against a running Relais: vdirsyncer, with folders of files on its side."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from scheduler.core.database import Database
from scheduler.core.permissions import Role
from scheduler.people.models import Practice, User
from scheduler.roster import availabilities, claiming, releasing
from scheduler.roster.models import Assignment
from scheduler.roster.rules import AssignmentState, Period, Preference
from tests.calendars.caldav.conftest import (
    AVAILABILITIES,
    MY_DAYS,
    OPEN_DAYS,
    Device,
    all_day,
)
from tests.calendars.caldav.live import serving_app
from tests.factories import House

# A real programme over a real socket: one database of the two is enough.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

TUESDAY = dt.date(2026, 12, 8)
WEDNESDAY = dt.date(2026, 12, 9)
THURSDAY = dt.date(2026, 12, 10)
LATER, EVEN_LATER = dt.date(2027, 1, 12), dt.date(2027, 1, 13)

CONFIG = """
[general]
status_path = "{folder}/status"

[pair written]
a = "mine"
b = "relais"
collections = ["my-days", "availabilities"]
conflict_resolution = "b wins"

[pair read]
a = "mine"
b = "relais_read"
collections = ["open-days"]
conflict_resolution = "b wins"
partial_sync = "revert"

[storage mine]
type = "filesystem"
path = "{folder}/calendars"
fileext = ".ics"

[storage relais]
type = "caldav"
url = "{url}/dav/{number}/"
username = "{user}"
password = "{password}"

[storage relais_read]
type = "caldav"
url = "{url}/dav/{number}/"
username = "{user}"
password = "{password}"
read_only = true
"""


class Folder:
    """The doctor's files, and the programme that keeps them the same as Relais."""

    def __init__(self, folder: Path, url: str, phone: Device) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.config.write_text(
            CONFIG.format(
                folder=folder,
                url=url,
                number=phone.user.id,
                user=phone.user.email,
                password=phone.password,
            )
        )
        for name in (OPEN_DAYS, MY_DAYS, AVAILABILITIES):
            (folder / "calendars" / name).mkdir(parents=True)
        self.run("discover")

    def run(self, *command: str, fails: bool = False) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "vdirsyncer", "--config", str(self.config), *command],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            check=False,
        )
        said = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, said
        return said

    def sync(self, *, fails: bool = False) -> str:
        return self.run("sync", fails=fails)

    def files(self, calendar: str) -> dict[str, str]:
        """The text of each file of a calendar, by its name."""
        place = self.folder / "calendars" / calendar
        return {path.name: path.read_text() for path in sorted(place.glob("*.ics"))}

    def write(self, calendar: str, name: str, body: bytes) -> None:
        (self.folder / "calendars" / calendar / name).write_bytes(body)

    def remove(self, calendar: str, name: str) -> None:
        (self.folder / "calendars" / calendar / name).unlink()


def is_clean(said: str) -> bool:
    """Whether a run changed nothing on either side."""
    return not any(word in said for word in ("Copying", "Deleting", "conflict", "Reverting"))


@pytest.fixture
def folder(app: Flask, tmp_path: Path, phone: Device) -> Iterator[Folder]:
    with serving_app(app) as url:
        (tmp_path / "synced").mkdir()
        yield Folder(tmp_path / "synced", url, phone)


def held(database: Database, doctor: User) -> set[dt.date]:
    with database.session() as session:
        return set(
            session.scalars(
                sa.select(Assignment.date).where(
                    Assignment.doctor_id == doctor.id, Assignment.state != AssignmentState.RELEASED
                )
            )
        )


def test_both_sides_change_and_come_to_agree(
    folder: Folder, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.need(practice, TUESDAY)
    other = house.need(practice, WEDNESDAY)
    house.available(doctor, THURSDAY)
    # One day stays on each side throughout: the programme would not empty a calendar.
    house.need(practice, LATER)
    house.assignment(house.need(practice, EVEN_LATER), doctor)
    folder.sync()
    assert is_clean(folder.sync())
    assert [len(folder.files(each)) for each in (OPEN_DAYS, MY_DAYS, AVAILABILITIES)] == [3, 1, 1]

    # On the phone: a day is taken, an availability said. On the web: another day, another word.
    folder.write(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    folder.write(AVAILABILITIES, "B1.ics", all_day("B1", WEDNESDAY, "Dispo ?"))
    actor = house.actor(doctor)
    with database.transaction() as session:
        claiming.claim(session, actor, other.id)
        availabilities.set_days(session, actor, doctor.id, [THURSDAY], Period.DAY, None)
        friday = THURSDAY + dt.timedelta(days=1)
        availabilities.set_days(
            session, actor, doctor.id, [friday], Period.AM, Preference.LAST_RESORT
        )
    folder.sync()
    assert held(database, doctor) == {TUESDAY, WEDNESDAY, EVEN_LATER}
    # What was put is written by Relais: one more run brings the truth, then all is quiet.
    folder.sync()
    assert is_clean(folder.sync())
    assert len(folder.files(OPEN_DAYS)) == 1
    mine = folder.files(MY_DAYS)
    assert len(mine) == 3
    assert "Cabinet de Nieul" in mine["A1.ics"]
    assert len(folder.files(AVAILABILITIES)) == 2

    # The phone gives its day back, the web the other.
    folder.remove(MY_DAYS, "A1.ics")
    folder.remove(AVAILABILITIES, "B1.ics")
    with database.transaction() as session:
        for day in session.scalars(
            sa.select(Assignment).where(
                Assignment.date == WEDNESDAY, Assignment.state != AssignmentState.RELEASED
            )
        ):
            releasing.release(session, actor, day.id)
    folder.sync()
    assert held(database, doctor) == {EVEN_LATER}
    folder.sync()
    assert is_clean(folder.sync())
    assert len(folder.files(MY_DAYS)) == 1
    assert len(folder.files(OPEN_DAYS)) == 3
    assert len(folder.files(AVAILABILITIES)) == 1


def test_a_file_moved_to_another_day_exchanges_the_days(
    folder: Folder, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.need(practice, TUESDAY)
    house.need(practice, THURSDAY)
    folder.write(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    folder.sync()
    folder.sync()
    folder.write(MY_DAYS, "A1.ics", all_day("A1", THURSDAY))
    folder.sync()
    assert held(database, doctor) == {THURSDAY}
    folder.sync()
    assert is_clean(folder.sync())
    assert "20261210" in folder.files(MY_DAYS)["A1.ics"]


def test_what_is_written_into_the_open_days_is_put_right(
    folder: Folder, house: House, practice: Practice
) -> None:
    house.need(practice, TUESDAY)
    folder.sync()
    folder.write(OPEN_DAYS, "C1.ics", all_day("C1", TUESDAY))
    # The programme reverts what it may not write in the run after it noticed.
    folder.sync()
    folder.sync()
    assert "C1.ics" not in folder.files(OPEN_DAYS)
    assert is_clean(folder.sync())


def test_a_day_that_is_taken_does_not_stay_in_the_way(
    folder: Folder, house: House, practice: Practice, doctor: User, database: Database
) -> None:
    house.assignment(house.need(practice, TUESDAY), house.member(practice, Role.REPLACEMENT))
    folder.write(MY_DAYS, "A1.ics", all_day("A1", TUESDAY))
    said = folder.sync(fails=True)
    assert "409" in said
    assert held(database, doctor) == set()
    folder.remove(MY_DAYS, "A1.ics")
    folder.sync()
    assert is_clean(folder.sync())
