"""From who could come to the words that the template shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import format_decimal
from flask_babel import gettext as _

from scheduler.core.permissions import Role
from scheduler.roster.candidates import Coming, WhoCould
from scheduler.roster.rules import Preference
from web.labels import day_count, dialled


def rows(found: tuple[Coming, ...], size: float, reader_id: int | None) -> list[dict[str, Any]]:
    """One row per doctor, in the order that was found; `own` is the reader's."""
    return [
        {
            "doctor_id": coming.doctor_id,
            "name": coming.name,
            "own": coming.doctor_id == reader_id,
            "role": coming.role.value,
            "phone": coming.phone,
            "call": dialled(coming.phone),
            "preference": coming.preference.value if coming.preference else None,
            "words": _words(coming, size),
        }
        for coming in found
    ]


def gains(who: WhoCould) -> list[str]:
    """What the roster wins with any of them; it is the same with each, so it is said once."""
    sentences = [_("Nobody else loses a day.")]
    everybody = [*who.said, *who.silent]
    if everybody and all(_less(coming.cost, "below_minimum") for coming in everybody):
        sentences.append(_("The week comes nearer to its minimum of days with a doctor."))
    return sentences


def _words(coming: Coming, size: float) -> list[str]:
    """What it costs the roster that it is this doctor, the gravest level first."""
    words = []
    if _less(coming.cost, "changes"):
        words.append(_("as in the proposed roster"))
    if coming.role is Role.TITULAR:
        words.append(_("calls in a titular doctor"))
    elif coming.preference is Preference.LAST_RESORT:
        words.append(_("one more last resort"))
    words.append(
        _(
            "load: %(before)s → %(after)s",
            before=format_decimal(coming.days),
            after=day_count(2 * (coming.days + size)),
        )
    )
    return words


def _less(cost: Mapping[str, float], level: str) -> bool:
    return cost[level] < 0
