"""How much of a calendar Relais is ready to read. What is above is refused, not cut."""

from __future__ import annotations

from typing import Final

# Of a file.
MOST_BYTES: Final = 1024 * 1024
MOST_COMPONENTS: Final = 5_000
DEEPEST: Final = 8
# Half-days that all its events touch together, each time they happen.
MOST_TOUCHED: Final = 120_000
# From the first day read to the last.
LONGEST_WINDOW_DAYS: Final = 1_100

# Of an event.
MOST_REPETITIONS: Final = 1_000
MOST_INTERVAL: Final = 1_000
MOST_DATES: Final = 1_000
MOST_PERIODS: Final = 5_000
MOST_EXCEPTIONS: Final = 3_000
MOST_RULES: Final = 10
LONGEST_RULE: Final = 2_000
MOST_TIMES_A_DAY: Final = 24
# Days of the window that an event covers, each time it happens.
MOST_DAYS_OF_EVENT: Final = 20_000
LONGEST_DAYS: Final = 1_100
# Apple dates a birthday without a year in 1604.
FIRST_YEAR: Final = 1600
LAST_YEAR: Final = 2999
LONGEST_TITLE: Final = 200
LONGEST_UID: Final = 255
# Processor time of one event, in seconds: a rule that no day fulfils is searched to the year 9999.
EVENT_SECONDS: Final = 0.2

# Of a time zone that a file defines.
MOST_OBSERVANCES: Final = 40
MOST_ONSETS: Final = 200

# Of the processes that read: how many at once, and how long the next one waits for its place.
AT_ONCE: Final = 4
PATIENCE_SECONDS: Final = 60
CPU_SECONDS: Final = 1.3
CPU_SECONDS_AT_ALL: Final = 2
WALL_SECONDS: Final = 20
MEMORY_BYTES: Final = 256 * 1024 * 1024
