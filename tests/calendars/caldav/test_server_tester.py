"""Relais beside a stock Radicale of the same version, asked by caldav-server-tester.

The tester is a programme of its own and never a dependency: install it somewhere (``pip install
caldav-server-tester``) and say where with ``RELAIS_CALDAV_TESTER=/path/to/caldav-server-tester``.
It fills a calendar with whatever it likes, so it is shown « Mes disponibilités », which keeps
what says nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from flask import Flask

from scheduler.core.clock import FixedClock, SystemClock
from scheduler.core.database import Database
from tests.calendars.caldav.conftest import Device
from tests.calendars.caldav.live import serving_app
from tests.support import eventually

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

TESTER: Final = os.environ.get("RELAIS_CALDAV_TESTER") or shutil.which("caldav-server-tester")

# Best first, as the tester grades; what it does not write down is as good as it can be.
GRADES: Final = ("full", "quirk", "fragile", "unknown", "broken", "ungraceful", "unsupported")

# Where Relais answers otherwise on purpose, and why.
ON_PURPOSE: Final = {
    "create-calendar": "there are three calendars, and no more",
    "delete-calendar": "the same",
    "delete-calendar.free-namespace": "the same",
    "synchronous-write.create-calendar": "the same",
    "synchronous-write.delete-calendar": "the same",
    "url.encode-at.literal.collection": "asked of a calendar that the tester makes for it",
    "save": "summed up from rows that need a second calendar",
}

STOCK: Final = """
[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {folder}/collections
"""


def graded(url: str, user: str, password: str, *more: str) -> dict[str, str]:
    """What the tester finds of a server: the grade of each feature that is not perfect."""
    done = subprocess.run(
        [
            str(TESTER),
            *("--caldav-url", url, "--caldav-user", user, "--caldav-pass", password),
            *("--format", "json", *more),
        ],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.stdout.startswith("{"), done.stderr[-2000:]
    features: dict[str, dict[str, Any]] = json.loads(done.stdout)["features"]
    return {name: str(found["support"]) for name, found in features.items() if "support" in found}


@contextmanager
def stock_radicale(folder: Path) -> Iterator[str]:
    """Radicale as it comes, with files of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "users").write_text("doctor:password\n")
    config = folder / "config"
    config.write_text(STOCK.format(port=port, folder=folder))
    server = subprocess.Popen(
        [sys.executable, "-m", "radicale", "--config", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, server)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    def listens() -> bool:
        assert server.poll() is None, "the stock Radicale ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    # A process that starts tells nobody when it listens.
    eventually(listens, what="a stock Radicale")


@pytest.mark.skipif(TESTER is None, reason="SKIPPED FOR WANT OF CALDAV-SERVER-TESTER")
def test_no_row_is_worse_than_that_of_a_stock_radicale(
    app: Flask, phone: Device, database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    # The tester writes dates of its own clock.
    clock.move_to(SystemClock().now())
    with serving_app(app) as url:
        ours = graded(
            f"{url}/dav/",
            phone.user.email,
            phone.password,
            *("--caldav-calendar", "Mes disponibilités"),
        )
    (tmp_path / "stock").mkdir()
    with stock_radicale(tmp_path / "stock") as url:
        stock = graded(url, "doctor", "password")
    worse = {
        name: f"stock {stock.get(name, 'full')}, Relais {ours.get(name, 'full')}"
        for name in stock.keys() | ours.keys()
        if _rank(ours, name) > _rank(stock, name)
    }
    unexplained = {name: how for name, how in worse.items() if name not in ON_PURPOSE}
    assert unexplained == {}, f"{len(ours)} rows of Relais, {len(stock)} of the stock"


def _rank(grades: dict[str, str], name: str) -> int:
    grade = grades.get(name, "full")
    return GRADES.index(grade) if grade in GRADES else 0
