"""Rows as a file that a French spreadsheet opens at a double click."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

# Without it the spreadsheet would not see that the file is UTF-8.
MARK: Final = "\ufeff"
# What a cell must not begin with: the spreadsheet would compute it.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def written(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A head and its rows as CSV with semicolons, every cell as text."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=";")
    writer.writerows([_guarded(row) for row in (head, *rows)])
    return MARK + target.getvalue()


def _guarded(row: Sequence[str]) -> list[str]:
    return [f"'{cell}" if cell.startswith(FORMULA) else cell for cell in row]
