"""Values and references as labs write them: `< 0,12`, `5,0 *`, `3,5 à 4,8`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from scheduler.oncall.readers import limits

_SPACES: Final = " \u00a0\u202f\u2009"
_NUMBER: Final = (
    rf"[+-]?(?:\d{{1,3}}(?:[{_SPACES}]\d{{3}})+|\d+)(?:[.,]\d+)?(?:[eE][+-]?\d{{1,3}})?"
)
_ONE_NUMBER: Final = re.compile(rf"{_NUMBER}|[.,]\d+")
_THOUSANDS: Final = re.compile(rf"[{_SPACES}]")
_COMPARATORS: Final = {
    "<": "<",
    ">": ">",
    "<=": "<=",
    ">=": ">=",
    "=<": "<=",
    "=>": ">=",
    "≤": "<=",
    "≥": ">=",
}
_BELOW: Final = re.compile(
    r"(?:<|≤|<=|=<|inf(?:\.|érieure?s?|erieure?s?)?(?: ?à| ?a)?|jusqu'à|moins de)\s*", re.IGNORECASE
)
_ABOVE: Final = re.compile(
    r"(?:>|≥|>=|=>|sup(?:\.|érieure?s?|erieure?s?)?(?: ?à| ?a)?|plus de)\s*", re.IGNORECASE
)
_SIGN: Final = r"<=|>=|=<|=>|<|>|≤|≥"
_QUANTITY: Final = re.compile(
    rf"(?P<before>\**)\s*(?P<sign>{_SIGN})?\s*(?P<number>{_NUMBER}|[.,]\d+)"
    r"(?:\s*(?P<after>\*+))?(?P<rest>\s.*|[%‰/].*)?"
)
_UNIT: Final = re.compile(r"(?:[%‰]|/?[A-Za-zµμ°])\S*")
# A letter that could as well be a flag is no unit.
_FLAG: Final = re.compile(r"[LHNABlhnab]{1,2}")
# What a numeric result may be without being one number: 10-15, 1/80, 1:80, 10^5, 1,5 x 10^5.
_COMPOSED: Final = re.compile(
    rf"(?P<sign>{_SIGN})?\s*(?P<text>{_NUMBER}\s*(?:-|–|/|:|à|\^|x|\*)\s*{_NUMBER}(?:\s*\^\s*\d+)?)"
)
_RANGE: Final = re.compile(rf"(?P<low>{_NUMBER})\s*(?:-|–|—|à|a|;|\.\.|\^)\s*(?P<high>{_NUMBER})")
_HALF_RANGE: Final = re.compile(rf"(?P<low>{_NUMBER})\s*-|-\s+(?P<high>{_NUMBER})")
_BRACKETS: Final = str.maketrans("", "", "()[]{}*")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value taken apart; `stars` are the asterisks that stood at it or at its unit."""

    value: str | None
    comparator: str | None = None
    unit: str | None = None
    stars: str | None = None


class NoNumber(ValueError):
    """What should be a number is none."""


def quantity(raw: str | None, unit: str | None = None, *, numeric: bool = False) -> Quantity:
    """What the lab wrote as a value, with the unit of its own field.

    A text stays as it is. Where the value has to be a number, one that begins like a number and
    ends otherwise raises `NoNumber`: half of it must not pass for the whole.
    """
    value = (raw or "").strip()
    unit, unit_stars = _unit(unit)
    if not value:
        return Quantity(None, None, unit, unit_stars)
    if len(value) <= limits.LONGEST_QUANTITY and "\n" not in value:
        for read in (_number, _composed):
            if found := read(value, unit, unit_stars):
                return found
    if set(value) == {"*"}:
        return Quantity(None, None, unit, value)
    if numeric and any(character.isdecimal() for character in value):
        raise NoNumber
    return Quantity(value, None, unit, unit_stars)


def is_number(text: str) -> bool:
    """Whether a text is one number."""
    return _ONE_NUMBER.fullmatch(text) is not None


def plain(number: str | None) -> str | None:
    """A number with a point and without spaces between its thousands; a text as it is."""
    number = (number or "").strip()
    if _ONE_NUMBER.fullmatch(number):
        return _pointed(number)
    return number or None


def reference(raw: str | None) -> tuple[str | None, str | None, str | None]:
    """The lower and the upper bound of a reference, or else its words."""
    text = (raw or "").strip()
    bare = " ".join(text.translate(_BRACKETS).split())
    if not bare:
        return None, None, None
    if len(bare) <= limits.LONGEST_QUANTITY:
        if found := _RANGE.fullmatch(bare):
            return _pointed(found["low"]), _pointed(found["high"]), None
        if (bound := _bound(_BELOW, bare)) is not None:
            return None, bound, None
        if (bound := _bound(_ABOVE, bare)) is not None:
            return bound, None, None
        if found := _HALF_RANGE.fullmatch(bare):
            return plain(found["low"]), plain(found["high"]), None
    return None, None, text


def _number(value: str, unit: str | None, unit_stars: str | None) -> Quantity | None:
    found = _QUANTITY.fullmatch(value)
    if found is None:
        return None
    rest, rest_stars = _unit(found["rest"])
    if rest is not None and not _is_unit(rest, unit):
        return None
    return Quantity(
        _pointed(found["number"]),
        _COMPARATORS.get(found["sign"] or ""),
        unit or rest,
        found["before"] or found["after"] or rest_stars or unit_stars,
    )


def _composed(value: str, unit: str | None, unit_stars: str | None) -> Quantity | None:
    found = _COMPOSED.fullmatch(value.rstrip("*").strip())
    if found is None:
        return None
    stars = value[len(value.rstrip("*")) :] or unit_stars
    text = found["text"].replace(",", ".")
    return Quantity(text, _COMPARATORS.get(found["sign"] or ""), unit, stars)


def _is_unit(rest: str, unit: str | None) -> bool:
    if unit is not None:
        return rest.casefold() == unit.casefold()
    return _UNIT.fullmatch(rest) is not None and _FLAG.fullmatch(rest) is None


def _unit(raw: str | None) -> tuple[str | None, str | None]:
    """A unit and the asterisks before it; those within belong to it, as in 10*9/L."""
    text = (raw or "").strip()
    bare = text.lstrip("*").strip()
    return bare or None, text[: len(text) - len(text.lstrip("*"))] or None


def _bound(words: re.Pattern[str], text: str) -> str | None:
    found = words.match(text)
    if found is None:
        return None
    number = text[found.end() :].strip()
    return _pointed(number) if _ONE_NUMBER.fullmatch(number) else None


def _pointed(number: str) -> str:
    return _THOUSANDS.sub("", number).replace(",", ".")
