"""A practice with four days to fill, who may decide, and a doctor who can come on three."""

from __future__ import annotations

import pytest

from scheduler.core.permissions import Role
from scheduler.people.models import Locale, Practice, User
from scheduler.roster.rules import Preference
from tests.factories import House
from tests.web.proposals.support import DAY, FIRST


@pytest.fixture
def practice(house: House) -> Practice:
    return house.practice("Salle 1", "Salle 2", slug="nieul", weekly_minimum=1)


@pytest.fixture
def titular(house: House, practice: Practice) -> User:
    return house.member(practice, Role.TITULAR, locale=Locale.ENGLISH)


@pytest.fixture
def lea(house: House, practice: Practice) -> User:
    """A doctor who can come on three days; of four to fill, one is hers already."""
    user = house.member(practice, Role.REPLACEMENT, given_name="Léa", family_name="Fontaine")
    house.available(user, FIRST, FIRST + DAY)
    house.available(user, FIRST + 2 * DAY, preference=Preference.LAST_RESORT)
    needs = [house.need(practice, FIRST + number * DAY) for number in range(4)]
    house.assignment(needs[0], user)
    return user
