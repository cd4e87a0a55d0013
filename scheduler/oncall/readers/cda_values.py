"""The typed values of CDA observations, as a lab would have written them on paper."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element

from scheduler.oncall.readers import quantities
from scheduler.oncall.readers.cda_narrative import NS, Narrative
from scheduler.oncall.readers.identities import squeezed
from scheduler.oncall.readers.quantities import Quantity

_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
_CODED: Final = frozenset({"CD", "CE", "CV", "CO", "CS"})
_MEASURED: Final = frozenset({"PQ", "REAL", "INT", "MO"})
# UCUM's way to say that there is no unit.
_NO_UNIT: Final = frozenset({"1", "{1}"})


def value_of(value: Element | None, narrative: Narrative) -> Quantity:
    """What stands in `value`, whatever its type; raises `NoNumber`.

    An interval that is open on one side is a comparator: its bound is included unless the
    document says otherwise, as HL7 has it.
    """
    if value is None:
        return Quantity(None)
    kind = (value.get(_TYPE) or "").rpartition(":")[2]
    if kind.startswith("IVL"):
        return _interval(value)
    if kind.startswith("RTO"):
        return _ratio(value)
    if kind in _MEASURED:
        return _measured(value)
    if kind in _CODED:
        return Quantity(_coded(value, narrative))
    if kind == "ED" and value.get("representation") == "B64":
        return Quantity(None)
    return quantities.quantity(
        squeezed(value.get("value")) or narrative.of(value), value.get("unit")
    )


def _measured(value: Element) -> Quantity:
    for each in (value, *value.findall("translation", NS)):
        if number := squeezed(each.get("value")):
            read = quantities.quantity(number, _unit(each), numeric=True)
            if read.value is None or not quantities.is_number(read.value):
                raise quantities.NoNumber
            return read
    return Quantity(None, None, _unit(value))


def _unit(value: Element) -> str | None:
    unit = squeezed(value.get("unit"))
    return None if unit in _NO_UNIT else unit


def _interval(value: Element) -> Quantity:
    low, high = (_bound(value, name) for name in ("low", "high"))
    if low is not None and high is not None:
        numbers = " - ".join(_number(each) for each in (low, high))
        return Quantity(numbers, None, _unit(low) or _unit(high))
    bound = high if low is None else low
    if bound is None:
        center = value.find("center", NS)
        return _measured(value) if center is None else _measured(center)
    sign = "<" if bound is high else ">"
    included = bound.get("inclusive", "true") != "false"
    return Quantity(_number(bound), f"{sign}=" if included else sign, _unit(bound))


def _bound(value: Element, name: str) -> Element | None:
    """A bound that is a number; infinity is none."""
    bound = value.find(name, NS)
    return bound if bound is not None and squeezed(bound.get("value")) else None


def _number(bound: Element) -> str:
    return _measured(bound).value or ""


def _ratio(value: Element) -> Quantity:
    parts = (value.find(name, NS) for name in ("numerator", "denominator"))
    numbers = [squeezed(part.get("value")) or "" for part in parts if part is not None]
    return Quantity("/".join(numbers) or None)


def _coded(value: Element, narrative: Narrative) -> str | None:
    translations = value.findall("translation", NS)
    return (
        squeezed(value.get("displayName"))
        or narrative.of(value.find("originalText", NS))
        or next(filter(None, (squeezed(each.get("displayName")) for each in translations)), None)
        or squeezed(value.get("code"))
    )
