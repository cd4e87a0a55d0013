"""Week patterns (« semaines types »): the named weeks that days are published from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.attributes import flag_modified

from scheduler.core import audit
from scheduler.core.database import UnitOfWork, lock_rows
from scheduler.core.errors import Conflict, InvalidInput, NotFound
from scheduler.core.permissions import DOCTOR_ROLES, Action, Actor, Role, Subject, require
from scheduler.people.models import Practice
from scheduler.roster.models import WeekPattern, WeekPatternSlot
from scheduler.roster.rules import DEFAULT_NEED_ROLES, Half, Period

LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class Slot:
    """One need of a pattern's week, as it is asked for: `weekday` 0 is Monday."""

    room_id: int
    weekday: int
    period: Period
    priority: int = 1
    roles: tuple[Role, ...] = DEFAULT_NEED_ROLES

    @property
    def key(self) -> tuple[int, int, Period]:
        return self.room_id, self.weekday, self.period


def save_pattern(
    session: UnitOfWork,
    actor: Actor,
    practice: Practice,
    pattern_id: int | None,
    name: str,
    slots: Sequence[Slot],
    *,
    version: int | None = None,
) -> WeekPattern:
    """Create a week pattern, or give one a new name and new slots.

    `version` is the one that the editor was shown: `Conflict` when somebody saved meanwhile.
    """
    require(actor, Action.PATTERN_EDIT, Subject(practice.id))
    name = " ".join(name.split())
    _check_name(name)
    _check_slots(practice, slots)
    lock_rows(session, session.get_one(Practice, practice.id))
    if pattern_id is None:
        pattern = WeekPattern(practice_id=practice.id, name=name, slots=[])
    else:
        pattern = load_pattern(session, practice, pattern_id)
        require_version(pattern, version)
    _name_is_free(session, practice, pattern_id, name)
    pattern.name = name
    _replace_slots(pattern, slots)
    session.add(pattern)
    if pattern_id is not None:
        # The version rises for a change of the slots alone too.
        flag_modified(pattern, "name")
    session.flush()
    audit.record(
        session,
        actor,
        "pattern.saved",
        "week_pattern",
        pattern.id,
        practice_id=practice.id,
        name=name,
        slots=len(slots),
    )
    return pattern


def delete_pattern(
    session: UnitOfWork, actor: Actor, practice: Practice, pattern_id: int
) -> WeekPattern:
    """Remove a week pattern; the days published from it stay."""
    require(actor, Action.PATTERN_EDIT, Subject(practice.id))
    lock_rows(session, session.get_one(Practice, practice.id))
    pattern = load_pattern(session, practice, pattern_id)
    session.delete(pattern)
    session.flush()
    audit.record(
        session,
        actor,
        "pattern.deleted",
        "week_pattern",
        pattern_id,
        practice_id=practice.id,
        name=pattern.name,
    )
    return pattern


def load_pattern(session: UnitOfWork, practice: Practice, pattern_id: int) -> WeekPattern:
    """A practice's pattern with its slots, as the database has it now."""
    pattern = session.scalars(
        sa.select(WeekPattern)
        .where(WeekPattern.id == pattern_id, WeekPattern.practice_id == practice.id)
        .options(selectinload(WeekPattern.slots))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if pattern is None:
        raise NotFound("pattern_not_found")
    return pattern


def require_version(pattern: WeekPattern, version: int | None) -> None:
    """Raise `Conflict` when the pattern is not the one that its reader was shown."""
    if version is not None and version != pattern.version:
        raise Conflict("pattern_changed", name=pattern.name)


def _check_name(name: str) -> None:
    if not name:
        raise InvalidInput("pattern_name_missing", field="name")
    if len(name) > LONGEST_NAME:
        raise InvalidInput("pattern_name_too_long", field="name", most=LONGEST_NAME)


def _name_is_free(
    session: UnitOfWork, practice: Practice, pattern_id: int | None, name: str
) -> None:
    other = session.scalar(
        sa.select(WeekPattern.id).where(
            WeekPattern.practice_id == practice.id,
            WeekPattern.name == name,
            WeekPattern.id.is_distinct_from(pattern_id),
        )
    )
    if other is not None:
        raise Conflict("pattern_name_taken", field="name", name=name)


def _check_slots(practice: Practice, slots: Sequence[Slot]) -> None:
    if not slots:
        raise InvalidInput("pattern_empty", field="slots")
    rooms = {room.id for room in practice.rooms}
    taken: set[tuple[int, int, Half]] = set()
    for slot in slots:
        possible = (
            slot.room_id in rooms
            and 0 <= slot.weekday <= 6
            and 1 <= slot.priority <= 3
            and slot.roles
            and DOCTOR_ROLES.issuperset(slot.roles)
        )
        if not possible:
            raise InvalidInput("slot_impossible", field="slots")
        for half in slot.period.halves:
            key = (slot.room_id, slot.weekday, half)
            if key in taken:
                raise InvalidInput("slots_overlap", field="slots")
            taken.add(key)


def _replace_slots(pattern: WeekPattern, slots: Sequence[Slot]) -> None:
    """Keep the rows whose place in the week stays: the unit of work inserts before it deletes."""
    wanted = {slot.key for slot in slots}
    rows = {(row.room_id, row.weekday, row.period): row for row in pattern.slots}
    for gone in rows.keys() - wanted:
        pattern.slots.remove(rows.pop(gone))
    for slot in slots:
        if slot.key not in rows:
            rows[slot.key] = WeekPatternSlot(
                room_id=slot.room_id, weekday=slot.weekday, period=slot.period
            )
            pattern.slots.append(rows[slot.key])
        row = rows[slot.key]
        row.priority = slot.priority
        row.roles = [role.value for role in slot.roles]
