"""What was looked at and waits for a yes: signed, and kept by the page rather than the database."""

from __future__ import annotations

import base64
import datetime as dt
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from flask import current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer

from scheduler.calendars.models import SourceUse
from scheduler.core.errors import InvalidInput
from scheduler.roster.availability_rules import HalfDay
from scheduler.roster.rules import Half, Preference

LIFETIME: Final = dt.timedelta(hours=2)
_SALT: Final = "relais.import"
# A preference, or that the time is taken, in one letter.
_LETTERS: Final[dict[Preference | None, str]] = {
    Preference.WANTED: "w",
    Preference.POSSIBLE: "p",
    Preference.LAST_RESORT: "l",
    None: "b",
}
_MEANING: Final = {letter: preference for preference, letter in _LETTERS.items()}


@dataclass(frozen=True, slots=True)
class Draft:
    """A calendar as it was read: for whom, for which use, and what it says, without titles."""

    user_id: int
    use: SourceUse
    name: str
    said: Mapping[HalfDay, Preference | None]
    address: str | None = None
    etag: str | None = None
    last_modified: str | None = None

    def signed(self) -> str:
        """The draft as a form carries it."""
        facts: dict[str, Any] = {
            "u": self.user_id,
            "k": self.use.value,
            "n": self.name,
            "a": self.address,
            "e": self.etag,
            "m": self.last_modified,
            "s": _packed(self.said),
        }
        packed = zlib.compress(json.dumps(facts).encode(), 9)
        return str(_signer().dumps(base64.urlsafe_b64encode(packed).decode()))

    @classmethod
    def read(cls, text: str, user_id: int | None) -> Self:
        """The draft that a form carried back; raises `InvalidInput` for another's or an old one."""
        try:
            packed = _signer().loads(text, max_age=int(LIFETIME.total_seconds()))
            facts = json.loads(zlib.decompress(base64.urlsafe_b64decode(packed)))
        except BadSignature:
            raise InvalidInput("calendar_draft_old", field="draft") from None
        if facts["u"] != user_id:
            raise InvalidInput("calendar_draft_old", field="draft")
        return cls(
            user_id=facts["u"],
            use=SourceUse(facts["k"]),
            name=facts["n"],
            said=_unpacked(facts["s"]),
            address=facts["a"],
            etag=facts["e"],
            last_modified=facts["m"],
        )


def _packed(said: Mapping[HalfDay, Preference | None]) -> Sequence[str]:
    return [
        f"{day:%Y%m%d}{half.value}{_LETTERS[preference]}"
        for (day, half), preference in said.items()
    ]


def _unpacked(words: Sequence[str]) -> dict[HalfDay, Preference | None]:
    return {
        (dt.date.fromisoformat(word[:8]), Half(word[8:10])): _MEANING[word[10:]] for word in words
    }


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt=_SALT)
