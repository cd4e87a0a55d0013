"""Who may do what: one readable table of role and action, and the one function that reads it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scheduler.core.errors import Forbidden


class Role(enum.StrEnum):
    """What a member is in a practice."""

    TITULAR = "titular"
    REPLACEMENT = "replacement"
    ASSISTANT = "assistant"
    INTERN = "intern"
    SECRETARY = "secretary"
    NURSE = "nurse"
    VIEWER = "viewer"


DOCTOR_ROLES: Final = frozenset({Role.TITULAR, Role.REPLACEMENT, Role.ASSISTANT, Role.INTERN})


class Action(enum.StrEnum):
    """What can be asked of Relais inside a practice."""

    ROSTER_VIEW = "roster.view"
    ROSTER_FEED = "roster.feed"
    PERSONAL_FEED = "feed.personal"
    CALENDAR_DEVICE = "calendar.device"
    PATTERN_EDIT = "pattern.edit"
    NEED_PUBLISH = "need.publish"
    NEED_WITHDRAW = "need.withdraw"
    NEED_CLAIM = "need.claim"
    NEED_ASK = "need.ask"
    ASSIGNMENT_GIVE = "assignment.give"
    ASSIGNMENT_RELEASE = "assignment.release"
    ASSIGNMENT_CONFIRM = "assignment.confirm"
    ASSIGNMENT_TAKE_OVER = "assignment.take_over"
    RELEASE_DECIDE = "release.decide"
    SWAP_OFFER = "swap.offer"
    ABSENCE_DECLARE = "absence.declare"
    CALL_VIEW = "call.view"
    CALL_SEND = "call.send"
    INVITATION_VIEW = "invitation.view"
    INVITATION_SEND = "invitation.send"
    ANSWERS_VIEW = "answers.view"
    STATISTICS_VIEW = "statistics.view"
    PRESENCE_EDIT = "presence.edit"
    DUTY_EDIT = "duty.edit"
    ADVICE_EDIT = "advice.edit"
    PRACTICE_EDIT = "practice.edit"
    REPLACEMENT_EDIT = "replacement.edit"
    CANDIDATES_VIEW = "candidates.view"
    AVAILABILITY_EDIT = "availability.edit"
    PROPOSAL_VIEW = "proposal.view"
    PROPOSAL_COMPUTE = "proposal.compute"
    PROPOSAL_ACCEPT = "proposal.accept"
    HOLIDAYS_EDIT = "holidays.edit"
    MAILBOX_VIEW = "mailbox.view"


class Scope(enum.Enum):
    """Whose things a grant covers."""

    OWN = "own"
    ALL = "all"


OWN, ALL = Scope.OWN, Scope.ALL

# Rows are actions, columns are roles; what does not stand here is refused.
GRANTS: Final[Mapping[Action, Mapping[Role, Scope]]] = {
    Action.ROSTER_VIEW: dict.fromkeys(Role, ALL),
    Action.ROSTER_FEED: dict.fromkeys(Role, ALL),
    Action.PERSONAL_FEED: dict.fromkeys(DOCTOR_ROLES, OWN),
    Action.CALENDAR_DEVICE: dict.fromkeys(DOCTOR_ROLES, OWN),
    Action.PATTERN_EDIT: {Role.TITULAR: ALL},
    Action.NEED_PUBLISH: {Role.TITULAR: ALL},
    Action.NEED_WITHDRAW: {Role.TITULAR: ALL},
    Action.NEED_CLAIM: dict.fromkeys(DOCTOR_ROLES, OWN),
    Action.NEED_ASK: {Role.TITULAR: ALL},
    # A secretary acts for a doctor on the telephone, and is recorded as who did it.
    Action.ASSIGNMENT_GIVE: {Role.TITULAR: ALL, Role.SECRETARY: ALL},
    Action.ASSIGNMENT_RELEASE: {
        **dict.fromkeys(DOCTOR_ROLES, OWN),
        Role.TITULAR: ALL,
        Role.SECRETARY: ALL,
    },
    Action.ASSIGNMENT_CONFIRM: {Role.TITULAR: ALL},
    Action.ASSIGNMENT_TAKE_OVER: {
        **dict.fromkeys(DOCTOR_ROLES, OWN),
        Role.TITULAR: ALL,
        Role.SECRETARY: ALL,
    },
    Action.RELEASE_DECIDE: {Role.TITULAR: ALL},
    Action.SWAP_OFFER: {
        **dict.fromkeys(DOCTOR_ROLES, OWN),
        Role.TITULAR: ALL,
        Role.SECRETARY: ALL,
    },
    Action.ABSENCE_DECLARE: {
        **dict.fromkeys(DOCTOR_ROLES, OWN),
        Role.TITULAR: ALL,
        Role.SECRETARY: ALL,
    },
    Action.CALL_VIEW: {Role.TITULAR: ALL, Role.SECRETARY: ALL},
    Action.CALL_SEND: {Role.TITULAR: ALL},
    Action.INVITATION_VIEW: {Role.TITULAR: ALL, Role.SECRETARY: ALL},
    Action.INVITATION_SEND: {Role.TITULAR: ALL},
    Action.ANSWERS_VIEW: {Role.TITULAR: ALL, Role.SECRETARY: ALL},
    Action.STATISTICS_VIEW: {Role.TITULAR: ALL, Role.SECRETARY: ALL},
    Action.PRESENCE_EDIT: {Role.TITULAR: ALL, Role.SECRETARY: ALL, Role.NURSE: OWN},
    Action.DUTY_EDIT: {Role.TITULAR: ALL, Role.SECRETARY: ALL},
    Action.ADVICE_EDIT: {Role.TITULAR: ALL, Role.SECRETARY: ALL},
    Action.PRACTICE_EDIT: {Role.TITULAR: ALL},
    Action.REPLACEMENT_EDIT: {Role.TITULAR: ALL},
    Action.CANDIDATES_VIEW: {Role.TITULAR: ALL, Role.SECRETARY: ALL},
    Action.AVAILABILITY_EDIT: dict.fromkeys(DOCTOR_ROLES, OWN),
    Action.PROPOSAL_VIEW: {Role.TITULAR: ALL, Role.SECRETARY: ALL},
    Action.PROPOSAL_COMPUTE: {Role.TITULAR: ALL},
    Action.PROPOSAL_ACCEPT: {Role.TITULAR: ALL},
    Action.HOLIDAYS_EDIT: {Role.TITULAR: ALL},
    Action.MAILBOX_VIEW: {Role.TITULAR: ALL},
}


@dataclass(frozen=True, slots=True)
class Membership:
    """One role of an actor in one practice, valid at the moment the actor was loaded."""

    practice_id: int
    member_id: int
    role: Role


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, detached from the database and from any session."""

    user_id: int | None
    name: str
    memberships: tuple[Membership, ...] = ()
    is_system: bool = False

    def roles_in(self, practice_id: int | None) -> frozenset[Role]:
        """The actor's roles in a practice, or in any practice where `practice_id` is None."""
        return frozenset(
            membership.role
            for membership in self.memberships
            if practice_id is None or membership.practice_id == practice_id
        )


SYSTEM: Final = Actor(user_id=None, name="Relais", is_system=True)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an action is about: a practice (None: no practice in particular) and whose it is."""

    practice_id: int | None
    owner_id: int | None = None


def can(actor: Actor, action: Action, subject: Subject) -> bool:
    """Whether `actor` may do `action` to `subject`.

    A subject without a practice (a doctor's own availabilities) is only ever within reach of
    an `OWN` or `ALL` grant held in some practice, and then only to its owner.
    """
    if actor.is_system:
        return True
    own = subject.owner_id is not None and subject.owner_id == actor.user_id
    for role in actor.roles_in(subject.practice_id):
        scope = GRANTS[action].get(role)
        if own and scope is not None:
            return True
        if scope is ALL and subject.practice_id is not None:
            return True
    return False


def require(actor: Actor, action: Action, subject: Subject) -> None:
    """Raise `Forbidden` unless `actor` may do `action` to `subject`."""
    if not can(actor, action, subject):
        raise Forbidden(action=action.value)
