"""Values and pure functions of calls for volunteers: who is asked in which wave, and when.

A wave never leaves in the evening or at night, whatever moment the one before it left at; only a
day lost to an absence is worth waking somebody for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from itsdangerous import BadSignature, URLSafeSerializer

from scheduler.core.clock import as_utc, local_instant
from scheduler.core.errors import NotFound
from scheduler.core.permissions import Role
from scheduler.roster.candidates import Coming, WhoCould
from scheduler.roster.rules import Preference, Wave

LONGEST_MESSAGE: Final = 500
# How often the worker looks at a practice's weeks.
LOOK_AGAIN: Final = dt.timedelta(hours=1)
# How long a wave of an urgent call waits for the one before.
URGENT_STEP: Final = dt.timedelta(minutes=15)
QUIET_FROM: Final = dt.time(21, 0)
QUIET_UNTIL: Final = dt.time(7, 0)
MORNING: Final = dt.time(7, 30)

_SALT: Final = "relais.call"
_GLADNESS: Final[dict[Preference | None, int]] = {
    Preference.WANTED: 0,
    Preference.POSSIBLE: 1,
    Preference.LAST_RESORT: 2,
    None: 3,
}


@dataclass(frozen=True, slots=True)
class Invitee:
    """A doctor whom a call would ask: in which wave, for which days (need and what they said of
    it), and how many half-days sharing counts for them."""

    doctor_id: int
    wave: Wave
    preference: Preference | None
    half_days: int
    days: tuple[tuple[int, Preference | None], ...]

    @property
    def need_ids(self) -> frozenset[int]:
        return frozenset(need_id for need_id, _preference in self.days)


def wave_of(role: Role, preference: Preference | None) -> Wave:
    """The wave that reaches a doctor: titulars come last, whatever they said."""
    if role is Role.TITULAR:
        return Wave.TITULARS
    if preference in (Preference.WANTED, Preference.POSSIBLE):
        return Wave.POSSIBLE
    return Wave.LAST_RESORT


def merged(found: Mapping[int, WhoCould]) -> list[Invitee]:
    """Who could take which of some needs (by number), each doctor once: by wave, then by how
    gladly they come, then as the roster would like it best."""
    places: dict[int, list[tuple[int, int, Coming]]] = {}
    for need_id, who in found.items():
        for place, coming in enumerate([*who.said, *who.silent]):
            places.setdefault(coming.doctor_id, []).append((place, need_id, coming))
    ranked = []
    for doctor_id, rows in places.items():
        preference = min((row.preference for _, _, row in rows), key=_GLADNESS.__getitem__)
        first = rows[0][2]
        invitee = Invitee(
            doctor_id=doctor_id,
            wave=wave_of(first.role, preference),
            preference=preference,
            half_days=round(2 * first.days),
            days=tuple((need_id, row.preference) for _, need_id, row in rows),
        )
        best = min(place for place, _, _ in rows)
        order = (invitee.wave, _GLADNESS[preference], best, invitee.half_days, first.name)
        ranked.append((order, invitee))
    return [invitee for _order, invitee in sorted(ranked, key=lambda pair: pair[0])]


def is_quiet(instant: dt.datetime, timezone: str) -> bool:
    """Whether it is evening or night in `timezone`: from 21:00 until before 7:00."""
    local = as_utc(instant).astimezone(ZoneInfo(timezone)).time()
    return local >= QUIET_FROM or local < QUIET_UNTIL


def after_quiet(instant: dt.datetime, timezone: str) -> dt.datetime:
    """`instant`, or 7:30 of the morning that follows where it falls into the quiet hours."""
    if not is_quiet(instant, timezone):
        return instant
    local = as_utc(instant).astimezone(ZoneInfo(timezone))
    day = local.date() + dt.timedelta(days=1 if local.time() >= QUIET_FROM else 0)
    return local_instant(day, MORNING, timezone)


def next_wave_at(now: dt.datetime, timezone: str, hours: int, *, urgent: bool) -> dt.datetime:
    """When the wave after one that leaves `now` leaves."""
    if urgent:
        return now + URGENT_STEP
    return after_quiet(now + dt.timedelta(hours=hours), timezone)


def is_thin(wanted: Iterable[dt.date], with_doctor: Iterable[dt.date], minimum: int) -> bool:
    """Whether a week with days to fill on the dates `wanted` has fewer days with a doctor than
    the practice's minimum, as far as it wants so many."""
    return len(set(with_doctor)) < min(minimum, len(set(wanted)))


def link_token(secret: str, uid: str) -> str:
    """The signed part of an invitation's link."""
    return str(URLSafeSerializer(secret, salt=_SALT).dumps(uid))


def uid_of(secret: str, token: str) -> str:
    """The invitation that a link names; `NotFound` for one that nobody signed."""
    try:
        return str(URLSafeSerializer(secret, salt=_SALT).loads(token))
    except BadSignature:
        raise NotFound("invitation_not_found") from None


def answer_path(secret: str | None, uid: str) -> str:
    """Where an invitation is answered, below the installation's address: by its link, or signed
    in where there is no secret key to sign one with."""
    return "/calls/" if secret is None else f"/calls/answer/{link_token(secret, uid)}"
