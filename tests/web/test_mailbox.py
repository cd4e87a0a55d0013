"""The way to the mailbox of a demonstration: for its titulars, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from scheduler.core.installation import mark_as_demonstration
from scheduler.core.permissions import Role
from scheduler.people.models import User
from tests.factories import House

Clients = Callable[[User], FlaskClient]


@pytest.mark.parametrize(
    ("role", "demonstration", "linked"),
    [
        (Role.TITULAR, True, True),
        (Role.SECRETARY, True, False),
        (Role.TITULAR, False, False),
    ],
)
def test_the_account_menu_of_a_titular_leads_to_the_mailbox(
    house: House, client_for: Clients, role: Role, demonstration: bool, linked: bool
) -> None:
    practice = house.practice(slug="nieul")
    reader = house.member(practice, role)
    if demonstration:
        with house.database.transaction() as session:
            mark_as_demonstration(session)
    client = client_for(reader)
    page = client.get("/account").text
    assert ('href="/p/nieul/mailbox/"' in page) is linked
    assert (client.get("/p/nieul/mailbox/").status_code == 200) is linked
