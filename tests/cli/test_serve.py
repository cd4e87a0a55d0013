"""`serve` for real: one command starts the web server and a worker, and both end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import eventually, free_port

PROJECT = Path(__file__).parents[2]


@contextmanager
def house(folder: Path, port: int, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A running `serve` with an SQLite database in `folder`."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("RELAIS_")
    }
    environment["RELAIS_DATABASE_URL"] = f"sqlite:///{folder}/relais.db"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, str(PROJECT / "app.py"), "serve", "--port", str(port), *options],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def answers(port: int, path: str = "/healthz") -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def children(pid: int) -> dict[str, int]:
    """The processes that `pid` started, by what they are."""
    listing = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    found = {}
    for child in map(int, listing):
        command = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        found["worker" if b"worker" in command else "web"] = child
    return found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads processes from /proc")
def test_a_killed_worker_is_started_again_and_all_end_together(tmp_path: Path) -> None:
    port = free_port()
    with house(tmp_path, port, "--demo") as process:
        eventually(lambda: answers(port), within=120, what="an answer")
        first = eventually(lambda: children(process.pid).get("worker"), what="a worker")
        os.kill(first, signal.SIGKILL)
        second = eventually(
            lambda: (
                children(process.pid).get("worker", first) != first
                and children(process.pid)["worker"]
            ),
            what="a new worker",
        )
        assert answers(port)
        assert answers(port, "/sign-in")
        web = children(process.pid)["web"]
    assert process.returncode == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in (first, second, web))
    assert "worker.died" in (tmp_path / "log").read_text("utf-8")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads processes from /proc")
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_nobody_is_left_behind_when_the_terminal_closes_or_the_house_is_killed(
    tmp_path: Path, number: signal.Signals
) -> None:
    port = free_port()
    with house(tmp_path, port, "--demo") as process:
        eventually(lambda: answers(port), within=120, what="an answer")
        pids = list(children(process.pid).values())
        assert len(pids) == 2
        process.send_signal(number)
        process.wait(timeout=120)
        eventually(lambda: not answers(port), what="silence")
        eventually(lambda: not any(alive(pid) for pid in pids), what="the end of all")


def alive(pid: int) -> bool:
    """Whether a process is there and not merely waiting for somebody to notice its end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_house_tells_where_its_mail_is_and_ends_when_its_web_server_does(
    tmp_path: Path,
) -> None:
    port = free_port()
    with house(tmp_path, port, "--demo") as process:
        eventually(lambda: answers(port), within=120, what="an answer")
        os.kill(children(process.pid)["web"], signal.SIGKILL)
        process.wait(timeout=120)
        assert process.stdout is not None
        said = process.stdout.read()
    assert process.returncode != 0
    assert f"http://127.0.0.1:{port}/p/nieul-le-dolent/mailbox/" in said
