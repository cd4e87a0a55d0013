"""Pure rules of people: how an e-mail, a name in an address, an RPPS number may look."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final
from zoneinfo import ZoneInfo

from email_validator import EmailNotValidError, validate_email
from holidays import list_supported_countries

from scheduler.core.errors import InvalidInput

SLUG: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LONGEST_SLUG: Final = 64


def normal_email(text: str) -> str:
    """An e-mail address as it is kept: checked, in ASCII and in lower case.

    Raises `InvalidInput` for what is no address. Nobody is asked whether the domain exists.
    """
    try:
        found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise InvalidInput("email_malformed", field="email", email=text.strip()) from None
    return str(found.ascii_email).lower()


def typed_email(text: str) -> str | None:
    """What somebody typed to sign in, made comparable; None where no user can be called so."""
    try:
        return normal_email(text)
    except InvalidInput:
        text = text.strip().lower()
        return text if text and text.isprintable() else None


def required_text(value: str, field: str, longest: int) -> str:
    """`value` without the space around it; `InvalidInput` where it is empty or too long."""
    value = " ".join(value.split())
    if not value or not value.isprintable():
        raise InvalidInput("text_required", field=field)
    if len(value) > longest:
        raise InvalidInput("text_too_long", field=field, longest=longest)
    return value


def slug_of(name: str) -> str:
    """`name` as it may stand in an address: « Cabinet de l'Île » is cabinet-de-l-ile."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:LONGEST_SLUG].strip("-")


def is_timezone(name: str) -> bool:
    """Whether this is an IANA time zone that the machine knows."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        # An unknown name, a folder of names, a path outside the data: each raises its own.
        return False
    return True


def is_subdivision(name: str) -> bool:
    """Whether the library of public holidays knows this French subdivision."""
    return name in list_supported_countries(include_aliases=False)["FR"]


def normal_rpps(text: str) -> str:
    """The 11 digits of an RPPS number, without spaces; `InvalidInput` for anything else."""
    digits = "".join(text.split())
    if not re.fullmatch(r"[0-9]{11}", digits):
        raise InvalidInput("rpps_malformed", field="rpps")
    return digits


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the Luhn check of the others.

    An RPPS number should pass, but the register's own example does not: a reason to look twice,
    never to refuse.
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def session_digest(number: str) -> str:
    """What is kept of a session's number: its SHA-256, in hexadecimal."""
    return hashlib.sha256(number.encode()).hexdigest()
