"""What the database keeps to on both servers."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
import threading
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, StatementError

from scheduler.core.clock import FixedClock, as_utc, local_date
from scheduler.core.database import Database
from scheduler.people.models import Practice, User
from tests.factories import House


def test_a_naive_instant_is_refused(database: Database, house: House) -> None:
    user = house.user()
    with (
        pytest.raises(StatementError, match="naive datetime refused"),
        database.transaction() as session,
    ):
        session.get_one(User, user.id).created_at = dt.datetime(2026, 1, 1, 12)  # noqa: DTZ001
    with pytest.raises(ValueError, match="naive"):
        as_utc(dt.datetime(2026, 1, 1))  # noqa: DTZ001


def test_an_instant_comes_back_in_utc_whatever_zone_it_went_in(
    database: Database, house: House
) -> None:
    paris = dt.datetime(2026, 7, 14, 1, 30, tzinfo=ZoneInfo("Europe/Paris"))
    user = house.user(created_at=paris)
    with database.session() as session:
        found = session.get_one(User, user.id).created_at
    assert found == paris
    assert found.tzinfo is dt.UTC
    assert found.hour == 23


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("2026-03-29T00:59:59+00:00", "2026-03-29"),  # the night that is an hour short
        ("2026-03-28T23:00:00+00:00", "2026-03-29"),
        ("2026-03-28T22:59:59+00:00", "2026-03-28"),
        ("2026-10-24T21:59:59+00:00", "2026-10-24"),
        ("2026-10-24T22:00:00+00:00", "2026-10-25"),  # the night that is an hour longer
        ("2026-10-25T22:59:59+00:00", "2026-10-25"),
        ("2026-10-25T23:00:00+00:00", "2026-10-26"),
    ],
)
def test_the_local_date_around_both_daylight_saving_nights(instant: str, expected: str) -> None:
    clock = FixedClock(dt.datetime.fromisoformat(instant))
    assert local_date(clock.now(), "Europe/Paris").isoformat() == expected


def test_foreign_keys_and_checks_hold(database: Database, house: House) -> None:
    practice = house.practice()
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(sa.update(Practice).values(weekly_minimum=8))
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(
            sa.text(
                "INSERT INTO room (practice_id, name, position) VALUES (:practice, 'Salle 9', 0)"
            ),
            {"practice": practice.id + 100},
        )


def test_an_error_rolls_the_transaction_back(database: Database, house: House) -> None:
    practice = house.practice(name="Avant")
    with pytest.raises(RuntimeError, match="no"), database.transaction() as session:
        session.get_one(Practice, practice.id).name = "Après"
        session.flush()
        raise RuntimeError("no")
    with database.session() as session:
        assert session.get_one(Practice, practice.id).name == "Avant"


def test_writers_wait_for_each_other(database: Database, house: House) -> None:
    """Sixteen threads read, add one and write: none of them is lost, none fails."""
    practice = house.practice(fairness_window_days=0)
    start = threading.Barrier(16)
    failures: list[BaseException] = []

    def add_one() -> None:
        start.wait()
        try:
            with database.transaction() as session:
                row = session.get_one(Practice, practice.id, with_for_update=True)
                row.fairness_window_days += 1
        except Exception as error:  # noqa: BLE001 - the test reports whatever it was
            failures.append(error)

    threads = [threading.Thread(target=add_one) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with database.session() as session:
        assert session.get_one(Practice, practice.id).fairness_window_days == 16


def test_sqlite_takes_the_write_lock_when_a_transaction_begins(database: Database) -> None:
    if not database.is_sqlite:
        return
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        other = sqlite3.connect(str(database.url.database), timeout=0)
        with contextlib.closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
