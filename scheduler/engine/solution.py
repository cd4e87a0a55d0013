"""What the engine hands back, and the file it is written to."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field

from scheduler.engine.model import LEVELS, SOLUTION_FORMAT, Pair
from scheduler.engine.objective import Objective
from scheduler.engine.rules import Breach

Number = int | float


@dataclass(frozen=True)
class Reason:
    """Why one doctor does not take an uncovered need.

    `code` is one of the format's; for ``traded``, `instead` names the needs that would be lost
    or `level` the objective level that would get worse.
    """

    doctor: str
    code: str
    instead: tuple[str, ...] = ()
    level: str | None = None

    def to_json(self) -> dict[str, object]:
        """As in the solution file; empty parts are left out."""
        result: dict[str, object] = {"doctor": self.doctor, "code": self.code}
        if self.instead:
            result["instead"] = list(self.instead)
        if self.level is not None:
            result["level"] = self.level
        return result


@dataclass(frozen=True)
class Suggestion:
    """One relaxation that covers a need. `to` is the new limit, in days; None for ``ask``."""

    code: str
    doctor: str
    to: Number | None = None

    def to_json(self) -> dict[str, object]:
        """As in the solution file."""
        result: dict[str, object] = {"code": self.code, "doctor": self.doctor}
        if self.to is not None:
            result["to"] = self.to
        return result


@dataclass(frozen=True)
class Uncovered:
    """A need without a doctor, why, and what would help."""

    need: str
    reasons: tuple[Reason, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()

    def to_json(self) -> dict[str, object]:
        """As in the solution file."""
        return {
            "need": self.need,
            "reasons": [reason.to_json() for reason in self.reasons],
            "suggestions": [suggestion.to_json() for suggestion in self.suggestions],
        }


@dataclass(frozen=True)
class Solution:
    """A roster with its recomputed objective and what was proved of it.

    `pairs` holds fixed and chosen assignments, needs in the order of the file; `fixed` those of
    them that were given. `bound` maps each level to the best value that a roster with the same
    better levels can have, as far as proved. `seconds` is wall-clock time.
    """

    status: str
    pairs: tuple[Pair, ...]
    fixed: frozenset[Pair]
    uncovered: tuple[Uncovered, ...]
    objective: Objective
    bound: Mapping[str, Number]
    conflicts: tuple[Breach, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    def to_json(self) -> dict[str, object]:
        """The solution file as plain values, keys in the order of the format page."""
        return {
            "format": SOLUTION_FORMAT,
            "status": self.status,
            "assignments": [
                {
                    "need": need,
                    "doctor": doctor,
                    "origin": "fixed" if (need, doctor) in self.fixed else "solver",
                }
                for need, doctor in self.pairs
            ],
            "uncovered": [item.to_json() for item in self.uncovered],
            "objective": self.objective.to_json(),
            "bound": {level: self.bound[level] for level in LEVELS},
            "conflicts": [breach.to_json() for breach in self.conflicts],
            "seconds": round(self.seconds, 3),
        }

    def dumps(self) -> str:
        """The text of the solution file."""
        return json.dumps(self.to_json(), ensure_ascii=False, indent=1) + "\n"


def check_destination(path: str | os.PathLike[str], source: str | os.PathLike[str]) -> None:
    """Raise `OSError` now if writing `path` is bound to fail after the work is done."""
    target = os.path.realpath(path)
    if target == os.path.realpath(source):
        raise FileExistsError(errno.EEXIST, "it is the problem file", os.fspath(path))
    if os.path.isdir(target):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if os.path.exists(target) and not os.path.isfile(target):
        return
    with tempfile.TemporaryFile(dir=os.path.dirname(target)):
        pass


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a file so that it is either the old one or the whole new one.

    Raises `OSError` when the destination cannot be written; no temporary file is left behind.
    """
    target = os.path.realpath(path)
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "w", encoding="utf-8") as device:
            device.write(text)
        return
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".roster-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _mode(target: str) -> int:
    """Permissions of the file that is replaced, or those a new file would get."""
    if os.path.exists(target):
        return os.stat(target).st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
