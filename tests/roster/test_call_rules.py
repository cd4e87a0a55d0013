"""Waves, quiet hours and links of calls."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from scheduler.core.errors import NotFound
from scheduler.core.permissions import Role
from scheduler.roster.call_rules import (
    Invitee,
    after_quiet,
    answer_path,
    is_quiet,
    is_thin,
    link_token,
    merged,
    next_wave_at,
    uid_of,
    wave_of,
)
from scheduler.roster.candidates import Coming, WhoCould
from scheduler.roster.rules import Preference, Wave

PARIS = ZoneInfo("Europe/Paris")
SECRET = "a secret of at least thirty-two characters"
MONDAY = dt.date(2026, 12, 7)


def paris(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=PARIS)


@pytest.mark.parametrize(
    ("instant", "then"),
    [
        ("2026-11-23T20:59:59", "2026-11-23T20:59:59"),
        ("2026-11-23T21:00:00", "2026-11-24T07:30:00"),
        ("2026-11-24T00:00:00", "2026-11-24T07:30:00"),
        ("2026-11-24T06:59:59", "2026-11-24T07:30:00"),
        ("2026-11-24T07:00:00", "2026-11-24T07:00:00"),
        ("2026-12-31T23:00:00", "2027-01-01T07:30:00"),
        # Both nights in which the clocks are changed.
        ("2027-03-27T22:00:00", "2027-03-28T07:30:00"),
        ("2027-03-28T03:30:00", "2027-03-28T07:30:00"),
        ("2026-10-24T22:00:00", "2026-10-25T07:30:00"),
        ("2026-10-25T02:30:00", "2026-10-25T07:30:00"),
    ],
)
def test_nothing_leaves_at_night(instant: str, then: str) -> None:
    moved = after_quiet(paris(instant).astimezone(dt.UTC), "Europe/Paris")
    assert moved.astimezone(PARIS) == paris(then)
    assert is_quiet(paris(instant), "Europe/Paris") == (instant != then)


def test_quiet_hours_are_those_of_the_practice() -> None:
    late = paris("2026-11-23T22:00:00")
    assert is_quiet(late, "Europe/Paris")
    assert not is_quiet(late, "America/Martinique")


def test_a_wave_waits_but_never_into_the_night() -> None:
    noon, evening = paris("2026-11-23T12:00:00"), paris("2026-11-23T20:00:00")
    day = next_wave_at(noon, "Europe/Paris", 24, urgent=False)
    assert day == noon + dt.timedelta(hours=24)
    night = next_wave_at(evening, "Europe/Paris", 4, urgent=False)
    assert night.astimezone(PARIS) == paris("2026-11-24T07:30:00")
    at_night = paris("2026-11-23T23:00:00")
    assert next_wave_at(at_night, "Europe/Paris", 24, urgent=True) == at_night + dt.timedelta(
        minutes=15
    )


@pytest.mark.parametrize(
    ("wanted", "taken", "minimum", "thin"),
    [
        (5, 3, 3, False),
        (5, 2, 3, True),
        # No more can come than there are days to fill.
        (2, 2, 3, False),
        (2, 1, 3, True),
        (5, 0, 0, False),
        (0, 0, 3, False),
    ],
)
def test_a_thin_week(wanted: int, taken: int, minimum: int, thin: bool) -> None:
    days = [MONDAY + dt.timedelta(days=offset) for offset in range(5)]
    # A second doctor on a date makes no second day.
    assert is_thin(days[:wanted] * 2, days[:taken] * 2, minimum) is thin


@pytest.mark.parametrize(
    ("role", "preference", "wave"),
    [
        (Role.REPLACEMENT, Preference.WANTED, Wave.POSSIBLE),
        (Role.ASSISTANT, Preference.POSSIBLE, Wave.POSSIBLE),
        (Role.REPLACEMENT, Preference.LAST_RESORT, Wave.LAST_RESORT),
        (Role.REPLACEMENT, None, Wave.LAST_RESORT),
        (Role.TITULAR, Preference.WANTED, Wave.TITULARS),
        (Role.TITULAR, None, Wave.TITULARS),
    ],
)
def test_titulars_come_last(role: Role, preference: Preference | None, wave: Wave) -> None:
    assert wave_of(role, preference) is wave


def coming(doctor_id: int, preference: Preference | None = None, **values: object) -> Coming:
    facts = {"role": Role.REPLACEMENT, "days": 2.0, "name": f"Nom{doctor_id}", **values}
    return Coming(doctor_id=doctor_id, phone=None, preference=preference, cost={}, **facts)  # type: ignore[arg-type]


def test_each_doctor_is_asked_once_for_all_the_days_they_could_take() -> None:
    found = {
        1: WhoCould(
            1.0,
            said=(coming(10, Preference.POSSIBLE), coming(11, Preference.WANTED)),
            silent=(coming(12, days=0.5), coming(13, role=Role.TITULAR)),
        ),
        2: WhoCould(
            1.0,
            said=(coming(12, Preference.LAST_RESORT, days=0.5), coming(14, Preference.POSSIBLE)),
            silent=(coming(10),),
        ),
    }
    ranked = merged(found)
    # The best that a doctor said of any day counts; what they said of each is kept.
    assert [(one.doctor_id, one.wave) for one in ranked] == [
        (11, Wave.POSSIBLE),
        (10, Wave.POSSIBLE),
        (14, Wave.POSSIBLE),
        (12, Wave.LAST_RESORT),
        (13, Wave.TITULARS),
    ]
    assert ranked[1].days == ((1, Preference.POSSIBLE), (2, None))
    assert ranked[3] == Invitee(
        12,
        Wave.LAST_RESORT,
        Preference.LAST_RESORT,
        1,
        ((1, None), (2, Preference.LAST_RESORT)),
    )
    assert merged({}) == []


def test_a_link_is_signed() -> None:
    uid = "0b52ed2a-2bfb-4a3f-8d0e-6f2e7b0f6c11"
    token = link_token(SECRET, uid)
    assert uid_of(SECRET, token) == uid
    assert answer_path(SECRET, uid) == f"/calls/answer/{token}"
    for forged in (uid, token[:-1], token + "x", "", "x.y.z", link_token(SECRET + "x", uid)):
        with pytest.raises(NotFound) as raised:
            uid_of(SECRET, forged)
        assert raised.value.code == "invitation_not_found"
