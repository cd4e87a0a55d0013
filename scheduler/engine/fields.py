"""Strict access to decoded JSON: every failure is a `Malformed` with the path of the culprit."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NoReturn

from scheduler.core.errors import Malformed

BIGGEST = 10**9
"""No integer of a file may be larger, so that no sum of the solver can overflow."""

MOST_BYTES = 64 * 1024 * 1024
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_KEY = re.compile(r"[A-Za-z0-9_\-]{1,40}")
_REQUIRED = object()


def show(value: object) -> str:
    """A value as it stands in an error message: one line, printable, at most 60 characters."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**40:
        return "an enormous integer"
    text = json.dumps(value) if value is None or isinstance(value, bool) else _plain(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _plain(value: object) -> str:
    """`repr` of a scalar, cut before it is rendered when it is a long string."""
    return repr(value[:60] if isinstance(value, str) else value)


def read_json(path: str | os.PathLike[str]) -> object:
    """The JSON value of a UTF-8 file (a leading byte-order mark is accepted).

    Raises `Malformed`, with the file's name as its path, for a file that cannot be read, is
    larger than 64 MiB, is not UTF-8, is not JSON, repeats a key, or holds NaN or Infinity.
    """
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise Malformed(name, f"cannot be read: {reason}") from error
    if len(data) > MOST_BYTES:
        raise Malformed(name, f"larger than {MOST_BYTES // 1024**2} MiB")
    if not data.strip():
        raise Malformed(name, "empty file")

    def constant(text: str) -> NoReturn:
        raise Malformed(name, f"{text} is not a JSON number")

    def unique(items: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(items)
        if len(result) != len(items):
            counts = Counter(key for key, _ in items)
            twice = next(key for key, count in counts.items() if count > 1)
            raise Malformed(name, f"key {show(twice)} stands twice in one object")
        return result

    try:
        text = data.decode("utf-8-sig")
        value: object = json.loads(text, parse_constant=constant, object_pairs_hook=unique)
    except UnicodeDecodeError as error:
        raise Malformed(name, f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise Malformed(name, f"not JSON: {error.msg} at {where}") from error
    except RecursionError as error:
        raise Malformed(name, "nested too deeply") from error
    except ValueError as error:
        raise Malformed(name, "holds a number with too many digits") from error
    return value


class Fields:
    """One JSON object under validation: its path, its allowed keys, and typed access."""

    def __init__(self, value: object, path: str, allowed: str, *, root: bool = False) -> None:
        if not isinstance(value, dict):
            raise Malformed(path, f"not an object: {show(value)}")
        self.path, self.value = path, value
        self._prefix = "" if root else f"{path}."
        known = allowed.split()
        for key in value:
            if key not in known:
                named = isinstance(key, str) and _KEY.fullmatch(key)
                raise Malformed(f"{path}.{key if named else show(key)}", "unknown key")

    def at(self, key: str) -> str:
        """Path of one of the keys."""
        return f"{self._prefix}{key}"

    def get(self, key: str, default: object = _REQUIRED) -> object:
        """The raw value; a missing key without default is malformed."""
        if key in self.value:
            return self.value[key]
        if default is _REQUIRED:
            raise Malformed(self.at(key), "missing")
        return default

    def text(self, key: str) -> str:
        """A non-empty string that can be written as UTF-8."""
        return as_text(self.get(key), self.at(key))

    def choice(self, key: str, allowed: Iterable[str], what: str) -> str:
        """One of some words."""
        value = self.get(key)
        if not isinstance(value, str) or value not in allowed:
            raise Malformed(self.at(key), f"not a {what}: {show(value)}")
        return value

    def integer(self, key: str, least: int, default: object = _REQUIRED) -> int:
        """An integer from `least` to `BIGGEST`; a boolean or 1.0 is none."""
        value = self.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise Malformed(self.at(key), f"not an integer >= {least}: {show(value)}")
        if value > BIGGEST:
            raise Malformed(self.at(key), f"larger than {BIGGEST}")
        return value

    def number(self, key: str, default: object = _REQUIRED) -> int | float:
        """A finite number >= 0."""
        value = self.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Malformed(self.at(key), f"not a number >= 0: {show(value)}")
        if not 0 <= value < math.inf:
            raise Malformed(self.at(key), f"not a number >= 0: {show(value)}")
        return value

    def list(self, key: str, default: object = _REQUIRED) -> list[object]:
        """A list."""
        value = self.get(key, default)
        if not isinstance(value, list):
            raise Malformed(self.at(key), f"not a list: {show(value)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of distinct non-empty strings."""
        items: dict[str, None] = {}
        for i, value in enumerate(self.list(key)):
            item = as_text(value, f"{self.at(key)}[{i}]")
            if item in items:
                raise Malformed(f"{self.at(key)}[{i}]", f"{show(item)} stands twice")
            items[item] = None
        return tuple(items)

    def objects(self, key: str, allowed: str, *, optional: bool = False) -> Iterable[Fields]:
        """The objects of a list, one at a time."""
        for i, item in enumerate(self.list(key, [] if optional else _REQUIRED)):
            yield Fields(item, f"{key}[{i}]", allowed)


def as_text(value: object, path: str) -> str:
    """A non-empty string without lone surrogates (they cannot be written as UTF-8)."""
    if not isinstance(value, str) or not value:
        raise Malformed(path, f"not a non-empty string: {show(value)}")
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise Malformed(path, f"not valid Unicode: {show(value)}")
    return value


def as_date(value: object, path: str) -> dt.date:
    """A date written YYYY-MM-DD (other ISO 8601 spellings are refused)."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    raise Malformed(path, f"not a date YYYY-MM-DD: {show(value)}")


def reference(value: object, known: dict[str, Any], path: str, what: str) -> str:
    """An identifier that exists."""
    if not isinstance(value, str) or value not in known:
        raise Malformed(path, f"no such {what}: {show(value)}")
    return value
