"""What people choose by when they say how they want to be told, and when: no database."""

from __future__ import annotations

import base64
import datetime as dt
import enum
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import phonenumbers
from cryptography.hazmat.primitives.asymmetric import ec

from scheduler.core.deliveries import Channel

TIMEZONE: Final = ZoneInfo("Europe/Paris")
HOME_REGION: Final = "FR"
QUIET_START: Final = dt.time(21)
QUIET_END: Final = dt.time(7)
DIGEST_AT: Final = dt.time(18)
CODE_LIFETIME: Final = dt.timedelta(minutes=15)
CODE_PAUSE: Final = dt.timedelta(minutes=1)
MOST_DEVICES: Final = 10
AUTH_BYTES: Final = 16
# Whoever runs one of the browsers runs its push service; nothing else is ever called.
PUSH_SERVICES: Final = (
    "fcm.googleapis.com",
    "push.services.mozilla.com",
    "push.apple.com",
    "notify.windows.com",
)
# No sign by which one reader of addresses ends the host and another does not, and no other port.
PUSH_ADDRESS: Final = re.compile(r"https://(?P<host>[a-z0-9.-]+)(:443)?(/[!-\[\]-~]*)?")
SMS_NUMBERS: Final = frozenset(
    {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
)


class Group(enum.StrEnum):
    """The kinds of event that somebody is told of, as the preferences page lists them."""

    DAYS = "days"  # my days: given, confirmed, given back
    QUESTIONS = "questions"  # questions and calls to me
    OFFERS = "offers"  # what colleagues offer, and swaps
    OPENINGS = "openings"  # days to fill, published periods
    DECISIONS = "decisions"  # what waits for my decision, or is ready for it
    ABSENCES = "absences"  # somebody is missing today
    REMINDERS = "reminders"  # availabilities that are still wanted
    ACCOUNT = "account"  # my account and its channels: nothing to choose


CHOSEN_GROUPS: Final = tuple(group for group in Group if group is not Group.ACCOUNT)


@dataclass(frozen=True, slots=True)
class Choice:
    """By which channels somebody is told of a group, and whether once a day only."""

    channels: frozenset[Channel] = frozenset({Channel.EMAIL, Channel.PUSH})
    digest: bool = False


@dataclass(frozen=True, slots=True)
class Hours:
    """Somebody's hours, local: None for no quiet ones."""

    quiet: tuple[dt.time, dt.time] | None = (QUIET_START, QUIET_END)
    quiet_email: bool = False
    urgent_sms: bool = True
    digest_at: dt.time = DIGEST_AT


def channels_for(
    choice: Choice, hours: Hours, reachable: Collection[Channel], *, urgent: bool
) -> list[Channel]:
    """The channels a message takes: those chosen and reachable; what is urgent rings as well."""
    wanted = set(choice.channels)
    if urgent and hours.urgent_sms:
        wanted.add(Channel.SMS)
    return [channel for channel in Channel if channel in wanted and channel in reachable]


def not_before(now: dt.datetime, hours: Hours, channel: Channel) -> dt.datetime:
    """The first instant from `now` on at which a channel may be used: after the quiet hours."""
    if hours.quiet is None or (channel is Channel.EMAIL and not hours.quiet_email):
        return now
    start, end = hours.quiet
    local = now.astimezone(TIMEZONE)
    clock = local.time()
    quiet = start <= clock < end if start < end else clock >= start or clock < end
    if start == end or not quiet:
        return now
    return _next_at(now, end)


def next_digests(now: dt.datetime, hours: Hours) -> tuple[dt.datetime, ...]:
    """The hours of the next two digests."""
    first = _next_at(now, hours.digest_at)
    return first, _next_at(first, hours.digest_at)


def _next_at(now: dt.datetime, clock: dt.time) -> dt.datetime:
    """The first instant after `now` at which local clocks show `clock`.

    A time that the clocks skip in spring comes an hour later; one they show twice in autumn
    counts when it comes first.
    """
    local = now.astimezone(TIMEZONE)
    for days in (0, 1, 2):
        day = local.date() + dt.timedelta(days=days)
        found = dt.datetime.combine(day, clock, TIMEZONE).astimezone(dt.UTC)
        if found > now:
            return found
    raise AssertionError("a day has 24 hours")


def phone_number(typed: str) -> str | None:
    """The number of a mobile as people write it, French where no country is said, as E.164; None
    for what is none."""
    try:
        number = phonenumbers.parse(typed, HOME_REGION)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.number_type(number) not in SMS_NUMBERS:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def shown_number(number: str) -> str:
    """A number as people read it: « 06 12 34 56 78 » at home, with its country elsewhere."""
    parsed = phonenumbers.parse(number)
    style = (
        phonenumbers.PhoneNumberFormat.NATIONAL
        if phonenumbers.region_code_for_number(parsed) == HOME_REGION
        else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return phonenumbers.format_number(parsed, style)


def is_push_service(endpoint: str) -> bool:
    """Whether an address is one of a browser's push service, over TLS."""
    found = PUSH_ADDRESS.fullmatch(endpoint)
    return found is not None and any(
        found["host"] == known or found["host"].endswith(f".{known}") for known in PUSH_SERVICES
    )


def are_push_keys(p256dh: str, auth: str) -> bool:
    """Whether these are a browser's keys: a point of P-256 and 16 secret bytes, in base64."""
    point, secret = _decoded(p256dh), _decoded(auth)
    if point is None or secret is None or len(secret) != AUTH_BYTES:
        return False
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return False
    return True


def _decoded(text: str) -> bytes | None:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
