"""How much of a file Relais is ready to read. What is above is quarantined, not cut."""

from __future__ import annotations

from typing import Final

MEGABYTE: Final = 1024 * 1024
# A report with a scanned page inside stays below; a lab that sends more has to be asked why.
MOST_BYTES: Final = 5 * MEGABYTE
MOST_LINES: Final = 100_000
# Of fields, repetitions, components and subcomponents together: each becomes an object.
MOST_SEPARATORS: Final = 200_000
MOST_RESULTS: Final = 5_000

MOST_ELEMENTS: Final = 100_000
MOST_ATTRIBUTES: Final = 300_000
# The deepest example of the French model has 32 levels.
DEEPEST: Final = 100

# A longer text is no number: it is not looked at as one.
LONGEST_QUANTITY: Final = 80
