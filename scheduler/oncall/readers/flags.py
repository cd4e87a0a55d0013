"""The lab's own flags, in one alphabet where they fit it. None is ever computed.

=================================  =====  ==================================================
the lab writes                     flag   meaning
=================================  =====  ==================================================
L, H                               same   below, above the reference
LL, HH                             same   below, above the critical limit
A, AA                              same   abnormal, very abnormal, without a direction
an asterisk at the value or unit   A      outside the reference
two asterisks or more              AA     far outside the reference
anything else                      as is  N, R, S, I, >, POS, ↑ … are shown as the lab wrote them
=================================  =====  ==================================================

Of several flags the gravest of the alphabet is the flag, and the others are told beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

# From the least grave to the gravest.
ALPHABET: Final = ("A", "L", "H", "AA", "LL", "HH")


def combined(flags: Iterable[str | None]) -> tuple[str | None, tuple[str, ...]]:
    """The flag of a result to which the lab put `flags`, and those that it does not say."""
    given = tuple(dict.fromkeys(_spelled(flag) for flag in flags if flag and flag.strip()))
    known = [flag for flag in given if flag in ALPHABET]
    chosen = max(known, key=ALPHABET.index) if known else (given[0] if given else None)
    # A flag without a direction adds nothing to one that has it.
    implied = {"A"} if known else set()
    return chosen, tuple(flag for flag in given if flag != chosen and flag not in implied)


def _spelled(flag: str) -> str:
    flag = flag.strip()
    if set(flag) == {"*"}:
        return "A" if len(flag) == 1 else "AA"
    return flag.upper() if flag.upper() in ALPHABET else flag
