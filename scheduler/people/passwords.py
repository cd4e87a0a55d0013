"""Passwords: argon2id, the same work for every answer, and what may be chosen."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from scheduler.core.errors import InvalidInput

SHORTEST: Final = 12
LONGEST: Final = 128
# What must be left of a password when names, common words and rows of keys are taken out.
SMALLEST_REST: Final = 6
FEWEST_CHARACTERS: Final = 5
COMMON: Final = (
    "motdepasse",
    "password",
    "passe",
    "azertyuiop",
    "azerty",
    "qwertyuiop",
    "qwerty",
    "qsdfghjklm",
    "wxcvbn",
    "abcdefghijkl",
    "abcdef",
    "bonjour",
    "bienvenue",
    "welcome",
    "soleil",
    "doudou",
    "chouchou",
    "loulou",
    "iloveyou",
    "jetaime",
    "marseille",
    "france",
    "admin",
    "docteur",
    "doctor",
    "medecin",
    "sante",
    "cabinet",
    "secretariat",
    "relais",
)
# Without letters and digits that are taken for one another when read aloud or copied by hand.
GENERATED_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
GENERATED_GROUPS: Final = 5
GENERATED_GROUP: Final = 4

# The first recommendation of OWASP's password storage sheet: little memory for a small machine,
# and a tenth of a second at most, so that signing in costs the house less than the guesser.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hashed(password: str) -> str:
    """The argon2id hash of a password."""
    return _hasher.hash(_normal(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether `password` is the one behind `stored`.

    Without a stored hash the answer is no, after the same work as with one, so that the time it
    takes tells nobody whether there is such a user.
    """
    try:
        _hasher.verify(stored or _nobodys(), _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with parameters that have changed since."""
    return _hasher.check_needs_rehash(stored)


def generated() -> str:
    """A random password of 100 bits that can be read aloud: ``k4mn-…``."""
    groups = (
        "".join(secrets.choice(GENERATED_ALPHABET) for _ in range(GENERATED_GROUP))
        for _ in range(GENERATED_GROUPS)
    )
    return "-".join(groups)


def check(password: str, about: Iterable[str], field: str) -> None:
    """Raise `InvalidInput` unless `password` may be chosen by a person.

    `about` are the person's names and e-mail address: a password that consists of them, of a few
    repeated characters or of the words everybody tries first is refused.
    """
    password = _normal(password)
    if len(password) < SHORTEST:
        raise InvalidInput("password_short", field=field, shortest=SHORTEST)
    if len(password) > LONGEST:
        raise InvalidInput("password_long", field=field, longest=LONGEST)
    folded = _folded(password)
    own = {word for text in about for word in _words(text)}
    if _rest(folded, own) < SMALLEST_REST:
        raise InvalidInput("password_personal", field=field)
    if len(set(folded)) < FEWEST_CHARACTERS or _is_repetition(folded):
        raise InvalidInput("password_common", field=field)
    if folded.isdigit() or any(_is_common(text, own) for text in (folded, _unmasked(folded))):
        raise InvalidInput("password_common", field=field)


def _normal(password: str) -> str:
    # Keyboards write é as one character or as two; both are the same password.
    return unicodedata.normalize("NFKC", password)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


def _words(text: str) -> list[str]:
    folded = _folded(text)
    return [word for word in {folded, *re.split(r"[\W_]+", folded)} if len(word) >= 3]


def _rest(folded: str, words: Iterable[str]) -> int:
    for word in sorted(words, key=len, reverse=True):
        folded = folded.replace(word, "")
    return len(folded)


def _is_common(folded: str, own: set[str]) -> bool:
    """Whether little is left of the text but words that everybody tries first."""
    if not any(word in folded for word in COMMON):
        return False
    return _rest(re.sub(r"[\d\W_]", "", folded), {*own, *COMMON}) < SMALLEST_REST


def _unmasked(folded: str) -> str:
    """« p@ssw0rd » as the word that it stands for."""
    return folded.translate(str.maketrans("013457@$", "oieastas"))


def _is_repetition(text: str) -> bool:
    """Whether the text is one short piece, over and over."""
    return any(
        (text[:size] * (len(text) // size + 1))[: len(text)] == text
        for size in range(1, len(text) // 2 + 1)
    )


@cache
def _nobodys() -> str:
    return _hasher.hash(secrets.token_urlsafe())
