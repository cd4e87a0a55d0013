"""`serve`: one gunicorn and one worker, started, watched and stopped together."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import structlog

from scheduler.core.errors import InvalidInput

log = structlog.get_logger(__name__)

PROJECT: Final = Path(__file__).resolve().parents[1]
THREADS: Final = 8
PATIENCE_SECONDS: Final = 15.0
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0
HEALTHY_SECONDS: Final = 60.0
# Of <sys/prctl.h>. Found here: nothing should be loaded between a fork and its exec.
_SET_PARENT_DEATH_SIGNAL: Final = 1
_PRCTL: Final = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None


def require_free(host: str, port: int) -> None:
    """Raise `InvalidInput` where the address cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise InvalidInput("address_in_use", address=f"{host}:{port}", reason=error) from None


class House:
    """The two processes of an installation. A worker that dies is started again; when the web
    server ends, so does the house."""

    def __init__(self, host: str, port: int) -> None:
        bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._web_command = [
            *(sys.executable, "-m", "gunicorn", "app:create_app()"),
            *("--bind", bind, "--chdir", str(PROJECT)),
            # One process, so that rate limits are counted in one place; threads share the load.
            *("--worker-class", "gthread", "--workers", "1", "--threads", str(THREADS)),
            # No access log: a feed's address is a secret. Heartbeats stay off slow disks.
            *("--log-level", "warning", "--worker-tmp-dir", _memory_folder()),
        ]
        self._worker_command = [sys.executable, str(PROJECT / "app.py"), "worker"]
        self._stopping = threading.Event()

    def run(self) -> int:
        """Run until a signal arrives or the web server ends; returns its exit status."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # `nohup` has a hang-up ignored, and means it.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._stop)
        web = self._start(self._web_command)
        worker = self._start(self._worker_command)
        started, pause, due = time.monotonic(), FIRST_PAUSE_SECONDS, 0.0
        try:
            while not self._stopping.wait(0.2):
                if web.poll() is not None:
                    return web.returncode or 1
                if worker.poll() is None:
                    continue
                now = time.monotonic()
                if not due:
                    healthy = now - started > HEALTHY_SECONDS
                    pause = FIRST_PAUSE_SECONDS if healthy else pause
                    due = now + pause
                    log.warning("worker.died", status=worker.returncode, again_in=pause)
                    pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                elif now >= due:
                    worker, started, due = self._start(self._worker_command), now, 0.0
            return 0
        finally:
            _end([web, worker])

    def _stop(self, _number: int, _frame: Any) -> None:
        self._stopping.set()

    @staticmethod
    def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
        # Sessions of their own: a Ctrl-C reaches the house first, which then ends both in order.
        return subprocess.Popen(  # noqa: S603 - commands of this very file
            command,
            cwd=os.getcwd(),
            start_new_session=True,
            preexec_fn=_end_with_parent if _PRCTL else None,  # noqa: PLW1509 - the house is one thread
        )


def _end_with_parent() -> None:
    """Ask Linux to end this process when the house dies without a word (``kill -9``)."""
    if _PRCTL is not None:
        _PRCTL(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def _memory_folder() -> str:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"  # noqa: S108 - gunicorn's own


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + PATIENCE_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
