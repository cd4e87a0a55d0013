"""The table of role and action, and the function that reads it."""

from __future__ import annotations

import pytest

from scheduler.core.errors import Forbidden
from scheduler.core.permissions import (
    ALL,
    DOCTOR_ROLES,
    GRANTS,
    OWN,
    SYSTEM,
    Action,
    Actor,
    Membership,
    Role,
    Subject,
    can,
    require,
)


def somebody(role: Role, practice_id: int = 1) -> Actor:
    return Actor(7, "Somebody", (Membership(practice_id, 70, role),))


def test_every_action_has_a_row() -> None:
    assert set(GRANTS) == set(Action)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_a_grant_reaches_as_far_as_its_scope(action: Action, role: Role) -> None:
    actor, scope = somebody(role), GRANTS[action].get(role)
    assert can(actor, action, Subject(1, owner_id=7)) is (scope is not None)
    assert can(actor, action, Subject(1, owner_id=8)) is (scope is ALL)
    assert can(actor, action, Subject(1)) is (scope is ALL)
    assert can(actor, action, Subject(None, owner_id=7)) is (scope is not None)
    assert not can(actor, action, Subject(None, owner_id=8))
    assert not can(actor, action, Subject(2, owner_id=7))


def test_nobody_without_a_membership_may_do_anything() -> None:
    stranger = Actor(7, "Stranger")
    assert not any(can(stranger, action, Subject(1, owner_id=7)) for action in Action)


def test_only_titulars_change_what_others_live_by() -> None:
    for action in (Action.NEED_PUBLISH, Action.PROPOSAL_ACCEPT, Action.PATTERN_EDIT):
        assert GRANTS[action] == {Role.TITULAR: ALL}


def test_doctors_speak_for_themselves_only() -> None:
    assert GRANTS[Action.AVAILABILITY_EDIT] == dict.fromkeys(DOCTOR_ROLES, OWN)
    assert GRANTS[Action.NEED_CLAIM] == dict.fromkeys(DOCTOR_ROLES, OWN)


def test_roles_add_up_and_the_system_may() -> None:
    both = Actor(7, "Both", (Membership(1, 70, Role.VIEWER), Membership(1, 71, Role.TITULAR)))
    assert can(both, Action.NEED_PUBLISH, Subject(1))
    assert can(SYSTEM, Action.NEED_PUBLISH, Subject(1))


def test_require_names_the_action() -> None:
    with pytest.raises(Forbidden) as caught:
        require(somebody(Role.NURSE), Action.NEED_PUBLISH, Subject(1))
    assert caught.value.facts == {"action": "need.publish"}
