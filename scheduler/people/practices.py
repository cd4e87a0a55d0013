"""What a practice decides for itself: its settings, whom it trusts, who supervises its interns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from scheduler.core import audit
from scheduler.core.clock import local_date
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import Conflict, InvalidInput
from scheduler.core.permissions import DOCTOR_ROLES, Action, Actor, Role, Subject, require
from scheduler.people import rules
from scheduler.people.models import ClaimPolicy, HoldOutcome, Member, Practice
from scheduler.people.queries import members_of

SHORTEST_ADDRESS: Final = 3
LONGEST_PROFESSION: Final = 60
# The lowest and the highest value of each number; the table's constraints say the same.
RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "hold_hours": (1, 336),
    "lock_days": (0, 90),
    "weekly_minimum": (0, 7),
    "local_half_days_per_week": (1, 14),
    "local_half_days_per_month": (1, 62),
    "call_weeks_ahead": (1, 26),
    "call_wave_hours": (1, 168),
}
# A titular's own claims wait for nobody, and an intern is there to be supervised, not trusted.
TRUSTABLE: Final = frozenset({Role.REPLACEMENT, Role.ASSISTANT, Role.INTERN})


@dataclass(frozen=True, slots=True)
class PracticeSettings:
    """What titulars may change of their practice; the names and meanings of its columns.

    To change some of them: ``replace(PracticeSettings.of(practice), lock_days=7)``.
    """

    claim_policy: ClaimPolicy
    hold_hours: int
    hold_outcome: HoldOutcome
    lock_days: int
    weekly_minimum: int
    local_half_days_per_week: int | None
    local_half_days_per_month: int | None
    derogation_required: bool
    call_weeks_ahead: int
    call_wave_hours: int
    public_address: str | None
    public_page: bool

    @classmethod
    def of(cls, practice: Practice) -> PracticeSettings:
        return cls(**{field.name: getattr(practice, field.name) for field in fields(cls)})


def change_settings(
    session: UnitOfWork, actor: Actor, practice: Practice, settings: PracticeSettings
) -> PracticeSettings:
    """Give a practice (of this session) these settings; returns them as they are kept.

    Raises `InvalidInput` for a value that cannot be and `Conflict` for a public address that
    another practice has; `facts["field"]` names the setting. What did not change is not recorded.
    """
    require(actor, Action.PRACTICE_EDIT, Subject(practice.id))
    lock_rows(session, practice)
    settings = _checked(settings)
    before = asdict(PracticeSettings.of(practice))
    changed = {name: value for name, value in asdict(settings).items() if value != before[name]}
    if not changed:
        return settings
    if "public_address" in changed:
        _require_free(session, practice, settings.public_address)
    try:
        with session.begin_nested():
            for name, value in changed.items():
                setattr(practice, name, value)
    except IntegrityError:
        # Two practices chose one address at the same moment.
        raise _taken(settings.public_address) from None
    _record(
        session,
        actor,
        practice,
        "practice.changed",
        changes={name: [before[name], value] for name, value in changed.items()},
    )
    return settings


def choose_trusted(
    session: UnitOfWork, actor: Actor, practice: Practice, member_ids: Collection[int]
) -> None:
    """Trust exactly these members of the practice, whose claims then need no titular's word
    where the claim policy is `TRUSTED`. Members who cannot be trusted are left as they are."""
    require(actor, Action.PRACTICE_EDIT, Subject(practice.id))
    lock_rows(session, practice)
    for member in _present(session, practice, TRUSTABLE):
        trusted = member.id in member_ids
        if member.trusted != trusted:
            member.trusted = trusted
            _record_member(session, actor, member, "member.trusted", trusted=trusted)
    session.flush()


def choose_supervisors(
    session: UnitOfWork, actor: Actor, practice: Practice, chosen: Mapping[int, int | None]
) -> None:
    """Say which titular each intern reaches: member id of the intern to the titular's user id.

    Interns who are not named keep theirs. Raises `InvalidInput` (`facts["field"]` is
    ``supervisor``, `facts["member"]` the intern) where that is no titular of the practice today.
    """
    require(actor, Action.PRACTICE_EDIT, Subject(practice.id))
    lock_rows(session, practice)
    titulars = {member.user_id for member in _present(session, practice, {Role.TITULAR})}
    for member in _present(session, practice, {Role.INTERN}):
        supervisor_id = chosen.get(member.id, member.supervisor_id)
        if supervisor_id == member.supervisor_id:
            continue
        if supervisor_id is not None and supervisor_id not in titulars:
            raise InvalidInput("supervisor_no_titular", field="supervisor", member=member.id)
        member.supervisor_id = supervisor_id
        _record_member(session, actor, member, "member.supervised", supervisor=supervisor_id)
    session.flush()


def choose_professions(
    session: UnitOfWork, actor: Actor, practice: Practice, chosen: Mapping[int, str]
) -> None:
    """Say what members who are no doctors do in the house, by member id; "" for nothing said.

    Raises `InvalidInput` (`facts["field"]` is ``profession``, `facts["member"]` whose) where the
    words are too long.
    """
    require(actor, Action.PRACTICE_EDIT, Subject(practice.id))
    lock_rows(session, practice)
    for member in _present(session, practice, set(Role) - DOCTOR_ROLES):
        profession = " ".join(chosen.get(member.id, member.profession or "").split()) or None
        if profession == member.profession:
            continue
        if profession is not None and len(profession) > LONGEST_PROFESSION:
            raise InvalidInput(
                "text_too_long", field="profession", member=member.id, longest=LONGEST_PROFESSION
            )
        member.profession = profession
        _record_member(session, actor, member, "member.profession", profession=profession)
    session.flush()


def _checked(settings: PracticeSettings) -> PracticeSettings:
    """The settings as they are kept; `InvalidInput` names the first that cannot be."""
    for name, (lowest, highest) in RANGES.items():
        value = getattr(settings, name)
        if value is not None and not lowest <= value <= highest:
            raise InvalidInput("number_out_of_range", field=name, lowest=lowest, highest=highest)
    address = (settings.public_address or "").strip().lower() or None
    if address is None and settings.public_page:
        raise InvalidInput("public_address_missing", field="public_address")
    if address is not None and not _is_address(address):
        raise InvalidInput(
            "public_address_malformed",
            field="public_address",
            shortest=SHORTEST_ADDRESS,
            longest=rules.LONGEST_SLUG,
        )
    return replace(settings, public_address=address)


def _is_address(text: str) -> bool:
    fits = SHORTEST_ADDRESS <= len(text) <= rules.LONGEST_SLUG
    return fits and rules.SLUG.fullmatch(text) is not None


def _require_free(session: UnitOfWork, practice: Practice, address: str | None) -> None:
    taken = sa.select(Practice.id).where(
        Practice.public_address == address, Practice.id != practice.id
    )
    if address is not None and session.scalar(taken) is not None:
        raise _taken(address)


def _taken(address: str | None) -> Conflict:
    return Conflict("public_address_taken", field="public_address", address=address)


def _present(session: UnitOfWork, practice: Practice, roles: Collection[Role]) -> list[Member]:
    """The members with one of these roles today."""
    today: dt.date = local_date(session.now(), practice.timezone)
    return [member for member in members_of(session, practice.id, today) if member.role in roles]


def _record(
    session: UnitOfWork, actor: Actor, practice: Practice, action: str, **details: Any
) -> None:
    audit.record(
        session, actor, action, "practice", practice.id, practice_id=practice.id, **details
    )


def _record_member(
    session: UnitOfWork, actor: Actor, member: Member, action: str, **details: Any
) -> None:
    audit.record(
        session,
        actor,
        action,
        "member",
        member.id,
        practice_id=member.practice_id,
        user=member.user_id,
        **details,
    )
