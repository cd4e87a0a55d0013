"""A letter as an SMS: its subject and its link, through a gateway that apprise knows.

The name of a patient stands in no letter, so in no SMS; the text stays in the alphabet of GSM
03.38 where it can, since one letter outside it halves what a message holds.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from apprise import Apprise

from scheduler.core.outbox import DeliveryFailed, Letter

LONGEST: Final = 160
GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
PLAIN: Final = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "«": '"',
        "»": '"',
        "–": "-",
        "—": "-",
        "…": "...",
        "œ": "oe",
        "Œ": "OE",
        "\u00a0": " ",
        "\u202f": " ",
    }
)


@dataclass(frozen=True, slots=True)
class Sms:
    """A gateway: an address of apprise with ``{phone}`` where the number goes."""

    url: str

    def send(self, letter: Letter) -> None:
        """Hand a letter to the gateway; raises `DeliveryFailed`, to be tried again."""
        gateway = Apprise()
        # The gateway's address carries its password: no error may repeat it.
        if not gateway.add(self.url.replace("{phone}", quote(letter.to_address, safe=""))):
            raise DeliveryFailed("apprise does not understand RELAIS_SMS_URL")
        if not gateway.notify(body=short_text(letter)):
            raise DeliveryFailed("the SMS gateway did not take it")


def short_text(letter: Letter) -> str:
    """The subject and the link, at most 160 letters where the link leaves room for a subject."""
    subject = to_gsm(letter.subject)
    if letter.link is None:
        return subject[:LONGEST]
    room = LONGEST - len(letter.link) - 1
    if len(subject) > room > len("..."):
        subject = subject[: room - len("...")].rstrip() + "..."
    return f"{subject}\n{letter.link}"


def to_gsm(text: str) -> str:
    """A text in the basic alphabet of GSM 03.38: what it lacks loses its accent, or goes."""
    found = []
    for letter in text.translate(PLAIN):
        if letter in GSM:
            found.append(letter)
        else:
            base = unicodedata.normalize("NFKD", letter)
            found += [part for part in base if part in GSM]
    return "".join(found)
