"""A practice that invites two doctors to one day."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from scheduler.calendars.models import CalendarInvitation
from scheduler.core.permissions import Role
from scheduler.core.settings import Settings
from scheduler.people.models import Practice, User
from scheduler.roster.models import Need
from tests.calendars.invitations.support import MAILBOX, Post
from tests.factories import House

THURSDAY = dt.date(2026, 11, 26)


@pytest.fixture
def post(house: House, settings: Settings) -> Post:
    return Post(house, replace(settings, reply_address=MAILBOX))


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice(hold_hours=24)


@pytest.fixture
def titular(house: House, practice: Practice) -> User:
    return house.member(practice, Role.TITULAR)


@pytest.fixture
def doctor(house: House, practice: Practice) -> User:
    return house.member(practice, Role.REPLACEMENT)


@pytest.fixture
def other(house: House, practice: Practice) -> User:
    return house.member(practice, Role.REPLACEMENT)


@pytest.fixture
def need(house: House, practice: Practice) -> Need:
    return house.need(practice, THURSDAY)


@pytest.fixture
def invited(
    post: Post, titular: User, practice: Practice, need: Need, doctor: User, other: User
) -> CalendarInvitation:
    """The first doctor's invitation."""
    post.invite(titular, practice, (need, doctor), (need, other))
    return post.invitation(need, doctor)
