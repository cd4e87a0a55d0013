"""When a message may ring, which channels it takes, and what is a number or a push service."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.deliveries import Channel
from scheduler.notify.rules import (
    TIMEZONE,
    Choice,
    Hours,
    are_push_keys,
    channels_for,
    is_push_service,
    next_digests,
    not_before,
    phone_number,
    shown_number,
)

HOURS = Hours()
EVERY = list(Channel)


def paris(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=TIMEZONE).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-11-23T20:59", "2026-11-23T20:59"),
        ("2026-11-23T21:00", "2026-11-24T07:00"),
        ("2026-11-24T03:30", "2026-11-24T07:00"),
        ("2026-11-24T06:59", "2026-11-24T07:00"),
        ("2026-11-24T07:00", "2026-11-24T07:00"),
        # Both nights in which the clocks change: an hour shorter, an hour longer.
        ("2027-03-27T22:00", "2027-03-28T07:00"),
        ("2026-10-24T22:00", "2026-10-25T07:00"),
    ],
)
def test_nothing_rings_in_quiet_hours(now: str, then: str) -> None:
    assert not_before(paris(now), HOURS, Channel.SMS) == paris(then)
    assert not_before(paris(now), HOURS, Channel.PUSH) == paris(then)


def test_a_night_of_changing_clocks_is_as_long_as_it_is() -> None:
    evening = paris("2027-03-27T22:00")
    assert not_before(evening, HOURS, Channel.SMS) - evening == dt.timedelta(hours=8)
    evening = paris("2026-10-24T22:00")
    assert not_before(evening, HOURS, Channel.SMS) - evening == dt.timedelta(hours=10)


def test_e_mail_waits_only_where_it_was_asked_to() -> None:
    night = paris("2026-11-23T23:00")
    assert not_before(night, HOURS, Channel.EMAIL) == night
    waiting = Hours(quiet_email=True)
    assert not_before(night, waiting, Channel.EMAIL) == paris("2026-11-24T07:00")


def test_quiet_hours_may_lie_within_a_day_or_not_be() -> None:
    lunch = Hours(quiet=(dt.time(12), dt.time(14)))
    assert not_before(paris("2026-11-23T12:30"), lunch, Channel.SMS) == paris("2026-11-23T14:00")
    assert not_before(paris("2026-11-23T23:00"), lunch, Channel.SMS) == paris("2026-11-23T23:00")
    for none in (Hours(quiet=None), Hours(quiet=(dt.time(7), dt.time(7)))):
        assert not_before(paris("2026-11-23T07:00"), none, Channel.SMS) == paris("2026-11-23T07:00")


@given(
    st.integers(0, 2 * 365 * 24 * 60),
    st.integers(0, 23),
    st.integers(0, 23),
)
def test_the_wait_ends_outside_the_quiet_hours(minutes: int, start: int, end: int) -> None:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
    hours = Hours(quiet=(dt.time(start), dt.time(end)))
    then = not_before(now, hours, Channel.SMS)
    assert now <= then <= now + dt.timedelta(hours=25)
    assert not_before(then, hours, Channel.SMS) == then


@pytest.mark.parametrize(
    ("now", "first", "second"),
    [
        ("2026-11-23T10:00", "2026-11-23T18:00", "2026-11-24T18:00"),
        ("2026-11-23T18:00", "2026-11-24T18:00", "2026-11-25T18:00"),
        ("2026-10-24T19:00", "2026-10-25T18:00", "2026-10-26T18:00"),
    ],
)
def test_digests_come_once_a_day(now: str, first: str, second: str) -> None:
    assert next_digests(paris(now), HOURS) == (paris(first), paris(second))


def test_channels_are_those_chosen_and_reachable() -> None:
    choice = Choice(frozenset({Channel.EMAIL, Channel.SMS}))
    assert channels_for(choice, HOURS, EVERY, urgent=False) == [Channel.EMAIL, Channel.SMS]
    assert channels_for(choice, HOURS, [Channel.EMAIL], urgent=False) == [Channel.EMAIL]
    assert channels_for(Choice(frozenset()), HOURS, EVERY, urgent=False) == []


def test_what_is_urgent_goes_to_the_phone_too() -> None:
    nothing = Choice(frozenset())
    assert channels_for(nothing, HOURS, EVERY, urgent=True) == [Channel.SMS]
    assert channels_for(nothing, HOURS, [Channel.EMAIL], urgent=True) == []
    assert channels_for(nothing, Hours(urgent_sms=False), EVERY, urgent=True) == []


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("06 12 34 56 78", "+33612345678"),
        ("06.12.34.56.78", "+33612345678"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("+32 470 12 34 56", "+32470123456"),
        ("+1 201 555 0123", "+12015550123"),
        # What costs who calls it, or what no SMS reaches.
        ("0899 70 00 00", None),
        ("02 51 00 00 00", None),
        ("12", None),
        ("06 12 34 56", None),
        ("anne@example.org", None),
        ("", None),
    ],
)
def test_numbers_are_read_as_people_write_them(typed: str, number: str | None) -> None:
    assert phone_number(typed) == number


def test_numbers_are_shown_as_people_read_them() -> None:
    assert shown_number("+33612345678") == "06 12 34 56 78"
    assert shown_number("+32470123456") == "+32 470 12 34 56"


@pytest.mark.parametrize(
    ("endpoint", "known"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc", True),
        ("https://updates.push.services.mozilla.com/wpush/v2/abc", True),
        ("https://web.push.apple.com/abc", True),
        ("https://wns2-par02p.notify.windows.com/w/?token=abc", True),
        ("http://fcm.googleapis.com/fcm/send/abc", False),
        ("https://fcm.googleapis.com:8443/abc", False),
        ("https://fcm.googleapis.com@10.0.0.1/abc", False),
        ("https://evilfcm.googleapis.com.example/abc", False),
        ("https://notfcm.googleapis.com.example.org", False),
        ("https://10.0.0.1/abc", False),
        ("https://localhost/abc", False),
        ("https://[::1", False),
        # One reader of addresses ends a host at a backslash, another does not.
        ("https://10.0.0.1\\.fcm.googleapis.com/abc", False),
        ("https://10.0.0.1%5c.fcm.googleapis.com/abc", False),
        ("https://10.0.0.1;.fcm.googleapis.com/abc", False),
        ("https://web.push.apple.com/a b", False),
        ("https://web.push.apple.com/é", False),
        ("https://web.push.apple.com/a\r\nHost: x", False),
        ("", False),
    ],
)
def test_only_browsers_own_push_services_are_called(endpoint: str, known: bool) -> None:
    assert is_push_service(endpoint) is known


def test_keys_that_are_none_are_told() -> None:
    assert not are_push_keys("", "")
    assert not are_push_keys("é", "é")
    assert not are_push_keys("A" * 87, "A" * 22)
